"""The contract every model keeps: probabilities that are some, and scores of them."""

import itertools

import numpy as np
import pytest
from estimators import (
    CLASSES,
    COUNTERS,
    ESTIMATORS,
    KINDS,
    NETS,
    TINY_WORDS,
    over,
    text_symbols,
    words_by_length,
)
from sklearn.base import clone

from sklearn_makemore import BigramCounter, NGramCounter
from sklearn_makemore._methods import likelihood as _likelihood

MAX_LENGTH = 4


# The three ways to have symbols: as seen, given, with one for unknown characters.
VOCABULARIES = {}, {"alphabet": "dcba"}, {"handle_unknown": "unk"}
UNFITTED = {
    id(model): [clone(model).set_params(**symbols) for symbols in VOCABULARIES]
    for model in ESTIMATORS.values()
}


@pytest.fixture
def models(estimator, fit_once):
    """The estimator of a test, fitted on the tiny words in each of the three ways."""
    return [fit_once(model, TINY_WORDS) for model in UNFITTED[id(estimator)]]


# Weights are summed before symbols are looked up: by counters, networks and mixtures.
WITH_UNKNOWN = {
    name: clone(ESTIMATORS[name]).set_params(handle_unknown="unk")
    for name in ("bigram", "kneser-ney-3", "mlp", "wavenet", "gru", "mixture")
}


def tolerance_of(model):
    # Networks compute in float32, and the rows of another batch are rounded otherwise.
    is_exact = isinstance(model, (BigramCounter, NGramCounter))
    return 1e-12 if is_exact else 1e-6


def chained_proba(model, words):
    """Probabilities of words, character by character, from `predict_proba` alone."""
    columns = {symbol: i for i, symbol in enumerate(model.symbols_)}
    unknown = columns.get("<unk>")
    prefixes = [word[:i] for word in words for i in range(len(word) + 1)]
    nexts = [
        columns.get(character, unknown) for word in words for character in [*word, ""]
    ]
    proba = model.predict_proba(prefixes)[range(len(nexts)), nexts]
    starts = np.flatnonzero([prefix == "" for prefix in prefixes])
    return np.multiply.reduceat(proba, starts)


@over(ESTIMATORS)
def test_scoring_part_by_part_changes_nothing(estimator, words, fit_once, monkeypatch):
    model = fit_once(estimator, words)
    weights = np.arange(len(words)) % 3
    expected = model.score_samples(words)
    nll = model.nll(words), model.nll(words, weights)
    monkeypatch.setattr(_likelihood, "SCORING_CHUNK_SIZE", 11)
    assert len(list(model.vocabulary_.encode(words).chunks(11))) > 10
    np.testing.assert_allclose(
        model.score_samples(words), expected, rtol=tolerance_of(model)
    )
    assert nll == pytest.approx(
        (model.nll(words), model.nll(words, weights)), rel=tolerance_of(model)
    )


@over(ESTIMATORS)
def test_all_words_and_unfinished_prefixes_have_mass_one(models):
    for model in models:
        levels = words_by_length(text_symbols(model), MAX_LENGTH)
        finished = np.exp(model.score_samples(sum(levels, []))).sum()
        longest = levels[-1]
        ends = model.predict_proba(longest)[:, 0]
        # A prefix that is ended with p and went unfinished with 1 - p.
        unfinished = np.exp(model.score_samples(longest)) * (1 - ends) / ends
        total = finished + unfinished.sum()
        assert total == pytest.approx(1, abs=tolerance_of(model))
        assert 0 < unfinished.sum() < 0.9


@over(ESTIMATORS)
def test_score_samples_is_the_product_of_predict_proba(models):
    for model in models:
        asked = sum(words_by_length(text_symbols(model), 3), [])
        asked += ["abcabcabcabc", "aaaaaaaaaaaaaaaaaaaa", "ccccccb"]
        expected = np.log(chained_proba(model, asked))
        np.testing.assert_allclose(
            model.score_samples(asked), expected, atol=10 * tolerance_of(model)
        )


@over(ESTIMATORS)
def test_predict_proba_has_a_distribution_a_row(models):
    for model in models:
        prefixes = ["", "a", "ab", "abcab", "a", "c" * 30]
        proba = model.predict_proba(prefixes)
        assert proba.shape == (len(prefixes), len(model.symbols_))
        assert proba.dtype == np.float64
        assert (proba > 0).all()
        np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-12)
        np.testing.assert_allclose(proba[1], proba[4], atol=1e-12)
        for prefix, row in zip(prefixes, proba, strict=True):
            np.testing.assert_allclose(
                model.predict_proba([prefix])[0], row, atol=tolerance_of(model)
            )


