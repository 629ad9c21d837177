"""Options from the signatures and docstrings of estimators and their methods."""

import inspect
import re
from argparse import (
    ArgumentDefaultsHelpFormatter,
    ArgumentParser,
    ArgumentTypeError,
)
from dataclasses import dataclass
from difflib import get_close_matches
from numbers import Integral

import sklearn_makemore

from .._sklearn import Interval, StrOptions, parameter_constraints
from ._streams import PROGRAM, text_of_argument

KINDS = {
    bool: "true or false",
    float: "a number",
    int: "a whole number",
    str: "a text",
}
"""Names of the types of options in messages."""

KINDS_OF_CONSTRAINTS = {str: str, "boolean": bool, "random_state": int}

TEXTS = {"alphabet", "matching", "prefix"}
"""Parameters that are made of characters of words; others may be paths."""

BOOLEANS = {"true": True, "false": False}


@dataclass(frozen=True)
class OptionType:
    """What an option takes: one of some texts, or a Python type; maybe also None."""

    kind: type
    choices: tuple[str, ...] = ()
    takes_none: bool = False

    @classmethod
    def of(cls, constraint):
        """Return what a scikit-learn constraint allows in a shell, or None."""
        takes_none = None in constraint or "random_state" in constraint
        for allowed in constraint:
            if isinstance(allowed, StrOptions):
                return cls(str, tuple(sorted(allowed.options)), takes_none)
            if isinstance(allowed, Interval):
                return cls(int if allowed.type is Integral else float, (), takes_none)
            if allowed in KINDS_OF_CONSTRAINTS:
                return cls(KINDS_OF_CONSTRAINTS[allowed], (), takes_none)
        return None

    def __call__(self, text):
        """Return the value of an argument."""
        if self.takes_none and text == "None":
            return None
        try:
            value = BOOLEANS[text.lower()] if self.kind is bool else self.kind(text)
            if not self.choices or value in self.choices:
                return value
        except (KeyError, ValueError):
            pass
        allowed = [*(self.choices or [KINDS[self.kind]]), *["None"] * self.takes_none]
        near = nearest(text, self.choices)
        raise ArgumentTypeError(f"takes {' or '.join(allowed)}, not {text!r}{near}")


class Parser(ArgumentParser):
    """Parser whose errors are one line, with the nearest existing name."""

    def __init__(self, prog=PROGRAM, **kwargs):
        formatter = ArgumentDefaultsHelpFormatter
        super().__init__(prog, formatter_class=formatter, allow_abbrev=False, **kwargs)

    @classmethod
    def of_commands(cls, commands):
        """Return the parser of the commands, without their options."""
        parser = cls(
            description="Fit character-level language models to words, and generate "
            f"more words. `{PROGRAM} COMMAND --help` lists the options of a command."
        )
        version = f"{PROGRAM} {sklearn_makemore.__version__}"
        parser.add_argument("--version", action="version", version=version)
        added = parser.add_subparsers(title="commands", metavar="COMMAND")
        for name, summary in commands.items():
            added.add_parser(name, help=summary)
        return parser

    def add_parameters(self, title, function, skip=()):
        """Add an option for each parameter of an estimator class, method or function.

        Only parameters that a shell can pass become options, and none of `skip`. The
        numpydoc docstring is their help.
        """
        group = self.add_argument_group(title)
        parameters = inspect.signature(function).parameters
        texts = parameter_texts(function.__doc__)
        for name, kind in option_types(function, skip).items():
            choices = BOOLEANS if kind.kind is bool else kind.choices
            group.add_argument(
                f"--{name}",
                type=kind,
                default=parameters[name].default,
                metavar=f"{{{','.join(choices)}}}" if choices else None,
                help=texts[name].replace("%", "%%"),
            )

    def joined_flags(self, arguments):
        """Replace ``--flag`` by ``--flag=true`` unless true or false follows it."""
        flags = {
            name
            for name, action in self._option_string_actions.items()
            if isinstance(action.type, OptionType) and action.type.kind is bool
        }
        followers = [*arguments, ""][1:]
        return [
            f"{argument}=true"
            if argument in flags and follower.lower() not in BOOLEANS
            else argument
            for argument, follower in zip(arguments, followers, strict=True)
        ]

    def error(self, message):
        """Print the error in one line, and exit with code 2."""
        self.exit(2, f"{self.prog}: error: {self._reworded(message)}\n")

    def _reworded(self, message):
        """Return argparse's message with the nearest option, as the user types them."""
        if found := re.match(r"unrecognized arguments: (\S+)", message):
            asked = found[1].partition("=")[0]
            kind = "option" if asked.startswith("-") else "argument"
            options = [name for name in self._option_string_actions if name[:2] == "--"]
            return f"there is no {kind} {asked}{nearest(asked, options)}"
        if found := re.search(r"arguments are required: ([\w-]+)", message):
            action = self._option_string_actions.get(found[1])
            return f"{found[1]}{f' {action.metavar}' if action else ''} is needed"
        return re.sub(r"^argument (?:-\w/)?(\S+): ", r"\1 ", message)


def command_parser(name, command, arguments):
    """Return the parser of a command, whose module has `add_options`.

    The module's docstring is the description. The arguments are needed because some
    options, such as ``--model``, decide which others exist.
    """
    parser = Parser(f"{PROGRAM} {name}", description=command.__doc__)
    command.add_options(parser, arguments)
    return parser


def option_types(function, skip=()):
    """Return what the option of each parameter takes that a shell can pass."""
    constraints = parameter_constraints(function)
    types = {
        name: OptionType.of(constraints[name])
        for name in inspect.signature(function).parameters
        if name not in skip and isinstance(constraints.get(name), list)
    }
    return {name: kind for name, kind in types.items() if kind is not None}


def arguments_from(options, function, skip=()):
    """Return the arguments of a function that options give."""
    given = {name: getattr(options, name) for name in option_types(function, skip)}
    for name in TEXTS & given.keys():
        if given[name] is not None:
            given[name] = text_of_argument(given[name])
    return given


def nearest(asked, known):
    """Return ``; did you mean ...?`` if a known text is similar, else an empty text."""
    by_lower = {text.lower(): text for text in known}
    found = get_close_matches(asked.lower(), by_lower, n=1)
    return f"; did you mean {by_lower[found[0]]}?" if found else ""


def normalized(arguments):
    """Replace hyphens by underscores in option names, before a ``--``.

    >>> normalized(["--n-hidden", "64", "--held-out=0.1", "a-b", "--", "--a-b"])
    ['--n_hidden', '64', '--held_out=0.1', 'a-b', '--', '--a-b']
    """
    n_options = arguments.index("--") if "--" in arguments else len(arguments)
    return [
        re.sub(r"^--[^=]+", lambda name: "--" + name[0][2:].replace("-", "_"), text)
        for text in arguments[:n_options]
    ] + arguments[n_options:]


def parameter_texts(doc):
    """Return what a numpydoc docstring says about each name, without markup."""
    doc = re.sub(r"\s*\[\d+\]_", "", inspect.cleandoc(doc))
    doc = re.sub(r"(?::[\w:]+:)?`+~?([^`]*)`+", r"\1", doc)
    entries = re.findall(r"(?m)^(\w[\w, ]*) : .*\n((?: {4}.*\n|\n)+)", doc + "\n")
    return {
        name: " ".join(text.split())
        for names, text in entries
        for name in names.split(", ")
    }
