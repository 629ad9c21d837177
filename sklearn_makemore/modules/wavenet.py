"""Neighbours merged level by level (van den Oord et al. 2016)."""

import torch
import torch.nn.functional as F
from torch import nn

from .initialization import logits_layer
from .tanh_layer import TanhLayer

SHARED_IDS = 1 << 10
"""Ids in a batch from which on looking for equal groups costs less than it saves."""


class WaveNet(nn.Module):
    """Tree of merges over a window of ``fan_in ** n_layers`` symbols.

    The dilated causal convolutions of WaveNet [1]_, seen from one output: level by
    level, neighbouring positions are merged into one. Lecture 5 of makemore builds
    this network; with its shape (three levels of pairs, 24 channels, 128 units) it has
    76,579 parameters.

    Parameters
    ----------
    n_symbols : int
        Number of symbols V.

    n_layers : int, default=3
        Number of levels.

    fan_in : int, default=2
        Number of positions merged into one at each level.

    n_embd : int, default=24
        Channels of an embedding.

    n_hidden : int, default=128
        Channels of every level.

    batch_norm : bool, default=True
        Whether batch normalisation comes before each tanh.

    dropout : float, default=0.0
        Share of the units of every level dropped in training.

    References
    ----------
    .. [1] A. van den Oord et al., "WaveNet: A Generative Model for Raw Audio", 2016.
       https://arxiv.org/abs/1609.03499

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
        n_symbols,
        n_layers=3,
        fan_in=2,
        n_embd=24,
        n_hidden=128,
        batch_norm=True,
        dropout=0.0,
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

    def forward(self, ids, weights=None):
        """Return the logits of the next symbol.

        Parameters
        ----------
        ids : Tensor of shape (B, T)
            Windows of ``fan_in ** n_layers`` symbols, nearest last.

        weights : Tensor of shape (B,), default=None
            How many rows of the data each row stands for, for batch normalisation
            in training; None counts each once.

        Returns
        -------
        logits : Tensor of shape (B, V)
            Logits of the next symbol.
        """
        if ids.shape[1] != self.block_size:
            raise ValueError(
                f"This WaveNet sees windows of {self.block_size} symbols, got ids of "
                f"shape {tuple(ids.shape)}."
            )
        shares = ids.numel() >= SHARED_IDS and not torch.compiler.is_compiling()
        x = (self._shared if shares else self._separate)(ids, weights)
        return self.head(x)  # (B, V)

    def _separate(self, ids, weights):
        """Compute every position of every row."""
        x = self.embedding(ids)  # (B, T, C)
        for level in self.levels:
            n_positions = x.shape[1] // self.fan_in
            x = x.reshape(len(ids) * n_positions, -1)  # (B * T / fan_in, fan_in * C)
            # Batch normalisation is over the batch and the positions.
            spread = None if weights is None else weights.repeat_interleave(n_positions)
            x = level(x, spread).view(len(ids), n_positions, -1)
        return x.view(len(ids), -1)  # (B, n_hidden)

    def _shared(self, ids, weights):
        """Compute every distinct group of neighbours once, with its weight.

        The windows of a batch have most of their pairs in common, and many of the
        groups of four. A level is computed for the distinct groups alone and looked up
        by its position; only the last one is computed for every row.
        """
        x, places = self.embedding.weight, ids.long()  # (V, C), (B, T)
        for level in self.levels:
            places = places.view(len(ids), -1, self.fan_in)
            if places.shape[1] == 1:
                groups, counts = places[:, 0], weights  # (B, fan_in), (B,)
            else:
                groups, places, counts = distinct_groups(places, len(x), weights)
            x = level.activate(_joined(level.linear, x, groups), counts)
        return x.view(len(ids), -1)  # (B, n_hidden)


def _joined(linear, x, groups):
    """Apply a linear layer to neighbours side by side.

    Parameters
    ----------
    linear : torch.nn.Linear
        The layer, from fan_in * C channels.

    x : Tensor of shape (N, C)
        Channels of each place.

    groups : Tensor of shape (G, fan_in)
        Places of the neighbours.

    Returns
    -------
    z : Tensor of shape (G, n_out)
        The layer's outputs.
    """
    if len(groups) <= len(x):
        return linear(F.embedding(groups, x).flatten(1))
    # It is the sum of one linear map a neighbour, each computed once a place.
    parts = linear.weight.chunk(groups.shape[1], dim=1)  # (n_out, C) each
    z = sum(F.embedding(groups[:, k], x @ part.T) for k, part in enumerate(parts))
    return z if linear.bias is None else z + linear.bias


def distinct_groups(places, n_places, weights=None):
    """Find the distinct groups of neighbours.

    Parameters
    ----------
    places : Tensor of shape (B, P, fan_in)
        Groups of places below `n_places`.

    n_places : int
        Number of places.

    weights : Tensor of shape (B,), default=None
        How many rows each row stands for; None counts each once.

    Returns
    -------
    groups : Tensor of shape (G, fan_in)
        The distinct groups.
    index : Tensor of shape (B, P)
        Which of them each group is.
    counts : Tensor of shape (G,)
        Total weight of each.
    """
    flat = places.reshape(-1, places.shape[-1])  # (B * P, fan_in)
    key, n_keys = flat[:, 0], n_places
    for neighbour in flat.T[1:]:
        if n_keys * n_places >= 2**63:  # ranks are fewer than keys
            key, n_keys = torch.unique(key, return_inverse=True)[1], len(flat)
        key, n_keys = key * n_places + neighbour, n_keys * n_places
    distinct, index = torch.unique(key, return_inverse=True)
    # Whichever of the equal groups is written last stands for them.
    member = index.new_empty(len(distinct))
    member.scatter_(0, index, torch.arange(len(flat), device=index.device))
    if weights is None:
        counts = torch.bincount(index)
    else:
        spread = weights.repeat_interleave(places.shape[1])
        counts = weights.new_zeros(len(distinct)).index_add_(0, index, spread)
    return flat[member], index.view(places.shape[:-1]), counts
