"""Estimators that another estimator owns and fits."""

import reprlib
import numpy as np
from sklearn.base import clone
from sklearn.utils.parallel import Parallel, delayed

from ._base import BaseCharLM
from ._counting import NGramCounter
from ._held_out import word_folds


def default_model(estimator):
    """Return the given model, or for None the one that needs no thought.

    It counts n-grams and has a symbol for unknown characters: what comes later need
    not be spelled in the letters of the training words.
    """
    return NGramCounter(handle_unknown="unk") if estimator is None else estimator


def restored_member(member):
    """Return what a file has for a fitted model.

    Raises
    ------
    TypeError
        If it is something else.
    """
    if not isinstance(member, BaseCharLM) or not member.__sklearn_is_fitted__():
        raise TypeError(f"in the place of a fitted model is {member!r}.")
    return member


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
        A copy that is not fitted.
    """
    model = default_model(estimator)
    if not isinstance(model, BaseCharLM):
        raise TypeError(
            "`estimator` must be a character model of sklearn_makemore, such as "
            f"NGramCounter(), got {model!r}. What cleans the words can stand before "
            "this estimator in a Pipeline."
        )
    member = clone(model)
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
        For each its name, the estimator, the words and their weights.

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
    subtasks = [context.subcontext(task_name=name) for name, *_ in fits]
    return Parallel(n_jobs=n_jobs)(
        delayed(fit_subtask)(subtask, member, words, task=task, sample_weight=weight)
        for subtask, (_, member, words, weight) in zip(subtasks, fits, strict=True)
    )


def fit_out_of_fold(
    estimator, words, sample_weight, n_folds, measure, *, context, task, n_jobs
):
    """Fit a model on all words, and measure each word by one that has not seen it.

    Parameters
    ----------
    estimator : BaseCharLM or None
        The model.

    words : list of str of length n_words
        The words.

    sample_weight : ndarray of shape (n_words,) or None
        Weight of each word.

    n_folds : int or None
        Number of folds; None measures by the model of all words.

    measure : callable
        ``measure(model, words)`` is an array with a row a word.

    context, task, n_jobs
        As `fit_members` takes them.

    Returns
    -------
    model : BaseCharLM
        Fitted on all words.

    measured : ndarray of shape (n_words, ...)
        What `measure` returns of each word.
    """
    model = member_for(estimator, words)
    fits, held_out = [("fit", model, words, sample_weight)], []
    if n_folds is not None:
        folds = word_folds(words, n_folds)
        if not folds.any():
            raise ValueError(
                f"All words are {reprlib.repr(words[0])}, so that no fold has words of "
                "its own to be measured on; pass other words, or cv=None."
            )
        held_out = [np.flatnonzero(folds == fold) for fold in range(folds.max() + 1)]
    for fold, rows in enumerate(held_out):
        learnt = np.delete(np.arange(len(words)), rows)
        fits.append(
            (
                f"fold {fold}",
                clone(model),
                [words[row] for row in learnt],
                None if sample_weight is None else sample_weight[learnt],
            )
        )
    model, *members = fit_members(fits, context=context, task=task, n_jobs=n_jobs)
    if not held_out:
        return model, measure(model, words)
    parts = [
        measure(member, [words[row] for row in rows])
        for member, rows in zip(members, held_out, strict=True)
    ]
    measured = np.empty((len(words), *parts[0].shape[1:]))
    measured[np.concatenate(held_out)] = np.concatenate(parts)
    return model, measured


def fit_member(member, *data, context, task, name, **params):
    """Fit an estimator as a subtask of the fit of its owner.

    Parameters
    ----------
    member : estimator
        Fitted in place.

    *data : array-like
        What its `fit` takes.

    context : sklearn.callback.CallbackContext
        Context of the owner's fit, of which the callbacks go on to the member.

    task : dict
        What the hooks are told of a task: the owner as `estimator`, X, y.

    name : str
        What callbacks call the subtask.

    **params : dict
        More arguments of its `fit`; those that are None are left out.

    Returns
    -------
    member : estimator
        The same, fitted.
    """
    subtask = context.subcontext(task_name=name)
    return fit_subtask(subtask, member, *data, task=task, **params)


def fit_subtask(subtask, member, *data, task, **params):
    """Fit an estimator as a subtask that was made before.

    In another process none can be made: the owner's context there is a copy.

    Parameters
    ----------
    subtask : sklearn.callback.CallbackContext
        A leaf of the owner's context.

    member, *data, task, **params
        As `fit_member` takes them.

    Returns
    -------
    member : estimator
        The same, fitted.
    """
    params = {key: value for key, value in params.items() if value is not None}
    with subtask.propagate_callback_context(member):
        subtask.call_on_fit_task_begin(**task)
        member.fit(*data, **params)
        subtask.call_on_fit_task_end(**task)
    return member
