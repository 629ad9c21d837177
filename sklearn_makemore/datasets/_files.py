"""Reading words from files of any size: plain lists, CSV, JSON lines and Parquet."""

import codecs
from collections.abc import Iterator
from numbers import Integral
from os import PathLike
from typing import Any, BinaryIO, Literal, overload

import numpy as np

from .._arguments import validate_options
from .._sklearn import Interval
from ._compression import compression_of, name_of
from ._csv import csv_blocks
from ._jsonl import jsonl_blocks
from ._lines import plain_blocks
from ._options import CONSTRAINTS, ReadOptions, delimiter_of
from ._parquet import parquet_blocks
from ._text import line_blocks

Source = str | PathLike[str] | BinaryIO
Column = str | int | None
Format = Literal["lines", "csv", "jsonl", "parquet"]

READING_CHUNK_SIZE = 100_000
"""Number of words that `read_words` reads at a time."""


@overload
def read_words(
    source: Source,
    *,
    column: Column = None,
    label_column: None = None,
    weight_column: None = None,
    format: Format | None = None,
    delimiter: str | None = None,
    header: bool | None = None,
    comment: str | None = None,
    encoding: str = "utf-8",
) -> list[str]: ...


@overload
def read_words(
    source: Source,
    *,
    column: Column = None,
    label_column: Column = None,
    weight_column: Column = None,
    format: Format | None = None,
    delimiter: str | None = None,
    header: bool | None = None,
    comment: str | None = None,
    encoding: str = "utf-8",
) -> tuple[Any, ...]: ...


@validate_options(CONSTRAINTS)
def read_words(
    source: Source,
    *,
    column: Column = None,
    label_column: Column = None,
    weight_column: Column = None,
    format: Format | None = None,
    delimiter: str | None = None,
    header: bool | None = None,
    comment: str | None = None,
    encoding: str = "utf-8",
) -> list[str] | tuple[Any, ...]:
    r"""Read words from a file: a plain list, CSV, JSON lines or Parquet.

    In a plain list every line is one word. Lines end in ``\n``, ``\r\n`` or ``\r``.
    White space around the words and labels of plain lists and CSV is removed, as by
    :meth:`str.strip`; JSON and Parquet are read unchanged, including ``""``. Blank
    lines are skipped, and a byte-order mark at the start of a line is removed.

    Files whose names end in ``.gz``, ``.bz2``, ``.xz``, ``.lzma``, ``.zip`` (with one
    file in it) or, from Python 3.14 on, ``.zst`` are decompressed.

    Parameters
    ----------
    source : str, path-like or binary file object
        The file. A file object is read from its current position to its end, and is
        not closed.

    column : str or int, default=None
        Column of the words, by name or by number from 0. A name means that the first
        row of a CSV file is a header. Not needed if only one column can hold words.

    label_column : str or int, default=None
        Column of the labels, such as classes.

    weight_column : str or int, default=None
        Column of the weights, such as counts.

    format : {"lines", "csv", "jsonl", "parquet"}, default=None
        Format of the file. "lines" is a plain list, read as it is. By default the
        format follows from the suffix: .csv, .tsv, .tab, .jsonl, .ndjson or .parquet.
        Other files are CSV if a column or `delimiter` is given, else plain lists; it
        is an error if a plain list looks like something else.

    delimiter : str, default=None
        Character between the fields of CSV. " " stands for any run of spaces and tabs.
        By default it is a tab in .tsv and .tab files. In others it is the comma,
        semicolon, tab or vertical bar that most of the first lines have.

    header : bool, default=None
        Whether the first row of CSV, or the first word of a plain list, is a header
        rather than data. By default it is if a column is given by name. Otherwise it is
        data, and an error if it looks like a header.

    comment : str, default=None
        Lines that begin with this text, such as "#", are skipped.

    encoding : str, default="utf-8"
        Encoding of the text, such as "cp1252", "latin-1" or "utf-16".

    Returns
    -------
    words : list of str of shape (n_words,)
        The words, in the order of the file. With `label_column` or `weight_column` the
        result is a tuple: ``(words, labels)``, ``(words, weights)`` or ``(words,
        labels, weights)``.

    labels : ndarray of shape (n_words,)
        The labels: strings, or integers if JSON or Parquet has integers.

    weights : ndarray of float of shape (n_words,)
        The weights.

    Raises
    ------
    ValueError
        If the file is probably not what it is read as: a plain list with delimiters,
        numbers at the end of lines, a header, or text in another encoding. Also if a
        row is longer or shorter than the first, if a value is missing, if a weight is
        not a number from 0 on, or if the file is damaged, has a NUL, or has no words.
        The message names the file and the line, and says what to do.
    OSError
        If the file cannot be opened or read.
    ImportError
        If the file is Parquet and pyarrow is not installed, or if Python lacks the
        module for the compression.

    See Also
    --------
    read_word_chunks : The same in chunks, for files larger than memory.

    Examples
    --------
    >>> import io
    >>> from sklearn_makemore.datasets import read_words
    >>> read_words(io.BytesIO(b"emma\n\n  olivia\r\nava"))
    ['emma', 'olivia', 'ava']
    >>> table = io.BytesIO(b"name,sex,count\nemma,F,19738\nliam,M,18728\n")
    >>> words, labels, weights = read_words(
    ...     table, column="name", label_column="sex", weight_column="count"
    ... )
    >>> words, labels, weights
    (['emma', 'liam'], array(['F', 'M'], dtype='<U1'), array([19738., 18728.]))
    """
    options = ReadOptions(
        column,
        label_column,
        weight_column,
        format,
        delimiter,
        header,
        comment,
        encoding,
    )
    chunks = iterate_columns(source, READING_CHUNK_SIZE, options)
    return _returned(_joined(chunks, options, source), options)


