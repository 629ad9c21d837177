"""CharNet: skorch's training with a lean loop over batches that exist as tensors.

The networks are tiny, so the overhead of a step determines the speed. Losses stay on
the device until the epoch ends, and callbacks are called per batch only if one of them
listens to batches.
"""

import copy
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from skorch import NeuralNet
from skorch.callbacks import Callback, EarlyStopping, EpochTimer, LRScheduler, PrintLog
from skorch.helper import predefined_split

from ..modules import LookupTable
from .batches import Batches, WeightedDataset, expected_loss
from .device import seeded_torch
from .processes import SINGLE_PROCESS, CollectiveError, SingleProcess

# Only this file imports skorch.
__all__ = ["Callback", "EarlyStopping", "predefined_split"]

WHOLE_DATA = -1
"""What skorch calls the `batch_size` None of the estimators; its None is a row at a
time, without a dimension for rows."""

SNAPSHOT_OVERRIDES: dict[str, Any] = {
    "callbacks": None,
    "callbacks_": [],
    "train_split": None,
    "processes_": SINGLE_PROCESS,
    "has_batches_": False,
}
"""Attributes of a net in training that a copy of it does not share."""

TOLERATED_LOSS = 0.2
"""Nats per character by which a short training may end above what it started with."""


class DivergedError(CollectiveError):
    """The loss is no longer finite."""


class _Stopped(Exception):
    """A callback has asked for the end of the training."""


class EpochLog(PrintLog):
    """skorch's log of epochs; files lack its default sink, which skops distrusts."""

    def __getstate__(self):
        default = PrintLog().sink
        return {key: value for key, value in vars(self).items() if value is not default}

    def __setstate__(self, state):
        vars(self).update({"sink": PrintLog().sink, **state})


