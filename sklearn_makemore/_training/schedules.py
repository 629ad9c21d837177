"""Learning-rate schedules: factors of the rate over the progress of training."""

import math
from collections.abc import Callable
from functools import partial


def one_cycle(progress: float, warm_up: float, start: float, end: float) -> float:
    """Return the factor of a linear rise from `start`, then half a cosine to `end`.

    `progress` is from 0 to 1, and the rise ends at `warm_up`. See L. N. Smith,
    N. Topin, "Super-Convergence", 2018, https://arxiv.org/abs/1708.07120.
    """
    if progress < warm_up:
        return start + (1 - start) * progress / warm_up
    phase = (progress - warm_up) / (1 - warm_up)
    return end + (1 - end) * (1 + math.cos(math.pi * phase)) / 2


def scaled(progress: float, schedule: Callable[[float], float], factor: float) -> float:
    """Return the factor of a schedule times another factor."""
    return factor * schedule(progress)


def step_decay(progress: float, at: float, factor: float) -> float:
    """Return 1 before the progress `at`, and `factor` from there on."""
    return 1.0 if progress < at else factor


WARM_START_RATE = 0.25
"""Factor of the one-cycle rate if `fit` continues from a fitted network. The full rate
would undo what the network has learned, above all on a short list."""

SCHEDULES: dict[str, Callable[[float], float] | None] = {
    "one-cycle": partial(one_cycle, warm_up=0.25, start=0.04, end=0.02),
    "step": partial(step_decay, at=0.75, factor=0.1),
    "constant": None,
}
