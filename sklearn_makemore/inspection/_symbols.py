"""How symbols appear in a picture."""

from collections.abc import Sequence
from typing import Any

from .._words.check import check_words
from .._words.vocabulary import UNKNOWN


def symbol_marks(symbols: Sequence[str]) -> list[str]:
    """Return how each of the `symbols_` of a model is written, visibly if possible.

    The boundary is ``"."`` and the unknown symbol ``"?"``, or another sign where the
    alphabet has these. A space is ``"␣"``; other invisible characters are escaped.
    """
    taken = set(symbols)
    boundary, unknown = (
        next((mark for mark in marks if mark not in taken), marks[-1])
        for marks in (".|#^~∅", "?¿*□")
    )
    return [
        boundary if not symbol else unknown if symbol == UNKNOWN else _visible(symbol)
        for symbol in symbols
    ]


def _visible(symbol: str) -> str:
    return "".join(
        "␣"
        if character == " "
        else character
        if character.isprintable()
        else ascii(character)[1:-1]
        for character in symbol
    )


def chosen_ids(symbols: Sequence[str], characters: Any) -> list[int]:
    """Return the ids of the boundary and of some characters, or of all for None."""
    if characters is None:
        return list(range(len(symbols)))
    if not isinstance(characters, str):
        characters = check_words(characters, name="characters")
    ids = {symbol: index for index, symbol in enumerate(symbols)}
    absent = [character for character in characters if character not in ids]
    if absent:
        raise ValueError(
            f"`characters` has {absent}, which the model does not know; its "
            f"alphabet is {''.join(symbols[1:])!r}."
        )
    return list(dict.fromkeys([0, *(ids[character] for character in characters)]))
