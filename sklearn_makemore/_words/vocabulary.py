"""Characters to symbol ids and back, without a Python loop over characters."""

import reprlib  # a word can be long, a message should not
from dataclasses import dataclass
from itertools import chain

import numpy as np

from .check import word_at
from .code_points import CodePoints, code_points, is_surrogate, place_dtype, slices

BOUNDARY = 0
"""Id of the symbol that starts and ends every word; it is not a character."""

CODE_POINT_CHUNK_SIZE = 1 << 18
"""Code points looked up at once: numpy makes an index of eight bytes of each."""

MAX_SYMBOLS_OF_PAIRS = 1 << 13
"""Symbols of which all pairs are kept: a table of them takes 512 MiB of float64, and
there are a few at once."""


@dataclass(frozen=True, eq=False)
class EncodedWords:
    """Words as one flat array of symbol ids.

    The layout is ``0, word, 0, word, 0, ...``: one boundary before the first word and
    one after each. So ``codes[1:]`` holds every symbol to predict (the characters and
    the end mark of each word) and ``codes[:-1]`` the symbol before it, and a word's
    first character is preceded by a boundary with no special case.

    Parameters
    ----------
    codes : ndarray of shape (n_predictions + 1,)
        Symbol ids; from a vocabulary, in the smallest unsigned integer type.

    offsets : ndarray of shape (n_words + 1,)
        ``offsets[i]`` is the position in `codes` of the boundary before word `i`; its
        characters are ``codes[offsets[i] + 1 : offsets[i + 1]]``. From a vocabulary,
        int32 as long as that holds every position.
    """

    codes: np.ndarray
    offsets: np.ndarray

    @property
    def n_words(self):
        """Number of words."""
        return len(self.offsets) - 1

    @property
    def n_predictions(self):
        """Number of predicted symbols: every character and one end mark a word."""
        return len(self.codes) - 1

    @property
    def targets(self):
        """Symbols to predict, of shape (n_predictions,)."""
        return self.codes[1:]

    @property
    def lengths(self):
        """Predictions a word, of shape (n_words,): its characters and the end mark."""
        return np.diff(self.offsets)

    @property
    def positions(self):
        """Characters before each target in its word, of shape (n_predictions,)."""
        return within_groups(self.lengths)

    def word_slice(self, start, stop):
        """Return the words from `start` up to `stop` as a view of the same codes."""
        offsets = self.offsets[start : stop + 1]
        return EncodedWords(
            self.codes[offsets[0] : offsets[-1] + 1], offsets - offsets[0]
        )

    def chunks(self, n_predictions):
        """Yield consecutive slices of whole words, about `n_predictions` each."""
        edges = np.arange(n_predictions, self.n_predictions, n_predictions)
        stops = np.searchsorted(self.offsets, edges, side="left")
        bounds = np.unique(np.concatenate([[0], stops, [self.n_words]]))
        for start, stop in zip(bounds[:-1], bounds[1:], strict=True):
            yield self.word_slice(start, stop)

    def take(self, indices):
        """Return the words at `indices`, in that order."""
        lengths = self.lengths[indices]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        codes = np.zeros(offsets[-1] + 1, dtype=self.codes.dtype)
        first = np.repeat(self.offsets[indices], lengths)
        codes[1:] = self.targets[first + within_groups(lengths)]
        return EncodedWords(codes, offsets.astype(place_dtype(len(codes))))


