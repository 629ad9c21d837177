"""What the recorder writes down is what a loop written out by hand finds."""

import numpy as np
import pytest
import torch
from estimators import NETS
from sklearn.base import clone
from skorch.callbacks import Callback
from torch.nn.functional import one_hot

from sklearn_makemore import BigramCounter, MLPCharLM
from sklearn_makemore.inspection import TrainingRecorder

PLAIN = {"optimizer": "sgd", "weight_decay": 0.0, "lr_schedule": "constant", "lr": 0.3}


class Spy(Callback):
    """Keeps the initial weights and all training batches."""

    def on_train_begin(self, net, **kwargs):
        self.weights_ = {
            name: weight.clone() for name, weight in net.module_.state_dict().items()
        }
        self.batches_ = []

    def on_batch_begin(self, net, batch=None, training=None, **kwargs):
        if training:
            self.batches_.append(batch)


def recorded(estimator, words, *others, **params):
    """Fit a clone with a recorder; return it and the recorder."""
    recorder = TrainingRecorder(**params)
    model = clone(estimator).set_params(callbacks=[recorder, *others])
    model.fit(words)
    return model, TrainingRecorder.from_estimator(model)


def sgd_by_hand(weights, batches, lr):
    """Train one tanh layer by the textbook; yield what the recorder should say."""
    names = ["embedding.weight", "hidden.0.linear.weight", "hidden.0.linear.bias"]
    names += ["head.weight", "head.bias"]
    C, W1, b1, W2, b2 = parameters = [weights[name].double() for name in names]
    for inputs, counts in batches:
        for parameter in parameters:
            parameter.requires_grad_(True).grad = None
        x = (one_hot(inputs["ids"].long(), len(C)).double() @ C).flatten(1)
        h = torch.tanh(x @ W1.T + b1)
        h.retain_grad()
        logits = h @ W2.T + b2
        loss = -(counts * (logits - logits.logsumexp(1, keepdim=True))).sum()
        loss.backward()
        ratios = {
            name: lr * parameter.grad.numpy().std() / parameter.detach().numpy().std()
            for name, parameter in zip(names, parameters, strict=True)
            if parameter.detach().numpy().any()
        }
        grads = {
            name: p.grad.numpy() for name, p in zip(names, parameters, strict=True)
        }
        yield loss.item(), ratios, h.detach().numpy(), h.grad.numpy(), grads
        with torch.no_grad():
            for parameter in parameters:
                parameter -= lr * parameter.grad


def test_records_are_those_of_a_loop_written_out(words):
    estimator = MLPCharLM(
        n_embd=4, n_hidden=12, max_epochs=3, batch_size=300, random_state=0, **PLAIN
    )
    model, recorder = recorded(estimator, words, Spy(), every=1)
    spy = dict(model.net_.callbacks_)["Spy"]
    assert len(recorder.records_) == len(spy.batches_) > 10
    by_hand = sgd_by_hand(spy.weights_, spy.batches_, lr=0.3)
    for step, (record, expected) in enumerate(
        zip(recorder.records_, by_hand, strict=True)
    ):
        loss, ratios, h, h_grad, grads = expected
        assert record["step"] == step
        assert record["loss"] == pytest.approx(loss, abs=1e-5)
        assert record["parameters"].keys() == grads.keys()
        for name, row in record["parameters"].items():
            assert row["shape"] == grads[name].shape
            assert row["grad_std"] == pytest.approx(grads[name].std(), rel=1e-3)
            if name in ratios:
                assert row["update_ratio"] == pytest.approx(ratios[name], rel=1e-3)
        (outputs,), (slopes,) = (
            record[kind].values() for kind in ("outputs", "gradients")
        )
        assert outputs["mean"] == pytest.approx(h.mean(), abs=1e-5)
        assert outputs["std"] == pytest.approx(h.std(), rel=1e-4)
        assert outputs["saturated"] == np.mean(np.abs(h) > 0.97)
        assert slopes["mean"] == pytest.approx(h_grad.mean(), abs=1e-7)
        assert slopes["std"] == pytest.approx(h_grad.std(), rel=1e-3)
        if step in recorder.histograms_:
            kept = recorder.histograms_[step]
            assert_histogram(kept["outputs"]["hidden.0.activation"], h)
            assert_histogram(kept["gradients"]["hidden.0.activation"], h_grad)
            for name, row in kept["parameters"].items():
                assert_histogram(row, grads[name])
    assert recorder.histograms_.keys() == {0, step}


