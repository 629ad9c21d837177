"""Reading words from files of any size: text, gzip and Parquet."""

import os
from collections.abc import Iterator
from numbers import Integral
from os import PathLike
from typing import BinaryIO

from .._sklearn import HasMethods, Interval, validate_params
from ._parquet import parquet_blocks
from ._text import text_blocks

SOURCE = {"source": [str, PathLike, HasMethods("read")], "column": [str, None]}


@validate_params(SOURCE, prefer_skip_nested_validation=True)
def read_words(
    source: str | PathLike | BinaryIO, *, column: str | None = None
) -> list[str]:
    r"""Read the words of a file: one word per line, or a column of Parquet.

    Paths that end in ``.gz`` are read as text compressed with gzip, and paths that end
    in ``.parquet`` as Parquet, which needs pyarrow. All others are read as text.

    Text must be UTF-8, whatever the locale; a byte order mark at the start is removed.
    Lines end in ``\n``, ``\r\n`` or ``\r`` only. White space around words is removed,
    as by :meth:`str.strip`, and lines without a word are skipped. Values of Parquet are
    returned unchanged, including ``""`` and spaces.

    Parameters
    ----------
    source : str, path-like or binary file object
        The file. A file object is read as text, from its current position to its end,
        and is not closed.

    column : str, default=None
        The column of a Parquet file. Not needed if only one column holds strings.

    Returns
    -------
    words : list of str of shape (n_words,)
        The words, in the order of the file.

    Raises
    ------
    ValueError
        If a line is not UTF-8, contains a NUL or is longer than 2**20 bytes, if a value
        is missing, if the file is damaged or has no words, or if `column` is not a
        column of strings. The message names the file and the line or row.
    OSError
        If the file cannot be opened or read.
    ImportError
        If the file is Parquet and pyarrow is not installed.

    See Also
    --------
    read_word_chunks : The same words, in chunks.

    Examples
    --------
    >>> import io
    >>> from sklearn_makemore.datasets import read_words
    >>> read_words(io.BytesIO(b"emma\n\n  olivia\r\nava"))
    ['emma', 'olivia', 'ava']
    """
    return [word for words in read_word_chunks(source, column=column) for word in words]


@validate_params(
    SOURCE | {"chunk_size": [Interval(Integral, 1, None, closed="left")]},
    prefer_skip_nested_validation=True,
)
def read_word_chunks(
    source: str | PathLike | BinaryIO,
    *,
    chunk_size: int = 100_000,
    column: str | None = None,
) -> Iterator[list[str]]:
    r"""Read the words of a file in chunks.

    The words and the file formats are those of :func:`read_words`. Only one chunk and a
    few hundred kilobytes of the file are in memory at a time, so models with
    `partial_fit` can be trained on files larger than the memory.

    Parameters
    ----------
    source : str, path-like or binary file object
        The file. It is opened when the first chunk is requested.

    chunk_size : int, default=100_000
        Number of words per chunk; the last chunk may have fewer.

    column : str, default=None
        The column of a Parquet file. Not needed if only one column holds strings.

    Returns
    -------
    chunks : iterator of list of str
        The words, in the order of the file.

    Raises
    ------
    ValueError, OSError, ImportError
        As in `read_words`, when the chunk with the error is requested.

    Examples
    --------
    >>> import io
    >>> from sklearn_makemore import BigramCounter
    >>> from sklearn_makemore.datasets import read_word_chunks
    >>> model = BigramCounter()
    >>> for words in read_word_chunks(io.BytesIO(b"emma\nolivia\nava"), chunk_size=2):
    ...     print(words)
    ...     model = model.partial_fit(words)
    ['emma', 'olivia']
    ['ava']
    """
    return _checked_chunks(source, int(chunk_size), column)


def _checked_chunks(source, chunk_size, column):
    """Yield chunks of words, and raise an error at the end if there were none."""
    chunk = None
    for chunk in iterate_words(source, chunk_size, column):
        yield chunk
    if chunk is None:
        raise ValueError(f"{name_of(source)} has no words.")


def iterate_words(source, chunk_size, column=None, start=0, stop=None):
    """Yield lists of at most `chunk_size` words of a file, or of a part of it.

    `start` and `stop` are byte positions where lines of a file begin that `is_text`,
    see `line_start`; None is the end of the file.
    """
    name = name_of(source)
    if _suffix(source) == ".parquet":
        blocks = parquet_blocks(source, name, chunk_size, column)
    elif column is None:
        blocks = text_blocks(source, name, _suffix(source) == ".gz", start, stop)
    else:
        raise ValueError(
            f"column={column!r} is for Parquet, and {name} is read as text; omit "
            "`column`, or read the column of a table with a library for tables."
        )
    yield from _regrouped(blocks, chunk_size)


def name_of(source):
    """Return the name of a file for error messages."""
    name = getattr(source, "name", None) if hasattr(source, "read") else source
    return repr(os.fspath(name)) if isinstance(name, (str, PathLike)) else "The file"


def is_text(path):
    """Whether a path is read as uncompressed text."""
    return _suffix(path) not in {".gz", ".parquet"}


def _suffix(source):
    return "" if hasattr(source, "read") else os.path.splitext(source)[1].lower()


def _regrouped(blocks, size):
    """Regroup lists into lists of `size` items; the last may be shorter."""
    buffer = []
    for block in blocks:
        buffer += block
        n_complete = len(buffer) // size * size
        for first in range(0, n_complete, size):
            yield buffer[first : first + size]
        del buffer[:n_complete]
    if buffer:
        yield buffer
