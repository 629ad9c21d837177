"""Words from a file, from standard input, or the bundled names."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

from ..datasets import load_names, read_words
from ..datasets._files import iterate_columns
from ..datasets._options import ReadOptions
from ._option_types import option_name
from ._streams import UsageError

STANDARD_INPUT = "-"

COLUMNS = {"column", "label_column", "weight_column"}
"""Options that are numbers if they have digits only."""


def add_words_options(parser, skip=()):
    """Add the options for the source of the words, without those to `skip`."""
    parser.group("words").add_argument(
        "words",
        nargs="?",
        metavar="WORDS",
        help="File of words: a list with one word per line, CSV or TSV, JSON lines "
        "(.jsonl) or .parquet; text may be compressed (.gz, .bz2, .xz, .zip). - reads "
        "standard input. Without a file, the bundled names are used.",
    )
    add_reading_options(parser, "words", skip)


def add_reading_options(parser, title, skip=()):
    """Add the options for reading a file of words, without those to `skip`."""
    skip = {*skip, "source", "label_column"}
    parser.add_parameters(read_words, title, skip=skip)


def word_chunks(
    path, options, chunk_size, *, with_places=False
) -> Iterator[tuple[Any, ...]]:
    """Yield the columns of a file, or the bundled names, in chunks.

    The columns are a list of words, then one of weights if the options have a column of
    weights, then the numbers of their lines if `with_places`.
    """
    reading = read_options(path, options)
    if path is None:
        names = bundled_names()
        yield (names, range(1, len(names) + 1)) if with_places else (names,)
        return
    chunks = iterate_columns(
        source_of(path), chunk_size, reading, with_places=with_places
    )
    is_empty = True
    try:
        for chunk in chunks:
            is_empty = False
            yield chunk
    except ValueError as error:
        if path != STANDARD_INPUT:
            raise
        message = re.sub("^(The file|'<stdin>')", name_of(path), str(error))
        raise ValueError(message) from error
    if is_empty:
        raise ValueError(f"{name_of(path)} has no words.")


def read_options(path, options):
    """Return the options for reading a file; without one they are an error."""
    names = [field.name for field in fields(ReadOptions)]
    given = {name: getattr(options, name) for name in names if hasattr(options, name)}
    for name in COLUMNS & given.keys():
        if given[name] is not None and given[name].isdecimal():
            given[name] = int(given[name])
    if given["delimiter"] == r"\t":
        given["delimiter"] = "\t"
    default = vars(ReadOptions())
    for name, value in given.items():
        if path is None and value != default[name]:
            raise UsageError(
                f"{option_name(name)} needs a file of words, and none is given"
            )
    try:
        return ReadOptions(**given)
    except ValueError as error:
        raise UsageError(str(error)) from error


def source_of(path):
    """Return the path, or standard input for ``-``."""
    if path != STANDARD_INPUT:
        return path
    if sys.stdin is None:  # a process can start without it
        raise UsageError("there is no standard input to read words from")
    return sys.stdin.buffer


def name_of(path):
    """Return the name of a source of words for error messages."""
    if path is None:
        return "the bundled names"
    return "standard input" if path == STANDARD_INPUT else repr(path)


def place_of(path, number):
    """Return the place of a word in a file, for messages."""
    unit = "row" if str(path).lower().endswith(".parquet") else "line"
    return f"in {unit} {number:,} of {name_of(path)}"


@contextmanager
def errors_in_file(path):
    """Replace a list index in errors inside the block by the name of the file."""
    try:
        yield
    except ValueError as error:
        # Use the last match: a word shown before it may contain the same text.
        found = re.fullmatch(r"(.*) at index \d+(.*)", str(error), re.DOTALL)
        if found is None:
            raise
        raise ValueError(f"{found[1]} in {name_of(path)}{found[2]}") from error


def bundled_names():
    """Return the bundled names without repeats."""
    return list(dict.fromkeys(load_names().data))
