"""Inside scikit-learn: searches, curves, pipelines, reprs, metadata routing."""

import io

import joblib
import numpy as np
import pytest
from estimators import CLASSES, ESTIMATORS, adapted, over, plain_parameters
from sklearn import config_context
from sklearn.base import clone
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    KFold,
    cross_val_score,
    cross_validate,
    learning_curve,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_makemore import BigramCounter, MLPCharLM, NGramCounter, WaveNetCharLM

LETTERS = "abcdefghijklmnopqrstuvwxyz"
FOLDS = KFold(3, shuffle=True, random_state=0)
IN_FEW_STEPS = adapted(CLASSES, batch_size=None, max_epochs=6)


def with_all_letters(estimator):
    return clone(estimator).set_params(alphabet=LETTERS)


def mean_nll_by_hand(estimator, words):
    """Mean over the folds of the NLL on the words held out."""
    words = np.array(words)
    nlls = []
    for train, test in FOLDS.split(words):
        model = clone(estimator).fit(words[train])
        n_predicted = sum(len(word) + 1 for word in words[test])
        nlls.append(-model.score_samples(words[test]).sum() / n_predicted)
    return np.mean(nlls)


def short_words_count_more(words):
    return np.where([len(word) < 4 for word in words], 20.0, 1.0)


def clean(words):
    return [word.strip().lower() for word in words]


def test_a_search_picks_the_lowest_nll(words):
    smoothings = [0.001, 0.1, 1.0, 10.0, 1000.0]
    estimator = BigramCounter(alphabet=LETTERS)
    search = GridSearchCV(estimator, {"smoothing": smoothings}, cv=FOLDS).fit(words)
    nlls = [
        mean_nll_by_hand(BigramCounter(smoothing, alphabet=LETTERS), words)
        for smoothing in smoothings
    ]
    # The search maximises, so the scores are the NLL with the sign turned.
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], np.negative(nlls))
    best = int(np.argmin(nlls))
    assert 0 < best < len(smoothings) - 1  # either end would prove little
    assert search.best_params_ == {"smoothing": smoothings[best]}
    assert search.best_score_ == pytest.approx(-min(nlls))
    assert search.score(words) == search.best_estimator_.score(words)
    np.testing.assert_array_equal(
        search.score_samples(words[:3]), search.best_estimator_.score_samples(words[:3])
    )
    assert search.best_estimator_.sample(2, random_state=0)


def test_a_search_over_nets_picks_the_lowest_nll(words):
    estimator = with_all_letters(ESTIMATORS["mlp"])
    search = GridSearchCV(
        estimator, {"lr": [1e-6, 0.03], "n_hidden": [4]}, cv=FOLDS, error_score="raise"
    ).fit(words)
    assert search.best_params_ == {"lr": 0.03, "n_hidden": 4}
    expected = mean_nll_by_hand(search.best_estimator_, words)
    assert search.best_score_ == pytest.approx(-expected, abs=1e-6)


@pytest.mark.parametrize("kind", [MLPCharLM, WaveNetCharLM])
def test_halving_over_epochs(kind, words):
    estimator = kind(n_embd=3, n_hidden=6, alphabet=LETTERS, random_state=0)
    search = HalvingGridSearchCV(
        estimator,
        {"lr": [1e-6, 0.01, 0.03]},
        resource="max_epochs",
        min_resources=1,
        max_resources=3,
        factor=3,
        cv=FOLDS,
        random_state=0,
        error_score="raise",
    ).fit(words)
    assert search.n_resources_ == [1, 3]
    assert search.best_params_["max_epochs"] == 3
    assert search.best_params_["lr"] > 1e-6
    assert len(search.best_estimator_.history_) == 3


def test_halving_over_words(words):
    search = HalvingGridSearchCV(
        BigramCounter(alphabet=LETTERS),
        {"smoothing": [0.1, 1e6]},
        cv=FOLDS,
        random_state=0,
        error_score="raise",
    ).fit(words)
    assert search.best_params_ == {"smoothing": 0.1}


@over(IN_FEW_STEPS)
def test_cross_validation(estimator, words):
    estimator = with_all_letters(estimator)
    result = cross_validate(
        estimator, words, cv=FOLDS, return_train_score=True, error_score="raise"
    )
    assert result["test_score"].shape == (3,)
    expected = mean_nll_by_hand(estimator, words)
    assert result["test_score"].mean() == pytest.approx(-expected, abs=1e-6)
    assert result["train_score"].mean() > result["test_score"].mean()


def test_folds_without_a_letter_ask_for_an_alphabet(words):
    words = [*words, "xerxès"]
    with pytest.raises(ValueError, match="not in the alphabet.*handle_unknown='unk'"):
        GridSearchCV(BigramCounter(), {}, cv=FOLDS, error_score="raise").fit(words)
    search = GridSearchCV(
        BigramCounter(handle_unknown="unk"), {}, cv=FOLDS, error_score="raise"
    )
    assert np.isfinite(search.fit(words).best_score_)


