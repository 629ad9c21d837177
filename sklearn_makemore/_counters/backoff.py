"""N-gram models without counts: tables of n-grams, as in ARPA files.

A table lists the n-grams of one length with their log-probabilities, and with the
back-off weights of the histories that they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._words.code_points import place_dtype
from .._words.vocabulary import BOUNDARY
from .model import NGramModel, find_keys
from .trie import HistoryTrie

MAX_LOG_BACKOFF = 700.0
"""Above this, weights overflow."""

MAX_ORDER = 256
"""Longest n-grams of a file: time grows with the square of their length."""


class TableError(ValueError):
    """A table is not one of a model; `length` and `row` are those of the n-gram."""

    def __init__(self, reason: str, length: int, row: int) -> None:
        super().__init__(reason)
        self.reason, self.length, self.row = reason, length, row

    def __str__(self) -> str:
        return f"n-gram {self.row} of length {self.length} {self.reason}."


@dataclass(frozen=True, eq=False)
class NGramTable:
    """The n-grams of one length, in any order.

    The first table lists every id. The id 0 is there the end of a word with its
    probability, and the start of a word with its back-off weight.

    ids : (length, n_ngrams), the earliest id first; 0 is the start or the end of a word
    log_proba : (n_ngrams,), log-probability of the last id after the others, in nats
    log_backoff : (n_ngrams,), logarithm of the back-off weight after the n-gram; it is
        ignored at the end of a word
    """

    ids: NDArray[Any]
    log_proba: NDArray[np.float64]
    log_backoff: NDArray[np.float64]

    def check(self, n_symbols: int) -> None:
        """Raise an error unless all n-grams are possible in a word."""
        ids, length = self.ids, len(self.ids)
        is_inside = (ids[1:-1] == BOUNDARY).any(axis=0)
        problems = [
            ((ids >= n_symbols).any(axis=0), "has an id outside the alphabet"),
            (is_inside, "continues after the end of a word"),
            (~(self.log_proba <= 0), "has a log-probability above 0, or not a number"),
            (
                ~(self.log_backoff < MAX_LOG_BACKOFF),
                "has an impossible back-off weight",
            ),
        ]
        for is_wrong, reason in problems:
            if is_wrong.any():
                raise TableError(reason, length, int(np.argmax(is_wrong)))

    def part(self, start: int, stop: int) -> NGramTable:
        """Return some of the n-grams."""
        part = slice(start, stop)
        return NGramTable(
            self.ids[:, part], self.log_proba[part], self.log_backoff[part]
        )

    def histories(self) -> NDArray[Any]:
        """Return the n-grams that do not end a word, the most recent id first."""
        return self.ids[::-1, self.is_history()]

    def is_history(self) -> NDArray[np.bool_]:
        """Return which n-grams an id can follow; the start of a word is one."""
        return (self.ids[-1] != BOUNDARY) | (len(self.ids) == 1)


def tables_of(model: NGramModel) -> list[NGramTable]:
    """Return the tables of a model, which determine its probabilities."""
    levels = model.ngram_levels.tolist()
    earliest = np.append(0, model.child_keys % model.n_symbols)
    tables = []
    for length in range(1, model.order + 1):
        part = slice(*levels[length - 1 : length + 1])
        states, targets = np.divmod(model.ngram_keys[part], model.n_symbols)
        columns = []
        for _ in range(length - 1):
            columns.append(earliest[states])
            states = model.parents[states]
        log_backoff = np.zeros(len(targets))
        if length < model.order:
            after = model.next_states[part]
            is_state = (after >= model.state_levels[length]) & (targets != BOUNDARY)
            log_backoff[is_state] = model.log_backoff[after[is_state]]
        ids = np.array([*columns, targets], np.min_scalar_type(model.n_symbols))
        tables.append(NGramTable(ids, model.log_proba[part], log_backoff))
    return [_of_all_ids(tables[0], model), *tables[1:]]


def _of_all_ids(table: NGramTable, model: NGramModel) -> NGramTable:
    """Return the table of single ids, with those that were never seen."""
    ids = np.arange(model.n_symbols, dtype=table.ids.dtype)[np.newaxis]
    unseen = model.log_backoff[0] + model.log_proba[-1]
    log_proba = np.full(model.n_symbols, unseen)
    log_proba[table.ids[0]] = table.log_proba
    log_backoff = np.zeros(model.n_symbols)
    log_backoff[table.ids[0]] = table.log_backoff
    if model.start_state:
        log_backoff[BOUNDARY] = model.log_backoff[model.start_state]
    return NGramTable(ids, log_proba, log_backoff)


class TableModel(NGramModel):
    """An n-gram model of tables; it knows no counts."""

    def __init__(self, tables: list[NGramTable], n_symbols: int) -> None:
        trie = TableTrie(tables, n_symbols)
        super().__init__(trie, trie.log_proba, trie.log_backoff)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the tables, which determine everything else."""
        return TableModel, (tables_of(self), self.n_symbols)

    def total_proba(self) -> NDArray[np.float64]:
        """Return the sum of the probabilities of all ids after each state."""
        step = self.expectations()
        return step.end_proba + step.expectation(np.ones(self.n_states))

    def lists_empty_word(self) -> bool:
        """Whether an n-gram is the start of a word and its end."""
        key = self.start_state * self.n_symbols + BOUNDARY
        return self.order > 1 and bool(key in self.ngram_keys)

    def history(self, state: int) -> list[int]:
        """Return the ids of a state, the earliest first."""
        ids = []
        while state:
            ids.append(int(self.child_keys[state - 1]) % self.n_symbols)
            state = int(self.parents[state])
        return ids


