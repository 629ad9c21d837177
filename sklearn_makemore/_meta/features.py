"""CharLMFeatures: how likely a word is, and where it is unlikely, as columns."""

from dataclasses import KW_ONLY
from typing import Any, Self

import numpy as np
from scipy.special import logsumexp
from sklearn.base import TransformerMixin
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from .._arguments import validate_options
from .._base import BaseCharLM
from .._declarations import fitted, parameter
from .._sklearn import _fit_context
from .._words.check import check_words
from .._words.training_set import check_training, with_weight
from .._words.types import Floats, Weights, Words
from .calibration import ClassModels
from .class_fits import check_kept_classes, class_fits, class_folds, class_models
from .labels import LabelledWords, has_classes
from .members import check_kept_member, check_learnable, member_for
from .out_of_fold import BaseOutOfFold, OutOfFoldModels

MAX_LOG_ODDS = 700.0
"""Log odds of a word that is possible in one class only: finite, as columns must be."""

MAX_NUMBERS = 20
"""Distinct numbers that may be classes; a target with more is one of a regression."""

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
    ``log_odds_<class>``         with `y`, log odds of each class against all others,
                                 by Bayes' rule over one model per class; of two
                                 classes, only the second has a column
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
    The columns of classes are added if `fit` has a `y` of classes and `log_odds` is
    True. No such columns are added if `y` is continuous or has several columns, or if
    `estimator` is frozen. The log odds of a training word in ``fit_transform`` are
    those of models that have not seen the word with any class. A class whose words are
    all in one fold, such as a single word, cannot be held out. It has no column and
    counts for no other. A single class has no column. Without columns of classes,
    `classes_`, `class_prior_`, `known_symbols_` and `min_lengths_` are None.

    Examples
    --------
    >>> from sklearn_makemore import CharLMFeatures
    >>> from sklearn_makemore.datasets import load_names
    >>> features = CharLMFeatures().fit(load_names().data)
    >>> features.get_feature_names_out().tolist()
    ['log_proba', 'nll', 'max_surprisal', 'max_surprisal_position', 'length']
    >>> features.transform(["emma", "emxma"]).round(1).tolist()
    [[-9.5, 1.9, 3.1, 0.0, 4.0], [-24.8, 4.1, 10.7, 2.0, 5.0]]
    """

    __single_column_transformer__ = True  # skrub's ApplyToCols fits one per column

    _: KW_ONLY
    log_odds: bool = parameter(
        default=True,
        description="""
        Whether to add the log odds of each class if `fit` has a `y` of classes. Whole
        numbers with more than 20 distinct values are no classes. Set False for a
        regression on fewer.
        """,
    )

    classes_: np.ndarray | None = fitted(
        "The classes, sorted.", type_text="ndarray of shape (n_classes,)"
    )
    class_prior_: np.ndarray | None = fitted(
        "Prior probabilities of the classes.",
        type_text="ndarray of shape (n_classes,)",
    )
    class_estimators_: list[BaseCharLM] = fitted(
        "The model of each class; empty without columns of classes.",
        type_text="list of estimators of length n_classes",
    )
    known_symbols_: np.ndarray | None = fitted(
        "Whether the training words of each class have each symbol.",
        type_text="ndarray of shape (n_classes, n_symbols)",
    )
    min_lengths_: np.ndarray | None = fitted(
        "Number of characters of the shortest training word of each class.",
        type_text="ndarray of shape (n_classes,)",
    )

    @validate_options({})
    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Words, y: Any = None, sample_weight: Weights = None) -> Self:
        """Fit the model on words.

        Parameters
        ----------
        X : array-like of str of shape (n_words,)
            A list, tuple, array, Series or one-column data frame; ``""`` is a word.

        y : array-like of shape (n_words,), default=None
            The class of each word, for columns of log odds.

        sample_weight : array-like of shape (n_words,), default=None
            Non-negative weight of each word: 2 equals the word twice, 0 leaves it out.

        Returns
        -------
        self : object
            The estimator itself.

        Raises
        ------
        ValueError
            If `y` has another length, or labels that are missing or of several types.
        """
        self._fit(one_column(X), y, sample_weight, is_out_of_fold=False)
        return self

    @validate_options({})
    @_fit_context(prefer_skip_nested_validation=False)
    def fit_transform(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, X: Words, y: Any = None, sample_weight: Weights = None
    ) -> Any:
        """Fit the model, and measure each training word with a model fitted without it.

        Parameters
        ----------
        X : array-like of str of shape (n_words,)
            A list, tuple, array, Series or one-column data frame; ``""`` is a word.

        y : array-like of shape (n_words,), default=None
            The class of each word, for columns of log odds.

        sample_weight : array-like of shape (n_words,), default=None
            Non-negative weight of each word: 2 equals the word twice, 0 leaves it out.

        Returns
        -------
        features : ndarray of shape (n_words, n_columns)
            Columns as `get_feature_names_out`, dtype float64; a data frame after
            `set_output`.

        Raises
        ------
        ValueError
            As `fit`, and if all words are equal, unless `estimator` is frozen.
        """
        words = one_column(X)
        models, class_models = self._fit(words, y, sample_weight, is_out_of_fold=True)
        models.model._encoded(words)  # errors name the index among all words
        features = models.measure(words, likelihood_features)
        if class_models is None:
            return features
        return np.hstack([features, class_models.measure(words, self._log_odds)])

    def transform(self, X: Words) -> Any:
        """Measure words with the models of all training words.

        Returns
        -------
        features : ndarray of shape (n_words, n_columns)
            Columns as `get_feature_names_out`, dtype float64; a data frame after
            `set_output`.
        """
        check_is_fitted(self)
        words = one_column(X)
        features = likelihood_features(self.estimator_, words)
        if self.known_symbols_ is None or self.min_lengths_ is None:
            return features
        known = self.known_symbols_, self.min_lengths_
        models = ClassModels([self.class_estimators_], *known)
        return np.hstack([features, self._log_odds(models, words)])

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the columns.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Ignored: the words are the only input.

        Returns
        -------
        names : ndarray of shape (n_columns,), dtype object
            The names.
        """
        check_is_fitted(self)
        classes = [] if self.classes_ is None else with_column(self.classes_).tolist()
        names = [*FEATURES, *(f"log_odds_{label}" for label in classes)]
        return np.array(names, dtype=object)

    def _log_odds(self, models: ClassModels, words: list[str]) -> np.ndarray:
        assert self.class_prior_ is not None
        return log_odds(models, np.log(self.class_prior_), words)

    def _fit(
        self, words: list[str], y: Any, sample_weight: Weights, *, is_out_of_fold: bool
    ) -> tuple[OutOfFoldModels[BaseCharLM], OutOfFoldModels[ClassModels] | None]:
        """Fit, and return the models that measure the training words."""
        texts, weight = check_training(words, sample_weight)
        data = self._labelled(texts, y, weight)
        check_learnable(self.estimator, texts, weight)
        learned, weight, _ = with_weight(texts, weight)
        folds = self._folds(learned, None if data is None else data.labels, len(texts))
        parts, rounds, fits = [], [], []
        if data is not None:
            data, parts = class_folds(data, folds)
            data = data if len(data.classes) > 1 else None
        if not is_out_of_fold:
            folds, parts = None, []
        if data is not None:
            rounds = [data, *(learned for learned, _ in parts)]
            model = member_for(self.estimator, data.words, others=texts)
            fits = class_fits(model, rounds)
        with self._fitted_out_of_fold(learned, weight, folds, fits) as models:
            by_class = None
            if data is not None:
                model, *fold_models = class_models(models.others, rounds)
                fold_of = {
                    word: fold
                    for fold, (_, held_out) in enumerate(parts)
                    for word in held_out.words
                }
                by_class = OutOfFoldModels(model, fold_models, fold_of)
            vars(self).update(
                estimator_=models.model,
                classes_=None if data is None else data.classes,
                class_prior_=None if data is None else data.shares,
                class_estimators_=by_class.model.directions[0] if by_class else [],
                known_symbols_=by_class.model.known_symbols if by_class else None,
                min_lengths_=by_class.model.min_lengths if by_class else None,
            )
        return models, by_class

    def _labelled(
        self, words: list[str], y: Any, weight: Floats | None
    ) -> LabelledWords | None:
        """Return the words with their classes, None without columns of classes."""
        is_frozen = isinstance(self.estimator, FrozenEstimator)
        if y is None or is_frozen or not self.log_odds or not has_classes(y):
            return None
        data = LabelledWords.checked(words, y, weight, type(self).__name__)
        if data.classes.dtype.kind in "iuf" and len(data.classes) > MAX_NUMBERS:
            return None
        return data

    def _kept(self) -> dict[str, Any]:
        output = getattr(self, "_sklearn_output_config", {}).get("transform")
        return {**super()._kept(), "output": output}

    def _restore(self, kept: dict[str, Any]) -> None:
        if kept["output"] not in (None, "default", "pandas", "polars"):
            raise ValueError(f"output is {kept['output']!r}.")
        # Files of version 0.1.0 have no classes.
        names = "classes", "class_prior", "known_symbols", "min_lengths"
        none = {**dict.fromkeys(names), "class_estimators": []}
        super()._restore({**none, **kept})
        self.set_output(transform=kept["output"])  # None changes nothing

    def _check_kept(self, kept: dict[str, Any]) -> None:
        super()._check_kept(kept)
        names = "classes", "class_prior", "known_symbols", "min_lengths"
        if kept["class_estimators"] or any(kept[name] is not None for name in names):
            for model in kept["class_estimators"]:
                check_kept_member(model)
            check_kept_classes(kept, kept["class_estimators"], [])


