"""A row of the speed table, and functions that time it."""

import time
from dataclasses import dataclass, field
from statistics import median

import torch


@dataclass
class Figure:
    """One row of the table.

    `measured` and `baseline` hold one value per run, or one per seed. `ratio` is the
    median of the ratios of the runs. `is_met` is None for rows without a bound.
    """

    what: str
    unit: str
    measured: list[float]
    baseline_is: str = ""
    baseline: list[float] = field(default_factory=list)
    ratio: float | None = None
    bound: str = ""
    is_met: bool | None = None


def seconds(function):
    """Return the seconds that a call takes, and its result."""
    finish()
    start = time.perf_counter()
    result = function()
    finish()
    return time.perf_counter() - start, result


def finish():
    """Wait until a GPU, if there is one, has finished its work."""
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()


def in_turns(ours, *baselines, n_turns, n_calls=1, is_warm=False):
    """Time functions alternately, after one warm-up run of each.

    All of them then see the same state of the machine. Functions of a few milliseconds
    are called `n_calls` times per run, and the mean is used.

    Parameters
    ----------
    ours : callable
        What is called `n_calls` times a turn.

    *baselines : callable
        What is called once a turn.

    n_turns : int
        Number of turns.

    n_calls : int, default=1
        Calls of `ours` a turn.

    is_warm : bool, default=False
        Whether the turn to warm up is left out.

    Returns
    -------
    times : list of list of float
        Seconds of a call in each turn, of every function.
    """

    def our_turn():
        for _ in range(n_calls):
            ours()

    functions = [our_turn, *baselines]
    if not is_warm:
        for function in functions:
            function()
    turns = [[seconds(function)[0] for function in functions] for _ in range(n_turns)]
    our_times, *their_times = (list(column) for column in zip(*turns, strict=True))
    return [[took / n_calls for took in our_times], *their_times]


def median_ratio(numerators, denominators):
    """Return the median of the ratios of the runs."""
    pairs = zip(numerators, denominators, strict=True)
    return median(above / below for above, below in pairs)


def per_second(n_words, times):
    """Convert the seconds of every run into words per second."""
    return [n_words / took for took in times]


def times_faster(what, unit, ours, baseline_is, baseline, at_least=None, holds=True):
    """Return the row of a comparison where faster is better.

    Parameters
    ----------
    what, unit : str
        What is measured, and in what: a rate ends in "/s", all else is time.

    ours, baseline : list of float
        One value a turn.

    baseline_is : str
        What is measured beside it.

    at_least : float, default=None
        The promised ratio; None promises nothing.

    holds : bool, default=True
        What else must hold for the promise to be kept.
    """
    above, below = (ours, baseline) if unit.endswith("/s") else (baseline, ours)
    ratio = median_ratio(above, below)
    figure = Figure(what, unit, ours, baseline_is, baseline, ratio)
    if at_least is not None:
        figure.bound = f"at least {at_least:,g} times faster"
        figure.is_met = bool(ratio >= at_least and holds)
    return figure
