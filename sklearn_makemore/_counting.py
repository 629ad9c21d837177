"""BigramCounter and NGramCounter: models that are counts, without torch."""

import reprlib  # an alphabet can be long, a message should not
from abc import abstractmethod
from dataclasses import dataclass
from functools import reduce
from numbers import Integral, Real

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ._base import BaseCharLM
from ._code_points import CodePoints
from ._histories import HistoryTrie
from ._kneser_ney import additive, kneser_ney
from ._ngram_model import NGramModel
from ._ngrams import (
    NGramCounts,
    exact_weights,
    kept_counts,
    restored_counts,
    weighted_chunks,
    whole_order,
)
from ._sklearn import Interval, StrOptions
from ._vocabulary import CharVocabulary

PAIRS_AT_ONCE = 1 << 18
"""Pairs counted at once: their 64-bit keys stay in the cache."""

LARGEST_SMOOTHING = np.float64(1e300)
"""Far above, the sum over the symbols overflows. Of numpy, since Python's own numbers
are turned into the type that they are compared with: float32 has none so large."""

EQUAL = {"rtol": 1e-12, "atol": 1e-12}
"""How far log-probabilities of the same counts differ: a logarithm is not rounded
equally on all processors, and a pickle may come from another."""

MOST_SYMBOLS = 1 << 13
"""Symbols of which all pairs are kept: a table of them takes 512 MiB of float64, and
there are a few at once."""


def check_table(n_symbols, model):
    """Raise an error if there are too many symbols for a table of all pairs."""
    if n_symbols > MOST_SYMBOLS:
        raise ValueError(
            f"{type(model).__name__} keeps a table of all pairs of at most "
            f"{MOST_SYMBOLS:,} symbols, and here are {n_symbols:,}. Use "
            "NGramCounter(order=2, smoothing='additive'), which keeps the pairs that "
            "occur, or an `alphabet` of the frequent characters and "
            "handle_unknown='unk'."
        )


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
    n_at_once = max(PAIRS_AT_ONCE, n_symbols**2)
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
class CountedWords:
    """What is kept of some words that were counted.

    Parameters
    ----------
    vocabulary : CharVocabulary
        The symbols.

    counts : ndarray or NGramCounts
        What `_count` of a counter returned for the words, under these symbols.

    longest_word : int
        Number of characters of the longest of the words.
    """

    vocabulary: CharVocabulary
    counts: object
    longest_word: int


