"""Causal mean of embeddings: a bag of the characters so far."""

import torch
from torch import nn

from .initialization import kaiming_, logits_layer
from .positions import next_positions, positions_of
from .tanh import Tanh


class BoW(nn.Module):
    """Mean of all embeddings so far, then a small network.

    With x_t the sum of the embeddings of symbol and position t, m_t the mean of x_0 to
    x_t, and ``h = x_t + m_t``, the logits are ``W (h + B tanh(A h + a) + b) + c``: the
    "bag of words" of makemore's script, an attention that looks at all positions
    equally.

    Parameters
    ----------
    n_symbols : int
        Number of symbols V.

    block_size : int
        Largest number of symbols T of a sequence.

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

    def __init__(self, n_symbols, block_size, n_embd=64, n_hidden=64, dropout=0.0):
        super().__init__()
        self.embedding = nn.Embedding(n_symbols, n_embd)
        self.positions = nn.Embedding(block_size, n_embd)
        self.mlp = nn.Sequential(
            kaiming_(nn.Linear(n_embd, n_hidden)),
            Tanh(),
            nn.Dropout(dropout),
            kaiming_(nn.Linear(n_hidden, n_embd)),
        )
        self.head = logits_layer(n_embd, n_symbols)

    def forward(self, ids, tree=None):
        """Return the logits of the next symbol at every position.

        Parameters
        ----------
        ids : Tensor of shape (B, T) or (N,)
            Symbols from the start of the words on, or those of the nodes of a tree.

        tree : PrefixTree, default=None
            The tree whose nodes `ids` are.

        Returns
        -------
        logits : Tensor of shape (B, T, V) or (N, V)
            Logits of the symbol that comes next.
        """
        x = self.embedding(ids) + positions_of(ids, tree, self.positions)
        mean = _causal_mean(x) if tree is None else _mean_above(x, tree)
        return self._logits(x, mean)

    def initial_state(self, n_rows):
        """Return the state before the first symbol.

        Parameters
        ----------
        n_rows : int
            Number of rows n.

        Returns
        -------
        state : tuple of Tensors of shape (n,) and (n, C)
            The number of symbols read, and the sum of their embeddings.
        """
        weight = self.embedding.weight
        n_read = torch.zeros(n_rows, dtype=torch.long, device=weight.device)
        return n_read, weight.new_zeros(n_rows, weight.shape[1])

    def step(self, ids, state):
        """Read one more symbol.

        Parameters
        ----------
        ids : Tensor of shape (n,)
            The symbols.

        state : tuple of Tensors of shape (n,) and (n, C)
            What `initial_state` or the last step returned.

        Returns
        -------
        logits : Tensor of shape (n, V)
            Logits of the next symbol.

        state : tuple of Tensors of shape (n,) and (n, C)
            The state after it.
        """
        n_read, total = state
        x = self.embedding(ids) + next_positions(n_read, self.positions)  # (n, C)
        n_read, total = n_read + 1, total + x
        return self._logits(x, total / n_read[:, None]), (n_read, total)

    def _logits(self, x, mean):
        """Turn embeddings and means (..., C) into logits (..., V)."""
        h = x + mean
        return self.head(h + self.mlp(h))


def _causal_mean(x):
    """Return the mean over each place and those before it, (B, T, C)."""
    n_read = torch.arange(1, x.shape[1] + 1, device=x.device)[:, None]  # (T, 1)
    return x.cumsum(1) / n_read


def _mean_above(x, tree):
    """Return the mean over each node of a tree and those above it, (N, C)."""
    totals = []
    for nodes, parents in tree.levels():
        # Every sequence begins at a node of the first level, with nothing above it.
        above = totals[-1].index_select(0, parents) if totals else 0
        totals.append(x[nodes] + above)
    return torch.cat(totals) / (tree.depths + 1)[:, None]
