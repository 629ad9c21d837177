"""Weights of a network for more symbols: a new symbol starts as the average one.

Its logit is the mean of the old logits, so its probability is at most that of the
average old symbol, and the others only share what is left.
"""

from typing import Any

import torch
from torch import Tensor


def grown(tensor: Tensor, shape: torch.Size, new_ids: Tensor) -> Tensor:
    """Return a tensor of a larger shape, with the means of old values in the new rows.

    new_ids : (n_symbols,) new id of each old symbol
    """
    for dim, size in enumerate(shape):
        if tensor.shape[dim] == size:
            continue  # only dimensions of symbols grow
        mean = tensor.mean(dim, keepdim=True)
        larger = mean.repeat_interleave(size, dim)
        tensor = larger.index_copy_(dim, new_ids.to(tensor.device), tensor)
    return tensor


def grown_weights(
    weights: dict[str, Tensor], like: dict[str, Tensor], new_ids: Tensor
) -> dict[str, Tensor]:
    """Return the weights of a module for more symbols, in the shapes of another."""
    return {
        name: grown(tensor, like[name].shape, new_ids)
        for name, tensor in weights.items()
    }


def grown_moments(
    state: dict[int, dict[str, Any]], like: list[Tensor], new_ids: Tensor
) -> dict[int, dict[str, Any]]:
    """Return the moments of an optimizer, in the shapes of other parameters."""

    def in_shape_of(parameter, moment):
        # The number of steps has no dimension.
        has_rows = torch.is_tensor(moment) and moment.ndim
        return grown(moment, parameter.shape, new_ids) if has_rows else moment

    return {
        index: {name: in_shape_of(like[index], moment) for name, moment in own.items()}
        for index, own in state.items()
    }
