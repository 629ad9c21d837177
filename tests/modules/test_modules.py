"""The modules against plain tensor code written from the papers and the lectures."""

import math
import pickle

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from sklearn_makemore.modules import (
    MLP,
    LookupTable,
    Tanh,
    WaveNet,
    WeightedBatchNorm1d,
)

N_SYMBOLS = 27

SHAPES = {
    "lookup": (LookupTable, {}, 1),
    "mlp": (MLP, {"block_size": 3, "n_embd": 10, "n_hidden": 200}, 3),
    "mlp, one symbol": (MLP, {"block_size": 1, "n_embd": 2, "n_hidden": 5}, 1),
    "mlp, direct": (
        MLP,
        {"block_size": 3, "n_embd": 10, "n_hidden": 200, "direct": True},
        3,
    ),
    "mlp, deep": (
        MLP,
        {"block_size": 4, "n_embd": 8, "n_hidden": 100, "n_layers": 5},
        4,
    ),
    "mlp, batch norm": (
        MLP,
        {
            "block_size": 3,
            "n_embd": 10,
            "n_hidden": 50,
            "n_layers": 2,
            "batch_norm": True,
        },
        3,
    ),
    "mlp, dropout": (
        MLP,
        {"block_size": 3, "n_embd": 10, "n_hidden": 50, "dropout": 0.5},
        3,
    ),
    "wavenet": (WaveNet, {}, 8),
    "wavenet, one level": (WaveNet, {"n_layers": 1}, 2),
    "wavenet, deep": (WaveNet, {"n_layers": 5, "n_hidden": 32}, 32),
    "wavenet, threes": (WaveNet, {"n_layers": 2, "fan_in": 3, "n_hidden": 16}, 9),
    "wavenet, plain": (WaveNet, {"batch_norm": False}, 8),
    "wavenet, dropout": (WaveNet, {"dropout": 0.5}, 8),
}


@pytest.fixture(autouse=True)
def own_random_numbers():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


@pytest.fixture(params=SHAPES, ids=str)
def module_and_ids(request):
    module_class, params, block_size = SHAPES[request.param]
    module = module_class(n_symbols=N_SYMBOLS, **params)
    return module, torch.randint(N_SYMBOLS, (64, block_size))


