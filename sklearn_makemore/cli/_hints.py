"""Hints at what a user meant by an option that does not exist."""

from difflib import get_close_matches

from .._arguments import SYNONYMS
from ._models import MODELS, model_types
from ._option_types import nearest, option_name
from ._parser import command_parser

OTHER_NAMES = {
    "--column": "col field words-column word-column",
    "--held-out": "test-size valid validation validation-split test split dev",
    "--label": "labels label-column class classes target y by",
    "--model": "estimator algorithm architecture type arch",
    "--models": "model estimators",
    "--novel": "new exclude novelty",
    "--output": "out save outfile output-file o save-to file-out",
    "--train": "fit training",
    "--weight-column": "weights weight counts count-column frequency weight-col",
}
"""Other names for options, besides those for parameters in Python."""

ARGUMENTS = {
    "model": "model model-file load",
    "stored": "detector classifier model-file load stored",
    "words": "words words-file input input-file file data infile",
}
"""Names of options for arguments that are given without one."""


def hint(asked, parser, commands):
    """Return a hint at what was meant by an option or argument that does not exist.

    commands : modules of all commands by name
    """
    own = parser.options()
    if asked[0] != "-":
        if asked.isdecimal() and "--n-samples" in own:
            return f"; did you mean -n {asked}?"
        return f"; `{parser.prog} --help` shows what it takes"
    name = asked.lstrip("-")
    wanted = [f"--{name}", *_options_meant(name)]
    found = [option for option in wanted if option in own]
    if found:
        return f"; did you mean {found[0]}?"
    for argument, names in ARGUMENTS.items():
        if argument in parser.arguments() and name in names.split():
            return f"; it is given without an option: {parser.usage}"
    if "--output" in wanted:
        return "; the output is printed: redirect it with > FILE"
    return (
        nearest(wanted[0], own, 0.8)
        or _hint_at_models(wanted, own)
        or _hint_at_commands(wanted, commands)
        or nearest(wanted[0], own)
        or f"; `{parser.prog} --help` lists the options"
    )


def _options_meant(name):
    """Return the options of all commands that some users call by another name."""
    names_of = {option_name(parameter): names for parameter, names in SYNONYMS.items()}
    return [
        option
        for option in sorted({*names_of, *OTHER_NAMES})
        if name in OTHER_NAMES.get(option, "").split()
        or name.replace("-", "_") in names_of.get(option, "").split()
    ]


def _hint_at_models(wanted, own):
    """Return a hint at the models that have one of the wanted options, or ''."""
    if not {"--model", "--random-state"} & own:
        return ""
    options_of = {name: set(map(option_name, model_types(name))) for name in MODELS}
    option = _closest(wanted, set().union(*options_of.values()))
    return _owners(option, wanted[0], "model", options_of)


def _hint_at_commands(wanted, commands):
    """Return a hint at the commands that have one of the wanted options, or ''."""
    options_of = {
        name: command_parser(name, module, []).options()
        for name, module in commands.items()
    }
    option = _closest(wanted, set().union(*options_of.values()))
    return _owners(option, wanted[0], "command", options_of)


def _owners(option, asked, kind, options_of):
    """Return what has an option, a model or a command, or '' if nothing has."""
    owners = ", ".join(name for name in options_of if option in options_of[name])
    if not owners:
        return ""
    if option == asked:
        return f" for this {kind}; it is an option of {owners}"
    return f"; {option} is an option of {owners}"


def _closest(wanted, options):
    """Return the option that is meant, or None."""
    exact = [option for option in wanted if option in options]
    by_name = {option[2:]: option for option in options}
    close = get_close_matches(wanted[0][2:], by_name, 1, 0.8)
    return next(iter(exact or [by_name[name] for name in close]), None)
