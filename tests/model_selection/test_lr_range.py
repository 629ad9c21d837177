"""lr_range_test: what happens at each step, and that nothing is left of it."""

import copy
from collections import Counter

import numpy as np
import pytest
import torch
from estimators import NETS, over
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from skorch.callbacks import Callback, EarlyStopping, GradientNormClipping, LRScheduler

from sklearn_makemore import BigramCounter, MLPCharLM, NGramCounter
from sklearn_makemore.model_selection import lr_range_test

# The words of the tests are too few for the suggestion to be of account.
QUICK = {"min_lr": 1e-3, "max_lr": 1.0, "n_steps": 40}
AT_AN_END = "ignore:The loss is least at:UserWarning"
SGD = MLPCharLM(
    n_embd=4,
    n_hidden=8,
    optimizer="sgd",
    weight_decay=0,
    batch_size=300,
    random_state=0,
)
STOP_AT_ONCE = EarlyStopping("train_loss", patience=1, threshold=99)


class StepSpy(Callback):
    """Keeps what each step began with, on the class: the net trains a copy."""

    steps = []
    epochs = Counter()

    def on_batch_begin(self, net, batch=None, **kwargs):
        self.batch_ = batch

    def on_grad_computed(self, net, named_parameters, **kwargs):
        named = list(named_parameters)
        self.steps.append(
            {
                "lr": [group["lr"] for group in net.optimizer_.param_groups],
                "weights": {name: p.detach().clone() for name, p in named},
                "batch": self.batch_,
                "module": copy.deepcopy(net.module_),
            }
        )

    def on_epoch_end(self, net, **kwargs):
        self.epochs[net.max_epochs] += 1


@pytest.fixture
def spy():
    StepSpy.steps = []
    StepSpy.epochs = Counter()
    return StepSpy()


def mean_loss(module, batch):
    """The mean over the characters of a batch, from its definition."""
    inputs, counts = batch
    log_proba = module(**inputs).log_softmax(-1)
    return -(counts * log_proba).sum() / counts.sum()


def criterion(module, batch):
    """What the net minimises: batches of more characters count for more."""
    inputs, counts = batch
    return -(counts * module(**inputs).log_softmax(-1)).sum()


@pytest.mark.filterwarnings(AT_AN_END)
def test_it_is_gradient_descent_with_a_rising_rate(spy, words):
    model = clone(SGD).set_params(callbacks=[spy])
    result = lr_range_test(model, words, **QUICK)
    n_steps = QUICK["n_steps"]
    assert len(spy.steps) == n_steps
    expected = [1e-3 * 1000 ** (step / (n_steps - 1)) for step in range(n_steps)]
    np.testing.assert_allclose(result.lr, expected)
    assert [step["lr"] for step in spy.steps] == [[rate] for rate in result.lr]
    # The same by hand, from the same first weights and batches.
    module = spy.steps[0]["module"]
    for step, rate, loss in zip(spy.steps, result.lr, result.loss, strict=True):
        assert mean_loss(module, step["batch"]).item() == pytest.approx(loss, rel=1e-4)
        parameters = dict(module.named_parameters())
        gradients = torch.autograd.grad(
            criterion(module, step["batch"]), parameters.values()
        )
        with torch.no_grad():
            for (name, parameter), gradient in zip(
                parameters.items(), gradients, strict=True
            ):
                torch.testing.assert_close(parameter, step["weights"][name])
                parameter -= rate * gradient


@pytest.mark.filterwarnings(AT_AN_END)
@over(NETS)
def test_every_network_can_be_tested(estimator, words):
    result = lr_range_test(estimator, words, **QUICK)
    n_steps = len(result.lr)
    assert 10 < n_steps <= QUICK["n_steps"]
    assert set(result) == {"lr", "loss", "smoothed_loss", "suggestion"}
    for values in result.lr, result.loss, result.smoothed_loss:
        assert values.shape == (n_steps,) and values.dtype == np.float64
        assert np.isfinite(values).all()
    assert 2.5 < result.loss[0] < 3.8  # about the logarithm of 27
    assert result.smoothed_loss.min() < result.loss[0]
    assert result.suggestion in result.lr
    assert isinstance(result.suggestion, float)
    again = lr_range_test(estimator, words, **QUICK)
    np.testing.assert_array_equal(again.loss, result.loss)


@pytest.mark.slow
@pytest.mark.filterwarnings(AT_AN_END)
def test_parameters_of_the_estimator_count(words, capsys):
    losses = {}
    for changed in (
        {},
        {"optimizer": "adamw"},
        {"batch_size": 16},
        {"weight_decay": 1.0},
        {"n_hidden": 16},
        {"random_state": 1},
        {"alphabet": "abcdefghijklmnopqrstuvwxyz'-"},
        {"callbacks": [GradientNormClipping(0.01)]},
        {"callbacks": [("clipping", GradientNormClipping(0.02))]},
    ):
        model = clone(SGD).set_params(**changed)
        losses[str(changed)] = lr_range_test(model, words, **QUICK).loss[-5:]
    assert len({tuple(loss) for loss in losses.values()}) == len(losses)
    # Those of the course of training do not.
    for ignored in (
        {"lr": 1e9},
        {"lr_schedule": "step"},
        {"max_epochs": 1},
        {"early_stopping": True, "validation_fraction": 0.3},
        {"verbose": 1},
        {"callbacks": [STOP_AT_ONCE]},
        {"callbacks": [("rate", LRScheduler("StepLR", step_size=1))]},
        {"callbacks": [("stop", STOP_AT_ONCE)]},
        {"callbacks": [EarlyStopping]},
    ):
        model = clone(SGD).set_params(**ignored)
        np.testing.assert_array_equal(
            lr_range_test(model, words, **QUICK).loss[-5:], losses["{}"]
        )
    assert capsys.readouterr().out == ""


