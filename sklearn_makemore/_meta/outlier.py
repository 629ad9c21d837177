"""CharLMOutlierDetector: words that are unlike the training words."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import OutlierMixin
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.validation import check_is_fitted

from .._sklearn import Interval, StrOptions, _fit_context
from .._words.check import check_words
from .._words.training_set import check_training
from .members import BaseOfOneModel, fitted_out_of_fold, restored_member

MIN_SCORE = -1e300
"""Instead of minus infinity, of which there are no means and no differences."""

ROUNDING = 1e-9
"""Relative error of sums of weights, at most."""


def lower_quantile(scores, share, sample_weight):
    """Return the `share` quantile of scores: at most that share of them is below it.

    Halfway between two scores where the share is a whole number of them. A weight of 2
    is the score twice.

    Parameters
    ----------
    scores : ndarray of shape (n_words,)
        The scores.

    share : float
        Between 0 and 1.

    sample_weight : ndarray of shape (n_words,) or None
        Weight of each score, positive.

    Returns
    -------
    quantile : float
        At most the share of the scores is less than it.
    """
    weights = np.ones(len(scores)) if sample_weight is None else sample_weight
    order = np.argsort(scores, kind="stable")
    up_to = np.cumsum(weights[order])
    below = share * up_to[-1]
    # Sums are rounded: a share that is a whole number of scores need not look it.
    first = np.searchsorted(up_to, below * (1 - ROUNDING))
    is_whole = up_to[first] < below * (1 + ROUNDING) and first + 1 < len(order)
    last = first + 1 if is_whole else first
    return float((scores[order[first]] + scores[order[last]]) / 2)


class CharLMOutlierDetector(OutlierMixin, BaseOfOneModel):
    """Detector of words that a character model finds unlikely.

    Random strings, typing errors, words of another language: what is not spelled like
    the training words has a low probability. The words may be an unclean list; a few
    odd ones among many hardly change the model.

    A model has seen the words it was fitted on, so that even an odd one would look
    likely. Therefore the scores that `offset_` and `fit_predict` rest on are those of
    models that were fitted without the word.

    Parameters
    ----------
    estimator : estimator, default=None
        The character model, of which copies are fitted. None is ``NGramCounter()``. The
        copies have ``handle_unknown="unk"``: a character that no training word has is
        no error. Networks differ from fit to fit unless ``estimator__random_state`` is
        set. With a `checkpoint` each copy has a file of its own, that path followed by
        the name of its fit, ``"model.ckpt.fold-0"`` for example.

    contamination : float, default=0.1
        Share of the training words that are taken for outliers.

    per : {"character", "word"}, default="character"
        Whether the score is the log-probability per predicted character, the end mark
        among them, or of the whole word, which is lower for longer words.

    cv : int or None, default=5
        Number of folds in which the training words are measured by models that have not
        seen them; equal words are in one fold. None measures them by the model that
        has seen them.

    n_jobs : int, default=None
        Number of models that are fitted at once, in processes of their own. None is 1
        unless a `joblib.parallel_config` says otherwise, -1 all processors.

    Attributes
    ----------
    estimator_ : estimator
        The model, fitted on all words.

    offset_ : float
        A score below it is an outlier's: the quantile `contamination` of the scores of
        the training words, in nats.

    See Also
    --------
    CharLMFeatures : The same numbers, and others, as columns.

    Notes
    -----
    Folds are cut from the order of the words, every `cv`-th distinct word into one, and
    need no seed. Without an `alphabet` of its own the model of a fold knows the
    characters of all training words.

    A model that is fitted already can be given as ``FrozenEstimator(model)``. It
    measures all words as it is, whatever `cv` says: nothing is fitted. If it was fitted
    on other words, it has seen none of these.

    ``fit(words).predict(words)`` scores the training words by the model that has seen
    them, and so finds fewer outliers among them than `fit_predict`.

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

    def __init__(
        self,
        estimator=None,
        *,
        contamination=0.1,
        per="character",
        cv=5,
        n_jobs=None,
    ):
        self.estimator = estimator
        self.contamination = contamination
        self.per = per
        self.cv = cv
        self.n_jobs = n_jobs

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, words, y=None, sample_weight=None):
        """Fit the model on words, and find the offset.

        Parameters
        ----------
        words : array-like of str of shape (n_words,)
            Training words: a list, tuple, array, Series or one-column data frame.
            ``""`` is a word.

        y : Ignored
            Not used, present for API consistency by convention.

        sample_weight : array-like of shape (n_words,), default=None
            Weight of each word, not negative. A weight of 2 is the word twice.

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
    def fit_predict(self, words, y=None, sample_weight=None):
        """Fit, and find the outliers among the training words.

        Each word is scored by a model that has not seen it, so that the share of
        outliers is the contamination, or as near below as whole words are.

        Parameters
        ----------
        words : array-like of str of shape (n_words,)
            Training words.

        y : Ignored
            Not used, present for API consistency by convention.

        sample_weight : array-like of shape (n_words,), default=None
            Weight of each word, not negative.

        Returns
        -------
        labels : ndarray of shape (n_words,), dtype int64
            -1 for outliers, 1 for others.
        """
        words = check_words(words)
        models, scores = self._fit(words, sample_weight)
        if len(scores) < len(words):  # those of weight zero have not been scored
            scores = models.measure(words, self._scores)
        return _labels(scores - self.offset_)

    def score_samples(self, words):
        """Compute the scores of words: the lower, the more of an outlier.

        Parameters
        ----------
        words : array-like of str of shape (n_words,)
            The words.

        Returns
        -------
        scores : ndarray of shape (n_words,), dtype float64
            Log-probability of each word in nats, per character or as it is; -1e300 of
            an impossible one.
        """
        check_is_fitted(self)
        return self._scores(self.estimator_, check_words(words))

    def decision_function(self, words):
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

    def predict(self, words):
        """Tell outliers from others.

        Parameters
        ----------
        words : array-like of str of shape (n_words,)
            The words.

        Returns
        -------
        labels : ndarray of shape (n_words,), dtype int64
            -1 for outliers, 1 for others.
        """
        return _labels(self.decision_function(words))

    def _scores(self, model, words):
        # The same for all impossible words, so that none is below the others.
        scores = np.maximum(model.score_samples(words), MIN_SCORE)
        if self.per == "word":
            return scores
        lengths = np.array([len(word) + 1 for word in words])
        return np.where(scores > MIN_SCORE, scores / lengths, MIN_SCORE)

    def _fit(self, words, sample_weight):
        """Fit, and return the models and the scores of the words that have a weight."""
        words, sample_weight = check_training(words, sample_weight)
        with fitted_out_of_fold(self, words, sample_weight, self.cv) as models:
            scores = models.measure(words, self._scores)
            share = float(self.contamination)
            offset = lower_quantile(scores, share, sample_weight)
            vars(self).update(estimator_=models.model, offset_=offset)
        return models, scores

    def _kept(self):
        """Return what a file keeps of what was fitted."""
        return {"estimator": self.estimator_, "offset": float(self.offset_)}

    def _restore(self, kept):
        """Set the fitted attributes by what `_kept` returned."""
        if type(kept["offset"]) is not float or not np.isfinite(kept["offset"]):
            raise ValueError(f"offset is {kept['offset']!r}.")
        vars(self).update(
            estimator_=restored_member(kept["estimator"]), offset_=kept["offset"]
        )

    def __sklearn_is_fitted__(self):
        """Whether `fit` has come to its end."""
        return hasattr(self, "estimator_")


def _labels(decision):
    return np.where(decision < 0, -1, 1)
