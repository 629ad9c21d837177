"""The n-gram model: states to log-probabilities of the next id and to next states."""

from functools import cached_property
from itertools import islice

import numpy as np

from .._words.vocabulary import within_groups
from .ngrams import find_distinct_ngrams, iterate_columns, whole_order
from .trie import HistoryTrie

MAX_TABLE_SIZE = 1 << 22
"""Most cells of a table of all states and ids: 48 MiB of probabilities and next
states."""


class NGramModel:
    """Log-probabilities of ids after histories, in nats.

    An n-gram of the trie has a probability of its own. An id that was not seen after a
    state has the probability it has after the parent of the state, times the state's
    back-off weight; what was not seen at all has the uniform distribution behind the
    empty history.

    Parameters
    ----------
    trie : HistoryTrie
        The states, and the n-grams that were seen.

    log_proba : ndarray of shape (n_ngrams + 1,)
        Log-probability of every n-gram of the trie: of its last id after the others. At
        last that of an id that was never seen.

    log_backoff : ndarray of shape (n_states,)
        Logarithm of the back-off weight of every state.

    Attributes
    ----------
    ngram_counts : NGramCounts
        The maximal n-grams of the words.

    order : int
        Length of the longest n-grams.

    n_states : int
        Number of states.

    n_symbols : int
        Number of symbols.

    start_state : int
        The state at the start of a word.

    Examples
    --------
    After the boundary (0), the words "ab" and "a" have "a" (1) twice and "b" (2) never:
    ``(2 + 1) / (2 + 3)`` and ``(0 + 1) / (2 + 3)`` with one added to every count.

    >>> import numpy as np
    >>> from sklearn_makemore._counters.trie import HistoryTrie
    >>> from sklearn_makemore._counters.smoothing import additive
    >>> from sklearn_makemore._counters.model import NGramModel
    >>> from sklearn_makemore._counters.ngrams import NGramCounts
    >>> from sklearn_makemore._words.vocabulary import CharVocabulary
    >>> encoded = CharVocabulary("ab").encode(["ab", "a"])
    >>> trie = HistoryTrie(NGramCounts.from_encoded(encoded, order=3, n_symbols=3))
    >>> model = NGramModel.from_proba(trie, *additive(trie, alpha=1.0))
    >>> log_proba, rows = model.next_log_proba(np.array([model.start_state]))
    >>> np.exp(log_proba[rows]).round(3)
    array([[0.2, 0.6, 0.2]])

    The states before each id, and the probability of that id:

    >>> model.states(encoded)
    array([1, 4, 5, 1, 4])
    >>> np.exp(model.target_log_proba(encoded)).round(3)
    array([0.6, 0.4, 0.5, 0.6, 0.4])
    """

    def __init__(self, trie, log_proba, log_backoff):
        # What else the trie has was needed to estimate, and goes with it.
        self.ngram_counts, self.order = trie.ngram_counts, trie.order
        self.n_states, self.n_symbols = trie.n_states, trie.n_symbols
        self.start_state = trie.start_state
        self._parents, self._child_keys = trie.parents, trie.child_keys
        self._ngram_keys, self._next_states = trie.ngram_keys, trie.next_states
        self._state_levels, self._ngram_levels = trie.state_levels, trie.ngram_levels
        self._log_proba, self._log_backoff = log_proba, log_backoff

    @classmethod
    def from_proba(cls, trie, proba, backoff):
        """Make a model of probabilities and back-off weights, which are overwritten.

        Parameters
        ----------
        trie : HistoryTrie
            The states, and the n-grams that were seen.

        proba : ndarray of shape (n_ngrams + 1,)
            Probability of every n-gram, and of what was never seen.

        backoff : ndarray of shape (n_states,)
            Back-off weight of every state.

        Returns
        -------
        model : NGramModel
            The model.
        """
        with np.errstate(divide="ignore"):  # only additive smoothing of 0 has zeros
            return cls(trie, np.log(proba, out=proba), np.log(backoff, out=backoff))

    def __reduce__(self):
        """Pickle counts and log-probabilities: all else follows from the counts."""
        return _restored, (self.ngram_counts, self._log_proba, self._log_backoff)

    def is_close(self, other, **tolerance):
        """Whether another model of the same n-grams has the same probabilities."""
        return all(
            np.allclose(getattr(self, name), getattr(other, name), **tolerance)
            for name in ("_log_proba", "_log_backoff")
        )

    @cached_property
    def tables(self):
        """Log-probabilities and next states of all states; None if these are too many.

        Returns
        -------
        log_proba : ndarray of shape (n_states, n_symbols), dtype float64
            Log-probability of every id after every state, in nats.

        next_states : ndarray of shape (n_states, n_symbols), dtype int32
            The state after every id.
        """
        if self.n_states * self.n_symbols > MAX_TABLE_SIZE:
            return None
        log_proba = np.full((self.n_states, self.n_symbols), self._log_proba[-1])
        next_states = np.zeros((self.n_states, self.n_symbols), dtype=np.int32)
        for length in range(self.order):
            states = slice(*self._state_levels[length : length + 2])
            ngrams = slice(*self._ngram_levels[length : length + 2])
            if length:
                parents = self._parents[states]
                log_proba[states] = log_proba[parents]
                next_states[states] = next_states[parents]
            log_proba[states] += self._log_backoff[states, None]
            # The keys are places in the flattened tables.
            log_proba.ravel()[self._ngram_keys[ngrams]] = self._log_proba[ngrams]
            next_states.ravel()[self._ngram_keys[ngrams]] = self._next_states[ngrams]
        return log_proba, next_states

    def states(self, encoded):
        """Return the state before every predicted id of words.

        Parameters
        ----------
        encoded : EncodedWords
            The words.

        Returns
        -------
        states : ndarray of shape (n_predictions,), dtype int64
            The longest suffix of each history that is a state.
        """
        columns = iterate_columns(encoded, self.order)
        return self._find_states(islice(columns, self.order - 1), encoded.n_predictions)

    def advance(self, states, ids):
        """Return the states after one more id each.

        Parameters
        ----------
        states : ndarray of int of shape (n,)
            States of this model.

        ids : ndarray of int of shape (n,)
            What comes after them; 0 ends a word.

        Returns
        -------
        next_states : ndarray of int of shape (n,)
            The states then; after 0 the start of the next word.
        """
        if self.tables is not None:
            _, next_states = self.tables
            return next_states[states, ids]
        ngrams, _ = self._find_ngrams(states, ids)
        return self._next_states[ngrams]

    def next_log_proba(self, states):
        """Return the distributions of the next id after some states.

        For as many states as the model has, or more, the table of them all is returned,
        the same array at every call, which lets the sampler use its cumulative sums
        again at the next step. For fewer, only their own distributions are: what the
        caller does with every row would cost more than it saves.

        Parameters
        ----------
        states : ndarray of int of shape (n,)
            States of this model.

        Returns
        -------
        log_proba : ndarray of shape (n_distinct, n_symbols), dtype float64
            Log-probabilities of every id in nats, ``-inf`` for what is impossible.

        rows : ndarray of int of shape (n,)
            The row of each state in it.
        """
        if self.tables is not None and len(states) >= self.n_states:
            log_proba, _ = self.tables
            return log_proba, states
        states, rows = np.unique(states, return_inverse=True)
        if self.tables is not None:
            log_proba, _ = self.tables
            return log_proba[states], rows
        return self._find_log_proba(states), rows

    def target_log_proba(self, encoded):
        """Return the log-probability of every predicted id of words.

        Parameters
        ----------
        encoded : EncodedWords
            The words.

        Returns
        -------
        log_proba : ndarray of shape (n_predictions,), dtype float64
            In nats, ``-inf`` for what is impossible.
        """
        # Half of the predictions or more repeat an n-gram, and in sorted order the
        # search for one ends near the last one's, in memory already at hand.
        order = min(self.order, whole_order(encoded))
        ngrams, columns = find_distinct_ngrams(encoded, order, self.n_symbols)
        return self._ngram_log_proba(ngrams)[columns]

    def _find_states(self, histories, n_histories):
        """Return the longest suffix of every history that is a state.

        Parameters
        ----------
        histories : iterable of order - 1 integer ndarrays of shape (n_histories,)
            Most recent ids first, 0 from the boundary on.

        n_histories : int
            Number of histories, which without columns (order 1) nothing else tells.

        Returns
        -------
        states : ndarray of shape (n_histories,), dtype int64
            The states.
        """
        states = np.zeros(n_histories, dtype=np.int64)
        pending = np.arange(n_histories)
        for ids in histories:
            if not len(pending):  # an order can be much larger than what is known
                break
            keys = states[pending] * self.n_symbols + ids[pending]
            children, is_known = _find(self._child_keys, keys)
            pending = pending[is_known]
            states[pending] = children[is_known] + 1
        return states

    def _find_ngrams(self, states, ids):
        """Return the longest seen n-grams, and the log back-off weights before them.

        Parameters
        ----------
        states : ndarray of int of shape (n,)
            States of this model.

        ids : ndarray of int of shape (n,)
            What comes after them.

        Returns
        -------
        ngrams : ndarray of shape (n,), dtype int64
            The n-gram of the id and of as much of the state as it was seen after;
            `n_ngrams` where not even the id was seen.

        log_backoff : ndarray of shape (n,), dtype float64
            Sum of the log back-off weights of the state and its ancestors after which
            the id was not seen.
        """
        states = np.asarray(states, dtype=np.int64)
        ids = np.asarray(ids, dtype=np.int64)
        ngrams = np.full(len(states), len(self._ngram_keys))
        log_backoff = np.zeros(len(states))
        pending = np.arange(len(states))
        while len(pending):
            keys = states * self.n_symbols + ids[pending]
            found, is_seen = _find(self._ngram_keys, keys)
            ngrams[pending[is_seen]] = found[is_seen]
            pending, states = pending[~is_seen], states[~is_seen]
            log_backoff[pending] += self._log_backoff[states]
            # What the empty history has not seen is left to the uniform distribution.
            pending, states = pending[states > 0], self._parents[states[states > 0]]
        return ngrams, log_backoff

    def _ngram_log_proba(self, ngrams):
        """Return the log-probabilities of the predicted ids of maximal n-grams.

        Parameters
        ----------
        ngrams : ndarray of shape (order, n_ngrams)
            As in `NGramCounts`.

        Returns
        -------
        log_proba : ndarray of shape (n_ngrams,), dtype float64
            In nats.
        """
        *histories, targets = ngrams
        states = self._find_states(histories, len(targets))
        found, log_backoff = self._find_ngrams(states, targets)
        return self._log_proba[found] + log_backoff

    def _find_log_proba(self, states):
        """Return the rows of some states in the table, without the table.

        Parameters
        ----------
        states : ndarray of int of shape (n,)
            States of this model.

        Returns
        -------
        log_proba : ndarray of shape (n, n_symbols), dtype float64
            Log-probability of every id, in nats.
        """
        histories = [np.asarray(states, dtype=np.int64)]
        while histories[-1].any():
            histories.append(self._parents[histories[-1]])
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
        """Return all seen n-grams after some states, and whose of them each one is."""
        first_keys = states * self.n_symbols
        first, _ = _find(self._ngram_keys, first_keys)
        end, _ = _find(self._ngram_keys, first_keys + self.n_symbols)
        n_after = end - first
        owners = np.repeat(np.arange(len(states)), n_after)
        return first[owners] + within_groups(n_after), owners


def _find(table, keys):
    """Search a sorted table; return the places of keys, and which of them are there."""
    # Keys of another type would have the whole table converted.
    keys = keys.astype(table.dtype, copy=False)
    places = np.searchsorted(table, keys)
    is_there = places < len(table)
    is_there[is_there] = table[places[is_there]] == keys[is_there]
    return places, is_there


def _restored(ngram_counts, log_proba, log_backoff):
    """Build a pickled model again."""
    return NGramModel(HistoryTrie(ngram_counts), log_proba, log_backoff)
