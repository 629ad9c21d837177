"""Words of a model with finitely many states, with the lengths of the training words.

The model gives each word a probability ``p(word)``, and thereby each length some
probability ``p(length)``. With ``q(length)`` for the lengths of the training words,

``p'(word) = p(word) q(length) / p(length)``

is the model that first samples a length from `q` and then a word of that length from
`p`. No model with these lengths is closer to `p` in Kullback-Leibler divergence.

The next symbol then depends on the state and on the number of characters so far. With
``r(n) = q(n) / p(n)``, let ``v(n, s)`` be the expectation of ``r(length)`` under `p`
after `n` characters that lead to state `s`. Then the probabilities are

``p'(end | n, s) = p(end | s) r(n) / v(n, s)``
``p'(c | n, s) = p(c | s) v(n + 1, s after c) / v(n, s)``

From some length on, `r` is constant. There ``v`` is the same constant, and ``p'`` is
``p``.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from .._words.types import Floats, Ids
from .._words.vocabulary import BOUNDARY, EncodedWords, within_groups
from .next_symbols import NextSymbolModel

EMPTY_PROBA = 1e-9
"""Probability of the empty word if it is no training word. Not 0: scores are finite."""

ADDED_TO_LENGTHS = 0.1
"""Number of words added at each length between the shortest and the longest word, so
that every length in between is possible. It is divided by the square of the distance to
the nearest length of a word: a gap gets less than a third of a word in all, however far
the longest word is from the others."""

POOLED_WORDS = 5.0
"""Number of words by which the lengths of words with any label count among those of a
label."""

MIN_LONGER = 1e-12
"""Smallest probability of the model for longer words that counts as one."""

MIN_VALUE = 1e-300
"""Smallest value ``v`` relative to the largest one after as many characters."""

MAX_STEPS = 1 << 26
"""Bound of `Expectations.size` times the number of lengths that are matched: a second
or two, and at most 512 MiB for `log_values`. All longer words together still have the
right probability."""


class Expectations(Protocol):
    """Expectations over the next symbol of a model, for all states at once.

    start_state : the state at the start of a word
    size : cost of an expectation; at least the number of states
    end_proba : (n_states,), probability that the word ends after each state
    """

    @property
    def start_state(self) -> int: ...  # noqa: D102

    @property
    def size(self) -> int: ...  # noqa: D102

    @property
    def end_proba(self) -> Floats: ...  # noqa: D102

    def expectation(self, values: Floats) -> Floats:
        """Return the mean value of the next state, where an end counts as 0.

        values, means : (n_states,)
        """
        ...


class FiniteStateModel(NextSymbolModel, Protocol):
    """A `NextSymbolModel` whose contexts are finitely many states."""

    @property
    def n_states(self) -> int:
        """Number of states; they are numbered from 0."""
        ...

    def expectations(self) -> Expectations:
        """Return the expectations over the next symbol."""
        ...

    def states(self, encoded: EncodedWords) -> Ids:
        """Return the state before every predicted id of words, (n_predictions,)."""
        ...

    def targets(self, encoded: EncodedWords) -> tuple[Floats, Ids]:
        """Return the log-probability of every predicted id, and the state before it."""
        ...

    def rows(self, states: Ids) -> tuple[Floats, Ids]:
        """Return log-probabilities of the next id, and next states, after states (n,).

        log_proba, next_states : (n, n_symbols)
        """
        ...


AnyModel = TypeVar("AnyModel", bound=FiniteStateModel)


def target_lengths(word_lengths: NDArray[Any], n_lengths: int) -> Floats:
    """Estimate the distribution of the lengths of new words.

    A new word is shorter or longer than all `n` training words with a probability of
    ``1 / (n + 2)``: that of a rank that is the first or the last of `n` + 1, halved
    because many words share the shortest and the longest length.

    word_lengths : (longest + 1,), weights of training words by number of characters
    proba : (n_lengths + 1,), the last one for all lengths from `n_lengths` on
    """
    n_words = float(word_lengths.sum())
    seen = np.flatnonzero(word_lengths)
    shortest, longest = int(seen[0]), int(seen[-1])
    between = np.arange(shortest, longest + 1)
    nearest = seen[np.searchsorted((seen[1:] + seen[:-1]) / 2, between)]
    distance = np.maximum(1, np.abs(between - nearest))
    inside = word_lengths[shortest : longest + 1] + ADDED_TO_LENGTHS / distance**2
    proba = np.zeros(max(longest + 1, n_lengths) + 1)
    proba[shortest : longest + 1] = inside / inside.sum()
    outside = 1 / (n_words + 2)
    proba *= 1 - outside
    proba[longest + 1] = outside
    if shortest > 1:
        proba[longest + 1] = outside / 2
        proba[1:shortest] = outside / 2 / (shortest - 1)
    if shortest > 0:
        proba[0] = EMPTY_PROBA
    return np.append(proba[:n_lengths], proba[n_lengths:].sum()) / proba.sum()


def lengths_of_label(own: NDArray[Any], pooled: NDArray[Any]) -> Floats:
    """Add the lengths of words with any label to those of a label's words.

    own, pooled : (longest + 1,), weights of words by number of characters
    """
    lengths = POOLED_WORDS / pooled.sum() * pooled
    lengths[: len(own)] += own
    return lengths


def log_length_ratio(step: Expectations, word_lengths: NDArray[Any]) -> Floats:
    """Return the logarithm of ``r``: see `target_lengths` and `LengthMatchedModel`."""
    n_lengths = min(len(word_lengths), max(1, MAX_STEPS // step.size))
    log_proba = np.full(n_lengths + 1, -np.inf)
    log_proba[:-1] = _log_proba_of_lengths(step, n_lengths)
    # Rounding must not make longer words possible if they are impossible.
    longer = 1 - np.exp(log_proba).sum()
    if longer > MIN_LONGER:
        log_proba[-1] = np.log(longer)
    target = target_lengths(word_lengths, n_lengths)
    # Without smoothing, some lengths are impossible, and their ratio has no effect.
    possible = log_proba > -np.inf
    log_ratio = np.zeros(n_lengths + 1)
    log_ratio[possible] = np.log(target[possible]) - log_proba[possible]
    return log_ratio - np.log(target[possible].sum())


def _log_proba_of_lengths(step: Expectations, n_lengths: int) -> Floats:
    """Return the log-probability of words of 0, 1, ... characters, (n_lengths,)."""
    log_proba = np.full(n_lengths, -np.inf)
    values, log_scale = step.end_proba.copy(), 0.0
    for length in range(n_lengths):
        if length > 0:
            values = step.expectation(values)
        # Probabilities of long words underflow without a scale.
        largest = values.max()
        if largest <= 0:
            break
        values /= largest
        log_scale += np.log(largest)
        start = values[step.start_state]
        if start > 0:
            log_proba[length] = np.log(start) + log_scale
    return log_proba


class LengthMatchedModel(Generic[AnyModel]):
    """A `NextSymbolModel` of another model's words, with other lengths.

    A context is ``n * n_states + state`` after `n` characters. From `n_lengths` on,
    characters are not counted.

    Parameters
    ----------
    plain : FiniteStateModel
        The model of which the words are.

    log_ratio : ndarray of shape (n_lengths + 1,)
        Logarithm of ``r`` for words of 0, 1, ... characters; the last element holds for
        all longer words.
    """

    def __init__(self, plain: AnyModel, log_ratio: Floats) -> None:
        self.plain, self.log_ratio = plain, log_ratio
        self.n_lengths = len(log_ratio) - 1

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle without `log_values`, which can be recomputed."""
        return type(self), (self.plain, self.log_ratio)

    @cached_property
    def log_values(self) -> Floats:
        """Logarithm of ``v`` by number of characters, (n_lengths + 1, n_states)."""
        step, log_ratio = self.plain.expectations(), self.log_ratio
        log_values = np.full((len(log_ratio), self.plain.n_states), log_ratio[-1])
        for length in reversed(range(self.n_lengths)):
            later = log_values[length + 1]
            largest = max(later.max(), log_ratio[length])
            values = step.end_proba * np.exp(log_ratio[length] - largest)
            values += step.expectation(np.exp(later - largest))
            # Below this share of the largest value, they would underflow.
            np.maximum(values, MIN_VALUE, out=values)
            np.add(np.log(values), largest, out=log_values[length])
        return log_values

    def factors(self, context: int) -> tuple[FiniteStateModel, int, Floats]:
        """Return the plain model, its state, and log-weights, in a context.

        The probability of the rest of a word is that under the plain model, times the
        weight of the word's length; the last weight holds for all longer words.
        """
        log_weights = self.log_ratio - self.log_values.flat[context]
        return self.plain, context % self.plain.n_states, log_weights

    def states(self, encoded: EncodedWords) -> Ids:
        """Return the context before every predicted id of words, (n_predictions,)."""
        states = self.plain.states(encoded)
        return self._lengths(encoded) * self.plain.n_states + states

    def next_log_proba(self, contexts: Ids) -> tuple[Floats, Ids]:
        """Return distinct distributions of the next id, and the row of each context.

        contexts, rows : (n,)
        log_proba : (n_distinct, n_symbols), in nats; ``-inf`` where impossible
        """
        contexts, rows = np.unique(contexts, return_inverse=True)
        lengths, states = np.divmod(contexts, self.plain.n_states)
        log_proba, next_states = self.plain.rows(states)
        after = np.minimum(lengths + 1, self.n_lengths)[:, np.newaxis]
        gains = self.log_values[after, next_states]
        gains[:, BOUNDARY] = self.log_ratio[lengths]
        return log_proba + gains - self.log_values[lengths, states, np.newaxis], rows

    def advance(self, contexts: Ids, ids: Ids) -> Ids:
        """Return the contexts after one more id each; after 0, the start of a word."""
        contexts = np.asarray(contexts, np.int64)
        lengths, states = np.divmod(contexts, self.plain.n_states)
        lengths = np.minimum(lengths + 1, self.n_lengths) * (ids != BOUNDARY)
        return lengths * self.plain.n_states + self.plain.advance(states, ids)

    def target_log_proba(self, encoded: EncodedWords) -> Floats:
        """Return the log-probability of every predicted id of words, (n_predictions,).

        In nats; ``-inf`` where impossible.
        """
        log_proba, states = self.plain.targets(encoded)
        lengths = self._lengths(encoded)
        before = self.log_values[lengths, states]
        after = np.append(before[1:], 0)
        ends = encoded.offsets[1:] - 1
        after[ends] = self.log_ratio[lengths[ends]]
        return log_proba + after - before

    def word_log_proba(self, encoded: EncodedWords) -> Floats:
        """Return the log-probability of every word, (n_words,)."""
        log_proba, _ = self.plain.targets(encoded)
        of_words = np.add.reduceat(log_proba, encoded.offsets[:-1])
        return (
            of_words + self.log_ratio[np.minimum(encoded.lengths - 1, self.n_lengths)]
        )

    def _lengths(self, encoded: EncodedWords) -> NDArray[np.int64]:
        """Return the number of characters before every predicted id."""
        return np.minimum(within_groups(encoded.lengths), self.n_lengths)
