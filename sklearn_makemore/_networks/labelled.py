"""Networks given a label: one network, whose embedding depends on the label."""

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._base import BaseCharLM
from .._generation.lengths import lengths_of_label
from .._training.device import one_thread, plain_module, seeded_torch
from .._words.training_set import TrainingSet
from ..modules.labelled_embedding import state_of_label


@dataclass(frozen=True, eq=False)
class LabelledNetwork:
    """What a network learns from labelled words: see `ModelOfLabels`.

    reader : the estimator, whose `net_` reads ids of `LabelledEmbedding`
    word_lengths : (n_labels, longest + 1), weights of words by number of characters
    """

    reader: Any
    word_lengths: np.ndarray

    @classmethod
    def fitted(
        cls, reader: BaseCharLM, data: TrainingSet, callback_context: Any
    ) -> "LabelledNetwork":
        """Train an estimator on labelled words."""
        lengths = _lengths_by_label(data)

        def learned_so_far(attributes: dict[str, Any]) -> LabelledNetwork:
            reader_so_far = copy.copy(reader)
            vars(reader_so_far).update(attributes)
            return cls(reader_so_far, lengths)

        if callback_context is not None:
            callback_context = callback_context.of_model(learned_so_far)
        reader._learn(data, callback_context)
        return cls(reader, lengths)

    def added(self, data: TrainingSet) -> "LabelledNetwork":
        """Return the network one epoch later, on more words."""
        reader = copy.copy(self.reader)
        reader._learn(data, callback_context=None)
        known, new = self.word_lengths, _lengths_by_label(data)
        lengths = np.zeros(np.maximum(known.shape, new.shape))
        for part in (known, new):
            lengths[: part.shape[0], : part.shape[1]] += part
        return LabelledNetwork(reader, lengths)

    def model(self, label: int) -> Any:
        """Return the fitted estimator of a label, an ordinary network."""
        reader, net = self.reader, self.reader.net_
        vocabulary, decay = reader.vocabulary_, reader.weight_decay_
        block_size = getattr(reader, "block_size_", None)
        with one_thread, seeded_torch(0, net.device):
            # The callbacks belong to the training that is over: share their state.
            untrained = copy.copy(reader).set_params(callbacks=None)
            own = untrained._new_net(
                vocabulary.n_symbols, block_size, net.device, decay
            )
            vars(own).update(callbacks=net.callbacks, callbacks_=net.callbacks_)
        weights = plain_module(net).state_dict()
        plain_module(own).load_state_dict(state_of_label(weights, label))
        own.module_.eval()
        own.history.extend(net.history)
        of_words = {
            "unknown_proba_": reader.unknown_proba_,
            "word_lengths_": lengths_of_label(
                self.word_lengths[label], self.word_lengths.sum(axis=0)
            ),
            "weight_decay_": decay,
        }
        model = copy.copy(reader)
        vars(model).update(reader._fitted(own, vocabulary, of_words))
        return model

    def n_bytes(self, model: Any) -> int:
        """Return the memory that only the model of one label takes."""
        weights = plain_module(model.net_).state_dict().values()
        lengths = getattr(model, "length_term_", None)
        tables = 0 if lengths is None else lengths.n_bytes
        return tables + sum(tensor.nbytes for tensor in weights)

    def to_save(self) -> dict[str, Any]:
        """Return what a file keeps."""
        return {"estimator": self.reader, "word_lengths": self.word_lengths}

    @classmethod
    def from_saved(
        cls, reader: Any, kept: dict[str, Any], n_labels: int
    ) -> "LabelledNetwork":
        """Return what `to_save` returned, once checked."""
        lengths, shape = kept["word_lengths"], (n_labels, reader.longest_word_ + 1)
        if reader.net_.get_params_for("module").get("n_labels") != n_labels:
            raise ValueError(f"the network does not have {n_labels} labels.")
        if lengths.dtype != np.float64 or lengths.shape != shape:
            raise ValueError(f"word_lengths have shape {lengths.shape}.")
        if not (np.isfinite(lengths).all() and (lengths >= 0).all()):
            raise ValueError("word_lengths are negative or not finite.")
        if not lengths.any(axis=1).all():
            raise ValueError("a label has no words.")
        return cls(reader, lengths)


def _lengths_by_label(data: TrainingSet) -> np.ndarray:
    """Return the weights of each label's words by length, (n_labels, longest + 1)."""
    n_lengths = data.max_predictions
    keys = data.labels * n_lengths + data.encoded.lengths - 1
    lengths = np.bincount(keys, data.sample_weight, data.n_labels * n_lengths)
    return lengths.astype(np.float64).reshape(data.n_labels, n_lengths)
