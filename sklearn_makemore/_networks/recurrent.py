"""BaseRecurrentCharLM: the networks that keep a state."""

from numbers import Integral, Real

from .._sklearn import Interval
from .sequence import BaseSequenceCharLM


class BaseRecurrentCharLM(BaseSequenceCharLM):
    """Template of the recurrent networks.

    A concrete model provides

    _network
        The module's class.
    """

    _parameter_constraints: dict = {
        **BaseSequenceCharLM._parameter_constraints,
        "n_embd": [Interval(Integral, 1, None, closed="left")],
        "n_hidden": [Interval(Integral, 1, None, closed="left")],
        "n_layers": [Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "recurrent_dropout": [Interval(Real, 0, 1, closed="left")],
    }

    _network = None

    def _module(self, n_symbols, block_size):
        return self._network, {
            "n_symbols": n_symbols,
            "n_embd": self.n_embd,
            "n_hidden": self.n_hidden,
            "n_layers": self.n_layers,
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
        }
