"""ConditionalCharLM: words given a label."""

import copy
from dataclasses import replace
from typing import Any, Self, cast

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.callback import with_callbacks
from sklearn.utils import Tags
from sklearn.utils.metadata_routing import UNUSED

from .._arguments import validate_options
from .._base import BaseCharLM, ModelOfLabels
from .._counters.ngram import NGramCounter
from .._declarations import parameter
from .._sklearn import _fit_context, has_callbacks
from .._words.training_set import MAX_TOTAL_WEIGHT, TrainingSet
from .._words.types import Weights, Words
from .label_callbacks import LabelledContext, started_context
from .label_generator import LabelledGeneratorMixin
from .label_models import LabelModels
from .labels import LabelledWords, checked_labels
from .members import ParametersOfModel, check_kept_member

MIN_WEIGHT = 1e-100
"""Smallest positive weight of a word, relative to the largest."""


class ConditionalCharLM(ParametersOfModel, LabelledGeneratorMixin):
    """Model of words given a label, such as surnames given a language.

    It scores ``p(word | label)`` and samples words with a label. One model learns the
    words of all labels, so a label with few words also learns from the words of the
    others.

    See Also
    --------
    CharLMClassifier : Predicts the label of a word.
    NGramCounter : The default model, without labels.

    Notes
    -----
    **Counters.** With ``c`` for the adjusted counts of a label's words, ``D`` for
    discounts and ``h'`` for the history `h` without its earliest character,

    ``p(w | h, y) = (c(hw) - D(c(hw)) + freed(h) q(w | h, y)) / c(h)``

    ``q(w | h, y) = (1 - s) p(w | h', y) + s p(w | h)``

    where ``freed(h)`` is the sum of the discounts, and ``p(w | h)`` is the counter of
    all words, with Kneser-Ney or additive smoothing. Its share `s` is a logistic
    function of the logarithms of three numbers: how often `h` occurs with the label and
    with any label, and how many characters follow it with the label. It also depends on
    the length of `h` and on the label. Discounts and shares maximise the likelihood of
    held-out words.

    **Networks.** A vector of the label, of shape (n_embd,), is added to the embedding
    of every symbol, the start of the word included. Networks that see a window also
    have a vector for each pair of a label and a symbol. Without batch normalization,
    their epochs have at least 32 steps per label, but `batch_size` is not reduced below
    256 for that.

    **Mixtures.** Members are given the label. Their weights are the same for all
    labels.

    **Lengths.** With ``match_lengths=True``, sampled words have the lengths of the
    label's words. The distribution of the lengths of all words is added to these with
    the weight of five words, because a rare label has few lengths.

    Examples
    --------
    >>> from sklearn_makemore import ConditionalCharLM
    >>> from sklearn_makemore.datasets import load_names
    >>> names, sex = load_names(return_X_y=True)
    >>> model = ConditionalCharLM().fit(names, sex)
    >>> model.sample(3, label="F", unique=True, exclude=names, random_state=0)
    ['lizfartus', 'paigell', 'katalyn']
    >>> model.sample(label=["M", "F", "M"], random_state=0)
    ['yosa', 'khalina', 'hayan']
    >>> words, log_proba = model.most_likely(3, label="M", prefix="jo")
    >>> words
    ['josiah', 'jordan', 'john']
    """

    estimator: BaseCharLM | None = parameter(
        default=None,
        description="""
        The model that is conditioned: a counter, a network, or a mixture of these. None
        is ``NGramCounter()``. Its parameters have names such as ``estimator__order``.
        """,
        constraints=[BaseCharLM, None],
        type_text="estimator",
    )

    # Words are scikit-learn's X, not metadata that could be routed.
    __metadata_request__fit = {"words": UNUSED}
    __metadata_request__partial_fit = {"words": UNUSED}
    __metadata_request__score = {"words": UNUSED}
    __metadata_request__predict_proba = {"prefixes": UNUSED}

    def _model_or_default(self, model: Any) -> Any:
        return NGramCounter() if model is None else model

    # ---------------------------------------------------------------- learning

    @validate_options({})
    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, words: Words, y: ArrayLike, sample_weight: Weights = None) -> Self:
        """Learn words with their labels.

        Parameters
        ----------
        words : array-like of str of shape (n_words,)
            A list, tuple, array, Series or one-column data frame; ``""`` is a word.

        y : array-like of shape (n_words,)
            The label of each word.

        sample_weight : array-like of shape (n_words,), default=None
            Non-negative weight of each word. A weight of 2 equals the word twice.

        Returns
        -------
        self : object
            The estimator itself.

        Raises
        ------
        ValueError
            If the model cannot be fitted on `words`, if `y` is missing, of another
            length or not of classes, or if the model cannot be conditioned.
        TypeError
            If something in `words` is not a string.
        """
        labelled = LabelledWords.checked(words, y, sample_weight, type(self).__name__)
        model = self._new_model()
        data = model._training_set(words, sample_weight, is_warm_start=False)
        data = _with_labels(data, labelled, labelled.classes)
        return self._fit_encoded(model, data, labelled.classes)

    @with_callbacks
    def _fit_encoded(
        self, model: BaseCharLM, data: TrainingSet, classes: np.ndarray
    ) -> Self:
        """Let a new model learn encoded words.

        classes : (n_classes,) labels, by their numbers
        """
        context, weights = started_context(self, model), _weights_of(data)
        words = data.words if has_callbacks(context) else []
        task = self._callback_task(words, data.sample_weight, classes[data.labels])
        context.call_on_fit_task_begin(**task)
        labelled_context = LabelledContext(context, self, classes, weights)
        learned = model._fit_labels(data, labelled_context)
        vars(self).update(self._fitted(classes, weights, learned))
        context.call_on_fit_task_end(**task, reconstruction_attributes={})
        return self

    def partial_fit(
        self, words: Words, y: ArrayLike, sample_weight: Weights = None
    ) -> Self:
        """Learn from more words with their labels, starting from the fitted state.

        Labels may be new, and characters too unless the model has an `alphabet`. A
        network trains one epoch. Counts are added; how labels back off is learned from
        the words of the first call. `warm_start` of a network has no effect on `fit`.

        Parameters
        ----------
        words : array-like of str of shape (n_words,)
            A list, tuple, array, Series or one-column data frame; ``""`` is a word.

        y : array-like of shape (n_words,)
            The label of each word.

        sample_weight : array-like of shape (n_words,), default=None
            Non-negative weight of each word. A weight of 2 equals the word twice.

        Returns
        -------
        self : object
            The estimator itself.

        Raises
        ------
        ValueError
            As `fit`, and if the labels are of another type than those so far.
        """
        self._validate_params()
        labelled = LabelledWords.checked(words, y, sample_weight, type(self).__name__)
        if not self.__sklearn_is_fitted__():
            model = self._new_model()
            data = model._training_set(words, sample_weight, is_warm_start=False)
            data = _with_labels(data, labelled, labelled.classes)
            learned = model._fit_labels(data, callback_context=None)
            fitted = self._fitted(labelled.classes, _weights_of(data), learned)
            vars(self).update(fitted)
            return self
        known, before = self._numbered_classes(labelled.classes), self._continued()
        data = before.reader._training_set(words, sample_weight, is_warm_start=True)
        data = _with_labels(data, labelled, known)
        learned = before.added(data)
        counts = _weights_of(data)
        counts[: len(self.classes_)] += self.class_count_[np.argsort(self._numbers)]
        vars(self).update(self._fitted(known, counts, learned))
        return self

    def _new_model(self) -> BaseCharLM:
        """Return a copy of the model that is to be conditioned, once checked."""
        model = cast(BaseCharLM, clone(self._model_or_default(self.estimator)))
        model._validate_params()
        return model

    def _continued(self) -> ModelOfLabels:
        """Return what is learned so far, with today's parameters of the model."""
        learned, model = self.estimators_.learned, self._new_model()
        if type(model) is not type(learned.reader):
            raise ValueError(
                f"The fitted `estimator` is a {type(learned.reader).__name__}, and a "
                f"{type(model).__name__} cannot continue it. Set it back, or fit again."
            )
        reader = copy.copy(learned.reader).set_params(**model.get_params(deep=False))
        return replace(cast(Any, learned), reader=reader)

    @property
    def _numbers(self) -> np.ndarray:
        """The number of each label in what is learned: new labels come last."""
        return self.estimators_.numbers

    def _numbered_classes(self, classes: np.ndarray) -> np.ndarray:
        """Return the labels so far and new ones, in the order of their numbers."""
        known = np.array(self.classes_[np.argsort(self._numbers)].tolist())
        classes = np.array(classes.tolist())  # text may be of several types
        if classes.dtype.kind != known.dtype.kind:
            raise ValueError(
                f"`y` has labels such as {classes.tolist()[0]!r}, and those so far are "
                f"such as {known.tolist()[0]!r}; they must be of one type."
            )
        return np.concatenate([known, np.setdiff1d(classes, known)])

    def _fitted(
        self, classes: np.ndarray, weights: np.ndarray, learned: ModelOfLabels
    ) -> dict[str, Any]:
        """Return the fitted attributes.

        classes, weights : (n_classes,) labels and their weights, by their numbers
        """
        numbers = np.argsort(classes)
        return {
            "classes_": classes[numbers],
            "class_count_": weights[numbers],
            "class_prior_": weights[numbers] / weights.sum(),
            "estimators_": LabelModels(learned, numbers),
        }

    def __sklearn_tags__(self) -> Tags:
        """Declare that labels are required."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags

    # ------------------------------------------------------------------- files

    def _kept(self) -> dict[str, Any]:
        """Return the state that a file stores."""
        if _plain(self._new_model()) != _plain(self._reader):
            raise ValueError(
                "Parameters of `estimator` have changed since this ConditionalCharLM "
                "was fitted, and the file would hold the changed ones. Set them back, "
                "or fit again."
            )
        by_number = np.argsort(self._numbers)
        return {
            "classes": self.classes_[by_number],
            "class_count": self.class_count_[by_number],
            **self.estimators_.learned.to_save(),
        }

    def _restore(self, kept: dict[str, Any]) -> None:
        """Set the fitted attributes from the result of `_kept`."""
        model, classes = kept["estimator"], kept["classes"]
        weights = kept["class_count"]
        check_kept_member(model)
        if not isinstance(classes, np.ndarray) or classes.ndim != 1:
            raise TypeError(f"classes are {classes!r}.")
        if len(np.unique(checked_labels(classes))) != len(classes):
            raise ValueError("classes are not distinct.")
        if weights.dtype != np.float64 or weights.shape != classes.shape:
            raise ValueError(f"class_count is {weights!r}.")
        total = np.sum(weights / MAX_TOTAL_WEIGHT)
        if not (total <= 1 and (weights > 0).all()):
            raise ValueError(f"class_count is {weights!r}.")
        learned = model._labels_from_file(kept, len(classes))
        vars(self).update(self._fitted(classes, weights, learned))


def _with_labels(
    data: TrainingSet, labelled: LabelledWords, classes: np.ndarray
) -> TrainingSet:
    """Add labels to words, as their places in `classes`."""
    _check_range(data.sample_weight)
    order = np.argsort(classes)
    numbers = order[np.searchsorted(classes, labelled.classes, sorter=order)]
    labels = numbers[labelled.targets]
    return replace(data, labels=labels, n_labels=len(classes))


def _check_range(sample_weight: np.ndarray | None) -> None:
    """Raise an error if the shares of words and labels would round to 0."""
    if sample_weight is None:
        return
    least, most = sample_weight.min(), sample_weight.max()
    if least < most * MIN_WEIGHT:
        raise ValueError(
            f"`sample_weight` has positive values from {least:.3g} to {most:.3g}, and "
            f"with labels the smallest must be at least {MIN_WEIGHT} times the "
            "largest. Leave out words of such a small weight, or set it to 0."
        )


def _plain(model: BaseCharLM) -> dict[str, Any]:
    """Return the parameters that can be compared; of others, their types."""
    return {
        name: value if isinstance(value, int | float | str | None) else type(value)
        for name, value in model.get_params().items()
    }


def _weights_of(data: TrainingSet) -> np.ndarray:
    """Return the total weight of the words of each label, (n_labels,)."""
    weights = np.bincount(data.labels, data.sample_weight, data.n_labels)
    return weights.astype(np.float64)
