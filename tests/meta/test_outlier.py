"""CharLMOutlierDetector: scores, quantiles, and strings that are no names."""

import pickle
from fractions import Fraction

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_score

from sklearn_makemore import (
    BigramCounter,
    CharLMOutlierDetector,
    NGramCounter,
    load,
    save,
)
from sklearn_makemore._meta.outlier import lower_quantile
from sklearn_makemore.datasets import load_names


@pytest.fixture(scope="module")
def names():
    return load_names().data[::20]


def with_copies(detector, path):
    """Return a detector, and what a file and a pickle make of it."""
    save(detector, path)
    return detector, load(path), pickle.loads(pickle.dumps(detector))


def test_scores_are_those_of_the_model(words):
    letters = "".join(sorted(set("".join(words))))
    expected = NGramCounter(alphabet=letters, handle_unknown="unk").fit(words)
    asked = ["annaba", "", "zoë", "q" * 15]  # none of the training words
    log_proba = expected.score_samples(asked)
    lengths = np.array([7, 1, 4, 16])
    for per in "word", "character", "deviation", "excess":
        detector = CharLMOutlierDetector(per=per).fit(words)
        mean = detector.mean_nll_
        scores = {
            "word": log_proba,
            "character": log_proba / lengths,
            "deviation": (log_proba + mean * lengths) / np.sqrt(lengths),
            "excess": log_proba + mean * lengths,
        }[per]
        np.testing.assert_allclose(detector.score_samples(asked), scores)
        decision = scores - detector.offset_
        np.testing.assert_allclose(detector.decision_function(asked), decision)
        labels = detector.predict(asked)
        assert labels.tolist() == np.where(decision < 0, -1, 1).tolist()
        assert labels[0] == 1 and labels[3] == -1
    assert np.isfinite(detector.score_samples(["日本語", "zoë"])).all()


@pytest.mark.parametrize("contamination", [0.01, 0.1, 0.25, 0.5])
def test_the_share_of_outliers_is_the_contamination(contamination, names):
    names = np.random.RandomState(0).permutation(sorted(set(names))).tolist()
    words = names[:1200]
    detector = CharLMOutlierDetector(contamination=contamination)
    labels = detector.fit_predict(words)
    assert set(labels) == {-1, 1}
    assert np.sum(labels == -1) == contamination * 1200
    frozen = FrozenEstimator(NGramCounter(handle_unknown="unk").fit(words))
    known = clone(detector).set_params(estimator=frozen)
    assert np.sum(known.fit_predict(words) == -1) == contamination * 1200
    np.testing.assert_array_equal(known.predict(words), known.fit(words).predict(words))
    np.testing.assert_array_equal(detector.predict(words), labels)
    # Of new words about the share is out: twice the width of three deviations.
    new = names[1200:]
    width = 3 * np.sqrt(contamination * (1 - contamination) / len(new))
    mean = np.mean(detector.predict(new) == -1)
    assert mean == pytest.approx(contamination, abs=2 * width + 0.04)


@pytest.mark.parametrize("contamination", [0.03, 0.13, 0.27, 0.41])
def test_offset_is_a_quantile_of_scores_out_of_fold(contamination, words):
    detector = CharLMOutlierDetector(BigramCounter(), contamination=contamination, cv=2)
    labels = detector.fit_predict(words)
    distinct = list(dict.fromkeys(words))
    letters = "".join(sorted(set("".join(words))))
    scores = {}
    for fold in range(2):
        held_out = distinct[fold::2]
        learned = [word for word in words if word not in held_out]
        model = BigramCounter(alphabet=letters, handle_unknown="unk").fit(learned)
        scores.update(zip(held_out, model.score_samples(held_out), strict=True))
    log_proba = np.array([scores[word] for word in words])
    lengths = np.array([len(word) + 1 for word in words])
    mean = log_proba.sum() / lengths.sum()
    assert detector.mean_nll_ == pytest.approx(-mean)
    scores = log_proba - mean * lengths
    expected = np.quantile(scores, contamination, method="averaged_inverted_cdf")
    assert detector.offset_ == pytest.approx(expected)
    np.testing.assert_allclose(detector.training_scores_, scores)
    np.testing.assert_array_equal(
        detector.score_samples(words), detector.training_scores_
    )
    # The word at the offset, if there is one, is none of the outliers.
    assert labels.tolist() == np.where(scores < expected - 1e-9, -1, 1).tolist()


def test_training_words_are_scored_out_of_fold_wherever_they_stand(words, tmp_path):
    detector = CharLMOutlierDetector(NGramCounter(order=3), per="word").fit(words)
    scores = dict(zip(words, detector.training_scores_, strict=True))
    new = [f"{word}{word}x" for word in words[:9]]
    asked = ["zoë", *words[7:3:-1], *new, words[4], "", words[0] + "\0"]
    frozen = FrozenEstimator(detector.estimator_)
    by_model = CharLMOutlierDetector(frozen, per="word").fit(words).score_samples(asked)
    expected = [
        scores.get(word, score) for word, score in zip(asked, by_model, strict=True)
    ]
    assert not np.isclose(expected, by_model).all()
    for same in with_copies(detector, tmp_path / "model"):
        np.testing.assert_array_equal(same.score_samples(asked), expected)
        alone = [same.score_samples([word])[0] for word in asked]
        np.testing.assert_allclose(alone, expected)
        np.testing.assert_array_equal(same.training_scores_, detector.training_scores_)
    # Another fit forgets these words.
    again = detector.fit(words[100:]).score_samples(words[:100])
    fresh = clone(detector).fit(words[100:]).score_samples(words[:100])
    np.testing.assert_array_equal(again, fresh)


