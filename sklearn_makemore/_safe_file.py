"""Files of arrays and JSON that run no code and are replaced atomically.

A file is a safetensors file. Its metadata hold one text,
``version written_by sha256 document``, separated by spaces: the version of this format,
the version of the package that wrote it, a digest of all content, and JSON. The digest
is compared before any JSON is read. Equal content gives equal bytes.

The guide to saving models has the threat model: what an untrusted file may contain, and
what reading it guarantees.
"""

import copy
import errno
import hashlib
import json
import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save as to_safetensors

from ._word_estimator import package_version

FORMAT_VERSION = "1"
METADATA_KEY = "sklearn_makemore"

Arrays = dict[str, np.ndarray]

MAX_DOCUMENT_SIZE = 1 << 24
"""Largest number of characters of a document. Python objects take more memory than
their text."""

MIN_CHARACTERS_PER_CONTAINER = 8
"""Smallest mean length of the text of a list or dict in a document. An empty list or
dict takes two or three characters of text, but 64 bytes of memory."""

MAX_SHORT_CONTAINERS = 1000
"""Number of lists and dicts that may be shorter."""

ADVICE = {
    errno.ENOENT: "The folder does not exist; create it first",
    errno.ENOTDIR: "Part of the path to this file is not a folder; use another path",
    errno.EISDIR: "There is a folder of this name; use another name for the file",
    errno.EACCES: "This folder cannot be written to; use another one",
    errno.EPERM: "This folder cannot be written to; use another one",
    errno.EROFS: "This disk cannot be written to; use another one",
    errno.ENOSPC: "The disk is full; make room, or use another disk",
    errno.EDQUOT: "Your share of the disk is used up; make room, or use another disk",
    errno.EFBIG: "A file so large is not allowed here; use another disk",
    errno.ENAMETOOLONG: "The name of the file is too long; use a shorter one",
}

PICKLES = (
    b"\x80\x04\x95",
    b"\x80\x05\x95",
    b"PK\x03\x04",
    b"\x78\x01",
    b"\x78\x5e",
    b"\x78\x9c",
    b"\x78\xda",
    b"\x1f\x8b",
    b"BZh",
)
"""First bytes of pickles of protocols 4 and 5, and of what joblib and torch compress
them with: zip, zlib, gzip, bzip2."""


ARPA_START = b"\\data\\"
"""First bytes of most ARPA files."""


class ModelFileError(ValueError):
    """Raised by `load` if a file is not a model that it can read.

    The file is foreign, damaged or malicious, or has another version of the format.

    Parameters
    ----------
    message : str
        What is wrong with the file, and what to do.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn_makemore import ModelFileError, load
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     try:
    ...         load(file.name)
    ...     except ModelFileError:
    ...         print("empty")
    empty
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)


def write_safe_file(
    path: str | os.PathLike[str], document: dict[str, Any], arrays: Arrays
) -> None:
    """Write a document and arrays, and replace an older file of this name atomically.

    JSON must be able to hold the document; infinite numbers and nan are kept.
    """
    data = _to_bytes(document, arrays)
    with replacing(path) as file:
        file.write(data)


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a new file that replaces the one of this name atomically at the end.

    The bytes go to a temporary file in the same folder, which is renamed at the end. A
    process that is killed may leave it behind, as ``.sklearn_makemore-*.tmp``. If the
    block raises an error, the older file remains.
    """
    path = os.path.realpath(os.path.expanduser(path))  # a link stays a link
    with _advice(path, ". Not written"):
        _check_replaceable(path)
        temporary = os.path.join(
            os.path.dirname(path), f".sklearn_makemore-{secrets.token_hex(8)}.tmp"
        )
        try:
            with _new_file(temporary) as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            if os.path.exists(path):
                with suppress(OSError):  # some file systems have no permissions
                    shutil.copymode(path, temporary)
            os.replace(temporary, path)
        except BaseException:
            if os.path.exists(temporary):
                os.remove(temporary)
            raise


