"""Long lists take little memory.

docs/benchmarks/scaling/scaling.py measures longer ones.
"""

import tracemalloc

import pytest

from sklearn_makemore import BigramCounter, NGramCounter
from sklearn_makemore.datasets import load_names

MOST_BYTES = {"fit": 6, "partial_fit": 6, "score_samples": 12}
"""A character of the words; 12 is promised of lists of a million words."""

N_TIMES = 12


@pytest.fixture(scope="module")
def many_words():
    """Names many times over: many characters, few n-grams."""
    return load_names().data * N_TIMES


def traced_bytes(function):
    """Bytes that Python and numpy hold at most during a call, and after it."""
    tracemalloc.start()
    try:
        function()
        held, peak = tracemalloc.get_traced_memory()
        return peak, held
    finally:
        tracemalloc.stop()


def test_an_ngram_takes_few_bytes():
    words = load_names().data
    model = NGramCounter().fit(words[:1000])
    peak, held = traced_bytes(lambda: model.fit(words))
    n_ngrams = model.model_.plain.n_ngrams
    assert peak <= 55 * n_ngrams
    assert held <= 33 * n_ngrams


@pytest.mark.parametrize("counter", [BigramCounter, NGramCounter])
@pytest.mark.parametrize("verb", MOST_BYTES)
def test_a_character_takes_few_bytes(counter, verb, many_words):
    model = counter().fit(many_words[:1000])
    model.fit(many_words[: len(many_words) // N_TIMES])
    model.score_samples(many_words[:1000])  # some tables are made late
    peak, _ = traced_bytes(lambda: getattr(model, verb)(many_words))
    assert peak <= MOST_BYTES[verb] * sum(map(len, many_words))