def assert_histogram(found, values):
    widths = np.diff(found["edges"])
    assert len(found["density"]) == len(widths) == 100
    assert (found["density"] * widths).sum() == pytest.approx(1)
    expected, edges = np.histogram(values, 100, density=True)
    np.testing.assert_allclose(found["edges"], edges, rtol=1e-3, atol=1e-8)
    # Rounded otherwise, a number may fall into the next bin.
    moved = np.abs(np.cumsum(found["density"] - expected) * widths).max()
    assert moved <= 3.5 / values.size


def test_sample_weights_reach_the_gradients(words):
    estimator = clone(NETS["mlp"]).set_params(
        callbacks=[TrainingRecorder(every=1)], batch_size=None, max_epochs=1
    )
    words = words[:30]  # one step
    weights = np.array([3.0, 0.0, 1.0] * 10)
    weighted = clone(estimator).fit(words, sample_weight=weights)
    repeated = [
        word
        for word, weight in zip(words, weights, strict=True)
        for _ in range(int(weight))
    ]
    other = clone(estimator).set_params(alphabet=None).fit(repeated)
    (one,), (two,) = (
        TrainingRecorder.from_estimator(model).records_ for model in (weighted, other)
    )
    for name, row in one["parameters"].items():
        assert row["grad_std"] == pytest.approx(
            two["parameters"][name]["grad_std"], rel=1e-3
        )


@pytest.mark.parametrize("every, most", [(1, 7), (3, 4), (2, 1), (1, 1000)])
def test_memory_is_bounded(every, most, words):
    _, recorder = recorded(
        NETS["mlp"], words, every=every, max_records=most, histogram_steps=[5, 11]
    )
    steps = [row["step"] for row in recorder.records_]
    n_steps = len(words_batches(words)) * NETS["mlp"].max_epochs
    assert recorder.every_ in every * 2 ** np.arange(10)
    regular = range(0, n_steps, recorder.every_)
    assert steps == sorted({*regular, 5, 11})
    assert len(set(regular)) <= most
    if recorder.every_ > every:
        assert len(range(0, n_steps, recorder.every_ // 2)) > most
    assert {0, 5, 11} <= recorder.histograms_.keys()
    assert len(recorder.histograms_) <= 4


def words_batches(words):
    spied = clone(NETS["mlp"]).set_params(callbacks=[Spy()], max_epochs=1).fit(words)
    return dict(spied.net_.callbacks_)["Spy"].batches_


@pytest.mark.parametrize(
    "params, error, match",
    [
        ({"every": 0}, ValueError, "every == 0"),
        ({"every": 2.5}, TypeError, "every"),
        ({"n_bins": 0}, ValueError, "n_bins"),
        ({"histogram_steps": [-1]}, ValueError, "histogram_steps == -1"),
        ({"histogram_steps": [2.5]}, TypeError, "histogram_steps"),
        ({"max_records": 0}, ValueError, "max_records"),
        ({"layers": "hidden"}, TypeError, "list of names"),
        ({"layers": ["hidden.9"]}, ValueError, r"\['hidden.9'\].*'hidden.0'"),
    ],
)
def test_wrong_parameters(params, error, match, words):
    with pytest.raises(error, match=match):
        recorded(NETS["mlp"], words, **params)


@pytest.mark.filterwarnings("ignore")
def test_a_compiled_module_cannot_be_looked_into(words, monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda module, **kwargs: Wrapped(module))
    with pytest.raises(ValueError, match="compile=False"):
        recorded(clone(NETS["mlp"]).set_params(compile=True), words)


class Wrapped(torch.nn.Module):
    def __init__(self, module):
        super().__init__()
        self._orig_mod = module

    def forward(self, *args, **inputs):
        return self._orig_mod(*args, **inputs)


def test_a_divergence_is_called_by_its_name(words):
    estimator = clone(NETS["mlp"]).set_params(**{**PLAIN, "lr": 1e38})
    with pytest.raises(ValueError, match="Training diverged"):
        recorded(estimator, words, every=1)


def test_whom_it_can_be_asked_of(words, fit_once):
    with pytest.raises(ValueError, match=r"callbacks=\[TrainingRecorder\(\)\]"):
        TrainingRecorder.from_estimator(fit_once(NETS["mlp"], words))
    with pytest.raises(TypeError, match="got a BigramCounter"):
        TrainingRecorder.from_estimator(BigramCounter())
    with pytest.raises(ValueError, match="not fitted yet"):
        TrainingRecorder.from_estimator(clone(NETS["mlp"]))
