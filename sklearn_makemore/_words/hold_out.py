"""Words held out of training; equal words are always on the same side.

Networks, mixtures and `train_dev_test_split` draw groups of equal words at random.
Estimators that score their own training words fit one model per fold.
"""

import sys
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .prefixes import distinct_words
from .training_set import TrainingSet

ROUNDING = 1e-12
"""Relative error of sums of weights, so that whole words fit exactly."""


def hold_out(
    data: TrainingSet, share: float, rng: np.random.RandomState
) -> tuple[TrainingSet, TrainingSet | None]:
    """Hold words out at random, and return the training words and the held-out words.

    At least one word is held out, and more as long as they fit in this share of the
    total weight and are at most twice this share of the distinct words. Without the
    second limit, a few words of large weight would leave hardly any others to train on.

    The result depends on the words and their total weights, not on their order. The
    longest word is never held out, so that a model that limits the length can read all
    words. The held-out words are distinct, weighted by their total weight. They are
    None if all words are equal.
    """
    distinct, rows = distinct_words(data.encoded)
    if distinct.n_words < 2:
        return data, None
    weights = np.bincount(rows, data.sample_weight).astype(np.float64)
    order = rng.permutation(distinct.n_words)
    order = order[order != distinct.lengths.argmax()]
    scaled = weights / weights.max()  # their sum must not overflow
    max_groups = max(1, int(2 * share * distinct.n_words))
    parts = assign_groups(scaled, order, [share * scaled.sum()], max_groups=max_groups)
    is_held_out = parts[rows] > 0
    learned, held_out = np.flatnonzero(~is_held_out), np.flatnonzero(is_held_out)
    return data.take(learned), data.take(held_out).distinct()


def hold_out_folds(
    data: TrainingSet, n_folds: int, rng: np.random.RandomState
) -> Iterator[tuple[TrainingSet, TrainingSet]]:
    """Yield training words and held-out words, once for each fold.

    Equal words are in one fold, and the longest is in none, as in `hold_out`. With
    fewer other distinct words than `n_folds`, there are fewer folds.
    """
    distinct, rows = distinct_words(data.encoded)
    order = rng.permutation(distinct.n_words)
    order = order[order != distinct.lengths.argmax()]
    fold_of = np.full(distinct.n_words, -1)
    fold_of[order] = np.arange(len(order)) % n_folds
    for fold in range(min(n_folds, len(order))):
        is_held_out = fold_of[rows] == fold
        learned, held_out = np.flatnonzero(~is_held_out), np.flatnonzero(is_held_out)
        yield data.take(learned), data.take(held_out).distinct()


def assign_groups(
    weights: NDArray[Any],
    order: NDArray[np.int64],
    sizes: Sequence[float],
    *,
    nearest: bool = False,
    max_groups: int = sys.maxsize,
) -> NDArray[np.intp]:
    """Assign groups of equal words to parts 1, 2, ... of these sizes, others to part 0.

    The last part takes groups in order while they fit, then the part before it. A part
    that would be empty takes the lightest group. With `nearest`, a part below its size
    also takes the lightest group if this brings it nearer to its size. A part takes at
    most `max_groups`. Part 0 is never empty.

    weights : (n_groups,)
    order : (n_candidates,) groups that may leave part 0
    parts : (n_groups,)
    """
    parts = np.zeros(len(weights), dtype=np.intp)
    weight_of = weights.tolist()
    left = order.tolist()
    reserved = int(len(order) == len(weights))  # else part 0 has a group already
    for part in range(len(sizes), 0, -1):
        most = min(max_groups, len(left) - (part - 1) - reserved)
        taken = _taken_groups(weight_of, left, sizes[part - 1], most, nearest)
        parts[taken] = part
        left = [group for group in left if not parts[group]]
    return parts


def _taken_groups(
    weights: list[float], groups: list[int], size: float, most: int, nearest: bool
) -> list[int]:
    """Return the groups, at most `most`, that a part of some size takes."""
    taken: list[int] = []
    lack, rounding = size, ROUNDING * size
    for group in groups:
        if len(taken) < most and weights[group] <= lack + rounding:
            taken.append(group)
            lack -= weights[group]
    if not taken or (nearest and len(taken) < most and lack > rounding):
        left = set(groups).difference(taken)
        lightest = min(filter(left.__contains__, groups), key=weights.__getitem__)
        if not taken or weights[lightest] < 2 * lack:
            taken.append(lightest)
    return taken


def word_folds(
    words: Sequence[str], n_folds: int, labels: NDArray[Any] | None = None
) -> NDArray[np.int64]:
    """Return the fold of each word; equal words share one, consecutive words do not.

    The folds depend on the order of the words. Where labels are given, each is spread
    over all folds. With fewer distinct words than folds, the last folds are empty.

    labels : (n_words,)
    folds : (n_words,)
    """
    order = np.arange(len(words))
    if labels is not None:
        order = np.argsort(labels, kind="stable")
    folds = np.empty(len(words), dtype=np.int64)
    folds[order] = group_numbers(words[row] for row in order.tolist()) % n_folds
    return folds


def group_numbers(words: Iterable[Hashable]) -> NDArray[np.int64]:
    """Number the distinct words in the order of their first appearance."""
    # A dict, because arrays of text drop NULs at the end of words.
    numbers: dict[Hashable, int] = {}
    groups = [numbers.setdefault(word, len(numbers)) for word in words]
    return np.array(groups, dtype=np.int64)
