"""The command line, ``sklearn-makemore`` or ``python -m sklearn_makemore``.

``_streams``
    UTF-8 input and output; errors and warnings as one line each
``_option_types``, ``_parser``
    options from the signatures and docstrings of estimators and their methods
``_words``, ``_models``, ``_hints``
    reading words from files; models by name and from files; hints at wrong options
``_learning``, ``_labels``, ``_progress``
    fitting with held-out words, also with labels; the progress bar
``_training``
    options of commands that train an estimator or read a stored one
``_fit``, ``_sample``, ``_score``, ``_detect``, ``_classify``, ``_compare``, ``_info``
    one command each: ``add_options(parser, arguments)`` and ``run(options)``
"""

import re
import sys
from functools import partial
from importlib import import_module

from ._streams import (
    UsageError,
    failure,
    ignore_broken_pipe,
    print_message,
    use_utf8,
    warnings_as_lines,
)

COMMANDS = {
    "fit": "fit a model to a file of words and write it to a file",
    "sample": "generate new words with a model",
    "score": "print the log-probability of each word",
    "detect": "find words that are not spelled like the others",
    "classify": "print the probability of each label for each word",
    "compare": "fit several models and compare them on held-out words",
    "info": "describe a model file",
}

SYNONYMS = {
    "train": "fit",
    "learn": "fit",
    "generate": "sample",
    "draw": "sample",
    "evaluate": "score",
    "predict": "classify",
    "outliers": "detect",
    "anomalies": "detect",
    "show": "info",
}
"""Other names for commands."""

OPTIONS_OF_OTHERS = ("alphabet", "exclude", "handle_unknown")
"""Parameters that messages name and that are options of `fit` or have other names."""

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
"""Errors of the data, the files and the machine: reported in one line, without a
traceback. Warnings are included for users who turn them into errors."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : list of str, default=None
        The command and its options; None takes those of the process.

    Returns
    -------
    code : int
        Exit code: 0 on success; 1 for an error of the data, the files or the machine; 2
        for wrong options; 130 after Ctrl-C; 141 if the output was closed.
    """
    use_utf8()
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    try:
        code = _run(arguments)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        print_message("interrupted")
        return 130
    except BrokenPipeError:
        return 141
    except FAILURES as error:
        return failure(error)
    finally:
        ignore_broken_pipe(sys.stdout)
        ignore_broken_pipe(sys.stderr)


def _run(arguments):
    """Run a command and return the exit code."""
    try:
        _run_command(arguments)
    except ModuleNotFoundError as error:
        raise ImportError(
            f"the command line needs {error.name}, which is not installed: pip install "
            '"sklearn-makemore[cli]"'
        ) from error
    except SystemExit as ended:  # from the parser, after --help or a wrong option
        return int(ended.code or 0)
    return 0


def _run_command(arguments):
    """Parse the options of a command and run it."""
    from ._option_types import nearest
    from ._parser import Parser, command_parser

    if not arguments:
        raise UsageError(f"a command is needed: {', '.join(COMMANDS)}; or --help")
    if arguments[0] == "help":
        arguments = [*arguments[1:2], "--help"]
    name = arguments[0]
    if name.startswith("-"):
        Parser.of_commands(COMMANDS).parse(arguments)
    if name not in COMMANDS:
        meant = SYNONYMS.get(name.lower(), name)
        near = nearest(meant, COMMANDS) or f"; the commands are {', '.join(COMMANDS)}"
        raise UsageError(f"there is no command {name!r}{near}")
    command = import_module(f"._{name}", __name__)
    parser = command_parser(name, command, arguments[1:])
    parser.hint = _hint
    options = parser.parse(arguments[1:])
    reworded = partial(_reworded, parameters=parser.parameters())
    with warnings_as_lines(reworded):
        try:
            command.run(options)
        except ValueError as error:
            error.args = (reworded(str(error)),)
            raise


def _reworded(message, parameters):
    """Return a message of the package with options instead of parameters."""
    from ._option_types import as_options

    # Sentences about what only Python can do.
    message = re.sub(r" [^.]*`(?:partial_fit|warm_start)`[^.]*\.", "", message)
    message = message.replace(", or a fitted model as FrozenEstimator(model)", "")
    if "weight_column" not in parameters:
        message = re.sub(", with `weight_column=[^`]+` if the [^.]+", "", message)
    return as_options(message, {*parameters, *OPTIONS_OF_OTHERS})


def _hint(asked, parser):
    """Return a hint at what was meant by a wrong option or argument."""
    from ._hints import hint

    commands = {name: import_module(f"._{name}", __name__) for name in COMMANDS}
    return hint(asked, parser, commands)
