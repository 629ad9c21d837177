"""Distinct n-grams of a corpus and how often they occur.

A corpus is an array of ids `0, word, 0, word, 0, ...` where 0 is the boundary of a
word. Every position but the first is predicted from its *history*: the `order - 1` ids
before it, cut off at the boundary that opens its word. History and predicted id are the
*maximal n-gram* of a position; all that an n-gram model can know of a corpus is how
often each of them occurs.
"""

from dataclasses import dataclass

import numpy as np

# Positions counted or scored at a time: enough to forget the cost of a call, few enough
# for the temporary arrays (about ten of eight bytes a position) to stay small beside a
# large corpus.
CHUNK_SIZE = 2**19


def iterate_word_chunks(offsets, chunk_size=CHUNK_SIZE):
    """Yield ranges of words that hold about `chunk_size` positions.

    Parameters
    ----------
    offsets : ndarray of shape (n_words + 1,)
        Positions of the boundaries that open the words, and of the last one.
    chunk_size : int
        Most positions in a range; a longer word is a range by itself.

    Yields
    ------
    first, last : int
        Words `first` to `last - 1`.
    """
    first, n_words = 0, len(offsets) - 1
    while first < n_words:
        last = (
            int(np.searchsorted(offsets, offsets[first] + chunk_size, side="right")) - 1
        )
        last = max(last, first + 1)
        yield first, last
        first = last


def iterate_columns(codes, order):
    """Columns of the maximal n-grams: most recent id to earliest, then the predicted.

    Parameters
    ----------
    codes : int64 ndarray of shape (n_positions + 1,)
    order : int

    Yields
    ------
    column : int64 ndarray of shape (n_positions,)
        0 stands for the boundary, and for all that lies beyond it.
    """
    n_positions = len(codes) - 1
    column = codes[:-1]
    for lag in range(1, order):
        yield column
        earlier = np.zeros_like(column)
        earlier[lag:] = codes[: max(n_positions - lag, 0)]
        earlier *= column != 0
        column = earlier
    yield codes[1:]


