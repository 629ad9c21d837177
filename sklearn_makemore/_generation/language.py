"""The words of an automaton that have a prefix and an allowed length."""

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._words.symbols import SymbolVocabulary
from .._words.types import Ids, Mask, Words
from .._words.vocabulary import BOUNDARY, CharVocabulary
from .automaton import (
    MAX_TRANSITIONS,
    Automaton,
    compile_pattern,
    intersection,
    shortened,
    too_large,
)
from .avoided import avoiding_automaton, checked_avoiding
from .parse_pattern import TooLargeError

MAX_STEPS = 1 << 28
"""Largest number of transitions, over all lengths, of the search for possible ends."""


class BackwardLayers:
    """Values of the states for every length of a word.

    They are computed from the largest length down: ``values[max_length] = ends``, and
    ``values[n] = before(values[n + 1])``, plus `ends` if a word of `n` characters may
    end. Once they no longer change from one length to the next, one array serves all
    shorter lengths from `constant_from` on.

    before : computes the values at a length from those at the next length
    ends : returns the values of a word that ends at a length, (n_states,); for bool
        arrays, plus means or
    lengths : the first length, and the smallest and the largest length of a word
    is_settled : whether the values at a length and at the next length count as equal
    max_layers : largest number of lengths with separate values; OverflowError beyond
    constant_from : smallest length from which on `ends` are the same
    skips_late : whether settled values also serve the largest lengths, if they are far
        from the first one: words that long are as rare as what `is_settled` neglects
    """

    def __init__(
        self,
        before: Callable[[NDArray[Any]], NDArray[Any]],
        ends: Callable[[int], NDArray[Any]],
        lengths: tuple[int, int, int],
        is_settled: Callable[[NDArray[Any], NDArray[Any]], bool],
        max_layers: int,
        constant_from: int = 0,
        skips_late: bool = False,
    ) -> None:
        first, self.min_length, self.max_length = lengths
        self.first, self.ends = first, ends
        constant_from = min(constant_from, self.max_length)
        self._n_early = max(self.min_length, constant_from)
        self._none = np.zeros_like(ends(self.max_length))
        settled = self._settled(before, is_settled) if skips_late else None
        self._late = [ends(self.max_length)]  # from the largest length down
        if settled is not None:
            self._late = [settled]
        else:
            for length in range(self.max_length - 1, max(first, self._n_early) - 1, -1):
                values = ends(length) + before(self._late[-1])
                if is_settled(values, self._late[-1]):
                    break
                self._append(self._late, values, max_layers)
        self._early: list[NDArray[Any]] = []  # of the lengths below `_n_early`, down
        for length in range(self._n_early - 1, first - 1, -1):
            values = before(self._early[-1] if self._early else self[self._n_early])
            if length >= self.min_length:
                values = ends(length) + values
            self._append(self._early, values, max_layers - len(self._late))

    def _settled(
        self,
        before: Callable[[NDArray[Any]], NDArray[Any]],
        is_settled: Callable[[NDArray[Any], NDArray[Any]], bool],
    ) -> NDArray[Any] | None:
        """Return the values that are settled in the upper half of the lengths, or None.

        Only two arrays are in memory at a time.
        """
        later = self.ends(self.max_length)
        half = (self.first + self.max_length) // 2
        for length in range(self.max_length - 1, max(half, self._n_early) - 1, -1):
            values = self.ends(length) + before(later)
            if is_settled(values, later):
                return values
            later = values
        return None

    @staticmethod
    def _append(
        layers: list[NDArray[Any]], values: NDArray[Any], max_layers: int
    ) -> None:
        if len(layers) >= max_layers:
            raise OverflowError
        layers.append(values)

    @property
    def n_bytes(self) -> int:
        """Size in memory."""
        return sum(values.nbytes for values in (*self._late, *self._early))

    def __getitem__(self, length: int) -> NDArray[Any]:
        """Return the values at a length; zeros beyond the largest."""
        if length > self.max_length:
            return self._none
        if length < self._n_early:
            return self._early[self._n_early - 1 - length]
        return self._late[min(self.max_length - length, len(self._late) - 1)]


@dataclass(frozen=True, eq=False)
class Language:
    """The words of an automaton with a prefix and an allowed length.

    next_states, accepts : as in `Automaton`, over all symbols of a vocabulary
    start : the state after the prefix
    can_end : whether a word of some length in a state can still be ended, bool arrays
        of shape (n_states + 1,); the last element is False, for state -1
    """

    next_states: NDArray[np.int32]
    accepts: Mask
    start: int
    can_end: BackwardLayers

    @property
    def n_states(self) -> int:
        """Number of states."""
        return len(self.accepts)

    def allowed(self, states: Ids, length: int) -> Mask:
        """Return which symbols can follow `length` characters; column 0 is the end.

        states : (n,)
        allowed : (n, n_symbols)
        """
        allowed = self.can_end[length + 1][self.next_states[states]]
        allowed[:, BOUNDARY] = self._may_end(states, length)
        return allowed

    def allows(self, states: Ids, symbols: Ids, length: int) -> Mask:
        """Return whether one symbol each can follow `length` characters; all : (n,)."""
        can_end_later = self.can_end[length + 1][self.next_states[states, symbols]]
        return np.where(
            symbols == BOUNDARY, self._may_end(states, length), can_end_later
        )

    def _may_end(self, states: Ids, length: int) -> Mask:
        return self.accepts[states] & (length >= self.can_end.min_length)


