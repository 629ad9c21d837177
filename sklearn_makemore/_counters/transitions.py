"""Expectations over the next id of many n-gram models with the same n-grams.

They are those of `Continuation`. What the models share is found once, and takes 40
bytes per n-gram.
"""

from __future__ import annotations

import copy
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array  # pyright: ignore[reportMissingTypeStubs]

from .._words.vocabulary import BOUNDARY


class Transitions:
    """The n-grams of a trie that lead from state to state, and those that end a word.

    Each n-gram has two entries in a matrix: its own, and that of the n-gram without its
    earliest id, which it replaces.

    trie : a HistoryTrie or an NGramModel
    """

    def __init__(self, trie: Any) -> None:
        self.trie = trie
        lower = np.full(trie.n_ngrams, trie.n_ngrams)
        first = trie.ngram_levels[1]
        states, ids = np.divmod(trie.ngram_keys[first:], trie.n_symbols)
        keys = trie.parents[states] * trie.n_symbols + ids
        lower[first:] = np.searchsorted(trie.ngram_keys, keys)
        is_end = trie.ngram_keys % trie.n_symbols == BOUNDARY
        self.ends, others = np.flatnonzero(is_end), np.flatnonzero(~is_end)
        self.end_states = trie.ngram_keys[self.ends] // trie.n_symbols
        self.lower_ends = lower[self.ends]
        self.states = trie.ngram_keys[others] // trie.n_symbols
        self.ngrams = np.stack([others, lower[others]], axis=1)
        targets = trie.next_states[self.ngrams].ravel()
        first = 2 * np.searchsorted(self.states, np.arange(trie.n_states + 1))
        csr = np.zeros(len(targets)), targets, first
        self._pattern: Any = csr_array(csr, shape=(trie.n_states, trie.n_states))
        # Indices of another type would be converted at each step.
        self.parents = [
            (slice(first, end), trie.parents[first:end].astype(np.intp))
            for first, end in pairwise(trie.state_levels[1:].tolist())
        ]

    def expectations(
        self, trie: Any, proba: np.ndarray, backoff: np.ndarray
    ) -> SharedExpectations:
        """Return the expectations of a model; arguments as of `Continuation`."""
        return SharedExpectations(self, proba, backoff)

    def matrix(self, weights: np.ndarray) -> Any:
        """Return the matrix with the weights of all entries, (2 * n_others,)."""
        matrix = copy.copy(self._pattern)  # checking its indices takes longer
        matrix.data = weights
        return matrix


def expectations_alone(
    trie: Any, proba: np.ndarray, backoff: np.ndarray
) -> SharedExpectations:
    """Return the expectations of one model, without those that share its n-grams."""
    return Transitions(trie).expectations(trie, proba, backoff)


class SharedExpectations:
    """The `Expectations` of one of the models; see `Continuation`."""

    def __init__(
        self, transitions: Transitions, proba: np.ndarray, backoff: np.ndarray
    ) -> None:
        trie = self.trie = transitions.trie
        self.start_state, self.size = trie.start_state, trie.n_ngrams + 1
        self._backoff, self._parents = backoff, transitions.parents
        self._unseen = backoff[0] * proba[-1]
        weights = proba[transitions.ngrams]
        weights[:, 1] *= -backoff[transitions.states]
        self._matrix = transitions.matrix(weights.ravel())
        ends, states = np.zeros(trie.n_states), transitions.end_states
        ends[states] = proba[transitions.ends]
        ends[states] -= backoff[states] * proba[transitions.lower_ends]
        ends[0] += self._unseen
        self.end_proba = self._with_parents(ends)

    def expectation(self, values: np.ndarray) -> NDArray[np.float64]:
        """Return the mean value of the next state, where an end counts as 0.

        values, means : (n_states,)
        """
        means = self._matrix @ values
        # An id that was never seen leads to the empty history.
        means[0] += self._unseen * (self.trie.n_symbols - 1) * values[0]
        return self._with_parents(means)

    def _with_parents(self, sums: np.ndarray) -> NDArray[np.float64]:
        """Add what each state takes from its parent, in place; sums : (n_states,)."""
        for level, parents in self._parents:
            sums[level] += self._backoff[level] * sums[parents]
        return sums
