"""Any one-dimensional collection of strings becomes a list of words, or an error."""

import reprlib  # a text or an array can be long, a message should not
from collections.abc import Iterable, Mapping, Set
from io import IOBase

import narwhals as nw
import numpy as np

KINDS_OF_WORDS = {"words": "Word", "prefixes": "Prefix"}
"""What an element of the arguments that every model has is called."""


def check_words(words, *, name="words", allow_empty=False):
    """Validate a collection of words.

    Parameters
    ----------
    words : iterable of str of shape (n_words,)
        A list, tuple, one-dimensional numpy array (``<U``, object or ``StringDType``),
        a pandas or polars Series, a pyarrow array, a data frame of one column, or any
        other iterable of strings with an order. ``""`` is a word.

    name : str, default="words"
        What the argument is called in error messages.

    allow_empty : bool, default=False
        Whether a collection of no words is accepted.

    Returns
    -------
    words : list of str of length n_words
        The same words; the very object that came in where it was a list of `str`.

    Raises
    ------
    TypeError
        If `words` is not an ordered iterable, or holds something that is not a string.
    ValueError
        If `words` is a single string, is empty, has a missing value or is not
        one-dimensional.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_makemore._words.check import check_words
    >>> check_words(np.array(["emma", "olivia"]))
    ['emma', 'olivia']
    """
    if isinstance(words, str):
        shown = reprlib.repr(words)
        raise ValueError(
            f"`{name}` must be a collection of words, got the single string {shown}; "
            f"pass [{shown}] for one word, or text.splitlines() for a text of one word "
            "a line."
        )
    words = _as_list(words, name)
    if not words and not allow_empty:
        raise ValueError(f"`{name}` is empty; at least one word is needed.")
    types = list(map(type, words))
    if types.count(str) == len(types):  # twice as fast as a set of them
        return words
    if all(issubclass(kind, str) for kind in set(types)):  # numpy.str_ among them
        return [str(word) for word in words]
    raise _not_a_word(words, name)


def word_at(word, index, name="words"):
    """Say which word an error is about.

    Parameters
    ----------
    word : str
        The word.

    index : int
        Its place in the argument.

    name : str, default="words"
        What the argument is called; "prefix" is a single word.

    Returns
    -------
    subject : str
        Begin of a sentence.

    Examples
    --------
    >>> from sklearn_makemore._words.check import word_at
    >>> word_at("emma", 3)
    "Word 'emma' at index 3"
    >>> word_at("em", 0, "prefixes")
    "Prefix 'em' at index 0"
    """
    shown = reprlib.repr(word)
    if name == "prefix":
        return f"prefix={shown}"
    if name in KINDS_OF_WORDS:
        return f"{KINDS_OF_WORDS[name]} {shown} at index {index}"
    return f"Word {shown} at index {index} of `{name}`"


def _as_list(words, name):
    """Turn the container into a list, whatever its elements are."""
    if isinstance(words, list):
        return words
    if isinstance(words, (bytes, bytearray, memoryview)):
        raise TypeError(
            f"`{name}` must be a collection of words, got {type(words).__name__}; "
            "decode it first and pass a list of str."
        )
    if isinstance(words, np.ndarray):
        return _list_from_array(words, name)
    if hasattr(words, "to_pylist") and not hasattr(words, "column_names"):
        return words.to_pylist()  # a pyarrow array, chunked or not
    words = nw.from_native(words, allow_series=True, pass_through=True)
    if isinstance(words, nw.LazyFrame):
        raise TypeError(
            f"`{name}` must be a collection of words, got a lazy frame; collect it and "
            "pass one column."
        )
    if isinstance(words, nw.DataFrame):
        words = _only_column(words, name)
    if isinstance(words, nw.Series):
        return words.to_list()
    if isinstance(words, (Mapping, Set)):
        raise TypeError(
            f"`{name}` must have an order, got a {type(words).__name__}; pass "
            f"sorted({name}), or a list."
        )
    if isinstance(words, IOBase):
        raise TypeError(
            f"`{name}` must be a collection of words, got a file, whose lines end in "
            "newlines; pass file.read().splitlines()."
        )
    if not isinstance(words, Iterable):
        raise TypeError(
            f"`{name}` must be a collection of words, got "
            f"{reprlib.repr(words)} of type {type(words).__name__}."
        )
    return list(words)


def _list_from_array(array, name):
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise ValueError(
            f"`{name}` must be one-dimensional, got an array of shape {array.shape}; "
            "pass one column of it."
        )
    return array.tolist()


def _only_column(frame, name):
    if frame.shape[1] != 1:
        raise ValueError(
            f"`{name}` must be one-dimensional, got a data frame of "
            f"{frame.shape[1]} columns ({', '.join(map(str, frame.columns))}); pass "
            "one of them."
        )
    return frame.get_column(frame.columns[0])


def _not_a_word(words, name):
    """Return the error for the first element that is not a string."""
    index, word = next(
        (index, word) for index, word in enumerate(words) if not isinstance(word, str)
    )
    if _is_missing(word):
        return ValueError(
            f"`{name}` has a missing value ({reprlib.repr(word)}) at index {index}; "
            "drop it, or replace it by a word."
        )
    if isinstance(word, (bytes, bytearray)):
        remedy = "decode it, for instance with .decode('utf-8')"
    elif isinstance(word, (list, tuple, np.ndarray)):
        remedy = "one word must be one string, pass a flat list"
    else:
        remedy = "convert it with str() if it is a word"
    return TypeError(
        f"`{name}` must hold strings only, got {reprlib.repr(word)} of type "
        f"{type(word).__name__} at index {index}; {remedy}."
    )


def _is_missing(value):
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return True
    return isinstance(value, (float, np.floating)) and bool(np.isnan(value))