class CharVocabulary:
    """The symbols of a character model: the boundary, the characters, the unknown.

    Parameters
    ----------
    characters : iterable of str
        The alphabet: strings of one character. Order and repeats are of no account;
        ids follow the code points.

    unknown : bool, default=False
        Whether one more symbol, the last, stands for every character that is not in
        the alphabet.

    Attributes
    ----------
    characters : str
        The alphabet, sorted by code point.

    symbols : list of str of length n_symbols
        ``""`` for the boundary, then the characters, then ``"<unk>"`` if `unknown`.
        A character is one code point long, so neither can be mistaken for one.

    n_symbols : int
        Number of symbols.

    unknown_id : int or None
        Id of the unknown symbol.

    Examples
    --------
    >>> from sklearn_makemore._words.vocabulary import CharVocabulary
    >>> vocabulary = CharVocabulary.from_words(["emma", "ava"])
    >>> vocabulary.symbols
    ['', 'a', 'e', 'm', 'v']
    >>> encoded = vocabulary.encode(["ava", ""])
    >>> encoded.codes, encoded.offsets
    (array([0, 1, 4, 1, 0, 0], dtype=uint8), array([0, 4, 5], dtype=int32))
    >>> vocabulary.decode(encoded)
    ['ava', '']
    """

    def __init__(self, characters, *, unknown=False):
        self.characters = "".join(sorted(set(characters)))
        self.unknown = unknown

    @classmethod
    def from_words(cls, words, *, unknown=False):
        """Build the vocabulary of all characters that occur in a list of words."""
        return cls.from_code_points(CodePoints.from_words(words), unknown=unknown)

    @classmethod
    def from_code_points(cls, joined, *, unknown=False):
        """Build the vocabulary of all characters that occur in some `CodePoints`."""
        points = joined.points
        seen = np.zeros(int(points.max()) + 1, dtype=bool)
        for part in slices(0, len(points), CODE_POINT_CHUNK_SIZE):
            seen[points[part]] = True
        seen[0] = joined.has_nul
        return cls(map(chr, np.flatnonzero(seen).tolist()), unknown=unknown)

    def __eq__(self, other):
        """Two vocabularies are equal when every id means the same in both."""
        return isinstance(other, CharVocabulary) and self.symbols == other.symbols

    def __repr__(self):
        """Show the arguments that build this vocabulary."""
        return f"CharVocabulary({self.characters!r}, unknown={self.unknown})"

    @property
    def symbols(self):
        """Texts of the symbols, by id."""
        return ["", *self.characters, *(["<unk>"] if self.unknown else [])]

    @property
    def n_symbols(self):
        """Number of symbols."""
        return 1 + len(self.characters) + self.unknown

    @property
    def unknown_id(self):
        """Id of the unknown symbol, None if there is none."""
        return self.n_symbols - 1 if self.unknown else None

    @property
    def dtype(self):
        """Smallest unsigned type that holds every id and one mark beyond them."""
        return np.min_scalar_type(self.n_symbols)

    def union(self, other):
        """Return the vocabulary of the characters of both; `unknown` stays."""
        return CharVocabulary(self.characters + other.characters, unknown=self.unknown)

    def ids_in(self, other):
        """Return the id in `other` of each symbol here, of shape (n_symbols,).

        `other` must hold all characters of this vocabulary. The map is increasing,
        since both sort by code point.
        """
        points = code_points(self.characters)
        ids = np.searchsorted(code_points(other.characters), points) + 1
        tail = [other.n_symbols - 1] if self.unknown else []
        return np.concatenate([[BOUNDARY], ids, tail]).astype(np.int64)

    def encode(self, words, name="words"):
        """Check and encode words.

        Parameters
        ----------
        words : array-like of str of shape (n_words,)
            The words, in any form that `check_words` accepts.

        name : str, default="words"
            What the argument is called in error messages.

        Returns
        -------
        encoded : EncodedWords
            Their symbol ids.

        Raises
        ------
        ValueError
            If a word has a character that is not in the alphabet and there is no
            symbol for the unknown, or a lone surrogate, which is no character.
        """
        return self.encode_code_points(CodePoints.from_words(words, name), name)

    def encode_code_points(self, joined, name="words"):
        """Encode words that are joined already.

        Parameters
        ----------
        joined : CodePoints
            The words.

        name : str, default="words"
            What the argument is called in error messages.

        Returns
        -------
        encoded : EncodedWords
            Their symbol ids.

        Raises
        ------
        ValueError
            As `encode`.
        """
        missing = self.unknown_id if self.unknown else self.n_symbols
        ids = self._ids_of_points(missing)
        codes = np.empty(len(joined.points), dtype=self.dtype)
        for part in slices(0, len(codes), CODE_POINT_CHUNK_SIZE):
            # Points beyond the last character's are clipped to one past it.
            np.take(ids, joined.points[part], out=codes[part], mode="clip")
        codes[joined.offsets] = BOUNDARY
        if not self.unknown and codes.max() == missing:
            raise self._unknown_characters(joined, codes == missing, name)
        return EncodedWords(codes, joined.offsets)

    def decode(self, encoded):
        """Decode ids to words, which encode to the same ids.

        Parameters
        ----------
        encoded : EncodedWords
            Symbol ids.

        Returns
        -------
        words : list of str of length n_words
            The words. The unknown symbol becomes U+FFFD, or if this is in the alphabet
            another character that is not.
        """
        points = np.array(
            [0, *map(ord, self.characters), self._point_outside()], dtype="<u4"
        )  # (n_symbols + 1,)
        text = points[encoded.codes].tobytes().decode("utf-32-le")
        offsets = encoded.offsets.tolist()
        return [
            text[start + 1 : stop]
            for start, stop in zip(offsets[:-1], offsets[1:], strict=True)
        ]

    def _point_outside(self):
        """Return a code point that is not in the alphabet."""
        known = set(self.characters)
        points = chain(range(0xFFFD, 0xDFFF, -1), range(0x10000, 0x110000))
        return next(point for point in points if chr(point) not in known)

    def _ids_of_points(self, missing):
        """Id of each code point up to one past the last character's."""
        points = code_points(self.characters)
        ids = np.full(int(points.max(initial=0)) + 2, missing, dtype=self.dtype)
        ids[points] = np.arange(1, len(points) + 1)
        return ids

    def _unknown_characters(self, joined, is_missing, name):
        place = int(np.argmax(is_missing))
        index = int(np.searchsorted(joined.offsets, place, side="right")) - 1
        word = joined.word(index)
        unknown = sorted(set(word) - set(self.characters))
        return ValueError(
            f"{word_at(word, index, name)} has characters that are not in the "
            f"alphabet: {reprlib.repr(unknown)}. List them in `alphabet` before "
            "fitting, or set handle_unknown='unk' to reserve a symbol for unknown "
            "characters."
        )