@overload
def read_word_chunks(
    source: Source,
    *,
    chunk_size: int = 100_000,
    column: Column = None,
    label_column: None = None,
    weight_column: None = None,
    format: Format | None = None,
    delimiter: str | None = None,
    header: bool | None = None,
    comment: str | None = None,
    encoding: str = "utf-8",
) -> Iterator[list[str]]: ...


@overload
def read_word_chunks(
    source: Source,
    *,
    chunk_size: int = 100_000,
    column: Column = None,
    label_column: Column = None,
    weight_column: Column = None,
    format: Format | None = None,
    delimiter: str | None = None,
    header: bool | None = None,
    comment: str | None = None,
    encoding: str = "utf-8",
) -> Iterator[tuple[Any, ...]]: ...


@validate_options(
    CONSTRAINTS | {"chunk_size": [Interval(Integral, 1, None, closed="left")]}
)
def read_word_chunks(
    source: Source,
    *,
    chunk_size: int = 100_000,
    column: Column = None,
    label_column: Column = None,
    weight_column: Column = None,
    format: Format | None = None,
    delimiter: str | None = None,
    header: bool | None = None,
    comment: str | None = None,
    encoding: str = "utf-8",
) -> Iterator[list[str]] | Iterator[tuple[Any, ...]]:
    r"""Read the words of a file in chunks.

    The files are those of :func:`read_words`. Only one chunk and a few hundred
    kilobytes of the file are in memory at a time, so models with `partial_fit` can be
    trained on files larger than the memory.

    Parameters
    ----------
    source : str, path-like or binary file object
        The file. It is opened when the first chunk is requested.

    chunk_size : int, default=100_000
        Number of words per chunk; the last chunk may have fewer.

    column, label_column, weight_column : str or int, default=None
        Columns of words, labels and weights, as in `read_words`.

    format : {"lines", "csv", "jsonl", "parquet"}, default=None
        Format of the file, as in `read_words`.

    delimiter : str, default=None
        Character between the fields of CSV.

    header : bool, default=None
        Whether the first row is a header, as in `read_words`.

    comment : str, default=None
        Lines that begin with this text are skipped.

    encoding : str, default="utf-8"
        Encoding of the text.

    Returns
    -------
    chunks : iterator of list of str
        The words, in the order of the file. With `label_column` or `weight_column` the
        chunks are tuples, as in `read_words`.

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
    options = ReadOptions(
        column,
        label_column,
        weight_column,
        format,
        delimiter,
        header,
        comment,
        encoding,
    )
    chunks = iterate_columns(source, int(chunk_size), options)
    return (_returned(chunk, options) for chunk in _not_empty(chunks, source))


def iterate_columns(
    source, chunk_size, options, start=0, stop=None, *, with_places=False
):
    """Yield tuples of the columns of a file, as lists of at most `chunk_size` values.

    The columns are the words, then labels and weights if the options have them, then
    the numbers of lines (of rows from 0 in Parquet) if `with_places`. `start` and
    `stop` are byte positions where lines of a file begin that `is_text`, see
    `line_start`; None is the end of the file.
    """
    name = name_of(source)
    kind = options.format_of(source, name)
    how = {"with_places": with_places}
    if kind == "parquet":
        blocks = parquet_blocks(source, name, options, chunk_size, **how)
    else:
        lines = line_blocks(source, options.encoding, options.comment, start, stop)
        if kind == "lines":
            blocks = plain_blocks(lines, name, options, is_start=not start, **how)
        elif kind == "jsonl":
            blocks = jsonl_blocks(lines, name, options, chunk_size, **how)
        else:
            delimiter = delimiter_of(source)
            blocks = csv_blocks(lines, name, options, chunk_size, delimiter, **how)
    yield from _regrouped(blocks, chunk_size)


def is_text(path, options):
    """Whether a path is read as an uncompressed plain list in UTF-8."""
    if compression_of(path) or codecs.lookup(options.encoding).name != "utf-8":
        return False
    return options.format_of(path, name_of(path)) == "lines"


def _not_empty(chunks, source):
    """Yield chunks, and raise an error at the end if there were none."""
    chunk = None
    for chunk in chunks:
        yield chunk
    if chunk is None:
        raise ValueError(f"{name_of(source)} has no words.")


def _joined(chunks, options, source):
    """Return the columns of all chunks together."""
    columns = [[] for _ in range(options.n_lists)]
    for chunk in _not_empty(chunks, source):
        for column, values in zip(columns, chunk, strict=True):
            column += values
    return columns


def _returned(columns, options) -> Any:
    """Return columns as the public functions do: the words alone, or a tuple."""
    words, *others = columns
    if not others:
        return words
    if options.label_column is not None:
        others[0] = np.array(others[0])
    if options.weight_column is not None:
        others[-1] = np.array(others[-1], dtype=np.float64)
    return words, *others


def _regrouped(blocks, size):
    """Regroup tuples of lists into such of `size` items; the last may be shorter."""
    buffers = None
    for block in blocks:
        buffers = buffers or [[] for _ in block]
        for buffer, values in zip(buffers, block, strict=True):
            buffer += values
        n_complete = len(buffers[0]) // size * size
        for first in range(0, n_complete, size):
            yield tuple(buffer[first : first + size] for buffer in buffers)
        for buffer in buffers:
            del buffer[:n_complete]
    if buffers and buffers[0]:
        yield tuple(buffers)
