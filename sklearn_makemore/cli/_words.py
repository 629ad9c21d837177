"""Words of a file, of standard input, or those that come with the package."""

import re
import sys
from contextlib import contextmanager

from ..datasets import load_names, read_word_chunks
from ._streams import UsageError

STANDARD_INPUT = "-"


def add_words_options(parser):
    """Add the options that say where words are."""
    parser.add_typed(
        "words",
        nargs="?",
        type=str,
        metavar="WORDS",
        help="File of words: a text in UTF-8 with a word a line, where spaces around "
        "words and blank lines do not count, or .gz of such a text, or .parquet; - is "
        "standard input, a text. Left out, it is the names that come with the package, "
        "each once.",
    )
    parser.add_parameters("Columns", read_word_chunks, skip={"source", "chunk_size"})


def word_chunks(options, chunk_size):
    """Return an iterator of lists of words."""
    if options.words is None:
        if options.column is not None:
            raise UsageError("--column is of a file of words, and none is given")
        return iter([bundled_names()])
    return read_word_chunks(
        source_of(options.words), chunk_size=chunk_size, column=options.column
    )


def source_of(path):
    """Return what to read words from."""
    if path != STANDARD_INPUT:
        return path
    if sys.stdin is None:  # a process can be started without
        raise UsageError("there is no standard input to read words from")
    return sys.stdin.buffer


def name_of(path):
    """Return what an error calls a file of words."""
    if path is None:
        return "the names of the package"
    return "standard input" if path == STANDARD_INPUT else repr(path)


@contextmanager
def errors_in_file(path, n_before=None):
    """Let errors inside the block say where a word is in a file, not in a list.

    Parameters
    ----------
    path : str or None
        The file, as the options name it.

    n_before : int, default=None
        Number of words of the file before those of the list; None if the list has not
        all of its words, so that the file is all there is to say.
    """
    try:
        yield
    except ValueError as error:
        # The last place: a word that is shown before it may have this text.
        found = re.fullmatch(r"(.*) at index (\d+)(.*)", str(error), re.DOTALL)
        if found is None:
            raise
        place = f" in {name_of(path)}"
        if n_before is not None:
            number = n_before + int(found[2]) + 1
            place = f", number {number:,}{place} (without blank lines),"
        raise ValueError(found[1] + place + found[3]) from error


def bundled_names():
    """Return the names that come with the package, each once."""
    return list(dict.fromkeys(load_names().data))
