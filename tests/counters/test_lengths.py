"""Words with the lengths of the training words, against enumeration of all words."""

import pickle
import random
from collections import Counter
from itertools import product

import numpy as np
import pytest

from sklearn_makemore import NGramCounter, load, save
from sklearn_makemore._counters import model as _model
from sklearn_makemore._generation import lengths as _lengths
from sklearn_makemore._generation.lengths import target_lengths

LONGEST = 9


def two_letter_words(n_words=30, shortest=2, seed=0):
    rng = random.Random(seed)
    return [
        "".join(rng.choices("ab", [2, 1], k=rng.randrange(shortest, 7)))
        for _ in range(n_words)
    ]


def all_words(longest):
    """All words of two letters, up to a length."""
    return [
        "".join(letters)
        for length in range(longest + 1)
        for letters in product("ab", repeat=length)
    ]


SETTINGS = {
    "order 1": {"order": 1},
    "order 2": {"order": 2},
    "order 6": {"order": 6},
    "closed form": {"order": 3, "discounts": "closed-form"},
    "additive": {"order": 3, "smoothing": "additive"},
}


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("shortest", [0, 1, 3])
def test_equals_the_definition(setting, shortest):
    words = two_letter_words(shortest=shortest)
    model = NGramCounter(**setting).fit(words)
    plain = NGramCounter(**setting, match_lengths=False).fit(words)
    word_lengths = model.ngram_counts_.word_lengths
    n_lengths = len(word_lengths)
    target = target_lengths(word_lengths, n_lengths)
    asked = all_words(LONGEST)
    proba = np.exp(plain.score_samples(asked))
    lengths = np.minimum([len(word) for word in asked], n_lengths)
    of_length = np.bincount(lengths, proba)
    of_length[-1] = 1 - of_length[:-1].sum()
    expected = proba * (target / of_length)[lengths]
    np.testing.assert_allclose(np.exp(model.score_samples(asked)), expected, rtol=1e-9)
    sums = np.bincount(lengths, expected)[:-1]
    np.testing.assert_allclose(sums, target[:-1], rtol=1e-9)


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("max_table_size", [0, 1 << 22])
def test_characters_multiply_to_words(setting, max_table_size, monkeypatch):
    monkeypatch.setattr(_model, "MAX_TABLE_SIZE", max_table_size)
    model = NGramCounter(**setting, alphabet="abc").fit(two_letter_words())
    asked = [*all_words(LONGEST), "c", "acb", "c" * 12]
    tokens = model.token_log_proba(asked)
    np.testing.assert_allclose(
        [token.sum() for token in tokens], model.score_samples(asked), rtol=1e-9
    )
    proba = model.predict_proba(asked)
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-12)
    ends = [np.exp(token[-1]) for token in tokens]
    np.testing.assert_allclose(proba[:, 0], ends, rtol=1e-9)


def test_advancing_gives_the_contexts_of_longer_prefixes():
    model = NGramCounter(order=3, alphabet="abc").fit(two_letter_words())
    encoded = model.vocabulary_.encode(["abacab", "", "b" * 12])
    contexts = model.model_.states(encoded)
    np.testing.assert_array_equal(
        model.model_.advance(contexts[:-1], encoded.targets[:-1]), contexts[1:]
    )


def test_beyond_the_longest_word_the_model_is_that_of_the_ngrams():
    words = two_letter_words()
    prefixes = ["a" * 7, "ab" * 20]
    models = [NGramCounter(3, match_lengths=match) for match in (True, False)]
    matched, plain = (model.fit(words).predict_proba(prefixes) for model in models)
    np.testing.assert_allclose(matched, plain, rtol=1e-9)


@pytest.mark.parametrize("n_lengths", [1, 3])
def test_lengths_beyond_the_bound_together_have_their_probability(
    n_lengths, monkeypatch
):
    words = two_letter_words()
    plain = NGramCounter(4, match_lengths=False).fit(words)
    n_ngrams = plain.model_.n_ngrams
    monkeypatch.setattr(_lengths, "MAX_STEPS", n_lengths * (n_ngrams + 1))
    model = NGramCounter(4).fit(words)
    assert model.model_.n_lengths == n_lengths
    target = target_lengths(model.ngram_counts_.word_lengths, n_lengths)
    short = all_words(n_lengths - 1)
    found = np.bincount(list(map(len, short)), np.exp(model.score_samples(short)))
    np.testing.assert_allclose(found, target[:-1], rtol=1e-9)
    ratio = model.score_samples(["ababa", "bb" * 9]) - plain.score_samples(
        ["ababa", "bb" * 9]
    )
    np.testing.assert_allclose(ratio, ratio[0])


def test_samples_have_the_lengths_of_the_words(words):
    model = NGramCounter().fit(words)
    samples = model.sample(20_000, random_state=0)
    target = target_lengths(model.ngram_counts_.word_lengths, 12)
    found = np.bincount([min(len(word), 12) for word in samples], minlength=13)
    error = np.sqrt(target * (1 - target) / len(samples))
    assert np.all(np.abs(found / len(samples) - target) < 5 * error + 1e-4)


