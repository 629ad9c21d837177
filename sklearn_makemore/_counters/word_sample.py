"""A sample of the distinct words with their weights, which tells what a word weighs.

Each word has a hash value that depends on its characters alone. The sample holds the
words of the smallest hash values. A word in the sample of two lists together is in the
sample of each list that contains it. So the sample of both follows from the two
samples, with exact weights [1]_.

References
----------
.. [1] Z. Bar-Yossef, T. S. Jayram, R. Kumar, D. Sivakumar, L. Trevisan, "Counting
   distinct elements in a data stream", RANDOM 2002.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from .._words.training_set import TrainingSet
from .._words.vocabulary import CharVocabulary, EncodedWords

SAMPLE_SIZE = 1 << 10
"""Largest number of words in a sample. The share of the distinct words below a weight
then has a standard error of 0.016 or less."""

LIGHTER_WEIGHT = 0.025
"""Share of the total weight of the words that weigh less than a rare word. A larger
share gives new words more probability, and known words less."""

LIGHTER_WORDS = 0.5
"""Largest share of the distinct words that weigh less than a rare word."""

PREDICTION_CHUNK_SIZE = 1 << 15
"""Approximate number of predictions hashed at a time; bounds the temporary arrays."""

GOLDEN_RATIO = np.uint64(0x9E3779B97F4A7C15)
"""Step between the numbers that are hashed at consecutive positions."""

MIX_STEPS = (
    (np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)),
    (np.uint64(27), np.uint64(0x94D049BB133111EB)),
)
"""Shifts and factors of the generator SplitMix64 of Steele, Lea and Flood (2014)."""


@dataclass(frozen=True, eq=False)
class WordSample:
    """The words of the smallest hash values.

    keys : (n,) uint64, hash values of distinct words, increasing
    weights : (n,) float64, total weight of each word in the list
    """

    keys: NDArray[np.uint64]
    weights: NDArray[np.float64]

    @classmethod
    def empty(cls) -> WordSample:
        """Return the sample of no words."""
        return cls(np.zeros(0, dtype=np.uint64), np.zeros(0))

    @classmethod
    def from_data(cls, data: TrainingSet) -> WordSample:
        """Sample the words of positive weight."""
        weight, first, samples = data.sample_weight, 0, [cls.empty()]
        of_symbols = _hash_symbols(data.vocabulary)
        for chunk in data.encoded.chunks(PREDICTION_CHUNK_SIZE):
            last = first + chunk.n_words
            weights = np.ones(chunk.n_words) if weight is None else weight[first:last]
            samples.append(_smallest(hash_words(chunk, of_symbols), weights))
            first = last
        return reduce(lambda one, other: one.merge(other), samples)

    def merge(self, other: WordSample) -> WordSample:
        """Return the sample of two lists together."""
        return _smallest(
            np.concatenate([self.keys, other.keys]),
            np.concatenate([self.weights, other.weights]),
        )

    def rare_weight(self, total_weight: float) -> float:
        """Return the weight of a rare word; 1 without words.

        total_weight : that of all words
        """
        n_sampled = len(self.weights)
        if not n_sampled:
            return 1.0
        weights = np.sort(self.weights)
        scale = self._n_distinct() / n_sampled
        lighter = np.cumsum(weights / total_weight) * scale
        rank = int(np.searchsorted(lighter, LIGHTER_WEIGHT, side="right"))
        return float(weights[min(rank, int(LIGHTER_WORDS * n_sampled))])

    def _n_distinct(self) -> float:
        """Estimate the number of distinct words in the list."""
        n_sampled = len(self.keys)
        if n_sampled < SAMPLE_SIZE:
            return n_sampled
        return (n_sampled - 1) / (float(self.keys[-1]) / 2.0**64)


def _smallest(keys: np.ndarray, weights: np.ndarray) -> WordSample:
    """Return the sample of words with hash values and weights, (n_words,) each."""
    distinct, rows = np.unique(keys[weights > 0], return_inverse=True)
    sums = np.bincount(rows, weights[weights > 0], len(distinct)).astype(np.float64)
    return WordSample(distinct[:SAMPLE_SIZE], sums[:SAMPLE_SIZE])


def hash_words(encoded: EncodedWords, of_symbols: NDArray[np.uint64]) -> np.ndarray:
    """Return a hash value of every word, (n_words,) uint64.

    of_symbols : (n_symbols,), from `_hash_symbols`
    """
    steps = encoded.positions.astype(np.uint64) * GOLDEN_RATIO  # (n_predictions,)
    mixed = _mix(of_symbols[encoded.targets] + steps)
    return _mix(np.add.reduceat(mixed, encoded.offsets[:-1]))


def _hash_symbols(vocabulary: CharVocabulary) -> NDArray[np.uint64]:
    """Return hash values of the symbols that depend on their texts alone."""
    digests = [
        blake2b(symbol.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        for symbol in vocabulary.symbols
    ]
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Change each value such that every bit of it depends on all bits."""
    for shift, factor in MIX_STEPS:
        values = (values ^ (values >> shift)) * factor
    return values ^ (values >> np.uint64(31))
