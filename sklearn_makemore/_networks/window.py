"""BaseWindowCharLM: the networks that see a window of characters."""

from abc import abstractmethod
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np
import torch

from .._declarations import fitted, parameter
from .._training.context_batches import ContextDataset
from .._training.device import one_thread
from .._words.code_points import slices
from .._words.windows import (
    ContextCounts,
    distinct_rows,
    last_windows,
    shifted,
    windows,
)
from .base import SCORED_CELLS, BaseNeuralCharLM, NextSymbolModule
from .lengths import WindowLengths, check_window_table

INFERENCE_ROWS = 1 << 13
"""Windows evaluated at a time."""

WINDOW_CELLS = 1 << 20
"""Symbols of the windows evaluated at a time, if windows are large."""

MIN_ROWS = 1 << 8
"""Predictions scored at a time, however large the alphabet."""


@dataclass(frozen=True, eq=False)
class WindowModule(NextSymbolModule):
    """A `NextSymbolModel` whose contexts are windows, (n, block_size)."""

    def next_log_proba(self, contexts):
        """Return the distributions after the distinct windows, and their rows."""
        distinct, rows = distinct_rows(contexts, self.n_symbols)
        return self.log_proba(distinct), rows

    def advance(self, contexts, ids):
        """Return the windows one symbol later."""
        return shifted(contexts, ids)

    def picked(self, contexts, rows, targets, n_at_once):
        """Return the log-probability of each target, (n_predictions,) float64.

        contexts : (n_contexts, block_size) windows
        rows, targets : (n_predictions,) the window before each target, and the target
        n_at_once : windows whose distributions are computed at a time
        """
        if len(contexts) <= n_at_once:
            return self.log_proba(contexts)[rows, targets]
        # One long word has as many windows as characters.
        log_proba = np.empty(len(rows))
        by_row = np.argsort(rows)
        for part in slices(0, len(contexts), n_at_once):
            first, last = np.searchsorted(
                rows, [part.start, part.stop], sorter=by_row
            ).tolist()
            here = by_row[first:last]
            found = self.log_proba(contexts[part])
            log_proba[here] = found[rows[here] - part.start, targets[here]]
        return log_proba

    def log_proba(self, contexts):
        """Return the log-probabilities of the next symbol, float64 (n, n_symbols).

        contexts : (n, block_size) windows
        """
        n_rows = max(1, min(INFERENCE_ROWS, WINDOW_CELLS // contexts.shape[1]))
        parts = []
        with one_thread, torch.inference_mode():
            for start in range(0, len(contexts), n_rows):
                part = contexts[start : start + n_rows].astype(np.int32)
                ids = torch.from_numpy(part).to(self.device)
                parts.append(self.module(ids).cpu())
            return self.normalized(torch.cat(parts))


class BaseWindowCharLM(BaseNeuralCharLM):
    """Base class of the networks whose context is a window of symbols.

    A subclass names its module as `_network`, and implements `_window_size`.
    """

    _predictor = WindowModule

    _: KW_ONLY

    match_lengths: bool = parameter(
        default=False,
        description="""
        Whether lengths are distributed as in the training words, those held out
        included. Each word probability is multiplied by (share of its length in
        training) / (share under the network). Training does not change. The
        probabilities after all windows are computed when first needed. There may be
        67,108,864 of them (512 MiB), one for each combination of the characters in the
        window and the next one.
        """,
    )

    block_size_: int = fitted("Number of characters that the network sees.")
    length_term_: WindowLengths | None = fitted(
        "With `match_lengths`, what changes the lengths of words; otherwise None."
    )

    @abstractmethod
    def _window_size(self) -> int:
        """Return the number of symbols in the window."""

    def _block_size(self, longest, is_warm_start):
        return self._window_size()

    def _module(self, n_symbols, block_size):
        # The parameters determine the window, whatever a file or an earlier fit has.
        return super()._module(n_symbols, self._window_size())

    def _dataset(self, data, block_size, device):
        n_symbols = data.vocabulary.n_symbols
        counts = ContextCounts.from_encoded(
            data.encoded, block_size, n_symbols, data.sample_weight, data.labels
        )
        # Batch normalization gains nothing from smaller batches.
        has_batch_norm = getattr(self, "batch_norm", False)
        n_labels = 1 if has_batch_norm else max(1, data.n_labels)
        return ContextDataset(counts, n_symbols, device, n_labels)

    def _check_trainable(self, encoded, vocabulary, is_warm_start):
        if not self.match_lengths:
            return
        check_window_table(vocabulary.n_symbols, self._window_size())
        if is_warm_start and self.word_lengths_ is None:
            raise ValueError(
                f"match_lengths=True cannot continue this {type(self).__name__}: it "
                "comes from a file of version 0.1.0, which lacks the lengths of the "
                "training words. Fit a new model, or set match_lengths=False."
            )

    def _fitted(self, net, vocabulary, of_words):
        lengths = WindowLengths(of_words["word_lengths_"])
        return {
            **super()._fitted(net, vocabulary, of_words),
            "block_size_": self._window_size(),
            "length_term_": lengths if self.match_lengths else None,
        }

    def _state_to_save(self):
        if self.match_lengths != (self.length_term_ is not None):
            raise ValueError(
                f"match_lengths of this {type(self).__name__} has changed since it was "
                "fitted, and the file would hold the new value: set it back, or refit."
            )
        return super()._state_to_save()

    def _state_from_file(self, kept, vocabulary):
        if self.match_lengths:
            check_window_table(vocabulary.n_symbols, self._window_size())
            if kept.get("word_lengths") is None:
                raise ValueError("word_lengths is missing.")
        return super()._state_from_file(kept, vocabulary)

    def _matched(self) -> Any:
        """Return the model with other lengths, or None without `match_lengths`."""
        if self.length_term_ is None:
            return None
        return self.length_term_.matched(super()._next_symbol_model(), self.block_size_)

    def _next_symbol_model(self) -> Any:
        return self._matched() or super()._next_symbol_model()

    def _contexts_after(self, encoded):
        matched = self._matched()
        if matched is None:
            return last_windows(encoded, self.block_size_)
        return matched.states(encoded)[encoded.offsets[1:] - 1]

    def _target_log_proba(self, encoded):
        model, n_symbols = self._next_symbol_model(), self.vocabulary_.n_symbols
        if self.length_term_ is not None:
            return model.target_log_proba(encoded)
        n_at_once = max(MIN_ROWS, SCORED_CELLS // max(n_symbols, self.block_size_))
        parts = []
        for chunk in encoded.chunks(n_at_once):
            contexts, rows = distinct_rows(windows(chunk, self.block_size_), n_symbols)
            parts.append(model.picked(contexts, rows, chunk.targets, n_at_once))
        return np.concatenate(parts)
