"""CharLMOutlierDetector: words that are unlike the training words."""

from numbers import Integral, Real
from typing import Any, Literal

import numpy as np
from sklearn.base import OutlierMixin
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.validation import check_is_fitted

from .._base import BaseCharLM
from .._sklearn import Interval, StrOptions, _fit_context
from .._words.check import check_words
from .._words.training_set import check_training
from .._words.types import Weights, Words
from .members import BaseOfOneModel, restored_member
from .out_of_fold import OutOfFoldModels, fitted_out_of_fold

MIN_SCORE = -1e300
"""Score of impossible words: finite, because scores are averaged and subtracted."""

ROUNDING = 1e-9
"""Bound of the relative rounding error of sums of weights."""


class CharLMOutlierDetector(OutlierMixin, BaseOfOneModel):
    """Detector of words that a character model finds unlikely.

    Words that are not spelled like the training words have a low probability: random
    strings, typing errors, words of another language. The training words may include a
    few such words, which hardly change the model.

    A model gives high probabilities to its training words, even to unusual ones.
    Therefore `offset_` and `fit_predict` use scores of models that were fitted without
    the word.

    Parameters
    ----------
    estimator : estimator, default=None
        The character model; copies of it are fitted. None is ``NGramCounter()``. The
        copies have ``handle_unknown="unk"``, so a character that no training word has
        is not an error. Set ``estimator__random_state`` for a network that is the same
        at each fit. The `checkpoint` of each copy is its path followed by the name of
        the fit, for example ``"model.ckpt.fold-0"``.

    contamination : float, default=0.1
        Share of the training words that are outliers.

    per : {"character", "word"}, default="character"
        Whether the score is the log-probability per predicted character, including the
        end mark, or that of the whole word, which is lower for longer words.

    cv : int or None, default=5
        Number of folds. Each training word is scored by a model that was fitted on the
        other folds; equal words are in one fold. None scores the training words with
        the model that was fitted on them.

    n_jobs : int, default=None
        Number of models that are fitted at the same time, each in its own process. None
        means 1 unless in a `joblib.parallel_config`; -1 means all processors.

    Attributes
    ----------
    estimator_ : estimator
        The model, fitted on all words.

    offset_ : float
        Words with a lower score are outliers: the quantile `contamination` of the
        scores of the training words, in nats.

    See Also
    --------
    CharLMFeatures : Likelihoods as columns, for other estimators.

    Notes
    -----
    Folds need no seed: every `cv`-th distinct word, in the order given, is in one fold.
    If `estimator` has no `alphabet`, the model of a fold knows the characters of all
    training words.

    To use a model that is already fitted, pass ``FrozenEstimator(model)``. It scores
    all words, and nothing is fitted; `cv` is ignored. The model should have been fitted
    on other words.

    ``fit(words).predict(words)`` scores the training words with the model that was
    fitted on them, so it finds fewer outliers among them than `fit_predict`.

    Examples
    --------
    >>> from sklearn_makemore import CharLMOutlierDetector
    >>> from sklearn_makemore.datasets import load_names
    >>> detector = CharLMOutlierDetector(contamination=0.01).fit(load_names().data)
    >>> detector.predict(["marilou", "xqzvkw", "r2-d2"])
    array([ 1, -1, -1])
    """

    _parameter_constraints: dict = {
        "estimator": "no_validation",
        "contamination": [Interval(Real, 0, 0.5, closed="right")],
        "per": [StrOptions({"character", "word"})],
        "cv": [Interval(Integral, 2, None, closed="left"), None],
        "n_jobs": [Integral, None],
    }

    # Words are what scikit-learn calls X, not metadata that could be routed.
    __metadata_request__fit = {"words": UNUSED}
    __metadata_request__predict = {"words": UNUSED}
    __metadata_request__decision_function = {"words": UNUSED}

    estimator_: BaseCharLM
    offset_: float

    def __init__(
        self,
        estimator: BaseCharLM | Any | None = None,
        *,
        contamination: float = 0.1,
        per: Literal["character", "word"] = "character",
        cv: int | None = 5,
        n_jobs: int | None = None,
    ):
        self.estimator = estimator
        self.contamination = contamination
        self.per = per
        self.cv = cv
        self.n_jobs = n_jobs

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self, words: Words, y: Any = None, sample_weight: Weights = None
    ) -> "CharLMOutlierDetector":
        """Fit the model on words, and set the offset.

        Parameters
        ----------
        words : array-like of str of shape (n_words,)
            Training words: a list, tuple, array, Series or one-column data frame.
            ``""`` is a word.

        y : Ignored
            Not used, present for API consistency by convention.

        sample_weight : array-like of shape (n_words,), default=None
            Non-negative weight of each word. A weight of 2 equals the word twice.

        Returns
        -------
        self : object
            The fitted detector.

        Raises
        ------
        ValueError
            If all words are equal, unless `cv` is None.
        """
        self._fit(words, sample_weight)
        return self

    @_fit_context(prefer_skip_nested_validation=False)
    def fit_predict(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, words: Words, y: Any = None, sample_weight: Weights = None
    ) -> np.ndarray:
        """Fit the model, and find the outliers among the training words.

        Each word is scored by a model that has not seen it. The share of outliers is
        `contamination`, rounded down to whole words.

        Parameters
        ----------
        words : array-like of str of shape (n_words,)
            Training words.

        y : Ignored
            Not used, present for API consistency by convention.

        sample_weight : array-like of shape (n_words,), default=None
            Non-negative weight of each word.

        Returns
        -------
        labels : ndarray of shape (n_words,), dtype int64
            -1 for outliers, 1 for other words.
        """
        checked = check_words(words)
        models, scores = self._fit(checked, sample_weight)
        if len(scores) < len(checked):  # words of weight zero have not been scored
            scores = models.measure(checked, self._scores)
        return _labels(scores - self.offset_)

    def score_samples(self, words: Words) -> np.ndarray:
        """Compute the scores of words; outliers have low scores.

        Parameters
        ----------
        words : array-like of str of shape (n_words,)
            The words.

        Returns
        -------
        scores : ndarray of shape (n_words,), dtype float64
            Log-probability of each word in nats, per character or as a whole; -1e300
            for an impossible word.
        """
        check_is_fitted(self)
        return self._scores(self.estimator_, check_words(words))

    def decision_function(self, words: Words) -> np.ndarray:
        """Compute how far the scores are above the offset.

        Parameters
        ----------
        words : array-like of str of shape (n_words,)
            The words.

        Returns
        -------
        decision : ndarray of shape (n_words,), dtype float64
            ``score_samples(words) - offset_``, in nats; negative for outliers.
        """
        return self.score_samples(words) - self.offset_

    def predict(self, words: Words) -> np.ndarray:
        """Predict which words are outliers.

        Parameters
        ----------
        words : array-like of str of shape (n_words,)
            The words.

        Returns
        -------
        labels : ndarray of shape (n_words,), dtype int64
            -1 for outliers, 1 for other words.
        """
        return _labels(self.decision_function(words))

    def _scores(self, model: BaseCharLM, words: list[str]) -> np.ndarray:
        # All impossible words have the same score, whatever their length.
        scores = np.maximum(model.score_samples(words), MIN_SCORE)
        if self.per == "word":
            return scores
        lengths = np.array([len(word) + 1 for word in words])
        return np.where(scores > MIN_SCORE, scores / lengths, MIN_SCORE)

    def _fit(
        self, words: Words, sample_weight: Weights
    ) -> tuple[OutOfFoldModels, np.ndarray]:
        """Fit, and return the models and the scores of the words that have a weight."""
        checked, weight = check_training(words, sample_weight)
        with fitted_out_of_fold(self, checked, weight, self.cv) as models:
            scores = models.measure(checked, self._scores)
            offset = lower_quantile(scores, float(self.contamination), weight)
            vars(self).update(estimator_=models.model, offset_=offset)
        return models, scores

    def _kept(self) -> dict[str, Any]:
        """Return the state that a file stores."""
        return {"estimator": self.estimator_, "offset": float(self.offset_)}

    def _restore(self, kept: dict[str, Any]) -> None:
        """Set the fitted attributes from the result of `_kept`."""
        if type(kept["offset"]) is not float or not np.isfinite(kept["offset"]):
            raise ValueError(f"offset is {kept['offset']!r}.")
        vars(self).update(
            estimator_=restored_member(kept["estimator"]), offset_=kept["offset"]
        )

    def __sklearn_is_fitted__(self) -> bool:
        """Whether `fit` has succeeded."""
        return hasattr(self, "estimator_")


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


def _labels(decision: np.ndarray) -> np.ndarray:
    return np.where(decision < 0, -1, 1)
