"""Plain lists as Python's own reader has them, Parquet, and errors."""

import gzip
import io
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from any_words import search
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from sklearn_makemore.datasets import (
    _files,
    _options,
    _text,
    read_word_chunks,
    read_words,
)

# Line ends, what only looks like one, white space, a byte order mark, all widths.
CHARACTERS = "\n\r\n\r ab.\t\x0b\x0c\x1c\x85\u2028\ufeff\xa0éßλ名🙂"
# Half of them begin with a byte order mark.
TEXTS = st.builds(
    str.__add__, st.sampled_from(["", "\ufeff"]), st.text(CHARACTERS, max_size=40)
)


def words_by_python(content):
    """What the universal newlines of the standard library make of a text."""
    with io.TextIOWrapper(io.BytesIO(content), encoding="utf-8") as text:
        return [word for line in text if (word := line.lstrip("\ufeff").strip())]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("words")


@given(TEXTS, st.sampled_from([1, 2, 5, 1 << 18]), st.integers(1, 4), st.data())
@search(200)
def test_words_are_those_of_python_s_own_lines(folder, text, at_once, size, data):
    content = text.encode()
    expected = words_by_python(content) or None
    path, zipped = folder / "words.txt", folder / "WORDS.GZ"
    path.write_bytes(content)
    zipped.write_bytes(gzip.compress(content, 1))
    cuts = data.draw(st.lists(st.integers(0, len(content)), max_size=3).map(sorted))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_text, "BYTE_CHUNK_SIZE", at_once)
        if expected is None:
            with pytest.raises(ValueError, match="has no words"):
                read_words(path)
            return
        plain = {"format": "lines"}
        assert read_words(path, **plain) == expected
        assert read_words(str(zipped), **plain) == expected
        chunks = list(read_word_chunks(io.BytesIO(content), chunk_size=size, **plain))
        assert [len(chunk) for chunk in chunks[:-1]] == [size] * (len(chunks) - 1)
        assert sum(chunks, []) == expected
        options = _options.ReadOptions(format="lines")
        # Cut at any bytes, the lines that begin in each part.
        starts = [_text.line_start(path, cut) for cut in [0, *cuts, len(content)]]
        parts = [
            word
            for part in zip(starts[:-1], starts[1:], strict=True)
            for chunk in _files.iterate_columns(path, size, options, *part)
            for word in chunk[0]
        ]
        assert parts == expected


