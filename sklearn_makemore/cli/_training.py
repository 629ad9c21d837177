"""Options of commands that use a stored estimator, or train one first."""

import sys
from argparse import Namespace
from inspect import signature

from .. import save
from .._safe_file import check_writable
from ..datasets._options import ReadOptions
from ._models import (
    MODELS,
    NOT_FROM_A_SHELL,
    add_model_options,
    model_class,
    read_model,
)
from ._option_types import option_name
from ._parser import arguments_from
from ._streams import UsageError, is_terminal, print_message
from ._words import STANDARD_INPUT, add_reading_options, word_chunks

CHUNK_SIZE = 100_000
"""Number of words read and printed at a time."""


def add_training_options(parser, arguments, estimator, skip):
    """Add the arguments MODEL and WORDS, and the options to train an estimator.

    skip : parameters of the estimator that are no options
    """
    words = parser.group("words")
    words.add_argument(
        "stored",
        nargs="?",
        metavar="MODEL",
        help=f"File that {parser.prog} --train has written with --output.",
    )
    words.add_argument(
        "words",
        nargs="?",
        metavar="WORDS",
        help="File of words, in any format that fit reads. - is standard input, and "
        "the default after MODEL.",
    )
    words.add_argument(
        "--train",
        metavar="FILE",
        help="Train on the words of this file, instead of reading MODEL. The options "
        "for reading files then apply to this file, not to WORDS.",
    )
    add_reading_options(parser, "words", {"weight_column"})
    parser.add_parameters(estimator, estimator.__name__, skip=skip)
    add_model_options(parser, arguments)
    parser.group("output").add_argument(
        "-o", "--output", metavar="FILE", help="Write what was trained to this file."
    )


def resolve_arguments(options, estimator, skip):
    """Check the arguments. With --train, the first one is WORDS and not MODEL."""
    if options.train is None:
        if options.stored is None:
            raise UsageError("give --train FILE, or the file of a trained model")
        for name in _given_for_training(options, estimator, skip):
            raise UsageError(f"{option_name(name)} needs --train FILE")
        options.words = options.words or STANDARD_INPUT
        return
    if options.words is not None:
        raise UsageError("give --train FILE or MODEL, not both")
    options.stored, options.words = None, options.stored
    if options.output is not None:
        check_writable(options.output)


def _given_for_training(options, estimator, skip):
    """Yield the parameters with effect on training that options change."""
    if options.output is not None:
        yield "output"
    if model_class(options.model).__name__ != MODELS[0]:
        yield "model"
    for function, omitted in (
        (estimator, skip),
        (model_class(options.model), NOT_FROM_A_SHELL),
    ):
        parameters = signature(function).parameters
        for name, value in arguments_from(options, function, omitted).items():
            if value != parameters[name].default:
                yield name


def read_stored(options, allowed):
    """Load the estimator of MODEL."""
    advice = "to train on a list of words, pass it after --train"
    return read_model(options.stored, allowed, advice)


def save_trained(estimator, options):
    """Write an estimator if there is an option for the file."""
    if options.output is not None:
        save(estimator, options.output)
        print_message(f"{type(estimator).__name__} written to {options.output}")


def chunks_to_use(options):
    """Yield words and the numbers of their lines, in chunks."""
    if options.words == STANDARD_INPUT and is_terminal(sys.stdin):
        print_message("type one word per line; Ctrl-D ends")
    if options.train is None:
        yield from word_chunks(options.words, options, CHUNK_SIZE, with_places=True)
        return
    plain = Namespace(**vars(ReadOptions()))
    try:
        yield from word_chunks(options.words, plain, CHUNK_SIZE, with_places=True)
    except ValueError as error:
        raise ValueError(
            f"{error} With --train, these options apply to the training file: write "
            "what was trained with --output, and use it for this file."
        ) from error
