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

EMPTY_PROBA = 1e-9
"""Probability of the empty word if it is no training word. Not 0: scores are finite."""

ADDED_TO_LENGTHS = 0.1
"""Number of words added at each length between the shortest and the longest word, so
that every length in between is possible."""

MIN_LONGER = 1e-12
"""Smallest probability of the model for longer words that counts as one."""

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


class FiniteStateModel(Protocol):
    """A model whose predictions depend on one of finitely many states."""

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

    def advance(self, contexts: Ids, ids: Ids) -> Ids:
        """Return the states after one more id each; after 0, the start of a word."""
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
    inside = word_lengths[shortest:] + ADDED_TO_LENGTHS
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


def log_length_ratio(step: Expectations, word_lengths: NDArray[Any]) -> Floats:
    """Return the logarithm of ``r``: see `target_lengths` and `LengthMatchedModel`."""
    n_lengths = min(len(word_lengths), max(1, MAX_STEPS // step.size))
    proba = np.zeros(n_lengths + 1)
    values = step.end_proba
    for length in range(n_lengths):
        proba[length] = values[step.start_state]
        values = step.expectation(values)
    # Rounding must not make longer words possible if they are impossible.
    longer = 1 - proba.sum()
    proba[-1] = longer if longer > MIN_LONGER else 0
    target = target_lengths(word_lengths, n_lengths)
    # Without smoothing, some lengths are impossible.
    ratio = np.divide(target, proba, out=np.ones_like(proba), where=proba > 0)
    return np.log(ratio / np.sum(ratio * proba))


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
        step, ratio = self.plain.expectations(), np.exp(self.log_ratio)
        values = np.full((len(ratio), self.plain.n_states), ratio[-1])
        for length in reversed(range(self.n_lengths)):
            values[length] = step.end_proba * ratio[length]
            values[length] += step.expectation(values[length + 1])
        return np.log(values, out=values)

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
