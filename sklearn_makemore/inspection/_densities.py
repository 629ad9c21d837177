"""Densities of what was recorded at one step, one line each."""

from ._axes import legend_above, line_style, style


def histograms_at(recorder, step):
    """Return the histograms of a step.

    Parameters
    ----------
    recorder : TrainingRecorder
        The recorder of a fitted network.

    step : {"first", "last"} or int
        Which step.

    Returns
    -------
    step : int
        Its number.
    histograms : dict
        The histograms by kind and name.

    Raises
    ------
    ValueError
        If there are no histograms of this step.
    """
    kept = recorder.histograms_
    ends = {"first": min(kept), "last": max(kept)}
    number = ends.get(step, step) if isinstance(step, str) else step
    if number not in kept:
        raise ValueError(
            f"There are no histograms of step {step!r}, only of {sorted(kept)}; give "
            "one of these, 'first' or 'last', or fit with "
            "TrainingRecorder(histogram_steps=[...])."
        )
    return int(number), kept[number]


def draw_densities(ax, histograms, labels, log_scale, line_kw):
    """Draw one line a histogram, through the middles of its bins.

    Parameters
    ----------
    ax : matplotlib Axes
        Axes to draw on.

    histograms : dict of str to dict
        By name, with `density` and `edges`.

    labels : list of str
        What the legend says of each.

    log_scale : bool
        Whether the axis of the density is logarithmic.

    line_kw : dict or None
        Keywords of matplotlib's `plot`.

    Returns
    -------
    lines : list of matplotlib Line2D
        The lines.
    """
    from matplotlib.lines import Line2D

    lines = []
    for index, found in enumerate(histograms.values()):
        middles = (found["edges"][:-1] + found["edges"][1:]) / 2
        defaults = {"label": labels[index], "lw": 1.3, "ls": line_style(index)}
        keywords = style(Line2D, defaults, line_kw)
        lines += ax.plot(middles, found["density"], **keywords)
    if log_scale:
        ax.set_yscale("log", nonpositive="clip")
        lowest = min(line.get_ydata()[line.get_ydata() > 0].min() for line in lines)
        ax.set_ylim(bottom=lowest / 2)
    else:
        ax.set_ylim(bottom=0)
    ax.set_ylabel("density")
    legend_above(ax, fontsize="small")
    return lines
