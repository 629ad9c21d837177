"""Training of the networks: its settings, its history, warm starts."""

import copy
import inspect
import itertools
import json
import math
import warnings

import numpy as np
import pytest
import torch
from estimators import KINDS, NETS, over
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from skorch import NeuralNet
from skorch.callbacks import Callback
from torch.nn import functional as F

from sklearn_makemore import MLPCharLM, WaveNetCharLM
from sklearn_makemore._training.net import TOLERATED_LOSS
from sklearn_makemore.datasets import load_names

# Few enough words to try every pair as the held-out words.
TEN = "emma olivia ava isabella sophia mia amelia harper evelyn abigail".split()
LETTERS = "abcdefghijklmnopqrstuvwxyz"
FROZEN = {
    "lr": 1e-12,
    "optimizer": "sgd",
    "weight_decay": 0.0,
    "lr_schedule": "constant",
}


class Listener(Callback):
    """Batch-level callback that records the learning rates."""

    def on_train_begin(self, net, **kwargs):
        self.rates_ = []

    def on_batch_end(self, net, training=False, **kwargs):
        if training:
            self.rates_.append(net.optimizer_.param_groups[0]["lr"])


class Batches(Callback):
    """Batch-level callback that records the ids of every training batch."""

    def on_train_begin(self, net, **kwargs):
        self.ids_ = []

    def on_batch_begin(self, net, batch=None, training=False, **kwargs):
        if training:
            self.ids_.append(batch[0]["ids"].clone())


def rates_of(model, words):
    """Return the learning rate of every step, as a callback sees it."""
    model = clone(model).set_params(callbacks=[("listener", Listener())]).fit(words)
    return dict(model.net_.callbacks_)["listener"].rates_


def weights_of(model):
    return {k: v.clone() for k, v in model.net_.module_.state_dict().items()}


def assert_same_weights(first, second, atol=0.0):
    first, second = weights_of(first), weights_of(second)
    assert first.keys() == second.keys()
    for name, weight in first.items():
        torch.testing.assert_close(weight, second[name], atol=atol, rtol=0)


def held_out(model, valid_loss):
    """Return the only two of the ten words that have this NLL."""
    pairs = [
        pair
        for pair in itertools.combinations(TEN, 2)
        if abs(model.nll(pair) - valid_loss) < 1e-5
    ]
    assert len(pairs) == 1
    return list(pairs[0])


@over(NETS)
def test_net_is_a_trained_skorch_net(estimator, words, fit_once):
    model = fit_once(estimator, words)
    assert isinstance(model.net_, NeuralNet)
    assert not model.net_.module_.training
    assert model.n_iter_ == len(model.history_) == estimator.max_epochs
    for number, row in enumerate(model.history_, start=1):
        assert row["epoch"] == number
        assert row["dur"] > 0
        assert "batches" not in row and "valid_loss" not in row
    assert json.loads(json.dumps(model.history_)) == model.history_


@pytest.mark.parametrize("batch_size", [1, 7, 64, 10_000])
@pytest.mark.parametrize("name", ["mlp", "wavenet-triples"])
def test_train_loss_is_the_mean_over_characters(name, batch_size, words):
    model = clone(NETS[name]).set_params(batch_size=batch_size, max_epochs=1, **FROZEN)
    model.fit(words[:40])
    assert model.history_[0]["train_loss"] == pytest.approx(
        model.nll(words[:40]), abs=1e-5
    )
    weights = np.linspace(0, 3, 40)
    model.fit(words[:40], sample_weight=weights)
    assert model.history_[0]["train_loss"] == pytest.approx(
        model.nll(words[:40], sample_weight=weights), abs=1e-5
    )


@over(NETS)
def test_valid_loss_is_the_nll_of_words_held_out(estimator):
    model = clone(estimator).set_params(validation_fraction=0.2, alphabet=LETTERS)
    model.fit(TEN)
    pair = held_out(model, model.history_[-1]["valid_loss"])
    learned = [word for word in TEN if word not in pair]
    model.set_params(validation_fraction=0.2, **FROZEN).fit(TEN)
    in_training = ("batch_norm", "dropout", "recurrent_dropout")
    if not any(getattr(model, name, False) for name in in_training):
        losses = model.history_[-1]
        assert losses["train_loss"] == pytest.approx(model.nll(learned), abs=1e-5)
    other = clone(estimator).set_params(validation_fraction=0.2, alphabet=LETTERS)
    other.set_params(random_state=5).fit(TEN)
    assert held_out(other, other.history_[-1]["valid_loss"]) != pair


