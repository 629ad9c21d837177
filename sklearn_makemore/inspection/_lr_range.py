"""LRRangeDisplay: the loss while the learning rate rises."""

from typing import TYPE_CHECKING, Any

from .. import model_selection
from .._sklearn import check_matplotlib_support
from .._words.types import Floats, Weights, Words
from ._axes import axes_for, legend_above, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.legend import Legend
    from matplotlib.lines import Line2D

ROOM_ABOVE = 0.15
"""Share of the fall of the loss that is shown above the first loss."""


class LRRangeDisplay:
    """Loss against a learning rate that rises while a network trains.

    As in lecture 2 of makemore, the loss is flat where the rate is too small, then
    falls, and rises steeply where the rate is too large. Each point is a batch, and the
    line is their moving average. Losses far above the first one are cut off.

    It is recommended to use `from_estimator` to create a display. All parameters are
    stored as attributes.

    Parameters
    ----------
    lr : ndarray of shape (n_steps,)
        Learning rate of each step.

    loss : ndarray of shape (n_steps,)
        Loss of the batch of each step in nats per character.

    smoothed_loss : ndarray of shape (n_steps,)
        The loss, averaged over neighbouring steps.

    suggestion : float
        The suggested learning rate.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the curve.

    figure_ : matplotlib Figure
        Figure that contains the axes.

    points_ : matplotlib Line2D
        The losses of the batches.

    line_ : matplotlib Line2D
        The smoothed loss.

    suggestion_line_ : matplotlib Line2D
        The vertical line at the suggestion.

    legend_ : matplotlib Legend
        The legend, which gives the suggestion as a number.

    See Also
    --------
    sklearn_makemore.model_selection.lr_range_test : The same as numbers.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn_makemore import MLPCharLM
    >>> from sklearn_makemore.datasets import load_names
    >>> from sklearn_makemore.inspection import LRRangeDisplay
    >>> words = load_names().data[::10]
    >>> LRRangeDisplay.from_estimator(MLPCharLM(random_state=0), words, n_steps=200)
    <...>
    >>> plt.show()
    """

    ax_: "Axes"
    figure_: "Figure | SubFigure"
    points_: "Line2D"
    line_: "Line2D"
    suggestion_line_: "Line2D"
    legend_: "Legend"

    def __init__(
        self, lr: Floats, loss: Floats, smoothed_loss: Floats, suggestion: float
    ):
        self.lr = lr
        self.loss = loss
        self.smoothed_loss = smoothed_loss
        self.suggestion = suggestion

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

        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a figure.

        points_kw : dict, default=None
            Keywords of matplotlib's `plot` for the losses of the batches.

        line_kw : dict, default=None
            Keywords of matplotlib's `plot` for the smoothed loss.

        suggestion_kw : dict, default=None
            Keywords of matplotlib's `axvline` for the suggestion.

        Returns
        -------
        display : LRRangeDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If `estimator` is not a network.
        ValueError
            As `lr_range_test`.
        """
        check_matplotlib_support("LRRangeDisplay.from_estimator")  # before the work
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
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a figure.

        points_kw : dict, default=None
            Keywords of matplotlib's `plot` for the losses of the batches.

        line_kw : dict, default=None
            Keywords of matplotlib's `plot` for the smoothed loss.

        suggestion_kw : dict, default=None
            Keywords of matplotlib's `axvline` for the suggestion.

        Returns
        -------
        display : LRRangeDisplay
            The display itself.
        """
        ax = axes_for(ax, "LRRangeDisplay.plot", figsize=(6.4, 4.8))
        self.ax_, self.figure_ = ax, ax.figure
        from matplotlib.lines import Line2D

        points = {"ls": "", "marker": ".", "ms": 3, "color": "C0", "alpha": 0.3}
        points |= {"label": "batches", "markeredgewidth": 0}
        line = {"color": "C0", "label": "smoothed"}
        at = {"color": "C1", "ls": "--", "label": f"suggestion: {self.suggestion:.2g}"}
        (self.points_,) = ax.plot(
            self.lr, self.loss, **style(Line2D, points, points_kw)
        )
        (self.line_,) = ax.plot(
            self.lr, self.smoothed_loss, **style(Line2D, line, line_kw)
        )
        self.suggestion_line_ = ax.axvline(
            self.suggestion, **style(Line2D, at, suggestion_kw)
        )
        ax.set_xscale("log")
        ax.set(xlabel="Learning rate", ylabel="Loss (nats per character)")
        ax.set_ylim(*loss_limits(self.loss))
        self.legend_ = legend_above(ax, markerscale=3)
        return self


def loss_limits(loss: Floats) -> tuple[float, float]:
    """Return the limits of an axis: just below the least loss, and above the first.

    The last losses may be very large.
    """
    first, least = float(loss[0]), float(loss.min())
    room = ROOM_ABOVE * ((first - least) or 1.0)
    return least - room / 2, first + room
