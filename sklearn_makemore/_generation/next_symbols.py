"""NextSymbolModel: what the sampling loop needs from a model."""

from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Contexts: TypeAlias = Any
"""The contexts of some words. Each model has its own type, which can be indexed by an
array of rows."""


class NextSymbolModel(Protocol):
    """A model that predicts the next symbol of many words at a time.

    A context is all that the model needs to know of the symbols so far: a window of
    them, a state of an automaton, or a hidden state. A one-dimensional integer array of
    contexts holds states of an automaton, of which equal numbers mean the same.
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
    """Whether contexts are integers of which equal ones mean the same."""
    return isinstance(contexts, np.ndarray) and contexts.ndim == 1
