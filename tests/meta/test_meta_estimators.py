"""What the meta-estimators have in common: classes, features, outliers."""

import os
import pickle
import warnings

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from bad_words import BAD_WORDS
from estimators import DATA_FREE_CHECKS, ESTIMATORS
from interrupts import assert_interrupts_leave, interrupted_at
from recorder import Recorder
from sklearn import config_context
from sklearn.base import clone
from sklearn.callback import FitCallback, ProgressBar, ScoringMonitor
from sklearn.exceptions import NotFittedError, SkipTestWarning
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_checks, get_tags
from sklearn.utils._param_validation import InvalidParameterError

import sklearn_makemore
from sklearn_makemore import (
    BigramCounter,
    BoWCharLM,
    CharLMClassifier,
    CharLMFeatures,
    CharLMOutlierDetector,
    ConditionalCharLM,
    MixtureCharLM,
    MLPCharLM,
    NGramCounter,
    TransformerCharLM,
)
from sklearn_makemore._meta import calibration as _calibration
from sklearn_makemore._training import checkpoint as _checkpoint

BIGRAM = BigramCounter(handle_unknown="unk")
META_ESTIMATORS = {
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
    "estimator",
    [pytest.param(model, id=name) for name, model in META_ESTIMATORS.items()],
)


def answers(model, words):
    return np.asarray(getattr(model, ANSWER[type(model)])(words))


def out_of_fold(model, words, y, **weights):
    """Out-of-fold results for the training words, or the weights of a classifier."""
    if isinstance(model, CharLMClassifier):
        model.fit(words, y, **weights)
        return np.concatenate([model.weights_, model.bias_, model.class_prior_])
    if isinstance(model, CharLMFeatures):
        return model.fit_transform(words, **weights)
    return np.append(model.fit_predict(words, **weights), model.offset_)


def ends_in_a_vowel(words):
    return np.array(["yes" if word[-1:] in "aeiouy" else "no" for word in words])


@pytest.fixture
def classes(words):
    """Two classes of words that the models partly distinguish."""
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
    # A new fit discards the result of the last one.
    used = clone(estimator).fit(["xyz", "zx", "qa", "ßo"], list("nnyy"))
    used.fit(words, classes)
    assert set(vars(used)) == set(vars(estimator))
    np.testing.assert_array_equal(answers(used, words), expected)
    # A pickle has the version of the package.
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
def test_other_objects_are_refused(estimator, what, words, classes):
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
    # The copies come last, because folds depend on the order of the distinct words.
    twice = [*words, *np.array(words)[weights == 2]]
    of_twice = [*classes, *classes[weights == 2]]
    weighted, repeated = clone(estimator), clone(estimator)
    one = out_of_fold(weighted, words, classes, sample_weight=weights)
    other = out_of_fold(repeated, twice, of_twice)
    if len(other) > len(one):  # the rows of the copies precede the last values
        behind = len(one) - len(words)
        other = np.concatenate([other[: len(words)], other[len(other) - behind :]])
    np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(
        answers(weighted, words), answers(repeated, words), rtol=1e-3, atol=1e-4
    )
    with pytest.raises(ValueError, match="inconsistent|shape|same length"):
        clone(estimator).fit(words, classes, sample_weight=weights[1:])


@over_all
def test_a_weight_of_zero_is_no_word(estimator, words, classes):
    weights = np.arange(len(words)) % 3.0
    # Letters and a length that no other word has must have no influence.
    absent = ["ßß", "q" * 90, "жук"]
    labels = [*classes, "no", "yes", "other"]
    zeros, left = np.append(weights, np.zeros(3)), np.flatnonzero(weights)
    rest, y = [words[row] for row in left], classes[left]
    zero, removed = clone(estimator), clone(estimator)
    found = out_of_fold(zero, [*words, *absent], labels, sample_weight=zeros)
    expected = out_of_fold(removed, rest, y, sample_weight=weights[left])
    if len(found) > len(words):  # one row per word
        found = np.delete(found, np.flatnonzero(zeros == 0), axis=0)
    np.testing.assert_array_equal(found, expected)
    asked = [*words, *absent]
    np.testing.assert_array_equal(answers(zero, asked), answers(removed, asked))
    # The length that a network can read does not depend on them either.
    if estimator is not META_ESTIMATORS["classifier"]:  # it fits many networks
        net = BoWCharLM(n_embd=2, n_hidden=4, max_epochs=1, random_state=0)
        zero, removed = (clone(estimator).set_params(estimator=net) for _ in range(2))
        zero.fit([*words, *absent], labels, sample_weight=zeros)
        removed.fit(rest, y, sample_weight=weights[left])
        np.testing.assert_array_equal(answers(zero, words), answers(removed, words))
    # One fold has both words that have a weight.
    words, y = ["anna", "x", "otto", "y"], list("nnon")
    zero = clone(estimator).fit(words, y, sample_weight=[1, 0, 1, 0])
    removed = clone(estimator).fit(words[::2], y[::2])
    np.testing.assert_array_equal(answers(zero, words), answers(removed, words))


