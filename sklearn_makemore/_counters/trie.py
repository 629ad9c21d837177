"""The trie of histories: states of an n-gram model and n-grams of every length.

A *state* is a history seen in training. It is found by reading a history from its most
recent id backwards as far as the trie knows it, so the parent of a state is the history
without its earliest id: the one to back off to. States are numbered level by level, the
empty history is 0. All tables are sorted arrays of `state * n_symbols + id`, int32 as
long as that holds every key and else int64, which cannot overflow for any order.
"""

import numpy as np

from .._words.code_points import place_dtype, slices
from .ngrams import differs_from_last, smaller

NODE_CHUNK_SIZE = 1 << 16
"""States or n-grams looked up at once: few beside all of them."""


class HistoryTrie:
    """States and n-grams of words.

    Parameters
    ----------
    ngram_counts : NGramCounts
        The maximal n-grams of the words.

    Attributes
    ----------
    ngram_counts : NGramCounts
        What the trie is made of.

    order : int
        Length of the longest n-grams.

    n_symbols : int
        Number of symbols.

    n_states : int
        Number of histories of all lengths, the empty one included.

    n_ngrams : int
        Number of distinct n-grams of all lengths.

    parents : ndarray of shape (n_states,)
        The state without its earliest id; the empty history is its own parent.

    child_keys : ndarray of shape (n_states - 1,)
        Sorted ``parent * n_symbols + earliest id`` of states 1, 2, ...

    state_levels : ndarray of shape (order + 1,), dtype int64
        Histories of length `k` are the states from ``state_levels[k]`` to before
        ``state_levels[k + 1]``.

    is_whole : ndarray of shape (n_states,), dtype bool
        Whether the state is all that its predictions know of their word: `order` - 1
        ids, or fewer from the boundary on.

    ngram_keys : ndarray of shape (n_ngrams,)
        Sorted ``state * n_symbols + predicted id`` of the n-grams of all lengths.

    ngram_levels : ndarray of shape (order + 1,), dtype int64
        N-grams after histories of length `k` are those from ``ngram_levels[k]`` to
        before ``ngram_levels[k + 1]``.

    counts : ndarray of shape (n_ngrams,)
        The adjusted counts: after a whole state how often the n-gram occurs; else the
        number of distinct ids that come before it. Whole numbers are int32 as long as
        that holds them.

    next_states : ndarray of shape (n_ngrams + 1,)
        The state after each n-gram: after the boundary the start of a word. At last the
        empty history, which is all that is known after an id that was never seen.

    start_state : int
        The state at the start of a word.

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

    Before each id they have the histories "|", "|a" and "ab"; state 0 is the empty
    one. States 1 to 3 are its children, the histories of one id, "|", "a" and "b".
    Reading "a" one id further back gives "|a", state 4, a child of state 2; "ab", state
    5, is a child of state 3, "b". No history goes on behind "|".

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
    >>> np.flatnonzero(trie.is_whole)
    array([1, 4, 5])

    The n-grams are the ids that were seen after each state. "a" was seen twice after
    "|", the start of a word, which counts as it is; but after the empty history, which
    is not whole, it counts once, for the one id that comes before it.

    >>> states, predicted_ids = np.divmod(trie.ngram_keys, trie.n_symbols)
    >>> for ngram in zip(states, predicted_ids, trie.counts, trie.next_states):
    ...     print("state {}, then id {}: count {}, next state {}".format(*ngram))
    state 0, then id 0: count 2, next state 1
    state 0, then id 1: count 1, next state 2
    state 0, then id 2: count 1, next state 3
    state 1, then id 1: count 2, next state 4
    state 2, then id 0: count 1, next state 1
    state 2, then id 2: count 1, next state 5
    state 3, then id 0: count 1, next state 1
    state 4, then id 0: count 1, next state 1
    state 4, then id 2: count 1, next state 5
    state 5, then id 0: count 1, next state 1
    """

    def __init__(self, ngram_counts):
        self.ngram_counts = ngram_counts
        self.order, self.n_symbols = ngram_counts.order, ngram_counts.n_symbols
        *histories, targets = ngram_counts.ngrams
        self.child_keys, self.state_levels, whole_states = _number_histories(
            histories, len(targets), self.n_symbols
        )
        dtype = whole_states.dtype
        self.n_states = 1 + len(self.child_keys)
        self.parents = np.zeros(self.n_states, dtype)
        np.floor_divide(self.child_keys, self.n_symbols, out=self.parents[1:])
        self.is_whole = np.zeros(self.n_states, dtype=bool)
        self.is_whole[whole_states] = True
        # Level 1 is sorted by id, and every word has a start.
        self.start_state = min(1, self.n_states - 1)
        whole_states *= self.n_symbols  # in place: they become keys
        np.add(whole_states, targets, out=whole_states, casting="same_kind")
        self.ngram_keys, self.counts, self.ngram_levels = self._collapse(
            whole_states, smaller(ngram_counts.counts)
        )
        self.n_ngrams = len(self.ngram_keys)
        self.next_states = self._find_next_states()

    def find_lower_ngrams(self, ngrams):
        """Return some n-grams without their earliest ids.

        Parameters
        ----------
        ngrams : slice
            N-grams, all after histories of one length.

        Returns
        -------
        lower_ngrams : ndarray of shape (n,), dtype int64
            After the empty history `n_ngrams`, the n-gram of no length.
        """
        if ngrams.start < self.ngram_levels[1]:
            return np.full(ngrams.stop - ngrams.start, self.n_ngrams)
        return np.searchsorted(
            self.ngram_keys, self._lower_keys(self.ngram_keys[ngrams])
        )

    def _lower_keys(self, ngram_keys):
        states, targets = np.divmod(ngram_keys, self.n_symbols)
        lower_keys = self.parents[states]
        lower_keys *= self.n_symbols
        lower_keys += targets
        return lower_keys

    def _collapse(self, whole_keys, whole_counts):
        """Return n-grams of all lengths and adjusted counts, from whole states' ones.

        Parameters
        ----------
        whole_keys : ndarray of shape (n_rows,)
            Keys of the maximal n-grams, as in `ngram_keys` but not sorted.

        whole_counts : ndarray of shape (n_rows,)
            How often they occur.

        Returns
        -------
        ngram_keys, counts, ngram_levels : ndarray
            The attributes of these names.
        """
        keys, counts = whole_keys[:0], whole_counts[:0]
        keys_by_length, counts_by_length = [], []
        for length in reversed(range(self.order)):
            # No longer history ends in one that begins with the boundary, so the
            # n-grams that are whole at this length are none of those that have
            # something before them.
            first, last = self.state_levels[length : length + 2] * self.n_symbols
            is_here = (whole_keys >= first) & (whole_keys < last)
            lower_keys, n_before = np.unique(self._lower_keys(keys), return_counts=True)
            keys = np.concatenate([lower_keys, whole_keys[is_here]])
            n_before = n_before.astype(whole_counts.dtype)
            counts = np.concatenate([n_before, whole_counts[is_here]])
            by_key = np.argsort(keys, kind="stable")
            keys, counts = keys[by_key], counts[by_key]
            keys_by_length.insert(0, keys)
            counts_by_length.insert(0, counts)
        levels = np.cumsum([0] + [len(keys) for keys in keys_by_length])
        keys = np.concatenate(keys_by_length)
        keys_by_length.clear()  # as large again
        return keys, np.concatenate(counts_by_length), levels

    def _find_next_states(self):
        """Return the state after every n-gram.

        A history of `k` ids was itself predicted, id by id: it is an n-gram whose
        history, one place earlier, is a state of level `k - 1`. Only the boundary that
        opens a word is not.
        """
        dtype = self.parents.dtype
        # Every state without its most recent id, and that id.
        before, recent = np.zeros((2, self.n_states), dtype)
        earliest = self.child_keys % self.n_symbols
        for length in range(1, self.order):
            level = slice(*self.state_levels[length : length + 2])
            parents = self.parents[level]
            ids = earliest[level.start - 1 : level.stop - 1]
            recent[level] = ids if length == 1 else recent[parents]
            if length > 1:
                keys = before[parents] * self.n_symbols + ids
                before[level] = 1 + np.searchsorted(self.child_keys, keys)
        next_states = np.full(self.n_ngrams + 1, self.start_state, dtype)
        next_states[-1] = 0
        for part in slices(self.start_state + 1, self.n_states, NODE_CHUNK_SIZE):
            keys = before[part] * self.n_symbols + recent[part]
            ngrams = np.searchsorted(self.ngram_keys, keys)
            next_states[ngrams] = np.arange(part.start, part.stop)
        # The longest n-grams are longer than any history: the earliest id is forgotten.
        if self.order > 1:
            for part in slices(*self.ngram_levels[-2:].tolist(), NODE_CHUNK_SIZE):
                next_states[part] = next_states[self.find_lower_ngrams(part)]
        return next_states


