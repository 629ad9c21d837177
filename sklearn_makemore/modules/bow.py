"""Causal mean of embeddings: a bag of the characters so far."""

import torch
from torch import nn

from .initialization import kaiming_, logits_layer
from .interfaces import SequenceNetwork
from .positions import next_positions, positions_of


class BoW(SequenceNetwork):
    """Mean of the embeddings so far, followed by a small network.

    x_t is the sum of the embeddings of symbol t and of position t, m_t is the mean of
    x_0 to x_t, and ``h = x_t + m_t``. The logits are
    ``W (h + B tanh(A h + a) + b) + c``. This is the "bag of words" of makemore's
    script: attention with equal weights.

    Parameters
    ----------
    n_symbols : int
        Number of symbols V.

    block_size : int
        Maximum number of symbols T of a sequence.

    n_embd : int, default=64
        Channels C of the embeddings.

    n_hidden : int, default=64
        Units of the hidden layer.

    dropout : float, default=0.0
        Share of the hidden units dropped in training.

    Examples
    --------
    >>> import torch
    >>> from sklearn_makemore.modules import BoW
    >>> bow = BoW(n_symbols=27, block_size=16)
    >>> bow(torch.zeros(32, 16, dtype=torch.long)).shape
    torch.Size([32, 16, 27])
    """

    def __init__(
        self,
        n_symbols: int,
        block_size: int,
        n_embd: int = 64,
        n_hidden: int = 64,
        dropout: float = 0.0,
    ):
        super().__init__()
        self.embedding = nn.Embedding(n_symbols, n_embd)
        self.positions = nn.Embedding(block_size, n_embd)
        self.mlp = nn.Sequential(
            kaiming_(nn.Linear(n_embd, n_hidden)),
            nn.Tanh(),
            nn.Dropout(dropout),
            kaiming_(nn.Linear(n_hidden, n_embd)),
        )
        self.head = logits_layer(n_embd, n_symbols)

    def _read(self, ids, tree):
        positions = positions_of(ids, tree, self.positions)  # (T, C) or (N, C)
        x = self.embedding(ids) + positions  # (B, T, C) or (N, C)
        return x + (_causal_mean(x) if tree is None else _mean_above(x, tree))

    def _initial_state(self, n_rows):
        """Return the number of symbols read (n,), and the sum of embeddings (n, C)."""
        weight = self.embedding.weight
        n_read = torch.zeros(n_rows, dtype=torch.long, device=weight.device)  # (n,)
        return n_read, weight.new_zeros(n_rows, weight.shape[1])

    def _step(self, ids, state):
        n_read, total = state
        x = self.embedding(ids) + next_positions(n_read, self.positions)  # (n, C)
        n_read, total = n_read + 1, total + x  # (n,), (n, C)
        return x + total / n_read[:, None], (n_read, total)

    def _logits(self, x):
        return self.head(x + self.mlp(x))


def _causal_mean(x):
    """Return the mean of each position and those before it, (B, T, C)."""
    n_read = torch.arange(1, x.shape[1] + 1, device=x.device)[:, None]  # (T, 1)
    return x.cumsum(1) / n_read  # (B, T, C)


def _mean_above(x, tree):
    """Return the mean of each node of a tree and its ancestors, (N, C)."""
    totals = []
    for nodes, parents in tree.levels():
        # Nodes of the first level have no ancestors.
        above = totals[-1].index_select(0, parents) if totals else 0  # (n, C)
        totals.append(x[nodes] + above)  # (n, C)
    return torch.cat(totals) / (tree.depths + 1)[:, None]  # (N, C)
