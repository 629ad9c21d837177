"""Whole numbers in few bytes, for files.

A number takes one byte per seven bits, the lowest ones first. The highest bit of a byte
is set if another one follows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BITS = 7
MAX_BYTES = 9
"""Largest number of bytes of a number: 63 bits."""


def encode_numbers(numbers: np.ndarray) -> NDArray[np.uint8]:
    """Return the bytes of whole numbers (n,) from 0 to 2**63 - 1."""
    numbers = numbers.astype(np.int64)
    n_bytes = np.ones(len(numbers), dtype=np.int64)
    for index in range(1, MAX_BYTES):
        n_bytes += numbers >= 1 << BITS * index
    first = np.cumsum(n_bytes) - n_bytes
    encoded = np.empty(n_bytes.sum(), dtype=np.uint8)
    for index in range(int(n_bytes.max(initial=0))):
        rows = np.flatnonzero(n_bytes > index)
        bits = numbers[rows] >> BITS * index & 127
        encoded[first[rows] + index] = bits | (n_bytes[rows] > index + 1) << BITS
    return encoded


def decode_numbers(encoded: np.ndarray) -> NDArray[np.int64]:
    """Return the numbers whose bytes `encode_numbers` returned.

    Each byte becomes at most one number, of eight bytes.
    """
    if encoded.dtype != np.uint8 or encoded.ndim != 1:
        raise ValueError(f"numbers have shape {encoded.shape}, type {encoded.dtype}.")
    ends = np.flatnonzero(encoded < 128)
    n_bytes = np.diff(ends, prepend=-1)
    if n_bytes.sum() != len(encoded) or n_bytes.max(initial=0) > MAX_BYTES:
        raise ValueError("a number is cut off, or too large.")
    numbers = np.zeros(len(ends), dtype=np.int64)
    for index in range(int(n_bytes.max(initial=0))):
        rows = np.flatnonzero(n_bytes > index)
        bits = encoded[ends[rows] - n_bytes[rows] + 1 + index].astype(np.int64) & 127
        numbers[rows] |= bits << BITS * index
    return numbers


def encode_rows(rows: list[np.ndarray]) -> NDArray[np.uint8]:
    """Return the bytes of rows of numbers, the first of which does not decrease.

    Of the first row, the differences are encoded, most of which take few bytes.
    """
    first, *others = rows
    steps = np.diff(first.astype(np.int64), prepend=0)
    return np.concatenate([encode_numbers(row) for row in (steps, *others)])


def decode_rows(encoded: np.ndarray, n_rows: int) -> NDArray[np.int64]:
    """Return the rows whose bytes `encode_rows` returned, (n_rows, n)."""
    numbers = decode_numbers(encoded)
    if len(numbers) % n_rows:
        raise ValueError(f"{len(numbers)} numbers are not {n_rows} rows.")
    rows = numbers.reshape(n_rows, -1)
    np.cumsum(rows[0], out=rows[0])
    if (rows < 0).any():
        raise ValueError("sums of numbers are too large.")
    return rows


def encode_counts(counts: np.ndarray) -> np.ndarray:
    """Return the bytes of counts if all are whole numbers, else the counts."""
    is_whole = counts.dtype.kind != "f" or np.all(counts == np.floor(counts))
    return encode_numbers(counts) if is_whole and counts.max() < 2**53 else counts


def decode_counts(encoded: np.ndarray) -> np.ndarray:
    """Return counts as uint64 or, if they are fractions, as they are."""
    if encoded.dtype != np.uint8:
        return encoded
    return decode_numbers(encoded).astype(np.uint64)
