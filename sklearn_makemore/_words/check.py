"""Any one-dimensional collection of strings to a list of words, or an error."""

import reprlib
from collections.abc import Iterable, Mapping, Set
from io import IOBase
from os import PathLike
from os.path import isfile
from typing import Any, cast

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from .types import Words

SINGULAR = {"words": "Word", "prefixes": "Prefix"}
"""Name of one element of an argument, for messages."""


def check_words(
    words: Words, *, name: str = "words", allow_empty: bool = False
) -> list[str]:
    """Return words as a list of strings; a list is returned itself, not a copy.

    words : a list, tuple, one-dimensional numpy array (``<U``, object or
        ``StringDType``), pandas or polars Series, pyarrow array, data frame of one
        column, or any other ordered iterable of strings; ``""`` is a word
    name : of the argument, in errors
    """
    if isinstance(words, PathLike) or (isinstance(words, str) and isfile(words)):
        shown = repr(str(words))
        raise ValueError(
            f"`{name}` must be a collection of words, got the name of a file; pass "
            f"read_words({shown}), from sklearn_makemore.datasets."
        )
    if isinstance(words, str):
        shown = reprlib.repr(words)
        raise ValueError(
            f"`{name}` must be a collection of words, got the single string {shown}; "
            f"pass [{shown}] for one word, text.splitlines() for a text with one word "
            "per line, or read_words(path) for a file."
        )
    elements = _as_list(words, name)
    if not elements and not allow_empty:
        raise ValueError(f"`{name}` is empty; at least one word is needed.")
    types = list(map(type, elements))
    if types.count(str) == len(types):  # twice as fast as a set of types
        return elements
    if all(issubclass(kind, str) for kind in set(types)):  # such as numpy.str_
        return [str(word) for word in elements]
    raise _not_a_word(elements, name)


def word_at(word: str, index: int, name: str = "words") -> str:
    """Return the subject of a message, such as ``Word 'emma' at index 3``."""
    shown = reprlib.repr(word)
    if name == "prefix":
        return f"prefix={shown}"
    if name in SINGULAR:
        return f"{SINGULAR[name]} {shown} at index {index}"
    return f"Word {shown} at index {index} of `{name}`"


def _as_list(words: object, name: str) -> list[Any]:
    """Turn the container into a list of elements of any type."""
    kind = type(words).__name__
    if isinstance(words, list):
        return cast("list[Any]", words)
    if isinstance(words, (bytes, bytearray, memoryview)):
        raise TypeError(
            f"`{name}` must be a collection of words, got {kind}; "
            "decode it first and pass a list of str."
        )
    if isinstance(words, np.ndarray):
        return _list_from_array(cast("NDArray[Any]", words), name)
    if hasattr(words, "to_pylist") and not hasattr(words, "column_names"):
        return cast("Any", words).to_pylist()  # a pyarrow array, chunked or not
    wrapped: Any = nw.from_native(
        cast("Any", words), allow_series=True, pass_through=True
    )
    if isinstance(wrapped, nw.LazyFrame):
        raise TypeError(
            f"`{name}` must be a collection of words, got a lazy frame; collect it and "
            "pass one column."
        )
    if isinstance(wrapped, nw.DataFrame):
        wrapped = _only_column(cast("Any", wrapped), name)
    if isinstance(wrapped, nw.Series):
        return cast("Any", wrapped).to_list()
    return _list_from_iterable(words, name)


def _list_from_iterable(words: object, name: str) -> list[Any]:
    """Turn an ordered iterable that is no array or frame into a list."""
    kind = type(words).__name__
    if isinstance(words, (Mapping, Set)):
        raise TypeError(
            f"`{name}` must have an order, got a {kind}; pass "
            f"sorted({name}), or a list."
        )
    if isinstance(words, IOBase):
        raise TypeError(
            f"`{name}` must be a collection of words, got an open file; pass "
            "read_words(path), from sklearn_makemore.datasets."
        )
    if not isinstance(words, Iterable):
        raise TypeError(
            f"`{name}` must be a collection of words, got "
            f"{reprlib.repr(words)} of type {kind}."
        )
    return list(cast("Iterable[Any]", words))


def _list_from_array(array: NDArray[Any], name: str) -> list[Any]:
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise ValueError(
            f"`{name}` must be one-dimensional, got an array of shape {array.shape}; "
            "pass one column of it."
        )
    return array.tolist()


def _only_column(frame: Any, name: str) -> Any:
    if frame.shape[1] != 1:
        raise ValueError(
            f"`{name}` must be one-dimensional, got a data frame of "
            f"{frame.shape[1]} columns ({', '.join(map(str, frame.columns))}); pass "
            "one of them."
        )
    return frame.get_column(frame.columns[0])


def _not_a_word(words: list[Any], name: str) -> Exception:
    """Return the error for the first element that is not a string."""
    index, word = next(
        (index, word) for index, word in enumerate(words) if not isinstance(word, str)
    )
    shown, kind = reprlib.repr(word), type(word).__name__
    if _is_missing(word):
        return ValueError(
            f"`{name}` has a missing value ({shown}) at index {index}; "
            "drop it, or replace it with a word."
        )
    if isinstance(word, (bytes, bytearray)):
        remedy = "decode it, for instance with .decode('utf-8')"
    elif isinstance(word, (list, tuple, np.ndarray)):
        remedy = "one word must be one string, pass a flat list"
    else:
        remedy = "convert it with str() if it is a word"
    return TypeError(
        f"`{name}` must hold strings only, got {shown} of type {kind} at index "
        f"{index}; {remedy}."
    )


def _is_missing(value: object) -> bool:
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return True
    return isinstance(value, (float, np.floating)) and value != value
