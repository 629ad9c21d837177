"""Fit a model to a file of words, and write it to a file.

The printed validation NLL is the mean negative log-likelihood, in nats per
character, of words that are held out of the training; lower is better.
NGramCounter, the default, trains in a fraction of a second. GRUCharLM and
LSTMCharLM are more accurate on more than a few hundred words; they take a
half a minute on thirty thousand.
"""

import os
import sys
from argparse import SUPPRESS
from contextlib import suppress
from time import perf_counter

from .. import save
from .._safe_file import check_writable
from ._labels import add_label_option, labelled_words
from ._learning import add_held_out_option, split_words
from ._models import add_model_options, new_model
from ._progress import ScoredProgress, progress_bar
from ._streams import UsageError, is_terminal
from ._words import STANDARD_INPUT, add_words_options, errors_in_file

USAGE = "[WORDS] -o MODEL [--model NAME] [options]"
EXAMPLES = """
words.txt -o m.safetensors
list.csv --column name --weight-column n -o x.safetensors
words.txt --model gru --max-epochs 20 -o m.safetensors
--model gru --help
"""


def add_options(parser, arguments):
    """Add the options, including those of the model named in the arguments."""
    add_words_options(parser)
    add_label_option(parser)
    add_held_out_option(parser)
    add_model_options(parser, arguments)
    parser.group("output").add_argument(
        "-o",
        "--output",
        required=True,
        default=SUPPRESS,
        metavar="MODEL",
        help="Model file to write. An existing file is replaced on success.",
    )


def run(options):
    """Fit a model, write it, and print a summary."""
    model = new_model(options)
    is_alone = not getattr(model, "accelerate", False)
    # One of several processes writes and prints.
    is_first = is_alone or os.environ.get("RANK", "0") == "0"
    if is_first:
        _check_output(options)
    has_labels = options.label_column is not None
    words = labelled_words(options) if has_labels else split_words(options)
    is_seen = is_alone and is_terminal(sys.stderr)
    progress = ScoredProgress(model) if is_seen else None
    start = perf_counter()
    # Held-out words are not in the lists, so an index into them means nothing.
    with errors_in_file(options.words), progress_bar(progress, type(model).__name__):
        model = words.fit(model, progress)
    seconds = perf_counter() - start - (progress.seconds if progress else 0.0)
    if is_first:
        nll = _nll(model, words.held_out)
        save(model, options.output)
        _show(model, words.n_words, nll, seconds, options.output)
        words.show_words(model)


def _check_output(options):
    """Raise an error if the file cannot be written, or is the file of words."""
    if options.output in ("", STANDARD_INPUT):
        raise UsageError(f"--output takes a file name, not {options.output!r}")
    check_writable(options.output)
    with suppress(OSError):  # reading reports a missing file of words
        if options.words is not None and os.path.samefile(
            options.words, os.path.expanduser(options.output)
        ):
            raise UsageError(
                f"--output is the file of words, {options.words!r}, which would be "
                "overwritten; use another name"
            )


def _nll(model, held_out):
    """Return the line about the held-out words, or about there being none."""
    if held_out is None:
        return "No word was held out, so there is no validation NLL."
    nll, n_words = held_out.nll(model), held_out.n_words
    return f"Validation NLL: {nll:.4f} ({n_words:,} held-out words)"


def _show(model, n_words, nll, seconds, path):
    epochs = f" in {model.n_iter_} epochs" if hasattr(model, "n_iter_") else ""
    print(
        f"{type(model).__name__} trained on {n_words:,} words{epochs}: {seconds:.2f} s"
    )
    print(nll)
    print(f"Model written to {path}")
