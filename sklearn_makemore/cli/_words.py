"""Words from a file, from standard input, or the bundled names."""

import re
import sys
from contextlib import contextmanager

from ..datasets import load_names, read_word_chunks
from ._streams import UsageError

STANDARD_INPUT = "-"


def add_words_options(parser):
    """Add the options for the source of the words."""
    parser.add_argument(
        "words",
        nargs="?",
        metavar="WORDS",
        help="File of words: UTF-8 text with one word per line, the same compressed "
        "(.gz), or .parquet. Spaces around words and blank lines are ignored. - reads "
        "text from standard input. By default the bundled names, without repeats.",
    )
    parser.add_parameters("Columns", read_word_chunks, skip={"source", "chunk_size"})


def word_chunks(options, chunk_size):
    """Return an iterator of lists of words."""
    if options.words is None:
        if options.column is not None:
            raise UsageError("--column needs a file of words, and none is given")
        return iter([bundled_names()])
    return read_word_chunks(
        source_of(options.words), chunk_size=chunk_size, column=options.column
    )


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


@contextmanager
def errors_in_file(path, n_before=None):
    """Replace a list index in errors inside the block by the position in the file.

    `n_before` is the number of words in the file before those of the list. If it is
    None, the error names the file only.
    """
    try:
        yield
    except ValueError as error:
        # Use the last match: a word shown before it may contain the same text.
        found = re.fullmatch(r"(.*) at index (\d+)(.*)", str(error), re.DOTALL)
        if found is None:
            raise
        place = f" in {name_of(path)}"
        if n_before is not None:
            number = n_before + int(found[2]) + 1
            place = f", number {number:,}{place} (without blank lines),"
        raise ValueError(found[1] + place + found[3]) from error


def bundled_names():
    """Return the bundled names without repeats."""
    return list(dict.fromkeys(load_names().data))
