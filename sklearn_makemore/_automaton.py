"""A regular expression to the automaton of its matches, and to the words still open."""

import json
import re
import reprlib
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from ._vocabulary import BOUNDARY

CPU_SECONDS = 5
"""Processor time that a pattern may take to compile."""

WALL_SECONDS = 30
"""Time it may take where the processor is busy, or its time cannot be limited."""

MEMORY_BYTES = 1 << 30
"""Memory it may take to compile, where that can be limited."""

MAX_TRANSITIONS = 1 << 23
"""Most transitions that an automaton has room for, states times symbols: 32 MiB."""

MAX_STEPS = 1 << 28
"""Most transitions looked at, over all lengths, to see which words can be ended."""

NOT_REGULAR = {
    r"\(\?<?[=!]": "look-around",
    r"\\[1-9]|\\k[<{]|\(\?P=": "back references",
    r"\(\?>": "atomic groups",
    r"\(\?\(": "conditions",
}
"""What other regular expressions have and these do not, for the message."""

SYNTAX = "https://docs.rs/regex/latest/regex/#syntax"

HINTS = {
    r"\\[bB]": r"word boundaries of Unicode are not supported; leave them out at "
    r"the ends, or write (?-u:\b)",
    r"\\Z": r"the end is \z instead of \Z",
    r"\{,\d+\}": "{,n} is written {0,n}",
}
"""What these write otherwise."""


@dataclass(frozen=True, eq=False)
class Automaton:
    """Deterministic finite automaton: the words that match a pattern, and no others.

    From every state a word that matches can be reached; if there is no such word there
    is no state.

    Parameters
    ----------
    next_states : ndarray of shape (n_states, n_symbols), dtype int32
        The state after each symbol, -1 where no match goes on so. Symbol 0, the
        boundary, leads nowhere.

    accepts : ndarray of shape (n_states,), dtype bool
        Whether a word that ends here matches.

    start : int
        The state before the first character, -1 if there are no states.
    """

    next_states: np.ndarray
    accepts: np.ndarray
    start: int

    def after(self, symbols):
        """Return the state after some symbols, -1 if no match begins with them."""
        state = self.start
        for symbol in symbols:
            if state < 0:
                break
            state = int(self.next_states[state, symbol])
        return state


@lru_cache(maxsize=8)
def compile_pattern(pattern, characters):
    r"""Compile a regular expression, for words of some characters.

    Parameters
    ----------
    pattern : str
        Regular expression in the syntax of Rust's regex crate; all of a word must
        match.

    characters : str
        The alphabet. Character `i` is symbol ``i + 1``.

    Returns
    -------
    automaton : Automaton
        The words over the alphabet that match.

    Raises
    ------
    ValueError
        If it is not a regular expression, or not one that can be compiled.

    Examples
    --------
    >>> from sklearn_makemore._automaton import compile_pattern
    >>> automaton = compile_pattern("a|b+", "ab")
    >>> automaton.start, automaton.accepts
    (0, array([False,  True,  True]))
    >>> automaton.next_states
    array([[-1,  1,  2],
           [-1, -1, -1],
           [-1, -1,  2]], dtype=int32)
    """
    _check_encodable(pattern)
    reply = _run_child(pattern, characters)
    start, accepting, transitions = _parsed_reply(pattern, reply)
    automaton = trimmed(start, accepting, transitions, len(characters) + 1)
    if automaton is None:
        raise _too_large(pattern)
    return automaton


