"""Words out of files of any size: text, gzip and Parquet."""

import codecs
import gzip
import os
import re
import zlib
from contextlib import contextmanager
from numbers import Integral
from os import PathLike

from .._sklearn import HasMethods, Interval, validate_params

BYTE_CHUNK_SIZE = 1 << 18
"""Bytes of text read at once: enough to forget the cost of a call, few enough for the
words in them to be small beside a chunk."""

MAX_LINE_LENGTH = 1 << 20
"""Most bytes of a line. What has no line ends for longer is no list of words, and must
not be read into memory whole to find that out."""

WORD_CHUNK_SIZE = 1 << 16
"""Words that are read at once where all are wanted."""

LINE_END = re.compile(rb"\r\n|\r|\n")


@validate_params(
    {"source": [str, PathLike, HasMethods("read")], "column": [str, None]},
    prefer_skip_nested_validation=True,
)
def read_words(source, *, column=None):
    r"""Read the words of a file: one a line, or a column of Parquet.

    A path that ends in ``.gz`` is text compressed by gzip, one that ends in
    ``.parquet`` is Parquet, for which pyarrow is needed; anything else is text.

    Text is UTF-8, whatever the locale says; a byte order mark at its start is dropped.
    Lines end in ``\n``, ``\r\n`` or ``\r`` and in nothing else. White space around a
    word is removed, as :meth:`str.strip` does, and lines without a word are skipped.
    Values of Parquet are taken as they are, ``""`` and spaces included.

    Parameters
    ----------
    source : str, path-like or binary file object
        The file. A file object is read as text from where it is to its end, and stays
        open.

    column : str, default=None
        The column of a Parquet file. It may be left out where only one column holds
        strings.

    Returns
    -------
    words : list of str of shape (n_words,)
        The words, in the order of the file.

    Raises
    ------
    ValueError
        If a line is not UTF-8, has a NUL or is longer than 2**20 bytes, if a value is
        missing, if the file is damaged, if it has no words, or if `column` is not one
        of its columns of strings. The message names the file and the line or row.
    OSError
        If the file cannot be opened or read.
    ImportError
        If the file is Parquet and pyarrow is not installed.

    See Also
    --------
    read_word_chunks : The same words, some at a time.

    Examples
    --------
    >>> import io
    >>> from sklearn_makemore.datasets import read_words
    >>> read_words(io.BytesIO(b"emma\n\n  olivia\r\nava"))
    ['emma', 'olivia', 'ava']
    """
    chunks = checked_chunks(source, iterate_words(source, WORD_CHUNK_SIZE, column))
    return [word for words in chunks for word in words]


