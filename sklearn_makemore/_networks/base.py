"""BaseNeuralCharLM: what all networks share, from parameters to probabilities."""

import copy
import warnings
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from inspect import signature
from typing import Any, ClassVar

import numpy as np
import torch

from .._base import BaseCharLM
from .._training.batches import WeightedDataset
from .._training.device import (
    device_or_auto,
    one_thread,
    plain_module,
    resolve_device,
    seeded_torch,
)
from .._training.muon import Muon
from .._training.schedules import SCHEDULES
from .._words.training_set import TrainingSet, padded_sum
from ..modules.labelled_embedding import labelled_network
from .labelled import LabelledNetwork
from .parameters import NetworkParameters
from .restored import (
    MAX_RESTORED_BLOCK_SIZE,
    RestoredNet,
    check_weights,
    checked_history,
    checked_n_labels,
    checked_unknown_proba,
    checked_weight_decay,
    checked_word_lengths,
    recorded_values,
)

HIDDEN_LAYERS = "*hidden.*", "*layers.*", "*levels.*", "*blocks.*", "*mlp.*"
"""Names of the parameters between the embeddings and the logits."""

# Fused: one kernel updates all parameters, because the step takes much of the time.
# Small betas suit a training of a thousand steps. The usual (0.9, 0.999) give names an
# NLL that is 0.003 nats higher.
OPTIMIZERS = {
    "adamw": {
        "optimizer": torch.optim.AdamW,
        "optimizer__betas": (0.85, 0.99),
        "optimizer__fused": True,
    },
    "sgd": {"optimizer": torch.optim.SGD, "optimizer__fused": True},
}
OPTIMIZERS["muon"] = OPTIMIZERS["adamw"] | {
    "optimizer": Muon,
    "optimizer__param_groups": [(name, {"hidden": True}) for name in HIDDEN_LAYERS],
}

SCORED_CELLS = 1 << 24
"""Log-probabilities computed at a time when scoring: 128 MiB of float64."""


@dataclass(frozen=True, eq=False)
class NextSymbolModule:
    """Base class of the `NextSymbolModel` of a network.

    module : the fitted module without dropout.
    n_symbols : its number of symbols.
    unknown_proba : probability of the unknown symbol, None if the module predicts it.
    """

    module: Any
    n_symbols: int
    unknown_proba: float | None

    @property
    def device(self):
        """Device of the module."""
        return next(self.module.parameters()).device

    def normalized(self, logits):
        """Turn logits (n, V) into log-probabilities of all symbols, float64 (n, V)."""
        logits = logits.cpu().double()
        if self.unknown_proba is None:
            return logits.log_softmax(1).numpy()
        # The unknown symbol is the last. No training word has it, so its logit is
        # arbitrary.
        known = logits[:, :-1].log_softmax(1) + np.log1p(-self.unknown_proba)
        unknown = known.new_full((len(known), 1), np.log(self.unknown_proba))
        return torch.cat([known, unknown], 1).numpy()


