"""Models by their names and options, and models from files."""

import os
from argparse import ArgumentParser
from inspect import signature
from typing import Any

import sklearn_makemore

from .._base import BaseCharLM
from .._models import COUNTERS, NETWORKS
from ._option_types import nearest
from ._parser import arguments_from, option_types
from ._streams import UsageError

MODELS = (*COUNTERS, *NETWORKS)
"""Models that need no other models."""

COMMANDS_OF = {"CharLMClassifier": "classify", "CharLMOutlierDetector": "detect"}
COMMANDS_OF |= dict.fromkeys((*MODELS, "MixtureCharLM", "ConditionalCharLM"), "sample")
"""Commands that use an estimator, by its class."""

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


def add_model_options(parser, arguments):
    """Add the option ``--model``, and those of the model named in the arguments."""
    parser.group("model").add_argument(
        "--model",
        default=MODELS[0],
        metavar="NAME",
        help=f"One of {', '.join(MODELS)}; a short name such as gru is enough. "
        "With --help, its options are listed. Default: %(default)s.",
    )
    name = _named_model(arguments)
    if os.path.isfile(name) and name not in MODELS:
        raise UsageError(
            f"--model takes the name of a model, such as gru, and {name!r} is a file; "
            f"give a file without an option: {parser.usage}"
        )
    model = model_class(name)
    training = _training_parameters(model)
    parser.add_parameters(
        model,
        lambda name: "training" if name in training else "model",
        skip=NOT_FROM_A_SHELL,
    )


def _training_parameters(model):
    """Return the parameters that determine how a model is trained."""
    if model.__name__ not in NETWORKS:
        return {}
    from .._networks.parameters import NetworkParameters

    return signature(NetworkParameters).parameters


def _named_model(arguments):
    """Return the name of the model in the arguments, or the default."""
    parser = ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--model", nargs="?", default=MODELS[0])
    return parser.parse_known_args(arguments)[0].model or MODELS[0]


def new_model(options):
    """Return the model that options describe."""
    made = model_class(options.model)
    return made(**arguments_from(options, made, NOT_FROM_A_SHELL))


def add_model_file(parser):
    """Add the argument for the file of a model."""
    parser.group("model").add_argument(
        "model", metavar="MODEL", help="File that the command fit has written."
    )


def read_model(
    path,
    allowed: type | tuple[type, ...] = BaseCharLM,
    advice="the command fit writes a model file, from a file of words",
) -> Any:
    """Load a model of one of the allowed classes; other estimators are an error.

    advice : what to do if the file is not a model file
    """
    try:
        model = sklearn_makemore.load(path)
    except ValueError as error:
        if "is not a model file" not in str(error):
            raise
        raise ValueError(f"{error}; {advice}") from error
    if not isinstance(model, allowed):
        kind = type(model).__name__
        use = COMMANDS_OF.get(kind)
        use = f"use it with the command {use}" if use else "use it in Python"
        raise ValueError(
            f"{path!r} holds an estimator of the class {kind}, which this command "
            f"cannot use; {use}"
        )
    return model


def label_of(text, model):
    """Return the label of a conditional model that a text names."""
    by_text = {str(known): known for known in model.classes_.tolist()}
    return by_text.get(str(text), text)
