"""Text in other encodings is read, and recognised if it is not announced."""

import io

import pytest

from sklearn_makemore.datasets import _text, read_words

WORDS = ["emma", "zoé", "andré"]


@pytest.mark.parametrize("at_once", [1, 2, 1 << 18])
@pytest.mark.parametrize(
    ("words", "encoding"),
    [
        (WORDS, "latin-1"),
        (WORDS, "cp1252"),
        (WORDS, "utf-16"),
        (WORDS, "utf-16-be"),
        (WORDS, "utf-32"),
        (WORDS, "utf-8-sig"),
        (["Škoda", "Říp"], "cp1250"),
        (["Анна", "Иван"], "koi8-r"),
        (["さくら", "はな"], "shift_jis"),
    ],
)
def test_text_in_an_encoding_is_read(words, encoding, at_once, monkeypatch):
    monkeypatch.setattr(_text, "BYTE_CHUNK_SIZE", at_once)
    for end in "\n", "\r\n", "\r":
        content = end.join(words).encode(encoding)
        assert read_words(io.BytesIO(content), encoding=encoding) == words


@pytest.mark.parametrize(
    ("text", "encoding", "found", "remedy"),
    [
        ("zoé", "latin-1", "0xe9, not UTF-8,", "'zoé' with `encoding='cp1252'`"),
        ("Анна", "cp1251", "0xc0, not UTF-8,", "'Анна' with `encoding='cp1251'`"),
        ("için\niş", "cp1254", "0xe7", "'için', 'iş' with `encoding='cp1254'`"),
        ("Řím", "cp1250", "0xd8", "'Řím' with `encoding='cp1250'`"),
        ("さくら", "shift_jis", "0x82", "'さくら' with `encoding='shift_jis'`"),
        ("zoé", "utf-16", "0xff", "`encoding='utf-16'`"),
        ("zoé", "utf-32", "0xff", "`encoding='utf-32'`"),
        ("zoe", "utf-16-le", "a NUL", "`encoding='utf-16-le'`"),
        ("zoe", "utf-16-be", "a NUL", "`encoding='utf-16-be'`"),
    ],
)
def test_encodings_that_would_work_are_named(text, encoding, found, remedy):
    content = f"{text}\nemma".encode(encoding)
    with pytest.raises(ValueError) as caught:
        read_words(io.BytesIO(content))
    message = str(caught.value)
    assert f"The file has {found}" in message.replace("the byte ", "")
    assert "in line 1." in message
    assert remedy in message


def test_utf_8_is_suggested_alone():
    with pytest.raises(ValueError, match=r"has 'é' with `encoding='utf-8'`\. Pass"):
        read_words(io.BytesIO("é".encode()), encoding="ascii")


@pytest.mark.parametrize("at_once", [1, 3, 1 << 18])
def test_the_line_of_a_byte_is_found(at_once, monkeypatch):
    monkeypatch.setattr(_text, "BYTE_CHUNK_SIZE", at_once)
    content = "emma\r\n\rzoë\n\nava\r\n".encode()
    for end in b"\xe9", b"x\xe9\n", b"\xf0\x9f", b"\0":
        with pytest.raises(ValueError, match="in line 6"):
            read_words(io.BytesIO(content + end))
    with pytest.raises(ValueError, match="0x81, not CP1252, in line 2"):
        read_words(io.BytesIO(b"a\n\x81"), encoding="cp1252")


@pytest.mark.parametrize(
    ("start", "said"),
    [
        (b"\x1f\x8b\x08\0", "is compressed with gzip; give it a name that ends in .gz"),
        (b"PK\x03\x04\x14\0", "is an Excel file, which you can save as CSV, or a zip"),
        (b"PAR1\x15\0", "is Parquet; give it a name that ends in .parquet"),
    ],
)
def test_files_that_are_no_text_are_recognised(start, said):
    with pytest.raises(ValueError, match=f"in line 1. It {said}"):
        read_words(io.BytesIO(start + b"\xff\xfe"))
