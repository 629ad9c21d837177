"""Heat maps with text in their cells."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ._axes import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colorbar import Colorbar
    from matplotlib.image import AxesImage
    from matplotlib.text import Text

MIN_FONT_SIZE = 4.0
"""Text of fewer points cannot be read, so it is left out."""


def cell_side(ax: "Axes", n_rows: int, n_columns: int) -> float:
    """Return the side in points of the square cells that fit in the axes."""
    box = ax.get_window_extent()
    return min(box.width / n_columns, box.height / n_rows) * 72 / ax.figure.dpi


def readable_colors(background: np.ndarray) -> np.ndarray:
    """Return a text colour that can be read on each background, (n_rows, n_columns).

    background : (n_rows, n_columns, 4), red, green, blue and alpha from 0 to 1
    """
    # Rec. 709: how bright the colours of a screen look.
    luminance = background[..., :3] @ [0.2126, 0.7152, 0.0722]
    alpha = background[..., 3]
    luminance = alpha * luminance + 1 - alpha  # on white
    return np.where(luminance > 0.5, "0.15", "white")


def write_cells(
    im: "AxesImage",
    texts: Sequence[Sequence[str]],
    fontsize: float,
    text_kw: dict[str, Any] | None,
) -> "list[list[Text]]":
    """Write a text in each cell; `texts` are rows, which may end before the table."""
    from matplotlib.text import Text

    colors = readable_colors(im.to_rgba(np.ma.asarray(im.get_array())))
    defaults = {
        "fontsize": fontsize,
        "ha": "center",
        "va": "center",
        "parse_math": False,  # a dollar sign is a character
        "in_layout": False,  # many to measure, and inside the axes
    }
    written = []
    for row, of_row in enumerate(texts):
        written.append([])
        for column, text in enumerate(of_row):
            color = {"color": colors[row, column]}
            keywords = style(Text, {**defaults, **color}, text_kw)
            written[-1].append(im.axes.text(column, row, text, **keywords))
    return written


def draw_colorbar(
    im: "AxesImage", bounds: tuple[float, float, float, float], label: str
) -> "Colorbar":
    """Draw the scale of the colours in a box; bounds are in units of the axes."""
    figure: Any = im.axes.figure
    return figure.colorbar(im, cax=im.axes.inset_axes(bounds), label=label)
