"""Which words are within an edit distance of a word of a list.

An edit changes one character, and at most two pairs of neighbouring characters; the
start and the end of a word are characters of pairs. So of two words within a distance
of `d`, each lacks at most `d` characters and ``2 d`` pairs of the other. Of any ``2 d +
1`` pairs of a word, the other has at least one; the rarest pairs have few other words.
Distances are computed only for words that pass these filters. Numbers stand for
characters and pairs. Some share a number, which makes the filters weaker, not wrong.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .._words.code_points import CodePoints
from .._words.types import Ids, Mask
from .edit_distance import WordPoints, are_within

N_PAIRS = 1 << 12
"""Number of different numbers of pairs of characters."""

MAX_FIRST = 256
"""Number of words that are compared with a word at first."""

COMPARED_AT_ONCE = 1 << 18
"""Number of pairs of words that are collected before they are compared; those of one
word can be more."""


class NearWords:
    """The words of a list, prepared for finding those within an edit distance.

    words : the list, at least one word
    distance : largest Levenshtein distance that counts as near: the number of
        characters (code points) that are inserted, deleted or replaced
    """

    def __init__(self, words: list[str], distance: int) -> None:
        self.distance = distance
        self._words = _Words(sorted(set(words), key=len))
        # The words with each pair, from the shortest to the longest.
        pairs, lengths = self._words.pairs, self._words.lengths
        owners = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths + 1)
        self._owners = owners[np.argsort(pairs, kind="stable")]
        self._first = np.append(0, np.cumsum(np.bincount(pairs, minlength=N_PAIRS)))

    def near(self, words: list[str]) -> Mask:
        """Return whether each word is near a word of the list, (n_words,)."""
        is_near = np.zeros(len(words), dtype=bool)
        if not words:
            return is_near
        ones = _Words(words)
        # No distance exceeds the length of both words.
        longest = max(ones.lengths.max(), self._words.lengths[-1])
        distance = min(self.distance, int(longest))
        # Most words that are near share more pairs than they must with some word.
        for max_lacking, most in (distance, MAX_FIRST), (2 * distance, None):
            left = np.flatnonzero(~is_near)
            found = (
                self._candidates(ones, row, distance, max_lacking)[:most]
                for row in left.tolist()
            )
            for rows, others in _collected(left, found):
                within = are_within(distance, ones, rows, self._words, others)
                is_near[rows[within]] = True
        return is_near

    def _candidates(
        self, ones: "_Words", row: int, distance: int, max_lacking: int
    ) -> Ids:
        """Return the words that pass the filters for a word.

        max_lacking : number of pairs of characters of each that the other may lack
        """
        words, length = self._words, ones.lengths[row]
        lengths = length - distance, length + distance + 1
        limits = np.searchsorted(words.lengths, lengths).astype(np.int32)
        found = self._with_rarest(ones.pairs_of(row), max_lacking + 1, limits)
        for own, others, most in (
            (ones.pair_bits[row], words.pair_bits, max_lacking),
            (ones.point_bits[row], words.point_bits, distance),
        ):
            theirs = others[found]
            is_likely = np.bitwise_count(own & ~theirs) <= most
            is_likely &= np.bitwise_count(~own & theirs) <= most
            found = found[is_likely]
        return np.unique(found)

    def _with_rarest(self, pairs: Ids, n_pairs: int, limits: Ids) -> Ids:
        """Return the words with any of the rarest pairs, some of them several times.

        limits : first word, and the word after the last one
        """
        if len(pairs) < n_pairs:
            return np.arange(int(limits[0]), int(limits[1]))
        order = np.argsort(self._first[pairs + 1] - self._first[pairs])
        found: list[NDArray[np.int32]] = []
        for pair in pairs[order[:n_pairs]].tolist():
            owners = self._owners[self._first[pair] : self._first[pair + 1]]
            found.append(owners[slice(*np.searchsorted(owners, limits))])
        return np.concatenate(found)


def _collected(rows: Ids, found: Iterator[Ids]) -> Iterator[tuple[Ids, Ids]]:
    """Yield each row repeated and what was found for it, for many rows at a time."""
    parts: list[Ids] = []
    first = n_found = 0
    for last, part in enumerate(found, start=1):
        parts.append(part)
        n_found += len(part)
        if n_found >= COMPARED_AT_ONCE or last == len(rows):
            yield np.repeat(rows[first:last], [*map(len, parts)]), np.concatenate(parts)
            parts, first, n_found = [], last, 0


class _Words(WordPoints):
    """Words, and the numbers of their characters and of their pairs.

    pairs : (n_pairs,), number of each pair; a word has a pair more than characters
    point_bits, pair_bits : (n_words,), bits of the characters and of the pairs
    """

    def __init__(self, words: list[str]) -> None:
        codes = CodePoints.from_words(words)
        super().__init__(
            codes.points, codes.offsets[:-1] + 1, np.diff(codes.offsets) - 1
        )
        points = codes.points.astype(np.uint32)
        # A multiplicative hash, whose highest bits are mixed best.
        mixed = points[:-1] * np.uint32(0x9E3779B1) + points[1:] * np.uint32(0x85EBCA6B)
        self.pairs = (mixed >> np.uint32(20)).astype(np.uint16)
        self.point_bits = self._bits(points[:-1])
        self.pair_bits = self._bits(self.pairs)

    def _bits(self, numbers: NDArray[np.unsignedinteger]) -> NDArray[np.uint64]:
        """Return a bit for each number of a word, (n_words,); numbers : (n_pairs,)."""
        powers = np.uint64(1) << (numbers & 63).astype(np.uint64)
        return np.bitwise_or.reduceat(powers, self.starts - 1)

    def pairs_of(self, row: int) -> Ids:
        """Return the different pairs of a word."""
        start = self.starts[row] - 1
        return np.unique(self.pairs[start : start + self.lengths[row] + 1]).astype(
            np.int64
        )
