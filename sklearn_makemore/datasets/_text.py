"""Lines of text in any encoding, in bounded memory."""

import codecs
import io
import re
from contextlib import suppress

from ._compression import name_of, opened
from ._encodings import undecodable

BYTE_CHUNK_SIZE = 1 << 18
"""Number of bytes read at a time: enough to make the cost of a call negligible, and
small compared with a chunk of words."""

MAX_LINE_LENGTH = 1 << 20
"""Maximum number of characters of a line. A file with longer lines is not a list of
words, and the error must not need the whole line in memory."""

LINE_END = re.compile(rb"\r\n|\r|\n")

BYTE_ORDER_MARKS = re.compile("(?m)^\ufeff+")
"""Marks at line starts: files that begin with one have been joined."""


def line_blocks(source, encoding="utf-8", comment=None, start=0, stop=None):
    """Yield lists of the lines of a text, without line ends, comments as empty lines.

    Lines must begin at the bytes `start` and `stop`; None is the end of the file.
    """
    n_lines, rest = 0, ""
    decoder = codecs.getincrementaldecoder(encoding)()
    decoder = io.IncrementalNewlineDecoder(decoder, translate=True)
    with opened(source) as file:
        if start:
            file.seek(start)
        for content in _contents(file, None if stop is None else stop - start):
            try:
                text = rest + _decoded(decoder, content)
            except _NotText as exc:
                line = n_lines + (rest + exc.before).count("\n") + 1
                raise undecodable(name_of(source), exc, encoding, line, start) from exc
            if "\ufeff" in text:
                text = BYTE_ORDER_MARKS.sub("", text)
            *lines, rest = text.split("\n")
            if len(rest) > MAX_LINE_LENGTH:
                raise ValueError(
                    f"{name_of(source)} has a line of more than {MAX_LINE_LENGTH:,} "
                    "characters; a file of words has one word per line."
                )
            n_lines += len(lines)
            yield _without_comments(lines, comment)
    yield _without_comments([rest], comment)


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


def _contents(file, n_bytes):
    """Yield the bytes of a file in parts, at most `n_bytes`, and finally no bytes."""
    content = None
    while content != b"":
        size = BYTE_CHUNK_SIZE if n_bytes is None else min(BYTE_CHUNK_SIZE, n_bytes)
        content = file.read(size)
        if isinstance(content, str):
            raise TypeError(
                f"{name_of(file)} is open as text; open it with mode 'rb', or pass its "
                "`buffer`."
            )
        if n_bytes is not None:
            n_bytes -= len(content)
        yield content


class _NotText(ValueError):
    """Bytes are not text: the text before them, and the position in `content`."""

    def __init__(self, before, content, position):
        super().__init__(before, content, position)
        self.before, self.content, self.position = before, content, position


def _decoded(decoder, content):
    """Return the text of bytes; no bytes mean the end of the file."""
    try:
        text = decoder.decode(content, final=not content)
    except UnicodeError as exc:
        # The position counts from the bytes that the decoder has kept for this call.
        kept = len(getattr(exc, "object", content)) - len(content)
        position = max(getattr(exc, "start", 0) - kept, 0)
        before = ""
        with suppress(UnicodeError):  # some decoders do not continue after an error
            before = decoder.decode(content[:position])
        raise _NotText(before, content, position) from exc
    if "\0" in text:
        before = text[: text.index("\0")]
        raise _NotText(before, content, content.find(b"\0"))
    return text


def _without_comments(lines, comment):
    """Replace comments by empty lines, so that line numbers stay."""
    if comment is None:
        return lines
    return ["" if line.lstrip().startswith(comment) else line for line in lines]
