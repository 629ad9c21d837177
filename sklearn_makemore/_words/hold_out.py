"""Words held out of training, at random or fold by fold: equal words together."""

import numpy as np

from .prefixes import distinct_words
from .training_set import TrainingSet


def hold_out(data, share, rng):
    """Hold words out at random: of equal words all or none.

    The result depends on the words and their weights, not on their order, and a word
    of weight 2 is held out as two equal words are. The longest word is not held out,
    so that a model with a limit learns to read all.

    Parameters
    ----------
    data : TrainingSet
        The words.

    share : float
        Share of the total weight to hold out, between 0 and 1. Whole words are held
        out while they fit in this share, but at least one.

    rng : RandomState
        Source of the draws.

    Returns
    -------
    train : TrainingSet
        The other words.
    held_out : TrainingSet or None
        The distinct words held out, weighted by the total weight of each; None if all
        words are equal.
    """
    distinct, rows = distinct_words(data.encoded)
    if distinct.n_words < 2:
        return data, None
    weights = np.bincount(rows, data.sample_weight).astype(np.float64)
    order = rng.permutation(distinct.n_words)
    longest = int(distinct.lengths.argmax())
    drawn = _drawn_groups(weights / weights.max(), order[order != longest], share)
    is_held_out = np.zeros(distinct.n_words, dtype=bool)
    is_held_out[drawn] = True
    drawn = np.flatnonzero(is_held_out)
    held_out = TrainingSet(data.vocabulary, distinct.take(drawn), weights[drawn])
    return data.take(np.flatnonzero(~is_held_out[rows])), held_out


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


def _drawn_groups(weights, order, share):
    """Take groups in an order as long as they fit, or else the lightest one."""
    room = share * weights.sum() * (1 + 1e-12)  # whole words are to fit exactly
    drawn = []
    for group, weight in zip(order.tolist(), weights[order].tolist(), strict=True):
        if weight <= room:
            drawn.append(group)
            room -= weight
    return drawn or [order[weights[order].argmin()]]
