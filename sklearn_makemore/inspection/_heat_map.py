"""Heat maps with text in their cells."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ._base import BaseDisplay, style

if TYPE_CHECKING:
    from matplotlib.colorbar import Colorbar
    from matplotlib.colors import Colormap
    from matplotlib.image import AxesImage
    from matplotlib.text import Text

MIN_FONT_SIZE = 4.0
"""Text of fewer points cannot be read, so it is left out."""


class BaseHeatMapDisplay(BaseDisplay):
    """A heat map, a scale of its colours, and texts in its square cells."""

    _shared: ClassVar[str] = """
    Parameters
    ----------
    ax : matplotlib Axes, default=None
        Axes to draw on; None creates a figure large enough for the text.

    text_kw : dict, default=None
        Keywords of matplotlib's `text` for the cells.

    Attributes
    ----------
    im_ : matplotlib AxesImage
        The heat map.

    colorbar_ : matplotlib Colorbar or None
        The scale of the colours; None if it is not drawn.
    """

    im_: "AxesImage"
    colorbar_: "Colorbar | None"

    def _cell_side(self, n_rows: int, n_columns: int) -> float:
        """Return the side in points of the square cells that fit in the axes."""
        box = self.ax_.get_window_extent()
        dpi = self.ax_.figure.dpi
        return min(box.width / n_columns, box.height / n_rows) * 72 / dpi

    def _draw_image(
        self,
        table: np.ndarray,
        cmap: "str | Colormap",
        im_kw: dict[str, Any] | None,
        **limits: Any,
    ) -> None:
        from matplotlib.image import AxesImage

        # Full names, so that `im_kw` may have `interpolation` or `cmap` too.
        defaults = {"cmap": cmap, "interpolation": "nearest", **limits}
        self.im_ = self.ax_.imshow(table, **style(AxesImage, defaults, im_kw))

    def _write_cells(
        self,
        texts: Sequence[Sequence[str]],
        fontsize: float,
        text_kw: dict[str, Any] | None,
    ) -> "list[list[Text]]":
        """Write a text in each cell; rows of `texts` may end before the table."""
        from matplotlib.text import Text

        colors = _readable_colors(self.im_.to_rgba(np.ma.asarray(self.im_.get_array())))
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
                written[-1].append(self.ax_.text(column, row, text, **keywords))
        return written

    def _draw_colorbar(
        self, bounds: tuple[float, float, float, float], label: str
    ) -> None:
        """Draw the scale of the colours in a box; bounds are in units of the axes."""
        figure: Any = self.ax_.figure
        cax = self.ax_.inset_axes(bounds)
        self.colorbar_ = figure.colorbar(self.im_, cax=cax, label=label)


def with_values(
    marks: Sequence[Sequence[str]], values: Any, values_format: str
) -> list[list[str]]:
    """Return texts with a number below each; marks and values are rows."""
    return [
        [
            f"{mark}\n{value:{values_format}}"
            for mark, value in zip(marks_of_row, values_of_row, strict=True)
        ]
        for marks_of_row, values_of_row in zip(marks, values, strict=True)
    ]


def _readable_colors(background: np.ndarray) -> np.ndarray:
    """Return a text colour that can be read on each background, (n_rows, n_columns).

    background : (n_rows, n_columns, 4), red, green, blue and alpha from 0 to 1
    """
    # Rec. 709: how bright the colours of a screen look.
    luminance = background[..., :3] @ [0.2126, 0.7152, 0.0722]
    alpha = background[..., 3]
    luminance = alpha * luminance + 1 - alpha  # on white
    return np.where(luminance > 0.5, "0.15", "white")
