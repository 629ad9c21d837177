"""One drawing loop for all models: lengths, patterns, temperature, top-k, top-p."""

import warnings
from dataclasses import dataclass
from itertools import count

import numpy as np

from .._words.vocabulary import BOUNDARY, EncodedWords
from .language import Language
from .next_symbols import Contexts, NextSymbolModel

MAX_CELLS = 1 << 22
"""Probabilities held at once when drawing: 32 MiB of float64."""

HOPELESS_DRAWS = 10_000
"""Draws that without one accepted word are the last."""

MAX_DRAWS_PER_WORD = 100
"""Draws for each word wanted, at most."""

MAX_DRAWS_PER_REJECTED_WORD = 1000
"""The same where words are rejected as they are drawn, most of them soon."""

MIN_ROWS = 256
"""Words drawn at once, however large the alphabet."""


@dataclass(frozen=True)
class DrawOptions:
    """What a draw may do to the model's distribution, in the order it is done.

    Parameters
    ----------
    min_length, max_length : int
        Number of characters of a word, prefix included: the end mark has no chance
        before `min_length`, and nothing else has one at `max_length`.

    temperature : float
        Log-probabilities are divided by it; 0 takes the most probable symbol.

    top_k : int or None
        Keep the `top_k` most probable symbols.

    top_p : float or None
        Keep the fewest most probable symbols that together reach `top_p`.

    never_id : int or None
        Id of a symbol that is not drawn at all.

    language : Language, default=None
        A word is given up when it has left it.
    """

    min_length: int
    max_length: int
    temperature: float
    top_k: int | None
    top_p: float | None
    never_id: int | None
    language: Language | None = None

    def limits(self, length):
        """Whether a word of `length` characters is too short, and whether full."""
        return length < self.min_length, length >= self.max_length

    @property
    def max_draws_per_word(self):
        """Draws that are made for each word wanted, at most."""
        return (
            MAX_DRAWS_PER_WORD if self.language is None else MAX_DRAWS_PER_REJECTED_WORD
        )


def masked(log_proba, length, options):
    """Remove the symbols that a word of `length` characters must not go on with.

    Parameters
    ----------
    log_proba : ndarray of shape (n_contexts, n_symbols)
        Log-probabilities of the next symbol.

    length : int
        Characters so far.

    options : DrawOptions
        The lengths, and the symbol that is never drawn.

    Returns
    -------
    log_proba : ndarray of shape (n_contexts, n_symbols)
        The same where nothing is forbidden, else a copy with ``-inf`` in it.
    """
    too_short, full = options.limits(length)
    if full:
        ended = np.full_like(log_proba, -np.inf)
        ended[:, BOUNDARY] = 0.0  # whatever the model says of the end
        return ended
    forbidden = [options.never_id] if options.never_id is not None else []
    if too_short:
        forbidden.append(BOUNDARY)
    if not forbidden:
        return log_proba
    log_proba = log_proba.copy()
    log_proba[:, forbidden] = -np.inf
    return log_proba


def tempered(log_proba, temperature):
    """Divide by the temperature; in the limit 0 only the first of the largest stays."""
    if temperature == 1.0:
        return log_proba
    if temperature > 0.0:
        # The largest is moved to 0 first: dividing by a tiny temperature must not
        # overflow for the symbol that is to be drawn.
        best = log_proba.max(axis=1, keepdims=True)
        with np.errstate(over="ignore"):  # to -inf, which is the limit
            return (log_proba - _finite(best)) / temperature
    best = log_proba.argmax(axis=1)[:, np.newaxis]
    return np.where(np.arange(log_proba.shape[1]) == best, log_proba, -np.inf)


def keep_top_k(log_proba, top_k):
    """Keep the `top_k` largest of each row, the lower id first among equals."""
    if top_k is None or top_k >= log_proba.shape[1]:
        return log_proba
    order = np.argsort(-log_proba, axis=1, kind="stable")
    kept = log_proba.copy()
    np.put_along_axis(kept, order[:, top_k:], -np.inf, axis=1)
    return kept


