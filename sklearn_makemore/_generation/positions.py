"""Positions of a pattern: the places where it reads a character or checks a condition.

Sets of positions are bits of an integer. Which position can follow which is Glushkov's
construction of an automaton. Operations are counted, so that no pattern takes long.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from .._words.types import Mask
from .character_sets import (
    LINE_BREAK,
    WORD,
    WORD_ASCII,
    Characters,
    PatternError,
    members,
    n_operations,
)
from .parse_pattern import Assertion, Chain, Choice, Node, Repeat
from .parse_set import MAX_DEPTH

MAX_NESTING = 3 * MAX_DEPTH
"""Largest depth of a tree: a group can be a choice of chains, and repeated."""

MAX_STEPS = 1 << 22
"""Largest number of operations on sets of 512 positions: about two seconds, and at most
64 bytes each."""

Kind: TypeAlias = tuple[bool, ...] | None
"""Properties of a character that assertions use; None is an end of the word."""


class TooLargeError(Exception):
    """An automaton would take more than `MAX_STEPS`."""


@dataclass(frozen=True)
class Part:
    """Part of a pattern: the positions it can begin and end with, as bits."""

    first: int
    last: int
    can_be_empty: bool


class Positions:
    """Positions of a pattern, and which can follow which.

    Attributes
    ----------
    labels : list of Characters, Assertion or None
        What each position reads or checks. The last position, None, is the end.

    follow : list of int
        The positions that can follow each, as bits.

    first, assertions : int
        The positions that a word can begin with, and those of assertions, as bits.
    """

    def __init__(self, tree: Node) -> None:
        self.labels: list[Characters | Assertion | None] = []
        self.follow: list[int] = []
        self.n_steps = 0
        self.depth = 0
        part = self._part(tree)
        self.first = self._joined(part, self._position(None)).first
        self.assertions = sum(
            1 << position
            for position, label in enumerate(self.labels)
            if isinstance(label, Assertion)
        )

    def count(self, n_sets: int, n_others: int = 0) -> None:
        """Count operations on sets of positions, and operations of other kinds."""
        self.n_steps += n_sets * (1 + len(self.labels) // 512) + n_others
        if self.n_steps > MAX_STEPS:
            raise TooLargeError

    def possible(self, candidates: int, before: Kind, after: Kind) -> int:
        """Add to positions what follows the assertions that hold between characters."""
        checked = 0
        while unchecked := candidates & self.assertions & ~checked:
            checked |= unchecked
            holding = 0
            for position in bits(unchecked):
                label = self.labels[position]
                if isinstance(label, Assertion) and holds(label, before, after):
                    holding |= 1 << position
            self.count(unchecked.bit_count())
            candidates |= self.following(holding)
        return candidates

    def following(self, mask: int) -> int:
        """Return the positions that can follow some positions, both as bits."""
        following, rest = 0, mask
        while rest:
            lowest = rest & -rest
            following |= self.follow[lowest.bit_length() - 1]
            rest ^= lowest
        self.count(1 + mask.bit_count())
        return following

    def _position(self, label: Characters | Assertion | None) -> Part:
        bit = 1 << len(self.labels)
        self.labels.append(label)
        self.follow.append(0)
        self.count(1)
        return Part(bit, bit, False)

    def _part(self, node: Node) -> Part:
        if isinstance(node, (Characters, Assertion)):
            return self._position(node)
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise PatternError("too many repetitions of repetitions")
        if isinstance(node, Repeat):
            part = self._repeated(node)
        elif isinstance(node, Choice):
            part = self._either([self._part(part) for part in node.parts])
        else:
            part = self._chained(node)
        self.depth -= 1
        return part

    def _chained(self, node: Chain) -> Part:
        whole = Part(0, 0, True)
        for part in node.parts:
            whole = self._joined(whole, self._part(part))
        return whole

    def _either(self, parts: list[Part]) -> Part:
        first = last = 0
        for part in parts:
            first, last = first | part.first, last | part.last
            self.count(1)
        return Part(first, last, any(part.can_be_empty for part in parts))

    def _joined(self, one: Part, other: Part) -> Part:
        self._link(one.last, other.first)
        first = one.first | (other.first if one.can_be_empty else 0)
        last = other.last | (one.last if other.can_be_empty else 0)
        return Part(first, last, one.can_be_empty and other.can_be_empty)

    def _repeated(self, node: Repeat) -> Part:
        """Copy a part as often as it may occur; the last copy may be a loop."""
        least, is_loop = node.least, node.most is None
        n_copies = max(least, 1) if node.most is None else node.most
        first = last = before = n_done = 0
        while n_done < n_copies:
            copy = self._part(node.part)
            if copy.can_be_empty:
                # The copies that are not empty may come first.
                is_one_enough = is_loop or not copy.first
                least, n_copies = 0, 1 if is_one_enough else n_copies
            self._link(before, copy.first)
            first, before, n_done = first or copy.first, copy.last, n_done + 1
            if n_done >= least:
                last |= copy.last
            if is_loop and n_done == n_copies:
                self._link(copy.last, copy.first)
        return Part(first, last, least == 0)

    def _link(self, before: int, after: int) -> None:
        self.count(before.bit_count())
        for position in bits(before):
            self.follow[position] |= after


class Alphabet:
    """Classes of symbols that no position distinguishes.

    Attributes
    ----------
    class_of : ndarray of shape (n_characters,)
        Class of each character.

    masks : list of int
        The positions that read a character of each class, as bits.

    kinds : list of tuple of bool
        Properties of the characters of each class that assertions use: whether they are
        line breaks, letters, and ASCII letters. Empty if there are no assertions.

    distinct_kinds : list of tuple of bool or None
        Each kind once; None is an end of the word.
    """

    def __init__(self, positions: Positions, characters: str) -> None:
        labels = [label for label in positions.labels if isinstance(label, Characters)]
        traits = _asked_traits(positions.labels)
        rows: dict[Characters, Mask] = {}
        for label in dict.fromkeys([*labels, *traits]):
            positions.count(0, n_operations(label, len(characters)))
            rows[label] = members(label, characters)
        table = np.array(list(rows.values()), dtype=bool).reshape(-1, len(characters))
        classes, self.class_of = np.unique(table, axis=1, return_inverse=True)
        self.class_of = self.class_of.reshape(-1)
        columns = dict(zip(rows, classes, strict=True))
        self.kinds = (
            list(zip(*(columns[trait].tolist() for trait in traits), strict=True))
            or [()] * classes.shape[1]
        )
        if not positions.assertions:
            self.kinds = [None] * classes.shape[1]
        self.distinct_kinds = [*dict.fromkeys([None, *self.kinds])]
        self.masks = [0] * classes.shape[1]
        read = dict.fromkeys(labels, 0)
        for position, label in enumerate(positions.labels):
            if isinstance(label, Characters):
                read[label] |= 1 << position
                positions.count(1)
        for label, mask in read.items():
            for index in np.flatnonzero(columns[label]).tolist():
                self.masks[index] |= mask
                positions.count(1)


def _asked_traits(labels: list[Characters | Assertion | None]) -> list[Characters]:
    """Return the sets that assertions use: line breaks and letters, or none."""
    assertions = [label for label in labels if isinstance(label, Assertion)]
    if not any(label.by_line or label.kind in "bB" for label in assertions):
        return []
    return [LINE_BREAK, WORD, WORD_ASCII]


def holds(assertion: Assertion, before: Kind, after: Kind) -> bool:
    """Whether an assertion holds between two characters; None is an end of the word."""
    if assertion.kind in "^$":
        beside = before if assertion.kind == "^" else after
        return beside is None or (assertion.by_line and beside[0])
    trait = 2 if assertion.is_ascii else 1
    is_letter = [beside is not None and beside[trait] for beside in (before, after)]
    return (is_letter[0] != is_letter[1]) == (assertion.kind == "b")


def bits(mask: int) -> Iterator[int]:
    """Yield the positions of the bits of an integer."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest
