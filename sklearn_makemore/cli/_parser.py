"""Options from the signatures and docstrings of estimators and their methods."""

import inspect
import re
from difflib import get_close_matches
from functools import reduce
from numbers import Integral
from operator import or_
from typing import Literal, get_args, get_origin

from jsonargparse import ArgumentParser, DefaultHelpFormatter, set_loader

import sklearn_makemore

from .._sklearn import Interval, StrOptions, parameter_constraints
from ._streams import PROGRAM

KINDS = {
    bool: "true or false",
    float: "a number",
    int: "a whole number",
    str: "a text",
    type(None): "None",
}
"""Names of the types of options in messages."""


class HelpFormatter(DefaultHelpFormatter):
    """Formatter that writes None as docstrings do, and lists choices once."""

    def _expand_help(self, action):
        text = super()._expand_help(action)
        text = re.sub(r"type: Literal\[.*\], ", "", text)
        return text.replace(" | null", " or None").replace(": null)", ": None)")


class Parser(ArgumentParser):
    """Parser whose errors are one line, with the nearest existing name."""

    def __init__(self, prog=PROGRAM, **kwargs):
        super().__init__(
            prog=prog,
            parser_mode="shell",
            allow_abbrev=False,
            formatter_class=HelpFormatter,
            **kwargs,
        )
        self.hints = {}

    @classmethod
    def of_commands(cls, commands):
        """Return the parser of the commands, without their options."""
        parser = cls(
            description="Fit character-level language models to words, and generate "
            f"more words. `{PROGRAM} COMMAND --help` lists the options of a command.",
            version=sklearn_makemore.__version__,
        )
        added = parser.add_subcommands(
            title="commands", metavar="COMMAND", required=False
        )
        for name, summary in commands.items():
            added.add_subcommand(name, cls(), help=summary)
        return parser

    def add_parameters(self, title, function, skip=()):
        """Add an option for each parameter of an estimator class, method or function.

        Only parameters that a shell can pass become options, and none of `skip`. The
        numpydoc docstring is their help.
        """
        hints = shell_hints(function, skip)
        parameters = inspect.signature(function).parameters

        def stand_in():
            """Carry the name, docstring and signature for jsonargparse."""

        stand_in.__name__ = title  # jsonargparse needs a distinct name per group
        stand_in.__doc__ = f"{title}.\n\n{plain_text(function.__doc__)}"
        stand_in.__signature__ = inspect.Signature(
            [parameters[name].replace(annotation=hint) for name, hint in hints.items()]
        )
        self.add_function_arguments(stand_in)
        self.hints |= hints

    def joined_flags(self, arguments):
        """Replace ``--flag`` by ``--flag=true`` unless true or false follows it."""
        flags = {f"--{name}" for name, hint in self.hints.items() if hint is bool}
        followers = [*arguments, ""][1:]
        return [
            f"{argument}=true"
            if argument in flags and follower.lower() not in ("true", "false")
            else argument
            for argument, follower in zip(arguments, followers, strict=True)
        ]

    def add_typed(self, *names, type, **kwargs):
        """Add an argument like `add_argument`, and remember its type for messages."""
        action = self.add_argument(*names, type=type, **kwargs)
        assert action is not None  # it is None only for types with options of their own
        self.hints[action.dest] = type

    def error(self, message, ex=None):
        """Print the error in one line, and exit with code 2."""
        self.exit(2, f"{self.prog}: error: {self._reason(message)}\n")

    def _reason(self, message):
        """Return jsonargparse's message in one line, reworded if it is a known one."""
        options = [name for name in self._option_string_actions if name[:2] == "--"]
        if found := re.match(r"unrecognized arguments: (\S+)", message, re.I):
            asked = found[1].partition("=")[0]
            kind = "option" if asked.startswith("-") else "argument"
            return f"there is no {kind} {asked}{nearest(asked, options)}"
        if found := re.search(r"arguments are required: (\w+)$", message):
            return f"{self._as_typed(found[1])} is needed"
        if found := re.match(r'Parser key "(\w+)":', message):
            value = re.search(r"(?:Got|Given) value: (.*)\s*\Z", message)
            if value and found[1] in self.hints:
                hint = self.hints[found[1]]
                choices = get_args(hint) if get_origin(hint) is Literal else ()
                near = nearest(value[1], choices)
                return f"--{found[1]} takes {described(hint)}, not {value[1]!r}{near}"
        return " ".join(message.split())

    def _as_typed(self, dest):
        """Return an argument as the user types it."""
        (action,) = (each for each in self._actions if each.dest == dest)
        return f"{' '.join(action.option_strings[:1])} {action.metavar}".strip()


def command_parser(name, command, arguments):
    """Return the parser of a command, whose module has `add_options`.

    The module's docstring is the description. The arguments are needed because some
    options, such as ``--model``, decide which others exist.
    """
    parser = Parser(f"{PROGRAM} {name}", description=command.__doc__)
    command.add_options(parser, arguments)
    return parser


def shell_hints(function, skip=()):
    """Return the type of each parameter that a shell can pass."""
    constraints = parameter_constraints(function)
    hints = {
        name: shell_hint(constraints[name])
        for name in inspect.signature(function).parameters
        if name not in skip and isinstance(constraints.get(name), list)
    }
    return {name: hint for name, hint in hints.items() if hint is not None}


def shell_hint(constraint):
    """Return the type that a scikit-learn constraint allows, None if a shell has none.

    >>> shell_hint([Interval(Integral, 1, None, closed="left"), None])
    int | None
    """
    hints = []
    for allowed in constraint:
        if isinstance(allowed, Interval):
            hints.append(int if allowed.type is Integral else float)
        elif isinstance(allowed, StrOptions):
            hints.append(Literal[tuple(sorted(allowed.options))])
        elif allowed is str or allowed == "boolean":
            hints.append(str if allowed is str else bool)
        elif allowed == "random_state":
            hints += [int, None]
    if not hints:
        return None
    if None in constraint:
        hints.append(None)
    return reduce(or_, hints)


def described(hint):
    """Describe a type in words.

    >>> described(int | None)
    'a whole number or None'
    """
    if get_origin(hint) is Literal:
        return " or ".join(get_args(hint))
    return " or ".join(KINDS[kind] for kind in get_args(hint) or [hint])


def nearest(asked, known):
    """Return ``; did you mean ...?`` if a known text is similar, else an empty text.

    >>> nearest("--ordr", ["--order", "--alpha"])
    '; did you mean --order?'
    """
    by_lower = {text.lower(): text for text in known}
    found = get_close_matches(asked.lower(), by_lower, n=1)
    return f"; did you mean {by_lower[found[0]]}?" if found else ""


def normalized(arguments):
    """Replace hyphens by underscores in option names.

    Arguments after ``--`` are not options.

    >>> normalized(["--n-hidden", "64", "--held-out=0.1", "a-b", "--", "--a-b"])
    ['--n_hidden', '64', '--held_out=0.1', 'a-b', '--', '--a-b']
    """
    n_options = arguments.index("--") if "--" in arguments else len(arguments)
    return [
        re.sub(r"^--[^=]+", lambda name: "--" + name[0][2:].replace("-", "_"), text)
        for text in arguments[:n_options]
    ] + arguments[n_options:]


def plain_text(doc):
    """Return a docstring without reStructuredText markup."""
    doc = re.sub(r"\s*\[\d+\]_", "", inspect.cleandoc(doc))
    return re.sub(r"(?::[\w:]+:)?`+~?([^`]*)`+", r"\1", doc)


def loaded(text):
    """Return the value of a text of several possible types: None, number or text."""
    if text == "None":
        return None
    for number in int, float:
        try:
            return number(text)
        except ValueError:
            pass
    return text


# YAML, jsonargparse's default, reads regular expressions as lists and "~" as None.
set_loader("shell", loaded, json_superset=False)
