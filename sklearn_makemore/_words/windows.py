"""Encoded words to windows, and to distinct contexts with their next symbols."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from .packing import pack_ids, rank_keys
from .types import Floats, Ids
from .vocabulary import EncodedWords

MAX_WINDOW_CELLS = 1 << 32
"""Largest number of ids in all windows together, each a byte or more of memory."""


def windows(encoded: EncodedWords, block_size: int) -> Ids:
    """Return the `block_size` symbols before each target, the nearest last.

    Boundaries fill the columns before the start of a word.

    contexts : (n_predictions, block_size)
    """
    if encoded.n_predictions * block_size > MAX_WINDOW_CELLS:
        raise ValueError(
            f"Windows of {block_size} symbols before {encoded.n_predictions:,} "
            f"predictions have more than {MAX_WINDOW_CELLS:,} cells, too many for "
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


def last_windows(encoded: EncodedWords, block_size: int) -> Ids:
    """Return the window at the end of each word, (n_words, block_size)."""
    distances = np.arange(block_size - 1, -1, -1)
    columns = (encoded.offsets[1:] - 1)[:, np.newaxis] - distances
    inside = columns > encoded.offsets[:-1, np.newaxis]
    return np.where(inside, encoded.codes[np.maximum(columns, 0)], 0).astype(
        encoded.codes.dtype
    )


def shifted(contexts: Ids, ids: Ids) -> Ids:
    """Return windows, (n, block_size), after one more symbol each; ids : (n,)."""
    return np.concatenate(
        [contexts[:, 1:], ids[:, np.newaxis].astype(contexts.dtype)], axis=1
    )


def distinct_rows(contexts: Ids, n_symbols: int) -> tuple[Ids, Ids]:
    """Find the distinct rows of an array of ids, and the index of each row among them.

    contexts : (n_contexts, block_size)
    distinct : (n_distinct, block_size), in lexicographic order
    rows : (n_contexts,) int64, so that ``distinct[rows]`` equals `contexts`
    """
    keys = pack_ids(contexts.T, contexts.shape[1], n_symbols)
    first, rows = rank_keys(keys)
    return contexts[first], rows


def pair_counts(
    rows: Ids, targets: Ids, n_symbols: int, weights: Floats | None = None
) -> tuple[Ids, Ids, Floats]:
    """Count the distinct pairs of a context and the symbol that follows it.

    rows, targets, weights : (n_predictions,); without weights, each counts once
    rows, symbols, counts : (n_pairs,), in increasing order of the pairs
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

    contexts : (n_contexts, block_size) the distinct windows, in lexicographic order
    rows, symbols : (n_pairs,) int64, context and next symbol of each distinct pair, in
        increasing order of the pairs
    counts : (n_pairs,) float64, positive total weight of each pair
    """

    contexts: Ids
    rows: Ids
    symbols: Ids
    counts: Floats

    @classmethod
    def from_encoded(
        cls,
        encoded: EncodedWords,
        block_size: int,
        n_symbols: int,
        sample_weight: Floats | None = None,
        labels: Ids | None = None,
    ) -> Self:
        """Count the next symbols of every distinct window of the words.

        sample_weight : (n_words,), positive; without it, every word counts once
        labels : (n_words,); the ids in a window are ``label * n_symbols + symbol``
        """
        contexts, n_ids = windows(encoded, block_size), n_symbols
        if labels is not None:
            contexts = contexts.astype(np.int64)
            contexts += np.repeat(labels * n_symbols, encoded.lengths)[:, np.newaxis]
            n_ids *= 1 + int(labels.max())
        contexts, rows = distinct_rows(contexts, n_ids)
        weights = (
            None if sample_weight is None else np.repeat(sample_weight, encoded.lengths)
        )
        return cls(contexts, *pair_counts(rows, encoded.targets, n_symbols, weights))
