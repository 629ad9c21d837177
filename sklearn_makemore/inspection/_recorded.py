"""Displays of what a `TrainingRecorder` recorded: histograms, and sizes of updates."""

from abc import abstractmethod
from dataclasses import KW_ONLY, dataclass, field
from math import isfinite, isnan
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np

from .._arguments import validate_options
from .._sklearn import StrOptions
from .._words.types import Floats
from ._base import DRAWING, BaseDisplay, check_network, draw_many, legend_above

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

    from ._recorder import TrainingRecorder

Histograms = dict[str, dict[str, Any]]
"""By name: `density` and `edges` of the bins, `std`, and others that a label needs."""


class BaseRecordedDisplay(BaseDisplay):
    """Lines that show the records of a network."""

    _shared: ClassVar[str] = """
    Parameters
    ----------
    estimator : estimator instance
        A network, fitted with ``callbacks=[TrainingRecorder()]``.

    step : {"first", "last"} or int, default="last"
        The first or the last recorded step, or one of the recorder's
        `histogram_steps`.

    Attributes
    ----------
    lines_ : list of matplotlib Line2D
        One line per layer or parameter.
    """

    lines_: "list[Line2D]"

    @classmethod
    def _recorder(cls, estimator: Any) -> "TrainingRecorder":
        check_network(estimator, cls.__name__)
        # A network has imported torch already.
        from ._recorder import TrainingRecorder

        return TrainingRecorder.from_estimator(estimator)