def test_random_strings_among_the_training_words_are_found():
    rng = np.random.RandomState(0)
    names = rng.permutation(sorted(set(load_names().data)))[:3247].tolist()
    letters = list("abcdefghijklmnopqrstuvwxyz")
    strings = ["".join(rng.choice(letters, len(name))) for name in names[:100]]
    words = [*names, *strings]
    detector = CharLMOutlierDetector(contamination=0.05)
    flagged = detector.fit_predict(words)
    assert np.sum(flagged[-100:] == -1) >= 90
    fitted = detector.fit(words)
    np.testing.assert_array_equal(fitted.predict(words), flagged)
    np.testing.assert_array_equal(fitted.predict(strings), flagged[-100:])
    is_name = [True] * len(names) + [False] * 100
    assert roc_auc_score(is_name, fitted.score_samples(words)) > 0.98


def test_weighted_quantile_is_that_of_repeated_scores():
    rng = np.random.RandomState(0)
    for n_scores in (1, 2, 5, 5, 5, 8, 8, 8, 30, 30):
        scores = rng.standard_normal(n_scores).round(1)
        weights = rng.randint(1, 5, n_scores)
        for share in (0.01, 0.1, 0.25, 0.5):
            found = lower_quantile(scores, share, weights.astype(float))
            repeated = np.repeat(scores, weights)
            assert found == pytest.approx(lower_quantile(repeated, share, None))
            assert np.mean(repeated < found) <= share


@pytest.mark.parametrize("share", [(1, 20), (7, 100), (1, 10), (1, 3), (7, 20), (1, 2)])
def test_quantile_of_a_share_that_is_a_whole_number_of_scores(share):
    share = Fraction(*share)
    for n_scores in range(1, 400):
        scores = np.arange(n_scores, dtype=float)
        n_below = share * n_scores
        expected = n_below - Fraction(1, 2) if n_below == int(n_below) else int(n_below)
        for weights in None, np.ones(n_scores), np.full(n_scores, 0.1):
            assert lower_quantile(scores, float(share), weights) == expected


@pytest.mark.parametrize("per", ["word", "character", "deviation", "excess"])
def test_impossible_words_are_no_more_outliers_than_asked_for(per):
    rng = np.random.RandomState(0)
    words = ["".join(rng.choice(list("abcdefghij"), 4)) for _ in range(60)]
    model = NGramCounter(order=2, smoothing="additive", alpha=0)
    for contamination in (0.05, 0.3):
        detector = CharLMOutlierDetector(model, contamination=contamination, per=per)
        labels = detector.fit_predict(words)
        assert np.mean(labels == -1) <= contamination
        assert np.isfinite(detector.decision_function([*words, "aaaa", "x"])).all()


