"""ActivationDisplay and GradientDisplay: distributions at one step of training."""

from math import isfinite, isnan
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np

from .._sklearn import StrOptions, validate_params
from ._axes import axes_for, legend_above, line_style, style
from ._models import check_network

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.lines import Line2D

MAX_SHOWN_STD = 6
"""Gradients beyond this number of standard deviations of the widest distribution are
cut off. Otherwise a few outliers would determine the axis."""

Histograms = dict[str, dict[str, Any]]
"""By name: `density` and `edges` of the bins, `std`, and others that a label needs."""

Self = TypeVar("Self", bound="BaseHistogramDisplay")


class BaseHistogramDisplay:
    """Histograms recorded at one step of training, drawn as one line each.

    A concrete display provides

    _histograms
        The `Histograms`.
    _label(name, histogram)
        The entry of the legend.
    _name_axis(log_scale)
        Names, and maybe limits, the axis of the values.
    """

    step: int
    ax_: "Axes"
    figure_: "Figure | SubFigure"
    lines_: "list[Line2D]"

    @property
    def _histograms(self) -> Histograms:
        raise NotImplementedError

    def _label(self, name: str, histogram: dict[str, Any]) -> str:
        raise NotImplementedError

    def _name_axis(self, log_scale: bool) -> None:
        raise NotImplementedError

    @classmethod
    def _recorded_at(
        cls, estimator: Any, step: Literal["first", "last"] | int
    ) -> tuple[int, dict[str, Histograms]]:
        """Return the number of a recorded step, and its histograms by kind."""
        check_network(estimator, cls.__name__)
        # A network has imported torch already.
        from ._recorder import TrainingRecorder

        kept = TrainingRecorder.from_estimator(estimator).histograms_
        ends = {"first": min(kept), "last": max(kept)}
        number = ends.get(step, step) if isinstance(step, str) else step
        if number not in kept:
            raise ValueError(
                f"There are no histograms of step {step!r}, only of {sorted(kept)}; "
                "pass one of these, 'first' or 'last', or fit with "
                "TrainingRecorder(histogram_steps=[...])."
            )
        return int(number), kept[number]

    def plot(
        self: Self,
        ax: "Axes | None" = None,
        *,
        log_scale: bool = False,
        line_kw: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the densities.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a figure.

        log_scale : bool, default=False
            Whether the axis of the density is logarithmic, for densities of very
            different heights.

        line_kw : dict, default=None
            Keywords of matplotlib's `plot`.

        Returns
        -------
        display : object
            The display itself.
        """
        ax = axes_for(ax, f"{type(self).__name__}.plot", figsize=(6.4, 4.2))
        self.ax_, self.figure_ = ax, ax.figure
        self._draw_lines(line_kw)
        if log_scale:
            ax.set_yscale("log", nonpositive="clip")
            heights = [np.asarray(line.get_ydata()) for line in self.lines_]
            ax.set_ylim(bottom=min(y[y > 0].min() for y in heights) / 2)
        else:
            ax.set_ylim(bottom=0)
        ax.set_ylabel("density")
        legend_above(ax, fontsize="small")
        self._name_axis(log_scale)
        return self

    def _draw_lines(self, line_kw: dict[str, Any] | None) -> None:
        """Draw each density through the middles of its bins."""
        from matplotlib.lines import Line2D

        self.lines_ = []
        for index, (name, histogram) in enumerate(self._histograms.items()):
            middles = (histogram["edges"][:-1] + histogram["edges"][1:]) / 2
            label = self._label(name, histogram)
            defaults = {"label": label, "lw": 1.3, "ls": line_style(index)}
            keywords = style(Line2D, defaults, line_kw)
            self.lines_ += self.ax_.plot(middles, histogram["density"], **keywords)


class ActivationDisplay(BaseHistogramDisplay):
    """Distribution of the outputs of each nonlinear layer at one step of training.

    The legend gives the share of saturated outputs: those so near a bound of tanh or
    sigmoid, or below zero for ReLU, that almost no gradient passes. Outputs close to
    the bounds, or all near zero, are signs of bad initial weights; see lecture 3 of
    makemore.

    It is recommended to use `from_estimator` to create a display. All parameters are
    stored as attributes.

    Parameters
    ----------
    layers : dict of str to dict
        By name of the layer: `density` and `edges` of the bins, `std` and `saturated`.

    step : int
        The step, counted from 0.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the densities.

    figure_ : matplotlib Figure
        Figure that contains the axes.

    lines_ : list of matplotlib Line2D
        One line per layer.

    See Also
    --------
    GradientDisplay : The gradients of the same outputs.
    TrainingRecorder : Records what is shown.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn_makemore import MLPCharLM
    >>> from sklearn_makemore.datasets import load_names
    >>> from sklearn_makemore.inspection import ActivationDisplay, TrainingRecorder
    >>> model = MLPCharLM(n_layers=2, callbacks=[TrainingRecorder()], random_state=0)
    >>> model = model.fit(load_names().data[:500])
    >>> ActivationDisplay.from_estimator(model, step="first")
    <...>
    >>> plt.show()
    """

    def __init__(self, layers: Histograms, *, step: int):
        self.layers = layers
        self.step = step

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        step: Literal["first", "last"] | int = "last",
        log_scale: bool = False,
        ax: "Axes | None" = None,
        line_kw: dict[str, Any] | None = None,
    ) -> "ActivationDisplay":
        """Draw the outputs that a recorder saw in the training of a network.

        Parameters
        ----------
        estimator : estimator instance
            A network, fitted with ``callbacks=[TrainingRecorder()]``.

        step : {"first", "last"} or int, default="last"
            The first or the last recorded step, or one of the recorder's
            `histogram_steps`.

        log_scale : bool, default=False
            Whether the axis of the density is logarithmic, for densities of very
            different heights.

        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a figure.

        line_kw : dict, default=None
            Keywords of matplotlib's `plot`.

        Returns
        -------
        display : ActivationDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the estimator is not a network.
        NotFittedError
            If it is not fitted.
        ValueError
            If it was fitted without a recorder, if the step was not recorded with
            histograms, or if the network has no nonlinear layers.
        """
        number, recorded = cls._recorded_at(estimator, step)
        if not recorded["outputs"]:
            raise ValueError(
                "The recorder saw no nonlinear layer; name the submodules to record in "
                "TrainingRecorder(layers=[...])."
            )
        display = cls(recorded["outputs"], step=number)
        return display.plot(ax, log_scale=log_scale, line_kw=line_kw)

    @property
    def _histograms(self) -> Histograms:
        return self.layers

    def _label(self, name: str, histogram: dict[str, Any]) -> str:
        if isnan(histogram["saturated"]):
            return f"{name}: std {histogram['std']:.2g}"
        return f"{name}: {histogram['saturated']:.1%} saturated"

    def _name_axis(self, log_scale: bool) -> None:
        self.ax_.set_xlabel(f"output at step {self.step}")


class GradientDisplay(BaseHistogramDisplay):
    """Distribution of the gradients of the loss at one step of training.

    The gradients are with respect to the outputs of each nonlinear layer, or to each
    weight matrix. If they are much smaller in one layer than in the next, gradients
    vanish or explode in backpropagation. Lecture 3 of makemore shows how initial
    weights and batch normalisation keep them at a similar size.

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
        One line per layer or parameter.

    See Also
    --------
    ActivationDisplay : The outputs themselves.
    TrainingRecorder : Records what is shown.
    UpdateRatioDisplay : The updates that the optimizer makes from the gradients.

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

    def __init__(
        self,
        gradients: Histograms,
        *,
        step: int,
        kind: Literal["outputs", "parameters"] = "outputs",
    ):
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
        estimator: Any,
        *,
        kind: Literal["outputs", "parameters"] = "outputs",
        step: Literal["first", "last"] | int = "last",
        log_scale: bool = False,
        ax: "Axes | None" = None,
        line_kw: dict[str, Any] | None = None,
    ) -> "GradientDisplay":
        """Draw the gradients that a recorder saw in the training of a network.

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
            Axes to draw on; None creates a figure.

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
            If it was fitted without a recorder, if the step was not recorded with
            histograms, or if the network has no nonlinear layers.
        """
        number, recorded = cls._recorded_at(estimator, step)
        gradients = recorded["gradients"]
        if kind == "parameters":
            gradients = {
                name: {**histogram, "std": histogram["grad_std"]}
                for name, histogram in recorded["parameters"].items()
                if len(histogram["shape"]) > 1
            }
        if not gradients:
            raise ValueError(
                "The recorder saw no nonlinear layer; name the submodules to record in "
                "TrainingRecorder(layers=[...]), or use kind='parameters'."
            )
        display = cls(gradients, step=number, kind=kind)
        return display.plot(ax, log_scale=log_scale, line_kw=line_kw)

    @property
    def _histograms(self) -> Histograms:
        return self.gradients

    def _label(self, name: str, histogram: dict[str, Any]) -> str:
        return f"{name}: std {histogram['std']:.1e}"

    def _name_axis(self, log_scale: bool) -> None:
        reach = MAX_SHOWN_STD * max(found["std"] for found in self.gradients.values())
        if isfinite(reach) and reach > 0:
            self.ax_.set_xlim(-reach, reach)
        self.ax_.ticklabel_format(axis="x", scilimits=(-2, 3))
        if not log_scale:
            self.ax_.ticklabel_format(axis="y", scilimits=(-2, 3))
        self.ax_.set_xlabel(f"gradient of {self.kind} at step {self.step}")
