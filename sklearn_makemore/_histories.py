"""The trie of histories: states of an n-gram model and n-grams of every length.

A *state* is a history seen in training. It is found by reading a history from its most
recent id backwards as far as the trie knows it, so the parent of a state is the history
without its earliest id: the one to back off to. States are numbered level by level, the
empty history is 0. All tables are sorted arrays of `state * n_symbols + id`, which can
not overflow for any order.
"""

import numpy as np


class HistoryTrie:
    """States and n-grams of a corpus.

    Parameters
    ----------
    ngram_counts : NGramCounts

    Attributes
    ----------
    order, n_symbols, n_states, n_ngrams : int
    parents : int64 ndarray of shape (n_states,)
        The state without its earliest id; the empty history is its own parent.
    child_keys : int64 ndarray of shape (n_states - 1,)
        Sorted `parent * n_symbols + earliest id` of states 1, 2, ...
    state_levels : int64 ndarray of shape (order + 1,)
        Histories of length `k` are the states from `state_levels[k]` to before
        `state_levels[k + 1]`.
    is_whole : bool ndarray of shape (n_states,)
        Whether the state is all that its positions know of their word: `order - 1` ids,
        or fewer from the boundary on.
    ngram_keys : int64 ndarray of shape (n_ngrams,)
        Sorted `state * n_symbols + predicted id` of the seen n-grams of all lengths.
    ngram_levels : int64 ndarray of shape (order + 1,)
        N-grams after histories of length `k` are those from `ngram_levels[k]` to before
        `ngram_levels[k + 1]`.
    counts : ndarray of shape (n_ngrams,)
        After a whole state how often the n-gram occurs; else the number of distinct ids
        that come before it.
    lower_ngrams : int64 ndarray of shape (n_ngrams,)
        The n-gram without its earliest id; after the empty history the n-gram itself.
    next_states : int64 ndarray of shape (n_ngrams,)
        The state after the n-gram.
    start_state : int
        The state at the start of a word.
    """

    def __init__(self, ngram_counts):
        self.order, self.n_symbols = ngram_counts.order, ngram_counts.n_symbols
        *histories, targets = ngram_counts.ngrams
        self.child_keys, self.state_levels, whole_states = _number_histories(
            histories, len(targets), self.n_symbols
        )
        self.parents = np.concatenate([[0], self.child_keys // self.n_symbols])
        self.n_states = len(self.parents)
        self.is_whole = np.zeros(self.n_states, dtype=bool)
        self.is_whole[whole_states] = True
        # Level 1 is sorted by id, and every word has a start.
        self.start_state = min(1, self.n_states - 1)
        self.ngram_keys, self.counts, self.ngram_levels = self._collapse(
            whole_states * self.n_symbols + targets, ngram_counts.counts
        )
        self.n_ngrams = len(self.ngram_keys)
        lower_keys = self._lower_keys(self.ngram_keys)
        self.lower_ngrams = np.searchsorted(self.ngram_keys, lower_keys)
        self.next_states = self._find_next_states()

    def _lower_keys(self, ngram_keys):
        states, targets = np.divmod(ngram_keys, self.n_symbols)
        return self.parents[states] * self.n_symbols + targets

    def _collapse(self, whole_keys, whole_counts):
        """N-grams of all lengths and their adjusted counts, from whole states' ones."""
        keys, counts = np.empty(0, np.int64), np.empty(0, whole_counts.dtype)
        levels = []
        for length in reversed(range(self.order)):
            # No longer history ends in one that begins with the boundary, so the
            # n-grams that are whole at this length are none of those that have
            # something before them.
            first, last = self.state_levels[length : length + 2] * self.n_symbols
            is_here = (whole_keys >= first) & (whole_keys < last)
            lower_keys, n_before = np.unique(self._lower_keys(keys), return_counts=True)
            keys = np.concatenate([lower_keys, whole_keys[is_here]])
            counts = np.concatenate([n_before, whole_counts[is_here]])
            by_key = np.argsort(keys, kind="stable")
            keys, counts = keys[by_key], counts[by_key]
            levels.insert(0, (keys, counts))
        keys, counts = (np.concatenate(part) for part in zip(*levels, strict=True))
        return keys, counts, np.cumsum([0] + [len(level[0]) for level in levels])

    def _find_next_states(self):
        """The state after every n-gram.

        A history of `k` ids was itself predicted, id by id: it is an n-gram whose
        history, one place earlier, is a state of level `k - 1`. Only the boundary that
        opens a word is not.
        """
        # Every state without its most recent id, and that id.
        before, recent = np.zeros((2, self.n_states), dtype=np.int64)
        earliest = self.child_keys % self.n_symbols
        for length in range(1, self.order):
            level = slice(*self.state_levels[length : length + 2])
            parents = self.parents[level]
            ids = earliest[level.start - 1 : level.stop - 1]
            recent[level] = ids if length == 1 else recent[parents]
            if length > 1:
                keys = before[parents] * self.n_symbols + ids
                before[level] = 1 + np.searchsorted(self.child_keys, keys)
        next_states = np.full(self.n_ngrams, self.start_state)
        predicted = np.arange(self.start_state + 1, self.n_states)
        keys = before[predicted] * self.n_symbols + recent[predicted]
        next_states[np.searchsorted(self.ngram_keys, keys)] = predicted
        # The longest n-grams are longer than any history: the earliest id is forgotten.
        longest = slice(self.ngram_levels[-2], None)
        if self.order > 1:
            next_states[longest] = next_states[self.lower_ngrams[longest]]
        return next_states


def _number_histories(histories, n_rows, n_symbols):
    """Number the suffixes of all histories, level by level.

    Parameters
    ----------
    histories : list of order - 1 integer ndarrays of shape (n_rows,)
        Columns of sorted rows, most recent id first, 0 from the boundary on.
    n_rows, n_symbols : int

    Returns
    -------
    child_keys : int64 ndarray of shape (n_states - 1,)
    levels : int64 ndarray of shape (order + 1,)
    whole_states : int64 ndarray of shape (n_rows,)
        The state of every row's whole history.
    """
    whole_states = np.zeros(n_rows, dtype=np.int64)
    child_keys, levels = [np.empty(0, np.int64)], [0, 1]
    rows = np.arange(n_rows)
    for symbols in histories:
        symbols = symbols[rows]
        keys = whole_states[rows] * n_symbols + symbols
        # Rows are sorted, so the rows of one state follow each other.
        is_first = np.ones(len(rows), dtype=bool)
        is_first[1:] = keys[1:] != keys[:-1]
        whole_states[rows] = levels[-1] - 1 + np.cumsum(is_first)
        child_keys.append(keys[is_first])
        levels.append(levels[-1] + len(child_keys[-1]))
        rows = rows[symbols != 0]
    return np.concatenate(child_keys), np.asarray(levels), whole_states
