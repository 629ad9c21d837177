"""BigramCounter: pairs of characters, counted in a table."""

from dataclasses import dataclass
from numbers import Real

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._sklearn import Interval
from .._words.vocabulary import check_pair_table
from .base import EQUAL, MAX_SMOOTHING, BaseCounter
from .ngrams import exact_weights, kept_counts, restored_counts, weighted_chunks

PAIR_CHUNK_SIZE = 1 << 18
"""Pairs counted at once: their 64-bit keys stay in the cache."""


def count_pairs(encoded, n_symbols, sample_weight=None):
    """Count how often each symbol follows each other one.

    Parameters
    ----------
    encoded : EncodedWords
        The words.

    n_symbols : int
        Number of symbols.

    sample_weight : ndarray of shape (n_words,), default=None
        Weight of each word; None counts each once.

    Returns
    -------
    counts : ndarray of shape (n_symbols, n_symbols)
        Row: the symbol, column: the next one. int64 where all weights are whole
        numbers, else float64.
    """
    if sample_weight is not None:
        sample_weight = exact_weights(sample_weight, encoded.lengths)
    dtype = np.int64 if sample_weight is None else sample_weight.dtype
    counts = np.zeros(n_symbols**2, dtype)
    # A part larger than the table: adding that up must not be what takes the time.
    n_at_once = max(PAIR_CHUNK_SIZE, n_symbols**2)
    for chunk, weights in weighted_chunks(encoded, sample_weight, n_at_once):
        keys = chunk.codes[:-1].astype(np.min_scalar_type(n_symbols**2 - 1))
        keys *= n_symbols
        keys += chunk.targets
        # Sums of whole numbers below 2**53 are exact in float64.
        counts += np.bincount(keys, weights, minlength=n_symbols**2).astype(
            dtype, copy=False
        )
    return counts.reshape(n_symbols, n_symbols)


def smoothed_log_proba(counts, smoothing):
    """Log-probabilities under additive smoothing.

    Parameters
    ----------
    counts : ndarray of shape (n_contexts, n_symbols)
        How often each symbol follows each context.

    smoothing : float
        Added to every count.

    Returns
    -------
    log_proba : ndarray of shape (n_contexts, n_symbols)
        Log-probabilities in nats; ``-inf`` for a pair never seen without smoothing. A
        context never seen has the uniform distribution, which is the limit of small
        smoothing.
    """
    smoothed = counts + float(smoothing)
    smoothed[~smoothed.any(axis=1)] = 1.0
    log_total = np.log(smoothed.sum(axis=1, keepdims=True))
    with np.errstate(divide="ignore"):
        log_proba = np.log(smoothed, out=smoothed)  # in place: alphabets can be large
    log_proba -= log_total
    return log_proba


@dataclass(frozen=True, eq=False)
class BigramTable:
    """A `NextSymbolModel` whose context is the last symbol.

    log_proba : (n_symbols, n_symbols), log-probabilities of the next symbol.
    """

    log_proba: np.ndarray

    def next_log_proba(self, contexts):
        """Return the table, and the row of each context."""
        return self.log_proba, contexts

    def advance(self, contexts, ids):
        """Return the contexts after one more symbol each."""
        return ids


class BigramCounter(BaseCounter):
    """Counts of pairs of neighbouring characters.

    The probability of a character depends on the one before it alone:
    ``(N[a, b] + smoothing) / sum over c of (N[a, c] + smoothing)`` where ``N`` counts
    the pairs, the boundary of a word among the symbols. This is the model of lecture 1
    of makemore.

    Parameters
    ----------
    smoothing : float, default=1.0
        Added to every count. With 0 a pair that was never seen is impossible: words
        that have one get a log-probability of ``-inf``.

    alphabet : str or array-like of str, default=None
        Characters the model knows; None takes those of the training words.

    handle_unknown : {"error", "unk"}, default="error"
        What to do with a character outside the alphabet: raise an error that names it,
        or treat it as the symbol ``"<unk>"``, for which some probability is reserved.

    Attributes
    ----------
    counts_ : ndarray of shape (n_symbols, n_symbols)
        Weight of each pair: row the character, column the next one, 0 the boundary.
        Whole numbers are int64.

    log_proba_ : ndarray of shape (n_symbols, n_symbols)
        Log-probability of each next symbol (column) after each symbol (row), in nats.

    vocabulary_ : CharVocabulary
        The symbols and their ids.

    symbols_ : list of str of length n_symbols
        Texts of the symbols: ``""`` for the boundary, then the characters.

    longest_word_ : int
        Number of characters of the longest training word.

    See Also
    --------
    NGramCounter : Longer contexts, better smoothing.

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
    >>> int(model.counts_[0, 1])  # words that begin with "a"
    1
    >>> round(model.nll(["mia"]), 3)
    1.852
    >>> model.sample(3, random_state=0)
    ['liiem', 'mivmv', 'llvi']
    """

    _parameter_constraints: dict = {
        **BaseCounter._parameter_constraints,
        "smoothing": [Interval(Real, 0, MAX_SMOOTHING, closed="both")],
    }

    def __init__(self, smoothing=1.0, *, alphabet=None, handle_unknown="error"):
        self.smoothing = smoothing
        self.alphabet = alphabet
        self.handle_unknown = handle_unknown

    def to_net(self):
        """Return the same model as a network.

        Returns
        -------
        net : skorch.NeuralNet
            Initialised net whose module looks up a row of logits by the last symbol:
            the one-layer network of lecture 1, with the logarithms of the
            probabilities as weights. ``net.predict_proba(ids)``, for ids of shape
            (n, 1), gives the probabilities of this model.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_makemore import BigramCounter
        >>> model = BigramCounter().fit(["emma", "olivia", "ava"])
        >>> net = model.to_net()
        >>> np.allclose(net.predict_proba(np.array([[0]])), model.predict_proba([""]))
        True
        """
        check_is_fitted(self)
        # Counting needs no torch, which takes seconds to import.
        from .._training.net import lookup_net

        return lookup_net(self.log_proba_)

    def _count(self, encoded, n_symbols, sample_weight):
        check_pair_table(n_symbols, self)
        return count_pairs(encoded, n_symbols, sample_weight)

    def _widened(self, counts, new_ids, n_symbols):
        check_pair_table(n_symbols, self)
        widened = np.zeros((n_symbols, n_symbols), counts.dtype)
        widened[np.ix_(new_ids, new_ids)] = counts
        return widened

    def _sum(self, counts, others):
        return counts + others

    def _fitted_counts(self):
        return self.counts_

    def _state_to_save(self):
        fresh = self._fitted_attributes(self.counts_)["log_proba_"]
        self._check_unchanged(np.allclose(fresh, self.log_proba_, **EQUAL))
        return {"counts": kept_counts(self.counts_)}

    def _state_from_file(self, kept, vocabulary):
        return restored_counts(kept["counts"], (vocabulary.n_symbols,) * 2)

    def _fitted_attributes(self, counts):
        return {
            "counts_": counts,
            "log_proba_": smoothed_log_proba(counts, self.smoothing),
        }

    # A context is the last symbol.

    def _contexts_after(self, encoded):
        return encoded.codes[encoded.offsets[1:] - 1].astype(np.intp)

    def _next_symbol_model(self):
        return BigramTable(self.log_proba_)

    def _target_log_proba(self, encoded):
        return self.log_proba_[encoded.codes[:-1], encoded.targets]
