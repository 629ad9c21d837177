"""Rows of text files: their lines with numbers, and the values of chosen columns."""

from itertools import chain, islice

from ._columns import values_in


class NumberedLines:
    """Iterator over the lines of blocks that knows the `number` of the last line."""

    def __init__(self, blocks):
        self._lines, self.number = chain.from_iterable(blocks), 0

    def __iter__(self):
        return self

    def __next__(self):
        line = next(self._lines)
        self.number += 1
        return line


def row_blocks(rows, columns, name, size, with_places):
    """Yield the values of `size` rows as one list per column.

    rows : pairs of the number of a line and the row in it
    """
    positions = [column.position for column in columns]
    while True:
        # Flat lists: the garbage collector would visit a list of rows again and again.
        numbers, cells = [], []
        for number, row in islice(rows, size):
            numbers.append(number)
            cells += [row[position] for position in positions]
        if not numbers:
            return
        values = [
            values_in(
                column,
                cells[index :: len(columns)],
                name,
                lambda row: f"line {numbers[row]:,}",  # noqa: B023, called at once
            )
            for index, column in enumerate(columns)
        ]
        yield (*values, numbers) if with_places else tuple(values)
