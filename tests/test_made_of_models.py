"""What the estimators made of models have in common: classes, features, outliers."""

import pickle
import warnings

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from estimators import ESTIMATORS
from sklearn import config_context
from sklearn.base import clone
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.exceptions import NotFittedError, SkipTestWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_checks, get_tags
from test_callbacks import Recorder
from test_common import DATA_FREE_CHECKS
from test_inputs_contract import BAD_WORDS
from test_interrupts import assert_interrupts_leave, interrupted_at

import sklearn_makemore
from sklearn_makemore import (
    BigramCounter,
    CharLMClassifier,
    CharLMFeatures,
    CharLMOutlierDetector,
    MixtureCharLM,
    MLPCharLM,
    NGramCounter,
)

BIGRAM = BigramCounter(handle_unknown="unk")
MADE = {
    "classifier": CharLMClassifier(BIGRAM, cv=2),
    "bayes": CharLMClassifier(BIGRAM, calibration=None),
    "features": CharLMFeatures(BIGRAM, cv=2),
    "outliers": CharLMOutlierDetector(BIGRAM, cv=2),
}
ANSWER = {
    CharLMClassifier: "predict_log_proba",
    CharLMFeatures: "transform",
    CharLMOutlierDetector: "decision_function",
}
over_all = pytest.mark.parametrize(
    "estimator", [pytest.param(model, id=name) for name, model in MADE.items()]
)


def answers(model, words):
    return np.asarray(getattr(model, ANSWER[type(model)])(words))


def ends_in_a_vowel(words):
    return np.array(["yes" if word[-1:] in "aeiouy" else "no" for word in words])


@pytest.fixture
def classes(words):
    """Two classes of words, which the models can tell apart in part."""
    return ends_in_a_vowel(words)


@over_all
@pytest.mark.parametrize("check", DATA_FREE_CHECKS)
def test_data_free_check_of_scikit_learn(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SkipTestWarning)
        getattr(estimator_checks, check)(type(estimator).__name__, clone(estimator))


@over_all
def test_life_of_a_fit(estimator, words, classes, tmp_path, monkeypatch):
    estimator = clone(estimator)
    before = estimator.get_params()
    tags = get_tags(estimator)
    assert tags.input_tags.string and tags.input_tags.one_d_array
    assert not tags.input_tags.two_d_array
    assert tags.target_tags.required == isinstance(estimator, CharLMClassifier)
    assert set(vars(estimator)) == set(estimator.get_params(deep=False))
    with pytest.raises(NotFittedError, match=type(estimator).__name__):
        answers(estimator, words)
    assert estimator.fit(words, classes) is estimator
    assert estimator.get_params() == before and not BIGRAM.__sklearn_is_fitted__()
    assert f"sklearn_makemore.{type(estimator).__name__}.html" in (
        estimator._repr_html_()
    )
    expected = answers(estimator, words)
    # What was fitted before is forgotten.
    used = clone(estimator).fit(["xyz", "zx", "qa", "ßo"], list("nnyy"))
    used.fit(words, classes)
    assert set(vars(used)) == set(vars(estimator))
    np.testing.assert_array_equal(answers(used, words), expected)
    # It is saved, with the package's version.
    joblib.dump(estimator, tmp_path / "model")
    np.testing.assert_array_equal(
        answers(joblib.load(tmp_path / "model"), words), expected
    )
    monkeypatch.setattr(sklearn_makemore, "__version__", "0.0.7")
    state = pickle.dumps(estimator)
    monkeypatch.undo()
    with pytest.warns(UserWarning, match=r"saved by sklearn_makemore\s+0\.0\.7"):
        pickle.loads(state)


@over_all
def test_bad_words_are_refused_as_by_the_models(estimator, words, classes):
    model = clone(estimator)
    for bad, kind, message in BAD_WORDS.values():
        with pytest.raises(kind, match=message):
            model.fit(bad, classes)
    assert not model.__sklearn_is_fitted__()
    model.fit(words, classes)
    for bad, kind, message in BAD_WORDS.values():
        with pytest.raises(kind, match=message):
            answers(model, bad)


@over_all
def test_columns_of_frames_are_words(estimator, words, classes):
    expected = answers(clone(estimator).fit(words, classes), words[:9])
    for column in pd.Series(words, index=range(7, 7 + len(words))), pl.Series(words):
        model = clone(estimator).fit(column, type(column)(classes.tolist()))
        np.testing.assert_array_equal(answers(model, column[:9]), expected)


@over_all
@pytest.mark.parametrize("what", [LogisticRegression(), "bigram", 3, BigramCounter])
def test_what_is_no_character_model_is_refused(estimator, what, words, classes):
    model = clone(estimator).set_params(estimator=what)
    with pytest.raises(TypeError, match="`estimator` must be a character model.*got"):
        model.fit(words, classes)
    assert not model.__sklearn_is_fitted__()


@over_all
def test_parameters_of_the_model_are_set_through_it(estimator, words, classes):
    model = clone(estimator).set_params(estimator__smoothing=50.0)
    assert BIGRAM.smoothing == 1.0
    smooth = answers(model.fit(words, classes), words[:9])
    assert (
        np.abs(
            smooth
            - answers(model.set_params(estimator=BIGRAM).fit(words, classes), words[:9])
        ).max()
        > 0.1
    )
    with pytest.raises(ValueError, match="Invalid parameter 'depth'"):
        model.set_params(estimator__depth=3)


