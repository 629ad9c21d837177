"""Distinct words as tensors, and batches of them as trees of prefixes."""

from itertools import pairwise

import numpy as np
import torch
from torch.utils.data import Dataset

from .._words.prefixes import distinct_words, padded_bounds, prefix_nodes
from .._words.windows import pair_counts
from ..modules import PrefixTree
from .context_batches import (
    VALIDATION_LOGITS,
    NextCounts,
    batch_bounds,
    check_shared,
    number_of_batches,
    rescale_extreme_weights,
    spread,
)
from .processes import SINGLE_PROCESS, share

VALIDATION_CELLS = 1 << 14
"""Symbols a batch, padding included, when there is nothing to learn from it."""


class WordDataset(Dataset):
    """Distinct words, and the counts of the symbols that follow their prefixes.

    Parameters
    ----------
    encoded : EncodedWords
        The words.

    sample_weight : ndarray of shape (n_words,) or None
        Weight of each word, positive; None counts every word once. Very small and very
        large weights are scaled, all by one factor.

    n_symbols : int
        Number of symbols V.

    device : str
        Where the tensors are kept.
    """

    def __init__(self, encoded, sample_weight, n_symbols, device):
        words, rows = distinct_words(encoded)
        weights = rescale_extreme_weights(
            np.bincount(rows, sample_weight).astype(np.float64)
        )
        self.total = float((weights * words.lengths).sum())
        self.weights = torch.as_tensor(weights.astype("float32"), device=device)
        # Few bytes: of the tensors here these two have an element a character.
        codes = (
            words.codes if words.codes.itemsize == 1 else words.codes.astype("int32")
        )
        self.codes = torch.as_tensor(codes, device=device)
        self.starts = torch.as_tensor(words.offsets[:-1].astype("int64"), device=device)
        self.lengths = torch.as_tensor(words.lengths.astype("int64"), device=device)
        nodes = prefix_nodes(words)
        pairs = pair_counts(
            nodes, words.targets, n_symbols, np.repeat(weights, words.lengths)
        )
        n_prefixes = int(nodes.max()) + 1
        self.nodes = torch.as_tensor(nodes.astype("int32"), device=device)
        self.next_counts = NextCounts(*pairs, n_prefixes, n_symbols, device)

    def __len__(self):
        """Return the number of distinct words."""
        return len(self.weights)

    def batches(self, batch_size, training, processes=SINGLE_PROCESS):
        """Return the batches of an epoch, of training or of validation."""
        return WordBatches(self, batch_size, training, processes)

    def tree(self, words):
        """Return the prefixes of some words.

        Parameters
        ----------
        words : Tensor of shape (B,)
            Indices of words.

        Returns
        -------
        ids : Tensor of shape (N,)
            Last symbol of each distinct prefix.
        tree : PrefixTree
            The tree of them.
        nodes : Tensor of shape (N,)
            Number of each among all prefixes.
        """
        starts, lengths = self.starts[words], self.lengths[words]
        symbols = padded(self.codes, starts, lengths)
        ids, tree = PrefixTree.from_ids(symbols[:, :-1], lengths)
        return ids, tree, self.nodes[starts[tree.sequences] + tree.depths]


class WordBatches:
    """Batches of words as trees of prefixes, with expected counts of the next symbols.

    A batch stands for about `batch_size` predictions. A word that occurs n times comes
    n times in an epoch, evenly spread from a random start, and not more often than
    there are batches, with its weight. A prefix of a batch is followed by what follows
    it in all words, in their shares, not by what happens to follow it in this batch:
    the expectation of its counts is the same, and their variance less.

    Expected counts are divided by the predictions of a batch: the sum of
    ``-counts * log p`` estimates the mean negative log-likelihood, and its mean over
    the batches of an epoch is exactly that.

    Parameters
    ----------
    dataset : WordDataset
        The words.

    batch_size : int or None
        Number of predictions a batch, see `number_of_batches`.

    training : bool
        Whether to learn from them. Without it every word comes once, in order, and
        `batch_size` is of no account.

    processes : SingleProcess, default=SINGLE_PROCESS
        The processes that share the words of each batch.
    """

    def __init__(self, dataset, batch_size, training, processes=SINGLE_PROCESS):
        self.dataset = dataset
        self.training = training
        self.processes = processes
        if not training:
            self.repeats = torch.ones_like(dataset.lengths)
            n_symbols = dataset.next_counts.n_symbols
            n_cells = min(VALIDATION_CELLS, VALIDATION_LOGITS // n_symbols)
            self.bounds = padded_bounds(dataset.lengths.tolist(), n_cells)
        else:
            n_batches = number_of_batches(dataset.total, batch_size)
            self.repeats = dataset.weights.ceil().long().clamp(1, n_batches)
            n_rows = int(self.repeats.sum())
            n_batches = min(n_batches, n_rows)
            check_shared(n_rows // n_batches, processes)
            self.bounds = batch_bounds(n_rows, n_batches)
        self.n_batches = len(self.bounds) - 1
        self.weights = dataset.weights / self.repeats  # (n_words,)

    def __len__(self):
        """Return the number of batches."""
        return self.n_batches

    def __iter__(self):
        """Yield the module's arguments, and expected counts (N, V), of each batch.

        The arguments are `ids` (N,) and the `tree` whose nodes they are.
        """
        dataset, scale = self.dataset, self.n_batches / self.dataset.total
        rows = spread(self.repeats) if self.training else torch.arange(len(dataset))
        rows = self.processes.broadcast(rows)
        for start, stop in pairwise(self.bounds):
            # In order, so that equal prefixes stand together.
            words = rows[start:stop].sort().values.to(self.weights.device)
            words = share(words, self.processes.index, self.processes.count)
            ids, tree, nodes = dataset.tree(words)
            visits = node_weights(tree, dataset.lengths[words], self.weights[words])
            shares = visits / dataset.next_counts.totals[nodes] * scale  # (N,)
            counts = dataset.next_counts[nodes] * shares[:, None]
            yield {"ids": ids, "tree": tree}, counts


def node_weights(tree, lengths, weights):
    """Sum the weights of the words that begin with each prefix.

    Parameters
    ----------
    tree : PrefixTree
        Prefixes of words.

    lengths : Tensor of shape (B,)
        Number of prefixes of each word.

    weights : Tensor of shape (B,)
        Weight of each word.

    Returns
    -------
    totals : Tensor of shape (N,)
        Total weight of each node.
    """
    totals = weights.new_zeros(len(tree))
    return totals.index_add_(0, tree.nodes, weights.repeat_interleave(lengths))


def padded(codes, starts, lengths):
    """Lay out words as rows of one length.

    Parameters
    ----------
    codes : Tensor of shape (n_codes,)
        Words as `EncodedWords` has them.

    starts : Tensor of shape (B,)
        Place of the boundary before each word.

    lengths : Tensor of shape (B,)
        Number of predictions of each.

    Returns
    -------
    symbols : Tensor of shape (B, T + 1)
        A boundary, the word, and boundaries: what is read, and from the second column
        on what is predicted.
    """
    steps = torch.arange(int(lengths.max()) + 1, device=lengths.device)
    # The boundary after a word is also what it is filled up with.
    return codes[starts[:, None] + steps.minimum(lengths[:, None])].int()