def _number_histories(histories, n_rows, n_symbols):
    """Number the suffixes of all histories, level by level.

    Parameters
    ----------
    histories : list of order - 1 integer ndarrays of shape (n_rows,)
        Columns of sorted rows, most recent id first, 0 from the boundary on.

    n_rows : int
        Number of rows, which without columns (order 1) nothing else tells.

    n_symbols : int
        Number of symbols.

    Returns
    -------
    child_keys : ndarray of shape (n_states - 1,)
        As in `HistoryTrie`.

    levels : ndarray of shape (order + 1,), dtype int64
        The `state_levels` of `HistoryTrie`.

    whole_states : ndarray of shape (n_rows,)
        The state of every row's whole history.
    """
    # There are at most as many histories as rows at every length.
    dtype = place_dtype((1 + len(histories) * n_rows) * n_symbols)
    whole_states = np.zeros(n_rows, dtype)
    child_keys, levels = [whole_states[:0]], [0, 1]
    rows = np.arange(n_rows, dtype=dtype)
    for column in histories:
        ids = column[rows]
        keys = whole_states[rows]
        keys *= n_symbols
        np.add(keys, ids, out=keys, casting="same_kind")
        # Rows are sorted, so the rows of one state follow each other.
        is_first = differs_from_last(keys)
        whole_states[rows] = np.cumsum(is_first, dtype=dtype) + (levels[-1] - 1)
        child_keys.append(keys[is_first])
        levels.append(levels[-1] + len(child_keys[-1]))
        rows = rows[ids != 0]
    return np.concatenate(child_keys), np.asarray(levels), whole_states