@pytest.mark.filterwarnings(AT_AN_END)
def test_weights_of_zero_are_words_left_out(words):
    weights = np.arange(len(words)) % 3 > 0
    chosen = [word for word, weight in zip(words, weights, strict=True) if weight]
    model = clone(SGD).set_params(batch_size=None)
    some = lr_range_test(model, words, sample_weight=weights, **QUICK)
    np.testing.assert_array_equal(some.loss, lr_range_test(model, chosen, **QUICK).loss)
    assert some.loss[-1] != lr_range_test(model, words, **QUICK).loss[-1]


class TellTale:
    """Callback of scikit-learn that is not to be told."""

    def setup(self, estimator, context):
        raise AssertionError("called")

    teardown = on_fit_task_begin = on_fit_task_end = setup


@pytest.mark.slow
@pytest.mark.filterwarnings(AT_AN_END)
@pytest.mark.parametrize("warm_start", [False, True])
def test_the_estimator_is_not_changed(warm_start, spy, words, capsys):
    clipping = GradientNormClipping(1.0)
    model = clone(SGD).set_params(
        callbacks=[clipping, spy],
        random_state=np.random.RandomState(0),
        warm_start=warm_start,
    )
    untouched = lr_range_test(model, words, **QUICK)
    assert not hasattr(model, "net_")
    model.fit(words)
    model.set_callbacks(TellTale())
    params, fitted, callbacks = model.get_params(), dict(vars(model)), model.callbacks
    state = copy.deepcopy(vars(clipping))
    weights = copy.deepcopy(model.net_.module_.state_dict())
    drawn = model.random_state.get_state()[1].copy()
    spy.epochs.clear()
    first = lr_range_test(model, words, **QUICK)
    assert not spy.epochs or set(spy.epochs) == {QUICK["n_steps"]}
    assert model.get_params() == params and vars(model) == fitted
    assert model.callbacks is callbacks and vars(clipping) == state
    torch.testing.assert_close(model.net_.module_.state_dict(), weights, rtol=0, atol=0)
    np.testing.assert_array_equal(model.random_state.get_state()[1], drawn)
    # New weights, whatever it has learned.
    assert abs(first.loss[0] - untouched.loss[0]) < 0.1
    assert capsys.readouterr().out == ""


@pytest.mark.filterwarnings(AT_AN_END)
def test_global_random_state_is_untouched(words):
    in_numpy, in_torch = np.random.get_state()[1].copy(), torch.get_rng_state()
    model = clone(SGD).set_params(random_state=None)
    first, second = (lr_range_test(model, words, **QUICK) for _ in range(2))
    assert (first.loss != second.loss).any()
    np.testing.assert_array_equal(np.random.get_state()[1], in_numpy)
    torch.testing.assert_close(torch.get_rng_state(), in_torch)


def test_an_explosion_ends_the_test(words):
    result = lr_range_test(SGD, words, min_lr=1e-3, max_lr=1e6, n_steps=200)
    assert 50 < len(result.lr) < 180
    # The last steps alone are on the way up; nothing beyond reason is told.
    assert result.loss[:-10].max() < 2 * result.loss[0]
    assert np.isfinite(result.loss).all()
    assert result.smoothed_loss.max() <= result.loss[0]
    best = result.smoothed_loss.argmin()
    assert result.suggestion == result.lr[best]
    assert 0.02 < result.suggestion < 10


def test_infinite_losses_end_the_test(words):
    # AdamW with a rate that overflows at the first step.
    model = clone(SGD).set_params(optimizer="adamw")
    with pytest.warns(UserWarning, match="least at min_lr"):
        result = lr_range_test(model, words, min_lr=1e30, max_lr=1e38, n_steps=20)
    assert len(result.loss) < 5 and np.isfinite(result.loss).all()


class Interrupt(Callback):
    def on_grad_computed(self, net, named_parameters, **kwargs):
        raise KeyboardInterrupt


def test_interrupts_are_errors(words):
    model = clone(SGD).set_params(callbacks=[Interrupt()])
    with pytest.raises(KeyboardInterrupt):
        lr_range_test(model, words)


@pytest.mark.parametrize(
    "estimator, shown",
    [
        (BigramCounter(), r"got BigramCounter\(\)"),
        (NGramCounter(), r"got NGramCounter\(\)"),
        (make_pipeline(MLPCharLM()), "got Pipeline"),
        (MLPCharLM, "got <class"),
        (None, "got None"),
    ],
    ids=["bigram", "ngram", "pipeline", "class", "none"],
)
def test_other_estimators_are_refused(estimator, shown):
    with pytest.raises(TypeError, match=f"a network such as MLPCharLM.*{shown}"):
        lr_range_test(estimator, ["emma"])


@pytest.mark.parametrize(
    "words, options, message",
    [
        ("emma", {}, "single string 'emma'"),
        (["emma"], {"min_lr": 1.0, "max_lr": 0.1}, "max_lr=0.1 must be larger than"),
        (["emma"], {"min_lr": 1.0, "max_lr": 1.0}, "max_lr=1.0 must be larger than"),
        (["emma"], {"min_lr": 0}, "'min_lr' parameter"),
        (["emma"], {"max_lr": "large"}, "'max_lr' parameter"),
        (["emma"], {"n_steps": 3}, "'n_steps' parameter"),
        (["emma"], {"sample_weight": [1, 2]}, "sample_weight.shape"),
    ],
)
def test_errors_say_what_to_do(words, options, message):
    with pytest.raises(ValueError, match=message):
        lr_range_test(SGD, words, **options)
