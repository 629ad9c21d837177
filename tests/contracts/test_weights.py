"""Weights of words of any size: what counts is how they compare, within reason."""

import numpy as np
import pytest
from estimators import CLASSES, COUNTERS, NETS, over
from sklearn import config_context
from sklearn.base import clone

from sklearn_makemore import BigramCounter, NGramCounter

TINY, LARGE = [1e-300, 1e-9], [1e9, 1e305]
SOME = {name: NETS[name] for name in ("mlp-deep", "wavenet")}


def n_steps(model):
    """Optimiser steps that a net has taken."""
    (steps,) = {int(state["step"]) for state in model.net_.optimizer_.state.values()}
    return steps


@pytest.fixture(scope="module")
def few_words(words):
    return words[:30]


def with_large_batches(estimator):
    return clone(estimator).set_params(max_epochs=4, batch_size=256)


def n_distinct_pairs(words, block_size):
    """How many pairs of a window and its next character are different."""
    pairs = set()
    for word in words:
        padded = "\0" * block_size + word + "\0"
        pairs |= {padded[i : i + block_size + 1] for i in range(len(word) + 1)}
    return len(pairs)


@pytest.mark.parametrize("weight", TINY + LARGE)
@over(SOME)
def test_a_net_learns_from_weights_of_any_size(estimator, weight, few_words):
    model = with_large_batches(estimator)
    model.fit(few_words, sample_weight=np.full(len(few_words), weight))
    # An epoch is neither shorter than the distinct pairs of a window and the character
    # after it, nor longer than a hundred times these.
    n_batches = n_distinct_pairs(few_words, model.block_size_) / model.batch_size
    assert n_batches / 2 < n_steps(model) / model.max_epochs < 100 * n_batches + 1
    assert model.nll(few_words) < np.log(len(model.symbols_)) - 0.01
    assert np.isfinite(model.history_[0]["train_loss"])
    model.partial_fit(few_words, sample_weight=np.full(len(few_words), weight))
    assert np.isfinite(model.score(few_words))


@over(SOME)
def test_beyond_reason_weights_are_relative(estimator, few_words):
    relative = np.linspace(0.5, 2, len(few_words))
    for extremes in (TINY, LARGE):
        scores = [
            with_large_batches(estimator)
            .fit(few_words, sample_weight=relative * weight)
            .score_samples(few_words)
            for weight in extremes
        ]
        for others in scores[1:]:
            np.testing.assert_allclose(others, scores[0], atol=1e-3)


@over(SOME)
def test_one_word_of_all_the_weight(estimator, few_words):
    for least, most in ((1.0, 1e12), (1e-300, 1.0)):
        weights = np.full(len(few_words), least)
        weights[7] = most
        model = clone(estimator).set_params(max_epochs=5)
        model.fit(few_words, sample_weight=weights)
        assert n_steps(model) < 5 * 100 * 10
        scores = model.score_samples(few_words) / [len(w) + 1 for w in few_words]
        assert scores.argmax() == 7
        assert np.isfinite(scores).all()


@over(SOME)
@pytest.mark.parametrize("scale", [1e-10, 1e-3, 0.37, 1e3])
def test_what_is_kept_for_the_unknown_has_no_scale(estimator, scale, words):
    # Fractional weights do not count how often a character was seen.
    model = clone(estimator).set_params(handle_unknown="unk", max_epochs=1)
    relative = np.linspace(0.5, 1.5, len(words))
    unweighted = clone(model).fit(words).unknown_proba_
    model.fit(words, sample_weight=scale * relative)
    assert model.unknown_proba_ == pytest.approx(unweighted, rel=0.5)
    assert 0 < unweighted < 0.01


UNSMOOTHED = {
    "bigram": BigramCounter(smoothing=0),
    "additive": NGramCounter(3, smoothing="additive", alpha=0, match_lengths=False),
}


@over(UNSMOOTHED)
@pytest.mark.parametrize("weight", [1e-300, 2.0**62, 1e19, 1e300])
def test_counts_without_smoothing_are_relative(estimator, weight, words):
    weights = np.full(len(words), weight)
    once = clone(estimator).fit(words)
    model = clone(estimator).fit(words, sample_weight=weights)
    expected = once.score_samples(words)
    np.testing.assert_allclose(model.score_samples(words), expected, rtol=1e-9)
    model.partial_fit(words, sample_weight=weights)
    np.testing.assert_allclose(model.score_samples(words), expected, rtol=1e-9)


@over(COUNTERS)
def test_counts_beyond_the_integers(estimator, words):
    # Smoothing is lost beside counts of 2**40 or 2**62; sums of these overflow int64.
    once, huge = (
        clone(estimator).fit(words, sample_weight=np.full(len(words), weight))
        for weight in (2.0**40, 2.0**62)
    )
    np.testing.assert_allclose(
        huge.predict_proba(words), once.predict_proba(words), atol=1e-8
    )
    assert huge.sample(20, random_state=0) == once.sample(20, random_state=0)
    huge.partial_fit(words, sample_weight=np.full(len(words), 2.0**62))
    np.testing.assert_allclose(
        huge.predict_proba(words), once.predict_proba(words), atol=1e-8
    )


@over(COUNTERS)
def test_two_halves_that_overflow_together(estimator):
    # Each half is whole numbers below 2**63, and their sum is not.
    halves = clone(estimator)
    for _ in range(3):
        halves.partial_fit(["ab", "b"], sample_weight=[2.0**61, 2.0**61])
    whole = clone(estimator).fit(["ab", "b"], sample_weight=[1.5 * 2.0**62] * 2)
    np.testing.assert_allclose(
        halves.predict_proba(["", "a", "b"]), whole.predict_proba(["", "a", "b"])
    )


@over(CLASSES)
def test_words_are_not_metadata(estimator):
    # Of the arguments of the methods, only weights can be routed.
    requests = clone(estimator).get_metadata_routing()
    asked = {
        method: set(getattr(requests, method).requests)
        for method in ("fit", "partial_fit", "score", "predict_proba")
    }
    weights = {"sample_weight"}
    assert asked == {
        "fit": weights,
        "partial_fit": weights,
        "score": weights,
        "predict_proba": set(),
    }
    with config_context(enable_metadata_routing=True):
        model = clone(estimator).set_fit_request(sample_weight=True)
        for setter in (model.set_fit_request, model.set_score_request):
            with pytest.raises(TypeError, match="words"):
                setter(words=True)
        assert not hasattr(model, "set_predict_proba_request")
