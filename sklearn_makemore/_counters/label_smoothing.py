"""N-gram probabilities given a label, which back off to the words of all labels.

With ``c`` for the adjusted counts of a label's words, ``D`` for discounts, ``h'`` for
the history `h` without its earliest id, and ``p(w | h)`` for the n-gram model of all
words, with Kneser-Ney or additive smoothing,

``p(w | h, y) = (c(hw) - D(c(hw)) + freed(h) q(w | h, y)) / c(h)``

where ``freed(h)`` is the sum of the discounts after `h`, and

``q(w | h, y) = (1 - s) p(w | h', y) + s p(w | h)``

So each history backs off in two directions: to a shorter history of the same label, and
to the same history with any label. The share `s` of the latter depends on how often the
history occurs with the label and with any label, see `evidence`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from .model import NGramModel
from .ngrams import NGramCounts
from .smoothing import Smoothed
from .trie import HistoryTrie, find_keys

MIN_LEFT = 1e-12
"""Smallest probability of all ids not seen after a history, against rounding."""

LIMITS = np.array([1.0, 2.0, 3.0])
"""D[k] is less than `k`."""

MAX_VALUE = 1e6
"""Bound of the values in a file, so that log odds are finite."""

N_EVIDENCE = 4
"""Number of columns of `evidence`."""


@dataclass(frozen=True, eq=False)
class LabelCounts:
    """Adjusted counts of the words of one label, in the trie of all words.

    ngrams, counts : (n_ngrams,), the n-grams of the trie that occur with the label, in
        increasing order, and how often
    states, totals : (n_states,), the states before them, in increasing order, and the
        sums of the counts after each
    n_of_count : (3, n_states), how many n-grams after each state occur once, twice, and
        more often
    """

    ngrams: NDArray[np.int64]
    counts: NDArray[np.float64]
    states: NDArray[np.int64]
    totals: NDArray[np.float64]
    n_of_count: NDArray[np.int64]

    @classmethod
    def from_ngrams(cls, pooled: HistoryTrie, ngram_counts: NGramCounts) -> LabelCounts:
        """Count the words of a label, which `pooled` has too."""
        trie = HistoryTrie(ngram_counts)
        states, targets = np.divmod(trie.ngram_keys, trie.n_symbols)
        keys = _states_in(pooled, trie)[states] * pooled.n_symbols + targets
        ngrams, _ = find_keys(pooled.ngram_keys, keys)
        order = np.argsort(ngrams)
        ngrams, counts = ngrams[order], trie.counts[order].astype(np.float64)
        states, owners = np.unique(
            pooled.ngram_keys[ngrams] // pooled.n_symbols, return_inverse=True
        )
        totals = np.bincount(owners, counts).astype(np.float64)
        keys = (count_kind(counts) - 1) * len(states) + owners
        n_of_count = np.bincount(keys, minlength=3 * len(states)).reshape(3, -1)
        return cls(ngrams, counts, states, totals, n_of_count)

    def part(self, ngrams: slice, states: slice) -> LabelCounts:
        """Return the n-grams and states in ranges, numbered from their starts."""
        rows = slice(*np.searchsorted(self.ngrams, [ngrams.start, ngrams.stop]))
        owners = slice(*np.searchsorted(self.states, [states.start, states.stop]))
        return LabelCounts(
            self.ngrams[rows] - ngrams.start,
            self.counts[rows],
            self.states[owners] - states.start,
            self.totals[owners],
            self.n_of_count[:, owners],
        )

    def of_ngrams(self, ngrams: np.ndarray) -> NDArray[np.float64]:
        """Return the counts of n-grams of the trie, 0 for others, (n,)."""
        places, is_there = find_keys(self.ngrams, ngrams)
        return np.append(self.counts, 0)[np.where(is_there, places, -1)]

    def of_states(
        self, states: np.ndarray
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return the totals (n,) and `n_of_count` (3, n) of states of the trie."""
        places, is_there = find_keys(self.states, states)
        places = np.where(is_there, places, -1)
        n_of_count = np.pad(self.n_of_count, [(0, 0), (0, 1)])
        return np.append(self.totals, 0)[places], n_of_count[:, places]