def test_samples_follow_the_scores():
    model = NGramCounter(3).fit(two_letter_words())
    samples = Counter(model.sample(20_000, random_state=0))
    for word, log_proba in zip(*model.most_likely(20), strict=True):
        share, error = np.exp(log_proba), np.sqrt(np.exp(log_proba) / 20_000)
        assert abs(samples[word] / 20_000 - share) < 5 * error


def test_the_target_is_the_histogram_with_a_little_beyond():
    target = target_lengths(np.array([0, 0, 0, 6, 0, 2]), 6)
    inside = np.array([6.1, 0.1, 2.1]) / 8.3 * 0.9
    expected = [1e-9, 0.025, 0.025, *inside, 0.05]
    np.testing.assert_allclose(target, expected, rtol=1e-8)
    np.testing.assert_allclose(
        target_lengths(np.array([0, 0, 0, 6, 0, 2]), 4),
        [*target[:4], target[4:].sum()],
    )


@pytest.mark.parametrize("n_words, longest", [(50, 58), (1000, 2000)])
def test_one_long_word_does_not_change_the_lengths_of_the_others(n_words, longest):
    word_lengths = np.zeros(longest + 1)
    word_lengths[3:9] = n_words / 6
    usual = target_lengths(word_lengths[:9], 9)
    word_lengths[longest] = 1
    target = target_lengths(word_lengths, longest + 1)
    assert target[9:].sum() < 2.4 / n_words
    np.testing.assert_allclose(target[3:9], usual[3:9], rtol=1.5 / n_words)
    assert target[1:].min() > 0 and target.sum() == pytest.approx(1)


def test_lengths_that_are_practically_impossible_are_matched():
    words, weights = ["ab", "ba", "abb" * 200], [1e9, 1, 1]
    model = NGramCounter(order=2).fit(words, sample_weight=weights)
    scores = model.score_samples([*words, "", "a" * 700])
    assert np.isfinite(scores).all()
    share = np.array(weights) / sum(weights)
    np.testing.assert_allclose(scores[0], np.log(share[0]), atol=1e-6)
    tokens = [token.sum() for token in model.token_log_proba(words)]
    np.testing.assert_allclose(tokens, scores[:3], rtol=1e-9, atol=1e-12)
    assert set(model.sample(50, random_state=0)) == {"ab"}
    # Half of the probability is that of words of 600 characters.
    model = NGramCounter(order=2).fit(words, sample_weight=[1, 1, 2])
    longest = [word for word in model.sample(400, random_state=0) if len(word) == 600]
    assert 120 < len(longest) < 280


def test_the_empty_word_is_finite_and_is_not_sampled():
    model = NGramCounter().fit(["ab", "ba"])
    assert -30 < model.score_samples([""])[0] < -20
    assert "" not in model.sample(1000, random_state=0)
    assert "" in NGramCounter().fit(["ab", ""]).sample(100, random_state=0)


def test_without_smoothing_training_words_keep_their_lengths():
    words = ["ab", "abab", "b"]
    model = NGramCounter(3, smoothing="additive", alpha=0).fit(words)
    target = target_lengths(model.ngram_counts_.word_lengths, 5)
    possible = np.array([0, 1, 1, 0, 1, 0], bool)
    scores = model.score_samples(["a", *words, "aab"])
    assert np.isneginf(scores[[0, -1]]).all()
    assert np.exp(scores).sum() <= 1 + 1e-12
    assert {len(word) for word in model.sample(300, random_state=0)} >= {1, 2, 4}
    assert possible.sum() < len(target)


@pytest.mark.parametrize("exact", [False, True])
def test_patterns_and_lengths_restrict_the_distribution(exact):
    pytest.importorskip("regex")
    model = NGramCounter(3).fit(two_letter_words())
    options = {"matching": "(ab?)*", "max_length": 5, "exact": exact}
    samples = Counter(model.sample(20_000, random_state=0, **options))
    if exact:
        asked = [word for word in all_words(5) if matches(word)]
        proba = np.exp(model.score_samples(asked))
        proba /= proba.sum()
        for word, share in zip(asked, proba, strict=True):
            error = np.sqrt(share / 20_000)
            assert abs(samples[word] / 20_000 - share) < 5 * error + 1e-4
    assert all(matches(word) for word in samples)


def matches(word):
    return "bb" not in word and not word.startswith("b")


def test_files_and_pickles_keep_the_lengths(words, tmp_path):
    model = NGramCounter(4).fit(words)
    save(model, tmp_path / "model")
    for again in load(tmp_path / "model"), pickle.loads(pickle.dumps(model)):
        np.testing.assert_array_equal(
            again.ngram_counts_.word_lengths, model.ngram_counts_.word_lengths
        )
        np.testing.assert_array_equal(
            again.score_samples(words), model.score_samples(words)
        )
        assert again.sample(50, random_state=0) == model.sample(50, random_state=0)


@pytest.mark.parametrize("match_lengths", [True, False])
def test_a_changed_setting_is_not_saved(match_lengths, tmp_path):
    model = NGramCounter(3, match_lengths=match_lengths).fit(["ab", "b"])
    model.set_params(match_lengths=not match_lengths)
    with pytest.raises(ValueError, match="have changed since it was fitted"):
        save(model, tmp_path / "model")
