"""LossCurveDisplay: the loss over the epochs of training."""

import numpy as np

from ._axes import axes_for, style
from ._models import check_network

MAX_MARKED_EPOCHS = 40
"""Epochs up to which each one gets a marker."""


class LossCurveDisplay:
    """Training and validation loss of a network over its epochs.

    The training loss of an epoch is the mean over its batches, taken while the weights
    change; the validation loss is that of the weights at its end. It is recommended to
    use `from_estimator` to create a display. All parameters are stored as attributes.

    Parameters
    ----------
    train_loss : ndarray of shape (n_epochs,)
        Mean negative log-likelihood of each epoch, in nats per character.

    valid_loss : ndarray of shape (n_epochs,), default=None
        The same on the words held out; NaN for an epoch without.

    best_epoch : int, default=None
        The epoch to mark, the first is 1.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the curves.

    figure_ : matplotlib Figure
        Figure that contains the axes.

    lines_ : list of matplotlib Line2D
        The curve of the training loss and, if there is one, of the validation loss.

    best_line_ : matplotlib Line2D or None
        The mark of the best epoch.

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

    def __init__(self, train_loss, *, valid_loss=None, best_epoch=None):
        self.train_loss = train_loss
        self.valid_loss = valid_loss
        self.best_epoch = best_epoch

    @classmethod
    def from_estimator(cls, estimator, *, log_scale=False, ax=None, line_kw=None):
        """Draw the losses in the `history_` of a fitted network.

        With early stopping the epoch of the least validation loss is marked.

        Parameters
        ----------
        estimator : estimator instance
            A fitted network, such as `MLPCharLM`.

        log_scale : bool, default=False
            Whether the axis of the loss is logarithmic.

        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

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

    def plot(self, ax=None, *, log_scale=False, line_kw=None):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

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
        from matplotlib.lines import Line2D
        from matplotlib.ticker import LogFormatter, MaxNLocator

        self.ax_, self.figure_, self.lines_ = ax, ax.figure, []
        epochs = np.arange(1, len(self.train_loss) + 1)
        marker = {
            "marker": "o" if len(epochs) <= MAX_MARKED_EPOCHS else "",
            "markersize": 4,
        }
        for name, loss in (
            ("training", self.train_loss),
            ("validation", self.valid_loss),
        ):
            if loss is not None:
                keywords = style(Line2D, {"label": name, **marker}, line_kw)
                self.lines_ += ax.plot(epochs, loss, **keywords)
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
