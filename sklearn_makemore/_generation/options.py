r"""The options of sampling, and how they change the distribution of the next symbol.

A field of `SampleOptions` declares an option: its name, type, default, valid values and
description. The signature and docstring of `sample`, its checks and the command line
follow. `CHANGES` has the function of each option that changes distributions, in the
order in which the options act.

These functions take log-probabilities, (n_contexts, n_symbols), each row up to a
constant, and return them with ``-inf`` for what is removed. A function returns its
argument itself if it changes nothing.
"""

import re
from collections.abc import Callable, Set
from dataclasses import KW_ONLY
from numbers import Integral, Real
from typing import Any, TypeAlias

import numpy as np

from .._declarations import POSITIVE_INT, DeclaredParameters, parameter
from .._sklearn import Hidden, Interval
from .._words.types import Floats, Mask, Seed, Words

LENGTH = [Interval(Integral, 0, None, closed="left"), None]
SHARE = [Interval(Real, 0, 1, closed="right"), None]

Changes: TypeAlias = tuple[tuple[str, Any], ...]
"""Options that change distributions, in the order of `CHANGES`, and their values."""


class SampleOptions(DeclaredParameters):
    """The arguments of `sample`."""

    n_samples: int = parameter(
        default=1, constraints=[POSITIVE_INT], description="Number of words."
    )
    _: KW_ONLY
    prefix: str = parameter(
        default="",
        description="Every word begins with it; the rest is sampled given the prefix.",
    )
    temperature: float = parameter(
        default=1.0,
        constraints=[Interval(Real, 0, None, closed="left")],
        description="""
        Log-probabilities are divided by it. Below 1, likely characters become more
        likely; above 1, less likely. 0 always takes the most probable character, of
        equally probable ones the first in `symbols_`.
        """,
    )
    top_k: int | None = parameter(
        default=None,
        constraints=[POSITIVE_INT, None],
        description="""
        Sample each character from the `top_k` most probable ones only. Of equally
        probable ones, the first in `symbols_` are kept, here and with `top_p`.
        """,
    )
    top_p: float | None = parameter(
        default=None,
        constraints=SHARE,
        description="""
        Sample each character from the fewest most probable ones that together have at
        least this probability (nucleus sampling).
        """,
    )
    min_p: float | None = parameter(
        default=None,
        constraints=[Interval(Real, 0, 1, closed="both"), None],
        description="""
        Sample each character from those that have at least this fraction of the
        probability of the most probable one.
        """,
    )
    typical_p: float | None = parameter(
        default=None,
        constraints=SHARE,
        description="""
        Sample each character from the fewest most typical ones that together have at
        least this probability. The closer the negative log-probability of a character
        is to the entropy of the distribution, the more typical it is.
        """,
    )
    min_length: int | None = parameter(
        default=None,
        constraints=LENGTH,
        description="""
        Smallest number of characters of a word, prefix included. None allows the empty
        word only if it is a training word (of any member of a mixture), or if
        `max_length` leaves no other. 0 always allows it.
        """,
    )
    max_length: int | None = parameter(
        default=None,
        constraints=LENGTH,
        description="""
        Largest number of characters of a word, prefix included. A word that reaches it
        ends there. None allows ten times the longest training word and at least 1000
        characters beyond the prefix and `min_length`, so that every word ends. A model
        whose `block_size` limits whole words also ends words at that limit.
        """,
    )
    matching: str | None = parameter(
        default=None,
        constraints=[str, Hidden(re.Pattern), None],
        description=r"""
        Regular expression that the whole word must match, prefix included, in Python's
        syntax without look-around, back references, atomic groups and possessive
        repetitions. Properties such as ``\p{Greek}`` need the extra ``matching``. At
        each step, characters that cannot lead to a match are removed before one is
        sampled. A word is rejected if the model gives probability 0 to all matches that
        begin with it, which happens only without smoothing. The result differs from
        sampling words and rejecting those that do not match: the beginning of a word
        keeps its probability even if the model rarely continues it to a match.
        """,
    )
    avoiding: str | Words | Set[str] | None = parameter(
        default=None,
        constraints=[str, Hidden(re.Pattern), "array-like", Set, None],
        type_text="str, array-like or set of str",
        description="""
        What must not occur anywhere in a word, prefix included: a regular expression as
        in `matching`. The strings of a list or set are substrings, which are taken
        literally; those with characters outside the alphabet are ignored. `avoiding`
        combines with `matching` and acts in the same way: only the character that would
        complete an occurrence is removed.
        """,
    )
    exact: bool = parameter(
        default=False,
        description="""
        With `matching` or `avoiding`, whether to sample from the conditional
        distribution of the model, given that the word fits the patterns and has an
        allowed length. `temperature` and similar options act before this condition.
        Words that do not fit are rejected. If few words fit, counters, and networks
        with `match_lengths`, compute the distribution instead, and keep it for the next
        call. All other models, and those with too many states, continue to reject
        words, each as soon as it cannot fit any more; the number of samples is bounded.
        """,
    )
    unique: bool = parameter(
        default=False, description="Whether all words must be different."
    )
    exclude: Words | Set[str] | None = parameter(
        default=None,
        constraints="no_validation",
        type_text="array-like or set of str",
        description="Words to leave out, for instance the training words.",
    )
    min_distance: int = parameter(
        default=1,
        constraints=[POSITIVE_INT],
        description="""
        Smallest edit distance from a word of `exclude`: the number of characters (code
        points) that are inserted, deleted or replaced. With 2, words that differ from
        one of `exclude` by one character are also left out.
        """,
    )
    random_state: Seed = parameter(
        default=None,
        constraints=["random_state"],
        type_text="int, RandomState instance or None",
        description="""
        Pass an int for the same words at each call; None samples fresh ones.
        """,
    )

    @classmethod
    def names(cls) -> list[str]:
        """Return the names of all options."""
        return [*cls._declared_parameters]

    def check(self) -> None:
        """Raise an error if a pattern is compiled, or `exact` has no pattern."""
        for name in "matching", "avoiding":
            if isinstance(getattr(self, name), re.Pattern):
                raise TypeError(
                    f"`{name}` is a compiled pattern of Python; pass its text, "
                    "pattern.pattern, with flags as in (?i)."
                )
        if self.exact and self.matching is None and self.avoiding is None:
            raise ValueError(
                "exact=True needs `matching` or `avoiding`; give one of them, or leave "
                "out `exact`."
            )

    def changes(self) -> Changes:
        """Return the options that change distributions and are set."""
        values = {name: getattr(self, name) for name in CHANGES}
        return tuple(
            (name, value)
            for name, value in values.items()
            if value != getattr(SampleOptions, name)
        )


