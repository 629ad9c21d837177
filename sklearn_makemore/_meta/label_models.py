"""The models of the words of each label, computed when they are first used."""

import copy
from collections.abc import Hashable, Sequence
from difflib import get_close_matches
from threading import Lock
from typing import Any

import numpy as np

from .._base import BaseCharLM, ModelOfLabels

MAX_BYTES = 1 << 28
"""Memory of the models of labels, beyond which all but the oldest are recomputed."""


class LabelModels(Sequence[BaseCharLM]):
    """The fitted model of each label.

    learned : what the model of all labels has learned
    numbers : (n_classes,), number of each label in `learned`
    """

    def __init__(self, learned: ModelOfLabels, numbers: np.ndarray) -> None:
        self.learned, self.numbers = learned, numbers
        self._models: dict[int, BaseCharLM] = {}
        self._n_bytes: dict[int, int] = {}
        self._last: int | None = None
        self._lock = Lock()

    def __reduce__(self) -> tuple:
        """Pickle without the models, which can be recomputed."""
        return type(self), (self.learned, self.numbers)

    def __repr__(self) -> str:
        """Return a short text."""
        return f"<models of {len(self)} labels>"

    def __len__(self) -> int:
        """Return the number of labels."""
        return len(self.numbers)

    def __getitem__(self, row: Any) -> Any:
        """Return the model of a label, or a list of them for a slice."""
        if isinstance(row, str):
            raise TypeError(
                f"Models are indexed by the place of their label in `classes_`, got "
                f"{row!r}."
            )
        rows = range(len(self))[row]
        if isinstance(rows, range):
            return [self[one] for one in rows]
        with self._lock:
            self._measure_last()
            if rows not in self._models:
                self._free_memory()
                self._models[rows] = self.learned.model(int(self.numbers[rows]))
            self._last = rows
            # A copy, so that a user who fits it again does not change this model.
            return copy.copy(self._models[rows])

    def _measure_last(self) -> None:
        """Measure the model that was returned last: it grows when it is used."""
        if self._last is not None and self._last in self._models:
            n_bytes = self.learned.n_bytes(self._models[self._last])
            self._n_bytes[self._last] = n_bytes

    def _free_memory(self) -> None:
        """Forget the newest models until there is room for one more.

        So the next pass over all labels finds the oldest ones.
        """
        sizes = self._n_bytes
        while sizes and sum(sizes.values()) + max(sizes.values()) > MAX_BYTES:
            row, _ = sizes.popitem()
            del self._models[row]


def rows_of_labels(labels: list[Any], classes: np.ndarray) -> np.ndarray:
    """Return the index of each label in `classes`, or raise an error."""
    rows = {label: row for row, label in enumerate(classes.tolist())}
    for index, label in enumerate(labels):
        if not isinstance(label, Hashable) or label not in rows:
            known = [str(one) for one in rows]
            close = get_close_matches(str(label), known, cutoff=0.4)
            which = "closest known" if close else "first known"
            where = f" at index {index}" if len(labels) > 1 else ""
            raise ValueError(
                f"The label {label!r}{where} is unknown. The {which} labels of "
                f"{len(known)} are {', '.join(close or known[:10])}."
            )
    return np.array([rows[label] for label in labels], dtype=np.intp)
