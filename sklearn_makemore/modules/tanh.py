"""The hyperbolic tangent."""

from torch import nn


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
