"""Weighted sums over words, a chunk at a time, and over equal packed n-grams."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import numpy as np

from .._words.packing import differs_from_last, sort_keys
from .._words.vocabulary import EncodedWords

Part = TypeVar("Part")

Sums = tuple[list[np.ndarray], np.ndarray]
"""Distinct packed n-grams, see `pack_ids`, and how often each of them occurs."""


def weighted_chunks(
    encoded: EncodedWords, sample_weight: np.ndarray | None, n_predictions: int
) -> Iterator[tuple[EncodedWords, np.ndarray | None]]:
    """Yield chunks of whole words, about `n_predictions` each, with their weights.

    sample_weight : (n_words,) or None
    weights : (chunk.n_predictions,) or None, the weight of each prediction
    """
    first, weights = 0, None
    # Without words there is one chunk without predictions.
    for chunk in encoded.chunks(n_predictions) if encoded.n_words else [encoded]:
        if sample_weight is not None:
            last = first + chunk.n_words
            weights = np.repeat(sample_weight[first:last], chunk.lengths)
            first = last
        yield chunk, weights


def exact_weights(sample_weight: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return weights as int64 if all their sums are exact in float64, else as float64.

    sample_weight, lengths, weights : (n_words,)
    """
    weights = np.asarray(sample_weight, dtype=np.float64)
    # From 2**53 on, float64 does not hold every whole number.
    is_exact = np.all(weights == np.floor(weights)) and weights @ lengths < 2.0**53
    return weights.astype(np.int64) if is_exact else weights


def compact_counts(counts: np.ndarray) -> np.ndarray:
    """Return whole counts as int32 if their sum fits into it, other counts as given."""
    is_whole = counts.dtype.kind == "i"
    fits = is_whole and counts.sum(dtype=np.float64) <= np.iinfo(np.int32).max
    return counts.astype(np.int32, copy=False) if fits else counts


def sum_equal_rows(keys: list[np.ndarray], weights: np.ndarray | None = None) -> Sums:
    """Sum weights over equal packed rows, and leave out rows whose sum is zero.

    keys : arrays of shape (n_rows,), as `pack_ids` returns them
    weights : (n_rows,); None counts each row once
    sums : (n_distinct,), of the type of the weights or int64; their keys are sorted
    """
    if weights is None and len(keys) == 1:
        # Sorting values is several times faster than sorting indices by value.
        ordered = np.sort(keys[0])
        firsts = np.flatnonzero(differs_from_last(ordered))
        return [ordered[firsts]], np.diff(firsts, append=len(ordered))
    weights = np.ones(len(keys[0]), dtype=np.int64) if weights is None else weights
    by_row, is_first = sort_keys(keys)
    sums = np.add.reduceat(weights[by_row], np.flatnonzero(is_first))
    firsts = by_row[is_first]
    del by_row, is_first  # as large as the rows
    check_no_overflow(sums)
    if not sums.all():
        firsts, sums = firsts[sums > 0], sums[sums > 0]
    return [key[firsts] for key in keys], sums


def check_no_overflow(sums: np.ndarray) -> None:
    """Raise an error if a sum of two counts has left the range of int64."""
    if sums.min(initial=0) < 0:
        raise ValueError(
            "A count is above 2**63 - 1, the largest integer. Divide all sample "
            "weights by the same number."
        )


def merge_sums(one: Sums, other: Sums) -> Sums:
    """Return two sums as one."""
    keys = [np.concatenate(pair) for pair in zip(one[0], other[0], strict=True)]
    counts = compact_counts(np.concatenate([one[1], other[1]]))
    del one, other  # merged rows must not be in memory twice
    return sum_equal_rows(keys, counts)


def balanced_sum(
    parts: Iterable[Part],
    add: Callable[[Part, Part], Part],
    size: Callable[[Part], int],
) -> Part | None:
    """Add parts, those of similar size first, so that few n-grams are added often.

    Return None if there are no parts.
    """
    sums: list[Part] = []
    for part in parts:
        sums.append(part)
        del part  # a sum must not be in memory twice
        while len(sums) > 1 and size(sums[-2]) <= 2 * size(sums[-1]):
            sums.append(add(sums.pop(), sums.pop()))
    while len(sums) > 1:
        sums.append(add(sums.pop(), sums.pop()))
    return sums.pop() if sums else None
