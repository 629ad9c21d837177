"""ActivationDisplay: the distribution of each layer's outputs."""

from math import isnan

from ._axes import axes_for
from ._densities import draw_densities, histograms_at
from ._models import check_network


class ActivationDisplay:
    """Distribution of the outputs of each nonlinear layer at one step of training.

    The legend tells how many outputs are saturated: so near a bound of tanh or sigmoid,
    or below zero for ReLU, that next to no gradient comes through. Outputs that crowd
    at the bounds, or that are all near zero, are the signs of bad initial weights that
    lecture 3 of makemore teaches to read.

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
        One line a layer.

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

    def __init__(self, layers, *, step):
        self.layers = layers
        self.step = step

    @classmethod
    def from_estimator(
        cls, estimator, *, step="last", log_scale=False, ax=None, line_kw=None
    ):
        """Draw what a recorder saw in the training of a network.

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
            Axes to draw on; None makes a figure.

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
            If it was fitted without a recorder, nothing is known of this step, or it
            has no nonlinear layers.
        """
        check_network(estimator, "ActivationDisplay")
        # Whoever has a network has imported torch already.
        from ._recorder import TrainingRecorder

        recorder = TrainingRecorder.from_estimator(estimator)
        step, histograms = histograms_at(recorder, step)
        if not histograms["outputs"]:
            raise ValueError(
                "The recorder heard of no layer; name the submodules to listen to in "
                "TrainingRecorder(layers=[...])."
            )
        return cls(histograms["outputs"], step=step).plot(
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
        display : ActivationDisplay
            The display itself.
        """
        ax = axes_for(ax, "ActivationDisplay.plot", figsize=(6.4, 4.2))
        self.ax_, self.figure_ = ax, ax.figure
        labels = [_label(name, found) for name, found in self.layers.items()]
        self.lines_ = draw_densities(ax, self.layers, labels, log_scale, line_kw)
        ax.set_xlabel(f"output at step {self.step}")
        return self


def _label(name, found):
    if isnan(found["saturated"]):
        return f"{name}: std {found['std']:.2g}"
    return f"{name}: {found['saturated']:.1%} saturated"
