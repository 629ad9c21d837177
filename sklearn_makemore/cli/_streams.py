"""Text in and out in UTF-8 whatever the locale; errors and warnings as one line."""

import os
import sys
import warnings
from contextlib import contextmanager, suppress

PROGRAM = "sklearn-makemore"


class UsageError(ValueError):
    """The options ask for what there is not."""


def use_utf8():
    """Let what is printed be UTF-8; the bytes of file names come out as they are."""
    for stream, errors in (
        (sys.stdout, "surrogateescape"),
        (sys.stderr, "backslashreplace"),
    ):
        if stream is not None:  # a process can be started without
            stream.reconfigure(encoding="utf-8", errors=errors)


def text_of_argument(argument):
    """Return an argument as the text it is in UTF-8, or else in the locale.

    Python has decoded it by the locale, without loss. A path needs no such care: it is
    encoded again as it was decoded.
    """
    try:
        return os.fsencode(argument).decode("utf-8")
    except UnicodeError:
        return argument


@contextmanager
def warnings_as_lines():
    """Write warnings inside the block as one line each, without the place in code."""
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        yield


def _show_warning(message, category, filename, lineno, file=None, line=None):
    say(f"warning: {message}")


def say(text):
    """Write a line for the user, which is none of the results."""
    if sys.stderr is not None:
        with suppress(OSError):  # nobody reads it
            print(f"{PROGRAM}: {_one_line(text)}", file=sys.stderr)


def failure(error, code=None):
    """Say in one line what is wrong, and return the exit code."""
    ignore_broken_pipe(sys.stdout)
    say(_described(error))
    if code is not None:
        return code
    # scikit-learn's error for a wrong parameter is both a ValueError and a TypeError.
    is_usage = isinstance(error, ValueError) and isinstance(error, TypeError)
    return 2 if is_usage or isinstance(error, UsageError) else 1


def ignore_broken_pipe(stream):
    """Write out what is printed so far; where that fails, lead the rest nowhere.

    Else Python would complain once more when it ends, with an exit code of its own.
    """
    try:
        if stream is not None:
            stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _described(error):
    """Return an error, or a text, as a text."""
    if not isinstance(error, Exception):
        return error
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        place = "" if error.filename is None else f": {os.fspath(error.filename)!r}"
        text = error.strerror + place
    elif not isinstance(error, (ImportError, OSError, ValueError)):
        # Its text alone may say little, and torch's goes on with places in C++.
        text = f"{type(error).__name__}: {text.partition(chr(10))[0]}"
    return f"error: {text}"


def _one_line(text):
    return " ".join(text.split())
