"""N-gram probabilities by modified Kneser-Ney and by additive smoothing.

`NGramCounter` lists the references.

Both have one form. An n-gram that was seen has its own probability. An n-gram that was
not seen has the probability of the n-gram without its earliest id, times the back-off
weight of its history.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .trie import HistoryTrie

FALLBACK_DISCOUNTS = (0.5, 1.0, 1.5)
"""Discounts where none can be estimated, as by KenLM's `--discount_fallback`."""

NGRAM_CHUNK_SIZE = 1 << 15
"""Approximate number of n-grams smoothed at a time; bounds the temporary arrays."""

Smoothed = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Probability of every n-gram and, at the end, of an id that was never seen, of shape
(n_ngrams + 1,); back-off weight of every state, of shape (n_states,)."""


def estimate_discounts(counts: ArrayLike) -> NDArray[np.float64]:
    """Estimate the discounts D[1], D[2], D[3] of n-grams of one length from counts.

    With ``n[k]`` for the number of n-grams that occur `k` times, they are
    ``D[k] = k - (k + 1) Y n[k + 1] / n[k]`` where ``Y = n[1] / (n[1] + 2 n[2])``.
    D[3] applies to n-grams that occur three times or more. Fractional counts are
    rounded up. `FALLBACK_DISCOUNTS` are returned if a quotient is undefined or a
    discount is not positive.

    KenLM estimates discounts in the same way, but its `lmplz` takes the raw count of
    the last n-gram of each order for the adjusted one, and keeps discounts of zero.

    >>> from sklearn_makemore._counters.smoothing import estimate_discounts
    >>> estimate_discounts([1] * 8 + [2] * 4 + [3] * 2 + [4])
    array([0.5 , 1.25, 2.  ])
    >>> estimate_discounts([1, 1, 2])
    array([0.5, 1. , 1.5])
    """
    classes = count_classes(counts, 5)
    n1, n2, n3, n4 = (int(np.count_nonzero(classes == k)) for k in (1, 2, 3, 4))
    if not (n1 and n2 and n3):
        return np.array(FALLBACK_DISCOUNTS)
    ratio = n1 / (n1 + 2 * n2)
    discounts = np.array(
        [1 - 2 * ratio * n2 / n1, 2 - 3 * ratio * n3 / n2, 3 - 4 * ratio * n4 / n3]
    )
    # A discount of zero could leave no probability for ids never seen after a history.
    return discounts if discounts.min() > 0 else np.array(FALLBACK_DISCOUNTS)


def count_classes(counts: ArrayLike, largest: int = 3) -> NDArray[np.int8]:
    """Return counts as whole numbers, rounded up and at most `largest`."""
    classes = np.minimum(counts, largest)
    if classes.dtype.kind == "f":
        classes = np.ceil(classes)
    return classes.astype(np.int8)


def closed_form_discounts(trie: HistoryTrie) -> NDArray[np.float64]:
    """Estimate the discounts of each length from the counts of counts.

    discounts : (order, 2, 3), as those of `leave_one_out_discounts`; whether a history
        begins a word makes no difference
    """
    levels = pairwise(trie.ngram_levels.tolist())
    return np.array([[estimate_discounts(trie.counts[i:j])] * 2 for i, j in levels])


def kneser_ney(trie: HistoryTrie, discounts: np.ndarray) -> Smoothed:
    """Estimate interpolated modified Kneser-Ney probabilities.

    With ``a(hw)`` for the adjusted count of id `w` after history `h`, ``h'`` for `h`
    without its earliest id, and ``D(a)`` for the smaller of `a` and the discount of
    n-grams of that kind that occur `a` times,

    ``p(w | h) = (a(hw) - D(a(hw))) / sum over v of a(hv) + b(h) p(w | h')``

    where ``b(h) = sum over v of D(a(hv)) / sum over v of a(hv)`` is the probability
    that the discounts free. Below the empty history is the uniform distribution,
    ``1 / V`` for each of the `V` symbols. The adjusted counts are those of KenLM. The
    counts of n-grams that were pruned are freed as a whole.

    discounts : (order, 2, 3), as `leave_one_out_discounts` returns them
    """
    proba = np.full(trie.n_ngrams + 1, 1 / trie.n_symbols)
    backoff = np.ones(trie.n_states)
    for length in range(trie.order):
        level = slice(*trie.ngram_levels[length : length + 2].tolist())
        for ngrams in _slices_of_histories(trie, level):
            counts = trie.counts[ngrams]
            states = trie.ngram_keys[ngrams] // trie.n_symbols
            begins_word = trie.begins_word[states].astype(np.intp)
            first_state, end_state = int(states[0]), int(states[-1]) + 1
            states -= first_state
            # Only what was removed is freed, so the probabilities sum to one even if a
            # count is below its discount.
            kinds = length, begins_word, count_classes(counts) - 1
            removed = np.minimum(discounts[kinds], counts)
            totals = np.bincount(states, counts)
            freed = np.bincount(states, removed)
            if trie.cut is not None:
                totals += trie.cut[first_state:end_state]
                freed += trie.cut[first_state:end_state]
            freed /= totals
            lower = proba[trie.lower_ngrams(ngrams)]
            proba[ngrams] = (counts - removed) / totals[states] + freed[states] * lower
            backoff[first_state:end_state] = freed
    return proba, backoff


def _slices_of_histories(trie: HistoryTrie, level: slice) -> Iterator[slice]:
    """Yield slices of the n-grams of one length, each with whole histories."""
    keys, start = trie.ngram_keys[level], 0
    while start < len(keys):
        last = keys[min(start + NGRAM_CHUNK_SIZE, len(keys)) - 1]
        next_key = (last // trie.n_symbols + 1) * trie.n_symbols
        stop = int(np.searchsorted(keys, next_key))
        yield slice(level.start + start, level.start + stop)
        start = stop


def additive(trie: HistoryTrie, alpha: float) -> Smoothed:
    """Estimate additively smoothed probabilities.

    With ``c`` for counts of n-grams of `order` ids, or fewer at the start of a word,

    ``p(w | h) = (c(hw) + alpha) / (c(h) + alpha V)``

    for the full history `h`, the predicted id `w` and `V` symbols. The distribution
    after a history that was never seen is uniform. With `alpha` 0, this is the limit of
    small `alpha`. The probability after states that are not maximal is therefore
    ``1 / V``, with a back-off weight of 1. The back-off weight of a maximal state is
    ``alpha V / (c(h) + alpha V)``, the share of the uniform distribution.
    """
    states = trie.ngram_keys // trie.n_symbols
    totals = np.bincount(states, trie.counts, trie.n_states) + alpha * trie.n_symbols
    smoothed = (trie.counts + alpha) / totals[states]
    proba = np.full(trie.n_ngrams + 1, 1 / trie.n_symbols)
    np.copyto(proba[:-1], smoothed, where=trie.is_maximal[states])
    backoff = np.ones(trie.n_states)
    backoff[trie.is_maximal] = alpha * trie.n_symbols / totals[trie.is_maximal]
    return proba, backoff
