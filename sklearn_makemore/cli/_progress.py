"""Progress of a training."""

from collections.abc import Callable
from contextlib import contextmanager
from time import perf_counter
from typing import Any

from sklearn.callback import FitCallback

MAX_SCORING_SHARE = 0.05
"""Maximum share of the training time that is spent on the displayed scores. Not every
epoch is scored if epochs are short."""


class EpochCallback(FitCallback):
    """scikit-learn callback that counts the finished epochs."""

    n_done = 0

    # scikit-learn passes only the arguments that a callback names.
    def on_fit_task_end(self, estimator, context):  # pyright: ignore[reportIncompatibleMethodOverride]
        """Count an epoch."""
        self.n_done += context.task_name == "epoch"
        return False


class ScoredEpochCallback(FitCallback):
    """Callback that calls ``report(n_done, nll)`` with the NLL of held-out words.

    The NLL is None before the first score. `seconds` is the time spent on scoring,
    without scikit-learn's copies of the network.
    """

    def __init__(self, report: Callable):
        self.report = report
        self.held_out = None
        self.nll: float | None = None
        self.seconds, self._next = 0.0, 0.0

    def on_fit_task_end(self, estimator, context, *, fitted_estimator: Any = None):
        """Report the end of an epoch, with a new score if it is time for one."""
        if context.task_name == "epoch":
            start = perf_counter()
            if self.held_out is not None and start >= self._next:
                self.nll = self.held_out.nll(fitted_estimator)
                took = perf_counter() - start
                self.seconds += took
                self._next = start + took / MAX_SCORING_SHARE
            self.report(fitted_estimator.n_iter_, self.nll)
        return False


@contextmanager
def progress_bar(model):
    """Show a bar of a network's epochs on standard error; yield the callback for it."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("epoch {task.completed} of {task.total}"),
        TextColumn("{task.fields[nll]}"),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(type(model).__name__, total=model.max_epochs, nll="")

        def report(n_done, nll):
            shown = "" if nll is None else f"validation NLL {nll:.4f}"
            progress.update(task, completed=n_done, nll=shown)

        yield ScoredEpochCallback(report)