def _pack(columns, n_symbols):
    """Pack rows into as few int64 keys as hold them, which sort as the rows do.

    Parameters
    ----------
    columns : iterable of integer ndarrays of shape (n_rows,)
        Ids below `n_symbols`.
    n_symbols : int

    Returns
    -------
    keys : list of int64 ndarrays of shape (n_rows,)
        Most significant first.
    """
    n_bits = _bits_per_symbol(n_symbols)
    keys = []
    for position, column in enumerate(columns):
        if position % (63 // n_bits) == 0:
            keys.append(column.astype(np.int64))
        else:
            keys[-1] <<= n_bits
            keys[-1] |= column
    return keys


def _unpack(keys, order, n_symbols):
    """Invert `_pack` into an array of shape (order, n_rows)."""
    n_bits = _bits_per_symbol(n_symbols)
    per_key = 63 // n_bits
    columns = np.empty((order, len(keys[0])), dtype=np.min_scalar_type(n_symbols - 1))
    for position in range(order):
        which, place = divmod(position, per_key)
        last_place = min(per_key, order - which * per_key) - 1
        columns[position] = (keys[which] >> n_bits * (last_place - place)) & (
            (1 << n_bits) - 1
        )
    return columns


def _bits_per_symbol(n_symbols):
    return max(1, int(n_symbols - 1).bit_length())


def _sort_rows(keys):
    """Order of packed rows, and which of the ordered ones differ from the one before.

    Parameters
    ----------
    keys : list of int64 ndarrays of shape (n_rows,)

    Returns
    -------
    by_row : int64 ndarray of shape (n_rows,)
    is_first : bool ndarray of shape (n_rows,)
    """
    by_row = np.argsort(keys[0]) if len(keys) == 1 else np.lexsort(keys[::-1])
    is_first = np.zeros(len(by_row), dtype=bool)
    for key in keys:
        is_first |= _differs_from_last(key[by_row])
    return by_row, is_first


def _differs_from_last(ordered):
    is_first = np.ones(len(ordered), dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=is_first[1:])
    return is_first


def _sum_by_row(keys, weights=None):
    """Sum weights over equal rows.

    Parameters
    ----------
    keys : list of int64 ndarrays of shape (n_rows,)
        Rows as `_pack` gives them.
    weights : ndarray of shape (n_rows,) or None
        None counts the rows.

    Returns
    -------
    keys : list of int64 ndarrays of shape (n_distinct,)
        Sorted, without rows whose weights sum to zero.
    sums : ndarray of shape (n_distinct,)
    """
    if weights is None and len(keys) == 1:
        # Sorting values is several times faster than sorting positions by value.
        ordered = np.sort(keys[0])
        firsts = np.flatnonzero(_differs_from_last(ordered))
        return [ordered[firsts]], np.diff(firsts, append=len(ordered))
    weights = np.ones(len(keys[0]), dtype=np.int64) if weights is None else weights
    by_row, is_first = _sort_rows(keys)
    sums = np.add.reduceat(weights[by_row], np.flatnonzero(is_first))
    firsts = by_row[is_first]
    return [key[firsts[sums > 0]] for key in keys], sums[sums > 0]


def find_distinct_ngrams(codes, order, n_symbols):
    """Distinct maximal n-grams of a corpus, and which one each position is.

    Parameters
    ----------
    codes : integer ndarray of shape (n_positions + 1,)
    order, n_symbols : int

    Returns
    -------
    ngrams : ndarray of shape (order, n_ngrams)
        As in `NGramCounts`.
    inverse : int64 ndarray of shape (n_positions,)
    """
    keys = _pack(iterate_columns(codes.astype(np.int64), order), n_symbols)
    by_row, is_first = _sort_rows(keys)
    inverse = np.empty(len(by_row), dtype=np.int64)
    inverse[by_row] = np.cumsum(is_first) - 1
    firsts = by_row[is_first]
    return _unpack([key[firsts] for key in keys], order, n_symbols), inverse


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


@dataclass(frozen=True, eq=False)
class NGramCounts:
    """How often each maximal n-gram occurs: all that a model needs of its corpus.

    Parameters
    ----------
    ngrams : ndarray of shape (order, n_ngrams)
        One distinct n-gram a column, columns sorted: its history from the most recent
        id to the earliest, filled with 0 beyond the boundary, then the predicted id.
    counts : ndarray of shape (n_ngrams,)
        Sums of the weights, int64 where all weights are whole numbers, else float64;
        positive.
    n_symbols : int
        Number of ids, the boundary included.
    """

    ngrams: np.ndarray
    counts: np.ndarray
    n_symbols: int

    @property
    def order(self):
        """Length of the longest n-grams."""
        return len(self.ngrams)

    @classmethod
    def from_codes(cls, codes, offsets, order, n_symbols, sample_weight=None):
        """Count a corpus.

        Parameters
        ----------
        codes : integer ndarray of shape (n_positions + 1,)
        offsets : ndarray of shape (n_words + 1,)
            Positions of the boundaries that open the words, and of the last one.
        order : int
        n_symbols : int
        sample_weight : ndarray of shape (n_words,) or None
            A word of weight 2 counts as two words, one of weight 0 is absent.

        Returns
        -------
        counts : NGramCounts
        """
        if sample_weight is not None:
            sample_weight = exact_weights(sample_weight, np.diff(offsets))
        parts = []
        for first, last in list(iterate_word_chunks(offsets)) or [(0, 0)]:
            chunk = codes[offsets[first] : offsets[last] + 1].astype(np.int64)
            weights = None
            if sample_weight is not None:
                lengths = np.diff(offsets[first : last + 1])
                weights = np.repeat(sample_weight[first:last], lengths)
            keys = _pack(iterate_columns(chunk, order), n_symbols)
            parts.append(cls._from_keys(keys, weights, order, n_symbols))
            # Only parts of like size merge: few of the n-grams are sorted often.
            while len(parts) > 1 and len(parts[-2].counts) <= 2 * len(parts[-1].counts):
                parts[-2:] = [parts[-2].merge(parts[-1])]
        while len(parts) > 1:
            parts[-2:] = [parts[-2].merge(parts[-1])]
        return parts[0]

    @classmethod
    def _from_keys(cls, keys, weights, order, n_symbols):
        keys, counts = _sum_by_row(keys, weights)
        return cls(_unpack(keys, order, n_symbols), counts, n_symbols)

    def merge(self, other):
        """Counts of two corpora of the same ids as one.

        Parameters
        ----------
        other : NGramCounts
            Of the same order and number of symbols.

        Returns
        -------
        counts : NGramCounts
        """
        if (self.order, self.n_symbols) != (other.order, other.n_symbols):
            raise ValueError(
                f"Cannot merge n-grams of order {self.order} over {self.n_symbols} "
                f"symbols with n-grams of order {other.order} over {other.n_symbols}; "
                "count both with one order, and `remap` the one of fewer symbols."
            )
        pairs = zip(self.ngrams, other.ngrams, strict=True)
        keys = _pack(map(np.concatenate, pairs), self.n_symbols)
        counts = np.concatenate([self.counts, other.counts])
        return self._from_keys(keys, counts, self.order, self.n_symbols)

    def remap(self, new_ids, n_symbols):
        """Counts under the ids of a larger alphabet.

        Parameters
        ----------
        new_ids : increasing integer ndarray of shape (self.n_symbols,)
            `new_ids[i]` takes the place of `i`; the boundary stays 0.
        n_symbols : int

        Returns
        -------
        counts : NGramCounts
        """
        new_ids = np.asarray(new_ids, dtype=np.min_scalar_type(n_symbols - 1))
        return NGramCounts(new_ids[self.ngrams], self.counts, n_symbols)
