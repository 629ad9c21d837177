"""TrainingRecorder: activations, gradients and updates of a network in training."""

from collections.abc import Sequence
from functools import partial
from numbers import Integral
from typing import Any

from sklearn.utils import check_scalar
from torch import Tensor, nn

from .._training.net import Callback
from ._base import check_network
from ._summaries import (
    histogram,
    is_nonlinear,
    moments,
    output_moments,
    update_of,
    values_of,
)

Row = tuple[dict[str, Any], Tensor]
"""What a record has of some tensors, and their numbers, (n_values,)."""


class TrainingRecorder(Callback):
    """Record activations, gradients and updates while a network is trained.

    Pass it in the `callbacks` of a network. `ActivationDisplay`, `GradientDisplay` and
    `UpdateRatioDisplay` read it from the fitted model, and `from_estimator` returns it.
    Lecture 3 of makemore diagnoses a network with these numbers.

    A record has, for each parameter, the standard deviations of the weights before the
    step, of their gradient and of their change. For each nonlinear layer it has the
    moments of its outputs, and of the gradients of its outputs, in the batch. Rows that
    a network computes once for many windows count once. Histograms are kept for the
    first and the last recorded step, and for `histogram_steps`.

    A recorder does not change the result of the training, but makes it slower.

    Every call of `fit` and `partial_fit` starts new records, with its first step as
    step 0, even after a warm start.

    Parameters
    ----------
    every : int, default=10
        A step is recorded if its number is a multiple of this. The first is 0.

    histogram_steps : sequence of int, default=()
        Steps to record with histograms, in addition to those of `every`.

    layers : sequence of str, default=None
        Names of the submodules whose outputs are recorded, as in `named_modules`. A
        submodule that is not called in training has no outputs. None records all tanh,
        sigmoid, ReLU and GELU modules, and the states of recurrent layers.

    n_bins : int, default=100
        Number of bins of a histogram.

    max_records : int, default=1000
        Largest number of records to keep, not counting those of `histogram_steps`.
        When there are more, every other record is dropped and `every_` is doubled, so
        that long trainings need no more memory.

    Attributes
    ----------
    records_ : list of dict
        One dict per recorded step: its number `step`; the `loss` of its batch in nats
        per character; `parameters`, `outputs` and `gradients`, dicts by name.
        ``parameters[name]`` has the `shape`, the standard deviations `data_std`,
        `grad_std` and `update_std`, and `update_ratio`, which is ``update_std /
        data_std``; a parameter without a gradient is left out. ``outputs[layer]`` has
        the `mean`, the `std`, and the share `saturated` of outputs that exceed 0.97 of
        the bound of tanh or sigmoid, or are not above zero for ReLU; it is NaN for
        other layers. ``gradients[layer]`` has the `mean` and the `std` of the gradients
        of the loss with respect to these outputs.

    histograms_ : dict of int to dict
        By step. ``histograms_[step][kind][name]`` is the entry of the record with the
        `density` and the `edges` of the bins. The kinds are "outputs", "gradients", and
        "parameters", which has the density of the gradients of the parameters.

    every_ : int
        Number of steps between records at the end of the training.

    See Also
    --------
    ActivationDisplay : Distribution of each layer's outputs.
    GradientDisplay : Distribution of gradients.
    UpdateRatioDisplay : Size of the updates over the steps.

    Examples
    --------
    >>> from sklearn_makemore import MLPCharLM
    >>> from sklearn_makemore.datasets import load_names
    >>> from sklearn_makemore.inspection import TrainingRecorder
    >>> model = MLPCharLM(callbacks=[TrainingRecorder(every=5)], random_state=0)
    >>> model = model.fit(load_names().data[:500])
    >>> records = TrainingRecorder.from_estimator(model).records_
    >>> [record["step"] for record in records[:3]]
    [0, 5, 10]
    >>> list(records[0]["outputs"])
    ['hidden.0.activation']
    """

    records_: list[dict[str, Any]]
    histograms_: dict[int, dict[str, dict[str, dict[str, Any]]]]
    every_: int

    def __init__(
        self,
        every: int = 10,
        *,
        histogram_steps: Sequence[int] = (),
        layers: Sequence[str] | None = None,
        n_bins: int = 100,
        max_records: int = 1000,
    ):
        self.every = every
        self.histogram_steps = histogram_steps
        self.layers = layers
        self.n_bins = n_bins
        self.max_records = max_records

    @classmethod
    def from_estimator(cls, estimator: Any) -> "TrainingRecorder":
        """Return the recorder of a fitted network.

        A network trains with copies of its `callbacks`, so the recorder passed to it
        has no records. If there are several recorders, the first is returned.

        Parameters
        ----------
        estimator : estimator instance
            A fitted network.

        Returns
        -------
        recorder : TrainingRecorder
            The recorder, with its records.

        Raises
        ------
        TypeError
            If the estimator is not a network.
        NotFittedError
            If it is not fitted.
        ValueError
            If it was fitted without a recorder.
        """
        check_network(estimator, cls.__name__)
        for _, callback in estimator.net_.callbacks_:
            if isinstance(callback, cls):
                return callback
        raise ValueError(
            f"This {type(estimator).__name__} was fitted without a recorder; set "
            "callbacks=[TrainingRecorder()], of sklearn_makemore.inspection, and fit "
            "it again."
        )

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        """Check the parameters and start new records."""
        for name in "every", "n_bins", "max_records":
            check_scalar(getattr(self, name), name, Integral, min_val=1)
        if hasattr(net.module_, "_orig_mod"):
            raise ValueError(
                "TrainingRecorder cannot look into a compiled module; set "
                "compile=False, or leave the recorder out of `callbacks`."
            )
        for step in self.histogram_steps:
            check_scalar(step, "a step of histogram_steps", Integral, min_val=0)
        self.every_, self.step_ = self.every, 0
        self.records_, self.histograms_ = [], {}
        self.asked_ = {int(step) for step in self.histogram_steps}
        self.layers_ = _layers(net.module_, self.layers)
        self._forget()

    def on_batch_begin(self, net, batch=None, training=None, **kwargs):
        """Hook the layers, if this step is to be recorded."""
        if not training or not self._is_due():
            return
        self._forget()
        self.before_ = {
            name: parameter.detach().clone()
            for name, parameter in net.module_.named_parameters()
        }
        self.handles_ = [
            net.module_.get_submodule(name).register_forward_hook(
                partial(self._keep, name)
            )
            for name in self.layers_
        ]

    def on_batch_end(self, net, batch=None, training=None, **kwargs):
        """Record the step that has ended."""
        if not training:
            return
        if self.before_:
            self._record(net.module_, kwargs["loss"].item())
            self._forget()
        self.step_ += 1

    def on_train_end(self, net, X=None, y=None, **kwargs):
        """Drop what only training needs."""
        self._forget()

    def _is_due(self) -> bool:
        return self.step_ % self.every_ == 0 or self.step_ in self.asked_

    def _keep(self, name: str, module: nn.Module, inputs: Any, output: Any) -> None:
        """Keep an output of a layer, and let it keep its gradient."""
        if not module.training:
            return  # another callback computes predictions
        while isinstance(output, tuple):  # a recurrent layer returns its state too
            output = output[0]
        if output.requires_grad:
            output.retain_grad()
        # Keep a copy, because another module may write its result into this tensor.
        self.kept_.setdefault(name, []).append((output, output.detach().clone()))

    def _forget(self) -> None:
        """Remove the hooks from the module, and release its tensors."""
        for handle in getattr(self, "handles_", []):
            handle.remove()
        self.handles_: list[Any] = []
        self.before_: dict[str, Tensor] = {}
        self.kept_: dict[str, list[tuple[Tensor, Tensor]]] = {}

    def _record(self, module: nn.Module, loss: float) -> None:
        """Record this step: the module has taken it, but still has its gradients."""
        found: dict[str, dict[str, Row]] = {
            "parameters": {
                name: (update_of(self.before_[name], each), values_of([each.grad]))
                for name, each in module.named_parameters()
                if each.grad is not None
            },
            "outputs": {},
            "gradients": {},
        }
        for name, pairs in self.kept_.items():
            values = values_of([copied for _, copied in pairs])
            row = output_moments(module.get_submodule(name), values)
            found["outputs"][name] = row, values
            gradients = [output.grad for output, _ in pairs if output.grad is not None]
            if gradients:
                values = values_of(gradients)
                found["gradients"][name] = moments(values), values
        rows = {
            kind: {name: row for name, (row, _) in by_name.items()}
            for kind, by_name in found.items()
        }
        self.records_.append({"step": self.step_, "loss": loss, **rows})
        self._keep_histograms(found)
        self._thin_out()

    def _keep_histograms(self, found: dict[str, dict[str, Row]]) -> None:
        """Keep the histograms of this step, and drop those of the step before."""
        steps = list(self.histograms_)
        if len(steps) > 1 and steps[-1] not in self.asked_:
            del self.histograms_[steps[-1]]
        self.histograms_[self.step_] = {
            kind: {
                name: {**row, **histogram(values, self.n_bins)}
                for name, (row, values) in by_name.items()
            }
            for kind, by_name in found.items()
        }

    def _thin_out(self) -> None:
        """Drop every other record if there are too many."""
        regular = [row for row in self.records_ if row["step"] not in self.asked_]
        if len(regular) > self.max_records:
            self.every_ *= 2
            self.records_ = [
                row
                for row in self.records_
                if row["step"] % self.every_ == 0 or row["step"] in self.asked_
            ]


def _layers(module: nn.Module, layers: Sequence[str] | None) -> list[str]:
    """Return the names of the submodules to record."""
    named = {name: layer for name, layer in module.named_modules() if name}
    if layers is None:
        return [name for name, layer in named.items() if is_nonlinear(layer)]
    if isinstance(layers, str):
        raise TypeError(f"`layers` must be a list of names, got {layers!r}.")
    absent = [name for name in layers if name not in named]
    if absent:
        raise ValueError(
            f"`layers` has {absent}, which are not submodules of this "
            f"{type(module).__name__}; it has {list(named)}."
        )
    return list(layers)
