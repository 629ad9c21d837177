"""The back-off of n-grams given a label, learned on held-out words.

The words are cut into folds. The n-grams of the other folds predict those of a fold,
and the parameters of the back-off maximise the probability of all predictions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit

from .._words.vocabulary import EncodedWords
from .label_smoothing import (
    LIMITS,
    N_EVIDENCE,
    LabelBackoff,
    LabelledNGrams,
    count_kind,
    evidence,
)
from .trie import find_keys

PRIOR_DISCOUNTS = np.array([0.7, 1.1, 1.4])
"""Discounts without data: typical values of long lists."""

PRIOR_SHARE = 0.5
"""Share of the n-grams of all words without data."""

PRIOR_WEIGHT = 0.3
"""Weight in nats of the squared differences from these values, on the scale of log
odds. It decides where few predictions depend on a parameter."""

SEARCH_OPTIONS = {"maxiter": 60, "ftol": 1e-6}


@dataclass(frozen=True, eq=False)
class Predictions:
    """Held-out predictions whose known history has some length or more.

    rows : (n,) which of all predictions they are
    begins_word : (n,) 1 if the history of this length begins a word, else 0
    labels : (n,) labels of the words
    shares : (n,) of the n-gram in the count of its history, with the label
    per_total : (n,) the inverse of this count, 0 without any
    kinds : (n,) ``4 * begins_word`` plus 0 to 3 for the count of the n-gram
    shares_of_counts : (3, n) how many n-grams after the history occur once, twice, more
        often, times `per_total`
    evidence : (n, N_EVIDENCE)
    pooled_proba : (n,) probabilities in the model of all words
    """

    rows: np.ndarray
    begins_word: np.ndarray
    labels: np.ndarray
    shares: np.ndarray
    per_total: np.ndarray
    kinds: np.ndarray
    shares_of_counts: np.ndarray
    evidence: np.ndarray
    pooled_proba: np.ndarray


def predictions_by_length(
    learned: LabelledNGrams, encoded: EncodedWords, labels: np.ndarray
) -> list[Predictions]:
    """Look up the predictions of words, for histories of 0, 1, ... ids.

    labels : (n_words,)
    """
    trie, model = learned.trie, learned.pooled_model
    labels = np.repeat(labels, encoded.lengths)
    targets = encoded.targets.astype(np.int64)
    chain = [model.states(encoded)]  # the longest known histories, then their parents
    while chain[-1].any():
        chain.append(trie.parents[chain[-1]].astype(np.int64))
    lengths = np.searchsorted(trie.state_levels, chain[0], side="right") - 1
    proba = np.full(len(targets), 1 / trie.n_symbols)
    found = []
    for length in range(int(lengths.max()) + 1):
        rows = np.flatnonzero(lengths >= length)
        states = np.stack(chain)[lengths[rows] - length, rows]
        keys = states * trie.n_symbols + targets[rows]
        ngrams, is_seen = find_keys(trie.ngram_keys, keys)
        backed_off = proba[rows] * np.exp(model.log_backoff[states])
        proba[rows] = np.where(is_seen, np.exp(model.log_proba[ngrams]), backed_off)
        counts, totals, n_of_count = learned.look_up(
            labels[rows], np.where(is_seen, ngrams, trie.n_ngrams), states
        )
        begins_word = trie.begins_word[states].astype(np.intp)
        per_total = np.where(totals > 0, 1 / np.maximum(totals, 1), 0)
        pooled_totals = learned.pooled_totals[states]
        found.append(
            Predictions(
                rows,
                begins_word,
                labels[rows],
                counts * per_total,
                per_total,
                4 * begins_word + count_kind(counts),
                n_of_count * per_total,
                evidence(totals, n_of_count.sum(axis=0), pooled_totals),
                proba[rows],
            )
        )
    return found


def learn_backoff(
    parts: Sequence[list[Predictions]], order: int, n_labels: int, n_symbols: int
) -> LabelBackoff:
    """Return the back-off that makes the predictions of all folds most likely.

    parts : per fold what `predictions_by_length` returns
    """
    start = _raw_prior(order, n_labels)
    total = sum(len(part[0].rows) for part in parts)

    def loss(raw: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        backoff = from_raw(raw, order)
        likelihoods = [log_likelihood(part, backoff, 1 / n_symbols) for part in parts]
        value = sum(value for value, _ in likelihoods)
        value -= PRIOR_WEIGHT * float(np.sum((raw - start) ** 2))
        slopes = np.sum([slopes for _, slopes in likelihoods], axis=0)
        slopes = slopes - 2 * PRIOR_WEIGHT * (raw - start)
        return -value / total, -slopes / total

    if not total:
        return from_raw(start, order)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options=SEARCH_OPTIONS)
    return from_raw(found.x, order)


def from_raw(raw: NDArray[np.float64], order: int) -> LabelBackoff:
    """Return the back-off of unbounded parameters, (order * 10 + n_labels,)."""
    cuts = np.cumsum([order * 6, order * N_EVIDENCE])
    discounts, slopes, shifts = np.split(raw, cuts)
    return LabelBackoff(
        expit(discounts.reshape(order, 2, 3)) * LIMITS,
        slopes.reshape(order, N_EVIDENCE),
        shifts,
    )


def _raw_prior(order: int, n_labels: int) -> NDArray[np.float64]:
    """Return the argument of `from_raw` for the values without data."""
    slopes = np.zeros((order, N_EVIDENCE))
    slopes[:, 0] = logit(PRIOR_SHARE)
    discounts = np.tile(logit(PRIOR_DISCOUNTS / LIMITS), order * 2)
    return np.concatenate([discounts, slopes.ravel(), np.zeros(n_labels)])


def log_likelihood(
    predictions: list[Predictions], backoff: LabelBackoff, uniform: float
) -> tuple[float, NDArray[np.float64]]:
    """Return the log-likelihood, and its derivatives by the argument of `from_raw`."""
    proba = np.full(len(predictions[0].rows), uniform)
    steps = []
    for length, part in enumerate(predictions):
        discounts = backoff.discounts[length]  # (2, 3)
        share = backoff.pooled_share(length, part.labels, part.evidence)
        lower = proba[part.rows]
        difference = part.pooled_proba - lower
        mixed = lower + share * difference
        freed = (discounts @ part.shares_of_counts)[
            part.begins_word, np.arange(len(lower))
        ]
        # A history that does not occur with the label leaves all to the back-off.
        freed[part.per_total == 0] = 1
        removed = np.pad(discounts, [(0, 0), (1, 0)]).ravel()[part.kinds]
        proba[part.rows] = part.shares - removed * part.per_total + freed * mixed
        steps.append((share, difference, mixed, freed))
    gradient = 1 / proba  # of the log-likelihood, by the probability so far
    of_discounts, of_slopes = np.zeros_like(backoff.discounts), []
    of_shifts = np.zeros_like(backoff.label_shifts)
    for length, part in reversed(list(enumerate(predictions))):
        share, difference, mixed, freed = steps[length]
        outer = gradient[part.rows]
        # Rows: histories that do not begin a word, and those that do.
        freeing = np.stack([1 - part.begins_word, part.begins_word]) * (outer * mixed)
        removing = np.bincount(part.kinds, outer * part.per_total, 8).reshape(2, 4)
        of_discounts[length] = freeing @ part.shares_of_counts.T - removing[:, 1:]
        of_logit = outer * freed * difference * share * (1 - share)
        of_slopes.insert(0, of_logit @ part.evidence)
        of_shifts += np.bincount(part.labels, of_logit, len(of_shifts))
        gradient[part.rows] = outer * freed * (1 - share)
    of_discounts *= backoff.discounts * (1 - backoff.discounts / LIMITS)
    slopes = np.zeros_like(backoff.slopes)
    slopes[: len(of_slopes)] = of_slopes
    derivatives = of_discounts.ravel(), slopes.ravel(), of_shifts
    return float(np.log(proba).sum()), np.concatenate(derivatives)
