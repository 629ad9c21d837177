"""Distinct contexts as tensors, and the batches of an epoch."""

from itertools import accumulate, pairwise

import numpy as np
import torch
from torch.utils.data import Dataset

from .processes import SINGLE_PROCESS, CollectiveError, share

GROUP_CELLS = 1 << 20
"""Counts assembled at once: batches are slices of them, which cost next to nothing."""

TABLE_CELLS = 1 << 23
"""Largest table of all contexts and symbols to keep: 32 MiB."""

MIN_BATCHES = 16
"""Steps that an epoch has at least, by smaller batches where the words are few."""

MIN_BATCH_SIZE = 256
"""Predictions below which batches are not made smaller: they would be too noisy."""

MAX_REPEATS = 100
"""Largest mean number of times that a pair of context and symbol comes in an epoch."""

MIN_WEIGHT = 1e-30
"""Weight beside others of 1 to 100, of which float32 still holds shares."""

VALIDATION_ROWS = 1 << 13
"""Contexts a batch when there is nothing to learn from it."""

VALIDATION_LOGITS = 1 << 24
"""Logits that such a batch may have, however large the alphabet: 64 MiB."""


class NextCounts:
    """Counts of the symbols that follow each of some contexts, as tensors.

    Parameters
    ----------
    rows : ndarray of shape (n_pairs,)
        Context of each pair of context and next symbol, in increasing order.

    symbols : ndarray of shape (n_pairs,)
        Next symbol of each pair.

    counts : ndarray of shape (n_pairs,)
        Weight of each pair, positive.

    n_contexts, n_symbols : int
        Number of contexts; each has a pair. Number of symbols V.

    device : str
        Where the tensors are kept.
    """

    def __init__(self, rows, symbols, counts, n_contexts, n_symbols, device):
        self.n_symbols = n_symbols
        self.symbols = torch.as_tensor(symbols, device=device)
        self.counts = torch.as_tensor(counts.astype("float32"), device=device)
        rows = torch.as_tensor(rows, device=device)
        self.n_pairs = torch.bincount(rows, minlength=n_contexts)
        self.first_pair = torch.cumsum(self.n_pairs, 0) - self.n_pairs
        self.totals = torch.zeros(n_contexts, device=device)
        self.totals.index_add_(0, rows, self.counts)
        self.table = None
        if n_contexts * n_symbols <= TABLE_CELLS:
            self.table = self._gathered(torch.arange(n_contexts, device=device))

    def __getitem__(self, rows):
        """Return the counts of all symbols after some contexts.

        Parameters
        ----------
        rows : Tensor of shape (B,)
            Indices of contexts.

        Returns
        -------
        counts : Tensor of shape (B, V)
            Weight of each next symbol.
        """
        return self._gathered(rows) if self.table is None else self.table[rows]

    def _gathered(self, rows):
        """Gather the counts after some contexts from the pairs."""
        n_pairs = self.n_pairs[rows]  # (B,)
        places = torch.repeat_interleave(n_pairs)  # (P,)
        starts = torch.cumsum(n_pairs, 0) - n_pairs
        within = torch.arange(len(places), device=places.device) - starts[places]
        pairs = self.first_pair[rows][places] + within
        counts = self.counts.new_zeros(len(rows), self.n_symbols)
        cells = places * self.n_symbols + self.symbols[pairs]
        counts.view(-1)[cells] = self.counts[pairs]
        return counts


class ContextDataset(Dataset):
    """Distinct contexts with the counts of their next symbols, as tensors.

    Parameters
    ----------
    context_counts : ContextCounts
        Contexts, and the weight of each pair of context and next symbol. Very small
        and very large weights are scaled, all by one factor.

    n_symbols : int
        Number of symbols V.

    device : str
        Where the tensors are kept.
    """

    def __init__(self, context_counts, n_symbols, device):
        self.n_symbols = n_symbols
        self.contexts = torch.as_tensor(
            context_counts.contexts.astype("int32"), device=device
        )
        counts = rescale_extreme_weights(context_counts.counts)
        self.total = float(counts.sum())
        self.next_counts = NextCounts(
            context_counts.rows,
            context_counts.symbols,
            counts,
            len(self),
            n_symbols,
            device,
        )
        self.totals = self.next_counts.totals

    def __len__(self):
        """Return the number of distinct contexts."""
        return len(self.contexts)

    def batches(self, batch_size, training, processes=SINGLE_PROCESS):
        """Return the batches of an epoch, of training or of validation."""
        return ContextBatches(self, batch_size, training, processes)


def rescale_extreme_weights(weights):
    """Scale weights, all by one factor, if they are very small or very large.

    Weights decide how long an epoch is: it should neither be a handful of steps nor a
    hundred times the same.

    Parameters
    ----------
    weights : ndarray of shape (n,)
        Positive weights.

    Returns
    -------
    weights : ndarray of shape (n,)
        The same with a mean from 1 to 100; none is 0.
    """
    # A power of two changes no digit, and sums near 1 neither overflow nor vanish.
    _, exponent = np.frexp(weights.max())
    weights = np.ldexp(weights, -exponent)
    mean = weights.mean()
    scale = np.clip(np.ldexp(mean, exponent), 1, MAX_REPEATS) / mean
    return np.maximum(weights * scale, MIN_WEIGHT)


