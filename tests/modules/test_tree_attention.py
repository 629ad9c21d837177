"""Attention over a tree against torch's own attention along each path."""

import random

import pytest
import torch
import torch.nn.functional as F

from sklearn_makemore.modules import PrefixTree
from sklearn_makemore.modules.transformer import Attention

N_CHANNELS = 12


@pytest.fixture(autouse=True)
def own_random_numbers():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def tree_of(n_words, longest, n_symbols=3):
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


@pytest.mark.parametrize("n_heads", [1, 3, 4, N_CHANNELS])
# Up to eight symbols are laid out as one group, up to 40 as four.
@pytest.mark.parametrize("n_words, longest", [(1, 6), (40, 6), (24, 40)])
@pytest.mark.parametrize("scale", [1, 300])  # by which exp of the scores overflows
def test_attention_is_torch_s_along_every_path(n_heads, n_words, longest, scale):
    _, tree = tree_of(n_words, longest)
    attention = Attention(N_CHANNELS, n_heads, dropout=0.5).double().eval()
    attention.projection = torch.nn.Identity()
    qkv = scale * torch.randn(len(tree), 3 * N_CHANNELS, dtype=torch.float64)
    qkv.requires_grad_()
    dy = torch.randn(len(tree), N_CHANNELS, dtype=torch.float64)
    expected = attended_path_by_path(qkv, tree, n_heads)
    (gradient,) = torch.autograd.grad(expected, qkv, dy)
    found = attention(qkv, tree)
    torch.testing.assert_close(found, expected)
    found.backward(dy.T.contiguous().T)  # a gradient may be of any strides
    torch.testing.assert_close(qkv.grad, gradient)