def keep_top_p(log_proba, top_p):
    """Keep the fewest largest of each row whose probabilities reach `top_p`."""
    if top_p is None or top_p >= 1.0:
        return log_proba
    order = np.argsort(-log_proba, axis=1, kind="stable")
    ordered = np.take_along_axis(log_proba, order, axis=1)
    proba = relative_proba(ordered)
    total = proba.sum(axis=1, keepdims=True)
    before = np.zeros_like(proba)  # mass of all more probable symbols
    np.cumsum(proba[:, :-1], axis=1, out=before[:, 1:])
    kept = np.empty_like(log_proba)
    # What is reached but for rounding is reached.
    is_kept = before < top_p * total * (1 - 1e-12)
    np.put_along_axis(kept, order, np.where(is_kept, ordered, -np.inf), axis=1)
    return kept


def relative_proba(log_proba):
    """Exponentiate each row up to a factor; one that is all ``-inf`` becomes zeros."""
    return np.exp(log_proba - _finite(log_proba.max(axis=1, keepdims=True)))


def next_proba(log_proba, length, options):
    """Apply all options, in their documented order; each row is up to a factor."""
    changed = masked(log_proba, length, options)
    changed = tempered(changed, options.temperature)
    changed = keep_top_p(keep_top_k(changed, options.top_k), options.top_p)
    if changed is log_proba:  # the model's own, of which not all can be tiny
        return np.exp(log_proba)
    return relative_proba(changed)


def stacked_cdf(proba):
    """Stack the cumulative distributions of all rows into one increasing array.

    Row `i` takes the values from `i` to `i + 1`, so one binary search of ``i + u``
    draws from row `i` by inverse transform, however many draws share a row.

    Parameters
    ----------
    proba : ndarray of shape (n_contexts, n_symbols)
        Probabilities, each row up to a factor; all zeros if nothing can be drawn.

    Returns
    -------
    steps : ndarray of shape (n_contexts * n_symbols,)
        Upper ends of the symbols' intervals, in order.

    dead : ndarray of shape (n_contexts,), dtype bool
        Whether nothing can be drawn.
    """
    cumulative = np.cumsum(proba, axis=1)
    last = cumulative[:, -1:].copy()
    dead = last == 0
    # Dividing by the last makes it exactly one, and with it every symbol of
    # probability zero behind the last possible one: none of them can be drawn.
    np.divide(cumulative, last, out=cumulative, where=~dead)
    cumulative += np.arange(len(proba))[:, np.newaxis]
    return cumulative.ravel(), dead[:, 0]


def draw_from_cdf(steps, rows, uniform, n_symbols):
    """Draw one symbol a row.

    Parameters
    ----------
    steps : ndarray of shape (n_contexts * n_symbols,)
        Stacked cumulative distributions, see `stacked_cdf`.

    rows : ndarray of shape (n_draws,)
        The distribution each draw is from.

    uniform : ndarray of shape (n_draws,)
        Independent draws from [0, 1).

    n_symbols : int
        Number of symbols.

    Returns
    -------
    symbols : ndarray of shape (n_draws,), dtype int64
        Symbol ids.
    """
    # Rounding must not lift a draw onto the next row.
    place = np.minimum(rows + uniform, np.nextafter(rows + 1.0, 0.0))
    return np.searchsorted(steps, place, side="right") - rows * n_symbols


@dataclass(frozen=True, eq=False)
class Source:
    """What words are sampled from: a model, and where it starts.

    Parameters
    ----------
    model : NextSymbolModel
        The model.

    context : contexts of length 1
        The context after the prefix.

    length : int
        Number of characters of the prefix.

    options : DrawOptions
        Changes of the model's distributions.
    """

    model: NextSymbolModel
    context: Contexts
    length: int
    options: DrawOptions


