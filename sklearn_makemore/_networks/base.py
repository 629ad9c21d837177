"""BaseNeuralCharLM: what all networks share, from hyper-parameters to probabilities."""

import copy
import os
import warnings
from abc import abstractmethod
from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np
import torch

from .._base import BaseCharLM
from .._sklearn import Interval, StrOptions, has_callbacks
from .._training.checkpoint import Checkpoint, check_agreement, training_identity
from .._training.device import (
    device_or_auto,
    keep_freed_memory,
    one_thread,
    resolve_device,
    seeded_torch,
)
from .._training.net import (
    EpochTasks,
    new_net,
    plain_module,
    sets_learning_rate,
    snapshot,
    train_net,
)
from .._training.processes import SINGLE_PROCESS, CollectiveError, MultipleProcesses
from .._training.schedules import SCHEDULES
from .._word_estimator import own_random_state
from .._words.hold_out import hold_out
from .restored import (
    MAX_RESTORED_BLOCK_SIZE,
    check_weights,
    checked_history,
    checked_unknown_proba,
    recorded_values,
)

# Fused: one kernel for all parameters, since the step is a good part of the time. The
# short memory of the betas suits training of a thousand steps: on names the usual
# (0.9, 0.999) ends 0.003 nats higher.
OPTIMIZERS = {
    "adamw": {
        "optimizer": torch.optim.AdamW,
        "optimizer__betas": (0.85, 0.99),
        "optimizer__fused": True,
    },
    "sgd": {"optimizer": torch.optim.SGD, "optimizer__fused": True},
}

SCORED_CELLS = 1 << 24
"""Log-probabilities held at once when scoring: 128 MiB of float64."""


