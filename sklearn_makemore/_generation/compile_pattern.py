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

NEVER = r"(?s:.)*[a&&b]"
"""An alternative that goes on with every character and matches nothing."""

LINE_BREAKS = frozenset("\n\r")


class UnsupportedAnchorError(ValueError):
    """An anchor stands where its meaning cannot be kept."""


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
        From some of the states no match may be reached.
    """
    start_id, other_id = len(characters) + 1, len(characters) + 2
    # The library refuses a pattern in which a place can be reached that the tokens
    # given cannot leave. With all single bytes among them there mostly is a way on.
    ids = {bytes([value]): [other_id] for value in range(256)}
    for symbol, character in enumerate(characters, start=1):
        ids[character.encode()] = [symbol]
    ids[b"\n"] = [*ids[b"\n"], start_id]
    has_line_breaks = not LINE_BREAKS.isdisjoint(characters)
    index = _index(pattern, Vocabulary(0, ids), has_line_breaks)
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


def _index(pattern, vocabulary, has_line_breaks):
    r"""Build the automaton of a line break, which is the start, and then the pattern.

    The library looks for a match of the highest priority, ``a`` of ``a|ab``, unless the
    pattern holds the end of the text: hence ``\z``. It refuses a pattern in which
    nothing at all can follow somewhere, behind an anchor or an empty class: then it
    takes the pattern with `NEVER`, which is large where the alphabet is.
    """
    anchored = (_without_first_anchor if has_line_breaks else _by_lines)(pattern)
    group = "(?:" if has_line_breaks else "(?m:"
    try:
        index = _behind_line_break(f"{group}{anchored})", vocabulary)
    except ValueError:
        _check_alone(pattern)
        # It is right by itself, so it ends in a comment, which the line break ends.
        return _behind_line_break(f"{group}{anchored}\n)", vocabulary)
    # A parenthesis may have closed our own, and a class may have become another.
    if ")" in pattern or anchored != pattern:
        _check_alone(pattern)
    return index


def _behind_line_break(group, vocabulary):
    try:
        return Index(f"\n{group}\\z", vocabulary)
    except ValueError as error:
        if str(error).startswith(BAD_PATTERN):
            raise
        return Index(f"\n(?:{NEVER}|{group})\\z", vocabulary)


def _by_lines(pattern):
    r"""Write start anchors as ``^``: by lines they match behind the line break.

    The library takes no pattern that begins with an anchor of the text.
    """
    if re.search(r"\(\?[a-zA-Z]*-[a-zA-Z]*m", pattern):
        raise UnsupportedAnchorError(
            "turns the flag m off, which is not supported; leave it out"
        )
    return re.sub(r"(?s)\\.", lambda m: "^" if m[0] == r"\A" else m[0], pattern)


def _without_first_anchor(pattern):
    r"""Leave out the start anchors that a pattern begins with, and refuse others.

    Words have line breaks, behind which ``^`` must not match as it does by lines.
    """
    first = r"\A((?:\(\?[a-zA-Z]+\))*)(?:\^|\\A)+(?![*+?{])"
    rest = re.sub(first, r"\1", pattern)
    # Inside a class ^ is a character too, but only its beginning is told from anchors.
    without_escapes = re.sub(r"(?s)\\[^A]|\[\^", "", rest)
    if re.search(r"\^|\\A", without_escapes):
        raise UnsupportedAnchorError(
            "has a ^ or \\A that is not its first character, which is not supported "
            "where words may have line breaks; leave it out, or write \\^ for the "
            "character"
        )
    return rest


def _check_alone(pattern):
    """Raise the library's ValueError if a pattern by itself is not one."""
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
    except UnsupportedAnchorError as error:
        reply = {"unsupported": str(error)}
    except ValueError as error:
        reply = {"error": str(error).removeprefix(f"{BAD_PATTERN} ")}
    else:
        reply = {"start": start, "accepting": accepting}
    sys.stdout.buffer.write(json.dumps(reply).encode() + b"\n")
    sys.stdout.buffer.write(transitions.tobytes())


if __name__ == "__main__":
    main()
