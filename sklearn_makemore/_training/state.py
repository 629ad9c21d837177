"""The state of a net in training as arrays, and back: weights, moments, history."""

import copy

import numpy as np
import torch

from .._safe_file import content_digest
from .device import random_states, set_random_states
from .net import plain_module


def state_arrays(net, first_epoch):
    """Return the state of a net in training, but for the learning rates.

    Parameters
    ----------
    net : CharNet
        The net, with the callbacks of its training.

    first_epoch : int
        Number of epochs of earlier trainings, which stay out.

    Returns
    -------
    arrays : dict of str to ndarray
        Weights, the optimizer's moments, the columns of the history, and the states
        of early stopping and of torch's generators.
    """
    arrays = _arrays("module", plain_module(net).state_dict())
    arrays |= _moments(net.optimizer_)
    rows = net.history[first_epoch:]
    for name in set(rows[0]) - {"batches"} if rows else ():
        arrays[f"history.{name}"] = np.array([row[name] for row in rows])
    stopping = dict(net.callbacks_).get("early_stopping")
    if stopping is not None:
        arrays["stopping"] = np.array(
            [stopping.misses_, stopping.dynamic_threshold_, stopping.best_epoch_],
            dtype=np.float64,
        )
        arrays |= _arrays("best", stopping.best_model_weights_ or {})
    return arrays | _arrays("random", random_states(net.device))


def check_state(net, n_epochs, learning_rates, arrays):
    """Raise an error if a net like this one cannot be in a state.

    The kernels of the optimizers do not look at the sizes of what they write to.

    Parameters
    ----------
    net : CharNet
        The net, about to be trained.

    n_epochs : int
        Number of epochs after which it should be in the state.

    learning_rates : list of float
        Learning rate of each group of the optimizer.

    arrays : dict of str to ndarray
        What should be as `state_arrays` returns it.

    Raises
    ------
    ValueError
        If names, shapes or types differ, or if a number cannot be.
    """
    n_before = len(net.history)
    expected = state_arrays(net, n_before)
    if n_epochs:
        expected |= _moments(_after_a_step(net.optimizer_))
        row = {"epoch": 1, "dur": 0.0, "train_loss": 0.0, "train_loss_best": True}
        if net.train_split is not None:
            row |= {"valid_loss": 0.0, "valid_loss_best": True}
        for name, value in row.items():
            expected[f"history.{name}"] = np.broadcast_to(np.array(value), n_epochs)
    has_best = any(name.startswith("best.") for name in arrays)
    if has_best:
        expected |= _arrays("best", net.module_.state_dict())
    shapes, found = (
        {name: (array.shape, array.dtype.name) for name, array in some.items()}
        for some in (expected, arrays)
    )
    if shapes != found:
        wrong = min(name for name, _ in shapes.items() ^ found.items())
        raise ValueError(f"{wrong} is not as this net has it")
    for name, array in arrays.items():
        is_recorded = name == "stopping" or name.startswith("history.")
        if not is_recorded and not np.isfinite(array).all():
            raise ValueError(f"{name} is not finite")
    misses, threshold, best_epoch = arrays.get("stopping", np.zeros(3)).tolist()
    epochs = np.arange(n_epochs) + 1 + n_before
    if n_epochs and not np.array_equal(arrays["history.epoch"], epochs):
        raise ValueError("history.epoch does not count")
    if (
        misses not in range(n_epochs + 1)
        or best_epoch not in (epochs if has_best else [0])
        or np.isnan(threshold)
    ):
        raise ValueError("stopping is no state of early stopping")
    groups = net.optimizer_.param_groups
    if not isinstance(learning_rates, list) or len(learning_rates) != len(groups):
        raise ValueError("lr is not one number a group")
    if not all(type(lr) in (int, float) and 0 <= lr < np.inf for lr in learning_rates):
        raise ValueError(f"lr is {learning_rates!r}")


def restore_state(net, learning_rates, arrays):
    """Put a net, about to be trained, into the state that was kept.

    Parameters
    ----------
    net : CharNet
        The net, new or with the history of earlier trainings.

    learning_rates : list of float
        Learning rate of each group of the optimizer.

    arrays : dict of str to ndarray
        As `state_arrays` returns them, and `check_state` has let them pass.
    """
    plain_module(net).load_state_dict(_tensors("module", arrays))
    moments = {}
    for name, tensor in _tensors("optimizer", arrays).items():
        index, key = name.split(".")
        moments.setdefault(int(index), {})[key] = tensor
    groups = net.optimizer_.state_dict()["param_groups"]
    for group, lr in zip(groups, learning_rates, strict=True):
        group["lr"] = lr
    net.optimizer_.load_state_dict({"state": moments, "param_groups": groups})
    columns = {name: array.tolist() for name, array in _part("history", arrays).items()}
    for values in zip(*columns.values(), strict=True):
        net.history.append({"batches": [], **dict(zip(columns, values, strict=True))})
    if "stopping" in arrays:
        stopping = dict(net.callbacks_)["early_stopping"]
        misses, threshold, best_epoch = arrays["stopping"].tolist()
        stopping.misses_, stopping.best_epoch_ = int(misses), int(best_epoch)
        stopping.dynamic_threshold_ = threshold
        stopping.best_model_weights_ = _tensors("best", arrays, net.device) or None
    set_random_states(net.device, _tensors("random", arrays))


def net_digest(net):
    """Return what identifies a trained net: weights, optimizer, number of epochs."""
    arrays = _arrays("module", plain_module(net).state_dict())
    return content_digest([len(net.history)], arrays | _moments(net.optimizer_))


def _moments(optimizer):
    """Return the state of an optimizer as arrays, but for the learning rates."""
    arrays = {}
    for index, moments in optimizer.state_dict()["state"].items():
        arrays |= _arrays(f"optimizer.{index}", moments)
    return arrays


def _after_a_step(optimizer):
    """Return a copy of an optimizer that has taken a step: all its state is there."""
    optimizer = copy.deepcopy(optimizer)
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    return optimizer


def _arrays(prefix, tensors):
    """Return tensors as arrays, their names behind a prefix."""
    return {
        f"{prefix}.{name}": tensor.detach().cpu().numpy()
        for name, tensor in tensors.items()
    }


def _part(prefix, arrays):
    """Return the arrays whose names have a prefix, without it."""
    start = f"{prefix}."
    return {
        name.removeprefix(start): array
        for name, array in arrays.items()
        if name.startswith(start)
    }


def _tensors(prefix, arrays, device="cpu"):
    """Return arrays as tensors of their own memory, whose place may matter to sums."""
    return {
        name: torch.tensor(array, device=device)
        for name, array in _part(prefix, arrays).items()
    }
