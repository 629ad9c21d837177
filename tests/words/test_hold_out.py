"""No user of the hold-out puts equal words on both sides."""

from collections import Counter
from itertools import repeat

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sklearn_makemore import BigramCounter, MixtureCharLM, MLPCharLM
from sklearn_makemore._words.hold_out import hold_out, word_folds
from sklearn_makemore._words.training_set import TrainingSet
from sklearn_makemore._words.vocabulary import CharVocabulary
from sklearn_makemore.cli._learning import Split
from sklearn_makemore.model_selection import train_dev_test_split

# The same examples at each run, and no files: a failure is repeatable from here.
SEARCH = settings(derandomize=True, database=None, deadline=None, max_examples=100)
LETTERS = "ab\0é"
WORDS = st.lists(st.text(LETTERS, max_size=4), min_size=3, max_size=60)
SHARES = st.floats(0.01, 0.99)
SEEDS = st.integers(0, 2**32 - 1)


class Seen(BigramCounter):
    """Remembers what it was fitted on."""

    def fit(self, words, y=None, sample_weight=None):
        self.words_ = words
        return super().fit(words, y, sample_weight)


def training_set(words, sample_weight=None):
    vocabulary = CharVocabulary(LETTERS)
    return TrainingSet(vocabulary, vocabulary.encode(words), sample_weight)


def held_out_weights(words, share, seed, sample_weight=None):
    """Hold words out; return the total weight of each word of the two sides."""
    data = training_set(words, sample_weight)
    train, held_out = hold_out(data, share, np.random.RandomState(seed))
    sides = []
    for side in train, held_out:
        weights = Counter()
        if side is not None:
            ones = np.ones(side.encoded.n_words)
            given = ones if side.sample_weight is None else side.sample_weight
            for word, weight in zip(side.words, given.tolist(), strict=True):
                weights[word] += weight
        sides.append(weights)
    return sides


@SEARCH
@given(WORDS, SHARES, SEEDS, st.data())
def test_networks_and_mixtures(words, share, seed, data):
    n_words = len(words)
    numbers = st.lists(st.integers(1, 5), min_size=n_words, max_size=n_words)
    weights = np.array(data.draw(numbers), dtype=np.float64)
    learned, held_out = held_out_weights(words, share, seed, weights)
    total = Counter()
    for word, weight in zip(words, weights.tolist(), strict=True):
        total[word] += weight
    assert learned + held_out == total and not learned.keys() & held_out.keys()
    assert learned
    if len(total) == 1:
        assert not held_out
        return
    assert max(map(len, learned)) >= max(map(len, held_out))
    # Whole words while they fit in the share, but at least one.
    room = share * total.total() * (1 + 1e-9)
    assert held_out.total() <= room or len(held_out) == 1
    longest = max(map(len, total))
    others = [word for word in learned if len(word) < longest]
    is_full = len(held_out) == int(2 * share * len(total))  # of distinct words
    assert is_full or all(
        held_out.total() + total[word] > room / (1 + 1e-8) for word in others
    )
    # Neither the order matters, nor whether a word is repeated or weighted.
    order = np.random.RandomState(seed).permutation(n_words)
    turned = [words[row] for row in order]
    assert held_out_weights(turned, share, seed, weights[order])[1] == held_out
    repeated = [word for word, weight in total.items() for _ in range(int(weight))]
    assert held_out_weights(repeated, share, seed)[1] == held_out


@SEARCH
@given(WORDS, st.tuples(st.floats(0.01, 0.49), st.floats(0.01, 0.49)), SEEDS)
def test_train_dev_test_split(words, shares, seed):
    assume(len(set(words)) >= 3)
    dev_size, test_size = shares
    parts = train_dev_test_split(
        words, dev_size=dev_size, test_size=test_size, random_state=seed
    )
    counts = Counter(words)
    assert sum(map(Counter, parts), Counter()) == counts
    train, dev, test = map(set, parts)
    assert not (train & dev or train & test or dev & test)
    # As near to what is asked for as whole groups come.
    for part, share in zip(parts[1:], shares, strict=True):
        assert 1 <= len(part) <= max(1, share * len(words)) + max(counts.values())