class BaseHistogramDisplay(BaseRecordedDisplay):
    """Histograms recorded at one step of training, drawn as one line each."""

    step: int

    @abstractmethod
    def _by_label(self) -> Histograms:
        """Return the histograms by the entry of the legend."""

    @abstractmethod
    def _name_axis(self, log_scale: bool) -> None:
        """Name the axis of the values, and maybe limit it."""

    @classmethod
    def _recorded_at(
        cls, estimator: Any, step: Literal["first", "last"] | int
    ) -> tuple[int, dict[str, Histograms]]:
        """Return the number of a recorded step, and its histograms by kind."""
        kept = cls._recorder(estimator).histograms_
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
        self,
        ax: "Axes | None" = None,
        *,
        log_scale: bool = False,
        line_kw: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the densities.

        Parameters
        ----------
        log_scale : bool, default=False
            Whether the axis of the density is logarithmic, for densities of very
            different heights.
        """
        ax = self._start(ax, figsize=(6.4, 4.2))
        lines = {
            label: ((found["edges"][:-1] + found["edges"][1:]) / 2, found["density"])
            for label, found in self._by_label().items()
        }
        self.lines_ = draw_many(ax, lines, line_kw)
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


@dataclass(eq=False, repr=False)
class ActivationDisplay(BaseHistogramDisplay):
    """Distribution of the outputs of each nonlinear layer at one step of training.

    The legend gives the share of saturated outputs: those so near a bound of tanh or
    sigmoid, or below zero for ReLU, that almost no gradient passes. Outputs close to
    the bounds, or all near zero, are signs of bad initial weights; see lecture 3 of
    makemore.

    Parameters
    ----------
    layers : dict of str to dict
        By name of the layer: `density` and `edges` of the bins, `std` and `saturated`.

    step : int
        The step, counted from 0.

    See Also
    --------
    GradientDisplay : The gradients of the same outputs.
    TrainingRecorder : Records what is shown.

    Examples
    --------
    >>> from sklearn_makemore import MLPCharLM
    >>> from sklearn_makemore.datasets import load_names
    >>> from sklearn_makemore.inspection import ActivationDisplay, TrainingRecorder
    >>> model = MLPCharLM(n_layers=2, callbacks=[TrainingRecorder()], random_state=0)
    >>> model = model.fit(load_names().data[:500])
    >>> ActivationDisplay.from_estimator(model, step="first")
    <...>
    """

    layers: Histograms
    _: KW_ONLY
    step: int

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

        Raises
        ------
        TypeError, NotFittedError
            If the estimator is not a fitted network.
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

    def _by_label(self) -> Histograms:
        return {_saturation(name, row): row for name, row in self.layers.items()}

    def _name_axis(self, log_scale: bool) -> None:
        self.ax_.set_xlabel(f"output at step {self.step}")


@dataclass(eq=False, repr=False)
class GradientDisplay(BaseHistogramDisplay):
    """Distribution of the gradients of the loss at one step of training.

    The gradients are with respect to the outputs of each nonlinear layer, or to each
    weight matrix. If they are much smaller in one layer than in the next, gradients
    vanish or explode in backpropagation. Lecture 3 of makemore shows how initial
    weights and batch normalisation keep them at a similar size.

    Parameters
    ----------
    gradients : dict of str to dict
        By name of the layer or parameter: `density` and `edges` of the bins, and `std`,
        the standard deviation.

    step : int
        The step, counted from 0.

    kind : {"outputs", "parameters"}, default="outputs"
        What the gradients are with respect to.

    See Also
    --------
    ActivationDisplay : The outputs themselves.
    TrainingRecorder : Records what is shown.
    UpdateRatioDisplay : The updates that the optimizer makes from the gradients.

    Examples
    --------
    >>> from sklearn_makemore import MLPCharLM
    >>> from sklearn_makemore.datasets import load_names
    >>> from sklearn_makemore.inspection import GradientDisplay, TrainingRecorder
    >>> model = MLPCharLM(n_layers=2, callbacks=[TrainingRecorder()], random_state=0)
    >>> model = model.fit(load_names().data[:500])
    >>> GradientDisplay.from_estimator(model, kind="parameters")
    <...>
    """

    gradients: Histograms
    _: KW_ONLY
    step: int
    kind: Literal["outputs", "parameters"] = "outputs"

    @classmethod
    @validate_options(DRAWING | {"kind": [StrOptions({"outputs", "parameters"})]})
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
        kind : {"outputs", "parameters"}, default="outputs"
            Gradients with respect to the outputs of each nonlinear layer, or to each
            parameter of two or more dimensions.

        Raises
        ------
        TypeError, NotFittedError
            If the estimator is not a fitted network.
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

    def _by_label(self) -> Histograms:
        return {
            f"{name}: std {histogram['std']:.1e}": histogram
            for name, histogram in self.gradients.items()
        }

    def _name_axis(self, log_scale: bool) -> None:
        # Beyond six standard deviations, a few outliers would determine the axis.
        reach = 6 * max(found["std"] for found in self.gradients.values())
        if isfinite(reach) and reach > 0:
            self.ax_.set_xlim(-reach, reach)
        self.ax_.ticklabel_format(axis="x", scilimits=(-2, 3))
        if not log_scale:
            self.ax_.ticklabel_format(axis="y", scilimits=(-2, 3))
        self.ax_.set_xlabel(f"gradient of {self.kind} at step {self.step}")


@dataclass(eq=False, repr=False)
class UpdateRatioDisplay(BaseRecordedDisplay):
    """Size of updates relative to the size of the weights, over the steps of training.

    One line per weight matrix: the decimal logarithm of the standard deviation of its
    change in a step over that of its values. Lecture 3 of makemore recommends about -3,
    the dashed line. Far below it training is slow; far above it the learning rate is
    too large. The change includes the optimizer's momentum, scaling and weight decay.

    Parameters
    ----------
    steps : ndarray of shape (n_records,)
        The steps, counted from 0.

    ratios : dict of str to ndarray of shape (n_records,)
        By name of the parameter: the standard deviation of its change over that of its
        values before.

    Attributes
    ----------
    good_line_ : matplotlib Line2D
        The dashed line.

    See Also
    --------
    GradientDisplay : The gradients at one step.
    TrainingRecorder : Records what is shown.

    Examples
    --------
    >>> from sklearn_makemore import MLPCharLM
    >>> from sklearn_makemore.datasets import load_names
    >>> from sklearn_makemore.inspection import TrainingRecorder, UpdateRatioDisplay
    >>> model = MLPCharLM(callbacks=[TrainingRecorder(every=2)], random_state=0)
    >>> model = model.fit(load_names().data[:500])
    >>> UpdateRatioDisplay.from_estimator(model)
    <...>
    """

    steps: np.ndarray
    ratios: dict[str, Floats]
    good_line_: "Line2D" = field(init=False)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        ax: "Axes | None" = None,
        line_kw: dict[str, Any] | None = None,
    ) -> "UpdateRatioDisplay":
        """Draw the updates that a recorder saw in the training of a network.

        Raises
        ------
        TypeError, NotFittedError
            If the estimator is not a fitted network.
        ValueError
            If it was fitted without a recorder.
        """
        records = cls._recorder(estimator).records_
        names = dict.fromkeys(
            name
            for record in records
            for name, row in record["parameters"].items()
            if len(row["shape"]) > 1
        )
        rows = [record["parameters"] for record in records]
        ratios = {  # NaN where a parameter was not updated
            name: np.array([r.get(name, {}).get("update_ratio", np.nan) for r in rows])
            for name in names
        }
        steps = np.array([record["step"] for record in records])
        return cls(steps, ratios).plot(ax, line_kw=line_kw)

    def plot(
        self, ax: "Axes | None" = None, *, line_kw: dict[str, Any] | None = None
    ) -> "UpdateRatioDisplay":
        """Draw the lines.

        Parameters
        ----------
        line_kw : dict, default=None
            Keywords of matplotlib's `plot` for the parameters.
        """
        ax = self._start(ax, figsize=(6.4, 4.2))
        lines = {
            name: (self.steps, log10_or_nan(ratios))
            for name, ratios in self.ratios.items()
        }
        self.lines_ = draw_many(ax, lines, line_kw)
        self.good_line_ = ax.axhline(
            -3, color="0.3", linestyle="--", linewidth=1, label="-3: good"
        )
        ax.set(xlabel="step", ylabel="log10(std of update / std of data)")
        legend_above(ax, fontsize="small")
        return self


def _saturation(name: str, layer: dict[str, Any]) -> str:
    """Return the entry of the legend for the outputs of a layer."""
    if isnan(layer["saturated"]):
        return f"{name}: std {layer['std']:.2g}"
    return f"{name}: {layer['saturated']:.1%} saturated"


def log10_or_nan(ratios: Floats) -> Floats:
    """Return decimal logarithms, NaN for zero and for what is not finite."""
    can_be_drawn = np.isfinite(ratios) & (ratios > 0)
    return np.log10(np.where(can_be_drawn, ratios, np.nan))
