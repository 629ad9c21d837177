"""Delimited text and JSON lines: as csv, json and pandas read them, and errors."""

import csv
import io
import json

import numpy as np
import pandas as pd
import pytest
from any_words import search
from hypothesis import given
from hypothesis import strategies as st

from sklearn_makemore.datasets import _text, read_word_chunks, read_words

CELLS = st.text("ab,;\t\"' é\n#", min_size=1, max_size=5).filter(str.strip)
WEIGHTS = st.floats(0, 1e300) | st.integers(0, 10**20)
ROWS = st.lists(st.tuples(CELLS, CELLS, WEIGHTS), min_size=1, max_size=6)
ALL_COLUMNS = {"column": "word", "label_column": "label", "weight_column": "n"}


def written_csv(rows, **how):
    """The bytes of a table as the standard library writes it."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, **how)
    writer.writerows([("label", "n", "word"), *rows])
    return text.getvalue().encode()


@given(ROWS, st.sampled_from(",;\t|"), st.sampled_from([1, 3, 1 << 18]), st.booleans())
@search(150)
def test_cells_are_those_that_the_csv_module_wrote(rows, delimiter, at_once, quoted):
    rows = [(label, weight, word) for word, label, weight in rows]
    quoting = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    content = written_csv(rows, delimiter=delimiter, quoting=quoting)
    options = {**ALL_COLUMNS, "format": "csv", "delimiter": delimiter}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_text, "BYTE_CHUNK_SIZE", at_once)
        words, labels, weights = read_words(io.BytesIO(content), **options)
        chunks = [*read_word_chunks(io.BytesIO(content), chunk_size=2, **options)]
    assert words == [word.strip() for _, _, word in rows]
    assert labels.tolist() == [label.strip() for label, _, _ in rows]
    assert weights.tolist() == [float(weight) for _, weight, _ in rows]
    assert weights.dtype == np.float64
    assert [len(chunk[0]) for chunk in chunks[:-1]] == [2] * (len(chunks) - 1)
    assert sum((chunk[0] for chunk in chunks), []) == words
    assert np.concatenate([chunk[1] for chunk in chunks]).tolist() == labels.tolist()
    # Numbers of columns instead of names.
    numbers = {"column": 2, "label_column": 0, "weight_column": 1, "header": True}
    again = read_words(io.BytesIO(content), **options | numbers)
    assert again[0] == words
    assert again[2].tolist() == weights.tolist()


@given(ROWS, st.sampled_from([1, 1 << 18]))
@search(50)
def test_values_are_those_that_the_json_module_wrote(rows, at_once):
    keys = ("word", "label", "n")
    lines = [json.dumps(dict(zip(keys, row, strict=True))) for row in rows]
    lists = [json.dumps(row) for row in rows]
    expected = [list(values) for values in zip(*rows, strict=True)]
    expected[2] = [float(weight) for weight in expected[2]]
    for content, columns in (
        (lines, ALL_COLUMNS),
        (lists, {"column": 0, "label_column": 1, "weight_column": 2}),
    ):
        file = io.BytesIO("\n\n".join(content).encode())
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_text, "BYTE_CHUNK_SIZE", at_once)
            words, labels, weights = read_words(file, format="jsonl", **columns)
        assert [words, labels.tolist(), weights.tolist()] == expected
    strings = "\n".join(json.dumps(word) for word in expected[0]).encode()
    assert read_words(io.BytesIO(strings), format="jsonl") == expected[0]


@pytest.mark.parametrize("name", ["surnames18.csv", "turkish_frequencies.txt"])
def test_lists_of_users_are_read_as_by_pandas(name, lists):
    path = lists / name
    if path.suffix == ".csv":
        frame = pd.read_csv(path, keep_default_na=False)
        words, labels = read_words(path, column="surname", label_column="language")
        assert labels.tolist() == frame["language"].tolist()
        assert words == frame["surname"].tolist()
        # The other column is the words.
        assert read_words(path, label_column=1, header=True)[0] == words
    else:
        frame = pd.read_csv(path, sep=" ", header=None, keep_default_na=False)
        words, weights = read_words(path, column=0, weight_column=1)
        assert words == frame[0].tolist()
        assert weights.tolist() == frame[1].tolist()


@pytest.mark.parametrize(
    ("name", "content", "options", "words"),
    [
        ("a.csv", "name,n\nemma,3\nava,2", {"column": "name"}, "emma ava"),
        ("a.csv", "name;n\r\nemma;3\r\n\r\nava;2,5", {"column": "name"}, "emma ava"),
        ("a.tsv", "n\tname\n1\temma\n2\tava\n", {"column": "name"}, "emma ava"),
        ("a.TAB", "emma, a\tx\nava, b\ty", {"column": 1}, "x y"),
        ("a.csv", '"emma"\n ava ', {}, "emma ava"),
        ("a.csv", "name\nemma\nava", {"header": True}, "emma ava"),
        ("a.csv", "name\nemma\nava", {"column": "name"}, "emma ava"),
        ("a.csv", "full name\nA.-B.\nC D", {"column": "full name"}, "A.-B. C_D"),
        ("a.txt", "emma|1\nava|2", {"column": 0}, "emma ava"),
        ("a", "# x\nemma 1\nava 2\n", {"column": 0, "comment": "#"}, "emma ava"),
        ("a.txt", "   3 emma\n  12\tava", {"column": 1, "delimiter": " "}, "emma ava"),
        ("a.txt", "   3 emma\n  12 ava", {"column": 1}, "emma ava"),
        ("a", "emma:1\nava:2", {"delimiter": ":", "column": 0}, "emma ava"),
        ("a.csv", "\ufeffname\nemma\n\ufeffava", {"column": "name"}, "emma ava"),
        ("a.jsonl", '{"w": "emma", "n": 1}\n\n{"n": 2, "w": "ava"}', {}, "emma ava"),
        ("a.NDJSON", '"emma"\n"ava"', {}, "emma ava"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_forms_of_tables(tmp_path, name, content, options, words, encoding):
    path = tmp_path / name
    path.write_bytes(content.encode(encoding))
    expected = [word.replace("_", " ") for word in words.split()]
    assert read_words(path, encoding=encoding, **options) == expected


WITH_WEIGHTS = {"column": "name", "weight_column": "n"}


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        # Quotes and line breaks.
        (b'name,n\n"em\nma",3\n"ava,2\n', {}, "table from line 4 on.*not closed"),
        (b'name,n\nemma,3\n"a"va,2\n', {}, "table from line 3 on.*write one inside"),
        (b"name,n\nemma,3\nava,b,2", {}, r"line 3 .* 3 instead of 2: \['ava', 'b', '2"),
        (b"name,n\r\nemma,3\r\n\r\nava\r\n", {}, "line 4 .* 1 instead of 2"),
        (b'"' + b"x\n" * 70_000, {"column": 0}, "from line 1 on: field larger"),
        (b"name,n\nem\0ma,3", {}, "a NUL in line 2"),
        # Values.
        (b"name,n\nemma,3\n  ,2", {}, "missing value in line 3 of column 'name'"),
        (b'name,n\n"a\nb",3\nemma,', {}, "missing value in line 4 of column 'n'"),
        (b'name,n\nemma,"5,194"', {}, "'5,194' in line 2 of column 'n'; weights must"),
        (b"name,n\nemma,-1", {}, "'-1' in line 2"),
        (b"name,n\nemma,nan", {}, "'nan' in line 2"),
        (b"name,n\nemma,1e999", {}, "'1e999' in line 2"),
        (b"name,n,x\nemma,1,", {"label_column": "x"}, "missing value .* column 'x'"),
        # Columns.
        (b"names,n\na,1", {}, r"no column 'name' \(it has 'names', 'n'\); the nearest"),
        (b"x,n\na,1", {}, "no column 'name' .*; pass one of these"),
        (b"name,n,n\na,1,2", {}, "2 columns 'n' .*pass the number"),
        (b"a,1", {"column": 0, "weight_column": 2}, "no column 2 .it has 2 columns"),
        (b"a,1", {"header": False}, "header=False`, so its columns have no names"),
        (b"name,n\na,1\nb,2", {"column": 0, "weight_column": 1}, "begin with a header"),
        (b"given,n\na,1\nb,2", {"column": 0, "weight_column": 1}, "`header=True` to"),
        (b"a;1,5\nb;2,5", {"column": 0}, "commas or semicolons: .*delimiter=';'"),
        # No rows.
        (b"", {}, "no words"),
        (b"\n \r\n", {"column": 0}, "no words"),
        (b"name,n\n", {}, "no words"),
    ],
)
def test_a_table_with_errors_says_where(tmp_path, content, options, message):
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    is_numbered = isinstance(options.get("column"), int)
    options = options if is_numbered else WITH_WEIGHTS | options
    with pytest.raises(ValueError, match=rf"a\.csv' .*{message}"):
        read_words(path, **options)


def test_the_column_of_the_words_is_asked_for(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"surname,count\nKhoury,3\nNahas,4\n")
    with pytest.raises(ValueError) as caught:
        read_words(path)
    assert str(caught.value) == (
        f"{str(path)!r} has 2 columns that can hold words, and needs one. The first "
        "lines are 'surname,count', 'Khoury,3', 'Nahas,4'. Pass `column='surname'`, "
        "with `weight_column='count'` if the numbers are weights."
    )


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (b'{"n": "a", "c": 1}\n\n{"n": "b"}', {"weight_column": "c"}, "in line 3 of"),
        (
            b'{"n": "a", "c": "x"}',
            {"weight_column": "c"},
            "'x' in line 1 of column 'c'",
        ),
        (b'{"n": "a", "c": [1]}', {"label_column": "c"}, r"\[1\] in line 1 .*labels"),
        (b'{"n": 5}', {"column": "n"}, "5 in line 1 of column 'n'; words must"),
        (b'{"n": 5}', {}, "no column that can hold words"),
        (b'{"n": "a", "m": "b"}', {}, r"\('n', 'm'\).*`column='n'`"),
        (b'{"n": "a"}\n"b"', {}, "another form in line 2 .*'b'"),
        (b'["a", 1]\n["b"]', {"column": 0}, "another form in line 2"),
        (b'{"n": "a"}\n{n', {}, "no JSON in line 2"),
        (b'[\n"a",\n"b"]', {}, "no JSON in line 1.*`json.load`"),
        (b"[" * 100_000, {}, "no JSON in line 1"),
        (b'{"n": "a"}', {"delimiter": ","}, "'jsonl'`, which does not take `delim"),
    ],
)
def test_json_lines_with_errors_say_where(content, options, message):
    with pytest.raises(ValueError, match=message):
        read_words(io.BytesIO(content), format="jsonl", **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"delimiter": ",,"}, r"one character, got ',,'; for a tab use '\\t'"),
        ({"delimiter": "\n"}, "one character"),
        ({"comment": ""}, "at least one character"),
        ({"encoding": "utf9"}, "name an encoding .* got 'utf9'"),
        ({"encoding": "rot13"}, "got 'rot13'"),
        ({"weight_column": -1}, "'weight_column' parameter of read_word_chunks"),
        ({"format": "xlsx"}, "'format' parameter of read_word_chunks"),
    ],
)
def test_options_are_checked_at_the_call(options, message):
    with pytest.raises(ValueError, match=message):
        read_word_chunks("missing.txt", **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "lines", "column": 0}, "'lines'`, which does not take a column"),
        ({"format": "lines", "delimiter": ","}, "does not take `delimiter`"),
        ({"format": "parquet", "encoding": "cp1252"}, "does not take `encoding`"),
        ({"format": "parquet", "header": True}, "does not take `header`"),
        ({"format": "jsonl", "header": False}, "does not take `header`"),
    ],
)
def test_options_of_other_formats_are_errors(options, message):
    with pytest.raises(ValueError, match=message):
        read_words(io.BytesIO(b"emma"), **options)
