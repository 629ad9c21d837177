"""How time and memory grow with the number of words, as pictures."""

VERBS = "fit", "score_samples", "sample"

TIME = "seconds"
MEMORY = "bytes per character beyond the words"
CHUNKS = "MB beyond the words in partial_fit"
SEARCH = "seconds of a search"

MOST_BYTES = 12
"""Bytes of memory per character, in addition to the words themselves."""


def name(curve):
    """Return the name of the class of a curve."""
    return curve.what.partition(".")[0].partition("(")[0]


def draw(ax, curves, label, linestyle="-"):
    """Draw a line for each curve, in colours of Okabe and Ito and with marks."""
    # Everyone can distinguish blue and orange, and a disc and a square.
    styles = ("#0072B2", "o"), ("#D55E00", "s")
    for curve, (color, marker) in zip(curves, styles, strict=True):
        style = {"color": color, "marker": marker, "markersize": 5, "ls": linestyle}
        ax.plot(curve.x, curve.y, label=label(curve), **style)
    ax.set(xlabel=curves[0].over, ylabel=curves[0].quantity)
    ax.grid(color="0.9")


def draw_times(ax, curves):
    """Draw seconds over words, both on logarithmic axes."""
    draw(ax, curves, lambda curve: f"{name(curve)}, slope {curve.slope:.2f}")
    ax.loglog()
    ax.legend(loc="upper left", fontsize="small", handlelength=1.2)


def leave_room(ax):
    """Put the top of a logarithmic axis above the legend."""
    bottom, top = ax.get_ylim()
    ax.set_ylim(bottom, top * (top / bottom) ** 0.25)


def panels(n_panels, height, **kwargs):
    """Return a figure and its panels: 800 px wide on a page, twice that in the file."""
    import matplotlib.pyplot as plt

    size = {"figsize": (8, height), "dpi": 200, "layout": "constrained"}
    return plt.subplots(1, n_panels, **size, **kwargs)


def picture_of_counters_time(curves):
    figure, axes = panels(3, height=3.4, sharey=True)
    curves = [curve for curve in curves if curve.quantity == TIME]
    for ax, verb in zip(axes, VERBS, strict=True):
        draw_times(ax, [curve for curve in curves if curve.what.endswith(verb)])
        ax.set_title(verb)
        ax.label_outer()
    leave_room(ax)
    return figure


def picture_of_counters_memory(curves):
    figure, (by_words, by_chunks) = panels(2, height=3.8)
    for verb, linestyle in ("fit", "-"), ("score_samples", "--"):
        shown = [c for c in curves if c.quantity == MEMORY and c.what.endswith(verb)]
        draw(by_words, shown, lambda curve: curve.what, linestyle)
    style = {"color": "0.3", "ls": ":", "label": f"promised: {MOST_BYTES}"}
    by_words.axhline(MOST_BYTES, **style)
    by_words.loglog()
    bytes_ = 5, 10, 20, 50, 100, 200
    by_words.set_yticks(bytes_, map(str, bytes_))
    by_words.set_yticks([], minor=True)
    leave_room(by_words)
    by_words.legend(fontsize="small", loc="upper right")
    draw(by_chunks, [curve for curve in curves if curve.quantity == CHUNKS], name)
    by_chunks.set(xscale="log", ylim=(0, None))
    by_chunks.legend(fontsize="small", loc="center right")
    return figure


def picture_of_nets(curves):
    figure, (by_words, by_jobs) = panels(2, height=3.8)
    draw_times(by_words, [curve for curve in curves if curve.quantity == TIME])
    leave_room(by_words)
    by_words.set_title("fit with one epoch", fontsize="small")
    [search] = (curve for curve in curves if curve.quantity == SEARCH)
    bars = by_jobs.bar(list(map(str, search.x)), search.y, width=0.5, color="#0072B2")
    by_jobs.bar_label(bars, fmt="{:.1f} s", padding=2)
    by_jobs.margins(y=0.1)
    by_jobs.set(xlabel="n_jobs", ylabel=search.quantity)
    by_jobs.set_title(search.what, fontsize="small")
    return figure


PICTURES_OF = {
    "counters": {
        "counters-time": picture_of_counters_time,
        "counters-memory": picture_of_counters_memory,
    },
    "nets": {"nets": picture_of_nets},
}


def draw_pictures(subject, curves, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for title, picture in PICTURES_OF[subject].items():
        picture(curves).savefig(folder / f"{title}.png")
