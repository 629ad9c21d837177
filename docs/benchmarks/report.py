"""Shared by the benchmarks: the words, the description of the machine, the tables."""

import os
import platform
import random
from importlib.metadata import version
from pathlib import Path
from statistics import median

import torch

NAMES = Path(__file__).parents[3] / "shared" / "data" / "names.txt"

HEADS = ["what", "measured", "baseline", "ratio", "bound", "met"]

PLACES = {"nats": ".4f", "names/s": ",.0f", "us": ".0f", "modules": ".0f"}
"""Formats of numbers by unit; all others have three significant digits."""


def names_file():
    """Return the path of the lectures' list."""
    return Path(os.environ.get("SKLEARN_MAKEMORE_NAMES", NAMES))


def read_names():
    """Return the words of the lectures' list."""
    return names_file().read_text(encoding="utf-8").splitlines()


def lecture_split(names):
    """Return the lectures' training, validation and test words."""
    shuffled = names.copy()
    random.Random(42).shuffle(shuffled)
    first, second = int(0.8 * len(names)), int(0.9 * len(names))
    return shuffled[:first], shuffled[first:second], shuffled[second:]


def machine():
    """Return the facts about the machine that the figures depend on."""
    packages = "numpy", "scikit-learn", "skorch", "torch"
    return {
        "cores": os.cpu_count(),
        "threads of torch": torch.get_num_threads(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{package: version(package) for package in packages},
    }


def machine_line():
    """Return the facts about the machine as one line."""
    return ", ".join(f"{name}: {value}" for name, value in machine().items())


def markdown(heads, rows):
    """Return a Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def shown(values, unit):
    """Format the median of some values, and their range if there are several."""
    if not values:
        return ""
    number = f"{{:{PLACES.get(unit, '.3g')}}}".format
    text = f"{number(median(values))} {unit}"
    if len(values) == 1:
        return text
    return f"{text} ({number(min(values))} to {number(max(values))})"


def shown_ratio(ratio):
    """Format a ratio with at least three significant digits."""
    return f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.3g}"


def is_kept(is_met):
    """Return the table cell of a bound: met, not met, or no bound."""
    return {True: "yes", False: "**no**", None: ""}[is_met]


def figure_row(figure):
    """Return the cells of a `timing.Figure`, in the order of `HEADS`."""
    beside = [figure.baseline_is, shown(figure.baseline, figure.unit)]
    return [
        figure.what,
        shown(figure.measured, figure.unit),
        ": ".join(part for part in beside if part),
        "" if figure.ratio is None else shown_ratio(figure.ratio),
        figure.bound,
        is_kept(figure.is_met),
    ]
