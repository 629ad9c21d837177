"""ContextDataset: distinct windows with the counts of their next symbols."""

from itertools import pairwise

import torch

from .._words.windows import ContextCounts
from .batches import NextCounts, WeightedDataset, batch_bounds, rescale_extreme_weights

GROUP_CELLS = 1 << 20
"""Number of counts loaded at a time. Batches are slices of them, at little cost."""

MAX_VALIDATION_ROWS = 1 << 13
"""Contexts of a validation batch."""


class ContextDataset(WeightedDataset):
    """Distinct contexts with the counts of their next symbols, as tensors.

    Very small and very large counts are scaled by one factor.
    """

    def __init__(
        self,
        context_counts: ContextCounts,
        n_symbols: int,
        device: str,
        n_labels: int = 1,
    ):
        self.n_labels = n_labels
        contexts = context_counts.contexts
        self.contexts = torch.as_tensor(contexts.astype("int32"), device=device)
        counts = rescale_extreme_weights(context_counts.counts)
        self.total = float(counts.sum())
        pairs = context_counts.rows, context_counts.symbols, counts
        self.next_counts = NextCounts(*pairs, len(contexts), n_symbols, device)
        self.weights = self.next_counts.totals

    def _repeats(self, n_batches):
        repeats = self.weights.ceil().long().clamp(min=1)
        once_a_batch = repeats.clamp(max=n_batches)
        # With weighted rows, batch normalization cannot use torch's fast kernel. So
        # they are used only if they save a fifth of the rows.
        saves = once_a_batch.sum() < 0.8 * repeats.sum()
        return once_a_batch if saves else repeats

    def _validation_bounds(self):
        n_rows = self._validation_size(MAX_VALIDATION_ROWS)
        return batch_bounds(len(self), -(-len(self) // n_rows))

    def _load(self, rows, bounds, repeats, scale):
        """Yield `ids` (B, T), `weights` (B,) unless all are equal, and counts (B, V).

        The weight of a row is the number of predictions that it represents.
        """
        weights = self.weights / repeats  # (n_contexts,)
        is_even = bool((weights == weights[0]).all())
        largest = max(stop - start for start, stop in pairwise(bounds))
        n_grouped = max(1, GROUP_CELLS // (largest * self.next_counts.n_symbols))
        for first in range(0, len(bounds) - 1, n_grouped):
            cuts = bounds[first : first + n_grouped + 1]
            group = rows[cuts[0] : cuts[-1]]
            ids = self.contexts[group]
            counts = self.next_counts[group] * (scale / repeats[group])[:, None]
            group_weights = None if is_even else weights[group]
            for start, stop in pairwise(cuts):
                part = slice(start - cuts[0], stop - cuts[0])
                inputs = {"ids": ids[part]}
                if group_weights is not None:
                    inputs["weights"] = group_weights[part]
                yield inputs, counts[part]
