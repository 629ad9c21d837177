"""Causal mean of embeddings: a bag of the characters so far."""

import torch
from torch import Tensor, nn

from .initialization import kaiming_, logits_layer
from .positions import next_positions, positions_of
from .prefix_tree import PrefixTree


class BoW(nn.Module):
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

    def forward(self, ids: Tensor, tree: PrefixTree | None = None) -> Tensor:
        """Return the logits of the next symbol at every position.

        Parameters
        ----------
        ids : Tensor of shape (B, T) or (N,)
            Symbols of words from their start, or the symbols of the nodes of `tree`.

        tree : PrefixTree, default=None
            The tree that `ids` belong to; None for rows.

        Returns
        -------
        logits : Tensor of shape (B, T, V) or (N, V)
            Logits of the next symbol.
        """
        positions = positions_of(ids, tree, self.positions)  # (T, C) or (N, C)
        x = self.embedding(ids) + positions  # (B, T, C) or (N, C)
        mean = _causal_mean(x) if tree is None else _mean_above(x, tree)
        return self._logits(x, mean)  # (B, T, V) or (N, V)

    def initial_state(self, n_rows: int) -> tuple[Tensor, ...]:
        """Return the state before the first symbol.

        Parameters
        ----------
        n_rows : int
            Number of rows n.

        Returns
        -------
        state : tuple of Tensors of shape (n,) and (n, C)
            Number of symbols read, and the sum of their embeddings.
        """
        weight = self.embedding.weight
        n_read = torch.zeros(n_rows, dtype=torch.long, device=weight.device)  # (n,)
        return n_read, weight.new_zeros(n_rows, weight.shape[1])

    def step(
        self, ids: Tensor, state: tuple[Tensor, ...]
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Read one more symbol.

        Parameters
        ----------
        ids : Tensor of shape (n,)
            Next symbol of each row.

        state : tuple of Tensors of shape (n,) and (n, C)
            State returned by `initial_state` or by the previous step.

        Returns
        -------
        logits : Tensor of shape (n, V)
            Logits of the next symbol.

        state : tuple of Tensors of shape (n,) and (n, C)
            State after these symbols.
        """
        n_read, total = state
        x = self.embedding(ids) + next_positions(n_read, self.positions)  # (n, C)
        n_read, total = n_read + 1, total + x  # (n,), (n, C)
        return self._logits(x, total / n_read[:, None]), (n_read, total)

    def _logits(self, x, mean):
        """Compute logits (..., V) from embeddings and means (..., C)."""
        h = x + mean  # (..., C)
        return self.head(h + self.mlp(h))


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
