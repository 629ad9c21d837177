"""Training words with their classes, and the prior probabilities of classes."""

import reprlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.utils import assert_all_finite, check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from .._words.hold_out import word_folds
from .._words.training_set import check_training, with_weight
from .._words.types import Weights, Words


@dataclass(frozen=True, eq=False)
class LabelledWords:
    """Training words that have a weight, with their classes.

    words, sample_weight : (n_words,), or None instead of weights
    classes : (n_classes,), sorted
    targets : (n_words,), the index of each word's class
    """

    words: list[str]
    classes: np.ndarray
    targets: np.ndarray
    sample_weight: np.ndarray | None

    @classmethod
    def checked(
        cls, words: Words, y: Any, sample_weight: Weights, owner: str
    ) -> "LabelledWords":
        """Check the arguments of `fit`, and leave out the words of weight zero."""
        texts, weight = check_training(words, sample_weight)
        if y is None:
            raise ValueError(
                f"This {owner} estimator requires y to be passed, but the target y is "
                "None. y holds the class of each word."
            )
        labels = checked_labels(y)
        check_consistent_length(texts, labels)
        texts, weight, rows = with_weight(texts, weight)
        classes, targets = np.unique(labels[rows], return_inverse=True)
        return cls(texts, classes, targets, weight)

    def take(self, rows: np.ndarray) -> "LabelledWords":
        """Return the words of some rows, (n,), with the same classes."""
        weight = None if self.sample_weight is None else self.sample_weight[rows]
        words = [self.words[row] for row in rows.tolist()]
        return LabelledWords(words, self.classes, self.targets[rows], weight)

    @classmethod
    def joined(cls, parts: list["LabelledWords"]) -> "LabelledWords":
        """Return the words of several parts with the same classes."""
        weights = [p.sample_weight for p in parts if p.sample_weight is not None]
        return cls(
            [word for part in parts for word in part.words],
            parts[0].classes,
            np.concatenate([part.targets for part in parts]),
            np.concatenate(weights) if weights else None,
        )

    def of_classes(self, kept: np.ndarray) -> "LabelledWords":
        """Return the words of some classes, (n_kept,) sorted indices."""
        data = self.take(np.flatnonzero(np.isin(self.targets, kept)))
        targets = np.searchsorted(kept, data.targets)
        return replace(data, classes=data.classes[kept], targets=targets)

    def without_rare_classes(self, n_folds: int) -> "LabelledWords":
        """Leave out the classes whose words are all in one fold of `word_folds`.

        No model of such a class can be fitted without the words of that fold.
        """
        data = self
        while data.words:
            folds = word_folds(data.words, n_folds, data.targets)
            pairs = np.unique(np.stack([data.targets, folds]), axis=1)
            kept = np.flatnonzero(np.bincount(pairs[0]) > 1)
            if len(kept) == len(data.classes):
                break
            # The words left may be in other folds, so the next round checks again.
            data = data.of_classes(kept)
        return data

    @property
    def labels(self) -> np.ndarray:
        """The class of each word, (n_words,)."""
        return self.classes[self.targets]

    @property
    def shares(self) -> np.ndarray:
        """Share of each class in the total weight, (n_classes,)."""
        weight = np.bincount(self.targets, self.sample_weight)
        return weight / weight.sum()


def checked_labels(y: Any) -> np.ndarray:
    """Return labels as an array, or raise an error if they are not of classes."""
    labels = label_array(y)
    check_classification_targets(labels)
    return labels


def label_array(y: Any) -> np.ndarray:
    """Return labels as an array, or raise an error if they have several types."""
    if getattr(getattr(y, "dtype", None), "kind", None) == "T":
        y = y.astype(object)  # numpy's StringDType, which scikit-learn refuses
    if isinstance(y, list | tuple) and any(isinstance(label, str) for label in y):
        # NumPy would make text of all others, of NaN too.
        kinds = {"str" if isinstance(one, str) else type(one).__name__ for one in y}
        _check_one_type(kinds)
    labels = column_or_1d(y, warn=True)
    kinds = {type(label).__name__ for label in labels.tolist()}
    if labels.dtype == object:
        _check_one_type(kinds)
    assert_all_finite(labels, input_name="y")
    return labels


def _check_one_type(kinds: set[str]) -> None:
    """Raise an error if labels have several types, or one is missing."""
    if len(kinds) > 1 or "NoneType" in kinds:
        raise ValueError(
            "`y` must hold labels of one type, and none may be missing; got "
            f"{' and '.join(sorted(kinds))}."
        )


def has_classes(y: Any) -> bool:
    """Whether the target of a supervised estimator is one class per word."""
    if getattr(getattr(y, "dtype", None), "kind", None) == "T":
        return True  # numpy's StringDType, which scikit-learn refuses
    kind = type_of_target(y, input_name="y")
    return not kind.startswith(("continuous", "multilabel")) and "output" not in kind


def checked_priors(priors: Any, shares: np.ndarray) -> np.ndarray:
    """Return the prior probability of each class, by default its share of the words.

    shares : (n_classes,)
    """
    if priors is None:
        return shares
    if isinstance(priors, str):  # "uniform"
        return np.full(len(shares), 1 / len(shares))
    try:
        proba = np.asarray(priors, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            "`priors` must be a list of numbers, one for each of the classes in their "
            f"order, got {reprlib.repr(priors)}."
        ) from error
    if proba.shape != shares.shape:
        raise ValueError(
            f"`priors` must have one number for each of the {len(shares)} classes, got "
            f"an array of shape {proba.shape}."
        )
    if not (proba >= 0).all() or not np.isclose(proba.sum(), 1):
        raise ValueError(f"`priors` must not be negative, and sum to 1; got {proba}.")
    return proba
