"""The most probable words: best-first search over beginnings of words."""

import reprlib
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TypeAlias, cast

import numpy as np

from .._words.types import Floats, Ids, Mask
from .._words.vocabulary import BOUNDARY, CharVocabulary, EncodedWords
from .beginnings import ExtendedBeginnings, OpenBeginnings, joined_words
from .exclusion import Exclusion
from .language import Language
from .sampling import MAX_CELLS

MAX_OPEN_PREFIXES = 1 << 18, 1 << 3
"""Largest number of beginnings to extend, and how many more for each word wanted. Each
takes about 50 bytes while they are sorted."""

MAX_CHARACTERS = 1 << 22, 1 << 6
"""Largest number of characters that the model reads, end marks included, and how many
more for each word wanted. Short words take about 20."""

MAX_LOG_PROBAS_READ = 3 << 27, 1 << 9
"""Largest number of log-probabilities computed, and how many more for each word wanted.
The first are about 10 seconds."""

MAX_WORDS_WITH_ROOM = 1 << 20
"""Largest number of words for which the limits grow; without a number of words, the
limit of open beginnings is that of as many."""

PREFIX_CHUNK_SIZE = 256
"""Beginnings that a search extends at a time, if the alphabet is not large and the
search is short."""

GROWTH = 16
"""A long search extends this fraction of the beginnings so far at a time. The last ones
may be in vain."""

NextLogProba: TypeAlias = Callable[[EncodedWords], Floats]
"""Returns log-probabilities after n prefixes, (n, 1 + n_characters): of the end, then
of each character."""

Last: TypeAlias = tuple[float, int]
"""-log p and length of the worst word that is wanted."""


@dataclass(frozen=True, eq=False)
class WantedWords:
    """Which words a search finds.

    vocabulary : has the characters that can follow the prefix
    prefix : every word begins with it
    prefix_ids : ids of its symbols
    log_proba : log-probability of the prefix
    lengths : number of characters of the shortest and the longest word
    language : words that are allowed; None for all
    exclusion : words to leave out; None for none
    is_cut : whether symbols may have several characters, so that a text of symbols may
        be cut into others
    """

    vocabulary: CharVocabulary
    prefix: str
    prefix_ids: Ids
    log_proba: float = 0.0
    lengths: tuple[int, int] = (0, sys.maxsize)
    language: Language | None = None
    exclusion: Exclusion | None = None
    is_cut: bool = False

    @property
    def n_symbols(self) -> int:
        """Number of symbols that can follow the prefix, the end included."""
        return 1 + len(self.vocabulary.characters)


@dataclass(frozen=True, eq=False)
class Batch:
    """Beginnings that are extended together.

    numbers : (n,), in `ExtendedBeginnings`
    costs : (n,), -log p
    """

    numbers: Ids
    costs: Floats


