"""Initial weights that avoid saturated units and give a first loss near log V."""

from torch import nn


def kaiming_(linear: nn.Linear, gain: float = 1.0) -> nn.Linear:
    """Draw normal weights of deviation ``gain / sqrt(fan_in)``; set the bias to 0.

    The outputs then have the variance of the inputs, times ``gain**2``, whatever the
    width of the layer. See He et al., "Delving Deep into Rectifiers", ICCV 2015,
    https://arxiv.org/abs/1502.01852, and lecture 3 of makemore.
    """
    nn.init.normal_(linear.weight, std=gain / linear.in_features**0.5)
    if linear.bias is not None:
        nn.init.zeros_(linear.bias)
    return linear


def logits_layer(n_in: int, n_symbols: int, bias: bool = True) -> nn.Linear:
    """Return a linear layer that computes logits, with small initial weights.

    All symbols start about equally likely. Confident wrong guesses would cost far more
    than log V, and the first training steps would only correct them.
    """
    return kaiming_(nn.Linear(n_in, n_symbols, bias=bias), gain=0.1)
