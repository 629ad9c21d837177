"""Symbols of several characters, and the vocabulary that `alphabet` describes."""

import re
import reprlib
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from .check import word_at
from .code_points import CodePoints, is_surrogate, place_dtype
from .types import Mask
from .vocabulary import BOUNDARY, UNKNOWN, CharVocabulary, EncodedWords

Pattern: TypeAlias = re.Pattern[str]

Alphabet: TypeAlias = str | Iterable[str] | Pattern | tuple[Pattern, Iterable[str]]
"""Values of the parameter `alphabet`. A pattern without symbols finds them in words."""


class SymbolVocabulary(CharVocabulary):
    """Symbols of one or more characters.

    Words are cut from left to right. Without a pattern, the longest symbol that fits is
    cut off. A character at which nothing fits is a symbol of its own.

    characters : texts of the symbols; ids follow their order, without repeats
    unknown : whether a last symbol stands for every other text
    pattern : what it matches is cut off
    """

    def __init__(
        self,
        characters: Iterable[str],
        *,
        unknown: bool = False,
        pattern: Pattern | None = None,
    ) -> None:
        self.characters = tuple(sorted(set(characters)))
        self.unknown = unknown
        self.pattern = pattern
        self._longest_first = None if pattern else longest_first(self.characters)

    @classmethod
    def from_pattern(
        cls, joined: CodePoints, pattern: Pattern, *, unknown: bool = False
    ) -> "SymbolVocabulary":
        """Build the vocabulary of all matches of a pattern in some words."""
        pieces = {
            piece
            for word in joined.words()
            for piece, is_match in cut(word, pattern)
            if is_match
        }
        symbols = check_symbols([*pieces])
        return cls(symbols, unknown=unknown, pattern=pattern)

    @property
    def alphabet(self) -> Any:
        """The value of `alphabet` that describes these symbols."""
        symbols = [*self.characters]
        return symbols if self.pattern is None else (self.pattern, symbols)

    @property
    def segmentation(self) -> Hashable:
        """What decides where words are cut: equal if each word is cut alike."""
        if self.pattern is not None:
            return self.pattern
        return frozenset(symbol for symbol in self.characters if len(symbol) > 1)

    def grown(self, joined: CodePoints) -> CharVocabulary:
        """Return this vocabulary with the new matches of the pattern in some words."""
        if self.pattern is None:
            return self
        return self.union(SymbolVocabulary.from_pattern(joined, self.pattern))

    def segments(self, word: str) -> list[str]:
        """Return the symbols of a word as texts; unknown characters are symbols too."""
        if self.pattern is not None:
            return [piece for piece, _ in cut(word, self.pattern)]
        return cast("Pattern", self._longest_first).findall(word)

    def lengths(self, words: Sequence[str]) -> NDArray[np.int64]:
        """Return the number of symbols of words in any characters, (n_words,)."""
        return np.array([len(self.segments(word)) for word in words], dtype=np.int64)

    def can_encode(self, words: Sequence[str]) -> Mask:
        """Return which words `encode` accepts, (n_words,)."""
        known = {*self.characters}
        accepted = [
            self.unknown or known.issuperset(self.segments(word)) for word in words
        ]
        return np.array(accepted, dtype=bool)

    def encode_code_points(
        self, joined: CodePoints, name: str = "words"
    ) -> EncodedWords:
        """Encode words that are joined already; the same errors as `encode`."""
        missing = self.n_symbols if self.unknown_id is None else self.unknown_id
        ids = {symbol: i for i, symbol in enumerate(self.characters, start=1)}
        lengths = [0]

        def codes_of_words() -> Iterator[int]:
            yield BOUNDARY
            for word in joined.words():
                codes = [ids.get(symbol, missing) for symbol in self.segments(word)]
                yield from codes
                yield BOUNDARY
                lengths.append(len(codes) + 1)

        codes = np.fromiter(codes_of_words(), dtype=self.dtype)
        offsets = np.cumsum(lengths).astype(place_dtype(len(codes)))
        if not self.unknown and codes.max() == missing:
            place = int(np.argmax(codes == missing))
            index = int(np.searchsorted(offsets, place, side="right")) - 1
            raise self._not_covered(joined.word(index), index, name)
        return EncodedWords(codes, offsets)

    def decode(self, encoded: EncodedWords) -> list[str]:
        """Decode ids to words.

        The unknown symbol becomes U+FFFD or, if a symbol contains it, another character
        that no symbol contains.
        """
        symbols = ["", *self.characters, chr(self.point_outside())]
        codes: list[int] = encoded.codes.tolist()
        texts = [symbols[code] for code in codes]
        offsets = encoded.offsets.tolist()
        return [
            "".join(texts[start + 1 : stop])
            for start, stop in zip(offsets[:-1], offsets[1:], strict=True)
        ]

    def decode_after(self, prefix: str, encoded: EncodedWords) -> list[str | None]:
        """Decode the rest of words, and return the words with their prefix.

        A word is None if it is encoded to other ids than those of its prefix and its
        rest, such as "C", "l" if "Cl" is a symbol.
        """
        first, symbols = self.segments(prefix), self.symbols
        words = super().decode_after(prefix, encoded)
        bounds = encoded.offsets.tolist()
        for index, word in enumerate(cast("list[str]", words)):
            rest = encoded.codes[bounds[index] + 1 : bounds[index + 1]].tolist()
            if self.segments(word) != [*first, *(symbols[code] for code in rest)]:
                words[index] = None
        return words

    def are_words(self, encoded: EncodedWords) -> Mask:
        """Return whether the texts of words are encoded to their ids, (n_words,)."""
        words = self.decode_after("", encoded)
        return np.array([word is not None for word in words], dtype=bool)

    def _like(self, characters: Iterable[str]) -> CharVocabulary:
        return SymbolVocabulary(characters, unknown=self.unknown, pattern=self.pattern)

    def _places_in(self, other: CharVocabulary) -> NDArray[np.int64]:
        places = {symbol: place for place, symbol in enumerate(other.characters)}
        return np.array([places[symbol] for symbol in self.characters], dtype=np.int64)

    def _not_covered(self, word: str, index: int, name: str) -> ValueError:
        """Return the error for a word that is not a sequence of symbols."""
        known, n_before = {*self.characters}, 0
        for piece in self.segments(word):
            if piece not in known:
                break
            n_before += len(piece)
        rest = reprlib.repr(word[n_before:])
        return ValueError(
            f"{word_at(word, index, name)} is not a sequence of symbols of the "
            f"alphabet: no symbol fits {rest}, which begins at character "
            f"{n_before}. Add symbols to `alphabet` before fitting, or set "
            "handle_unknown='unk' to reserve a symbol for unknown characters. Words "
            "are cut from left to right, "
            + (
                "each time after the longest symbol that fits."
                if self.pattern is None
                else "each time after a match of the pattern."
            )
        )


