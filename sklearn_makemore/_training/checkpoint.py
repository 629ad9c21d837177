"""Training that goes on where it was killed: its whole state in a file.

What the file holds decides all that comes after an epoch: weights, optimizer, history,
early stopping, and the random numbers still to come. The rest (the words, the share
held out, the schedule) follows from the words, the parameters and the random state with
which the training began; the file tells which training it belongs to by these.
"""

import json
import os
import time
import warnings
from contextlib import contextmanager

import numpy as np
import torch

from .._safe_file import (
    ModelFileError,
    content_digest,
    read_safe_file,
    restored_random_state,
    write_safe_file,
)
from .._word_estimator import package_version
from .processes import CollectiveError
from .state import check_state, net_digest, restore_state, state_arrays

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

    is_written = True
    """Whether this process writes the file; of several that train one net, one does."""

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
            restored = restored_random_state(document["random_state"], like=rng)
            rng.set_state(restored.get_state(legacy=False))
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
        if not self.is_written or _signature(self.path) != self.signature:
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
        if not self.is_written:
            return
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


def training_identity(model, data, start, device):
    """Return which training it is, in what JSON can say: equal for equal trainings.

    Of a source of random numbers only the type counts, since the file has its state.

    start : CharNet that the training starts from, None for new weights
    """
    vocabulary, encoded = data.vocabulary, data.encoded
    symbols = [vocabulary.characters, str(vocabulary.unknown)]
    words = {"codes": encoded.codes, "offsets": encoded.offsets}
    if data.sample_weight is not None:
        words["sample_weight"] = data.sample_weight
    parameters = {
        name: value
        for name, value in model.get_params(deep=False).items()
        if name not in NOT_COMPARED
    }
    # Devices of one kind are equal, and processes have one each.
    parameters["device"] = device.split(":")[0]
    return {
        "class": type(model).__name__,
        "words": content_digest(symbols, words),
        "start": None if start is None else net_digest(start),
        "parameters": _as_json(parameters),
    }


def check_agreement(trainings):
    """Raise an error if processes that train one net are given different trainings.

    Parameters
    ----------
    trainings : list of dict
        What `training_identity` returned in each of them.

    Raises
    ------
    ValueError
        If they are not all equal.
    """
    for index, training in enumerate(trainings):
        for difference in _differences(training, trainings[0]):
            raise CollectiveError(
                "All processes must be given the same training, and compared with the "
                f"first, process {index} has another: {difference}."
            )


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
        if kept.get(name) != training.get(name):
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
