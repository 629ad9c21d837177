"""Checkpoint: the state of a training in a file, to resume it after a kill.

The file holds everything that determines later epochs: weights, optimizer, history,
early stopping and the states of the random generators. The rest (the held-out words,
the schedule) follows from the words, the parameters and the initial random state. The
file also identifies its training.
"""

import os
import time
import warnings
from contextlib import contextmanager
from typing import Any

import torch
from numpy.random import RandomState

from .._safe_file import (
    ModelFileError,
    read_safe_file,
    restored_random_state,
    write_safe_file,
)
from .._word_estimator import package_version
from .identity import as_json, differences
from .net import Callback, CharNet, ask_to_stop
from .state import check_state, restore_state, state_arrays

FORMAT_VERSION = 1

WRITING_SHARE = 0.02
"""Approximate largest share of the time spent on writing. The state is not written
after every short epoch."""


class Checkpoint(Callback):
    """The file of a training, read when the training begins, written after epochs.

    path : str or path-like; there may be no such file yet
    identity : which training it is, as `training_identity` returns it
    rng : source of the held-out words and the seed; set to the state with which the
        training of the file began
    """

    is_written = True
    """Whether this process writes the file; only the first of several does."""

    def __init__(self, path, identity: dict[str, Any], rng: RandomState):
        self.path = os.path.realpath(os.path.expanduser(path))
        self.identity = {"format": FORMAT_VERSION, **identity}
        self.rng, self.rng_state_before = rng, rng.get_state(legacy=False)
        self.n_epochs, self.arrays = 0, None
        self.written_at = self.cost = 0.0
        self.signature = _signature(self.path)
        if self.signature is not None:
            self._read()
        self.random_state = as_json(rng.get_state(legacy=False))

    def on_train_begin(self, net: CharNet, X=None, y=None, **kwargs) -> None:
        """Restore the state of the file, and check that the file can be written."""
        self.n_epochs_before = len(net.history)
        if self.arrays is not None:
            try:
                with _raising_model_file_error(self.path):
                    check_state(net, self.n_epochs, self.arrays)
                    restore_state(net, self.arrays)
            except ModelFileError:
                self.rng.set_state(self.rng_state_before)
                raise
            self.arrays = None
        self._write(net)

    def on_epoch_end(
        self, net: CharNet, dataset_train=None, dataset_valid=None, **kwargs
    ) -> None:
        """Write the state, unless the last writing is too recent for its cost.

        That a callback asked to stop is not part of the state. After a kill the epoch
        is trained again, and the callback asks again.
        """
        is_due = time.perf_counter() - self.written_at >= self.cost / WRITING_SHARE
        if is_due and not ask_to_stop(net.callbacks_):
            self._write(net)

    def remove(self) -> None:
        """Remove the file at the end of the training."""
        if not self.is_written or _signature(self.path) != self.signature:
            return
        try:
            os.remove(self.path)
        except OSError as error:
            warnings.warn(
                f"The checkpoint could not be removed ({error}), and the next fit "
                "would resume this training; delete it.",
                UserWarning,
                stacklevel=2,
            )

    def _read(self):
        """Read the identity of the training, its random state and its arrays."""
        document, self.arrays = read_safe_file(self.path)
        _check_same_training(self.path, document, self.identity)
        with _raising_model_file_error(self.path):
            self.n_epochs = document["n_epochs"]
            max_epochs = self.identity["parameters"]["max_epochs"]
            if type(self.n_epochs) is not int or not 0 <= self.n_epochs <= max_epochs:
                raise ValueError(f"n_epochs is {self.n_epochs!r}")
            restored = restored_random_state(document["random_state"], like=self.rng)
            self.rng.set_state(restored.get_state(legacy=False))

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
            "training": self.identity,
            "versions": _versions(),
            "random_state": self.random_state,
            "n_epochs": len(net.history) - self.n_epochs_before,
        }
        write_safe_file(self.path, document, state_arrays(net, self.n_epochs_before))
        self.signature = _signature(self.path)
        self.written_at = time.perf_counter()
        self.cost = self.written_at - start


def _check_same_training(path, document, identity):
    """Raise an error if a checkpoint is of another training, and say which."""
    kept = document.get("training")
    if not isinstance(kept, dict) or not isinstance(kept.get("parameters"), dict):
        raise ModelFileError(
            f"{path!r} is not a checkpoint. Give `checkpoint` another path."
        )
    found = list(differences(kept, identity))
    if found:
        raise ValueError(
            f"The checkpoint {path!r} is of another training: {'; '.join(found)}. "
            "Repeat that training to resume it, delete the file, or give "
            "`checkpoint` another path."
        )
    if document.get("versions") != _versions():
        warnings.warn(
            f"The checkpoint {path!r} was written with {document.get('versions')}, "
            f"and the training continues with {_versions()}: the weights may differ "
            "from those of an uninterrupted run.",
            UserWarning,
            stacklevel=2,
        )


@contextmanager
def _raising_model_file_error(path):
    """Turn the errors of malformed state into one about its file."""
    try:
        yield
    except Exception as error:
        raise ModelFileError(
            f"{path!r} holds no state of this training ({error!r}). Delete it to train "
            "anew."
        ) from error


def _signature(path):
    """Return metadata that changes with every write, None if there is no file."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _versions():
    return {"sklearn_makemore": package_version(), "torch": str(torch.__version__)}