def test_learning_curve(words):
    sizes, train_scores, test_scores = learning_curve(
        NGramCounter(3, discounts="closed-form", alphabet=LETTERS),
        words,
        None,
        train_sizes=[10, 25, 50],
        cv=FOLDS,
        error_score="raise",
    )
    assert sizes.tolist() == [10, 25, 50]
    # More words: the models overfit less.
    assert (np.diff(test_scores.mean(axis=1)) > 0).all()
    assert (np.diff(train_scores.mean(axis=1)) < 0).all()


@over(CLASSES)
def test_pipeline_that_cleans_the_words_first(estimator, words, fit_once):
    dirty = [f"  {word.upper()} " for word in words]
    pipeline = make_pipeline(FunctionTransformer(clean), clone(estimator)).fit(dirty)
    expected = fit_once(estimator, words)
    assert pipeline.score(dirty) == expected.score(words)
    np.testing.assert_array_equal(
        pipeline.score_samples(dirty), expected.score_samples(words)
    )
    np.testing.assert_array_equal(
        pipeline.predict_proba([" AN"]), expected.predict_proba(["an"])
    )
    assert pipeline[-1].sample(3, random_state=0) == expected.sample(3, random_state=0)


@pytest.mark.joblib
@pytest.mark.slow
def test_search_over_a_pipeline_in_two_processes(words):
    pipeline = Pipeline(
        [
            ("clean", FunctionTransformer(clean)),
            ("model", NGramCounter(alphabet=LETTERS)),
        ]
    )
    search = GridSearchCV(
        pipeline, {"model__order": [1, 3]}, cv=FOLDS, n_jobs=2, error_score="raise"
    ).fit([word.title() for word in words])
    assert search.best_params_ == {"model__order": 3}
    file = io.BytesIO()
    joblib.dump(search, file)
    file.seek(0)
    again = joblib.load(file)
    assert again.score(["Anna"]) == search.score(["anna"])


@over(ESTIMATORS)
def test_clone_copies_parameters_only(estimator, words, fit_once):
    model = fit_once(estimator, words)
    copied = clone(model)
    assert plain_parameters(copied) == plain_parameters(model)
    assert not copied.__sklearn_is_fitted__()


@over(CLASSES)
def test_html_repr_links_to_the_documentation(estimator, words, fit_once):
    html = fit_once(estimator, words)._repr_html_()
    name = type(estimator).__name__
    link = f"https://sklearn-makemore.readthedocs.io/en/stable/generated/sklearn_makemore.{name}.html"
    assert link in html
    assert "Fitted" in html


def test_repr_shows_what_is_not_the_default():
    assert repr(BigramCounter(smoothing=0.1)) == "BigramCounter(smoothing=0.1)"
    assert repr(MLPCharLM(n_layers=2)) == "MLPCharLM(n_layers=2)"


# That weights count in `fit` and `score` of every model is tested elsewhere.
WITH_WEIGHTS = {
    name: IN_FEW_STEPS[name]
    for name in ("bigram", "kneser-ney-3", "mlp", "gru", "mixture")
}


@pytest.mark.slow
@over(WITH_WEIGHTS)
def test_sample_weight_in_a_search(estimator, words):
    weights = short_words_count_more(words)
    model = with_all_letters(estimator)
    search = GridSearchCV(model, {}, cv=FOLDS, error_score="raise", refit=False)
    search.fit(words, sample_weight=weights)
    expected = []
    for train, test in FOLDS.split(words):
        fold = clone(model).fit(np.take(words, train), sample_weight=weights[train])
        expected.append(fold.score(np.take(words, test), sample_weight=weights[test]))
    found = [search.cv_results_[f"split{i}_test_score"][0] for i in range(3)]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    unweighted = cross_val_score(model, words, cv=FOLDS)
    assert np.abs(unweighted - found).max() > 0.01


@pytest.mark.slow
@over(WITH_WEIGHTS)
def test_sample_weight_is_routed_where_it_is_asked_for(estimator, words):
    weights = short_words_count_more(words)
    with config_context(enable_metadata_routing=True):
        model = with_all_letters(estimator)
        fit_only = clone(model).set_fit_request(sample_weight=True)
        fit_only.set_score_request(sample_weight=False)
        both = clone(fit_only).set_score_request(sample_weight=True)
        scores = [
            GridSearchCV(routed, {}, cv=FOLDS, error_score="raise", refit=False)
            .fit(words, sample_weight=weights)
            .best_score_
            for routed in (fit_only, both)
        ]
        assert abs(scores[0] - scores[1]) > 1e-3
        pipeline = make_pipeline(FunctionTransformer(clean), both)
        pipeline.fit(words, sample_weight=weights)
        expected = clone(model).fit(words, sample_weight=weights)
        assert pipeline.score(words, sample_weight=weights) == expected.score(
            words, sample_weight=weights
        )
        with pytest.raises(ValueError, match="sample_weight.*not.*set_fit_request"):
            GridSearchCV(model, {}, cv=FOLDS).fit(words, sample_weight=weights)
