"""What the page "From the lectures" says that no other test holds."""

import re
from pathlib import Path

import pytest
import torch
from lectures import LECTURE_SEED, windows_and_targets
from torch.nn import functional as F

from sklearn_makemore import modules

TESTS = Path(__file__).parents[1]
PAGE = (TESTS.parent / "docs" / "lectures.rst").read_text(encoding="utf-8")


def n_parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_tests_that_the_page_names_exist():
    named = re.findall(r"tests/([\w/]+\.py)::(\w+)", PAGE)
    assert len(named) > 20
    for file, name in named:
        assert f"def {name}(" in (TESTS / file).read_text(encoding="utf-8")


def test_first_loss_of_emma():
    generator = torch.Generator().manual_seed(LECTURE_SEED)
    table = modules.LookupTable(27)
    ids, targets = windows_and_targets(["emma"], block_size=1)
    with torch.no_grad():
        table.embedding.weight.copy_(torch.randn((27, 27), generator=generator))
        assert F.cross_entropy(table(ids), targets).item() == pytest.approx(
            3.7693, abs=1e-4
        )


def test_first_loss_of_lecture_3(lecture_split):
    generator = torch.Generator().manual_seed(LECTURE_SEED)
    shapes = (27, 10), (30, 200), (200,), (200, 27), (27,)
    C, W1, b1, W2, b2 = (torch.randn(shape, generator=generator) for shape in shapes)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        ours, mlp = (modules.MLP(27, 3, n_embd=10, n_hidden=200) for _ in range(2))
    linear = mlp.hidden[0].linear
    ids, targets = windows_and_targets(lecture_split[0], block_size=3)
    batch = torch.randint(0, len(ids), (32,), generator=generator)
    with torch.no_grad():
        for weight, drawn in [
            (mlp.embedding.weight, C),
            (linear.weight, W1.T),
            (linear.bias, b1),
            (mlp.head.weight, W2.T),
            (mlp.head.bias, b2),
        ]:
            weight.copy_(drawn)
        first = F.cross_entropy(mlp(ids[batch]), targets[batch]).item()
        h = mlp.hidden[0](mlp.embedding(ids[batch]).flatten(1))
        assert first == pytest.approx(27.8817, abs=1e-3)
        assert (h.abs() > 0.99).float().mean().item() == pytest.approx(0.61, abs=0.005)
        first = F.cross_entropy(ours(ids[batch]), targets[batch]).item()
        assert first == pytest.approx(3.31, abs=0.005)


def test_parameters_of_the_lectures_networks():
    for module, expected in [
        (modules.MLP(27, 3, 10, 200, batch_norm=True), "12,097"),
        (modules.MLP(27, 8, 10, 200, batch_norm=True), "22,097"),
        (modules.WaveNet(27, n_embd=10, n_hidden=68), "22,397"),
        (modules.MLP(27, 3, 10, 100, n_layers=5, batch_norm=True), "46,997"),
    ]:
        assert f"{n_parameters(module):,}" == expected
        assert expected in PAGE


def test_parameters_of_the_script_s_networks():
    of_its_shape = {
        "bigram": modules.LookupTable(27),
        "mlp": modules.MLP(27, 16, 64, 64),
        "rnn": modules.RNN(27, 64, 64),
        "gru": modules.GRU(27, 64, 64),
        "bow": modules.BoW(27, 16),
        "transformer": modules.Transformer(27, 16),
    }
    for name, module in of_its_shape.items():
        assert re.search(rf"^{name} +[\d,]+ +{n_parameters(module):,}$", PAGE, re.M)
