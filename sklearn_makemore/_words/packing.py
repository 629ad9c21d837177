"""Rows of symbol ids packed into integer keys, which are faster to sort than rows."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from .types import Ids, Mask

KEY_BITS = 63
"""Bits of an int64 that a key uses; the sign bit stays 0, so keys sort as the rows."""


def bits_per_id(n_symbols: int) -> int:
    """Return the number of bits that hold every id below `n_symbols`."""
    return max(1, int(n_symbols - 1).bit_length())


def n_keys(n_columns: int, n_symbols: int) -> int:
    """Return how many keys hold a row of `n_columns` ids."""
    return -(-n_columns // (KEY_BITS // bits_per_id(n_symbols)))


def key_dtype(n_columns: int, n_symbols: int) -> type[np.int32] | type[np.int64]:
    """Return the type of the keys: int32 if 31 bits hold a row; it sorts faster."""
    return np.int32 if n_columns * bits_per_id(n_symbols) < 32 else np.int64


def pack_ids(columns: Iterable[Ids], n_columns: int, n_symbols: int) -> list[Ids]:
    """Pack rows of ids into as few integer keys as hold them, in the same sort order.

    columns : n_columns arrays of shape (n_rows,), the most significant one first
    keys : list of (n_rows,) int32 or int64, the most significant one first
    """
    n_bits = bits_per_id(n_symbols)
    dtype = key_dtype(n_columns, n_symbols)
    keys: list[Ids] = []
    for index, column in enumerate(columns):
        if index % (KEY_BITS // n_bits) == 0:
            keys.append(column.astype(dtype))
        else:
            keys[-1] <<= n_bits
            np.bitwise_or(keys[-1], column, out=keys[-1], casting="same_kind")
    return keys


def unpack_ids(keys: Sequence[Ids] | Ids, n_columns: int, n_symbols: int) -> Ids:
    """Invert `pack_ids`.

    keys : n_keys arrays of shape (n_rows,)
    ids : (n_columns, n_rows), in the smallest unsigned type
    """
    n_bits = bits_per_id(n_symbols)
    per_key = KEY_BITS // n_bits
    ids = np.empty((n_columns, len(keys[0])), dtype=np.min_scalar_type(n_symbols - 1))
    for index in range(n_columns):
        which, position = divmod(index, per_key)
        last_position = min(per_key, n_columns - which * per_key) - 1
        shifted = keys[which] >> n_bits * (last_position - position)
        ids[index] = shifted & ((1 << n_bits) - 1)
    return ids


def differs_from_last(ordered: Ids) -> Mask:
    """Return whether each element differs from the one before it; the first does."""
    is_first = np.ones(len(ordered), dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=is_first[1:])
    return is_first


def sort_keys(keys: list[Ids]) -> tuple[NDArray[np.int64], Mask]:
    """Sort packed rows, and mark the first of each group of equal rows.

    by_row : (n_rows,) int64, indices of the rows in sorted order
    is_first : (n_rows,) bool, for the sorted rows
    """
    by_row = np.argsort(keys[0]) if len(keys) == 1 else np.lexsort(keys[::-1])
    is_first = np.zeros(len(by_row), dtype=bool)
    for key in keys:
        is_first |= differs_from_last(key[by_row])
    return by_row, is_first


def rank_keys(keys: list[Ids]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the distinct packed rows, and the index of each row among them.

    first : (n_distinct,) int64, index of one row of each kind, in sorted order
    ranks : (n_rows,) int64, position of each row's kind in `first`
    """
    by_row, is_first = sort_keys(keys)
    ranks = np.empty(len(by_row), dtype=np.int64)
    ranks[by_row] = np.cumsum(is_first) - 1
    return by_row[is_first], ranks
