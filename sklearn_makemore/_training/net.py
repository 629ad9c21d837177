"""CharNet: skorch's training with a lean loop over data sets that make their batches.

The networks are tiny, so the machinery around a step decides the speed. Batches are
slices of tensors that are permuted once an epoch, losses stay on the device until the
epoch ends, and nobody is notified of a batch unless a callback listens.
"""

import copy
import math
from functools import partial

import torch
from sklearn.base import clone
from skorch import NeuralNet
from skorch.callbacks import (
    Callback,
    EarlyStopping,
    EpochTimer,
    LRScheduler,
    PrintLog,
)
from skorch.helper import predefined_split

from ..modules import LookupTable
from .device import seeded_torch
from .processes import SINGLE_PROCESS, CollectiveError

SNAPSHOT_OVERRIDES = {
    "callbacks_": [],
    "train_split": None,
    "processes_": SINGLE_PROCESS,
    "in_training_": None,
}
"""What a copy of a net in training has instead of the training's own."""

BATCH_HOOKS = ("on_batch_begin", "on_batch_end", "on_grad_computed")


class DivergedError(CollectiveError):
    """The loss is not finite any more, and no epoch will mend it."""


class _Stopped(Exception):
    """A callback has asked for the end of the training."""


class CharNet(NeuralNet):
    """skorch net that trains on data sets with batches of their own.

    Such a data set has a method ``batches(batch_size, training)``; for all other data
    skorch's own machinery is used, with the loss summed over a batch.

    Parameters
    ----------
    module : torch.nn.Module class
        Takes what the first of a pair of `batches` holds as keyword arguments, and
        returns logits with one row a row of the target.

    schedule : callable, default=None
        ``schedule(progress)`` is the factor of the learning rate at a progress from 0
        to 1; None leaves the rate alone.

    **kwargs : dict
        As `skorch.NeuralNet` takes them.
    """

    # What `train_net` sets for the time of a training.
    processes_ = SINGLE_PROCESS
    in_training_ = None

    def __init__(self, module, *, schedule=None, **kwargs):
        self.schedule = schedule
        defaults = {
            "criterion": torch.nn.CrossEntropyLoss,
            "criterion__reduction": "sum",
            "train_split": None,
            "verbose": 0,
        }
        super().__init__(module, **{**defaults, **kwargs})

    @property
    def _default_callbacks(self):
        # train_loss and valid_loss are recorded by run_single_epoch.
        return [("epoch_timer", EpochTimer()), ("print_log", PrintLog())]

    def get_iterator(self, dataset, training=False):
        """Return the data set's own batches, or else skorch's iterator."""
        if hasattr(dataset, "batches"):
            if not training:  # every process measures all
                return dataset.batches(self.batch_size, training)
            return dataset.batches(self.batch_size, training, self.processes_)
        return super().get_iterator(dataset, training=training)

    def notify(self, method_name, **cb_kwargs):
        """Call all callbacks, and stop after an epoch if one asked, in any process."""
        if method_name != "on_epoch_end":
            super().notify(method_name, **cb_kwargs)
            return
        try:
            super().notify(method_name, **cb_kwargs)
        except KeyboardInterrupt:
            if not _asked_to_stop(self.callbacks_):
                raise
        if any(self.processes_.all_gather(_asked_to_stop(self.callbacks_))):
            raise _Stopped

    def partial_fit(self, X, y=None, classes=None, **fit_params):
        """Train `max_epochs` more; a keyboard interrupt is an error, not an end.

        skorch takes every `KeyboardInterrupt` for the end of training. Callbacks
        raise one to stop, and only theirs ends the training here.
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
        """Run the epochs, with the schedule stretched over all their steps.

        Of the epochs some may be done: the schedule goes on after them.
        """
        epochs = self.max_epochs if epochs is None else epochs
        has_batches = hasattr(X, "batches")
        self.is_lean_ = has_batches and not any(
            _listens_to_batches(callback) for _, callback in self.callbacks_
        )
        self.step_, self.n_steps_ = 0, 0
        if has_batches:
            n_batches = len(self.get_iterator(X, training=True))
            self.step_, self.n_steps_ = epochs_done * n_batches, epochs * n_batches
        return super().fit_loop(X, y, epochs=epochs - epochs_done, **fit_params)

    def run_single_epoch(self, iterator, training, prefix, step_fn, **fit_params):
        """Run one epoch and record its mean loss per character."""
        if iterator is None:
            return
        if self.is_lean_:
            self._set_training(training)
            if training:
                self.processes_.begin_epoch(len(self.history) - 1)
            losses = [step_fn(batch, **fit_params)["loss"] for batch in iterator]
            loss = torch.stack(losses).mean()
            # Of training each process has its share, of validation all.
            over_processes = (
                self.processes_.all_reduce if training else self.processes_.broadcast
            )
            loss = over_processes(loss).item()
            # Callbacks such as Checkpoint look for a batch.
            self.history.new_batch()
            self.history.record_batch(f"{prefix}_loss", loss)
        else:
            super().run_single_epoch(iterator, training, prefix, step_fn, **fit_params)
            loss = self._mean_loss(prefix)
        self._record_loss(prefix, loss)
        if training:
            self._check_finite(loss)

    def check_last_step(self, dataset):
        """Raise an error if the last step broke the network: no loss has shown it.

        Parameters
        ----------
        dataset : Dataset
            Words, of which one batch is looked at.

        Raises
        ------
        ValueError
            If its loss is not finite.
        """
        self._set_training(False)
        inputs, counts = next(iter(dataset.batches(None, training=False)))
        with torch.no_grad():
            loss = self.criterion_(self.module_(**inputs), counts).item()
        self._check_finite(loss)

    def _check_finite(self, loss):
        if not math.isfinite(loss):
            raise DivergedError(
                f"Training diverged: the loss is {loss} after epoch "
                f"{len(self.history)}. Use a smaller lr than {self.lr}, or a smaller "
                "weight_decay."
            )

    def _mean_loss(self, prefix):
        """Mean of the losses that were recorded batch by batch."""
        batches = self.history[-1]["batches"]
        losses = [row[f"{prefix}_loss"] for row in batches if f"{prefix}_loss" in row]
        return sum(losses) / len(losses)

    def _record_loss(self, prefix, loss):
        """Record the loss of an epoch, and whether it is the least so far."""
        name = f"{prefix}_loss"
        before = [row[name] for row in self.history[:-1] if name in row]
        self.history.record(name, loss)
        self.history.record(f"{name}_best", loss < min(before, default=math.inf))

    def train_step(self, batch, **fit_params):
        """Take one optimiser step."""
        self._set_learning_rate()
        if not self.is_lean_:
            return super().train_step(batch, **fit_params)
        inputs, counts = batch
        module, optimizer = self.in_training_ or (self.module_, self.optimizer_)
        loss = self.criterion_(module(**inputs, **fit_params), counts)
        # Dropping gradients one by one is several times faster than zero_grad.
        for group in self.optimizer_.param_groups:
            for parameter in group["params"]:
                parameter.grad = None
        self.processes_.backward(loss)
        optimizer.step()
        return {"loss": loss.detach()}

    def validation_step(self, batch, **fit_params):
        """Compute the loss of a batch without training."""
        if not self.is_lean_:
            return super().validation_step(batch, **fit_params)
        inputs, counts = batch
        with torch.no_grad():
            logits = self.module_(**inputs, **fit_params)
            return {"loss": self.criterion_(logits, counts)}

    def infer(self, x, **fit_params):
        """Compute the logits; a tree of prefixes is taken as it is."""
        if isinstance(x, dict) and "tree" in x:
            return self.module_(**x, **fit_params)
        return super().infer(x, **fit_params)

    def _set_learning_rate(self):
        if self.schedule is None or not self.n_steps_:
            return
        lr = self.lr * self.schedule(self.step_ / self.n_steps_)
        self.step_ += 1
        for group in self.optimizer_.param_groups:
            group["lr"] = lr


def new_net(module, module_params, *, callbacks=None, **params):
    """Return an initialised net.

    Parameters
    ----------
    module : torch.nn.Module class
        The module.

    module_params : dict
        Its keyword arguments.

    callbacks : list of skorch callbacks or (name, callback), default=None
        The user's callbacks; copies of them are used.

    **params : dict
        Parameters of `CharNet`.

    Returns
    -------
    net : CharNet
        The net, its module initialised.
    """
    callbacks = clone(list(callbacks or []), safe=False)
    module_params = {f"module__{name}": value for name, value in module_params.items()}
    return CharNet(module, callbacks=callbacks, **module_params, **params).initialize()


def sets_learning_rate(callbacks):
    """Whether one of the callbacks a user gives is a schedule of the learning rate.

    Raises
    ------
    TypeError
        If one of them is no skorch callback.
    """
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


def plain_module(net):
    """Return the module itself where torch.compile has wrapped it."""
    return getattr(net.module_, "_orig_mod", net.module_)


def train_net(
    net,
    train,
    valid,
    epochs,
    early_stopping=None,
    epoch_tasks=None,
    checkpoint=None,
    processes=SINGLE_PROCESS,
    seed=0,
):
    """Train an initialised net in place for some epochs.

    Parameters
    ----------
    net : CharNet
        The net.

    train, valid : Dataset
        What to learn from and to validate on, with a method `batches` as
        `ContextDataset` has it; `valid` may be None.

    epochs : int
        Number of epochs, fewer if a callback stops it.

    early_stopping : dict, default=None
        Parameters of skorch's `EarlyStopping`; None trains all epochs.

    epoch_tasks : EpochTasks, default=None
        Told of every epoch.

    checkpoint : Checkpoint, default=None
        Keeps the state of the training, or had one to go on from.

    processes : SingleProcess, default=SINGLE_PROCESS
        The processes that share the work.

    seed : int, default=0
        Determines dropout in all of them but the first.
    """
    if processes.count > 1 and any(
        _listens_to_batches(callback) for _, callback in net.callbacks_
    ):
        raise CollectiveError(
            "`callbacks` holds one that listens to batches or gradients, of which "
            "every process has a share only; leave it out, or set accelerate=False."
        )
    kept = net.callbacks_, net.train_split
    net.callbacks_ = _with_callbacks_of_training(
        net.callbacks_, epoch_tasks, early_stopping, checkpoint
    )
    net.train_split = None if valid is None else predefined_split(valid)
    net.max_epochs = epochs
    net.processes_ = processes
    try:
        with processes.training(net, seed) as net.in_training_:
            net.partial_fit(train, epochs_done=checkpoint.n_epochs if checkpoint else 0)
        net.check_last_step(train)
    except DivergedError:
        # The same training would diverge again, and another one has no use for it.
        if checkpoint is not None:
            checkpoint.remove()
        raise
    finally:
        for name in "processes_", "in_training_":
            vars(net).pop(name, None)
        # Neither the data, nor the estimator behind the tasks, nor the losses of all
        # batches stay on the net.
        net.callbacks_, net.train_split = kept
        for row in net.history:
            row["batches"] = []


def _with_callbacks_of_training(callbacks, epoch_tasks, early_stopping, checkpoint):
    """Return a net's callbacks with those of a training, in the order of calls."""
    ordered = list(callbacks)
    # The tasks come first: one is closed before another callback ends the training.
    if epoch_tasks is not None:
        ordered.insert(0, ("epoch_tasks", epoch_tasks))
    if early_stopping is not None:
        stopping = EarlyStopping(
            "valid_loss", threshold_mode="abs", load_best=True, **early_stopping
        )
        ordered.append(("early_stopping", stopping))
    # This one comes last: early stopping has then begun anew, or counted the epoch.
    if checkpoint is not None:
        ordered.append(("checkpoint", KeepState(checkpoint)))
    return ordered


