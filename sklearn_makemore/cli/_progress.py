"""Progress of a training."""

import sys
from contextlib import contextmanager
from time import perf_counter
from typing import Any

from sklearn.callback import FitCallback

from ._streams import is_terminal

MAX_SCORING_SHARE = 0.05
"""Maximum share of the training time that is spent on the displayed scores. Not every
epoch is scored if epochs are short."""


class TrainingProgress(FitCallback):
    """Callback that knows how much of a network's training is done."""

    net: Any = None
    held_out: Any = None
    nll: float | None = None

    def __init__(self, model):
        self.n_epochs = getattr(model, "max_epochs", 0)

    def on_epoch_of_net(self, net):
        """Remember the net, which counts its steps."""
        self.net = net

    @property
    def epochs_done(self) -> float:
        """Number of epochs, with the done part of the present one."""
        return self.net.epochs_done_ if self.net else 0.0

    @property
    def epoch(self):
        """Return the number of the present epoch as a text, empty without epochs."""
        number = min(int(self.epochs_done) + 1, self.n_epochs)
        return f"epoch {number} of {self.n_epochs}" if self.n_epochs else ""


class ScoredProgress(TrainingProgress):
    """Progress with the NLL of `held_out`, None before the first score.

    `seconds` is the time spent on scoring, without scikit-learn's copies of the
    network.
    """

    seconds, _next = 0.0, 0.0

    # scikit-learn passes only the arguments that a callback names.
    def on_fit_task_end(self, estimator, context, *, fitted_estimator: Any = None):  # pyright: ignore[reportIncompatibleMethodOverride]
        """Score the held-out words after an epoch, if it is time to."""
        start = perf_counter()
        if context.task_name == "epoch" and self.held_out and start >= self._next:
            self.nll = self.held_out.nll(fitted_estimator)
            took = perf_counter() - start
            self.seconds += took
            self._next = start + took / MAX_SCORING_SHARE
        return False


@contextmanager
def progress_bar(progress: TrainingProgress | None, description: str):
    """Show a bar if there is progress, and a terminal on standard error to show it."""
    if not progress or not progress.n_epochs or not is_terminal(sys.stderr):
        yield
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    class Bar(Progress):
        """Bar that looks at the training whenever it is drawn."""

        def get_renderables(self):
            nll = progress.nll
            nll = "" if nll is None else f"validation NLL {nll:.4f}"
            for task in self.task_ids:
                done = progress.epochs_done
                self.update(task, completed=done, epoch=progress.epoch, nll=nll)
            return super().get_renderables()

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[epoch]}"),
        TextColumn("{task.fields[nll]}"),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Bar(*columns, console=Console(stderr=True)) as bar:
        bar.add_task(description, total=progress.n_epochs, epoch="", nll="")
        yield
