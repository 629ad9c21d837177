"""The command line, ``sklearn-makemore`` or ``python -m sklearn_makemore``.

``_streams``
    text in and out in UTF-8, errors and warnings as one line each
``_parser``
    options out of the signatures and docstrings of estimators and their methods
``_words``, ``_models``
    words of a file; models by their names and out of files
``_learning``, ``_progress``
    words held out while others are learned; what is shown meanwhile
``_fit``, ``_sample``, ``_score``, ``_compare``, ``_info``
    one command each: ``add_options(parser, arguments)`` and ``run(options)``
"""

import sys
from importlib import import_module

from ._streams import (
    UsageError,
    failure,
    ignore_broken_pipe,
    use_utf8,
    warnings_as_lines,
)

COMMANDS = {
    "fit": "learn a model from a file of words and write it to a file",
    "sample": "make new words with a model",
    "score": "log-probability of each word",
    "compare": "learn several models and show how well each does on words held out",
    "info": "what a model file holds",
}

FAILURES = (
    ArithmeticError,
    ImportError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    Warning,
)
"""What wrong files, words, numbers and machines raise: one line, no traceback. Warnings
are among them for those who make them errors."""


def main(arguments=None):
    """Run the command line.

    Parameters
    ----------
    arguments : list of str, default=None
        The command and its options; None takes those of the process.

    Returns
    -------
    code : int
        Exit code: 0; 1 for an error of the data, the files or the machine; 2 for wrong
        options; 130 after Ctrl-C; 141 when nobody reads what is printed any more.
    """
    use_utf8()
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    try:
        code = _run(arguments)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return failure("interrupted", 130)
    except BrokenPipeError:
        return 141
    except FAILURES as error:
        return failure(error)
    finally:
        ignore_broken_pipe(sys.stdout)
        ignore_broken_pipe(sys.stderr)


def _run(arguments):
    """Run a command; returns the exit code."""
    try:
        with warnings_as_lines():
            _run_command(arguments)
    except SystemExit as ended:  # of the parser: after the help, or a wrong option
        return ended.code
    return 0


def _run_command(arguments):
    """Parse the options of a command and run it."""
    try:
        from ._parser import Parser, command_parser, nearest, normalized
    except ImportError as error:
        raise ImportError(
            f"the command line needs {error.name}, which is not installed: pip install "
            '"sklearn-makemore[cli]"'
        ) from error
    if not arguments:
        raise UsageError(f"a command is needed: {', '.join(COMMANDS)}; or --help")
    name = arguments[0]
    if name.startswith("-"):
        Parser.of_commands(COMMANDS).parse_args(arguments)
    if name not in COMMANDS:
        near = nearest(name, COMMANDS) or f"; there are {', '.join(COMMANDS)}"
        raise UsageError(f"there is no command {name!r}{near}")
    command = import_module(f"._{name}", __name__)
    arguments = normalized(arguments[1:])
    parser = command_parser(name, command, arguments)
    command.run(parser.parse_args(parser.joined_flags(arguments)))
