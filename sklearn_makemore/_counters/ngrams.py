"""Distinct n-grams of words and how often they occur.

The ids of encoded words are `0, word, 0, word, 0, ...` where 0 is the boundary of a
word, see `EncodedWords`. Every id but the first is predicted from its *history*: the
`order - 1` ids before it, cut off at the boundary that opens its word. The history and
the predicted id are the *maximal n-gram* of a prediction. The counts of the maximal
n-grams, and the lengths of the words, are all that an n-gram model needs from its
training words.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._words.packing import pack_ids, rank_keys, unpack_ids
from .._words.training_set import TrainingSet, padded_sum
from .._words.vocabulary import EncodedWords
from .sums import (
    Sums,
    balanced_sum,
    check_no_overflow,
    compact_counts,
    exact_weights,
    merge_sums,
    sum_equal_rows,
    weighted_chunks,
)
from .word_sample import WordSample

PREDICTION_CHUNK_SIZE = 1 << 18
"""Approximate number of predictions counted at a time. The cost of a call is small
compared with it, and the temporary arrays are small compared with a long list."""

MAX_NGRAM_IDS = 1 << 28
"""Largest number of ids in all distinct n-grams, `order` ids each. A model of as many
n-grams of all lengths takes at most 8 GB, 31 bytes each."""

MAX_UNLIMITED_ORDER = 16
"""Largest order for which `MAX_NGRAM_IDS` does not apply. Up to this order the number
of ids is at most a small multiple of the number of characters."""

SMALLEST = np.finfo(np.float64).tiny
"""Smallest count in units; smaller ones would lose bits, or become 0."""

MAX_UNITS = 2.0**53
"""Bound of the total weight in units, so that whole counts are exact in float64."""

UNIT_TOLERANCE = 1e-9
"""Relative rounding error of counts in units: multiples of the unit become whole
numbers."""


def iterate_columns(encoded: EncodedWords, order: int) -> Iterator[np.ndarray]:
    """Yield the columns of the maximal n-grams: the history, then the predicted id.

    The `order` - 1 columns of the history begin with the most recent id. In them, 0
    stands for the boundary and for everything before it.

    column : (n_predictions,)
    """
    ids = encoded.codes
    n_predictions = len(ids) - 1
    column = ids[:-1]
    for lag in range(1, order):
        yield column
        earlier = np.zeros_like(column)
        earlier[lag:] = ids[: max(n_predictions - lag, 0)]
        # Ids before a boundary belong to another word: 0 from there on.
        earlier *= column != 0
        column = earlier
    yield ids[1:]


def find_distinct_ngrams(
    encoded: EncodedWords, order: int, n_symbols: int
) -> tuple[np.ndarray, np.ndarray]:
    """Find the distinct maximal n-grams of words, and the n-gram of each prediction.

    ngrams : (order, n_ngrams), one n-gram per column, as in `NGramCounts`
    columns : (n_predictions,) int64, the column of each prediction
    """
    keys = pack_ids(iterate_columns(encoded, order), order, n_symbols)
    first, columns = rank_keys(keys)
    return unpack_ids([key[first] for key in keys], order, n_symbols), columns


def max_order(encoded: EncodedWords) -> int:
    """Return the order beyond which n-grams of these words do not get longer.

    It is the length of the longest word with both its boundaries.
    """
    return int(encoded.lengths.max(initial=1)) + 1


def check_memory(n_ngrams: int, order: int) -> None:
    """Raise an error if so many n-grams of an order would exhaust the memory."""
    if order > MAX_UNLIMITED_ORDER and n_ngrams * order > MAX_NGRAM_IDS:
        raise ValueError(
            f"{n_ngrams:,} n-grams of order={order} have more than {MAX_NGRAM_IDS:,} "
            "ids, too many for memory; use a smaller order."
        )


@dataclass(frozen=True, eq=False)
class NGramCounts:
    """How often each maximal n-gram occurs.

    ngrams : (order, n_ngrams), one distinct n-gram per column, columns sorted: its
        history from the most recent id to the earliest, filled with 0 beyond the
        boundary, then the predicted id
    counts : (n_ngrams,), sums of the weights, all positive; int64 if all weights are
        whole numbers, else float64
    n_symbols : number of symbols, the boundary included
    word_lengths : (longest + 1,), sum of the weights of the words by number of
        characters, of the type of `counts`; the last one is not 0
    word_sample : weights of some words; without it, counts are in units of 1

    Examples
    --------
    With 0 for the boundary, 1 for "a" and 2 for "b", both words begin with "a". After
    the boundary and "a", "ab" continues with "b" and "a" ends. Then "ab" ends.

    >>> from sklearn_makemore._counters.ngrams import NGramCounts
    >>> from sklearn_makemore._words.vocabulary import CharVocabulary
    >>> encoded = CharVocabulary("ab").encode(["ab", "a"])
    >>> ngram_counts = NGramCounts.from_encoded(encoded, order=3, n_symbols=3)
    >>> print(ngram_counts.ngrams)  # the most recent, the earlier, the predicted id
    [[0 1 1 2]
     [0 0 0 1]
     [1 0 2 0]]
    >>> print(ngram_counts.counts, ngram_counts.word_lengths)
    [2 1 1 1] [0 1 1]
    """

    ngrams: np.ndarray
    counts: np.ndarray
    n_symbols: int
    word_lengths: np.ndarray
    word_sample: WordSample = field(default_factory=WordSample.empty)

    @property
    def order(self) -> int:
        """Length of the longest n-grams."""
        return len(self.ngrams)

    def __len__(self) -> int:
        """Return the number of distinct n-grams."""
        return len(self.counts)

    @classmethod
    def from_data(cls, data: TrainingSet, order: int) -> NGramCounts:
        """Count the maximal n-grams of a training set, and sample its words."""
        n_symbols, weight = data.vocabulary.n_symbols, data.sample_weight
        counts = cls.from_encoded(data.encoded, order, n_symbols, weight)
        return replace(counts, word_sample=WordSample.from_data(data))

    @classmethod
    def from_encoded(
        cls,
        encoded: EncodedWords,
        order: int,
        n_symbols: int,
        sample_weight: np.ndarray | None = None,
    ) -> NGramCounts:
        """Count the maximal n-grams of words, which may have weights (n_words,).

        A word of weight 2 counts as two words, a word of weight 0 as none.
        """
        if sample_weight is not None:
            sample_weight = exact_weights(sample_weight, encoded.lengths)

        def sums_of_chunks() -> Iterator[Sums]:
            chunks = weighted_chunks(encoded, sample_weight, PREDICTION_CHUNK_SIZE)
            for chunk, weights in chunks:
                check_memory(chunk.n_predictions, order)
                keys = pack_ids(iterate_columns(chunk, order), order, n_symbols)
                keys, sums = sum_equal_rows(keys, weights)
                yield keys, compact_counts(sums)

        sums = balanced_sum(sums_of_chunks(), merge_sums, lambda part: len(part[1]))
        assert sums is not None  # there is a chunk, if only an empty one
        word_lengths = np.bincount(encoded.lengths - 1, sample_weight)
        return cls._from_sums(sums, order, n_symbols, word_lengths)

    @classmethod
    def _from_sums(
        cls, sums: Sums, order: int, n_symbols: int, word_lengths: np.ndarray
    ) -> NGramCounts:
        keys, counts = sums
        check_memory(len(counts), order)
        if counts.dtype.kind == "i":
            counts = counts.astype(np.int64, copy=False)
        # Sums of whole numbers below 2**53 are exact in float64.
        word_lengths = np.trim_zeros(word_lengths.astype(counts.dtype), "b")
        return cls(unpack_ids(keys, order, n_symbols), counts, n_symbols, word_lengths)

    def packed(self) -> list[np.ndarray]:
        """Return the n-grams as `pack_ids` packs them."""
        return pack_ids(self.ngrams, self.order, self.n_symbols)

    def merge(self, other: NGramCounts) -> NGramCounts:
        """Return the sum of these counts and others of equal order and symbols."""
        if (self.order, self.n_symbols) != (other.order, other.n_symbols):
            raise ValueError(
                f"Cannot merge n-grams of order {self.order} over {self.n_symbols} "
                f"symbols with n-grams of order {other.order} over {other.n_symbols}; "
                "count both with one order, and `remap` the one of fewer symbols."
            )
        sums = merge_sums((self.packed(), self.counts), (other.packed(), other.counts))
        word_lengths = padded_sum(self.word_lengths, other.word_lengths)
        check_no_overflow(word_lengths)
        merged = self._from_sums(sums, self.order, self.n_symbols, word_lengths)
        sample = self.word_sample.merge(other.word_sample)
        return replace(merged, word_sample=sample)

    def lengthen(self, order: int) -> NGramCounts:
        """Return the same counts as n-grams of a larger order.

        No n-gram may have been cut off: before each of them is the boundary.
        """
        *histories, targets = self.ngrams
        check_memory(len(targets), order)
        beyond = np.zeros((order - self.order, len(targets)), self.ngrams.dtype)
        ngrams = np.vstack([*histories, beyond, targets])
        return replace(self, ngrams=ngrams)

    def in_units(self) -> NGramCounts:
        """Return the counts divided by the weight of a rare word.

        Otherwise large weights would leave no probability for new words.
        """
        total_weight = self.word_lengths.sum(dtype=np.float64)
        unit = max(
            self.word_sample.rare_weight(float(total_weight)), total_weight / MAX_UNITS
        )
        if unit == 1:
            return self
        return replace(
            self,
            counts=_divided(self.counts, unit),
            word_lengths=_divided(self.word_lengths, unit),
        )

    def remap(self, new_ids: ArrayLike, n_symbols: int) -> NGramCounts:
        """Return the same counts under the ids of a larger alphabet.

        new_ids : (self.n_symbols,), from 0 on and increasing: columns stay sorted
        """
        new_ids = np.asarray(new_ids, dtype=np.min_scalar_type(n_symbols - 1))
        return replace(self, ngrams=new_ids[self.ngrams], n_symbols=n_symbols)


def _divided(counts: np.ndarray, unit: float) -> NDArray[np.float64]:
    """Divide counts, so that multiples of the unit give whole numbers.

    Positive counts stay positive.
    """
    divided = np.where(counts > 0, np.maximum(counts / unit, SMALLEST), 0)
    whole = np.rint(divided)
    is_whole = np.isclose(divided, whole, rtol=UNIT_TOLERANCE, atol=0)
    return np.where(is_whole, whole, divided)
