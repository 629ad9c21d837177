"""A program of its own: a regular expression to the automaton of its matches.

A pattern of a few characters can take the library hours or all memory, and it cannot be
interrupted. So `_automaton` runs this file as a child process, which sets limits to
itself and can be ended. It imports nothing of the package: that would take longer than
the work.
"""

import json
import re
import sys
from array import array
from contextlib import suppress

from outlines_core import Index, Vocabulary

try:
    import resource
except ImportError:  # not on Windows, where only the time is limited
    resource = None

BAD_PATTERN = "Failed to build DFA"
"""How the library begins its refusal of a pattern, whatever the alphabet."""


def transitions_of(pattern, characters):
    """Compile a regular expression, for words of some characters.

    Parameters
    ----------
    pattern : str
        Regular expression in the syntax of Rust's regex crate.

    characters : str
        The alphabet. Character `i` is symbol ``i + 1``.

    Returns
    -------
    start : int
        The state before the first character.

    accepting : list of int
        The states in which a word may end.

    transitions : array of int32
        Source state, symbol and target state of each transition, one after the other.
        The states can be more than the alphabet reaches.
    """
    start_id, other_id = len(characters) + 1, len(characters) + 2
    # The library refuses a pattern in which a place can be reached that the tokens
    # given cannot leave. With all single bytes among them there is always a way on.
    ids = {bytes([value]): [other_id] for value in range(256)}
    for symbol, character in enumerate(characters, start=1):
        ids[character.encode("utf-8", "surrogatepass")] = [symbol]
    ids[b"\n"] = [*ids[b"\n"], start_id]
    index = _index(pattern, Vocabulary(0, ids))
    table = index.get_transitions()
    numbers = {state: number for number, state in enumerate(table)}
    transitions = array("i")
    for state, row in table.items():
        for symbol, target in row.items():
            if 0 < symbol <= len(characters):
                transitions.extend((numbers[state], symbol, numbers[target]))
    start = table[index.get_initial_state()][start_id]
    accepting = [numbers[state] for state in index.get_final_states()]
    return numbers[start], accepting, transitions


def _index(pattern, vocabulary):
    r"""Build the automaton of a line break, which is the start, and then the pattern.

    The library looks for a match of the highest priority, ``a`` of ``a|ab``, unless the
    pattern holds the end of the text: hence ``\z``. It takes no pattern that begins
    with an anchor; behind a line break, where "m" lets it match, ``^`` is an ordinary
    part of one, and so is ``\A`` if it is written like that.
    """
    escapes = r"(?s)\\."
    anchored = re.sub(escapes, lambda m: "^" if m[0] == r"\A" else m[0], pattern)
    try:
        index = Index(f"\n(?m:{anchored})\\z", vocabulary)
    except ValueError as error:
        if not str(error).startswith(BAD_PATTERN):
            raise
        _check_alone(pattern)
        # It is right by itself, so it ends in a comment, which the line break ends.
        return Index(f"\n(?m:{anchored}\n)\\z", vocabulary)
    # A parenthesis may have closed our own, and a class may have become another.
    if ")" in pattern or anchored != pattern:
        _check_alone(pattern)
    return index


def _check_alone(pattern):
    """Raise the library's ValueError if a pattern by itself is none."""
    try:
        Index(pattern, Vocabulary(0, {b"\n": [1]}))
    except ValueError as error:
        if str(error).startswith(BAD_PATTERN):
            raise


def _limit(seconds, n_bytes):
    """Let the system end this process when it takes more; leave no core file."""
    if resource is None:
        return
    for name, limit in (
        ("RLIMIT_CORE", 0),
        ("RLIMIT_CPU", seconds),
        ("RLIMIT_AS", n_bytes),
    ):
        # Not every system has each of them, or lets it be lowered.
        with suppress(AttributeError, OSError, ValueError):
            resource.setrlimit(getattr(resource, name), (limit, limit))


def main():
    """Answer the request on the standard input: a line of JSON, then transitions."""
    request = json.load(sys.stdin.buffer)
    _limit(request["seconds"], request["bytes"])
    transitions = array("i")
    try:
        start, accepting, transitions = transitions_of(
            request["pattern"], request["characters"]
        )
    except ValueError as error:
        reply = {"error": str(error)}
    else:
        reply = {"start": start, "accepting": accepting}
    sys.stdout.buffer.write(json.dumps(reply).encode() + b"\n")
    sys.stdout.buffer.write(transitions.tobytes())


if __name__ == "__main__":
    main()
