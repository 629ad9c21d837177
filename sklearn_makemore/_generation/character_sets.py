r"""Sets of characters, and which characters of an alphabet are in them.

The library `regex` is asked only which characters have a property such as
``\p{Greek}``. Its rules for letter case and for operators are not those of Rust.
"""

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType

import numpy as np

from .._words.types import Mask

ASCII_SETS = {
    "alnum": "[0-9A-Za-z]",
    "alpha": "[A-Za-z]",
    "ascii": r"[\x00-\x7F]",
    "blank": r"[\t\x20]",
    "cntrl": r"[\x00-\x1F\x7F]",
    "digit": "[0-9]",
    "graph": r"[\x21-\x7E]",
    "lower": "[a-z]",
    "print": r"[\x20-\x7E]",
    "punct": r"[\x21-\x2F\x3A-\x40\x5B-\x60\x7B-\x7E]",
    "space": r"[\t-\r\x20]",
    "upper": "[A-Z]",
    "word": r"[0-9A-Za-z\x5F]",
    "xdigit": "[0-9A-Fa-f]",
}
"""Sets named in brackets. In Rust's syntax they are ASCII."""

CODES_WITH_CASE = range(0x20000)
"""Unicode has letters of two cases in its first two planes only."""


class PatternError(ValueError):
    """A pattern is not in the syntax. The message says why, without the pattern."""


class Characters:
    """A set of characters."""


@dataclass(frozen=True)
class Span(Characters):
    """The characters from `first` to `last`."""

    first: str
    last: str


@dataclass(frozen=True)
class Named(Characters):
    """The characters of a set, which is text in the syntax of the library `regex`."""

    text: str


@dataclass(frozen=True)
class Folded(Characters):
    """The characters that differ from one of `part` in nothing but their case.

    is_ascii : whether only ASCII letters have two cases.
    """

    part: Span | Named
    is_ascii: bool


@dataclass(frozen=True, eq=False)
class Combined(Characters):
    """What remains of no characters after each step: an operator and its right side.

    Two of them are never equal, because their hash would take as long as their text.
    """

    steps: tuple[tuple[str, Characters], ...]


WORD = Named(r"[\p{Alphabetic}\p{M}\d\p{Pc}\p{Join_Control}]")
LINE_BREAK = Span("\n", "\n")
WORD_ASCII = Named(ASCII_SETS["word"])
ANY = Span("\0", "\U0010ffff")


def union(parts: list[Characters]) -> Characters:
    """Return the characters that are in one of the sets."""
    distinct = [*dict.fromkeys(parts)]
    if len(distinct) == 1:
        return distinct[0]
    return Combined(tuple(("|", part) for part in distinct))


def negated(part: Characters) -> Characters:
    """Return the characters that are not in a set."""
    return Combined((("|", ANY), ("--", part)))


def n_operations(part: Characters, n_characters: int) -> int:
    """Estimate what `members` takes, in operations on sets of 512 positions."""
    if isinstance(part, Combined):
        return sum(n_operations(right, n_characters) for _, right in part.steps)
    if isinstance(part, Folded):
        return 2 * n_operations(part.part, 2 * n_characters)
    return 8 + n_characters // (2 if isinstance(part, Named) else 32)


def members(part: Characters, characters: str) -> Mask:
    """Whether each character is in a set, (n_characters,)."""
    if isinstance(part, Combined):
        return _combined(part, characters)
    if isinstance(part, Folded):
        forms, starts = _all_forms(characters, part.is_ascii)
        return np.logical_or.reduceat(members(part.part, forms), starts)
    if isinstance(part, Named):
        return _named(part, characters)
    assert isinstance(part, Span)
    codes = np.frombuffer(characters.encode("utf-32-le"), dtype="<u4")
    return (codes >= ord(part.first)) & (codes <= ord(part.last))


def _combined(combined: Combined, characters: str) -> Mask:
    found = np.zeros(len(characters), dtype=bool)
    for operator, part in combined.steps:
        right = members(part, characters)
        if operator == "|":
            found |= right
        elif operator == "&&":
            found &= right
        elif operator == "--":
            found &= ~right
        else:
            found ^= right
    return found


def _named(named: Named, characters: str) -> Mask:
    regex = import_regex()
    try:
        matches = regex.compile(named.text, regex.V1).finditer
    except regex.error as error:
        raise PatternError(str(error.msg)) from None
    # Apart, no two characters can be taken for one that is spelled with both.
    apart = "\n".join(characters)
    found = np.zeros(max(1, 2 * len(characters) - 1), dtype=bool)
    found[[match.start() for match in matches(apart)]] = True
    return found[: len(apart) : 2]


@lru_cache(maxsize=4)
def _all_forms(characters: str, is_ascii: bool) -> tuple[str, list[int]]:
    """Return the characters in all cases, and where the forms of each begin."""
    forms = [_forms(character, is_ascii) for character in characters]
    starts = np.cumsum([0, *map(len, forms[:-1])]).tolist()
    return "".join(forms), starts


def _forms(character: str, is_ascii: bool) -> str:
    """Return a character in all cases, itself among them."""
    if is_ascii:
        both = {character, character.swapcase()} if character.isascii() else {character}
        return "".join(sorted(both))
    return _forms_by_fold().get(character.casefold(), character)


@lru_cache(maxsize=1)
def _forms_by_fold() -> dict[str, str]:
    """Return the characters of each folding that have more than one form."""
    forms: dict[str, str] = defaultdict(str)
    for character in map(chr, CODES_WITH_CASE):
        forms[character.casefold()] += character
    return {fold: found for fold, found in forms.items() if len(found) > 1}


def import_regex() -> ModuleType:
    """Import the library that knows the properties of characters."""
    try:
        import regex
    except ImportError as error:
        raise ImportError(
            "matching needs the package regex; install it with "
            "pip install 'sklearn-makemore[matching]'."
        ) from error
    return regex
