"""What holds for any words whatever: found by search, not by example."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_makemore import BigramCounter, NGramCounter
from sklearn_makemore._contexts import distinct_rows
from sklearn_makemore._vocabulary import CharVocabulary

# The same examples at each run, and no files: a failure is repeatable from here.
SEARCH = settings(derandomize=True, database=None, deadline=None, max_examples=60)
ANY = st.characters() | st.characters(categories=["Cs"])  # lone surrogates too
WORD = st.text("ab\0\n", max_size=6) | st.text(ANY, max_size=6)
WORDS = st.lists(WORD, min_size=1, max_size=12)
COUNTERS = [
    BigramCounter(),
    NGramCounter(3),
    NGramCounter(5, smoothing="additive", alpha=0.5),
]


@SEARCH
@given(WORDS)
def test_words_come_back(words):
    vocabulary = CharVocabulary.from_words(words)
    assert vocabulary.decode(vocabulary.encode(words)) == words


@SEARCH
@given(st.integers(1, 40), st.integers(1, 20), st.integers(1, 2**20), st.data())
def test_distinct_rows_are_numpys(n_rows, block_size, n_symbols, data):
    seed = data.draw(st.integers(0, 2**32 - 1))
    rng = np.random.RandomState(seed)
    rows = rng.randint(n_symbols, size=(n_rows, block_size))[
        rng.randint(n_rows, size=n_rows)
    ]
    distinct, index = distinct_rows(rows, n_symbols)
    np.testing.assert_array_equal(distinct, np.unique(rows, axis=0))
    np.testing.assert_array_equal(distinct[index], rows)


@pytest.mark.parametrize("counter", COUNTERS, ids=repr)
@SEARCH
@given(words=WORDS)
def test_counters_are_distributions(counter, words):
    model = counter.fit(words)
    prefixes = [word[:stop] for word in words for stop in range(len(word) + 1)]
    proba = model.predict_proba(prefixes)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    ids = {symbol: i for i, symbol in enumerate(model.symbols_)}
    following = [ids[char] for word in words for char in [*word, ""]]
    chained = np.log(proba[np.arange(len(prefixes)), following]).sum()
    assert model.score_samples(words).sum() == pytest.approx(chained)


@pytest.mark.parametrize("counter", COUNTERS, ids=repr)
@SEARCH
@given(first=WORDS, second=WORDS)
def test_halves_are_the_whole(counter, first, second):
    halves = counter.fit(first).partial_fit(second).score_samples(first + second)
    whole = counter.fit(first + second).score_samples(first + second)
    np.testing.assert_allclose(halves, whole)
