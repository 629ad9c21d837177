"""Statistics of recorded tensors: moments, histograms, and sizes of updates."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..modules import Tanh
from ..modules.recurrent import HiddenStateHook

SATURATED_TANH = 0.97
"""An output of tanh beyond this lets less than 6 % of a gradient through."""


def _far_tanh(outputs: Tensor) -> Tensor:
    return outputs.abs() > SATURATED_TANH


# Nonlinear modules, and which of their outputs let almost no gradient through.
NONLINEAR: dict[type[nn.Module], Callable[[Tensor], Tensor] | None] = {
    nn.Tanh: _far_tanh,
    Tanh: _far_tanh,
    nn.Sigmoid: lambda outputs: _far_tanh(2 * outputs - 1),
    nn.ReLU: lambda outputs: outputs <= 0,
    nn.GELU: None,  # too smooth for a bound
    HiddenStateHook: _far_tanh,
}


def is_nonlinear(layer: nn.Module) -> bool:
    """Whether a module is tanh, sigmoid, ReLU, GELU or a state of a recurrent layer."""
    return type(layer) in NONLINEAR


def values_of(tensors: Sequence[Tensor]) -> Tensor:
    """Return the numbers of tensors of any shapes, (n_values,) on the CPU."""
    return torch.cat([tensor.detach().flatten() for tensor in tensors]).cpu()


def moments(values: Tensor) -> dict[str, float]:
    """Return the `mean` and the `std` of numbers, not of a larger population."""
    values = values.double()
    return {"mean": values.mean().item(), "std": values.std(correction=0).item()}


def output_moments(layer: nn.Module, outputs: Tensor) -> dict[str, float]:
    """Return the moments of a layer's outputs, and the share that is `saturated`.

    The share is NaN for a layer whose outputs have no bound.
    """
    is_saturated = NONLINEAR.get(type(layer))
    share = math.nan
    if is_saturated is not None:
        share = is_saturated(outputs).double().mean().item()
    return {**moments(outputs), "saturated": share}


def update_of(before: Tensor, parameter: nn.Parameter) -> dict[str, Any]:
    """Return the sizes of a parameter before a step, of its gradient and its change.

    They are the `shape`, the standard deviations `data_std`, `grad_std` and
    `update_std`, and `update_ratio`, which is ``update_std / data_std``.
    """
    grad: Any = parameter.grad
    data, slope, after = (values_of([each]) for each in (before, grad, parameter))
    data_std, grad_std, update_std = (
        moments(values)["std"] for values in (data, slope, after.double() - data)
    )
    with np.errstate(divide="ignore", invalid="ignore"):  # a bias may start at zero
        ratio = float(np.divide(update_std, data_std))
    return {
        "shape": tuple(before.shape),
        "data_std": data_std,
        "grad_std": grad_std,
        "update_std": update_std,
        "update_ratio": ratio,
    }


def histogram(values: Tensor, n_bins: int) -> dict[str, Any]:
    """Estimate the density of the finite numbers between their extremes.

    values : (n_values,)
    density : (n_bins,), the share of the numbers in each bin over its width
    edges : (n_bins + 1,), of bins of equal width
    """
    finite = values[values.isfinite()].double().numpy()
    density, edges = np.histogram(finite if len(finite) else [0], n_bins, density=True)
    return {"density": density, "edges": edges}
