"""Options from the signatures and docstrings of estimators and their methods."""

import inspect
import re
from argparse import ArgumentParser, RawDescriptionHelpFormatter

import sklearn_makemore

from .._arguments import parameter_constraints
from ._option_types import (
    BOOLEANS,
    RENAMED,
    OptionType,
    as_options,
    nearest,
    option_name,
)
from ._streams import PROGRAM, text_of_argument

TEXTS = {"alphabet", "avoiding", "matching", "prefix"}
"""Parameters that are made of characters of words; others may be paths."""

MAX_DESCRIPTION = 220
"""Maximum number of characters of a description in help, if more than a sentence."""

ABOUT_PYTHON = ("The strings of a list", "The elements of a list", "Changing it")
"""Beginnings of sentences about what a shell cannot do; help ends before them."""

PAGE = "https://sklearn-makemore.readthedocs.io/en/stable/guide/command_line.html"


class Parser(ArgumentParser):
    """Parser whose errors are one line and hint at what was meant."""

    def __init__(self, prog=PROGRAM, **kwargs):
        formatter = RawDescriptionHelpFormatter
        super().__init__(prog, formatter_class=formatter, allow_abbrev=False, **kwargs)
        self.groups = {}
        self.hint = _hint_before_command

    @classmethod
    def of_commands(cls, commands):
        """Return the parser of what comes before a command."""
        listed = "".join(f"\n  {name:<10}{text}" for name, text in commands.items())
        parser = cls(
            usage=f"{PROGRAM} COMMAND ...",
            description="Learn the spelling of a list of words, and generate new ones.",
            epilog=f"commands:{listed}\n\nexamples:\n"
            f"  {PROGRAM} fit words.txt -o m.safetensors\n"
            f"  {PROGRAM} sample m.safetensors -n 20\n\n"
            f"`{PROGRAM} COMMAND --help` lists the options of a command.\n{PAGE}",
        )
        version = f"{PROGRAM} {sklearn_makemore.__version__}"
        parser.add_argument(
            "--version", action="version", version=version, help="print the version"
        )
        return parser

    def group(self, title):
        """Return the group of options with a title."""
        if title not in self.groups:
            self.groups[title] = self.add_argument_group(title)
        return self.groups[title]

    def add_parameters(self, function, title, skip=()):
        """Add an option for each parameter of an estimator class, method or function.

        Only parameters that a shell can pass become options, and none of `skip`. The
        numpydoc docstring is their help.

        title : of the group of the options, or a function of the parameter's name
        """
        parameters = inspect.signature(function).parameters
        types = option_types(function, skip)
        texts = parameter_texts(function, {*types, *RENAMED})
        for name, kind in types.items():
            default = parameters[name].default
            is_flag = kind.kind is bool and default is False
            metavar = "" if is_flag else kind.metavar(name)
            text = texts[name]
            if is_flag:
                text = re.sub(r"\b[Ww]hether (to )?", "", text, count=1)
            text = text.replace(f"{option_name(name)} ", f"{metavar} ")
            self.group(title(name) if callable(title) else title).add_argument(
                option_name(name),
                dest=name,
                type=kind,
                default=default,
                metavar=metavar,
                help=described(text[0].upper() + text[1:], default),
            )

    def parse(self, arguments):
        """Return the options; a wrong one ends the process with code 2."""
        arguments = self._joined_flags(normalized(arguments))
        for argument in arguments:
            option = argument.partition("=")[0]
            if option == "--":
                break
            if option[:2] == "--" and option not in self._option_string_actions:
                self.error(f"unrecognized arguments: {option}")
        if "--" in arguments:
            return self.parse_args(arguments)
        # parse_args takes no WORDS from MODEL --json WORDS.
        return self.parse_intermixed_args(arguments)

    def _joined_flags(self, arguments):
        """Give boolean options a value: ``--flag=true``, unless there is one.

        ``--no-flag`` becomes ``--flag=false``.
        """
        flags = {
            name
            for name, action in self._option_string_actions.items()
            if isinstance(action.type, OptionType) and action.type.kind is bool
        }
        joined = []
        for argument, follower in zip(arguments, [*arguments, ""][1:], strict=True):
            if argument in flags and follower.lower() not in BOOLEANS:
                argument += "=true"
            elif (flag := argument.replace("--no-", "--", 1)) in flags - {argument}:
                argument = f"{flag}=false"
            joined.append(argument)
        return joined

    def options(self):
        """Return the long names of the options."""
        return {name for name in self._option_string_actions if name[:2] == "--"}

    def parameters(self):
        """Return the parameters that are options."""
        return {action.dest for action in self._option_string_actions.values()}

    def arguments(self):
        """Return the names of the arguments that are no options."""
        return {action.dest for action in self._actions if not action.option_strings}

    def error(self, message):
        """Print the error in one line, and exit with code 2."""
        self.exit(2, f"{self.prog}: error: {self._reworded(message)}\n")

    def _reworded(self, message):
        """Return argparse's message with a hint, as the user types options."""
        if found := re.match(r"unrecognized arguments: (\S+)", message):
            kind = "option" if found[1][0] == "-" else "argument"
            return f"there is no {kind} {found[1]}{self.hint(found[1], self)}"
        if found := re.search(r"arguments are required: ([\w/-]+)", message):
            name = found[1].split("/")[0]
            if action := self._option_string_actions.get(name):
                name += f" {action.metavar}"
            return f"{name} is needed: {self.usage}"
        message = re.sub(r"^argument (?:-\w/)?(\S+): ", r"\1 ", message)
        message = re.sub("ignored explicit argument.*", "takes no value", message)
        return re.sub("expected .* argument$", "needs a value", message)


