"""The most probable words: best-first search over beginnings of words."""

import heapq
import reprlib
import sys
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TypeAlias

import numpy as np

from .._words.types import Floats, Ids, Mask
from .._words.vocabulary import BOUNDARY
from .exclusion import Exclusion
from .language import Language
from .sampling import MAX_CELLS

MAX_OPEN_PREFIXES = 1 << 18
"""Largest number of beginnings to extend: about 50 MB."""

MAX_CHARACTERS = 1 << 22
"""Largest number of characters that the model reads, end marks included."""

PREFIX_CHUNK_SIZE = 256
"""Beginnings that a search extends at a time, if the alphabet is not large."""

MAX_LOG_PROBAS_READ = 3 << 27
"""Largest number of log-probabilities computed: about 10 seconds."""

NextLogProba: TypeAlias = Callable[[list[str]], Floats]
"""Returns log-probabilities after n prefixes, (n, 1 + n_characters): of the end, then
of each character."""

Key: TypeAlias = tuple[float, int, str]
"""The order of words and beginnings: -log p, length, text."""


@dataclass(frozen=True, eq=False)
class WantedWords:
    """Which words a search finds.

    characters : characters that can follow the prefix, sorted by code point; or longer
        symbols, sorted
    log_proba : log-probability of the prefix
    lengths : number of characters of the prefix, of the shortest and the longest word
    language : words that are allowed; None for all
    exclusion : words to leave out; None for none
    segments : cuts a text into symbols, a beginning of a word as the word; None if all
        symbols are single characters
    """

    characters: Sequence[str]
    prefix: str = ""
    log_proba: float = 0.0
    lengths: tuple[int, int, int] = (0, 0, sys.maxsize)
    language: Language | None = None
    exclusion: Exclusion | None = None
    segments: Callable[[str], list[str]] | None = None


@dataclass(slots=True, eq=False)
class Siblings:
    """Beginnings that differ in their last character only, in the order of their keys.

    parent : what they have in common
    length : their number of characters
    state : state of the language after the parent
    costs, columns : (n_siblings,), -log p, and place of the last character in the
        alphabet
    next : number of those that have been opened
    """

    parent: str
    length: int
    state: int
    costs: Floats
    columns: Ids
    next: int = 0


