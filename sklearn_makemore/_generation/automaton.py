"""A regular expression to the automaton of the words that match or avoid it.

Each set of positions that can be reached is a state. States and operations are counted,
so that a pattern of any kind ends in an automaton or in an error.
"""

import re
import reprlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .._words.types import Ids, Mask
from .character_sets import Characters, PatternError, parser
from .parse_pattern import Chain, Repeat, TooLargeError, parse_pattern
from .positions import Alphabet, Positions

STEPS_OF_A_STATE = 8
"""Operations that a state takes in addition to those on its positions."""

MAX_TRANSITIONS = 1 << 23
"""Largest number of states times symbols of an automaton: 32 MiB."""

MAX_STATES = 1 << 18
"""Largest number of states of substrings or of an intersection: about five seconds."""

State: TypeAlias = tuple[int, str]

ANYTHING = Repeat(Characters((parser.ANY, None), re.DOTALL), 0, None)
"""The pattern ``(?s:.*)``."""


@dataclass(frozen=True, eq=False)
class Automaton:
    """Deterministic finite automaton of a set of words.

    A word of the set can be reached from every state. If the set is empty, there are no
    states.

    next_states : (n_states, n_symbols), the state after each symbol, -1 if no word
        continues with it; symbol 0 is the boundary, which has no next state
    accepts : (n_states,), whether a word that ends here is in the set
    start : the state before the first character, -1 if there are no states
    """

    next_states: NDArray[np.int32]
    accepts: Mask
    start: int

    def after(self, symbols: Iterator[int]) -> int:
        """Return the state after some symbols, -1 if no word begins with them."""
        state = self.start
        for symbol in symbols:
            if state < 0:
                break
            state = int(self.next_states[state, symbol])
        return state


@lru_cache(maxsize=8)
def compile_pattern(
    pattern: str,
    characters: str,
    option: Literal["matching", "avoiding"] = "matching",
) -> Automaton:
    """Compile a regular expression, for words of some characters.

    The words are those that match as a whole, or those that have no match anywhere.
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
        tree = parse_pattern(pattern, characters)
        if option == "avoiding":
            tree = Chain((ANYTHING, tree))
        positions = Positions(tree)
        alphabet = Alphabet(positions, characters)
        states = _states(positions, alphabet, option == "avoiding")
        return trimmed(*states, alphabet.class_of)
    except PatternError as error:
        problem = str(error)
    except RecursionError:
        problem = "has too many groups inside one another"
    except TooLargeError:
        raise too_large(f"{option}={shortened(pattern)}") from None
    raise ValueError(f"{option}={shortened(pattern)} {problem}")


def _states(
    positions: Positions, alphabet: Alphabet, is_avoided: bool
) -> tuple[list[list[int]], list[bool]]:
    """Return the next state of each state and class, and whether each state accepts.

    A state is the set of positions that can come next, and the kind of the previous
    character. If matches are avoided, a state has no next state and does not accept as
    soon as the end of the pattern is reached.
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
        accepts.append(bool(possible[""] & end) != is_avoided)
        row: list[int] = []
        for mask, kind in zip(alphabet.masks, alphabet.kinds, strict=True):
            reached = possible[kind] & mask
            if not reached or (is_avoided and possible[kind] & end):
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
    """Keep the states from which an accepting one can be reached, in the same order.

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
    array = np.array(table, dtype=np.int64).reshape(len(table), -1)
    return numbered(array, accepts, useful, class_of)


def numbered(
    table: Ids, accepts: list[bool], is_kept: Mask, class_of: Ids
) -> Automaton:
    """Return the automaton of some of the states, in the same order.

    table : (n_states, n_classes), the next state of each, -1 for none.
    """
    numbers = np.append(np.where(is_kept, np.cumsum(is_kept) - 1, -1), -1)
    next_states = np.full(
        (np.count_nonzero(is_kept), 1 + len(class_of)), -1, dtype=np.int32
    )
    next_states[:, 1:] = numbers[table[is_kept]][:, class_of]
    return Automaton(next_states, np.array(accepts)[is_kept], int(numbers[0]))


@lru_cache(maxsize=8)
def intersection(one: Automaton, other: Automaton) -> Automaton:
    """Return the automaton of the words of both; raises `TooLargeError`."""
    if one.start < 0 or other.start < 0:
        return one if one.start < 0 else other
    tables = one.next_states[:, 1:], other.next_states[:, 1:]
    columns, class_of = np.unique(np.vstack(tables), axis=1, return_inverse=True)
    class_of = class_of.reshape(-1)  # numpy 2.0 returns a row
    first, second = np.split(columns.astype(np.int64), [len(tables[0])])
    n_others = len(second)
    pairs = np.array([one.start * n_others + other.start])  # of states, as one number
    numbers = {int(pairs[0]): 0}
    levels: list[Ids] = []
    while len(pairs):
        here, there = first[pairs // n_others], second[pairs % n_others]
        targets = np.where((here < 0) | (there < 0), -1, here * n_others + there)
        levels.append(targets)
        reached = np.unique(targets[targets >= 0]).tolist()
        pairs = np.array([key for key in reached if key not in numbers], dtype=np.int64)
        numbers.update(zip(pairs.tolist(), count(len(numbers)), strict=False))
        if len(numbers) > min(MAX_STATES, MAX_TRANSITIONS // (1 + len(class_of))):
            raise TooLargeError
    keys, targets = np.array([*numbers]), np.concatenate(levels)
    order = np.argsort(keys)
    found = order[np.searchsorted(keys[order], targets)]
    table = np.where(targets < 0, -1, found)
    ones, others = np.divmod(keys, n_others)
    accepts = one.accepts[ones] & other.accepts[others]
    return trimmed(table.tolist(), accepts.tolist(), class_of)


def too_large(conditions: str) -> ValueError:
    """Return the error of conditions whose automaton is too large."""
    return ValueError(
        f"{conditions} is too large: its automaton has too many states or takes too "
        "long to build. Use smaller counts in braces, fewer alternatives that begin "
        "alike, or fewer substrings; limit lengths with `min_length` and `max_length`."
    )


def shortened(value: object) -> str:
    """Shorten a text or a list of texts for a message."""
    brief = reprlib.Repr()
    brief.maxstring = 80
    return brief.repr(value)
