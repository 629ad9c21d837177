"""BaseCounter: what all counters share: counts are added, merged and saved exactly."""

import reprlib  # an alphabet can be long, a message should not
from abc import abstractmethod
from dataclasses import dataclass
from functools import reduce

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._base import BaseCharLM
from .._words.training_set import TrainingSet
from .._words.vocabulary import CharVocabulary

MAX_SMOOTHING = np.float64(1e300)
"""Far above, the sum over the symbols overflows. Of numpy, since Python's own numbers
are turned into the type that they are compared with: float32 has none so large."""

EQUAL = {"rtol": 1e-12, "atol": 1e-12}
"""How far log-probabilities of the same counts differ: a logarithm is not rounded
equally on all processors, and a pickle may come from another."""


@dataclass(frozen=True, eq=False)
class CountedWords:
    """What is kept of some words that were counted.

    Parameters
    ----------
    vocabulary : CharVocabulary
        The symbols.

    counts : ndarray or NGramCounts
        What `_count` of a counter returned for the words, under these symbols.

    longest_word : int
        Number of characters of the longest of the words.
    """

    vocabulary: CharVocabulary
    counts: object
    longest_word: int


class BaseCounter(BaseCharLM):
    """Template of the models that count: more words are added exactly.

    A concrete model provides

    _count(encoded, n_symbols, sample_weight)
        The counts of some words.
    _widened(counts, new_ids, n_symbols)
        The same counts in the ids of a larger vocabulary.
    _sum(counts, others)
        The counts of two lists of words, in the same ids, as those of one list.
    _fitted_counts()
        The counts so far, if they are those that the parameters ask for.
    _fitted_attributes(counts)
        The fitted attributes that follow from the counts.

    All but `_fitted_counts` read parameters alone, so that an estimator which is not
    fitted can count some words elsewhere, and add up what was counted.
    """

    @abstractmethod
    def _count(self, encoded, n_symbols, sample_weight):
        """Return the counts of some words."""

    @abstractmethod
    def _widened(self, counts, new_ids, n_symbols):
        """Return the same counts in the ids of a larger vocabulary."""

    @abstractmethod
    def _sum(self, counts, others):
        """Return the counts of two lists of words as those of one list."""

    @abstractmethod
    def _fitted_counts(self):
        """Return the counts so far, if the parameters still ask for them."""

    @abstractmethod
    def _fitted_attributes(self, counts):
        """Return the fitted attributes that follow from the counts."""

    def _fit_encoded(self, data, callback_context):
        return self._count_of(data)

    def _count_of(self, data):
        return self._count(data.encoded, data.vocabulary.n_symbols, data.sample_weight)

    def merge(self, other):
        """Add the counts of another fitted counter.

        This is exact: the counts are those that one `fit` on the words of both would
        have. They are the same bit for bit in any order of merging if all weights are
        whole numbers, else up to the rounding of their sums. The alphabet is that of
        both.

        Parameters
        ----------
        other : object
            A fitted counter of the same class and with the same `handle_unknown`,
            `order` and `alphabet`. It stays as it is, and its smoothing is of no
            account: the probabilities are computed anew, by the parameters of this
            counter.

        Returns
        -------
        self : object
            This counter, which is changed as by `partial_fit`.

        Raises
        ------
        TypeError
            If `other` is not of the same class.
        NotFittedError
            If one of the two is not fitted.
        ValueError
            If a parameter that decides what is counted differs, or if one of this
            counter is not valid.

        Examples
        --------
        >>> from sklearn_makemore import NGramCounter
        >>> one = NGramCounter(order=3).fit(["emma", "ava"])
        >>> other = NGramCounter(order=3).fit(["noah"])
        >>> both = NGramCounter(order=3).fit(["emma", "ava", "noah"])
        >>> one.merge(other).score(["nova"]) == both.score(["nova"])
        True
        """
        self._validate_params()
        self._check_mergeable(other)
        return self._fit_total(self._added(self._fitted_words(), other._fitted_words()))

    def _check_mergeable(self, other):
        """Raise an error if the counts of another counter cannot be added."""
        if type(other) is not type(self):
            raise TypeError(
                f"Only a {type(self).__name__} can be merged with this one, got "
                f"{reprlib.repr(other)}."
            )
        check_is_fitted(self)
        check_is_fitted(other)
        asked = other._asked_of_counts()
        for name, own in self._asked_of_counts().items():
            if own != asked[name]:
                raise ValueError(
                    f"Counts of {name}={reprlib.repr(own)} and of {name}="
                    f"{reprlib.repr(asked[name])} cannot be merged; fit both with one."
                )

    def _asked_of_counts(self):
        """Return the parameters that two counts must share to be added."""
        given = self.alphabet is not None
        return {
            "handle_unknown": self.handle_unknown,
            "alphabet": self._kept_vocabulary().characters if given else None,
        }

    def _fitted_words(self):
        """Return the words so far as they were counted."""
        return CountedWords(
            self._kept_vocabulary(), self._fitted_counts(), self.longest_word_
        )

    # Counting in parts, here or elsewhere: each list of words is counted, the counts
    # are added up, and the probabilities are computed once.

    def _counted(self, words):
        """Return a list of words as it is counted; changes nothing here."""
        data = TrainingSet.from_words(words, None, self._fit_vocabulary)
        return CountedWords(
            data.vocabulary, self._count_of(data), data.max_predictions - 1
        )

    def _added(self, counted, others):
        """Return two lists of words that were counted as one."""
        vocabulary = counted.vocabulary.union(others.vocabulary)
        return CountedWords(
            vocabulary,
            self._sum(
                self._counts_in(vocabulary, counted),
                self._counts_in(vocabulary, others),
            ),
            max(counted.longest_word, others.longest_word),
        )

    def _total(self, counted):
        """Return many lists of words that were counted as one; None if there are none.

        Parameters
        ----------
        counted : iterable of CountedWords or None
            Read one by one; None is of no words.

        Returns
        -------
        total : CountedWords or None
            All words.
        """
        parts = []
        for part in counted:
            if part is None:
                continue
            parts.append(part)
            # Only parts of like size are added, so that few n-grams are added often.
            while len(parts) > 1 and len(parts[-2].counts) <= 2 * len(parts[-1].counts):
                parts.append(self._added(parts.pop(), parts.pop()))
        return reduce(self._added, reversed(parts)) if parts else None

    def _fit_total(self, total):
        """Fit to words that were counted; what was learned before is forgotten."""
        self._set_fitted(
            total.vocabulary, total.longest_word, total.counts, is_warm_start=False
        )
        return self

    def _counts_in(self, vocabulary, counted):
        """Return counts in the ids of a vocabulary that has all their characters."""
        if vocabulary == counted.vocabulary:
            return counted.counts
        new_ids = counted.vocabulary.ids_in(vocabulary)
        return self._widened(counted.counts, new_ids, vocabulary.n_symbols)

    def _partial_fit_encoded(self, data):
        counts = self._count_of(data)
        if not self.__sklearn_is_fitted__():
            return counts
        return self._sum(self._counts_in(data.vocabulary, self._fitted_words()), counts)

    def _check_unchanged(self, is_same):
        """Raise an error if the probabilities are not those of the parameters."""
        if not is_same:
            raise ValueError(
                f"Parameters of this {type(self).__name__} have changed since it was "
                "fitted, and a file would keep these: set them back, or fit anew."
            )

    def _partial_fit_vocabulary(self, joined):
        known = self._kept_vocabulary()
        if self.alphabet is not None:
            return known
        return known.union(CharVocabulary.from_code_points(joined))
