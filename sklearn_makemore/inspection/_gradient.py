"""GradientDisplay: the distribution of gradients."""

from math import isfinite

from .._sklearn import StrOptions, validate_params
from ._axes import axes_for
from ._densities import draw_densities, histograms_at
from ._models import check_network

SHOWN_STD = 6
"""Standard deviations of the widest distribution that are shown to either side."""


class GradientDisplay:
    """Distribution of the gradients of the loss at one step of training.

    Either of the outputs of each nonlinear layer or of each weight matrix. Gradients
    that are much smaller in one layer than in the next vanish or explode on their way
    back; lecture 3 of makemore shows how initial weights and batch normalisation keep
    them alike.

    It is recommended to use `from_estimator` to create a display. All parameters are
    stored as attributes.

    Parameters
    ----------
    gradients : dict of str to dict
        By name of the layer or parameter: `density` and `edges` of the bins, and `std`,
        the standard deviation.

    step : int
        The step, counted from 0.

    kind : {"outputs", "parameters"}, default="outputs"
        What the gradients are with respect to.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the densities.

    figure_ : matplotlib Figure
        Figure that contains the axes.

    lines_ : list of matplotlib Line2D
        One line a layer or parameter.

    See Also
    --------
    ActivationDisplay : The outputs themselves.
    TrainingRecorder : Records what is shown.
    UpdateRatioDisplay : What gradients and optimiser make of the weights.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn_makemore import MLPCharLM
    >>> from sklearn_makemore.datasets import load_names
    >>> from sklearn_makemore.inspection import GradientDisplay, TrainingRecorder
    >>> model = MLPCharLM(n_layers=2, callbacks=[TrainingRecorder()], random_state=0)
    >>> model = model.fit(load_names().data[:500])
    >>> GradientDisplay.from_estimator(model, kind="parameters")
    <...>
    >>> plt.show()
    """

    def __init__(self, gradients, *, step, kind="outputs"):
        self.gradients = gradients
        self.step = step
        self.kind = kind

    @classmethod
    @validate_params(
        {"kind": [StrOptions({"outputs", "parameters"})]},
        prefer_skip_nested_validation=True,
    )
    def from_estimator(
        cls,
        estimator,
        *,
        kind="outputs",
        step="last",
        log_scale=False,
        ax=None,
        line_kw=None,
    ):
        """Draw what a recorder saw in the training of a network.

        Parameters
        ----------
        estimator : estimator instance
            A network, fitted with ``callbacks=[TrainingRecorder()]``.

        kind : {"outputs", "parameters"}, default="outputs"
            Gradients with respect to the outputs of each nonlinear layer, or to each
            parameter of two or more dimensions.

        step : {"first", "last"} or int, default="last"
            The first or the last recorded step, or one of the recorder's
            `histogram_steps`.

        log_scale : bool, default=False
            Whether the axis of the density is logarithmic, for densities of very
            different heights.

        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        line_kw : dict, default=None
            Keywords of matplotlib's `plot`.

        Returns
        -------
        display : GradientDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the estimator is not a network.
        NotFittedError
            If it is not fitted.
        ValueError
            If it was fitted without a recorder, nothing is known of this step, or it
            has no nonlinear layers.
        """
        check_network(estimator, "GradientDisplay")
        # Whoever has a network has imported torch already.
        from ._recorder import TrainingRecorder

        recorder = TrainingRecorder.from_estimator(estimator)
        step, histograms = histograms_at(recorder, step)
        if kind == "outputs":
            found = histograms["gradients"]
        else:
            found = {
                name: {**row, "std": row["grad_std"]}
                for name, row in histograms["parameters"].items()
                if len(row["shape"]) > 1
            }
        if not found:
            raise ValueError(
                "The recorder heard of no layer; name the submodules to listen to in "
                "TrainingRecorder(layers=[...]), or use kind='parameters'."
            )
        return cls(found, step=step, kind=kind).plot(
            ax, log_scale=log_scale, line_kw=line_kw
        )

    def plot(self, ax=None, *, log_scale=False, line_kw=None):
        """Draw the densities.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        log_scale : bool, default=False
            Whether the axis of the density is logarithmic, for densities of very
            different heights.

        line_kw : dict, default=None
            Keywords of matplotlib's `plot`.

        Returns
        -------
        display : GradientDisplay
            The display itself.
        """
        ax = axes_for(ax, "GradientDisplay.plot", figsize=(6.4, 4.2))
        self.ax_, self.figure_ = ax, ax.figure
        labels = [
            f"{name}: std {found['std']:.1e}" for name, found in self.gradients.items()
        ]
        self.lines_ = draw_densities(ax, self.gradients, labels, log_scale, line_kw)
        # The few largest ones would leave the others no room.
        reach = SHOWN_STD * max(found["std"] for found in self.gradients.values())
        if isfinite(reach) and reach > 0:
            ax.set_xlim(-reach, reach)
        ax.ticklabel_format(axis="x", scilimits=(-2, 3))
        if not log_scale:
            ax.ticklabel_format(axis="y", scilimits=(-2, 3))
        ax.set_xlabel(f"gradient of {self.kind} at step {self.step}")
        return self
