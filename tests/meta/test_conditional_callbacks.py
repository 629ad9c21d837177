"""Callbacks of a model given a label: those of skorch, and those of scikit-learn."""

import numpy as np
import pytest
from recorder import Recorder
from sklearn.base import clone
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback, Checkpoint

from sklearn_makemore import (
    ConditionalCharLM,
    LSTMCharLM,
    MixtureCharLM,
    MLPCharLM,
    NGramCounter,
)

WORDS = ["ab", "ba", "aab", "bab", "b", "abb", "cab", "bc", "cc", "ca", "acc", "cbc"]
LABELS = np.repeat(["x", "y"], 6)
SMALL = {"n_embd": 4, "n_hidden": 8, "max_epochs": 3, "random_state": 0}
NETWORKS = {"mlp": MLPCharLM(**SMALL), "lstm": LSTMCharLM(**SMALL)}
EPOCHS = ["begin epoch", "end epoch"] * 3


class Keeper(Callback):
    """skorch callback that keeps the losses of the epochs."""

    def initialize(self):
        self.losses_ = []
        return self

    def on_epoch_end(self, net, **kwargs):
        self.losses_.append(net.history[-1, "train_loss"])


@pytest.mark.parametrize("owner", ["conditional", "model"])
@pytest.mark.parametrize("name", NETWORKS)
def test_every_epoch_is_a_task(name, owner):
    recorder = Recorder()
    network = clone(NETWORKS[name])
    model = ConditionalCharLM(network)
    (model if owner == "conditional" else network).set_callbacks(recorder)
    model.fit(WORDS, LABELS)
    assert recorder.tasks == ["setup", "begin fit", *EPOCHS, "end fit", "teardown"]
    assert len(set(recorder.scores[:3])) == 3
    assert recorder.scores[2] == recorder.scores[3] == model.score(WORDS)
    # Scoring and sampling during training change nothing.
    plain = ConditionalCharLM(NETWORKS[name]).fit(WORDS, LABELS)
    np.testing.assert_array_equal(
        plain.score_samples(WORDS, LABELS), model.score_samples(WORDS, LABELS)
    )


def test_a_callback_stops_the_training():
    model = ConditionalCharLM(clone(NETWORKS["mlp"]))
    recorder = Recorder(stop_after=2)
    model.set_callbacks(recorder).fit(WORDS, LABELS)
    assert [model_.n_iter_ for model_ in model.estimators_] == [2, 2]
    assert recorder.scores[1] == model.score(WORDS)


def test_an_error_in_a_callback_is_an_error_of_fit():
    model, recorder = ConditionalCharLM(clone(NETWORKS["mlp"])), Recorder(raises=1)
    with pytest.raises(RuntimeError, match="the callback is broken"):
        model.set_callbacks(recorder).fit(WORDS, LABELS)
    assert recorder.tasks[-1] == "teardown"
    assert not model.__sklearn_is_fitted__()


def test_monitors_score_the_training_words_with_their_labels():
    # Early stopping holds words out, and callbacks get the others.
    network = clone(NETWORKS["mlp"]).set_params(early_stopping=True)
    seen = []

    def score(model, words, labels):
        seen.append(dict(zip(words, labels, strict=True)))
        return model.score(words, labels)

    monitor = ScoringMonitor(scoring={"score": score})
    model = ConditionalCharLM(network).set_callbacks(monitor).fit(WORDS, LABELS)
    label_of = dict(zip(WORDS, LABELS, strict=True))
    assert all(part.items() <= label_of.items() for part in seen)
    assert {len(part) for part in seen[:3]} == {11}
    rows = monitor.get_logs().data
    (whole,) = (row["score"] for row in rows if row["task_name"] == "fit")
    assert whole == model.score(WORDS, LABELS)


def test_scorers_receive_the_weights():
    def score(model, words, labels, sample_weight=None):
        return {"score": model.score(words, labels, sample_weight=sample_weight)}

    weights, monitor = np.arange(12.0), ScoringMonitor(scoring=score)
    model = ConditionalCharLM(clone(NETWORKS["mlp"])).set_callbacks(monitor)
    model.fit(WORDS, LABELS, sample_weight=weights)
    whole, *epochs = (row["score"] for row in monitor.get_logs().data)
    expected = model.score(WORDS, LABELS, sample_weight=weights)
    assert whole == epochs[-1] == pytest.approx(expected, rel=1e-12)
    assert len(epochs) == 3


@pytest.mark.parametrize("owner", ["conditional", "model"])
def test_members_of_a_mixture_are_tasks(owner):
    members = [NGramCounter(2), ("net", clone(NETWORKS["mlp"]))]
    mixture = MixtureCharLM(members, random_state=0, refit=True)
    model, recorder = ConditionalCharLM(mixture), Recorder()
    (model if owner == "conditional" else mixture).set_callbacks(recorder)
    model.fit(WORDS, LABELS)
    names = ["fit-ngramcounter", "fit-net", "refit-ngramcounter", "refit-net"]
    tasks = [f"{step} {name}" for name in names for step in ("begin", "end")]
    assert recorder.tasks == ["setup", "begin fit", *tasks, "end fit", "teardown"]


def test_the_callbacks_of_a_member_see_its_epochs():
    recorder = Recorder()
    members = [NGramCounter(2), clone(NETWORKS["mlp"]).set_callbacks(recorder)]
    mixture = MixtureCharLM(members, random_state=0, refit=True)
    ConditionalCharLM(mixture).fit(WORDS, LABELS)
    one_fit = ["setup", "begin fit", *EPOCHS, "end fit", "teardown"]
    assert recorder.tasks == one_fit * 2


def test_a_progress_bar_shows_the_epochs(capsys):
    pytest.importorskip("rich", reason="the progress bar draws with rich")
    model = ConditionalCharLM(clone(NETWORKS["mlp"]))
    model.set_callbacks(ProgressBar()).fit(WORDS, LABELS)
    assert "100%" in capsys.readouterr().out
    model.set_callbacks().estimator.set_callbacks(ProgressBar())
    model.fit(WORDS, LABELS)
    assert "100%" in capsys.readouterr().out
    with pytest.raises(TypeError, match="on the outermost estimator"):
        GridSearchCV(model, {}, cv=2, error_score="raise").fit(WORDS, LABELS)


def test_skorch_callbacks_keep_what_they_recorded(tmp_path):
    checkpoint = Checkpoint(monitor="train_loss_best", dirname=str(tmp_path))
    named = [("keeper", Keeper()), checkpoint]
    network = clone(NETWORKS["mlp"]).set_params(callbacks=named)
    model = ConditionalCharLM(network).fit(WORDS, LABELS)
    for one in model.estimators_:
        losses = [row["train_loss"] for row in one.history_]
        assert dict(one.net_.callbacks_)["keeper"].losses_ == losses
    assert (tmp_path / "params.pt").exists()
