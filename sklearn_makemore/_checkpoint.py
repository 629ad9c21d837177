"""Training that goes on where it was killed: its whole state in a file.

What the file holds decides all that comes after an epoch: weights, optimizer, history,
early stopping, and the random numbers still to come. The rest (the words, the share
held out, the schedule) follows from the words, the parameters and the random state with
which the training began; the file tells which training it belongs to by these.
"""

import copy
import json
import os
import time
import warnings
from contextlib import contextmanager

import numpy as np
import torch

from ._device import random_states, set_random_states
from ._net import plain_module
from ._safe_file import (
    ModelFileError,
    content_digest,
    read_safe_file,
    write_safe_file,
)
from ._word_estimator import package_version

FORMAT_VERSION = 1

WRITING_SHARE = 0.02
"""Largest share of the time that writing takes, about: short epochs are not all
written."""

# The vocabulary, the weights to start from and the device are compared for themselves.
NOT_COMPARED = {
    "alphabet",
    "callbacks",
    "checkpoint",
    "device",
    "handle_unknown",
    "verbose",
    "warm_start",
}
"""Parameters that may differ when a training goes on from its checkpoint."""

ERRORS_OF_MALFORMED_STATE = (
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
    path : str
        The file.

    training : dict
        Which training it is, in what JSON can say; see `training_identity`.

    random_state : dict
        State of the generator from which the training draws its split and its seed.

    signature : tuple, default=None
        What `_signature` returned when the file was read, None if there was none.

    n_epochs : int, default=0
        Number of epochs that the file held.

    kept : tuple of (dict, dict of str to ndarray), default=None
        The document and the arrays that the file held.
    """

    def __init__(
        self, path, training, random_state, signature=None, n_epochs=0, kept=None
    ):
        self.path = path
        self.training = training
        self.random_state = random_state
        self.signature = signature
        self.n_epochs = n_epochs
        self.kept = kept
        self.n_epochs_before = 0
        self.rng = self.rng_state_before = None
        self.written_at = self.cost = 0.0

    @classmethod
    def open(cls, path, training, rng):
        """Read the file of a training, if there is one.

        Parameters
        ----------
        path : str or path-like
            The file.

        training : dict
            Which training it is, in what JSON can say; see `training_identity`.

        rng : RandomState
            Source of the split and of the seed. It is put back to where it was when
            the training began that the file holds.

        Returns
        -------
        checkpoint : Checkpoint
            For the training that now begins.

        Raises
        ------
        ModelFileError
            If the file is not a checkpoint, or is damaged.
        ValueError
            If it belongs to another training.

        Warns
        -----
        UserWarning
            If another version of torch or of this package wrote it.
        """
        path = os.path.realpath(os.path.expanduser(path))
        training = {"format": FORMAT_VERSION, **training}
        signature = _signature(path)
        if signature is None:
            return cls(path, training, rng.get_state(legacy=False))
        kept = read_safe_file(path)
        document, _ = kept
        _check_same_training(path, document, training)
        before = rng.get_state(legacy=False)
        with _raising_model_file_error(path):
            n_epochs = document["n_epochs"]
            max_epochs = training["parameters"]["max_epochs"]
            if type(n_epochs) is not int or not 0 <= n_epochs <= max_epochs:
                raise ValueError(f"n_epochs is {n_epochs!r}")
            _check_random_state(document["random_state"], rng)
            rng.set_state(document["random_state"])
        state = rng.get_state(legacy=False)
        checkpoint = cls(path, training, state, signature, n_epochs, kept)
        checkpoint.rng, checkpoint.rng_state_before = rng, before
        return checkpoint

    def begin(self, net):
        """Put the net where the file says, and show that the file can be written."""
        self.n_epochs_before = len(net.history)
        if self.kept is not None:
            document, arrays = self.kept
            try:
                with _raising_model_file_error(self.path):
                    check_state(net, self.n_epochs, document["lr"], arrays)
                    restore_state(net, document["lr"], arrays)
            except ModelFileError:
                self.rng.set_state(self.rng_state_before)
                raise
            self.kept = None
        self._write(net)

    def after_epoch(self, net):
        """Write the state, unless the last time is too short ago for its cost."""
        if time.perf_counter() - self.written_at >= self.cost / WRITING_SHARE:
            self._write(net)

    def remove(self):
        """Remove the file, since the training has come to its end."""
        if _signature(self.path) != self.signature:
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
        if _signature(self.path) not in (self.signature, None):
            raise ValueError(
                f"Another training has written the checkpoint {self.path!r} since "
                "this one began; give each its own path."
            )
        document = {
            "training": self.training,
            "versions": _versions(),
            "random_state": _as_json(self.random_state),
            "n_epochs": len(net.history) - self.n_epochs_before,
            "lr": [group["lr"] for group in net.optimizer_.param_groups],
        }
        write_safe_file(self.path, document, state_arrays(net, self.n_epochs_before))
        self.signature = _signature(self.path)
        self.written_at = time.perf_counter()
        self.cost = self.written_at - start


def training_identity(model, vocabulary, encoded, sample_weight, start, device):
    """Return which training it is, in what JSON can say.

    Parameters
    ----------
    model : estimator
        The network. Its class and its parameters count, without `NOT_COMPARED`; of a
        source of random numbers only the type, since the file has its state.

    vocabulary : CharVocabulary
        The symbols.

    encoded : EncodedWords
        The words that the training learns from.

    sample_weight : ndarray of shape (n_words,) or None
        Weight of each word.

    start : CharNet or None
        What the training goes on from, None for new weights.

    device : str
        Where it computes.

    Returns
    -------
    training : dict
        Equal for equal trainings.
    """
    symbols = [vocabulary.characters, str(vocabulary.unknown)]
    words = {"codes": encoded.codes, "offsets": encoded.offsets}
    if sample_weight is not None:
        words["sample_weight"] = sample_weight
    parameters = {
        name: value
        for name, value in model.get_params(deep=False).items()
        if name not in NOT_COMPARED
    }
    return {
        "class": type(model).__name__,
        "words": content_digest(symbols, words),
        "start": None if start is None else _net_digest(start),
        "parameters": _as_json({**parameters, "device": device}),
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


def _check_same_training(path, document, training):
    """Raise an error if a checkpoint is of another training, and say which."""
    kept = document.get("training")
    if not isinstance(kept, dict) or not isinstance(kept.get("parameters"), dict):
        raise ModelFileError(
            f"{path!r} is not a checkpoint. Give `checkpoint` another path."
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
    if kept.get("words") != training["words"]:
        yield "it has other words, sample weights or symbols, or another order of them"
    if kept.get("start") != training["start"]:
        yield "it started from other weights or another state of the optimizer"
    theirs, ours = kept["parameters"], training["parameters"]
    for name in sorted({*theirs, *ours}):
        if theirs.get(name) != ours.get(name):
            yield f"it has {name}={theirs.get(name)!r}, not {ours.get(name)!r}"


@contextmanager
def _raising_model_file_error(path):
    """Turn what a state of the wrong form leads to into an error about its file."""
    try:
        yield
    except ERRORS_OF_MALFORMED_STATE as error:
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


def _as_json(value):
    """Return a value as JSON says it; of other objects, the name of their type."""

    def plain(value):
        if isinstance(value, (np.ndarray, np.generic)):
            return value.tolist()
        return type(value).__name__

    return json.loads(json.dumps(value, default=plain))


def _net_digest(net):
    """Return what identifies a trained net: weights, optimizer, number of epochs."""
    arrays = _arrays("module", plain_module(net).state_dict())
    return content_digest([len(net.history)], arrays | _moments(net.optimizer_))


def _check_random_state(state, rng):
    """Raise an error if this cannot be the state of a generator, which stays as it is.

    numpy takes places in arrays as they are given.
    """
    for part, name, last in ((state["state"], "pos", 624), (state, "buffer_pos", 4)):
        place = part.get(name, 0)
        if type(place) is not int or not 0 <= place <= last:
            raise ValueError(f"random_state has {name}={place!r}")
    copy.deepcopy(rng).set_state(state)


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
