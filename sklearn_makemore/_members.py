"""Estimators that another estimator owns and fits."""

import reprlib
from itertools import chain

import numpy as np
from sklearn.base import clone
from sklearn.utils.parallel import Parallel, delayed

from ._base import BaseCharLM
from ._counting import NGramCounter
from ._prefixes import distinct_words


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


def word_folds(words, n_folds, labels=None):
    """Part words into folds: equal words are in one, and neighbours are not.

    Parameters
    ----------
    words : list of str of length n_words
        Words in any order, on which the folds depend.

    n_folds : int
        Number of folds; fewer distinct words than that leave the last ones empty.

    labels : ndarray of shape (n_words,), default=None
        Classes, each of which is spread over all folds.

    Returns
    -------
    folds : ndarray of shape (n_words,), dtype int64
        Number of each word's fold.
    """
    if labels is not None:
        order = np.argsort(labels, kind="stable").tolist()
        fold_of = dict.fromkeys(words[index] for index in order)
    else:
        fold_of = dict.fromkeys(words)
    fold_of = {word: index % n_folds for index, word in enumerate(fold_of)}
    return np.array([fold_of[word] for word in words])


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


def spelled(vocabulary, encoded):
    """Decode symbols to words that the same vocabulary encodes to the same symbols.

    Parameters
    ----------
    vocabulary : CharVocabulary
        The symbols.

    encoded : EncodedWords
        Their ids.

    Returns
    -------
    words : list of str of length n_words
        The words, with a character outside the alphabet for the unknown symbol.
    """
    known = set(vocabulary.characters)
    points = chain(range(0xFFFD, 0xDFFF, -1), range(0x10000, 0x110000))  # no surrogate
    return vocabulary.decode(
        encoded, unknown=next(chr(point) for point in points if chr(point) not in known)
    )


def held_out_words(encoded, sample_weight, share, rng):
    """Hold out words at random: equal ones all, or none of them.

    What is drawn depends on the words and their weights, not on their order. The
    longest word is not held out, so that a model with a limit learns to read all.

    Parameters
    ----------
    encoded : EncodedWords
        The words.

    sample_weight : ndarray of shape (n_words,) or None
        Weight of each word, positive; None for one each.

    share : float
        Share of the total weight to hold out, between 0 and 1: what comes is as near
        below as whole words are, but at least one word.

    rng : RandomState
        Source of the draws.

    Returns
    -------
    train : tuple of (EncodedWords, ndarray or None)
        The other words and their weights.
    held_out : tuple of (EncodedWords, ndarray) or None
        The distinct words held out and the total weight of each; None if all words are
        equal, so that none can be.
    """
    distinct, rows = distinct_words(encoded)
    if distinct.n_words < 2:
        return (encoded, sample_weight), None
    weights = np.bincount(rows, sample_weight).astype(np.float64)
    order = rng.permutation(distinct.n_words)
    longest = int(distinct.lengths.argmax())
    drawn = _drawn_groups(weights / weights.max(), order[order != longest], share)
    is_held_out = np.zeros(distinct.n_words, dtype=bool)
    is_held_out[drawn] = True
    left = np.flatnonzero(~is_held_out[rows])
    drawn = np.flatnonzero(is_held_out)
    return (
        (encoded.take(left), None if sample_weight is None else sample_weight[left]),
        (distinct.take(drawn), weights[drawn]),
    )


def _drawn_groups(weights, order, share):
    """Take groups in an order as long as they fit, or else the lightest one."""
    room = share * weights.sum() * (1 + 1e-12)  # whole words are to fit exactly
    drawn = []
    for group, weight in zip(order.tolist(), weights[order].tolist(), strict=True):
        if weight <= room:
            drawn.append(group)
            room -= weight
    return drawn or [order[weights[order].argmin()]]
