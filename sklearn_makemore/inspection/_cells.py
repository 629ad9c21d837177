"""Cells of a heat map that can be read."""

import numpy as np


def ink(background):
    """Return the shade of a text that can be read on each background.

    Parameters
    ----------
    background : ndarray of shape (n_rows, n_columns, 4)
        Red, green, blue and alpha, from 0 to 1.

    Returns
    -------
    shades : ndarray of shape (n_rows, n_columns), dtype <U5
        "white" or a grey as matplotlib writes it.
    """
    # Rec. 709: how bright the colours of a screen look.
    luminance = background[..., :3] @ [0.2126, 0.7152, 0.0722]
    alpha = background[..., 3]
    luminance = alpha * luminance + 1 - alpha  # what lies below is white
    return np.where(luminance > 0.5, "0.15", "white")


def font_size(cell):
    """Return the size of a text of two lines of six characters in a cell.

    Parameters
    ----------
    cell : float
        Width and height of the cell in points.

    Returns
    -------
    size : float
        Points, at most 8.
    """
    return min(8.0, 0.28 * cell)


def shorter_side(ax):
    """Return the shorter side of axes in points.

    Parameters
    ----------
    ax : matplotlib Axes
        The axes.

    Returns
    -------
    side : float
        Points.
    """
    box = ax.get_window_extent()
    return min(box.width, box.height) * 72 / ax.figure.dpi


def figure_size(n_symbols, include_values):
    """Return the size of a figure in which the cells, or their names, can be read.

    Parameters
    ----------
    n_symbols : int
        Number of rows and of columns.

    include_values : bool
        Whether there is text in the cells; if not, there is a scale of the colours.

    Returns
    -------
    size : tuple of (float, float)
        Width and height in inches.
    """
    if include_values:
        side = max(3.0, 1.0 + 0.5 * n_symbols)
        return side, side
    side = min(12.0, max(4.0, 1.0 + 0.2 * n_symbols))
    return side + 1.0, side
