"""LossCurveDisplay and LRRangeDisplay: the loss over epochs or learning rates."""

from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import model_selection
from .._sklearn import import_extra
from .._words.types import Floats, Weights, Words
from ._base import BaseDisplay, check_network, draw_line, legend_above, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.legend import Legend
    from matplotlib.lines import Line2D


@dataclass(eq=False, repr=False)
class LossCurveDisplay(BaseDisplay):
    """Training and validation loss of a network over its epochs.

    The training loss of an epoch is the mean over its batches, while the weights
    change. The validation loss is that of the weights at the end of the epoch.

    Parameters
    ----------
    train_loss : ndarray of shape (n_epochs,)
        Mean negative log-likelihood of each epoch, in nats per character.

    valid_loss : ndarray of shape (n_epochs,), default=None
        The same on the held-out words; NaN for an epoch without validation.

    best_epoch : int, default=None
        The epoch to mark, counted from 1.

    Attributes
    ----------
    lines_ : list of matplotlib Line2D
        The curve of the training loss and, if there is one, of the validation loss.

    best_line_ : matplotlib Line2D or None
        The vertical line at the best epoch.

    Examples
    --------
    >>> from sklearn_makemore import MLPCharLM
    >>> from sklearn_makemore.datasets import load_names
    >>> from sklearn_makemore.inspection import LossCurveDisplay
    >>> model = MLPCharLM(max_epochs=3, validation_fraction=0.1, random_state=0)
    >>> LossCurveDisplay.from_estimator(model.fit(load_names().data[:500]))
    <...>
    """

    train_loss: Floats
    _: KW_ONLY
    valid_loss: Floats | None = None
    best_epoch: int | None = None
    lines_: "list[Line2D]" = field(init=False)
    best_line_: "Line2D | None" = field(init=False)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        log_scale: bool = False,
        ax: "Axes | None" = None,
        line_kw: dict[str, Any] | None = None,
    ) -> "LossCurveDisplay":
        """Draw the losses in the `history_` of a fitted network.

        With early stopping, the epoch with the least validation loss is marked.

        Parameters
        ----------
        estimator : estimator instance
            A fitted network, such as `MLPCharLM`.

        Raises
        ------
        TypeError, NotFittedError
            If the estimator is not a fitted network.
        """
        check_network(estimator, "LossCurveDisplay")
        train, valid = (
            np.array([row.get(f"{part}_loss", np.nan) for row in estimator.history_])
            for part in ("train", "valid")
        )
        valid = None if np.isnan(valid).all() else valid
        best = None
        if estimator.early_stopping and valid is not None:
            best = int(np.nanargmin(valid)) + 1
        display = cls(train, valid_loss=valid, best_epoch=best)
        return display.plot(ax, log_scale=log_scale, line_kw=line_kw)

    def plot(
        self,
        ax: "Axes | None" = None,
        *,
        log_scale: bool = False,
        line_kw: dict[str, Any] | None = None,
    ) -> "LossCurveDisplay":
        """Draw the curves.

        Parameters
        ----------
        log_scale : bool, default=False
            Whether the axis of the loss is logarithmic.

        line_kw : dict, default=None
            Keywords of matplotlib's `plot` for the curves.
        """
        ax = self._start(ax, figsize=(6.4, 4.2))
        from matplotlib.ticker import LogFormatter, MaxNLocator

        epochs = range(1, len(self.train_loss) + 1)
        marker = "o" if len(epochs) <= 40 else ""
        curves = {"training": self.train_loss, "validation": self.valid_loss}
        self.lines_ = [
            draw_line(ax, epochs, loss, line_kw, label=name, marker=marker, ms=4)
            for name, loss in curves.items()
            if loss is not None
        ]
        self.best_line_ = None
        if self.best_epoch is not None:
            label = f"least validation loss (epoch {self.best_epoch})"
            self.best_line_ = ax.axvline(
                self.best_epoch, color="0.5", linestyle="--", linewidth=1, label=label
            )
        if log_scale:
            ax.set_yscale("log")
            # Losses lie between powers of ten.
            ax.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(2, 0.5)))
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set(xlabel="epoch", ylabel="loss (nats per character)")
        ax.legend()
        return self


