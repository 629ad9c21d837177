r"""A regular expression to a tree, in the syntax of Rust's regex crate.

Only the structure is parsed here. A class of characters such as ``[a-z&&[^q]]`` or
``\p{Greek}`` stays text, which the library `regex` matches.
"""

import re
from dataclasses import dataclass
from typing import TypeAlias

MAX_DEPTH = 100
"""Largest number of groups inside one another: each takes five Python calls."""

NOT_REGULAR = {
    r"\(\?<?[=!]": "look-around",
    r"\\[1-9]|\\k[<{]|\(\?P=": "back references",
    r"\(\?>": "atomic groups",
    r"\(\?\(": "conditions",
}
"""Elements of other dialects that a finite automaton cannot match, for the message."""

POSIX = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": r"\x00-\x7F",
    "blank": r"\t\x20",
    "cntrl": r"\x00-\x1F\x7F",
    "digit": "0-9",
    "graph": r"\x21-\x7E",
    "lower": "a-z",
    "print": r"\x20-\x7E",
    "punct": r"\x21-\x2F\x3A-\x40\x5B-\x60\x7B-\x7E",
    "space": r"\t-\r\x20",
    "upper": "A-Z",
    "word": r"0-9A-Za-z\x5F",
    "xdigit": "0-9A-Fa-f",
}
"""Sets named in brackets. In Rust's syntax they are ASCII."""

ESCAPE = re.compile(
    r"\\(?:(?P<set>[dDwWsS]|[pP](?:\{[^{}]+\}|[A-Za-z]))"
    r"|(?P<hex>[xuU]\{[0-9A-Fa-f]{1,8}\}|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8})"
    r"|(?P<control>[aftnrv])|(?P<anchor>[AzbB](?!\{))"
    r"|(?P<literal>[ -~\s](?<![0-9A-Za-z<>])))"
)
SET_TOKEN = re.compile(r"\[:\^?[a-z]+:\]|\[\^?\]?|\]|&&|--|~~|\\|.", re.DOTALL)
COUNTS = re.compile(r"\{\s*(\d{1,9})\s*(?:(,)\s*(\d{1,9})?\s*)?\}")
NAME = re.compile(r"\?P?<[A-Za-z_][\w.\[\]]*>")
FLAGS = re.compile(r"\?([imsxuU]*)(?:-([imsxuU]+))?([:)])")


class PatternError(ValueError):
    """A pattern is not in the syntax. The message says why, without the pattern."""


@dataclass(frozen=True)
class Characters:
    r"""One character of a set.

    text : the character, or a set in the syntax of the library `regex`.
    is_ascii : whether sets such as ``\w`` have ASCII characters only.
    """

    text: str
    ignore_case: bool = False
    is_ascii: bool = False

    @property
    def is_set(self) -> bool:
        """Whether `text` is a set, not one character."""
        return len(self.text) > 1


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


def escaped(character: str) -> str:
    """Write a character so that it has no other meaning to the library `regex`."""
    return f"\\U{ord(character):08x}"


