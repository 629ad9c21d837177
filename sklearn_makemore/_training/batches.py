"""Batches of an epoch: rows repeated by weight and spread evenly.

A training batch represents about `batch_size` predictions. A row that occurs n times in
the words occurs n times in an epoch, evenly spread from a random start. Its target is
each time the distribution of all its next symbols. A plain shuffle of the predictions
has the same expectation and more noise. Rows that are repeated less often than they
occur have weights.

Expected counts are divided by the predictions of a batch. The sum of
``-counts * log p`` estimates the mean negative log-likelihood per character, and its
mean over the batches of an epoch equals it.
"""

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import Dataset

from .processes import SINGLE_PROCESS, SingleProcess

MAX_TABLE_CELLS = 1 << 23
"""Largest table of all contexts and symbols to keep: 32 MiB."""

MIN_BATCHES = 32
"""Smallest number of steps of an epoch. Short lists get smaller batches."""

MIN_LABELLED_BATCH_SIZE = 256
"""Number of predictions to which batches are reduced for as many steps per label."""

MIN_BATCH_SIZE = 32
"""Smallest number of predictions to which batches are reduced if a new network learns.
More steps need the weight decay that short lists have."""

MIN_CONTINUED_BATCH_SIZE = 256
"""The same if training continues. A network forgets less in fewer steps."""

MAX_REPEATS = 100
"""Largest mean number of times that a pair of context and symbol occurs in an epoch."""

MIN_WEIGHT = 1e-30
"""Smallest weight if the mean is from 1 to 100. float32 still holds fractions of it."""

MAX_VALIDATION_LOGITS = 1 << 24
"""Logits of a validation batch, however large the alphabet: 64 MiB."""


