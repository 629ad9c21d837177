"""Expectations over the next id of an n-gram model."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._words.code_points import slices
from .._words.vocabulary import BOUNDARY

NGRAM_CHUNK_SIZE = 1 << 13
"""Number of n-grams summed at a time; the temporary arrays fit in the cache."""


class Continuation:
    """The `Expectations` of an n-gram model.

    An id that was not seen after a state is as likely as after its parent, times the
    back-off weight. So an expectation after a state is that after its parent, times the
    back-off weight, plus a correction for each n-gram that was seen.

    trie : the states and the n-grams, a HistoryTrie or an NGramModel
    proba, backoff : as `smoothing` returns them
    start_state : the state at the start of a word
    size : number of n-grams, those without ids included
    end_proba : (n_states,), probability that the word ends after each state
    """

    def __init__(self, trie: Any, proba: np.ndarray, backoff: np.ndarray) -> None:
        self.trie, self._proba, self._backoff = trie, proba, backoff
        self.start_state, self.size = trie.start_state, trie.n_ngrams + 1
        self._lower = np.full(trie.n_ngrams, trie.n_ngrams, trie.ngram_keys.dtype)
        for part in slices(trie.ngram_levels[1], trie.n_ngrams, NGRAM_CHUNK_SIZE):
            states, ids = np.divmod(trie.ngram_keys[part], trie.n_symbols)
            keys = trie.parents[states] * trie.n_symbols + ids
            self._lower[part] = np.searchsorted(trie.ngram_keys, keys)
        self.end_proba = self._sum(None, is_end=True)

    def expectation(self, values: np.ndarray) -> NDArray[np.float64]:
        """Return the mean value of the next state, where an end counts as 0.

        values, means : (n_states,)
        """
        return self._sum(values, is_end=False)

    def _sum(self, values: np.ndarray | None, is_end: bool) -> NDArray[np.float64]:
        """Sum ``p(id) value(next state)`` over the end, or over all other ids.

        values : (n_states,); None stands for ones
        sums : (n_states,)
        """
        trie = self.trie
        sums = np.zeros(trie.n_states)

        def terms(ngrams: np.ndarray | slice | int) -> np.ndarray:
            if values is None:
                return self._proba[ngrams]
            return self._proba[ngrams] * values[trie.next_states[ngrams]]

        for part in slices(0, trie.n_ngrams, NGRAM_CHUNK_SIZE):
            states, ids = np.divmod(trie.ngram_keys[part], trie.n_symbols)
            own = terms(part) - self._backoff[states] * terms(self._lower[part])
            own *= (ids == BOUNDARY) == is_end
            first = int(states[0])
            states -= first
            own = np.bincount(states, own)
            sums[first : first + len(own)] += own
        # Below the empty history, all ids have the same probability.
        n_ids = 1 if is_end else trie.n_symbols - 1
        sums[0] += self._backoff[0] * n_ids * terms(trie.n_ngrams)
        for level in pairwise(trie.state_levels[1:].tolist()):
            for part in slices(*level, NGRAM_CHUNK_SIZE):
                sums[part] += self._backoff[part] * sums[trie.parents[part]]
        return sums
