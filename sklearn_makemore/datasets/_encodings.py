"""Errors for files that are not text in the expected encoding."""

import codecs
import re

from ._compression import signature_of

WIDE_ENCODINGS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""Encodings by the byte-order mark at the start of a file. UTF-32 is first, because its
mark begins with that of UTF-16."""

ENCODINGS = (
    "utf-8", "cp1252", "cp1250", "cp1254", "cp1251", "latin-1", "shift_jis", "gb18030",
)  # fmt: skip
"""Encodings to suggest: Western and Central Europe, Turkish, Cyrillic, Japan, China."""

MAX_READINGS = 4
"""Maximum number of encodings to suggest."""

MAX_LINES = 3
"""Maximum number of lines to show in each encoding."""


def undecodable(name, failed, encoding, line, start):
    """Return the error for bytes of a line that are not text.

    `failed` has the `content` that was read last, and the `position` in it. `start` is
    the byte from which lines are counted.
    """
    content, position = failed.content, failed.position
    byte = content[position : position + 1]
    found = (
        "a NUL"
        if byte == b"\0"
        else f"the byte 0x{byte.hex()}, not {encoding.upper()},"
    )
    after = f" after byte {start:,}" if start else ""
    return ValueError(
        f"{name} has {found} in line {line:,}{after}. {_remedy(content, position)}"
    )


def _remedy(content, position):
    """Return what the user can do about the byte at a position."""
    if signature := signature_of(content):
        return f"It {signature}."
    if wide := _wide_encoding(content):
        return f"Pass `encoding={wide!r}`."
    readings = _readings(_lines_from(content, position))
    if not readings:
        return (
            "A file of words must be text, not a model; pass its `encoding` if it is "
            "not UTF-8."
        )
    said = "; ".join(
        f"{text} with `encoding={encoding!r}`" for text, encoding in readings.items()
    )
    return f"From there on it has {said}. Pass the encoding in which this is right."


def _wide_encoding(content):
    """Return the encoding of text with two or four bytes per character, or None."""
    for mark, encoding in WIDE_ENCODINGS.items():
        if content.startswith(mark):
            return encoding
    # Most characters of words have one of two bytes zero.
    if content[1::2].count(0) > len(content) // 4:
        return "utf-16-le"
    if content[0::2].count(0) > len(content) // 4:
        return "utf-16-be"
    return None


def _lines_from(content, position):
    """Return the first lines with other bytes than ASCII from a position on."""
    before = re.split(rb"[\r\n]", content[max(position - 40, 0) : position])[-1]
    lines = re.split(rb"[\r\n]", before + content[position : position + 10_000])
    return [line[:40] for line in lines if not line.isascii()][:MAX_LINES]


def _readings(lines):
    """Return the encodings in which lines have letters, by what they read."""
    readings = {}
    for encoding in ENCODINGS:
        try:
            texts = [line.decode(encoding).strip() for line in lines]
        except UnicodeDecodeError:
            continue
        if all(mark.isascii() or mark.isalpha() for text in texts for mark in text):
            readings.setdefault(", ".join(map(repr, texts)), encoding)
        if encoding == "utf-8" or len(readings) == MAX_READINGS:
            break
    return readings