def _states_in(pooled: HistoryTrie, trie: HistoryTrie) -> NDArray[np.int64]:
    """Return the state of `pooled` with the history of each state, (n_states,)."""
    states = np.zeros(trie.n_states, np.int64)
    earliest = trie.child_keys % trie.n_symbols
    for length in range(1, trie.order):
        level = slice(*trie.state_levels[length : length + 2].tolist())
        ids = earliest[level.start - 1 : level.stop - 1]
        keys = states[trie.parents[level]] * pooled.n_symbols + ids
        states[level] = 1 + find_keys(pooled.child_keys, keys)[0]
    return states


def count_kind(counts: np.ndarray) -> NDArray[np.int64]:
    """Return 0, 1, 2 or 3 for counts of none, one, two, and more; rounded up."""
    return np.minimum(np.ceil(counts), 3).astype(np.int64)


def evidence(
    totals: np.ndarray, n_ngrams: np.ndarray, pooled_totals: np.ndarray
) -> NDArray[np.float64]:
    """Return what the share of all words depends on, (n, N_EVIDENCE).

    totals, n_ngrams : (n,), sum of the counts and number of n-grams after a history,
        with the label
    pooled_totals : (n,), the sum with any label
    """
    ones = np.ones(len(totals))
    return np.stack([ones, *np.log1p([totals, pooled_totals, n_ngrams])], axis=1)


