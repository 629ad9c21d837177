"""Files as bytes: plain, or compressed in a way that Python reads."""

import os
import zlib
from contextlib import contextmanager
from importlib import import_module
from os import PathLike
from zipfile import BadZipFile, ZipFile

MODULES = {
    ".bz2": "bz2",
    ".gz": "gzip",
    ".lzma": "lzma",
    ".xz": "lzma",
    ".zst": "compression.zstd",
}
"""Modules that open a compressed file, by its suffix. Zip archives are opened here."""

SIGNATURES = {
    b"\x1f\x8b": "is compressed with gzip; give it a name that ends in .gz",
    b"BZh": "is compressed with bzip2; give it a name that ends in .bz2",
    b"\xfd7zXZ": "is compressed with xz; give it a name that ends in .xz",
    b"\x28\xb5\x2f\xfd": "is compressed with zstd; give it a name that ends in .zst",
    b"PAR1": "is Parquet; give it a name that ends in .parquet",
    b"PK\x03\x04": "is an Excel file, which you can save as CSV, or a zip archive, "
    "whose name must end in .zip",
    b"\xd0\xcf\x11\xe0": "is an old Excel or Word file; save it as CSV or as text",
    b"%PDF": "is PDF; save it as text",
}
"""First bytes of files that are not text, and what to do."""


def signature_of(content):
    """Return what the first bytes of a file say, or None."""
    return next(
        (said for start, said in SIGNATURES.items() if content.startswith(start)), None
    )


def name_of(source):
    """Return the name of a file for error messages."""
    name = getattr(source, "name", None) if hasattr(source, "read") else source
    if isinstance(name, (str, PathLike)) and name != "":
        return repr(os.fspath(name))
    return "The file"


def compression_of(path):
    """Return the suffix of a compressed file, or an empty text."""
    suffix = os.path.splitext(path)[1].lower()
    return suffix if suffix in MODULES or suffix == ".zip" else ""


def content_name(path):
    """Return the name that the file has without compression."""
    suffix = compression_of(path)
    if suffix == ".zip":
        with _damage_as_value_error(path), ZipFile(path) as archive:
            return _only_member(archive, path).filename
    path = os.fspath(path)
    return path[: len(path) - len(suffix)]


@contextmanager
def opened(source):
    """Open a path for reading bytes; a file object stays open afterwards."""
    with _damage_as_value_error(source):
        if hasattr(source, "read"):
            yield source
            return
        suffix = compression_of(source)
        if "://" in os.fspath(source):
            raise ValueError(
                f"{name_of(source)} is an address, not a file; download it first, for "
                "instance with sklearn.datasets.fetch_file."
            )
        if suffix == ".zip":
            with ZipFile(source) as archive:
                with archive.open(_only_member(archive, source)) as file:
                    yield file
        else:
            with _open_function(suffix, source)(source, "rb") as file:
                yield file


def _open_function(suffix, path):
    """Return the function that opens a file with this suffix."""
    if not suffix:
        return open
    try:
        return import_module(MODULES[suffix]).open
    except ImportError as exc:
        raise ImportError(
            f"Reading {name_of(path)} needs the module {MODULES[suffix]}, which this "
            "Python does not have (zstd came with Python 3.14); decompress the file "
            "first."
        ) from exc


def _only_member(archive, path):
    """Return the one file of a zip archive."""
    members = [
        member
        for member in archive.infolist()
        if not member.is_dir() and not member.filename.startswith("__MACOSX/")
    ]
    if len(members) == 1:
        return members[0]
    names = ", ".join(repr(member.filename) for member in members) or "none"
    raise ValueError(
        f"{name_of(path)} must contain one file, and contains {len(members)} "
        f"({names}); extract the one to read."
    )


@contextmanager
def _damage_as_value_error(source):
    """Raise a ValueError if a compressed file is damaged."""
    try:
        yield
    except Exception as exc:
        if not _is_damage(exc):
            raise
        suffix = "" if hasattr(source, "read") else compression_of(source)
        kind = MODULES.get(suffix, suffix[1:]).rpartition(".")[2]
        kind = f" as {kind}" if kind else ""
        raise ValueError(f"{name_of(source)} cannot be read{kind}: {exc}") from exc


def _is_damage(error):
    """Whether an error of a decompressor is about the content of the file."""
    if isinstance(error, OSError):
        return error.errno is None  # with a number it is an error of the system
    # Encrypted archives and unknown methods are a RuntimeError.
    kinds = (EOFError, zlib.error, BadZipFile, RuntimeError)
    return isinstance(error, kinds) or type(error).__name__ in (
        "LZMAError",
        "ZstdError",
    )
