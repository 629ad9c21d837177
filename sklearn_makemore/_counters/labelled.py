"""Counters given a label: n-grams of each label that back off to those of all words."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from .._words.prefixes import distinct_words
from .._words.training_set import TrainingSet
from .label_backoff import Predictions, learn_backoff, predictions_by_length
from .label_smoothing import LabelBackoff, LabelledNGrams
from .ngrams import NGramCounts, max_order
from .saved import ngrams_from_file, ngrams_to_save
from .sums import balanced_sum
from .transitions import SharedExpectations, Transitions

N_FOLDS = 5
"""Number of folds that the words are cut into to learn the back-off."""

MIN_PREDICTIONS = 16_000
"""Folds are predicted until there are as many predictions. More change little."""


@dataclass(frozen=True, eq=False)
class LabelledCounter:
    """What a counter learns from labelled words: see `ModelOfLabels`.

    reader : the counter of all words
    ngram_counts : the n-grams of each label, of one order
    """

    reader: Any
    ngram_counts: list[NGramCounts]
    backoff: LabelBackoff

    @classmethod
    def fitted(cls, counter: Any, data: TrainingSet) -> LabelledCounter:
        """Learn from labelled words; `counter` is fitted on them."""
        counts = _count_by_label(counter, data)
        parts, n_symbols = list(_held_out(counter, data)), data.vocabulary.n_symbols
        backoff = learn_backoff(parts, counts[0].order, data.n_labels, n_symbols)
        return cls(counter, counts, backoff)

    @classmethod
    def from_words(
        cls, counter: Any, data: TrainingSet, backoff: LabelBackoff
    ) -> LabelledCounter:
        """Count labelled words under a known back-off; `counter` is fitted on them."""
        counts = _count_by_label(counter, data)
        return cls(counter, counts, backoff.extended(counts[0].order, data.n_labels))

    def added(self, data: TrainingSet) -> LabelledCounter:
        """Return the counts with those of more words; the back-off stays."""
        counter = copy.copy(self.reader)
        counter._learn(data, callback_context=None)
        new_ids = self.reader.vocabulary_.ids_in(data.vocabulary)
        counts, n_symbols = _count_by_label(counter, data), data.vocabulary.n_symbols
        order = max(self.ngram_counts[0].order, counts[0].order)
        counts = [part.lengthen(order) for part in counts]
        for label, known in enumerate(self.ngram_counts):
            known = known.remap(new_ids, n_symbols).lengthen(order)
            counts[label] = known.merge(counts[label])
        backoff = self.backoff.extended(order, data.n_labels)
        return LabelledCounter(counter, counts, backoff)

    def model(self, label: int) -> Any:
        """Return the fitted counter of a label."""
        smoothed = self._ngrams.smoothed(label, self.backoff)
        arguments = self.ngram_counts[label], self._ngrams.trie, smoothed
        model = copy.copy(self.reader)
        vars(model).update(self.reader._attributes_of_label(*arguments, self))
        model._proba_of_label = model._fitted_proba()
        return model

    def expectations(self, trie: Any, *arguments: np.ndarray) -> SharedExpectations:
        """Return the expectations of the model of a label; see `Continuation`."""
        return self._transitions.expectations(trie, *arguments)

    def n_bytes(self, model: Any) -> int:
        """Return the memory that only the model of one label takes."""
        return model._bytes_of_label()

    @cached_property
    def _ngrams(self) -> LabelledNGrams:
        return _labelled_ngrams(self.reader, self.ngram_counts)

    @cached_property
    def _transitions(self) -> Transitions:
        return Transitions(self._ngrams.trie)

    def __getstate__(self) -> dict[str, Any]:
        """Return the state without what is computed from the counts."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def to_save(self) -> dict[str, Any]:
        """Return what a file keeps."""
        return {
            "estimator": self.reader,
            "ngram_counts": [ngrams_to_save(part) for part in self.ngram_counts],
            "backoff": dict(vars(self.backoff)),
        }

    @classmethod
    def from_saved(
        cls, counter: Any, kept: dict[str, Any], n_labels: int
    ) -> LabelledCounter:
        """Return what `to_save` returned, once checked."""
        order, n_symbols = counter._fitted_order(), counter.vocabulary_.n_symbols
        counts = [
            ngrams_from_file(part, order, n_symbols) for part in kept["ngram_counts"]
        ]
        if len(counts) != n_labels:
            raise ValueError(f"there are n-grams of {len(counts)} labels.")
        if not counter._has_counts_of(_merged(counts)):
            raise ValueError("the n-grams of all labels are not those of all words.")
        backoff = LabelBackoff(**kept["backoff"])
        backoff.check(order, n_labels)
        return cls(counter, counts, backoff)


def _count_by_label(counter: Any, data: TrainingSet) -> list[NGramCounts]:
    """Return the n-grams of each label, which may be none."""
    order = min(counter._max_order(), max_order(data.encoded))
    parts = (
        data.take(np.flatnonzero(data.labels == label))
        for label in range(data.n_labels)
    )
    return [NGramCounts.from_data(part, order) for part in parts]


def _merged(counts: Sequence[NGramCounts]) -> NGramCounts:
    """Return the n-grams of all labels."""
    merged = balanced_sum(counts, NGramCounts.merge, len)
    assert merged is not None  # there is a label
    return merged


def _labelled_ngrams(counter: Any, counts: Sequence[NGramCounts]) -> LabelledNGrams:
    """Smooth the n-grams of all words, and prepare those of each label."""
    pooled = _merged(counts)
    trie, smoothed, _ = counter._smoothed(pooled, pooled.in_units())
    return LabelledNGrams(trie, smoothed, [part.in_units() for part in counts])


def _held_out(counter: Any, data: TrainingSet) -> Iterator[list[Predictions]]:
    """Yield the predictions of folds by the n-grams of the other folds.

    Each pair of a word and a label counts once. Equal words are in one fold.
    """
    data = replace(data.distinct(), sample_weight=None)
    distinct, words = distinct_words(data.encoded)
    order = np.random.RandomState(0).permutation(distinct.n_words)
    folds, n_predictions = order[words] % N_FOLDS, 0
    for fold in np.unique(folds).tolist():
        rows, others = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        if not len(others) or n_predictions >= MIN_PREDICTIONS:
            return
        learned = _labelled_ngrams(counter, _count_by_label(counter, data.take(others)))
        held_out = data.take(rows)
        n_predictions += held_out.encoded.n_predictions
        yield predictions_by_length(learned, held_out.encoded, held_out.labels)
