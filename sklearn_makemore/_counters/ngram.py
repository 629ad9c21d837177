"""NGramCounter: runs of characters, counted in sorted arrays."""

from numbers import Integral, Real

from .._sklearn import Interval, StrOptions
from .base import EQUAL, MAX_SMOOTHING, BaseCounter
from .model import NGramModel
from .ngrams import NGramCounts, whole_order
from .smoothing import additive, kneser_ney
from .trie import HistoryTrie


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
        "alpha": [Interval(Real, 0, MAX_SMOOTHING, closed="both")],
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

    def _state_to_save(self):
        counts = self.ngram_counts_
        self._check_unchanged(self._is_order(counts.order, self.longest_word_))
        fresh = self._fitted_attributes(counts)["model_"]
        self._check_unchanged(self.model_.is_close(fresh, **EQUAL))
        return {"order": counts.order, **counts.kept()}

    def _state_from_file(self, kept, vocabulary):
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

    def _next_symbol_model(self):
        return self.model_

    def _target_log_proba(self, encoded):
        return self.model_.target_log_proba(encoded)
