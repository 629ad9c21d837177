"""Learn a model from words and write it to a file.

A share of the distinct words is held out; the model does not learn from them, and the
NLL is theirs: the mean negative log-likelihood in nats per character, less is better.
NGramCounter takes no time and is good; LSTMCharLM and GRUCharLM are better and take a
minute on thirty thousand names. Counters read a file of any length a million words at a
time, and keep the counts and the words held out; networks keep all words in memory. The
file is written when all went well, in the format that `sklearn_makemore.load` reads.
"""

import os
import sys
from argparse import ArgumentParser
from contextlib import nullcontext, suppress
from time import perf_counter

from .. import save
from .._safe_file import check_writable
from ._learning import add_held_out_option, learn, new_words, split_words
from ._models import MODELS, NOT_FROM_A_SHELL, model_class, new_model
from ._progress import progress_bar
from ._streams import UsageError
from ._words import STANDARD_INPUT, add_words_options, errors_in_file


def add_options(parser, arguments):
    """Add the options, those of the model that the arguments name among them."""
    parser.add_typed(
        "-o",
        "--output",
        required=True,
        type=str,
        metavar="MODEL",
        help="File of the model; one of this name is replaced at the end.",
    )
    parser.add_typed(
        "--model",
        type=str,
        default=MODELS[0],
        metavar="NAME",
        help=f"One of {', '.join(MODELS)}. Its own options are below: --help shows "
        "those of the model that is named. (A MixtureCharLM, which is made of others, "
        "is fitted in Python.)",
    )
    add_held_out_option(parser)
    add_words_options(parser)
    model = model_class(_named_model(arguments))
    parser.add_parameters(
        f"Parameters of {model.__name__}", model, skip=NOT_FROM_A_SHELL
    )


def run(options):
    """Fit, write and show a model."""
    model = new_model(model_class(options.model), options)
    model._validate_params()  # before any word is read
    is_alone = not getattr(model, "accelerate", False)
    # Of several processes one writes and prints.
    is_first = is_alone or os.environ.get("RANK", "0") == "0"
    if is_first:
        _check_output(options)
    split = split_words(options)
    start = perf_counter()
    with (
        errors_in_file(options.words),  # the words held out are not in the lists
        _shown_progress(model, is_alone) as callback,
    ):
        learn(model, split, callback)
    seconds = perf_counter() - start - (callback.seconds if callback else 0.0)
    if is_first:
        nll = split.held_out and split.held_out.nll(model)
        save(model, options.output)
        _show(model, split, nll, seconds, options.output)


def _check_output(options):
    """Raise an error if no model can be written, or it would replace the words."""
    if options.output in ("", STANDARD_INPUT):
        raise UsageError(f"--output takes the name of a file, not {options.output!r}")
    check_writable(options.output)
    with suppress(OSError):  # of words that are not there: reading them says so
        if options.words is not None and os.path.samefile(
            options.words, os.path.expanduser(options.output)
        ):
            raise UsageError(
                f"--output is the file of words, {options.words!r}, which would be "
                "lost; use another name"
            )


def _named_model(arguments):
    """Return the model that the arguments name, the first one if they name none."""
    parser = ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--model", nargs="?", default=MODELS[0])
    return parser.parse_known_args(arguments)[0].model or MODELS[0]


def _shown_progress(model, is_alone):
    """Return a context with the callback that shows epochs where somebody sees them."""
    is_seen = is_alone and sys.stderr is not None and sys.stderr.isatty()
    if is_seen and hasattr(model, "max_epochs"):
        return progress_bar(model)
    return nullcontext()


def _show(model, split, nll, seconds, path):
    epochs = f" in {model.n_iter_} epochs" if hasattr(model, "n_iter_") else ""
    print(
        f"{type(model).__name__} has learned from {split.n_words:,} words{epochs}: "
        f"{seconds:.2f} s"
    )
    if nll is None:
        print("No word was held out, so there is no validation NLL.")
    else:
        print(f"Validation NLL: {nll:.4f} ({split.held_out.n_words:,} words held out)")
    print(f"Written to {path}")
    print(f"{split.heading}:")
    for word in new_words(model, split):
        print(f"  {word}")
