"""What holds for any words whatever: found by search, not by example."""

import reprlib
from collections import Counter

import numpy as np
import pytest
from any_words import ANY, LONG_WORD, SEARCH, SURROGATE, WORD, WORDS, search
from hypothesis import given
from hypothesis import strategies as st

from sklearn_makemore import BigramCounter, NGramCounter
from sklearn_makemore._words.vocabulary import CharVocabulary
from sklearn_makemore._words.windows import distinct_rows

# Other tests measure coverage of the same code, which slows these down by half.
pytestmark = pytest.mark.no_cover

COUNTERS = [
    BigramCounter(),
    NGramCounter(3),
    NGramCounter(5, smoothing="additive", alpha=0.5),
    NGramCounter(10**9),
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


@SEARCH
@given(
    first=st.lists(WORD, max_size=4), second=st.lists(WORD, max_size=4), data=st.data()
)
def test_a_lone_surrogate_is_refused_with_its_index(first, second, data):
    before, after = data.draw(st.text(ANY, max_size=3)), data.draw(WORD)
    surrogate = data.draw(SURROGATE)
    bad = before + surrogate + after
    words = [*first, bad, *second]
    model = BigramCounter(handle_unknown="unk").fit(["ab"])
    message = (
        f"{reprlib.repr(bad)} at index {len(first)} has the lone surrogate "
        f"U+{ord(surrogate):04X} at index {len(before)} of"
    )
    for ask in (
        BigramCounter().fit,
        model.partial_fit,
        model.score,
        model.predict_proba,
    ):
        with pytest.raises(ValueError) as caught:
            ask(words)
        assert message in str(caught.value)
        assert type(caught.value) is ValueError
    assert model.symbols_ == ["", "a", "b", "<unk>"]


def additive_log_proba(training, word, order, alpha, n_symbols):
    """What textbooks say, n-gram by n-gram: (c(hw) + alpha) / (c(h) + alpha V)."""
    ngrams, histories = Counter(), Counter()

    def predictions(word):
        marked = [None, *word, None]
        for end in range(1, len(marked)):
            yield tuple(marked[max(0, end - order + 1) : end]), marked[end]

    for known in training:
        for history, character in predictions(known):
            ngrams[history, character] += 1
            histories[history] += 1
    return sum(
        np.log(ngrams[history, character] + alpha)
        - np.log(histories[history] + alpha * n_symbols)
        for history, character in predictions(word)
    )


@search(12)
@given(long=LONG_WORD, words=WORDS, order=st.integers(1, 9), data=st.data())
def test_long_words_score_as_in_the_textbook(long, words, order, data):
    training = data.draw(st.permutations([long, *words]))
    counter = NGramCounter(order, smoothing="additive", alpha=0.1, match_lengths=False)
    model = counter.fit(training)
    n_symbols = 1 + len(set("".join(training)))
    asked = [long, long[:100], words[0]]
    expected = [
        additive_log_proba(training, word, order, 0.1, n_symbols) for word in asked
    ]
    np.testing.assert_allclose(model.score_samples(asked), expected, rtol=1e-9)
    pairs = BigramCounter(smoothing=0.1).fit(training).score_samples(asked)
    expected = [additive_log_proba(training, word, 2, 0.1, n_symbols) for word in asked]
    np.testing.assert_allclose(pairs, expected, rtol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("smoothing", ["kneser-ney", "additive"])
@SEARCH
@given(first=WORDS, second=WORDS, data=st.data())
def test_an_order_beyond_the_longest_word_is_that_of_the_word(
    smoothing, first, second, data
):
    longest = max(map(len, first + second))
    whole = NGramCounter(longest + 2, smoothing=smoothing).fit(first + second)
    order = data.draw(st.integers(longest + 2, 2**70))
    model = NGramCounter(order, smoothing=smoothing).fit(first + second)
    halves = NGramCounter(order, smoothing=smoothing).fit(first).partial_fit(second)
    asked = [*first, *second, "", *(word[::-1] * 2 for word in first)]
    expected = whole.score_samples(asked)
    np.testing.assert_array_equal(model.score_samples(asked), expected)
    np.testing.assert_array_equal(halves.score_samples(asked), expected)
    assert halves.ngram_counts_.order == longest + 2
