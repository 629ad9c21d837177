"""A regular expression to the automaton of the words that match it."""

import json
import re
import reprlib
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

CPU_SECONDS = 5
"""Processor time that a pattern may take to compile."""

WALL_SECONDS = 30
"""Time it may take where the processor is busy, or its time cannot be limited."""

MEMORY_BYTES = 1 << 30
"""Memory it may take to compile, where that can be limited."""

MAX_TRANSITIONS = 1 << 23
"""Most transitions that an automaton has room for, states times symbols: 32 MiB."""

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
    >>> from sklearn_makemore._generation.automaton import compile_pattern
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
        raise too_large(pattern)
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


def _check_encodable(pattern):
    try:
        pattern.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"matching={shortened(pattern)} has a lone surrogate at index "
            f"{error.start}, which is no character; leave it out."
        ) from None


def _check_outlines_core_support():
    """Return outlines_core, or raise scikit-learn's error for a missing library."""
    try:
        import outlines_core
    except ImportError as exc:
        raise ImportError(
            "matching needs the package outlines-core; install it with "
            'pip install "sklearn-makemore[matching]".'
        ) from exc
    return outlines_core


def _run_child(pattern, characters):
    """Compile in a child process, within limits, and return its output."""
    library = Path(_check_outlines_core_support().__file__).parents[1]
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
    source = Path(__file__).with_name("compile_pattern.py")
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", program, str(library), str(source)],
            input=json.dumps(request).encode(),
            capture_output=True,
            timeout=WALL_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise too_large(pattern) from None
    if done.returncode == 1 and not re.search(rb"MemoryError|panicked", done.stderr):
        raise RuntimeError(
            "The process that compiles `matching` failed: "
            f"{done.stderr.decode(errors='replace')}"
        )
    if done.returncode:  # ended by a limit, or by the lack of memory
        raise too_large(pattern)
    return done.stdout


def _parsed_reply(pattern, output):
    """Return start, accepting states and transitions, or raise the child's error."""
    head, _, transitions = output.partition(b"\n")
    reply = json.loads(head)
    if "unsupported" in reply:
        raise ValueError(f"matching={shortened(pattern)} {reply['unsupported']}.")
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
        f"matching={shortened(pattern)} is not a regular expression in the syntax of "
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


def too_large(pattern):
    """Return the error of a pattern that takes too much time or memory."""
    return ValueError(
        f"matching={shortened(pattern)} is too large: its automaton would take more "
        f"than {CPU_SECONDS} seconds to build, or too much memory. Use smaller counts "
        "in braces, or narrower classes than \\w; lengths are better asked for with "
        "`min_length` and `max_length`."
    )


def shortened(text):
    """Show a text, which can be long."""
    brief = reprlib.Repr()
    brief.maxstring = 80
    return brief.repr(text)
