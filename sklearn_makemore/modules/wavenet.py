"""Pairs of neighbours merged level by level (van den Oord et al. 2016)."""

from torch import nn

from .initialization import damp_
from .tanh_layer import TanhLayer


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
        self.embedding = nn.Embedding(n_symbols, n_embd)
        widths = [n_embd] + [n_hidden] * n_layers
        self.levels = nn.ModuleList(
            TanhLayer(fan_in * n_in, n_out, batch_norm, dropout)
            for n_in, n_out in zip(widths[:-1], widths[1:], strict=True)
        )
        self.head = damp_(nn.Linear(n_hidden, n_symbols))

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
        x = self.embedding(ids)  # (B, T, C)
        for level in self.levels:
            n_positions = x.shape[1] // self.fan_in
            x = x.reshape(len(ids) * n_positions, -1)  # (B * T / fan_in, fan_in * C)
            # Batch normalisation is over the batch and the positions.
            spread = None if weights is None else weights.repeat_interleave(n_positions)
            x = level(x, spread).view(len(ids), n_positions, -1)
        return self.head(x.squeeze(1))  # (B, V)
