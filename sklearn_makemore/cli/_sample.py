"""Make new words with a model, a line each."""

from .._base import BaseCharLM
from ..datasets import read_words
from ._models import read_model
from ._parser import shell_hints
from ._streams import UsageError, text_of_argument
from ._words import bundled_names, source_of

NOT_FROM_HERE = {"self", "exclude", "n_samples"}
"""Parameters of `sample` that are other options here."""

TEXTS = ("prefix", "matching")


def add_options(parser, arguments):
    """Add the options: those of `BaseCharLM.sample`."""
    parser.add_typed("model", type=str, metavar="MODEL", help="File of the model.")
    parser.add_typed(
        "-n",
        "--n_samples",
        type=int,
        default=10,
        metavar="N",
        help="Number of words.",
    )
    parser.add_typed(
        "--novel",
        nargs="?",
        const="",
        type=str,
        metavar="WORDS",
        help="Leave out the words of this file: a model file does not hold those it "
        "was fitted on, so give the same file again. --novel alone leaves out the "
        "names that come with the package.",
    )
    parser.add_parameters("How to draw", BaseCharLM.sample, skip=NOT_FROM_HERE)


def run(options):
    """Print words."""
    model = read_model(options.model)
    hints = shell_hints(BaseCharLM.sample, NOT_FROM_HERE)
    params = {name: options[name] for name in hints}
    for name in TEXTS:
        if params[name] is not None:
            params[name] = text_of_argument(params[name])
    exclude = _words_to_leave_out(options.novel, model)
    try:
        words = model.sample(options.n_samples, exclude=exclude, **params)
    except ValueError as error:  # model and words were read: it is an option
        raise UsageError(str(error)) from error
    print("\n".join(words))


def _words_to_leave_out(path, model):
    if path is None:
        return None
    if path:
        return set(read_words(source_of(path)))
    names = set(bundled_names())
    if set().union(*names) != set(model.vocabulary_.characters):
        raise UsageError(
            "--novel alone leaves out the names that come with the package, and this "
            "model has another alphabet; give the file that it was fitted on"
        )
    return names