@over(NETS)
def test_repeats_and_weights_hold_out_the_same_words(estimator):
    model = clone(estimator).set_params(
        validation_fraction=0.2, alphabet=LETTERS, batch_size=None, max_epochs=3
    )
    for dropout in {"dropout", "recurrent_dropout"} & set(model.get_params()):
        model.set_params(**{dropout: 0.0})
    repeated = clone(model).fit([word for word in TEN for _ in range(5)])
    weighted = clone(model).fit(TEN, sample_weight=[5.0] * len(TEN))
    for by_repeats, by_weight in zip(repeated.history_, weighted.history_, strict=True):
        for loss in "train_loss", "valid_loss":
            assert by_repeats[loss] == pytest.approx(by_weight[loss], abs=1e-4)
    held_out(repeated, repeated.history_[-1]["valid_loss"])  # all repeats of a word


@over(NETS)
def test_early_stopping_restores_the_best_weights(estimator):
    model = clone(estimator).set_params(
        early_stopping=True,
        validation_fraction=0.2,
        max_epochs=200,
        n_iter_no_change=4,
        tol=0.0,
        lr=0.1,
        lr_schedule="constant",
        alphabet=LETTERS,
    )
    losses = [row["valid_loss"] for row in model.fit(TEN).history_]
    best = int(np.argmin(losses))
    assert len(losses) == best + 1 + 4 < 200
    assert losses[-1] > losses[best] + 1e-4
    held_out(model, losses[best])


def test_early_stopping_settings():
    model = clone(NETS["mlp"]).set_params(
        early_stopping=True, max_epochs=30, n_iter_no_change=3, alphabet=LETTERS
    )
    # No epoch improves by `tol`, so the first is the best.
    model.set_params(tol=100.0).fit(TEN)
    assert model.n_iter_ == 1 + 3
    # Without a fraction, one word of ten is held out.
    held = [
        w for w in TEN if abs(model.nll([w]) - model.history_[0]["valid_loss"]) < 1e-5
    ]
    assert len(held) == 1
    model.set_params(early_stopping=False, validation_fraction=None).fit(TEN)
    assert model.n_iter_ == 30


def test_early_stopping_needs_words_to_hold_out():
    model = clone(NETS["mlp"]).set_params(early_stopping=True)
    with pytest.raises(ValueError, match="validation_fraction.*1 word.*more words"):
        model.fit(["emma"])
    with pytest.raises(ValueError, match="validation_fraction.*words"):
        model.fit(TEN, sample_weight=[1.0] + [0.0] * 9)
    assert not model.__sklearn_is_fitted__()


@over(NETS)
def test_warm_start_continues(estimator, words, fit_once):
    once = fit_once(estimator, words)
    model = clone(estimator).set_params(warm_start=True).fit(words)
    assert_same_weights(model, once)
    first = list(model.history_)
    model.fit(words)
    assert model.history_[: len(first)] == first
    assert [row["epoch"] for row in model.history_] == list(
        range(1, 2 * len(first) + 1)
    )
    assert model.nll(words) < once.nll(words)
    # Without it, training starts again.
    assert_same_weights(model.set_params(warm_start=False).fit(words), once)


@over(NETS)
def test_module_has_the_parameters_of_the_model(estimator, words, fit_once):
    model = fit_once(estimator, words)
    asked = inspect.signature(type(model.net_.module_)).parameters
    expected = {name: getattr(model, name, None) for name in asked}
    expected["n_symbols"] = len(model.symbols_)
    assert model.net_.get_params_for("module") == expected


def test_warm_start_does_not_repeat_the_batches(words):
    def batches(model):
        return dict(model.fit(words).net_.callbacks_)["batches"].ids_

    # Smaller than what short lists reduce batches to, so that all fits have one size.
    params = {"warm_start": True, "max_epochs": 1, "batch_size": 32}
    model = clone(NETS["mlp"]).set_params(callbacks=[("batches", Batches())], **params)
    first, repeated = batches(clone(model)), batches(model)
    continued = batches(model)
    assert len(first) == len(continued) > 1
    assert all(map(torch.equal, first, repeated))
    assert not any(map(torch.equal, first, continued))


@pytest.mark.parametrize("schedule", ["one-cycle", "step", "constant"])
def test_only_one_cycle_has_a_smaller_rate_in_a_warm_start(schedule, words):
    def rates(train):
        train(words)
        return dict(model.net_.callbacks_)["listener"].rates_

    model = clone(NETS["mlp"]).set_params(
        warm_start=True,
        max_epochs=1,
        lr_schedule=schedule,
        batch_size=32,  # which is not reduced
        callbacks=[("listener", Listener())],
    )
    cold, warm, one_more = map(rates, (model.fit, model.fit, model.partial_fit))
    factor = 0.25 if schedule == "one-cycle" else 1
    np.testing.assert_allclose(warm, factor * np.array(cold))
    assert one_more == cold


