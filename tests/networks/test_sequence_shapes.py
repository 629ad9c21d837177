"""Modules that read from the start: parameters, dropout, use without scikit-learn."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from sequence_oracles import MODULES, N_SYMBOLS, SIZES, made, sequences, stepped
from torch.nn import functional as F

from sklearn_makemore import modules
from sklearn_makemore.modules import GRU, LSTM, RNN, BoW, PrefixTree, Transformer
from sklearn_makemore.modules.transformer import Attention

RECURRENT = (RNN, GRU, LSTM)


@pytest.fixture(autouse=True)
def own_random_numbers():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def n_parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_numbers_of_parameters():
    v, c, h, block = 27, 64, 64, 16
    sizes = {"n_symbols": v, "n_embd": c, "n_hidden": h}
    # As in makemore's script, except that its recurrent cells have one bias vector per
    # gate, and torch's have two.
    table, start, head = v * c, h, h * v + v
    gate = (c + h) * h + 2 * h
    assert n_parameters(RNN(**sizes)) == table + start + gate + head
    assert n_parameters(GRU(**sizes)) == table + start + 3 * gate + head
    assert n_parameters(LSTM(**sizes)) == table + 2 * start + 4 * gate + head
    second = start + (h + h) * h + 2 * h
    assert n_parameters(RNN(**sizes, n_layers=2)) == n_parameters(RNN(**sizes)) + second
    mlp = c * h + h + h * c + c
    assert n_parameters(BoW(**sizes, block_size=block)) == (
        table + block * c + mlp + head
    )
    # Printed by makemore's script.
    assert n_parameters(Transformer(n_symbols=v, block_size=block)) == 204_544


def ways_to_read(ids, lengths):
    """Return the arguments for rows, and for the tree of the same sequences."""
    return [(ids,), PrefixTree.from_ids(ids, lengths)]


@pytest.mark.parametrize("name", MODULES)
def test_dropout_is_only_for_training(name):
    module, plain = made(name, dropout=0.5), made(name)
    if isinstance(module, RECURRENT):
        module.recurrent_dropout.p = 0.5
    plain.load_state_dict(module.state_dict())
    ids, lengths, _ = sequences()
    for inputs in ways_to_read(ids, lengths):
        torch.testing.assert_close(module(*inputs), plain(*inputs))
    torch.testing.assert_close(stepped(module, ids), plain(ids))
    module.train()
    for inputs in ways_to_read(ids, lengths):
        same = torch.isclose(module(*inputs), module(*inputs)).all(-1)
        # Two masks of five units can be equal.
        assert same.double().mean() < 0.2
    plain.train()
    torch.testing.assert_close(plain(ids), plain.eval()(ids))


def share_of_zeros(parts):
    return (torch.cat([part.flatten() for part in parts]) == 0).double().mean().item()


@pytest.mark.parametrize("along", ["rows", "tree", "steps"])
@pytest.mark.parametrize("kind", RECURRENT)
def test_dropout_of_a_recurrent_layer(kind, along, monkeypatch):
    cell, calls, shown = kind._cell, [], []

    def recording(x, state, *weights):
        calls.append((x, *state))
        return cell(x, state, *weights)

    monkeypatch.setattr(kind, "_cell", staticmethod(recording))
    sizes = {**SIZES, "n_hidden": 60, "n_layers": 2}
    module = kind(**sizes, dropout=0.3, recurrent_dropout=0.2).train()
    torch.nn.init.normal_(module.start)
    module.head.register_forward_hook(lambda *call: shown.append(call[1][0]))
    ids, lengths, _ = sequences()
    if along == "steps":
        stepped(module, ids)
    else:
        module(*ways_to_read(ids, lengths)[along == "tree"])
    given, h, *memory = zip(*calls, strict=True)
    assert share_of_zeros(given[0::2]) == 0  # embeddings
    assert share_of_zeros(given[1::2]) == pytest.approx(0.3, abs=0.02)
    assert share_of_zeros(shown) == pytest.approx(0.3, abs=0.02)
    for layer in (h[0::2], h[1::2]):
        assert share_of_zeros(layer) == pytest.approx(0.2, abs=0.02)
    assert all(share_of_zeros(part) == 0 for part in memory)


@pytest.mark.parametrize("kind", RECURRENT)
def test_dropout_of_torch_layers(kind):
    shown = []
    for n_layers in (1, 2):
        module = kind(**{**SIZES, "n_hidden": 60}, n_layers=n_layers, dropout=0.3)
        module.train().head.register_forward_hook(
            lambda *call: shown.append(call[1][0])
        )
        module(sequences()[0])
        assert share_of_zeros(shown[-1:]) == pytest.approx(0.3, abs=0.02)
        assert module.layers.dropout == (0.3 if n_layers > 1 else 0)


def test_attention_weights_are_dropped_and_the_rest_is_scaled():
    attention = Attention(n_embd=4, n_heads=2, dropout=0.4).double()
    qkv = torch.randn(1, 3, 12, dtype=torch.float64)
    expected = attention.eval()(qkv)
    draws = attention.train()(qkv.expand(20_000, 3, 12))
    assert (draws[1:] != draws[:1]).any()
    # The outputs are weighted sums, so their mean equals the output without dropout.
    torch.testing.assert_close(draws.mean(0), expected[0], atol=0.02, rtol=0)
    # The first position only attends to itself: it keeps all of it, or nothing.
    alone = (draws[:, 0] - attention.projection.bias).abs().sum(-1) < 1e-12
    assert alone.double().mean() == pytest.approx(0.4**2, abs=0.02)


ALMOST_ALL = 0.9999999


def test_transformer_drops_embeddings_and_outputs_of_blocks():
    module = made("transformer", dropout=ALMOST_ALL).train()
    one, other = module(torch.tensor([[1, 2, 3]])), module(torch.tensor([[4, 5, 6]]))
    torch.testing.assert_close(one, other)  # all embeddings are dropped
    x = torch.randn(2, 3, 8, dtype=torch.float64)
    for block in module.blocks:
        torch.testing.assert_close(block(x), x)
        assert not torch.isclose(block.eval()(x), x).all(-1).any()


def test_bow_drops_hidden_units():
    module = made("bow", dropout=ALMOST_ALL).train()
    # The mean of one position is x itself. Without hidden units only a bias is left.
    h = 2 * (module.embedding.weight[1] + module.positions.weight[0])
    expected = module.head(h + module.mlp[-1].bias)
    torch.testing.assert_close(module(torch.tensor([[1, 2, 3]]))[0, 0], expected)


# Without scikit-learn.

SINGLE_PROCESS = """
import importlib.util, pickle, sys
sys.modules["sklearn"] = sys.modules["skorch"] = None
place = sys.argv[1]
spec = importlib.util.spec_from_file_location(
    "networks", place + "/__init__.py", submodule_search_locations=[place]
)
networks = importlib.util.module_from_spec(spec)
sys.modules["networks"] = networks
spec.loader.exec_module(networks)
import torch
ids = torch.tensor([[0, 1, 2], [0, 1, 3], [0, 2, 2]])
targets = torch.tensor([[1, 2, 0], [1, 3, 0], [2, 2, 0]])
for name, sizes in {
    "RNN": {"n_embd": 4, "n_hidden": 6},
    "GRU": {"n_embd": 4, "n_hidden": 6, "n_layers": 2},
    "LSTM": {"n_embd": 4, "n_hidden": 6, "dropout": 0.1},
    "BoW": {"block_size": 3, "n_embd": 4, "n_hidden": 6},
    "Transformer": {"block_size": 3, "n_embd": 4, "n_heads": 2, "n_layers": 1},
}.items():
    torch.manual_seed(0)
    module = getattr(networks, name)(n_symbols=4, **sizes)
    optimizer = torch.optim.AdamW(module.parameters(), lr=0.1)
    losses = []
    for _ in range(30):
        logits = module(ids).flatten(0, 1)
        loss = torch.nn.functional.cross_entropy(logits, targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] - 0.5, (name, losses)
    module.eval()
    again = pickle.loads(pickle.dumps(module))
    other = getattr(networks, name)(n_symbols=4, **sizes).eval()
    other.load_state_dict(module.state_dict())
    symbols, tree = networks.PrefixTree.from_ids(ids)
    for copied in (again, other):
        assert torch.equal(copied(ids), module(ids))
        assert torch.equal(copied(symbols, tree), module(symbols, tree))
print(sorted(networks.__all__))
"""


@pytest.mark.slow
def test_modules_learn_and_are_saved_without_scikit_learn():
    place = Path(modules.__file__).parent
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SINGLE_PROCESS, str(place)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(sorted(modules.__all__))


@pytest.mark.parametrize("name", MODULES)
def test_first_loss_is_that_of_uniform_guesses(name):
    module_class, settings = MODULES[name]
    module = module_class(**settings)
    ids, lengths, _ = sequences(300)
    for inputs in ways_to_read(ids, lengths):
        logits = module(*inputs).flatten(0, -2)
        targets = torch.randint(N_SYMBOLS, (len(logits),))
        loss = F.cross_entropy(logits, targets).item()
        assert loss == pytest.approx(torch.tensor(N_SYMBOLS).log().item(), abs=0.1)
