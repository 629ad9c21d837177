"""Delimited text: CSV, TSV, and columns separated by spaces."""

import csv
import reprlib
from itertools import chain, islice

from ._columns import Table, chosen_columns
from ._guess import (
    DELIMITERS,
    N_LINES,
    are_counts,
    likely_delimiters,
    looks_like_header,
    shown,
    suggested_columns,
    with_head,
)
from ._rows import NumberedLines, row_blocks


def csv_blocks(blocks, name, options, size, delimiter=None, *, with_places=False):
    """Yield the columns of a table as lists, the numbers of lines last if asked.

    `delimiter` is that of the file's suffix, None if it is to be found out.
    """
    lines, blocks = with_head(blocks)
    delimiter = options.delimiter or delimiter or _delimiter_of(lines, name)
    rows = _rows(NumberedLines(blocks), delimiter, name)
    head = list(islice(rows, N_LINES))
    if not head:
        return
    has_header = _has_header(options, name)
    columns = _chosen(options, head, lines, has_header, name)
    if options.header is None and not has_header:
        _check_first_row(head, lines, name)
    rows = _equally_long(chain(head, rows), name)
    yield from row_blocks(
        islice(rows, has_header, None), columns, name, size, with_places
    )


def _delimiter_of(lines, name):
    """Return the delimiter of lines: a space only between words and numbers."""
    found = likely_delimiters(lines)
    if len(found) > 1:
        names = " or ".join(f"{DELIMITERS[mark]}s" for mark in found)
        raise ValueError(
            f"{name} has fields that are separated by {names}: {shown(lines)}. Pass "
            f"the `delimiter`, such as `delimiter={found[-1]!r}`."
        )
    return found[0] if found else " " if are_counts(lines) else ","


def _rows(lines, delimiter, name):
    """Yield the rows that are not blank, each with the number of its line."""
    if delimiter == " ":
        rows = map(str.split, lines)
    else:
        rows = csv.reader(
            (line + "\n" for line in lines), delimiter=delimiter, strict=True
        )
    number = 1
    try:
        for row in rows:
            if len(row) > 1 or (row and row[0].strip()):
                yield number, row
            number = lines.number + 1
    except csv.Error as exc:
        raise ValueError(
            f"{name} cannot be read as a table from line {number:,} on: {exc}. Look "
            "for a quotation mark that is not closed; write one inside a quoted field "
            "twice."
        ) from exc


def _has_header(options, name):
    """Whether the options say that the first row names the columns."""
    is_named = any(isinstance(column, str) for column in options.columns)
    if options.header is False and is_named:
        raise ValueError(
            f"{name} is read with `header=False`, so its columns have no names; pass "
            "their numbers, 0 for the first."
        )
    return is_named or bool(options.header)


def _chosen(options, head, lines, has_header, name):
    """Return the columns to read of a table that begins with `head`."""
    rows = [row for _, row in head]
    n_columns = len(rows[0])
    table = Table(
        file=name,
        names=[cell.strip() for cell in rows[0]] if has_header else None,
        n_columns=n_columns,
        candidates=range(n_columns),
        advice=f"The first lines are {shown(lines)}. Pass {suggested_columns(rows)}",
    )
    return chosen_columns(options, table, is_text=True)


def _check_first_row(head, lines, name):
    """Raise an error if the first row, which is to be read, looks like a header."""
    if looks_like_header([row for _, row in head]):
        raise ValueError(
            f"{name} seems to begin with a header: {shown(lines)}. Pass `header=True` "
            "to skip it, or `header=False` to read it."
        )


def _equally_long(rows, name):
    """Yield rows, and raise an error if one is longer or shorter than the first."""
    n_first = None
    for number, row in rows:
        n_first = n_first or len(row)
        if len(row) != n_first:
            raise ValueError(
                f"{name} has another number of fields in line {number:,} than in the "
                f"first row, {len(row)} instead of {n_first}: {reprlib.repr(row)}. "
                "Correct the line; fields that contain the delimiter need quotes."
            )
        yield number, row
