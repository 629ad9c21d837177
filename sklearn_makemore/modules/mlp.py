"""Embeddings of a window, tanh layers and logits (Bengio et al. 2003)."""

from torch import nn

from .initialization import logits_layer
from .interfaces import WindowNetwork
from .tanh import TanhLayer


class MLP(WindowNetwork):
    """Multi-layer perceptron on a window of symbols.

    The logits are ``b + W x + U tanh(d + H x)``, where x is the concatenated embeddings
    of the window. The direct connections W are optional.
    :class:`~sklearn_makemore.MLPCharLM` trains this network, and names its sources.

    Parameters
    ----------
    n_symbols : int
        Number of symbols V.

    block_size : int
        Number of symbols T in the window.

    n_embd : int
        Channels C of the embeddings.

    n_hidden : int
        Units of each hidden layer.

    n_layers : int, default=1
        Number of hidden layers.

    batch_norm : bool, default=False
        Whether to apply batch normalisation before each tanh. The hidden layers then
        have no bias.

    direct : bool, default=False
        Whether to connect the embeddings directly to the logits as well.

    dropout : float, default=0.0
        Share of the hidden units dropped in training, after each tanh.

    Examples
    --------
    >>> import torch
    >>> from sklearn_makemore.modules import MLP
    >>> mlp = MLP(n_symbols=27, block_size=3, n_embd=2, n_hidden=100)
    >>> mlp(torch.zeros(32, 3, dtype=torch.long)).shape
    torch.Size([32, 27])
    >>> sum(p.numel() for p in mlp.parameters())  # lecture 2
    3481
    """

    def __init__(
        self,
        n_symbols: int,
        block_size: int,
        n_embd: int,
        n_hidden: int,
        n_layers: int = 1,
        batch_norm: bool = False,
        direct: bool = False,
        dropout: float = 0.0,
    ):
        super().__init__()
        self.embedding = nn.Embedding(n_symbols, n_embd)
        widths = [block_size * n_embd] + [n_hidden] * n_layers
        self.hidden = nn.ModuleList(
            TanhLayer(n_in, n_out, batch_norm, dropout)
            for n_in, n_out in zip(widths[:-1], widths[1:], strict=True)
        )
        self.head = logits_layer(n_hidden, n_symbols)
        self.direct = (
            logits_layer(block_size * n_embd, n_symbols, bias=False) if direct else None
        )

    def _logits(self, ids, weights):
        x = self.embedding(ids).flatten(1)  # (B, T * C)
        h = x  # (B, T * C)
        for layer in self.hidden:
            h = layer(h, weights)  # (B, n_hidden)
        logits = self.head(h)  # (B, V)
        return logits if self.direct is None else logits + self.direct(x)