@dataclass(frozen=True, eq=False)
class LabelBackoff:
    """How the probabilities of a label back off.

    discounts : (order, 2, 3), by length of the history, whether it begins a word, and
        count of the n-gram
    slopes : (order, N_EVIDENCE), coefficients of `evidence` in the log odds of the
        share, by length of the history
    label_shifts : (n_labels,), added to the log odds for each label
    """

    discounts: NDArray[np.float64]
    slopes: NDArray[np.float64]
    label_shifts: NDArray[np.float64]

    def pooled_share(
        self, length: int, labels: np.ndarray | int, evidence: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the share of all words after histories of one length, (n,).

        labels : (n,), or one for all
        evidence : (n, N_EVIDENCE)
        """
        return expit(evidence @ self.slopes[length] + self.label_shifts[labels])

    def extended(self, order: int, n_labels: int) -> LabelBackoff:
        """Return the back-off for longer histories and more labels.

        Longer histories back off like the longest so far, and new labels like the mean
        of those so far.
        """
        lengths = np.minimum(np.arange(order), len(self.slopes) - 1)
        n_new = n_labels - len(self.label_shifts)
        shifts = np.append(self.label_shifts, [self.label_shifts.mean()] * n_new)
        return LabelBackoff(self.discounts[lengths], self.slopes[lengths], shifts)

    def check(self, order: int, n_labels: int) -> None:
        """Raise an error unless a file has values that can be learned."""
        shapes = {
            "discounts": (order, 2, 3),
            "slopes": (order, N_EVIDENCE),
            "label_shifts": (n_labels,),
        }
        for name, shape in shapes.items():
            values = getattr(self, name)
            if values.dtype != np.float64 or values.shape != shape:
                raise ValueError(f"{name} have shape {values.shape}.")
            if not (np.abs(values) < MAX_VALUE).all():
                raise ValueError(f"{name} are not finite, or too large.")
        if not ((self.discounts > 0) & (self.discounts < LIMITS)).all():
            raise ValueError("discounts are not between 0 and the count.")


@dataclass(frozen=True, eq=False)
class Level:
    """The states of one length in the trie of all words, and the n-grams after them.

    states, ngrams : their numbers
    owners, lower : (n_ngrams,) the state before each n-gram, counted from the first of
        the level, and the number of the n-gram without its earliest id
    begins_word, totals : (n_states,), of all words
    evidence : (n_states, N_EVIDENCE), for histories that do not occur with a label
    """

    states: slice
    ngrams: slice
    owners: NDArray[np.int64]
    lower: NDArray[np.int64]
    begins_word: NDArray[np.bool_]
    totals: NDArray[np.float64]
    evidence: NDArray[np.float64]

    @classmethod
    def of(cls, trie: HistoryTrie, length: int, totals: np.ndarray) -> Level:
        """Return the level of histories of a length; totals : of all states."""
        states = slice(*trie.state_levels[length : length + 2].tolist())
        ngrams = slice(*trie.ngram_levels[length : length + 2].tolist())
        owners = trie.ngram_keys[ngrams].astype(np.intp) // trie.n_symbols
        lower, none = trie.lower_ngrams(ngrams), np.zeros(states.stop - states.start)
        of_level = trie.begins_word[states], totals[states]
        unseen = evidence(none, none, totals[states])
        return cls(states, ngrams, owners - states.start, lower, *of_level, unseen)


class LabelledNGrams:
    """The n-grams of all words, and those of each label.

    trie : those of all words
    pooled : what `smoothing` returns for them
    ngram_counts : per label those of its words, which may be none
    """

    def __init__(
        self,
        trie: HistoryTrie,
        pooled: Smoothed,
        ngram_counts: Sequence[NGramCounts],
    ) -> None:
        self.trie, self.pooled = trie, pooled
        self.by_label = [LabelCounts.from_ngrams(trie, part) for part in ngram_counts]
        states = trie.ngram_keys // trie.n_symbols
        self.pooled_totals = np.bincount(states, trie.counts, trie.n_states)

    @cached_property
    def pooled_model(self) -> NGramModel:
        """The model of all words."""
        proba, backoff = self.pooled
        return NGramModel.from_proba(self.trie, proba.copy(), backoff.copy())

    def look_up(
        self, labels: np.ndarray, ngrams: np.ndarray, states: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the counts, the totals and `n_of_count` for labels.

        labels, ngrams, states : (n,)
        counts, totals : (n,)
        n_of_count : (3, n)
        """
        counts, totals = np.zeros((2, len(labels)))
        n_of_count = np.zeros((3, len(labels)), np.int64)
        for label in np.unique(labels).tolist():
            rows, own = np.flatnonzero(labels == label), self.by_label[label]
            counts[rows] = own.of_ngrams(ngrams[rows])
            totals[rows], n_of_count[:, rows] = own.of_states(states[rows])
        return counts, totals, n_of_count

    @cached_property
    def levels(self) -> list[Level]:
        """The states and n-grams by length of the history."""
        return [
            Level.of(self.trie, k, self.pooled_totals) for k in range(self.trie.order)
        ]

    def smoothed(self, label: int, backoff: LabelBackoff) -> Smoothed:
        """Return the probabilities given a label, for the n-grams of all words.

        The back-off weights make the probabilities sum to one. So an id that no word
        has after a history has a probability that depends on the shorter history only,
        or is impossible if it is so without a label: additive smoothing with 0.
        """
        trie, own = self.trie, self.by_label[label]
        pooled, pooled_backoff = self.pooled
        proba = np.full(trie.n_ngrams + 1, 1 / trie.n_symbols)
        left = np.ones((2, trie.n_states))  # for other ids: here, after the parent
        for length, level in enumerate(self.levels):
            here = own.part(level.ngrams, level.states)
            share = backoff.pooled_share(length, label, level.evidence)
            seen = evidence(
                here.totals, here.n_of_count.sum(axis=0), level.totals[here.states]
            )
            share[here.states] = backoff.pooled_share(length, label, seen)
            lower = proba[level.lower]
            mixed = pooled[level.ngrams] - lower
            mixed *= share[level.owners]
            mixed += lower
            proba[level.ngrams] = _with_own_counts(
                mixed, here, level, backoff.discounts[length]
            )
            for row, part in enumerate((proba[level.ngrams], lower)):
                left[row, level.states] -= np.bincount(level.owners, part)
            is_closed = pooled_backoff[level.states] == 0
            if is_closed.any():
                of_seen = np.where(is_closed, 1 - left[0, level.states], 1)
                proba[level.ngrams] /= of_seen[level.owners]
        np.maximum(left, MIN_LEFT, out=left)
        return proba, np.where(pooled_backoff > 0, left[0] / left[1], 0)


def _with_own_counts(
    mixed: NDArray[np.float64],
    own: LabelCounts,
    level: Level,
    discounts: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the probabilities of a level, of which `mixed` is what discounts free.

    own : n-grams and states of the level that occur with the label
    discounts : (2, 3), of the level
    """
    owners = level.owners[own.ngrams]
    begins_word = level.begins_word[owners].astype(np.intp)
    removed = discounts[begins_word, count_kind(own.counts) - 1]
    removed = np.minimum(removed, own.counts)
    # A history that does not occur with the label leaves all to the back-off.
    freed, totals = np.ones((2, len(level.totals)))
    totals[own.states] = own.totals
    sums = np.bincount(owners, removed, len(totals))
    freed[own.states] = sums[own.states] / own.totals
    proba = freed[level.owners] * mixed
    proba[own.ngrams] += (own.counts - removed) / totals[owners]
    return proba
