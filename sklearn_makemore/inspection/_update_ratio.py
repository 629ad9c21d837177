"""UpdateRatioDisplay: how large updates are, relative to the weights."""

from typing import TYPE_CHECKING, Any

import numpy as np

from .._words.types import Floats
from ._axes import axes_for, legend_above, line_style, style
from ._models import check_network

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.lines import Line2D

GOOD_RATIO = 1e-3
"""Size of an update over the size of the weights that lecture 3 recommends."""


class UpdateRatioDisplay:
    """Size of updates relative to the size of the weights, over the steps of training.

    One line per weight matrix: the decimal logarithm of the standard deviation of its
    change in a step over that of its values. Lecture 3 of makemore recommends about -3,
    the dashed line. Far below it training is slow; far above it the learning rate is
    too large. The change includes the optimizer's momentum, scaling and weight decay.

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
        One line per parameter.

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

    ax_: "Axes"
    figure_: "Figure | SubFigure"
    lines_: "list[Line2D]"
    good_line_: "Line2D"

    def __init__(self, steps: np.ndarray, ratios: dict[str, Floats]):
        self.steps = steps
        self.ratios = ratios

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        ax: "Axes | None" = None,
        line_kw: dict[str, Any] | None = None,
    ) -> "UpdateRatioDisplay":
        """Draw the updates that a recorder saw in the training of a network.

        Parameters
        ----------
        estimator : estimator instance
            A network, fitted with ``callbacks=[TrainingRecorder()]``.

        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a figure.

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
        # A network has imported torch already.
        from ._recorder import TrainingRecorder

        records = TrainingRecorder.from_estimator(estimator).records_
        names = dict.fromkeys(
            name
            for record in records
            for name, row in record["parameters"].items()
            if len(row["shape"]) > 1
        )
        ratios = {name: _ratios_of(name, records) for name in names}
        steps = np.array([record["step"] for record in records])
        return cls(steps, ratios).plot(ax, line_kw=line_kw)

    def plot(
        self, ax: "Axes | None" = None, *, line_kw: dict[str, Any] | None = None
    ) -> "UpdateRatioDisplay":
        """Draw the lines.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a figure.

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


def _ratios_of(name: str, records: list[dict[str, Any]]) -> Floats:
    """Return the ratios of a parameter, (n_records,); NaN where it was not updated."""
    rows = (record["parameters"].get(name, {}) for record in records)
    return np.array([row.get("update_ratio", np.nan) for row in rows])


def log10_or_nan(ratios: Floats) -> Floats:
    """Return decimal logarithms, NaN for zero and for what is not finite."""
    can_be_drawn = np.isfinite(ratios) & (ratios > 0)
    return np.log10(np.where(can_be_drawn, ratios, np.nan))
