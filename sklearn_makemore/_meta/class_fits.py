"""Models of classes: which words each learns from, and their state in a file."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from .._base import BaseCharLM
from .._words.hold_out import word_folds
from .._words.symbols import SymbolVocabulary, vocabulary_of
from .._words.vocabulary import CharVocabulary
from .calibration import N_PLACES, ClassModels, known_symbols, min_lengths
from .calibration import backwards as reversed_words
from .conditional import ConditionalCharLM
from .labels import LabelledWords
from .members import MemberFit, check_kept_member, check_learnable, member_for
from .splits import Folds, Split


def model_of_classes(
    estimator: Any, texts: list[str], sample_weight: np.ndarray | None, words: list[str]
) -> Any:
    """Copy the model of each class, or the `ConditionalCharLM` of all classes.

    texts, sample_weight : all words and their weights, for errors with the index of a
        word
    words : those of positive weight
    """
    if isinstance(estimator, FrozenEstimator):
        raise TypeError(
            "`estimator` is a FrozenEstimator, but a classifier fits one model for "
            "each class; pass the model without it."
        )
    if isinstance(estimator, ConditionalCharLM):
        of_labels = estimator.estimator, texts, sample_weight, words
        return ConditionalCharLM(model_of_classes(*of_labels))
    check_learnable(estimator, texts, sample_weight)
    return member_for(estimator, words)


ClassFolds: TypeAlias = list[tuple[LabelledWords, LabelledWords]]
"""For each fold the words that models learn from, and those held out."""


def class_folds(data: LabelledWords, folds: Folds) -> tuple[LabelledWords, ClassFolds]:
    """Return the words of the classes that can be held out, and their folds.

    Such a class has words to learn from in every fold, and words that are held out.
    """
    if isinstance(folds, int):
        data = data.without_rare_classes(folds)
        folds = _splits(data, folds)
    parts = [(data.take(learned), data.take(held_out)) for learned, held_out in folds]
    scored = {target for _, held_out in parts for target in held_out.targets.tolist()}
    kept = scored.intersection(*(learned.targets.tolist() for learned, _ in parts))
    classes = np.array(sorted(kept), dtype=np.int64)
    data = data.of_classes(classes)
    if len(classes) < 2:
        return data, []
    parts = [
        (one.of_classes(classes), other.of_classes(classes)) for one, other in parts
    ]
    return data, [(learned, held_out) for learned, held_out in parts if held_out.words]


def _splits(data: LabelledWords, n_folds: int) -> list[Split]:
    """Return the rows to learn from and those held out, for each fold of words."""
    fold_of = word_folds(data.words, n_folds, data.targets)
    numbers = range(fold_of.max(initial=-1) + 1)
    return [
        (np.flatnonzero(fold_of != n), np.flatnonzero(fold_of == n)) for n in numbers
    ]


def class_fits(
    model: BaseCharLM, rounds: list[LabelledWords], backwards: bool = False
) -> list[MemberFit]:
    """Return the fits by round, direction and class.

    rounds : the words of each round; all words first, then those of the folds
    """
    fits = []
    for name, direction, words, learned in _readings(rounds, backwards):
        for index in range(len(learned.classes)):
            rows = np.flatnonzero(learned.targets == index)
            fit = f"{name} class {index}{direction}", model, words
            fits.append(MemberFit.on_rows(*fit, learned.sample_weight, rows))
    return fits


def shared_fits(
    model: Any, rounds: list[LabelledWords], backwards: bool = False
) -> list[MemberFit]:
    """Return the fits of one model of all classes, by round and direction.

    model : a `ConditionalCharLM`
    rounds : as for `class_fits`
    """
    fits = []
    for name, direction, words, learned in _readings(rounds, backwards):
        member = clone(model), words, learned.sample_weight, learned.labels
        fits.append(MemberFit(f"{name}{direction}", *member))
    return fits


def check_can_read_backwards(model: Any) -> None:
    """Raise an error unless each symbol of a model is one character."""
    vocabulary = vocabulary_of(model.alphabet, CharVocabulary(""), unknown=True)
    if isinstance(vocabulary, SymbolVocabulary):
        raise ValueError(
            "calibration='places' reads words backwards, which symbols of several "
            "characters do not allow; pass calibration='temperature' or None."
        )


def _readings(
    rounds: list[LabelledWords], backwards: bool
) -> Iterator[tuple[str, str, list[str], LabelledWords]]:
    """Yield names of rounds and directions, the words as read, and their classes."""
    for number, learned in enumerate(rounds):
        name = f"fold {number - 1}" if number else "fit"
        yield name, "", learned.words, learned
        if backwards:
            yield name, " backwards", reversed_words(learned.words), learned


def models_of_labels(fitted: list[Any]) -> Iterator[BaseCharLM]:
    """Yield the models of classes by round, direction and class; they are not kept.

    fitted : the fitted models of `shared_fits`
    """
    for model in fitted:
        models = model.estimators_
        for number in models.numbers.tolist():
            yield models.learned.model(number)


def class_models(
    models: Iterable[BaseCharLM], rounds: list[LabelledWords], backwards: bool = False
) -> Iterator[ClassModels]:
    """Sort the fitted models of `class_fits` by round, direction and class."""
    models = iter(models)
    for learned in rounds:
        n_classes = len(learned.classes)
        directions = [
            [next(models) for _ in range(n_classes)] for _ in range(1 + backwards)
        ]
        vocabulary = directions[0][0].vocabulary_
        encoded = vocabulary.encode(learned.words)
        shape = n_classes, vocabulary.n_symbols
        symbols = known_symbols(encoded, learned.targets, *shape)
        shortest = min_lengths(encoded, learned.targets, n_classes)
        yield ClassModels(directions, symbols, shortest)


def checked_shared(model: Any, classes: np.ndarray) -> Any:
    """Return a model of all classes from a file, once checked."""
    if not isinstance(model, ConditionalCharLM) or not model.__sklearn_is_fitted__():
        raise TypeError(f"a {type(model).__name__} is stored as a shared model.")
    if not np.array_equal(model.classes_, classes):
        raise ValueError("a shared model has other classes.")
    return model


def with_newer_attributes(kept: dict[str, Any]) -> dict[str, Any]:
    """Add what a classifier in a file of version 0.1.0 lacks."""
    kept = {"class_count": None, **kept}
    if "known_symbols" not in kept:
        vocabulary = kept["estimators"][0].vocabulary_
        known = np.ones((len(kept["estimators"]), vocabulary.n_symbols), dtype=bool)
        known[:, 1 + len(vocabulary.characters) :] = False  # the unknown symbol
        none = np.zeros(len(known), dtype=np.int64)
        kept |= {"known_symbols": known, "min_lengths": none}
    return kept


def check_kept_classes(
    kept: dict[str, Any], forwards: list[Any], backwards: list[Any]
) -> None:
    """Raise an error unless a file holds classes and their models."""
    members = [member for member in [*forwards, *backwards] if member is not None]
    for member in members:
        check_kept_member(member)
    if not members:
        raise ValueError("there is no model of a class.")
    n_classes, vocabulary = len(forwards), members[0].vocabulary_
    classes = kept["classes"]
    if not isinstance(classes, np.ndarray) or classes.shape != (n_classes,):
        raise ValueError(f"classes is {classes!r}.")
    check_kept_array(kept, "class_prior", (n_classes,))
    if (kept["class_prior"] < 0).any():
        raise ValueError(f"class_prior is {kept['class_prior']!r}.")
    check_kept_array(kept, "known_symbols", (n_classes, vocabulary.n_symbols), np.bool_)
    check_kept_array(kept, "min_lengths", (n_classes,), np.int64)
    if any(member.vocabulary_ != vocabulary for member in members):
        raise ValueError("the models of the classes have different symbols.")


def check_kept_classifier(kept: dict[str, Any]) -> None:
    """Raise an error unless a file holds what a classifier has learned."""
    forwards, backwards = kept["estimators"], kept["backward_estimators"]
    check_kept_classes(kept, forwards, backwards)
    n_classes = len(forwards)
    learned_so = ["places"] if backwards else ["temperature", None]
    if kept["calibration"] not in learned_so:
        raise ValueError(f"calibration is {kept['calibration']!r}.")
    check_kept_array(kept, "weights", (4 * N_PLACES if backwards else 1,))
    check_kept_array(kept, "bias", (n_classes,))
    is_counted = np.ones(n_classes, dtype=bool)
    if kept["class_count"] is not None:
        check_kept_array(kept, "class_count", (n_classes,))
        is_counted = kept["class_count"] > 0
    for models in (forwards, backwards or forwards):
        if [model is not None for model in models] != is_counted.tolist():
            raise ValueError("there is not one model for each class that has words.")


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
