"""BaseWindowCharLM: the networks that see a window of characters."""

from abc import abstractmethod

import numpy as np
import torch

from ._batches import ContextDataset
from ._contexts import ContextCounts, distinct_rows, last_windows, shifted, windows
from ._device import one_thread
from ._neural import SCORED_CELLS, BaseNeuralCharLM

INFERENCE_ROWS = 1 << 13
"""Contexts evaluated at once."""


class BaseWindowCharLM(BaseNeuralCharLM):
    """Template of the networks whose context is a window of symbols.

    A concrete model provides

    _window_size()
        Number of symbols in the window.
    _module(n_symbols, block_size)
        The module's class and its keyword arguments.
    """

    @abstractmethod
    def _window_size(self):
        """Return the number of symbols in the window."""

    def _block_size(self, longest, goes_on):
        return self._window_size()

    def _dataset(self, encoded, sample_weight, vocabulary, block_size, device):
        n_symbols = vocabulary.n_symbols
        counts = ContextCounts.from_encoded(
            encoded, block_size, n_symbols, sample_weight
        )
        return ContextDataset(counts, n_symbols, device)

    def _fitted(self, net, vocabulary, unknown_proba):
        return {
            **super()._fitted(net, vocabulary, unknown_proba),
            "block_size_": self._window_size(),
        }

    def _contexts_after(self, encoded):
        return last_windows(encoded, self.block_size_)

    def _advance(self, contexts, ids):
        return shifted(contexts, ids)

    def _next_log_proba(self, contexts):
        distinct, rows = distinct_rows(contexts, self.vocabulary_.n_symbols)
        return self._log_proba(distinct), rows

    def _target_log_proba(self, encoded):
        n_symbols = self.vocabulary_.n_symbols
        parts = []
        for chunk in encoded.chunks(max(INFERENCE_ROWS, SCORED_CELLS // n_symbols)):
            contexts, rows = distinct_rows(windows(chunk, self.block_size_), n_symbols)
            parts.append(self._log_proba(contexts)[rows, chunk.targets])
        return np.concatenate(parts)

    def _log_proba(self, contexts):
        """Compute the log-probabilities of the next symbol after windows.

        Parameters
        ----------
        contexts : ndarray of shape (n_contexts, block_size)
            Windows of symbols.

        Returns
        -------
        log_proba : ndarray of shape (n_contexts, n_symbols), dtype float64
            Log-probabilities in nats.
        """
        module, device = self._module_for_inference()
        parts = []
        with one_thread, torch.inference_mode():
            for start in range(0, len(contexts), INFERENCE_ROWS):
                ids = contexts[start : start + INFERENCE_ROWS].astype(np.int32)
                parts.append(module(torch.from_numpy(ids).to(device)).cpu())
            logits = torch.cat(parts).double()  # (n_contexts, n_symbols)
            return self._normalized(logits).numpy()
