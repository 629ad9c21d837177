r"""The leaves of a pattern: sets of characters, and assertions.

Python's matcher evaluates them, so that there is no second definition of letter case,
of ``\w`` or of ``\b``. Only properties such as ``\p{Greek}``, which it does not know,
come from the library `regex`.
"""

import re
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

from .._words.types import Mask

# Python's own parser and compiler. They are not documented, but all versions from 3.11
# to 3.14 have them in this form.
parser: Any = import_module("re._parser")
compiler: Any = import_module("re._compiler")
combined_flags: Any = compiler._combine_flags


class PatternError(ValueError):
    """A pattern cannot be compiled. The message is the predicate of a sentence."""


@dataclass(frozen=True, eq=False)
class Leaf:
    """A node of Python's parser that has no nodes inside, and the flags that hold."""

    node: tuple[Any, Any]
    flags: int

    def compiled(self) -> re.Pattern[str]:
        """Return the node as a pattern of its own."""
        state = parser.State()
        state.flags = self.flags
        return compiler.compile(parser.SubPattern(state, [self.node]))


class Assertion(Leaf):
    r"""A condition on the characters before and after, such as ``\b``."""


@dataclass(frozen=True, eq=False)
class Characters(Leaf):
    """A set of characters.

    properties : patterns of the library `regex` that match more characters
    is_negated : whether the set has all other characters instead
    """

    properties: tuple[Any, ...] = ()
    is_negated: bool = False

    def members(self, characters: str) -> Mask:
        """Whether each character is in the set, (n_characters,)."""
        found = np.zeros(len(characters), dtype=bool)
        for pattern in (self.compiled(), *self.properties):
            found[[match.start() for match in pattern.finditer(characters)]] = True
        return ~found if self.is_negated else found

    def n_operations(self, n_characters: int) -> int:
        """Estimate what `members` takes, in operations on sets of 512 positions.

        Each member takes one half of an operation more.
        """
        operation, value = self.node
        n_passes = 1 + len(self.properties)
        n_compiled = 50
        if operation is parser.IN:
            # Python's compiler visits each character of a range in the first plane.
            ranges = [item[1] for item in value if item[0] is parser.RANGE]
            widths = [min(last - first, 1 << 16) for first, last in ranges]
            n_compiled = 500 + sum(widths) // 4
        return n_compiled + n_passes * n_characters // 16


def has_assertions(pattern: re.Pattern[str]) -> bool:
    """Whether a match may depend on characters around it."""
    assertions = parser.ASSERT, parser.ASSERT_NOT, parser.AT
    parts: list[Any] = [parser.parse(pattern.pattern, pattern.flags)]
    for part in parts:
        if isinstance(part, (list, tuple, parser.SubPattern)):
            parts.extend(part)
    return any(part is assertion for part in parts for assertion in assertions)


def property_pattern(text: str, flags: int) -> Any:
    r"""Return a property such as ``\p{Greek}`` as a pattern of the library `regex`."""
    regex = _import_regex()
    try:
        return regex.compile(text, regex.IGNORECASE if flags & re.IGNORECASE else 0)
    except regex.error as error:
        raise PatternError(f"has {text}: {error.msg}") from None


def _import_regex() -> ModuleType:
    try:
        import regex
    except ImportError as error:
        raise ImportError(
            r"Properties such as \p{Greek} in a pattern need the package regex; "
            "install it with pip install 'sklearn-makemore[matching]'."
        ) from error
    return regex