@pytest.mark.parametrize(
    ("name", "content", "message"),
    # The names of the tests are not the contents: gzip writes the time into its header,
    # and processes that collect a second apart must name the same tests.
    [
        pytest.param(
            "a.txt", b"emma\nav\0a\n", r"'.*a\.txt' has a NUL in line 2", id="NUL"
        ),
        pytest.param(
            "a.txt",
            b"a\r\n" * 200_000 + b"\rj\xe9r\xf4me\n",
            "0xe9.*line 200,002",
            id="Latin-1",
        ),
        pytest.param(
            "a.txt",
            "emma\nava".encode("utf-16"),
            "the byte 0xff, not UTF-8, in line 1.*encoding='utf-16'",
            id="UTF-16",
        ),
        pytest.param(
            "a.txt",
            b"emma \n" + b"x" * 3_000_000,
            "a line of more than 1,048,576",
            id="long line",
        ),
        pytest.param("a.txt", b"\xef\xbb\xbf \r\n\n", "has no words", id="no words"),
        pytest.param(
            "a.gz",
            gzip.compress(b"emma\n" * 9)[:-9],
            "as gzip: .* ended before",
            id="gzip cut off",
        ),
        pytest.param(
            "a.gz",
            gzip.compress(bytes(range(256)) * 9)[:30] + b"x" * 50,
            "as gzip",
            id="gzip spoilt",
        ),
        pytest.param(
            "a.gz", b"emma\nava\n", "as gzip: Not a gzipped file", id="no gzip"
        ),
        pytest.param(
            "a.parquet",
            b"emma\nava\n",
            r"'.*a\.parquet' cannot be read as Parquet",
            id="no Parquet",
        ),
    ],
)
def test_a_file_that_is_no_list_of_words_says_where(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_words(path)


def test_what_cannot_be_opened_is_the_error_of_the_system(tmp_path):
    for suffix in "txt", "gz", "parquet":
        with pytest.raises(FileNotFoundError):
            read_words(tmp_path / f"none.{suffix}")
    with pytest.raises(ValueError, match="is an address, not a file; download it"):
        read_words("https://example.org/words.txt")
    with pytest.raises(IsADirectoryError):
        next(read_word_chunks(tmp_path))


def test_a_file_object_is_read_from_where_it_is_and_stays_open():
    file = io.BytesIO(b"first\nemma\n\xff")
    file.seek(6)
    with pytest.raises(ValueError, match="The file has the byte 0xff.* in line 2"):
        read_words(file)
    assert not file.closed
    with pytest.raises(TypeError, match="open as text; open it with mode 'rb'"):
        read_words(io.StringIO("emma"))


def written(path, table):
    parquet.write_table(table, path, row_group_size=3)
    return path


@pytest.mark.parametrize(
    "kind",
    [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), "str")],
    ids=str,
)
def test_values_of_parquet_are_taken_as_they_are(tmp_path, kind):
    words = ["emma", "", " ava\n", "名🙂", "emma", "a", "b"]
    table = pa.table({"n": range(7), "word": pa.array(words, "str").cast(kind)})
    path = written(tmp_path / "words.parquet", table)
    assert list(read_word_chunks(path, chunk_size=2)) == [
        words[:2],
        words[2:4],
        words[4:6],
        words[6:],
    ]
    assert read_words(path, column="word") == words


def test_files_of_pandas_and_polars_are_read(tmp_path):
    words = ["emma", "ava"]
    columns = {"sex": ["F", "F"], "n": [1, 2], "word": words}
    pd.DataFrame(columns).to_parquet(tmp_path / "a.parquet")
    pl.DataFrame(columns).write_parquet(tmp_path / "b.parquet")
    for path in tmp_path / "a.parquet", tmp_path / "b.parquet":
        assert read_words(path, column="word") == words
        found = read_words(path, label_column="sex", weight_column=1)
        assert found[0] == words
        assert [array.tolist() for array in found[1:]] == [["F", "F"], [1.0, 2.0]]
        assert read_words(path, column=2, label_column="n")[1].dtype == int
        with open(path, "rb") as file:
            assert read_words(file, column="word", format="parquet") == words


def test_what_is_wrong_with_a_table_is_named(tmp_path):
    rows = ["emma"] * 9
    path = tmp_path / "words.parquet"
    written(path, pa.table({"a": rows, "b": [*rows[:7], None, "x"], "n": range(9)}))
    with pytest.raises(ValueError, match=r"2 columns .* \('a', 'b'\).*`column='a'`"):
        read_words(path)
    with pytest.raises(ValueError, match="has 0 in row 0 .* of column 'n'; words must"):
        read_words(path, column="n")
    with pytest.raises(ValueError, match="value in row 7 .* of column 'b'"):
        list(read_word_chunks(path, chunk_size=2, column="b"))
    content = bytearray(path.read_bytes())
    content[4:60] = b"\xff" * 56
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"'.*words\.parquet' cannot be read"):
        read_words(path, column="a")
    written(path, pa.table({"n": [1]}))
    with pytest.raises(ValueError, match="no column that can hold words"):
        read_words(path)


def test_parquet_without_pyarrow_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r'pip install "sklearn-makemore\[dist'):
        read_words(Path("words.parquet"))


def test_chunk_size_is_checked_at_the_call():
    with pytest.raises(ValueError, match="'chunk_size' parameter of read_word_chunks"):
        read_word_chunks("words.txt", chunk_size=np.int64(0))
