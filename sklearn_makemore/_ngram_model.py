"""The n-gram model: states to log-probabilities of the next id and to next states."""

from functools import cached_property
from itertools import islice

import numpy as np

from ._ngrams import find_distinct_ngrams, iterate_columns, iterate_word_chunks

# Most cells of a table of all states and ids: 48 MiB of probabilities and next states.
MAX_TABLE_SIZE = 2**22


class NGramModel:
    """Log-probabilities of ids after histories.

    Parameters
    ----------
    trie : HistoryTrie
    proba : ndarray of shape (n_ngrams,)
        Probability of every seen n-gram.
    backoff : ndarray of shape (n_states,)
        Back-off weight of every state.

    Attributes
    ----------
    n_states, n_symbols : int
    start_state : int
        The state at the start of a word.
    """

    def __init__(self, trie, proba, backoff):
        self.trie = trie
        self.n_states, self.n_symbols = trie.n_states, trie.n_symbols
        self.start_state = trie.start_state
        # One more element ends the search for what is not there: no child, and the
        # n-gram of no length, which is uniform and leaves nothing to remember.
        self._child_keys = np.append(trie.child_keys, np.iinfo(np.int64).max)
        self._ngram_keys = np.append(trie.ngram_keys, np.iinfo(np.int64).max)
        self._next_states = np.append(trie.next_states, 0)
        with np.errstate(divide="ignore"):  # only additive smoothing of 0 has zeros
            self._log_proba = np.log(np.append(proba, 1 / trie.n_symbols))
            self._log_backoff = np.log(backoff)

    def __getstate__(self):
        return {name: value for name, value in vars(self).items() if name != "tables"}

    @cached_property
    def tables(self):
        """Log-probabilities and next states of all states; None if these are too many.

        Returns
        -------
        log_proba : float64 ndarray of shape (n_states, n_symbols)
        next_states : int32 ndarray of shape (n_states, n_symbols)
        """
        if self.n_states * self.n_symbols > MAX_TABLE_SIZE:
            return None
        log_proba = np.full((self.n_states, self.n_symbols), self._log_proba[-1])
        next_states = np.zeros((self.n_states, self.n_symbols), dtype=np.int32)
        for length in range(self.trie.order):
            states = slice(*self.trie.state_levels[length : length + 2])
            ngrams = slice(*self.trie.ngram_levels[length : length + 2])
            if length:
                parents = self.trie.parents[states]
                log_proba[states] = log_proba[parents]
                next_states[states] = next_states[parents]
            log_proba[states] += self._log_backoff[states, None]
            # The keys are positions in the flattened tables.
            log_proba.ravel()[self._ngram_keys[ngrams]] = self._log_proba[ngrams]
            next_states.ravel()[self._ngram_keys[ngrams]] = self._next_states[ngrams]
        return log_proba, next_states

    def states(self, codes):
        """State before every predicted id of a corpus.

        Parameters
        ----------
        codes : integer ndarray of shape (n_positions + 1,)

        Returns
        -------
        states : int64 ndarray of shape (n_positions,)
        """
        columns = iterate_columns(np.asarray(codes).astype(np.int64), self.trie.order)
        return self._find_states(islice(columns, self.trie.order - 1), len(codes) - 1)

    def _find_states(self, histories, n_histories):
        """The longest suffix of every history that is a state.

        Parameters
        ----------
        histories : iterable of order - 1 integer ndarrays of shape (n_histories,)
            Most recent ids first, 0 from the boundary on.
        n_histories : int

        Returns
        -------
        states : int64 ndarray of shape (n_histories,)
        """
        states = np.zeros(n_histories, dtype=np.int64)
        pending = np.arange(n_histories)
        for symbols in histories:
            keys = states[pending] * self.n_symbols + symbols[pending]
            children = np.searchsorted(self._child_keys, keys)
            is_known = self._child_keys[children] == keys
            pending = pending[is_known]
            states[pending] = children[is_known] + 1
        return states

    def advance(self, states, symbols):
        """State after one more id; the start of a word after id 0.

        Parameters
        ----------
        states : integer ndarray of shape (n,)
        symbols : integer ndarray of shape (n,)

        Returns
        -------
        states : int64 ndarray of shape (n,)
        """
        ngrams, _ = self._find_ngrams(states, symbols)
        return self._next_states[ngrams]

    def log_proba(self, states):
        """Log-probability of every id after some states.

        Parameters
        ----------
        states : integer ndarray of shape (n,)

        Returns
        -------
        log_proba : float64 ndarray of shape (n, n_symbols)
        """
        histories = [np.asarray(states, dtype=np.int64)]
        while histories[-1].any():
            histories.append(self.trie.parents[histories[-1]])
        log_proba = np.full((len(histories[0]), self.n_symbols), self._log_proba[-1])
        for n_dropped in reversed(range(len(histories))):
            # All rows begin at the empty history, once: it is its own parent.
            is_first = n_dropped + 1 == len(histories)
            rows = np.flatnonzero(is_first | (histories[n_dropped] > 0))
            states = histories[n_dropped][rows]
            log_proba[rows] += self._log_backoff[states, None]
            ngrams, owners = self._ngrams_after(states)
            targets = self._ngram_keys[ngrams] % self.n_symbols
            log_proba[rows[owners], targets] = self._log_proba[ngrams]
        return log_proba

    def _ngrams_after(self, states):
        """All seen n-grams after some states, and whose of the states each one is."""
        first_keys = states * self.n_symbols
        first = np.searchsorted(self._ngram_keys, first_keys)
        end = np.searchsorted(self._ngram_keys, first_keys + self.n_symbols)
        n_after = end - first
        owners = np.repeat(np.arange(len(states)), n_after)
        place = np.arange(len(owners)) - np.repeat(
            np.cumsum(n_after) - n_after, n_after
        )
        return first[owners] + place, owners

    def target_log_proba(self, codes, offsets):
        """Log-probability of every predicted id of a corpus.

        Parameters
        ----------
        codes : integer ndarray of shape (n_positions + 1,)
        offsets : ndarray of shape (n_words + 1,)

        Returns
        -------
        log_proba : float64 ndarray of shape (n_positions,)
        """
        log_proba = np.empty(max(len(codes) - 1, 0))
        for first, last in iterate_word_chunks(offsets):
            begin, end = offsets[first], offsets[last]
            # Half of the positions or more repeat an n-gram, and in sorted order the
            # search for one ends near the last one's, in memory already at hand.
            ngrams, inverse = find_distinct_ngrams(
                codes[begin : end + 1], self.trie.order, self.n_symbols
            )
            log_proba[begin:end] = self.ngram_log_proba(ngrams)[inverse]
        return log_proba

    def ngram_log_proba(self, ngrams):
        """Log-probability of the predicted ids of maximal n-grams.

        Parameters
        ----------
        ngrams : ndarray of shape (order, n_ngrams)
            As in `NGramCounts`.

        Returns
        -------
        log_proba : float64 ndarray of shape (n_ngrams,)
        """
        *histories, targets = ngrams
        states = self._find_states(histories, len(targets))
        found, log_backoff = self._find_ngrams(states, targets)
        return self._log_proba[found] + log_backoff

    def _find_ngrams(self, states, symbols):
        """The longest seen n-gram that ends a history and an id, and the way to it.

        Returns
        -------
        ngrams : int64 ndarray of shape (n,)
            `n_ngrams` where not even the id was seen.
        log_backoff : float64 ndarray of shape (n,)
        """
        states = np.asarray(states, dtype=np.int64)
        symbols = np.asarray(symbols, dtype=np.int64)
        ngrams = np.full(len(states), len(self._ngram_keys) - 1)
        log_backoff = np.zeros(len(states))
        pending = np.arange(len(states))
        while len(pending):
            keys = states * self.n_symbols + symbols[pending]
            found = np.searchsorted(self._ngram_keys, keys)
            is_seen = self._ngram_keys[found] == keys
            ngrams[pending[is_seen]] = found[is_seen]
            pending, states = pending[~is_seen], states[~is_seen]
            log_backoff[pending] += self._log_backoff[states]
            # What the empty history has not seen is left to the uniform distribution.
            pending, states = pending[states > 0], self.trie.parents[states[states > 0]]
        return ngrams, log_backoff
