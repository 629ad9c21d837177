"""Models by their names and options, and models out of files."""

import sklearn_makemore

from .._base import BaseCharLM
from .._models import COUNTERS, NETWORKS
from ._parser import nearest, shell_hints
from ._streams import UsageError, text_of_argument

MODELS = (*COUNTERS, *NETWORKS)
"""Models that are made by their own parameters alone."""

NOT_FROM_A_SHELL = {"verbose", "warm_start"}
"""Parameters without a meaning here: there is a progress bar, and each fit is new."""


def model_class(name):
    """Return the class of a model."""
    if name not in MODELS:
        near = nearest(name, MODELS) or f"; there are {', '.join(MODELS)}"
        raise UsageError(f"there is no model {name!r}{near}")
    return getattr(sklearn_makemore, name)


def new_model(model, options):
    """Return a model of a class with the parameters that the options give."""
    params = {name: options[name] for name in shell_hints(model, NOT_FROM_A_SHELL)}
    if params["alphabet"] is not None:
        params["alphabet"] = text_of_argument(params["alphabet"])
    return model(**params)


def read_model(path):
    """Return a model of words; estimators made of models are an error."""
    model = sklearn_makemore.load(path)
    if not isinstance(model, BaseCharLM):
        raise ValueError(
            f"{path!r} holds a {type(model).__name__}, which is used in Python; this "
            "command is for models of words, such as NGramCounter"
        )
    return model
