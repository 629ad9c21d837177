"""Words held out of training, at random or fold by fold: equal words together."""

import numpy as np

from .prefixes import distinct_words


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
