"""Networks from a file, which is untrusted.

Every size that a file states is compared with its arrays before memory is allocated.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from .._training.device import one_thread, plain_module, seeded_torch
from .._words.vocabulary import CharVocabulary

if TYPE_CHECKING:
    from .._training.net import CharNet

MAX_RESTORED_BLOCK_SIZE = 1 << 20
"""Largest block size in a file. The number of weights does not bound it: a WaveNet of
this size can have few weights."""

MAX_RESTORED_DEPTH = 1 << 10
"""Largest number of layers in a file, because Python builds each layer."""


class RestoredNet:
    """The module of a network from a file, and how to make its skorch net.

    Predictions need only the module, and importing skorch takes longer than loading.

    arguments : those of `new_net`
    module_ : the module, as in a skorch net
    history : the epochs
    """

    def __init__(self, arguments: dict[str, Any], history: list[dict[str, Any]]):
        self.arguments, self.history = arguments, history
        module = arguments["module"](**arguments["module_params"])
        self.module_ = module.to(arguments["device"])

    def skorch_net(self) -> CharNet:
        """Return the skorch net of the module."""
        from .._training.net import new_net

        with one_thread, seeded_torch(0, self.arguments["device"]):
            net = new_net(**self.arguments, has_optimizer=False)
        net.history.extend({**row, "batches": []} for row in self.history)
        plain_module(net).load_state_dict(self.module_.state_dict())
        net.module_.eval()
        return net


def check_weights(
    module: Callable[..., torch.nn.Module],
    params: dict[str, Any],
    weights: dict[str, np.ndarray],
) -> None:
    """Raise an error unless arrays are the `state_dict` of a module with parameters."""
    name_of = params.get("network", module).__name__
    # Each size is a dimension of an array, and each layer has an array.
    sizes = [value for value in params.values() if type(value) is int]
    n_layers = params.get("n_layers", 1)
    if max(sizes) > sum(array.size for array in weights.values()):
        raise ValueError(f"{name_of} of {params} has more weights.")
    if n_layers > min(len(weights), MAX_RESTORED_DEPTH):
        raise ValueError(f"{name_of} has {n_layers} layers.")
    with torch.device("meta"), _WithoutValues():  # shapes without memory
        expected = module(**params).state_dict()
    shapes = {
        name: (tuple(tensor.shape), str(tensor.dtype).removeprefix("torch."))
        for name, tensor in expected.items()
    }
    found = {name: (array.shape, array.dtype.name) for name, array in weights.items()}
    if found != shapes:
        wrong = sorted(name for name, _ in found.items() ^ shapes.items())
        raise ValueError(f"{wrong[0]} is not as {name_of} has it.")
    for name, array in weights.items():
        if not np.isfinite(array).all():
            raise ValueError(f"{name} is not finite.")


class _WithoutValues(TorchFunctionMode):
    """Context in which parameters are not initialized.

    On the device "meta", torch imports its compiler for random values, which takes
    longer than loading a network.
    """

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if getattr(func, "__module__", None) == "torch.nn.init":
            return kwargs.get("tensor", *args[:1])
        return func(*args, **kwargs)


def checked_n_labels(n_labels: Any) -> int:
    """Return the number of labels, 0 without labels, once checked."""
    if type(n_labels) is not int or n_labels < 0:
        raise ValueError(f"n_labels is {n_labels!r}.")
    return n_labels


def checked_unknown_proba(proba: Any, vocabulary: CharVocabulary) -> float | None:
    """Return the probability of unknown characters, or None, once checked."""
    if proba is None:
        return None
    if type(proba) is not float or not (vocabulary.unknown and 0 < proba < 1):
        raise ValueError(f"unknown_proba is {proba!r}.")
    return proba


def checked_word_lengths(lengths: Any, longest_word: int) -> np.ndarray | None:
    """Return the weights of words by length once checked; version 0.1.0 has none."""
    if lengths is None:
        return None
    if lengths.dtype != np.float64 or lengths.shape != (longest_word + 1,):
        raise ValueError(f"word_lengths has shape {lengths.shape}.")
    if not (np.isfinite(lengths.sum()) and (lengths >= 0).all() and lengths[-1] > 0):
        raise ValueError("word_lengths is negative, not finite, or ends with 0.")
    return lengths


def checked_weight_decay(decay: Any) -> float:
    """Return the weight decay of the last training once checked."""
    if not isinstance(decay, int | float) or not 0 <= decay < np.inf:
        raise ValueError(f"weight_decay is {decay!r}.")
    return float(decay)


def checked_history(history: Any) -> list[dict[str, Any]]:
    """Return the epochs of a history, a list of dicts of plain values, once checked."""
    if not isinstance(history, list) or not all(
        isinstance(row, dict) and recorded_values(row) == row for row in history
    ):
        raise ValueError("history is not a list of epochs.")
    return history


def recorded_values(row: dict[str, Any]) -> dict[str, Any]:
    """Return the numbers, booleans and strings that an epoch recorded."""
    kinds = bool, int, float, str, type(None), np.bool_, np.integer, np.floating
    return {name: value for name, value in row.items() if isinstance(value, kinds)}
