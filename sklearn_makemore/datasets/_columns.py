"""The columns of a table that are read, and the values in them."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any


@dataclass(frozen=True)
class Table:
    """The columns that a file has.

    file : name of the file for errors
    names : of the columns, None if the file does not name them
    n_columns : number of columns
    candidates : positions of the columns that can hold words
    advice : what to do if it is not clear which column holds the words
    """

    file: str
    names: Sequence[str] | None
    n_columns: int
    candidates: Sequence[int]
    advice: str

    def position(self, column):
        """Return the position of a column that is given by name or number."""
        if not isinstance(column, str):
            if column < self.n_columns:
                return column
            problem, remedy = f"no column {column}", "0 is the first"
        elif self.names is None:
            problem = f"no column {column!r}, because it has no header"
            remedy = "pass the number of the column, 0 for the first, or `header=True`"
        elif (count := list(self.names).count(column)) == 1:
            return list(self.names).index(column)
        elif count:
            problem = f"{count} columns {column!r}"
            remedy = "pass the number of the column, 0 for the first"
        else:
            near = get_close_matches(column, self.names, 1)
            problem = f"no column {column!r}"
            remedy = f"the nearest is {near[0]!r}" if near else "pass one of these"
        raise ValueError(f"{self.file} has {problem} ({self.described}); {remedy}.")

    @property
    def described(self):
        """The columns, for messages."""
        if self.names is None:
            plural = "" if self.n_columns == 1 else "s"
            return f"it has {self.n_columns} column{plural}"
        return "it has " + ", ".join(map(repr, self.names))

    def name_of(self, position):
        """Return the name of a column, or its number if it has none."""
        return position if self.names is None else self.names[position]


@dataclass(frozen=True)
class Column:
    """A column to read: where it is, its name, and the function for its values."""

    position: int
    name: str | int
    value_of: Callable[[Any], Any]


def chosen_columns(options, table, *, is_text):
    """Return the columns of words, labels and weights; the latter two if asked for."""
    label, weight = (
        None if column is None else table.position(column)
        for column in (options.label_column, options.weight_column)
    )
    if options.column is not None:
        word = table.position(options.column)
    else:
        left = [index for index in table.candidates if index not in (label, weight)]
        word = _only(left, table)
    kinds = (text_of, text_of) if is_text else (word_of, label_of)
    return [
        Column(position, table.name_of(position), value_of)
        for position, value_of in zip(
            (word, label, weight), (*kinds, weight_of), strict=True
        )
        if position is not None
    ]


def _only(positions, table):
    """Return the only position of a column that can hold words, or raise an error."""
    if len(positions) == 1:
        return positions[0]
    problem = "no column that can hold words"
    advice = ""
    if positions:
        advice = f" {table.advice}."
        names = [table.name_of(position) for position in positions]
        problem = f"{len(names)} columns that can hold words"
        if table.names is not None:
            problem += f" ({', '.join(map(repr, names))})"
    raise ValueError(f"{table.file} has {problem}, and needs one.{advice}")


def values_in(column, cells, file, place_of):
    """Return the values of cells.

    place_of : function that returns the place of a cell by its index, for errors
    """
    values = []
    try:
        for cell in cells:
            values.append(column.value_of(cell))
    except _BadValue as exc:
        found, remedy = exc.args
        raise ValueError(
            f"{file} has {found} in {place_of(len(values))} of column {column.name!r}; "
            f"{remedy}."
        ) from None
    return values


class _BadValue(ValueError):
    """A value that cannot be read: what it is, and what to do."""


def _missing():
    return _BadValue("a missing value", "remove the row, or fill in the value")


def text_of(cell):
    """Return the word or label in a cell of text, without white space around it."""
    text = cell.strip()
    if not text:
        raise _missing()
    return text


def word_of(value):
    """Return a word unchanged."""
    if value is None:
        raise _missing()
    if not isinstance(value, str):
        raise _BadValue(repr(value), "words must be strings")
    return value


def label_of(value):
    """Return a label unchanged."""
    if value is None:
        raise _missing()
    if not isinstance(value, (str, int)):
        raise _BadValue(repr(value), "labels must be strings or whole numbers")
    return value


def weight_of(value):
    """Return a weight as a float."""
    if value is None or value == "":
        raise _missing()
    try:
        weight = float(value)
    except (TypeError, ValueError, OverflowError):
        weight = math.nan
    if not 0 <= weight < math.inf:
        raise _BadValue(
            repr(value), "weights must be finite numbers from 0 on, such as 2.5"
        )
    return weight
