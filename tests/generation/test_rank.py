"""Guess numbers: estimated ranks against the exact ranks of all words."""

import numpy as np
import pytest
from estimators import (
    IN_ONE_STEP,
    TINY_WORDS,
    longest_word,
    over,
    text_symbols,
    words_by_length,
)
from sklearn.base import clone

from sklearn_makemore import BigramCounter, NGramCounter
from sklearn_makemore._generation.rank import SampledRanks

SEEDS = range(30)


def exact_ranks(model, log_proba, longest):
    """Count the words of up to `longest` letters that are at least as probable."""
    letters = [letter for letter in text_symbols(model) if letter != "?"]
    every = [word for level in words_by_length(letters, longest) for word in level]
    all_log_proba = model.score_samples(every)
    least = log_proba - 1e-6 * np.maximum(1, np.abs(log_proba))
    return np.array([np.sum(all_log_proba >= bound) for bound in least])


# Ranks are computed from scores and samples: tables, a window, a state, words with a
# longest length, members.
RANKED = ("bigram", "kneser-ney-3", "mlp", "gru", "transformer", "mixture")


@over({name: IN_ONE_STEP[name] for name in RANKED})
def test_ranks_are_those_of_all_words(estimator):
    assert_ranks_are_those_of_all_words(estimator, "error")


@pytest.mark.parametrize("name", ["kneser-ney-3", "mlp"])
def test_ranks_leave_out_words_with_the_unknown(name):
    assert_ranks_are_those_of_all_words(IN_ONE_STEP[name], "unk")


def assert_ranks_are_those_of_all_words(estimator, handle_unknown):
    settings = {"handle_unknown": handle_unknown}
    if "estimators" in estimator.get_params():
        settings = {}
    if estimator.get_params().get("block_size") == 320:
        settings["block_size"] = 9  # words of eight letters end there
    model = clone(estimator).set_params(**settings).fit(TINY_WORDS)
    longest = longest_word(model) or 8
    words = ["a", "ab", "ba", "c", "cab", "abba", ""]
    if getattr(model, "match_lengths", False):
        del words[-1]  # longer words than can be enumerated are as probable
    log_proba = model.score_samples(words)
    expected = exact_ranks(model, log_proba, longest)
    # No longer word is as probable, if there are any.
    if longest_word(model) is None:
        assert expected.max() < 0.2 * 3**longest
    found = [
        model.rank(words, 2000, random_state=seed, return_std=True) for seed in SEEDS
    ]
    rank, std = np.mean(found, axis=0)
    error = np.std(found, axis=0)[0]
    # Of thirty estimates; ranks below 1 are raised to 1.
    np.testing.assert_array_less(np.abs(rank - expected), 4 * error / 30**0.5 + 0.05)
    ordinary = expected > 3
    np.testing.assert_allclose(std[ordinary], error[ordinary], rtol=0.6)


def test_ranks_of_the_most_probable_names(counter_of_names):
    model = counter_of_names
    words, log_proba = model.most_likely(3000)
    exact = np.searchsorted(-log_proba, -log_proba + 1e-6, side="right")
    rank, std = model.rank(words, random_state=1, return_std=True)
    assert (np.abs(rank - exact) / std)[10:].max() < 4
    assert np.mean(np.abs(rank - exact) / std < 1) > 0.4
    assert (std / rank)[100:].max() < 0.1
    np.testing.assert_array_equal(rank, model.rank(words, random_state=1))
    assert (np.diff(rank) >= 0).all() and rank.min() >= 1
    # Samples are drawn in parts if they do not fit in memory.
    assert model.rank(["emma"], 70_000, random_state=1)[0] == pytest.approx(
        676, rel=0.1
    )


def test_a_rank_by_hand():
    model = BigramCounter(smoothing=0).fit(["a"] * 5 + ["b"] * 3 + ["c"] * 2)
    found = model.rank(["a", "b", "c", "ab", ""], 4000, random_state=0, return_std=True)
    np.testing.assert_allclose(found[0], [1, 2, 3, np.inf, np.inf], rtol=0.05)
    # Of n samples a share of 0.5 is "a", each of which stands for 2 / n words.
    assert found[1][0] == pytest.approx(2 * np.sqrt(0.25 / 4000), rel=0.05)
    assert np.isnan(found[1][3:]).all()
    equal = BigramCounter(smoothing=0).fit(["a", "b", "c", "d"])
    rank, std = equal.rank(["a", "d"], 100, random_state=0, return_std=True)
    np.testing.assert_allclose([*rank, *std], [4, 4, 0, 0], atol=1e-6)


def test_samples_stand_for_words():
    rng = np.random.RandomState(0)
    log_proba, log_drawn = -rng.random_sample((2, 50)) * 20
    ranks = SampledRanks.of(log_proba, log_drawn)
    asked = np.array([-25.0, -10.0, -1.0, -0.001])
    rank, std = ranks(asked)
    for row, value in enumerate(asked):
        counts = np.where(log_proba >= value, np.exp(-log_drawn), 0)
        assert rank[row] == pytest.approx(max(1, counts.mean()))
        if row in (1, 2):
            assert std[row] == pytest.approx(counts.std() / np.sqrt(49), abs=1e-6)
    # No sample is below the first, or above the last.
    assert std[0] == np.inf and std[3] == pytest.approx(np.exp(0.001) / 50)


def test_standard_errors_show_that_no_sample_is_as_probable_or_as_improbable(
    counter_of_names,
):
    model = counter_of_names
    words, log_proba = model.most_likely(4)
    asked = [*words[1:], "qqqqqqqqqq"]
    rank, std = model.rank(asked, 100, random_state=0, return_std=True)
    np.testing.assert_array_equal(rank[:3], 1)
    np.testing.assert_allclose(std[:3], np.exp(-log_proba[1:]) / 100)
    assert 1 < rank[3] < np.inf and std[3] == np.inf


def test_ranks_of_very_long_words_are_finite_or_infinite():
    model = NGramCounter(order=2).fit(["abcdefgh" * 40, "hgfedcba" * 40])
    rank, std = model.rank(["abc", "h" * 300], 50, random_state=0, return_std=True)
    assert not np.isnan(rank).any() and (rank >= 1).all()
    assert not np.isnan(std).any()


@pytest.mark.parametrize("options", [{"n_samples": 1}, {"return_std": "yes"}])
def test_bad_options(options):
    model = BigramCounter().fit(["ab"])
    with pytest.raises(ValueError, match="of BigramCounter.rank must"):
        model.rank(["ab"], **options)
