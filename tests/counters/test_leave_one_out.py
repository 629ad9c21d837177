"""Leave-one-out discounts against counts from which each token is really removed."""

import random
from collections import Counter, defaultdict
from math import log

import numpy as np
import pytest
from sklearn.base import clone
from test_kneser_ney import encode, positions, random_words

from sklearn_makemore import NGramCounter
from sklearn_makemore._counters.leave_one_out import (
    PRIOR_DISCOUNT,
    leave_one_out_discounts,
    log_likelihood,
    remove_tokens,
)
from sklearn_makemore._counters.ngrams import NGramCounts
from sklearn_makemore._counters.smoothing import closed_form_discounts
from sklearn_makemore._counters.trie import HistoryTrie
from sklearn_makemore.datasets import load_names

N_SYMBOLS = 6


def trie_of(words, order):
    return HistoryTrie(NGramCounts.from_encoded(encode(words), order, N_SYMBOLS))


def maximal_ngrams(words, order):
    """Count every prediction of words, as (history, oldest first, and symbol)."""
    return Counter(
        (*history[max(0, len(history) - order + 1) :], symbol)
        for word in words
        for history, symbol in positions(word)
    )


def slow_proba(maximal, ngram, discounts):
    """Kneser-Ney from the definition, with counts after removing a token."""
    adjusted = dict(maximal)
    for length in range(max(map(len, maximal)) - 1, 0, -1):
        longer = [known for known in adjusted if len(known) == length + 1]
        adjusted.update(Counter(known[1:] for known in longer))
    after = defaultdict(dict)
    for (*history, symbol), count in adjusted.items():
        after[tuple(history)][symbol] = count

    def proba(history, symbol):
        shorter = proba(history[1:], symbol) if history else 1 / N_SYMBOLS
        if history not in after:
            return shorter
        begins_word = int(history[:1] == (0,))
        kinds = discounts[len(history)][begins_word]
        counts = after[history]
        freed = sum(kinds[min(count, 3) - 1] for count in counts.values())
        own = counts.get(symbol, 0)
        own -= kinds[min(own, 3) - 1] if own else 0
        return (own + freed * shorter) / sum(counts.values())

    return proba(ngram[:-1], ngram[-1])


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_likelihood_equals_removing_each_token(order):
    rng = random.Random(order)
    words = random_words(rng, 25, N_SYMBOLS)
    maximal = maximal_ngrams(words, order)
    discounts = np.array([[[0.4, 0.9, 1.3], [0.6, 0.7, 0.8]]] * order)
    discounts *= 1 + 0.05 * np.arange(order)[:, np.newaxis, np.newaxis]
    expected = sum(
        count * log(slow_proba(+(maximal - Counter([ngram])), ngram, discounts))
        for ngram, count in maximal.items()
    )
    trie = trie_of(words, order)
    tokens = np.flatnonzero(trie.is_maximal[trie.ngram_keys // N_SYMBOLS])
    found, _ = log_likelihood(
        remove_tokens(trie, tokens),
        trie.counts[tokens],
        1 / N_SYMBOLS,
        discounts.reshape(-1, 3),
    )
    assert found == pytest.approx(expected, rel=1e-12)


def test_slopes_are_those_of_the_likelihood():
    trie = trie_of(random_words(random.Random(0), 40, N_SYMBOLS), 4)
    tokens = np.flatnonzero(trie.is_maximal[trie.ngram_keys // N_SYMBOLS])
    left, weights = remove_tokens(trie, tokens), trie.counts[tokens]
    discounts = np.random.default_rng(0).uniform(0.3, 0.9, (8, 3))
    _, slopes = log_likelihood(left, weights, 1 / N_SYMBOLS, discounts)
    for index in np.ndindex(discounts.shape):
        step = np.zeros_like(discounts)
        step[index] = 1e-5
        above, below = (
            log_likelihood(left, weights, 1 / N_SYMBOLS, discounts + sign * step)[0]
            for sign in (1, -1)
        )
        assert slopes[index] == pytest.approx((above - below) / 2e-5, abs=1e-5)


def test_the_search_raises_the_likelihood():
    trie = trie_of(random_words(random.Random(1), 300, N_SYMBOLS), 4)
    tokens = np.flatnonzero(trie.is_maximal[trie.ngram_keys // N_SYMBOLS])
    left, weights = remove_tokens(trie, tokens), trie.counts[tokens]
    found = leave_one_out_discounts(trie).reshape(-1, 3)

    def value(discounts):
        return log_likelihood(left, weights, 1 / N_SYMBOLS, discounts)[0]

    assert value(found) > value(np.full_like(found, PRIOR_DISCOUNT)) + 1
    assert value(found) > value(closed_form_discounts(trie).reshape(-1, 3)) + 1


@pytest.mark.parametrize("discounts", ["leave-one-out", "closed-form"])
def test_the_probabilities_follow_from_the_public_discounts(discounts):
    words = [word for word in random_words(random.Random(3), 300, N_SYMBOLS) if word]
    letters = ["".join("_abcde"[symbol] for symbol in word) for word in words]
    model = NGramCounter(4, discounts=discounts, match_lengths=False).fit(letters)
    assert model.discounts_.shape == (4, 2, 3)
    maximal = maximal_ngrams(words, 4)
    for prefix in (), (1,), (2, 1, 1), (1, 3, 1, 1):
        history = (0, *prefix)[-3:]
        expected = [
            slow_proba(maximal, (*history, symbol), model.discounts_)
            for symbol in range(N_SYMBOLS)
        ]
        found = model.predict_proba(["".join("_abcde"[symbol] for symbol in prefix)])
        np.testing.assert_allclose(found[0], expected)
    additive = clone(model).set_params(smoothing="additive").fit(letters)
    assert additive.discounts_ is None


def test_without_words_the_discounts_are_the_prior():
    np.testing.assert_array_equal(
        leave_one_out_discounts(trie_of([], 3)), np.full((3, 2, 3), PRIOR_DISCOUNT)
    )


@pytest.mark.parametrize("weight", [0.37, 100])
def test_equal_weights_of_all_words_change_nothing(weight, words):
    words = sorted(set(words))
    counter = NGramCounter(alphabet="abcdefghijklmnopqrstuvwxyz")
    plain = clone(counter).fit(words[::2])
    weighted = counter.fit(words[::2], sample_weight=[weight] * len(words[::2]))
    np.testing.assert_allclose(
        weighted.score_samples(words), plain.score_samples(words), rtol=1e-9
    )


@pytest.mark.parametrize("order", [2, 3, 4, 6])
def test_new_words_keep_their_probability_as_weights_grow(words, order):
    words = sorted(set(words))
    train, new = words[::2], words[1::2]
    weights = np.random.default_rng(0).pareto(1, len(train)) + 1
    nll = [
        NGramCounter(order, alphabet="abcdefghijklmnopqrstuvwxyz")
        .fit(train, sample_weight=scale * weights)
        .nll(new)
        for scale in (1, 1000)
    ]
    assert nll[1] == pytest.approx(nll[0], abs=1e-6)


@pytest.mark.parametrize("beginning", ["http://", "www.", "+4179"])
@pytest.mark.parametrize("order", [5, 6])
def test_a_common_beginning_is_no_weight(beginning, order):
    rng = random.Random(0)
    words = ["".join(rng.choices("abcdeimnot", k=6)) for _ in range(400)]
    counts = NGramCounter(order).fit([beginning + word for word in words]).ngram_counts_
    assert counts.in_units() is counts


@pytest.mark.parametrize("n_rare", [50, 60, 100, 150])
@pytest.mark.parametrize("weight", [1, 1e-6])
def test_words_of_small_weight_change_little(n_rare, weight):
    words = list(dict.fromkeys(load_names().data[::20]))
    train, rare, new = words[:300], words[300 : 300 + n_rare], words[500:1000]
    counter = NGramCounter(alphabet="abcdefghijklmnopqrstuvwxyz")
    weights = [100] * len(train) + [weight] * n_rare
    nll = clone(counter).fit(train + rare, sample_weight=weights).nll(new)
    assert abs(nll - clone(counter).fit(train).nll(new)) < 0.05


def test_no_weight_is_too_small():
    words = "emma olivia ava noah liam mia zoe max".split()
    model = NGramCounter().fit(words, sample_weight=[0.9] * 7 + [1e-10])
    assert np.isfinite(model.score_samples([*words, "mio"])).all()
    assert len(set(model.sample(20, random_state=0))) > 10


def test_letters_that_begin_no_word_rarely_begin_a_new_one():
    # Half of the letters never come first.
    rng = random.Random(0)
    words = [
        rng.choice("abcdef")
        + "".join(rng.choices("abcdefghijkl", k=rng.randrange(2, 6)))
        for _ in range(60)
    ]
    shares = []
    for discounts in ("leave-one-out", "closed-form"):
        model = NGramCounter(discounts=discounts).fit(words)
        first = dict(zip(model.symbols_, model.predict_proba([""])[0], strict=True))
        shares.append(sum(first[letter] for letter in "ghijkl"))
    assert shares[0] < 0.02 < shares[1]
