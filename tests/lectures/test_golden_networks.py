"""The numbers of the makemore lectures from the second on, and those of its script.

Where a lecture trains a network, its own initial weights are loaded into the module of
this package, and the steps are taken by hand.
"""

import pytest
import torch
from lectures import (
    FIVE_NAMES,
    LECTURE_SEED,
    VOCABULARY,
    descend,
    mean_nll_of_counts,
    windows_and_targets,
)
from sklearn.base import clone
from torch import nn
from torch.nn import functional as F

from sklearn_makemore import MLPCharLM, TransformerCharLM, WaveNetCharLM
from sklearn_makemore.modules import MLP, Transformer, WaveNet

pytestmark = pytest.mark.slow


def n_parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


def lecture_2_mlp():
    """Return the module with the weights of lecture 2: C, W1, b1, W2, b2 in order."""
    generator = torch.Generator().manual_seed(LECTURE_SEED)
    shapes = (27, 2), (6, 100), (100,), (100, 27), (27,)
    C, W1, b1, W2, b2 = (torch.randn(shape, generator=generator) for shape in shapes)
    mlp = MLP(n_symbols=27, block_size=3, n_embd=2, n_hidden=100)
    linear, head = (part for part in mlp.modules() if isinstance(part, nn.Linear))
    with torch.no_grad():
        mlp.embedding.weight.copy_(C)
        linear.weight.copy_(W1.T)  # torch keeps (out, in), the lecture (in, out)
        linear.bias.copy_(b1)
        head.weight.copy_(W2.T)
        head.bias.copy_(b2)
    return mlp


# Lecture 2: the multi-layer perceptron.


def test_mlp_of_lecture_2_has_its_parameters():
    assert n_parameters(lecture_2_mlp()) == 3_481


def test_mlp_of_lecture_2_on_five_names():
    mlp = lecture_2_mlp()
    ids, targets = windows_and_targets(FIVE_NAMES, block_size=3)
    losses = descend(mlp, lambda: F.cross_entropy(mlp(ids), targets), 100, lr=0.1)
    assert losses[:3] == pytest.approx([17.7697, 13.6564, 11.2988], abs=1e-4)
    assert losses[100] == pytest.approx(0.3354, abs=1e-4)


def test_mlp_of_lecture_2_on_the_whole_list(makemore_names):
    mlp = lecture_2_mlp()
    mean_nll = mean_nll_of_counts(mlp, makemore_names, block_size=3)
    losses = descend(mlp, mean_nll, n_steps=4, lr=0.1)
    expected = [19.5052, 17.0845, 15.7765, 14.8333, 14.0026]
    assert losses == pytest.approx(expected, abs=1e-4)


# Lectures 3 and 5, and the script: larger networks, as modules and as what the
# estimators train.


def test_parameters_of_lecture_3():
    mlp = MLP(n_symbols=27, block_size=3, n_embd=10, n_hidden=200)
    assert n_parameters(mlp) == 11_897


def test_parameters_of_lecture_5():
    assert n_parameters(WaveNet(n_symbols=27)) == 76_579


def test_parameters_of_makemore_s_script():
    # What it prints for its default network and this list, whose longest name has 15.
    assert n_parameters(Transformer(n_symbols=27, block_size=16)) == 204_544


@pytest.mark.parametrize(
    "model, expected",
    [
        (MLPCharLM(block_size=3, n_embd=2, n_hidden=100), 3_481),
        (MLPCharLM(block_size=3, n_embd=10, n_hidden=200), 11_897),
        (WaveNetCharLM(), 76_579),
        (TransformerCharLM(16, n_embd=64, n_heads=4, n_layers=4), 204_544),
    ],
    ids=["lecture 2", "lecture 3", "lecture 5", "script"],
)
def test_parameters_of_the_fitted_estimator(model, expected):
    model = clone(model).set_params(alphabet=VOCABULARY.characters, max_epochs=1)
    assert n_parameters(model.fit(FIVE_NAMES).net_.module_) == expected


# What the lectures' networks reach after 200,000 steps, a few epochs reach here.
# docs/benchmarks/quality.py compares the networks that read from the start.


def test_mlp_is_no_worse_than_that_of_lecture_3(lecture_split):
    train, valid, _ = lecture_split
    model = MLPCharLM(n_embd=10, n_hidden=200, random_state=0)
    assert model.fit(train).nll(valid) <= 2.105


def test_wavenet_is_no_worse_than_that_of_lecture_5(lecture_split):
    # Like the lecture without weight decay: an NLL of 1.7690 takes some overfitting.
    train, valid, _ = lecture_split
    model = WaveNetCharLM(
        max_epochs=8, batch_size=2048, lr=0.03, weight_decay=0, random_state=0
    )
    assert model.fit(train).nll(train) <= 1.7690
    assert model.nll(valid) <= 1.9937