@validate_params(
    {
        "source": [str, PathLike, HasMethods("read")],
        "chunk_size": [Interval(Integral, 1, None, closed="left")],
        "column": [str, None],
    },
    prefer_skip_nested_validation=True,
)
def read_word_chunks(source, *, chunk_size=100_000, column=None):
    r"""Read the words of a file, some at a time.

    The words are those of :func:`read_words`, which says what files there are. At no
    time is more of the file in memory than a chunk and a few hundred kilobytes, so
    that what learns by `partial_fit` can learn from files larger than the memory.

    Parameters
    ----------
    source : str, path-like or binary file object
        The file. It is opened when the first chunk is asked for.

    chunk_size : int, default=100_000
        Number of words of a chunk; the last one may have fewer.

    column : str, default=None
        The column of a Parquet file. It may be left out where only one column holds
        strings.

    Returns
    -------
    chunks : iterator of list of str
        The words, in the order of the file.

    Raises
    ------
    ValueError, OSError, ImportError
        As `read_words`, when the chunk with the error is asked for.

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
    return checked_chunks(source, iterate_words(source, int(chunk_size), column))


def checked_chunks(source, chunks):
    """Yield chunks of words; raise an error at the end if there are none."""
    chunk = None
    for chunk in chunks:
        yield chunk
    if chunk is None:
        raise ValueError(f"{name_of(source)} has no words.")


def iterate_words(source, chunk_size, column=None, start=0, stop=None):
    """Yield the words of a file, or of a part of it, `chunk_size` at a time.

    Parameters
    ----------
    source : str, path-like or binary file object
        The file.

    chunk_size : int
        Number of words of a chunk.

    column : str, default=None
        The column of a Parquet file.

    start, stop : int, default=0, None
        The part of a file that `is_text`: bytes at which lines begin, see
        `line_start`; None is the end.

    Yields
    ------
    words : list of str
        At least one and at most `chunk_size` words.
    """
    name = name_of(source)
    if _suffix(source) == ".parquet":
        blocks = _parquet_blocks(source, name, chunk_size, column)
    elif column is None:
        blocks = _text_blocks(source, name, start, stop)
    else:
        raise ValueError(
            f"column={column!r} is for Parquet, and {name} is read as text; leave it "
            "out, or read the column of a table with a library for tables."
        )
    yield from _regrouped(blocks, chunk_size)


def name_of(source):
    """Return what an error calls a file."""
    name = getattr(source, "name", None) if hasattr(source, "read") else source
    return repr(os.fspath(name)) if isinstance(name, (str, PathLike)) else "The file"


def is_text(path):
    """Whether a path is read as text that is not compressed."""
    return _suffix(path) not in {".gz", ".parquet"}


def line_start(path, place):
    """Return the first byte of a text file, not before `place`, that begins a line."""
    if place == 0:
        return 0
    with open(path, "rb") as file:
        file.seek(place - 1)
        content = file.read(MAX_LINE_LENGTH + 1)
    end = LINE_END.search(content)
    # Without an end it is the end of the file, or of a line that is too long.
    return place - 1 + (end.end() if end else len(content))


def _suffix(source):
    return "" if hasattr(source, "read") else os.path.splitext(source)[1].lower()


def _regrouped(blocks, size):
    """Yield lists of `size` items out of other lists; the last is shorter."""
    kept = []
    for block in blocks:
        kept += block
        whole = len(kept) // size * size
        for first in range(0, whole, size):
            yield kept[first : first + size]
        del kept[:whole]
    if kept:
        yield kept


def _text_blocks(source, name, start, stop):
    """Yield the words of some lines of a text at a time."""
    n_lines = 0
    with _opened(source) as file:
        if start:
            file.seek(start)
        for lines in _whole_lines(file, name, None if stop is None else stop - start):
            if not n_lines and not start:
                lines = lines.removeprefix(codecs.BOM_UTF8)
            if b"\r" in lines:
                lines = lines.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            words = _decoded(lines, name, n_lines, start).split("\n")
            n_lines += len(words) - 1
            yield [word for word in map(str.strip, words) if word]


@contextmanager
def _opened(source):
    """Open a path for reading bytes, and leave a file object as it is."""
    if hasattr(source, "read"):
        yield source
        return
    with (gzip.open if _suffix(source) == ".gz" else open)(source, "rb") as file:
        yield file


def _whole_lines(file, name, n_bytes):
    """Yield bytes that end where a line does, and at last those behind the last end."""
    rest = b""
    while content := _read(file, name, n_bytes):
        if n_bytes is not None:
            n_bytes -= len(content)
        content = rest + content
        # A carriage return at the very end may be half a line end.
        last = max(content.rfind(b"\n"), content.rfind(b"\r", 0, len(content) - 1))
        rest = content[last + 1 :]
        if len(rest) > MAX_LINE_LENGTH:
            raise ValueError(
                f"{name} has a line of more than {MAX_LINE_LENGTH:,} bytes; a file of "
                "words has one word a line."
            )
        if last >= 0:
            yield content[: last + 1]
    yield rest


def _read(file, name, n_bytes):
    """Read some bytes of a file of which `n_bytes` are left."""
    size = BYTE_CHUNK_SIZE if n_bytes is None else min(BYTE_CHUNK_SIZE, n_bytes)
    try:
        content = file.read(size)
    except (EOFError, gzip.BadGzipFile, zlib.error) as exc:
        raise ValueError(f"{name} cannot be read as gzip: {exc}") from exc
    if isinstance(content, str):
        raise TypeError(
            f"{name} is open as text; open it with mode 'rb', or pass its `buffer`."
        )
    return content


def _decoded(lines, name, n_lines, start):
    """Return lines as text, or raise an error that says which one is none."""
    place, found = lines.find(b"\0"), "a NUL"
    if place < 0:
        try:
            return lines.decode("utf-8")
        except UnicodeDecodeError as exc:
            place, found = exc.start, f"the byte 0x{lines[exc.start]:02x}, not UTF-8,"
    line = n_lines + lines.count(b"\n", 0, place) + 1
    after = f" after byte {start:,}" if start else ""
    raise ValueError(
        f"{name} has {found} in line {line:,}{after}. A file of words is text in UTF-8;"
        " the name of one in gzip ends in .gz, of one in Parquet in .parquet."
    )


def _parquet_blocks(path, name, chunk_size, column):
    """Yield some values of a column of Parquet at a time."""
    pyarrow = _check_pyarrow_support(name)
    # What cannot be opened is an OSError of Python's own; what fails later is damaged.
    with open(path, "rb") as file:
        try:
            # A buffer of its own: else a whole column of a row group is read at once.
            table = pyarrow.parquet.ParquetFile(
                file, pre_buffer=False, buffer_size=BYTE_CHUNK_SIZE
            )
            column, n_rows = _column_of_words(pyarrow.types, table, name, column), 0
            for batch in table.iter_batches(chunk_size, columns=[column]):
                values = batch.column(0)
                if values.null_count:
                    row = n_rows + values.is_null().index(True).as_py()
                    raise ValueError(
                        f"{name} has a missing value in row {row:,} (from 0) of column "
                        f"{column!r}; drop it, or replace it by a word."
                    )
                n_rows += len(values)
                yield values.to_pylist()
        except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as exc:
            raise ValueError(f"{name} cannot be read as Parquet: {exc}") from exc


def _check_pyarrow_support(name):
    """Return pyarrow, or raise scikit-learn's error for a missing library."""
    try:
        import pyarrow.parquet
    except ImportError as exc:
        raise ImportError(
            f"Reading {name} needs the package pyarrow; install it with "
            'pip install "sklearn-makemore[distributed]".'
        ) from exc
    return pyarrow


def _column_of_words(types, table, name, column):
    """Return the name of the column of a table that holds the words."""

    def holds_text(kind):
        kind = kind.value_type if types.is_dictionary(kind) else kind
        return (
            types.is_string(kind)
            or types.is_large_string(kind)
            or types.is_string_view(kind)
        )

    schema = table.schema_arrow
    texts = [field.name for field in schema if holds_text(field.type)]
    if column in texts:
        return column
    if column is None and len(texts) == 1:
        return texts[0]
    given = "it is not given" if column is None else f"it is {column!r}"
    found = ", ".join(map(repr, texts)) or "there is none"
    raise ValueError(
        f"{name}: `column` must be one that holds strings ({found}), and {given}."
    )
