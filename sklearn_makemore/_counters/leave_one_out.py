"""Discounts of Kneser-Ney smoothing by leave-one-out likelihood.

A *token* is one occurrence of a maximal n-gram. Each token in turn is removed from the
counts and predicted from all others. Removing the only occurrence of an n-gram removes
one of the predecessors of the next shorter n-gram, and so on. The discounts maximise
the probability of all tokens. They depend on the counts alone, so they are the same
after `partial_fit` and `merge`.

N-grams that begin a word have discounts of their own. They have raw counts, whereas
other short n-grams count predecessors, and fewer letters begin a word than follow one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from .smoothing import count_classes
from .trie import HistoryTrie, ngrams_after

PRIOR_DISCOUNT = 0.7
"""Discount without data: a typical value of long lists."""

PRIOR_WEIGHT = 3.0
"""Weight in nats of the squared differences between D[1] and `PRIOR_DISCOUNT`, D[2] and
D[1], and D[3] and D[2]. It decides where few tokens depend on a discount."""

MIN_DISCOUNT = 0.01
"""Distance of D[k] from 0 and from k. With 0, unseen n-grams could be impossible."""

MAX_TOKENS = 1 << 11
"""Number of different n-grams whose tokens are predicted. With all of them, the
validation NLL of the makemore names is 0.001 lower, and the fit takes seconds."""

MAX_WEIGHT = 5
"""Bound of the number of tokens of one n-gram. Frequent n-grams depend little on the
discounts, and words of large weights must not determine those of new words."""

SEARCH_OPTIONS = {"maxiter": 20, "ftol": 1e-6}

DECIMALS = 3
"""Decimals of the discounts. Rounding errors of the search are smaller."""


def leave_one_out_discounts(trie: HistoryTrie) -> NDArray[np.float64]:
    """Return the discounts that maximise the leave-one-out likelihood.

    discounts : (order, 2, 3), by length of the history, whether it begins a word, and
        count of the n-gram: 1, 2, or 3 and more
    """
    prior = np.full((trie.order, 2, 3), PRIOR_DISCOUNT)
    tokens = np.flatnonzero(trie.is_maximal[trie.ngram_keys // trie.n_symbols])
    tokens = tokens[:: max(1, -(-len(tokens) // MAX_TOKENS))]
    if not len(tokens):
        return prior
    weights = np.minimum(np.ceil(trie.counts[tokens]), MAX_WEIGHT)
    remainders = remove_tokens(trie, tokens)
    uniform = 1 / trie.n_symbols

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        discounts = flat.reshape(-1, 3)
        value, slopes = log_likelihood(remainders, weights, uniform, discounts)
        steps = np.diff(discounts, axis=1, prepend=PRIOR_DISCOUNT)
        value -= PRIOR_WEIGHT * float(np.sum(steps**2))
        slopes += 2 * PRIOR_WEIGHT * np.diff(steps, axis=1, append=0)
        total = weights.sum()
        return -value / total, -slopes.ravel() / total

    limits = [(MIN_DISCOUNT, count - MIN_DISCOUNT) for count in (1, 2, 3)]
    bounds = limits * (prior.size // 3)
    found = minimize(
        loss,
        prior.ravel(),
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options=SEARCH_OPTIONS,
    )
    return found.x.reshape(prior.shape).round(DECIMALS)


@dataclass(frozen=True, eq=False)
class Remainder:
    """What is left after histories of one length when one token is removed.

    rows : (n,), the tokens that have a history of this length
    groups : (n,), row of the discounts: twice the length, plus 1 at the start of a word
    counts, totals : (n,), count of the n-gram, and sum of the counts after its history
    n_of_class : (3, n), number of n-grams after the history that occur once, twice,
        more often
    """

    rows: np.ndarray
    groups: np.ndarray
    counts: np.ndarray
    totals: np.ndarray
    n_of_class: np.ndarray

    @cached_property
    def classes(self) -> NDArray[np.int8]:
        """Class of the count of each n-gram, (n,)."""
        return count_classes(self.counts)

    @cached_property
    def is_in_class(self) -> NDArray[np.bool_]:
        """Whether each n-gram occurs once, twice, more often, (3, n)."""
        return self.classes == np.array([[1], [2], [3]])

    @cached_property
    def is_known(self) -> NDArray[np.bool_]:
        """Whether another token has the history, (n,)."""
        return self.totals > 0


def remove_tokens(trie: HistoryTrie, ngrams: np.ndarray) -> list[Remainder]:
    """Remove one token of each maximal n-gram in turn; one result for each length.

    ngrams : (n_tokens,), indices of n-grams; their counts are rounded up
    """
    remainders = []
    rows, removed = np.arange(len(ngrams)), np.ones(len(ngrams))
    while len(rows):
        states = trie.ngram_keys[ngrams] // trie.n_symbols
        n_of_class, totals = _after_states(trie, states)
        before = np.ceil(trie.counts[ngrams])
        counts = before - removed
        columns = np.arange(len(rows))
        n_of_class[count_classes(before), columns] -= 1
        n_of_class[count_classes(counts), columns] += 1
        lengths = np.searchsorted(trie.state_levels, states, side="right") - 1
        groups = 2 * lengths + trie.begins_word[states]
        remainders.append(
            Remainder(rows, groups, counts, totals - removed, n_of_class[1:])
        )
        # The n-gram without its earliest id loses a predecessor with the last token.
        is_longer = states > 0
        rows, removed = rows[is_longer], (counts == 0)[is_longer].astype(float)
        ngrams = trie.lower_ngrams(ngrams[is_longer])
    return remainders[::-1]


def _after_states(
    trie: HistoryTrie, states: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of n-grams after states by class of count, and total counts.

    states, totals : (n,)
    n_of_class : (4, n), row 0 is zero
    """
    distinct, rows = np.unique(states, return_inverse=True)
    ngrams, owners = ngrams_after(trie.ngram_keys, trie.n_symbols, distinct)
    counts = np.ceil(trie.counts[ngrams])
    totals = np.bincount(owners, counts)
    keys = count_classes(counts) * np.int64(len(distinct)) + owners
    n_of_class = np.bincount(keys, minlength=4 * len(distinct)).reshape(4, -1)
    return n_of_class[:, rows].astype(float), totals[rows]