class ContextBatches:
    """Batches of contexts and of the expected counts of their next symbols.

    A training batch stands for `batch_size` predictions. A context that occurs n times
    in the words comes n times in an epoch, evenly spread from a random start, each
    time with all its next symbols in their shares: what a plain shuffle of the
    predictions does, with less noise. Where it saves much work, a context comes not
    more often than there are batches, with its weight.

    Expected counts are divided by the predictions of a batch: the sum of
    ``-counts * log p`` estimates the mean negative log-likelihood, and its mean over
    the batches of an epoch is exactly that.

    Parameters
    ----------
    dataset : ContextDataset
        The contexts.

    batch_size : int or None
        Number of predictions a batch, see `number_of_batches`.

    training : bool
        Whether to learn from them. Without it every context comes once, in order, and
        `batch_size` is of no account.

    processes : SingleProcess, default=SINGLE_PROCESS
        The processes that share the rows of each batch.
    """

    def __init__(self, dataset, batch_size, training, processes=SINGLE_PROCESS):
        self.dataset = dataset
        self.training = training
        self.processes = processes
        if not training:
            self.repeats = torch.ones_like(dataset.totals, dtype=torch.long)
            n_rows = min(VALIDATION_ROWS, VALIDATION_LOGITS // dataset.n_symbols)
            self.n_batches = -(-len(dataset) // max(1, n_rows))
        else:
            n_batches = number_of_batches(dataset.total, batch_size)
            self.repeats = _repeats(dataset.totals, n_batches)
            n_rows = int(self.repeats.sum())
            self.n_batches = min(n_batches, n_rows)
            check_shared(n_rows // self.n_batches, processes)
        self.weights = dataset.totals / self.repeats  # (n_contexts,)
        self.is_even = bool((self.weights == self.weights[0]).all())

    def __len__(self):
        """Return the number of batches."""
        return self.n_batches

    def __iter__(self):
        """Yield the module's arguments, and expected counts (B, V), of each batch.

        The arguments are `ids` (B, T) and, unless they are all alike, `weights` (B,):
        how many predictions each row stands for.
        """
        dataset, scale = self.dataset, self.n_batches / self.dataset.total
        rows = spread(self.repeats) if self.training else torch.arange(len(dataset))
        rows = self.processes.broadcast(rows).to(dataset.totals.device)
        bounds = batch_bounds(len(rows), self.n_batches)
        if self.processes.count > 1:
            rows, bounds = shares(rows, bounds, self.processes)
        largest = bounds[1] + 1
        n_grouped = max(1, GROUP_CELLS // (largest * dataset.n_symbols))
        for first in range(0, self.n_batches, n_grouped):
            cuts = bounds[first : first + n_grouped + 1]
            group = rows[cuts[0] : cuts[-1]]
            ids = dataset.contexts[group]
            counts = dataset.next_counts[group] * (scale / self.repeats[group])[:, None]
            weights = None if self.is_even else self.weights[group]
            for start, stop in zip(cuts[:-1], cuts[1:], strict=True):
                part = slice(start - cuts[0], stop - cuts[0])
                inputs = {"ids": ids[part]}
                if weights is not None:
                    inputs["weights"] = weights[part]
                yield inputs, counts[part]


def number_of_batches(total, batch_size):
    """Return the steps of an epoch over `total` predictions.

    Parameters
    ----------
    total : float
        Number of predictions, weights included.

    batch_size : int or None
        Number of predictions a batch, fewer if there would be less than 16 batches, as
        long as they have 256; None takes all in one.

    Returns
    -------
    n_batches : int
        At least 1.
    """
    if batch_size is None:
        return 1
    size = min(batch_size, max(total / MIN_BATCHES, MIN_BATCH_SIZE))
    return max(1, round(total / size))


def spread(repeats):
    """Order the rows of an epoch, the repeats of each evenly from a random start.

    Parameters
    ----------
    repeats : Tensor of shape (n,)
        How often each row comes.

    Returns
    -------
    rows : Tensor of shape (n_drawn,)
        Row indices, drawn on the CPU: the same order on every device.
    """
    repeats = repeats.cpu()
    rows = torch.repeat_interleave(repeats)  # (n_drawn,)
    within = torch.arange(len(rows)) - (torch.cumsum(repeats, 0) - repeats)[rows]
    starts = torch.rand(len(repeats), dtype=torch.float64)
    return rows[torch.argsort((within + starts[rows]) / repeats[rows])]


def batch_bounds(n_rows, n_batches):
    """Cut rows into batches that differ by one row at most: n_batches + 1 bounds."""
    return [n_rows * batch // n_batches for batch in range(n_batches + 1)]


def shares(rows, bounds, processes):
    """Return this process's share of each batch.

    Parameters
    ----------
    rows : Tensor of shape (n_rows,)
        Rows of an epoch.

    bounds : list of int
        Where the batches begin and end.

    processes : SingleProcess
        The processes.

    Returns
    -------
    rows : Tensor of shape (n_rows / count,), about
        The rows of this process.

    bounds : list of int
        Where its shares of the batches begin and end.
    """
    parts = [
        share(rows[start:stop], processes.index, processes.count)
        for start, stop in pairwise(bounds)
    ]
    return torch.cat(parts), [0, *accumulate(map(len, parts))]


def check_shared(n_rows, processes):
    """Raise an error if a batch has too few rows for each process to have one."""
    if n_rows < processes.count:
        raise CollectiveError(
            f"A batch of {n_rows} distinct rows cannot be shared by {processes.count} "
            "processes: use a larger batch_size, or accelerate=False."
        )


def _repeats(totals, n_batches):
    """How often each context comes in an epoch."""
    repeats = totals.ceil().long().clamp(min=1)
    once_a_batch = repeats.clamp(max=n_batches)
    # Weighted rows cost batch normalisation more than torch's own kernel: they have to
    # save a fifth of the rows.
    saves = once_a_batch.sum() < 0.8 * repeats.sum()
    return once_a_batch if saves else repeats
