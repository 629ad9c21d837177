"""What to read of a file, and how: the options of `read_words` as one record."""

import io
import os
import re
from dataclasses import dataclass
from numbers import Integral
from os import PathLike

from .._sklearn import HasMethods, Interval, StrOptions
from ._compression import content_name

FORMATS = {
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".tab": "csv",
    ".tsv": "csv",
}
"""Formats by the suffix of a file; files with other suffixes are plain lists."""

OPTIONS_OF_FORMATS = {
    "lines": {"header", "comment", "encoding"},
    "csv": {"columns", "delimiter", "header", "comment", "encoding"},
    "jsonl": {"columns", "comment", "encoding"},
    "parquet": {"columns"},
}

COLUMN = [str, Interval(Integral, 0, None, closed="left"), None]
CONSTRAINTS = {
    "source": [str, PathLike, HasMethods("read")],
    "column": COLUMN,
    "label_column": COLUMN,
    "weight_column": COLUMN,
    "format": [StrOptions(set(OPTIONS_OF_FORMATS)), None],
    "delimiter": [str, None],
    "header": ["boolean", None],
    "comment": [str, None],
    "encoding": [str],
}


@dataclass(frozen=True)
class ReadOptions:
    """The options of `read_words`, except the file."""

    column: str | int | None = None
    label_column: str | int | None = None
    weight_column: str | int | None = None
    format: str | None = None
    delimiter: str | None = None
    header: bool | None = None
    comment: str | None = None
    encoding: str = "utf-8"

    def __post_init__(self):
        """Raise an error for values that no file can have."""
        if self.delimiter is not None and not re.fullmatch('[^\r\n"]', self.delimiter):
            raise ValueError(
                f"`delimiter` must be one character, got {self.delimiter!r}; for a tab "
                "use '\\t', for any run of spaces and tabs ' '."
            )
        if self.comment == "":
            raise ValueError("`comment` must have at least one character, got ''.")
        try:
            io.TextIOWrapper(io.BytesIO(), encoding=self.encoding)
        except LookupError as exc:
            raise ValueError(
                f"`encoding` must name an encoding of text that Python has, such as "
                f"'cp1252' or 'utf-16', got {self.encoding!r}."
            ) from exc

    @property
    def columns(self):
        """The columns of words, labels and weights; None for those not given."""
        return self.column, self.label_column, self.weight_column

    @property
    def n_lists(self):
        """Number of lists that are read: words, and labels or weights if given."""
        return 1 + sum(column is not None for column in self.columns[1:])

    def format_of(self, source, name):
        """Return the format of a file, by the options or by its suffix."""
        kind = self.format or FORMATS.get(_suffix(source), "lines")
        has_columns = any(column is not None for column in self.columns)
        if self.format is None and kind == "lines":
            kind = "csv" if has_columns or self.delimiter else "lines"
        given = {
            "columns": has_columns,
            "delimiter": self.delimiter is not None,
            "header": self.header is not None,
            "comment": self.comment is not None,
            "encoding": self.encoding != "utf-8",
        }
        for option, is_given in given.items():
            if is_given and option not in OPTIONS_OF_FORMATS[kind]:
                option = "a column" if option == "columns" else f"`{option}`"
                raise ValueError(
                    f"{name} is read with `format={kind!r}`, which does not take "
                    f"{option}; omit it, or give another `format`."
                )
        return kind


def _suffix(source):
    """Return the suffix of a path without that of compression, in lower case."""
    if hasattr(source, "read"):
        return ""
    return os.path.splitext(content_name(source))[1].lower()


def delimiter_of(source):
    """Return the delimiter that the suffix of a file says, or None."""
    return "\t" if _suffix(source) in (".tab", ".tsv") else None