def trimmed(start, accepting, transitions, n_symbols):
    """Keep the states that lie on the way from the start to a match.

    Parameters
    ----------
    start : int
        First state.

    accepting : array-like of int
        States in which a word may end.

    transitions : ndarray of shape (n_transitions, 3)
        Source state, symbol and target state of each.

    n_symbols : int
        Number of symbols.

    Returns
    -------
    automaton : Automaton or None
        States are numbered anew, from the start on by breadth; None if there is no room
        for them.
    """
    # SciPy is imported where it is needed: it would take the counters' time.
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import breadth_first_order

    sources, symbols, targets = transitions.T
    accepting = np.asarray(accepting, dtype=np.int64)
    n_states = 1 + max(start, *(part.max(initial=0) for part in (sources, targets)))
    n_states = max(n_states, 1 + accepting.max(initial=0))

    def reached(first, sources, targets):
        graph = (np.ones(len(sources), dtype=np.int8), (sources, targets))
        graph = csr_array(graph, shape=(n_states + 1, n_states + 1))
        return breadth_first_order(graph, first, return_predecessors=False)

    # Backward from one more state, which all accepting ones lead to.
    ending = np.full(len(accepting), n_states)
    useful = np.zeros(n_states + 1, dtype=bool)
    useful[
        reached(n_states, np.append(targets, ending), np.append(sources, accepting))
    ] = True
    kept = reached(start, sources, targets)
    kept = kept[useful[kept]]
    if len(kept) * n_symbols > MAX_TRANSITIONS:
        return None
    numbers = np.full(n_states, -1)
    numbers[kept] = np.arange(len(kept))
    next_states = np.full((len(kept), n_symbols), -1, dtype=np.int32)
    from_kept = numbers[sources] >= 0
    sources, symbols, targets = transitions[from_kept].T
    next_states[numbers[sources], symbols] = numbers[targets]
    accepts = np.zeros(len(kept), dtype=bool)
    accepts[numbers[accepting][numbers[accepting] >= 0]] = True
    return Automaton(next_states, accepts, int(numbers[start]))


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
        goes_on = self.can_end[length + 1][self.next_states[states, symbols]]
        return np.where(symbols == BOUNDARY, self._may_end(states, length), goes_on)

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
            f"{_shortened(pattern)}; they are {_shortened(vocabulary.characters)}."
        )
    start = automaton.after(1 + alphabet.index(character) for character in prefix)
    if start < 0:
        raise ValueError(
            f"No word that begins with prefix={_shortened(prefix)} matches "
            f"matching={_shortened(pattern)}."
        )
    next_states = automaton.next_states[:, : 1 + len(vocabulary.characters)]
    if vocabulary.unknown:
        next_states = np.pad(next_states, [(0, 0), (0, 1)], constant_values=-1)
    lengths = len(prefix), min_length, max_length
    can_end = _can_end(next_states, automaton.accepts, lengths, pattern)
    if not can_end[len(prefix)][start]:
        beginning = f" that begins with prefix={_shortened(prefix)}" if prefix else ""
        raise ValueError(
            f"No word{beginning} of {min_length} to {max_length} of the model's "
            f"characters matches matching={_shortened(pattern)}; see min_length and "
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
        raise _too_large(pattern) from None


def _check_encodable(pattern):
    try:
        pattern.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"matching={_shortened(pattern)} has a lone surrogate at index "
            f"{error.start}, which is no character; leave it out."
        ) from None


def _run_child(pattern, characters):
    """Compile in a child process, within limits, and return its output."""
    import outlines_core

    request = {
        "pattern": pattern,
        "characters": characters,
        "seconds": CPU_SECONDS,
        "bytes": MEMORY_BYTES,
    }
    # Isolated and without site packages Python starts in a third of the time; the
    # library's folder is all it needs.
    program = (
        "import runpy, sys; sys.path.append(sys.argv[1]); "
        "runpy.run_path(sys.argv[2], run_name='__main__')"
    )
    library = Path(outlines_core.__file__).parents[1]
    source = Path(__file__).with_name("_compile_pattern.py")
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", program, str(library), str(source)],
            input=json.dumps(request).encode(),
            capture_output=True,
            timeout=WALL_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise _too_large(pattern) from None
    if done.returncode == 1 and not re.search(rb"MemoryError|panicked", done.stderr):
        raise RuntimeError(
            "The process that compiles `matching` failed: "
            f"{done.stderr.decode(errors='replace')}"
        )
    if done.returncode:  # ended by a limit, or by the lack of memory
        raise _too_large(pattern)
    return done.stdout


def _parsed_reply(pattern, output):
    """Return start, accepting states and transitions, or raise the child's error."""
    head, _, transitions = output.partition(b"\n")
    reply = json.loads(head)
    if "unsupported" in reply:
        raise ValueError(f"matching={_shortened(pattern)} {reply['unsupported']}.")
    if "error" in reply:
        raise _not_understood(pattern, reply["error"])
    transitions = np.frombuffer(transitions, dtype=np.intc).reshape(-1, 3)
    return reply["start"], reply["accepting"], transitions


def _not_understood(pattern, reason):
    """Return the error of a pattern that the library refuses, and say what is in it."""
    text = pattern.replace("\\\\", "")  # an escaped backslash escapes nothing
    found = [name for mark, name in NOT_REGULAR.items() if re.search(mark, text)]
    if found:
        reason = f"it has {' and '.join(found)}, which are not in that syntax"
    elif of_python := _reason_of_python(pattern):
        reason = f"Python says of it: {of_python}"
    else:
        hints = [hint for mark, hint in HINTS.items() if re.search(mark, text)]
        reason = "; ".join(hints) or f"{reason}; see {SYNTAX}"
    return ValueError(
        f"matching={_shortened(pattern)} is not a regular expression in the syntax of "
        f"Rust's regex crate: {reason}."
    )


def _reason_of_python(pattern):
    """Say what Python finds wrong: Rust's reason does not come through."""
    if re.search(r"\[.*\[|&&|--|~~|\|\|", pattern):
        return ""  # of sets in sets Python knows no more than to warn
    try:
        # Python has no classes by property.
        re.compile(re.sub(r"\\[pP](\{[^}]*\}|\w)", r"\\w", pattern))
    except (re.error, RecursionError, OverflowError) as error:
        return str(getattr(error, "msg", error))
    return ""


def _too_large(pattern):
    return ValueError(
        f"matching={_shortened(pattern)} is too large: its automaton would take more "
        f"than {CPU_SECONDS} seconds to build, or too much memory. Use smaller counts "
        "in braces, or narrower classes than \\w; lengths are better asked for with "
        "`min_length` and `max_length`."
    )


def _shortened(text):
    """Show a text, which can be long."""
    brief = reprlib.Repr()
    brief.maxstring = 80
    return brief.repr(text)