def _hint_before_command(asked, parser):
    """Return a hint at an option that comes before a command."""
    near = nearest(asked, parser.options(), 0.8)
    return near or "; options come after the command, and a command has --help"


def command_parser(name, command, arguments):
    """Return the parser of a command.

    The arguments are needed because some options, such as ``--model``, decide which
    others exist.

    command : module with a docstring, `USAGE`, `EXAMPLES` and `add_options`
    """
    examples = "".join(
        f"\n  {PROGRAM} {name} {line}" for line in command.EXAMPLES.split("\n") if line
    )
    parser = Parser(
        f"{PROGRAM} {name}",
        usage=f"{PROGRAM} {name} {command.USAGE}",
        description=command.__doc__.strip(),
        epilog=f"examples:{examples}\n\n{PAGE}",
    )
    command.add_options(parser, normalized(arguments))
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


def normalized(arguments):
    """Replace underscores by hyphens in option names, before a ``--``.

    >>> normalized(["--n_hidden", "64", "--held_out=0.1", "a_b", "--", "--a_b"])
    ['--n-hidden', '64', '--held-out=0.1', 'a_b', '--', '--a_b']
    """
    n_options = arguments.index("--") if "--" in arguments else len(arguments)
    return [
        re.sub(r"^--[^=]+", lambda name: name[0].replace("_", "-"), text)
        for text in arguments[:n_options]
    ] + arguments[n_options:]


def parameter_texts(function, options):
    """Return what a numpydoc docstring says about each parameter, without markup.

    options : parameters that are options
    """
    doc = re.sub(r"\s*\[\d+\]_", "", inspect.getdoc(function) or "")
    entries = re.findall(r"(?m)^(\w[\w, ]*) : .*\n((?: {4}.*\n|\n)+)", doc + "\n")
    texts = {}
    for names, text in entries:
        text = as_options(" ".join(text.split()), options)
        text = re.sub(r"(?::[\w:]+:)?`+~?([^`]*)`+", r"\1", text)
        texts.update(dict.fromkeys(names.split(", "), text))
    return texts


def described(text, default):
    """Return the first sentences of the description of an option, and its default."""
    if default is None:
        text = re.sub(r"\bNone (?=\w+s\b)", "the default ", text)
        text = re.sub(r"(?<=\. )the default|^the default", "The default", text)
    # Lists explain each choice: show them whole.
    most = 3 * MAX_DESCRIPTION if " - " in text else MAX_DESCRIPTION
    text = text.replace(" - ", " ")
    text, *others = re.split(r"(?<=\.) (?=[A-Z0-9\"-])", text)
    for sentence in others:
        if len(text) + len(sentence) > most or sentence.startswith(ABOUT_PYTHON):
            break
        text += f" {sentence}"
    if default not in (None, False, ""):
        text += f" Default: {'true' if default is True else default}."
    return text.replace("%", "%%")
