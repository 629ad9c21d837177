"""Pruned n-grams: what a model keeps that has fewer n-grams than its words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .ngrams import NGramCounts
from .trie import HistoryTrie, levels_of


@dataclass(frozen=True, eq=False)
class PrunedNGrams:
    """The n-grams of all lengths that are left after pruning, and their counts.

    If an n-gram is left, so are the n-gram without its first id, and the n-gram of its
    history. Every history is left that has n-grams after it, and the empty one.

    child_keys, ngram_keys : as of `HistoryTrie`
    counts : (n_ngrams,), adjusted counts, in which a longer n-gram that is left counts
        once, and one that is not left as often as it occurs; in units
    cut : (n_states,), how often the n-grams after each state occur that are not left
    discounts : (order, 2, 3), those of all n-grams
    n_symbols : number of symbols, the boundary included
    word_lengths : (longest + 1,), weights of the words by number of characters
    """

    child_keys: np.ndarray
    ngram_keys: np.ndarray
    counts: np.ndarray
    cut: np.ndarray
    discounts: NDArray[np.float64]
    n_symbols: int
    word_lengths: np.ndarray

    @property
    def order(self) -> int:
        """Length of the longest n-grams before pruning."""
        return len(self.discounts)

    def __len__(self) -> int:
        """Return the number of n-grams of all lengths."""
        return len(self.ngram_keys)


class PrunedTrie(HistoryTrie):
    """The trie of pruned n-grams, which has no `is_maximal`."""

    def __init__(self, pruned: PrunedNGrams) -> None:
        self.ngram_counts = pruned
        self.order, self.n_symbols = pruned.order, pruned.n_symbols
        self.child_keys, self.ngram_keys = pruned.child_keys, pruned.ngram_keys
        self.counts, self.cut = pruned.counts, pruned.cut
        self.state_levels = levels_of(pruned.child_keys, pruned.order, self.n_symbols)
        keys = self.state_levels * self.n_symbols
        self.ngram_levels = np.searchsorted(self.ngram_keys, keys)
        self._number_parents()
        self.n_ngrams = len(self.ngram_keys)


def trie_of(ngram_counts: NGramCounts | PrunedNGrams) -> HistoryTrie:
    """Return the trie of n-grams."""
    if isinstance(ngram_counts, PrunedNGrams):
        return PrunedTrie(ngram_counts)
    return HistoryTrie(ngram_counts)