def snapshot(net):
    """Return a copy of a net in training, as it is now and without its callbacks."""
    in_training = {name: getattr(net, name) for name in SNAPSHOT_OVERRIDES}
    vars(net).update(SNAPSHOT_OVERRIDES)
    try:
        return copy.deepcopy(net)
    finally:
        vars(net).update(in_training)


class EpochTasks(Callback):
    """Report every epoch to scikit-learn's callbacks, and note if one asks to stop.

    Parameters
    ----------
    context : sklearn.callback.CallbackContext
        Context of the fit.

    task : dict
        What the hooks are told of a task: estimator, X, y.

    reconstruct : callable
        Returns the fitted attributes, given the net.
    """

    def __init__(self, context, task, reconstruct):
        self.context = context
        self.task = task
        self.reconstruct = reconstruct
        self.stopped = False

    def on_epoch_begin(self, net, **kwargs):
        """Open the task of this epoch."""
        self.epoch = self.context.subcontext(task_name="epoch")
        self.epoch.call_on_fit_task_begin(**self.task)

    def on_epoch_end(self, net, **kwargs):
        """Close the task."""
        self.stopped = self.epoch.call_on_fit_task_end(
            **self.task, reconstruction_attributes=partial(self.reconstruct, net)
        )


class KeepState(Callback):
    """Go on from the state that a checkpoint held, and write it after epochs.

    Parameters
    ----------
    checkpoint : Checkpoint
        Has methods `begin` and `after_epoch`, which take the net.
    """

    def __init__(self, checkpoint):
        self.checkpoint = checkpoint

    def on_train_begin(self, net, **kwargs):
        """Put the net where the checkpoint was."""
        self.checkpoint.begin(net)

    def on_epoch_end(self, net, **kwargs):
        """Write the state, unless a callback asked to stop.

        The request is not part of the state: after a kill the epoch is trained again,
        and the callback asks again.
        """
        if not _asked_to_stop(net.callbacks_):
            self.checkpoint.after_epoch(net)


def _asked_to_stop(callbacks):
    """Whether one of the callbacks, all of an epoch, wants training to end."""
    return any(
        callback.misses_ >= callback.patience
        if isinstance(callback, EarlyStopping)
        else isinstance(callback, EpochTasks) and callback.stopped
        for _, callback in callbacks
    )


def _listens_to_batches(callback):
    return any(
        getattr(type(callback), hook) is not getattr(Callback, hook)
        for hook in BATCH_HOOKS
    )


def lookup_net(log_proba):
    """Return an initialised net whose module is the table of log-probabilities.

    Parameters
    ----------
    log_proba : ndarray of shape (n_symbols, n_symbols)
        Log-probability of each symbol (column) after each symbol (row).

    Returns
    -------
    net : skorch.NeuralNet
        Net around a `LookupTable`; ``net.predict_proba(ids)`` gives the probabilities.
    """
    with seeded_torch(0, "cpu"):
        net = NeuralNet(
            LookupTable,
            module__n_symbols=len(log_proba),
            criterion=torch.nn.CrossEntropyLoss,
            train_split=None,
            verbose=0,
        ).initialize()
    with torch.no_grad():
        net.module_.embedding.weight.copy_(torch.as_tensor(log_proba))
    net.module_.eval()
    return net
