"""Training that goes on where it was killed: its whole state in a file.

What the file holds decides all that comes after an epoch: weights, optimizer, history,
early stopping, and the random numbers still to come. The rest (the words, the share
held out, the schedule) follows from the words, the parameters and the random state with
which the training began; the file tells which training it belongs to by these.
"""

import hashlib
import json
import os
import time
import warnings
from contextlib import contextmanager

import numpy as np
import torch

from ._device import random_states, set_random_states
from ._net import plain_module
from ._safe_file import ModelFileError, read_safe_file, write_safe_file
from ._word_estimator import package_version

FORMAT_VERSION = 1

WRITING_SHARE = 0.02
"""Largest share of the time that writing takes, about: short epochs are not all
written."""


WRONG_FORM = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What comes of a state that has another form than ours."""


class Checkpoint:
    """The file of a training, and what it held when the training began.

    Parameters
    ----------
    path : str or path-like
        The file. If it is there, it is read.

    training : dict
        Which training it is, in what JSON can say; see `training_identity`.

    rng : RandomState
        Source of the split and of the seed. It is put back to where it was when the
        training began that the file holds.

    Raises
    ------
    ModelFileError
        If the file is no checkpoint, or is damaged.
    ValueError
        If it belongs to another training.

    Warns
    -----
    UserWarning
        If another version of torch or of this package wrote it.

    Attributes
    ----------
    n_epochs : int
        Number of epochs that the file held.
    """

    def __init__(self, path, training, rng):
        self.path = os.path.realpath(path)
        self.training = {"format": FORMAT_VERSION, **training}
        self.seen = _signature(self.path)
        self.n_epochs, self.kept = 0, None
        if self.seen is not None:
            document, arrays = self.kept = read_safe_file(self.path)
            _check_same_training(self.path, document, self.training)
            with _damage_is_told(self.path):
                self.n_epochs = int(document["n_epochs"])
                rng.set_state(document["random_state"])
        self.random_state = rng.get_state(legacy=False)

    def begin(self, net):
        """Put the net where the file says, and show that the file can be written."""
        self.n_epochs_before = len(net.history)
        if self.kept is not None:
            document, arrays = self.kept
            with _damage_is_told(self.path):
                restore_state(net, document["lr"], arrays)
            self.kept = None
        self._write(net)

    def after_epoch(self, net):
        """Write the state, unless the last time is too short ago for its cost."""
        if time.perf_counter() - self.written_at >= self.cost / WRITING_SHARE:
            self._write(net)

    def remove(self):
        """Remove the file, since the training has come to its end."""
        if _signature(self.path) != self.seen:
            return
        try:
            os.remove(self.path)
        except OSError as error:
            warnings.warn(
                f"The checkpoint could not be removed ({error}), and the next fit "
                "would take this training up again; delete it.",
                UserWarning,
                stacklevel=2,
            )

    def _write(self, net):
        start = time.perf_counter()
        if _signature(self.path) not in (self.seen, None):
            raise ValueError(
                f"Another training has written the checkpoint {self.path!r} since "
                "this one began; give each its own path."
            )
        document = {
            "training": self.training,
            "versions": _versions(),
            "random_state": _plain(self.random_state),
            "n_epochs": len(net.history) - self.n_epochs_before,
            "lr": [group["lr"] for group in net.optimizer_.param_groups],
        }
        write_safe_file(self.path, document, state_arrays(net, self.n_epochs_before))
        self.seen = _signature(self.path)
        self.written_at = time.perf_counter()
        self.cost = self.written_at - start


def training_identity(model, parameters, words, start, device):
    """Return which training it is, in what JSON can say.

    Parameters
    ----------
    model : estimator
        The network; its class counts.

    parameters : dict
        Those of its parameters that decide what comes out. Of a source of random
        numbers only the type counts: the file has its state.

    words : iterable of bytes-like
        What the training learns from.

    start : module or None
        What the training goes on from, None for new weights.

    device : str
        Where it computes.

    Returns
    -------
    training : dict
        Equal for equal trainings.
    """
    return {
        "class": type(model).__name__,
        "words": _digest(words),
        "start": None if start is None else _digest(_bytes_of(start)),
        "parameters": _plain({**parameters, "device": device}),
    }


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
    for index, moments in net.optimizer_.state_dict()["state"].items():
        arrays |= _arrays(f"optimizer.{index}", moments)
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


def restore_state(net, learning_rates, arrays):
    """Put a net, about to be trained, into the state that was kept.

    Parameters
    ----------
    net : CharNet
        The net, new or with the history of earlier trainings.

    learning_rates : list of float
        Learning rate of each group of the optimizer.

    arrays : dict of str to ndarray
        As `state_arrays` returns them.
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


def _check_same_training(path, document, training):
    """Raise an error if a checkpoint is of another training, and say which."""
    kept = document.get("training")
    if not isinstance(kept, dict):
        raise ModelFileError(
            f"{path!r} is no checkpoint. Give `checkpoint` another path."
        )
    differences = list(_differences(kept, training))
    if differences:
        raise ValueError(
            f"The checkpoint {path!r} is of another training: "
            f"{'; '.join(differences)}. Go on as it was begun, or delete the file to "
            "train anew, or give `checkpoint` another path."
        )
    if document.get("versions") != _versions():
        warnings.warn(
            f"The checkpoint {path!r} was written with {document.get('versions')}, "
            f"and the training goes on with {_versions()}: the weights may not be "
            "those of a training without interruption.",
            UserWarning,
            stacklevel=2,
        )


def _differences(kept, training):
    """Say what two trainings have not in common."""
    for name, what in (("format", "its format is {}"), ("class", "its model is {}")):
        if kept.get(name) != training[name]:
            yield what.format(kept.get(name))
            return
    if kept["words"] != training["words"]:
        yield "it has other words, sample weights or symbols, or another order of them"
    if kept["start"] != training["start"]:
        yield "it started from other weights"
    theirs, ours = kept["parameters"], training["parameters"]
    for name in sorted({*theirs, *ours}):
        if theirs.get(name) != ours.get(name):
            yield f"it has {name}={theirs.get(name)!r}, not {ours.get(name)!r}"


@contextmanager
def _damage_is_told(path):
    """Turn what a state of the wrong form leads to into an error about its file."""
    try:
        yield
    except WRONG_FORM as error:
        raise ModelFileError(
            f"{path!r} holds no state of this training ({error!r}). Delete it to train "
            "anew."
        ) from error


def _signature(path):
    """Return what changes when a file is written, None if there is none."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _versions():
    return {"sklearn_makemore": package_version(), "torch": str(torch.__version__)}


def _plain(value):
    """Return a value as JSON says it; of other objects, the name of their type."""

    def plain(value):
        if isinstance(value, (np.ndarray, np.generic)):
            return value.tolist()
        return type(value).__name__

    return json.loads(json.dumps(value, default=plain))


def _digest(parts):
    """Compute the SHA-256 of some bytes, and of where each begins, in hexadecimal."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(memoryview(part).nbytes.to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()


def _bytes_of(module):
    """Yield the names and the weights of a module as bytes."""
    for name, array in _arrays("module", module.state_dict()).items():
        yield name.encode()
        yield array.tobytes()


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