class WeightedDataset(Dataset):
    """Distinct rows with weights, and the counts of the symbols that follow them.

    total : number of predictions, weights included
    n_labels : the labels for which there may be smaller batches
    weights : (n_rows,) float32
    """

    total: float
    n_labels: int = 1
    weights: Tensor
    next_counts: "NextCounts"

    def __len__(self):
        return len(self.weights)

    def batches(
        self,
        batch_size: int | None,
        training: bool,
        processes: SingleProcess = SINGLE_PROCESS,
        min_size: int = MIN_CONTINUED_BATCH_SIZE,
    ) -> "Batches":
        """Return the batches of an epoch, of training or of validation.

        min_size : predictions below which short lists do not reduce `batch_size`
        """
        sizes = batch_size, min_size, self.n_labels
        n_batches = number_of_batches(self.total, *sizes)
        return Batches(self, n_batches, training, processes)

    def _validation_size(self, most):
        """Return how many contexts with their logits a validation batch may have."""
        return max(1, min(most, MAX_VALIDATION_LOGITS // self.next_counts.n_symbols))

    @abstractmethod
    def _repeats(self, n_batches: int) -> Tensor:
        """Return how often each row comes in an epoch of `n_batches`, (n_rows,)."""

    @abstractmethod
    def _validation_bounds(self) -> list[int]:
        """Return the bounds of the batches of all rows in order, for validation."""

    @abstractmethod
    def _load(
        self, rows: Tensor, bounds: list[int], repeats: Tensor, scale: float
    ) -> Iterator[tuple[dict[str, Any], Tensor]]:
        """Yield the module's keyword arguments and expected counts (B, V) of batches.

        The counts are those of the words times `scale`, divided by `repeats`.
        """


class Batches(Dataset):
    """Batches of one epoch; each iteration is another epoch.

    Without `training` every row comes once, in order, and `n_batches` is ignored.
    """

    def __init__(self, dataset: WeightedDataset, n_batches, training, processes):
        self.dataset = dataset
        self.training = training
        self.processes = processes
        if training:
            self.repeats = dataset._repeats(n_batches)
            n_rows = int(self.repeats.sum())
            self.bounds = batch_bounds(n_rows, min(n_batches, n_rows))
        else:
            self.repeats = torch.ones_like(dataset.weights, dtype=torch.long)
            self.bounds = dataset._validation_bounds()

    def __len__(self):
        return len(self.bounds) - 1

    def __iter__(self):
        dataset, scale = self.dataset, len(self) / self.dataset.total
        rows = spread(self.repeats) if self.training else torch.arange(len(dataset))
        rows, bounds = self.processes.share(rows, self.bounds)
        rows = rows.to(self.repeats.device)
        yield from dataset._load(rows, bounds, self.repeats, scale)


class NextCounts:
    """Weights of the symbols that follow each of some contexts, as tensors.

    rows, symbols, counts : (n_pairs,) context, next symbol and positive weight of each
        pair, by increasing context; each context has a pair
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
        if n_contexts * n_symbols <= MAX_TABLE_CELLS:
            self.table = self._gathered(torch.arange(n_contexts, device=device))

    def __getitem__(self, rows: Tensor) -> Tensor:
        """Return the weights (B, V) of all symbols after some contexts, (B,)."""
        return self._gathered(rows) if self.table is None else self.table[rows]

    def mix(self, predicted: Tensor, share: float) -> None:
        """Replace a share of the weights of every context by other weights.

        predicted : (n_contexts, n_symbols), with the same total in every row; it is
            overwritten
        """
        rows = torch.repeat_interleave(self.n_pairs)  # (n_pairs,)
        cells = rows * self.n_symbols + self.symbols
        self.table = predicted.mul_(share)
        self.table.view(-1).index_add_(0, cells, self.counts, alpha=1 - share)

    def _gathered(self, rows):
        """Gather the weights after some contexts from the pairs."""
        n_pairs = self.n_pairs[rows]  # (B,)
        places = torch.repeat_interleave(n_pairs)  # (P,)
        starts = torch.cumsum(n_pairs, 0) - n_pairs
        within = torch.arange(len(places), device=places.device) - starts[places]
        pairs = self.first_pair[rows][places] + within
        counts = self.counts.new_zeros(len(rows), self.n_symbols)
        cells = places * self.n_symbols + self.symbols[pairs]
        counts.view(-1)[cells] = self.counts[pairs]
        return counts


def rescale_extreme_weights(weights: np.ndarray) -> np.ndarray:
    """Scale weights by one factor so that their mean is from 1 to 100, and none is 0.

    Weights determine the length of an epoch. The scaled weights avoid epochs of a few
    steps, and epochs that repeat every row a hundred times.
    """
    # A power of two changes no digit, and sums near 1 neither overflow nor underflow.
    _, exponent = np.frexp(weights.max())
    weights = np.ldexp(weights, -exponent)
    mean = weights.mean()
    scale = np.clip(np.ldexp(mean, exponent), 1, MAX_REPEATS) / mean
    return np.maximum(weights * scale, MIN_WEIGHT)


def number_of_batches(
    total: float, batch_size: int | None, min_size: int, n_labels: int = 1
) -> int:
    """Return the steps of an epoch over `total` predictions, weights included.

    Batches are smaller than `batch_size` if there would be fewer than MIN_BATCHES, but
    have at least `min_size` predictions. Each label needs as many steps, but not in
    batches below MIN_LABELLED_BATCH_SIZE. None puts all predictions in one batch.
    """
    if batch_size is None:
        return 1
    size = min(batch_size, max(total / MIN_BATCHES, min_size))
    size = min(size, max(total / MIN_BATCHES / n_labels, MIN_LABELLED_BATCH_SIZE))
    return max(1, round(total / size))


def spread(repeats: Tensor) -> Tensor:
    """Return the rows of an epoch, the repeats of each evenly from a random start.

    repeats : (n,) int64
    rows : (n_drawn,) int64, drawn on the CPU: the same order on every device
    """
    repeats = repeats.cpu()
    rows = torch.repeat_interleave(repeats)  # (n_drawn,)
    within = torch.arange(len(rows)) - (torch.cumsum(repeats, 0) - repeats)[rows]
    starts = torch.rand(len(repeats), dtype=torch.float64)
    return rows[torch.argsort((within + starts[rows]) / repeats[rows])]


def batch_bounds(n_rows: int, n_batches: int) -> list[int]:
    """Return the bounds of batches whose sizes differ by one row at most."""
    return [n_rows * batch // n_batches for batch in range(n_batches + 1)]


def expected_loss(logits: Tensor, counts: Tensor) -> Tensor:
    """Return the cross-entropy of expected counts, both (n, V): a sum over the rows."""
    return F.cross_entropy(logits, counts, reduction="sum")