def test_warm_start_keeps_the_state_of_the_optimizer(words):
    def n_steps(model):
        return {int(s["step"]) for s in model.net_.optimizer_.state.values()}

    model = clone(NETS["mlp"]).set_params(max_epochs=1, warm_start=True)
    model.set_params(batch_size=32).fit(words)  # which is not reduced
    (one,) = n_steps(model)
    assert one > 0
    assert n_steps(model.fit(words)) == {2 * one}
    assert n_steps(model.partial_fit(words)) == {3 * one}


@pytest.mark.parametrize(
    "name, change",
    [
        ("mlp", {"n_hidden": 13}),
        ("mlp", {"block_size": 4}),
        ("mlp", {"direct": True}),
        ("wavenet", {"n_layers": 3}),
        ("wavenet", {"n_embd": 5}),
        ("gru", {"n_layers": 2}),
        ("transformer", {"n_heads": 4}),
    ],
    ids=str,
)
def test_warm_start_with_another_architecture_is_an_error(name, change, words):
    model = clone(NETS[name]).set_params(warm_start=True, max_epochs=1).fit(words)
    before = model.score(words)
    model.set_params(**change)
    for train in (model.fit, model.partial_fit):
        with pytest.raises(ValueError, match=f"{next(iter(change))}.*warm_start=False"):
            train(words)
    assert model.score(words) == before
    model.set_params(warm_start=False).fit(words)
    assert model.score(words) != before


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@over(NETS)
def test_warm_start_uses_new_training_settings(estimator, method, words, capsys):
    model = clone(estimator).set_params(warm_start=True, max_epochs=1).fit(words)
    before = dict(model.net_.module_.named_parameters())
    model.set_params(verbose=1, callbacks=[("listener", Listener())], **FROZEN)
    getattr(model, method)(words)
    for name, weight in model.net_.module_.named_parameters():
        torch.testing.assert_close(weight, before[name], atol=1e-8, rtol=0)
    assert set(dict(model.net_.callbacks_)["listener"].rates_) == {1e-12}
    assert "train_loss" in capsys.readouterr().out


@pytest.mark.parametrize(
    "model",
    [
        MLPCharLM(),
        MLPCharLM(n_layers=3),
        MLPCharLM(block_size=8, direct=True),
        MLPCharLM(batch_norm=True),
        WaveNetCharLM(),
        WaveNetCharLM(batch_norm=False, dropout=0.2),
    ],
    ids=str,
)
def test_first_loss_is_that_of_uniform_guesses(model, words):
    model.set_params(max_epochs=1, random_state=0, **FROZEN).fit(words)
    n_symbols = len(model.symbols_)
    assert model.history_[0]["train_loss"] == pytest.approx(
        math.log(n_symbols), abs=0.1
    )


@pytest.mark.parametrize("name", ["mlp", "wavenet-triples"])
def test_one_step_of_sgd_is_the_textbook_step(name, words):
    words = words[:30]
    model = clone(NETS[name]).set_params(batch_size=None, max_epochs=1, **FROZEN)
    block_size = model.fit(words).block_size_
    module = model.net_.module_.train()
    ids = {symbol: i for i, symbol in enumerate(model.symbols_)}
    windows, targets = [], []
    for word in words:
        context = [0] * block_size
        for symbol in [*word, ""]:
            windows.append(context)
            targets.append(ids[symbol])
            context = [*context[1:], ids[symbol]]
    module.zero_grad()
    F.cross_entropy(module(torch.tensor(windows)), torch.tensor(targets)).backward()
    stepped = clone(model).set_params(lr=0.5).fit(words)
    for (name, before), (_, after) in zip(
        module.named_parameters(), stepped.net_.module_.named_parameters(), strict=True
    ):
        torch.testing.assert_close(after, before - 0.5 * before.grad, msg=name)
    assert (after != before).any()


@pytest.mark.parametrize("name", ["mlp", "wavenet-triples"])
def test_training_that_diverges_is_an_error(name, words):
    model = clone(NETS[name]).fit(words)
    before = model.score(words)
    model.set_params(lr=1e20, optimizer="sgd", max_epochs=5)
    for train in (model.fit, model.partial_fit):
        with pytest.raises(ValueError, match="lr"):
            train(words)
        assert model.score(words) == before


def test_optimizers_decay_weights(words):
    for optimizer, kind in (("adamw", torch.optim.AdamW), ("sgd", torch.optim.SGD)):
        model = clone(NETS["mlp"]).set_params(optimizer=optimizer, max_epochs=5)
        sizes = []
        for decay in (0.0, 1.0):
            model.set_params(weight_decay=decay, lr=0.05).fit(words)
            assert type(model.net_.optimizer_) is kind
            sizes.append(sum(w.square().sum() for w in weights_of(model).values()))
        assert sizes[1] < 0.9 * sizes[0]


