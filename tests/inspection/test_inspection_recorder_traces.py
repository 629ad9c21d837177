"""A recorder changes nothing of the training, and leaves nothing on the model."""

import joblib
import numpy as np
import pytest
import torch
from estimators import NETS, adapted, over
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold
from skorch.callbacks import Callback

from sklearn_makemore.inspection import TrainingRecorder

ALPHABET = "abcdefghijklmnopqrstuvwxyz"


class Silent(Callback):
    """Listens to batches, for which the loop must be skorch's own, and does nothing."""

    def on_batch_end(self, net, **kwargs):
        pass


class Break(Callback):
    """Ends the training in the middle of a step, when its gradients are there."""

    def __init__(self, error, at=3):
        self.error = error
        self.at = at

    def on_train_begin(self, net, **kwargs):
        self.n_steps_ = 0

    def on_grad_computed(self, net, **kwargs):
        self.n_steps_ += 1
        if self.n_steps_ > self.at:
            raise self.error


class Looks(Callback):
    """Asks the net for its outputs in the middle of everything, as scoring does."""

    def on_batch_begin(self, net, batch=None, **kwargs):
        net.module_.eval()
        with torch.no_grad():
            net.module_(batch[0]["ids"][:1])


def recorded(estimator, words, *others, **params):
    """Fit a clone with a recorder; return it and the recorder."""
    recorder = TrainingRecorder(**params)
    model = clone(estimator).set_params(callbacks=[recorder, *others])
    model.fit(words)
    return model, TrainingRecorder.from_estimator(model)


def hooks_of(net):
    return [
        hooks
        for module in net.module_.modules()
        for name, hooks in vars(module).items()
        if name.endswith("_hooks") and hooks
    ]


@over(NETS)
def test_training_is_bitwise_the_same(estimator, words, fit_once):
    estimator = clone(estimator).set_params(validation_fraction=0.2)
    model, recorder = recorded(estimator, words, every=3)
    lean = clone(estimator).fit(words)
    standard = clone(estimator).set_params(callbacks=[Silent()]).fit(words)
    expected = lean.net_.module_.state_dict()
    for name, weight in model.net_.module_.state_dict().items():
        assert torch.equal(weight, expected[name]), name
    for row, other, mean in zip(
        model.history_, standard.history_, lean.history_, strict=True
    ):
        for name in "train_loss", "valid_loss":
            assert row[name] == other[name] == pytest.approx(mean[name], abs=1e-6)
    assert lean.net_.is_lean_ and not model.net_.is_lean_
    assert {record["step"] % 3 for record in recorder.records_} == {0}


@over(adapted(NETS, batch_size=None))
def test_nothing_is_left_on_the_model(estimator, words, tmp_path):
    given = TrainingRecorder(every=1)
    model = clone(estimator).set_params(callbacks=[("recorder", given)]).fit(words)
    assert vars(given) == vars(TrainingRecorder(every=1))
    assert not hooks_of(model.net_)
    joblib.dump(model, tmp_path / "model.joblib")
    again = joblib.load(tmp_path / "model.joblib")
    recorder, loaded = map(TrainingRecorder.from_estimator, (model, again))
    assert joblib.hash(loaded.records_) == joblib.hash(recorder.records_)
    assert again.sample(3, random_state=0) == model.sample(3, random_state=0)
    for refitted in (clone(model).fit(words), model.fit(words)):
        again = TrainingRecorder.from_estimator(refitted)
        assert joblib.hash(again.records_) == joblib.hash(recorder.records_)


def test_without_a_recorder_the_loop_stays_lean(words, fit_once):
    assert fit_once(NETS["mlp"], words).net_.is_lean_


def test_every_call_starts_the_records_anew(words):
    estimator = clone(NETS["mlp"]).set_params(batch_size=32)  # which is not reduced
    model, recorder = recorded(estimator, words, every=1)
    n_steps = len(recorder.records_)
    weights = model.net_.module_.embedding.weight.detach().clone()
    model.partial_fit(words)
    going_on = TrainingRecorder.from_estimator(model)
    assert [row["step"] for row in going_on.records_] == list(range(n_steps // 2))
    first = going_on.records_[0]["parameters"]["embedding.weight"]
    assert first["data_std"] == pytest.approx(weights.std(correction=0).item())
    model.set_params(warm_start=True).fit(words)
    assert len(TrainingRecorder.from_estimator(model).records_) == n_steps
    assert len(recorder.records_) == n_steps
    assert not hooks_of(model.net_)
    recorder.on_train_begin(model.net_)  # as skorch does if the net itself goes on
    assert recorder.records_ == [] and recorder.histograms_ == {}


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_in_a_search(n_jobs, words):
    model = clone(NETS["mlp"]).set_params(
        alphabet=ALPHABET, callbacks=[TrainingRecorder(every=4)]
    )
    search = GridSearchCV(
        model,
        {"n_hidden": [4, 6]},
        cv=KFold(2, shuffle=True, random_state=0),
        n_jobs=n_jobs,
        error_score="raise",
    )
    with joblib.parallel_config("threading"):
        search.fit(words)
    best = search.best_estimator_
    rows = TrainingRecorder.from_estimator(best).records_[0]["parameters"]
    assert rows["hidden.0.linear.bias"]["shape"] == (best.n_hidden,)
    with pytest.raises(TypeError, match="give its `.best_estimator_`"):
        TrainingRecorder.from_estimator(search)


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_interruption_leaves_the_model_as_it_was(error, words):
    model, _ = recorded(NETS["mlp"], words, every=1)
    before = model.score_samples(words)
    callbacks = [Break(error), TrainingRecorder(every=1)]
    for train in model.fit, model.partial_fit:
        model.set_params(callbacks=callbacks)
        with pytest.raises(error):
            train(words)
        assert not hooks_of(model.net_)
        np.testing.assert_array_equal(model.score_samples(words), before)
        model.set_params(callbacks=callbacks[1:])
    expected, _ = recorded(NETS["mlp"], words, every=1)
    np.testing.assert_array_equal(
        model.fit(words).score_samples(words), expected.score_samples(words)
    )


def test_predictions_of_other_callbacks_are_not_taken_for_training(words):
    _, recorder = recorded(NETS["mlp-deep"], words, every=1)
    for callbacks in [Looks()], []:
        model = clone(NETS["mlp-deep"]).set_params(
            callbacks=[TrainingRecorder(every=1), *callbacks]
        )
        records = TrainingRecorder.from_estimator(model.fit(words)).records_
        assert joblib.hash(records) == joblib.hash(recorder.records_)
