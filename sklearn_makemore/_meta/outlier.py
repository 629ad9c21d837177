"""CharLMOutlierDetector: words that are unlike the training words."""

from dataclasses import KW_ONLY
from numbers import Real
from typing import Any, Literal, Self, get_args

import numpy as np
from sklearn.base import OutlierMixin
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.validation import check_is_fitted

from .._arguments import validate_options
from .._base import BaseCharLM
from .._declarations import fitted, parameter
from .._sklearn import Interval, _fit_context
from .._words.check import check_words
from .._words.training_set import check_training, with_weight
from .._words.types import Weights, Words
from .members import check_learnable
from .out_of_fold import BaseOutOfFold
from .word_scores import WordScores

MIN_SCORE = -1e300
"""Score of impossible words: finite, because scores are averaged and subtracted."""

Per = Literal["excess", "deviation", "character", "word"]

ROUNDING = 1e-9
"""Bound of the relative rounding error of sums of weights."""


class CharLMOutlierDetector(OutlierMixin, BaseOutOfFold):
    """Detector of words that a character model finds unlikely.

    Words that are not spelled like the training words have a low probability: random
    strings, typing errors, words of another language. The training words may include a
    few such words, which hardly change the model.

    A model gives high probabilities to its training words, even to unusual ones.
    Therefore `offset_` and all methods score a training word with a model that was
    fitted without it.

    See Also
    --------
    CharLMFeatures : Likelihoods as columns, for other estimators.

    Notes
    -----
    The detector keeps the scores of the training words, not the words: 8 bytes per word
    and 16 bytes per distinct word. It mistakes a new word for one of n distinct
    training words with a probability of n times 2**-64. A frozen model scores the
    training words too. If it has no symbol for unknown characters, words that have some
    are impossible.

    Examples
    --------
    >>> from sklearn_makemore import CharLMOutlierDetector
    >>> from sklearn_makemore.datasets import load_names
    >>> detector = CharLMOutlierDetector(contamination=0.01).fit(load_names().data)
    >>> detector.predict(["marilou", "xqzvkw", "r2-d2"])
    array([ 1, -1, -1])
    """

    _: KW_ONLY
    contamination: float = parameter(
        default=0.1,
        description="Share of the training words that are outliers.",
        constraints=[Interval(Real, 0, 0.5, closed="right")],
    )
    per: Per = parameter(
        default="excess",
        description="""
        What the score is. `n` is the number of predicted characters of the word,
        including the end mark.

        - "excess" is ``log_proba + mean_nll_ * n``, the log-probability minus that of
          `n` average characters. It is fair to short and to long words.
        - "deviation" is ``(log_proba + mean_nll_ * n) / sqrt(n)``, because the standard
          deviation of the excess grows with the length. Somewhat more of the outliers
          are short.
        - "character" is ``log_proba / n``, which varies more for short words, so most
          outliers are short.
        - "word" is ``log_proba``, which is lower for longer words.

        Changing it has no effect before the next `fit`.
        """,
    )

    offset_: float = fitted(
        """
        Words with a lower score are outliers: the quantile `contamination` of the
        scores of the training words, in nats.
        """
    )
    mean_nll_: float = fitted(
        """
        Mean negative log-likelihood of the training words per predicted character, in
        nats, by models that have not seen them.
        """
    )
    training_scores_: np.ndarray = fitted(
        """
        Scores of the training words by models that have not seen them, as
        `score_samples` returns them; NaN for words of weight zero.
        """,
        type_text="ndarray of shape (n_words,)",
    )

    # Words are what scikit-learn calls X, not metadata that could be routed.
    __metadata_request__fit = {"words": UNUSED}
    __metadata_request__predict = {"words": UNUSED}
    __metadata_request__decision_function = {"words": UNUSED}

    @validate_options({})
    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, words: Words, y: Any = None, sample_weight: Weights = None) -> Self:
        """Fit the model on words, and set the offset.

        Raises
        ------
        ValueError
            If all words are equal, unless `estimator` is frozen.
        """
        texts, weight = check_training(words, sample_weight)
        check_learnable(self.estimator, texts, weight)
        learned, weight, rows = with_weight(texts, weight)
        training_scores = np.full(len(texts), np.nan)
        folds = self._folds(learned, None, len(texts))
        with self._fitted_out_of_fold(learned, weight, folds) as models:
            # Of all words, so that errors of a frozen model name the index among all.
            log_proba = models.measure(texts, word_log_proba)[rows]
            lengths = n_predictions(models.model, learned)
            mean_nll = mean_nll_per_character(log_proba, lengths, weight)
            scores = scores_per(self.per, log_proba, lengths, mean_nll)
            training_scores[rows] = scores
            known = WordScores.of(learned if models.fold_of else [], scores)
            vars(self).update(
                estimator_=models.model,
                offset_=lower_quantile(scores, float(self.contamination), weight),
                mean_nll_=mean_nll,
                training_scores_=training_scores,
                _known=known,
                _per=self.per,
            )
        return self

    @validate_options({})
    @_fit_context(prefer_skip_nested_validation=False)
    def fit_predict(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, words: Words, y: Any = None, sample_weight: Weights = None
    ) -> np.ndarray:
        """Fit the model, and find the outliers among the training words.

        It equals ``fit(words).predict(words)``. The share of outliers is
        `contamination`, rounded down to whole words.

        Returns
        -------
        labels : ndarray of shape (n_words,), dtype int64
            -1 for outliers, 1 for other words.
        """
        words = check_words(words)
        return self.fit(words, sample_weight=sample_weight).predict(words)

    def score_samples(self, words: Words) -> np.ndarray:
        """Compute the scores of words; outliers have low scores.

        A training word is scored by a model that has not seen it.

        Returns
        -------
        scores : ndarray of shape (n_words,), dtype float64
            The score of each word as `per` defines it, in nats; -1e300 for an
            impossible word.
        """
        check_is_fitted(self)
        texts = check_words(words)
        log_proba = word_log_proba(self.estimator_, texts)
        lengths = n_predictions(self.estimator_, texts)
        scores = scores_per(self._per, log_proba, lengths, self.mean_nll_)
        return self._known.put_into(scores, texts)

    def decision_function(self, words: Words) -> np.ndarray:
        """Compute how far the scores are above the offset.

        Returns
        -------
        decision : ndarray of shape (n_words,), dtype float64
            ``score_samples(words) - offset_``, in nats; negative for outliers.
        """
        return self.score_samples(words) - self.offset_

    def predict(self, words: Words) -> np.ndarray:
        """Predict which words are outliers.

        Returns
        -------
        labels : ndarray of shape (n_words,), dtype int64
            -1 for outliers, 1 for other words.
        """
        return np.where(self.decision_function(words) < 0, -1, 1)

    def _kept(self) -> dict[str, Any]:
        known = {"digests": self._known.digests, "scores": self._known.scores}
        return {**super()._kept(), **known, "per": self._per}

    def _restore(self, kept: dict[str, Any]) -> None:
        # Files of version 0.1.0 have none of these.
        none = {"training_scores": np.empty(0), "scores": np.empty(0), "mean_nll": 0.0}
        none |= {"digests": np.empty(0, np.uint64), "per": self.per}
        kept = {**none, **kept}
        known = WordScores.restored(kept["digests"], kept["scores"])
        super()._restore(kept)
        self._known, self._per = known, kept["per"]

    def _check_kept(self, kept: dict[str, Any]) -> None:
        super()._check_kept(kept)
        for name in "offset", "mean_nll":
            if type(kept[name]) is not float or not np.isfinite(kept[name]):
                raise ValueError(f"{name} is {kept[name]!r}.")
        if kept["per"] not in get_args(Per):
            raise ValueError(f"per is {kept['per']!r}.")
        scores = kept["training_scores"]
        if not isinstance(scores, np.ndarray) or scores.dtype != np.float64:
            raise TypeError(f"training_scores is {scores!r}.")


