"""Characters to symbol ids and back, without a Python loop over characters."""

import reprlib
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from .check import word_at
from .code_points import CodePoints, code_points, place_dtype, slices
from .types import Ids, Mask, Words

UNKNOWN = "<unk>"
"""Text of the symbol for unknown characters."""

BOUNDARY = 0
"""Id of the symbol that starts and ends every word; it is not a character."""

CODE_POINT_CHUNK_SIZE = 1 << 18
"""Code points looked up at a time: numpy makes an eight-byte index of each."""

MAX_PAIR_TABLE_SYMBOLS = 1 << 13
"""Largest number of symbols for a table of all pairs: 512 MiB of float64. A model holds
a few such tables."""


@dataclass(frozen=True, eq=False)
class EncodedWords:
    """Words as one flat array of symbol ids.

    The layout is ``0, word, 0, word, 0, ...``: one boundary before the first word and
    one after each. So ``codes[1:]`` holds every symbol to predict (the characters and
    the end mark of each word), and ``codes[:-1]`` the symbol before each. The first
    character of every word follows a boundary, without a special case.

    codes : (n_predictions + 1,) symbol ids, in the vocabulary's `dtype`
    offsets : (n_words + 1,) position in `codes` of the boundary before each word, int32
        if it holds every position; the characters of word `i` are
        ``codes[offsets[i] + 1 : offsets[i + 1]]``
    """

    codes: Ids
    offsets: Ids

    @property
    def n_words(self) -> int:
        """Number of words."""
        return len(self.offsets) - 1

    @property
    def n_predictions(self) -> int:
        """Number of predicted symbols: every character, and one end mark per word."""
        return len(self.codes) - 1

    @property
    def targets(self) -> Ids:
        """Symbols to predict, of shape (n_predictions,)."""
        return self.codes[1:]

    @property
    def lengths(self) -> Ids:
        """Predictions per word, (n_words,): its characters and the end mark."""
        return np.diff(self.offsets)

    @property
    def positions(self) -> Ids:
        """Characters before each target in its word, of shape (n_predictions,)."""
        return within_groups(self.lengths)

    def word_slice(self, start: int, stop: int) -> "EncodedWords":
        """Return the words from `start` up to `stop` as a view of the same codes."""
        offsets = self.offsets[start : stop + 1]
        return EncodedWords(
            self.codes[offsets[0] : offsets[-1] + 1], offsets - offsets[0]
        )

    def chunks(self, n_predictions: int) -> Iterator["EncodedWords"]:
        """Yield consecutive slices of whole words, about `n_predictions` each."""
        edges = np.arange(n_predictions, self.n_predictions, n_predictions)
        stops = np.searchsorted(self.offsets, edges, side="left")
        bounds = np.unique(np.concatenate([[0], stops, [self.n_words]]))
        for start, stop in zip(bounds[:-1], bounds[1:], strict=True):
            yield self.word_slice(start, stop)

    def take(self, indices: Ids) -> "EncodedWords":
        """Return the words at `indices`, in that order."""
        lengths = self.lengths[indices]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        codes = np.zeros(offsets[-1] + 1, dtype=self.codes.dtype)
        first = np.repeat(self.offsets[indices], lengths)
        codes[1:] = self.targets[first + within_groups(lengths)]
        return EncodedWords(codes, offsets.astype(place_dtype(len(codes))))


