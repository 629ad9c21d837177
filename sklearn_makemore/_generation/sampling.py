"""The sampling loop of all models."""

import sys
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import count

import numpy as np
from numpy.typing import NDArray

from .._words.types import Floats, Ids, Mask
from .._words.vocabulary import BOUNDARY, EncodedWords
from .exclusion import Exclusion
from .language import Language
from .next_symbols import Contexts, NextSymbolModel
from .options import CHANGES, Changes, changed, relative_proba

MAX_CELLS = 1 << 22
"""Probabilities in memory while sampling: 32 MiB of float64."""

HOPELESS_DRAWS = 10_000
"""Number of draws without an accepted word after which sampling stops."""

MAX_DRAWS_PER_WORD = 100
"""Largest number of draws per word wanted."""

MAX_DRAWS_PER_REJECTED_WORD = 1000
"""The same if words are rejected character by character, which is cheaper."""

MAX_TRIAL_DRAWS_PER_WORD = 50
"""The same for the rejection that precedes the computation of exact probabilities. It
is enough if about one word in fifty matches, or more."""

MIN_ROWS = 256
"""Words sampled at a time, however large the alphabet."""


@dataclass(frozen=True)
class DrawOptions:
    """Conditions on words and changes of the model's distributions.

    The defaults change nothing.

    changes : of `SampleOptions`
    never_id : id of a symbol that is never sampled
    language : a word is rejected when it has left the language
    """

    min_length: int = 0
    max_length: int = sys.maxsize
    changes: Changes = ()
    never_id: int | None = None
    language: Language | None = None

    def limits(self, length: int) -> tuple[bool, bool]:
        """Whether a word of `length` characters must continue, and if it must end."""
        return length < self.min_length, length >= self.max_length


def masked(log_proba: Floats, length: int, options: DrawOptions) -> Floats:
    """Remove the symbols that must not follow `length` characters.

    The result is `log_proba` itself if nothing is forbidden, else a copy.

    log_proba : (n_contexts, n_symbols)
    """
    too_short, full = options.limits(length)
    if full:
        ended = np.full_like(log_proba, -np.inf)
        ended[:, BOUNDARY] = 0.0  # even if the model gives the end no probability
        return ended
    forbidden = [options.never_id] if options.never_id is not None else []
    if too_short:
        forbidden.append(BOUNDARY)
    if not forbidden:
        return log_proba
    log_proba = log_proba.copy()
    log_proba[:, forbidden] = -np.inf
    return log_proba


def next_proba(log_proba: Floats, length: int, options: DrawOptions) -> Floats:
    """Apply all options in their documented order; each row is up to a factor."""
    result = changed(masked(log_proba, length, options), options.changes)
    if result is log_proba:  # a model's own row has a probability of ordinary size
        return np.exp(log_proba)
    return relative_proba(result)


def stacked_cdf(proba: Floats) -> tuple[Floats, Mask]:
    """Stack the cumulative distributions of all rows into one increasing array.

    Row `i` has the values from `i` to `i + 1`. So one binary search of ``i + u``
    samples from row `i` by inverse transform, however many samples share a row.

    proba : (n_contexts, n_symbols), each row up to a factor; all zeros in a dead end
    steps : (n_contexts * n_symbols,), upper ends of the symbols' intervals, in order
    dead : (n_contexts,), whether nothing can be sampled
    """
    cumulative = np.cumsum(proba, axis=1)
    last = cumulative[:, -1:].copy()
    dead = last == 0
    # Dividing by the last makes it exactly 1, and so are the symbols of probability 0
    # after the last possible symbol: none of them can be sampled.
    np.divide(cumulative, last, out=cumulative, where=~dead)
    cumulative += np.arange(len(proba))[:, np.newaxis]
    return cumulative.ravel(), dead[:, 0]


def draw_from_cdf(
    steps: Floats, rows: Ids, uniform: Floats, n_symbols: int
) -> NDArray[np.int64]:
    """Sample one symbol per row from distributions that `stacked_cdf` stacked.

    rows, uniform, symbols : (n_draws,)
    """
    # Rounding must not move a sample to the next row.
    place = np.minimum(rows + uniform, np.nextafter(rows + 1.0, 0.0))
    return np.searchsorted(steps, place, side="right") - rows * n_symbols


@dataclass(frozen=True, eq=False)
class Source:
    """What words are sampled from: a model, and where it starts.

    context : the context after the prefix, of length 1
    length : number of characters of the prefix
    is_trial : whether another source takes over if it takes many draws
    """

    model: NextSymbolModel
    context: Contexts
    length: int
    options: DrawOptions
    is_trial: bool = False

    @property
    def max_draws_per_word(self) -> int:
        """Largest number of draws per word wanted."""
        if self.is_trial:
            return MAX_TRIAL_DRAWS_PER_WORD
        if self.options.language is None:
            return MAX_DRAWS_PER_WORD
        return MAX_DRAWS_PER_REJECTED_WORD


