"""Words of a network that sees a window, with the lengths of the training words.

The network is evaluated once for every possible window. The windows are the states of a
`FiniteStateModel`.
"""

import math

import numpy as np

from .._generation.lengths import LengthMatchedModel, log_length_ratio
from .._words.code_points import slices
from .._words.vocabulary import BOUNDARY
from .._words.windows import windows

MAX_CELLS = 1 << 26
"""Largest number of log-probabilities after all windows: 512 MiB. Computing with their
exponentials takes as much again."""

CELLS_PER_STEP = 16
"""Cells of the table that are summed in the time of one n-gram, see `Expectations`."""

WINDOW_CHUNK_SIZE = 1 << 16
"""Windows whose log-probabilities are computed at a time."""


def check_window_table(n_symbols: int, block_size: int) -> None:
    """Raise an error if the table of all windows would be too large."""
    # A power of such sizes can have millions of digits.
    bits = math.log2(max(2, n_symbols))
    if (block_size + 1) * bits <= math.log2(MAX_CELLS):
        return
    most = int(math.log2(MAX_CELLS) / bits) - 1
    advice = f"a window of at most {most} characters, or " if most else ""
    raise ValueError(
        "match_lengths=True needs a table of the probabilities after every window. "
        f"With block_size={block_size} and {n_symbols} symbols it would have "
        f"{n_symbols} ** {block_size + 1} cells, and the limit is {MAX_CELLS:,}; use "
        f"{advice}match_lengths=False."
    )


class WindowTable:
    """A `FiniteStateModel` whose states are all windows.

    The number of a window is that of its symbols as digits in base `n_symbols`, the
    most recent one last. The window at the start of a word is 0.

    log_proba : (n_symbols ** block_size, n_symbols), after each window
    """

    def __init__(self, log_proba, block_size):
        self.log_proba, self.block_size = log_proba, block_size
        self.n_states, self.n_symbols = log_proba.shape

    @classmethod
    def from_module(cls, module, block_size):
        """Evaluate a `WindowModule` on all windows."""
        n_symbols = module.n_symbols
        places = n_symbols ** np.arange(block_size - 1, -1, -1)
        log_proba = np.empty((n_symbols**block_size, n_symbols))
        for part in slices(0, len(log_proba), WINDOW_CHUNK_SIZE):
            states = np.arange(part.start, part.stop)[:, np.newaxis]
            log_proba[part] = module.log_proba(states // places % n_symbols)
        return cls(log_proba, block_size)

    def expectations(self):
        """Return the expectations over the next symbol."""
        return WindowExpectations(self.log_proba)

    def states(self, encoded):
        """Return the window before every predicted id of words, (n_predictions,)."""
        states = np.zeros(encoded.n_predictions, np.int64)
        for column in windows(encoded, self.block_size).T:
            states *= self.n_symbols
            states += column
        return states

    def targets(self, encoded):
        """Return the log-probability of every predicted id, and the window before."""
        states = self.states(encoded)
        return self.log_proba[states, encoded.targets], states

    def next_log_proba(self, contexts):
        """Return distinct distributions of the next id, and the row of each window."""
        states, rows = np.unique(contexts, return_inverse=True)
        return self.log_proba[states], rows

    def rows(self, states):
        """Return log-probabilities and next windows, (n, n_symbols) each."""
        next_states = self._shifted(states)[:, np.newaxis] + np.arange(self.n_symbols)
        return self.log_proba[states], next_states

    def advance(self, contexts, ids):
        """Return the windows after one more id each; after 0, the start of a word."""
        return (self._shifted(contexts) + ids) * (ids != BOUNDARY)

    def _shifted(self, states):
        """Drop the oldest symbol of windows, and append 0."""
        return states * self.n_symbols % self.n_states


class WindowExpectations:
    """The `Expectations` of a `WindowTable`."""

    start_state = 0

    def __init__(self, log_proba):
        n_states, n_symbols = log_proba.shape
        self.size = max(n_states, log_proba.size // CELLS_PER_STEP)
        proba = np.exp(log_proba)
        self.end_proba = proba[:, BOUNDARY].copy()
        proba[:, BOUNDARY] = 0
        # The next window does not depend on the oldest symbol, the first axis.
        self._proba = proba.reshape(n_symbols, -1, n_symbols)

    def expectation(self, values):
        """Return the mean value of the next window, where an end counts as 0."""
        by_next = values.reshape(self._proba.shape[1:])
        return np.einsum("owc,wc->ow", self._proba, by_next).ravel()


class WindowLengths:
    """The length term of a network, whose tables are computed when first needed.

    word_lengths : (longest + 1,), weight of the training words by number of characters
    """

    def __init__(self, word_lengths):
        self.word_lengths = word_lengths
        self._matched = self._weights = None

    def __reduce__(self):
        """Pickle without the tables, which can be recomputed."""
        return type(self), (self.word_lengths,)

    @property
    def n_bytes(self):
        """Memory of the table, 0 until it is computed."""
        return 0 if self._matched is None else self._matched.plain.log_proba.nbytes

    def matched(self, module, block_size):
        """Return the length-matched model of a network, the same until it changes."""
        network = module.module
        tensors = [*network.parameters(), *network.buffers()]
        # A tensor counts its changes. Users may train `net_` further themselves.
        weights = [(id(tensor), tensor._version) for tensor in tensors]
        if weights != self._weights:
            self._weights = weights
            table = WindowTable.from_module(module, block_size)
            ratio = log_length_ratio(table.expectations(), self.word_lengths)
            self._matched = LengthMatchedModel(table, ratio)
        return self._matched
