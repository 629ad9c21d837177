"""lr_range_test: the loss while the learning rate rises, and the rate it suggests."""

import math
import warnings
from numbers import Integral, Real
from typing import Any, cast

import numpy as np
from scipy.ndimage import gaussian_filter1d
from sklearn.base import clone
from sklearn.utils import Bunch

from .._arguments import validate_options
from .._networks.base import BaseNeuralCharLM
from .._sklearn import Interval
from .._training.net import Callback
from .._words.types import Floats, Weights, Words


@validate_options(
    {
        "min_lr": [Interval(Real, 0, None, closed="neither")],
        "max_lr": [Interval(Real, 0, None, closed="neither")],
        "n_steps": [Interval(Integral, 20, None, closed="left")],
    }
)
def lr_range_test(
    estimator: Any,
    words: Words,
    min_lr: float = 1e-3,
    max_lr: float = 1.0,
    n_steps: int = 1000,
    *,
    sample_weight: Weights = None,
) -> Bunch:
    """Search for a learning rate by raising it while a network trains.

    A clone of the network trains from new weights while its learning rate rises from
    `min_lr` to `max_lr`, by the same factor at each step. Where the rate is too small
    the loss hardly falls; where it is too large the loss rises again. Lecture 2 of
    makemore does this, and [1]_ calls it the learning-rate range test. It ends early
    when the loss explodes.

    The suggestion is the rate at which the smoothed loss is least. Use it as the
    largest rate of a falling schedule, as in [1]_ and in the schedules "one-cycle" and
    "step" of this package.

    Parameters
    ----------
    estimator : estimator instance
        A network, such as `MLPCharLM`; it is not changed. Its parameters for the
        schedule, the length of the training, validation, checkpoint and messages are
        ignored; of its `callbacks`, those that act on gradients are used.

    words : array-like of str of shape (n_words,)
        Training words.

    min_lr, max_lr : float, default=1e-3, 1.0
        First and last learning rate. A `BigramCharLM` needs far larger rates than other
        networks.

    n_steps : int, default=1000
        Number of steps of the optimizer from `min_lr` to `max_lr`.

    sample_weight : array-like of shape (n_words,), default=None
        Non-negative weight of each word.

    Returns
    -------
    result : :class:`~sklearn.utils.Bunch`
        Dictionary-like object, with the following attributes; `n` is `n_steps`, or less
        if the loss exploded.

        lr : ndarray of shape (n,)
            The learning rates.
        loss : ndarray of shape (n,)
            Loss of the batch of each step in nats per character, before the step.
        smoothed_loss : ndarray of shape (n,)
            The loss, averaged over neighbouring steps by a Gaussian. Losses are first
            limited to the loss of the first step.
        suggestion : float
            The suggested learning rate.

    Raises
    ------
    TypeError
        If `estimator` is not a network.
    ValueError
        If `max_lr` is not larger than `min_lr`, or as in `fit` of the network.

    Warns
    -----
    UserWarning
        If the loss is least at an end of the range, which is too narrow.

    See Also
    --------
    sklearn_makemore.inspection.LRRangeDisplay : Draws the losses.

    Notes
    -----
    Other rules take the rate of steepest descent, or a tenth of the rate of least loss.
    These are far too small for the networks of this package. On the makemore list, with
    default settings and 5 epochs, a `WaveNetCharLM` reaches a validation negative
    log-likelihood of 1.97 with the rate of least loss, 2.03 with a tenth of it, and
    2.21 with the rate of steepest descent.

    References
    ----------
    .. [1] L. N. Smith, "Cyclical Learning Rates for Training Neural Networks", IEEE
       Winter Conference on Applications of Computer Vision, 2017.
       https://arxiv.org/abs/1506.01186

    Examples
    --------
    >>> from sklearn_makemore import MLPCharLM
    >>> from sklearn_makemore.datasets import load_names
    >>> from sklearn_makemore.model_selection import lr_range_test
    >>> words = load_names().data[::10]
    >>> result = lr_range_test(MLPCharLM(random_state=0), words, n_steps=200)
    >>> print(f"{result.suggestion:.2f}")
    0.01
    """
    if not isinstance(estimator, BaseNeuralCharLM):
        raise TypeError(
            "`estimator` must be a network such as MLPCharLM, which has a learning "
            f"rate; got {estimator!r}."
        )
    if max_lr <= min_lr:
        raise ValueError(
            f"max_lr={max_lr} must be larger than min_lr={min_lr}: the learning rate "
            "rises."
        )
    rates = np.geomspace(min_lr, max_lr, n_steps)
    loss = np.array(_losses(estimator, words, sample_weight, rates.tolist()))
    width = 0.02 * n_steps
    # An exploding loss must not dominate the average of the steps before it.
    smoothed_loss = gaussian_smoothed(np.minimum(loss, loss[0]), width)
    best = int(np.argmin(smoothed_loss))
    _warn_at_the_ends(best, width, rates)
    return Bunch(
        lr=rates[: len(loss)],
        loss=loss,
        smoothed_loss=smoothed_loss,
        suggestion=float(rates[best]),
    )