def draw_codes(
    source: Source, n_draws: int, rng: np.random.RandomState
) -> tuple[EncodedWords, Mask]:
    """Sample the rest of `n_draws` words that all begin with the same prefix.

    encoded : the sampled characters, without the prefix
    complete : (n_draws,), False for words that were rejected or could not be ended
    """
    model, options = source.model, source.options
    language = options.language
    states: Ids = np.full(n_draws, 0 if language is None else language.start)
    alive = np.arange(n_draws)
    contexts = source.context[np.zeros(n_draws, dtype=np.intp)]
    complete = np.ones(n_draws, dtype=bool)
    columns: list[tuple[Ids, Ids]] = []
    table = limits = steps = dead = None
    for n_characters in count(source.length):
        log_proba, rows = model.next_log_proba(contexts)
        limits_here = options.limits(n_characters)
        # A model that is a table returns the same array at every step.
        if (
            steps is None
            or dead is None
            or log_proba is not table
            or limits_here != limits
        ):
            table, limits = log_proba, limits_here
            steps, dead = stacked_cdf(next_proba(log_proba, n_characters, options))
        symbols = draw_from_cdf(
            steps, rows, rng.random_sample(len(alive)), log_proba.shape[1]
        )
        lost = dead[rows] if dead.any() else None
        if language is not None:
            left = ~language.allows(states, symbols, n_characters)
            lost = left if lost is None else lost | left
        if lost is not None:
            complete[alive[lost]] = False
            symbols[lost] = BOUNDARY
        going = np.flatnonzero(symbols != BOUNDARY)
        alive, symbols = alive[going], symbols[going]
        if not len(alive):
            break
        if language is not None:
            states = language.next_states[states[going], symbols]
        columns.append((alive, symbols))
        contexts = model.advance(contexts[going], symbols)
    return assembled(columns, n_draws), complete


def assembled(columns: list[tuple[Ids, Ids]], n_draws: int) -> EncodedWords:
    """Turn the characters sampled step by step into words."""
    lengths = np.zeros(n_draws, dtype=np.int64)
    for alive, _ in columns:
        lengths[alive] += 1
    offsets = np.zeros(n_draws + 1, dtype=np.int64)
    np.cumsum(lengths + 1, out=offsets[1:])
    codes = np.zeros(offsets[-1] + 1, dtype=np.int64)
    for step, (alive, symbols) in enumerate(columns, start=1):
        codes[offsets[alive] + step] = symbols
    return EncodedWords(codes, offsets)


@dataclass(frozen=True, eq=False)
class Stage:
    """A way of sampling words, and how long to try it before the next one.

    draw : ``draw(n)`` returns `n` words, None for one that could not be ended
    max_draws_per_word : largest number of draws per word, for `n_samples` + 10 words
    is_trial : whether it ends as soon as it is likely to need more draws than that
    """

    draw: Callable[[int], list[str | None]]
    max_draws_per_word: int = MAX_DRAWS_PER_WORD
    is_trial: bool = False


def draw_words(
    stages: Iterable[Stage],
    n_samples: int,
    max_rows: int,
    unique: bool,
    exclusion: Exclusion,
) -> list[str]:
    """Sample until `n_samples` words are accepted, or too many have been rejected.

    Words are accepted in the order they are sampled. Short words finish sooner, but
    have no advantage: the result is distributed as if one word after the other were
    sampled and rejected. That a stage ends depends on earlier words only, so stages
    that sample from the same distribution can replace each other at any time.

    max_rows : largest number of words to sample at a time
    """
    accepted = Accepted(n_samples, unique, exclusion)
    n_drawn = 0
    for stage in stages:
        n_drawn += _run(stage, max_rows, accepted)
        if not accepted.n_missing:
            break
    else:
        warnings.warn(
            f"Found {len(accepted.words)} of {n_samples} words in {n_drawn} draws: the "
            "options (`unique`, `exclude`, `min_distance`, `min_length`, `max_length`, "
            f"`matching`, `avoiding`, {', '.join(f'`{name}`' for name in CHANGES)}) "
            "leave too few. Ask for fewer words, or relax one of them.",
            UserWarning,
            stacklevel=5,
        )
    return accepted.words[:n_samples]


class Accepted:
    """The words accepted so far, and what makes a word acceptable."""

    def __init__(self, n_samples: int, unique: bool, exclusion: Exclusion) -> None:
        self.n_samples, self.unique, self.exclusion = n_samples, unique, exclusion
        self.words: list[str] = []
        self._seen: set[str] = set()

    @property
    def n_missing(self) -> int:
        """Number of words that are still to be found."""
        return max(0, self.n_samples - len(self.words))

    def add(self, drawn: list[str | None]) -> None:
        """Accept the words that were ended and are neither excluded nor repeated."""
        words = [word for word in drawn if word is not None]
        if self.unique:
            words = [word for word in dict.fromkeys(words) if word not in self._seen]
        words = self.exclusion.left(words)
        if self.unique:
            self._seen.update(words)
        self.words += words


def _run(stage: Stage, max_rows: int, accepted: Accepted) -> int:
    """Sample words in a stage, and return the number of draws."""
    n_drawn, n_before = 0, len(accepted.words)
    max_draws = stage.max_draws_per_word * (accepted.n_samples + 10)
    while accepted.n_missing and n_drawn < max_draws:
        n_found = len(accepted.words) - n_before
        n_draws = _next_batch(
            accepted.n_missing, n_found, n_drawn, stage.max_draws_per_word
        )
        if stage.is_trial and n_draws > max_draws - n_drawn:
            break
        n_draws = min(n_draws, max_rows, max_draws - n_drawn)
        n_drawn += n_draws
        accepted.add(stage.draw(n_draws))
        n_new = len(accepted.words) - n_before - n_found
        if n_new == 0 and n_draws >= HOPELESS_DRAWS:
            break
    return n_drawn


def _next_batch(
    n_missing: int, n_accepted: int, n_drawn: int, max_draws_per_word: int
) -> int:
    """Return how many draws should give the missing words at the rate so far."""
    if n_drawn == 0:
        return n_missing
    # After draws in vain, the rate is likely to be below one in as many draws.
    rate = max(max(n_accepted, 1) / n_drawn, 1 / max_draws_per_word)
    return int(1.2 * n_missing / rate) + 16
