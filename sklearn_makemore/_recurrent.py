"""BaseRecurrentCharLM: the networks that keep a state."""

from numbers import Integral, Real

from ._sequence import BaseSequenceCharLM
from ._sklearn import Interval


class BaseRecurrentCharLM(BaseSequenceCharLM):
    """Template of the recurrent networks: what their parameters may be."""

    _parameter_constraints: dict = {
        **BaseSequenceCharLM._parameter_constraints,
        "n_embd": [Interval(Integral, 1, None, closed="left")],
        "n_hidden": [Interval(Integral, 1, None, closed="left")],
        "n_layers": [Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "recurrent_dropout": [Interval(Real, 0, 1, closed="left")],
    }
