"""Estimators that another estimator owns and fits."""

import os
import reprlib
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted

from .._base import BaseCharLM
from .._counters.ngram import NGramCounter
from .._word_estimator import BaseWordEstimator
from .._words.hold_out import word_folds


def default_model(estimator):
    """Return the given model, or for None the one that needs no thought.

    It counts n-grams and has a symbol for unknown characters: what comes later need
    not be spelled in the letters of the training words.
    """
    return NGramCounter(handle_unknown="unk") if estimator is None else estimator


class BaseOfOneModel(BaseWordEstimator):
    """What the estimators share that fit copies of one model, their `estimator`."""

    def set_params(self, **params):
        """Set parameters, its own and those of the model.

        Parameters
        ----------
        **params : dict
            Parameters by name, those of the model as ``estimator__order``. Where there
            is no model yet, these put the default one there.

        Returns
        -------
        self : object
            The estimator itself.
        """
        if any(name.startswith("estimator__") for name in params):
            model = params.get("estimator", self.estimator)
            params = {**params, "estimator": default_model(model)}
        return super().set_params(**params)


@dataclass(frozen=True, eq=False)
class OutOfFoldModels:
    """A model fitted on all words, and for each fold one that has not seen it.

    Parameters
    ----------
    model : BaseCharLM
        The model of all words.

    fold_models : list of BaseCharLM of length n_folds
        For each fold the model of the words that are not in it.

    fold_of : dict of str to int
        The fold of each word.
    """

    model: BaseCharLM
    fold_models: list
    fold_of: dict

    def measure(self, words, measure):
        """Measure each word by a model that has not seen it.

        Parameters
        ----------
        words : list of str of length n_words
            The words; those that are in no fold are measured by the model of all.

        measure : callable
            ``measure(model, words)`` is an array with a row a word.

        Returns
        -------
        measured : ndarray of shape (n_words, ...)
            The rows, in the order of the words.
        """
        models = [*self.fold_models, self.model]
        own = np.array([self.fold_of.get(word, len(models) - 1) for word in words])
        rows = [np.flatnonzero(own == number) for number in range(len(models))]
        parts = [
            measure(model, [words[row] for row in of_model])
            for model, of_model in zip(models, rows, strict=True)
            if len(of_model)
        ]
        measured = np.empty((len(words), *parts[0].shape[1:]))
        measured[np.concatenate(rows)] = np.concatenate(parts)
        return measured


def restored_member(member):
    """Return what a file has for a fitted model.

    Raises
    ------
    TypeError
        If it is something else.
    """
    if not isinstance(member, BaseCharLM) or not member.__sklearn_is_fitted__():
        raise TypeError(f"in the place of a fitted model is a {type(member).__name__}.")
    return member


def checked_model(estimator):
    """Return the model, or raise an error if it is none."""
    model = default_model(estimator)
    if not isinstance(model, BaseCharLM):
        raise TypeError(
            "`estimator` must be a character model of sklearn_makemore, such as "
            f"NGramCounter(), got {model!r}. What cleans the words can stand before "
            "this estimator in a Pipeline."
        )
    return model


def member_for(estimator, words):
    """Copy a model that is to be fitted on some of the words and to score all of them.

    Parameters
    ----------
    estimator : BaseCharLM or None
        The model; None stands for `default_model`.

    words : list of str of length n_words
        All words. Where the model takes its alphabet and its limit of length from the
        words it is fitted on, the copy has those of all words.

    Returns
    -------
    member : BaseCharLM
        A copy that is not fitted, and that has a symbol for unknown characters: what
        no training word has is no error here.
    """
    member = clone(checked_model(estimator)).set_params(handle_unknown="unk")
    settings = member.get_params(deep=False)
    if settings["alphabet"] is None:
        member.set_params(alphabet="".join(sorted(set().union(*words))))
    if settings.get("block_size", ...) is None:  # twice as far as a word was seen
        member.set_params(block_size=2 * (max(map(len, words)) + 1))
    return member