class TableTrie(HistoryTrie):
    """The trie of the n-grams that tables list, with their log-probabilities.

    The tables may lack an n-gram without its earliest id. It is added, with the
    probability that backing off gives it. So all probabilities stay the same.

    log_proba, log_backoff : as of `NGramModel`
    """

    def __init__(self, tables: list[NGramTable], n_symbols: int) -> None:
        self.ngram_counts: Any = None
        self.order, self.n_symbols = len(tables), n_symbols
        for table in tables:
            table.check(n_symbols)
        # Every n-gram but the longest ones is a state if it does not end a word.
        histories = [table.histories() for table in tables]
        histories[-1] = histories[-1][:-1]
        self.child_keys, self.state_levels, states = _number_histories(
            histories, n_symbols
        )
        self.n_states = 1 + len(self.child_keys)
        self.parents = np.zeros(self.n_states, np.int64)
        np.floor_divide(self.child_keys, n_symbols, out=self.parents[1:])
        self.start_state = min(1, self.n_states - 1)
        self.log_backoff, is_listed = (
            np.zeros(self.n_states),
            np.zeros(self.n_states, bool),
        )
        for table, own in zip(tables[:-1], states, strict=False):
            self.log_backoff[own] = table.log_backoff[table.is_history()]
            is_listed[own] = True
        keys = [self._keys(table, is_listed) for table in tables]
        if len(keys[0]) != n_symbols:
            raise ValueError("the n-grams of length 1 are not all symbols.")
        self._set_ngrams(tables, keys)
        dtype = place_dtype(self.n_states * n_symbols)
        for name in ("parents", "child_keys", "ngram_keys"):
            setattr(self, name, getattr(self, name).astype(dtype))

    def _keys(self, table: NGramTable, is_listed: np.ndarray) -> NDArray[np.int64]:
        """Return the keys of the n-grams of a table, (n_ngrams,), once checked.

        is_listed : (n_states,), whether the state is an n-gram of a table
        """
        *history, targets = table.ids
        states = np.zeros(len(targets), np.int64)
        is_known = np.ones(len(targets), bool)
        for ids in reversed(history):
            children, is_child = find_keys(
                self.child_keys, states * self.n_symbols + ids
            )
            is_known &= is_child
            states = np.where(is_child, children + 1, 0)
        length = len(table.ids)
        if length > 1:
            is_known &= is_listed[states]
        if not is_known.all():
            reason = f"begins with one of length {length - 1} that is not listed"
            raise TableError(reason, length, int(np.argmin(is_known)))
        keys = states * self.n_symbols + targets
        by_key = np.argsort(keys, kind="stable")
        repeats = by_key[1:][np.diff(keys[by_key]) == 0]
        if len(repeats):
            raise TableError("is listed twice", length, int(repeats.min()))
        return keys

    def _set_ngrams(
        self, tables: list[NGramTable], keys: list[NDArray[np.int64]]
    ) -> None:
        """Set `ngram_keys`, `ngram_levels`, `n_ngrams` and `log_proba`.

        keys : those of the n-grams of each table
        """
        complete = [np.sort(keys[-1])]
        for own in keys[-2::-1]:
            complete.insert(0, np.union1d(own, self._lower_keys(complete[0])))
        values: list[NDArray[np.float64]] = []
        for table, own, level in zip(tables, keys, complete, strict=True):
            log_proba = np.full(len(level), np.nan)
            log_proba[np.searchsorted(level, own)] = table.log_proba
            added = np.flatnonzero(np.isnan(log_proba))
            if len(added):
                lower = self._lower_keys(level[added])
                places = np.searchsorted(complete[len(values) - 1], lower)
                backoff = self.log_backoff[level[added] // self.n_symbols]
                log_proba[added] = backoff + values[-1][places]
            values.append(log_proba)
        self.ngram_keys = np.concatenate(complete)
        self.ngram_levels = np.cumsum([0, *map(len, complete)])
        self.n_ngrams = len(self.ngram_keys)
        # Every id has a probability of its own: none is below the empty history.
        self.log_proba = np.append(np.concatenate(values), -np.inf)


def _number_histories(
    histories: list[NDArray[Any]], n_symbols: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], list[NDArray[np.int64]]]:
    """Number histories and all their ends, level by level.

    histories : the last one has the length of the one before it; (length, n) each, the
        most recent id first
    child_keys, levels : `child_keys` and `state_levels` of `HistoryTrie`
    states : those of the histories, (n,) each
    """
    states = [np.zeros(ids.shape[1], np.int64) for ids in histories]
    child_keys, levels = [np.zeros(0, np.int64)], [0, 1]
    for depth in range(len(histories) - 1):
        longer = range(depth, len(histories))
        keys = [states[i] * n_symbols + histories[i][depth] for i in longer]
        distinct, numbers = np.unique(np.concatenate(keys), return_inverse=True)
        ends = np.cumsum([len(key) for key in keys])[:-1]
        states[depth:] = np.split(numbers + levels[-1], ends)
        child_keys.append(distinct)
        levels.append(levels[-1] + len(distinct))
    return np.concatenate(child_keys), np.asarray(levels), states