@pytest.mark.slow
@SEARCH
@given(WORDS, SHARES, st.integers(1, 20), SEEDS)
def test_command_line(words, share, chunk_size, seed):
    def split(words, chunk_size, *weights):
        columns = words, *weights
        chunks = (
            tuple(column[start : start + chunk_size] for column in columns)
            for start in range(0, len(words), chunk_size)
        )
        parts = Split(chunks, share)
        learned, held_out = Counter(), Counter()
        for some, their_weights in parts:
            assert (their_weights is None) == (not weights)
            for word, weight in zip(some, their_weights or repeat(1), strict=False):
                learned[word] += weight
        n_words = 0
        if parts.held_out is not None:
            totals = parts.held_out.weights.tolist()
            held_out.update(dict(zip(parts.held_out.words, totals, strict=True)))
            n_words = parts.held_out.n_words
        assert parts.n_words + n_words == len(words)
        return learned, held_out

    learned, held_out = split(words, chunk_size)
    assert learned + held_out == Counter(words)
    assert not learned.keys() & held_out.keys()
    if learned:
        assert max(map(len, held_out), default=0) <= max(map(len, learned))
        assert set().union(*held_out) <= set().union(*learned)
    # Neither the order matters nor the chunks.
    order = np.random.RandomState(seed).permutation(len(words))
    turned = [words[row] for row in order]
    assert split(turned, len(words)) == (learned, held_out)
    # Weights of all rows equal repeats of the words.
    weights = [2.5] * len(words)
    found = split(words, chunk_size, weights)
    for part, weighted in zip((learned, held_out), found, strict=True):
        assert weighted == pytest.approx({word: 2.5 * n for word, n in part.items()})


def test_the_command_line_holds_out_about_its_share_of_the_distinct_words():
    words = [f"{number:05}" for number in range(20_000)]
    for share in 0.1, 0.5:
        split = Split([(words,), (words,)], share)
        n_learned = sum(len(some) for some, _ in split)
        assert split.n_words == n_learned
        assert set(split.held_out.weights) == {2}
        n_held_out = len(split.held_out.words)
        assert n_learned == 2 * (len(words) - n_held_out)
        deviation = (len(words) * share * (1 - share)) ** 0.5
        assert abs(n_held_out - share * len(words)) < 4 * deviation


@pytest.mark.slow
@SEARCH
@given(WORDS, st.integers(2, 6), st.data())
def test_folds(words, n_folds, data):
    labels = np.array([ord((word or "a")[0]) % 3 for word in words])
    if data.draw(st.booleans()):
        labels = None
    folds = word_folds(words, n_folds, labels)
    assert len({*zip(words, folds.tolist(), strict=True)}) == len(set(words))
    sizes = np.bincount(
        [fold for _, fold in {*zip(words, folds.tolist(), strict=True)}],
        minlength=n_folds,
    )
    assert sizes.max() - sizes.min() <= 1


@pytest.mark.parametrize("seed", range(3))
def test_estimators_do_not_validate_on_training_words(seed, words):
    repeated = words + words[:50] * 3
    mixture = MixtureCharLM([Seen(), BigramCounter(smoothing=3)], random_state=seed)
    learned = set(mixture.fit(repeated).estimators_[0].words_)
    held_out = set(words) - learned
    assert held_out
    nll = mixture.estimators_[0].nll([word for word in repeated if word in held_out])
    assert mixture.estimator_nlls_[0] == pytest.approx(nll)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_weight_stops_a_network_as_repeats_do(seed, words):
    net = MLPCharLM(n_embd=4, n_hidden=12, early_stopping=True, random_state=seed)
    net.set_params(max_epochs=30, lr=0.05, batch_size=64)
    weighted = net.fit(words, sample_weight=np.full(len(words), 5.0))
    epochs, nll = weighted.n_iter_, weighted.nll(words)
    repeated = net.fit(words * 5)
    assert (repeated.n_iter_, repeated.nll(words)) == (epochs, nll)


@pytest.mark.parametrize("share", [0.05, 0.1, 0.3])
def test_heavy_words_do_not_leave_the_others_to_the_held_out_side(share):
    words = [f"{first}{second}" for first in "abcdefgh" for second in "ijklmnop"]
    weights = 1e4 / np.arange(1.0, len(words) + 1) ** 2
    vocabulary = CharVocabulary.from_words(words)
    data = TrainingSet(vocabulary, vocabulary.encode(words), weights)
    for seed in range(20):
        train, held_out = hold_out(data, share, np.random.RandomState(seed))
        assert 1 <= held_out.encoded.n_words <= 2 * share * len(words)
        assert held_out.sample_weight.sum() <= share * weights.sum()
        assert {*train.words}.isdisjoint(held_out.words)
        assert train.encoded.n_words + held_out.encoded.n_words == len(words)
