"""Learning-rate schedules, as factors of the rate over the progress of training."""

import math
from functools import partial


def one_cycle(progress, warm_up, start, end):
    """Factor of the learning rate: a linear rise to 1, then half a cosine down.

    Parameters
    ----------
    progress : float
        Share of the steps done, from 0 to 1.

    warm_up : float
        Share of the steps that the rise takes.

    start, end : float
        Factors at the beginning and at the end.

    Returns
    -------
    factor : float
        Factor of the learning rate [1]_.

    References
    ----------
    .. [1] L. N. Smith, N. Topin, "Super-Convergence: Very Fast Training of Neural
       Networks Using Large Learning Rates", 2018. https://arxiv.org/abs/1708.07120
    """
    if progress < warm_up:
        return start + (1 - start) * progress / warm_up
    phase = (progress - warm_up) / (1 - warm_up)
    return end + (1 - end) * (1 + math.cos(math.pi * phase)) / 2


def step_decay(progress, at, factor):
    """Factor of the learning rate: 1, and `factor` from the progress `at` on."""
    return 1.0 if progress < at else factor


SCHEDULES = {
    "one-cycle": partial(one_cycle, warm_up=0.25, start=0.04, end=0.02),
    "step": partial(step_decay, at=0.75, factor=0.1),
    "constant": None,
}