@pytest.mark.parametrize("kind", ANSWER)
def test_errors_name_the_index_among_all_words(kind, monkeypatch):
    words, long = ["anna", "nan", "na", "ana", "nana"], "na" * 10
    y, weights = list("nnoon"), [1, 0, 1, 1, 1, 1]
    net = TransformerCharLM(n_embd=4, n_heads=1, max_epochs=1, block_size=8)
    model = kind(net, cv=2)
    with pytest.raises(ValueError, match=f"{long}' at index 5 "):
        clone(model).fit([*words, long], [*y, "o"], sample_weight=weights)
    model.fit(words, y)
    monkeypatch.setattr(_calibration, "WORD_CHUNK_SIZE", 2)
    with pytest.raises(ValueError, match=f"{long}' at index 3 "):
        answers(model, ["anna", "nan", "na", long])
    if kind is CharLMFeatures:
        weights[5] = 0
        with pytest.raises(ValueError, match=f"{long}' at index 5 "):
            model.fit_transform([*words, long], sample_weight=weights)


@pytest.mark.parametrize("kind", [CharLMFeatures, CharLMOutlierDetector])
def test_words_of_weight_zero_are_measured(kind, words):
    model = kind(BIGRAM, cv=3)
    asked = [*words, "straße", words[0]]
    weights = np.append(np.ones(len(words)), [0, 0])
    if kind is CharLMFeatures:
        found = model.fit_transform(asked, sample_weight=weights)
        expected = model.fit_transform(words)
        new = model.transform(["straße"])
    else:
        model.set_params(contamination=0.3)
        found = model.fit_predict(asked, sample_weight=weights)
        expected, new = model.fit_predict(words), model.predict(["straße"])
    # A new word is scored by the model of all words, a copy out of fold.
    np.testing.assert_array_equal(found, [*expected, *new, expected[0]])


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
    # The models call their own callbacks.
    recorder = Recorder()
    model = clone(estimator)
    model.estimator.set_callbacks(recorder)
    model.fit(words, classes)
    n_fits = {"classifier": 2 * 2 * 3, "bayes": 2, "features": 1 + 2, "outliers": 3}
    (name,) = (name for name, other in META_ESTIMATORS.items() if other is estimator)
    assert recorder.tasks.count("setup") == n_fits[name]
    assert recorder.tasks.count("teardown") == n_fits[name]


class Weights(FitCallback):
    """Callback that keeps the weight of each word of the tasks."""

    def on_fit_task_end(self, estimator, context, *, X=None, metadata=None):
        weights = metadata["sample_weight"]
        self.kept = dict(zip(X, weights.tolist(), strict=True))


@over_all
def test_callbacks_receive_the_weights(estimator, words, classes):
    words, rows = np.unique(words, return_index=True)
    weights = np.arange(len(words)) % 3
    keeper = Weights()
    model = clone(estimator).set_callbacks(keeper)
    model.fit(words, classes[rows], sample_weight=weights)
    expected = zip(words.tolist(), weights.tolist(), strict=True)
    assert keeper.kept == {word: weight for word, weight in expected if weight}


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


@pytest.mark.joblib
@pytest.mark.slow
def test_seeded_networks_are_the_same_for_any_number_of_workers(words, classes):
    net = MLPCharLM(n_embd=2, n_hidden=4, max_epochs=1, random_state=0)
    model = CharLMClassifier(net, calibration=None)
    one = clone(model).fit(words, classes)
    with joblib.parallel_config("threading"):  # tests/contracts has processes
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
def test_every_kind_of_model_can_be_wrapped(kind, name, words):
    if name == "mixture":
        inner = MixtureCharLM([("one", BigramCounter()), ("two", NGramCounter(3))])
        inner.set_params(random_state=0)
    else:
        inner = clone(ESTIMATORS[name]).set_params(max_epochs=1, block_size=None)
    # One fold has the longest word and the only "q". No training word has "ß".
    odd = [*words, "q" * 40]
    model = kind(inner.set_params(handle_unknown="unk"), cv=2)
    model.fit(odd, ends_in_a_vowel(odd))
    assert np.isfinite(answers(model, ["anna", "q" * 41, "", "straße"])).all()


