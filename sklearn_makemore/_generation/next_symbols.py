"""NextSymbolModel: what the sampling loop needs from a model."""

from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Contexts: TypeAlias = Any
"""The contexts of some words. Each model has its own type, which can be indexed by an
array of rows."""


class NextSymbolModel(Protocol):
    """A model that predicts the next symbol of many words at a time.

    A context represents the symbols so far: a window of them, a state of an automaton,
    or a hidden state. If contexts are a one-dimensional integer array, they are states
    of an automaton, and equal numbers are equal states.
    """

    def next_log_proba(
        self, contexts: Contexts
    ) -> tuple[NDArray[np.float64], NDArray[np.integer[Any]]]:
        """Return distinct distributions of the next symbol, and each context's row.

        log_proba : (n_distinct, n_symbols). If two calls return the same array object,
        what was derived from it at the first call is used again.
        rows : (n_contexts,), context `i` has the distribution ``log_proba[rows[i]]``.
        """
        ...

    def advance(self, contexts: Contexts, ids: NDArray[np.integer[Any]]) -> Contexts:
        """Return the contexts after one more symbol each; ids : (n_contexts,)."""
        ...


def are_states(contexts: Contexts) -> bool:
    """Whether contexts are states of an automaton, so that equal ones are the same."""
    return isinstance(contexts, np.ndarray) and contexts.ndim == 1