class CharNet(NeuralNet):
    """skorch net that trains on `Batches`; for other data it trains as skorch does.

    module : torch.nn.Module class; takes what a batch holds as keyword arguments, and
        returns logits with a row for each row of the expected counts
    schedule : factor of the learning rate at a progress from 0 to 1; None leaves the
        rate alone
    """

    train_split: Any
    module__n_symbols: int
    processes_: SingleProcess = SINGLE_PROCESS  # set for the time of a training
    has_batches_ = False
    """Whether the net is in training on `Batches`."""

    needs_optimizer_ = True
    """Whether `initialize` makes the optimizer, or its first use does."""

    def __init__(self, module, *, schedule=None, **kwargs):
        self.schedule = schedule
        defaults = {
            "criterion": torch.nn.CrossEntropyLoss,
            "train_split": None,
            "verbose": 0,
        }
        super().__init__(module, **{**defaults, **kwargs})

    def initialize_optimizer(self, *args, **kwargs):
        """Make the optimizer, unless its first use does."""
        if self.needs_optimizer_:
            return super().initialize_optimizer(*args, **kwargs)
        self._register_attribute("optimizer_", None)
        return self

    def __getattr__(self, name):
        """Make the optimizer at its first use."""
        if name != "optimizer_" or self.__dict__.get("needs_optimizer_", True):
            raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}.")
        self.needs_optimizer_ = True
        with self._current_init_context("optimizer"):
            self.initialize_optimizer()
        return self.optimizer_

    @property
    def _default_callbacks(self):
        # run_single_epoch records train_loss and valid_loss.
        return [("epoch_timer", EpochTimer()), ("print_log", EpochLog())]

    @property
    def _is_lean(self):
        return self.has_batches_ and self.is_lean_

    def get_iterator(self, dataset, training=False) -> Any:
        """Return batches as they are, and skorch's iterator over other data."""
        if isinstance(dataset, Batches):
            return dataset
        return super().get_iterator(dataset, training=training)

    def notify(self, method_name, **cb_kwargs):
        """Call all callbacks; stop after an epoch if one asked to, in any process."""
        if method_name != "on_epoch_end":
            super().notify(method_name, **cb_kwargs)
            return
        try:
            super().notify(method_name, **cb_kwargs)
        except KeyboardInterrupt:
            if not ask_to_stop(self.callbacks_):
                raise
        if any(self.processes_.all_gather(ask_to_stop(self.callbacks_))):
            raise _Stopped

    def partial_fit(self, X, y=None, classes=None, **fit_params):
        """Train `max_epochs` more.

        skorch treats every KeyboardInterrupt as the end of training. Here, only one
        that a callback raises to stop the training is; others are errors.
        """
        if not self.initialized_:
            self.initialize()
        self.notify("on_train_begin", X=X, y=y)
        try:
            self.fit_loop(X, y, **fit_params)
        except _Stopped:
            pass
        self.notify("on_train_end", X=X, y=y)
        self.module_.eval()
        return self

    def fit_loop(self, X, y=None, epochs=None, epochs_done=0, **fit_params):
        """Run the epochs not yet done, with the schedule stretched over all steps."""
        epochs = self.max_epochs if epochs is None else epochs
        self.has_batches_ = isinstance(X, Batches)
        self.is_lean_ = self.has_batches_ and not listen_to_batches(self.callbacks_)
        self.step_, self.n_steps_ = 0, 0
        if self.has_batches_:
            self.step_, self.n_steps_ = epochs_done * len(X), epochs * len(X)
        try:
            return super().fit_loop(X, y, epochs=epochs - epochs_done, **fit_params)
        finally:
            self.has_batches_ = False
            self.end_schedule()

    def run_single_epoch(self, iterator, training, prefix, step_fn, **fit_params):
        """Run one epoch and record its mean loss per character."""
        if iterator is None:
            return
        if self._is_lean:
            loss = self._lean_epoch(iterator, training, step_fn, **fit_params)
            # Callbacks such as skorch's Checkpoint read the last batch.
            self.history.new_batch()
            self.history.record_batch(f"{prefix}_loss", loss)
            self.history.record_batch(f"{prefix}_batch_size", len(iterator.dataset))
        else:
            super().run_single_epoch(iterator, training, prefix, step_fn, **fit_params)
            loss = self._mean_loss(prefix)
        self._record_loss(prefix, loss)
        if training:
            self._check_finite(loss)

    def _lean_epoch(self, iterator, training, step_fn, **fit_params):
        """Run the steps of one epoch; return its mean loss."""
        self._set_training(training)
        if training:
            self.processes_.begin_epoch(len(self.history) - 1)
        losses = [step_fn(batch, **fit_params)["loss"] for batch in iterator]
        loss = torch.stack(losses).mean()
        # Each process trains on its share, and validates on all words.
        processes = self.processes_
        loss = processes.all_reduce(loss) if training else processes.broadcast(loss)
        return loss.item()

    def loss_of(self, dataset: WeightedDataset) -> float:
        """Return the NLL per character of a dataset's first batch, without dropout."""
        self._set_training(False)
        inputs, counts = next(iter(dataset.batches(None, training=False)))
        with torch.no_grad():
            loss = expected_loss(self.module_(**inputs), counts)
            return (loss / counts.sum()).item()

    def check_last_step(
        self, dataset: WeightedDataset, loss_before: float, is_warm_start: bool
    ) -> None:
        """Raise DivergedError, or warn, if training has made the network worse.

        loss_before : loss of the same dataset before training
        """
        loss = self.loss_of(dataset)
        self._check_finite(loss)
        limits = {"before training": loss_before}
        # A network that continues with other words may begin far above a uniform one.
        if not is_warm_start:
            limits["a uniform model"] = math.log(self.module__n_symbols)
        for name, limit in limits.items():
            if loss > limit + TOLERATED_LOSS:
                advice = f"Use a smaller lr than {self.lr}"
                if loss <= loss_before:
                    advice += ", or more epochs"
                warnings.warn(
                    f"Training failed: the loss is {loss:.4g} nats per character after "
                    f"epoch {len(self.history)}, worse than {name} ({limit:.4g}). "
                    f"{advice}.",
                    ConvergenceWarning,
                    stacklevel=9,  # the caller of `fit` or `partial_fit`
                )
                return

    def _check_finite(self, loss):
        if not math.isfinite(loss):
            raise DivergedError(
                f"Training diverged: the loss is {loss} after epoch "
                f"{len(self.history)}. Use a smaller lr than {self.lr}, or a smaller "
                "weight_decay."
            )

    def _mean_loss(self, prefix):
        """Return the mean of the losses that skorch's loop recorded batch by batch."""
        batches = list(self.history)[-1]["batches"]
        rows = [row for row in batches if f"{prefix}_loss" in row]
        losses = [row[f"{prefix}_loss"] for row in rows]
        if self.has_batches_:  # their mean is that of the predictions
            return float(np.mean(losses))
        sizes = [row[f"{prefix}_batch_size"] for row in rows]
        return float(np.average(losses, weights=sizes))

    def _record_loss(self, prefix, loss):
        """Record the loss of an epoch, and whether it is the smallest so far."""
        name = f"{prefix}_loss"
        before = [row[name] for row in list(self.history)[:-1] if name in row]
        self.history.record(name, loss)
        self.history.record(f"{name}_best", loss < min(before, default=math.inf))

    def train_step(self, batch, **fit_params):
        """Take one optimizer step."""
        self._set_learning_rate()
        if not self._is_lean:
            return super().train_step(batch, **fit_params)
        inputs, counts = batch
        loss = expected_loss(self.module_(**inputs, **fit_params), counts)
        groups = self.optimizer_.param_groups
        parameters = [parameter for group in groups for parameter in group["params"]]
        # Dropping gradients one by one is several times faster than zero_grad.
        for parameter in parameters:
            parameter.grad = None
        self.processes_.backward(loss, parameters)
        self.optimizer_.step()
        return {"loss": loss.detach()}

    def validation_step(self, batch, **fit_params):
        """Compute the loss of a batch without training."""
        if not self._is_lean:
            return super().validation_step(batch, **fit_params)
        inputs, counts = batch
        with torch.no_grad():
            return {"loss": expected_loss(self.module_(**inputs, **fit_params), counts)}

    def get_loss(self, y_pred, y_true, X=None, training=False) -> Any:
        """Return the loss of a batch, for other data its mean over the predictions.

        y_pred : logits (B, V) or (B, T, V)
        """
        if self.has_batches_:
            return expected_loss(y_pred, y_true)
        if y_pred.ndim == 3:  # torch expects the symbols second
            y_pred = y_pred.transpose(1, 2)
        return super().get_loss(y_pred, y_true, X, training)

    def infer(self, x, **fit_params):
        """Compute the logits; a tree of prefixes is passed on unchanged."""
        if isinstance(x, dict) and "tree" in x:
            return self.module_(**x, **fit_params)
        return super().infer(x, **fit_params)

    @property
    def epochs_done_(self) -> float:
        """Number of epochs of the training, with the steps of the present one."""
        return self.max_epochs * self.step_ / max(self.n_steps_, 1)

    def _set_learning_rate(self):
        step, self.step_ = self.step_, self.step_ + 1
        if self.schedule is not None and self.has_batches_:
            self._use_learning_rate(self.lr * self.schedule(step / self.n_steps_))

    def end_schedule(self):
        """Let the optimizer use `lr` again, as the parameters of the net show it."""
        if self.schedule is not None:
            self._use_learning_rate(self.lr)

    def _use_learning_rate(self, lr):
        for group in self.optimizer_.param_groups:
            group["lr"] = lr


