"""What is kept of tensors, compared with numpy; and what counts as a layer."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from sklearn_makemore.inspection import TrainingRecorder
from sklearn_makemore.inspection._summaries import (
    histogram,
    is_nonlinear,
    moments,
    output_moments,
    update_of,
    values_of,
)


def normal(*shape, seed=0):
    rng = np.random.default_rng(seed)
    return torch.tensor(rng.normal(size=shape), dtype=torch.float32)


@pytest.mark.parametrize("n_bins", [1, 7, 100])
def test_histogram_is_that_of_numpy(n_bins):
    values = normal(1000)
    found = histogram(values, n_bins)
    density, edges = np.histogram(values.double().numpy(), n_bins, density=True)
    np.testing.assert_allclose(found["edges"], edges)
    np.testing.assert_allclose(found["density"], density)


@pytest.mark.parametrize(
    "values", [[3.0], [0.0, 0.0], [], [math.nan], [math.inf, 1.0, 2.0, -math.inf]]
)
def test_every_histogram_integrates_to_one(values):
    found = histogram(torch.tensor(values), 8)
    widths = np.diff(found["edges"])
    assert (widths > 0).all()
    assert (found["density"] * widths).sum() == pytest.approx(1)


def test_moments_are_those_of_numpy():
    values = values_of([normal(3, 4), normal(5, seed=1)])
    assert values.shape == (17,)
    found = moments(values)
    assert found["mean"] == pytest.approx(values.numpy().mean(), abs=1e-6)
    assert found["std"] == pytest.approx(values.numpy().std(), rel=1e-5)
    assert moments(torch.tensor([5.0])) == {"mean": 5.0, "std": 0.0}


def test_saturated_outputs_by_kind_of_layer():
    x = 3 * normal(5000)
    for layer, saturated in [
        (nn.Tanh(), lambda h: abs(h) > 0.97),
        # The sigmoid is a tanh of half the input, moved and halved.
        (nn.Sigmoid(), lambda h: h > 0.985 or h < 0.015),
        (nn.ReLU(), lambda h: h == 0),
    ]:
        outputs = layer(x)
        share = sum(saturated(h) for h in outputs.tolist()) / len(x)
        assert 0.02 < share < 0.6
        assert output_moments(layer, outputs)["saturated"] == pytest.approx(share)
        assert is_nonlinear(layer)
    assert math.isnan(output_moments(nn.GELU(), x)["saturated"])
    assert is_nonlinear(nn.GELU()) and not is_nonlinear(nn.Linear(1, 1))


def test_update_of_a_parameter():
    before, parameter = normal(4, 3), nn.Parameter(normal(4, 3, seed=1))
    parameter.grad = normal(4, 3, seed=2)
    found = update_of(before, parameter)
    change = (parameter.detach() - before).numpy()
    assert found["shape"] == (4, 3)
    assert found["data_std"] == pytest.approx(before.numpy().std(), rel=1e-5)
    assert found["grad_std"] == pytest.approx(parameter.grad.numpy().std(), rel=1e-5)
    assert found["update_std"] == pytest.approx(change.std(), rel=1e-5)
    ratio = change.std() / before.numpy().std()
    assert found["update_ratio"] == pytest.approx(ratio, rel=1e-5)
    zeros = torch.zeros(4, 3)
    assert update_of(zeros, parameter)["update_ratio"] == math.inf
    still = nn.Parameter(zeros)
    still.grad = zeros
    assert math.isnan(update_of(zeros, still)["update_ratio"])


class Every(nn.Module):
    """All kinds of layers, one that returns a tuple and one that overwrites."""

    def __init__(self):
        super().__init__()
        self.recurrent = nn.GRU(3, 4, batch_first=True)
        self.tanh, self.gelu, self.sigmoid = nn.Tanh(), nn.GELU(), nn.Sigmoid()
        self.overwriting = nn.ReLU(inplace=True)
        self.unused = nn.Parameter(torch.ones(2, 2))

    def forward(self, x):
        h = self.tanh(self.recurrent(x)[0])
        for _ in range(2):  # called twice in a step
            h = self.sigmoid(h)
        return self.overwriting(self.gelu(1 - 2 * h))


def one_step(**params):
    """Take one step by hand, as the net does; return the recorder and the outputs."""
    torch.manual_seed(0)
    module, x = Every(), normal(5, 6, 3)
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    net = SimpleNamespace(module_=module)
    recorder = TrainingRecorder(**params)
    recorder.on_train_begin(net)
    recorder.on_batch_begin(net, training=True)
    outputs = module(x)
    loss = outputs.square().sum()
    loss.backward()
    optimizer.step()
    recorder.on_batch_end(net, training=True, loss=loss.detach())
    recorder.on_train_end(net)
    return recorder.records_[0], module, x, outputs.detach()


@pytest.fixture(autouse=True)
def own_seed():
    with torch.random.fork_rng(devices=[]):
        yield


def test_layers_of_any_module():
    record, module, x, outputs = one_step()
    assert set(record["outputs"]) == {"tanh", "gelu", "sigmoid", "overwriting"}
    assert record["gradients"].keys() == record["outputs"].keys()
    assert "unused" not in record["parameters"]
    assert record["outputs"]["overwriting"]["mean"] == pytest.approx(
        outputs.mean().item(), rel=1e-5
    )
    # What the last layer has overwritten was recorded before.
    assert record["outputs"]["overwriting"]["mean"] > record["outputs"]["gelu"]["mean"]
    # The gradient of a sum of squares is twice the summand.
    expected = 2 * outputs.mean().item()
    assert record["gradients"]["overwriting"]["mean"] == pytest.approx(expected)


def test_a_layer_called_twice_counts_twice():
    torch.manual_seed(0)
    module, x = Every(), normal(5, 6, 3)
    h = module.tanh(module.recurrent(x)[0])
    first = torch.sigmoid(h)
    both = torch.stack([first, torch.sigmoid(first)])
    record = one_step()[0]
    assert record["outputs"]["sigmoid"]["mean"] == pytest.approx(
        both.mean().item(), rel=1e-5
    )


def test_named_layers_alone():
    record, module, x, _ = one_step(layers=["recurrent"])
    assert list(record["outputs"]) == list(record["gradients"]) == ["recurrent"]
    torch.manual_seed(0)
    h = Every().recurrent(x)[0]
    assert record["outputs"]["recurrent"]["std"] == pytest.approx(
        h.std(correction=0).item(), rel=1e-5
    )
    assert math.isnan(record["outputs"]["recurrent"]["saturated"])
