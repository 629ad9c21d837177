"""Generate words with a model, one per line.

Every option restricts or changes what is sampled; they can be combined.
"""

import sys
from contextlib import suppress
from functools import partial
from io import TextIOWrapper

from .. import ConditionalCharLM
from .._base import BaseCharLM
from ._models import add_model_file, label_of, read_model
from ._option_types import as_options
from ._parser import arguments_from, option_types
from ._streams import UsageError, is_terminal, print_message, text_of_argument
from ._words import add_reading_options, read_options, word_chunks

OWN_OPTIONS = {"self", "exclude", "n_samples"}
"""Parameters of `sample` that have separate options here."""

EXCLUSION_CHUNK_SIZE = 100_000
"""Number of words read at a time from the file of words to exclude."""


USAGE = "MODEL [-n N] [options]"
EXAMPLES = """
m.safetensors -n 20
m.safetensors --prefix ka --temperature 0.8
m.safetensors --matching '[aeiou].*' --min-length 5
m.safetensors --novel words.txt --min-distance 2
"""


def add_options(parser, arguments):
    """Add the options, including those of `BaseCharLM.sample`."""
    add_model_file(parser)
    sampling = parser.group("sampling")
    sampling.add_argument(
        "-n",
        "--n-samples",
        type=option_types(BaseCharLM.sample)["n_samples"],
        default=10,
        metavar="N",
        help="Number of words to generate. Default: %(default)s.",
    )
    sampling.add_argument(
        "--label",
        metavar="LABEL",
        help="Label of the words, if the model was fitted with --label. By default "
        "labels are as frequent as in training.",
    )
    sampling.add_argument(
        "--novel",
        nargs="?",
        const="",
        metavar="WORDS",
        help="Exclude the words of this file, usually the training words: a model file "
        "does not contain them. Without a file, exclude the bundled names.",
    )
    sampling.add_argument(
        "-i",
        "--interactive",
        action="store_true",
        help="Read prefixes from standard input, one per line, and print words that "
        "begin with each.",
    )
    parser.add_parameters(BaseCharLM.sample, "sampling", skip=OWN_OPTIONS)
    add_reading_options(parser, "file of words to exclude", {"weight_column"})


def run(options):
    """Print words."""
    model = read_model(options.model, (BaseCharLM, ConditionalCharLM))
    params = arguments_from(options, BaseCharLM.sample, OWN_OPTIONS)
    params |= _label_of(options.label, model)
    params["exclude"] = _excluded_words(options, model)
    sample = partial(model.sample, options.n_samples, **params)
    if options.interactive:
        _answer_prefixes(sample)
        return
    try:
        words = sample()
    except ValueError as error:  # the files were read, so an option is wrong
        raise UsageError(str(error)) from error
    print("\n".join(words))


def _answer_prefixes(sample):
    """Print words for each prefix on standard input, until its end or Ctrl-C."""
    if sys.stdin is None:
        raise UsageError("there is no standard input to read prefixes from")
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8", errors="surrogateescape")
    has_user = is_terminal(sys.stdin) and is_terminal(sys.stdout)
    if has_user:
        with suppress(ImportError):
            import readline  # noqa: F401  # input() then has history and editing
        print("Type the beginning of a word; Ctrl-D ends.")
    with suppress(EOFError, KeyboardInterrupt):
        while True:
            prefix = input("> " if has_user else "")
            try:
                words = sample(prefix=prefix)
            except ValueError as error:
                message = str(error).partition(". ")[0]
                print_message(as_options(message, option_types(BaseCharLM.sample)))
            else:
                print("\n".join([*words, ""]), flush=True)
    if has_user:
        print()


def _label_of(label, model):
    """Return the argument of `sample` for a label."""
    if label is None:
        return {}
    if not isinstance(model, ConditionalCharLM):
        raise UsageError(
            "--label needs a model that was fitted with --label, and this one is of "
            f"the class {type(model).__name__}"
        )
    return {"label": label_of(text_of_argument(label), model)}


def _excluded_words(options, model):
    """Return the words of the file after ``--novel``, or the bundled names, or None."""
    path = options.novel or None
    if options.novel is None:
        if options.min_distance > 1:
            raise UsageError(
                "--min-distance is a distance from the words of --novel; give this "
                "option too"
            )
        read_options(path, options)
        return None
    chunks = word_chunks(path, options, EXCLUSION_CHUNK_SIZE)
    words = {word for (words,) in chunks for word in words}
    if path is None and set().union(*words) != {*model.symbols_} - {"", "<unk>"}:
        raise UsageError(
            "--novel without a file excludes the bundled names, but this model has "
            "another alphabet; name the file of its training words"
        )
    return words