def fit_members(fits, *, context, task, n_jobs):
    """Fit several estimators as subtasks of the fit of their owner.

    Parameters
    ----------
    fits : list of tuple (str, estimator, list of str, ndarray or None)
        For each its name, the estimator, the words and their weights. The estimators
        are copies, each of which has a file of its own from here on if it has a
        `checkpoint`.

    context : sklearn.callback.CallbackContext
        Context of the owner's fit.

    task : dict
        What the hooks are told of a task.

    n_jobs : int or None
        Number of them that are fitted at once.

    Returns
    -------
    members : list of estimators
        The fitted ones, in the same order.
    """
    for name, member, *_ in fits:
        give_own_checkpoint(member, name)
    subtasks = [context.subcontext(task_name=name) for name, *_ in fits]
    return Parallel(n_jobs=n_jobs)(
        delayed(fit_subtask)(subtask, member, words, weight, task)
        for subtask, (_, member, words, weight) in zip(subtasks, fits, strict=True)
    )


def give_own_checkpoint(member, name):
    """Put the name of a fit behind the path of each `checkpoint` in an estimator."""
    member.set_params(
        **{
            key: f"{os.fspath(value)}.{name.replace(' ', '-')}"
            for key, value in member.get_params().items()
            if key.rpartition("__")[2] == "checkpoint"
            and isinstance(value, (str, os.PathLike))
        }
    )


def fit_subtask(subtask, member, words, sample_weight, task):
    """Fit an estimator as a subtask that was made before.

    In another process none can be made: the owner's context there is a copy.

    Parameters
    ----------
    subtask : sklearn.callback.CallbackContext
        A leaf of the owner's context, of which the callbacks go on to the member.

    member : BaseCharLM
        Fitted in place.

    words : list of str of length n_words
        The words it learns from.

    sample_weight : ndarray of shape (n_words,) or None
        Weight of each word.

    task : dict
        What the hooks are told of a task: the owner as `estimator`, X, y.

    Returns
    -------
    member : BaseCharLM
        The same, fitted.
    """
    with subtask.propagate_callback_context(member):
        subtask.call_on_fit_task_begin(**task)
        member.fit(words, sample_weight=sample_weight)
        subtask.call_on_fit_task_end(**task)
    return member


@contextmanager
def fitted_out_of_fold(owner, words, sample_weight, n_folds):
    """Fit a model on all words, and for each fold one that has not seen it.

    In the block the owner gets its fitted attributes; then callbacks are told that its
    fit is at its end.

    Parameters
    ----------
    owner : BaseOfOneModel
        The estimator whose fit this is. If its `estimator` is frozen, that model is
        taken as it is, and has seen none of the words.

    words : list of str of length n_words
        The words.

    sample_weight : ndarray of shape (n_words,) or None
        Weight of each word, positive.

    n_folds : int or None
        Number of folds; None for none.

    Yields
    ------
    models : OutOfFoldModels
        The fitted models.
    """
    fold_of, fits = {}, []
    if isinstance(owner.estimator, FrozenEstimator):
        model = checked_model(owner.estimator.estimator)
        check_is_fitted(model)
    else:
        model = member_for(owner.estimator, words)
        if n_folds is not None:
            fold_of = _folds_of(words, n_folds)
        fits = _fits_out_of_fold(model, words, sample_weight, fold_of)
    context = owner._init_callback_context(max_subtasks=len(fits))
    task = owner._callback_task(words)
    context.call_on_fit_task_begin(**task)
    members = fit_members(fits, context=context, task=task, n_jobs=owner.n_jobs)
    model, *fold_models = members or [model]
    yield OutOfFoldModels(model, fold_models, fold_of)
    context.call_on_fit_task_end(**task, reconstruction_attributes={})


def _folds_of(words, n_folds):
    """Return the fold of each word; there must be two at least."""
    folds = word_folds(words, n_folds)
    if not folds.any():
        raise ValueError(
            f"All words are {reprlib.repr(words[0])}, so that no fold has words of "
            "its own to be measured on; pass other words, or cv=None."
        )
    return dict(zip(words, folds.tolist(), strict=True))


def _fits_out_of_fold(model, words, sample_weight, fold_of):
    """Return what `fit_members` takes: the model of all words, and one a fold."""
    fits = [("fit", model, words, sample_weight)]
    folds = np.array([fold_of.get(word, -1) for word in words])
    for fold in range(folds.max() + 1):
        learned = np.flatnonzero(folds != fold)
        weight = None if sample_weight is None else sample_weight[learned]
        fits.append(
            (f"fold {fold}", clone(model), [words[row] for row in learned], weight)
        )
    return fits
