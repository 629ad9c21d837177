"""Models by their names and options, and models from files."""

from typing import Any

import sklearn_makemore

from .._base import BaseCharLM
from .._models import COUNTERS, NETWORKS
from ._parser import nearest
from ._streams import UsageError

MODELS = (*COUNTERS, *NETWORKS)
"""Models that need no other models."""

NOT_FROM_A_SHELL = {"verbose", "warm_start"}
"""Parameters without meaning here: a progress bar replaces `verbose`, and every run
fits a new model."""


def model_class(name: str):
    """Return the class of a model."""
    if name not in MODELS:
        near = nearest(name, MODELS) or f"; there are {', '.join(MODELS)}"
        raise UsageError(f"there is no model {name!r}{near}")
    return getattr(sklearn_makemore, name)


def add_model_option(parser):
    """Add the argument for the file of a model."""
    parser.add_argument("model", metavar="MODEL", help="File of the model.")


def read_model(path, allowed: type | tuple[type, ...] = BaseCharLM) -> Any:
    """Load a model of one of the allowed classes; other estimators are an error."""
    model = sklearn_makemore.load(path)
    if not isinstance(model, allowed):
        raise ValueError(
            f"{path!r} holds a {type(model).__name__}, which this command cannot use; "
            "it needs a language model, such as NGramCounter; use the other in Python"
        )
    return model
