"""The bigram as a network: one row of logits per symbol."""

from torch import nn

from .interfaces import WindowNetwork


class LookupTable(WindowNetwork):
    """Table of logits, looked up by the last symbol.

    Lecture 1 of makemore multiplies a one-hot vector by a weight matrix. The product is
    a row of the matrix, so this network is a table. All logits start at zero: every
    next symbol is equally likely.

    Parameters
    ----------
    n_symbols : int
        Number of symbols V.

    Examples
    --------
    >>> import torch
    >>> from sklearn_makemore.modules import LookupTable
    >>> LookupTable(n_symbols=27)(torch.zeros(32, 1, dtype=torch.long)).shape
    torch.Size([32, 27])
    """

    def __init__(self, n_symbols: int):
        super().__init__()
        self.embedding = nn.Embedding(n_symbols, n_symbols)
        nn.init.zeros_(self.embedding.weight)

    def _logits(self, ids, weights):
        return self.embedding(ids[:, -1])  # (B, V)
