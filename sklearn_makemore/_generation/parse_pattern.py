"""A pattern in the syntax of Python's `re` to a tree."""

import re
import warnings
from dataclasses import dataclass
from typing import Any, TypeAlias

from .character_sets import (
    Assertion,
    Characters,
    PatternError,
    combined_flags,
    parser,
    property_pattern,
)

MAX_LENGTH = 1 << 16
"""Largest number of characters of a pattern: Python's parser takes up to 0.5 seconds,
and the automaton of a longer one would be too large."""

SYNTAX = "https://docs.python.org/3/library/re.html#regular-expression-syntax"

UNSUPPORTED = {
    "ASSERT": "look-around",
    "ASSERT_NOT": "look-around",
    "FAILURE": "look-around",  # an empty one
    "GROUPREF": "back references",
    "GROUPREF_EXISTS": "conditions on groups",
    "ATOMIC_GROUP": "atomic groups",
    "POSSESSIVE_REPEAT": "possessive repetitions",
}
"""Nodes of Python's parser that have no counterpart in an automaton."""

ESCAPE = re.compile(
    r"\\(?P<property>[pP](?:[A-Za-z]|\{\^?[\w -]+(?:[=:][\w -]+)?\}))"
    r"|(?P<surrogate>[\ud800-\udfff]|\\(?:u|U0000)[dD][89a-fA-F][0-9a-fA-F]{2})"
    r"|\\.",
    re.DOTALL,
)

SURROGATES = range(0xD800, 0xE000)
"""Code points that are no characters. They stand for properties while Python parses."""


class TooLargeError(Exception):
    """The automaton of a pattern would take too much time or memory."""


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


def parse_pattern(pattern: str, characters: str) -> Node:
    """Parse a pattern for words of some characters.

    Raises `PatternError`, `TooLargeError`, or `RecursionError` for too deep a pattern.
    """
    if len(pattern) > MAX_LENGTH:
        raise TooLargeError
    text, properties = _with_placeholders(pattern)
    parsed = _parsed(text, properties)
    tree = _Tree(properties, "\n" in characters)
    return tree.chain(parsed, parsed.state.flags)


def _with_placeholders(pattern: str) -> tuple[str, dict[int, str]]:
    r"""Replace each property such as ``\p{Greek}`` by a surrogate.

    The second result is the property of each surrogate's code.
    """
    codes: dict[str, int] = {}

    def replaced(found: re.Match[str]) -> str:
        if found["surrogate"]:
            raise PatternError(
                f"has a lone surrogate at index {found.start()}, which is not a "
                "character; leave it out"
            )
        if not found["property"]:
            return found[0]
        if len(codes) == len(SURROGATES):
            raise TooLargeError
        return chr(codes.setdefault(found[0], SURROGATES[len(codes)]))

    text = ESCAPE.sub(replaced, pattern)
    return text, {code: source for source, code in codes.items()}


def _parsed(text: str, properties: dict[int, str]) -> Any:
    """Parse with Python's parser; what it warns of is an error too."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return parser.parse(text)
    except re.error as error:
        index = len(text[: error.pos].translate(properties))
        reason = f"{error.msg.translate(properties)} at index {index}"
    except Warning as warning:  # for instance "Possible nested set at position 3"
        problem = str(warning).partition(" at position")[0].lower()
        reason = f"{problem}; write a backslash before [, -, &, ~ or | in a set"
    except (OverflowError, ValueError):  # the latter beyond 4300 digits
        reason = "the repetition number is too large"
    raise PatternError(
        f"is not a regular expression in Python's syntax: {reason}; see {SYNTAX}"
    )


class _Tree:
    """Converter of the trees of Python's parser. Equal leaves become one object."""

    def __init__(self, properties: dict[int, str], has_line_breaks: bool) -> None:
        self.properties = properties
        self.has_line_breaks = has_line_breaks
        self.leaves: dict[str, Characters | Assertion] = {}

    def chain(self, nodes: Any, flags: int) -> Chain:
        """Convert nodes that follow each other."""
        return Chain(tuple([self._node(node, flags) for node in nodes]))

    def _node(self, node: tuple[Any, Any], flags: int) -> Node:
        operation, value = node
        match operation.name:
            case "BRANCH":
                return Choice(tuple([self.chain(part, flags) for part in value[1]]))
            case "SUBPATTERN":
                _, added, removed, part = value
                return self.chain(part, combined_flags(flags, added, removed))
            case "MAX_REPEAT" | "MIN_REPEAT":  # lazy or not, the matches are the same
                least, most, part = value
                most = None if most == parser.MAXREPEAT else most
                return Repeat(self.chain(part, flags), least, most)
            case "LITERAL" | "NOT_LITERAL" | "ANY" | "IN" | "AT":
                return self._leaf(node, flags)
            case name:
                raise PatternError(
                    f"has {UNSUPPORTED.get(name, name)}, which this package does not "
                    "support: it compiles a pattern to a finite automaton"
                )

    def _leaf(self, node: tuple[Any, Any], flags: int) -> Characters | Assertion:
        key = repr((node, flags))
        if key not in self.leaves:
            is_assertion = node[0] is parser.AT
            convert = self._assertion if is_assertion else self._characters
            self.leaves[key] = convert(node, flags)
        return self.leaves[key]

    def _assertion(self, node: tuple[Any, Any], flags: int) -> Assertion:
        is_end = node[1] is parser.AT_END and not flags & re.MULTILINE
        if is_end and self.has_line_breaks:
            raise PatternError(
                "has $, which also matches before a last line break, and words may "
                r"have line breaks here; write \Z, or leave it out"
            )
        return Assertion(node, flags)

    def _characters(self, node: tuple[Any, Any], flags: int) -> Characters:
        operation, value = node
        items = value if operation is parser.IN else [node]
        plain: list[tuple[Any, Any]] = []
        properties: list[Any] = []
        for item in items:
            operation, value = item
            if operation is parser.RANGE and not self.properties.keys().isdisjoint(
                value
            ):
                raise PatternError("has a character range with a property at an end")
            if value in self.properties:
                properties.append(property_pattern(self.properties[value], flags))
            elif operation is not parser.NEGATE:
                plain.append(item)
        if not properties:
            return Characters(node, flags)
        is_negated = items[0][0] in (parser.NEGATE, parser.NOT_LITERAL)
        return Characters((parser.IN, plain), flags, tuple(properties), is_negated)
