"""What the first lines of a text look like: a plain list, or a table."""

import math
import re
import reprlib
from itertools import chain

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
"""Characters that separate the fields of tables, and their names."""

N_LINES = 100
"""Maximum number of lines to look at."""

HEADERS = {
    "brand", "city", "company", "country", "domain", "first name", "first_name",
    "firstname", "forename", "given name", "given_name", "host", "label", "last name",
    "last_name", "lastname", "lemma", "name", "names", "place", "string", "surname",
    "surnames", "term", "terms", "text", "token", "word", "words",
}  # fmt: skip
"""First lines that are a header rather than a word."""

COUNT_AFTER = re.compile(r".*\S\s+\d+(\.\d+)?")
COUNT_BEFORE = re.compile(r"\d+(\.\d+)?[.)]?\s+\S.*")
COUNT_AFTER_COLON = re.compile(r"[^:]*\S\s*:\s*\d+(\.\d+)?")


def check_plain_list(lines, name):
    """Raise an error if the first lines of a file are probably not a plain list."""
    kinds = (_markup, _json, _one_line, _table, _counts, _quoted, _header, _comments)
    for kind in kinds:
        if found := kind(lines):
            what, remedy = found
            raise ValueError(
                f"{name} is probably not a plain list of words: {what}. Its first "
                f"lines are {shown(lines)}. {remedy}. If every line is one word, pass "
                "`format='lines'`."
            )


def with_head(blocks):
    """Return the first lines of blocks without blank ones, and the blocks again."""
    blocks, head = iter(blocks), []
    for lines in blocks:
        head += lines
        if len(head) >= N_LINES:
            break
    lines = [line.strip() for line in head if line.strip()]
    return lines[:N_LINES], chain([head], blocks)


def shown(lines):
    """Return a few lines for a message."""
    return ", ".join(map(reprlib.repr, lines[:3]))


def likely_delimiters(lines):
    """Return the delimiter that most lines have; several if equally many have them."""
    counts = {mark: sum(mark in line for line in lines) for mark in DELIMITERS}
    most = max(counts.values())
    is_most = 2 * most > len(lines)
    return [mark for mark in DELIMITERS if is_most and counts[mark] == most]


def are_counts(lines):
    """Whether lines are words and numbers with spaces between them."""
    rows = [line.split() for line in lines]
    return {len(row) for row in rows} == {2} and any(
        all(map(is_number, column[1:])) for column in zip(*rows, strict=True)
    )


def looks_like_header(rows):
    """Whether the first row of a table probably names the columns."""
    columns = zip(*rows, strict=False)
    return any(_names_column(first, values) for first, *values in columns)


def _names_column(first, values):
    """Whether the first cell of a column is the name of the others."""
    if first.casefold() in HEADERS:
        return first not in values
    return len(values) > 1 and not is_number(first) and all(map(is_number, values))


def is_number(text):
    """Whether a text is a number."""
    try:
        return math.isfinite(float(text))  # "nan" may be a name
    except ValueError:
        return False


def _is_most(lines, holds):
    """Whether something holds for most of at least two lines."""
    return len(lines) > 1 and 2 * sum(map(bool, map(holds, lines))) > len(lines)


def _markup(lines):
    if lines and lines[0].lower().startswith(("<!doctype", "<html", "<?xml")):
        return "it is a web page", "Download the file itself"
    return None


def _json(lines):
    if lines and re.match(r"\[\s*($|[\"{[])", lines[0]):
        remedy = "Read it with `json.load`, and use the list of words"
        return "it is JSON", remedy
    if _is_most(lines, re.compile(r"\{.*\}").fullmatch):
        return "its lines are JSON", "Pass `format='jsonl'` and the name of a `column`"
    return None


def _one_line(lines):
    for mark in likely_delimiters(lines)[:1] if len(lines) == 1 else ():
        if (count := lines[0].count(mark)) > 1:
            what = f"its only line has {count} {DELIMITERS[mark]}s"
            return what, "Write each word on its own line"
    return None


def _table(lines):
    for mark in likely_delimiters(lines)[:1] if len(lines) > 1 else ():
        rows = [[cell.strip(' "') for cell in line.split(mark)] for line in lines]
        what = f"most lines have a {DELIMITERS[mark]}"
        return what, f"Pass {suggested_columns(rows)}"
    return None


def _counts(lines):
    rows = [line.split() for line in lines]
    if _is_most(lines, COUNT_AFTER_COLON.fullmatch):
        remedy = "Pass `delimiter=':'` and `column=0`"
        return "most lines end in a colon and a number", remedy
    for where, pattern in (("end in", COUNT_AFTER), ("begin with", COUNT_BEFORE)):
        if _is_most(lines, pattern.fullmatch):
            remedy = "Separate the words and the numbers by tabs, and pass `column=0`"
            if are_counts(lines):
                remedy = f"Pass {suggested_columns(rows)}"
            return f"most lines {where} a number", remedy
    return None


def _quoted(lines):
    if _is_most(lines, re.compile('".*"').fullmatch):
        return "most lines are in quotes", "Pass `format='csv'`"
    return None


def _header(lines):
    if len(lines) > 2 and _names_column(lines[0], lines[1:]):
        return "line 1 looks like a header", "Pass `header=True` to skip it"
    return None


def _comments(lines):
    if lines and lines[0][0] == "#":
        if not _is_most(lines, lambda line: line[0] == "#"):
            return "it begins with a comment", "Pass `comment='#'` to skip comments"
    return None


def suggested_columns(rows):
    """Return the options that read the rows of a table, for a message."""
    n_columns = min(map(len, rows))
    has_header = looks_like_header(rows)
    numeric = [
        index
        for index in range(n_columns)
        if all(is_number(row[index]) for row in rows[has_header:])
    ]
    words = next((index for index in range(n_columns) if index not in numeric), 0)
    column = repr(rows[0][words] if has_header else words)
    if not numeric or numeric == [words]:
        return f"`column={column}`"
    weights = repr(rows[0][numeric[-1]] if has_header else numeric[-1])
    return (
        f"`column={column}`, with `weight_column={weights}` if the numbers are weights"
    )
