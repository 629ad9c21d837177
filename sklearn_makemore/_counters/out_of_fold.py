"""Predictions of words by n-grams that do not know them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .._words.prefixes import distinct_words
from .._words.training_set import TrainingSet
from .labelled import LabelledCounter
from .ngram import NGramCounter

N_FOLDS = 10
"""Parts of the words. The n-grams of the others predict the words of each."""

N_LABELLED_FOLDS = 5
"""The same with labels. The n-grams of every label cost time in each fold."""


def out_of_fold_proba(words: TrainingSet) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the words of each fold and the distributions at their predictions.

    With labels, the distributions are those given the label of the word; how they back
    off is learned from all words. Equal words are in one fold. If all words are equal,
    there is nothing to yield.

    words : with distinct pairs of a word and a label
    rows : (n,) of the words; proba : (n_predictions, n_symbols) float32
    """
    distinct, of_distinct = distinct_words(words.encoded)
    if distinct.n_words < 2:
        return
    labels, n_folds = words.labels, N_FOLDS
    if labels is not None:
        n_folds = N_LABELLED_FOLDS
        backoff = LabelledCounter.fitted(_counter(words), words).backoff
    fold_of = of_distinct % n_folds
    for fold in range(int(fold_of.max()) + 1):
        held_out = np.flatnonzero(fold_of == fold)
        data = words.take(np.flatnonzero(fold_of != fold))
        counter = _counter(data)
        if labels is None:
            yield held_out, _proba(counter, words, held_out)
            continue
        learned = LabelledCounter.from_words(counter, data, backoff)
        for label in np.unique(labels[held_out]).tolist():
            rows = held_out[labels[held_out] == label]
            yield rows, _proba(learned.model(label), words, rows)


def _counter(data):
    """Return an NGramCounter of words."""
    counter = NGramCounter()
    counter._learn(data, callback_context=None)
    return counter


def _proba(counter, words, rows):
    """Return the distributions at the predictions of some words."""
    model = counter.model_
    log_proba, places = model.next_log_proba(model.states(words.encoded.take(rows)))
    return np.exp(log_proba).astype("float32")[places]
