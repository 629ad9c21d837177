"""The hyperbolic tangent, and the layer of MLP and WaveNet that applies it."""

from torch import Tensor, nn

from .batch_norm import WeightedBatchNorm1d
from .initialization import kaiming_


class Tanh(nn.Tanh):
    """Hyperbolic tangent: `torch.nn.Tanh`, unchanged.

    The networks use `torch.nn.Tanh` itself. This name stays for existing code and
    pickles.

    Examples
    --------
    >>> import torch
    >>> from sklearn_makemore.modules import Tanh
    >>> Tanh()(torch.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.7616,  0.0000,  0.7616])
    """


class TanhLayer(nn.Module):
    """Linear layer, optional batch normalisation, tanh, optional dropout.

    With batch normalisation the linear layer has no bias: the normalisation would
    cancel it.
    """

    def __init__(self, n_in: int, n_out: int, batch_norm: bool, dropout: float):
        super().__init__()
        self.linear = kaiming_(nn.Linear(n_in, n_out, bias=not batch_norm))
        self.norm = WeightedBatchNorm1d(n_out) if batch_norm else None
        self.activation = nn.Tanh()
        self.dropout = nn.Dropout(dropout) if dropout else None

    def forward(self, x: Tensor, weights: Tensor | None = None) -> Tensor:
        """Transform rows (B, n_in), which have weights (B,), into rows (B, n_out)."""
        return self.activate(self.linear(x), weights)  # (B, n_out)

    def activate(self, x: Tensor, weights: Tensor | None = None) -> Tensor:
        """Apply all but the linear layer to its outputs (B, n_out)."""
        if self.norm is not None:
            x = self.norm(x, weights)  # (B, n_out)
        x = self.activation(x)  # (B, n_out)
        return x if self.dropout is None else self.dropout(x)
