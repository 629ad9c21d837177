"""What is kept of tensors: moments, histograms, and how far parameters moved."""

import math

import torch
from torch import nn

from ..modules import Tanh
from ..modules.recurrent import HiddenStateHook

SATURATED_TANH = 0.97
"""An output of tanh beyond this lets less than 6 % of a gradient through."""


def _far_tanh(outputs):
    return outputs.abs() > SATURATED_TANH


def _far_sigmoid(outputs):
    return (2 * outputs - 1).abs() > SATURATED_TANH


def _off(outputs):
    return outputs <= 0


# Nonlinear modules, and which of their outputs let next to no gradient through.
NONLINEAR = {
    nn.Tanh: _far_tanh,
    Tanh: _far_tanh,
    nn.Sigmoid: _far_sigmoid,
    nn.ReLU: _off,
    nn.GELU: None,  # too smooth for a bound
    HiddenStateHook: _far_tanh,
}


def is_nonlinear(layer):
    """Whether a module is one of those whose outputs tell how a network is doing.

    Parameters
    ----------
    layer : torch.nn.Module
        The module.

    Returns
    -------
    is_nonlinear : bool
        True for tanh, sigmoid, ReLU and GELU, and the states of recurrent layers.
    """
    return type(layer) in NONLINEAR


def values_of(tensors):
    """Return the numbers of some tensors, flat and on the CPU.

    Parameters
    ----------
    tensors : list of Tensor
        Any shapes.

    Returns
    -------
    values : Tensor of shape (n_values,)
        The numbers, without what autograd knows of them.
    """
    return torch.cat([tensor.detach().flatten() for tensor in tensors]).cpu()


def moments(values):
    """Return the mean and the standard deviation of numbers.

    Parameters
    ----------
    values : Tensor
        The numbers.

    Returns
    -------
    moments : dict
        `mean` and `std`; the latter is over the numbers, not estimated beyond them.
    """
    values = values.double()
    return {"mean": values.mean().item(), "std": values.std(correction=0).item()}


def output_moments(layer, outputs):
    """Return what the outputs of a layer are like.

    Parameters
    ----------
    layer : torch.nn.Module
        The layer.

    outputs : Tensor
        Its outputs.

    Returns
    -------
    moments : dict
        `mean`, `std`, and the share `saturated` that lets next to no gradient through,
        NaN for a layer without such outputs.
    """
    is_saturated = NONLINEAR.get(type(layer))
    share = math.nan
    if is_saturated is not None:
        share = is_saturated(outputs).double().mean().item()
    return {**moments(outputs), "saturated": share}


def update_of(before, parameter):
    """Return how large a parameter, its gradient and its last change are.

    Parameters
    ----------
    before : Tensor
        The parameter before the step.

    parameter : torch.nn.Parameter
        The parameter after it, with the gradient it was taken with.

    Returns
    -------
    update : dict
        The `shape`; the standard deviations `data_std` of what it was, `grad_std` and
        `update_std`; and `update_ratio`, which is ``update_std / data_std``.
    """
    data, grad, after = (
        values_of([tensor]) for tensor in (before, parameter.grad, parameter)
    )
    data_std, grad_std, update_std = (
        moments(values)["std"] for values in (data, grad, after.double() - data)
    )
    return {
        "shape": tuple(before.shape),
        "data_std": data_std,
        "grad_std": grad_std,
        "update_std": update_std,
        "update_ratio": _ratio(update_std, data_std),
    }


def _ratio(part, whole):
    """Divide; a bias that begins with zeros has changes and no size yet."""
    if whole:
        return part / whole
    return math.inf if part else math.nan


def histogram(values, n_bins):
    """Estimate the density of numbers between the least and the largest of them.

    Parameters
    ----------
    values : Tensor of shape (n_values,)
        The numbers; those that are not finite are left out.

    n_bins : int
        Number of bins of equal width.

    Returns
    -------
    histogram : dict
        The `density`, ndarray of shape (n_bins,): the share of the numbers in each bin
        over its width; and the `edges` of the bins, ndarray of shape (n_bins + 1,).
    """
    values = values[values.isfinite()].double()
    if not len(values):
        values = values.new_zeros(1)
    low, high = values.min().item(), values.max().item()
    if low == high:  # a point of no width has no density
        low, high = low - 0.5, high + 0.5
    edges = torch.linspace(low, high, n_bins + 1, dtype=torch.float64)
    counts = torch.histc(values, n_bins, low, high)
    density = counts / counts.sum() / ((high - low) / n_bins)
    return {"density": density.numpy(), "edges": edges.numpy()}
