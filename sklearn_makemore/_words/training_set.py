"""TrainingSet: what a model learns from, as one object."""

from dataclasses import dataclass, replace

import numpy as np

from .vocabulary import CharVocabulary, EncodedWords


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """Encoded words with their vocabulary and weights.

    Parameters
    ----------
    vocabulary : CharVocabulary
        The symbols.

    encoded : EncodedWords
        The words.

    sample_weight : ndarray of shape (n_words,), default=None
        Positive weight of each word; None is one each.
    """

    vocabulary: CharVocabulary
    encoded: EncodedWords
    sample_weight: np.ndarray | None = None

    @property
    def words(self):
        """The words as a list of strings."""
        return self.vocabulary.decode(self.encoded)

    @property
    def max_predictions(self):
        """Predictions of the longest word: its characters and the end mark."""
        return int(self.encoded.lengths.max())

    def take(self, rows):
        """Return the words of some rows, (n,) int64, with their weights."""
        weight = None if self.sample_weight is None else self.sample_weight[rows]
        encoded = self.encoded.take(rows)
        return replace(self, encoded=encoded, sample_weight=weight)
