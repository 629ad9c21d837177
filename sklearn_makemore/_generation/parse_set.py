"""Characters and sets of characters in the syntax of Rust's regex crate."""

import re

from .character_sets import (
    ASCII_SETS,
    LINE_BREAK,
    WORD,
    Characters,
    Combined,
    Folded,
    Named,
    PatternError,
    Span,
    members,
    negated,
    union,
)

MAX_DEPTH = 100
"""Largest number of groups and sets inside one another: a group takes five calls."""

SETS = {
    "d": (Named(r"\d"), "digit"),
    "s": (Named(r"\p{White_Space}"), "space"),
    "w": (WORD, "word"),
}
"""What an escape stands for, and the name of its ASCII characters."""

RENAMED = {"idc": "ID_Continue"}
"""Properties whose short name means something else to the library `regex`."""

SKIPPED = re.compile(r"(?:[^\S\x1c-\x1f]|#[^\n]*)*")
"""Whitespace of Unicode, which Python adds four control characters to, and comments."""

ESCAPE = re.compile(
    r"\\(?:(?P<set>[dDwWsS])"
    r"|(?P<property>[pP])(?:(?P<letter>[A-Za-z])"
    r"|\{(?P<name>[\w -]+)(?:(?P<relation>=|:|!=)(?P<value>[\w -]+))?\})"
    r"|(?P<hex>[xuU]\{[0-9A-Fa-f]{1,8}\}|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8})"
    r"|(?P<control>[aftnrv])|(?P<anchor>[AzB]|b(?!\{\s*[A-Za-z-]))"
    r"|(?P<literal>[\x00-\x7F](?<![0-9A-Za-z<>])))",
    re.ASCII,
)
HINTS = {
    r"\Z": r"; the end is \z instead of \Z",
    r"\b": r"; \b has no braces here",
    r"\<": r"; only \b and \B are word boundaries here",
    r"\>": r"; only \b and \B are word boundaries here",
}
NAMED_SET = re.compile(r"\[:(\^?)(\w*):\]")
OPERATOR = re.compile("&&|--|~~")
CONTROLS = dict(zip("aftnrv", "\a\f\t\n\r\v", strict=True))