def matching_language(
    matching: str | None,
    avoiding: Words | Set[str] | str | None,
    vocabulary: CharVocabulary,
    prefix: str,
    min_length: int,
    max_length: int,
) -> Language:
    """Return the words that match, avoid, have a prefix, and have an allowed length.

    The unknown symbol is not a character, so no word contains it, except in the prefix.
    Raises ValueError if there is no such word, and as `compile_pattern`.

    matching, avoiding : as of `GeneratorMixin.sample`; None for any word
    """
    characters = "".join(sorted(set("".join(vocabulary.characters))))
    strange = "".join(sorted(set(prefix) - set(characters)))
    alphabet = characters + strange
    automaton, conditions = _compiled(matching, avoiding, alphabet, prefix)
    if automaton.start < 0:
        raise ValueError(
            f"No word of the model's characters fits {conditions}; they are "
            f"{shortened(characters)}."
        )
    start = automaton.after(1 + alphabet.index(character) for character in prefix)
    if start < 0:
        raise ValueError(
            f"No word that begins with prefix={shortened(prefix)} fits {conditions}."
        )
    next_states = automaton.next_states
    if isinstance(vocabulary, SymbolVocabulary):
        symbols = vocabulary.characters
        next_states = _over_symbols(next_states, symbols, alphabet, conditions)
    next_states = next_states[:, : 1 + len(vocabulary.characters)]
    if vocabulary.unknown:
        next_states = np.pad(next_states, [(0, 0), (0, 1)], constant_values=-1)
    n_prefix = len(vocabulary.segments(prefix))
    lengths = n_prefix, min_length, max_length
    can_end = _can_end(next_states, automaton.accepts, lengths, conditions)
    if not can_end[n_prefix][start]:
        beginning = f" that begins with prefix={shortened(prefix)}" if prefix else ""
        raise ValueError(
            f"No word{beginning} of {min_length} to {max_length} of the model's "
            f"characters fits {conditions}; see min_length and max_length."
        )
    return Language(next_states, automaton.accepts, start, can_end)


def _compiled(
    matching: str | None,
    avoiding: Words | Set[str] | str | None,
    alphabet: str,
    prefix: str,
) -> tuple[Automaton, str]:
    """Return the automaton of the words that match and avoid, and these conditions."""
    conditions: list[str] = []
    automata: list[Automaton] = []
    if matching is not None:
        conditions.append(f"matching={shortened(matching)}")
        automata.append(compile_pattern(matching, alphabet))
    avoided = checked_avoiding(avoiding)
    if avoided is not None or matching is None:
        avoided = () if avoided is None else avoided
        shown = avoided if isinstance(avoided, str) else [*avoided]
        conditions.append(f"avoiding={shortened(shown)}")
        automata.append(avoiding_automaton(avoided, alphabet, prefix))
    text = " and ".join(conditions)
    try:
        return reduce(intersection, automata), text
    except TooLargeError:
        raise too_large(text) from None


def _over_symbols(
    next_states: NDArray[np.int32],
    symbols: Sequence[str],
    characters: str,
    conditions: str,
) -> NDArray[np.int32]:
    """Return the state after all characters of each symbol, (n_states, 1 + n_symbols).

    next_states : (n_states, 1 + n_characters)
    """
    n_states = len(next_states)
    if n_states * (1 + len(symbols)) > MAX_TRANSITIONS:
        raise too_large(conditions)
    found = np.full((n_states, 1 + len(symbols)), -1, dtype=np.int32)
    # The last row is that of state -1.
    next_states = np.pad(next_states, [(0, 1), (0, 0)], constant_values=-1)
    columns = {character: i for i, character in enumerate(characters, start=1)}
    for column, symbol in enumerate(symbols, start=1):
        states = np.arange(n_states)
        for character in symbol:
            states = next_states[states, columns[character]]
        found[:, column] = states
    return found


def _can_end(
    next_states: NDArray[np.int32],
    accepts: Mask,
    lengths: tuple[int, int, int],
    conditions: str,
) -> BackwardLayers:
    """Return whether words of each length in each state can be ended."""
    n_states = len(accepts)
    sources, symbols = np.nonzero(next_states >= 0)
    pairs = np.unique(sources * n_states + next_states[sources, symbols])
    sources, targets = pairs // n_states, pairs % n_states

    def before(can_end: Mask) -> Mask:
        earlier = np.zeros_like(can_end)
        earlier[sources[can_end[targets]]] = True
        return earlier

    max_layers = 1 + MAX_STEPS // (len(pairs) + n_states)
    ends = np.append(accepts, False)
    try:
        return BackwardLayers(
            before, lambda _: ends, lengths, np.array_equal, max_layers
        )
    except OverflowError:
        raise too_large(conditions) from None
