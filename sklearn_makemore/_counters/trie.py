"""The trie of histories: states of an n-gram model, and n-grams of every length.

A *state* is a history seen in training. A history is looked up from its most recent id
backwards, as far as the trie contains it. The parent of a state is therefore the
history without its earliest id, to which smoothing backs off. States are numbered level
by level; the empty history is 0. All tables are sorted arrays of keys
`state * n_symbols + id`. Their type is int32 if it holds every key, and otherwise
int64, which is large enough for any order.
"""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._words.code_points import place_dtype, slices
from .._words.packing import differs_from_last
from .._words.vocabulary import BOUNDARY, within_groups
from .ngrams import NGramCounts
from .sums import compact_counts

NODE_CHUNK_SIZE = 1 << 14
"""Number of states or n-grams looked up at a time; bounds the temporary arrays."""


class HistoryTrie:
    """States and n-grams of words, from the counts of their maximal n-grams.

    parents : (n_states,), the state without its earliest id; the empty history is its
        own parent
    child_keys : (n_states - 1,), sorted ``parent * n_symbols + earliest id`` of states
        1, 2, ...
    state_levels : (order + 1,); histories of length `k` are the states from
        ``state_levels[k]`` up to but not including ``state_levels[k + 1]``
    is_maximal : (n_states,), whether the state is the full history of some prediction:
        `order` - 1 ids, or fewer back to the boundary
    ngram_keys : (n_ngrams,), sorted ``state * n_symbols + predicted id`` of the n-grams
        of all lengths
    ngram_levels : (order + 1,), as `state_levels`, of n-grams by length of the history
    counts : (n_ngrams,), adjusted counts: after a maximal state, how often the n-gram
        occurs; after others, the number of distinct ids that come before it
    next_states : (n_ngrams + 1,), the state after each n-gram; after the boundary, the
        start of a word. The last one is the empty history, the state after an id that
        was never seen.
    start_state : the state at the start of a word
    cut : (n_states,), how often the n-grams occur that were pruned after each state;
        None if none were

    Examples
    --------
    The words "ab" and "a", with 0 for the boundary, 1 for "a" and 2 for "b", written
    "|", "a" and "b" here:

    >>> import numpy as np
    >>> from sklearn_makemore._counters.trie import HistoryTrie
    >>> from sklearn_makemore._counters.ngrams import NGramCounts
    >>> from sklearn_makemore._words.vocabulary import CharVocabulary
    >>> encoded = CharVocabulary("ab").encode(["ab", "a"])
    >>> trie = HistoryTrie(NGramCounts.from_encoded(encoded, order=3, n_symbols=3))

    The histories before the predictions are "|", "|a" and "ab". State 0 is the empty
    history. Its children are the histories of one id, "|", "a" and "b": states 1 to 3.
    Reading "a" one id further back gives "|a": state 4, a child of state 2. In the same
    way "ab", state 5, is a child of "b", state 3. Nothing comes before "|".

    >>> parents, earliest_ids = np.divmod(trie.child_keys, trie.n_symbols)
    >>> for state, (parent, id_) in enumerate(zip(parents, earliest_ids), start=1):
    ...     print(f"state {state}: {'|ab'[id_]!r} before state {parent}")
    state 1: '|' before state 0
    state 2: 'a' before state 0
    state 3: 'b' before state 0
    state 4: '|' before state 2
    state 5: 'a' before state 3
    >>> trie.state_levels  # no id: from 0, one id: from 1, two ids: from 4
    array([0, 1, 4, 6])
    >>> np.flatnonzero(trie.is_maximal)
    array([1, 4, 5])

    The n-grams are the ids seen after each state. "a" was seen twice after "|". After
    the empty history it counts once, for the one id that comes before it.

    >>> states, predicted_ids = np.divmod(trie.ngram_keys, trie.n_symbols)
    >>> print(np.stack([states, predicted_ids, trie.counts, trie.next_states[:-1]]))
    [[0 0 0 1 2 2 3 4 4 5]
     [0 1 2 1 0 2 0 0 2 0]
     [2 1 1 2 1 1 1 1 1 1]
     [1 2 3 4 1 5 1 1 5 1]]
    """

    ngram_counts: Any
    cut: np.ndarray | None = None

    def __init__(self, ngram_counts: NGramCounts) -> None:
        self.ngram_counts = ngram_counts
        self.order, self.n_symbols = ngram_counts.order, ngram_counts.n_symbols
        *histories, targets = ngram_counts.ngrams
        self.child_keys, self.state_levels, maximal_states = _number_histories(
            histories, len(targets), self.n_symbols
        )
        self._number_parents()
        self.is_maximal = np.zeros(self.n_states, dtype=bool)
        self.is_maximal[maximal_states] = True
        maximal_states *= self.n_symbols  # in place: they become keys
        np.add(maximal_states, targets, out=maximal_states, casting="same_kind")
        self.ngram_keys, self.counts, self.ngram_levels = self._collapse(
            maximal_states, compact_counts(ngram_counts.counts)
        )
        self.n_ngrams = len(self.ngram_keys)
        _ = self.next_states  # found now: once counts are smoothed, more memory is held

    def _number_parents(self) -> None:
        """Set what follows from `child_keys`."""
        self.n_states = 1 + len(self.child_keys)
        self.parents = np.zeros(self.n_states, self.child_keys.dtype)
        np.floor_divide(self.child_keys, self.n_symbols, out=self.parents[1:])
        # The start of a word is the first history of one id, unless it is pruned.
        self.start_state = int((self.child_keys[:1] == BOUNDARY).sum())

    def lower_ngrams(self, ngrams: np.ndarray | slice) -> NDArray[np.int64]:
        """Return the index of each n-gram without its earliest id.

        After the empty history, it is `n_ngrams`, the n-gram without ids.
        """
        keys = self.ngram_keys[ngrams]
        lower = np.searchsorted(self.ngram_keys, self._lower_keys(keys))
        lower[keys < self.n_symbols] = self.n_ngrams
        return lower

    def has_lower_ngrams(self) -> bool:
        """Whether each n-gram of more ids is there without its earliest id."""
        longer = self.ngram_keys[self.ngram_levels[1] :]
        return bool(find_keys(self.ngram_keys, self._lower_keys(longer))[1].all())

    @cached_property
    def begins_word(self) -> NDArray[np.bool_]:
        """Whether each history goes back to the boundary, (n_states,)."""
        return np.append(False, self.child_keys % self.n_symbols == 0)

    def _lower_keys(self, ngram_keys: np.ndarray) -> np.ndarray:
        states, targets = np.divmod(ngram_keys, self.n_symbols)
        lower_keys = self.parents[states]
        lower_keys *= self.n_symbols
        lower_keys += targets
        return lower_keys

    def _collapse(
        self, maximal_keys: np.ndarray, maximal_counts: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return `ngram_keys`, `counts` and `ngram_levels` from the maximal n-grams.

        maximal_keys : (n_maximal,), not sorted
        maximal_counts : (n_maximal,)
        """
        keys, counts = maximal_keys[:0], maximal_counts[:0]
        keys_by_length, counts_by_length = [], []
        for length in reversed(range(self.order)):
            # A maximal history shorter than the order begins with the boundary, so no
            # longer history ends in it: its n-grams are not among the lower ones.
            first, last = self.state_levels[length : length + 2] * self.n_symbols
            is_here = (maximal_keys >= first) & (maximal_keys < last)
            lower_keys, n_before = np.unique(self._lower_keys(keys), return_counts=True)
            keys = np.concatenate([lower_keys, maximal_keys[is_here]])
            n_before = n_before.astype(maximal_counts.dtype)
            counts = np.concatenate([n_before, maximal_counts[is_here]])
            by_key = np.argsort(keys, kind="stable")
            keys, counts = keys[by_key], counts[by_key]
            keys_by_length.insert(0, keys)
            counts_by_length.insert(0, counts)
        levels = np.cumsum([0] + [len(keys) for keys in keys_by_length])
        keys = np.concatenate(keys_by_length)
        keys_by_length.clear()  # as large as their concatenation
        return keys, np.concatenate(counts_by_length), levels

    @cached_property
    def next_states(self) -> np.ndarray:
        """The state after every n-gram, and the empty history at the end.

        It is the state after the n-gram without its earliest id, extended by that id.
        The longest n-grams are longer than any history: they keep the shorter one. So
        do n-grams after which everything is pruned.
        """
        next_states = np.zeros(self.n_ngrams + 1, self.parents.dtype)
        for length, level in enumerate(pairwise(self.ngram_levels.tolist())):
            for part in slices(*level, NODE_CHUNK_SIZE):
                after = next_states[self.lower_ngrams(part)]
                if length + 1 < self.order:
                    states, ids = np.divmod(self.ngram_keys[part], self.n_symbols)
                    earliest = ids
                    if length:
                        earliest = self.child_keys[states - 1] % self.n_symbols
                    keys = after * self.n_symbols + earliest
                    children, is_there = find_keys(self.child_keys, keys)
                    # A shortened history must not be extended.
                    is_there &= after >= self.state_levels[length]
                    after[is_there] = children[is_there] + 1
                    after[ids == BOUNDARY] = self.start_state
                next_states[part] = after
        return next_states


def find_keys(
    table: np.ndarray, keys: np.ndarray
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the positions of keys (n,) in a sorted table, and which are in it."""
    # Keys of another type would convert the whole table.
    keys = keys.astype(table.dtype, copy=False)
    positions = np.searchsorted(table, keys)
    is_there = positions < len(table)
    is_there[is_there] = table[positions[is_there]] == keys[is_there]
    return positions, is_there


def levels_of(child_keys: np.ndarray, order: int, n_symbols: int) -> np.ndarray:
    """Return the `state_levels` of sorted child keys."""
    levels = [0, 1]
    while len(levels) <= order:
        end_key = levels[-1] * n_symbols
        levels.append(1 + int(np.searchsorted(child_keys, end_key)))
    return np.array(levels)


def ngrams_after(
    ngram_keys: np.ndarray, n_symbols: int, states: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return all n-grams after some states, and the index of each one's state.

    ngram_keys : (n_ngrams,), as of `HistoryTrie`
    states : (n,)
    ngrams, owners : (n_found,)
    """
    first_keys = states.astype(ngram_keys.dtype) * n_symbols
    first = np.searchsorted(ngram_keys, first_keys)
    n_after = np.searchsorted(ngram_keys, first_keys + n_symbols) - first
    owners = np.repeat(np.arange(len(states)), n_after)
    return first[owners] + within_groups(n_after), owners


def _number_histories(
    histories: list[np.ndarray], n_rows: int, n_symbols: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Number the suffixes of all histories, level by level.

    histories : order - 1 arrays of shape (n_rows,), columns of sorted rows
    child_keys, levels : `child_keys` and `state_levels` of `HistoryTrie`
    maximal_states : (n_rows,), the state of each row's full history
    """
    # There are at most as many histories as rows at every length.
    dtype = place_dtype((1 + len(histories) * n_rows) * n_symbols)
    maximal_states = np.zeros(n_rows, dtype)
    child_keys, levels = [maximal_states[:0]], [0, 1]
    rows = np.arange(n_rows, dtype=dtype)
    for column in histories:
        ids = column[rows]
        keys = maximal_states[rows]
        keys *= n_symbols
        np.add(keys, ids, out=keys, casting="same_kind")
        # Rows are sorted, so the rows of one state are adjacent.
        is_first = differs_from_last(keys)
        maximal_states[rows] = np.cumsum(is_first, dtype=dtype) + (levels[-1] - 1)
        child_keys.append(keys[is_first])
        levels.append(levels[-1] + len(child_keys[-1]))
        rows = rows[ids != 0]
    return np.concatenate(child_keys), np.asarray(levels), maximal_states