@pytest.mark.parametrize("name", ["mlp", "gru"])
def test_changed_weight_decay_applies_from_the_next_call(name, words):
    # AdamW shrinks weights by lr * decay; the rest of its step ignores the decay.
    model = clone(NETS[name]).set_params(
        lr=0.01, lr_schedule="constant", weight_decay=0.0, batch_size=None
    )
    before = weights_of(model.fit(words))["embedding.weight"]
    kept, shrunk = (
        weights_of(
            copy.deepcopy(model).set_params(weight_decay=decay).partial_fit(words)
        )
        for decay in (0.0, 0.5)
    )
    torch.testing.assert_close(
        kept["embedding.weight"] - shrunk["embedding.weight"],
        0.01 * 0.5 * before,
        atol=1e-6,
        rtol=1e-3,
    )


def test_learning_rate_schedules(words):
    model = clone(NETS["mlp"]).set_params(lr=0.04, max_epochs=4, batch_size=50)
    constant = rates_of(model.set_params(lr_schedule="constant"), words)
    n_steps = len(constant)
    assert n_steps > 40
    assert set(constant) == {0.04}
    step = rates_of(model.set_params(lr_schedule="step"), words)
    assert len(step) == n_steps
    assert step[: 3 * n_steps // 4] == [0.04] * (3 * n_steps // 4)
    np.testing.assert_allclose(step[3 * n_steps // 4 + 1 :], 0.004)
    cycle = np.array(rates_of(model.set_params(lr_schedule="one-cycle"), words))
    top = cycle.argmax()
    assert cycle[top] == pytest.approx(0.04, rel=0.01)
    assert 0.2 * n_steps < top < 0.3 * n_steps
    assert (np.diff(cycle[: top + 1]) > 0).all() and (np.diff(cycle[top:]) < 0).all()
    assert cycle[0] < 0.004 and cycle[-1] < 0.002


@over(NETS)
def test_divergence_in_the_last_step_is_an_error(estimator, words):
    # Losses are computed before each step, so none includes the last step.
    model = clone(estimator).set_params(
        batch_size=None, max_epochs=1, lr=1e30, lr_schedule="constant"
    )
    try:
        warned = has_warned(model.fit, words)
    except ValueError as error:
        assert "diverged: the loss is nan after epoch 1" in str(error)
        assert not model.__sklearn_is_fitted__()
    else:  # shallow networks stay finite
        assert warned and np.isfinite(model.score(words))
        assert type(model).__name__ in ("BigramCharLM", "MLPCharLM")


def has_warned(train, words):
    """Train; return whether it warned that training failed."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        train(words)
    assert all(warning.category is ConvergenceWarning for warning in caught)
    assert all("smaller lr" in str(warning.message) for warning in caught)
    return bool(caught)


@over(KINDS)
@pytest.mark.parametrize("lr", [0.01, 1, 50])
def test_a_model_worse_than_a_uniform_one_warns(estimator, lr, words):
    model = clone(estimator).set_params(lr=lr, weight_decay=0.1)
    warned = has_warned(model.fit, words)
    is_worse = model.nll(words) > math.log(len(model.symbols_)) + TOLERATED_LOSS
    assert warned == is_worse == (lr == 50)


def test_a_large_batch_of_the_last_check_is_no_failure():
    # The check reads one batch of a list, and batches are not of one size.
    model = clone(NETS["transformer"]).set_params(max_epochs=1)
    assert not has_warned(model.fit, load_names().data[::20])


def test_more_epochs_are_no_advice_if_the_loss_has_grown(words):
    model = clone(NETS["mlp"]).set_params(lr=30.0)
    with pytest.warns(ConvergenceWarning, match=r"Use a smaller lr than 30\.0\.$"):
        model.fit(words)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_the_warning_names_the_line_that_trains(method, words):
    model = clone(NETS["mlp"]).set_params(lr=30.0)
    with pytest.warns(ConvergenceWarning) as caught:
        getattr(model, method)(words)
    assert {warning.filename for warning in caught} == {__file__}


def test_a_model_worse_than_before_warns(words):
    fitted = clone(NETS["mlp"]).set_params(max_epochs=40).fit(words)
    before, uniform = fitted.nll(words), math.log(len(fitted.symbols_))
    after = {}
    for lr in 0.001, 0.3, 0.4, 0.6:
        model = copy.deepcopy(fitted).set_params(lr=lr, lr_schedule="constant")
        warned = has_warned(model.partial_fit, words)
        after[lr] = model.nll(words)
        assert warned == (after[lr] > before + TOLERATED_LOSS)
    assert after[0.001] < before + TOLERATED_LOSS < after[0.6]
    assert any(before + TOLERATED_LOSS < nll < uniform for nll in after.values())
