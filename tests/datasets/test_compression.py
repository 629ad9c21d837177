"""Compressed files: all that Python reads, damaged ones, and archives."""

import bz2
import gzip
import io
import lzma
import sys
import zipfile
from types import ModuleType

import pytest

from sklearn_makemore.datasets import read_words

COMPRESS = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda content: lzma.compress(content, lzma.FORMAT_ALONE),
}
MEMBER = "names.txt"


def zipped(*members):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members:
            file.writestr(name, content)
    return archive.getvalue()


@pytest.mark.parametrize("suffix", COMPRESS)
def test_compressed_files_are_read(tmp_path, suffix):
    path = tmp_path / f"a.txt.{suffix.upper()}"
    content = b"emma\n" * 50_000 + b"ava"
    path.write_bytes(COMPRESS[suffix](content))
    assert read_words(path) == ["emma"] * 50_000 + ["ava"]
    path = tmp_path / f"a.csv.{suffix}"
    path.write_bytes(COMPRESS[suffix](b"name,n\nemma,3\n"))
    assert read_words(str(path), column="name") == ["emma"]


@pytest.mark.parametrize("suffix", COMPRESS)
def test_damage_is_named(tmp_path, suffix):
    content = COMPRESS[suffix](b"".join(b"%d\n" % number for number in range(9999)))
    path = tmp_path / f"a.{suffix}"
    kind = {"gz": "gzip", "xz": "lzma"}.get(suffix, suffix)
    spoilt = bytearray(content)
    spoilt[len(content) // 2 :] = b"\xff" * (len(content) - len(content) // 2)
    for damaged in content[:-20], bytes(spoilt), b"emma\nava\n":
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=rf"a\.{suffix}' cannot be read as {kind}"):
            read_words(path, format="lines")


def test_an_archive_has_one_file(tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(zipped((MEMBER, b"emma\nava"), ("__MACOSX/._names.txt", b"\0")))
    assert read_words(path) == ["emma", "ava"]
    # The format follows from the name of the file in it.
    path.write_bytes(zipped(("names.csv", b"name,n\nemma,3\n")))
    assert read_words(path, weight_column="n")[0] == ["emma"]
    path.write_bytes(zipped((MEMBER, b"emma"), ("b.txt", b"ava")))
    with pytest.raises(
        ValueError, match=r"contains 2 \('names.txt', 'b.txt'\); extract"
    ):
        read_words(path)
    path.write_bytes(zipped())
    with pytest.raises(ValueError, match="contains 0"):
        read_words(path)
    path.write_bytes(b"emma\nava\n")
    with pytest.raises(ValueError, match="cannot be read as zip: File is not a zip"):
        read_words(path)
    content = bytearray(zipped((MEMBER, b"emma\nava\n" * 99)))
    content[45] ^= 255
    path.write_bytes(content)
    with pytest.raises(ValueError, match="cannot be read as zip"):
        read_words(path)


def test_zstd_needs_the_module_of_new_pythons(tmp_path, monkeypatch):
    path = tmp_path / "a.txt.zst"
    path.write_bytes(gzip.compress(b"emma\nava"))
    monkeypatch.setitem(sys.modules, "compression.zstd", None)
    with pytest.raises(ImportError, match="compression.zstd.*Python 3.14.*decompress"):
        read_words(path)
    monkeypatch.setitem(sys.modules, "compression", ModuleType("compression"))
    monkeypatch.setitem(sys.modules, "compression.zstd", gzip)
    assert read_words(path) == ["emma", "ava"]


def test_file_objects_of_other_modules_are_read(tmp_path):
    content = gzip.compress(b"emma\n" * 999)
    with gzip.open(io.BytesIO(content)) as file:
        assert read_words(file) == ["emma"] * 999
    with gzip.open(io.BytesIO(content[:-9])) as file:
        with pytest.raises(
            ValueError, match="The file cannot be read: .* ended before"
        ):
            read_words(file)
