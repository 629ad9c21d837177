"""The words of an automaton that have a prefix and are neither too short nor long."""

from dataclasses import dataclass

import numpy as np

from .._words.vocabulary import BOUNDARY
from .automaton import compile_pattern, shortened, too_large

MAX_STEPS = 1 << 28
"""Most transitions looked at, over all lengths, to see which words can be ended."""


class BackwardLayers:
    """Values of the states for every length of a word.

    They are computed from the largest length down: ``values[max_length] = ends``, and
    ``values[n] = before(values[n + 1])``, plus `ends` where a word of `n` characters
    may end. Once they no longer change from one length to the next, one copy serves all
    shorter lengths.

    Parameters
    ----------
    before : callable
        Values of one character less, of those of one more.

    ends : ndarray of shape (n_states,)
        Values of a word that ends; of bool, plus is or.

    lengths : tuple of int
        The first length, the least and the largest one of a word that ends.

    is_settled : callable
        Whether values, and those of one character more, may pass for equal.

    max_layers : int
        Most lengths that may have values of their own.

    Raises
    ------
    OverflowError
        If they are more.
    """

    def __init__(self, before, ends, lengths, is_settled, max_layers):
        first, self.min_length, self.max_length = lengths
        self.first = first
        self._none = np.zeros_like(ends)
        self._late = [ends]  # from the largest length down
        while self.max_length - len(self._late) >= max(first, self.min_length):
            values = ends + before(self._late[-1])
            if is_settled(values, self._late[-1]):
                break
            self._append(self._late, values, max_layers)
        self._early = []  # from the least length down
        for _ in range(first, self.min_length):
            later = self._early[-1] if self._early else self[self.min_length]
            self._append(self._early, before(later), max_layers - len(self._late))

    @staticmethod
    def _append(layers, values, max_layers):
        if len(layers) >= max_layers:
            raise OverflowError
        layers.append(values)

    def __getitem__(self, length):
        """Return the values at a length; beyond the largest there is nothing."""
        if length > self.max_length:
            return self._none
        if length < self.min_length:
            return self._early[self.min_length - 1 - length]
        return self._late[min(self.max_length - length, len(self._late) - 1)]


@dataclass(frozen=True, eq=False)
class Language:
    """The words that match, begin with a prefix, and are neither too short nor long.

    Parameters
    ----------
    next_states : ndarray of shape (n_states, n_symbols), dtype int32
        As in `Automaton`, over all symbols of a vocabulary.

    accepts : ndarray of shape (n_states,), dtype bool
        As in `Automaton`.

    start : int
        The state after the prefix.

    can_end : BackwardLayers
        Whether a word of some length in a state can be ended yet: bool arrays of shape
        (n_states + 1,), the last False, so that state -1 cannot.
    """

    next_states: np.ndarray
    accepts: np.ndarray
    start: int
    can_end: BackwardLayers

    @property
    def n_states(self):
        """Number of states."""
        return len(self.accepts)

    def allowed(self, states, length):
        """Tell with which symbols words in some states can go on, or end.

        Parameters
        ----------
        states : ndarray of int of shape (n,)
            Their states.

        length : int
            Characters so far.

        Returns
        -------
        allowed : ndarray of shape (n, n_symbols), dtype bool
            The first column is the end mark.
        """
        allowed = self.can_end[length + 1][self.next_states[states]]
        allowed[:, BOUNDARY] = self._may_end(states, length)
        return allowed

    def allows(self, states, symbols, length):
        """Tell whether words in some states can go on with a symbol each.

        Parameters
        ----------
        states : ndarray of int of shape (n,)
            Their states.

        symbols : ndarray of int of shape (n,)
            What comes next, 0 for the end.

        length : int
            Characters so far.

        Returns
        -------
        allows : ndarray of shape (n,), dtype bool
            As `allowed`.
        """
        can_end_later = self.can_end[length + 1][self.next_states[states, symbols]]
        return np.where(
            symbols == BOUNDARY, self._may_end(states, length), can_end_later
        )

    def _may_end(self, states, length):
        return self.accepts[states] & (length >= self.can_end.min_length)


def matching_language(pattern, vocabulary, prefix, min_length, max_length):
    """Return the words of a vocabulary that match, with a prefix and of some lengths.

    Parameters
    ----------
    pattern : str
        Regular expression that all of a word must match.

    vocabulary : CharVocabulary
        The symbols. The unknown one is no character, and no match has it.

    prefix : str
        What the words begin with; of its characters any may be unknown.

    min_length, max_length : int
        Number of characters, prefix included.

    Returns
    -------
    language : Language
        At least one word.

    Raises
    ------
    ValueError
        If there is no such word, or as `compile_pattern`.
    """
    strange = "".join(sorted(set(prefix) - set(vocabulary.characters)))
    alphabet = vocabulary.characters + strange
    automaton = compile_pattern(pattern, alphabet)
    if automaton.start < 0:
        raise ValueError(
            "No word of the model's characters matches matching="
            f"{shortened(pattern)}; they are {shortened(vocabulary.characters)}."
        )
    start = automaton.after(1 + alphabet.index(character) for character in prefix)
    if start < 0:
        raise ValueError(
            f"No word that begins with prefix={shortened(prefix)} matches "
            f"matching={shortened(pattern)}."
        )
    next_states = automaton.next_states[:, : 1 + len(vocabulary.characters)]
    if vocabulary.unknown:
        next_states = np.pad(next_states, [(0, 0), (0, 1)], constant_values=-1)
    lengths = len(prefix), min_length, max_length
    can_end = _can_end(next_states, automaton.accepts, lengths, pattern)
    if not can_end[len(prefix)][start]:
        beginning = f" that begins with prefix={shortened(prefix)}" if prefix else ""
        raise ValueError(
            f"No word{beginning} of {min_length} to {max_length} of the model's "
            f"characters matches matching={shortened(pattern)}; see min_length and "
            "max_length."
        )
    return Language(next_states, automaton.accepts, start, can_end)


def _can_end(next_states, accepts, lengths, pattern):
    """Whether words of each length in each state can be ended, as in `Language`."""
    n_states = len(accepts)
    sources, symbols = np.nonzero(next_states >= 0)
    pairs = np.unique(sources * n_states + next_states[sources, symbols])
    sources, targets = pairs // n_states, pairs % n_states

    def before(can_end):
        earlier = np.zeros_like(can_end)
        earlier[sources[can_end[targets]]] = True
        return earlier

    max_layers = 1 + MAX_STEPS // (len(pairs) + n_states)
    ends = np.append(accepts, False)
    try:
        return BackwardLayers(before, ends, lengths, np.array_equal, max_layers)
    except OverflowError:
        raise too_large(pattern) from None
