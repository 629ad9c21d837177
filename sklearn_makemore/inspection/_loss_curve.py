"""LossCurveDisplay: the loss over the epochs of training."""

from typing import TYPE_CHECKING, Any

import numpy as np

from .._words.types import Floats
from ._axes import axes_for, style
from ._models import check_network

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.lines import Line2D

MAX_MARKED_EPOCHS = 40
"""With more epochs the curves have no markers."""


class LossCurveDisplay:
    """Training and validation loss of a network over its epochs.

    The training loss of an epoch is the mean over its batches, while the weights
    change. The validation loss is that of the weights at the end of the epoch.

    It is recommended to use `from_estimator` to create a display. All parameters are
    stored as attributes.

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
    ax_ : matplotlib Axes
        Axes with the curves.

    figure_ : matplotlib Figure
        Figure that contains the axes.

    lines_ : list of matplotlib Line2D
        The curve of the training loss and, if there is one, of the validation loss.

    best_line_ : matplotlib Line2D or None
        The vertical line at the best epoch.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn_makemore import MLPCharLM
    >>> from sklearn_makemore.datasets import load_names
    >>> from sklearn_makemore.inspection import LossCurveDisplay
    >>> model = MLPCharLM(max_epochs=3, validation_fraction=0.1, random_state=0)
    >>> LossCurveDisplay.from_estimator(model.fit(load_names().data[:500]))
    <...>
    >>> plt.show()
    """

    ax_: "Axes"
    figure_: "Figure | SubFigure"
    lines_: "list[Line2D]"
    best_line_: "Line2D | None"

    def __init__(
        self,
        train_loss: Floats,
        *,
        valid_loss: Floats | None = None,
        best_epoch: int | None = None,
    ):
        self.train_loss = train_loss
        self.valid_loss = valid_loss
        self.best_epoch = best_epoch

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

        log_scale : bool, default=False
            Whether the axis of the loss is logarithmic.

        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a figure.

        line_kw : dict, default=None
            Keywords of matplotlib's `plot` for the curves.

        Returns
        -------
        display : LossCurveDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the estimator is not a network.
        NotFittedError
            If it is not fitted.
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
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a figure.

        log_scale : bool, default=False
            Whether the axis of the loss is logarithmic.

        line_kw : dict, default=None
            Keywords of matplotlib's `plot` for the curves.

        Returns
        -------
        display : LossCurveDisplay
            The display itself.
        """
        ax = axes_for(ax, "LossCurveDisplay.plot", figsize=(6.4, 4.2))
        from matplotlib.ticker import LogFormatter, MaxNLocator

        self.ax_, self.figure_ = ax, ax.figure
        self._draw_curves(line_kw)
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

    def _draw_curves(self, line_kw: dict[str, Any] | None) -> None:
        from matplotlib.lines import Line2D

        n_epochs = len(self.train_loss)
        marker = "o" if n_epochs <= MAX_MARKED_EPOCHS else ""
        curves = {"training": self.train_loss, "validation": self.valid_loss}
        self.lines_ = []
        for name, loss in curves.items():
            if loss is not None:
                defaults = {"label": name, "marker": marker, "markersize": 4}
                keywords = style(Line2D, defaults, line_kw)
                self.lines_ += self.ax_.plot(range(1, n_epochs + 1), loss, **keywords)
