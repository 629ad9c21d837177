"""Models of classes: which words each learns from, and their state in a file."""

from typing import Any

import numpy as np

from .._base import BaseCharLM
from .._words.hold_out import word_folds
from .calibration import ClassModels, known_symbols, min_lengths
from .calibration import backwards as reversed_words
from .labels import LabelledWords
from .members import MemberFit, check_kept_member


def class_rounds(data: LabelledWords, n_folds: int | None) -> list[np.ndarray]:
    """Return which words each round of fits learns from, as masks of shape (n_words,).

    The first round has all words. Then follows a round for each fold, without its
    words; None has no folds.
    """
    every = np.ones(len(data.words), dtype=bool)
    if n_folds is None:
        return [every]
    folds = word_folds(data.words, n_folds, data.targets)
    learned = [folds != fold for fold in range(folds.max() + 1)]
    # A class whose words are all in one fold is not held out.
    for rows in learned:
        rows |= ~np.isin(data.targets, data.targets[rows])
    return [every, *(rows for rows in learned if not rows.all())]


def class_fits(
    model: BaseCharLM,
    rounds: list[np.ndarray],
    data: LabelledWords,
    backwards: bool,
) -> list[MemberFit]:
    """Return the fits by round, direction and class; the first round has all words.

    rounds : per round a mask of the words that it learns from, (n_words,)
    """
    directions = {"": data.words}
    if backwards:
        directions[" backwards"] = reversed_words(data.words)
    fits = []
    for number, learned in enumerate(rounds):
        name = f"fold {number - 1}" if number else "fit"
        for direction, words in directions.items():
            for index in range(len(data.classes)):
                rows = np.flatnonzero(learned & (data.targets == index))
                fit = f"{name} class {index}{direction}", model, words
                fits.append(MemberFit.on_rows(*fit, data.sample_weight, rows))
    return fits


def class_models(
    fitted: list[BaseCharLM], rounds: list[np.ndarray], data: LabelledWords
) -> list[ClassModels]:
    """Sort the fitted models of `class_fits` by round, direction and class."""
    n_classes = len(data.classes)
    n_directions = len(fitted) // (len(rounds) * n_classes)
    vocabulary, models = fitted[0].vocabulary_, iter(fitted)
    encoded = vocabulary.encode(data.words)
    by_round = []
    for learned in rounds:
        directions = [
            [next(models) for _ in range(n_classes)] for _ in range(n_directions)
        ]
        words, targets = encoded.take(np.flatnonzero(learned)), data.targets[learned]
        symbols = known_symbols(words, targets, n_classes, vocabulary.n_symbols)
        shortest = min_lengths(words, targets, n_classes)
        by_round.append(ClassModels(directions, symbols, shortest))
    return by_round


def check_kept_classes(
    kept: dict[str, Any], forwards: list[Any], backwards: list[Any]
) -> None:
    """Raise an error unless a file holds classes and their models."""
    for member in [*forwards, *backwards]:
        check_kept_member(member)
    if not forwards:
        raise ValueError("there is no model of a class.")
    n_classes, vocabulary = len(forwards), forwards[0].vocabulary_
    classes = kept["classes"]
    if not isinstance(classes, np.ndarray) or classes.shape != (n_classes,):
        raise ValueError(f"classes is {classes!r}.")
    check_kept_array(kept, "class_prior", (n_classes,))
    if (kept["class_prior"] < 0).any():
        raise ValueError(f"class_prior is {kept['class_prior']!r}.")
    check_kept_array(kept, "known_symbols", (n_classes, vocabulary.n_symbols), np.bool_)
    check_kept_array(kept, "min_lengths", (n_classes,), np.int64)
    if any(member.vocabulary_ != vocabulary for member in [*forwards, *backwards]):
        raise ValueError("the models of the classes have different symbols.")


def check_kept_array(
    kept: dict[str, Any], name: str, shape: tuple[int, ...], dtype: type = np.float64
) -> None:
    """Raise an error unless a file holds finite numbers of this shape and type."""
    array = kept[name]
    if (
        not isinstance(array, np.ndarray)
        or (array.dtype, array.shape) != (dtype, shape)
        or not np.isfinite(array).all()
    ):
        raise ValueError(f"{name} does not belong to these models: {array!r}.")
