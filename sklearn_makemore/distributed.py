"""Counting the words of files in many processes, with dask."""

import os
import reprlib  # shortens long lists of files in messages
from collections.abc import Iterator, Sequence
from itertools import pairwise
from numbers import Integral
from os import PathLike
from typing import Any, TypeVar

from sklearn.base import clone

from ._arguments import validate_options
from ._counters.base import BaseCounter, CountedWords
from ._sklearn import Interval, import_extra
from .datasets._compression import name_of
from .datasets._files import is_text, iterate_columns
from .datasets._options import COLUMN, CONSTRAINTS, ReadOptions
from .datasets._text import line_start

__all__ = ["fit_counter"]

Files = str | PathLike[str] | Sequence[str | PathLike[str]]
Counter = TypeVar("Counter", bound=BaseCounter)

MERGE_FAN_IN = 4
"""Number of parts that one task adds. More parts need more memory per worker; fewer
parts need more tasks."""


@validate_options(
    {
        "counter": [BaseCounter],
        "files": ["array-like", str, PathLike],
        "column": COLUMN,
        "chunk_size": [Interval(Integral, 1, None, closed="left")],
        "part_size": [Interval(Integral, 1, None, closed="left"), None],
    },
    forwarded={
        name: constraint
        for name, constraint in CONSTRAINTS.items()
        if name not in ("source", "label_column")
    },
)
def fit_counter(
    counter: Counter,
    files: Files,
    *,
    column: str | int | None = None,
    chunk_size: int = 100_000,
    part_size: int | None = 1 << 26,
    **read_options: Any,
) -> Counter:
    r"""Fit a counter to the words of files, counted by dask workers.

    The result is exactly that of ``counter.fit(words)`` with the words of all files in
    one list. The workers count and add the counts; the probabilities are computed once,
    in this process. The tasks run on the workers of the active ``distributed.Client``.
    Without a client they run as ``dask.config`` says, by default in threads of this
    process. If a worker is lost, dask repeats its tasks on another one.

    A worker holds one chunk of words and a few copies of the distinct n-grams that it
    has counted, so the files can be larger than the memory.

    Parameters
    ----------
    counter : BigramCounter or NGramCounter
        The counter. Its fitted state, if any, is replaced.

    files : str, path-like or list of these
        Files of words in the formats of :func:`~sklearn_makemore.datasets.read_words`.
        Each path must lead to the same file on all machines. Files without words are
        ignored if others have some.

    column : str or int, default=None
        The column of the words, as in `read_words`.

    chunk_size : int, default=100_000
        Number of words that a worker counts at a time.

    part_size : int or None, default=2**26
        Size in bytes of the parts into which plain lists are cut, at ends of lines.
        Each part is one task. None makes each file one task, as compressed files,
        tables and encodings other than UTF-8 always are.

    **read_options : dict
        Other options of `read_words`, such as ``weight_column="count"`` or
        ``encoding="cp1252"``; `label_column` is not one of them.

    Returns
    -------
    counter : BigramCounter or NGramCounter
        The same counter, fitted.

    Raises
    ------
    ValueError, OSError
        The errors of `read_words` and `fit`, with the name of the file. ValueError also
        if no file has a word.
    ImportError
        If dask is not installed.

    See Also
    --------
    BigramCounter.merge : Adds the counts of two fitted counters.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn_makemore import BigramCounter
    >>> from sklearn_makemore.distributed import fit_counter
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "names.txt")
    ...     _ = file.write_text("emma\nava\nnoah\n")
    ...     model = fit_counter(BigramCounter(), [file])
    >>> model.symbols_
    ['', 'a', 'e', 'h', 'm', 'n', 'o', 'v']
    """
    delayed = import_extra("dask", "fit_counter").delayed
    counter._validate_params()
    options = ReadOptions(column, None, **read_options)
    unfitted: Any = clone(counter)  # a fitted state would be sent to every worker
    counted = [
        delayed(_count_part)(unfitted, *part, options, chunk_size)
        for part in _parts(files, part_size, options)
    ]
    while len(counted) > 1:
        counted = [
            delayed(unfitted._sum_counted)(counted[first : first + MERGE_FAN_IN])
            for first in range(0, len(counted), MERGE_FAN_IN)
        ]
    total = counted[0].compute()
    if total is None:
        raise ValueError(f"The files have no words: {reprlib.repr(files)}.")
    return counter._fit_counted(total)


def _parts(
    files: Files, part_size: int | None, options: ReadOptions
) -> list[tuple[str, int, int | None]]:
    """Return the tasks: a path, and the bytes between which its lines begin."""
    files = [files] if isinstance(files, (str, PathLike)) else list(files)
    if not files:
        raise ValueError("`files` is empty; at least one file is needed.")
    parts = []
    for path in [os.fspath(file) for file in files]:
        edges: list[int | None] = [0, None]
        if part_size is not None and is_text(path, options):
            edges[1:1] = range(part_size, os.path.getsize(path), part_size)
        parts += [(path, *edge) for edge in pairwise(edges)]
    return parts


def _count_part(
    counter: BaseCounter,
    path: str,
    start: int,
    stop: int | None,
    options: ReadOptions,
    chunk_size: int,
) -> CountedWords | None:
    """Count the words of a part of a file, None if there are none."""
    start = line_start(path, start)
    stop = None if stop is None else line_start(path, stop)

    def counted_chunks() -> Iterator[CountedWords | None]:
        for chunk in iterate_columns(path, chunk_size, options, start, stop):
            try:
                yield counter._count_words(*chunk)
            except ValueError as exc:
                raise ValueError(f"{name_of(path)}: {exc}") from exc

    return counter._sum_counted(counted_chunks())
