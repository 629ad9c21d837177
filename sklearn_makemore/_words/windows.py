"""Encoded words to windows, and to distinct contexts with their next symbols."""

from dataclasses import dataclass

import numpy as np

from .packing import pack_ids, rank_keys

MAX_CELLS_OF_WINDOWS = 1 << 32
"""Places that windows may have together: they are held at once, a byte each or more."""


def windows(encoded, block_size):
    """Return the window of symbols before each prediction.

    Parameters
    ----------
    encoded : EncodedWords
        The words.

    block_size : int
        Number of symbols in a window.

    Returns
    -------
    contexts : ndarray of shape (n_predictions, block_size)
        The `block_size` symbols before each target, nearest last; boundaries fill the
        places before the start of the word.

    Raises
    ------
    ValueError
        If they would have more places than a computer holds.

    Examples
    --------
    >>> from sklearn_makemore._words.windows import windows
    >>> from sklearn_makemore._words.vocabulary import CharVocabulary
    >>> vocabulary = CharVocabulary("ab")
    >>> windows(vocabulary.encode(["ab"]), block_size=3)
    array([[0, 0, 0],
           [0, 0, 1],
           [0, 1, 2]], dtype=uint8)
    """
    if encoded.n_predictions * block_size > MAX_CELLS_OF_WINDOWS:
        raise ValueError(
            f"Windows of {block_size} symbols before {encoded.n_predictions:,} "
            f"predictions have more than {MAX_CELLS_OF_WINDOWS:,} cells, too many for "
            "memory; use smaller windows."
        )
    positions = encoded.positions  # (n_predictions,)
    padded = np.concatenate(
        [np.zeros(block_size - 1, dtype=encoded.codes.dtype), encoded.codes[:-1]]
    )
    contexts = np.lib.stride_tricks.sliding_window_view(padded, block_size).copy()
    for distance in range(1, block_size + 1):
        contexts[positions < distance, block_size - distance] = 0
    return contexts


def last_windows(encoded, block_size):
    """Return the window that ends each word, of shape (n_words, block_size)."""
    distances = np.arange(block_size - 1, -1, -1)
    places = (encoded.offsets[1:] - 1)[:, np.newaxis] - distances
    inside = places > encoded.offsets[:-1, np.newaxis]
    return np.where(inside, encoded.codes[np.maximum(places, 0)], 0).astype(
        encoded.codes.dtype
    )


def shifted(contexts, ids):
    """Return the windows one symbol later, of the shape of `contexts`."""
    return np.concatenate(
        [contexts[:, 1:], ids[:, np.newaxis].astype(contexts.dtype)], axis=1
    )


def distinct_rows(contexts, n_symbols):
    """Find the distinct rows of an array of ids, and which of them each row is.

    contexts : (n_contexts, block_size)
    distinct : (n_distinct, block_size), in lexicographic order
    rows : (n_contexts,) int64, so that ``distinct[rows]`` equals `contexts`
    """
    keys = pack_ids(contexts.T, contexts.shape[1], n_symbols)
    first, rows = rank_keys(keys)
    return contexts[first], rows


def pair_counts(rows, targets, n_symbols, weights=None):
    """Count the distinct pairs of a context and the symbol that follows it.

    Parameters
    ----------
    rows : ndarray of shape (n_predictions,), dtype int64
        Context of each prediction.

    targets : ndarray of shape (n_predictions,)
        The symbol that follows.

    n_symbols : int
        Number of symbols.

    weights : ndarray of shape (n_predictions,), default=None
        Weight of each prediction; None counts every one once.

    Returns
    -------
    rows, symbols : ndarray of shape (n_pairs,), dtype int64
        The distinct pairs, in increasing order.
    counts : ndarray of shape (n_pairs,), dtype float64
        Total weight of each.
    """
    keys = rows * n_symbols + targets  # (n_predictions,)
    first, ranks = rank_keys([keys])
    pairs = keys[first]
    counts = np.bincount(ranks, weights=weights).astype(np.float64)
    return pairs // n_symbols, pairs % n_symbols, counts


@dataclass(frozen=True, eq=False)
class ContextCounts:
    """Distinct contexts and how often each symbol follows them.

    This is a sufficient statistic of the words for every model that sees
    `block_size` symbols: the log-likelihood is the sum over its entries of
    ``counts * log p(symbols | contexts[rows])``.

    Parameters
    ----------
    contexts : ndarray of shape (n_contexts, block_size)
        The distinct windows, in lexicographic order.

    rows : ndarray of shape (n_pairs,), dtype int64
        Context of each distinct pair of context and next symbol, in increasing order.

    symbols : ndarray of shape (n_pairs,), dtype int64
        Next symbol of each pair, increasing within a context.

    counts : ndarray of shape (n_pairs,), dtype float64
        Total weight of each pair; all positive.
    """

    contexts: np.ndarray
    rows: np.ndarray
    symbols: np.ndarray
    counts: np.ndarray

    @classmethod
    def from_encoded(cls, encoded, block_size, n_symbols, sample_weight=None):
        """Count the next symbols of every distinct window of the words.

        Parameters
        ----------
        encoded : EncodedWords
            The words.

        block_size : int
            Number of symbols in a context.

        n_symbols : int
            Number of symbols.

        sample_weight : ndarray of shape (n_words,), default=None
            Weight of each word, positive; None counts every word once.

        Returns
        -------
        counts : ContextCounts
            The distinct contexts and the weights of their next symbols.
        """
        contexts, rows = distinct_rows(windows(encoded, block_size), n_symbols)
        weights = (
            None if sample_weight is None else np.repeat(sample_weight, encoded.lengths)
        )
        return cls(contexts, *pair_counts(rows, encoded.targets, n_symbols, weights))

    @property
    def total(self):
        """Total weight of all predictions."""
        return float(self.counts.sum())
