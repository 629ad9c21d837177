"""What an option takes, and what it is called in help and in messages."""

import re
import shlex
from argparse import ArgumentTypeError
from ast import literal_eval
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from numbers import Integral

from .._sklearn import Interval, StrOptions

KINDS = {
    bool: "true or false",
    float: "a number",
    int: "a whole number",
    str: "a text",
}
"""Names of the types of options in messages."""

METAVARS = {
    "alphabet": "CHARACTERS",
    "avoiding": "PATTERN",
    "checkpoint": "FILE",
    "column": "COLUMN",
    "comment": "MARK",
    "delimiter": "CHARACTER",
    "device": "DEVICE",
    "encoding": "NAME",
    "matching": "PATTERN",
    "random_state": "SEED",
    "weight_column": "COLUMN",
    bool: "{true,false}",
    float: "X",
    int: "N",
    str: "TEXT",
}
"""Names of values in help: by parameter, else by type."""

RENAMED = {"exclude": "--novel", "label_column": "--label"}
"""Options whose name is not that of the parameter."""

SEEDS = Interval(Integral, 0, 2**32 - 1, closed="both")

KINDS_OF_CONSTRAINTS = {str: (str,), "boolean": (bool,), "random_state": (int, SEEDS)}

BOOLEANS = {"true": True, "false": False, "yes": True, "no": False}

VALUE = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[\w.+-]*\w"""
"""A value of a parameter, as Python writes it."""


@dataclass(frozen=True)
class OptionType:
    """What an option takes: some texts, or a Python type within bounds; maybe None."""

    kind: type
    bounds: Interval | None = None
    choices: tuple[str, ...] = ()
    takes_none: bool = False

    @classmethod
    def of(cls, constraint):
        """Return what a scikit-learn constraint allows in a shell, or None."""
        takes_none = None in constraint or "random_state" in constraint
        for allowed in constraint:
            if isinstance(allowed, StrOptions):
                choices = tuple(sorted(allowed.options))
                return cls(str, choices=choices, takes_none=takes_none)
            if isinstance(allowed, Interval):
                kind = int if allowed.type is Integral else float
                return cls(kind, allowed, takes_none=takes_none)
            if allowed in KINDS_OF_CONSTRAINTS:
                return cls(*KINDS_OF_CONSTRAINTS[allowed], takes_none=takes_none)
        return None

    def __call__(self, text):
        """Return the value of an argument."""
        if self.takes_none and text == "None":
            return None
        try:
            value = BOOLEANS[text.lower()] if self.kind is bool else self.kind(text)
        except (KeyError, ValueError):
            value = None
        is_valid = value is not None and (self.bounds is None or value in self.bounds)
        if is_valid and (not self.choices or value in self.choices):
            return value
        taken = " or ".join(self.choices) or KINDS[self.kind] + in_words(self.bounds)
        raise ArgumentTypeError(
            f"takes {taken}, not {text!r}{nearest(text, self.choices)}"
        )

    def metavar(self, parameter):
        """Return the name of the value in help."""
        if self.choices:
            return f"{{{','.join(self.choices)}}}"
        return METAVARS.get(parameter, METAVARS[self.kind])


def in_words(bounds):
    """Return the bounds of numbers as words.

    >>> in_words(SEEDS)
    ' of at least 0 and at most 4294967295'
    """
    if bounds is None:
        return ""
    lower = "of at least" if bounds.closed in ("left", "both") else "above"
    upper = "at most" if bounds.closed in ("right", "both") else "below"
    limits = ((lower, bounds.left), (upper, bounds.right))
    # A limit such as 1e300 only excludes infinity.
    texts = [f"{side} {x}" for side, x in limits if x is not None and x < 1e300]
    return f" {' and '.join(texts)}"


def nearest(asked, known, cutoff=0.6):
    """Return ``; did you mean ...?`` if a known text is similar, else an empty text."""
    by_lower = {text.lower(): text for text in known}
    found = get_close_matches(asked.lower(), by_lower, n=1, cutoff=cutoff)
    return f"; did you mean {by_lower[found[0]]}?" if found else ""


def option_name(parameter: str) -> str:
    """Return the option for a parameter."""
    return RENAMED.get(parameter, "--" + parameter.replace("_", "-"))


def as_options(text: str, parameters: Iterable[str]) -> str:
    """Replace parameters in a text by options.

    A parameter is recognised by its backticks, its value or an underscore.

    >>> as_options("`header=True` or weight_column='n'", ["header", "weight_column"])
    '--header or --weight-column n'
    """
    names = "|".join(parameters)
    if not names:
        return text

    def as_option(found):
        mark, name, value = found.groups()
        if value is None:
            is_parameter = mark == "`" or ("_" in name and not mark)
            return option_name(name) if is_parameter else found[0]
        value = literal_eval(value) if value[0] in "'\"" else value
        if value == "True":
            return option_name(name)
        value = value.lower() if value == "False" else shlex.quote(value)
        return f"{option_name(name)} {value}".replace("\t", r"\t")

    assigned = rf"(`*)(?<![\w-])({names})(?![\w-])(?:=({VALUE}))?\1"
    return re.sub(assigned, as_option, text)