class BaseNeuralCharLM(NetworkParameters, BaseCharLM):
    """Base class of the networks: their parameters, training, files and attributes.

    A subclass names its module, and the class that predicts with it. It implements
    `_block_size` and `_dataset`.
    """

    _network: ClassVar[type[torch.nn.Module]]
    """Class of the module. Its keyword arguments are `n_symbols`, `block_size` and
    parameters of the estimator. It has an `embedding` with one row per symbol."""

    _predictor: ClassVar[type[NextSymbolModule]]
    """Class of the `NextSymbolModel` of the fitted module."""

    @abstractmethod
    def _block_size(self, longest: int, is_warm_start: bool) -> int | None:
        """Return the number of symbols the network sees, None without a limit.

        longest : predictions of the longest word, held-out words included.
        """

    def _module(self, n_symbols: int, block_size: Any) -> tuple[type, dict[str, Any]]:
        """Return the module's class and its keyword arguments."""
        sizes = {"n_symbols": n_symbols, "block_size": block_size}
        return self._network, {
            name: sizes[name] if name in sizes else getattr(self, name)
            for name in signature(self._network).parameters
        }

    def _module_of(
        self, n_symbols: int, block_size: Any, n_labels: int
    ) -> tuple[Callable[..., torch.nn.Module], dict[str, Any]]:
        """Return what makes the module of words with labels, and its arguments.

        n_labels : 0 for words without labels
        """
        network, params = self._module(n_symbols, block_size)
        if not n_labels:
            return network, params
        return labelled_network, {"network": network, "n_labels": n_labels, **params}

    @abstractmethod
    def _dataset(
        self, data: TrainingSet, block_size: Any, device: str
    ) -> WeightedDataset:
        """Return words as a data set for training or validation.

        Its ``batches(batch_size, training)`` are pairs of the module's keyword
        arguments and the expected counts. The mean loss over the batches of an epoch
        is the mean negative log-likelihood per character.
        """

    def _training_dataset(
        self, data: TrainingSet, block_size: Any, device: str
    ) -> WeightedDataset:
        """Return the training words as the data set the net learns from."""
        return self._dataset(data, block_size, device)

    def _max_subtasks(self):
        return self.max_epochs

    def _is_warm_start(self):
        return self.warm_start and self.__sklearn_is_fitted__()

    def _fit_encoded(self, data, callback_context):
        from .._training.fit import fit_network  # imports skorch

        return fit_network(self, data, callback_context)

    def _partial_fit_encoded(self, data):
        from .._training.fit import partial_fit_network

        return partial_fit_network(self, data)

    def _fit_labels(self, data, callback_context):
        return LabelledNetwork.fitted(self, data, callback_context)

    def _labels_from_file(self, kept, n_labels):
        return LabelledNetwork.from_saved(self, kept, n_labels)

    def _fitted(self, net, vocabulary, of_words):
        """Return the fitted attributes, of which `of_words` are the first."""
        if of_words["unknown_proba_"] is not None:
            _average_unknown(plain_module(net), vocabulary)
        return {
            **of_words,
            "net_": net,
            "history_": _history(net),
            "n_iter_": len(net.history),
        }

    def _of_words(self, parts: list[TrainingSet], is_warm_start: bool):
        """Return the fitted attributes that follow from the words alone.

        parts : the training words and, if there are any, the words held out
        """
        lengths = reduce(padded_sum, [part.word_lengths for part in parts])
        if is_warm_start:
            before = self.word_lengths_
            lengths = None if before is None else padded_sum(before, lengths)
        return {
            "unknown_proba_": self._resolved_unknown_proba(parts[0], is_warm_start),
            "word_lengths_": lengths,
        }

    def _state_to_save(self):
        n_symbols, net = self.vocabulary_.n_symbols, self.net_
        block_size = getattr(self, "block_size_", None)
        fitted_params = net.get_params_for("module")
        n_labels = fitted_params.get("n_labels", 0)
        expected = self._module_of(n_symbols, block_size, n_labels)
        if expected != (net.module, fitted_params):
            raise ValueError(
                f"The fitted {net.module.__name__} has {fitted_params}. "
                f"Parameters of this {type(self).__name__} have changed since then, "
                "and the file would hold the changed ones: set them back, or refit."
            )
        return {
            **({"n_labels": n_labels} if n_labels else {}),
            "block_size": block_size,
            "unknown_proba": self.unknown_proba_,
            "word_lengths": self.word_lengths_,
            "weight_decay": self.weight_decay_,
            "history": [recorded_values(row) for row in net.history],
            "weights": {
                name: tensor.detach().cpu().numpy()
                for name, tensor in plain_module(net).state_dict().items()
            },
        }

    def _state_from_file(self, kept, vocabulary):
        weights, block_size = kept["weights"], kept["block_size"]
        n_labels = checked_n_labels(kept.get("n_labels", 0))
        module, params = self._module_of(vocabulary.n_symbols, block_size, n_labels)
        check_weights(module, params, weights)
        lengths = kept.get("word_lengths"), kept["longest_word"]
        of_words = {
            "unknown_proba_": checked_unknown_proba(kept["unknown_proba"], vocabulary),
            "word_lengths_": checked_word_lengths(*lengths),
            "weight_decay_": checked_weight_decay(
                kept.get("weight_decay", self.weight_decay)
            ),
        }
        history = checked_history(kept["history"])
        device = resolve_device(self.device)
        with one_thread, seeded_torch(0, device):
            decay = of_words["weight_decay_"]
            sizes = vocabulary.n_symbols, block_size, device, decay, n_labels
            net = RestoredNet(self._net_arguments(*sizes), history)
        fitted = self._fitted(net, vocabulary, of_words)
        if fitted.get("block_size_") != block_size:
            raise ValueError(f"block_size is {block_size!r}.")
        if block_size is not None and block_size > MAX_RESTORED_BLOCK_SIZE:
            raise ValueError(f"{module.__name__} sees {block_size} symbols.")
        plain_module(net).load_state_dict(
            {name: torch.from_numpy(array) for name, array in weights.items()}
        )
        net.module_.eval()
        return fitted

    def _new_net(self, n_symbols, block_size, device, weight_decay, n_labels=0):
        from .._training.net import new_net

        return new_net(
            **self._net_arguments(
                n_symbols, block_size, device, weight_decay, n_labels
            ),
            callbacks=self.callbacks,
        )

    def _net_arguments(self, n_symbols, block_size, device, weight_decay, n_labels):
        """Return the arguments of `new_net` other than the callbacks."""
        module, module_params = self._module_of(n_symbols, block_size, n_labels)
        return {
            "module": module,
            "module_params": module_params,
            **self._optimizer_params(n_symbols, weight_decay),
            "lr": self.lr,
            "schedule": SCHEDULES[self.lr_schedule],
            "batch_size": self.batch_size,
            "device": device,
            "compile": self.compile,
            "verbose": int(self.verbose),
        }

    def _optimizer_params(self, n_symbols, weight_decay):
        """Return the optimizer and its settings, as parameters of the net."""
        return {
            **OPTIMIZERS[self.optimizer],
            "optimizer__weight_decay": weight_decay,
        }

    def _resolved_unknown_proba(self, data, is_warm_start):
        """Return `unknown_proba_`: None if the net learns it, or has no such symbol."""
        vocabulary, weights = data.vocabulary, None
        if not vocabulary.unknown:
            return None
        # The Good-Turing estimate needs numbers of words, so other weights are ignored.
        if data.sample_weight is not None and not np.any(data.sample_weight % 1):
            weights = np.repeat(data.sample_weight, data.encoded.lengths)
        symbol_counts = np.bincount(
            data.encoded.targets, weights, minlength=vocabulary.n_symbols
        )
        if symbol_counts[vocabulary.unknown_id]:
            return None
        return self.unknown_proba_ if is_warm_start else good_turing(symbol_counts)

    def _next_symbol_model(self) -> Any:
        module = plain_module(vars(self)["net_"])
        # Checking is cheaper than calling eval().
        if any(part.training for part in module.modules()):
            module.eval()
        return self._predictor(module, self.vocabulary_.n_symbols, self.unknown_proba_)

    def _knows_empty_word(self):
        return self.word_lengths_ is not None and bool(self.word_lengths_[0])

    def __sklearn_clone__(self):
        """Return a clone with the same callbacks: not all can be copied, and fit does.

        scikit-learn clones parameters deeply.
        """
        others = object.__new__(type(self))
        vars(others).update(vars(self), callbacks=None)
        cloned: Any = super(BaseNeuralCharLM, others).__sklearn_clone__()
        cloned.callbacks = copy.copy(self.callbacks)
        return cloned

    def __getstate__(self):
        """Return the state with the net, which can be restored on another device."""
        getattr(self, "net_", None)  # makes the net of a model from a file
        return super().__getstate__()

    def __setstate__(self, state):
        """Restore the state, with device "auto" if this machine lacks the device."""
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


def good_turing(symbol_counts):
    """Estimate the probability of a character that was never seen.

    The Good-Turing estimate is the share of characters that were seen once. Adding one
    to their number keeps it positive. Adding one per symbol to the total keeps it below
    one.

    symbol_counts : (n_symbols,) how often each symbol was predicted, boundary first.
    """
    n_once = np.sum((symbol_counts[1:] > 0) & (symbol_counts[1:] <= 1))
    return float((1 + n_once) / (symbol_counts.sum() + len(symbol_counts)))


def _average_unknown(module, vocabulary):
    """Set the embedding of the unknown symbol to the mean of the characters'."""
    with torch.no_grad():
        weight = module.embedding.weight  # (V, C)
        if vocabulary.characters:
            weight[vocabulary.unknown_id] = weight[1 : vocabulary.unknown_id].mean(0)


def _history(net):
    """Return the recorded epochs as dicts of plain numbers."""
    return [
        {
            name: value
            for name, value in row.items()
            if name != "batches" and not name.endswith("_best")
        }
        for row in net.history
    ]