Beginning: TypeAlias = tuple[float, int, str, int, Siblings | None]
"""A key, the state of the language, and the beginnings to open after this one."""


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
    # of its beginnings was dropped. Of siblings only the first is open, and it stands
    # for the others, which have larger keys. So a word that was found is certain to be
    # the next if its key is below those of all open beginnings and below `_lost`, the
    # least -log p of the beginnings that were dropped for lack of room. Beginnings
    # above the last wanted word are dropped too; no word of theirs is wanted.

    def __init__(self, wanted: WantedWords, n_words: int | None = None) -> None:
        self.wanted, self.n_words = wanted, n_words
        self.n_certain = 0
        self.n_stored = 0  # open beginnings and their siblings
        self._found: list[Key] = []
        self._open: list[Beginning] = []
        self._lost = np.inf
        self._n_characters = self._n_read = 0
        if wanted.log_proba > -np.inf:
            state = 0 if wanted.language is None else wanted.language.start
            key = -wanted.log_proba, wanted.lengths[0], wanted.prefix
            self._open.append((*key, state, None))
            self.n_stored = 1

    @property
    def is_done(self) -> bool:
        """Whether all words that are wanted have been found."""
        return self.n_certain == self.n_words or not (self._open or self._lost < np.inf)

    def certain(self) -> list[tuple[str, float]]:
        """Return the words that are certain to be the next, with log-probabilities."""
        # (lost,) is below every key that begins with the same number.
        bound = min([*self._open[:1], (self._lost,)])
        n_new = bisect_left(self._found, bound)
        new = self._found[:n_new]
        del self._found[:n_new]
        self.n_certain += n_new
        return [(text, 0.0 - cost) for cost, _, text in new]

    def batch(self) -> list[Beginning]:
        """Return the beginnings to extend next; raise ValueError past a bound."""
        last = self._last_wanted()
        limit = min((np.inf,) if last is None else last, (self._lost,))
        n_symbols = 1 + len(self.wanted.characters)
        n_rows = max(1, min(PREFIX_CHUNK_SIZE, MAX_CELLS // n_symbols))
        batch: list[Beginning] = []
        while self._open and self._open[0] < limit and len(batch) < n_rows:
            batch.append(beginning := heapq.heappop(self._open))
            if beginning[-1] is not None:
                self._open_next(beginning[-1])
        self.n_stored -= len(batch)
        self._n_characters += sum(length + 1 for _, length, *_ in batch)
        self._n_read += n_symbols * len(batch)
        if (
            not batch
            or self._n_characters > MAX_CHARACTERS
            or self._n_read > MAX_LOG_PROBAS_READ
        ):
            raise self._too_many()
        return batch

    def extend(self, batch: list[Beginning], log_proba: Floats) -> None:
        """Take the log-probabilities after the beginnings of a batch."""
        costs = self._costs_after(batch, log_proba)
        self._add_words(batch, costs[:, 0].tolist())
        last = self._last_wanted()
        worst = np.inf if last is None else last[0]
        order = np.argsort(costs[:, 1:], axis=1, kind="stable")
        costs = np.take_along_axis(costs[:, 1:], order, axis=1)
        n_kept = np.count_nonzero((costs <= worst) & (costs < self._lost), axis=1)
        for row, (_, length, text, state, _) in enumerate(batch):
            if n := int(n_kept[row]):
                kept = costs[row, :n].copy(), order[row, :n].copy()
                self._open_next(Siblings(text, length + 1, state, *kept))
                self.n_stored += n
        if self.n_stored > MAX_OPEN_PREFIXES:
            self._drop_half()

    def _add_words(self, batch: list[Beginning], costs: list[float]) -> None:
        """Add the beginnings of a batch that are words, and keep the wanted ones."""
        last = self._last_wanted() or (np.inf,)
        ended = {
            text: (cost, length, text)
            for cost, (_, length, text, *_) in zip(costs, batch, strict=True)
            if (cost, length, text) < last
        }
        exclusion = self.wanted.exclusion
        for text in ended if exclusion is None else exclusion.left([*ended]):
            insort(self._found, ended[text])
        del self._found[self._n_missing() :]

    def _n_missing(self) -> int:
        """Return how many words are wanted that are not certain yet."""
        return sys.maxsize if self.n_words is None else self.n_words - self.n_certain

    def _last_wanted(self) -> Key | None:
        """Return the worst word that may be among the wanted ones; None if all may."""
        if len(self._found) < self._n_missing():
            return None
        return self._found[self._n_missing() - 1]

    def _open_next(self, siblings: Siblings) -> None:
        """Open the next of some siblings, if there is one."""
        while True:
            place = siblings.next
            if place == len(siblings.costs):
                return
            siblings.next += 1
            column = int(siblings.columns[place])
            symbol = self.wanted.characters[column]
            text = siblings.parent + symbol
            if self._is_cut_before(symbol, text, siblings.length):
                break
            self.n_stored -= 1
        language, state = self.wanted.language, 0
        if language is not None:
            state = int(language.next_states[siblings.state, 1 + column])
        cost = float(siblings.costs[place])
        heapq.heappush(self._open, (cost, siblings.length, text, state, siblings))

    def _is_cut_before(self, symbol: str, text: str, length: int) -> bool:
        """Whether the last of the `length` symbols of a text is this one."""
        if self.wanted.segments is None:
            return True
        symbols = self.wanted.segments(text)
        return len(symbols) == length and symbols[-1] == symbol

    def _costs_after(self, batch: list[Beginning], log_proba: Floats) -> Floats:
        """Return -log p of each beginning with one more symbol, the end first.

        costs : (n_beginnings, 1 + n_characters)
        """
        # Rounding may lift a probability above 1, which would break the search's order.
        costs = -np.minimum(log_proba, 0.0)
        costs += np.array([cost for cost, *_ in batch])[:, np.newaxis]
        lengths = np.array([length for _, length, *_ in batch])
        _, shortest, longest = self.wanted.lengths
        costs[lengths < shortest, BOUNDARY] = np.inf
        costs[lengths >= longest, 1:] = np.inf
        if self.wanted.language is not None:
            states = np.array([state for *_, state, _ in batch])
            allowed = _allowed(self.wanted.language, states, lengths)
            costs[~allowed[:, : costs.shape[1]]] = np.inf
        return costs

    def _drop_half(self) -> None:
        """Drop the least probable half of the stored beginnings."""
        groups = [siblings for *_, siblings in self._open if siblings is not None]
        stored = [siblings.costs[siblings.next - 1 :] for siblings in groups]
        n_kept = MAX_OPEN_PREFIXES // 2  # so that this is rare
        self._lost = float(np.partition(np.concatenate(stored), n_kept)[n_kept])
        for siblings in groups:
            n_left = int(np.searchsorted(siblings.costs, self._lost))
            siblings.costs = siblings.costs[:n_left].copy()
            siblings.columns = siblings.columns[:n_left].copy()
        self._open = [entry for entry in self._open if entry[0] < self._lost]
        heapq.heapify(self._open)
        self.n_stored = sum(
            1 + len(siblings.costs) - siblings.next
            for *_, siblings in self._open
            if siblings is not None
        )

    def _too_many(self) -> ValueError:
        """Return the error of a search that reached a bound."""
        which = f"The {self.n_words}" if self.n_words else f"More than {self.n_certain}"
        return ValueError(
            f"{which} most likely words{beginning_with(self.wanted.prefix)} cannot be "
            f"told from the others: the search reached its limit of "
            f"{MAX_OPEN_PREFIXES} open beginnings, of {MAX_CHARACTERS} characters "
            f"read, or of {MAX_LOG_PROBAS_READ} probabilities of next characters. "
            f"Words that are certain: {self.n_certain}. Ask for fewer words "
            "(n_samples), or give a longer prefix."
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
    >>> def next_log_proba(prefixes):
    ...     return np.log(np.tile([3 / 6, 2 / 6, 1 / 6], (len(prefixes), 1)))
    >>> search = BestFirstSearch(WantedWords("ab"), n_words=5)
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
    batches = [search.batch() for search in searches]
    log_proba = next_log_proba([text for batch in batches for _, _, text, *_ in batch])
    ends = np.cumsum([len(batch) for batch in batches])[:-1]
    parts = np.split(log_proba, ends)
    for search, batch, part in zip(searches, batches, parts, strict=True):
        search.extend(batch, part)


def _n_at_once(searches: Sequence[BestFirstSearch]) -> int:
    """Return how many searches can go on with bounded memory; the first always can."""
    n_symbols = 1 + len(searches[0].wanted.characters)
    n_read = MAX_CELLS // (n_symbols * PREFIX_CHUNK_SIZE)
    n_stored = accumulate(search.n_stored for search in searches)
    return max(1, min(n_read, bisect_right([*n_stored], MAX_OPEN_PREFIXES)))


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
