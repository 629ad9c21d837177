"""Print the log-probability of each word, one line per word of the file.

A line has the word, its log-probability in nats, and its NLL per character:
minus the log-probability, divided by the number of characters plus one for
the end of the word. Tabs separate them. Tabs, line breaks and backslashes in
words are escaped as in Python.
"""

import json
import math
import reprlib
from itertools import compress

from .. import ConditionalCharLM
from .._base import BaseCharLM
from ._models import add_model_file, label_of, read_model
from ._option_types import OptionType
from ._streams import UsageError, escaped, print_message
from ._words import add_words_options, place_of, word_chunks

SCORING_CHUNK_SIZE = 100_000
"""Number of words read, scored and printed at a time."""

USAGE = "MODEL [WORDS] [options]"
EXAMPLES = """
m.safetensors others.txt
m.safetensors others.csv --column word --json
m.safetensors - < others.txt
"""


def add_options(parser, arguments):
    """Add the options."""
    add_model_file(parser)
    add_words_options(parser, {"weight_column"})
    parser.group("words").add_argument(
        "--label",
        dest="label_column",
        metavar="COLUMN",
        help="Column of labels, if the model was fitted with --label. Without it, the "
        "probabilities are averaged over the labels.",
    )
    output = parser.group("output")
    output.add_argument(
        "--on-unknown",
        type=OptionType(str, choices=("error", "skip")),
        default="error",
        metavar="{error,skip}",
        help="What to do at a word with characters that the model does not know: end "
        "with an error, or leave the word out and say so at the end. Default: error.",
    )
    output.add_argument(
        "--json",
        action="store_true",
        help="Print JSON objects with the keys word, log_proba and nll. Infinite "
        "values are null.",
    )


def run(options):
    """Print the scores."""
    model = read_model(options.model, (BaseCharLM, ConditionalCharLM))
    has_labels = isinstance(model, ConditionalCharLM)
    if options.label_column is not None and not has_labels:
        raise UsageError(
            "--label needs a model that was fitted with --label, and this one is of "
            f"the class {type(model).__name__}"
        )
    vocabulary = (model._reader if has_labels else model).vocabulary_
    line = _json_line if options.json else _tab_separated_line
    known = KnownWords(vocabulary, options)
    chunks = word_chunks(options.words, options, SCORING_CHUNK_SIZE, with_places=True)
    for words, *labels in filter(any, map(known.of_chunk, chunks)):
        labels = [[label_of(text, model) for text in column] for column in labels]
        log_proba = model.score_samples(words, *labels).tolist()
        lengths = vocabulary.lengths(words).tolist()
        lines = [
            line(word, value, -value / (length + 1))
            for word, value, length in zip(words, log_proba, lengths, strict=True)
        ]
        print("\n".join(lines))  # one call, since unbuffered output is slow
    known.report()


class KnownWords:
    """The words whose characters a model knows; others are left out, or an error."""

    def __init__(self, vocabulary, options):
        self.vocabulary = vocabulary
        self.path, self.skips = options.words, options.on_unknown == "skip"
        self.n_skipped, self.first = 0, ""

    def of_chunk(self, chunk):
        """Return the columns of a chunk without unknown words, and without the last.

        The last column has the numbers of the lines.
        """
        words, *_, numbers = chunk
        if self.vocabulary.unknown:
            return chunk[:-1]
        is_known = self.vocabulary.can_encode(words).tolist()
        n_unknown = len(words) - sum(is_known)
        if n_unknown and not self.n_skipped:
            index = is_known.index(False)
            self._found(words[index], place_of(self.path, numbers[index]))
        self.n_skipped += n_unknown
        return [list(compress(column, is_known)) for column in chunk[:-1]]

    def _found(self, word, place):
        """Raise an error for the first word with unknown characters, or remember it."""
        self.first = f"{reprlib.repr(word)} {place}"
        if not self.skips:
            characters = {*self.vocabulary.segments(word)}
            unknown = sorted(characters.difference(self.vocabulary.characters))
            unknown = ", ".join(map(repr, unknown[:5]))
            raise ValueError(
                f"Word {self.first} has characters that the model does not know "
                f"({unknown}); leave such words out with --on-unknown skip, or fit the "
                "model with --handle-unknown unk"
            )

    def report(self):
        """Print a line for the user if words were left out."""
        if self.n_skipped:
            print_message(
                f"words left out because of unknown characters: {self.n_skipped:,}; "
                f"the first is {self.first}"
            )


def _tab_separated_line(word, log_proba, nll):
    return f"{escaped(word)}\t{log_proba:.6f}\t{nll:.6f}"


def _json_line(word, log_proba, nll):
    if math.isinf(log_proba):
        log_proba = nll = None
    scored = {"word": word, "log_proba": log_proba, "nll": nll}
    return json.dumps(scored, ensure_ascii=False)
