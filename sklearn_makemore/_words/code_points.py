"""Words as one array of Unicode code points: what a vocabulary reads."""

from dataclasses import dataclass

import numpy as np

from .check import word_at


@dataclass(frozen=True, eq=False)
class CodePoints:
    """Code points of words, one after the other, with a place before and after each.

    Parameters
    ----------
    points : ndarray of shape (n_characters + n_words + 1,)
        Code points: uint8 if all characters are ASCII, else uint32. What stands at
        `offsets` is no character.

    offsets : ndarray of shape (n_words + 1,)
        ``offsets[i]`` is the place before word `i`; its characters are
        ``points[offsets[i] + 1 : offsets[i + 1]]``.

    has_nul : bool
        Whether U+0000, which else marks the places between the words, is a character
        of one of them.

    Examples
    --------
    >>> from sklearn_makemore._words.code_points import CodePoints
    >>> joined = CodePoints.from_words(["ab", "c"])
    >>> joined.points, joined.offsets
    (array([ 0, 97, 98,  0, 99,  0], dtype=uint8), array([0, 3, 5], dtype=int32))
    """

    points: np.ndarray
    offsets: np.ndarray
    has_nul: bool

    @classmethod
    def from_words(cls, words, name="words"):
        """Join a list of words.

        Parameters
        ----------
        words : list of str of length n_words
            The words, as `check_words` returns them.

        name : str, default="words"
            What the argument is called in error messages.

        Returns
        -------
        joined : CodePoints
            Their code points.

        Raises
        ------
        ValueError
            If a word has a lone surrogate.
        """
        points = joined_code_points(words, name)
        offsets = np.flatnonzero(points == 0)
        has_nul = len(offsets) != len(words) + 1
        if has_nul:  # slower: every word is asked for its length
            lengths = np.fromiter(map(len, words), dtype=np.int64, count=len(words))
            offsets = np.concatenate([[0], np.cumsum(lengths + 1)])
        return cls(points, offsets.astype(place_dtype(len(points))), has_nul)

    def word(self, index):
        """Return one of the words."""
        characters = self.points[self.offsets[index] + 1 : self.offsets[index + 1]]
        return "".join(map(chr, characters.tolist()))


def joined_code_points(words, name="words"):
    """Return the code points of words with U+0000 before, between and after them.

    Parameters
    ----------
    words : list of str of length n_words
        The words.

    name : str, default="words"
        What the argument is called in error messages.

    Returns
    -------
    points : ndarray of shape (n_characters + n_words + 1,)
        As in `CodePoints`.

    Raises
    ------
    ValueError
        If a word has a lone surrogate.
    """
    try:
        return code_points("\0".join(["", *words, ""]))
    except UnicodeEncodeError:  # found on the way, so valid words are not searched
        raise _lone_surrogate(words, name) from None


def code_points(text):
    """Return the code points of a string, an array of shape (len(text),)."""
    if text.isascii():
        return np.frombuffer(text.encode("ascii"), dtype=np.uint8)
    return np.frombuffer(text.encode("utf-32-le"), dtype="<u4")


def is_surrogate(character):
    """Whether a character is half of a pair of UTF-16 and none by itself."""
    return "\ud800" <= character <= "\udfff"


def _lone_surrogate(words, name):
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
        f"at place {place}, which is no character: it comes from text decoded with the "
        "wrong encoding or errors='surrogateescape'. Decode it anew, or drop such "
        "characters with word.encode('utf-8', 'ignore').decode('utf-8')."
    )


def place_dtype(n_places):
    """Return the type of places in an array: int32 as long as it holds them all."""
    return np.int32 if n_places <= np.iinfo(np.int32).max else np.int64


def slices(start, stop, n_at_once):
    """Cut a range of places into slices of `n_at_once`, the last one shorter."""
    for first in range(start, stop, n_at_once):
        yield slice(first, min(first + n_at_once, stop))