@pytest.mark.parametrize("kind", ANSWER)
def test_a_character_no_training_word_has_is_no_error(kind, words):
    y = ends_in_a_vowel(words)
    folds = [np.split(np.arange(len(words)), [150])]
    odd = [*words[:150], *(f"{word}2" for word in words[150:])]
    scores = cross_validate(
        kind(BigramCounter()), odd, y, cv=folds, scoring=sum_of_answers
    )["test_score"]
    assert np.isfinite(scores).all()
    asked = ["anna", "r2-d2", ""]
    expected = answers(kind(BIGRAM).fit(words, y), asked)
    model = kind(BigramCounter()).fit(words, y)
    np.testing.assert_array_equal(answers(model, asked), expected)
    narrow = kind(BigramCounter(alphabet="".join(sorted(set("".join(words))))))
    np.testing.assert_array_equal(answers(narrow.fit(words, y), asked), expected)


@pytest.mark.parametrize("inner", [BigramCounter, NGramCounter])
@pytest.mark.parametrize("kind", ANSWER)
def test_a_training_word_outside_the_alphabet_is_an_error(kind, inner):
    words, y = ["ann", "naß", "nana", "an", "na", "anna", "nan"], list("xyxyxyx")
    model = kind(inner(alphabet="an"), cv=2)
    message = r"'naß' at index 1 .*not in the alphabet.*handle_unknown='unk'"
    with pytest.raises(ValueError, match=message):
        model.fit(words, y)
    weights = [1, 0, 1, 1, 1, 1, 1]  # as for the model alone
    assert np.isfinite(answers(model.fit(words, y, weights), words)).all()
    if kind is CharLMClassifier:
        with pytest.raises(ValueError, match=message):
            model.partial_fit(words, y)
    model.set_params(estimator__handle_unknown="unk")
    assert np.isfinite(answers(model.fit(words, y), words)).all()


def sum_of_answers(estimator, words, y=None):
    return float(np.sum(answers(estimator, words)))


@pytest.mark.parametrize("kind", ANSWER)
def test_parameters_of_a_model_that_is_none(kind, words):
    y = ends_in_a_vowel(words)
    search = GridSearchCV(
        kind(),
        {"estimator__order": [2, 3]},
        scoring=sum_of_answers,
        cv=2,
        error_score="raise",
    ).fit(words, y)
    assert search.best_estimator_.estimator.order in (2, 3)
    model = kind().set_params(estimator__order=2, cv=3)
    assert model.get_params()["cv"] == 3
    expected = kind(NGramCounter(order=2), cv=3).fit(words, y)
    found = clone(model).fit(words, y)
    np.testing.assert_array_equal(answers(found, words), answers(expected, words))
    assert kind().set_params(cv=3).estimator is None
    assert kind().set_params(estimator=None, estimator__order=4).estimator.order == 4
    with pytest.raises(ValueError, match="Invalid parameter 'depth'"):
        kind().set_params(estimator__depth=3)


@pytest.mark.parametrize("kind", [*ANSWER, ConditionalCharLM])
def test_a_failed_set_params_leaves_the_model_none(kind):
    estimator = kind()
    with pytest.raises(ValueError, match="Invalid parameter 'typo'"):
        estimator.set_params(estimator__order=3, estimator__typo=1)
    assert estimator.estimator is None


@pytest.mark.parametrize("kind", [CharLMFeatures, CharLMOutlierDetector])
def test_no_number_of_folds_means_five(kind, words, classes):
    five, default = kind(BIGRAM, cv=5), kind(BIGRAM, cv=None)
    np.testing.assert_array_equal(
        out_of_fold(default, words, classes), out_of_fold(five, words, classes)
    )
    if kind is CharLMFeatures:
        found = default.fit_transform(words, classes)
        np.testing.assert_array_equal(found, five.fit_transform(words, classes))