def trained_looking(module):
    """Fill in values that no parameter or running mean begins with, and go to eval."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(0, 0.5)
        for norm in parts(module, nn.BatchNorm1d):
            norm.running_mean.normal_()
            norm.running_var.uniform_(0.5, 2)
    return module.eval()


def parts(module, kind):
    """Return the submodules of a kind, in the order of the pipeline."""
    return [part for part in module.modules() if isinstance(part, kind)]


# Slow versions.


def bengio(mlp, window):
    """Compute y = b + W x + U tanh(d + H x) for one window, unit by unit."""
    x = [value for symbol in window for value in mlp.embedding.weight[symbol]]
    first, last, direct = parts(mlp, nn.Linear)
    H, d, U, b, W = first.weight, first.bias, last.weight, last.bias, direct.weight
    hidden = [
        torch.tanh(d[h] + sum(H[h, i] * x[i] for i in range(len(x))))
        for h in range(len(d))
    ]
    return torch.stack(
        [
            b[v]
            + sum(W[v, i] * x[i] for i in range(len(x)))
            + sum(U[v, h] * hidden[h] for h in range(len(d)))
            for v in range(len(b))
        ]
    )


def flatten_consecutive(x, n):
    """Lay `n` neighbours side by side, as the layer of this name in lecture 5."""
    return torch.stack(
        [
            torch.cat([x[:, t + place] for place in range(n)], dim=1)
            for t in range(0, x.shape[1], n)
        ],
        dim=1,
    )


def batch_norm_of_lecture_5(x, norm, training):
    """Normalise every channel over all dimensions before it, as lecture 5 mends it."""
    if training:
        dims = tuple(range(x.ndim - 1))
        mean, var = x.mean(dims), x.var(dims, correction=0)
    else:
        mean, var = norm.running_mean, norm.running_var
    return norm.weight * (x - mean) / torch.sqrt(var + norm.eps) + norm.bias


def wavenet_of_lecture_5(wavenet, ids, fan_in, training=False):
    """Embed; flatten, multiply, normalise and squash until one position is left."""
    x = wavenet.embedding.weight[ids]
    *linears, head = parts(wavenet, nn.Linear)
    for linear, norm in zip(linears, parts(wavenet, nn.BatchNorm1d), strict=True):
        x = flatten_consecutive(x, fan_in) @ linear.weight.T
        x = torch.tanh(batch_norm_of_lecture_5(x, norm, training))
    assert x.shape[1] == 1
    return x[:, 0] @ head.weight.T + head.bias


def dilated_convolutions(wavenet, ids, fan_in):
    """Slide the same tree over a long sequence: WaveNet as its paper draws it."""
    x = wavenet.embedding(ids).transpose(1, 2)  # (B, C, T)
    *linears, head = parts(wavenet, nn.Linear)
    norms = parts(wavenet, nn.BatchNorm1d)
    for level, linear in enumerate(linears):
        weight = linear.weight  # (n_out, fan_in * C)
        kernel = weight.view(len(weight), fan_in, -1).transpose(1, 2)
        x = F.conv1d(x, kernel, linear.bias, dilation=fan_in**level)
        if norms:
            x = F.batch_norm(
                x,
                norms[level].running_mean,
                norms[level].running_var,
                norms[level].weight,
                norms[level].bias,
            )
        x = torch.tanh(x)
    return head(x.transpose(1, 2))  # (B, T - fan_in ** n_layers + 1, V)


# What the modules compute.


def test_lookup_table_is_one_hot_times_a_matrix():
    table = LookupTable(N_SYMBOLS)
    ids = torch.arange(N_SYMBOLS)[:, None]
    one_hot = F.one_hot(ids[:, 0], N_SYMBOLS).float()
    torch.testing.assert_close(table(ids), one_hot @ table.embedding.weight)


def test_lookup_table_sees_the_last_symbol_alone():
    table = LookupTable(N_SYMBOLS)
    ids = torch.randint(N_SYMBOLS, (64, 5))
    torch.testing.assert_close(table(ids), table(ids[:, -1:]))


def test_mlp_is_bengio_s_equation():
    mlp = MLP(n_symbols=5, block_size=3, n_embd=2, n_hidden=4, direct=True)
    trained_looking(mlp.double())
    ids = torch.randint(5, (6, 3))
    expected = torch.stack([bengio(mlp, window) for window in ids.tolist()])
    torch.testing.assert_close(mlp(ids), expected)


def test_mlp_without_direct_connections_has_none():
    mlp = MLP(n_symbols=5, block_size=3, n_embd=2, n_hidden=4, direct=True)
    plain = MLP(n_symbols=5, block_size=3, n_embd=2, n_hidden=4)
    state = trained_looking(mlp).state_dict()
    del state["direct.weight"]
    plain.load_state_dict(state)
    nn.init.zeros_(mlp.direct.weight)
    ids = torch.randint(5, (6, 3))
    torch.testing.assert_close(plain.eval()(ids), mlp(ids))


@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
def test_deep_mlp_with_batch_norm_is_lecture_3_s(training):
    mlp = MLP(
        N_SYMBOLS, block_size=3, n_embd=4, n_hidden=6, n_layers=2, batch_norm=True
    )
    trained_looking(mlp.double()).train(training)
    ids = torch.randint(N_SYMBOLS, (16, 3))
    x = mlp.embedding.weight[ids].view(16, 12)
    *linears, head = parts(mlp, nn.Linear)
    assert len(linears) == 2
    for linear, norm in zip(linears, parts(mlp, nn.BatchNorm1d), strict=True):
        # No bias: the normalisation would take it away again.
        assert linear.bias is None
        x = batch_norm_of_lecture_5(x @ linear.weight.T, norm, training)
        x = torch.tanh(x)
    expected = x @ head.weight.T + head.bias
    torch.testing.assert_close(mlp(ids), expected)


@pytest.mark.parametrize("n_rows", [16, 3000], ids=["small", "large"])
@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("n_layers, fan_in", [(3, 2), (1, 2), (2, 3), (1, 5)])
def test_wavenet_is_lecture_5_s(n_layers, fan_in, training, n_rows):
    # In large batches the module computes what rows have in common once.
    wavenet = WaveNet(N_SYMBOLS, n_layers, fan_in, n_embd=4, n_hidden=6)
    trained_looking(wavenet.double()).train(training)
    ids = torch.randint(N_SYMBOLS, (n_rows, fan_in**n_layers))
    ids[: n_rows // 2, : fan_in ** (n_layers - 1)] = 0  # many begin alike
    expected = wavenet_of_lecture_5(wavenet, ids, fan_in, training)
    torch.testing.assert_close(wavenet(ids), expected)


def test_wavenet_of_a_large_alphabet_and_many_neighbours():
    # Groups of six of 4,096 symbols are more than 64 bits can number: those that differ
    # in the first neighbour alone would become one.
    wavenet = WaveNet(4096, n_layers=2, fan_in=6, n_embd=2, n_hidden=3)
    trained_looking(wavenet.double())
    ids = torch.randint(4096, (300, 36))
    ids[1::2] = ids[::2]
    ids[1::2, 0] ^= 2048
    expected = wavenet_of_lecture_5(wavenet, ids, fan_in=6)
    torch.testing.assert_close(wavenet(ids), expected)


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("n_layers, fan_in", [(3, 2), (2, 3)])
def test_wavenet_is_dilated_causal_convolutions(n_layers, fan_in, batch_norm):
    wavenet = WaveNet(
        N_SYMBOLS, n_layers, fan_in, n_embd=4, n_hidden=6, batch_norm=batch_norm
    )
    trained_looking(wavenet.double())
    block_size = fan_in**n_layers
    sequences = torch.randint(N_SYMBOLS, (4, block_size + 5))
    windows = sequences.unfold(1, block_size, 1)  # (4, 6, block_size)
    logits = wavenet(windows.reshape(-1, block_size)).view(4, 6, N_SYMBOLS)
    torch.testing.assert_close(logits, dilated_convolutions(wavenet, sequences, fan_in))


# What a window and a batch mean.


def test_ids_in_logits_out(module_and_ids):
    module, ids = module_and_ids
    assert module(ids).shape == (64, N_SYMBOLS)
    assert module(ids).dtype == torch.float32
    # Batches hold ids in the smaller type.
    torch.testing.assert_close(module.eval()(ids.int()), module(ids))


def test_every_symbol_of_the_window_counts_at_its_place(module_and_ids):
    module, ids = module_and_ids
    trained_looking(module)
    logits = module(ids)
    for place in range(ids.shape[1]):
        changed = ids.clone()
        changed[:, place] = (changed[:, place] + 1) % N_SYMBOLS
        assert not torch.isclose(module(changed), logits).all(1).any()
    if ids.shape[1] > 1:
        distinct = torch.arange(ids.shape[1])[None] % N_SYMBOLS
        assert not torch.allclose(module(distinct), module(distinct.flip(1)))


def test_rows_of_a_batch_do_not_see_each_other_in_eval(module_and_ids):
    module, ids = module_and_ids
    trained_looking(module)
    one_by_one = torch.cat([module(row[None]) for row in ids])
    torch.testing.assert_close(one_by_one, module(ids), rtol=1e-3, atol=1e-4)


def test_eval_repeats_itself(module_and_ids):
    module, ids = module_and_ids
    module.eval()
    torch.testing.assert_close(module(ids), module(ids), rtol=0, atol=0)


@pytest.mark.parametrize("name", ["mlp, dropout", "wavenet, dropout"])
def test_dropout_drops_in_training(name):
    module_class, params, block_size = SHAPES[name]
    module = module_class(n_symbols=N_SYMBOLS, **params)
    ids = torch.randint(N_SYMBOLS, (64, block_size))
    assert not torch.allclose(module(ids), module(ids))


@pytest.mark.parametrize("n_rows", [4, 3000], ids=["small", "large"])
@pytest.mark.parametrize("name", ["mlp", "wavenet"])
@pytest.mark.parametrize("factor", ["half", "less", "more", "twice"])
def test_a_window_of_another_length_is_an_error(name, factor, n_rows):
    module_class, params, block_size = SHAPES[name]
    module = module_class(n_symbols=N_SYMBOLS, **params)
    length = {
        "half": block_size // 2,
        "less": block_size - 1,
        "more": block_size + 1,
        "twice": 2 * block_size,
    }[factor]
    with pytest.raises((RuntimeError, ValueError), match="shape"):
        module(torch.randint(N_SYMBOLS, (n_rows, length)))


# How training begins.


@pytest.mark.parametrize("n_symbols", [2, N_SYMBOLS, 1000])
@pytest.mark.parametrize("name", [name for name in SHAPES if name != "lookup"])
def test_first_loss_is_that_of_equal_chances(name, n_symbols):
    # Lecture 3: 27 here instead of 3.3 is a hockey stick of wasted steps. The lookup
    # table is filled with counts, or trained from N(0, 1) as in lecture 1.
    module_class, params, block_size = SHAPES[name]
    module = module_class(n_symbols=n_symbols, **params)
    ids = torch.randint(n_symbols, (512, block_size))
    targets = torch.randint(n_symbols, (512,))
    loss = F.cross_entropy(module(ids), targets).item()
    assert loss == pytest.approx(math.log(n_symbols), abs=0.05)


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("module_class", [MLP, WaveNet])
def test_activations_neither_fade_nor_saturate(module_class, batch_norm):
    # Lecture 3: a tanh shrinks what comes in. With gain 1 the deviations of six layers
    # go from 0.64 to 0.29, with gain 5/3 they stay near 0.65 and a fifth of the first
    # layer is in the flat tails; batch normalisation makes all layers alike.
    n_layers = 6
    sizes = {"n_embd": 24, "n_hidden": 200, "n_layers": n_layers}
    if module_class is MLP:
        module = MLP(N_SYMBOLS, block_size=64, batch_norm=batch_norm, **sizes)
    else:
        module = WaveNet(N_SYMBOLS, batch_norm=batch_norm, **sizes)
    outputs = []
    for tanh in parts(module, nn.Tanh):
        tanh.register_forward_hook(lambda *call: outputs.append(call[2]))
    module(torch.randint(N_SYMBOLS, (256, 64)))
    assert len(outputs) == n_layers
    for output in outputs:
        assert (0.6 if batch_norm else 0.25) < output.std() < 0.8
        assert (output.abs() > 0.97).float().mean() < 0.25


def test_all_parameters_learn(module_and_ids):
    module, ids = module_and_ids
    F.cross_entropy(module(ids), torch.randint(N_SYMBOLS, (64,))).backward()
    for name, parameter in module.named_parameters():
        assert parameter.grad.abs().sum() > 0, name


def test_pickled_module_computes_the_same(module_and_ids):
    module, ids = module_and_ids
    module.eval()
    again = pickle.loads(pickle.dumps(module))
    torch.testing.assert_close(again(ids), module(ids), rtol=0, atol=0)


# Batch normalisation of distinct rows that stand for repeats.


def repeated(x, weights):
    return x.repeat_interleave(torch.tensor(weights), dim=0)


def same_statistics(norm, other):
    torch.testing.assert_close(norm.running_mean, other.running_mean)
    torch.testing.assert_close(norm.running_var, other.running_var)
    assert norm.num_batches_tracked == other.num_batches_tracked


@pytest.mark.parametrize("weights", [[1, 1, 1, 1], [3, 1, 2, 7]], ids=str)
def test_weighted_batch_norm_is_that_of_repeated_rows(weights):
    norm, plain = WeightedBatchNorm1d(5).double(), nn.BatchNorm1d(5).double()
    plain.load_state_dict(trained_looking(norm).state_dict())
    norm.train(), plain.train()
    norm.eps = plain.eps = 0.1  # large enough to be seen in the gradients
    x = torch.randn(4, 5, dtype=torch.float64, requires_grad=True)
    output = norm(x, torch.tensor(weights, dtype=torch.float64))
    expected = plain(repeated(x, weights))
    torch.testing.assert_close(repeated(output, weights), expected)
    same_statistics(norm, plain)
    for y, module in (repeated(output, weights), norm), (expected, plain):
        module.gradients = torch.autograd.grad(
            (y**3 * torch.arange(1.0, 6)).sum(), [x, module.weight, module.bias]
        )
    torch.testing.assert_close(norm.gradients, plain.gradients)
    norm.eval(), plain.eval()
    torch.testing.assert_close(norm(x), plain(x))


def test_batch_norm_without_weights_is_torch_s():
    norm, plain = WeightedBatchNorm1d(5), nn.BatchNorm1d(5)
    x = torch.randn(16, 5)
    torch.testing.assert_close(norm(x), plain(x), rtol=0, atol=0)
    same_statistics(norm, plain)


@pytest.mark.parametrize("weight", [None, 1.0, 0.3, 4.0])
def test_batch_norm_accepts_a_batch_of_one(weight):
    # It has no variance: its outputs are the biases.
    norm = WeightedBatchNorm1d(5)
    nn.init.normal_(norm.bias)
    output = norm(torch.randn(1, 5), None if weight is None else torch.tensor([weight]))
    torch.testing.assert_close(output[0], norm.bias)
    assert norm.running_var.isfinite().all()


@pytest.mark.parametrize("n_rows", [4, 2000], ids=["small", "large"])
@pytest.mark.parametrize("name", ["mlp, batch norm", "wavenet", "wavenet, threes"])
def test_weights_of_rows_are_repeats(name, n_rows):
    module_class, params, block_size = SHAPES[name]
    module = module_class(n_symbols=N_SYMBOLS, **params).double()
    ids = torch.randint(N_SYMBOLS, (n_rows, block_size))
    weights = torch.randint(1, 5, (n_rows,)).tolist()
    logits = module(ids, torch.tensor(weights, dtype=torch.float64))
    torch.testing.assert_close(
        repeated(logits, weights), module(repeated(ids, weights))
    )
    assert not torch.allclose(logits, module(ids))


def test_batch_of_one_in_training(module_and_ids):
    module, ids = module_and_ids
    F.cross_entropy(module(ids[:1]), torch.tensor([1])).backward()
    assert all(p.grad.isfinite().all() for p in module.parameters())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_tanh_is_torch_s(dtype):
    extremes = torch.tensor([-torch.inf, 0, 1e30])
    x = torch.cat([torch.linspace(-30, 30, 20_000), extremes])
    x = x.to(dtype).requires_grad_()
    dy = torch.linspace(1, 2, len(x), dtype=dtype)
    assert Tanh()(x).equal(torch.tanh(x))
    (expected,) = torch.autograd.grad(torch.tanh(x), x, dy)
    (found,) = torch.autograd.grad(Tanh()(x), x, dy)
    assert found.equal(expected)