class _Parser:
    """Recursive descent over a pattern; `flags` are those that hold at `place`."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.place = 0
        self.depth = 0
        self.flags = frozenset("u")

    def choice(self) -> Node:
        """Read up to the end of a group; its flags end with it."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise PatternError(f"more than {MAX_DEPTH} groups inside one another")
        outer, parts = self.flags, [self._chain()]
        while self._take("|"):
            parts.append(self._chain())
        self.flags = outer
        self.depth -= 1
        return parts[0] if len(parts) == 1 else Choice(tuple(parts))

    def peek(self) -> str:
        """Return the next significant character, "" at the end."""
        if "x" in self.flags:
            self._match(re.compile(r"(?:\s|#[^\n]*)*"))
        return self.pattern[self.place : self.place + 1]

    def _take(self, text: str) -> bool:
        found = bool(self.peek()) and self.pattern.startswith(text, self.place)
        self.place += len(text) * found
        return found

    def _match(self, expression: re.Pattern[str]) -> re.Match[str] | None:
        found = expression.match(self.pattern, self.place)
        if found:
            self.place = found.end()
        return found

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
            return self._characters(self._set())
        self.place += 1
        if character == "(":
            return self._group()
        if character in "*+?{":
            raise PatternError(f"nothing to repeat before {character}")
        if character in "^$":
            return Assertion(character, by_line="m" in self.flags)
        if character == ".":
            return Characters(r"[\s\S]" if "s" in self.flags else r"[^\n]")
        return self._characters(character)

    def _characters(self, text: str) -> Characters:
        return Characters(text, "i" in self.flags, "u" not in self.flags)

    def _repeated(self, part: Node) -> Node:
        """Read what repeats a part. Lazy or not, the matches are the same."""
        while character := self.peek():
            if character in "*+?":
                self.place += 1
                counts = {"*": (0, None), "+": (1, None), "?": (0, 1)}[character]
            elif character == "{":
                counts = self._counts()
            else:
                break
            self._take("?")
            part = Repeat(part, *counts)
        return part

    def _counts(self) -> tuple[int, int | None]:
        found = self._match(COUNTS)
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
        if self.pattern.startswith("?", self.place) and not self._match(NAME):
            found = self._match(FLAGS)
            if found is None:
                raise PatternError("unknown group (?")
            outer = self.flags
            self.flags = (outer | {*found[1]}) - {*(found[2] or "")}
            if found[3] == ")":
                return None
            part = self._closed()
            self.flags = outer
            return part
        return self._closed()

    def _closed(self) -> Node:
        part = self.choice()
        if not self._take(")"):
            raise PatternError("missing ), unterminated subpattern")
        return part

    def _escape(self) -> Node:
        found = self._match_escape()
        if found["anchor"] is None:
            return self._characters(
                found["set"] and found[0] or _escaped_character(found)
            )
        kind = {"A": "^", "z": "$"}.get(found["anchor"], found["anchor"])
        return Assertion(kind, is_ascii="u" not in self.flags)

    def _match_escape(self) -> re.Match[str]:
        found = self._match(ESCAPE)
        if found is None:
            text = self.pattern[self.place : self.place + 2]
            hint = "; the end is \\z instead of \\Z" if text == "\\Z" else ""
            raise PatternError(f"bad escape {text}{hint}")
        return found

    def _set(self) -> str:
        """Read a set in brackets, and write it for the library `regex`."""
        texts: list[str] = []
        depth = 0
        while depth or not texts:
            found = self._match(SET_TOKEN)
            if found is None or depth > MAX_DEPTH:
                raise PatternError("unterminated character set")
            token = found[0]
            if token == "\\":
                self.place -= 1
                texts.append(_escape_text(self._match_escape()))
            elif token.startswith("[:"):
                texts.append(_posix_set(token))
            elif token[0] == "[":
                depth += 1
                texts.append(token.replace("]", escaped("]")))
            elif token == "]":
                depth -= 1
                texts.append(token)
            elif "x" in self.flags and token.isspace():
                continue
            elif token in ("&&", "--", "~~"):
                if texts[-1] in ("[", "[^") or self.pattern.startswith("]", self.place):
                    raise PatternError(f"{token} needs a set on both sides")
                texts.append(token)
            else:
                texts.append(token if token == "-" else escaped(token))
        return "".join(texts)


def _posix_set(token: str) -> str:
    """Write ``[:alpha:]`` or ``[:^alpha:]`` as a separate set."""
    is_negated, name = token[2] == "^", token.strip("[:^]")
    if name not in POSIX:
        raise PatternError(f"unknown set {token}")
    return f"[{'^' * is_negated}{POSIX[name]}]"


def _escape_text(found: re.Match[str]) -> str:
    """Write an escape of a character or a set for the library `regex`."""
    if found["set"]:
        return found[0]
    if found["anchor"]:
        raise PatternError(f"bad escape {found[0]} in a set")
    return escaped(_escaped_character(found))


def _escaped_character(found: re.Match[str]) -> str:
    """Return the character that an escape stands for."""
    if found["hex"]:
        code = int(found["hex"].strip("xuU{}"), 16)
        if code > 0x10FFFF:
            raise PatternError(f"{found[0]} is no character")
        return chr(code)
    controls = dict(zip("aftnrv", "\a\f\t\n\r\v", strict=True))
    return controls.get(found[0][1], found[0][1])
