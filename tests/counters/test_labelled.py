"""N-grams given a label, against a slow textbook version, and their gradient."""

import itertools
from collections import Counter, defaultdict
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from sklearn_makemore import BigramCounter, NGramCounter
from sklearn_makemore._counters.bigram import count_pairs
from sklearn_makemore._counters.continuation import Continuation
from sklearn_makemore._counters.label_backoff import (
    _raw_prior,
    from_raw,
    log_likelihood,
    predictions_by_length,
)
from sklearn_makemore._counters.labelled import LabelledCounter
from sklearn_makemore._counters.model import NGramModel
from sklearn_makemore._generation.lengths import (
    LengthMatchedModel,
    lengths_of_label,
    log_length_ratio,
)
from sklearn_makemore._words.training_set import TrainingSet
from sklearn_makemore._words.vocabulary import CharVocabulary

LISTS = [["ab", "aab", "b", "abba"], ["ba", "bab", "abc", "bc"], ["ab", "ca"]]
WORDS = list(itertools.chain(*LISTS))
LABELS = np.repeat([0, 1, 2], [len(words) for words in LISTS])
VOCABULARY = CharVocabulary("abc")
ORDER = 4


def learned_from(words, labels, counter=None, **params):
    counter = counter or NGramCounter(ORDER, alphabet="abc", **params)
    counter.fit(words)
    encoded, n_labels = VOCABULARY.encode(words), int(max(labels)) + 1
    data = TrainingSet(VOCABULARY, encoded, labels=labels, n_labels=n_labels)
    return LabelledCounter.fitted(counter, data)


def random_backoff(n_labels, seed=0):
    raw = _raw_prior(ORDER, n_labels)
    return from_raw(raw + np.random.RandomState(seed).normal(size=len(raw)), ORDER)


def adjusted_counts(words):
    """Return Kneser-Ney's counts by history and next symbol; "|" is the boundary."""
    counts, before = Counter(), defaultdict(set)
    for word in words:
        text = f"|{word}|"
        for end in range(1, len(text)):
            for start in range(max(0, end - ORDER + 1), end + 1):
                ngram = text[start:end], text[end]
                if start == 0 or end - start == ORDER - 1:
                    counts[ngram] += 1
                else:
                    before[ngram].add(text[start - 1])
    return {**counts, **{ngram: len(found) for ngram, found in before.items()}}


def sums(counts, history):
    after = [n for (before, _), n in counts.items() if before == history]
    return sum(after), after


def textbook(history, symbol, own, every, pooled, backoff, label):
    """Return p(symbol | history, label) by the formula, for a known n-gram."""
    length = len(history)
    if history:
        lower = textbook(history[1:], symbol, own, every, pooled, backoff, label)
    else:
        lower = 1 / 4
    total, after = sums(own, history)
    everywhere, _ = sums(every, history)
    evidence = [1, np.log1p(total), np.log1p(everywhere), np.log1p(len(after))]
    odds = evidence @ backoff.slopes[length] + backoff.label_shifts[label]
    share = 1 / (1 + np.exp(-odds))
    mixed = (1 - share) * lower + share * pooled(history, symbol)
    if not total:
        return mixed
    discounts = backoff.discounts[length, int(history[:1] == "|")]
    removed = [discounts[min(n, 3) - 1] for n in after]
    count = own.get((history, symbol), 0)
    kept = count - discounts[min(count, 3) - 1] if count else 0
    return (kept + sum(removed) * mixed) / total


@pytest.mark.parametrize("smoothing", ["kneser-ney", "additive"])
@pytest.mark.parametrize("label", [0, 1, 2])
def test_probabilities_are_those_of_the_formula(label, smoothing):
    learned = learned_from(WORDS, LABELS, smoothing=smoothing, match_lengths=False)
    ngrams, backoff = learned._ngrams, random_backoff(3)
    proba, _ = ngrams.smoothed(label, backoff)
    trie, symbols = ngrams.trie, "|abc"
    histories = [""]
    for key in trie.child_keys:
        parent, earliest = divmod(int(key), trie.n_symbols)
        histories.append(symbols[earliest] + histories[parent])
    of_ngram = {}
    for index, key in enumerate(trie.ngram_keys):
        state, target = divmod(int(key), trie.n_symbols)
        of_ngram[histories[state], symbols[target]] = index

    def pooled(history, symbol):
        return ngrams.pooled[0][of_ngram[history, symbol]]

    own, every = adjusted_counts(LISTS[label]), adjusted_counts(WORDS)
    for (history, symbol), index in of_ngram.items():
        expected = textbook(history, symbol, own, every, pooled, backoff, label)
        assert proba[index] == pytest.approx(expected, rel=1e-9), (history, symbol)


