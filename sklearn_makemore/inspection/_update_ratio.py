"""UpdateRatioDisplay: how large the updates are beside what they update."""

import numpy as np

from ._axes import axes_for, legend_above, line_style, style
from ._models import check_network

GOOD_RATIO = 1e-3
"""The update that lecture 3 of makemore recommends, beside the size of the weights."""


class UpdateRatioDisplay:
    """Size of the updates beside the size of the weights, over the steps of training.

    One line a weight matrix: the decimal logarithm of the standard deviation of its
    change in a step over that of its values. Lecture 3 of makemore wants about -3, the
    dashed line: far below it training is slow, far above it learning rates are too
    large. All that the optimiser does is in the change: momentum, scaling and decay.

    It is recommended to use `from_estimator` to create a display. All parameters are
    stored as attributes.

    Parameters
    ----------
    steps : ndarray of shape (n_records,)
        The steps, counted from 0.

    ratios : dict of str to ndarray of shape (n_records,)
        By name of the parameter: the standard deviation of its change over that of its
        values before.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the lines.

    figure_ : matplotlib Figure
        Figure that contains the axes.

    lines_ : list of matplotlib Line2D
        One line a parameter.

    good_line_ : matplotlib Line2D
        The dashed line.

    See Also
    --------
    GradientDisplay : The gradients at one step.
    TrainingRecorder : Records what is shown.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn_makemore import MLPCharLM
    >>> from sklearn_makemore.datasets import load_names
    >>> from sklearn_makemore.inspection import TrainingRecorder, UpdateRatioDisplay
    >>> model = MLPCharLM(callbacks=[TrainingRecorder(every=2)], random_state=0)
    >>> model = model.fit(load_names().data[:500])
    >>> UpdateRatioDisplay.from_estimator(model)
    <...>
    >>> plt.show()
    """

    def __init__(self, steps, ratios):
        self.steps = steps
        self.ratios = ratios

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, line_kw=None):
        """Draw what a recorder saw in the training of a network.

        Parameters
        ----------
        estimator : estimator instance
            A network, fitted with ``callbacks=[TrainingRecorder()]``.

        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        line_kw : dict, default=None
            Keywords of matplotlib's `plot`.

        Returns
        -------
        display : UpdateRatioDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the estimator is not a network.
        NotFittedError
            If it is not fitted.
        ValueError
            If it was fitted without a recorder.
        """
        check_network(estimator, "UpdateRatioDisplay")
        # Whoever has a network has imported torch already.
        from ._recorder import TrainingRecorder

        records = TrainingRecorder.from_estimator(estimator).records_
        names = {
            name: None
            for record in records
            for name, row in record["parameters"].items()
            if len(row["shape"]) > 1
        }
        ratios = {
            name: np.array(
                [
                    record["parameters"].get(name, {}).get("update_ratio", np.nan)
                    for record in records
                ]
            )
            for name in names
        }
        steps = np.array([record["step"] for record in records])
        return cls(steps, ratios).plot(ax, line_kw=line_kw)

    def plot(self, ax=None, *, line_kw=None):
        """Draw the lines.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        line_kw : dict, default=None
            Keywords of matplotlib's `plot` for the parameters.

        Returns
        -------
        display : UpdateRatioDisplay
            The display itself.
        """
        ax = axes_for(ax, "UpdateRatioDisplay.plot", figsize=(6.4, 4.2))
        from matplotlib.lines import Line2D

        self.ax_, self.figure_, self.lines_ = ax, ax.figure, []
        for index, (name, ratios) in enumerate(self.ratios.items()):
            defaults = {"label": name, "lw": 1.3, "ls": line_style(index)}
            keywords = style(Line2D, defaults, line_kw)
            self.lines_ += ax.plot(self.steps, log10_or_nan(ratios), **keywords)
        good = np.log10(GOOD_RATIO)
        self.good_line_ = ax.axhline(
            good, color="0.3", linestyle="--", linewidth=1, label=f"{good:.0f}: good"
        )
        ax.set(xlabel="step", ylabel="log10(std of update / std of data)")
        legend_above(ax, fontsize="small")
        return self


def log10_or_nan(ratios):
    """Return decimal logarithms, NaN where there is none that can be drawn.

    Parameters
    ----------
    ratios : ndarray
        Numbers that are not negative.

    Returns
    -------
    logarithms : ndarray
        NaN for zero and for what is not finite.
    """
    can_be_drawn = np.isfinite(ratios) & (ratios > 0)
    return np.log10(np.where(can_be_drawn, ratios, np.nan))
