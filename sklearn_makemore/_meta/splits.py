"""The parameter `cv`: a number of folds, or a splitter of scikit-learn."""

from collections.abc import Iterable, Sequence
from numbers import Integral
from typing import Any, Protocol, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import check_cv

from .._words.hold_out import hold_out_folds
from .._words.training_set import TrainingSet
from .._words.types import Ids

DEFAULT_FOLDS = 5
"""Number of folds of ``cv=None``, as in scikit-learn."""


class Splitter(Protocol):
    """A splitter of scikit-learn, such as `StratifiedKFold`."""

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Any: ...  # noqa: D102


CV: TypeAlias = int | Splitter | Iterable[Any] | None
"""Values of `cv`."""

CV_TEXT = "int, cross-validation generator or iterable"

Split: TypeAlias = tuple[Ids, Ids]
"""Rows to learn from, and rows held out. No word is in both."""

Folds: TypeAlias = int | list[Split]
"""A number of folds, or the splits that a splitter gives."""


def folds_of(
    cv: CV, words: Sequence[str], y: NDArray[Any] | None = None, *, n_given: int
) -> Folds:
    """Return the number of folds, or the splits of the words.

    words : (n_words,) those of positive weight
    y : (n_words,) their classes, for splitters that stratify
    n_given : number of words, those of weight zero too
    """
    if cv is None or isinstance(cv, Integral):
        return DEFAULT_FOLDS if cv is None else int(cv)
    check_no_word_is_left_out(cv, len(words), n_given)
    rows = np.arange(len(words))
    splitter: Any = check_cv(cast(Any, cv), y, classifier=y is not None)
    try:
        pairs = splitter.split(words, y)
        splits = [_disjoint(words, rows[train], rows[test]) for train, test in pairs]
    except (IndexError, TypeError) as error:
        classes = "without classes" if y is None else "with their classes"
        raise ValueError(
            f"`cv` cannot split {len(words)} words {classes}: {error}. Pass a splitter "
            "such as KFold, rows of these words, or a number of folds."
        ) from error
    if not splits:
        raise ValueError(
            f"`cv` has no splits: {cv!r}. A generator can be used only once."
        )
    for number, (learned, held_out) in enumerate(splits):
        if not len(learned) or not len(held_out):
            raise ValueError(
                f"Split {number} of `cv` leaves no words to "
                f"{'score' if len(learned) else 'learn from'}. Equal words are always "
                "held out together."
            )
    return splits


def check_no_word_is_left_out(cv: CV, n_words: int, n_given: int) -> None:
    """Raise an error if a splitter would count words that have the weight 0."""
    if cv is not None and not isinstance(cv, Integral) and n_given > n_words:
        raise ValueError(
            f"`cv` splits the rows of words, but {n_given - n_words} words have the "
            "weight 0 and are left out. Remove these words, or pass a number of folds."
        )


def split_words(
    data: TrainingSet, cv: CV, rng: np.random.RandomState
) -> list[tuple[TrainingSet, TrainingSet]]:
    """Return training words and held-out words for each split of a mixture.

    One of the longest words is always learned, so that a model that limits the length
    can read all words. The held-out words are distinct.
    """
    labels = data.labels
    folds = folds_of(cv, data.words, labels, n_given=data.encoded.n_words)
    if isinstance(folds, int):
        return list(hold_out_folds(data, folds, rng))
    longest = data.words[int(np.argmax(data.encoded.lengths))]
    is_longest = np.array([word == longest for word in data.words])
    splits = []
    for learned, held_out in folds:
        taken = np.union1d(learned, np.flatnonzero(is_longest))
        if len(rest := held_out[~is_longest[held_out]]):
            splits.append((data.take(taken), data.take(rest).distinct()))
    if not splits:
        raise ValueError(
            f"`cv` holds out only {longest!r}, but the longest word is always learned."
        )
    return splits


def _disjoint(words: Sequence[str], train: Ids, test: Ids) -> Split:
    """Leave out the training words that are also held out."""
    held_out = {words[row] for row in test.tolist()}
    learned = [row for row in train.tolist() if words[row] not in held_out]
    return np.array(learned, dtype=np.int64), test
