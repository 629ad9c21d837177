"""CharLMFeatures: how likely a word is, and where it is not, as columns of numbers."""

from numbers import Integral

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.utils.validation import check_is_fitted

from .._sklearn import Interval, _fit_context
from .._words.check import check_words
from .._words.training_set import check_training
from .members import BaseOfOneModel, fitted_out_of_fold, restored_member

FEATURES = ["log_proba", "nll", "max_surprisal", "max_surprisal_position", "length"]


def likelihood_features(model, words):
    """Measure words by a model.

    Parameters
    ----------
    model : BaseCharLM
        Fitted model.

    words : list of str of length n_words
        The words.

    Returns
    -------
    features : ndarray of shape (n_words, 5), dtype float64
        Columns as `FEATURES`.
    """
    rows = []
    for log_proba in model.token_log_proba(words):  # (len(word) + 1,)
        position = log_proba.argmin()
        total = log_proba.sum()
        n_predictions = len(log_proba)
        rows.append(
            (
                total,
                -total / n_predictions,
                -log_proba[position],
                position,
                n_predictions - 1,
            )
        )
    return np.array(rows, dtype=np.float64)


class CharLMFeatures(TransformerMixin, BaseOfOneModel):
    """Features of words: how likely a character model finds them.

    ===========================  ======================================================
    Column                       Meaning
    ===========================  ======================================================
    ``log_proba``                log-probability of the word in nats, end mark included
    ``nll``                      negative log-likelihood in nats per predicted
                                 character, the end mark among them
    ``max_surprisal``            largest negative log-probability of one character, or
                                 of the end mark, in nats
    ``max_surprisal_position``   its index in the word, 0 for the first character; the
                                 number of characters for the end mark
    ``length``                   number of characters
    ===========================  ======================================================

    A model has seen the words it was fitted on and finds them likelier than others, so
    that what is learned from such features would be wrong for new words. Therefore
    ``fit_transform(words)`` measures each word by a model that was fitted without it,
    as scikit-learn's `TargetEncoder` does, and is not the same as
    ``fit(words).transform(words)``. Pipelines and `ColumnTransformer` call it for the
    training words.

    Parameters
    ----------
    estimator : estimator, default=None
        The character model, of which copies are fitted. None is ``NGramCounter()``. The
        copies have ``handle_unknown="unk"``: a character that no training word has is
        no error. Networks differ from fit to fit unless ``estimator__random_state`` is
        set. With a `checkpoint` each copy has a file of its own, that path followed by
        the name of its fit, ``"model.ckpt.fold-0"`` for example.

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

    See Also
    --------
    CharLMOutlierDetector : Decides by such a number alone.
    CharLMClassifier : One model a class.

    Notes
    -----
    Folds are cut from the order of the words, every `cv`-th distinct word into one, and
    need no seed. Without an `alphabet` of its own the model of a fold knows the
    characters of all training words.

    A model that is fitted already can be given as ``FrozenEstimator(model)``. It
    measures all words as it is, whatever `cv` says: nothing is fitted. If it was fitted
    on other words, it has seen none of these.

    In a `ColumnTransformer` the column is named as a string, not as a list of one: then
    the words come as a Series.

    Examples
    --------
    >>> from sklearn_makemore import CharLMFeatures
    >>> from sklearn_makemore.datasets import load_names
    >>> features = CharLMFeatures().fit(load_names().data)
    >>> features.get_feature_names_out().tolist()
    ['log_proba', 'nll', 'max_surprisal', 'max_surprisal_position', 'length']
    >>> features.transform(["emma", "emxma"]).round(1).tolist()
    [[-9.3, 1.9, 3.1, 0.0, 4.0], [-23.5, 3.9, 9.7, 2.0, 5.0]]
    """

    _parameter_constraints: dict = {
        "estimator": "no_validation",
        "cv": [Interval(Integral, 2, None, closed="left"), None],
        "n_jobs": [Integral, None],
    }

    def __init__(self, estimator=None, *, cv=5, n_jobs=None):
        self.estimator = estimator
        self.cv = cv
        self.n_jobs = n_jobs

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, sample_weight=None):
        """Fit the model on words.

        Parameters
        ----------
        X : array-like of str of shape (n_words,)
            Training words: a list, tuple, array, Series or one-column data frame.
            ``""`` is a word.

        y : Ignored
            Not used, present for API consistency by convention.

        sample_weight : array-like of shape (n_words,), default=None
            Weight of each word, not negative. A weight of 2 is the word twice.

        Returns
        -------
        self : object
            The fitted transformer.
        """
        self._fit(check_words(X), sample_weight, n_folds=None)
        return self

    @_fit_context(prefer_skip_nested_validation=False)
    def fit_transform(self, X, y=None, sample_weight=None):
        """Fit the model on words, and measure each by one that has not seen it.

        Parameters
        ----------
        X : array-like of str of shape (n_words,)
            Training words.

        y : Ignored
            Not used, present for API consistency by convention.

        sample_weight : array-like of shape (n_words,), default=None
            Weight of each word, not negative.

        Returns
        -------
        features : ndarray of shape (n_words, 5), dtype float64
            Columns as `get_feature_names_out`; a data frame after `set_output`.

        Raises
        ------
        ValueError
            If all words are equal, unless `cv` is None.
        """
        words = check_words(X)
        models = self._fit(words, sample_weight, n_folds=self.cv)
        return models.measure(words, likelihood_features)

    def transform(self, X):
        """Measure words by the model.

        Parameters
        ----------
        X : array-like of str of shape (n_words,)
            The words.

        Returns
        -------
        features : ndarray of shape (n_words, 5), dtype float64
            Columns as `get_feature_names_out`; a data frame after `set_output`.
        """
        check_is_fitted(self)
        return likelihood_features(self.estimator_, check_words(X))

    def get_feature_names_out(self, input_features=None):
        """Return the names of the columns.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Not used: the words are the only input.

        Returns
        -------
        names : ndarray of shape (5,), dtype object
            The names.
        """
        return np.array(FEATURES, dtype=object)

    def _fit(self, words, sample_weight, n_folds):
        """Fit, and return the models that measure the training words."""
        words, sample_weight = check_training(words, sample_weight)
        with fitted_out_of_fold(self, words, sample_weight, n_folds) as models:
            self.estimator_ = models.model
        return models

    def _kept(self):
        """Return what a file keeps of what was fitted."""
        output = getattr(self, "_sklearn_output_config", {}).get("transform")
        return {"estimator": self.estimator_, "output": output}

    def _restore(self, kept):
        """Set the fitted attributes by what `_kept` returned."""
        if kept["output"] not in (None, "default", "pandas", "polars"):
            raise ValueError(f"output is {kept['output']!r}.")
        self.set_output(transform=kept["output"])  # None changes nothing
        self.estimator_ = restored_member(kept["estimator"])

    def __sklearn_is_fitted__(self):
        """Whether `fit` has come to its end."""
        return hasattr(self, "estimator_")