@over(ESTIMATORS)
def test_columns_are_the_end_then_the_characters(estimator):
    model = clone(estimator).set_params(alphabet="dcba", handle_unknown="unk")
    if "max_epochs" in model.get_params():
        model.set_params(max_epochs=40, batch_size=None)
    # Nearly every word is "b", so the columns cannot be mistaken.
    model.fit(["b"] * 200 + ["a", "c"])
    assert model.symbols_ == ["", "a", "b", "c", "d", "<unk>"]
    start, end = model.predict_proba(["", "b"])
    sees_the_start = getattr(model, "order", 2) > 1 or model.match_lengths
    assert start.argmax() == (2 if sees_the_start else 0)
    assert end.argmax() == 0


@over(ESTIMATORS)
def test_score_is_the_mean_over_predicted_characters(estimator, words, fit_once):
    model = fit_once(estimator, words)
    asked = ["anna", "", "li", "alexandrina"]
    log_proba = model.score_samples(asked)
    assert log_proba.shape == (4,) and log_proba.dtype == np.float64
    n_predicted = sum(len(word) + 1 for word in asked)
    score = model.score(asked)
    assert isinstance(score, float)
    assert score == pytest.approx(log_proba.sum() / n_predicted, rel=1e-9)
    assert score < 0
    assert model.nll(asked) == -score
    assert model.perplexity(asked) == pytest.approx(np.exp(-score))
    # 27 symbols at most: guessing blindly has a perplexity of their number.
    assert 1 < model.perplexity(words) < len(model.symbols_)


@over(ESTIMATORS)
def test_weights_of_a_score_weigh_predicted_characters(estimator, words, fit_once):
    model = fit_once(estimator, words)
    asked, weights = ["anna", "", "alexandrina"], np.array([2.0, 0.5, 0.0])
    n_predicted = np.array([len(word) + 1 for word in asked])
    expected = weights @ model.score_samples(asked) / (weights @ n_predicted)
    for weighted in (weights, weights.tolist(), weights.astype(np.float32)):
        assert model.score(asked, sample_weight=weighted) == pytest.approx(expected)
    assert model.nll(asked, sample_weight=weights) == pytest.approx(-expected)
    assert model.perplexity(asked, sample_weight=weights) == pytest.approx(
        np.exp(-expected)
    )
    repeated = model.score(["li", "li", "li", "anna"])
    assert model.score(["li", "anna"], sample_weight=[3, 1]) == pytest.approx(repeated)


@over(ESTIMATORS)
def test_every_word_of_known_letters_has_a_finite_score(estimator, words, fit_once):
    model = fit_once(estimator, words)
    letters = model.symbols_[1:]
    asked = ["", "z" * 200, "".join(letters), "".join(letters[::-1])]
    asked += [a + b + c for a, b, c in itertools.product(letters, "xzj", letters)]
    assert np.isfinite(model.score_samples(asked)).all()
    assert np.isfinite(model.score(asked))


@pytest.mark.parametrize(
    "model",
    [
        BigramCounter(smoothing=0),
        NGramCounter(order=3, smoothing="additive", alpha=0),
    ],
    ids=str,
)
def test_without_smoothing_the_unseen_is_impossible(model):
    model.fit(["ab", "ab", "cd"])
    np.testing.assert_array_equal(model.score_samples(["b", "", "ad"]), -np.inf)
    assert np.isfinite(model.score_samples(["ab", "cd"])).all()
    assert model.score(["ab", "b"]) == -np.inf
    assert model.nll(["b"]) == model.perplexity(["b"]) == np.inf
    # What does not count may be impossible.
    assert np.isfinite(model.score(["ab", "b"], sample_weight=[1, 0]))
    drawn = model.sample(500, max_length=30, random_state=0)
    assert np.isfinite(model.score_samples(drawn)).all()
    proba = model.predict_proba(["", "a", "ab", "bb"])
    np.testing.assert_allclose(proba.sum(axis=1), 1)


@over(ESTIMATORS)
def test_learning_makes_the_words_likely(estimator, words, fit_once):
    model = fit_once(estimator, words)
    assert model.nll(words) < np.log(len(model.symbols_)) - 0.1
    strange = ["".join(sorted(word, reverse=True)) for word in words]
    if getattr(model, "order", None) != 1:  # a unigram knows nothing of order
        assert model.nll(words) < model.nll(strange)


