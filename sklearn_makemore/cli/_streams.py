"""UTF-8 input and output whatever the locale; errors and warnings as one line."""

import os
import sys
import warnings
from collections.abc import Callable
from contextlib import contextmanager, suppress
from io import TextIOWrapper

PROGRAM = "sklearn-makemore"


ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class UsageError(ValueError):
    """An option has a wrong value, or names something that does not exist."""


def use_utf8():
    """Print in UTF-8; undecodable bytes of file names are printed unchanged."""
    for stream, errors in (
        (sys.stdout, "surrogateescape"),
        (sys.stderr, "backslashreplace"),
    ):
        if isinstance(stream, TextIOWrapper):  # a process can start without streams
            stream.reconfigure(encoding="utf-8", errors=errors)


def is_terminal(stream):
    """Whether a stream, None if it is closed, is a terminal."""
    return stream is not None and stream.isatty()


def text_of_argument(argument: str) -> str:
    """Decode an argument as UTF-8, or by the locale if it is not UTF-8.

    Python has decoded it by the locale, without loss. Paths need no conversion: Python
    encodes them the same way again.
    """
    try:
        return os.fsencode(argument).decode("utf-8")
    except UnicodeError:
        return argument


def escaped(text: str) -> str:
    """Escape tabs, line breaks and backslashes as Python does."""
    return text.translate(ESCAPES)


@contextmanager
def warnings_as_lines(reworded: Callable[[str], str] = str):
    """Print warnings inside the block as one line each, without the code location."""

    def show(message, *_):
        print_message(f"warning: {reworded(str(message))}")

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


def print_message(text: str) -> None:
    """Print a line for the user on standard error."""
    if sys.stderr is not None:
        with suppress(OSError):  # the reader has gone
            print(f"{PROGRAM}: {' '.join(text.split())}", file=sys.stderr)


def failure(error):
    """Print an error in one line, and return the exit code."""
    ignore_broken_pipe(sys.stdout)
    print_message(_described(error))
    # scikit-learn's error for a wrong parameter is both a ValueError and a TypeError.
    is_usage = isinstance(error, ValueError) and isinstance(error, TypeError)
    return 2 if is_usage or isinstance(error, UsageError) else 1


def ignore_broken_pipe(stream):
    """Flush a stream, and discard its output from then on if that fails.

    Otherwise Python would report the error again at exit, with another exit code.
    """
    if stream is None:
        return
    try:
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _described(error):
    """Return the message for an error."""
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        place = "" if error.filename is None else f": {os.fspath(error.filename)!r}"
        text = error.strerror + place
    elif not isinstance(error, (ImportError, OSError, ValueError)):
        # The message alone may be unclear, and torch's continues with C++ locations.
        text = f"{type(error).__name__}: {text.partition(chr(10))[0]}"
    return f"error: {text}"