def draw_codes(source, n_draws, rng):
    """Draw the rest of `n_draws` words that all begin with the same characters.

    Parameters
    ----------
    source : Source
        What to draw from.

    n_draws : int
        Number of words.

    rng : RandomState
        Source of the uniforms: one a word and character.

    Returns
    -------
    encoded : EncodedWords
        The characters drawn, of shape (n_draws,).

    complete : ndarray of shape (n_draws,), dtype bool
        False where the options left no symbol to go on with, and of words rejected.
    """
    model, options = source.model, source.options
    language = options.language
    states = None if language is None else np.full(n_draws, language.start)
    alive = np.arange(n_draws)
    contexts = source.context[np.zeros(n_draws, dtype=np.intp)]
    complete = np.ones(n_draws, dtype=bool)
    columns = []
    table, limits = None, None
    for n_characters in count(source.length):
        log_proba, rows = model.next_log_proba(contexts)
        limits_here = options.limits(n_characters)
        # A model that is a table returns the same one at every step.
        if log_proba is not table or limits_here != limits:
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
    return _assembled(columns, n_draws), complete


def _assembled(columns, n_draws):
    """Turn the characters drawn step by step into words."""
    lengths = np.zeros(n_draws, dtype=np.int64)
    for alive, _ in columns:
        lengths[alive] += 1
    offsets = np.zeros(n_draws + 1, dtype=np.int64)
    np.cumsum(lengths + 1, out=offsets[1:])
    codes = np.zeros(offsets[-1] + 1, dtype=np.int64)
    for step, (alive, symbols) in enumerate(columns, start=1):
        codes[offsets[alive] + step] = symbols
    return EncodedWords(codes, offsets)


def draw_words(
    draw, n_samples, max_rows, unique, exclude, max_draws_per_word=MAX_DRAWS_PER_WORD
):
    """Draw until `n_samples` words are accepted, or it is plain that few will be.

    Words are taken in the order they are drawn, so that short words, which are
    finished sooner, have no advantage: the result is distributed as if one word
    after the other were drawn and rejected.

    Parameters
    ----------
    draw : callable
        ``draw(n)`` returns a list of `n` words, None for one that could not be ended.

    n_samples : int
        Number of words wanted.

    max_rows : int
        Largest number of words to draw at once.

    unique : bool
        Whether each word may come only once.

    exclude : iterable of str
        Words that are not wanted.

    max_draws_per_word : int, default=100
        Draws are at most so many for each word wanted, and for ten more.

    Returns
    -------
    words : list of str
        `n_samples` words, or fewer with a warning.
    """
    accepted, seen, n_drawn = [], set(exclude), 0
    max_draws = max_draws_per_word * (n_samples + 10)
    while len(accepted) < n_samples and n_drawn < max_draws:
        missing = n_samples - len(accepted)
        n_draws = _next_batch(missing, len(accepted), n_drawn, max_draws_per_word)
        n_draws = min(n_draws, max_rows, max_draws - n_drawn)
        n_drawn += n_draws
        n_before = len(accepted)
        words = [word for word in draw(n_draws) if word is not None]
        if unique:
            words = [word for word in words if not (word in seen or seen.add(word))]
        elif seen:
            words = [word for word in words if word not in seen]
        accepted += words
        if len(accepted) == n_before and n_draws >= HOPELESS_DRAWS:
            break
    if len(accepted) < n_samples:
        warnings.warn(
            f"Found {len(accepted)} of {n_samples} words in {n_drawn} draws: the "
            "options (unique, exclude, lengths, matching, top_k, top_p, temperature) "
            "leave too few. Ask for fewer words, or relax one of them.",
            UserWarning,
            stacklevel=4,
        )
    return accepted[:n_samples]


def _next_batch(n_missing, n_accepted, n_drawn, max_draws_per_word):
    """Draws expected to yield what is missing, at the rate of acceptance so far."""
    if n_drawn == 0:
        return n_missing
    rate = max(n_accepted / n_drawn, 1 / max_draws_per_word)
    return int(1.2 * n_missing / rate) + 16


def _finite(best):
    return np.where(np.isfinite(best), best, 0.0)
