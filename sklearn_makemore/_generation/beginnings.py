"""Beginnings of words in arrays: those that were extended, and those that are open."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from .._words.code_points import place_dtype
from .._words.types import Floats, Ids, Mask
from .._words.vocabulary import BOUNDARY, EncodedWords

FIRST_CAPACITY = 1 << 10
"""Number of beginnings for which there is room at first."""


@dataclass(frozen=True, eq=False)
class OpenBeginnings:
    """Beginnings that may be extended, in any order.

    costs : (n,) float64, -log p
    parents : (n,) int32, the beginning without its last symbol, in `ExtendedBeginnings`
    symbols : (n,) int32, id of the last symbol
    """

    costs: Floats
    parents: Ids
    symbols: Ids

    @classmethod
    def of(cls, costs: Floats, parents: Ids, symbols: Ids) -> Self:
        """Return beginnings, with ids of any integer type."""
        return cls(costs, parents.astype(np.int32), symbols.astype(np.int32))

    def __len__(self) -> int:
        return len(self.costs)

    def __getitem__(self, rows: Ids | Mask) -> Self:
        """Return some of the beginnings."""
        return type(self)(self.costs[rows], self.parents[rows], self.symbols[rows])

    def joined(self, others: Self) -> Self:
        """Return these beginnings and others."""
        return type(self)(
            np.concatenate([self.costs, others.costs]),
            np.concatenate([self.parents, others.parents]),
            np.concatenate([self.symbols, others.symbols]),
        )


class ExtendedBeginnings:
    """Beginnings that were extended, as a tree whose root is the prefix of all words.

    prefix : (n,) ids of the symbols of the prefix
    state : state of the language after the prefix
    """

    def __init__(self, prefix: Ids, state: int) -> None:
        self.prefix, self.n = prefix, 1
        self._rows = np.zeros((4, FIRST_CAPACITY), dtype=np.int32)
        self._rows[2:, 0] = len(prefix), state

    @property
    def parents(self) -> Ids:
        """The beginning without its last symbol; the prefix is its own parent, (n,)."""
        return self._rows[0, : self.n]

    @property
    def symbols(self) -> Ids:
        """Ids of the last symbols, (n,)."""
        return self._rows[1, : self.n]

    @property
    def lengths(self) -> Ids:
        """Numbers of symbols, (n,)."""
        return self._rows[2, : self.n]

    @property
    def states(self) -> Ids:
        """States of the language, (n,)."""
        return self._rows[3, : self.n]

    def add(self, beginnings: OpenBeginnings, states: Ids | int) -> Ids:
        """Add beginnings with their states, and return their numbers, (n_added,)."""
        first, self.n = self.n, self.n + len(beginnings)
        while self.n > self._rows.shape[1]:
            self._rows = np.hstack([self._rows, np.zeros_like(self._rows)])
        added = slice(first, self.n)
        self.parents[added] = beginnings.parents
        self.symbols[added] = beginnings.symbols
        self.lengths[added] = self.lengths[beginnings.parents] + 1
        self.states[added] = states
        return np.arange(first, self.n)

    def encoded(self, numbers: Ids, with_prefix: bool = True) -> EncodedWords:
        """Return some beginnings as words, or without the prefix as ends of words."""
        n_first = len(self.prefix) if with_prefix else 0
        lengths = self.lengths[numbers] - len(self.prefix) + n_first
        offsets = np.append(0, np.cumsum(lengths + 1))
        codes = np.zeros(int(offsets[-1]) + 1, dtype=self.prefix.dtype)
        for place in range(n_first):
            codes[offsets[:-1] + 1 + place] = self.prefix[place]
        places = offsets[1:] - 1
        while len(numbers):
            is_longer = numbers > 0
            numbers, places = numbers[is_longer], places[is_longer]
            codes[places] = self.symbols[numbers]
            numbers, places = self.parents[numbers], places - 1
        return EncodedWords(codes, offsets.astype(place_dtype(len(codes))))


def joined_words(parts: list[EncodedWords]) -> EncodedWords:
    """Return several lists of words of the same symbols as one."""
    if len(parts) == 1:
        return parts[0]
    codes = [part.targets for part in parts]
    lengths = np.concatenate([part.lengths for part in parts])
    offsets = np.append(0, np.cumsum(lengths))
    joined = np.concatenate([[BOUNDARY], *codes]).astype(codes[0].dtype)
    return EncodedWords(joined, offsets.astype(place_dtype(len(joined))))