def tables_to_save(model: NGramModel) -> dict[str, np.ndarray]:
    """Return the arrays that a file keeps of the tables of a model."""
    tables = tables_of(model)
    return {
        "table_sizes": np.array([table.ids.shape[1] for table in tables]),
        "table_ids": np.concatenate([table.ids.ravel() for table in tables]),
        "log_proba": np.concatenate([table.log_proba for table in tables]),
        "log_backoff": np.concatenate([table.log_backoff for table in tables]),
    }


def tables_from_file(saved: dict[str, Any], order: int) -> list[NGramTable]:
    """Return the tables whose arrays `tables_to_save` returned.

    The file is untrusted; `TableTrie` checks the n-grams.
    """
    if order > MAX_ORDER:
        raise ValueError(f"the order {order} is above {MAX_ORDER}.")
    sizes, ids = saved["table_sizes"], saved["table_ids"]
    values = saved["log_proba"], saved["log_backoff"]
    is_valid = sizes.shape == (order,) and sizes.dtype == np.int64
    if not is_valid or not (sizes[:-1] > 0).all() or sizes[-1] < 0:
        raise ValueError(f"tables of order {order} have sizes of shape {sizes.shape}.")
    # The sizes are compared with the arrays before any product can overflow.
    n_ngrams = sum(sizes.tolist())
    n_ids = sum(length * size for length, size in enumerate(sizes.tolist(), start=1))
    if ids.shape != (n_ids,) or ids.dtype.kind != "u":
        raise ValueError(f"tables have ids of shape {ids.shape}, type {ids.dtype}.")
    if any(one.shape != (n_ngrams,) or one.dtype != np.float64 for one in values):
        raise ValueError("tables have no log-probability for every n-gram.")
    tables, first, first_id = [], 0, 0
    for length, size in enumerate(sizes.tolist(), start=1):
        part, end_id = slice(first, first + size), first_id + length * size
        columns = ids[first_id:end_id].reshape(length, size)
        tables.append(NGramTable(columns, values[0][part], values[1][part]))
        first, first_id = part.stop, end_id
    return tables
