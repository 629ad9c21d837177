"""The most probable words: best-first search over beginnings of words."""

import heapq
import reprlib
from bisect import bisect_left, insort
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from .._words.types import Floats
from .sampling import MAX_CELLS

MAX_OPEN_PREFIXES = 1 << 18
"""Largest number of beginnings to extend: about 40 MB."""

MAX_CHARACTERS = 1 << 22
"""Largest number of characters that the model reads, end marks included."""

PREFIX_CHUNK_SIZE = 256
"""Beginnings extended at a time, if the alphabet is not large."""

MAX_LOG_PROBAS_READ = 3 << 27
"""Largest number of log-probabilities computed: about 10 seconds."""

Key: TypeAlias = tuple[float, int, str]
"""The order of words and beginnings: -log p, length, text."""


def most_likely_words(
    next_log_proba: Callable[[list[str]], Floats],
    characters: str,
    n_words: int,
    *,
    prefix: str = "",
    log_proba: float = 0.0,
    shortest: int = 0,
    longest: int | None = None,
) -> tuple[list[str], Floats]:
    """Find the most probable words that begin with a prefix, and their log-probability.

    Equally probable words are ordered by length, and those of the same length by their
    code points. There are fewer than `n_words` if no others have a probability above 0.
    Raises ValueError if the search reaches `MAX_OPEN_PREFIXES`, `MAX_CHARACTERS` or
    `MAX_LOG_PROBAS_READ`.

    next_log_proba : returns log-probabilities after n prefixes, (n, 1 + n_characters):
        of the end, then of each character
    characters : characters that can follow, sorted by code point
    log_proba : log-probability of the prefix
    shortest, longest : number of characters of a word, prefix included

    Half of all words end at each step, and "a" is twice as likely as "b":

    >>> import numpy as np
    >>> from sklearn_makemore._generation.most_likely import most_likely_words
    >>> def next_log_proba(prefixes):
    ...     return np.log(np.tile([3 / 6, 2 / 6, 1 / 6], (len(prefixes), 1)))
    >>> words, log_proba = most_likely_words(next_log_proba, "ab", 5)
    >>> words
    ['', 'a', 'b', 'aa', 'ab']
    >>> np.exp(log_proba).round(3)
    array([0.5  , 0.167, 0.083, 0.056, 0.028])
    """
    # Words and beginnings are ordered by the key (-log p, length, text). No word has a
    # smaller key than one of its beginnings: multiplying by a probability never makes
    # p larger, in floating point too. If p is equal, the word is longer or is the
    # beginning itself.
    #
    # At any time, each word has been found, or one of its beginnings is open, or one
    # of its beginnings was dropped. The search ends when no open beginning has a key
    # below the n-th best word found; then no word with an open beginning has. A
    # beginning is dropped if its key is above the n-th best word found so far, or for
    # lack of room. `lost` is the least -log p of those dropped for lack of room. If
    # the n-th best word is below `lost`, it is also below all words that begin with
    # them. So the words found are the best ones.
    n_symbols = 1 + len(characters)
    n_rows = max(1, min(PREFIX_CHUNK_SIZE, MAX_CELLS // n_symbols))
    is_possible = log_proba > -np.inf
    first: Key = -log_proba, len(prefix), prefix
    beginnings = [first] if is_possible else []
    found: list[Key] = []
    lost, n_characters, n_read = np.inf, 0, 0
    while True:
        # (lost,) is below every key that begins with the same number.
        limit = min(found[-1] if len(found) == n_words else (np.inf,), (lost,))
        batch = _pop_below(beginnings, limit, n_rows)
        n_characters += sum(length + 1 for _, length, _ in batch)
        n_read += n_symbols * len(batch)
        if (
            (not batch and limit == (lost,) < (np.inf,))
            or n_characters > MAX_CHARACTERS
            or n_read > MAX_LOG_PROBAS_READ
        ):
            # Open and dropped beginnings have keys from here on.
            bound = min(batch[:1] + beginnings[:1] + [(lost,)])
            raise _too_many(n_words, prefix, bisect_left(found, bound))
        if not batch:
            words = [text for _, _, text in found]
            return words, np.array([0.0 - cost for cost, _, _ in found])
        costs = _costs_after(batch, next_log_proba, shortest, longest)
        for cost, (_, length, text) in zip(costs[:, 0].tolist(), batch, strict=True):
            if cost < np.inf and (cost, length, text) < limit:
                insort(found, (cost, length, text))
        del found[n_words:]
        worst = found[-1][0] if len(found) == n_words else np.inf
        places, least_lost = _smallest(costs[:, 1:], worst, lost)
        lost = min(lost, least_lost)
        for row, column in places:
            _, length, text = batch[row]
            key = float(costs[row, 1 + column]), length + 1, text + characters[column]
            heapq.heappush(beginnings, key)
        if len(beginnings) > MAX_OPEN_PREFIXES:
            beginnings.sort()  # a sorted list is a heap
            n_kept = MAX_OPEN_PREFIXES // 2  # so that this is rare
            lost = min(lost, beginnings[n_kept][0])
            del beginnings[n_kept:]


def beginning_with(prefix: str) -> str:
    """Return the part of a message that says that words begin with a prefix."""
    return f" beginning with {reprlib.repr(prefix)}" if prefix else ""


def _too_many(n_words: int, prefix: str, n_certain: int) -> ValueError:
    """Return the error of a search that reached a bound."""
    return ValueError(
        f"The {n_words} most likely words{beginning_with(prefix)} cannot be told from "
        f"the others: the search reached its limit of {MAX_OPEN_PREFIXES} open "
        f"beginnings, of {MAX_CHARACTERS} characters read, or of "
        f"{MAX_LOG_PROBAS_READ} probabilities of next characters. Words that are "
        f"certain: {n_certain}. Ask for fewer words (n_samples), or give a longer "
        "prefix."
    )


def _pop_below(
    beginnings: list[Key], limit: tuple[float] | Key, n_rows: int
) -> list[Key]:
    """Pop up to `n_rows` of the smallest keys of a heap, those below a limit."""
    batch: list[Key] = []
    while beginnings and beginnings[0] < limit and len(batch) < n_rows:
        batch.append(heapq.heappop(beginnings))
    return batch


def _costs_after(
    batch: list[Key],
    next_log_proba: Callable[[list[str]], Floats],
    shortest: int,
    longest: int | None,
) -> Floats:
    """Return -log p of each beginning with one more symbol, the end first.

    costs : (n_beginnings, 1 + n_characters)
    """
    log_proba = next_log_proba([text for _, _, text in batch])
    # Rounding may lift a probability above 1, which would break the search's order.
    costs = -np.minimum(log_proba, 0.0)
    costs += np.array([cost for cost, _, _ in batch])[:, np.newaxis]
    costs[[length < shortest for _, length, _ in batch], 0] = np.inf
    if longest is not None:
        full = [length >= longest for _, length, _ in batch]
        costs[full, 1:] = np.inf
    return costs


def _smallest(
    costs: Floats, worst: float, lost: float
) -> tuple[list[tuple[int, int]], float]:
    """Return rows and columns of costs up to `worst` and below `lost`.

    There are at most `MAX_OPEN_PREFIXES`, the smallest ones. The second result is the
    least of the costs left out for lack of room, infinite if there are none.

    costs : (n_beginnings, n_characters)
    """
    wanted = np.flatnonzero((costs <= worst) & (costs < lost))
    least_lost = np.inf
    if len(wanted) > MAX_OPEN_PREFIXES:
        order = np.argpartition(costs.flat[wanted], MAX_OPEN_PREFIXES)
        least_lost = float(costs.flat[wanted[order[MAX_OPEN_PREFIXES]]])
        wanted = wanted[order[:MAX_OPEN_PREFIXES]]
    rows, columns = np.divmod(wanted, costs.shape[1])
    return list(zip(rows.tolist(), columns.tolist(), strict=True)), least_lost
