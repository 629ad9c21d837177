"""The automaton of the words without certain substrings, or without a pattern."""

from collections.abc import Set
from functools import lru_cache
from typing import TypeAlias

import numpy as np

from .._words.code_points import encodable_words
from .._words.types import Words
from .automaton import (
    MAX_STATES,
    MAX_TRANSITIONS,
    Automaton,
    compile_pattern,
    numbered,
    shortened,
    too_large,
)
from .parse_pattern import TooLargeError

Avoided: TypeAlias = str | tuple[str, ...]
"""A pattern, or substrings."""


def checked_avoiding(avoiding: str | Words | Set[str] | None) -> Avoided | None:
    """Return the argument `avoiding` as text or as a sorted tuple of substrings."""
    if avoiding is None or isinstance(avoiding, str):
        return avoiding
    substrings = list(avoiding) if isinstance(avoiding, Set) else avoiding
    substrings = encodable_words(substrings, name="avoiding", allow_empty=True)
    if "" in substrings:
        raise ValueError(
            f"avoiding[{substrings.index('')}] is the empty string, which is part of "
            "every word, so it excludes every word; leave it out."
        )
    return tuple(sorted({*substrings}))


def avoiding_automaton(avoided: Avoided, characters: str, prefix: str) -> Automaton:
    """Return the words of some characters without a pattern or substrings.

    Raises ValueError if there are none, or if `prefix` has one of the substrings.
    """
    if isinstance(avoided, str):
        automaton = compile_pattern(avoided, characters, "avoiding")
        if automaton.start < 0:
            raise ValueError(
                f"avoiding={shortened(avoided)} excludes every word. A pattern that "
                "matches the empty string matches in every word; write x+ instead of "
                "x*, for instance."
            )
        return automaton
    for substring in avoided:
        if substring in prefix:
            raise ValueError(
                f"prefix={shortened(prefix)} contains {shortened(substring)}, which "
                "`avoiding` excludes; change one of them."
            )
    try:
        return without_substrings(avoided, characters)
    except TooLargeError:
        raise too_large(f"avoiding={shortened([*avoided])}") from None


@lru_cache(maxsize=8)
def without_substrings(substrings: tuple[str, ...], characters: str) -> Automaton:
    """Return the words without certain substrings, none of them empty.

    The construction is that of Aho and Corasick (1975): a state is the longest suffix
    of the word so far that begins a substring. Raises `TooLargeError`.

    >>> from sklearn_makemore._generation.avoided import without_substrings
    >>> without_substrings(("ab",), "abc").next_states
    array([[-1,  1,  0,  0],
           [-1,  1, -1,  0]], dtype=int32)
    """
    known = {*characters}
    substrings = tuple(text for text in substrings if known >= {*text})
    used = {text: i for i, text in enumerate(sorted({*"".join(substrings)}), start=1)}
    max_states = min(MAX_STATES, MAX_TRANSITIONS // (len(known) + 1))
    children, is_whole = _trie(substrings, used, max_states)
    table = np.zeros((len(children), 1 + len(used)), dtype=np.int64)
    suffixes, queue = [0] * len(children), [0]
    for state in queue:
        # A symbol that no child continues leads where it leads from the suffix.
        table[state] = table[suffixes[state]]
        is_whole[state] = is_whole[state] or is_whole[suffixes[state]]
        for symbol, child in children[state].items():
            suffixes[child] = int(table[state, symbol])
            table[state, symbol] = child
            is_whole[child] = is_whole[child] or is_whole[state]
            queue.append(child)
    is_kept = ~np.array(is_whole)
    class_of = np.array([used.get(character, 0) for character in characters], dtype=int)
    return numbered(table, is_kept.tolist(), is_kept, class_of)


def _trie(
    substrings: tuple[str, ...], symbols: dict[str, int], max_states: int
) -> tuple[list[dict[int, int]], list[bool]]:
    """Return the children of each beginning of a substring, and which are whole."""
    children: list[dict[int, int]] = [{}]
    is_whole = [False]
    for substring in substrings:
        state = 0
        for character in substring:
            following = children[state].setdefault(symbols[character], len(children))
            if following == len(children):
                children.append({})
                is_whole.append(False)
            state = following
        is_whole[state] = True
        if len(children) > max_states:
            raise TooLargeError
    return children, is_whole