def _new_file(path: str) -> BinaryIO:
    """Open a new file for writing."""
    # 0o666: the user's umask decides who may read it, as for any new file.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    return open(os.open(path, flags, 0o666), "wb")


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raise the error of `write_safe_file` if it could not write to this path."""
    path = os.path.realpath(os.path.expanduser(path))
    with _advice(path):
        _check_replaceable(path)
        with suppress(FileNotFoundError):
            os.stat(path)  # fails if the name is too long
        with tempfile.NamedTemporaryFile(dir=os.path.dirname(path)):
            pass


@contextmanager
def _advice(path: str, ending: str = "") -> Iterator[None]:
    """Add advice to an OSError that the block raises."""
    try:
        yield
    except OSError as error:
        advice = ADVICE.get(error.errno or 0, error.strerror)
        raise OSError(error.errno, f"{advice}{ending}", path) from error


def _check_replaceable(path: str) -> None:
    """Raise an OSError if a folder or device has this name: it would be replaced."""
    if os.path.isdir(path):
        raise OSError(errno.EISDIR, "")
    if os.path.exists(path) and not os.path.isfile(path):
        raise OSError(
            errno.EINVAL, "This is not an ordinary file; use another name", path
        )


def read_safe_file(path: str | os.PathLike[str]) -> tuple[dict[str, Any], Arrays]:
    """Return the document and the arrays of a file that `write_safe_file` wrote.

    Raises an OSError if the file cannot be read, and otherwise a `ModelFileError`.
    """
    path = os.path.expanduser(os.fspath(path))
    if not stat.S_ISREG(os.stat(path).st_mode):
        if os.path.isdir(path):
            raise IsADirectoryError(errno.EISDIR, "This is a folder, not a file", path)
        raise ModelFileError(f"{path!r} is not an ordinary file.")
    with open(path, "rb"):
        pass  # the system's own error if it may not be read
    try:
        with safe_open(path, framework="np") as file:
            text = (file.metadata() or {}).get(METADATA_KEY)
            arrays = {name: file.get_tensor(name) for name in file.keys()}
    except OSError:
        raise
    except Exception as error:
        raise ModelFileError(
            f"{path!r} {_described(path)} (safetensors: {error})"
        ) from error
    if text is None:
        raise ModelFileError(
            f"{path!r} is a safetensors file of something else, not a model that "
            "sklearn_makemore.save wrote."
        )
    return _checked_document(text, arrays, path), arrays


def version_of(path: str | os.PathLike[str]) -> str:
    """Return the version of this package that wrote a readable file."""
    with safe_open(os.path.expanduser(path), framework="np") as file:
        return file.metadata()[METADATA_KEY].split(" ", 2)[1]


def content_digest(texts: list[Any], arrays: Arrays) -> str:
    """Return the SHA-256 of texts and of arrays with their names, types and shapes.

    It is the same on every machine.
    """
    digest = hashlib.sha256(json.dumps(texts).encode())
    for name, array in sorted(arrays.items()):
        array = _little_endian(array)
        digest.update(json.dumps([name, array.dtype.str, array.shape]).encode())
        digest.update(array.data)
    return digest.hexdigest()


def restored_random_state(
    state: dict[str, Any], like: np.random.RandomState | None = None
) -> np.random.RandomState:
    """Return a RandomState in a state that came from a file, once it is checked.

    state : dict, as `RandomState.get_state(legacy=False)` returns it
    like : RandomState of the same algorithm, not changed; None for MT19937
    """
    restored = np.random.RandomState(0) if like is None else copy.deepcopy(like)
    # numpy checks everything but these positions, and reads beyond its buffers.
    for part, name, last in ((state["state"], "pos", 624), (state, "buffer_pos", 4)):
        position = part.get(name, 0)
        if type(position) is not int or not 0 <= position <= last:
            raise ValueError(f"The state of a RandomState has {name}={position!r}.")
    restored.set_state(state)
    return restored


def _described(path: str) -> str:
    """Describe a file that is not a safetensors file."""
    with open(path, "rb") as file:
        start = file.read(max(map(len, [*PICKLES, ARPA_START])))
    if start.startswith(PICKLES):
        return (
            "is not a model file. It looks like a pickle. `joblib.load` or "
            "`pickle.load` may read it, but they run the code in it, so use them only "
            "if you trust the file"
        )
    if start.startswith(ARPA_START):
        return "is an ARPA file; `NGramCounter.from_arpa` reads it"
    return "is not a model file that sklearn_makemore.save wrote, or is damaged"


def _to_bytes(document: dict[str, Any], arrays: Arrays) -> bytes:
    """Return the content of a file."""
    arrays = {name: _little_endian(array) for name, array in arrays.items()}
    text = document_text(document)
    if not _is_bounded(text):
        raise ValueError(
            f"The content other than arrays is too large for a file: {len(text):,} "
            f"characters of JSON, and at most {MAX_DOCUMENT_SIZE:,} can be read. Save "
            "large models with joblib."
        )
    head = f"{FORMAT_VERSION} {package_version()}"
    text = f"{head} {content_digest([head, text], arrays)} {text}"
    return to_safetensors(arrays, metadata={METADATA_KEY: text})


def _checked_document(text: str, arrays: Arrays, path: str) -> dict[str, Any]:
    """Return the document if the content is exactly what was written."""
    version, written_by, digest, text = (*text.split(" ", 3), "", "", "")[:4]
    if version != FORMAT_VERSION:
        raise ModelFileError(
            f"{path!r} has version {version[:20]!r} of the format, written by "
            f"sklearn_makemore {written_by[:20]!r}. This version of the package, "
            f"{package_version()}, reads version {FORMAT_VERSION}."
        )
    if digest != content_digest([f"{version} {written_by}", text], arrays):
        raise ModelFileError(
            f"{path!r} is damaged: its content does not match its SHA-256. Restore "
            "it from a copy, or save the model again."
        )
    if not _is_bounded(text):
        raise ModelFileError(f"{path!r} has more JSON than any model has.")
    try:
        document = json.loads(text)
        # A document has only one valid text, so repeated keys are an error.
        is_plain = document_text(document) == text
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{path!r} holds no valid JSON: {error}") from error
    if not is_plain or not isinstance(document, dict):
        raise ModelFileError(f"{path!r} holds JSON that sklearn_makemore never writes.")
    return document


def document_text(document: Any) -> str:
    """Return a document as JSON text, in the one form that can be read.

    Halves of surrogate pairs, which UTF-8 cannot encode, are escaped.
    """
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return re.sub("[\ud800-\udfff]", lambda half: f"\\u{ord(half[0]):04x}", text)


def _is_bounded(text: str) -> bool:
    """Whether the objects of a JSON text take a small multiple of its memory."""
    n_containers = text.count("[") + text.count("{")
    n_allowed = MAX_SHORT_CONTAINERS + len(text) // MIN_CHARACTERS_PER_CONTAINER
    return n_containers <= n_allowed and len(text) <= MAX_DOCUMENT_SIZE


def _little_endian(array: np.ndarray) -> np.ndarray:
    """Return an array in C order, with bytes in the order of the format."""
    array = np.asarray(array, order="C")
    return array.astype(array.dtype.newbyteorder("<"), copy=False)