def within_groups(lengths):
    """Count from 0 in each of some groups that lie one behind the other."""
    ends = np.cumsum(lengths)
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - lengths, lengths)


def check_alphabet(alphabet):
    """Return the characters of an alphabet as a list of strings of one character."""
    characters = list(alphabet)
    for character in characters:
        if not isinstance(character, str) or len(character) != 1:
            raise ValueError(
                "`alphabet` must hold single characters, got "
                f"{reprlib.repr(character)} of type {type(character).__name__}; pass a "
                "string or a list of strings of length 1."
            )
        if is_surrogate(character):
            raise ValueError(
                f"`alphabet` has the lone surrogate U+{ord(character):04X}, which is "
                "no character; leave it out."
            )
    return characters


def check_pair_table(n_symbols, model):
    """Raise an error if there are too many symbols for a table of all pairs."""
    if n_symbols > MAX_SYMBOLS_OF_PAIRS:
        raise ValueError(
            f"{type(model).__name__} keeps a table of all pairs of at most "
            f"{MAX_SYMBOLS_OF_PAIRS:,} symbols, and here are {n_symbols:,}. Use "
            "NGramCounter(order=2, smoothing='additive'), which keeps the pairs that "
            "occur, or an `alphabet` of the frequent characters and "
            "handle_unknown='unk'."
        )
