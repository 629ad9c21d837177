"""Find words that are not spelled like the others.

A detector learns the spelling of the words after --train, and finds unlikely
words: random strings, typing errors, words of another language. Without WORDS
it checks the training words themselves, each with a model that has not seen it.

For each unlikely word a line is printed: the number of its line, the word, and
its score: the distance from the threshold in nats, negative below it.
"""

import json
import math
import sys
from itertools import chain, compress
from typing import Any

from sklearn.base import clone

from .. import CharLMOutlierDetector
from .._meta.outlier import MIN_SCORE
from ._models import new_model
from ._parser import arguments_from
from ._streams import escaped, is_terminal
from ._training import (
    CHUNK_SIZE,
    add_training_options,
    chunks_to_use,
    read_stored,
    resolve_arguments,
    save_trained,
)
from ._words import word_chunks

USAGE = "(--train FILE | MODEL) [WORDS] [options]"
EXAMPLES = """
--train words.txt --contamination 0.01
--train words.txt others.txt --explain
--train words.txt -o detector.safetensors
detector.safetensors others.txt
"""

NOT_OPTIONS = {"estimator", "cv", "n_jobs"}

MIN_SURPRISE = 2.0
"""Nats above the mean from which a character is surprising: e**2 = 7.4 times less
probable than an average one."""


def add_options(parser, arguments):
    """Add the options."""
    add_training_options(parser, arguments, CharLMOutlierDetector, NOT_OPTIONS)
    output = parser.group("output")
    output.add_argument(
        "--explain",
        action="store_true",
        help="Print the surprising characters of each word too, with their negative "
        "log-probabilities in nats. A terminal highlights them in the word.",
    )
    output.add_argument(
        "--json",
        action="store_true",
        help="Print JSON objects with the keys line, word, score and, with --explain, "
        "surprising: pairs of a character and its negative log-probability. Infinite "
        "values are null.",
    )


def run(options):
    """Print the unlikely words."""
    resolve_arguments(options, CharLMOutlierDetector, NOT_OPTIONS)
    show = _show_as_json if options.json else _show_as_text
    if options.train is None:
        detector = read_stored(options, CharLMOutlierDetector)
    else:
        chunks = word_chunks(options.train, options, CHUNK_SIZE, with_places=True)
        words, numbers = map(list, map(chain.from_iterable, zip(*chunks, strict=True)))
        params = arguments_from(options, CharLMOutlierDetector, NOT_OPTIONS)
        detector = CharLMOutlierDetector(new_model(options), **params).fit(words)
        save_trained(detector, options)
        if options.words is None:
            explain = _explainer(detector, options, words)
            show(_found(detector, words, numbers), explain)
            return
    explain = _explainer(detector, options)
    for words, numbers in chunks_to_use(options):
        show(_found(detector, words, numbers), explain)


def _found(detector, words, numbers):
    """Return the line, the word and the score of each unlikely word."""
    scores = detector.decision_function(words).tolist()
    rows = zip(numbers, words, scores, strict=True)
    return [
        (number, word, score if score > MIN_SCORE / 2 else -math.inf)
        for number, word, score in rows
        if score < 0
    ]


def _explainer(detector, options, words=None):
    """Return a function that finds the surprising characters of a word, or None.

    words : the training words if these are explained
    """
    if not options.explain:
        return None
    model: Any = detector.estimator_
    if words is not None:
        # A model finds nothing surprising in a word that it has learned.
        likely = detector.predict(words) > 0
        new: Any = clone(model)
        model = new.fit(list(compress(words, likely)))
    vocabulary, mean_nll = model.vocabulary_, detector.mean_nll_

    def surprising(word):
        """Return characters, and negative log-probabilities of the surprising ones."""
        symbols = vocabulary.segments(word)
        if not vocabulary.can_encode([word])[0]:
            return [
                (symbol, None if symbol in vocabulary.symbols else math.inf)
                for symbol in symbols
            ]
        nll = (-model.token_log_proba([word])[0]).tolist()
        limit = min(mean_nll + MIN_SURPRISE, max(nll))
        pairs = zip([*symbols, "end"], nll, strict=True)
        return [(symbol, value if value >= limit else None) for symbol, value in pairs]

    return surprising


def _show_as_json(rows, explain):
    """Print a JSON object for each word."""
    for number, word, score in rows:
        shown = {"line": number, "word": word, "score": _finite(score)}
        if explain is not None:
            shown["surprising"] = [
                (symbol, _finite(nll)) for symbol, nll in explain(word) if nll
            ]
        print(json.dumps(shown, ensure_ascii=False))


def _finite(value):
    return value if math.isfinite(value) else None


def _show_as_text(rows, explain):
    """Print columns, in a terminal with the surprising characters highlighted."""
    is_highlighted = is_terminal(sys.stdout) and explain is not None
    for number, word, score in rows:
        symbols = explain(word) if explain is not None else []
        shown = f"{number}\t{escaped(word)}\t{score:.2f}"
        if explain is not None:
            shown += "\t" + ", ".join(
                f"{escaped(symbol)} {nll:.1f}" for symbol, nll in symbols if nll
            )
        if is_highlighted:
            _print_highlighted(shown, symbols, len(str(number)) + 1)
        else:
            print(shown)


def _print_highlighted(line, symbols, start):
    """Print a line whose word begins at `start`, with the surprising characters red."""
    from rich.console import Console
    from rich.text import Text

    text = Text(line)
    for symbol, nll in symbols:
        stop = start + len(escaped(symbol))
        if nll and line[stop - 1] != "\t":
            text.stylize("bold red underline", start, stop)
        start = stop
    Console(soft_wrap=True).print(text)
