"""Axes to draw on, and legends that leave the data in sight."""

from .._sklearn import check_matplotlib_support

LINE_STYLES = "-", "-.", ":"
"""In turn, when the ten colours of matplotlib's cycle are used up."""

MAX_LEGEND_ROWS = 8
"""Entries of a legend from which on it has two columns."""


def line_style(index):
    """Return the style that tells a line from others of its colour."""
    return LINE_STYLES[index // 10 % len(LINE_STYLES)]


def axes_for(ax, caller, figsize, layout="constrained"):
    """Return the axes given, or those of a new figure.

    Parameters
    ----------
    ax : matplotlib Axes or None
        Axes to draw on; None makes a figure.

    caller : str
        Who wants to draw, for the error where matplotlib is missing.

    figsize : tuple of (float, float)
        Width and height of a new figure in inches.

    layout : str, default="constrained"
        How matplotlib makes room for labels in a new figure.

    Returns
    -------
    ax : matplotlib Axes
        Axes to draw on.
    """
    check_matplotlib_support(caller)
    import matplotlib.pyplot as plt

    if ax is None:
        _, ax = plt.subplots(figsize=figsize, layout=layout)
    return ax


def style(artist, defaults, asked):
    """Return the keywords of an artist: the defaults, replaced by those asked for.

    Parameters
    ----------
    artist : matplotlib Artist class
        Whose names and short names the keywords are.

    defaults, asked : dict or None
        Keywords; both may use short names (``c`` for ``color``).

    Returns
    -------
    keywords : dict
        The keywords by their full names.
    """
    from matplotlib.cbook import normalize_kwargs

    return {**normalize_kwargs(defaults, artist), **normalize_kwargs(asked, artist)}


def legend_above(ax, **kwargs):
    """Draw a legend at the top of the axes, with room made for it over the data.

    Parameters
    ----------
    ax : matplotlib Axes
        Axes with labelled artists.

    **kwargs : dict
        As `Axes.legend` takes them.

    Returns
    -------
    legend : matplotlib Legend
        The legend.
    """
    n_columns = 1 if len(ax.get_legend_handles_labels()[0]) <= MAX_LEGEND_ROWS else 2
    legend = ax.legend(loc="upper center", ncols=n_columns, **kwargs)
    figure = ax.figure
    # The renderer measures text without drawing it.
    height = legend.get_window_extent(figure.canvas.get_renderer()).height
    share = min(0.7, height * 1.15 / ax.get_window_extent().height)
    # In the units in which the axis is even, so that a logarithmic one works too.
    transform = ax.yaxis.get_transform()
    bottom, top = transform.transform(ax.get_ylim())
    top = bottom + (top - bottom) / (1 - share)
    ax.set_ylim(*transform.inverted().transform([bottom, top]))
    return legend
