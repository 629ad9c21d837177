"""Counting files of words in many processes, as a reduction of dask."""

import os
import reprlib  # a list of files can be long, a message should not
from itertools import pairwise
from numbers import Integral
from os import PathLike

from sklearn.base import clone

from ._counters.base import BaseCounter
from ._sklearn import Interval, validate_params
from .datasets._files import is_text, iterate_words, line_start, name_of

__all__ = ["fit_counter"]

MERGE_FAN_IN = 4
"""Parts that one task adds up: more would have to be in the memory of one worker, fewer
would be more tasks."""


@validate_params(
    {
        "counter": [BaseCounter],
        "files": ["array-like", str, PathLike],
        "column": [str, None],
        "chunk_size": [Interval(Integral, 1, None, closed="left")],
        "part_size": [Interval(Integral, 1, None, closed="left"), None],
    },
    prefer_skip_nested_validation=True,
)
def fit_counter(counter, files, *, column=None, chunk_size=100_000, part_size=1 << 26):
    r"""Fit a counter to the words of files, which dask's workers count.

    The result is exactly that of ``counter.fit(words)`` with all words in one list.
    The workers only count, and add up what was counted; the probabilities are computed
    once, here. What runs the tasks is dask's affair: the workers of the active
    ``distributed.Client``, else what ``dask.config`` says, else threads of this
    process. When a worker is lost, dask counts its parts again elsewhere.

    A worker holds a chunk of the words and, a few times over, the distinct n-grams of
    what it has counted, so that the files may be larger than the memory.

    Parameters
    ----------
    counter : BigramCounter or NGramCounter
        The counter. What it has learned before is forgotten.

    files : str, path-like or list of these
        Files of words, as :func:`~sklearn_makemore.datasets.read_words` reads them:
        text, gzip by the suffix ``.gz``, Parquet by the suffix ``.parquet``. The paths
        must be those of the same files on all machines. A file without words is
        nothing, as long as another one has some.

    column : str, default=None
        The column of Parquet files that holds the words. It may be left out where only
        one column holds strings.

    chunk_size : int, default=100_000
        Number of words that a worker counts at once.

    part_size : int or None, default=2**26
        Text files that are not compressed are cut, at ends of lines, into parts of
        about so many bytes, each of which is a task; None makes every file one task.

    Returns
    -------
    counter : BigramCounter or NGramCounter
        The same counter, fitted.

    Raises
    ------
    ValueError, OSError
        As `read_words` and `fit`, naming the file; and if no file has a word.
    ImportError
        If dask is not installed.

    See Also
    --------
    BigramCounter.merge : Adds up counters that were fitted anywhere.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn_makemore import BigramCounter
    >>> from sklearn_makemore.distributed import fit_counter
    >>> with TemporaryDirectory() as folder:
    ...     shards = [Path(folder, "1.txt"), Path(folder, "2.txt")]
    ...     for shard, text in zip(shards, ["emma\nava\n", "noah\n"], strict=True):
    ...         _ = shard.write_text(text)
    ...     model = fit_counter(BigramCounter(), shards)
    >>> local = BigramCounter().fit(["emma", "ava", "noah"])
    >>> model.nll(["nova"]) == local.nll(["nova"])
    True
    """
    delayed = _check_dask_support().delayed
    counter._validate_params()
    unfitted = clone(counter)  # what it has learned before must not travel
    counted = [
        delayed(_counted_part)(unfitted, *part, column, chunk_size)
        for part in _parts(files, part_size)
    ]
    while len(counted) > 1:
        counted = [
            delayed(unfitted._total)(counted[first : first + MERGE_FAN_IN])
            for first in range(0, len(counted), MERGE_FAN_IN)
        ]
    total = counted[0].compute()
    if total is None:
        raise ValueError(f"The files have no words: {reprlib.repr(files)}.")
    return counter._fit_total(total)


def _check_dask_support():
    """Return dask, or raise scikit-learn's error for a missing library."""
    try:
        import dask
    except ImportError as exc:
        raise ImportError(
            "fit_counter needs the package dask; install it with "
            'pip install "sklearn-makemore[distributed]".'
        ) from exc
    return dask


def _parts(files, part_size):
    """Return what each task counts: a path, and bytes between which its lines begin."""
    files = [files] if isinstance(files, (str, PathLike)) else list(files)
    if not files:
        raise ValueError("`files` is empty; at least one file is needed.")
    parts = []
    for path in map(os.fspath, files):
        edges = [0, None]
        if part_size is not None and is_text(path):
            edges[1:1] = range(part_size, os.path.getsize(path), part_size)
        parts += [(path, *edge) for edge in pairwise(edges)]
    return parts


def _counted_part(counter, path, start, stop, column, chunk_size):
    """Count the words of a part of a file; None where there are none."""
    start = line_start(path, start)
    stop = None if stop is None else line_start(path, stop)

    def counted_chunks():
        for words in iterate_words(path, chunk_size, column, start, stop):
            try:
                yield counter._counted(words)
            except ValueError as exc:
                raise ValueError(f"{name_of(path)}: {exc}") from exc

    return counter._total(counted_chunks())
