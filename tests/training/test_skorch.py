"""The nets are skorch nets: they train on arrays, and skorch's callbacks serve them."""

import copy
import pickle

import numpy as np
import pytest
import torch
from estimators import NETS, SEQUENCES, WINDOWS, over
from sklearn.base import clone
from sklearn.callback import ScoringMonitor
from skorch import NeuralNet
from skorch.callbacks import (
    Callback,
    Checkpoint,
    LRScheduler,
    PassthroughScoring,
    TrainEndCheckpoint,
)

from sklearn_makemore import BigramCounter
from sklearn_makemore.modules.interfaces import WindowNetwork


class BatchCounter(Callback):
    """Counts batches, for which the loop must be skorch's own."""

    def on_train_begin(self, net, **kwargs):
        self.n_batches_ = 0

    def on_batch_end(self, net, **kwargs):
        self.n_batches_ += 1


def as_arrays(model, words, block_size):
    """Windows of ids and the ids that follow, as a loop over the words makes them."""
    ids = {symbol: i for i, symbol in enumerate(model.symbols_)}
    windows, following = [], []
    for word in words:
        window = [0] * block_size
        for symbol in [*word, ""]:
            windows.append(window)
            following.append(ids[symbol])
            window = [*window[1:], ids[symbol]]
    return np.array(windows), np.array(following)


def as_rows(model, words):
    """The boundary and the first three letters of words, as ids."""
    ids = {symbol: i for i, symbol in enumerate(model.symbols_)}
    return np.array([[0, *(ids[letter] for letter in word[:3])] for word in words])


def nll_of(net, X, y):
    return -np.log(net.predict_proba(X)[range(len(y)), y]).mean()


def n_bytes(module):
    return 4 * sum(parameter.numel() for parameter in module.parameters())


@pytest.fixture(scope="module")
def bigram(words):
    return BigramCounter().fit(words)


def test_the_bigram_as_a_net_is_the_bigram(bigram, words):
    before = torch.get_rng_state()
    net = bigram.to_net()
    assert torch.equal(torch.get_rng_state(), before)
    every_id = np.arange(len(bigram.symbols_))[:, np.newaxis]
    np.testing.assert_allclose(
        net.predict_proba(every_id), bigram.predict_proba(bigram.symbols_), rtol=1e-5
    )
    assert net.module_.training is False


def test_the_bigram_as_a_net_trains(bigram, words):
    net, other = bigram.to_net(), bigram.to_net()
    X, y = as_arrays(bigram, words, 1)
    assert nll_of(net, X, y) == pytest.approx(bigram.nll(words), abs=1e-5)
    losses = [bigram.nll(words)]
    for _ in range(3):
        net.partial_fit(X, y)
        losses.append(nll_of(net, X, y))
        # What skorch reports of an epoch is a mean over characters too.
        assert net.history[-1, "train_loss"] == pytest.approx(losses[-1], abs=2e-3)
    # Smoothing has left the counts some way from the likeliest table.
    assert (np.diff(losses) < -1e-4).all()
    assert losses[-1] > BigramCounter(smoothing=0).fit(words).nll(words)
    # The model and what it gave away before are as they were.
    assert nll_of(other, X, y) == pytest.approx(bigram.nll(words), abs=1e-5)


@over(WINDOWS)
def test_the_net_of_a_model_predicts_and_trains_as_any(estimator, words):
    model = clone(estimator).set_params(weight_decay=0.1).fit(words)
    X, y = as_arrays(model, words, model.block_size_)
    before = nll_of(model.net_, X, y)
    assert before == pytest.approx(model.nll(words), abs=1e-5)
    net = model.net_.set_params(max_epochs=5)
    net.partial_fit(X, y)
    assert nll_of(net, X, y) < before - 0.01
    assert len(net.history) == estimator.max_epochs + 5


@over(SEQUENCES)
def test_the_net_of_a_model_predicts_after_every_symbol(estimator, words):
    model = clone(estimator).set_params(batch_size=None, max_epochs=1).fit(words[:40])
    rows = as_rows(model, words[:40])
    proba = model.net_.predict_proba(rows)
    assert proba.shape == (40, rows.shape[1], len(model.symbols_))
    for place in range(rows.shape[1]):
        expected = model.predict_proba([word[:place] for word in words[:40]])
        np.testing.assert_allclose(proba[:, place], expected, atol=1e-6)


