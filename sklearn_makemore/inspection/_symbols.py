"""How symbols appear in a picture."""

from .._words.check import check_words

# The first that is no character of the alphabet is taken.
BOUNDARY_MARKS = ".|#^~∅"
UNKNOWN_MARKS = "?¿*□"


def symbol_marks(symbols):
    """Return what is written for each symbol: one visible character where possible.

    Parameters
    ----------
    symbols : list of str of length n_symbols
        Texts of the symbols, as `symbols_` of a model: ``""`` for the boundary.

    Returns
    -------
    marks : list of str of length n_symbols
        The boundary as ``"."`` and the unknown symbol as ``"?"``, or as another sign
        where the alphabet has these; a space as ``"␣"``, and a character that nothing
        shows by its escape.
    """
    taken = set(symbols)
    boundary, unknown = (
        next((mark for mark in marks if mark not in taken), marks[-1])
        for marks in (BOUNDARY_MARKS, UNKNOWN_MARKS)
    )
    return [
        boundary if not symbol else unknown if len(symbol) > 1 else _visible(symbol)
        for symbol in symbols
    ]


def _visible(character):
    if character == " ":
        return "␣"
    return character if character.isprintable() else ascii(character)[1:-1]


def chosen_ids(symbols, characters):
    """Return the ids of the symbols to show: the boundary, then the characters asked.

    Parameters
    ----------
    symbols : list of str of length n_symbols
        Texts of the symbols, ``""`` for the boundary.

    characters : str, array-like of str or None
        Characters to show, in this order; None takes all symbols.

    Returns
    -------
    ids : list of int
        Their ids, 0 first.

    Raises
    ------
    ValueError
        If one of the characters is not in the alphabet.
    """
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
