"""Axes to draw on, keywords of artists, and legends that do not cover the data."""

from typing import TYPE_CHECKING, Any

from .._sklearn import check_matplotlib_support

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.legend import Legend

LINE_STYLES = "-", "-.", ":"
"""Styles of successive rounds through the ten colours of matplotlib's cycle."""

MAX_LEGEND_ROWS = 8
"""A legend with more entries has two columns."""


def line_style(index: int) -> str:
    """Return the style that distinguishes a line from others of its colour."""
    return LINE_STYLES[index // 10 % len(LINE_STYLES)]


def axes_for(
    ax: "Axes | None",
    caller: str,
    figsize: tuple[float, float],
    layout: Any = "constrained",
) -> "Axes":
    """Return the given axes, or those of a new figure of a size in inches.

    The error for a missing matplotlib names the `caller`.
    """
    check_matplotlib_support(caller)
    import matplotlib.pyplot as plt

    if ax is None:
        _, ax = plt.subplots(figsize=figsize, layout=layout)
    return ax


def style(
    artist: Any, defaults: dict[str, Any], asked: dict[str, Any] | None
) -> dict[str, Any]:
    """Return the keywords of a class of artists by full names: `asked` wins.

    Both dicts may use short names (``c`` for ``color``).
    """
    from matplotlib.cbook import normalize_kwargs

    asked = normalize_kwargs(asked or {}, artist)
    return {**normalize_kwargs(defaults, artist), **asked}


def legend_above(ax: "Axes", **kwargs: Any) -> "Legend":
    """Draw a legend at the top of the axes, and extend the axes so that it fits."""
    n_columns = 1 if len(ax.get_legend_handles_labels()[0]) <= MAX_LEGEND_ROWS else 2
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
