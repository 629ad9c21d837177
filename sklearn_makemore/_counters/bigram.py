"""BigramCounter: pairs of characters, counted in a table."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from .._declarations import fitted, parameter
from .._sklearn import Interval
from .._words.training_set import TrainingSet
from .._words.vocabulary import (
    BOUNDARY,
    CharVocabulary,
    EncodedWords,
    check_pair_table,
)
from .base import MAX_SMOOTHING, TOLERANCE, BaseCounter
from .model import NGramModel
from .ngrams import NGramCounts
from .saved import counts_from_file, counts_to_save
from .smoothing import Smoothed, additive
from .sums import check_no_overflow, exact_weights, weighted_chunks
from .trie import HistoryTrie

PAIR_CHUNK_SIZE = 1 << 18
"""Number of pairs counted at a time; their 64-bit keys fit in the cache."""


def count_pairs(
    encoded: EncodedWords, n_symbols: int, sample_weight: np.ndarray | None = None
) -> np.ndarray:
    """Count how often each symbol (row) is followed by each symbol (column).

    sample_weight : (n_words,)
    counts : (n_symbols, n_symbols), int64 if all weights are whole, else float64
    """
    if sample_weight is not None:
        sample_weight = exact_weights(sample_weight, encoded.lengths)
    dtype = np.int64 if sample_weight is None else sample_weight.dtype
    counts = np.zeros(n_symbols**2, dtype)
    # In smaller chunks, adding the tables would take most of the time.
    chunk_size = max(PAIR_CHUNK_SIZE, n_symbols**2)
    for chunk, weights in weighted_chunks(encoded, sample_weight, chunk_size):
        keys = chunk.codes[:-1].astype(np.min_scalar_type(n_symbols**2 - 1))
        keys *= n_symbols
        keys += chunk.targets
        # Sums of whole numbers below 2**53 are exact in float64.
        sums = np.bincount(keys, weights, minlength=n_symbols**2)
        counts += sums.astype(dtype, copy=False)
    return counts.reshape(n_symbols, n_symbols)


def smoothed_log_proba(counts: np.ndarray, smoothing: float) -> NDArray[np.float64]:
    """Return log-probabilities in nats under additive smoothing.

    Without smoothing, a pair that was never seen has ``-inf``. A context that was never
    seen has the uniform distribution, which is the limit of small smoothing.

    counts, log_proba : (n_contexts, n_symbols)
    """
    smoothed = counts + float(smoothing)
    smoothed[~smoothed.any(axis=1)] = 1.0
    log_total = np.log(smoothed.sum(axis=1, keepdims=True))
    with np.errstate(divide="ignore"):
        log_proba = np.log(smoothed, out=smoothed)  # in place: alphabets can be large
    log_proba -= log_total
    return log_proba


def _pair_table(counts: NGramCounts) -> np.ndarray:
    """Return n-grams of two symbols as `count_pairs` does."""
    table = np.zeros((counts.n_symbols,) * 2, counts.counts.dtype)
    table[tuple(counts.ngrams)] = counts.counts
    return table


@dataclass(frozen=True, eq=False)
class BigramTable:
    """A `NextSymbolModel` whose context is the last symbol.

    log_proba : (n_symbols, n_symbols), log-probabilities of the next symbol
    """

    log_proba: NDArray[np.float64]

    def next_log_proba(
        self, contexts: np.ndarray
    ) -> tuple[NDArray[np.float64], np.ndarray]:
        """Return the table, and the row of each context."""
        return self.log_proba, contexts

    def advance(self, contexts: np.ndarray, ids: np.ndarray) -> np.ndarray:
        """Return the contexts after one more symbol each."""
        return ids


class BigramCounter(BaseCounter):
    """Bigram counts with additive smoothing.

    The probability of a character depends only on the character before it:
    ``(N[a, b] + smoothing) / sum over c of (N[a, c] + smoothing)``, where ``N`` counts
    the pairs of neighbouring symbols. The boundary of a word is one of the symbols, so
    ``N`` also counts first and last characters. This is the model of the first makemore
    lecture [1]_.

    See Also
    --------
    NGramCounter : Longer contexts and better smoothing.
    BigramCharLM : The same model as a network with one layer.

    References
    ----------
    .. [1] A. Karpathy, "The spelled-out intro to language modeling: building
       makemore", 2022. https://www.youtube.com/watch?v=PaCmpygFfXo

    Examples
    --------
    >>> from sklearn_makemore import BigramCounter
    >>> model = BigramCounter().fit(["emma", "olivia", "ava"])
    >>> model.symbols_
    ['', 'a', 'e', 'i', 'l', 'm', 'o', 'v']
    >>> model.counts_[0]  # first characters: one "a", one "e", one "o"
    array([0, 1, 1, 0, 0, 0, 1, 0])
    >>> round(model.nll(["mia"]), 3)
    1.852
    >>> model.sample(3, random_state=0)
    ['liiem', 'oivmv', 'mmvi']
    """

    smoothing: float = parameter(
        default=1.0,
        description="""
        Added to every count. With 0, a pair that was never seen is impossible, and
        words that contain one have a log-probability of ``-inf``.
        """,
        constraints=[Interval(Real, 0, MAX_SMOOTHING, closed="both")],
    )

    counts_: np.ndarray = fitted(
        """
        Weight of each pair: the row is the first symbol, the column the next one, both
        in the order of `symbols_`. int64 if all sample weights are whole numbers, else
        float64.
        """,
        type_text="ndarray of shape (n_symbols, n_symbols)",
    )
    log_proba_: NDArray[np.float64] = fitted(
        """
        Log-probability in nats of each next symbol (column) after each symbol (row).
        """,
        type_text="ndarray of shape (n_symbols, n_symbols)",
    )

    def to_net(self) -> Any:
        """Return the same model as a skorch net.

        The module of the net has one layer, which looks up a row of logits by the last
        symbol. Its weights are the log-probabilities of this counter. This is the
        network of the first makemore lecture.

        Returns
        -------
        net : skorch.NeuralNet
            An initialised net. ``net.predict_proba(ids)``, with `ids` of shape (n, 1)
            for the last symbols, returns the probabilities of the next symbols, of
            shape (n, n_symbols).

        Raises
        ------
        NotFittedError
            If the counter is not fitted.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_makemore import BigramCounter
        >>> model = BigramCounter().fit(["ab", "b"])
        >>> model.to_net().predict_proba(np.array([[0]])).round(3)  # first characters
        array([[0.2, 0.4, 0.4]], dtype=float32)
        >>> model.predict_proba([""]).round(3)
        array([[0.2, 0.4, 0.4]])
        """
        check_is_fitted(self)
        # Importing torch takes seconds, and counting does not need it.
        from .._training.net import lookup_net

        return lookup_net(self.log_proba_)

    def _count(self, data: TrainingSet) -> np.ndarray:
        n_symbols = data.vocabulary.n_symbols
        check_pair_table(n_symbols, self)
        return count_pairs(data.encoded, n_symbols, data.sample_weight)

    def _remap_counts(
        self, counts: np.ndarray, new_ids: np.ndarray, n_symbols: int
    ) -> np.ndarray:
        check_pair_table(n_symbols, self)
        remapped = np.zeros((n_symbols, n_symbols), counts.dtype)
        remapped[np.ix_(new_ids, new_ids)] = counts
        return remapped

    def _add_counts(self, counts: np.ndarray, others: np.ndarray) -> np.ndarray:
        sums = counts + others
        check_no_overflow(sums)
        return sums

    def _fitted_counts(self) -> np.ndarray:
        self._check_of_all_words()
        return self.counts_

    def _fitted_attributes(self, learned: np.ndarray) -> dict[str, Any]:
        return {
            "counts_": learned,
            "log_proba_": smoothed_log_proba(learned, self.smoothing),
        }

    def _max_order(self) -> int:
        return 2

    def _fitted_order(self) -> int:
        return 2

    def _has_counts_of(self, counts: NGramCounts) -> bool:
        return np.allclose(_pair_table(counts), self.counts_)

    def _smoothed(
        self, counts: NGramCounts, in_units: NGramCounts
    ) -> tuple[HistoryTrie, Smoothed, None]:
        trie = HistoryTrie(counts)
        return trie, additive(trie, float(self.smoothing)), None

    def _attributes_of_label(
        self, counts: NGramCounts, trie: HistoryTrie, smoothed: Smoothed, learned: Any
    ) -> dict[str, Any]:
        model, last = NGramModel.from_proba(trie, *smoothed), np.arange(trie.n_symbols)
        log_proba, _ = model.rows(model.advance(np.zeros_like(last), last))
        return {"counts_": _pair_table(counts), "log_proba_": log_proba}

    def _fitted_proba(self) -> NDArray[np.float64]:
        return self.log_proba_

    def _bytes_of_label(self) -> int:
        return self.counts_.nbytes + self.log_proba_.nbytes

    def _state_to_save(self) -> dict[str, Any]:
        self._check_of_all_words()
        expected = self._fitted_attributes(self.counts_)["log_proba_"]
        is_same = np.allclose(expected, self.log_proba_, TOLERANCE, TOLERANCE)
        self._check_unchanged(is_same)
        return {"counts": counts_to_save(self.counts_)}

    def _state_from_file(
        self, kept: dict[str, Any], vocabulary: CharVocabulary
    ) -> np.ndarray:
        return counts_from_file(kept["counts"], (vocabulary.n_symbols,) * 2)

    def _contexts_after(self, encoded: EncodedWords) -> np.ndarray:
        return encoded.codes[encoded.offsets[1:] - 1].astype(np.intp)

    def _next_symbol_model(self) -> BigramTable:
        return BigramTable(self.log_proba_)

    def _knows_empty_word(self) -> bool:
        return bool(self.counts_[BOUNDARY, BOUNDARY])

    def _target_log_proba(self, encoded: EncodedWords) -> NDArray[np.float64]:
        return self.log_proba_[encoded.codes[:-1], encoded.targets]
