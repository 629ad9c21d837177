"""PredictionHooks: the hooks of a fitted model that all its methods use."""

from abc import ABCMeta, abstractmethod

from sklearn.base import DensityMixin
from sklearn.utils.validation import check_is_fitted

from .._declarations import fitted
from .._generation.next_symbols import Contexts, NextSymbolModel
from .._generation.sampling import MAX_CELLS, MIN_ROWS
from .._word_estimator import BaseWordEstimator
from .._words.types import Floats, Ids, Words
from .._words.vocabulary import CharVocabulary, EncodedWords

SAMPLING_CHUNK_SIZE = 1 << 24
"""Approximate number of characters sampled at a time: about 40 bytes each."""


class PredictionHooks(DensityMixin, BaseWordEstimator, metaclass=ABCMeta):
    """Hooks of a fitted model: encoded words to contexts to log-probabilities.

    A context represents the symbols so far: a window of symbols, a state of an
    automaton, a hidden state. Only the model itself interprets its contexts.
    """

    vocabulary_: CharVocabulary = fitted("The symbols and their ids.")
    longest_word_: int = fitted("Number of characters of the longest training word.")

    @abstractmethod
    def _contexts_after(self, encoded: EncodedWords) -> Contexts:
        """Return the context at the end of each word, before its end mark."""

    @abstractmethod
    def _next_symbol_model(self) -> NextSymbolModel:
        """Return the model that takes the contexts. A method calls this hook once."""

    @abstractmethod
    def _target_log_proba(self, encoded: EncodedWords) -> Floats:
        """Return the log-probability of every predicted symbol, (n_predictions,)."""

    @abstractmethod
    def _knows_empty_word(self) -> bool:
        """Whether the empty word is a training word."""

    def _prefix_log_proba(self, encoded: EncodedWords) -> tuple[Floats, Ids]:
        """Return distinct distributions after prefixes, and the row of each prefix."""
        return self._next_symbol_model().next_log_proba(self._contexts_after(encoded))

    def _longest_word(self) -> int | None:
        """Return the largest number of characters of a word; None without a limit."""
        return None

    def _default_max_length(self, shortest: int) -> int:
        """Return the largest number of characters of a sampled word by default.

        shortest : the smallest number that is allowed
        """
        longest = shortest + max(1000, 10 * self.longest_word_)
        limit = self._longest_word()
        return longest if limit is None else min(longest, limit)

    def _draws_at_once(self, shortest: int) -> int:
        """Return how many words of `shortest` characters or more fit in memory."""
        n_rows = max(MIN_ROWS, MAX_CELLS // self.vocabulary_.n_symbols)
        longest = max(shortest, self.longest_word_) + 1
        return max(1, min(n_rows, SAMPLING_CHUNK_SIZE // longest))

    def _check_readable(self, encoded: EncodedWords, name: str) -> None:
        """Raise an error if a word is longer than the fitted model can read."""

    def _encoded(self, words: Words, name: str = "words") -> EncodedWords:
        """Check words and encode them with the fitted vocabulary."""
        check_is_fitted(self)
        encoded = self.vocabulary_.encode(words, name)
        self._check_readable(encoded, name)
        return encoded