@over_all
def test_a_weight_of_two_is_the_word_twice(estimator, words, classes):
    weights = 1 + np.arange(len(words)) % 2
    # Copies behind: the folds are cut from the order of the distinct words.
    twice = [*words, *np.array(words)[weights == 2]]
    of_twice = [*classes, *classes[weights == 2]]
    weighted = clone(estimator).fit(words, classes, sample_weight=weights)
    repeated = clone(estimator).fit(twice, of_twice)
    np.testing.assert_allclose(
        answers(weighted, words), answers(repeated, words), rtol=1e-3, atol=1e-4
    )
    with pytest.raises(ValueError, match="inconsistent|shape|same length"):
        clone(estimator).fit(words, classes, sample_weight=weights[1:])


@over_all
def test_weights_are_routed(estimator, words, classes):
    weights = np.where(classes == "yes", 5.0, 1.0)
    with config_context(enable_metadata_routing=True):
        routed = clone(estimator).set_fit_request(sample_weight=True)
        pipeline = make_pipeline(routed).fit(words, classes, sample_weight=weights)
    expected = clone(estimator).fit(words, classes, sample_weight=weights)
    np.testing.assert_array_equal(
        answers(pipeline[-1], words), answers(expected, words)
    )


@over_all
def test_callbacks_see_every_fit(estimator, words, classes, capsys):
    pytest.importorskip("rich", reason="the progress bar draws with rich")
    model = clone(estimator).set_callbacks(ProgressBar(max_propagation_depth=None))
    model.fit(words, classes)
    shown = capsys.readouterr().out
    assert type(estimator).__name__ in shown and "BigramCounter" in shown
    assert "100%" in shown
    monitor = ScoringMonitor(scoring={"answer": first_answer})
    model = clone(estimator).set_callbacks(monitor).fit(words, classes)
    (whole,) = (row for row in monitor.get_logs().data if row["task_name"] == "fit")
    assert whole["answer"] == first_answer(model, words)
    # The models tell their own callbacks.
    recorder = Recorder()
    model = clone(estimator)
    model.estimator.set_callbacks(recorder)
    model.fit(words, classes)
    n_fits = {"classifier": 2 * 2 * 3, "bayes": 2, "features": 1, "outliers": 3}
    (name,) = (name for name, made in MADE.items() if made is estimator)
    assert recorder.tasks.count("setup") == n_fits[name]
    assert recorder.tasks.count("teardown") == n_fits[name]


def first_answer(estimator, words, y=None):
    return float(answers(estimator, words)[0].ravel()[0])


@over_all
def test_ctrl_c_leaves_the_estimator_as_it_was(estimator, words, classes):
    model = clone(estimator)
    with interrupted_at(None) as called:
        clone(model).fit(words, classes)
    with pytest.raises(KeyboardInterrupt), interrupted_at(len(called) // 2):
        model.fit(words, classes)
    assert set(vars(model)) == set(model.get_params(deep=False))
    model.fit(words[:90], classes[:90])
    before = answers(model, words).tolist()
    assert_interrupts_leave(
        model,
        lambda model: model.fit(words, classes),
        vars(model).keys(),
        lambda model: answers(model, words).tolist() == before,
    )


def test_seeded_networks_are_the_same_for_any_number_of_workers(words, classes):
    net = MLPCharLM(n_embd=2, n_hidden=4, max_epochs=1, random_state=0)
    model = CharLMClassifier(net, calibration=None)
    one = clone(model).fit(words, classes)
    two = clone(model).set_params(n_jobs=2).fit(words, classes)
    np.testing.assert_array_equal(answers(one, words), answers(two, words))


@pytest.mark.parametrize(
    "kind, name",
    [
        (CharLMClassifier, "mixture"),
        (CharLMFeatures, "mixture"),
        (CharLMOutlierDetector, "transformer"),
    ],
)
def test_every_kind_of_model_will_do(kind, name, words):
    if name == "mixture":
        inner = MixtureCharLM([("one", BigramCounter()), ("two", NGramCounter(3))])
        inner.set_params(random_state=0)
    else:
        inner = clone(ESTIMATORS[name]).set_params(max_epochs=1, block_size=None)
    # One fold has the longest word and the only "q", and nobody has seen the "ß".
    odd = [*words, "q" * 40]
    model = kind(inner.set_params(handle_unknown="unk"), cv=2)
    model.fit(odd, ends_in_a_vowel(odd))
    assert np.isfinite(answers(model, ["anna", "q" * 41, "", "straße"])).all()


@pytest.mark.parametrize("kind", ANSWER)
def test_the_folds_of_a_model_that_knows_no_unknown(kind, words, classes):
    odd = [*words, "xerxès"]
    model = kind(BigramCounter(), cv=3).fit(odd, ends_in_a_vowel(odd))
    with pytest.raises(ValueError, match="not in the alphabet"):
        answers(model, ["straße"])
    model = kind(BigramCounter(alphabet="an"))
    with pytest.raises(ValueError, match=r"index 2 .*not in the alphabet: \['o'\]"):
        model.fit(["anna", "na", "anno"], ["yes", "yes", "yes"])
