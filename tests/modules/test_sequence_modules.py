"""The modules that read from the start, against torch's own layers and plain loops."""

import math

import numpy as np
import pytest
import torch
from sequence_oracles import (
    LONGEST,
    MODULES,
    N_SYMBOLS,
    POSITIONS,
    RECURRENT,
    made,
    sequences,
    stepped,
)
from torch import nn
from torch.nn import functional as F

from sklearn_makemore.modules import GRU, LSTM, RNN, PrefixTree
from sklearn_makemore.modules.dropout import Dropout


@pytest.fixture(autouse=True)
def own_random_numbers():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


# What the modules compute.


@pytest.mark.parametrize("name", MODULES)
def test_tree_rows_and_steps_are_one(name):
    module = made(name)
    ids, lengths, inside = sequences()
    along_rows = module(ids)
    assert along_rows.shape == (*ids.shape, N_SYMBOLS)
    torch.testing.assert_close(stepped(module, ids), along_rows)
    symbols, tree = PrefixTree.from_ids(ids, lengths)
    logits = module(symbols, tree)
    assert logits.shape == (len(tree), N_SYMBOLS) and len(tree) < 0.8 * inside.sum()
    torch.testing.assert_close(logits[tree.paths][inside], along_rows[inside])
    # Rows in float32, with ids as batches hold them, differ by rounding alone.
    single = module.float()(symbols.int(), tree)
    torch.testing.assert_close(single.double(), logits, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", RECURRENT)
def test_tree_and_its_gradients_are_those_of_torch_s_layer(name):
    module = made(name)
    kind = {RNN: nn.RNN, GRU: nn.GRU, LSTM: nn.LSTM}[type(module)]
    n_layers = len(module.start) // (2 if kind is nn.LSTM else 1)
    layer = kind(6, 5, n_layers, batch_first=True).double()
    layer.load_state_dict(module.layers.state_dict())
    ids, lengths, inside = sequences()
    weight = torch.randn(*ids.shape, N_SYMBOLS, dtype=torch.float64)

    start = module.start.detach().clone().requires_grad_()
    # Of every layer h and, in the LSTM, c.
    state = start[:, None].repeat(1, len(ids), 1)
    if kind is nn.LSTM:
        state = state[0::2].contiguous(), state[1::2].contiguous()
    h, _ = layer(F.embedding(ids, module.embedding.weight), state)
    expected = h @ module.head.weight.T + module.head.bias
    (expected * weight)[inside].sum().backward()
    shared = [*module.embedding.parameters(), *module.head.parameters()]
    grads = [p.grad for p in [*layer.parameters(), start, *shared]]

    module.zero_grad()
    symbols, tree = PrefixTree.from_ids(ids, lengths)
    found = module(symbols, tree)[tree.paths]
    torch.testing.assert_close(found[inside], expected[inside])
    (found * weight)[inside].sum().backward()
    ours = [p.grad for p in [*module.layers.parameters(), module.start, *shared]]
    for one, other in zip(ours, grads, strict=True):
        torch.testing.assert_close(one, other)
        assert one.abs().sum() > 0


@pytest.mark.parametrize("name", POSITIONS)
def test_gradients_along_the_tree_are_those_along_rows(name):
    module = made(name)
    ids, lengths, inside = sequences()
    weight = torch.randn(*ids.shape, N_SYMBOLS, dtype=torch.float64)
    symbols, tree = PrefixTree.from_ids(ids, lengths)
    grads = []
    for logits in (module(ids), module(symbols, tree)[tree.paths]):
        module.zero_grad()
        (logits * weight)[inside].sum().backward()
        grads.append([parameter.grad for parameter in module.parameters()])
    for one, other in zip(*grads, strict=True):
        torch.testing.assert_close(one, other)
        assert one.abs().sum() > 0


def arrays(module):
    return {name: p.detach().numpy() for name, p in module.state_dict().items()}


def linear(x, w, name):
    return w[f"{name}.weight"] @ x + w[f"{name}.bias"]


def normalized(x, w, name):
    return (x - x.mean()) / np.sqrt(x.var() + 1e-5) * w[f"{name}.weight"] + w[
        f"{name}.bias"
    ]


def gelu(x):
    """x P(Z <= x) of a standard normal Z (Hendrycks and Gimpel 2016)."""
    return np.array([y / 2 * (1 + math.erf(y / math.sqrt(2))) for y in x])


def textbook_transformer(w, ids, n_heads, n_layers):
    """Logits after every symbol of one sequence, position by position."""
    x = [w["embedding.weight"][s] + w["positions.weight"][t] for t, s in enumerate(ids)]
    for block in (f"blocks.{layer}" for layer in range(n_layers)):
        qkv = [
            linear(
                normalized(one, w, f"{block}.attention_norm"),
                w,
                f"{block}.attention.qkv",
            ).reshape(3, n_heads, -1)
            for one in x
        ]
        for t in reversed(range(len(x))):
            seen = []
            for head in range(n_heads):
                query = qkv[t][0, head]
                scores = [query @ qkv[s][1, head] for s in range(t + 1)]
                chances = np.exp(np.array(scores) / math.sqrt(len(query)))
                chances /= chances.sum()
                seen.append(sum(p * qkv[s][2, head] for s, p in enumerate(chances)))
            x[t] = x[t] + linear(
                np.concatenate(seen), w, f"{block}.attention.projection"
            )
            hidden = linear(
                normalized(x[t], w, f"{block}.mlp_norm"), w, f"{block}.mlp.0"
            )
            x[t] = x[t] + linear(gelu(hidden), w, f"{block}.mlp.2")
    return np.stack([w["head.weight"] @ normalized(one, w, "norm") for one in x])


def textbook_bow(w, ids):
    """W (h + B tanh(A h + a) + b) of h = x_t + m_t, position by position."""
    x = [w["embedding.weight"][s] + w["positions.weight"][t] for t, s in enumerate(ids)]
    logits = []
    for t in range(len(x)):
        h = x[t] + np.mean(x[: t + 1], axis=0)
        h = h + linear(np.tanh(linear(h, w, "mlp.0")), w, "mlp.3")
        logits.append(linear(h, w, "head"))
    return np.stack(logits)


@pytest.mark.parametrize("name", POSITIONS)
def test_position_modules_are_the_textbook_s(name):
    module = made(name)
    ids, _, _ = sequences(8)
    for row, logits in zip(ids.tolist(), module(ids).detach().numpy(), strict=True):
        if name == "bow":
            expected = textbook_bow(arrays(module), row)
        else:
            shape = (MODULES[name][1]["n_heads"], MODULES[name][1]["n_layers"])
            expected = textbook_transformer(arrays(module), row, *shape)
        np.testing.assert_allclose(logits, expected, rtol=1e-9)


# What may depend on what.


@pytest.mark.parametrize("name", MODULES)
def test_no_logits_depend_on_what_comes_later(name):
    module = made(name)
    ids, _, _ = sequences(8)
    before = module(ids)
    for t in range(LONGEST):
        changed = ids.clone()
        changed[:, t] = (changed[:, t] + 1) % N_SYMBOLS
        after = module(changed)
        torch.testing.assert_close(after[:, :t], before[:, :t])
        # And all that comes after it does.
        assert not torch.isclose(after[:, t:], before[:, t:]).all(2).any()


@pytest.mark.parametrize("name", MODULES)
def test_rows_that_have_read_different_numbers_of_symbols(name):
    module = made(name)
    ids, lengths, _ = sequences(12)
    ids[:, -1] = torch.arange(12) % N_SYMBOLS  # the symbol to read next
    lengths = lengths.clamp(max=LONGEST - 1)
    states, expected = [], []
    for row, length in zip(ids, lengths.tolist(), strict=True):
        state = module.initial_state(1)
        for symbol in row[:length]:
            _, state = module.step(symbol[None], state)
        states.append(state)
        expected.append(module.step(row[-1:], state)[0])
    together = []
    for parts in zip(*states, strict=True):
        longest = max(part.shape[1] if part.ndim == 3 else 0 for part in parts)
        filled = []
        for part in parts:
            if part.ndim == 3:  # keys and values: in front of them, what is no one's
                n_missing = longest - part.shape[1]
                junk = 9 * torch.randn(1, n_missing, part.shape[2], dtype=part.dtype)
                part = torch.cat([junk, part], 1)
            filled.append(part)
        together.append(torch.cat(filled))
    logits, _ = module.step(ids[:, -1], tuple(together))
    torch.testing.assert_close(logits, torch.cat(expected))


@pytest.mark.parametrize("name", POSITIONS)
def test_sequences_longer_than_the_block_are_an_error(name):
    module = made(name)
    ids = torch.zeros(3, LONGEST + 1, dtype=torch.long)
    with pytest.raises(ValueError, match="at most 9 symbols.*sequence of 10"):
        module(ids)
    symbols, tree = PrefixTree.from_ids(ids)
    with pytest.raises(ValueError, match="at most 9 symbols.*sequence of 10"):
        module(symbols, tree)
    with pytest.raises(ValueError, match="at most 9 symbols.*sequence of 10"):
        stepped(module, ids)
    assert module(ids[:, :1]).shape == (3, 1, N_SYMBOLS)


def test_dropout_keeps_the_mean():
    """The share that is dropped is within 4.5 deviations, a false alarm in 10**5."""
    dropout, x = Dropout(0.3), torch.ones(1000, 101)
    values, counts = dropout(x).unique(return_counts=True)
    torch.testing.assert_close(values, torch.tensor([0, 1 / 0.7]), rtol=1e-4, atol=0)
    assert abs(counts[0] / x.numel() - 0.3) < 4.5 * (0.3 * 0.7 / x.numel()) ** 0.5
    assert dropout.eval()(x) is x