class BaseCounter(BaseCharLM):
    """Template of the models that count: more words are added exactly.

    A concrete model provides

    _count(encoded, n_symbols, sample_weight)
        The counts of some words.
    _widened(counts, new_ids, n_symbols)
        The same counts in the ids of a larger vocabulary.
    _sum(counts, others)
        The counts of two lists of words, in the same ids, as those of one list.
    _fitted_counts()
        The counts so far, if they are those that the parameters ask for.
    _fitted_attributes(counts)
        The fitted attributes that follow from the counts.

    All but `_fitted_counts` read parameters alone, so that an estimator which is not
    fitted can count some words elsewhere, and add up what was counted.
    """

    _has_states = True

    @abstractmethod
    def _count(self, encoded, n_symbols, sample_weight):
        """Return the counts of some words."""

    @abstractmethod
    def _widened(self, counts, new_ids, n_symbols):
        """Return the same counts in the ids of a larger vocabulary."""

    @abstractmethod
    def _sum(self, counts, others):
        """Return the counts of two lists of words as those of one list."""

    @abstractmethod
    def _fitted_counts(self):
        """Return the counts so far, if the parameters still ask for them."""

    @abstractmethod
    def _fitted_attributes(self, counts):
        """Return the fitted attributes that follow from the counts."""

    def _fit_encoded(self, vocabulary, encoded, sample_weight, callback_context):
        return self._count(encoded, vocabulary.n_symbols, sample_weight)

    def merge(self, other):
        """Add the counts of another fitted counter.

        This is exact: the counts are those that one `fit` on the words of both would
        have. They are the same bit for bit in any order of merging if all weights are
        whole numbers, else up to the rounding of their sums. The alphabet is that of
        both.

        Parameters
        ----------
        other : object
            A fitted counter of the same class and with the same `handle_unknown`,
            `order` and `alphabet`. It stays as it is, and its smoothing is of no
            account: the probabilities are computed anew, by the parameters of this
            counter.

        Returns
        -------
        self : object
            This counter, which is changed as by `partial_fit`.

        Raises
        ------
        TypeError
            If `other` is not of the same class.
        NotFittedError
            If one of the two is not fitted.
        ValueError
            If a parameter that decides what is counted differs, or if one of this
            counter is not valid.

        Examples
        --------
        >>> from sklearn_makemore import NGramCounter
        >>> one = NGramCounter(order=3).fit(["emma", "ava"])
        >>> other = NGramCounter(order=3).fit(["noah"])
        >>> both = NGramCounter(order=3).fit(["emma", "ava", "noah"])
        >>> one.merge(other).score(["nova"]) == both.score(["nova"])
        True
        """
        self._validate_params()
        self._check_mergeable(other)
        return self._fit_total(self._added(self._fitted_words(), other._fitted_words()))

    def _check_mergeable(self, other):
        """Raise an error if the counts of another counter cannot be added."""
        if type(other) is not type(self):
            raise TypeError(
                f"Only a {type(self).__name__} can be merged with this one, got "
                f"{reprlib.repr(other)}."
            )
        check_is_fitted(self)
        check_is_fitted(other)
        asked = other._asked_of_counts()
        for name, own in self._asked_of_counts().items():
            if own != asked[name]:
                raise ValueError(
                    f"Counts of {name}={reprlib.repr(own)} and of {name}="
                    f"{reprlib.repr(asked[name])} cannot be merged; fit both with one."
                )

    def _asked_of_counts(self):
        """Return the parameters that two counts must share to be added."""
        given = self.alphabet is not None
        return {
            "handle_unknown": self.handle_unknown,
            "alphabet": self._kept_vocabulary().characters if given else None,
        }

    def _fitted_words(self):
        """Return the words so far as they were counted."""
        return CountedWords(
            self._kept_vocabulary(), self._fitted_counts(), self.longest_word_
        )

    # Counting in parts, here or elsewhere: each list of words is counted, the counts
    # are added up, and the probabilities are computed once.

    def _counted(self, words):
        """Return a list of words as it is counted; changes nothing here."""
        joined = CodePoints.from_words(words)
        vocabulary = self._fit_vocabulary(joined)
        encoded = vocabulary.encode_code_points(joined)
        counts = self._count(encoded, vocabulary.n_symbols, None)
        return CountedWords(vocabulary, counts, int(encoded.lengths.max()) - 1)

    def _added(self, counted, others):
        """Return two lists of words that were counted as one."""
        vocabulary = counted.vocabulary.union(others.vocabulary)
        return CountedWords(
            vocabulary,
            self._sum(
                self._counts_in(vocabulary, counted),
                self._counts_in(vocabulary, others),
            ),
            max(counted.longest_word, others.longest_word),
        )

    def _total(self, counted):
        """Return many lists of words that were counted as one; None if there are none.

        Parameters
        ----------
        counted : iterable of CountedWords or None
            Read one by one; None is of no words.

        Returns
        -------
        total : CountedWords or None
            All words.
        """
        parts = []
        for part in counted:
            if part is None:
                continue
            parts.append(part)
            # Only parts of like size are added, so that few n-grams are added often.
            while len(parts) > 1 and len(parts[-2].counts) <= 2 * len(parts[-1].counts):
                parts.append(self._added(parts.pop(), parts.pop()))
        return reduce(self._added, reversed(parts)) if parts else None

    def _fit_total(self, total):
        """Fit to words that were counted; what was learnt before is forgotten."""
        self._set_fitted(
            total.vocabulary, total.longest_word, total.counts, goes_on=False
        )
        return self

    def _counts_in(self, vocabulary, counted):
        """Return counts in the ids of a vocabulary that has all their characters."""
        if vocabulary == counted.vocabulary:
            return counted.counts
        new_ids = counted.vocabulary.ids_in(vocabulary)
        return self._widened(counted.counts, new_ids, vocabulary.n_symbols)

    def _partial_fit_encoded(self, vocabulary, encoded, sample_weight):
        counts = self._count(encoded, vocabulary.n_symbols, sample_weight)
        if not self.__sklearn_is_fitted__():
            return counts
        return self._sum(self._counts_in(vocabulary, self._fitted_words()), counts)

    def _check_unchanged(self, is_same):
        """Raise an error if the probabilities are not those of the parameters."""
        if not is_same:
            raise ValueError(
                f"Parameters of this {type(self).__name__} have changed since it was "
                "fitted, and a file would keep these: set them back, or fit anew."
            )

    def _partial_fit_vocabulary(self, joined):
        known = self._kept_vocabulary()
        if self.alphabet is not None:
            return known
        return known.union(CharVocabulary.from_code_points(joined))


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
        "smoothing": [Interval(Real, 0, LARGEST_SMOOTHING, closed="both")],
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
        from ._net import lookup_net

        return lookup_net(self.log_proba_)

    def _count(self, encoded, n_symbols, sample_weight):
        check_table(n_symbols, self)
        return count_pairs(encoded, n_symbols, sample_weight)

    def _widened(self, counts, new_ids, n_symbols):
        check_table(n_symbols, self)
        widened = np.zeros((n_symbols, n_symbols), counts.dtype)
        widened[np.ix_(new_ids, new_ids)] = counts
        return widened

    def _sum(self, counts, others):
        return counts + others

    def _fitted_counts(self):
        return self.counts_

    def _kept_learnt(self):
        fresh = self._fitted_attributes(self.counts_)["log_proba_"]
        self._check_unchanged(np.allclose(fresh, self.log_proba_, **EQUAL))
        return {"counts": kept_counts(self.counts_)}

    def _restored_learnt(self, kept, vocabulary):
        return restored_counts(kept["counts"], (vocabulary.n_symbols,) * 2)

    def _fitted_attributes(self, counts):
        return {
            "counts_": counts,
            "log_proba_": smoothed_log_proba(counts, self.smoothing),
        }

    # A context is the last symbol.

    def _contexts_after(self, encoded):
        return encoded.codes[encoded.offsets[1:] - 1].astype(np.intp)

    def _advance(self, contexts, ids):
        return ids

    def _next_log_proba(self, contexts):
        return self.log_proba_, contexts

    def _target_log_proba(self, encoded):
        return self.log_proba_[encoded.codes[:-1], encoded.targets]


