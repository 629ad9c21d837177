"""Lines with keywords of their artists, and legends that do not cover the data."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.legend import Legend
    from matplotlib.lines import Line2D


def style(
    artist: Any, defaults: dict[str, Any], asked: dict[str, Any] | None
) -> dict[str, Any]:
    """Return the keywords of a class of artists by full names: `asked` wins.

    Both dicts may use short names (``c`` for ``color``).
    """
    from matplotlib.cbook import normalize_kwargs

    asked = normalize_kwargs(asked or {}, artist)
    return {**normalize_kwargs(defaults, artist), **asked}


def draw_line(
    ax: "Axes",
    x: ArrayLike,
    y: ArrayLike,
    asked: dict[str, Any] | None,
    **defaults: Any,
) -> "Line2D":
    """Draw a line with the keywords that the user asked for, and defaults."""
    from matplotlib.lines import Line2D

    (line,) = ax.plot(x, y, **style(Line2D, defaults, asked))
    return line


def draw_many(
    ax: "Axes",
    lines: Mapping[str, tuple[ArrayLike, ArrayLike]],
    asked: dict[str, Any] | None,
) -> "list[Line2D]":
    """Draw lines, given by label, that differ in colour or in style."""
    drawn = []
    for index, (label, (x, y)) in enumerate(lines.items()):
        # Another style for each round through the ten colours of matplotlib's cycle.
        ls = ("-", "-.", ":")[index // 10 % 3]
        drawn.append(draw_line(ax, x, y, asked, label=label, lw=1.3, ls=ls))
    return drawn


def legend_above(ax: "Axes", **kwargs: Any) -> "Legend":
    """Draw a legend at the top of the axes, and extend the axes so that it fits."""
    n_columns = 1 if len(ax.get_legend_handles_labels()[0]) <= 8 else 2
    legend = ax.legend(loc="upper center", ncols=n_columns, **kwargs)
    canvas: Any = ax.figure.canvas
    # The renderer measures text without drawing it.
    height = legend.get_window_extent(canvas.get_renderer()).height
    share = min(0.7, height * 1.15 / ax.get_window_extent().height)
    # In the transformed units of the axis, so that a logarithmic axis works too.
    transform: Any = ax.yaxis.get_transform()
    bottom, top = transform.transform(ax.get_ylim())
    top = bottom + (top - bottom) / (1 - share)
    ax.set_ylim(*transform.inverted().transform([bottom, top]))
    return legend
