"""Generate words with a model, one per line."""

from .._base import BaseCharLM
from ._models import add_model_option, read_model
from ._parser import OptionType, arguments_from
from ._streams import UsageError
from ._words import add_reading_options, read_options, word_chunks

OWN_OPTIONS = {"self", "exclude", "n_samples"}
"""Parameters of `sample` that have separate options here."""

EXCLUSION_CHUNK_SIZE = 100_000
"""Number of words read at a time from the file of words to exclude."""


def add_options(parser, arguments):
    """Add the options, including those of `BaseCharLM.sample`."""
    add_model_option(parser)
    parser.add_argument(
        "-n",
        "--n_samples",
        type=OptionType(int),
        default=10,
        metavar="N",
        help="Number of words to generate.",
    )
    parser.add_argument(
        "--novel",
        nargs="?",
        const="",
        metavar="WORDS",
        help="Exclude the words of this file, usually the training words: a model file "
        "does not contain them. Without a file, exclude the bundled names.",
    )
    parser.add_parameters("Sampling", BaseCharLM.sample, skip=OWN_OPTIONS)
    add_reading_options(parser, {"weight_column"})


def run(options):
    """Print words."""
    model = read_model(options.model)
    params = arguments_from(options, BaseCharLM.sample, OWN_OPTIONS)
    exclude = _excluded_words(options, model)
    try:
        words = model.sample(options.n_samples, exclude=exclude, **params)
    except ValueError as error:  # the files were read, so an option is wrong
        raise UsageError(str(error)) from error
    print("\n".join(words))


def _excluded_words(options, model):
    """Return the words of the file after ``--novel``, or the bundled names, or None."""
    path = options.novel or None
    if options.novel is None:
        read_options(path, options)
        return None
    chunks = word_chunks(path, options, EXCLUSION_CHUNK_SIZE)
    words = {word for (words,) in chunks for word in words}
    if path is None and set().union(*words) != set(model.vocabulary_.characters):
        raise UsageError(
            "--novel without a file excludes the bundled names, but this model has "
            "another alphabet; name the file of its training words"
        )
    return words
