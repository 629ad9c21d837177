"""Neighbouring positions merged level by level (van den Oord et al. 2016)."""

from functools import reduce
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .initialization import logits_layer
from .interfaces import WindowNetwork
from .tanh import TanhLayer

MIN_IDS_TO_SHARE = 1 << 10
"""Number of ids in a batch from which finding equal groups costs less than it saves."""


class WaveNet(WindowNetwork):
    """Tree of merges over a window of ``fan_in ** n_layers`` symbols.

    Each level merges neighbouring positions into one. The default is the network of
    lecture 5 of makemore. :class:`~sklearn_makemore.WaveNetCharLM` trains this network,
    and names its sources.

    Parameters
    ----------
    n_symbols : int
        Number of symbols V.

    n_layers : int, default=3
        Number of levels.

    fan_in : int, default=2
        Number of positions that each level merges into one.

    n_embd : int, default=24
        Channels C of the embeddings.

    n_hidden : int, default=128
        Units H of every level.

    batch_norm : bool, default=True
        Whether to apply batch normalisation before each tanh.

    dropout : float, default=0.0
        Share of the units of every level dropped in training.

    Examples
    --------
    >>> import torch
    >>> from sklearn_makemore.modules import WaveNet
    >>> wavenet = WaveNet(n_symbols=27)
    >>> wavenet(torch.zeros(32, 8, dtype=torch.long)).shape
    torch.Size([32, 27])
    >>> sum(p.numel() for p in wavenet.parameters())
    76579
    """

    def __init__(
        self,
        n_symbols: int,
        n_layers: int = 3,
        fan_in: int = 2,
        n_embd: int = 24,
        n_hidden: int = 128,
        batch_norm: bool = True,
        dropout: float = 0.0,
    ):
        super().__init__()
        self.fan_in = fan_in
        self.block_size = fan_in**n_layers
        self.embedding = nn.Embedding(n_symbols, n_embd)
        widths = [n_embd] + [n_hidden] * n_layers
        self.levels = nn.ModuleList(
            TanhLayer(fan_in * n_in, n_out, batch_norm, dropout)
            for n_in, n_out in zip(widths[:-1], widths[1:], strict=True)
        )
        self.head = logits_layer(n_hidden, n_symbols)

    def _logits(self, ids, weights):
        if ids.shape[1] != self.block_size:
            raise ValueError(
                f"This WaveNet reads windows of {self.block_size} symbols, got ids of "
                f"shape {tuple(ids.shape)}."
            )
        # torch.export takes a size that Python compares for a constant.
        shares = not torch.compiler.is_compiling() and ids.numel() >= MIN_IDS_TO_SHARE
        x = (self._shared if shares else self._separate)(ids, weights)  # (B, H)
        return self.head(x)  # (B, V)

    def _separate(self, ids, weights):
        """Compute every position of every row, (B, T) to (B, H)."""
        x = self.embedding(ids)  # (B, T, C)
        for level in self.levels:
            n_positions = x.shape[1] // self.fan_in
            x = x.reshape(ids.shape[0] * n_positions, -1)  # (B * T/fan_in, fan_in * C)
            # Batch normalisation is over the batch and the positions.
            spread = None if weights is None else weights.repeat_interleave(n_positions)
            x = level(x, spread).view(ids.shape[0], n_positions, -1)  # (B, T/fan_in, H)
        return x.flatten(1)  # (B, H)

    def _shared(self, ids, weights):
        """Compute every distinct group of neighbours once, (B, T) to (B, H).

        The windows of a batch share most pairs of neighbours and many groups of four.
        Every level but the last is computed for its distinct groups only, each with the
        total weight of its rows.
        """
        x, index = self.embedding.weight, ids.long()  # (V, C), (B, T)
        for level in cast("list[TanhLayer]", self.levels):
            index = index.view(len(ids), -1, self.fan_in)  # (B, P, fan_in), rows of x
            if index.shape[1] == 1:
                groups, counts = index[:, 0], weights  # (B, fan_in), (B,)
            else:
                groups, index, counts = distinct_groups(index, len(x), weights)
            x = level.activate(_linear_of_groups(level.linear, x, groups), counts)
        return x.view(len(ids), -1)  # (B, H)


def _linear_of_groups(linear, x, groups):
    """Apply a linear layer to the concatenated rows of each group.

    x : (N, C)
    groups : (G, fan_in), rows of `x`
    Return (G, H).
    """
    if len(groups) <= len(x):
        return linear(F.embedding(groups, x).flatten(1))  # (G, H)
    # The layer is a sum of one linear map per neighbour, each computed once per row.
    parts = linear.weight.chunk(groups.shape[1], dim=1)  # (H, C) each
    products = [F.embedding(groups[:, k], x @ part.T) for k, part in enumerate(parts)]
    z = reduce(torch.add, products)  # (G, H)
    return z if linear.bias is None else z + linear.bias  # (G, H)


def distinct_groups(
    index: Tensor, n_rows: int, weights: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Find the distinct groups of neighbours.

    index : (B, P, fan_in), numbers below `n_rows`
    weights : (B,), weight of each row; None counts every row once
    Return the groups (G, fan_in), the group at each position (B, P), and the total
    weight of each group (G,).
    """
    flat = index.reshape(-1, index.shape[-1])  # (B * P, fan_in)
    key, n_keys = flat[:, 0], n_rows
    for neighbour in flat.T[1:]:  # (B * P,)
        if n_keys * n_rows >= 2**63:  # replace the keys by their ranks, which are fewer
            key, n_keys = torch.unique(key, return_inverse=True)[1], len(flat)
        key, n_keys = key * n_rows + neighbour, n_keys * n_rows
    distinct, group_of = torch.unique(key, return_inverse=True)  # (G,), (B * P,)
    # Any member of a group can represent it; scatter_ keeps one of them.
    member = group_of.new_empty(len(distinct))  # (G,)
    member.scatter_(0, group_of, torch.arange(len(flat), device=index.device))
    if weights is None:
        counts = torch.bincount(group_of)  # (G,)
    else:
        spread = weights.repeat_interleave(index.shape[1])  # (B * P,)
        counts = weights.new_zeros(len(distinct)).index_add_(0, group_of, spread)
    return flat[member], group_of.view(index.shape[:-1]), counts
