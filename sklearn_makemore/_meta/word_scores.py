"""Scores of words that are looked up by word, without the words themselves."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from .._words.types import Floats

DIGEST_SIZE = 8
"""Bytes that stand for a word. Two words share them with a probability of 2**-64."""


@dataclass(frozen=True, eq=False)
class WordScores:
    """The score of each of some distinct words, in 16 bytes per word.

    digests : (n_distinct,) uint64, increasing
    scores : (n_distinct,)
    """

    digests: NDArray[np.uint64]
    scores: Floats

    @classmethod
    def of(cls, words: list[str], scores: Floats) -> Self:
        """Return the scores of words, of which equal ones have one score."""
        digests, rows = np.unique(word_digests(words), return_index=True)
        return cls(digests, scores[rows])

    @classmethod
    def restored(cls, digests: Any, scores: Any) -> Self:
        """Return the scores from a file, or raise an error unless they are valid."""
        for array, dtype in (digests, np.uint64), (scores, np.float64):
            if not isinstance(array, np.ndarray) or array.dtype != dtype:
                raise TypeError(f"scores of words have {array!r} instead of {dtype}.")
        if digests.ndim != 1 or digests.shape != scores.shape:
            raise ValueError("there are not as many scores as digests of words.")
        if not (digests[1:] > digests[:-1]).all() or not np.isfinite(scores).all():
            raise ValueError("scores or digests of words are not valid.")
        return cls(digests, scores)

    def put_into(self, scores: Floats, words: list[str]) -> Floats:
        """Return scores of words, with these scores for the words that have one."""
        if not len(self.digests):
            return scores
        asked = word_digests(words)
        at = np.searchsorted(self.digests, asked)
        at = np.minimum(at, len(self.digests) - 1)
        return np.where(self.digests[at] == asked, self.scores[at], scores)


def word_digests(words: list[str]) -> NDArray[np.uint64]:
    """Return numbers that stand for words on every machine, (n_words,)."""
    digests = (blake2b(word.encode(), digest_size=DIGEST_SIZE) for word in words)
    joined = b"".join(digest.digest() for digest in digests)
    return np.frombuffer(joined, dtype="<u8").astype(np.uint64)
