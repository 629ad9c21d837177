"""TrainingSet: words, vocabulary and weights as one object."""

from collections.abc import Callable, Sized
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from .._sklearn import non_negative_weights
from .check import check_words
from .code_points import CodePoints, encodable_words
from .prefixes import distinct_words
from .types import Floats, Ids, Weights, Words
from .vocabulary import CharVocabulary, EncodedWords

MAX_TOTAL_WEIGHT = 1e307
"""Largest total weight: sums over the characters of words must stay finite."""


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """Encoded words with their vocabulary, weights and labels.

    sample_weight : (n_words,) non-negative; None means that all weights are 1
    labels : (n_words,) from 0 to `n_labels` - 1; None for words without labels
    """

    vocabulary: CharVocabulary
    encoded: EncodedWords
    sample_weight: Floats | None = None
    labels: Any = None
    n_labels: int = 0

    @classmethod
    def from_words(
        cls,
        words: Words,
        sample_weight: Weights,
        vocabulary_of: Callable[[CodePoints], CharVocabulary],
    ) -> Self:
        """Check and encode words; those of weight zero become the empty word.

        So they have no effect on the vocabulary and on lengths, and errors name the
        index among all words. `with_weight` leaves them out.

        vocabulary_of : returns the vocabulary to encode some `CodePoints` with.
        """
        words = check_words(words)
        weight = check_sample_weight(sample_weight, words)
        joined = CodePoints.from_checked(emptied(words, weight))
        vocabulary = vocabulary_of(joined)
        return cls(vocabulary, vocabulary.encode_code_points(joined), weight)

    def with_weight(self) -> Self:
        """Return the words of positive weight."""
        if self.sample_weight is None or self.sample_weight.all():
            return self
        return self.take(np.flatnonzero(self.sample_weight))

    @property
    def words(self) -> list[str]:
        """The words as a list of strings."""
        return self.vocabulary.decode(self.encoded)

    @property
    def max_predictions(self) -> int:
        """Predictions of the longest word: its characters and the end mark."""
        return int(self.encoded.lengths.max())

    @property
    def word_lengths(self) -> Floats:
        """Total weight of the words of 0, 1, ... characters, (longest + 1,)."""
        counts = np.bincount(self.encoded.lengths - 1, self.sample_weight)
        return counts.astype(np.float64)

    def take(self, rows: Ids) -> Self:
        """Return the words of some rows, (n,) int64, with their weights and labels."""
        weight = None if self.sample_weight is None else self.sample_weight[rows]
        labels = None if self.labels is None else self.labels[rows]
        encoded = self.encoded.take(rows)
        return replace(self, encoded=encoded, sample_weight=weight, labels=labels)

    def distinct(self) -> Self:
        """Return each word once per label, with total weights.

        The words of a label follow each other, in lexicographic order of the symbols.
        """
        encoded, rows = distinct_words(self.encoded)
        labels = None
        if self.labels is not None:
            pairs = self.labels * encoded.n_words + rows
            pairs, rows = np.unique(pairs, return_inverse=True)
            labels, words = np.divmod(pairs, encoded.n_words)
            encoded = encoded.take(words)
        weight = np.bincount(rows, self.sample_weight).astype(np.float64)
        return replace(self, encoded=encoded, sample_weight=weight, labels=labels)


def padded_sum(one: NDArray[Any], other: NDArray[Any]) -> NDArray[Any]:
    """Add two arrays of one dimension, the shorter one filled with 0."""
    shorter, longer = sorted((one, other), key=len)
    return longer + np.pad(shorter, (0, len(longer) - len(shorter)))


def check_training(
    words: Words, sample_weight: Weights
) -> tuple[list[str], Floats | None]:
    """Check words and their weights; words of weight zero become the empty word.

    So they have no effect, and errors name the index among all words.
    """
    words = check_words(words)
    weight = check_sample_weight(sample_weight, words)
    return encodable_words(emptied(words, weight)), weight


def with_weight(
    words: list[str], sample_weight: Floats | None
) -> tuple[list[str], Floats | None, Ids]:
    """Return the words of positive weight, their weights and their rows."""
    if sample_weight is None or sample_weight.all():
        return words, sample_weight, np.arange(len(words))
    rows = np.flatnonzero(sample_weight)
    return [words[row] for row in rows.tolist()], sample_weight[rows], rows


def emptied(words: list[str], sample_weight: Floats | None) -> list[str]:
    """Replace the words of weight zero by the empty word, which is always valid."""
    if sample_weight is None or sample_weight.all():
        return words
    weights = sample_weight.tolist()
    return [word if weight else "" for word, weight in zip(words, weights, strict=True)]


def check_sample_weight(sample_weight: Weights, words: Sized) -> Floats | None:
    """Return the weights of words as float64, (n_words,), or None if there are none."""
    if sample_weight is None:
        return None
    weights = non_negative_weights(sample_weight, words)
    if np.sum(weights / MAX_TOTAL_WEIGHT) > 1:
        index = int(weights.argmax())
        raise ValueError(
            f"`sample_weight` has {weights[index]} at index {index}, and sums of "
            f"weights above {MAX_TOTAL_WEIGHT:.0e} overflow. Divide all weights by the "
            "same number."
        )
    return weights