FROZEN = {
    "features": CharLMFeatures(cv=3),
    "outliers": CharLMOutlierDetector(cv=3),
    "default folds": CharLMOutlierDetector(cv=None),
}


@pytest.mark.parametrize("name", FROZEN)
def test_a_frozen_model_is_used_as_it_is(name, words):
    model = BigramCounter(handle_unknown="unk").fit(words[:50])
    before = model.score_samples(words)
    estimator = clone(FROZEN[name]).set_params(estimator=FrozenEstimator(model))
    frozen = clone(estimator)
    found = out_of_fold(frozen, words, None)
    assert frozen.estimator_ is model
    np.testing.assert_array_equal(model.score_samples(words), before)
    lengths = np.array([len(word) + 1 for word in words])
    scores = before - before.sum() / lengths.sum() * lengths
    if name == "features":
        np.testing.assert_allclose(found[:, 0], before)
        np.testing.assert_array_equal(found, frozen.transform(words))
    else:
        expected = np.quantile(scores, 0.1, method="averaged_inverted_cdf")
        assert frozen.offset_ == pytest.approx(expected)
        assert found[:-1].tolist() == frozen.predict(words).tolist()
    # `fit` also calls callbacks with a frozen model.
    monitor = ScoringMonitor(scoring={"answer": first_answer})
    watched = clone(estimator).set_callbacks(monitor).fit(["anna", "anna"])
    (fit,) = monitor.get_logs().data
    assert fit["answer"] == first_answer(watched, ["anna"])
    with pytest.raises(NotFittedError, match="BigramCounter"):
        clone(estimator).set_params(estimator=FrozenEstimator(BIGRAM)).fit(words)
    wrong = FrozenEstimator(LogisticRegression())
    with pytest.raises(TypeError, match="`estimator` must be a character model"):
        clone(estimator).set_params(estimator=wrong).fit(words)


def test_a_classifier_cannot_take_a_frozen_model(words, classes):
    model = CharLMClassifier(FrozenEstimator(clone(BIGRAM).fit(words)))
    with pytest.raises(TypeError, match="FrozenEstimator.*one model for each class"):
        model.fit(words, classes)
    assert not model.__sklearn_is_fitted__()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["net", "mixture"])
@pytest.mark.parametrize("kind", ANSWER)
def test_an_interrupted_fit_resumes_from_its_checkpoints(
    kind, name, words, tmp_path, monkeypatch
):
    net = MLPCharLM(n_embd=2, n_hidden=4, max_epochs=4, random_state=0)
    inner = net if name == "net" else MixtureCharLM([net], random_state=0)
    key = "estimator__" + ("" if name == "net" else "mlpcharlm__") + "checkpoint"
    y = ends_in_a_vowel(words)
    model = kind(inner, cv=2)
    expected = out_of_fold(clone(model), words, y)
    monkeypatch.setattr(_checkpoint, "WRITING_SHARE", np.inf)  # every epoch
    model.set_params(**{key: tmp_path / "model.ckpt"})
    epochs, write = [], _checkpoint.Checkpoint.on_epoch_end

    def interrupted(checkpoint, net, **kwargs):
        write(checkpoint, net, **kwargs)
        epochs.append(os.path.basename(checkpoint.path))
        if len(epochs) == 7:
            raise KeyboardInterrupt

    monkeypatch.setattr(_checkpoint.Checkpoint, "on_epoch_end", interrupted)
    with pytest.raises(KeyboardInterrupt):
        out_of_fold(model, words, y)
    (kept,) = os.listdir(tmp_path)
    assert kept == epochs[-1] and kept.startswith("model.ckpt.f") and " " not in kept
    assert epochs.count(kept) == 3
    found = out_of_fold(model, words, y)
    # Three of the four epochs of the second fit had been done.
    assert epochs.count(kept) == 4 and not os.listdir(tmp_path)
    np.testing.assert_array_equal(found, expected)


@over_all
@pytest.mark.parametrize(
    "model",
    [NGramCounter(order=0), NGramCounter(order=3.7), NGramCounter(smoothing="laplace")],
    ids=str,
)
def test_parameters_of_the_model_are_checked(estimator, model, words):
    labelled = words, [word[0] for word in words]
    with pytest.raises(InvalidParameterError, match="parameter of NGramCounter"):
        clone(estimator).set_params(estimator=model).fit(*labelled)
