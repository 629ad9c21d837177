"""Initial weights that keep activations alive and the first loss near log V."""

import torch
from torch import nn


def kaiming_tanh_(linear):
    """Initialise a layer before a tanh: normal, gain 5/3 over sqrt(fan in).

    With inputs of variance one the outputs of the tanh keep theirs near one over all
    layers [1]_; lecture 3 of makemore derives it.

    Parameters
    ----------
    linear : torch.nn.Linear
        The layer, changed in place; a bias becomes zero.

    Returns
    -------
    linear : torch.nn.Linear
        The same layer.

    References
    ----------
    .. [1] K. He, X. Zhang, S. Ren, J. Sun, "Delving Deep into Rectifiers", ICCV 2015.
       https://arxiv.org/abs/1502.01852
    """
    nn.init.kaiming_normal_(linear.weight, nonlinearity="tanh")
    if linear.bias is not None:
        nn.init.zeros_(linear.bias)
    return linear


def damp_(linear, factor=0.1):
    """Shrink the layer that makes the logits, so that all symbols start about equal.

    A confident wrong guess costs far more than log V; the first steps of training
    would be spent on unlearning it (lecture 3 of makemore).

    Parameters
    ----------
    linear : torch.nn.Linear
        The layer, changed in place; a bias becomes zero.

    factor : float, default=0.1
        What the weights are multiplied with.

    Returns
    -------
    linear : torch.nn.Linear
        The same layer.
    """
    with torch.no_grad():
        linear.weight.mul_(factor)
    if linear.bias is not None:
        nn.init.zeros_(linear.bias)
    return linear