def longest_first(symbols: Sequence[str]) -> Pattern:
    """Return the pattern of one symbol or else one character, the longest if several.

    Symbols are grouped by their first character, so that a search does not try all.
    """
    rests: dict[str, list[str]] = {}
    for symbol in sorted(symbols, key=len, reverse=True):
        rests.setdefault(symbol[0], []).append(re.escape(symbol[1:]))
    branches = [
        f"{re.escape(first)}(?:{'|'.join(rest)})"
        for first, rest in rests.items()
        if rest != [""]
    ]
    return re.compile("|".join([*branches, "."]), re.DOTALL)


def cut(word: str, pattern: Pattern) -> Iterator[tuple[str, bool]]:
    """Yield the matches of a pattern in a word, and single characters between them."""
    start = 0
    while start < len(word):
        found = pattern.match(word, start)
        is_match = found is not None and found.end() > start
        stop = found.end() if found is not None and is_match else start + 1
        yield word[start:stop], is_match
        start = stop


def vocabulary_of(
    alphabet: Alphabet | None, words: CodePoints | CharVocabulary, *, unknown: bool
) -> CharVocabulary:
    """Return the vocabulary that `alphabet` describes.

    words : what symbols are taken from if `alphabet` does not list them
    """
    if alphabet is None:
        if isinstance(words, CodePoints):
            return CharVocabulary.from_code_points(words, unknown=unknown)
        pattern = getattr(words, "pattern", None)
        return _vocabulary(words.characters, pattern, unknown)
    pattern, symbols = pattern_and_symbols(alphabet)
    if symbols is not None:
        return _vocabulary(symbols, pattern, unknown)
    assert pattern is not None
    if isinstance(words, CodePoints):
        return SymbolVocabulary.from_pattern(words, pattern, unknown=unknown)
    return SymbolVocabulary(words.characters, unknown=unknown, pattern=pattern)


def lists_symbols(alphabet: object) -> bool:
    """Whether `alphabet` gives the symbols, so that words add none."""
    return alphabet is not None and not isinstance(alphabet, re.Pattern)


def pattern_and_symbols(alphabet: Any) -> tuple[Pattern | None, list[str] | None]:
    """Return the pattern and the symbols that `alphabet` consists of, once checked."""
    if isinstance(alphabet, re.Pattern):
        return _checked_pattern(alphabet), None
    parts: tuple[Any, ...] = ()
    if isinstance(alphabet, tuple):
        parts = cast("tuple[Any, ...]", alphabet)
    if any(isinstance(part, re.Pattern) for part in parts):
        pattern, symbols = parts
        return _checked_pattern(pattern), check_symbols(symbols)
    return None, check_symbols(cast("Iterable[object]", alphabet))


def check_symbols(alphabet: Iterable[object]) -> list[str]:
    """Return the symbols of an alphabet as a list of strings that are not empty."""
    symbols: list[str] = []
    for symbol in alphabet:
        if not isinstance(symbol, str) or not symbol:
            raise ValueError(
                "`alphabet` must hold texts of one or more characters, got "
                f"{reprlib.repr(symbol)} of type {type(symbol).__name__}."
            )
        for character in filter(is_surrogate, symbol):
            raise ValueError(
                f"`alphabet` has the lone surrogate U+{ord(character):04X}, which is "
                "not a character; leave it out."
            )
        if symbol == UNKNOWN:
            raise ValueError(
                f"`alphabet` has {UNKNOWN!r}, which is the text of the symbol for "
                "unknown characters; leave it out, and set handle_unknown='unk'."
            )
        symbols.append(symbol)
    return symbols


def _checked_pattern(pattern: Any) -> Pattern:
    """Return a pattern of text, not of bytes."""
    if not isinstance(getattr(pattern, "pattern", None), str):
        raise TypeError(
            "`alphabet` takes a compiled pattern of text, or a pair of such a pattern "
            f"and a list of symbols, got {pattern!r}."
        )
    return cast("Pattern", pattern)


def _vocabulary(
    symbols: Sequence[str], pattern: Pattern | None, unknown: bool
) -> CharVocabulary:
    """Return a vocabulary of the kind that some symbols need."""
    if pattern is None and all(len(symbol) == 1 for symbol in symbols):
        return CharVocabulary(symbols, unknown=unknown)
    return SymbolVocabulary(symbols, unknown=unknown, pattern=pattern)
