"""Initial weights that keep activations alive and the first loss near log V."""

from torch import nn


def kaiming_(linear, gain=1.0):
    """Initialise a layer: normal, with a deviation of gain over sqrt(fan in).

    The variance of what comes in is then, times the gain squared, that of what goes
    out, in however wide a layer [1]_; lecture 3 of makemore derives it. For the layer
    that makes the logits the gain is small, so that all symbols start about equal: a
    confident wrong guess costs far more than log V, and the first steps of training
    would be spent on unlearning it.

    Parameters
    ----------
    linear : torch.nn.Linear
        The layer, changed in place; a bias becomes zero.

    gain : float, default=1.0
        Factor of the deviation.

    Returns
    -------
    linear : torch.nn.Linear
        The same layer.

    References
    ----------
    .. [1] K. He, X. Zhang, S. Ren, J. Sun, "Delving Deep into Rectifiers", ICCV 2015.
       https://arxiv.org/abs/1502.01852
    """
    nn.init.normal_(linear.weight, std=gain / linear.in_features**0.5)
    if linear.bias is not None:
        nn.init.zeros_(linear.bias)
    return linear


def logits_layer(n_in, n_symbols, bias=True):
    """Return the damped linear layer that makes the logits."""
    return kaiming_(nn.Linear(n_in, n_symbols, bias=bias), gain=0.1)
