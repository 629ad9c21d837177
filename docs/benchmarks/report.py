"""What the benchmarks have in common: the words, the machine, the table."""

import os
import platform
import random
from importlib.metadata import version
from pathlib import Path

import torch

NAMES = Path(__file__).parents[3] / "shared" / "data" / "names.txt"


def read_names():
    """Return the list of the lectures, from beside the project or where we are told."""
    path = Path(os.environ.get("SKLEARN_MAKEMORE_NAMES", NAMES))
    return path.read_text(encoding="utf-8").splitlines()


def lecture_split(names):
    """Return the lectures' training, validation and test words."""
    shuffled = names.copy()
    random.Random(42).shuffle(shuffled)
    first, second = int(0.8 * len(names)), int(0.9 * len(names))
    return shuffled[:first], shuffled[first:second], shuffled[second:]


def machine():
    """Return what the figures depend on."""
    packages = "numpy", "scikit-learn", "skorch", "torch"
    return {
        "cores": os.cpu_count(),
        "threads of torch": torch.get_num_threads(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{package: version(package) for package in packages},
    }


def markdown(heads, rows):
    """Return a table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
