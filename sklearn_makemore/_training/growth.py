"""A network for more symbols and labels: new ones start as the average.

The logit of a new symbol is the mean of the old logits, so its probability is at most
that of the average old symbol, and the others only share what is left.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..modules.labelled_embedding import LABELS, PAIRS
from .device import plain_module

if TYPE_CHECKING:
    from .net import CharNet


def continued_net(net: CharNet, before: CharNet, new_ids: Tensor) -> CharNet:
    """Give a new net the weights, optimizer state and history of a fitted one.

    new_ids : (n_symbols,) id in the new net of each symbol of the fitted one
    """
    fitted = before.get_params_for("module")
    sizes = {name: fitted[name] for name in ("n_symbols", "n_labels") if name in fitted}
    asked = net.get_params_for("module") | sizes
    if net.module is not before.module or asked != fitted:
        raise ValueError(
            f"The fitted {before.module.__name__} has {fitted}, and a warm start "
            f"or `partial_fit` cannot turn it into {asked}. Set the parameters back, "
            "or call `fit` with warm_start=False."
        )
    module, module_before = plain_module(net), plain_module(before)
    module.load_state_dict(
        grown_weights(module_before.state_dict(), module.state_dict(), new_ids)
    )
    net.history.extend(copy.deepcopy(list(before.history)))
    if net.optimizer is before.optimizer:
        settings = net.optimizer_.state_dict()["param_groups"]
        # A copy, since loading shares the moments and steps change them in place.
        state = copy.deepcopy(before.optimizer_.state_dict())
        for group, setting in zip(state["param_groups"], settings, strict=True):
            group.update(setting)
        names = {parameter: name for name, parameter in module.named_parameters()}
        # The state has the order of the groups, not that of the module.
        groups = net.optimizer_.param_groups
        named = [(names[one], one) for group in groups for one in group["params"]]
        state["state"] = grown_moments(state["state"], named, new_ids)
        net.optimizer_.load_state_dict(state)
    return net


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
