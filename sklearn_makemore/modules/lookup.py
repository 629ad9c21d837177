"""The bigram as a network: one row of logits per symbol."""

from torch import Tensor, nn


class LookupTable(nn.Module):
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

    def forward(self, ids: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return the logits of the next symbol.

        Parameters
        ----------
        ids : Tensor of shape (B, T)
            Windows of symbols. Only the last symbol of each is used.

        weights : Ignored
            Not used; there is no batch normalisation.

        Returns
        -------
        logits : Tensor of shape (B, V)
            Logits of the next symbol.
        """
        return self.embedding(ids[:, -1])  # (B, V)