def tempered(log_proba: Floats, temperature: float) -> Floats:
    """Divide by the temperature; 0 keeps only the first of the largest in each row."""
    if temperature == 1.0:
        return log_proba
    if temperature > 0.0:
        # The largest is moved to 0 first, so that dividing by a tiny temperature does
        # not overflow for the most probable symbol.
        best = log_proba.max(axis=1, keepdims=True)
        with np.errstate(over="ignore"):  # to -inf, which is the limit
            return (log_proba - _finite(best)) / float(temperature)
    return keep_top_k(log_proba, 1)


def keep_top_k(log_proba: Floats, top_k: int) -> Floats:
    """Keep the `top_k` largest of each row; of equal ones the lower ids."""
    if top_k >= log_proba.shape[1]:
        return log_proba
    order = np.argsort(-log_proba, axis=1, kind="stable")
    kept = log_proba.copy()
    np.put_along_axis(kept, order[:, top_k:], -np.inf, axis=1)
    return kept


def keep_top_p(log_proba: Floats, top_p: float) -> Floats:
    """Keep the fewest largest of each row whose probabilities reach `top_p`."""
    if top_p >= 1.0:
        return log_proba
    return _kept(log_proba, _first_share(relative_proba(log_proba), -log_proba, top_p))


def keep_min_p(log_proba: Floats, min_p: float) -> Floats:
    """Keep what has at least `min_p` times the largest probability of its row."""
    if min_p == 0.0:
        return log_proba
    # Tolerate rounding.
    return _kept(log_proba, relative_proba(log_proba) >= min_p * (1 - 1e-12))


def keep_typical(log_proba: Floats, typical_p: float) -> Floats:
    """Keep the fewest most typical of each row whose probabilities reach `typical_p`.

    The most typical have a negative log-probability closest to its mean, the entropy.
    Of equally typical ones, up to 1e-12, the lower ids are kept.
    """
    if typical_p >= 1.0:
        return log_proba
    proba = relative_proba(log_proba)
    total = proba.sum(axis=1, keepdims=True)
    # The differences to the largest have the same distances to their mean.
    relative = np.where(
        proba > 0, log_proba - _finite(log_proba.max(axis=1, keepdims=True)), 0.0
    )
    sums = (proba * relative).sum(axis=1, keepdims=True)
    mean = np.divide(sums, total, out=np.zeros_like(sums), where=total > 0)
    distance = np.where(proba > 0, np.abs(relative - mean), np.inf)
    return _kept(log_proba, _first_share(proba, distance.round(12), typical_p))


def _first_share(proba: Floats, keys: Floats, share: float) -> Mask:
    """Return the fewest of each row, in the order of keys, that reach a share.

    Of equal keys, the lower ids come first.

    proba, keys, is_first : (n_contexts, n_symbols), probabilities up to a factor
    """
    order = np.argsort(keys, axis=1, kind="stable")
    ordered = np.take_along_axis(proba, order, axis=1)
    before = np.zeros_like(proba)  # mass of all that come earlier
    np.cumsum(ordered[:, :-1], axis=1, out=before[:, 1:])
    # Tolerate rounding.
    is_first = before < share * ordered.sum(axis=1, keepdims=True) * (1 - 1e-12)
    result = np.empty_like(is_first)
    np.put_along_axis(result, order, is_first, axis=1)
    return result


def _kept(log_proba: Floats, is_kept: Mask) -> Floats:
    return np.where(is_kept, log_proba, -np.inf)


def relative_proba(log_proba: Floats) -> Floats:
    """Exponentiate each row up to a factor; a row of ``-inf`` becomes zeros."""
    return np.exp(log_proba - _finite(log_proba.max(axis=1, keepdims=True)))


def _finite(best: Floats) -> Floats:
    """Replace infinite numbers with 0."""
    return np.where(np.isfinite(best), best, 0.0)


CHANGES: dict[str, Callable[[Floats, Any], Floats]] = {
    "temperature": tempered,
    "top_k": keep_top_k,
    "top_p": keep_top_p,
    "min_p": keep_min_p,
    "typical_p": keep_typical,
}
"""What each option does to the distributions of the next symbol, in order."""


def changed(log_proba: Floats, changes: Changes) -> Floats:
    """Apply the options that change distributions."""
    for name, value in changes:
        log_proba = CHANGES[name](log_proba, value)
    return log_proba
