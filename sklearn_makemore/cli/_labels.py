"""Labelled words: fitting conditional models, with words held out."""

from dataclasses import dataclass
from itertools import compress

import numpy as np

from .. import ConditionalCharLM
from ._learning import (
    LEARNING_CHUNK_SIZE,
    AllWords,
    HeldOut,
    drawn_words,
    weights_for,
)
from ._words import word_chunks

N_SHOWN_LABELS = 5
"""Maximum number of labels to sample words of."""


def add_label_option(parser):
    """Add the option for the column of the labels."""
    parser.group("words").add_argument(
        "--label",
        dest="label_column",
        metavar="COLUMN",
        help="Column of labels, by name or by number from 0. Each model is then a "
        "ConditionalCharLM, which learns words given their label.",
    )


@dataclass(frozen=True)
class LabelledWords(AllWords):
    """All training words with their labels."""

    labels: np.ndarray

    def fit(self, model, progress=None):
        """Return a conditional model that is fitted."""
        weights = weights_for(model, self.weights)
        return self._fitted(ConditionalCharLM(model), weights, progress, self.labels)

    def show_words(self, model, ending=""):
        """Print new words of the labels that most words have."""
        print(f"New words{ending}:")
        rows = np.argsort(-model.class_count_, kind="stable")[:N_SHOWN_LABELS]
        for label in model.classes_[rows].tolist():
            options = {"unique": True, "exclude": self.seen, "random_state": 0}
            print(f"  {label}: {', '.join(model.sample(3, label=label, **options))}")


def labelled_words(options):
    """Read labelled words, and hold a share of the distinct words out."""
    words, labels, weights = _read(options)
    is_held_out = _held_out_rows(words, labels.tolist(), options.held_out)

    def part(rows):
        return (
            list(compress(words, rows)),
            None if weights is None else weights[rows],
            labels[rows],
        )

    held_out = None
    if is_held_out.any():
        some_words, some_weights, some_labels = part(is_held_out)
        held_out = HeldOut(some_words, some_weights, len(some_words), some_labels)
    some_words, some_weights, some_labels = part(~is_held_out)
    return LabelledWords(some_words, some_weights, held_out, set(words), some_labels)


def _read(options):
    """Return words, labels, and weights or None; rows of weight 0 are left out."""
    columns = None
    for chunk in word_chunks(options.words, options, LEARNING_CHUNK_SIZE):
        columns = columns or [[] for _ in chunk]
        for column, values in zip(columns, chunk, strict=True):
            column += values
    words, labels, *weights = columns or ([], [])
    if weights:
        columns = (list(compress(column, weights[0])) for column in columns or ())
        words, labels, *weights = columns
    return words, np.array(labels), np.array(weights[0]) if weights else None


def _held_out_rows(words, labels, share):
    """Return a boolean array, (n_words,): the rows of words that are held out.

    A word is learned if no other word has its label, its characters or its length.
    """
    drawn = drawn_words(words, share)
    learned = [row for row in zip(words, labels, strict=True) if row[0] not in drawn]
    characters = set().union(*(word for word, _ in learned))
    longest = max((len(word) for word, _ in learned), default=0)
    known = {label for _, label in learned}
    needed = {
        word
        for word, label in zip(words, labels, strict=True)
        if len(word) > longest or label not in known or not characters.issuperset(word)
    }
    return np.array([word in drawn and word not in needed for word in words])