class SetParser:
    """Reader of a pattern; `flags` are those that hold at `place`."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.place = 0
        self.depth = 0
        self.flags = frozenset("u")

    def peek(self) -> str:
        """Return the next significant character, "" at the end."""
        if "x" in self.flags:
            self.match(SKIPPED)
        return self.pattern[self.place : self.place + 1]

    def take(self, character: str) -> bool:
        """Skip a character if it is the next; return whether it is."""
        found = self.peek() == character
        self.place += found
        return found

    def match(self, expression: re.Pattern[str]) -> re.Match[str] | None:
        """Skip what an expression matches here, if it does."""
        found = expression.match(self.pattern, self.place)
        if found:
            self.place = found.end()
        return found

    def dot(self) -> Characters:
        """Return what a dot stands for."""
        return self._negated(union([] if "s" in self.flags else [LINE_BREAK]))

    def literal(self, character: str) -> Characters:
        """Return the set of a character, in both cases if case is ignored."""
        return self._folded(Span(character, character))

    def match_escape(self) -> re.Match[str]:
        """Read an escape of any kind."""
        found = self.match(ESCAPE)
        if found is None:
            text = self.pattern[self.place : self.place + 2]
            raise PatternError(f"bad escape {text}{HINTS.get(text, '')}")
        return found

    def escaped(self, found: re.Match[str]) -> Characters | str:
        """Return the set or the character that an escape stands for."""
        if found["set"]:
            return self._escaped_set(found["set"])
        if found["property"]:
            return self._property(found)
        if found["anchor"]:
            raise PatternError(f"bad escape {found[0]} in a set")
        if found["hex"]:
            return self._hexadecimal(found["hex"])
        return CONTROLS.get(found[0][1], found[0][1])

    def bracketed(self) -> Characters:
        """Read a set in brackets. Operators hold from left to right."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise PatternError(
                f"unterminated character set, or more than {MAX_DEPTH} in one another"
            )
        self.place += 1
        is_negated = self.take("^")
        parts = self._first_parts()
        steps: list[tuple[str, Characters]] = []
        operator = "|"
        while True:
            ending = self._operator_or_end()
            if not ending:
                parts.append(self._set_part())
                continue
            if not parts:
                found = operator if ending == "]" else ending
                raise PatternError(f"{found} needs a set on both sides")
            steps.append((operator, union(parts)))
            if ending == "]":
                break
            operator, parts = ending, []
        self.depth -= 1
        part = Combined(tuple(steps)) if len(steps) > 1 else steps[0][1]
        return self._negated(part) if is_negated else part

    def _first_parts(self) -> list[Characters]:
        """Read the hyphens, or the bracket, that a set begins with."""
        parts: list[Characters] = []
        while self.take("-"):
            parts.append(self.literal("-"))
        if not parts and self.take("]"):
            parts.append(self.literal("]"))
        return parts

    def _operator_or_end(self) -> str:
        if self.take("]"):
            return "]"
        found = self.match(OPERATOR)
        return found[0] if found else ""

    def _set_part(self) -> Characters:
        """Read a set inside a set, a character or a range."""
        if self.peek() == "[":
            found = self.match(NAMED_SET)
            return self._named_set(found) if found else self.bracketed()
        start = self.place
        first = self._one()
        if self._has_range():
            last = self._one()
            if isinstance(first, Characters) or isinstance(last, Characters):
                raise PatternError("bad character range with a set at an end")
            if first > last:
                raise PatternError(
                    f"bad character range {self.pattern[start : self.place]}"
                )
            return self._span(first, last)
        return first if isinstance(first, Characters) else self._span(first, first)

    def _one(self) -> Characters | str:
        character = self.peek()
        if not character:
            raise PatternError("unterminated character set")
        if character == "\\":
            return self.escaped(self.match_escape())
        self.place += 1
        return character

    def _has_range(self) -> bool:
        """Skip the hyphen of a range; return whether there is one."""
        if not self.take("-"):
            return False
        hyphen = self.place - 1
        if self.peek() in ("]", "-"):
            self.place = hyphen
            return False
        return True

    def _span(self, first: str, last: str) -> Characters:
        if "u" not in self.flags and not last.isascii():
            raise PatternError("with (?-u) all sets are ASCII")
        return self._folded(Span(first, last))

    def _named_set(self, found: re.Match[str]) -> Characters:
        r"""Return ``[:alpha:]`` or ``[:^alpha:]``."""
        if found[2] not in ASCII_SETS:
            raise PatternError(f"unknown set {found[0]}")
        part = self._folded(Named(ASCII_SETS[found[2]]))
        return self._negated(part) if found[1] else part

    def _escaped_set(self, letter: str) -> Characters:
        part, ascii_name = SETS[letter.lower()]
        if "u" not in self.flags:
            part = Named(ASCII_SETS[ascii_name])
        return self._negated(part) if letter.isupper() else part

    def _property(self, found: re.Match[str]) -> Characters:
        if "u" not in self.flags:
            raise PatternError(f"with (?-u) all sets are ASCII, and {found[0]} is not")
        value = f"={found['value']}" if found["value"] else ""
        name = found["letter"] or found["name"]
        named = Named(f"\\p{{{RENAMED.get(name.lower(), name)}{value}}}")
        members(named, "")  # an unknown name is an error even where nothing reads it
        part = self._folded(named)
        is_negated = (found["property"] == "P") != (found["relation"] == "!=")
        return negated(part) if is_negated else part

    def _hexadecimal(self, text: str) -> str:
        code = int(text.strip("xuU{}"), 16)
        if code > 0x10FFFF or 0xD800 <= code < 0xE000:
            raise PatternError(f"\\{text} is no character")
        if "u" not in self.flags and code > 0x7F and len(text) == 3:
            raise PatternError(f"with (?-u) \\{text} is a byte; write \\u{code:04x}")
        return chr(code)

    def _folded(self, part: Span | Named) -> Characters:
        return Folded(part, "u" not in self.flags) if "i" in self.flags else part

    def _negated(self, part: Characters) -> Characters:
        if "u" not in self.flags:
            raise PatternError(
                "with (?-u) all sets are ASCII; there is no dot and no negation"
            )
        return negated(part)
