"""A regular expression to a tree, in the syntax of Rust's regex crate."""

import re
from dataclasses import dataclass
from typing import TypeAlias

from .character_sets import Characters, PatternError
from .parse_set import MAX_DEPTH, SetParser

NOT_REGULAR = {
    r"\(\?<?[=!]": "look-around",
    r"\\[1-9]|\\k[<{]|\(\?P=": "back references",
    r"\(\?>": "atomic groups",
    r"\(\?\(": "conditions",
}
"""Elements of other dialects that a finite automaton cannot match, for the message."""

LAZY = re.compile(r"\?")
COUNTS = re.compile(r"\{\s*([0-9]{1,9})\s*(?:(,)(?:\s*([0-9]{1,9})\s*)?)?\}")
NAME = re.compile(r"\?P?<([^\W\d][\w.\[\]]*)>")
FLAGS = re.compile(r"\?(?!\))([imsxuU]*)(?:-([imsxuU]+))?([:)])")


@dataclass(frozen=True)
class Assertion:
    """A condition on the characters before and after: "^", "$", "b" or "B".

    by_line : whether a line break counts as an end of the word, for "^" and "$".
    is_ascii : whether only ASCII letters are letters, for "b" and "B".
    """

    kind: str
    by_line: bool = False
    is_ascii: bool = False


@dataclass(frozen=True)
class Chain:
    """Parts one after the other."""

    parts: tuple["Node", ...]


@dataclass(frozen=True)
class Choice:
    """One of the parts."""

    parts: tuple["Node", ...]


@dataclass(frozen=True)
class Repeat:
    """A part `least` to `most` times; None is without a limit."""

    part: "Node"
    least: int
    most: int | None


Node: TypeAlias = Characters | Assertion | Chain | Choice | Repeat


def parse_pattern(pattern: str) -> Node:
    """Parse a regular expression; raises `PatternError`."""
    parser = _Parser(pattern)
    tree = parser.choice()
    if parser.peek():
        raise PatternError("unbalanced parenthesis")
    return tree


def not_regular(pattern: str) -> list[str]:
    """Return the elements of a pattern that no finite automaton can match."""
    text = pattern.replace("\\\\", "")  # an escaped backslash escapes nothing
    return [name for mark, name in NOT_REGULAR.items() if re.search(mark, text)]


class _Parser(SetParser):
    """Recursive descent over a pattern."""

    def __init__(self, pattern: str) -> None:
        super().__init__(pattern)
        self.names: set[str] = set()

    def choice(self) -> Node:
        """Read up to the end of a group; its flags end with it."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise PatternError(f"more than {MAX_DEPTH} groups inside one another")
        outer, parts = self.flags, [self._chain()]
        while self.take("|"):
            parts.append(self._chain())
        self.flags = outer
        self.depth -= 1
        return parts[0] if len(parts) == 1 else Choice(tuple(parts))

    def _chain(self) -> Chain:
        parts: list[Node] = []
        while self.peek() not in ("", "|", ")"):
            part = self._part()
            if part is not None:
                parts.append(self._repeated(part))
        return Chain(tuple(parts))

    def _part(self) -> Node | None:
        """Read one element; None if it only sets flags."""
        character = self.peek()
        if character == "\\":
            return self._escape()
        if character == "[":
            return self.bracketed()
        self.place += 1
        if character == "(":
            return self._group()
        if character in "*+?{":
            raise PatternError(f"nothing to repeat before {character}")
        if character in "^$":
            return Assertion(character, by_line="m" in self.flags)
        return self.dot() if character == "." else self.literal(character)

    def _escape(self) -> Node:
        found = self.match_escape()
        if found["anchor"] is None:
            part = self.escaped(found)
            return self.literal(part) if isinstance(part, str) else part
        kind = {"A": "^", "z": "$"}.get(found["anchor"], found["anchor"])
        return Assertion(kind, is_ascii="u" not in self.flags)

    def _repeated(self, part: Node) -> Node:
        """Read what repeats a part. Lazy or not, the matches are the same."""
        while character := self.peek():
            if character in "*+?":
                self.place += 1
                counts = {"*": (0, None), "+": (1, None), "?": (0, 1)}[character]
                self.match(LAZY)  # after whitespace it is a repetition of its own
            elif character == "{":
                counts = self._counts()
                self.take("?")
            else:
                break
            part = Repeat(part, *counts)
        return part

    def _counts(self) -> tuple[int, int | None]:
        found = self.match(COUNTS)
        if found is None:
            raise PatternError(
                "counts are written {n}, {n,} or {n,m}; {,n} is written {0,n}"
            )
        least = int(found[1])
        most = least if found[2] is None else int(found[3]) if found[3] else None
        if most is not None and most < least:
            raise PatternError("min repeat greater than max repeat")
        return least, most

    def _group(self) -> Node | None:
        if self.peek() != "?":
            return self._closed()
        found = self.match(NAME)
        if found is None:
            return self._flagged()
        if found[1] in self.names:
            raise PatternError(f"two groups have the name {found[1]}")
        self.names.add(found[1])
        return self._closed()

    def _flagged(self) -> Node | None:
        """Read flags, and the group that they are for; None if it is what follows."""
        found = self.match(FLAGS)
        if found is None:
            raise PatternError(
                "unknown group (? or flag; the flags are i, m, s, x, u, U"
            )
        on, off = found[1], found[2] or ""
        if len({*on, *off}) < len(on + off):
            raise PatternError(f"a flag comes twice in ({found[0]}")
        outer = self.flags
        self.flags = (outer | {*on}) - {*off}
        if found[3] == ")":
            return None
        part = self._closed()
        self.flags = outer
        return part

    def _closed(self) -> Node:
        part = self.choice()
        if not self.take(")"):
            raise PatternError("missing ), unterminated subpattern")
        return part
