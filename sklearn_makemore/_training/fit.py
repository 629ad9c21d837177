"""One training of a network, from encoded words to the fitted attributes.

The network is an estimator with the hooks that `BaseNeuralCharLM` describes.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from numpy.random import RandomState

from .._sklearn import callbacks_of, has_callbacks
from .._word_estimator import own_random_state
from .._words.hold_out import hold_out
from .._words.training_set import TrainingSet
from .batches import MIN_BATCH_SIZE, MIN_CONTINUED_BATCH_SIZE, WeightedDataset
from .checkpoint import Checkpoint
from .device import keep_freed_memory, one_thread, resolve_device, seeded_torch
from .growth import continued_net
from .identity import check_agreement, training_identity
from .net import (
    WHOLE_DATA,
    Callback,
    CharNet,
    DivergedError,
    EarlyStopping,
    listen_to_batches,
    predefined_split,
    snapshot,
)
from .processes import CollectiveError, SingleProcess, join_processes
from .schedules import WARM_START_RATE, scaled
from .weight_decay import resolved_weight_decay


@dataclass(frozen=True, eq=False)
class Training:
    """The settings of one training.

    epochs : number of epochs, fewer if a callback stops it
    is_warm_start : whether it starts from a copy of the fitted net
    rng : source of the words held out and of the seed
    context : of scikit-learn's callbacks, None without them
    rate : factor of the schedule's learning rates
    is_partial : whether the words are a chunk of what the network learns from
    """

    epochs: int
    is_warm_start: bool
    rng: RandomState
    processes: SingleProcess
    device: str
    context: Any = None
    checkpoint: Checkpoint | None = None
    rate: float = 1.0
    is_partial: bool = False

    @property
    def min_batch_size(self) -> int:
        """Predictions below which short lists do not reduce the size of batches."""
        return MIN_CONTINUED_BATCH_SIZE if self.is_warm_start else MIN_BATCH_SIZE

    @property
    def epochs_done(self) -> int:
        """Epochs that the checkpoint held."""
        return self.checkpoint.n_epochs if self.checkpoint else 0


def fit_network(model, data: TrainingSet, context) -> dict[str, Any]:
    """Train a network with its parameters; return the fitted attributes."""
    training = _begun(model, data, model._is_warm_start(), model.max_epochs, context)
    if training.is_warm_start and model.lr_schedule == "one-cycle":
        training = replace(training, rate=WARM_START_RATE)
    share = model.validation_fraction
    if share is None and model.early_stopping:
        share = 0.1
    with training.processes.together():
        checkpoint = _opened_checkpoint(model, data, training)
        training = replace(training, checkpoint=checkpoint)
        train, valid = _split(data, share, training.rng)
        fitted = _trained(model, train, valid, training)
    if checkpoint is not None:
        checkpoint.remove()
    return fitted


def partial_fit_network(model, data: TrainingSet) -> dict[str, Any]:
    """Train a network one epoch more; return the fitted attributes."""
    training = _begun(model, data, model.__sklearn_is_fitted__(), epochs=1)
    training = replace(training, is_partial=True)
    with training.processes.together():
        return _trained(model, data, None, training)


def _begun(model, data, is_warm_start, epochs, context=None):
    """Return the settings of a training on which all processes agree."""
    rng = own_random_state(model.random_state)
    processes = join_processes(model.accelerate, model.device)
    device = processes.device or resolve_device(model.device)
    training = Training(epochs, is_warm_start, rng, processes, device, context)
    if model.accelerate:
        check_agreement(processes.all_gather(_identity(model, data, training)))
        rng.set_state(processes.broadcast(rng.get_state()))
    return training


def _identity(model, data, training):
    start = model.net_ if training.is_warm_start else None
    return training_identity(model, data, start, training.device)


def _opened_checkpoint(model, data, training):
    """Open the checkpoint of a training; None without one."""
    if model.checkpoint is None:
        return None
    if model.callbacks:
        raise ValueError(
            "`callbacks` have their own state, which `checkpoint` cannot "
            "keep; leave one of the two out. scikit-learn's callbacks, given with "
            "`set_callbacks`, work with it."
        )
    processes = training.processes
    identity = _identity(model, data, training)
    checkpoint = Checkpoint(model.checkpoint, identity, training.rng)
    checkpoint.is_written = processes.index == 0
    # All have read the file before the first process writes it.
    if len(set(processes.all_gather(checkpoint.n_epochs))) > 1:
        raise CollectiveError(
            f"The processes find different states at {model.checkpoint!r}: give "
            "`checkpoint` a path that all of them share."
        )
    return checkpoint


def _split(data, share, rng):
    """Return training words and words held out, None if `share` is None."""
    if share is None:
        return data, None
    train, valid = hold_out(data, share, rng)
    if valid is None:
        raise ValueError(
            f"validation_fraction={share} of 1 word (equal words count once) leaves "
            "none to learn from; fit on more words, or without early_stopping and "
            "validation_fraction."
        )
    return train, valid


def _trained(model, train, valid, training):
    """Train a net on encoded words; return the fitted attributes."""
    parts = [train] if valid is None else [train, valid]
    n_symbols, device = train.vocabulary.n_symbols, training.device
    longest = max(part.max_predictions for part in parts)
    block_size = model._block_size(longest, training.is_warm_start)
    # A warm start must not replay the same batches: the epochs done change the seed.
    n_done = model.n_iter_ if training.is_warm_start else 0
    seed = RandomState([training.rng.randint(2**31), n_done]).randint(2**31)
    keep_freed_memory()
    with one_thread, seeded_torch(int(seed), device):
        # A chunk is only a part of the words: it has no targets from n-grams.
        of_train = model._dataset if training.is_partial else model._training_dataset
        datasets = [of_train(train, block_size, device)]
        datasets += [model._dataset(part, block_size, device) for part in parts[1:]]
        of_words = _of_words(model, parts, training)
        net = model._new_net(
            n_symbols, block_size, device, of_words["weight_decay_"], train.n_labels
        )
        if training.is_warm_start:
            new_ids = model.vocabulary_.ids_in(train.vocabulary)
            net = continued_net(net, model.net_, torch.from_numpy(new_ids))
        if net.schedule is not None and training.rate != 1:
            net.schedule = partial(scaled, schedule=net.schedule, factor=training.rate)
        # Tasks come first: a task is closed before another callback ends the training.
        # The checkpoint comes last: early stopping has then counted the epoch.
        tasks = _epoch_tasks(model, train, longest, of_words, training)
        callbacks = [
            ("epoch_tasks", tasks),
            *net.callbacks_,
            ("early_stopping", _early_stopping(model, valid)),
            ("checkpoint", training.checkpoint),
        ]
        callbacks = [pair for pair in callbacks if pair[1] is not None]
        train_net(net, datasets, callbacks, training, int(seed))
    return model._fitted(net, train.vocabulary, of_words)


def _of_words(model, parts, training):
    """Return the fitted attributes that follow from the words alone."""
    flags = training.is_warm_start, training.is_partial
    decay = resolved_weight_decay(model, parts[0], *flags)
    return {
        **model._of_words(parts, training.is_warm_start),
        "weight_decay_": decay,
    }


def _early_stopping(model, valid):
    """Return the callback that stops training early, None to train all epochs."""
    if not model.early_stopping or valid is None:
        return None
    return EarlyStopping(
        patience=model.n_iter_no_change,
        threshold=model.tol,
        threshold_mode="abs",
        load_best=True,
    )


class EpochTasks(Callback):
    """Report each epoch to scikit-learn's callbacks, and note if one asks to stop.

    A callback with a method `on_epoch_of_net` also receives the net.

    context : sklearn.callback.CallbackContext of the fit
    task : keyword arguments of the hooks: estimator, X, y
    reconstruct : returns the fitted attributes, given the net
    """

    def __init__(self, context, task, reconstruct):
        self.context, self.task, self.reconstruct = context, task, reconstruct
        self.asks_to_stop_ = False

    def on_epoch_begin(self, net, dataset_train=None, dataset_valid=None, **kwargs):
        for callback in callbacks_of(self.context):
            if hasattr(callback, "on_epoch_of_net"):
                callback.on_epoch_of_net(net)
        self.epoch = self.context.subcontext(task_name="epoch")
        self.epoch.call_on_fit_task_begin(**self.task)

    def on_epoch_end(self, net, dataset_train=None, dataset_valid=None, **kwargs):
        self.asks_to_stop_ = self.epoch.call_on_fit_task_end(
            **self.task, reconstruction_attributes=partial(self.reconstruct, net)
        )


def _epoch_tasks(model, train, longest, of_words, training):
    """Return the callback that reports epochs to scikit-learn's, None without them."""
    if training.context is None or not has_callbacks(training.context):
        return None
    vocabulary, longest = train.vocabulary, longest - 1
    if training.is_warm_start:
        longest = max(longest, model.longest_word_)
    shared = {"vocabulary_": vocabulary, "longest_word_": longest}

    def reconstruct(net):
        return {**model._fitted(snapshot(net), vocabulary, of_words), **shared}

    task = model._callback_task(train.words, train.sample_weight, train.labels)
    return EpochTasks(training.context, task, reconstruct)


def train_net(
    net: CharNet,
    datasets: list[WeightedDataset],
    callbacks: list,
    training: Training,
    seed: int,
) -> None:
    """Train an initialized net in place.

    datasets : what it learns from and, if there are two, what it is validated on
    seed : determines dropout in all processes but the first
    """
    processes = training.processes
    if processes.count > 1 and listen_to_batches(callbacks):
        raise CollectiveError(
            "`callbacks` has a callback for batches or gradients, and each process "
            "has only a share of these; omit it, or set accelerate=False."
        )
    train, *valid = datasets
    batches = train.batches(
        None if net.batch_size == WHOLE_DATA else net.batch_size,
        training=True,
        processes=processes,
        min_size=training.min_batch_size,
    )
    before = net.callbacks_, net.train_split
    net.callbacks_, net.train_split = callbacks, None
    if valid:
        net.train_split = predefined_split(valid[0].batches(None, training=False))
    net.max_epochs = training.epochs
    net.processes_ = processes
    if processes.index:
        net.verbose = 0  # the first process prints
    loss_before = net.loss_of(train)
    try:
        with processes.training(net, seed):
            net.partial_fit(batches, epochs_done=training.epochs_done)
        net.check_last_step(train, loss_before, training.is_warm_start)
    except DivergedError:
        # A resumed training would diverge again.
        if training.checkpoint is not None:
            training.checkpoint.remove()
        raise
    finally:
        vars(net).pop("processes_", None)
        # Remove the data, the estimator of the tasks and the losses of all batches.
        net.callbacks_, net.train_split = before
        for row in net.history:
            row["batches"] = []
