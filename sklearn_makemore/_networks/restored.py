"""What a file says of a network, believed only after it was checked.

The file may be a trap: no memory is taken by what it says alone.
"""

import numpy as np
import torch

MAX_RESTORED_BLOCK_SIZE = 1 << 20
"""Most symbols that a network out of a file sees: a tree of merges has few weights."""

MAX_RESTORED_DEPTH = 1 << 10
"""Most layers of a network that comes out of a file: each is built by Python."""


def check_weights(module, params, weights):
    """Raise an error if arrays are not the weights of a module, before it is built.

    Parameters
    ----------
    module : torch.nn.Module class
        The module.

    params : dict
        Its keyword arguments.

    weights : dict of str to ndarray
        What should be its `state_dict`.

    Raises
    ------
    ValueError
        If names, shapes or types differ, or if a number is not finite.
    """
    # Every size is one of an array's shape, and every layer has an array.
    sizes = [value for value in params.values() if type(value) is int]
    n_layers = params.get("n_layers", 1)
    if max(sizes) > sum(array.size for array in weights.values()):
        raise ValueError(f"{module.__name__} of {params} has more weights.")
    if n_layers > min(len(weights), MAX_RESTORED_DEPTH):
        raise ValueError(f"{module.__name__} has {n_layers} layers.")
    with torch.device("meta"):  # shapes without memory
        expected = module(**params).state_dict()
    shapes = {
        name: (tuple(tensor.shape), str(tensor.dtype).removeprefix("torch."))
        for name, tensor in expected.items()
    }
    found = {name: (array.shape, array.dtype.name) for name, array in weights.items()}
    if found != shapes:
        wrong = sorted(name for name, _ in found.items() ^ shapes.items())
        raise ValueError(f"{wrong[0]} is not as {module.__name__} has it.")
    for name, array in weights.items():
        if not np.isfinite(array).all():
            raise ValueError(f"{name} is not finite.")


def checked_unknown_proba(proba, vocabulary):
    """Return the probability of unknown characters if it can be one, or None."""
    if proba is None:
        return None
    if type(proba) is not float or not (vocabulary.unknown and 0 < proba < 1):
        raise ValueError(f"unknown_proba is {proba!r}.")
    return proba


def checked_history(history):
    """Return the epochs if they are a list of dicts of plain values."""
    if not isinstance(history, list) or not all(
        isinstance(row, dict) and recorded_values(row) == row for row in history
    ):
        raise ValueError("history is not a list of epochs.")
    return history


def recorded_values(row):
    """Return what an epoch recorded as numbers, booleans and strings."""
    kinds = bool, int, float, str, type(None), np.bool_, np.integer, np.floating
    return {name: value for name, value in row.items() if isinstance(value, kinds)}