def test_strings_that_are_no_names(names):
    rng = np.random.RandomState(0)
    learned, new = names[::2], sorted(set(names[1::2]) - set(names[::2]))
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    random = ["".join(rng.choice(letters, len(word))) for word in new]
    shuffled = ["".join(rng.permutation(list(word))) for word in new]
    detector = CharLMOutlierDetector().fit(learned)
    is_name = [1] * len(new) + [0] * len(new)
    for strings, least in (random, 0.93), (shuffled, 0.8):
        assert roc_auc_score(is_name, detector.score_samples(new + strings)) > least
    # One in twenty of the list itself: found, though the model was not told.
    hidden = random[: len(learned) // 20]
    labels = CharLMOutlierDetector(contamination=0.1).fit_predict(learned + hidden)
    assert np.mean(labels[len(learned) :] == -1) > 0.7


def test_default_score_is_fair_to_short_and_to_long_words(names):
    words = sorted(set(names))
    flagged = {}
    for per in "excess", "deviation", "character", "word":
        detector = CharLMOutlierDetector(contamination=0.1, per=per)
        labels = detector.fit_predict(words)
        flagged[per] = [
            len(word) for word, label in zip(words, labels, strict=True) if label < 0
        ]
    average = np.mean([len(word) for word in words])
    apart = {per: abs(np.mean(lengths) - average) for per, lengths in flagged.items()}
    assert apart["excess"] < apart["deviation"] < 0.6
    assert min(apart["character"], apart["word"]) > 0.6


def test_common_short_strings_are_no_outliers(names):
    asked = ["a", "at", "ok", "jo", "xq", "zz", "qzx", "xq7zw"]
    detector = CharLMOutlierDetector(contamination=0.01).fit(names)
    assert detector.predict(asked).tolist() == [1] * 4 + [-1] * 4
    detector.set_params(per="character").fit(names)
    assert (detector.predict(asked)[:3] == -1).all()


def test_a_score_that_is_set_after_fit_waits_for_the_next_fit(words, tmp_path):
    detector = CharLMOutlierDetector(BigramCounter(), per="character", cv=2).fit(words)
    asked = [*words[:9], "zoë", "q" * 15]
    scores, labels = detector.score_samples(asked), detector.predict(asked)
    detector.set_params(per="word")
    for same in with_copies(detector, tmp_path / "model"):
        np.testing.assert_array_equal(same.score_samples(asked), scores)
        np.testing.assert_array_equal(same.predict(asked), labels)
    again = detector.fit(words).score_samples(asked)
    fresh = CharLMOutlierDetector(BigramCounter(), per="word", cv=2).fit(words)
    np.testing.assert_array_equal(again, fresh.score_samples(asked))
    assert not np.isclose(again, scores).any()


def test_impossible_words_are_outliers():
    words = ["anna", "nana", "anna", "xy", "na", "ana"]
    frozen = FrozenEstimator(BigramCounter(smoothing=0).fit(words))
    detector = CharLMOutlierDetector(frozen, contamination=0.5).fit(words)
    assert detector.predict(["xa", "anna"]).tolist()[0] == -1
    # Out of fold more than a tenth are impossible, and none more so than others.
    detector = CharLMOutlierDetector(BigramCounter(smoothing=0), cv=3)
    assert (detector.fit_predict(words) == 1).all() and np.isfinite(detector.offset_)


def test_characters_that_a_frozen_model_does_not_know_are_impossible():
    words = ["anna", "nana", "na", "ana", "nan"]
    frozen = FrozenEstimator(NGramCounter().fit(words))
    detector = CharLMOutlierDetector(frozen, contamination=0.2)
    labels = detector.fit_predict([*words[:4], "otto"])
    assert labels.tolist() == [1, 1, 1, 1, -1]
    expected = frozen.score_samples(["nan"]) + detector.mean_nll_ * 4
    np.testing.assert_allclose(
        detector.score_samples(["nan", "жук", "anx"]), [*expected, -1e300, -1e300]
    )


def test_scores_of_training_words_stand_in_their_rows(words):
    weights = np.arange(len(words)) % 3
    detector = CharLMOutlierDetector(BigramCounter(), cv=3)
    scores = detector.fit(words, sample_weight=weights).training_scores_
    assert np.isnan(scores).tolist() == (weights == 0).tolist()
    expected = detector.score_samples(words)[weights > 0]
    np.testing.assert_array_equal(scores[weights > 0], expected)


@pytest.mark.parametrize("contamination", [0.0, 0.6, "auto"])
def test_bad_contamination(contamination, words):
    with pytest.raises(ValueError, match="'contamination' parameter"):
        CharLMOutlierDetector(contamination=contamination).fit(words)


def test_inside_a_cross_validation(names):
    rng = np.random.RandomState(0)
    letters = list("abcdefghijklmnopqrstuvwxyz")
    strings = ["".join(rng.choice(letters, 12)) for _ in range(100)]
    words, y = [*names[:400], *strings], [1] * 400 + [-1] * 100
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    scores = cross_val_score(
        CharLMOutlierDetector(), words, y, cv=folds, scoring="roc_auc"
    )
    assert scores.min() > 0.95


BAD_WORD_SCORES = {
    "not as many": ("scores", np.zeros(1)),
    "not finite": ("scores", np.full(2, np.nan)),
    "no array": ("scores", 3.0),
    "not increasing": ("digests", np.array([2, 2], dtype=np.uint64)),
    "signed": ("digests", np.array([1, 2])),
    "two dimensions": ("digests", np.zeros((1, 2), dtype=np.uint64)),
    "texts": ("training_scores", np.array(["a", "b"])),
}


@pytest.mark.parametrize("name", BAD_WORD_SCORES)
def test_scores_of_words_that_are_none_are_not_restored(name):
    detector = CharLMOutlierDetector(BigramCounter(), cv=2).fit(["anna", "otto"])
    key, value = BAD_WORD_SCORES[name]
    with pytest.raises((TypeError, ValueError), match="scores|words"):
        clone(detector)._restore({**detector._kept(), key: value})


@pytest.mark.parametrize("offset", [np.nan, -np.inf, None, 1])
def test_an_offset_that_is_none_is_not_restored(offset, words):
    detector = CharLMOutlierDetector(BigramCounter(), cv=2).fit(words)
    with pytest.raises(ValueError, match="offset is"):
        clone(detector)._restore({**detector._kept(), "offset": offset})


@pytest.mark.parametrize("per", ["words", None])
def test_a_score_that_is_none_is_not_restored(per, words):
    detector = CharLMOutlierDetector(BigramCounter(), cv=2).fit(words)
    with pytest.raises(ValueError, match="per is"):
        clone(detector)._restore({**detector._kept(), "per": per})