class SymbolsSecond(torch.nn.CrossEntropyLoss):
    """Takes logits of every position, (B, T, V)."""

    def forward(self, logits, targets):
        return super().forward(logits.movedim(-1, 1), targets)


@over(NETS)
def test_the_net_of_a_model_trains_on_arrays_as_plain_skorch(estimator, words):
    model = clone(estimator).set_params(max_epochs=1).fit(words)
    if isinstance(model.net_.module_, WindowNetwork):
        X, y = as_arrays(model, words, model.block_size_)
    else:
        rows = as_rows(model, words[:40])
        X, y = rows[:, :-1], rows[:, 1:]
    net = model.net_
    params = net.get_params(deep=False)
    del params["schedule"]
    params["criterion"] = SymbolsSecond
    params["callbacks"] = [PassthroughScoring("train_loss", on_train=True)]
    plain = NeuralNet(**params).initialize()
    plain.module_.load_state_dict(net.module_.state_dict())
    plain.optimizer_.load_state_dict(copy.deepcopy(net.optimizer_.state_dict()))
    assert plain.optimizer_.param_groups[0]["lr"] == net.lr
    for each in net, plain:
        torch.manual_seed(0)
        each.set_params(batch_size=50, max_epochs=2).partial_fit(X, y)
    assert net.history[1:, "train_loss"] == plain.history[:, "train_loss"]
    batch = torch.tensor(X), torch.tensor(y)
    assert net.validation_step(batch)["loss"] == plain.validation_step(batch)["loss"]
    for ours, theirs in zip(
        net.module_.parameters(), plain.module_.parameters(), strict=True
    ):
        assert torch.equal(ours, theirs)


def test_losses_of_words_pass_through_scoring(words, fit_once):
    model = clone(NETS["mlp"]).set_params(validation_fraction=0.2)
    scoring = [PassthroughScoring("train_loss", on_train=True)]
    scoring.append(PassthroughScoring("valid_loss"))
    scored = clone(model).set_params(callbacks=scoring).fit(words)
    for ours, theirs in zip(scored.history_, model.fit(words).history_, strict=True):
        assert {**ours, "dur": 0} == {**theirs, "dur": 0}


def test_a_scheduler_and_a_schedule_are_one_too_many(words):
    for scheduler in (LRScheduler, LRScheduler("StepLR"), ("rate", LRScheduler())):
        model = clone(NETS["mlp"]).set_params(callbacks=[scheduler])
        with pytest.raises(ValueError, match="LRScheduler.*lr_schedule='constant'"):
            model.fit(words)
        assert not model.__sklearn_is_fitted__()


@pytest.mark.parametrize("bad", [3, "EarlyStopping", ("name", 3), dict], ids=str)
def test_callbacks_are_callbacks(bad, words):
    model = clone(NETS["mlp"]).set_params(callbacks=[bad])
    with pytest.raises(TypeError, match="`callbacks`.*skorch callback.*got"):
        model.fit(words)
    assert not model.__sklearn_is_fitted__()


def test_callbacks_of_scikit_learn_have_their_own_place(words):
    model = clone(NETS["mlp"]).set_params(callbacks=[Keeper()])
    with pytest.raises(TypeError, match="`callbacks`.*Keeper.*`set_callbacks`"):
        model.fit(words)


class Pruner(Callback):
    """Like Optuna's: attributes that are no parameters, an error that ends a fit."""

    def __init__(self, trial):
        self._trial = trial

    def on_epoch_end(self, net, **kwargs):
        self._trial.append(net.history[-1, "train_loss"])
        if len(self._trial) == 3:
            raise PrunedError


class PrunedError(Exception):
    pass


class Writer(Callback):
    """Like TensorBoard: a parameter that cannot be copied."""

    def __init__(self, writer):
        self.writer = writer

    def on_train_begin(self, net, **kwargs):
        self.n_epochs_ = 0

    def on_epoch_end(self, net, **kwargs):
        self.n_epochs_ += 1
        self.writer.write(f"{net.history[-1, 'train_loss']}\n")