def new_net(
    module,
    module_params: dict[str, Any],
    *,
    schedule: Callable[[float], float] | None,
    batch_size: int | None,
    callbacks=None,
    has_optimizer: bool = True,
    **params,
):
    """Return an initialized CharNet with shallow copies of the user's callbacks.

    They share what the user's refer to, such as a list, a writer or a trial.

    batch_size : None for all words in every step
    has_optimizer : whether the net has an optimizer from the start. Making one imports
        `torch._dynamo`, which takes longer than loading a net and sampling from it.
    """
    if sets_learning_rate(callbacks) and schedule is not None:
        raise ValueError(
            "`callbacks` holds an LRScheduler, and `lr_schedule` sets the learning "
            "rate as well; set lr_schedule='constant'."
        )
    params.update({f"module__{name}": value for name, value in module_params.items()})
    net = CharNet(
        module,
        schedule=schedule,
        batch_size=WHOLE_DATA if batch_size is None else batch_size,
        callbacks=[_shallow_copy(given) for given in callbacks or []],
        **params,
    )
    net.needs_optimizer_ = has_optimizer
    return net.initialize()


def _shallow_copy(given):
    """Copy a callback, or the callback of a pair of a name and a callback."""
    if isinstance(given, tuple):
        name, callback = given
        return name, copy.copy(callback)
    return copy.copy(given)


def sets_learning_rate(callbacks) -> bool:
    """Check the user's callbacks, and return whether one is an LRScheduler."""
    kinds = []
    for given in callbacks or []:
        is_named = isinstance(given, tuple) and len(given) == 2
        callback = given[1] if is_named else given
        kinds.append(callback if isinstance(callback, type) else type(callback))
        if not issubclass(kinds[-1], Callback):
            raise TypeError(
                "`callbacks` must hold skorch callbacks, or pairs of a name and a "
                f"skorch callback, got {given!r}; scikit-learn's own are given with "
                "`set_callbacks`."
            )
    return any(issubclass(kind, LRScheduler) for kind in kinds)


def ask_to_stop(callbacks) -> bool:
    """Return whether one of the (name, callback) pairs ends the training."""
    return any(
        callback.misses_ >= callback.patience
        if isinstance(callback, EarlyStopping)
        else getattr(callback, "asks_to_stop_", False)
        for _, callback in callbacks
    )


def listen_to_batches(callbacks) -> bool:
    """Return whether one of the (name, callback) pairs is called for each batch."""
    return any(
        getattr(type(callback), hook) is not getattr(Callback, hook)
        for _, callback in callbacks
        for hook in ("on_batch_begin", "on_batch_end", "on_grad_computed")
    )


def snapshot(net: CharNet) -> CharNet:
    """Return a copy of a net in training, in its present state, without callbacks."""
    in_training = {name: getattr(net, name) for name in SNAPSHOT_OVERRIDES}
    vars(net).update(SNAPSHOT_OVERRIDES)
    try:
        copied = copy.deepcopy(net)
    finally:
        vars(net).update(in_training)
    copied.end_schedule()
    return copied


def lookup_net(log_proba) -> NeuralNet:
    """Return an initialized net whose module is a table of log-probabilities.

    log_proba : (n_symbols, n_symbols), of each symbol (column) after each (row)
    """
    settings: dict[str, Any] = {
        "module__n_symbols": len(log_proba),
        "criterion": torch.nn.CrossEntropyLoss,
        "train_split": None,
        "verbose": 0,
    }
    with seeded_torch(0, "cpu"):
        net = NeuralNet(LookupTable, **settings).initialize()
    module: Any = net.module_
    with torch.no_grad():
        module.embedding.weight.copy_(torch.as_tensor(log_proba))
    module.eval()
    return net
