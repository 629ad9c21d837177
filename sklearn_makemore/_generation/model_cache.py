"""Values computed from models, kept for the next call."""

import weakref
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

MAX_ENTRIES = 64
"""Largest number of values: they are searched one by one."""

Value = TypeVar("Value")


@dataclass(frozen=True, eq=False)
class _Entry(Generic[Value]):
    model: weakref.ref[Any]
    key: Hashable
    value: Value
    n_bytes: int


class ModelCache(Generic[Value]):
    """The values that were used last, of any models, at most `max_bytes` in total.

    A value is freed with its model. The entries are replaced all at once, so threads
    need no lock; two threads that need the same value at the same time both compute it.

    n_bytes : returns the size of a value
    """

    def __init__(self, max_bytes: int, n_bytes: Callable[[Value], int]) -> None:
        self.max_bytes, self._n_bytes = max_bytes, n_bytes
        self._entries: tuple[_Entry[Value], ...] = ()  # the last used first

    def get(self, model: object, key: Hashable, compute: Callable[[], Value]) -> Value:
        """Return the value of a model and a key, computed if it is not there."""
        for entry in self._entries:
            if entry.key == key and entry.model() is model:
                break
        else:
            value = compute()
            reference = weakref.ref(model, self._forget)
            entry = _Entry(reference, key, value, self._n_bytes(value))
        self._put_first(entry)
        return entry.value

    def clear(self) -> None:
        """Forget all values."""
        self._entries = ()

    def _put_first(self, entry: _Entry[Value]) -> None:
        """Make an entry the first, and drop the last ones that do not fit any more."""
        kept: list[_Entry[Value]] = []
        total = 0
        for one in (entry, *(other for other in self._entries if other is not entry)):
            total += one.n_bytes
            if total > self.max_bytes or len(kept) == MAX_ENTRIES:
                break
            if one.model() is not None:
                kept.append(one)
        self._entries = tuple(kept)

    def _forget(self, model: weakref.ref[Any]) -> None:
        self._entries = tuple(one for one in self._entries if one.model is not model)
