"""The bigram as a network: one row of logits a symbol."""

from torch import nn


class LookupTable(nn.Module):
    """Table of logits, looked up by the last symbol.

    A one-hot vector times a weight matrix, as in lecture 1 of makemore, is a row of
    that matrix: the network is this table, and its logits are the logarithms of the
    counts. It starts with zeros: every symbol is as likely as any other.

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

    def __init__(self, n_symbols):
        super().__init__()
        self.embedding = nn.Embedding(n_symbols, n_symbols)
        nn.init.zeros_(self.embedding.weight)

    def forward(self, ids, weights=None):
        """Return the logits of the next symbol.

        Parameters
        ----------
        ids : Tensor of shape (B, T)
            Symbols so far; the last one counts.

        weights : Ignored
            There is no batch normalisation.

        Returns
        -------
        logits : Tensor of shape (B, V)
            Logits of the next symbol.
        """
        return self.embedding(ids[:, -1])  # (B, V)
