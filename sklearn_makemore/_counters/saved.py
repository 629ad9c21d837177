"""Counts to arrays of a model file, and back with checks.

The file is untrusted, see the threat model in the guide to saving models. The returned
counts are those of some list of words. All computations rely on this.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from .._words.packing import key_dtype, n_keys, pack_ids, unpack_ids
from .coding import decode_counts, decode_rows, encode_counts, encode_rows
from .ngrams import NGramCounts, check_memory
from .sums import sum_equal_rows
from .word_sample import SAMPLE_SIZE, WordSample

MAX_SAVED_ORDER = 1 << 12
"""Largest order in a file: several loops run once for every n-gram length."""

MAX_SAVED_TOTAL = 2.0**62
"""Bound of the total of whole counts in a file, so that int64 holds all their sums."""


def counts_to_save(counts: np.ndarray) -> np.ndarray:
    """Return counts in the smallest type that holds them."""
    if counts.dtype.kind == "f":
        return counts
    return counts.astype(np.min_scalar_type(counts.max(initial=0)))


def counts_from_file(counts: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return counts that `counts_to_save` wrote, of a known shape, once checked."""
    is_whole = counts.dtype.kind == "u"
    if counts.shape != shape or not (is_whole or counts.dtype == np.float64):
        raise ValueError(f"counts have shape {counts.shape} and type {counts.dtype}.")
    limit = MAX_SAVED_TOTAL if is_whole else np.inf
    if not (counts >= 0).all() or not 0 < counts.sum(dtype=np.float64) < limit:
        raise ValueError("counts are negative, not finite, or all zero.")
    return counts.astype(np.int64) if is_whole else counts


def ngrams_to_save(ngram_counts: NGramCounts) -> dict[str, np.ndarray]:
    """Return the arrays that a file keeps of n-gram counts."""
    if ngram_counts.order > MAX_SAVED_ORDER:
        raise ValueError(
            f"n-grams of order {ngram_counts.order} cannot be saved in a file; the "
            f"largest order is {MAX_SAVED_ORDER}."
        )
    saved = {
        "ngrams": encode_rows(ngram_counts.packed()),
        "counts": encode_counts(ngram_counts.counts),
        "word_lengths": counts_to_save(ngram_counts.word_lengths),
    }
    sample = ngram_counts.word_sample
    if not len(sample.keys):  # of an old file, or of a label without words
        return saved
    return {**saved, "sampled_words": sample.keys, "sampled_weights": sample.weights}


def ngrams_from_file(
    saved: dict[str, np.ndarray], order: int, n_symbols: int
) -> NGramCounts:
    """Return the n-gram counts whose arrays `ngrams_to_save` returned, once checked."""
    if "word_lengths" not in saved:
        raise ValueError("n-grams of version 0.1.0 lack the lengths of the words.")
    keys, counts = saved["ngrams"], saved["counts"]
    if keys.dtype == np.uint8:  # older files have the keys and counts themselves
        keys = decode_rows(keys, n_keys(order, n_symbols))
        counts = decode_counts(counts)
        if keys.max(initial=0) <= np.iinfo(key_dtype(order, n_symbols)).max:
            keys = keys.astype(key_dtype(order, n_symbols))
    _check_keys(keys, order, n_symbols)
    counts = counts_from_file(counts, keys.shape[1:])
    ngrams = unpack_ids(keys, order, n_symbols)
    is_packed = all(map(np.array_equal, pack_ids(ngrams, order, n_symbols), keys))
    if not is_packed or ngrams.max() >= n_symbols:
        raise ValueError("n-grams have ids outside the alphabet.")
    if not counts.all() or not _increase(keys):
        raise ValueError("n-grams are not distinct and sorted, or never occur.")
    if not _are_of_words(ngrams, counts, n_symbols):
        raise ValueError("n-grams are not those of any words.")
    word_lengths = saved["word_lengths"]
    word_lengths = counts_from_file(word_lengths, (word_lengths.size,))
    n_characters = word_lengths @ np.arange(len(word_lengths))
    of_words = word_lengths.sum(), n_characters
    of_ngrams = counts[ngrams[-1] == 0].sum(), counts[ngrams[-1] != 0].sum()
    if not word_lengths[-1] or not np.allclose(of_words, of_ngrams):
        raise ValueError("lengths are not those of the words of these n-grams.")
    sample = _sample_from_file(saved, word_lengths)
    return NGramCounts(ngrams, counts, n_symbols, word_lengths, sample)


def _sample_from_file(
    saved: dict[str, np.ndarray], word_lengths: np.ndarray
) -> WordSample:
    """Return the sample of words, once checked; old files have none."""
    if "sampled_words" not in saved:
        return WordSample.empty()
    keys, weights = saved["sampled_words"], saved["sampled_weights"]
    if keys.dtype != np.uint64 or keys.ndim != 1 or len(keys) > SAMPLE_SIZE:
        raise ValueError(f"sampled words have shape {keys.shape}, type {keys.dtype}.")
    if np.any(keys[1:] <= keys[:-1]):
        raise ValueError("sampled words are not distinct and sorted.")
    weights = counts_from_file(weights, keys.shape)
    total = word_lengths.sum(dtype=np.float64)
    if not weights.all() or weights.sum() > total * (1 + 1e-6):
        raise ValueError("sampled words weigh nothing, or more than all words.")
    return WordSample(keys, weights.astype(np.float64))


def _check_keys(keys: np.ndarray, order: int, n_symbols: int) -> None:
    """Raise an error unless an array has the form of packed n-grams of an order."""
    if order > MAX_SAVED_ORDER or keys.dtype != key_dtype(order, n_symbols):
        raise ValueError(f"n-grams of order {order} have keys of type {keys.dtype}.")
    n_rows = n_keys(order, n_symbols)
    if keys.ndim != 2 or len(keys) != n_rows or not keys.size or keys.min() < 0:
        raise ValueError(f"n-grams have keys of shape {keys.shape}, or below 0.")
    check_memory(keys.shape[1], order)


def _increase(keys: np.ndarray) -> bool:
    """Whether every packed row is larger than the one before it."""
    is_larger = np.zeros(len(keys[0]) - 1, dtype=bool)
    for key in keys[::-1]:
        is_larger &= key[1:] == key[:-1]
        is_larger |= key[1:] > key[:-1]
    return bool(is_larger.all())


def _are_of_words(ngrams: np.ndarray, counts: np.ndarray, n_symbols: int) -> bool:
    """Whether these are the maximal n-grams of some words.

    A history consists of ids that were predicted before it. So there are as many
    predictions after a history as predictions that lead to it, where the end of a word
    leads to the start of another one.
    """
    *history, predicted = ngrams
    if not history:
        return predicted.min() == 0
    for recent, earlier in pairwise(history):
        if np.any(earlier[recent == 0]):
            return False
    leading = np.stack([predicted, *history[:-1]]) * (predicted != 0)
    (keys, sums), (others, other_sums) = (
        sum_equal_rows(pack_ids(columns, len(history), n_symbols), counts)
        for columns in (history, leading)
    )
    # Sums of fractional weights are rounded.
    return all(map(np.array_equal, keys, others)) and np.allclose(sums, other_sums)
