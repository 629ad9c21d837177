"""JSON lines: each line is an object, a list or a string."""

import json
import reprlib
from itertools import chain

from ._columns import Table, chosen_columns
from ._rows import NumberedLines, row_blocks


def jsonl_blocks(blocks, name, options, size, *, with_places=False):
    """Yield the columns of JSON lines as lists, the numbers of lines last if asked."""
    values = _values(NumberedLines(blocks), name)
    first = next(values, None)
    if first is None:
        return
    _, value = first
    keys = list(value) if isinstance(value, dict) else None
    columns = chosen_columns(options, _table_of(value, keys, name), is_text=False)
    rows = _rows(chain([first], values), keys, _length(value), name)
    yield from row_blocks(rows, columns, name, size, with_places)


def _values(lines, name):
    """Yield the value in each line that is not blank, and the number of the line."""
    for line in lines:
        if not line.strip():
            continue
        try:
            yield lines.number, json.loads(line)
        except (ValueError, RecursionError) as exc:
            raise ValueError(
                f"{name} has no JSON in line {lines.number:,}: {exc}. Each line must "
                "be one object, list or string; read other JSON with `json.load`."
            ) from exc


def _length(value):
    return len(value) if isinstance(value, (dict, list)) else 1


def _table_of(value, keys, name):
    """Return the columns of a file, by the value in its first line."""
    cells = list(value.values()) if isinstance(value, dict) else value
    cells = cells if isinstance(cells, list) else [cells]
    texts = [index for index, cell in enumerate(cells) if isinstance(cell, str)]
    example = keys[texts[0]] if keys and texts else texts[0] if texts else 0
    return Table(
        name, keys, len(cells), texts, f"Pass one of them, such as `column={example!r}`"
    )


def _rows(values, keys, length, name):
    """Yield values as rows: lists with a value for each key, None if it is missing."""
    kind = None
    for number, value in values:
        kind = kind or type(value)
        if type(value) is not kind or (kind is list and len(value) != length):
            raise ValueError(
                f"{name} has another form in line {number:,} than in the first line: "
                f"{reprlib.repr(value)}. Correct the line."
            )
        if keys is not None:
            value = [value.get(key) for key in keys]
        yield number, value if isinstance(value, list) else [value]