def gaussian_smoothed(values: Floats, width: float) -> Floats:
    """Average each value with its neighbours by a Gaussian of a width in steps.

    values, smoothed : (n_values,)
    """
    rows = [values, np.ones(len(values))]
    reach = math.ceil(4 * width)
    sums: Any = gaussian_filter1d(rows, width, mode="constant", radius=reach)
    return sums[0] / sums[1]


class _RangeTested(Exception):
    """Ends the training, and carries the losses out of it."""

    def __init__(self, losses: list[float]):
        super().__init__("the learning-rate range test is over")
        self.losses = losses


class _RisingRate(Callback):
    """Sets the learning rate of each step, and keeps the loss of its batch."""

    def __init__(self, rates: list[float]):
        self.rates = rates

    def initialize(self):
        """Start without losses."""
        self.losses_: list[float] = []
        return self

    def on_batch_begin(self, net, batch: Any = None, training: Any = None, **kwargs):
        """Set the learning rate."""
        for group in net.optimizer_.param_groups:
            group["lr"] = self.rates[len(self.losses_)]

    def on_batch_end(self, net, batch: Any = None, training: Any = None, **kwargs):
        """Keep the loss, and end the training after the last step or an explosion."""
        # Batches have different numbers of characters, by chance.
        loss = float(kwargs["loss"].detach() / batch[1].sum())
        if not math.isfinite(loss):
            raise _RangeTested(self.losses_)
        self.losses_.append(loss)
        last = self.losses_[-10:]  # one bad batch is not an explosion
        has_exploded = sum(last) / len(last) > 2 * self.losses_[0]
        if has_exploded or len(self.losses_) == len(self.rates):
            raise _RangeTested(self.losses_)


def _losses(
    estimator: BaseNeuralCharLM,
    words: Words,
    sample_weight: Weights,
    rates: list[float],
) -> list[float]:
    """Train a clone with these learning rates; return the loss at each step."""
    kept = [given for given in estimator.callbacks or [] if _acts_on_gradients(given)]
    tested = cast(BaseNeuralCharLM, clone(estimator)).set_callbacks()
    tested.set_params(
        lr_schedule="constant",
        max_epochs=len(rates),  # an epoch has at least one step
        validation_fraction=None,
        early_stopping=False,
        checkpoint=None,
        accelerate=False,
        callbacks=[*kept, _RisingRate(rates)],
        verbose=0,
    )
    try:
        tested.fit(words, sample_weight=sample_weight)
    except _RangeTested as end:
        return end.losses
    raise AssertionError("the callback ends every training")


def _acts_on_gradients(given: Any) -> bool:
    """Whether a callback, given as `callbacks` takes it, may change gradients."""
    callback = given[1] if isinstance(given, tuple) else given
    hook = getattr(callback, "on_grad_computed", None)
    return getattr(hook, "__func__", hook) is not Callback.on_grad_computed


def _warn_at_the_ends(best: int, width: float, rates: Floats) -> None:
    """Warn if the best rate is as near to an end of the range as the smoothing."""
    if width < best < len(rates) - 1 - width:
        return
    end, remedy = ("min_lr", "smaller") if best <= width else ("max_lr", "larger")
    warnings.warn(
        f"The loss is least at {end}={rates[0 if end == 'min_lr' else -1]:g}, an end "
        f"of the range of learning rates; set {end} {remedy}.",
        UserWarning,
        stacklevel=4,
    )
