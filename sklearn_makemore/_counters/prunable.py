"""PrunableCounter: a fitted n-gram counter gives a smaller one."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from numbers import Real
from typing import Any, Self

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from .._arguments import validate_options
from .._sklearn import Interval
from .base import BaseCounter
from .ngrams import NGramCounts
from .pruned import PrunedNGrams
from .pruning import prune


class PrunableCounter(BaseCounter):
    """Base class of counters with Kneser-Ney smoothing."""

    @abstractmethod
    def _smoothed(self, counts: Any, in_units: Any) -> tuple[Any, Any, Any]:
        """Return the trie of counts, their probabilities, and the discounts if any."""

    @validate_options(
        {
            "min_count": [Interval(Real, 0, None, closed="left"), "array-like"],
            "entropy": [Interval(Real, 0, None, closed="left")],
        }
    )
    def prune(
        self, *, min_count: float | Sequence[float] = 0, entropy: float = 0.0
    ) -> Self:
        """Return a smaller model with fewer n-grams.

        N-grams are removed if they are rare, or if they change the model little. The
        remaining ones are smoothed again, so that all probabilities still add up to
        one. Symbols alone are always kept, and so are the shorter n-grams that a kept
        n-gram needs.

        Pruning is the last step. The result scores, samples and is saved like any other
        model, but it no longer has the counts of its words. Its `partial_fit`, `merge`
        and `prune` raise an error. This model is not changed, and can still learn.

        Parameters
        ----------
        min_count : float or sequence of float, default=0
            N-grams of a smaller count are removed, where words count with their
            weights. A sequence has one number per length, as the option ``--prune`` of
            KenLM [1]_, and the last one applies to all longer n-grams. KenLM removes
            counts up to its numbers, so ``--prune 0 0 1`` removes the same n-grams as
            ``min_count=[1, 1, 2]``. The numbers must not decrease.

        entropy : float, default=0.0
            N-grams are removed if the removal of one alone raises the entropy of the
            model by less than this, in nats per predicted character [2]_. Typical
            values are from 1e-7 to 1e-5; on shorter lists the same value removes less.

        Returns
        -------
        model : object
            A fitted counter of the same class and parameters. Its `ngram_counts_` has
            the remaining n-grams of all lengths, and ``len`` gives their number.

        Raises
        ------
        NotFittedError
            If this counter is not fitted.
        ValueError
            If this counter is pruned already, comes from an ARPA file, is the model of
            one label or has additive smoothing, or if the numbers of `min_count`
            decrease or are negative.

        References
        ----------
        .. [1] K. Heafield, I. Pouzyrevsky, J. H. Clark, P. Koehn, "Scalable Modified
           Kneser-Ney Language Model Estimation", ACL 2013.
           https://aclanthology.org/P13-2121/
        .. [2] A. Stolcke, "Entropy-based pruning of backoff language models", DARPA
           Broadcast News Transcription and Understanding Workshop 1998.
           https://arxiv.org/abs/cs/0006025

        Examples
        --------
        >>> from sklearn_makemore import NGramCounter
        >>> from sklearn_makemore.datasets import load_names
        >>> names = load_names().data
        >>> model = NGramCounter(order=5).fit(names[::2])
        >>> small = model.prune(min_count=2, entropy=1e-6)
        >>> len(small.ngram_counts_)
        25512
        >>> round(model.nll(names[1::2]), 3), round(small.nll(names[1::2]), 3)
        (1.989, 2.01)
        """
        check_is_fitted(self)
        least = _checked_counts(min_count)
        counts = self._fitted_counts()
        trie, smoothed, discounts = self._smoothed(counts, counts.in_units())
        if discounts is None:
            raise ValueError(
                "Additive smoothing does not combine n-grams of several lengths, so it "
                "cannot be pruned; use smoothing='kneser-ney'."
            )
        pruned = prune(counts, trie, smoothed, discounts, least, entropy)
        smaller: Any = clone(self)
        fitted = self.vocabulary_, self.longest_word_, pruned
        smaller._set_fitted(*fitted, is_warm_start=False)
        return smaller

    def _unpruned(self, counts: NGramCounts | PrunedNGrams) -> NGramCounts:
        """Return counts, or raise an error if they are what is left after pruning."""
        if isinstance(counts, PrunedNGrams):
            raise ValueError(
                f"This {type(self).__name__} was pruned and no longer has the counts "
                "of its words, so it cannot be continued, merged or pruned again. Do "
                "so with the model that `prune` was called on, and prune the result."
            )
        return counts


def _checked_counts(min_count: float | Sequence[float]) -> np.ndarray:
    """Return `min_count` as an array, once checked."""
    try:
        least = np.atleast_1d(np.asarray(min_count, dtype=np.float64))
    except (TypeError, ValueError):
        raise ValueError(f"min_count must be numbers, got {min_count!r}.") from None
    is_valid = least.ndim == 1 and least.size and (least >= 0).all()
    if not is_valid or (np.diff(least) < 0).any():
        raise ValueError(
            "min_count must be one number, or numbers for n-grams of length 1, 2, ... "
            f"that do not decrease, and none below 0; got {min_count!r}."
        )
    return least
