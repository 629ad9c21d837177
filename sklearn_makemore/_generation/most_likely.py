"""The most probable words: best-first search over the beginnings of words."""

import heapq
import reprlib
from bisect import bisect_left, insort

import numpy as np

from .sampling import MAX_CELLS

MAX_OPEN_PREFIXES = 1 << 18
"""Beginnings kept to go on from: about 40 MB."""

MAX_CHARACTERS = 1 << 22
"""Characters of beginnings that the model reads, end marks included."""

PREFIX_CHUNK_SIZE = 256
"""Beginnings that go on together, if the alphabet is not large."""

MAX_LOG_PROBAS_READ = 3 << 27
"""Log-probabilities of next symbols that are computed: some 10 seconds."""


def most_likely_words(
    next_log_proba, characters, n_words, *, prefix="", log_proba=0.0, longest=None
):
    """Find the most probable words that begin with a prefix.

    Parameters
    ----------
    next_log_proba : callable
        ``next_log_proba(prefixes)``, for a list of n str, returns log-probabilities of
        shape (n, 1 + n_characters): of the end, then of each character to come next.

    characters : str
        Characters a word may go on with, in the order of their code points.

    n_words : int
        Number of words.

    prefix : str, default=""
        Every word begins with it.

    log_proba : float, default=0.0
        Log-probability of the prefix.

    longest : int, default=None
        Most characters of a word, prefix included; None if there is no limit.

    Returns
    -------
    words : list of str
        The words in decreasing probability. Among equally probable ones the shorter
        come first, and those of one length in the order of their code points. There
        are fewer than `n_words` if no others have a probability above 0.

    log_proba : ndarray of shape (n_found,), dtype float64
        Their log-probabilities.

    Raises
    ------
    ValueError
        If the search reaches a bound: `MAX_OPEN_PREFIXES`, `MAX_CHARACTERS` or
        `MAX_LOG_PROBAS_READ`.

    Examples
    --------
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
    # smaller key than one of its beginnings: a factor of at most 1 makes nothing more
    # probable, in floating point too, and where it is 1, the word is longer or is the
    # beginning itself.
    #
    # At every moment each word is found, or has a beginning that is open, or one that
    # was left out. The search ends when no open beginning has a key below the n-th
    # best word found, so no word behind it has. A beginning is left out where its key
    # is above that of an n-th best word, whose place only better ones can take; or for
    # lack of room, and of these the least -log p is kept in `lost`: an n-th best word
    # below it is below everything behind them. So the words found are the best ones.
    n_symbols = 1 + len(characters)
    n_rows = max(1, min(PREFIX_CHUNK_SIZE, MAX_CELLS // n_symbols))
    is_possible = log_proba > -np.inf
    beginnings = [(-log_proba, len(prefix), prefix)] if is_possible else []
    found, lost, n_characters, n_read = [], np.inf, 0, 0
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
            # What is open, or was left out, has keys from here on.
            bound = min(batch[:1] + beginnings[:1] + [(lost,)])
            raise _too_many(n_words, prefix, bisect_left(found, bound))
        if not batch:
            words = [text for _, _, text in found]
            return words, np.array([0.0 - cost for cost, _, _ in found])
        costs = _costs_after(batch, next_log_proba, longest)
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
            n_kept = MAX_OPEN_PREFIXES // 2  # so that this is seldom
            lost = min(lost, beginnings[n_kept][0])
            del beginnings[n_kept:]


def beginning_with(prefix):
    """Say that words begin with a prefix, if there is one."""
    return f" beginning with {reprlib.repr(prefix)}" if prefix else ""


def _too_many(n_words, prefix, n_certain):
    return ValueError(
        f"The {n_words} most likely words{beginning_with(prefix)} are too many to be "
        f"told from the others: the search is at its bound of {MAX_OPEN_PREFIXES} open "
        f"beginnings, of {MAX_CHARACTERS} characters read or of {MAX_LOG_PROBAS_READ} "
        f"probabilities of next ones. Words that are certain: {n_certain}. Ask for "
        "fewer words (n), or give a longer prefix."
    )


def _pop_below(beginnings, limit, n_rows):
    """Take up to `n_rows` of the smallest keys off a heap, those below a limit."""
    batch = []
    while beginnings and beginnings[0] < limit and len(batch) < n_rows:
        batch.append(heapq.heappop(beginnings))
    return batch


def _costs_after(batch, next_log_proba, longest):
    """Negative log-probability of each beginning with one more symbol, the end first.

    The shape is (n_beginnings, 1 + n_characters).
    """
    log_proba = next_log_proba([text for _, _, text in batch])
    # Rounding may take a probability above 1, which would break the search's order.
    costs = -np.minimum(log_proba, 0.0)
    costs += np.array([cost for cost, _, _ in batch])[:, np.newaxis]
    if longest is not None:
        full = [length >= longest for _, length, _ in batch]
        costs[full, 1:] = np.inf
    return costs


def _smallest(costs, worst, lost):
    """Places of the costs up to `worst` and below `lost`, `MAX_OPEN_PREFIXES` at most.

    Parameters
    ----------
    costs : ndarray of shape (n_beginnings, n_characters)
        Negative log-probabilities.

    worst, lost : float
        What is above, or not below, need not be gone on with.

    Returns
    -------
    places : list of tuple of (int, int)
        Rows and columns.

    least_lost : float
        The least of those costs that are not among them, infinite if all are.
    """
    wanted = np.flatnonzero((costs <= worst) & (costs < lost))
    least_lost = np.inf
    if len(wanted) > MAX_OPEN_PREFIXES:
        order = np.argpartition(costs.flat[wanted], MAX_OPEN_PREFIXES)
        least_lost = float(costs.flat[wanted[order[MAX_OPEN_PREFIXES]]])
        wanted = wanted[order[:MAX_OPEN_PREFIXES]]
    rows, columns = np.divmod(wanted, costs.shape[1])
    return list(zip(rows.tolist(), columns.tolist(), strict=True)), least_lost
