"""Words that are not sampled: those of a list, and words near to one of them."""

from collections.abc import Set
from dataclasses import dataclass
from typing import Self

from .._words.code_points import encodable_words
from .._words.types import Words
from .near_words import NearWords


@dataclass(frozen=True, eq=False)
class Exclusion:
    """The options `exclude` and `min_distance`.

    words : may be extended
    near : finds words near to those of the list; None if they are not excluded
    """

    words: set[str]
    near: NearWords | None = None

    @classmethod
    def checked(
        cls, exclude: "Exclusion | Words | Set[str] | None", min_distance: int
    ) -> "Exclusion | Self":
        """Return what the options exclude, an `Exclusion` as it is."""
        if isinstance(exclude, Exclusion):
            return exclude
        if exclude is None:
            if min_distance > 1:
                raise ValueError(
                    f"min_distance={min_distance} is a distance from the words of "
                    "`exclude`, which is None; give these words, or leave out "
                    "`min_distance`."
                )
            return cls(set())
        words: Words = list(exclude) if isinstance(exclude, Set) else exclude
        words = encodable_words(words, name="exclude", allow_empty=True)
        is_near_excluded = words and min_distance > 1
        near = NearWords(words, min_distance - 1) if is_near_excluded else None
        return cls(set(words), near)

    def left(self, words: list[str]) -> list[str]:
        """Return the words that are not excluded, in the same order."""
        words = [word for word in words if word not in self.words]
        if self.near is None:
            return words
        # Samples of a small model repeat a few words very often.
        distinct = [*dict.fromkeys(words)]
        is_near = dict(zip(distinct, self.near.near(distinct).tolist(), strict=True))
        return [word for word in words if not is_near[word]]
