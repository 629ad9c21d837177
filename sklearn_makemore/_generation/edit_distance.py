"""The Levenshtein distance of many pairs of words at once."""

import numpy as np
from numpy.typing import NDArray

from .._words.code_points import CodeUnits, slices
from .._words.types import Ids, Mask

CELLS_AT_ONCE = 1 << 21
"""Number of cells of the tables of all pairs that are computed together: 30 MiB."""


class WordPoints:
    """Words as code points one after the other.

    points : (n_points,)
    starts, lengths : (n_words,), first point of each word, number of its points
    """

    def __init__(self, points: CodeUnits, starts: Ids, lengths: Ids) -> None:
        self.points, self.starts, self.lengths = points, starts, lengths


def are_within(
    distance: int, ones: WordPoints, rows: Ids, others: WordPoints, columns: Ids
) -> Mask:
    """Return whether each pair of words is within a distance, (n_pairs,).

    distance : number of code points that are inserted, deleted or replaced
    rows, columns : (n_pairs,), words of `ones` and of `others`
    """
    within = np.zeros(len(rows), dtype=bool)
    n_at_once = max(1, CELLS_AT_ONCE // (2 * distance + 1))
    for part in slices(0, len(rows), n_at_once):
        within[part] = _are_within(distance, ones, rows[part], others, columns[part])
    return within


def _are_within(
    distance: int, ones: WordPoints, rows: Ids, others: WordPoints, columns: Ids
) -> Mask:
    """Fill the tables of distances between the beginnings of all pairs, row by row.

    Row `i` is of the beginning of `i` characters of the first word. Only columns from
    ``i - distance`` to ``i + distance`` are filled; the others exceed `distance`.
    """
    starts, lengths = ones.starts[rows], ones.lengths[rows]
    last_columns = others.lengths[columns] - lengths + distance
    around = np.arange(-distance, distance + 1)[:, np.newaxis]
    others_at = others.starts[columns] - 1 + around  # (n_columns, n_pairs)
    cells = np.where(around < 0, distance + 1, around) + np.zeros_like(lengths)
    cells = cells.astype(np.min_scalar_type(distance + 2))
    within = np.zeros(len(rows), dtype=bool)
    for row in range(int(lengths.max(initial=-1)) + 1):
        if row:
            # Points after the end of a word have no effect on the cells before them.
            one = np.take(ones.points, starts + row - 1, mode="clip")
            other = np.take(others.points, others_at + row, mode="clip")
            cells = _next_row(cells, row, one != other, distance)
        ended = np.flatnonzero(lengths == row)
        within[ended] = cells[last_columns[ended], ended] <= distance
    return within


def _next_row(
    cells: NDArray[np.unsignedinteger], row: int, differs: Mask, distance: int
) -> NDArray[np.unsignedinteger]:
    """Return a row of each table of distances from the row before.

    cells, differs : (n_columns, n_pairs), the row before, and whether the characters of
        the row and of the column differ
    """
    after = cells + differs
    np.minimum(after[:-1], cells[1:] + 1, out=after[:-1])
    if row <= distance:
        after[: distance - row] = distance + 1  # before the first column of the table
        after[distance - row] = row
    for column in range(1, len(after)):
        np.minimum(after[column], after[column - 1] + 1, out=after[column])
    return np.minimum(after, distance + 1, out=after)