def test_callbacks_share_what_they_refer_to(words, tmp_path):
    trial = []
    with (tmp_path / "log").open("w") as file:
        pruner, writer = Pruner(trial), Writer(file)
        model = clone(NETS["mlp"]).set_params(callbacks=[pruner, ("log", writer)])
        model.set_params(max_epochs=2).set_callbacks(ScoringMonitor(scoring=no_score))
        model.fit(words)
        # A clone trains with the same callbacks, and an error in one ends its fit.
        cloned = clone(model)
        assert cloned.callbacks == model.callbacks
        with pytest.raises(PrunedError):
            cloned.fit(words)
    losses = [row["train_loss"] for row in model.history_]
    assert trial[:2] == losses
    assert (tmp_path / "log").read_text().splitlines()[:2] == list(map(str, losses))
    # Attributes are set on copies.
    assert vars(pruner) == {"_trial": trial} and vars(writer) == {"writer": file}
    assert dict(model.net_.callbacks_)["log"].n_epochs_ == 2


def no_score(estimator, X, y):
    return {}


@over(NETS)
def test_checkpoints_are_written(estimator, words, tmp_path):
    best = Checkpoint(dirname=tmp_path, monitor="valid_loss_best")
    last = TrainEndCheckpoint(dirname=tmp_path)
    model = clone(estimator).set_params(
        max_epochs=6, validation_fraction=0.2, callbacks=[best, ("last", last)]
    )
    model.fit(words)
    after = {name: w.clone() for name, w in model.net_.module_.state_dict().items()}
    saved = torch.load(tmp_path / "train_end_params.pt", weights_only=True)
    assert after.keys() == saved.keys()
    assert all(torch.equal(saved[name], weight) for name, weight in after.items())
    # The epoch whose weights `Checkpoint` kept is the one of the least loss.
    losses = [row["valid_loss"] for row in model.history_]
    n_best = int(np.argmin(losses)) + 1
    short = clone(estimator).set_params(
        max_epochs=6, validation_fraction=0.2, callbacks=[Stop(n_best)]
    )
    short.fit(words)
    model.net_.load_params(tmp_path / "params.pt")
    np.testing.assert_array_equal(
        model.score_samples(words), short.score_samples(words)
    )


class Stop(Callback):
    """Freezes the weights after some epochs."""

    def __init__(self, n_epochs):
        self.n_epochs = n_epochs

    def on_epoch_end(self, net, **kwargs):
        if len(net.history) == self.n_epochs:
            self.kept_ = {k: v.clone() for k, v in net.module_.state_dict().items()}

    def on_train_end(self, net, **kwargs):
        net.module_.load_state_dict(self.kept_)


@pytest.mark.parametrize(
    "callbacks", [None, [("counter", BatchCounter())]], ids=["none", "counter"]
)
@over(NETS)
def test_what_happened_in_batches_is_not_kept(estimator, callbacks, words):
    model = clone(estimator).set_params(callbacks=callbacks, validation_fraction=0.2)
    model.set_params(batch_size=64).fit(words[:20])
    if callbacks:
        counter = dict(model.net_.callbacks_)["counter"]
        assert counter.n_batches_ > estimator.max_epochs
    model.partial_fit(words[:20])
    assert len(model.net_.history) == estimator.max_epochs + 1
    for row in model.net_.history:
        assert row["batches"] == []


class Keeper:
    """Callback of scikit-learn that must not be a part of the net."""

    def setup(self, estimator, context):
        self.secret = "of the callback alone"

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        pass


@pytest.mark.slow
@over(NETS)
def test_a_saved_net_holds_weights_and_little_else(estimator, words):
    sizes = []
    for repeats in (1, 6):
        # Words of their own, and ever more of them, by the same letters.
        train = [word + word[::-1] * i for word in words[::4] for i in range(repeats)]
        model = clone(estimator).set_params(early_stopping=True, max_epochs=1)
        model.set_callbacks(Keeper()).fit(train)
        saved = pickle.dumps(model.net_)
        sizes.append(len(saved))
        assert b"of the callback alone" not in saved
        for word in ("christopher", "valentina"):
            assert word.encode() not in saved
    # The weights, two moments of each in AdamW, their names, and some settings.
    n_tensors = len(model.net_.module_.state_dict())
    assert sizes[0] < 3 * n_bytes(model.net_.module_) + 1_500 * n_tensors + 12_000
    assert abs(sizes[1] - sizes[0]) < 100
