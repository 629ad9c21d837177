"""The state of a net in training as named arrays, and back."""

import copy

import numpy as np
import torch

from .._safe_file import Arrays, content_digest
from .device import plain_module, random_states, set_random_states
from .net import CharNet


def state_arrays(net: CharNet, n_before: int) -> Arrays:
    """Return all that determines a training after `n_before` earlier epochs.

    module.*, optimizer.<index>.*, lr : weights, moments and learning rates
    history.* : columns of the epochs of this training
    stopping, best.* : misses, threshold and best epoch of early stopping; best weights
    random.* : states of torch's generators
    """
    arrays = _trained_arrays(net, net.optimizer_)
    arrays["lr"] = np.array([group["lr"] for group in net.optimizer_.param_groups])
    rows = list(net.history)[n_before:]
    for name in set(rows[0]) - {"batches"} if rows else ():
        arrays[f"history.{name}"] = np.array([row[name] for row in rows])
    stopping = dict(net.callbacks_).get("early_stopping")
    if stopping is not None:
        numbers = stopping.misses_, stopping.dynamic_threshold_, stopping.best_epoch_
        arrays["stopping"] = np.array(numbers, dtype=np.float64)
        arrays |= _arrays("best", stopping.best_model_weights_ or {})
    return arrays | _arrays("random", random_states(net.device))


def check_state(net: CharNet, n_epochs: int, arrays: Arrays) -> None:
    """Raise ValueError if this net cannot be in such a state after `n_epochs`."""
    has_best = any(name.startswith("best.") for name in arrays)
    expected, found = (
        {name: (array.shape, array.dtype.name) for name, array in some.items()}
        for some in (_expected_arrays(net, n_epochs, has_best), arrays)
    )
    for name, _ in sorted(expected.items() ^ found.items()):
        raise ValueError(f"{name} is not as this net has it")
    for name, array in arrays.items():
        is_recorded = name == "stopping" or name.startswith("history.")
        if not is_recorded and not np.isfinite(array).all():
            raise ValueError(f"{name} is not finite")
    if (arrays["lr"] < 0).any():
        raise ValueError("lr is negative")
    epochs = len(net.history) + 1 + np.arange(n_epochs)
    if n_epochs and not np.array_equal(arrays["history.epoch"], epochs):
        raise ValueError("history.epoch does not count")
    misses, threshold, best_epoch = arrays.get("stopping", np.zeros(3)).tolist()
    if (
        misses not in range(n_epochs + 1)
        or best_epoch not in (epochs if has_best else [0])
        or np.isnan(threshold)
    ):
        raise ValueError("stopping is no state of early stopping")


def restore_state(net: CharNet, arrays: Arrays) -> None:
    """Put a net that is about to train into a state that `check_state` accepts."""
    plain_module(net).load_state_dict(_tensors("module", arrays))
    optimizer = net.optimizer_.state_dict()
    optimizer["state"] = {}
    for name, tensor in _tensors("optimizer", arrays).items():
        index, key = name.split(".")
        optimizer["state"].setdefault(int(index), {})[key] = tensor
    for group, lr in zip(optimizer["param_groups"], arrays["lr"], strict=True):
        group["lr"] = float(lr)
    net.optimizer_.load_state_dict(optimizer)
    columns = _tensors("history", arrays)
    for values in zip(*(column.tolist() for column in columns.values()), strict=True):
        net.history.append({"batches": [], **dict(zip(columns, values, strict=True))})
    if "stopping" in arrays:
        stopping = dict(net.callbacks_)["early_stopping"]
        misses, threshold, best_epoch = arrays["stopping"].tolist()
        stopping.misses_, stopping.best_epoch_ = int(misses), int(best_epoch)
        stopping.dynamic_threshold_ = threshold
        stopping.best_model_weights_ = _tensors("best", arrays, net.device) or None
    set_random_states(net.device, _tensors("random", arrays))


def net_digest(net: CharNet) -> str:
    """Return a digest of a trained net: weights, moments, number of epochs."""
    return content_digest([len(net.history)], _trained_arrays(net, net.optimizer_))


def _expected_arrays(net, n_epochs, has_best):
    """Return arrays of the shapes and types that the state after `n_epochs` has."""
    arrays = state_arrays(net, len(net.history))
    if n_epochs:
        arrays |= _trained_arrays(net, _after_a_step(net.optimizer_))
        row = {"epoch": 1, "dur": 0.0, "train_loss": 0.0, "train_loss_best": True}
        if net.train_split is not None:
            row |= {"valid_loss": 0.0, "valid_loss_best": True}
        for name, value in row.items():
            arrays[f"history.{name}"] = np.broadcast_to(np.array(value), n_epochs)
    if has_best:
        arrays |= _arrays("best", net.module_.state_dict())
    return arrays


def _after_a_step(optimizer):
    """Return a copy of an optimizer with all its moments, for their shapes.

    The kernels do not check the sizes of the arrays that they write to.
    """
    optimizer = copy.deepcopy(optimizer)
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    return optimizer


def _trained_arrays(net, optimizer):
    """Return the weights and the moments of an optimizer."""
    arrays = _arrays("module", plain_module(net).state_dict())
    for index, moments in optimizer.state_dict()["state"].items():
        arrays |= _arrays(f"optimizer.{index}", moments)
    return arrays


def _arrays(prefix, tensors):
    """Return tensors as arrays, their names behind a prefix."""
    return {
        f"{prefix}.{name}": tensor.detach().cpu().numpy()
        for name, tensor in tensors.items()
    }


def _tensors(prefix, arrays, device="cpu"):
    """Return the arrays whose names have a prefix as tensors, without the prefix.

    The tensors own their memory, because its alignment can change sums.
    """
    start = f"{prefix}."
    return {
        name.removeprefix(start): torch.tensor(array, device=device)
        for name, array in arrays.items()
        if name.startswith(start)
    }
