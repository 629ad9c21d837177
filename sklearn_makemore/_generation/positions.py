"""Positions of a pattern: the places where it reads a character or checks a condition.

Sets of positions are bits of an integer. Which position can follow which is Glushkov's
construction of an automaton. Operations are counted, so that no pattern takes long.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import numpy as np

from .._words.types import Mask
from .character_sets import Assertion, Characters
from .parse_pattern import Chain, Choice, Node, Repeat, TooLargeError

MAX_STEPS = 1 << 22
"""Largest number of operations on sets of 512 positions: about two seconds, and at most
64 bytes each."""

Label: TypeAlias = Characters | Assertion | None
AnyLeaf = TypeVar("AnyLeaf", Characters, Assertion)


@dataclass(frozen=True)
class Part:
    """Part of a pattern: the positions it can begin and end with, as bits."""

    first: int
    last: int
    can_be_empty: bool


class Positions:
    """Positions of a pattern, and which can follow which.

    labels : what each position reads or checks; the last, None, is the end
    follow : the positions that can follow each, as bits
    first : the positions that a word can begin with, as bits
    """

    def __init__(self, tree: Node) -> None:
        self.labels: list[Label] = []
        self.follow: list[int] = []
        self.n_steps = 0
        part = self._part(tree)
        self.first = self._joined(part, self._position(None)).first

    def count(self, n_sets: int, n_others: int = 0) -> None:
        """Count operations on sets of positions, and operations of other kinds."""
        self.n_steps += n_sets * (1 + len(self.labels) // 512) + n_others
        if self.n_steps > MAX_STEPS:
            raise TooLargeError

    def places(self, kind: type[AnyLeaf]) -> dict[AnyLeaf, int]:
        """Return the labels of a kind, and the positions of each as bits."""
        found: dict[AnyLeaf, int] = {}
        for position, label in enumerate(self.labels):
            if isinstance(label, kind):
                found[label] = found.get(label, 0) | 1 << position
                self.count(1)
        return found

    def possible(self, candidates: int, holding: int) -> int:
        """Add to positions what follows the assertions that hold, all as bits."""
        checked = 0
        while unchecked := candidates & holding & ~checked:
            checked |= unchecked
            candidates |= self.following(unchecked)
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

    def _position(self, label: Label) -> Part:
        bit = 1 << len(self.labels)
        self.labels.append(label)
        self.follow.append(0)
        self.count(1)
        return Part(bit, bit, False)

    def _part(self, node: Node) -> Part:
        if isinstance(node, Repeat):
            return self._repeated(node)
        if isinstance(node, Choice):
            return self._either([self._part(part) for part in node.parts])
        if isinstance(node, Chain):
            return self._chained(node)
        return self._position(node)

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

    class_of : (n_characters,), class of each character
    masks : the positions that read each class, as bits
    kinds : a character for each class; assertions do not distinguish classes of one
        kind, and all kinds are empty if there are no assertions
    holding : the positions of the assertions that hold after a kind and before another,
        as bits; the empty kind is the start or the end of the word
    """

    def __init__(self, positions: Positions, characters: str) -> None:
        self._count = positions.count
        readers, checkers = positions.places(Characters), positions.places(Assertion)
        members = [self._members(label, characters) for label in readers]
        traits = [row for label in checkers for row in self._traits(label, characters)]
        shape = len(members) + len(traits), len(characters)
        table = np.array([*members, *traits], dtype=bool).reshape(shape)
        classes, first, self.class_of = np.unique(
            table, axis=1, return_index=True, return_inverse=True
        )
        self.class_of = self.class_of.reshape(-1)
        self.masks = self._masks([*readers.values()], classes)
        by_traits: dict[tuple[bool, ...], str] = {(): ""}
        self.kinds = [
            by_traits.setdefault(tuple(column), characters[index])
            for column, index in zip(
                classes[len(members) :].T.tolist(), first.tolist(), strict=True
            )
        ]
        self.holding = _holding(checkers, {"", *self.kinds})

    def _members(self, label: Characters, characters: str) -> Mask:
        self._count(0, label.n_operations(len(characters)))
        found = label.members(characters)
        self._count(0, int(found.sum()) // 2)
        return found

    def _traits(self, label: Assertion, characters: str) -> list[list[bool]]:
        """Return whether an assertion holds before and after a word of one character.

        Two characters with equal answers have equal answers in all words.
        """
        self._count(0, len(characters))
        match = label.compiled().match
        return [
            [match(character, place) is not None for character in characters]
            for place in (0, 1)
        ]

    def _masks(self, masks: list[int], classes: Mask) -> list[int]:
        """Return the positions that read each class; classes : (n_rows, n_classes)."""
        found = [0] * classes.shape[1]
        for mask, row in zip(masks, classes, strict=False):
            for index in np.flatnonzero(row).tolist():
                found[index] |= mask
                self._count(1)
        return found


def _holding(
    assertions: dict[Assertion, int], kinds: set[str]
) -> dict[str, dict[str, int]]:
    """Return the positions of the assertions that hold between any two kinds."""
    matchers = [(label.compiled().match, mask) for label, mask in assertions.items()]

    def between(before: str, after: str) -> int:
        text, place = before + after, len(before)
        return sum(mask for match, mask in matchers if match(text, place))

    return {
        before: {after: between(before, after) for after in kinds} for before in kinds
    }


def bits(mask: int) -> Iterator[int]:
    """Yield the positions of the bits of an integer."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest
