"""Print the log-probability of each word, one line per word in the order of the file.

A line has the word, its log-probability in nats, and its NLL per character: minus the
log-probability, divided by the number of characters plus one for the end of the word.
Tabs separate them. Tabs, line breaks and backslashes in words are escaped as in Python.
"""

import json
import math

from ._models import add_model_option, read_model
from ._words import add_words_options, errors_in_file, word_chunks

SCORING_CHUNK_SIZE = 100_000
"""Number of words read, scored and printed at a time."""

ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def add_options(parser, arguments):
    """Add the options."""
    add_model_option(parser)
    add_words_options(parser)
    parser.add_argument(
        "--json",
        action="store_true",
        help="Print JSON objects with the keys word, log_proba and nll. Infinite "
        "values are null.",
    )


def run(options):
    """Print the scores."""
    model = read_model(options.model)
    line = _json_line if options.json else _tab_separated_line
    n_done = 0
    for words in word_chunks(options, SCORING_CHUNK_SIZE):
        with errors_in_file(options.words, n_done):
            log_proba = model.score_samples(words).tolist()
        n_done += len(words)
        lines = [
            line(word, value, -value / (len(word) + 1))
            for word, value in zip(words, log_proba, strict=True)
        ]
        print("\n".join(lines))  # one call, since unbuffered output is slow


def _tab_separated_line(word, log_proba, nll):
    return f"{word.translate(ESCAPES)}\t{log_proba:.6f}\t{nll:.6f}"


def _json_line(word, log_proba, nll):
    if math.isinf(log_proba):
        log_proba = nll = None
    scored = {"word": word, "log_proba": log_proba, "nll": nll}
    return json.dumps(scored, ensure_ascii=False)
