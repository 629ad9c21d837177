"""The sample of words equals one that is taken of all words at once."""

from collections import Counter

import numpy as np
import pytest

from sklearn_makemore import NGramCounter
from sklearn_makemore._counters import word_sample
from sklearn_makemore._counters.word_sample import WordSample
from sklearn_makemore._words.training_set import TrainingSet
from sklearn_makemore._words.vocabulary import CharVocabulary

WORDS = [f"{'abcdefgh'[row % 8]}{row * row % 701}" for row in range(1000)]
WEIGHTS = np.arange(1000) % 7.0


def sample_of(words, weights=None, characters=""):
    return WordSample.from_data(
        TrainingSet.from_words(
            words,
            weights,
            lambda points: CharVocabulary.from_code_points(points).union(
                CharVocabulary(characters)
            ),
        )
    )


def keys_of_words(words):
    """The hash value of each word, taken from samples of one word."""
    return {word: int(sample_of([word]).keys[0]) for word in words}


@pytest.fixture(autouse=True)
def small_samples(monkeypatch):
    monkeypatch.setattr(word_sample, "SAMPLE_SIZE", 100)
    monkeypatch.setattr(word_sample, "PREDICTION_CHUNK_SIZE", 512)


def test_a_sample_has_the_total_weights_of_the_words_of_the_smallest_keys():
    totals = Counter()
    for word, weight in zip(WORDS, WEIGHTS, strict=True):
        totals[word] += weight
    keys = keys_of_words(set(WORDS))
    assert len(set(keys.values())) == len(keys)
    weighted = sorted((keys[word], total) for word, total in totals.items() if total)
    found = sample_of(WORDS, WEIGHTS)
    assert weighted[:100] == list(zip(found.keys, found.weights, strict=True))


def test_the_sample_of_parts_is_the_sample_of_all_words():
    both = sample_of(WORDS[:300], WEIGHTS[:300]).merge(
        sample_of(WORDS[300:], WEIGHTS[300:])
    )
    whole = sample_of(WORDS, WEIGHTS)
    np.testing.assert_array_equal(both.keys, whole.keys)
    np.testing.assert_array_equal(both.weights, whole.weights)


def test_other_letters_of_the_alphabet_make_no_difference():
    more = sample_of(WORDS, characters="!Zé")
    np.testing.assert_array_equal(more.keys, sample_of(WORDS).keys)


def test_keys_do_not_depend_on_the_machine():
    # Files keep them: SplitMix64 of sums over positions, computed with Python's ints.
    assert sample_of(["ab", "ba", ""]).keys.tolist() == [
        1783795538082461487,
        3101156239363786233,
        15156171005311474915,
    ]


def test_words_are_picked_evenly():
    # 100 of 1,000 words, 500 of them short: 50 +- 15 with a false-alarm rate of 0.1 %.
    short = [f"{number}" for number in range(500)]
    long = [f"{number}-of-the-long-words" for number in range(500)]
    keys = keys_of_words(short + long)
    picked = set(sample_of(short + long).keys.tolist())
    assert 35 <= sum(keys[word] in picked for word in short) <= 65


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ([5], 5),
        ([1] * 98 + [1e6], 1),
        ([1] * 10 + [10] * 39, 10),  # 2.5 % of 400
        ([1] * 10 + [10] * 38, 1),
        ([1e-6] * 40 + [100] * 50, 100),
        ([1e-6] * 50 + [100] * 40, 1e-6),
        ([], 1),
    ],
)
def test_the_words_lighter_than_a_rare_one_have_a_small_share(weights, expected):
    keys = np.arange(len(weights), dtype=np.uint64)
    sample = WordSample(keys, np.array(weights, dtype=float))
    assert sample.rare_weight(sum(weights)) == expected


def test_the_share_of_lighter_words_is_estimated_from_the_sample():
    # The standard error of the number of words is 10 %. The words of weight 1 have
    # 0.17 % of ten times the true weight, and 17 % of a tenth of it.
    keys = np.random.default_rng(0).integers(0, 2**64, 200_000, dtype=np.uint64)
    weights = np.r_[np.ones(30_000), np.full(170_000, 10.0)]
    order = np.argsort(keys)[:100]
    sample = WordSample(keys[order], weights[order])
    assert sample._n_distinct() == pytest.approx(200_000, rel=0.35)
    assert sample.rare_weight(10 * weights.sum()) == 10
    assert sample.rare_weight(weights.sum() / 10) == 1


def test_chunks_of_words_sum_up_to_the_same_model():
    weights = WEIGHTS * 1000 + 1
    whole = NGramCounter(3).fit(WORDS, sample_weight=weights)
    parts = NGramCounter(3).fit(WORDS[:500], sample_weight=weights[:500])
    parts.partial_fit(WORDS[500:], sample_weight=weights[500:])
    assert parts.nll(WORDS) == whole.nll(WORDS)