def log_likelihood(
    remainders: list[Remainder],
    weights: np.ndarray,
    uniform: float,
    discounts: np.ndarray,
) -> tuple[float, NDArray[np.float64]]:
    """Return the log-likelihood of the removed tokens, and its derivatives.

    weights : (n_tokens,)
    discounts, slopes : (n_groups, 3)
    """
    of_class = np.zeros((len(discounts), 4))
    of_class[:, 1:] = discounts
    proba, steps = np.full(len(weights), uniform), []
    for left in remainders:
        lower = proba[left.rows]
        freed = (discounts[left.groups].T * left.n_of_class).sum(axis=0)
        own = left.counts - of_class[left.groups, left.classes]
        totals = np.maximum(left.totals, 1)
        freed = np.where(left.is_known, freed, totals)
        proba[left.rows] = (own + freed * lower) / totals
        steps.append((left, lower, freed / totals, totals))
    slopes = np.zeros(of_class.shape)
    gradient = weights / proba  # of the log-likelihood, by the probability so far
    for left, lower, share, totals in reversed(steps):
        outer = np.where(left.is_known, gradient[left.rows] / totals, 0)
        by_discounts = outer * left.n_of_class * lower - outer * left.is_in_class
        for count, by_discount in enumerate(by_discounts, start=1):
            slopes[:, count] += np.bincount(left.groups, by_discount, len(slopes))
        gradient[left.rows] *= share
    return float(np.sum(weights * np.log(proba))), slopes[:, 1:]
