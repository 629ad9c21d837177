"""Estimates of how many words are at least as probable as a word."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np

from .._words.types import Floats, Ids, Mask
from .._words.vocabulary import BOUNDARY, EncodedWords
from .sampling import Source, assembled, draw_from_cdf, next_proba, stacked_cdf

ROUNDING = 1e-6
"""Relative difference of log-probabilities up to which words are equally probable. The
models compute with float32 or float64."""


@dataclass(frozen=True, eq=False)
class SampledRanks:
    """Ranks by log-probability, estimated from sampled words.

    A word that is sampled with the probability q stands for 1 / (n q) words.

    log_proba : (n_samples,), under the model, increasing
    log_rank : (n_samples,), logarithm of the estimated number of words that are at
        least as probable as a sample
    log_error : (n_samples,), logarithm of its standard error
    """

    log_proba: Floats
    log_rank: Floats
    log_error: Floats

    @classmethod
    def of(cls, log_proba: Floats, log_drawn: Floats) -> Self:
        """Return the ranks of samples.

        log_proba : (n_samples,), under the model
        log_drawn : (n_samples,), with which they were sampled
        """
        n_samples = len(log_proba)
        order = np.argsort(-log_proba)
        weights = -log_drawn[order]
        log_mean: Floats = np.logaddexp.accumulate(weights) - np.log(n_samples)
        log_square: Floats = np.logaddexp.accumulate(2 * weights) - np.log(n_samples)
        with np.errstate(divide="ignore"):  # all samples may have the same weight
            log_spread = np.log1p(-np.exp(np.minimum(2 * log_mean - log_square, 0)))
        log_error = (log_square + log_spread - np.log(n_samples - 1)) / 2
        return cls(log_proba[order][::-1], log_mean[::-1], log_error[::-1])

    def __call__(self, log_proba: Floats) -> tuple[Floats, Floats]:
        """Return the ranks of words and their standard errors, (n_words,) each.

        A rank is at least 1, for the word itself. Its error is 1 / (n p) for a word of
        probability p above all samples, as if it were sampled once, and inf for a word
        below all samples. An impossible word has the rank inf with the error nan.
        """
        tolerance = ROUNDING * np.maximum(1, np.abs(log_proba))
        least = log_proba - tolerance
        at = np.searchsorted(self.log_proba, least)  # the least probable of the counted
        log_rank = np.append(self.log_rank, 0.0)[at]
        no_hit = -log_proba - np.log(len(self.log_proba))
        log_error = np.where(
            at < len(self.log_proba), np.append(self.log_error, 0.0)[at], no_hit
        )
        is_possible = self.log_proba > -np.inf
        lowest = np.min(self.log_proba, initial=np.inf, where=is_possible)
        log_error[log_proba < lowest - tolerance] = np.inf
        impossible = log_proba == -np.inf
        with np.errstate(over="ignore"):
            rank = np.where(impossible, np.inf, np.exp(np.maximum(log_rank, 0.0)))
            return rank, np.where(impossible, np.nan, np.exp(log_error))


def sampled_log_proba(
    source: Source,
    n_draws: int,
    rng: np.random.RandomState,
    are_words: Callable[[EncodedWords], Mask] | None = None,
) -> tuple[Floats, Floats]:
    """Sample words, and return their log-probabilities, (n_draws,) each.

    The first are those under the model, the second those with which the options let
    them be sampled. Both are finite, or the first is ``-inf`` for a word that the model
    cannot end and the second ``inf`` for a draw without a word.

    are_words : returns whether sampled ids count as a word, (n_draws,); None if all do
    """
    model, options = source.model, source.options
    alive = np.arange(n_draws)
    contexts = source.context[np.zeros(n_draws, dtype=np.intp)]
    log_proba, log_drawn = np.zeros(n_draws), np.zeros(n_draws)
    columns: list[tuple[Ids, Ids]] = []
    n_characters = source.length
    while True:
        table, rows = model.next_log_proba(contexts)
        proba = next_proba(table, n_characters, options)
        steps, dead = stacked_cdf(proba)
        uniform = rng.random_sample(len(alive))
        symbols = draw_from_cdf(steps, rows, uniform, table.shape[1])
        symbols[dead[rows]] = BOUNDARY
        total = proba.sum(axis=1)
        log_proba[alive] += table[rows, symbols]
        with np.errstate(divide="ignore", invalid="ignore"):
            drawn = np.log(proba[rows, symbols] / total[rows])
        log_drawn[alive] += np.where(dead[rows], np.inf, drawn)
        going = np.flatnonzero(symbols != BOUNDARY)
        if not len(going):
            break
        alive, symbols = alive[going], symbols[going]
        if are_words is not None:
            columns.append((alive, symbols))
        contexts = model.advance(contexts[going], symbols)
        n_characters += 1
    if are_words is not None:
        is_none = ~are_words(assembled(columns, n_draws))
        log_proba[is_none], log_drawn[is_none] = -np.inf, np.inf
    return log_proba, log_drawn
