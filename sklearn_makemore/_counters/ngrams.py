"""Distinct n-grams of words and how often they occur.

The ids of encoded words are `0, word, 0, word, 0, ...` where 0 is the boundary of a
word, see `EncodedWords`. Every id but the first is predicted from its *history*: the
`order - 1` ids before it, cut off at the boundary that opens its word. History and
predicted id are the *maximal n-gram* of a prediction; all that an n-gram model can know
of its training words is how often each of them occurs.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

PREDICTION_CHUNK_SIZE = 1 << 18
"""Predictions counted at once, about: enough to forget the cost of a call,
few enough for the temporary arrays to stay small beside very many words."""

MAX_NGRAM_IDS = 1 << 28
"""Ids that the distinct n-grams may have, `order` each: of as many n-grams of all
lengths a model takes 8 GB at most, 31 bytes each."""

ALWAYS_COUNTED = 16
"""Order up to which the ids may be more: there they are a small multiple of the
characters that were counted, and it is not the order that makes them many."""

MAX_SAVED_ORDER = 1 << 12
"""Largest order that a file may say: every length takes a turn of a loop."""


def weighted_chunks(encoded, sample_weight, n_predictions):
    """Yield some predictions of whole words at a time.

    Parameters
    ----------
    encoded : EncodedWords
        The words; without any there is one chunk, of no predictions.

    sample_weight : ndarray of shape (n_words,) or None
        Weight of each word.

    n_predictions : int
        How many, about.

    Yields
    ------
    chunk : EncodedWords
        Some of the words.

    weights : ndarray of shape (chunk.n_predictions,) or None
        Weight of each prediction, None without `sample_weight`.
    """
    first, weights = 0, None
    for chunk in encoded.chunks(n_predictions) if encoded.n_words else [encoded]:
        if sample_weight is not None:
            last = first + chunk.n_words
            weights = np.repeat(sample_weight[first:last], chunk.lengths)
            first = last
        yield chunk, weights


def iterate_columns(encoded, order):
    """Yield the columns of the maximal n-grams: the history, then the predicted id.

    Parameters
    ----------
    encoded : EncodedWords
        The words.

    order : int
        Length of the longest n-grams.

    Yields
    ------
    column : ndarray of shape (n_predictions,)
        One id of every n-gram: `order` - 1 times those of the histories, from the most
        recent to the earliest, where 0 stands for the boundary and for all that lies
        beyond it; at last the predicted ones.

    Examples
    --------
    >>> from sklearn_makemore._counters.ngrams import iterate_columns
    >>> from sklearn_makemore._words.vocabulary import CharVocabulary
    >>> encoded = CharVocabulary("ab").encode(["ab", "b"])
    >>> encoded.codes
    array([0, 1, 2, 0, 2, 0], dtype=uint8)
    >>> for column in iterate_columns(encoded, order=3):
    ...     print(column)
    [0 1 2 0 2]
    [0 0 1 0 0]
    [1 2 0 2 0]
    """
    ids = encoded.codes
    n_predictions = len(ids) - 1
    column = ids[:-1]
    for lag in range(1, order):
        yield column
        earlier = np.zeros_like(column)
        earlier[lag:] = ids[: max(n_predictions - lag, 0)]
        # What is before a boundary is of another word, and stays 0 from there on.
        earlier *= column != 0
        column = earlier
    yield ids[1:]


def _pack(columns, order, n_symbols):
    """Pack rows into as few integer keys as hold them, which sort as the rows do.

    Parameters
    ----------
    columns : iterable of `order` integer ndarrays of shape (n_rows,)
        Ids below `n_symbols`, the most significant first.

    order : int
        Number of columns.

    n_symbols : int
        Number of symbols.

    Returns
    -------
    keys : list of ndarrays of shape (n_rows,), dtype int32 or int64
        As many ids in each as 63 bits hold, most significant first; one int32 if 31
        bits hold them all.
    """
    n_bits = _bits_per_id(n_symbols)
    dtype = np.int32 if order * n_bits < 32 else np.int64
    keys = []
    for index, column in enumerate(columns):
        if index % (63 // n_bits) == 0:
            keys.append(column.astype(dtype))
        else:
            keys[-1] <<= n_bits
            np.bitwise_or(keys[-1], column, out=keys[-1], casting="same_kind")
    return keys


def _unpack(keys, order, n_symbols):
    """Invert `_pack` into an array of shape (order, n_rows)."""
    n_bits = _bits_per_id(n_symbols)
    per_key = 63 // n_bits
    columns = np.empty((order, len(keys[0])), dtype=np.min_scalar_type(n_symbols - 1))
    for index in range(order):
        which, place = divmod(index, per_key)
        last_place = min(per_key, order - which * per_key) - 1
        columns[index] = (keys[which] >> n_bits * (last_place - place)) & (
            (1 << n_bits) - 1
        )
    return columns


def _bits_per_id(n_symbols):
    return max(1, int(n_symbols - 1).bit_length())


def differs_from_last(ordered):
    """Whether each element differs from the one before it; the first one does."""
    is_first = np.ones(len(ordered), dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=is_first[1:])
    return is_first


def _sort_rows(keys):
    """Sort packed rows, and find where new ones begin.

    Parameters
    ----------
    keys : list of ndarrays of shape (n_rows,)
        Rows as `_pack` gives them.

    Returns
    -------
    by_row : ndarray of shape (n_rows,), dtype int64
        Indices of the rows in sorted order.

    is_first : ndarray of shape (n_rows,), dtype bool
        Whether the ordered row is the first of those that equal it.
    """
    by_row = np.argsort(keys[0]) if len(keys) == 1 else np.lexsort(keys[::-1])
    is_first = np.zeros(len(by_row), dtype=bool)
    for key in keys:
        is_first |= differs_from_last(key[by_row])
    return by_row, is_first


def _sum_by_row(keys, weights=None):
    """Sum weights over equal rows.

    Parameters
    ----------
    keys : list of ndarrays of shape (n_rows,)
        Rows as `_pack` gives them.

    weights : ndarray of shape (n_rows,), default=None
        Weight of each row; None counts the rows.

    Returns
    -------
    keys : list of ndarrays of shape (n_distinct,)
        The distinct rows, sorted, without those whose weights sum to zero.

    sums : ndarray of shape (n_distinct,)
        Their sums, of the type of the weights; int64 without.
    """
    if weights is None and len(keys) == 1:
        # Sorting values is several times faster than sorting indices by value.
        ordered = np.sort(keys[0])
        firsts = np.flatnonzero(differs_from_last(ordered))
        return [ordered[firsts]], np.diff(firsts, append=len(ordered))
    weights = np.ones(len(keys[0]), dtype=np.int64) if weights is None else weights
    by_row, is_first = _sort_rows(keys)
    sums = np.add.reduceat(weights[by_row], np.flatnonzero(is_first))
    firsts = by_row[is_first]
    del by_row, is_first
    if not sums.all():
        firsts, sums = firsts[sums > 0], sums[sums > 0]
    return [key[firsts] for key in keys], sums


def _merge_last_two(parts):
    """Replace the last two pairs of keys and counts by one, see `_sum_by_row`."""
    (keys, counts), (others, other_counts) = parts.pop(), parts.pop()
    keys = [np.concatenate(pair) for pair in zip(keys, others, strict=True)]
    counts = smaller(np.concatenate([counts, other_counts]))
    del others, other_counts  # what is merged must not be in memory twice
    parts.append(_sum_by_row(keys, counts))


def smaller(counts):
    """Return counts as int32 if they are whole numbers and so is their sum."""
    is_whole = counts.dtype.kind == "i"
    fits = is_whole and counts.sum(dtype=np.float64) <= np.iinfo(np.int32).max
    return counts.astype(np.int32, copy=False) if fits else counts


def _check_room(n_rows, order):
    """Raise an error if so many n-grams of an order would exhaust the memory."""
    if order > ALWAYS_COUNTED and n_rows * order > MAX_NGRAM_IDS:
        raise ValueError(
            f"{n_rows:,} n-grams of order={order} have more than {MAX_NGRAM_IDS:,} "
            "ids, too many for memory; use a smaller order."
        )


def kept_counts(counts):
    """Return counts in the smallest type that holds them, for a file."""
    if counts.dtype.kind == "f":
        return counts
    return counts.astype(np.min_scalar_type(counts.max(initial=0)))


def restored_counts(counts, shape):
    """Return counts out of a file as they were before `kept_counts`.

    Raises
    ------
    ValueError
        If they are of another shape or no counts.
    """
    is_whole = counts.dtype.kind == "u"
    if counts.shape != shape or not (is_whole or counts.dtype == np.float64):
        raise ValueError(f"counts are of shape {counts.shape}, type {counts.dtype}.")
    # int64 holds the sums of whole numbers.
    most = 2.0**62 if is_whole else np.inf
    if not (counts >= 0).all() or not 0 < counts.sum(dtype=np.float64) < most:
        raise ValueError("counts are negative, not finite, or all zero.")
    return counts.astype(np.int64) if is_whole else counts


def _size(part):
    """Number of rows of a pair of keys and counts."""
    return len(part[1])


def find_distinct_ngrams(encoded, order, n_symbols):
    """Find the distinct maximal n-grams of words, and which one each prediction has.

    Parameters
    ----------
    encoded : EncodedWords
        The words.

    order : int
        Length of the longest n-grams.

    n_symbols : int
        Number of symbols.

    Returns
    -------
    ngrams : ndarray of shape (order, n_ngrams)
        One n-gram a column, as in `NGramCounts`.

    columns : ndarray of shape (n_predictions,), dtype int64
        ``ngrams[:, columns]`` are the n-grams of all predictions.
    """
    keys = _pack(iterate_columns(encoded, order), order, n_symbols)
    by_row, is_first = _sort_rows(keys)
    columns = np.empty(len(by_row), dtype=np.int64)
    columns[by_row] = np.cumsum(is_first) - 1
    firsts = by_row[is_first]
    return _unpack([key[firsts] for key in keys], order, n_symbols), columns


def exact_weights(sample_weight, lengths):
    """Return weights as int64 where their sums are exact so, else as float64.

    Parameters
    ----------
    sample_weight : ndarray of shape (n_words,)
        Weight of each word.

    lengths : ndarray of shape (n_words,)
        Predictions a word.

    Returns
    -------
    weights : ndarray of shape (n_words,)
        int64 if all are whole numbers whose sum over the predictions is below
        ``2**53``, beyond which float64 skips whole numbers.
    """
    weights = np.asarray(sample_weight, dtype=np.float64)
    is_exact = np.all(weights == np.floor(weights)) and weights @ lengths < 2.0**53
    return weights.astype(np.int64) if is_exact else weights


def whole_order(encoded):
    """Return the order from which on every n-gram reaches to the start of its word.

    Parameters
    ----------
    encoded : EncodedWords
        The words.

    Returns
    -------
    order : int
        Symbols of the longest word, with both its boundaries: the longest history has
        one less, and nothing is before it.
    """
    return int(encoded.lengths.max(initial=1)) + 1


def _increase(keys):
    """Whether every packed row is larger than the one before it."""
    is_larger = np.zeros(len(keys[0]) - 1, dtype=bool)
    for key in reversed(keys):
        is_larger &= key[1:] == key[:-1]
        is_larger |= key[1:] > key[:-1]
    return bool(is_larger.all())


def _are_of_words(ngrams, counts, n_symbols):
    """Whether maximal n-grams can be those of words.

    A history is what was predicted before, so there are as many predictions after it
    as there are that lead to it: after the end of a word comes the start of another.
    """
    *history, predicted = ngrams
    if not history:
        return predicted.min() == 0
    for recent, earlier in pairwise(history):
        if np.any(earlier[recent == 0]):
            return False
    leading = np.stack([predicted, *history[:-1]]) * (predicted != 0)
    (keys, sums), (others, other_sums) = (
        _sum_by_row(_pack(columns, len(history), n_symbols), counts)
        for columns in (history, leading)
    )
    # Sums of weights that are not whole are rounded.
    return all(map(np.array_equal, keys, others)) and np.allclose(sums, other_sums)


@dataclass(frozen=True, eq=False)
class NGramCounts:
    """How often each maximal n-gram occurs: all that a model needs of its words.

    Parameters
    ----------
    ngrams : ndarray of shape (order, n_ngrams)
        One distinct n-gram a column, columns sorted: its history from the most recent
        id to the earliest, filled with 0 beyond the boundary, then the predicted id.

    counts : ndarray of shape (n_ngrams,)
        Sums of the weights, int64 where all weights are whole numbers, else float64;
        all positive.

    n_symbols : int
        Number of symbols, the boundary included.

    Examples
    --------
    With 0 for the boundary, 1 for "a" and 2 for "b", the words "ab" and "a" make five
    predictions. Both words begin with "a", which has nothing but the boundary before
    it; "ab" goes on with "b" after "a" and the boundary, where "a" ends; and after "b",
    then "a" (the history is read backwards), "ab" ends.

    >>> from sklearn_makemore._counters.ngrams import NGramCounts
    >>> from sklearn_makemore._words.vocabulary import CharVocabulary
    >>> encoded = CharVocabulary("ab").encode(["ab", "a"])
    >>> ngram_counts = NGramCounts.from_encoded(encoded, order=3, n_symbols=3)
    >>> for (recent, earlier, predicted), count in zip(
    ...     ngram_counts.ngrams.T.tolist(), ngram_counts.counts.tolist()
    ... ):
    ...     print(f"history {recent} {earlier}, predicted {predicted}: {count}")
    history 0 0, predicted 1: 2
    history 1 0, predicted 0: 1
    history 1 0, predicted 2: 1
    history 2 1, predicted 0: 1
    """

    ngrams: np.ndarray
    counts: np.ndarray
    n_symbols: int

    @property
    def order(self):
        """Length of the longest n-grams."""
        return len(self.ngrams)

    def __len__(self):
        """Return the number of distinct n-grams."""
        return len(self.counts)

    @classmethod
    def from_encoded(cls, encoded, order, n_symbols, sample_weight=None):
        """Count the maximal n-grams of words.

        Parameters
        ----------
        encoded : EncodedWords
            The words.

        order : int
            Length of the longest n-grams, the predicted id included.

        n_symbols : int
            Number of symbols, the boundary included; all ids are below it.

        sample_weight : ndarray of shape (n_words,), default=None
            Weight of each word; None counts every word once. A word of weight 2 counts
            as two words, one of weight 0 is absent.

        Returns
        -------
        ngram_counts : NGramCounts
            The distinct n-grams and their counts.
        """
        if sample_weight is not None:
            sample_weight = exact_weights(sample_weight, encoded.lengths)
        parts = []
        for chunk, weights in weighted_chunks(
            encoded, sample_weight, PREDICTION_CHUNK_SIZE
        ):
            _check_room(chunk.n_predictions, order)
            keys = _pack(iterate_columns(chunk, order), order, n_symbols)
            keys, counts = _sum_by_row(keys, weights)
            parts.append((keys, smaller(counts)))
            # Only parts of like size merge: few of the n-grams are merged often.
            while len(parts) > 1 and _size(parts[-2]) <= 2 * _size(parts[-1]):
                _merge_last_two(parts)
        while len(parts) > 1:
            _merge_last_two(parts)
        return cls._from_keys(*parts.pop(), order, n_symbols)

    @classmethod
    def _from_keys(cls, keys, counts, order, n_symbols):
        _check_room(len(counts), order)
        if counts.dtype.kind == "i":
            counts = counts.astype(np.int64, copy=False)
        return cls(_unpack(keys, order, n_symbols), counts, n_symbols)

    def kept(self):
        """Return the arrays that a file keeps, for `from_kept`."""
        if self.order > MAX_SAVED_ORDER:
            raise ValueError(
                f"n-grams of order {self.order} cannot be kept in a file, at most of "
                f"order {MAX_SAVED_ORDER}."
            )
        keys = _pack(self.ngrams, self.order, self.n_symbols)
        return {"ngrams": np.stack(keys), "counts": kept_counts(self.counts)}

    @classmethod
    def from_kept(cls, kept, order, n_symbols):
        """Return the counts of which a file kept the arrays.

        Parameters
        ----------
        kept : dict of str to ndarray
            What `kept` returned, or anything at all.

        order : int
            Length of the longest n-grams.

        n_symbols : int
            Number of symbols.

        Returns
        -------
        ngram_counts : NGramCounts
            The counts.

        Raises
        ------
        ValueError
            If no words have these counts.
        """
        keys = kept["ngrams"]
        n_bits = _bits_per_id(n_symbols)
        n_keys = -(-order // (63 // n_bits))
        dtype = np.int32 if order * n_bits < 32 else np.int64
        if order > MAX_SAVED_ORDER or keys.dtype != dtype:
            raise ValueError(f"n-grams of order {order} have keys of {keys.dtype}.")
        if keys.ndim != 2 or len(keys) != n_keys or not keys.size or keys.min() < 0:
            raise ValueError(f"n-grams have keys of shape {keys.shape}, or below 0.")
        _check_room(keys.shape[1], order)
        counts = restored_counts(kept["counts"], keys.shape[1:])
        ngrams = _unpack(keys, order, n_symbols)
        is_packed = all(map(np.array_equal, _pack(ngrams, order, n_symbols), keys))
        if not is_packed or ngrams.max() >= n_symbols:
            raise ValueError("n-grams have ids outside the alphabet.")
        if not counts.all() or not _increase(keys):
            raise ValueError("n-grams are not distinct and sorted, or never occur.")
        if not _are_of_words(ngrams, counts, n_symbols):
            raise ValueError("n-grams are not those of any words.")
        return cls(ngrams, counts, n_symbols)

    def merge(self, other):
        """Return these counts and those of other words as one.

        Parameters
        ----------
        other : NGramCounts
            Counts of the same order, under the same ids.

        Returns
        -------
        ngram_counts : NGramCounts
            What `from_encoded` returns for the words of both.

        Raises
        ------
        ValueError
            If the orders or the numbers of symbols differ, or the n-grams would have
            more ids than a computer holds.
        """
        if (self.order, self.n_symbols) != (other.order, other.n_symbols):
            raise ValueError(
                f"Cannot merge n-grams of order {self.order} over {self.n_symbols} "
                f"symbols with n-grams of order {other.order} over {other.n_symbols}; "
                "count both with one order, and `remap` the one of fewer symbols."
            )
        parts = [
            (_pack(one.ngrams, self.order, self.n_symbols), one.counts)
            for one in (self, other)
        ]
        _merge_last_two(parts)
        return self._from_keys(*parts.pop(), self.order, self.n_symbols)

    def lengthen(self, order):
        """Return the same counts as those of longer n-grams.

        Parameters
        ----------
        order : int
            Length of the n-grams, not less than that of these. They must not have been
            cut off: what is before them is the boundary, for which 0 stands.

        Returns
        -------
        ngram_counts : NGramCounts
            What `from_encoded` returns for the same words and this order.

        Raises
        ------
        ValueError
            If they would have more ids than a computer holds.
        """
        *histories, targets = self.ngrams
        _check_room(len(targets), order)
        beyond = np.zeros((order - self.order, len(targets)), self.ngrams.dtype)
        ngrams = np.vstack([*histories, beyond, targets])
        return NGramCounts(ngrams, self.counts, self.n_symbols)

    def remap(self, new_ids, n_symbols):
        """Return the same counts under the ids of a larger alphabet.

        Parameters
        ----------
        new_ids : array-like of int of shape (self.n_symbols,)
            ``new_ids[i]`` takes the place of `i`. It must begin with 0, the boundary,
            and increase, so that the columns stay sorted.

        n_symbols : int
            Number of symbols of the larger alphabet.

        Returns
        -------
        ngram_counts : NGramCounts
            The same n-grams in the same order.
        """
        new_ids = np.asarray(new_ids, dtype=np.min_scalar_type(n_symbols - 1))
        return NGramCounts(new_ids[self.ngrams], self.counts, n_symbols)
