"""Pruning: which n-grams a smaller model keeps, and their counts.

A model without an n-gram gives its last id the probability of the shorter n-gram, times
the back-off weight of its history. Removing rare n-grams, or those for which this is
nearly the same, makes a model smaller.

The kept n-grams are smoothed again by `smoothing.kneser_ney`. As in KenLM [1]_, the
counts of the removed n-grams after a history become probability of the shorter history.
As in revised Kneser pruning [2]_, a removed n-gram counts in the shorter n-gram as
often as it occurs, no longer as one: the shorter n-gram now predicts all these
occurrences. Entropy pruning without that [3]_ is bad for Kneser-Ney models [4]_, whose
shorter n-grams predict new words. For the same reason, the probability of a history is
its share of the training words, not that of the model.

References
----------
.. [1] K. Heafield, I. Pouzyrevsky, J. H. Clark, P. Koehn, "Scalable Modified
   Kneser-Ney Language Model Estimation", ACL 2013.
.. [2] V. Siivola, T. Hirsimäki, S. Virpioja, "On growing and pruning Kneser-Ney
   smoothed n-gram models", IEEE Transactions on Audio, Speech, and Language Processing
   15(5), 2007.
.. [3] A. Stolcke, "Entropy-based pruning of backoff language models", DARPA Broadcast
   News Transcription and Understanding Workshop 1998.
.. [4] C. Chelba, T. Brants, W. Neveitt, P. Xu, "Study on interaction between entropy
   pruning and Kneser-Ney smoothing", Interspeech 2010.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._words.code_points import place_dtype
from .._words.vocabulary import BOUNDARY
from .ngrams import NGramCounts
from .pruned import PrunedNGrams
from .smoothing import Smoothed
from .trie import HistoryTrie


def prune(
    ngram_counts: NGramCounts,
    trie: HistoryTrie,
    smoothed: Smoothed,
    discounts: NDArray[np.float64],
    min_count: ArrayLike,
    entropy: float,
) -> PrunedNGrams:
    """Return the n-grams that are frequent, and not predicted well without them.

    trie : of `ngram_counts` in units
    smoothed, discounts : as of `smoothing.kneser_ney`
    min_count : the smallest count of n-grams by length, the last one for all longer
    entropy : the smallest increase of the entropy that a removal may not exceed
    """
    counts = occurrences(HistoryTrie(ngram_counts))
    least = np.atleast_1d(np.asarray(min_count, dtype=np.float64))[: trie.order]
    least = np.pad(least, (0, trie.order - len(least)), "edge")
    is_wanted = counts >= np.repeat(least, np.diff(trie.ngram_levels))
    if entropy > 0:
        is_wanted &= removal_costs(trie, smoothed, counts) >= entropy
    word_lengths = ngram_counts.in_units().word_lengths
    return _kept(trie, with_shorter(trie, is_wanted), discounts, word_lengths)


def _longest_first(trie: HistoryTrie) -> list[slice]:
    """Return the n-grams of more than one id by length, the longest first."""
    return [slice(*level) for level in pairwise(trie.ngram_levels[1:].tolist())][::-1]


def occurrences(trie: HistoryTrie) -> np.ndarray:
    """Return how often each n-gram of a trie occurs, (n_ngrams,)."""
    is_maximal = trie.is_maximal[trie.ngram_keys // trie.n_symbols]
    counts = np.where(is_maximal, trie.counts, 0)
    for level in _longest_first(trie):
        np.add.at(counts, trie.lower_ngrams(level), counts[level])
    return counts


def removal_costs(
    trie: HistoryTrie, smoothed: Smoothed, counts: np.ndarray
) -> NDArray[np.float64]:
    """Return by how much the entropy grows if one n-gram is removed, (n_ngrams,).

    This is the relative entropy of Stolcke, in nats per predicted id, where the other
    probabilities after the history are multiplied by one number.

    counts : (n_ngrams,), how often each n-gram occurs
    """
    proba, backoff = smoothed
    states = trie.ngram_keys // trie.n_symbols
    own, lower = proba[:-1], proba[trie.lower_ngrams(slice(None))]
    # Probability of the ids not seen after the history, in the shorter one and in it.
    lower_left = 1 - np.bincount(states, lower, trie.n_states)
    left = backoff * np.maximum(lower_left, 0)
    new_backoff = (left[states] + own) / (np.maximum(lower_left, 0)[states] + lower)
    costs = own * np.log(own / (lower * new_backoff))
    costs += left[states] * np.log(backoff[states] / new_backoff)
    of_states = np.bincount(states, counts, trie.n_states)
    return costs * (of_states / of_states[0])[states]


def with_shorter(trie: HistoryTrie, is_wanted: np.ndarray) -> NDArray[np.bool_]:
    """Return which n-grams are kept, (n_ngrams,), if some are wanted.

    Those of one id are always kept. With an n-gram, the one without its earliest id is
    kept, and the one that leads to its history.
    """
    is_kept = is_wanted.copy()
    is_kept[: trie.ngram_levels[1]] = True
    states, ids = np.divmod(trie.ngram_keys, trie.n_symbols)
    leading = np.zeros(trie.n_states, dtype=np.int64)  # no n-gram leads to a start
    leads = np.flatnonzero(ids[: trie.ngram_levels[-2]] != BOUNDARY)
    leading[trie.next_states[leads]] = leads
    for level in _longest_first(trie):
        kept = level.start + np.flatnonzero(is_kept[level])
        is_kept[trie.lower_ngrams(kept)] = True
        is_kept[leading[states[kept]]] = True
    return is_kept


def _kept(
    trie: HistoryTrie,
    is_kept: NDArray[np.bool_],
    discounts: NDArray[np.float64],
    word_lengths: np.ndarray,
) -> PrunedNGrams:
    """Return some n-grams of a trie, and count the others in shorter ones."""
    states, ids = np.divmod(trie.ngram_keys, trie.n_symbols)
    counts = trie.counts.copy()
    cut = np.zeros(trie.n_states, counts.dtype)
    for level in _longest_first(trie):
        removed = level.start + np.flatnonzero(~is_kept[level])
        np.add.at(cut, states[removed], counts[removed])
        np.add.at(counts, trie.lower_ngrams(removed), counts[removed] - 1)
    has_ngrams = np.zeros(trie.n_states, dtype=bool)
    has_ngrams[states[is_kept]] = True
    new_states = np.cumsum(has_ngrams) - 1
    dtype = place_dtype((1 + int(new_states[-1])) * trie.n_symbols)
    parents, earliest = np.divmod(trie.child_keys[has_ngrams[1:]], trie.n_symbols)
    child_keys = new_states[parents] * trie.n_symbols + earliest
    ngram_keys = new_states[states[is_kept]] * trie.n_symbols + ids[is_kept]
    return PrunedNGrams(
        child_keys.astype(dtype),
        ngram_keys.astype(dtype),
        counts[is_kept],
        cut[has_ngrams],
        discounts,
        trie.n_symbols,
        word_lengths,
    )
