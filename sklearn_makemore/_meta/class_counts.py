"""`partial_fit` of a classifier: its counters count more words."""

import copy
import reprlib
from dataclasses import replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from .._counters.base import BaseCounter, CountedWords
from .._words.code_points import CodePoints
from .._words.symbols import lists_symbols
from .._words.types import Floats, Mask
from .._words.vocabulary import CharVocabulary
from .calibration import backwards as reversed_words
from .calibration import known_symbols, min_lengths
from .labels import LabelledWords, checked_labels
from .members import default_model

MODELS = "estimators_", "backward_estimators_"


def check_can_add_words(estimator: Any) -> None:
    """Raise an error unless models of classes are counters."""
    if not isinstance(default_model(estimator), BaseCounter):
        raise TypeError(
            "`partial_fit` of a classifier adds counts, so `estimator` must be a "
            f"counter, such as NGramCounter(), got {estimator!r}. Call `fit` with all "
            "words instead."
        )


def checked_classes(classes: Any, known: NDArray[Any] | None) -> NDArray[Any]:
    """Return the classes of all calls, sorted.

    known : (n_classes,) those of earlier calls, None at the first call
    """
    if classes is None:
        if known is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        return known
    distinct = np.unique(checked_labels(classes))
    if known is not None and not np.array_equal(distinct, known):
        raise ValueError(
            f"`classes={reprlib.repr(distinct.tolist())}` is not the same as on last "
            f"call to partial_fit, was: {reprlib.repr(known.tolist())}"
        )
    return distinct


def check_known_classes(present: NDArray[Any], classes: NDArray[Any]) -> None:
    """Raise an error if words have a class that is not among all classes."""
    if unknown := set(present.tolist()).difference(classes.tolist()):
        raise ValueError(
            f"`y` has the class {min(unknown)!r}, which is not one of the classes "
            f"{reprlib.repr(classes.tolist())}. Pass all classes at the first call, or "
            "`fit` again."
        )


def check_same_calibration(learned: str | None, calibration: str | None) -> None:
    """Raise an error if `calibration` is not that of the weights learned so far."""
    if calibration != learned:
        raise ValueError(
            f"The weights so far were learned with calibration={learned!r}, and "
            f"`partial_fit` cannot learn those of calibration={calibration!r}. Set "
            "`calibration` back, or `fit` again."
        )


def class_count(data: LabelledWords, classes: NDArray[Any]) -> Floats:
    """Return the total weight of the words of each class, (n_classes,).

    classes : (n_classes,), sorted; some may have no words
    """
    numbers = np.searchsorted(classes, data.classes)[data.targets]
    count = np.bincount(numbers, data.sample_weight, len(classes))
    return count.astype(np.float64)


def with_absent_classes(is_present: Mask, **learned: Any) -> dict[str, Any]:
    """Return fitted attributes with an entry for each class.

    A class without words has None instead of a model, and 0 in arrays.

    is_present : (n_classes,)
    learned : attributes of the classes that have words
    """
    spread: dict[str, Any] = {}
    for name, values in learned.items():
        if isinstance(values, list):
            models = iter(cast("list[Any]", values))
            given = [next(models, None) if here else None for here in is_present]
            spread[name] = given if values else []
        else:
            spread[name] = np.zeros((len(is_present), *values.shape[1:]), values.dtype)
            spread[name][is_present] = values
    return spread


def with_more_words(
    learned: dict[str, Any], estimator: Any, data: LabelledWords
) -> dict[str, Any]:
    """Return the fitted attributes of a classifier that has counted more words.

    learned : its fitted attributes
    estimator : its parameter, whose smoothing is that of the result
    """
    classes, count = learned["classes_"], learned["class_count_"]
    if count is None:
        raise ValueError(
            "This classifier is from a file of version 0.1.0, which does not hold how "
            "many words each class has; `fit` it again."
        )
    numbers = np.searchsorted(classes, data.classes)[data.targets]
    rows = [np.flatnonzero(numbers == label) for label in range(len(classes))]
    before: CharVocabulary = next(filter(None, learned["estimators_"])).vocabulary_
    growing = GrowingCounter(default_model(estimator), before, data.words)
    added: dict[str, Any] = {}
    for name, words in zip(
        MODELS, (data.words, reversed_words(data.words)), strict=True
    ):
        added[name] = [
            growing.with_words(model, *_chosen(words, data.sample_weight, own))
            for model, own in zip(learned[name], rows, strict=False)
        ]
    encoded, shape = (
        growing.after.encode(data.words),
        (len(classes), growing.after.n_symbols),
    )
    symbols = known_symbols(encoded, numbers, *shape)
    symbols[:, before.ids_in(growing.after)] |= learned["known_symbols_"]
    shortest = min_lengths(encoded, numbers, len(classes))
    shortest[count > 0] = np.minimum(shortest, learned["min_lengths_"])[count > 0]
    return {
        **added,
        "class_count_": count + class_count(data, classes),
        "known_symbols_": symbols,
        "min_lengths_": shortest,
    }


class GrowingCounter:
    """A counter that continues the models of classes, with the symbols of new words.

    before, after : the symbols of all models so far, and those with the new words
    """

    def __init__(
        self, estimator: BaseCounter, before: CharVocabulary, words: list[str]
    ) -> None:
        counter = cast(BaseCounter, clone(estimator))
        counter.set_params(handle_unknown="unk")
        self.counter, self.before, self.after = counter, before, before
        self.is_open = not lists_symbols(counter.alphabet)
        if self.is_open:
            self.after = before.grown(CodePoints.from_words(words))

    def with_words(
        self,
        model: BaseCounter | None,
        words: list[str],
        sample_weight: Floats | None,
    ) -> BaseCounter | None:
        """Return a counter of the words of a model and of more words, None of no words.

        model : the fitted counter so far, None without words
        """
        counter = self._with_alphabet(
            cast(BaseCounter, clone(self.counter)), self.after
        )
        counted = None if model is None else self._counted(model)
        more = counter._count_words(words, sample_weight) if words else None
        total = counter._sum_counted([counted, more])
        if total is None:
            return None
        counts = counter._counts_under(self.after, total)
        return counter._fit_counted(
            replace(total, vocabulary=self.after, counts=counts)
        )

    def _counted(self, model: BaseCounter) -> CountedWords:
        """Return what a model has counted, once checked to go with the parameters."""
        if type(model) is not type(self.counter):
            raise ValueError(
                f"The models so far are of the class {type(model).__name__}, and a "
                f"{type(self.counter).__name__} cannot continue them. Set `estimator` "
                "back, or `fit` again."
            )
        given = self.counter.get_params(deep=False)
        counter = copy.copy(model).set_params(**given)
        return self._with_alphabet(counter, self.before)._fitted_words()

    def _with_alphabet(
        self, counter: BaseCounter, vocabulary: CharVocabulary
    ) -> BaseCounter:
        """Give a counter the symbols of a vocabulary, unless its parameters do."""
        if self.is_open:
            counter.set_params(alphabet=vocabulary.alphabet)
        return counter


def _chosen(
    words: list[str], sample_weight: Floats | None, rows: NDArray[np.int64]
) -> tuple[list[str], Floats | None]:
    """Return the words of some rows, (n,), and their weights."""
    weight = None if sample_weight is None else sample_weight[rows]
    return [words[row] for row in rows.tolist()], weight