def one_column(X: Words) -> list[str]:
    """Return the words of one column, or raise an error if there are several."""
    shape: tuple[int, ...] = getattr(X, "shape", ())
    try:
        return check_words(X)
    except ValueError as error:
        if len(shape) != 2 or shape[1] < 2:
            raise
        columns = [*getattr(X, "columns", range(shape[1]))]
        entries = ", ".join(f"(CharLMFeatures(), {name!r})" for name in columns[:2])
        raise ValueError(
            f"{error} Or fit one CharLMFeatures for each column: "
            f"make_column_transformer({entries})."
        ) from None


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


def with_column(classes: np.ndarray) -> np.ndarray:
    """Return the classes that have a column: all, or the second of two.

    The log odds of the first of two are those of the second with the opposite sign.

    classes : (n_classes,)
    """
    return classes[1:] if len(classes) == 2 else classes


def log_odds(
    models: ClassModels, log_prior: np.ndarray, words: list[str]
) -> np.ndarray:
    """Return the log odds of classes against all others, (n_words, n_columns).

    log_prior : (n_classes,)
    """
    joint = models.word_features(words)[:, :, 0] + log_prior
    odds = [
        joint[:, index] - logsumexp(np.delete(joint, index, axis=1), axis=1)
        for index in with_column(np.arange(len(log_prior)))
    ]
    return np.clip(np.stack(odds, axis=1), -MAX_LOG_ODDS, MAX_LOG_ODDS)
