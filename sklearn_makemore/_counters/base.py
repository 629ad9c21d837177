"""BaseCounter: counts are added, merged and saved exactly."""

from __future__ import annotations

import reprlib  # shortens long alphabets in messages
from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._base import BaseCharLM
from .._words.symbols import lists_symbols
from .._words.training_set import TrainingSet
from .._words.types import Weights
from .._words.vocabulary import CharVocabulary
from .labelled import LabelledCounter
from .ngrams import NGramCounts
from .smoothing import Smoothed
from .sums import balanced_sum
from .trie import HistoryTrie

MAX_SMOOTHING = np.float64(1e300)
"""Above this, sums over the symbols overflow. A NumPy scalar, so that comparing does
not downcast it to float32, where it is infinite."""

TOLERANCE = 1e-12
"""Relative and absolute difference that log-probabilities of equal counts may have:
processors round logarithms differently, and a pickle may come from another machine."""

Counts = Any
"""What a counter counts: an array for BigramCounter, NGramCounts for NGramCounter."""


@dataclass(frozen=True, eq=False)
class CountedWords:
    """The counts of some words, under the symbols of a vocabulary."""

    vocabulary: CharVocabulary
    counts: Counts
    longest_word: int


class BaseCounter(BaseCharLM):
    """Base class of the counters, whose counts can be added exactly.

    All abstract methods but `_fitted_counts` depend on parameters only, so an unfitted
    estimator can count words in another process.
    """

    @abstractmethod
    def _count(self, data: TrainingSet) -> Counts:
        """Return the counts of some words, all of positive weight."""

    @abstractmethod
    def _remap_counts(
        self, counts: Counts, new_ids: np.ndarray, n_symbols: int
    ) -> Counts:
        """Return the same counts under the ids of a larger vocabulary."""

    @abstractmethod
    def _add_counts(self, counts: Counts, others: Counts) -> Counts:
        """Return the sum of the counts of two lists of words, under the same ids."""

    @abstractmethod
    def _fitted_counts(self) -> Counts:
        """Return the counts so far; raise an error if the parameters do not match."""

    @abstractmethod
    def _fitted_attributes(self, learned: Counts) -> dict[str, Any]:
        """Return the fitted attributes that follow from the counts."""

    # What `LabelledCounter` needs.

    _proba_of_label: Any = None

    @abstractmethod
    def _max_order(self) -> int:
        """Return the largest length of the n-grams."""

    @abstractmethod
    def _fitted_order(self) -> int:
        """Return the length of the n-grams that were counted."""

    @abstractmethod
    def _has_counts_of(self, counts: NGramCounts) -> bool:
        """Whether these are the n-grams counted so far."""

    @abstractmethod
    def _smoothed(
        self, counts: NGramCounts, in_units: NGramCounts
    ) -> tuple[HistoryTrie, Smoothed, Any]:
        """Return the smoothed n-grams of words with any label, and discounts if any."""

    @abstractmethod
    def _attributes_of_label(
        self, counts: NGramCounts, trie: HistoryTrie, smoothed: Smoothed, learned: Any
    ) -> dict[str, Any]:
        """Return the fitted attributes of the model of a label.

        counts : the n-grams of its words
        smoothed : the n-grams of `trie` with its probabilities; they are overwritten
        learned : the `LabelledCounter`
        """

    @abstractmethod
    def _fitted_proba(self) -> Any:
        """Return the fitted attribute with the probabilities."""

    @abstractmethod
    def _bytes_of_label(self) -> int:
        """Return the memory of the arrays that only the model of one label has."""

    def _fit_labels(self, data: TrainingSet, callback_context: Any) -> LabelledCounter:
        self._learn(data, callback_context)
        return LabelledCounter.fitted(self, data)

    def _labels_from_file(self, kept: dict[str, Any], n_labels: int) -> LabelledCounter:
        return LabelledCounter.from_saved(self, kept, n_labels)

    def _check_of_all_words(self) -> None:
        """Raise an error for the model of one label, whose counts are not its own."""
        # A new fit replaces the probabilities, and then the counts are its own again.
        if self._proba_of_label is self._fitted_proba():
            raise ValueError(
                f"This {type(self).__name__} is the model of one label of a "
                "ConditionalCharLM. It depends on the words of all labels, so it "
                "cannot be saved, merged, pruned or continued alone. Save or continue "
                "the ConditionalCharLM."
            )

    def merge(self, other: Self) -> Self:
        """Add the counts of another fitted counter.

        The result has the counts of one `fit` on the words of both, including the
        characters that only one of the counters knows. It is exact in any order of
        merging if all sample weights are whole numbers. Sums of other weights are
        rounded.

        Parameters
        ----------
        other : object
            A fitted counter of the same class with the same `handle_unknown`, `order`
            and `alphabet`. It is not changed. Its smoothing is ignored: the
            probabilities are computed with the parameters of this counter.

        Returns
        -------
        self : object
            This counter with the counts of both.

        Raises
        ------
        TypeError
            If `other` is not of the same class.
        NotFittedError
            If one of the two is not fitted.
        ValueError
            If the two differ in a parameter that determines the counts, or if a
            parameter of this counter is invalid.

        Examples
        --------
        >>> from sklearn_makemore import NGramCounter
        >>> one = NGramCounter(order=3).fit(["emma", "ava"])
        >>> other = NGramCounter(order=3).fit(["noah"])
        >>> one.merge(other).symbols_
        ['', 'a', 'e', 'h', 'm', 'n', 'o', 'v']
        >>> both = NGramCounter(order=3).fit(["emma", "ava", "noah"])
        >>> print(f"{one.score(['nova']):.3f} {both.score(['nova']):.3f}")
        -1.283 -1.283
        """
        self._validate_params()
        self._check_mergeable(other)
        return self._fit_counted(self._add(self._fitted_words(), other._fitted_words()))

    def _check_mergeable(self, other: Self) -> None:
        """Raise an error if the counts of another counter cannot be added."""
        if type(other) is not type(self):
            raise TypeError(
                f"Only a {type(self).__name__} can be merged with this one, got "
                f"{reprlib.repr(other)}."
            )
        check_is_fitted(self)
        check_is_fitted(other)
        theirs = other._counting_parameters()
        for name, own in self._counting_parameters().items():
            if own != theirs[name]:
                raise ValueError(
                    f"Counts of {name}={reprlib.repr(own)} and of {name}="
                    f"{reprlib.repr(theirs[name])} cannot be merged; fit both counters "
                    f"with the same {name}."
                )

    def _counting_parameters(self) -> dict[str, Any]:
        """Return the parameters that two counters must share to be merged."""
        alphabet = self.alphabet
        if lists_symbols(alphabet):
            alphabet = self._kept_vocabulary().alphabet
        return {"handle_unknown": self.handle_unknown, "alphabet": alphabet}

    def _fitted_words(self) -> CountedWords:
        """Return the counts of all words so far."""
        return CountedWords(
            self._kept_vocabulary(), self._fitted_counts(), self.longest_word_
        )

    # Counting in parts: lists of words are counted in any process, their counts are
    # added, and the probabilities are computed once.

    def _count_words(
        self, words: list[str], sample_weight: Weights = None
    ) -> CountedWords | None:
        """Return the counts of a list of words, None if all weights are zero.

        The estimator does not change.
        """
        if sample_weight is not None and not np.any(sample_weight):
            return None
        data = TrainingSet.from_words(words, sample_weight, self._fit_vocabulary)
        data = data.with_weight()
        counts = self._count(data)
        return CountedWords(data.vocabulary, counts, data.max_predictions - 1)

    def _add(self, counted: CountedWords, others: CountedWords) -> CountedWords:
        """Return the counts of two lists of words together."""
        vocabulary = counted.vocabulary.union(others.vocabulary)
        both = (self._counts_under(vocabulary, one) for one in (counted, others))
        longest = max(counted.longest_word, others.longest_word)
        return CountedWords(vocabulary, self._add_counts(*both), longest)

    def _sum_counted(
        self, counted: Iterable[CountedWords | None]
    ) -> CountedWords | None:
        """Return the counts of many lists of words together, None if there are none.

        They are read one by one; a None stands for no words.
        """
        present = (part for part in counted if part is not None)
        return balanced_sum(present, self._add, lambda part: len(part.counts))

    def _fit_counted(self, counted: CountedWords) -> Self:
        """Fit to counted words, and forget what was learned before."""
        fitted = counted.vocabulary, counted.longest_word, counted.counts
        self._set_fitted(*fitted, is_warm_start=False)
        return self

    def _counts_under(
        self, vocabulary: CharVocabulary, counted: CountedWords
    ) -> Counts:
        """Return counts under the ids of a vocabulary that has all their characters."""
        if vocabulary == counted.vocabulary:
            return counted.counts
        new_ids = counted.vocabulary.ids_in(vocabulary)
        return self._remap_counts(counted.counts, new_ids, vocabulary.n_symbols)

    # Hooks of BaseCharLM.

    def _fit_encoded(self, data: TrainingSet, callback_context: Any) -> Counts:
        return self._count(data)

    def _partial_fit_encoded(self, data: TrainingSet) -> Counts:
        counts = self._count(data)
        if not self.__sklearn_is_fitted__():
            return counts
        known = self._counts_under(data.vocabulary, self._fitted_words())
        return self._add_counts(known, counts)

    def _check_unchanged(self, is_same: bool) -> None:
        """Raise an error if the probabilities are not those of the parameters."""
        if not is_same:
            raise ValueError(
                f"Parameters of this {type(self).__name__} have changed since it was "
                "fitted, and a file would hold the new ones. Set them back, or fit "
                "again."
            )
