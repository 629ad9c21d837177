"""Pairs of a model's state and a language's, and the transitions between them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._words.code_points import slices
from .._words.types import Floats, Ids
from .._words.vocabulary import BOUNDARY, within_groups
from .language import Language
from .next_symbols import NextSymbolModel
from .sampling import DrawOptions, next_proba

MAX_TRANSITIONS = 1 << 24
"""Largest number of transitions: about 14 bytes each, 224 MiB, and while they are found
twice as much."""

PAIRS_AT_ONCE = 1 << 14
"""Number of pairs whose transitions are found together."""

MAX_TABLE_SIZE = 1 << 25
"""Largest size of a table of the numbers of pairs: 128 MiB."""


@dataclass(frozen=True, eq=False)
class Product:
    """The pairs that words of a language pass, numbered from 0, the one after a prefix.

    first : (n_pairs + 1,), index of the first transition from each pair
    symbols, targets : (n_transitions,), symbol and next pair of each transition, sorted
        by symbol within a pair
    proba : (n_transitions,), probability of the symbol after the pair's model state
    ends : (n_pairs,), probability of the end mark, 0 if no word of the language ends
    """

    first: Ids
    symbols: NDArray[np.unsignedinteger]
    targets: NDArray[np.int32]
    proba: Floats
    ends: Floats
    n_symbols: int

    def ways(self, pairs: Ids) -> tuple[Ids, Ids]:
        """Return the transitions from some pairs, and the place of each pair."""
        n_ways = np.diff(self.first)[pairs]
        places = np.repeat(np.arange(len(pairs)), n_ways)
        return self.first[pairs][places] + within_groups(n_ways), places

    @property
    def n_bytes(self) -> int:
        """Size in memory."""
        transitions = self.symbols.nbytes + self.targets.nbytes + self.proba.nbytes
        return transitions + self.first.nbytes + self.ends.nbytes


@dataclass(frozen=True, eq=False)
class _Part:
    """Some of the pairs, and the transitions from them.

    A key is ``model state * number of language states + language state``.

    keys, ends, n_ways : (n_pairs,)
    symbols, targets, proba : (n_transitions,); targets are keys
    """

    keys: Ids
    ends: Floats
    n_ways: Ids
    symbols: NDArray[np.unsignedinteger]
    targets: NDArray[np.int64]
    proba: Floats


def explore(
    model: NextSymbolModel, state: int, language: Language, options: DrawOptions
) -> Product | None:
    """Find all pairs of states that words of a language pass; None if too many.

    model : a model whose contexts are states, `state` after the prefix
    """
    n_symbols = language.next_states.shape[1]
    known = new = np.array([state * language.n_states + language.start])
    parts: list[_Part] = []
    lengths = language.can_end
    for length in range(lengths.first, lengths.max_length + 1):
        if len(known) * n_symbols > MAX_TRANSITIONS:
            return None
        is_last = length == lengths.max_length
        found = [*_parts(model, new, language, options, is_last)]
        parts += found
        targets = _distinct(np.concatenate([_distinct(part.targets) for part in found]))
        new = targets[~np.isin(targets, known)]
        if not len(new):
            break
        known = np.concatenate([known, new])
    return _joined(parts, known, n_symbols)


def _parts(
    model: NextSymbolModel,
    keys: Ids,
    language: Language,
    options: DrawOptions,
    is_last: bool,
) -> Iterator[_Part]:
    """Find the transitions from some pairs; none if their length is the last one."""
    n_states, n_symbols = language.next_states.shape
    for part in slices(0, len(keys), PAIRS_AT_ONCE):
        contexts, states = np.divmod(keys[part], n_states)
        proba = _proba(model, contexts, options)  # (n_pairs, n_symbols)
        ends = np.where(language.accepts[states], proba[:, BOUNDARY], 0.0)
        is_way = (proba > 0) & (language.next_states[states] >= 0) & (not is_last)
        sources, symbols = np.nonzero(is_way)
        contexts = np.asarray(model.advance(contexts[sources], symbols), np.int64)
        yield _Part(
            keys[part],
            ends,
            is_way.sum(axis=1),
            symbols.astype(np.min_scalar_type(n_symbols)),
            contexts * n_states + language.next_states[states[sources], symbols],
            proba[is_way],
        )


def _proba(model: NextSymbolModel, contexts: Ids, options: DrawOptions) -> Floats:
    """Return probabilities after the options, (n, n_symbols); zeros in a dead end."""
    log_proba, rows = model.next_log_proba(contexts)
    proba = next_proba(log_proba[rows], 0, options)
    total = proba.sum(axis=1, keepdims=True)
    return np.divide(proba, total, out=np.zeros_like(proba), where=total > 0)


def _distinct(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the distinct keys: sorting is much faster than numpy's hashing."""
    keys = np.sort(keys)
    return keys[np.diff(keys, prepend=-1) > 0]


def _joined(parts: list[_Part], keys: Ids, n_symbols: int) -> Product:
    """Make a `Product` of all parts; keys : (n_pairs,), in the order of the parts."""
    numbers = _Numbers(keys)

    def joined(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(part, name) for part in parts])

    return Product(
        np.append(0, np.cumsum(joined("n_ways"))),
        joined("symbols"),
        np.concatenate([numbers.of(part.targets) for part in parts]),
        joined("proba"),
        joined("ends"),
        n_symbols,
    )


class _Numbers:
    """The place of each key among all keys, looked up in a table if it is not large."""

    def __init__(self, keys: Ids) -> None:
        places = np.arange(len(keys), dtype=np.int32)
        size = int(keys.max()) + 1
        self._table: NDArray[np.int32] | None = None
        if size <= MAX_TABLE_SIZE:
            self._table = np.zeros(size, dtype=np.int32)
            self._table[keys] = places
        else:
            self._places = np.argsort(keys).astype(np.int32)
            self._keys = keys[self._places]

    def of(self, keys: NDArray[np.int64]) -> NDArray[np.int32]:
        """Return the place of each of some keys."""
        if self._table is not None:
            return self._table[keys]
        return self._places[np.searchsorted(self._keys, keys)]
