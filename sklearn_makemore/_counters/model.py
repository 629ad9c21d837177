"""The n-gram model: states to log-probabilities of the next id and to next states."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from .._generation.lengths import Expectations
from .._words.vocabulary import EncodedWords
from .continuation import Continuation
from .ngrams import NGramCounts, find_distinct_ngrams, iterate_columns, max_order
from .pruned import PrunedNGrams, trie_of
from .transitions import expectations_alone
from .trie import HistoryTrie, find_keys, ngrams_after

MAX_TABLE_SIZE = 1 << 22
"""Largest number of cells in a table of all states and ids. They take 48 MiB of
log-probabilities and next states."""


class NGramModel:
    """Log-probabilities of ids after histories, in nats.

    An n-gram of the trie has its own probability. An id that was not seen after a state
    has its probability after the parent of the state, times the back-off weight of the
    state. Below the empty history is the uniform distribution.

    trie : the states and the n-grams that were seen; the attributes with the names of
        its attributes are the same
    log_proba : (n_ngrams + 1,), log-probability of the last id of every n-gram after
        the others; at the end, that of an id that was never seen
    log_backoff : (n_states,), logarithm of the back-off weight of every state
    continuation : class of the expectations, or what makes them of the same arguments
    """

    def __init__(
        self,
        trie: HistoryTrie,
        log_proba: np.ndarray,
        log_backoff: np.ndarray,
        continuation: Callable[..., Expectations] = Continuation,
    ) -> None:
        # The rest of the trie was needed for the estimation only, and is freed.
        self.ngram_counts, self.order = trie.ngram_counts, trie.order
        self.n_states, self.n_symbols = trie.n_states, trie.n_symbols
        self.start_state, self.n_ngrams = trie.start_state, trie.n_ngrams
        self.parents, self.child_keys = trie.parents, trie.child_keys
        self.ngram_keys, self.next_states = trie.ngram_keys, trie.next_states
        self.state_levels, self.ngram_levels = trie.state_levels, trie.ngram_levels
        self.log_proba, self.log_backoff = log_proba, log_backoff
        self._continuation = continuation

    @classmethod
    def from_proba(
        cls,
        trie: HistoryTrie,
        proba: np.ndarray,
        backoff: np.ndarray,
        continuation: Callable[..., Expectations] = Continuation,
    ) -> NGramModel:
        """Build a model from what `smoothing` returns; the arrays are overwritten."""
        with np.errstate(divide="ignore"):  # additive smoothing with 0 has zeros
            logs = np.log(proba, out=proba), np.log(backoff, out=backoff)
        return cls(trie, *logs, continuation)

    def __reduce__(self) -> tuple:
        """Pickle counts and log-probabilities; the counts determine everything else."""
        kept = self.ngram_counts, self.log_proba, self.log_backoff
        return _unpickled, (*kept, self._continuation is not Continuation)

    def is_close(self, other: NGramModel, tolerance: float) -> bool:
        """Whether another model of the same n-grams has the same probabilities."""
        return all(
            np.allclose(getattr(self, name), getattr(other, name), tolerance, tolerance)
            for name in ("log_proba", "log_backoff")
        )

    @cached_property
    def tables(self) -> tuple[NDArray[np.float64], NDArray[np.int32]] | None:
        """Log-probabilities and next states of all states, None if they are too large.

        log_proba, next_states : (n_states, n_symbols)
        """
        if self.n_states * self.n_symbols > MAX_TABLE_SIZE:
            return None
        shape = self.n_states, self.n_symbols
        log_proba = np.full(shape, self.log_proba[-1])
        next_states = np.zeros(shape, dtype=np.int32)
        for length in range(self.order):
            states = slice(*self.state_levels[length : length + 2])
            ngrams = slice(*self.ngram_levels[length : length + 2])
            if length:
                parents = self.parents[states]
                log_proba[states] = log_proba[parents]
                next_states[states] = next_states[parents]
            log_proba[states] += self.log_backoff[states, None]
            # Keys are indices of the flattened tables.
            log_proba.ravel()[self.ngram_keys[ngrams]] = self.log_proba[ngrams]
            next_states.ravel()[self.ngram_keys[ngrams]] = self.next_states[ngrams]
        return log_proba, next_states

    def expectations(self) -> Expectations:
        """Return the expectations over the next id."""
        proba, backoff = np.exp(self.log_proba), np.exp(self.log_backoff)
        return self._continuation(self, proba, backoff)

    def states(self, encoded: EncodedWords) -> NDArray[np.int64]:
        """Return the state before every predicted id of words, (n_predictions,)."""
        columns = iterate_columns(encoded, self.order)
        return self._find_states(islice(columns, self.order - 1), encoded.n_predictions)

    def advance(self, contexts: np.ndarray, ids: np.ndarray) -> np.ndarray:
        """Return the states after one more id each; after 0, the start of a word.

        contexts : (n,) states
        ids : (n,) int
        """
        if self.tables is not None:
            _, next_states = self.tables
            return next_states[contexts, ids]
        ngrams, _ = self._find_ngrams(contexts, ids)
        return self.next_states[ngrams]

    def next_log_proba(
        self, contexts: np.ndarray
    ) -> tuple[NDArray[np.float64], np.ndarray]:
        """Return distinct distributions of the next id, and the row of each state.

        For `n_states` contexts or more, `log_proba` is the table of all states, the
        same array in every call, so that the sampler can reuse its cumulative sums. For
        fewer contexts, computing with every row would cost more than the reuse saves.

        contexts, rows : (n,)
        log_proba : (n_distinct, n_symbols), in nats; ``-inf`` where impossible
        """
        if self.tables is not None and len(contexts) >= self.n_states:
            log_proba, _ = self.tables
            return log_proba, contexts
        states, rows = np.unique(contexts, return_inverse=True)
        log_proba, _ = self.rows(states)
        return log_proba, rows

    def target_log_proba(self, encoded: EncodedWords) -> NDArray[np.float64]:
        """Return the log-probability of every predicted id of words, (n_predictions,).

        In nats; ``-inf`` where impossible.
        """
        log_proba, _ = self.targets(encoded)
        return log_proba

    def word_log_proba(self, encoded: EncodedWords) -> NDArray[np.float64]:
        """Return the log-probability of every word, (n_words,)."""
        return np.add.reduceat(self.target_log_proba(encoded), encoded.offsets[:-1])

    def targets(
        self, encoded: EncodedWords
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return what `target_log_proba` does, and the state before every id."""
        # Half of the predictions or more repeat an n-gram. Sorted n-grams are looked up
        # faster, because the search for one ends near the last one, in cached memory.
        order = min(self.order, max_order(encoded))
        ngrams, columns = find_distinct_ngrams(encoded, order, self.n_symbols)
        *histories, targets = ngrams
        states = self._find_states(histories, len(targets))
        found, log_backoff = self._find_ngrams(states, targets)
        return (self.log_proba[found] + log_backoff)[columns], states[columns]

    def rows(
        self, states: np.ndarray
    ) -> tuple[NDArray[np.float64], NDArray[np.integer]]:
        """Return log-probabilities of the next id, and next states, after states (n,).

        log_proba, next_states : (n, n_symbols)
        """
        if self.tables is None:
            return self._find_rows(states)
        log_proba, next_states = self.tables
        return log_proba[states], next_states[states]

    def _find_states(
        self, histories: Iterable[np.ndarray], n_histories: int
    ) -> NDArray[np.int64]:
        """Return the longest suffix of every history that is a state, (n_histories,).

        histories : order - 1 arrays of shape (n_histories,), most recent ids first
        """
        states = np.zeros(n_histories, dtype=np.int64)
        pending = np.arange(n_histories)
        for ids in histories:
            if not len(pending):  # the order can be much larger than the known suffixes
                break
            keys = states[pending] * self.n_symbols + ids[pending]
            children, is_known = find_keys(self.child_keys, keys)
            pending = pending[is_known]
            states[pending] = children[is_known] + 1
        return states

    def _find_ngrams(
        self, states: np.ndarray, ids: np.ndarray
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the longest seen n-grams, and the log back-off weights before them.

        states, ids : (n,)
        ngrams : (n,), `n_ngrams` for an id that was never seen
        log_backoff : (n,), sum over the states after which the id was not seen
        """
        states = np.asarray(states, dtype=np.int64)
        ids = np.asarray(ids, dtype=np.int64)
        ngrams = np.full(len(states), len(self.ngram_keys))
        log_backoff = np.zeros(len(states))
        pending = np.arange(len(states))
        while len(pending):
            keys = states * self.n_symbols + ids[pending]
            found, is_seen = find_keys(self.ngram_keys, keys)
            ngrams[pending[is_seen]] = found[is_seen]
            pending, states = pending[~is_seen], states[~is_seen]
            log_backoff[pending] += self.log_backoff[states]
            # Below the empty history is the uniform distribution.
            pending, states = pending[states > 0], self.parents[states[states > 0]]
        return ngrams, log_backoff

    def _find_rows(
        self, states: np.ndarray
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return what `rows` does, without the tables."""
        histories = [np.asarray(states, dtype=np.int64)]
        while histories[-1].any():
            histories.append(self.parents[histories[-1]])
        log_proba = np.full((len(histories[0]), self.n_symbols), self.log_proba[-1])
        next_states = np.zeros(log_proba.shape, dtype=np.int64)
        for n_dropped in reversed(range(len(histories))):
            # The empty history is its own parent, but every row starts there only once.
            is_first = n_dropped + 1 == len(histories)
            rows = np.flatnonzero(is_first | (histories[n_dropped] > 0))
            states = histories[n_dropped][rows]
            log_proba[rows] += self.log_backoff[states, None]
            ngrams, owners = ngrams_after(self.ngram_keys, self.n_symbols, states)
            cells = rows[owners], self.ngram_keys[ngrams] % self.n_symbols
            log_proba[cells] = self.log_proba[ngrams]
            next_states[cells] = self.next_states[ngrams]
        return log_proba, next_states


def _unpickled(
    ngram_counts: NGramCounts | PrunedNGrams,
    log_proba: np.ndarray,
    log_backoff: np.ndarray,
    has_transitions: bool,
) -> NGramModel:
    # Expectations of another class would differ by rounding.
    continuation = expectations_alone if has_transitions else Continuation
    return NGramModel(trie_of(ngram_counts), log_proba, log_backoff, continuation)