@dataclass(eq=False, repr=False)
class LRRangeDisplay(BaseDisplay):
    """Loss against a learning rate that rises while a network trains.

    As in lecture 2 of makemore, the loss is flat where the rate is too small, then
    falls, and rises steeply where the rate is too large. Each point is a batch, and the
    line is their moving average. Losses far above the first one are cut off.

    Parameters
    ----------
    lr : ndarray of shape (n_steps,)
        Learning rate of each step.

    loss, smoothed_loss : ndarray of shape (n_steps,)
        Loss of the batch of each step in nats per character, and its average over
        neighbouring steps.

    suggestion : float
        The suggested learning rate.

    Attributes
    ----------
    points_, line_, suggestion_line_ : matplotlib Line2D
        The losses of the batches, the smoothed loss, and the vertical line at the
        suggestion.

    legend_ : matplotlib Legend
        The legend, which gives the suggestion as a number.

    See Also
    --------
    sklearn_makemore.model_selection.lr_range_test : The same as numbers.

    Examples
    --------
    >>> from sklearn_makemore import MLPCharLM
    >>> from sklearn_makemore.datasets import load_names
    >>> from sklearn_makemore.inspection import LRRangeDisplay
    >>> words = load_names().data[::10]
    >>> LRRangeDisplay.from_estimator(MLPCharLM(random_state=0), words, n_steps=200)
    <...>
    """

    lr: Floats
    loss: Floats
    smoothed_loss: Floats
    suggestion: float
    points_: "Line2D" = field(init=False)
    line_: "Line2D" = field(init=False)
    suggestion_line_: "Line2D" = field(init=False)
    legend_: "Legend" = field(init=False)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        words: Words,
        *,
        min_lr: float = 1e-3,
        max_lr: float = 1.0,
        n_steps: int = 1000,
        sample_weight: Weights = None,
        ax: "Axes | None" = None,
        points_kw: dict[str, Any] | None = None,
        line_kw: dict[str, Any] | None = None,
        suggestion_kw: dict[str, Any] | None = None,
    ) -> "LRRangeDisplay":
        """Run the learning-rate range test of a network, and draw it.

        Parameters
        ----------
        estimator : estimator instance
            A network, such as `MLPCharLM`; it is not changed.

        words : array-like of str of shape (n_words,)
            Training words.

        min_lr, max_lr : float, default=1e-3, 1.0
            First and last learning rate.

        n_steps : int, default=1000
            Number of steps of the optimizer from `min_lr` to `max_lr`.

        sample_weight : array-like of shape (n_words,), default=None
            Non-negative weight of each word.

        Raises
        ------
        TypeError
            If `estimator` is not a network.
        ValueError
            As `lr_range_test`.
        """
        import_extra("matplotlib", "LRRangeDisplay.from_estimator")  # before the work
        result = model_selection.lr_range_test(
            estimator,
            words,
            min_lr=min_lr,
            max_lr=max_lr,
            n_steps=n_steps,
            sample_weight=sample_weight,
        )
        return cls(**result).plot(
            ax, points_kw=points_kw, line_kw=line_kw, suggestion_kw=suggestion_kw
        )

    def plot(
        self,
        ax: "Axes | None" = None,
        *,
        points_kw: dict[str, Any] | None = None,
        line_kw: dict[str, Any] | None = None,
        suggestion_kw: dict[str, Any] | None = None,
    ) -> "LRRangeDisplay":
        """Draw the losses, their average and the suggestion.

        Parameters
        ----------
        points_kw, line_kw, suggestion_kw : dict, default=None
            Keywords of matplotlib's `plot` for the losses of the batches and for the
            smoothed loss, and of `axvline` for the suggestion.
        """
        ax = self._start(ax, figsize=(6.4, 4.8))
        from matplotlib.lines import Line2D

        points = {"ls": "", "marker": ".", "ms": 3, "markeredgewidth": 0}
        points |= {"color": "C0", "alpha": 0.3, "label": "batches"}
        self.points_ = draw_line(ax, self.lr, self.loss, points_kw, **points)
        self.line_ = draw_line(
            ax, self.lr, self.smoothed_loss, line_kw, color="C0", label="smoothed"
        )
        at = {"color": "C1", "ls": "--", "label": f"suggestion: {self.suggestion:.2g}"}
        self.suggestion_line_ = ax.axvline(
            self.suggestion, **style(Line2D, at, suggestion_kw)
        )
        ax.set_xscale("log")
        ax.set(xlabel="Learning rate", ylabel="Loss (nats per character)")
        ax.set_ylim(*loss_limits(self.loss))
        self.legend_ = legend_above(ax, markerscale=3)
        return self


def loss_limits(loss: Floats) -> tuple[float, float]:
    """Return the limits of an axis: just below the least loss, and above the first."""
    first, least = float(loss[0]), float(loss.min())  # the last may be very large
    room = 0.15 * ((first - least) or 1.0)
    return least - room / 2, first + room
