"""Arrays and JSON in one file that runs no code and is replaced as a whole.

The file is a safetensors file. Its metadata hold one text,
``version written_by sha256 document``, separated by spaces: the version of this format,
that of the package which wrote it, a digest of all that the file says, and JSON. With
one text the same content gives the same bytes, and the digest is compared before any
JSON is read.
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
from contextlib import suppress

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save as to_safetensors

from ._word_estimator import package_version

FORMAT_VERSION = "1"
METADATA_KEY = "sklearn_makemore"

MAX_DOCUMENT_SIZE = 1 << 24
"""Most characters of a document: Python's objects take more memory than their text."""

CHARACTERS_PER_CONTAINER = 8
"""Least length of a document for each list and dict in it. An empty one takes two or
three characters of the text and 64 bytes of memory."""

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


# Protocols 4 and 5, and what joblib and torch pack them in: zip, zlib, gzip, bzip2.
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
"""What pickles begin with."""


class ModelFileError(ValueError):
    """The file is not a model, or is damaged, or was changed.

    `load` raises it for every file that does not hold a whole model which this version
    of the package can read.

    Parameters
    ----------
    message : str
        What is wrong with the file.

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

    def __init__(self, message):
        super().__init__(message)


def write_safe_file(path, document, arrays):
    """Write a document and arrays, in the place of a file of before.

    The bytes go to another file in the same folder, which takes the name at the end:
    whatever happens meanwhile, there is the old file or the new one, and it is whole. A
    process that is killed may leave the other, ``.sklearn_makemore-*.tmp``, behind.

    Parameters
    ----------
    path : str or path-like
        The file.

    document : dict
        What JSON can say: dicts with strings for keys, lists, strings, numbers,
        booleans and None. Infinite numbers and nan are kept.

    arrays : dict of str to ndarray
        Booleans and numbers.

    Raises
    ------
    OSError
        If the file cannot be written; its subclass, `errno` and text say why.
    TypeError
        If JSON cannot say what the document holds.
    ValueError
        If the document is too long.
    """
    # A link goes on to lead there.
    path = os.path.realpath(os.path.expanduser(path))
    data = _to_bytes(document, arrays)
    temporary = os.path.join(
        os.path.dirname(path), f".sklearn_makemore-{secrets.token_hex(8)}.tmp"
    )
    try:
        _check_replaceable(path)
        try:
            # 0o666: the user's umask says who may read it, as of any new file.
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
            with open(os.open(temporary, flags, 0o666), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if os.path.exists(path):
                with suppress(OSError):  # not all file systems have permissions
                    shutil.copymode(path, temporary)
            os.replace(temporary, path)
        except BaseException:
            if os.path.exists(temporary):
                os.remove(temporary)
            raise
    except OSError as error:
        raise _advised(error, path, ". Not written") from error


def check_writable(path):
    """Raise the error of `write_safe_file` if it could write no file of this name.

    Parameters
    ----------
    path : str or path-like
        The file, which is neither made nor changed.

    Raises
    ------
    OSError
        If the file cannot be written; its subclass, `errno` and text say why.
    """
    path = os.path.realpath(os.path.expanduser(path))
    try:
        _check_replaceable(path)
        with suppress(FileNotFoundError):
            os.stat(path)  # too long a name, which the file below has not
        with tempfile.NamedTemporaryFile(dir=os.path.dirname(path)):
            pass
    except OSError as error:
        raise _advised(error, path) from error


def read_safe_file(path):
    """Read what `write_safe_file` wrote.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    document : dict
        The document.

    arrays : dict of str to ndarray
        The arrays.

    Raises
    ------
    ModelFileError
        If the file is not of this format and version, or not as it was written.
    OSError
        If it cannot be read; `FileNotFoundError` if there is none.
    """
    path = os.path.expanduser(path)
    if not stat.S_ISREG(os.stat(path).st_mode):
        if os.path.isdir(path):
            raise IsADirectoryError(errno.EISDIR, "This is a folder, not a file", path)
        raise ModelFileError(f"{os.fspath(path)!r} is not an ordinary file.")
    with open(path, "rb"):
        pass  # as the system words it, if it may not be read
    try:
        with safe_open(path, framework="np") as file:
            text = (file.metadata() or {}).get(METADATA_KEY)
            arrays = {name: file.get_tensor(name) for name in file.keys()}
    except OSError:
        raise
    except Exception as error:
        raise ModelFileError(
            f"{os.fspath(path)!r} {_described(path)} (safetensors: {error})"
        ) from error
    if text is None:
        raise ModelFileError(
            f"{os.fspath(path)!r} is a safetensors file of something else, not a model "
            "that sklearn_makemore.save wrote."
        )
    return _checked_document(text, arrays, os.fspath(path)), arrays


def version_of(path):
    """Return the version of this package that wrote a file.

    Parameters
    ----------
    path : str or path-like
        A file that `read_safe_file` has read.

    Returns
    -------
    version : str
        The version.
    """
    with safe_open(os.path.expanduser(path), framework="np") as file:
        return file.metadata()[METADATA_KEY].split(" ", 2)[1]


def content_digest(texts, arrays):
    """Compute the SHA-256 of texts and arrays.

    Parameters
    ----------
    texts : list of str
        Texts.

    arrays : dict of str to ndarray
        Arrays; their names, types and shapes count too.

    Returns
    -------
    digest : str
        Hexadecimal digits, the same on every machine.
    """
    digest = hashlib.sha256(json.dumps(texts).encode())
    for name, array in sorted(arrays.items()):
        array = _little_endian(array)
        digest.update(json.dumps([name, array.dtype.str, array.shape]).encode())
        digest.update(array)
    return digest.hexdigest()


def restored_random_state(state, like=None):
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


def _described(path):
    """Say what a file is that is not a safetensors file."""
    with open(path, "rb") as file:
        start = file.read(max(map(len, PICKLES)))
    if start.startswith(PICKLES):
        return (
            "is not a model file. It looks like a pickle: `joblib.load` or "
            "`pickle.load` may read it, which run code that is in it, so do that only "
            "if you trust it"
        )
    return "is not a model file that sklearn_makemore.save wrote, or is damaged"


def _to_bytes(document, arrays):
    """Return the content of the file."""
    arrays = {name: _little_endian(array) for name, array in arrays.items()}
    text = document_text(document)
    if not _is_bounded(text):
        raise ValueError(
            f"What is to be written beside the arrays is too large: {len(text)} "
            f"characters of JSON, and at most {MAX_DOCUMENT_SIZE} can be read again. "
            "joblib keeps models of any size."
        )
    head = f"{FORMAT_VERSION} {package_version()}"
    text = f"{head} {content_digest([head, text], arrays)} {text}"
    return to_safetensors(arrays, metadata={METADATA_KEY: text})


def _checked_document(text, arrays, path):
    """Return the document if all is as it was written."""
    version, written_by, digest, text = (*text.split(" ", 3), "", "", "")[:4]
    if version != FORMAT_VERSION:
        raise ModelFileError(
            f"{path!r} has version {version[:20]!r} of the format, written by "
            f"sklearn_makemore {written_by[:20]!r}; this one, {package_version()}, "
            f"reads version {FORMAT_VERSION}."
        )
    if digest != content_digest([f"{version} {written_by}", text], arrays):
        raise ModelFileError(
            f"{path!r} is damaged: its content does not match its SHA-256. Restore "
            "it from a copy, or save the model again."
        )
    if not _is_bounded(text):
        raise ModelFileError(f"{path!r} has more JSON than any model.")
    try:
        document = json.loads(text)
        # Repeated keys, of which readers differ in what they take, do not come back.
        is_plain = document_text(document) == text
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{path!r} holds no valid JSON: {error}") from error
    if not is_plain or not isinstance(document, dict):
        raise ModelFileError(f"{path!r} holds JSON that sklearn_makemore never writes.")
    return document


def document_text(document):
    """Return a document as JSON, in the one way that is read again.

    Parameters
    ----------
    document : dict
        What JSON can say.

    Returns
    -------
    text : str
        JSON; what UTF-8 cannot say, halves of surrogate pairs, is escaped.
    """
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return re.sub("[\ud800-\udfff]", lambda half: f"\\u{ord(half[0]):04x}", text)


def _is_bounded(text):
    """Whether the objects of a JSON text take no more than some times its memory."""
    n_containers = text.count("[") + text.count("{")
    fits = n_containers <= 1000 + len(text) // CHARACTERS_PER_CONTAINER
    return fits and len(text) <= MAX_DOCUMENT_SIZE


def _little_endian(array):
    """Return an array in C order and with the bytes in the order of the format."""
    array = np.asarray(array, order="C")
    return array.astype(array.dtype.newbyteorder("<"), copy=False)


def _advised(error, path, ending=""):
    """Return an OSError that says what to do about a file which cannot be written."""
    advice = ADVICE.get(error.errno, error.strerror)
    return OSError(error.errno, f"{advice}{ending}", path)


def _check_replaceable(path):
    """Raise an OSError if something that is no file has this name.

    A device would be replaced as a file is, where the user may write anywhere.
    """
    if os.path.isdir(path):
        raise OSError(errno.EISDIR, "")
    if os.path.exists(path) and not os.path.isfile(path):
        raise OSError(
            errno.EINVAL, "This is not an ordinary file; use another name", path
        )
