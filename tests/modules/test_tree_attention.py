"""Attention over a tree against torch's own attention along each path."""

import random

import pytest
import torch
import torch.nn.functional as F

from sklearn_makemore.modules import PrefixTree, Transformer
from sklearn_makemore.modules.tree_attention import AncestorAttention, AncestorPairs

N_CHANNELS = 12


@pytest.fixture(autouse=True)
def own_random_numbers():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def tree_of(n_words, longest=6, n_symbols=3):
    """Make a tree of random words, from seed 0."""
    rng = random.Random(0)
    rows = sorted(
        [0, *rng.choices(range(1, n_symbols), k=rng.randint(0, longest - 1))]
        for _ in range(n_words)
    )
    lengths = torch.tensor([len(row) for row in rows])
    filled = [row + [0] * (int(lengths.max()) - len(row)) for row in rows]
    return PrefixTree.from_ids(torch.tensor(filled), lengths)


def path_to(node, tree):
    path = [node]
    for _ in range(int(tree.depths[node])):
        path.insert(0, int(tree.parents[path[0]]))
    return path


def attended_path_by_path(qkv, tree, n_heads):
    """What the last of each path sees, by torch's attention over that path alone."""
    seen = []
    for node in range(len(tree)):
        along = qkv[path_to(node, tree)]  # (t, 3C)
        q, k, v = (
            x.unflatten(1, (n_heads, -1)).transpose(0, 1) for x in along.chunk(3, 1)
        )
        y = F.scaled_dot_product_attention(q[:, -1:], k, v)  # (heads, 1, D)
        seen.append(y.flatten())
    return torch.stack(seen)


def test_pairs_are_each_node_with_those_above_it():
    _, tree = tree_of(30)
    pairs = AncestorPairs(tree)
    found = sorted(zip(pairs.queries.tolist(), pairs.keys.tolist(), strict=True))
    expected = [(node, k) for node in range(len(tree)) for k in path_to(node, tree)]
    assert found == sorted(expected)
    assert len(pairs) == tree.n_ancestors == len(expected)


@pytest.mark.parametrize("n_heads", [1, 3, 4, N_CHANNELS])
@pytest.mark.parametrize("n_words", [1, 40])
@pytest.mark.parametrize("scale", [1, 300])  # by which exp of the scores overflows
def test_attention_is_torch_s_along_every_path(n_heads, n_words, scale):
    _, tree = tree_of(n_words)
    qkv = scale * torch.randn(len(tree), 3 * N_CHANNELS, dtype=torch.float64)
    qkv.requires_grad_()
    dy = torch.randn(len(tree), N_CHANNELS, dtype=torch.float64)
    expected = attended_path_by_path(qkv, tree, n_heads)
    (gradient,) = torch.autograd.grad(expected, qkv, dy)
    found = AncestorAttention.apply(qkv, AncestorPairs(tree), n_heads)
    torch.testing.assert_close(found, expected)
    found.backward(dy.T.contiguous().T)  # a gradient may be of any strides
    torch.testing.assert_close(qkv.grad, gradient)


def test_attention_is_differentiable_once():
    _, tree = tree_of(5)
    qkv = torch.randn(len(tree), 3 * N_CHANNELS, requires_grad=True)
    y = AncestorAttention.apply(qkv, AncestorPairs(tree), 2)
    (gradient,) = torch.autograd.grad(y.square().sum(), qkv, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


def transformer_of(dropout=0.0):
    shape = {"n_embd": 8, "n_heads": 2, "n_layers": 2, "dropout": dropout}
    return Transformer(n_symbols=5, block_size=40, **shape).double()


@pytest.mark.parametrize("longest, goes_by_pairs", [(8, True), (40, False)])
def test_both_ways_are_one(longest, goes_by_pairs, monkeypatch):
    ids, tree = tree_of(60, longest, n_symbols=5)
    module = transformer_of()
    attention = module.blocks[0].attention
    assert attention._goes_by_pairs(tree) is goes_by_pairs
    parameters = list(module.parameters())
    logits = module(ids, tree)
    gradients = torch.autograd.grad(logits.square().sum(), parameters)
    monkeypatch.setattr(
        type(attention), "_goes_by_pairs", lambda self, tree: not goes_by_pairs
    )
    others = module(ids, tree)
    torch.testing.assert_close(others, logits)
    found = torch.autograd.grad(others.square().sum(), parameters)
    torch.testing.assert_close(found, gradients)


def test_dropout_of_attention_goes_by_blocks_in_training_alone():
    _, tree = tree_of(60)
    attention = transformer_of(dropout=0.5).blocks[0].attention
    assert not attention.train()._goes_by_pairs(tree)
    assert attention.eval()._goes_by_pairs(tree)
