"""LRRangeDisplay: the loss while the learning rate rises."""

from .. import model_selection
from .._sklearn import check_matplotlib_support
from ._axes import axes_for, legend_above, style

ROOM_ABOVE = 0.15
"""Share of the fall of the loss that is shown above the first loss."""


class LRRangeDisplay:
    """Loss against a learning rate that rises while a network trains.

    The picture of lecture 2 of makemore: flat where the rate is too small, falling, at
    its lowest where a larger rate begins to do harm, then rising steeply. Each point is
    a batch, the line their moving average; what lies far above the first loss is cut.

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

    def __init__(self, lr, loss, smoothed_loss, suggestion):
        self.lr = lr
        self.loss = loss
        self.smoothed_loss = smoothed_loss
        self.suggestion = suggestion

    @classmethod
    def from_estimator(
        cls,
        estimator,
        words,
        *,
        min_lr=1e-3,
        max_lr=1.0,
        n_steps=1000,
        sample_weight=None,
        ax=None,
        points_kw=None,
        line_kw=None,
        suggestion_kw=None,
    ):
        """Run the learning-rate range test of a network, and draw it.

        Parameters
        ----------
        estimator : estimator instance
            A network, such as `MLPCharLM`; it is not changed.

        words : array-like of str of shape (n_words,)
            Training words.

        min_lr, max_lr : float, default=1e-3, 1.0
            Where the learning rate begins and ends.

        n_steps : int, default=1000
            Number of steps of the optimizer from `min_lr` to `max_lr`.

        sample_weight : array-like of shape (n_words,), default=None
            Weight of each word, not negative.

        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

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

    def plot(self, ax=None, *, points_kw=None, line_kw=None, suggestion_kw=None):
        """Draw the losses, their average and the suggestion.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

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


def loss_limits(loss):
    """Compute the limits of an axis that shows the fall of the loss.

    Parameters
    ----------
    loss : ndarray of shape (n_steps,)
        Loss at each step; in the end it may be very large.

    Returns
    -------
    limits : tuple of (float, float)
        Just below the least loss, and somewhat above the first.
    """
    first, least = float(loss[0]), float(loss.min())
    room = ROOM_ABOVE * ((first - least) or 1.0)
    return least - room / 2, first + room
