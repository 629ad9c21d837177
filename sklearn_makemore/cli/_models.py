"""Models by their names and options, and models from files."""

from typing import Any

import sklearn_makemore

from .._base import BaseCharLM
from .._models import COUNTERS, NETWORKS
from ._option_types import nearest
from ._parser import option_types
from ._streams import UsageError

MODELS = (*COUNTERS, *NETWORKS)
"""Models that need no other models."""

NOT_FROM_A_SHELL = {"verbose", "warm_start"}
"""Parameters without meaning here: a progress bar replaces `verbose`, and every run
fits a new model."""


def model_class(name: str):
    """Return the class of a model, whose name may be short, as in ``gru``."""
    short = name.lower().replace("-", "")
    found = [known for known in MODELS if short in (known.lower(), _short(known))]
    if len(found) > 1:
        raise UsageError(f"{name!r} may be {' or '.join(found)}; write the whole name")
    if not found:
        near = nearest(name, MODELS) or nearest(short, map(_short, MODELS))
        near = near or f"; the models are {', '.join(MODELS)}"
        raise UsageError(f"there is no model {name!r}{near}")
    return getattr(sklearn_makemore, found[0])


def _short(name):
    return name.lower().removesuffix("counter").removesuffix("charlm")


def model_types(name):
    """Return what the option of each parameter of a model takes."""
    return option_types(model_class(name), NOT_FROM_A_SHELL)


def add_model_option(parser):
    """Add the argument for the file of a model."""
    parser.group("model").add_argument(
        "model", metavar="MODEL", help="File that the command fit has written."
    )


def read_model(path, allowed: type | tuple[type, ...] = BaseCharLM) -> Any:
    """Load a model of one of the allowed classes; other estimators are an error."""
    model = sklearn_makemore.load(path)
    if not isinstance(model, allowed):
        raise ValueError(
            f"{path!r} holds a {type(model).__name__}, which this command cannot use; "
            "it needs a language model, such as NGramCounter; use the other in Python"
        )
    return model
