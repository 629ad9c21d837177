"""What is shown while a model learns."""

from contextlib import contextmanager
from time import perf_counter

from sklearn.callback import FitCallback

SHARE_OF_SCORING = 0.05
"""Share of the time of a training that may go into the scores that are shown: epochs
that are shorter than a score are not all scored."""


class EpochCallback(FitCallback):
    """Callback of scikit-learn that tells of each epoch.

    Parameters
    ----------
    report : callable
        Called with the number of epochs done.
    """

    def __init__(self, report):
        self.report = report
        self.n_done = 0

    def on_fit_task_end(self, estimator, context):
        """Report an epoch."""
        if context.task_name == "epoch":
            self.n_done += 1
            self.report(self.n_done)
        return False


class ScoredEpochCallback(EpochCallback):
    """The same with the NLL of words held out.

    Parameters
    ----------
    report : callable
        Called with the number of epochs done and the last NLL, None without any.

    Attributes
    ----------
    held_out : HeldOut or None
        The words; None at first.

    seconds : float
        Time that scoring took, which is none of the training. The copy of the network
        that scikit-learn makes for the callback after each epoch is not in it.
    """

    def __init__(self, report):
        super().__init__(report)
        self.held_out = self.nll = None
        self.seconds, self._next = 0.0, 0.0

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        """Report an epoch."""
        if context.task_name == "epoch":
            start = perf_counter()
            if self.held_out is not None and start >= self._next:
                self.nll = self.held_out.nll(fitted_estimator)
                took = perf_counter() - start
                self.seconds += took
                self._next = start + took / SHARE_OF_SCORING
            self.report(fitted_estimator.n_iter_, self.nll)
        return False


@contextmanager
def progress_bar(model):
    """Show a bar of epochs on standard error inside the block.

    Parameters
    ----------
    model : estimator
        The network whose epochs they are.

    Yields
    ------
    callback : ScoredEpochCallback
        Moves the bar.
    """
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
