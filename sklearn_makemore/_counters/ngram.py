"""NGramCounter: sequences of characters, counted in sorted arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY
from numbers import Real
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .._declarations import POSITIVE_INT, fitted, parameter
from .._generation.lengths import (
    Expectations,
    LengthMatchedModel,
    lengths_of_label,
    log_length_ratio,
)
from .._sklearn import Interval
from .._words.training_set import TrainingSet
from .._words.vocabulary import CharVocabulary, EncodedWords
from .arpa_methods import ArpaMixin
from .backoff import TableModel, tables_from_file, tables_to_save
from .base import MAX_SMOOTHING, TOLERANCE
from .continuation import Continuation
from .leave_one_out import leave_one_out_discounts
from .model import NGramModel
from .ngrams import NGramCounts, max_order
from .prunable import PrunableCounter
from .pruned import PrunedNGrams, PrunedTrie
from .saved import ngrams_from_file, ngrams_to_save
from .saved_pruned import pruned_from_file, pruned_to_save
from .smoothing import Smoothed, additive, closed_form_discounts, kneser_ney
from .trie import HistoryTrie


class NGramCounter(ArpaMixin, PrunableCounter):
    """N-gram counts of any order, with Kneser-Ney or additive smoothing.

    The probability of a character depends on the `order` - 1 characters before it in
    the same word. Interpolated modified Kneser-Ney smoothing [1]_ combines contexts of
    all lengths. At each length, it subtracts a discount from every count, and
    distributes the freed probability like the distribution after the next shorter
    context. N-grams of length `order` have their raw counts. The count of a shorter
    n-gram is the number of different characters that precede it; at the start of a
    word, where nothing precedes it, it is the raw count.

    With the words and the split of the makemore lectures, order 6 has a validation NLL
    of 1.953 nats per character, and plain Kneser-Ney of KenLM [2]_ has 1.975. The
    network of lecture 5 has 1.994.

    See Also
    --------
    BigramCounter : Pairs with additive smoothing, and their table of counts.
    WaveNetCharLM : A network that reads long contexts.

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
    >>> names = load_names().data
    >>> model = NGramCounter(order=5).fit(names[::2])
    >>> round(model.nll(names[1::2]), 3)
    1.989
    >>> model.sample(3, prefix="mar", unique=True, exclude=names, random_state=0)
    ['markilah', 'marmenan', 'marlius']
    """

    order: int = parameter(
        default=6,
        description="""
        Length of the longest n-grams, the predicted character included. 2 counts pairs.
        All orders above the length of the longest word plus 2 give the same model.
        """,
        constraints=[POSITIVE_INT],
    )
    _: KW_ONLY
    smoothing: Literal["kneser-ney", "additive"] = parameter(
        default="kneser-ney",
        description="""
        "kneser-ney" is interpolated modified Kneser-Ney. "additive" is
        ``(c(hw) + alpha) / (c(h) + alpha V)`` for the character ``w`` after the longest
        context ``h``, with ``V`` symbols, before `match_lengths`.
        """,
    )
    alpha: float = parameter(
        default=1.0,
        description="""
        Added to every count by additive smoothing, ignored by Kneser-Ney. With 0, an
        n-gram that was never seen is impossible, and words that contain one have a
        log-probability of ``-inf``.
        """,
        constraints=[Interval(Real, 0, MAX_SMOOTHING, closed="both")],
    )
    discounts: Literal["leave-one-out", "closed-form"] = parameter(
        default="leave-one-out",
        description="""
        How Kneser-Ney smoothing estimates its discounts; ignored by additive smoothing.
        "leave-one-out" maximises the probability of each n-gram given all others. It
        has separate discounts for the starts of words. Counts are first divided by the
        weight of a rare word, so that large weights leave new words as much probability
        as small ones. "closed-form" is the estimate of Chen and Goodman [1]_ from the
        raw counts, or 0.5, 1 and 1.5 where it is undefined. With
        ``match_lengths=False``, the model is then that of KenLM [2]_; the user guide
        lists small differences.
        """,
    )
    match_lengths: bool = parameter(
        default=True,
        description="""
        Whether lengths are distributed as in the training words. Each word probability
        is multiplied by (share of its length in training) / (share under the n-grams).
        With n training words, lengths that none of them has are about one sampled word
        in n + 2. The empty word has probability 1e-9 unless it is a training word.
        """,
    )

    ngram_counts_: NGramCounts | PrunedNGrams = fitted(
        """
        The distinct n-grams and their counts, in sorted arrays. Their length is
        `order`, or the length of the longest word plus 2 if that is less. After
        `prune`, the n-grams of all lengths that are left. None for a model of
        `from_arpa`.
        """
    )
    discounts_: np.ndarray | None = fitted(
        """
        The discounts of Kneser-Ney smoothing; None with additive smoothing, and for a
        model of `from_arpa`. The axes are: number of symbols in the context, where the
        start of a word is one symbol; whether the context begins at the start of a
        word, 0 or 1; and count of the n-gram: 1, 2, or 3 and more.
        """,
        type_text="ndarray of shape (order, 2, 3) or None",
    )
    model_: NGramModel | LengthMatchedModel[NGramModel] = fitted(
        "Log-probabilities after every context that was seen."
    )

    def _count(self, data: TrainingSet) -> NGramCounts:
        # Larger orders have the same histories, and must not cost more.
        order = min(int(self.order), max_order(data.encoded))
        return NGramCounts.from_data(data, order)

    def _remap_counts(
        self, counts: NGramCounts, new_ids: np.ndarray, n_symbols: int
    ) -> NGramCounts:
        return counts.remap(new_ids, n_symbols)

    def _add_counts(self, counts: NGramCounts, others: NGramCounts) -> NGramCounts:
        # The shorter n-grams were not cut off: their order holds whole words.
        order = max(counts.order, others.order)
        return counts.lengthen(order).merge(others.lengthen(order))

    def _counting_parameters(self) -> dict[str, Any]:
        return {"order": self.order, **super()._counting_parameters()}

    def _fitted_counts(self) -> NGramCounts:
        self._check_of_all_words()
        if isinstance(self.model_, TableModel):
            raise ValueError(
                "This NGramCounter comes from an ARPA file, which has no counts, so it "
                "cannot learn more words, be merged or be pruned. Fit a new one on all "
                "words."
            )
        counts = self._unpruned(self.ngram_counts_)
        if not self._is_order_of(counts.order, self.longest_word_):
            raise ValueError(
                f"The fitted n-grams have order {counts.order}, and order={self.order} "
                "cannot continue them. Set `order` back, or fit again."
            )
        return counts

    def _fitted_attributes(
        self, learned: NGramCounts | PrunedNGrams | TableModel
    ) -> dict[str, Any]:
        if isinstance(learned, TableModel):
            return {"ngram_counts_": None, "discounts_": None, "model_": learned}
        if isinstance(learned, PrunedNGrams):
            trie, discounts = PrunedTrie(learned), learned.discounts
            smoothed = kneser_ney(trie, discounts)
            model = self._model(trie, smoothed, learned.word_lengths)
            return {"ngram_counts_": learned, "discounts_": discounts, "model_": model}
        in_units = learned.in_units()
        trie, smoothed, discounts = self._smoothed(learned, in_units)
        del trie.counts  # frees memory
        model = self._model(trie, smoothed, in_units.word_lengths)
        return {"ngram_counts_": learned, "discounts_": discounts, "model_": model}

    def _model(
        self,
        trie: HistoryTrie,
        smoothed: Smoothed,
        word_lengths: np.ndarray,
        continuation: Callable[..., Expectations] = Continuation,
    ) -> NGramModel | LengthMatchedModel:
        """Return the model of smoothed n-grams; their arrays are overwritten.

        word_lengths : (longest + 1,), weights of words by number of characters
        """
        if not self.match_lengths or not trie.n_ngrams:
            return NGramModel.from_proba(trie, *smoothed, continuation)
        log_ratio = log_length_ratio(continuation(trie, *smoothed), word_lengths)
        plain = NGramModel.from_proba(trie, *smoothed, continuation)
        return LengthMatchedModel(plain, log_ratio)

    def _smoothed(
        self, counts: NGramCounts, in_units: NGramCounts
    ) -> tuple[HistoryTrie, Smoothed, NDArray[np.float64] | None]:
        if self.smoothing == "additive":
            trie = HistoryTrie(counts)
            return trie, additive(trie, float(self.alpha)), None
        if self.discounts == "leave-one-out":
            trie = HistoryTrie(in_units)
            discounts = leave_one_out_discounts(trie)
        else:
            trie = HistoryTrie(counts)
            discounts = closed_form_discounts(trie)
        return trie, kneser_ney(trie, discounts), discounts

    def _max_order(self) -> int:
        return int(self.order)

    def _fitted_order(self) -> int:
        return self.ngram_counts_.order

    def _has_counts_of(self, counts: NGramCounts) -> bool:
        own = self._unpruned(self.ngram_counts_)
        is_same = np.array_equal(np.stack(counts.packed()), np.stack(own.packed()))
        return is_same and np.allclose(counts.counts, own.counts)

    def _attributes_of_label(
        self, counts: NGramCounts, trie: HistoryTrie, smoothed: Smoothed, learned: Any
    ) -> dict[str, Any]:
        own, pooled = counts.in_units().word_lengths, self.ngram_counts_.word_lengths
        lengths = lengths_of_label(own, pooled)
        return {
            "ngram_counts_": counts,
            "discounts_": learned.backoff.discounts,
            "model_": self._model(trie, smoothed, lengths, learned.expectations),
        }

    def _fitted_proba(self) -> NGramModel | LengthMatchedModel[NGramModel]:
        return self.model_

    def _bytes_of_label(self) -> int:
        plain: Any = getattr(self.model_, "plain", self.model_)
        arrays = [plain.log_proba, plain.log_backoff]
        # These exist once they were needed.
        arrays += vars(plain).get("tables") or ()
        arrays += [vars(self.model_).get("log_values", np.empty(0))]
        return sum(array.nbytes for array in arrays)

    def _state_to_save(self) -> dict[str, Any]:
        self._check_of_all_words()
        if isinstance(self.model_, TableModel):
            order = self.model_.order
            self._check_unchanged(order == self.order and not self.match_lengths)
            return {"order": order, **tables_to_save(self.model_)}
        counts = self.ngram_counts_
        self._check_unchanged(self._is_order_of(counts.order, self.longest_word_))
        expected = self._fitted_attributes(counts)["model_"]
        self._check_unchanged(_are_close(self.model_, expected))
        if isinstance(counts, PrunedNGrams):
            self._check_unchanged(self.smoothing == "kneser-ney")
            return {"order": counts.order, **pruned_to_save(counts)}
        return {"order": counts.order, **ngrams_to_save(counts)}

    def _state_from_file(
        self, kept: dict[str, Any], vocabulary: CharVocabulary
    ) -> NGramCounts | PrunedNGrams | TableModel:
        order = kept["order"]
        if type(order) is not int or not self._is_order_of(order, kept["longest_word"]):
            raise ValueError(f"The n-grams have order {order!r}.")
        if "table_sizes" in kept:
            return TableModel(tables_from_file(kept, order), vocabulary.n_symbols)
        if "pruned_ngrams" in kept:
            if self.smoothing != "kneser-ney":
                raise ValueError(f"smoothing is {self.smoothing!r}.")
            return pruned_from_file(kept, order, vocabulary.n_symbols)
        return ngrams_from_file(kept, order, vocabulary.n_symbols)

    def _is_order_of(self, order: int, longest_word: int) -> bool:
        """Whether counting with `self.order` gives n-grams of this order."""
        return order == self.order or longest_word + 2 <= order < self.order

    # A context is a state of the model: the longest suffix that was seen.

    def _contexts_after(self, encoded: EncodedWords) -> np.ndarray:
        return self.model_.states(encoded)[encoded.offsets[1:] - 1]

    def _next_symbol_model(self) -> NGramModel | LengthMatchedModel[NGramModel]:
        return self.model_

    def _knows_empty_word(self) -> bool:
        if isinstance(self.model_, TableModel):
            return self.model_.lists_empty_word()
        return bool(self.ngram_counts_.word_lengths[0])

    def _target_log_proba(self, encoded: EncodedWords) -> NDArray[np.float64]:
        return self.model_.target_log_proba(encoded)

    def _sum_log_proba(self, encoded: EncodedWords) -> NDArray[np.float64]:
        return self.model_.word_log_proba(encoded)


def _are_close(one: Any, other: Any) -> bool:
    """Whether two models of the same n-grams have the same probabilities."""
    if type(one) is not type(other):
        return False
    if isinstance(one, LengthMatchedModel):
        ratios = one.log_ratio, other.log_ratio
        return np.allclose(*ratios, TOLERANCE, TOLERANCE) and _are_close(
            one.plain, other.plain
        )
    return one.is_close(other, TOLERANCE)
