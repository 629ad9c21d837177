"""Words as one array of Unicode code points."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .check import check_words, word_at
from .types import Ids, Words

CodeUnits: TypeAlias = NDArray[np.unsignedinteger[Any]]


@dataclass(frozen=True, eq=False)
class CodePoints:
    """Code points of words one after the other, with separators around each word.

    points : (n_characters + n_words + 1,) uint8 if all characters are ASCII, else
        uint32
    offsets : (n_words + 1,) index of the separator before each word; the characters of
        word `i` are ``points[offsets[i] + 1 : offsets[i + 1]]``
    has_nul : whether a word contains U+0000, which is also the separator
    """

    points: CodeUnits
    offsets: Ids
    has_nul: bool

    @classmethod
    def from_words(cls, words: Words, name: str = "words") -> Self:
        """Check words and join them; errors call the argument `name`."""
        return cls.from_checked(check_words(words, name=name), name)

    @classmethod
    def from_checked(cls, words: list[str], name: str = "words") -> Self:
        """Join words that `check_words` has returned."""
        points = _joined(words, name)
        offsets = np.flatnonzero(points == 0)
        has_nul = len(offsets) != len(words) + 1
        if has_nul:  # slower: reads the length of every word
            lengths = np.fromiter(map(len, words), dtype=np.int64, count=len(words))
            offsets = np.concatenate([[0], np.cumsum(lengths + 1)])
        return cls(points, offsets.astype(place_dtype(len(points))), has_nul)

    def words(self) -> Iterator[str]:
        """Yield the words one by one."""
        is_ascii = self.points.dtype == np.uint8
        text = self.points.tobytes().decode("ascii" if is_ascii else "utf-32-le")
        offsets = self.offsets.tolist()
        for start, stop in zip(offsets[:-1], offsets[1:], strict=True):
            yield text[start + 1 : stop]

    def word(self, index: int) -> str:
        """Return one of the words."""
        characters = self.points[self.offsets[index] + 1 : self.offsets[index + 1]]
        return "".join(map(chr, characters.tolist()))


def encodable_words(
    words: Words, *, name: str = "words", allow_empty: bool = False
) -> list[str]:
    """Check words, their characters included, and return them as a list."""
    words = check_words(words, name=name, allow_empty=allow_empty)
    _joined(words, name)
    return words


def _joined(words: list[str], name: str) -> CodeUnits:
    """Return the code points of words, as in `CodePoints`."""
    try:
        return code_points("\0".join(["", *words, ""]))
    except UnicodeEncodeError:  # valid words are never searched
        raise _lone_surrogate(words, name) from None


def code_points(text: str) -> CodeUnits:
    """Return the code points of a string, an array of shape (len(text),)."""
    if text.isascii():
        return np.frombuffer(text.encode("ascii"), dtype=np.uint8)
    return np.frombuffer(text.encode("utf-32-le"), dtype="<u4")


def is_surrogate(character: str) -> bool:
    """Whether a character is a surrogate: half of a pair in UTF-16."""
    return "\ud800" <= character <= "\udfff"


def _lone_surrogate(words: list[str], name: str) -> ValueError:
    """Return the error for the first word with a surrogate."""
    index, place = next(
        (index, place)
        for index, word in enumerate(words)
        for place, character in enumerate(word)
        if is_surrogate(character)
    )
    word = words[index]
    return ValueError(
        f"{word_at(word, index, name)} has the lone surrogate U+{ord(word[place]):04X} "
        f"at index {place} of the word, which is not a character: the text was decoded "
        "with the wrong encoding or with errors='surrogateescape'. Decode it again, or "
        "drop such characters with word.encode('utf-8', 'ignore').decode('utf-8')."
    )


def place_dtype(n_places: int) -> type[np.signedinteger[Any]]:
    """Return the type of indices of an array: int32 if it holds all of them."""
    return np.int32 if n_places <= np.iinfo(np.int32).max else np.int64


def slices(start: int, stop: int, n_at_once: int) -> Iterator[slice]:
    """Cut a range of indices into slices of `n_at_once`, the last one shorter."""
    for first in range(start, stop, n_at_once):
        yield slice(first, min(first + n_at_once, stop))
