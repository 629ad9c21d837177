"""Reading words from text, plain or compressed with gzip, in bounded memory."""

import codecs
import gzip
import re
import zlib
from contextlib import contextmanager

BYTE_CHUNK_SIZE = 1 << 18
"""Number of bytes read at a time: enough to make the cost of a call negligible, and
small compared with a chunk of words."""

MAX_LINE_LENGTH = 1 << 20
"""Maximum number of bytes of a line. A file with longer lines is not a list of words,
and the error must not need the whole line in memory."""

LINE_END = re.compile(rb"\r\n|\r|\n")


def text_blocks(source, name, is_gzip, start=0, stop=None):
    """Yield lists of the words of a text, from byte `start` to byte `stop`.

    Lines must begin at `start` and `stop`. `name` is the name of the file for errors.
    """
    n_lines = 0
    n_bytes = None if stop is None else stop - start
    with _opened(source, is_gzip) as file:
        if start:
            file.seek(start)
        for lines in _complete_lines(file, name, n_bytes):
            if not n_lines and not start:
                lines = lines.removeprefix(codecs.BOM_UTF8)
            if b"\r" in lines:
                lines = lines.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            words = _decoded(lines, name, n_lines, start).split("\n")
            n_lines += len(words) - 1
            yield [word for word in map(str.strip, words) if word]


def line_start(path, position):
    """Return the first byte of a text file, from `position` on, that begins a line."""
    if position == 0:
        return 0
    with open(path, "rb") as file:
        file.seek(position - 1)
        content = file.read(MAX_LINE_LENGTH + 1)
    end = LINE_END.search(content)
    # Without a line end, the file ends here or the line is too long.
    return position - 1 + (end.end() if end else len(content))


@contextmanager
def _opened(source, is_gzip):
    """Open a path for reading bytes; a file object stays open afterwards."""
    if hasattr(source, "read"):
        yield source
        return
    with (gzip.open if is_gzip else open)(source, "rb") as file:
        yield file


def _complete_lines(file, name, n_bytes):
    """Yield bytes that end at a line end, and finally the rest after the last one."""
    rest = b""
    while content := _read(file, name, n_bytes):
        if n_bytes is not None:
            n_bytes -= len(content)
        content = rest + content
        # A carriage return at the very end may be the first half of a line end.
        last = max(content.rfind(b"\n"), content.rfind(b"\r", 0, len(content) - 1))
        rest = content[last + 1 :]
        if len(rest) > MAX_LINE_LENGTH:
            raise ValueError(
                f"{name} has a line of more than {MAX_LINE_LENGTH:,} bytes; a file of "
                "words has one word per line."
            )
        if last >= 0:
            yield content[: last + 1]
    yield rest


def _read(file, name, n_bytes):
    """Read at most `n_bytes` bytes of a file; None is no limit."""
    size = BYTE_CHUNK_SIZE if n_bytes is None else min(BYTE_CHUNK_SIZE, n_bytes)
    try:
        content = file.read(size)
    except (EOFError, gzip.BadGzipFile, zlib.error) as exc:
        raise ValueError(f"{name} cannot be read as gzip: {exc}") from exc
    if isinstance(content, str):
        raise TypeError(
            f"{name} is open as text; open it with mode 'rb', or pass its `buffer`."
        )
    return content


def _decoded(lines, name, n_lines, start):
    """Decode lines, or raise an error that names the line that is not text."""
    position, found = lines.find(b"\0"), "a NUL"
    if position < 0:
        try:
            return lines.decode("utf-8")
        except UnicodeDecodeError as exc:
            position = exc.start
            found = f"the byte 0x{lines[exc.start]:02x}, not UTF-8,"
    line = n_lines + lines.count(b"\n", 0, position) + 1
    after = f" after byte {start:,}" if start else ""
    raise ValueError(
        f"{name} has {found} in line {line:,}{after}. A file of words must be UTF-8 "
        "text; a gzip file must have a name that ends in .gz, a Parquet file one that "
        "ends in .parquet."
    )
