"""Linear, batch norm, tanh, dropout: the layer that all these networks are made of."""

from torch import nn

from .batch_norm import WeightedBatchNorm1d
from .initialization import kaiming_
from .tanh import Tanh


class TanhLayer(nn.Module):
    """Linear layer and tanh, batch normalisation between and dropout after if wanted.

    Parameters
    ----------
    n_in, n_out : int
        Channels that come in and go out.

    batch_norm : bool
        Whether batch normalisation comes before the tanh; the linear layer then needs
        no bias.

    dropout : float
        Share of the outputs dropped in training.
    """

    def __init__(self, n_in, n_out, batch_norm, dropout):
        super().__init__()
        self.linear = kaiming_(nn.Linear(n_in, n_out, bias=not batch_norm))
        self.norm = WeightedBatchNorm1d(n_out) if batch_norm else None
        self.activation = Tanh()
        self.dropout = nn.Dropout(dropout) if dropout else None

    def forward(self, x, weights=None):
        """Transform rows.

        Parameters
        ----------
        x : Tensor of shape (B, n_in)
            Rows.

        weights : Tensor of shape (B,), default=None
            How many rows each row stands for, for batch normalisation.

        Returns
        -------
        x : Tensor of shape (B, n_out)
            Transformed rows.
        """
        return self.activate(self.linear(x), weights)

    def activate(self, x, weights=None):
        """Transform what the linear layer made of rows.

        Parameters
        ----------
        x : Tensor of shape (B, n_out)
            Outputs of the linear layer.

        weights : Tensor of shape (B,), default=None
            How many rows each row stands for, for batch normalisation.

        Returns
        -------
        x : Tensor of shape (B, n_out)
            Transformed rows.
        """
        if self.norm is not None:
            x = self.norm(x, weights)
        x = self.activation(x)
        return x if self.dropout is None else self.dropout(x)
