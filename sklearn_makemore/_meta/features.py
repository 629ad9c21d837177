"""CharLMFeatures: how likely a word is, and where it is unlikely, as columns."""

from typing import Any, Self

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.utils.validation import check_is_fitted

from .._base import BaseCharLM
from .._sklearn import _fit_context
from .._words.check import check_words
from .._words.training_set import check_training
from .._words.types import Weights, Words
from .out_of_fold import BaseOutOfFold, OutOfFoldModels

FEATURES = ["log_proba", "nll", "max_surprisal", "max_surprisal_position", "length"]


class CharLMFeatures(TransformerMixin, BaseOutOfFold):
    """Features of words: how likely a character model finds them.

    ===========================  ======================================================
    Column                       Meaning
    ===========================  ======================================================
    ``log_proba``                log-probability of the word in nats, end mark included
    ``nll``                      negative log-likelihood in nats per predicted
                                 character, end mark included
    ``max_surprisal``            largest negative log-probability of one character, or
                                 of the end mark, in nats
    ``max_surprisal_position``   its index in the word, 0 for the first character; the
                                 number of characters for the end mark
    ``length``                   number of characters
    ===========================  ======================================================

    A model gives its training words higher likelihoods than new words. An estimator
    trained on such features would expect the same of new words. Therefore
    ``fit_transform(words)`` scores each word with a model that was fitted without it,
    as scikit-learn's `TargetEncoder` does, and differs from
    ``fit(words).transform(words)``. Pipelines and `ColumnTransformer` call
    ``fit_transform`` for the training words.

    See Also
    --------
    CharLMOutlierDetector : Flags words with a low likelihood.
    CharLMClassifier : One model per class.

    Notes
    -----
    Folds need no seed: every `cv`-th distinct word, in the order given, is in one fold.
    If `estimator` has no `alphabet`, the model of a fold knows the characters of all
    training words.

    To use a model that is already fitted, pass ``FrozenEstimator(model)``. It scores
    all words, and nothing is fitted; `cv` is ignored. The model should have been fitted
    on other words.

    In a `ColumnTransformer`, name the column with a string, not with a list of one
    string, so that the words are passed as a Series.

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

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Words, y: Any = None, sample_weight: Weights = None) -> Self:
        """Fit the model on words."""
        self._fit(check_words(X), sample_weight, n_folds=None)
        return self

    @_fit_context(prefer_skip_nested_validation=False)
    def fit_transform(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, X: Words, y: Any = None, sample_weight: Weights = None
    ) -> Any:
        """Fit the model, and measure each training word with a model fitted without it.

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

    def transform(self, X: Words) -> Any:
        """Measure words with the model of all training words.

        Returns
        -------
        features : ndarray of shape (n_words, 5), dtype float64
            Columns as `get_feature_names_out`; a data frame after `set_output`.
        """
        check_is_fitted(self)
        return likelihood_features(self.estimator_, check_words(X))

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the columns.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Ignored: the words are the only input.

        Returns
        -------
        names : ndarray of shape (5,), dtype object
            The names.
        """
        return np.array(FEATURES, dtype=object)

    def _fit(
        self, words: list[str], sample_weight: Weights, n_folds: int | None
    ) -> OutOfFoldModels:
        """Fit, and return the models that measure the training words."""
        words, weight = check_training(words, sample_weight)
        with self._fitted_out_of_fold(words, weight, n_folds) as models:
            self.estimator_ = models.model
        return models

    def _kept(self) -> dict[str, Any]:
        output = getattr(self, "_sklearn_output_config", {}).get("transform")
        return {**super()._kept(), "output": output}

    def _restore(self, kept: dict[str, Any]) -> None:
        if kept["output"] not in (None, "default", "pandas", "polars"):
            raise ValueError(f"output is {kept['output']!r}.")
        self.set_output(transform=kept["output"])  # None changes nothing
        super()._restore(kept)


def likelihood_features(model: BaseCharLM, words: list[str]) -> np.ndarray:
    """Measure words by a fitted model, (n_words, 5) with columns as `FEATURES`."""
    rows = []
    for log_proba in model.token_log_proba(words):  # (len(word) + 1,)
        position = log_proba.argmin()
        total = log_proba.sum()
        n_predictions = len(log_proba)
        nll = -total / n_predictions
        rows.append((total, nll, -log_proba[position], position, n_predictions - 1))
    return np.array(rows, dtype=np.float64)