@over(ESTIMATORS)
def test_scores_are_of_the_word_not_of_its_neighbours(estimator, words, fit_once):
    model = fit_once(estimator, words)
    tolerance = 20 * tolerance_of(model)
    together = model.score_samples(words)
    order = np.random.RandomState(0).permutation(len(words))[:60]
    some = model.score_samples([words[i] for i in order])
    np.testing.assert_allclose(some, together[order], atol=tolerance)
    one_by_one = [model.score_samples([word])[0] for word in words[:10]]
    np.testing.assert_allclose(one_by_one, together[:10], atol=tolerance)


@over(ESTIMATORS)
def test_order_of_the_training_words_is_of_no_account(estimator, words, fit_once):
    # Networks are trained on distinct contexts with counts, in an order of their own.
    order = np.random.RandomState(0).permutation(len(words))
    reordered = clone(estimator).fit([words[i] for i in order])
    expected = fit_once(estimator, words)
    np.testing.assert_array_equal(
        reordered.score_samples(words), expected.score_samples(words)
    )


@over(COUNTERS)
@pytest.mark.parametrize("unknown", ["error", "unk"])
def test_weight_of_a_word_in_a_counter_is_repetition(estimator, words, unknown):
    estimator = clone(estimator).set_params(handle_unknown=unknown)
    weights = np.random.RandomState(0).randint(1, 4, size=len(words))
    weighted = clone(estimator).fit(words, sample_weight=weights)
    repeated = clone(estimator).fit(np.repeat(words, weights))
    asked = words + ["", "zzz"]
    np.testing.assert_array_equal(
        weighted.score_samples(asked), repeated.score_samples(asked)
    )


@over(NETS)
def test_weight_of_a_word_in_a_net_is_repetition(estimator, words, fit_once):
    asked = words + ["", "zzz", "zz"]
    expected = assert_weights_repeat(estimator, words, asked)
    unweighted = fit_once(estimator, words)
    assert np.abs(unweighted.score_samples(asked) - expected).max() > 1e-2


@over(KINDS)
def test_weight_of_an_unknown_word_in_a_net_is_repetition(estimator, words):
    estimator = clone(estimator).set_params(handle_unknown="unk")
    assert_weights_repeat(estimator, words, words + ["", "zzz", "?"])


def assert_weights_repeat(estimator, words, asked):
    """Fit weighted and repeated words, and return the scores of the latter."""
    weights = np.random.RandomState(0).randint(1, 4, size=len(words))
    weighted = clone(estimator).fit(words, sample_weight=weights)
    repeated = clone(estimator).fit(np.repeat(words, weights))
    expected = repeated.score_samples(asked)
    np.testing.assert_allclose(weighted.score_samples(asked), expected, atol=1e-4)
    return expected


@over(ESTIMATORS)
def test_weight_zero_is_absence(estimator, words, fit_once):
    assert_zero_is_absence(estimator, words, fit_once)


@over(WITH_UNKNOWN)
def test_weight_zero_is_absence_of_what_is_unknown(estimator, words, fit_once):
    assert_zero_is_absence(estimator, words, fit_once)


def assert_zero_is_absence(estimator, words, fit_once):
    extra = ["ßß", "qqqqq", "xxjjqq", "zzzzzzzzzzzzzzzzz"]
    weights = np.repeat([1.0, 0.0], [len(words), len(extra)])
    zero = clone(estimator).fit(words + extra, sample_weight=weights)
    absent = fit_once(estimator, words)
    # Not even its letters are seen, nor its length.
    assert zero.symbols_ == absent.symbols_ and "ß" not in zero.symbols_
    assert zero.longest_word_ == absent.longest_word_
    asked = words + ["jj", "zzz"]
    np.testing.assert_allclose(
        zero.score_samples(asked), absent.score_samples(asked), atol=1e-9
    )
    np.testing.assert_allclose(
        zero.predict_proba(["", "z"]), absent.predict_proba(["", "z"]), atol=1e-9
    )


BAD_WEIGHTS = {
    "too few": [1.0, 1.0],
    "too many": [1.0] * 4,
    "a column": [[1.0], [1.0], [1.0]],
    "negative": [1.0, -1.0, 1.0],
    "NaN": [1.0, np.nan, 1.0],
    "infinite": [1.0, np.inf, 1.0],
    "all zero": [0.0, 0.0, 0.0],
}


@over(CLASSES)
@pytest.mark.parametrize("bad", BAD_WEIGHTS)
def test_bad_weights_are_refused(estimator, bad, fitted_copy):
    words, weights = ["ab", "ba", "b"], BAD_WEIGHTS[bad]
    model = fitted_copy(estimator, words)
    before = model.score_samples(words).tolist()
    for verb in (model.fit, model.partial_fit, model.score, model.nll):
        with pytest.raises(ValueError, match="(?i)weight"):
            verb(words, sample_weight=weights)
    assert model.score_samples(words).tolist() == before
