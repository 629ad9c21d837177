"""Words of an n-gram model, with the lengths of the training words.

An n-gram model gives each word a probability ``p(word)``, and thereby each length some
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
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .._words.code_points import slices
from .._words.vocabulary import BOUNDARY, EncodedWords, within_groups
from .model import NGramModel
from .trie import HistoryTrie

EMPTY_PROBA = 1e-9
"""Probability of the empty word if it is no training word. Not 0: scores are finite."""

ADDED_TO_LENGTHS = 0.1
"""Number of words added at each length between the shortest and the longest word, so
that every length in between is possible."""

MIN_LONGER = 1e-12
"""Smallest probability of the n-gram model for longer words that counts as one."""

MAX_STEPS = 1 << 26
"""Bound of the number of n-grams times the number of lengths that are matched: about a
second, and at most 512 MiB for `log_values`. All longer words together still have the
right probability."""

NGRAM_CHUNK_SIZE = 1 << 13
"""Number of n-grams summed at a time; the temporary arrays fit in the cache."""


def target_lengths(word_lengths: np.ndarray, n_lengths: int) -> NDArray[np.float64]:
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


def log_length_ratio(
    continuation: Continuation, word_lengths: np.ndarray
) -> NDArray[np.float64]:
    """Return the logarithm of ``r``: see `target_lengths` and `LengthMatchedModel`."""
    trie = continuation.trie
    n_lengths = min(len(word_lengths), max(1, MAX_STEPS // (trie.n_ngrams + 1)))
    proba = np.zeros(n_lengths + 1)
    values = continuation.end_proba
    for length in range(n_lengths):
        proba[length] = values[trie.start_state]
        values = continuation.expectation(values)
    # Rounding must not make longer words possible if they are impossible.
    longer = 1 - proba.sum()
    proba[-1] = longer if longer > MIN_LONGER else 0
    target = target_lengths(word_lengths, n_lengths)
    # Without smoothing, some lengths are impossible.
    ratio = np.divide(target, proba, out=np.ones_like(proba), where=proba > 0)
    return np.log(ratio / np.sum(ratio * proba))


class LengthMatchedModel:
    """A `NextSymbolModel` of an n-gram model's words, with other lengths.

    A context is ``n * n_states + state`` after `n` characters. From `n_lengths` on,
    characters are not counted.

    Parameters
    ----------
    ngrams : NGramModel
        The n-gram model.

    log_ratio : ndarray of shape (n_lengths + 1,)
        Logarithm of ``r`` for words of 0, 1, ... characters; the last element holds for
        all longer words.
    """

    def __init__(self, ngrams: NGramModel, log_ratio: np.ndarray) -> None:
        self.ngrams, self.log_ratio = ngrams, log_ratio
        self.n_lengths = len(log_ratio) - 1

    def __reduce__(self) -> tuple:
        """Pickle without `log_values`, which can be recomputed."""
        return type(self), (self.ngrams, self.log_ratio)

    def is_close(self, other: object, tolerance: float) -> bool:
        """Whether another model of the same n-grams has the same probabilities."""
        return (
            isinstance(other, LengthMatchedModel)
            and self.ngrams.is_close(other.ngrams, tolerance)
            and np.allclose(self.log_ratio, other.log_ratio, tolerance, tolerance)
        )

    @cached_property
    def log_values(self) -> NDArray[np.float64]:
        """Logarithm of ``v`` by number of characters, (n_lengths + 1, n_states)."""
        ngrams, ratio = self.ngrams, np.exp(self.log_ratio)
        smoothed = np.exp(ngrams.log_proba), np.exp(ngrams.log_backoff)
        step = Continuation(ngrams, *smoothed)
        values = np.full((len(ratio), ngrams.n_states), ratio[-1])
        for length in reversed(range(self.n_lengths)):
            values[length] = step.end_proba * ratio[length]
            values[length] += step.expectation(values[length + 1])
        return np.log(values, out=values)

    def states(self, encoded: EncodedWords) -> NDArray[np.int64]:
        """Return the context before every predicted id of words, (n_predictions,)."""
        states = self.ngrams.states(encoded)
        return self._lengths(encoded) * self.ngrams.n_states + states

    def next_log_proba(
        self, contexts: np.ndarray
    ) -> tuple[NDArray[np.float64], np.ndarray]:
        """Return distinct distributions of the next id, and the row of each context.

        contexts, rows : (n,)
        log_proba : (n_distinct, n_symbols), in nats; ``-inf`` where impossible
        """
        contexts, rows = np.unique(contexts, return_inverse=True)
        lengths, states = np.divmod(contexts, self.ngrams.n_states)
        log_proba, next_states = self.ngrams.rows(states)
        after = np.minimum(lengths + 1, self.n_lengths)[:, np.newaxis]
        gains = self.log_values[after, next_states]
        gains[:, BOUNDARY] = self.log_ratio[lengths]
        return log_proba + gains - self.log_values[lengths, states, np.newaxis], rows

    def advance(self, contexts: np.ndarray, ids: np.ndarray) -> NDArray[np.int64]:
        """Return the contexts after one more id each; after 0, the start of a word."""
        contexts = np.asarray(contexts, np.int64)
        lengths, states = np.divmod(contexts, self.ngrams.n_states)
        lengths = np.minimum(lengths + 1, self.n_lengths) * (ids != BOUNDARY)
        return lengths * self.ngrams.n_states + self.ngrams.advance(states, ids)

    def target_log_proba(self, encoded: EncodedWords) -> NDArray[np.float64]:
        """Return the log-probability of every predicted id of words, (n_predictions,).

        In nats; ``-inf`` where impossible.
        """
        log_proba, states = self.ngrams.targets(encoded)
        lengths = self._lengths(encoded)
        before = self.log_values[lengths, states]
        after = np.append(before[1:], 0)
        ends = encoded.offsets[1:] - 1
        after[ends] = self.log_ratio[lengths[ends]]
        return log_proba + after - before

    def word_log_proba(self, encoded: EncodedWords) -> NDArray[np.float64]:
        """Return the log-probability of every word, (n_words,)."""
        lengths = np.minimum(encoded.lengths - 1, self.n_lengths)
        return self.ngrams.word_log_proba(encoded) + self.log_ratio[lengths]

    def _lengths(self, encoded: EncodedWords) -> NDArray[np.int64]:
        """Return the number of characters before every predicted id."""
        return np.minimum(within_groups(encoded.lengths), self.n_lengths)


class Continuation:
    """Expectations over the next id of an n-gram model, for all states at once.

    An id that was not seen after a state is as likely as after its parent, times the
    back-off weight. So an expectation after a state is that after its parent, times the
    back-off weight, plus a correction for each n-gram that was seen.

    Parameters
    ----------
    trie : HistoryTrie or NGramModel
        The states and the n-grams.

    proba, backoff : ndarray
        As `smoothing` returns them.

    Attributes
    ----------
    end_proba : ndarray of shape (n_states,)
        Probability that the word ends after each state.
    """

    def __init__(
        self, trie: HistoryTrie | NGramModel, proba: np.ndarray, backoff: np.ndarray
    ) -> None:
        self.trie, self._proba, self._backoff = trie, proba, backoff
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
        for first, end in pairwise(trie.state_levels[1:].tolist()):
            sums[first:end] += self._backoff[first:end] * sums[trie.parents[first:end]]
        return sums