def word_log_proba(model: BaseCharLM, words: list[str]) -> np.ndarray:
    """Return finite log-probabilities of words, (n_words,).

    Unknown characters are impossible if the model has no symbol for them.
    """
    is_readable = model.vocabulary_.can_encode(words)
    texts = [w if ok else "" for w, ok in zip(words, is_readable, strict=True)]
    log_proba = np.where(is_readable, model.score_samples(texts), MIN_SCORE)
    return np.maximum(log_proba, MIN_SCORE)


def scores_per(
    per: Per, log_proba: np.ndarray, lengths: np.ndarray, mean_nll: float
) -> np.ndarray:
    """Return the scores of words as the parameter `per` defines them.

    log_proba, scores : (n_words,)
    lengths : (n_words,), predictions per word
    """
    if per == "word":
        return log_proba
    if per == "character":
        scores = log_proba / lengths
    else:
        scores = log_proba + mean_nll * lengths
        if per == "deviation":
            scores /= np.sqrt(lengths)
    # All impossible words have the same score, whatever their length.
    return np.where(log_proba > MIN_SCORE, scores, MIN_SCORE)


def n_predictions(model: BaseCharLM, words: list[str]) -> np.ndarray:
    """Return the number of predicted characters of each word, (n_words,)."""
    return model.vocabulary_.lengths(words) + 1


def mean_nll_per_character(
    log_proba: np.ndarray, lengths: np.ndarray, sample_weight: np.ndarray | None
) -> float:
    """Return the mean negative log-likelihood of the possible words, 0 without any.

    log_proba, sample_weight : (n_words,)
    lengths : (n_words,), predictions per word
    """
    weight = (log_proba > MIN_SCORE).astype(np.float64)
    if sample_weight is not None:
        weight = weight * (sample_weight / sample_weight.max())  # must not overflow
    total = np.sum(weight * lengths)
    return float(-np.sum(weight * log_proba) / max(total, 1e-300))


def lower_quantile(
    scores: np.ndarray, share: float, sample_weight: np.ndarray | None
) -> float:
    """Return the `share` quantile: at most this share of the scores is less than it.

    It is halfway between two scores if the share is a whole number of scores. A weight
    of 2 equals the score twice.

    scores, sample_weight : (n_words,)
    """
    # The share may be a whole number of scores up to rounding, so look on both sides.
    sides = [share * (1 - ROUNDING), share * (1 + ROUNDING)]
    weights = np.ones(len(scores)) if sample_weight is None else sample_weight
    quantiles = np.quantile(scores, sides, weights=weights, method="inverted_cdf")
    return float(quantiles.mean())
