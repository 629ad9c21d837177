"""Weights of a network for more symbols and labels: new ones start as the average.

The logit of a new symbol is the mean of the old logits, so its probability is at most
that of the average old symbol, and the others only share what is left.
"""

from typing import Any

import torch
from torch import Tensor

from ..modules.labelled_embedding import LABELS, PAIRS


def grown(name: str, tensor: Tensor, shape: torch.Size, new_ids: Tensor) -> Tensor:
    """Return a tensor of a larger shape, with the means of old values in the new rows.

    name : of the parameter, in the state of a module
    new_ids : (n_symbols,) new id of each old symbol
    """
    for dim, size in enumerate(shape):
        n_known = tensor.shape[dim]
        if n_known == size:
            continue  # only dimensions of symbols and labels grow
        of_labels = name in (LABELS, PAIRS) and dim == 0
        rows = torch.arange(n_known) if of_labels else new_ids  # new labels come last
        mean = tensor.mean(dim, keepdim=True)
        larger = mean.repeat_interleave(size, dim)
        tensor = larger.index_copy_(dim, rows.to(tensor.device), tensor)
    return tensor


def grown_weights(
    weights: dict[str, Tensor], like: dict[str, Tensor], new_ids: Tensor
) -> dict[str, Tensor]:
    """Return the weights of a module for more symbols, in the shapes of another."""
    return {
        name: grown(name, tensor, like[name].shape, new_ids)
        for name, tensor in weights.items()
    }


def grown_moments(
    state: dict[int, dict[str, Any]],
    like: list[tuple[str, Tensor]],
    new_ids: Tensor,
) -> dict[int, dict[str, Any]]:
    """Return the moments of an optimizer, in the shapes of other parameters.

    like : names and parameters
    """

    def in_shape_of(name, parameter, moment):
        # The number of steps has no dimension.
        has_rows = torch.is_tensor(moment) and moment.ndim
        return grown(name, moment, parameter.shape, new_ids) if has_rows else moment

    return {
        index: {key: in_shape_of(*like[index], moment) for key, moment in own.items()}
        for index, own in state.items()
    }