class BaseNeuralCharLM(BaseCharLM):
    """Template of the networks: hyper-parameters, training, and what is left of it.

    A concrete model provides

    _block_size(longest, is_warm_start)
        The number of symbols the network sees, None if there is no limit.
    _module(n_symbols, block_size)
        The module's class and its keyword arguments. The module has an `embedding`
        with a row a symbol.
    _dataset(data, block_size, device)
        The words as the data set the net learns from. Its ``batches(batch_size,
        training)`` are pairs of the module's keyword arguments and the criterion's
        target, such that the mean loss of the batches of an epoch is the mean negative
        log-likelihood per character.
    """

    _parameter_constraints: dict = {
        **BaseCharLM._parameter_constraints,
        "optimizer": [StrOptions(set(OPTIMIZERS))],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "lr_schedule": [StrOptions(set(SCHEDULES))],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left"), None],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither"), None],
        "early_stopping": ["boolean"],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "warm_start": ["boolean"],
        "checkpoint": [str, os.PathLike, None],
        "device": [str],
        "accelerate": ["boolean"],
        "compile": ["boolean"],
        "callbacks": [list, tuple, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    # What holds where a constructor leaves a parameter out. The models of this package
    # leave out none; one that is added elsewhere need not know them all.
    optimizer = "adamw"
    lr = 0.008
    lr_schedule = "one-cycle"
    max_epochs = 5
    batch_size = 1024
    weight_decay = 0.1
    validation_fraction = None
    early_stopping = False
    n_iter_no_change = 2
    tol = 1e-4
    warm_start = False
    checkpoint = None
    alphabet = None
    handle_unknown = "error"
    device = "auto"
    accelerate = False
    compile = False
    callbacks = None
    random_state = None
    verbose = 0

    @abstractmethod
    def _block_size(self, longest, is_warm_start):
        """Return the number of symbols the network sees, None without a limit.

        Parameters
        ----------
        longest : int
            Predictions of the longest word, those held out among them.

        is_warm_start : bool
            Whether to go on from the fitted net.
        """

    @abstractmethod
    def _module(self, n_symbols, block_size):
        """Return the module's class and its keyword arguments."""

    @abstractmethod
    def _dataset(self, data, block_size, device):
        """Return the words as the data set the net learns from."""

    def _max_subtasks(self):
        return self.max_epochs

    def _is_warm_start(self):
        return self.warm_start and self.__sklearn_is_fitted__()

    def _fit_encoded(self, data, callback_context):
        rng = own_random_state(self.random_state)
        is_warm_start = self._is_warm_start()
        processes = self._joined_processes(data, rng, is_warm_start)
        share = self.validation_fraction or (0.1 if self.early_stopping else None)
        with processes.together():
            checkpoint = self._opened_checkpoint(data, rng, processes)
            train, valid = (data, None) if share is None else _split(data, share, rng)
            learned = self._train(
                is_warm_start,
                train,
                valid,
                self.max_epochs,
                rng,
                processes,
                callback_context,
                checkpoint,
            )
        if checkpoint is not None:
            checkpoint.remove()
        return learned

    def _partial_fit_encoded(self, data):
        rng = own_random_state(self.random_state)
        is_warm_start = self.__sklearn_is_fitted__()
        processes = self._joined_processes(data, rng, is_warm_start)
        with processes.together():
            return self._train(is_warm_start, data, None, 1, rng, processes)

    def _joined_processes(self, data, rng, is_warm_start):
        """Return the processes of a training, which agree on it and on what is random.

        Parameters
        ----------
        data : TrainingSet
            The words.

        rng : RandomState
            Source of the split and the seed; it is put where the first process's is.

        is_warm_start : bool
            Whether to go on from the fitted net.
        """
        if not self.accelerate:
            return SINGLE_PROCESS
        if self.device not in ("auto", "cpu"):
            raise ValueError(
                f"device={self.device!r} cannot be one of several processes, each of "
                "which has its own; with accelerate=True use device='auto' or 'cpu'."
            )
        # Without a GPU of its own kind accelerate joins no processes unless it is told.
        processes = MultipleProcesses(cpu=resolve_device(self.device) != "cuda")
        training = self._training_identity(data, processes, is_warm_start)
        check_agreement(processes.all_gather(training))
        rng.set_state(processes.broadcast(rng.get_state()))
        return processes

    def _continued_net(self, n_symbols, block_size, device):
        """Return a new net with the weights, optimizer state and history so far."""
        net, before = self._new_net(n_symbols, block_size, device), self.net_
        asked, fitted = (one.get_params_for("module") for one in (net, before))
        if net.module is not before.module or asked != fitted:
            raise ValueError(
                f"The fitted {before.module.__name__} has {fitted}, and going on from "
                f"it cannot turn it into {asked}. Set the parameters back, or fit "
                "anew with warm_start=False."
            )
        plain_module(net).load_state_dict(plain_module(before).state_dict())
        net.history.extend(copy.deepcopy(list(before.history)))
        if net.optimizer is before.optimizer:
            settings = [
                {name: value for name, value in group.items() if name != "params"}
                for group in net.optimizer_.param_groups
            ]
            # It takes over the moments themselves, and steps change them in place.
            state = copy.deepcopy(before.optimizer_.state_dict())
            net.optimizer_.load_state_dict(state)
            for group, setting in zip(
                net.optimizer_.param_groups, settings, strict=True
            ):
                group.update(setting)
        return net

    def _opened_checkpoint(self, data, rng, processes):
        """Open the checkpoint of a training, None without one."""
        if self.checkpoint is None:
            return None
        if self.callbacks:
            raise ValueError(
                "`callbacks` have a state of their own, which `checkpoint` cannot "
                "keep; leave one of the two out. scikit-learn's callbacks, given with "
                "`set_callbacks`, work with it."
            )
        training = self._training_identity(data, processes, self._is_warm_start())
        checkpoint = Checkpoint.open(self.checkpoint, training, rng)
        checkpoint.is_written = processes.index == 0
        # All have read the file before the first process writes it.
        if len(set(processes.all_gather(checkpoint.n_epochs))) > 1:
            raise CollectiveError(
                f"The processes find different states at {self.checkpoint!r}: give "
                "`checkpoint` a path that all of them share."
            )
        return checkpoint

    def _training_identity(self, data, processes, is_warm_start):
        """Return which training it is, in what JSON can say."""
        device = processes.device or resolve_device(self.device)
        return training_identity(
            self,
            data.vocabulary,
            data.encoded,
            data.sample_weight,
            start=self.net_ if is_warm_start else None,
            # Each process has another of the devices of a kind.
            device=device if processes is SINGLE_PROCESS else device.split(":")[0],
        )

    def _train(
        self,
        is_warm_start,
        train,
        valid,
        epochs,
        rng,
        processes,
        context=None,
        checkpoint=None,
    ):
        """Train a net and return the fitted attributes.

        Parameters
        ----------
        is_warm_start : bool
            Whether to go on from a copy of the fitted net.

        train, valid : TrainingSet
            Words to learn from and to validate on; `valid` may be None.

        epochs : int
            Number of epochs.

        rng : RandomState
            Source of the seed.

        processes : SingleProcess
            The processes that share the work.

        context : sklearn.callback.CallbackContext, default=None
            Context of the fit, if callbacks are to be told of epochs.

        checkpoint : Checkpoint, default=None
            Keeps the state of the training, or had one to go on from.

        Returns
        -------
        fitted : dict
            The fitted attributes.
        """
        device = processes.device or resolve_device(self.device)
        vocabulary = train.vocabulary
        longest = max(part.max_predictions for part in (train, valid) if part)
        block_size = self._block_size(longest, is_warm_start)
        # Going on is not repeating: the epochs done are part of the seed.
        n_done = self.n_iter_ if is_warm_start else 0
        seed = np.random.RandomState([rng.randint(2**31), n_done]).randint(2**31)
        keep_freed_memory()
        with one_thread, seeded_torch(int(seed), device):
            datasets = [
                part and self._dataset(part, block_size, device)
                for part in (train, valid)
            ]
            make_net = self._continued_net if is_warm_start else self._new_net
            net = make_net(vocabulary.n_symbols, block_size, device)
            unknown_proba = self._resolved_unknown_proba(train, n_done)
            stopping = (
                {"patience": self.n_iter_no_change, "threshold": self.tol}
                if self.early_stopping and valid is not None
                else None
            )
            tasks = self._epoch_tasks(context, train, valid, unknown_proba)
            if processes.index:
                net.verbose = 0  # one process tells of the epochs
            train_net(
                net,
                *datasets,
                epochs,
                stopping,
                tasks,
                checkpoint,
                processes,
                int(seed),
            )
        return self._fitted(net, vocabulary, unknown_proba)

    def _fitted(self, net, vocabulary, unknown_proba):
        """Return the fitted attributes."""
        if unknown_proba is not None:
            _average_unknown(plain_module(net), vocabulary)
        return {
            "net_": net,
            "history_": _history(net),
            "n_iter_": len(net.history),
            "unknown_proba_": unknown_proba,
        }

    def _state_to_save(self):
        n_symbols, net = self.vocabulary_.n_symbols, self.net_
        block_size = getattr(self, "block_size_", None)
        if self._module(n_symbols, block_size) != (
            net.module,
            net.get_params_for("module"),
        ):
            raise ValueError(
                f"The fitted {net.module.__name__} has {net.get_params_for('module')}. "
                f"Parameters of this {type(self).__name__} have changed since, and a "
                "file would keep these: set them back, or fit anew."
            )
        return {
            "block_size": block_size,
            "unknown_proba": self.unknown_proba_,
            "history": [recorded_values(row) for row in net.history],
            "weights": {
                name: tensor.detach().cpu().numpy()
                for name, tensor in plain_module(net).state_dict().items()
            },
        }

    def _state_from_file(self, kept, vocabulary):
        weights, block_size = kept["weights"], kept["block_size"]
        module, params = self._module(vocabulary.n_symbols, block_size)
        check_weights(module, params, weights)
        unknown_proba = checked_unknown_proba(kept["unknown_proba"], vocabulary)
        history = checked_history(kept["history"])
        device = resolve_device(self.device)
        with one_thread, seeded_torch(0, device):
            net = self._new_net(vocabulary.n_symbols, block_size, device)
        net.history.extend({**row, "batches": []} for row in history)
        fitted = self._fitted(net, vocabulary, unknown_proba)
        if fitted.get("block_size_") != block_size:
            raise ValueError(f"block_size is {block_size!r}.")
        if block_size is not None and block_size > MAX_RESTORED_BLOCK_SIZE:
            raise ValueError(f"{module.__name__} sees {block_size} symbols.")
        plain_module(net).load_state_dict(
            {name: torch.from_numpy(array) for name, array in weights.items()}
        )
        net.module_.eval()
        return fitted

    def _new_net(self, n_symbols, block_size, device):
        module, module_params = self._module(n_symbols, block_size)
        schedule = SCHEDULES[self.lr_schedule]
        if sets_learning_rate(self.callbacks) and schedule is not None:
            raise ValueError(
                "`callbacks` holds an LRScheduler, and `lr_schedule` sets the learning "
                "rate as well; set lr_schedule='constant'."
            )
        return new_net(
            module,
            module_params,
            **self._optimizer_params(n_symbols),
            lr=self.lr,
            schedule=schedule,
            batch_size=self.batch_size,
            device=device,
            compile=self.compile,
            callbacks=self.callbacks,
            verbose=int(self.verbose),
        )

    def _optimizer_params(self, n_symbols):
        """Return the optimizer and its settings, as parameters of the net."""
        return {
            **OPTIMIZERS[self.optimizer],
            "optimizer__weight_decay": self.weight_decay,
        }

    def _resolved_unknown_proba(self, data, n_done):
        """Resolve `unknown_proba_`: None if words have taught the net, or none can."""
        vocabulary, weights = data.vocabulary, None
        if not vocabulary.unknown:
            return None
        # Only whole weights are numbers of words, of which some are one.
        if data.sample_weight is not None and not np.any(data.sample_weight % 1):
            weights = np.repeat(data.sample_weight, data.encoded.lengths)
        symbol_counts = np.bincount(
            data.encoded.targets, weights, minlength=vocabulary.n_symbols
        )
        if symbol_counts[vocabulary.unknown_id]:
            return None
        return self.unknown_proba_ if n_done else good_turing(symbol_counts)

    @abstractmethod
    def _next_symbol_model(self):
        """Return the fitted network's `NextSymbolModule`."""

    def _module_for_inference(self):
        """Return the fitted module without dropout."""
        module = plain_module(self.net_)
        # Checking is cheaper than calling eval().
        if any(part.training for part in module.modules()):
            module.eval()
        return module

    def __setstate__(self, state):
        """Restore the state; a fitted model must go on without the device it had."""
        super().__setstate__(state)
        device = self.device
        if self.__sklearn_is_fitted__() and device_or_auto(device) != device:
            self.device = "auto"
            warnings.warn(
                f"This {type(self).__name__} was on device={device!r}, which is not "
                "available on this machine; its device is 'auto' now.",
                UserWarning,
                stacklevel=2,
            )

    def _epoch_tasks(self, context, train, valid, unknown_proba):
        """Return what tells scikit-learn's callbacks of epochs, None without them."""
        if context is None or not has_callbacks(self):
            return None
        vocabulary = train.vocabulary
        task = self._callback_task(train.words)
        longest = max(part.max_predictions for part in (train, valid) if part) - 1
        if self._is_warm_start():
            longest = max(longest, self.longest_word_)
        shared = {"vocabulary_": vocabulary, "longest_word_": longest}

        def reconstruct(net):
            return {**self._fitted(snapshot(net), vocabulary, unknown_proba), **shared}

        return EpochTasks(context, task, reconstruct)


@dataclass(frozen=True, eq=False)
class NextSymbolModule:
    """Template of the `NextSymbolModel` of a network.

    module : the fitted module without dropout.
    n_symbols : its number of symbols.
    unknown_proba : probability of the unknown symbol, None if the module predicts it.
    """

    module: torch.nn.Module
    n_symbols: int
    unknown_proba: float | None

    @property
    def device(self):
        """Device of the module."""
        return self.module.embedding.weight.device

    def normalized(self, logits):
        """Turn logits (n, V) into log-probabilities of all symbols, float64 (n, V)."""
        logits = logits.cpu().double()
        if self.unknown_proba is None:
            return logits.log_softmax(1).numpy()
        # The unknown symbol is the last; no training word has taught the net its logit.
        known = logits[:, :-1].log_softmax(1) + np.log1p(-self.unknown_proba)
        unknown = known.new_full((len(known), 1), np.log(self.unknown_proba))
        return torch.cat([known, unknown], 1).numpy()


def _split(data, share, rng):
    """Return training words and words held out; an error if either would be empty."""
    train, valid = hold_out(data, share, rng)
    if valid is None:
        raise ValueError(
            f"validation_fraction={share} of 1 word (equal words count once) leaves "
            "none to learn from; fit on more words, or without early_stopping and "
            "validation_fraction."
        )
    return train, valid


def good_turing(symbol_counts):
    """Estimate the probability of a character that was never seen.

    The share of characters seen once estimates it (Good and Turing); one more of them
    keeps it positive, and one more of each symbol keeps it below one.

    Parameters
    ----------
    symbol_counts : ndarray of shape (n_symbols,)
        How often each symbol was predicted, the boundary first.

    Returns
    -------
    proba : float
        Between 0 and 1.
    """
    n_once = np.sum((symbol_counts[1:] > 0) & (symbol_counts[1:] <= 1))
    return float((1 + n_once) / (symbol_counts.sum() + len(symbol_counts)))


def _average_unknown(module, vocabulary):
    """Let an unknown character in a context look like the average one."""
    with torch.no_grad():
        weight = module.embedding.weight  # (V, C)
        if vocabulary.characters:
            weight[vocabulary.unknown_id] = weight[1 : vocabulary.unknown_id].mean(0)


def _history(net):
    """Return the epochs as a list of dicts of plain numbers."""
    return [
        {
            name: value
            for name, value in row.items()
            if name != "batches" and not name.endswith("_best")
        }
        for row in net.history
    ]