@pytest.mark.parametrize("match_lengths", [False, True])
@pytest.mark.parametrize("label", [0, 1, 2])
def test_probabilities_sum_to_one_after_every_history(label, match_lengths):
    learned = learned_from(WORDS, LABELS, match_lengths=match_lengths)
    model = replace(learned, backoff=random_backoff(3)).model(label)
    prefixes = [
        "".join(p) for n in range(5) for p in itertools.product("abc", repeat=n)
    ]
    proba = model.predict_proba(prefixes)
    assert (proba > 0).all()
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-9)


@pytest.mark.parametrize("label", [0, 1, 2])
def test_lengths_are_those_of_the_model_alone(label):
    learned = learned_from(WORDS, LABELS)
    model = learned.model(label).model_
    proba, backoff = np.exp(model.plain.log_proba), np.exp(model.plain.log_backoff)
    plain = Continuation(model.plain, proba, backoff)
    lengths = learned.ngram_counts[label].word_lengths
    pooled = learned.reader.ngram_counts_.word_lengths
    expected = log_length_ratio(plain, lengths_of_label(lengths, pooled))
    np.testing.assert_allclose(model.log_ratio, expected, rtol=1e-9)
    alone = NGramModel(model.plain, model.plain.log_proba, model.plain.log_backoff)
    expected = LengthMatchedModel(alone, expected).log_values
    np.testing.assert_allclose(model.log_values, expected, atol=1e-12)


def test_pairs_are_n_grams_of_two_symbols():
    pairs = learned_from(WORDS, LABELS, BigramCounter(0.3, alphabet="abc"))
    same = NGramCounter(
        2, smoothing="additive", alpha=0.3, match_lengths=False, alphabet="abc"
    )
    ngrams = learned_from(WORDS, LABELS, same)
    for label in range(3):
        one, other = pairs.model(label), ngrams.model(label)
        expected = other.score_samples(["", "ab", "cc", "ccb"])
        np.testing.assert_allclose(one.score_samples(["", "ab", "cc", "ccb"]), expected)
        encoded = VOCABULARY.encode(LISTS[label])
        np.testing.assert_array_equal(one.counts_, count_pairs(encoded, 4))


def test_without_smoothing_pairs_of_no_label_are_impossible():
    model = learned_from(WORDS, LABELS, BigramCounter(0, alphabet="abc")).model(2)
    is_seen = count_pairs(VOCABULARY.encode(WORDS), 4) > 0
    np.testing.assert_array_equal(np.isfinite(model.log_proba_), is_seen)


def test_words_of_each_label_sum_to_one():
    learned = learned_from(WORDS, LABELS)
    for label in range(3):
        words = [
            "".join(p) for n in range(9) for p in itertools.product("abc", repeat=n)
        ]
        proba = np.exp(learned.model(label).score_samples(words))
        # Longer than all training words is 1 of n + 2, and most of these words are
        # shorter than nine characters.
        assert 0.93 < proba.sum() < 1


def test_derivatives_are_those_of_differences():
    learned = learned_from(WORDS, LABELS)
    ngrams = learned._ngrams
    encoded = VOCABULARY.encode(["abab", "c", "", "bca", "aab"])
    found = predictions_by_length(ngrams, encoded, np.array([0, 1, 2, 1, 0]))
    raw = np.random.RandomState(1).normal(size=len(_raw_prior(ORDER, 3)))

    def value(raw):
        return log_likelihood(found, from_raw(raw, ORDER), 1 / 4)[0]

    _, slopes = log_likelihood(found, from_raw(raw, ORDER), 1 / 4)
    np.testing.assert_allclose(slopes, approx_fprime(raw, value), rtol=1e-3, atol=1e-5)


def test_the_likelihood_is_that_of_the_model():
    # The two differ only where no word has an n-gram, so the words are known ones.
    learned = learned_from(WORDS, LABELS, match_lengths=False)
    ngrams, backoff = learned._ngrams, random_backoff(3)
    found = predictions_by_length(ngrams, VOCABULARY.encode(WORDS), LABELS)
    value, _ = log_likelihood(found, backoff, 1 / 4)
    learned = replace(learned, backoff=backoff)
    expected = sum(
        learned.model(label).score_samples(words).sum()
        for label, words in enumerate(LISTS)
    )
    assert value == pytest.approx(expected, rel=1e-9)