class CharVocabulary:
    """The symbols of a character model: the boundary, the characters, the unknown.

    `SymbolVocabulary` has symbols of several characters.

    characters : the alphabet; ids follow the code points, without repeats
    unknown : whether a last symbol stands for every character outside the alphabet
    """

    characters: Sequence[str]

    def __init__(self, characters: Iterable[str], *, unknown: bool = False) -> None:
        self.characters = "".join(sorted(set(characters)))
        self.unknown = unknown

    @classmethod
    def from_words(cls, words: Words, *, unknown: bool = False) -> Self:
        """Build the vocabulary of all characters that occur in a list of words."""
        return cls.from_code_points(CodePoints.from_words(words), unknown=unknown)

    @classmethod
    def from_code_points(cls, joined: CodePoints, *, unknown: bool = False) -> Self:
        """Build the vocabulary of all characters that occur in some `CodePoints`."""
        points = joined.points
        seen = np.zeros(int(points.max()) + 1, dtype=bool)
        for part in slices(0, len(points), CODE_POINT_CHUNK_SIZE):
            seen[points[part]] = True
        seen[0] = joined.has_nul
        return cls(map(chr, np.flatnonzero(seen).tolist()), unknown=unknown)

    def __eq__(self, other: object) -> bool:
        """Two vocabularies are equal when every id means the same in both."""
        return (
            isinstance(other, CharVocabulary)
            and self.symbols == other.symbols
            and self.segmentation == other.segmentation
        )

    def __repr__(self) -> str:
        """Show the arguments that build this vocabulary."""
        name = type(self).__name__
        return f"{name}({self.characters!r}, unknown={self.unknown})"

    @property
    def symbols(self) -> list[str]:
        """Texts of the symbols: ``""``, the characters, ``"<unk>"`` if `unknown`.

        No other symbol has the text of the first or the last.
        """
        return ["", *self.characters, *([UNKNOWN] if self.unknown else [])]

    @property
    def n_symbols(self) -> int:
        """Number of symbols."""
        return 1 + len(self.characters) + self.unknown

    @property
    def unknown_id(self) -> int | None:
        """Id of the unknown symbol, or None."""
        return self.n_symbols - 1 if self.unknown else None

    @property
    def dtype(self) -> np.dtype[Any]:
        """Smallest unsigned type that holds every id and one more value."""
        return np.min_scalar_type(self.n_symbols)

    @property
    def alphabet(self) -> Any:
        """The value of `alphabet` that describes these symbols."""
        return self.characters

    @property
    def segmentation(self) -> Hashable:
        """What decides where words are cut: equal if each word is cut alike."""
        return frozenset[str]()

    def union(self, other: "CharVocabulary") -> "CharVocabulary":
        """Return the vocabulary of the characters of both; `unknown` stays."""
        if self.segmentation != other.segmentation:
            raise ValueError(
                "The alphabets of two models cut words into symbols in different ways: "
                f"{reprlib.repr(self.characters)} and "
                f"{reprlib.repr(other.characters)}. Fit both models with the same "
                "`alphabet`."
            )
        return self._like([*self.characters, *other.characters])

    def grown(self, joined: CodePoints) -> "CharVocabulary":
        """Return this vocabulary with the new characters of some words."""
        return self.union(CharVocabulary.from_code_points(joined))

    def _like(self, characters: Iterable[str]) -> "CharVocabulary":
        """Return a vocabulary of this kind, with other characters."""
        return CharVocabulary(characters, unknown=self.unknown)

    def ids_in(self, other: "CharVocabulary") -> NDArray[np.int64]:
        """Return the id in `other` of each symbol of this vocabulary, (n_symbols,).

        `other` must contain all characters of this vocabulary. The ids are increasing,
        because both vocabularies sort by code point.
        """
        ids = self._places_in(other) + 1
        tail = [other.n_symbols - 1] if self.unknown else []
        return np.concatenate([[BOUNDARY], ids, tail]).astype(np.int64)

    def _places_in(self, other: "CharVocabulary") -> NDArray[np.int64]:
        """Return the index of each character in the alphabet of `other`."""
        theirs, own = "".join(other.characters), "".join(self.characters)
        return np.searchsorted(code_points(theirs), code_points(own))

    def encode(self, words: Words, name: str = "words") -> EncodedWords:
        """Encode words in any form that `check_words` accepts; errors use `name`.

        A character outside the alphabet is an error if there is no symbol for it.
        """
        return self.encode_code_points(CodePoints.from_words(words, name), name)

    def encode_code_points(
        self, joined: CodePoints, name: str = "words"
    ) -> EncodedWords:
        """Encode words that are joined already; the same errors as `encode`."""
        missing = self.n_symbols if self.unknown_id is None else self.unknown_id
        ids = self._ids_of_points(missing)
        codes = np.empty(len(joined.points), dtype=self.dtype)
        for part in slices(0, len(codes), CODE_POINT_CHUNK_SIZE):
            # Points above the last character are clipped to the one after it.
            np.take(ids, joined.points[part], out=codes[part], mode="clip")
        codes[joined.offsets] = BOUNDARY
        if not self.unknown and codes.max() == missing:
            raise self._unknown_characters(joined, codes == missing, name)
        return EncodedWords(codes, joined.offsets)

    def decode(self, encoded: EncodedWords) -> list[str]:
        """Decode ids to words, which encode to the same ids.

        The unknown symbol becomes U+FFFD or, if the alphabet contains it, another
        character outside the alphabet.
        """
        points = np.array(
            [0, *map(ord, self.characters), self.point_outside()], dtype="<u4"
        )  # (n_symbols + 1,)
        text = points[encoded.codes].tobytes().decode("utf-32-le")
        offsets = encoded.offsets.tolist()
        return [
            text[start + 1 : stop]
            for start, stop in zip(offsets[:-1], offsets[1:], strict=True)
        ]

    def decode_after(self, prefix: str, encoded: EncodedWords) -> list[str | None]:
        """Decode the rest of words, and return the words with their prefix.

        A word is None if it is encoded to other ids than those of its prefix and its
        rest. No word is if all symbols are single characters.
        """
        return [prefix + rest for rest in self.decode(encoded)]

    def segments(self, word: str) -> list[str]:
        """Return the symbols of a word as texts; unknown characters are symbols too."""
        return [*word]

    def lengths(self, words: Sequence[str]) -> NDArray[np.int64]:
        """Return the number of symbols of words in any characters, (n_words,)."""
        return np.fromiter(map(len, words), dtype=np.int64, count=len(words))

    def can_encode(self, words: Sequence[str]) -> Mask:
        """Return which words `encode` accepts, (n_words,)."""
        if self.unknown:
            return np.ones(len(words), dtype=bool)
        known = {*self.characters}
        return np.fromiter(map(known.issuperset, words), dtype=bool, count=len(words))

    def point_outside(self) -> int:
        """Return a code point outside the alphabet."""
        known = set("".join(self.characters))
        points = chain(range(0xFFFD, 0xDFFF, -1), range(0x10000, 0x110000))
        return next(point for point in points if chr(point) not in known)

    def _ids_of_points(self, missing: int) -> Ids:
        """Return the id of each code point, up to one past the last character."""
        points = code_points("".join(self.characters))
        ids = np.full(int(points.max(initial=0)) + 2, missing, dtype=self.dtype)
        ids[points] = np.arange(1, len(points) + 1)
        return ids

    def _unknown_characters(
        self, joined: CodePoints, is_missing: Mask, name: str
    ) -> ValueError:
        """Return the error for the first word with an unknown character."""
        place = int(np.argmax(is_missing))
        index = int(np.searchsorted(joined.offsets, place, side="right")) - 1
        word = joined.word(index)
        unknown = sorted(set(word) - set(self.characters))
        return ValueError(
            f"{word_at(word, index, name)} has characters that are not in the "
            f"alphabet: {reprlib.repr(unknown)}. Before fitting, list them in "
            "`alphabet`, or set handle_unknown='unk' to reserve a symbol for unknown "
            "characters. After `set_params(alphabet=None)`, `partial_fit` learns new "
            "characters."
        )


def within_groups(lengths: Ids) -> Ids:
    """Count from 0 within each of several consecutive groups; lengths : (n_groups,)."""
    ends = np.cumsum(lengths)
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - lengths, lengths)


def check_pair_table(n_symbols: int, model: object) -> None:
    """Raise an error if a table of all pairs of symbols would be too large."""
    if n_symbols > MAX_PAIR_TABLE_SYMBOLS:
        raise ValueError(
            f"{type(model).__name__} keeps a table of all pairs of symbols. The words "
            f"have {n_symbols:,} symbols, and the limit is {MAX_PAIR_TABLE_SYMBOLS:,}. "
            "Use NGramCounter(order=2, smoothing='additive'), which keeps only pairs "
            "that occur, or an `alphabet` of the frequent characters with "
            "handle_unknown='unk'."
        )
