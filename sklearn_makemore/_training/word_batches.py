"""WordDataset: distinct words, batched as trees of prefixes."""

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from .._words.prefixes import padded_bounds, prefix_nodes
from .._words.training_set import TrainingSet
from .._words.windows import pair_counts
from ..modules import PrefixTree
from .batches import NextCounts, WeightedDataset, rescale_extreme_weights

MAX_VALIDATION_CELLS = 1 << 14
"""Symbols of a validation batch, padding included."""


class WordDataset(WeightedDataset):
    """Distinct words, and the counts of the symbols that follow their prefixes.

    The target of a prefix is the distribution of the symbols that follow it in all
    words, not only in the batch. Its expectation is the same, and its variance is
    smaller. Very small and very large weights are scaled by one factor.

    With labels, the ids of a word are ``label * n_symbols + symbol``.
    """

    def __init__(self, data: TrainingSet, device: str):
        data, n_symbols = data.distinct(), data.vocabulary.n_symbols
        words = data.encoded
        weights = rescale_extreme_weights(np.asarray(data.sample_weight))
        self.total = float((weights * words.lengths).sum())
        nodes = prefix_nodes(words, data.labels)
        pairs = pair_counts(
            nodes, words.targets, n_symbols, np.repeat(weights, words.lengths)
        )
        n_prefixes = int(nodes.max()) + 1
        self.next_counts = NextCounts(*pairs, n_prefixes, n_symbols, device)
        # `codes` and `nodes` have an element per character, so they use the smallest
        # types.
        codes = (
            words.codes if words.codes.itemsize == 1 else words.codes.astype("int32")
        )
        self.first_ids = None  # (n_words,), that of the label's boundary
        if data.labels is not None:
            first_ids = (data.labels * n_symbols).astype("int32")
            self.first_ids = torch.as_tensor(first_ids, device=device)
        self.weights, self.codes, self.starts, self.lengths, self.nodes = (
            torch.as_tensor(array, device=device)
            for array in (
                weights.astype("float32"),
                codes,
                words.offsets[:-1].astype("int64"),
                words.lengths.astype("int64"),
                nodes.astype("int32"),
            )
        )

    def tree(self, words: Tensor) -> tuple[Tensor, PrefixTree, Tensor]:
        """Return the prefixes of some words.

        words : (B,) indices
        ids : (N,) last symbol of each distinct prefix; tree : the tree of them
        nodes : (N,) number of each among all prefixes
        """
        starts, lengths = self.starts[words], self.lengths[words]
        ids = padded(self.codes, starts, lengths)[:, :-1]
        if self.first_ids is not None:
            ids = ids + self.first_ids[words, None]
        ids, tree = PrefixTree.from_ids(ids, lengths)
        return ids, tree, self.nodes[starts[tree.sequences] + tree.depths]

    def _repeats(self, n_batches):
        return self.weights.ceil().long().clamp(1, n_batches)

    def _validation_bounds(self):
        n_cells = self._validation_size(MAX_VALIDATION_CELLS)
        return padded_bounds(self.lengths.tolist(), n_cells)

    def _load(self, rows, bounds, repeats, scale):
        """Yield `ids` (N,) and the `tree` whose nodes they are, and counts (N, V)."""
        weights = self.weights / repeats  # (n_words,)
        for start, stop in pairwise(bounds):
            # Sorted, so that equal prefixes are neighbours.
            words = rows[start:stop].sort().values
            ids, tree, nodes = self.tree(words)
            visits = node_weights(tree, self.lengths[words], weights[words])
            shares = visits / self.next_counts.totals[nodes] * scale  # (N,)
            counts = self.next_counts[nodes] * shares[:, None]
            yield {"ids": ids, "tree": tree}, counts


def node_weights(tree: PrefixTree, lengths: Tensor, weights: Tensor) -> Tensor:
    """Return the total weight (N,) of the words that begin with each prefix.

    lengths, weights : (B,) number of prefixes and weight of each word
    """
    totals = weights.new_zeros(len(tree))
    return totals.index_add_(0, tree.nodes, weights.repeat_interleave(lengths))


def padded(codes: Tensor, starts: Tensor, lengths: Tensor) -> Tensor:
    """Return words as rows (B, T + 1): a boundary, the word, and boundaries.

    The columns but the last are read, and those from the second on are predicted.

    codes : (n_codes,) words as `EncodedWords` has them
    starts, lengths : (B,) index of the boundary before each word, its predictions
    """
    steps = torch.arange(int(lengths.max()) + 1, device=lengths.device)
    # The boundary after a word also fills its row up.
    return codes[starts[:, None] + steps.minimum(lengths[:, None])].int()
