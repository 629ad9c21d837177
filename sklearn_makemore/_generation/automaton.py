"""A regular expression to the automaton of the words that match it.

Each set of positions that can be reached is a state. States and operations are counted,
so that a pattern of any kind ends in an automaton or in an error.
"""

import reprlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from .._words.types import Ids, Mask
from .character_sets import PatternError
from .parse_pattern import TooLargeError, parse_pattern
from .positions import Alphabet, Positions

STEPS_OF_A_STATE = 8
"""Operations that a state takes in addition to those on its positions."""

MAX_TRANSITIONS = 1 << 23
"""Largest number of states times symbols of an automaton: 32 MiB."""

State: TypeAlias = tuple[int, str]


@dataclass(frozen=True, eq=False)
class Automaton:
    """Deterministic finite automaton: the words that match a pattern, and no others.

    A match can be reached from every state. If no word matches, there are no states.

    next_states : (n_states, n_symbols), the state after each symbol, -1 if no match
        continues with it; symbol 0 is the boundary, which has no next state
    accepts : (n_states,), whether a word that ends here matches
    start : the state before the first character, -1 if there are no states
    """

    next_states: NDArray[np.int32]
    accepts: Mask
    start: int

    def after(self, symbols: Iterator[int]) -> int:
        """Return the state after some symbols, -1 if no match begins with them."""
        state = self.start
        for symbol in symbols:
            if state < 0:
                break
            state = int(self.next_states[state, symbol])
        return state


@lru_cache(maxsize=8)
def compile_pattern(pattern: str, characters: str) -> Automaton:
    """Compile a regular expression, for words of some characters.

    Character `i` of the alphabet `characters` is symbol ``i + 1``. Raises ValueError if
    the pattern cannot be compiled, or if its automaton is too large.

    >>> from sklearn_makemore._generation.automaton import compile_pattern
    >>> automaton = compile_pattern("a|b+", "ab")
    >>> automaton.start, automaton.accepts
    (0, array([False,  True,  True]))
    >>> automaton.next_states
    array([[-1,  2,  1],
           [-1, -1,  1],
           [-1, -1, -1]], dtype=int32)
    """
    try:
        positions = Positions(parse_pattern(pattern, characters))
        alphabet = Alphabet(positions, characters)
        return trimmed(*_states(positions, alphabet), alphabet.class_of)
    except PatternError as error:
        problem = str(error)
    except RecursionError:
        problem = "has too many groups inside one another"
    except TooLargeError:
        raise too_large(pattern) from None
    raise ValueError(f"matching={shortened(pattern)} {problem}")


def _states(
    positions: Positions, alphabet: Alphabet
) -> tuple[list[list[int]], list[bool]]:
    """Return the next state of each state and class, and whether each state accepts.

    A state is the set of positions that can come next, and the kind of the previous
    character.
    """
    end = 1 << (len(positions.labels) - 1)
    start: State = positions.first, ""
    numbers: dict[State, int] = {start: 0}
    queue: list[State] = [start]
    table: list[list[int]] = []
    accepts: list[bool] = []
    max_states = MAX_TRANSITIONS // (len(alphabet.class_of) + 1)
    for candidates, before in queue:
        if len(queue) > max_states:
            raise TooLargeError
        possible = {
            after: positions.possible(candidates, holding)
            for after, holding in alphabet.holding[before].items()
        }
        accepts.append(bool(possible[""] & end))
        row: list[int] = []
        for mask, kind in zip(alphabet.masks, alphabet.kinds, strict=True):
            reached = possible[kind] & mask
            if not reached:
                row.append(-1)
                continue
            state = positions.following(reached), kind
            if state not in numbers:
                numbers[state] = len(queue)
                queue.append(state)
            row.append(numbers[state])
        positions.count(1 + len(row), STEPS_OF_A_STATE)
        table.append(row)
    return table, accepts


def trimmed(table: list[list[int]], accepts: list[bool], class_of: Ids) -> Automaton:
    """Keep the states from which a match can be reached, in the same order.

    table : (n_states, n_classes), the next state of each, -1 for none.
    class_of : (n_characters,), the class of each character.
    """
    sources: list[list[int]] = [[] for _ in table]
    for source, row in enumerate(table):
        for target in {*row} - {-1}:
            sources[target].append(source)
    useful = np.array(accepts)
    stack = np.flatnonzero(useful).tolist()
    while stack:
        for source in sources[stack.pop()]:
            if not useful[source]:
                useful[source] = True
                stack.append(source)
    numbers = np.append(np.where(useful, np.cumsum(useful) - 1, -1), -1)
    rows = np.array(table, dtype=np.int64).reshape(len(table), -1)[useful]
    next_states = np.full((len(rows), 1 + len(class_of)), -1, dtype=np.int32)
    next_states[:, 1:] = numbers[rows][:, class_of]
    return Automaton(next_states, np.array(accepts)[useful], int(numbers[0]))


def too_large(pattern: str) -> ValueError:
    """Return the error of a pattern whose automaton is too large."""
    return ValueError(
        f"matching={shortened(pattern)} is too large: its automaton has too many "
        "states or takes too long to build. Use smaller counts in braces, or fewer "
        "alternatives that begin alike; limit lengths with `min_length` and "
        "`max_length`."
    )


def shortened(text: str) -> str:
    """Shorten a text for a message."""
    brief = reprlib.Repr()
    brief.maxstring = 80
    return brief.repr(text)