class BestFirstSearch:
    """A search for the words of the largest probability, one after the other.

    Equally probable words are ordered by length, and those of the same length by their
    code points. Without `n_words`, the search goes on while it has room.
    """

    # Words and beginnings are ordered by the key (-log p, length, text). No word has a
    # smaller key than one of its beginnings: multiplying by a probability never makes
    # p larger, in floating point too. If p is equal, the word is longer or is the
    # beginning itself.
    #
    # At any time, each word has been found, or one of its beginnings is open, or one
    # of its beginnings was dropped. So a word that was found is certain to be the next
    # if its key is below those of all open beginnings and below `_lost`, the least
    # -log p of the beginnings that were dropped for lack of room. Beginnings above the
    # last wanted word are dropped too; no word of theirs is wanted.

    def __init__(self, wanted: WantedWords, n_words: int | None = None) -> None:
        self.wanted, self.n_words = wanted, n_words
        self.n_certain = 0
        self._lost = np.inf
        self._n_characters = self._n_read = 0
        language = wanted.language
        state = 0 if language is None else language.start
        self._extended = ExtendedBeginnings(wanted.prefix_ids, state)
        none = np.zeros(0, dtype=np.int64)
        self._found = Batch(none, np.zeros(0))
        self._open = OpenBeginnings.of(np.zeros(0), none, none)
        n_roots = int(wanted.log_proba > -np.inf)
        self._root = Batch(np.arange(n_roots), np.full(n_roots, -wanted.log_proba))

    @property
    def is_done(self) -> bool:
        """Whether all words that are wanted have been found."""
        is_exhausted = not (self.n_stored or self._lost < np.inf)
        return self.n_certain == self.n_words or is_exhausted

    @property
    def n_stored(self) -> int:
        """Number of beginnings that may be extended."""
        return len(self._root.numbers) + len(self._open)

    @property
    def n_rows(self) -> int:
        """Number of beginnings to extend next, if there are as many."""
        n_wanted = max(PREFIX_CHUNK_SIZE, self._extended.n // GROWTH)
        return max(1, min(n_wanted, MAX_CELLS // self.wanted.n_symbols))

    def certain(self) -> list[tuple[str, float]]:
        """Return the words that are certain to be the next, with log-probabilities."""
        found, lengths = self._found, self._extended.lengths
        best, shortest = self._least_open()
        is_tied = (found.costs == best) & (lengths[found.numbers] < shortest)
        is_certain = (found.costs < best) | is_tied
        numbers, costs = found.numbers[is_certain], found.costs[is_certain]
        self._found = Batch(found.numbers[~is_certain], found.costs[~is_certain])
        texts = cast("list[str]", self._texts(numbers))
        keys = zip(costs.tolist(), lengths[numbers].tolist(), texts, strict=True)
        new = sorted(keys)[: self._n_missing()]
        self.n_certain += len(new)
        return [(text, 0.0 - cost) for cost, _, text in new]

    def encoded(self, batch: Batch) -> EncodedWords:
        """Return the beginnings of a batch as words."""
        return self._extended.encoded(batch.numbers)

    def batch(self) -> Batch:
        """Return the beginnings to extend next, none if no other can be a word.

        Raises a ValueError past a bound.
        """
        batch, self._root = self._root, Batch(self._root.numbers[:0], np.zeros(0))
        while not len(batch.numbers) and len(self._open):
            batch = self._opened(self._take_best())
        if not len(batch.numbers) and self._lost < np.inf:
            raise self._too_many()
        lengths = self._extended.lengths[batch.numbers]
        self._n_characters += int(lengths.sum()) + len(lengths)
        self._n_read += self.wanted.n_symbols * len(lengths)
        if self._n_characters > self._limit(MAX_CHARACTERS) or (
            self._n_read > self._limit(MAX_LOG_PROBAS_READ)
        ):
            raise self._too_many()
        return batch

    def extend(self, batch: Batch, log_proba: Floats) -> None:
        """Take the log-probabilities after the beginnings of a batch."""
        costs = self._costs_after(batch, log_proba)
        self._add_words(batch.numbers, costs[:, BOUNDARY])
        last = self._last_wanted()
        costs[:, BOUNDARY] = np.inf
        rows, symbols = np.nonzero((costs <= last[0]) & (costs < self._lost))
        parents = batch.numbers[rows]
        new = OpenBeginnings.of(costs[rows, symbols], parents, symbols)
        self._open = self._wanted_ones(self._open.joined(new), last)
        if len(self._open) > self._max_open():
            self._drop_half()

    def _max_open(self) -> int:
        """Return the largest number of open beginnings."""
        n_words = MAX_WORDS_WITH_ROOM if self.n_words is None else self.n_words
        return self._limit(MAX_OPEN_PREFIXES, n_words)

    def _limit(self, bound: tuple[int, int], n_words: int | None = None) -> int:
        """Return a limit and its growth for words, by default those found or wanted."""
        if n_words is None:
            n_words = self.n_certain if self.n_words is None else self.n_words
        return bound[0] + bound[1] * min(n_words, MAX_WORDS_WITH_ROOM)

    def _least_open(self) -> Last:
        """Return the least -log p of the rest, and the least length with it.

        The length is 0 if words of the same -log p are not certain.
        """
        if len(self._root.numbers):
            return -self.wanted.log_proba, 0
        costs = self._open.costs
        best = float(np.min(costs, initial=np.inf))
        if best >= self._lost:
            return self._lost, 0
        parents = self._open.parents[costs == best]
        return best, 1 + int(np.min(self._extended.lengths[parents], initial=0))

    def _take_best(self) -> OpenBeginnings:
        """Remove the beginnings of the smallest keys from the open ones."""
        costs, n_taken = self._open.costs, self.n_rows
        if n_taken >= len(costs):
            taken, self._open = self._open, self._open[np.zeros(0, dtype=np.int64)]
            return taken
        worst = np.partition(costs, n_taken)[n_taken]
        is_taken = costs < worst
        tied = np.flatnonzero(costs == worst)
        # Of equally probable beginnings the shorter come first, so that the search
        # reaches each of them even if one can be continued with probability 1 for ever.
        by_length = np.argsort(self._extended.lengths[self._open.parents[tied]])
        n_tied = n_taken - np.count_nonzero(is_taken)
        is_taken[tied[by_length[:n_tied]]] = True
        taken, self._open = self._open[is_taken], self._open[~is_taken]
        return taken

    def _opened(self, beginnings: OpenBeginnings) -> Batch:
        """Add beginnings to those that are extended, but not those that are cut."""
        language, states = self.wanted.language, 0
        if language is not None:
            before = self._extended.states[beginnings.parents]
            states = language.next_states[before, beginnings.symbols]
        numbers = self._extended.add(beginnings, states)
        batch = Batch(numbers, beginnings.costs)
        if not self.wanted.is_cut:
            return batch
        is_text = np.array([text is not None for text in self._texts(numbers)])
        return Batch(numbers[is_text], beginnings.costs[is_text])

    def _texts(self, numbers: Ids) -> list[str | None]:
        """Return the texts of beginnings; None if a text is cut into other symbols."""
        rests = self._extended.encoded(numbers, with_prefix=False)
        return self.wanted.vocabulary.decode_after(self.wanted.prefix, rests)

    def _add_words(self, numbers: Ids, costs: Floats) -> None:
        """Add the beginnings that are words, and keep the wanted ones."""
        is_word = (costs <= self._last_wanted()[0]) & (costs < self._lost)
        numbers, costs = numbers[is_word], costs[is_word]
        if self.wanted.exclusion is not None:
            texts = cast("list[str]", self._texts(numbers))
            left = set(self.wanted.exclusion.left(texts))
            is_left = np.array([text in left for text in texts], dtype=bool)
            numbers, costs = numbers[is_left], costs[is_left]
        numbers = np.concatenate([self._found.numbers, numbers])
        costs = np.concatenate([self._found.costs, costs])
        self._found = Batch(numbers, costs)
        worst, length = self._last_wanted()
        is_wanted = (costs < worst) | (
            (costs == worst) & (self._extended.lengths[numbers] <= length)
        )
        self._found = Batch(numbers[is_wanted], costs[is_wanted])

    def _n_missing(self) -> int:
        """Return how many words are wanted that are not certain yet."""
        return sys.maxsize if self.n_words is None else self.n_words - self.n_certain

    def _last_wanted(self) -> Last:
        """Return what the worst word has that may be wanted; inf if all words may."""
        costs, n_missing = self._found.costs, self._n_missing()
        if len(costs) < n_missing:
            return np.inf, sys.maxsize
        worst = float(np.partition(costs, n_missing - 1)[n_missing - 1])
        tied = self._found.numbers[costs == worst]
        n_tied = n_missing - np.count_nonzero(costs < worst)
        return worst, int(np.sort(self._extended.lengths[tied])[n_tied - 1])

    def _wanted_ones(self, beginnings: OpenBeginnings, last: Last) -> OpenBeginnings:
        """Return the beginnings of words that may be wanted."""
        worst, length = last
        is_wanted = beginnings.costs <= worst
        tied = np.flatnonzero(beginnings.costs == worst)
        lengths = self._extended.lengths[beginnings.parents[tied]] + 1
        is_wanted[tied[lengths > length]] = False
        return beginnings if is_wanted.all() else beginnings[is_wanted]

    def _costs_after(self, batch: Batch, log_proba: Floats) -> Floats:
        """Return -log p of each beginning with one more symbol, the end first.

        costs : (n_beginnings, 1 + n_characters)
        """
        # Rounding may lift a probability above 1, which would break the search's order.
        costs = -np.minimum(log_proba, 0.0)
        costs += batch.costs[:, np.newaxis]
        lengths = self._extended.lengths[batch.numbers]
        shortest, longest = self.wanted.lengths
        costs[lengths < shortest, BOUNDARY] = np.inf
        costs[lengths >= longest, 1:] = np.inf
        if self.wanted.language is not None:
            states = self._extended.states[batch.numbers]
            allowed = _allowed(self.wanted.language, states, lengths)
            costs[~allowed[:, : costs.shape[1]]] = np.inf
        return costs

    def _drop_half(self) -> None:
        """Drop the least probable half of the open beginnings."""
        n_kept = self._max_open() // 2  # so that this is rare
        costs = self._open.costs
        self._lost = float(np.partition(costs, n_kept)[n_kept])
        self._open = self._open[costs < self._lost]

    def _too_many(self) -> ValueError:
        """Return the error of a search that reached a bound."""
        which = f"The {self.n_words}" if self.n_words else f"More than {self.n_certain}"
        return ValueError(
            f"{which} most likely words{beginning_with(self.wanted.prefix)} cannot be "
            f"told from the others: the search reached its limit of "
            f"{self._max_open()} open beginnings, of {self._limit(MAX_CHARACTERS)} "
            f"characters read, or of {self._limit(MAX_LOG_PROBAS_READ)} probabilities "
            f"of next characters. Words that are certain: {self.n_certain}. Ask for "
            "fewer words (n_samples), or give a longer prefix."
        )


def most_likely_words(
    next_log_proba: NextLogProba, searches: Sequence[BestFirstSearch]
) -> list[list[tuple[str, float]]]:
    """Return the words of each search, with log-probabilities; all have `n_words`.

    Half of all words end at each step, and "a" is twice as likely as "b":

    >>> import numpy as np
    >>> from sklearn_makemore._generation.most_likely import (
    ...     BestFirstSearch,
    ...     WantedWords,
    ...     most_likely_words,
    ... )
    >>> from sklearn_makemore._words.vocabulary import CharVocabulary
    >>> def next_log_proba(prefixes):
    ...     return np.log(np.tile([3 / 6, 2 / 6, 1 / 6], (prefixes.n_words, 1)))
    >>> wanted = WantedWords(CharVocabulary("ab"), "", np.zeros(0, dtype=np.uint8))
    >>> search = BestFirstSearch(wanted, n_words=5)
    >>> for word, log_proba in most_likely_words(next_log_proba, [search])[0]:
    ...     print(repr(word), round(np.exp(log_proba), 3))
    '' 0.5
    'a' 0.167
    'b' 0.083
    'aa' 0.056
    'ab' 0.028
    """
    found: dict[BestFirstSearch, list[tuple[str, float]]] = {s: [] for s in searches}
    while running := [search for search in searches if not search.is_done]:
        running = running[: _n_at_once(running)]
        _advance(next_log_proba, running)
        for search in running:
            found[search] += search.certain()
    return [*found.values()]


def iterate_most_likely(
    next_log_proba: NextLogProba, search: BestFirstSearch
) -> Iterator[tuple[str, float]]:
    """Yield words with log-probabilities, as soon as they are certain."""
    while not search.is_done:
        _advance(next_log_proba, [search])
        yield from search.certain()


def beginning_with(prefix: str) -> str:
    """Return the part of a message that says that words begin with a prefix."""
    return f" beginning with {reprlib.repr(prefix)}" if prefix else ""


def _advance(next_log_proba: NextLogProba, searches: Sequence[BestFirstSearch]) -> None:
    """Extend the best beginnings of searches, read by the model together."""
    batches = [(search, search.batch()) for search in searches]
    batches = [(search, batch) for search, batch in batches if len(batch.numbers)]
    if not batches:
        return
    words = joined_words([search.encoded(batch) for search, batch in batches])
    ends = np.cumsum([len(batch.numbers) for _, batch in batches])[:-1]
    parts = np.split(next_log_proba(words), ends)
    for (search, batch), part in zip(batches, parts, strict=True):
        search.extend(batch, part)


def _n_at_once(searches: Sequence[BestFirstSearch]) -> int:
    """Return how many searches can go on with bounded memory; the first always can."""
    n_rows = accumulate(search.n_rows for search in searches)
    n_read = bisect_right([*n_rows], MAX_CELLS // searches[0].wanted.n_symbols)
    n_stored = accumulate(search.n_stored for search in searches)
    return max(1, min(n_read, bisect_right([*n_stored], MAX_OPEN_PREFIXES[0])))


def _allowed(language: Language, states: Ids, lengths: Ids) -> Mask:
    """Return which symbols can follow words of different lengths.

    states, lengths : (n,)
    allowed : (n, n_symbols)
    """
    allowed = np.zeros((len(states), language.next_states.shape[1]), dtype=bool)
    for length in np.unique(lengths).tolist():
        rows = np.flatnonzero(lengths == length)
        allowed[rows] = language.allowed(states[rows], length)
    return allowed
