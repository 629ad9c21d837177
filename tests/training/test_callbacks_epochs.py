"""What scikit-learn's callbacks are given at each epoch, and what their stop leaves."""

import pickle

import numpy as np
import pytest
import torch
from estimators import CLASSES, KINDS, adapted, over
from sklearn import config_context
from sklearn.base import clone
from sklearn.callback import FitCallback, ScoringMonitor

LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Keeper(FitCallback):
    """Callback that keeps the model of every epoch, its scores, and its words."""

    def __init__(self, stop_after=None):
        self.stop_after = stop_after
        self.kept, self.scores = [], []

    def on_fit_task_end(self, estimator, context, *, X=None, fitted_estimator=None):
        if context.task_name != "epoch":
            return False
        self.words = list(X)
        self.kept.append(fitted_estimator)
        self.scores.append(fitted_estimator.score_samples(X))
        return len(self.kept) == self.stop_after


def early_stopping(estimator):
    """A clone whose validation loss falls for some epochs and rises again."""
    return clone(estimator).set_params(
        early_stopping=True,
        validation_fraction=0.3,
        n_iter_no_change=40,
        tol=0.0,
        max_epochs=25,
        batch_size=128,
        lr=0.03,
        lr_schedule="constant",
        weight_decay=0.0,
        alphabet=LETTERS,
    )


@pytest.mark.slow
@over(KINDS)
def test_a_stop_by_a_callback_leaves_the_best_epoch(estimator, words):
    few = words[:60]
    whole = Keeper()
    model = early_stopping(estimator).set_callbacks(whole).fit(few)
    losses = [row["valid_loss"] for row in model.history_]
    best = int(np.argmin(losses))
    assert 0 < best < len(losses) - 3
    np.testing.assert_array_equal(model.score_samples(whole.words), whole.scores[best])
    # A stop when the best epoch has just ended, before it, and after it.
    for stop_after in {best + 1, best, best + 3}:
        keeper = Keeper(stop_after)
        stopped = early_stopping(estimator).set_callbacks(keeper).fit(few)
        assert stopped.n_iter_ == len(stopped.history_) == stop_after
        kept = int(np.argmin(losses[:stop_after]))
        np.testing.assert_array_equal(
            stopped.score_samples(whole.words), whole.scores[kept]
        )


@over(KINDS)
@pytest.mark.parametrize("early", [False, True])
def test_the_last_row_of_the_history_is_complete(estimator, early, words):
    model = early_stopping(estimator).set_params(early_stopping=early)
    model.set_callbacks(Keeper(stop_after=3)).fit(words)
    names = {"epoch", "train_loss", "valid_loss", "dur"}
    assert len(model.history_) == 3
    for row in model.history_:
        assert names <= set(row) == set(model.history_[0])
        assert row["dur"] > 0


@over(KINDS)
def test_the_model_of_an_epoch_is_kept_as_it_was(estimator, words):
    keeper = Keeper()
    model = clone(estimator).set_params(max_epochs=3).set_callbacks(keeper).fit(words)
    model.partial_fit(words)
    assert len(keeper.kept) == 3
    for n_epochs, (kept, scores) in enumerate(
        zip(keeper.kept, keeper.scores, strict=True), start=1
    ):
        np.testing.assert_array_equal(kept.score_samples(keeper.words), scores)
        assert kept.n_iter_ == len(kept.history_) == n_epochs
        again = pickle.loads(pickle.dumps(kept.net_))
        for ours, theirs in zip(
            again.module_.parameters(), kept.net_.module_.parameters(), strict=True
        ):
            assert torch.equal(ours, theirs)
        # It goes on alone, and the others are not changed by it.
        kept.set_callbacks().partial_fit(words)
    assert (keeper.scores[0] != keeper.scores[1]).any()


@over(KINDS)
@pytest.mark.parametrize("unknown", ["error", "unk"])
def test_the_model_of_the_last_epoch_is_the_fitted_one(estimator, unknown, words):
    keeper = Keeper()
    model = clone(estimator).set_params(handle_unknown=unknown)
    model.set_callbacks(keeper).fit(words)
    last = keeper.kept[-1]
    asked = [*words[:20], "", "zzz"]
    if unknown == "unk":
        asked += ["ßa", "né", "日本語", "aßb"]
    np.testing.assert_array_equal(last.score_samples(asked), model.score_samples(asked))
    assert last.sample(9, random_state=0) == model.sample(9, random_state=0)
    assert last.unknown_proba_ == model.unknown_proba_
    assert last.symbols_ == model.symbols_
    assert last.longest_word_ == model.longest_word_
    # Being looked at changes nothing.
    plain = clone(model).set_callbacks().fit(words)
    np.testing.assert_array_equal(
        plain.score_samples(asked), model.score_samples(asked)
    )


@over(KINDS)
def test_the_model_of_an_epoch_knows_the_longest_word(estimator, words):
    model = clone(estimator).set_params(alphabet=LETTERS, warm_start=True)
    model.fit(["maximiliane", *words])
    keeper = Keeper()
    model.set_callbacks(keeper).fit(words[:50])
    assert keeper.words == words[:50]
    assert keeper.kept[-1].longest_word_ == model.longest_word_ == 11
    # What is held out to validate on is a part of the words too.
    for seed in range(3):
        model = clone(estimator).set_params(validation_fraction=0.5, random_state=seed)
        model.set_callbacks(keeper).fit(["maximiliane", *["anna"] * 20])
        assert keeper.kept[-1].longest_word_ == 11


def mean_score(estimator, words, y, sample_weight=None):
    return {"score": estimator.score(words, sample_weight=sample_weight)}


@pytest.mark.slow
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("routing", [False, True])
@over(adapted(CLASSES, batch_size=None, max_epochs=2))
def test_monitors_and_weights(estimator, routing, weighted, words):
    monitor = ScoringMonitor(scoring=mean_score)
    model = clone(estimator)
    # Words of weight 0 are no part of the data.
    weights = np.linspace(0, 2, len(words)) if weighted else None
    with config_context(enable_metadata_routing=routing):
        if routing and weighted:
            model.set_fit_request(sample_weight=True)
        model.set_callbacks(monitor).fit(words, sample_weight=weights)
    rows = monitor.get_logs().data
    (whole,) = (row["score"] for row in rows if row["task_name"] == "fit")
    assert whole == pytest.approx(model.score(words, sample_weight=weights), rel=1e-12)
    n_epochs = model.get_params().get("max_epochs", 0)
    assert len(rows) == 1 + n_epochs
    if n_epochs:
        assert rows[-1]["score"] == whole