class NGramCounter(BaseCounter):
    """Counts of runs of up to `order` characters, smoothed by Kneser and Ney.

    The probability of a character depends on the `order` - 1 before it, in the same
    word. Interpolated modified Kneser-Ney smoothing [1]_ mixes, for every length of
    the context, discounted counts with the distribution after the shorter context; at
    the shorter lengths an n-gram counts by the number of different characters it
    follows, but by its frequency at the start of a word, where nothing precedes it.
    The discounts are estimated from the counts; where there are too few, they are
    0.5, 1 and 1.5. The figures are those of KenLM [2]_.

    On the list and the split of the makemore lectures order 6 has a validation NLL of
    1.975 nats per character, where lecture 5's network ends at 1.994.

    Parameters
    ----------
    order : int, default=6
        Largest number of characters that are counted together, the predicted one
        among them; 2 counts pairs. From the longest word and both its boundaries on
        it makes no difference.

    smoothing : {"kneser-ney", "additive"}, default="kneser-ney"
        Interpolated modified Kneser-Ney, or ``(c(hw) + alpha) / (c(h) + alpha V)`` at
        the longest context only.

    alpha : float, default=1.0
        Added to every count by additive smoothing, else of no account. With 0 an
        n-gram that was never seen is impossible: words that have one get a
        log-probability of ``-inf``.

    alphabet : str or array-like of str, default=None
        Characters the model knows; None takes those of the training words.

    handle_unknown : {"error", "unk"}, default="error"
        What to do with a character outside the alphabet: raise an error that names it,
        or treat it as the symbol ``"<unk>"``, for which some probability is reserved.

    Attributes
    ----------
    ngram_counts_ : NGramCounts
        The distinct n-grams and their counts, in sorted arrays. Their length is
        `order`, or that of the longest word with both its boundaries if that is less.

    model_ : NGramModel
        Probabilities after every context that was seen.

    vocabulary_ : CharVocabulary
        The symbols and their ids.

    symbols_ : list of str of length n_symbols
        Texts of the symbols: ``""`` for the boundary, then the characters.

    longest_word_ : int
        Number of characters of the longest training word.

    See Also
    --------
    BigramCounter : Pairs with additive smoothing, and their table of counts.
    WaveNetCharLM : A network instead of counts.

    References
    ----------
    .. [1] S. F. Chen, J. Goodman, "An empirical study of smoothing techniques for
       language modeling", Computer Speech and Language 13, 1999.
    .. [2] K. Heafield, I. Pouzyrevsky, J. H. Clark, P. Koehn, "Scalable Modified
       Kneser-Ney Language Model Estimation", ACL 2013.
       https://aclanthology.org/P13-2121/

    Examples
    --------
    >>> from sklearn_makemore import NGramCounter
    >>> from sklearn_makemore.datasets import load_names
    >>> words = load_names().data
    >>> model = NGramCounter(order=5).fit(words[::2])
    >>> bool(model.nll(words[1::2]) < 2.1)
    True
    >>> len(model.sample(3, prefix="mar", unique=True, exclude=words, random_state=0))
    3
    """

    _parameter_constraints: dict = {
        **BaseCounter._parameter_constraints,
        "order": [Interval(Integral, 1, None, closed="left")],
        "smoothing": [StrOptions({"kneser-ney", "additive"})],
        "alpha": [Interval(Real, 0, LARGEST_SMOOTHING, closed="both")],
    }

    def __init__(
        self,
        order=6,
        *,
        smoothing="kneser-ney",
        alpha=1.0,
        alphabet=None,
        handle_unknown="error",
    ):
        self.order = order
        self.smoothing = smoothing
        self.alpha = alpha
        self.alphabet = alphabet
        self.handle_unknown = handle_unknown

    def _count(self, encoded, n_symbols, sample_weight):
        # The histories of a longer order are these: it must cost no more.
        order = min(int(self.order), whole_order(encoded))
        return NGramCounts.from_encoded(encoded, order, n_symbols, sample_weight)

    def _widened(self, counts, new_ids, n_symbols):
        return counts.remap(new_ids, n_symbols)

    def _sum(self, counts, others):
        # Of the shorter ones no n-gram was cut off: both boundaries are in their order.
        order = max(counts.order, others.order)
        return counts.lengthen(order).merge(others.lengthen(order))

    def _asked_of_counts(self):
        return {"order": self.order, **super()._asked_of_counts()}

    def _fitted_counts(self):
        counts = self.ngram_counts_
        if not self._is_order(counts.order, self.longest_word_):
            raise ValueError(
                f"The counts so far are of order {counts.order} and cannot go on with "
                f"order={self.order}; set it back, or fit anew."
            )
        return counts

    def _kept_learnt(self):
        counts = self.ngram_counts_
        self._check_unchanged(self._is_order(counts.order, self.longest_word_))
        fresh = self._fitted_attributes(counts)["model_"]
        self._check_unchanged(self.model_.is_close(fresh, **EQUAL))
        return {"order": counts.order, **counts.kept()}

    def _restored_learnt(self, kept, vocabulary):
        order = kept["order"]
        if type(order) is not int or not self._is_order(order, kept["longest_word"]):
            raise ValueError(f"The counts are of order {order!r}.")
        return NGramCounts.from_kept(kept, order, vocabulary.n_symbols)

    def _is_order(self, order, longest_word):
        """Whether counts of words up to a length can be of an order."""
        return order == self.order or longest_word + 2 <= order < self.order

    def _fitted_attributes(self, counts):
        trie = HistoryTrie(counts)
        if self.smoothing == "kneser-ney":
            smoothed = kneser_ney(trie)
        else:
            smoothed = additive(trie, float(self.alpha))
        return {
            "ngram_counts_": counts,
            "model_": NGramModel.from_proba(trie, *smoothed),
        }

    # A context is a state of the model: the longest suffix that was seen.

    def _contexts_after(self, encoded):
        return self.model_.states(encoded)[encoded.offsets[1:] - 1]

    def _advance(self, contexts, ids):
        return self.model_.advance(contexts, ids)

    def _next_log_proba(self, contexts):
        return self.model_.next_log_proba(contexts)

    def _target_log_proba(self, encoded):
        return self.model_.target_log_proba(encoded)
