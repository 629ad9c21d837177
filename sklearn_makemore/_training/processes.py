"""The processes that train one network: this one alone, or several launched ones."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import torch
from joblib.parallel import get_active_backend
from torch import Tensor, zeros_like
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from .._sklearn import import_extra
from ..modules import WeightedBatchNorm1d
from .device import resolve_device, seed_generators


class CollectiveError(ValueError):
    """An error that all processes raise together, so that they can train again."""


class SingleProcess:
    """Training in this process alone, and the interface of training in several."""

    index, count = 0, 1
    device: str | None = None
    """The device this process must use; None leaves the choice to `device`."""

    @contextmanager
    def training(self, net, seed: int) -> Iterator[None]:
        """Train a net in all processes inside the block; the seed is for dropout."""
        yield

    def broadcast(self, value):
        """Return the first process's value in all processes."""
        return value

    def all_gather(self, value) -> list:
        """Return the values of all processes as a list."""
        return [value]

    def all_reduce(self, tensor: Tensor) -> Tensor:
        """Return the sum of the tensors of all processes."""
        return tensor

    def share(self, rows: Tensor, bounds: list[int]) -> tuple[Tensor, list[int]]:
        """Return this process's rows of each batch, and the bounds of these shares.

        rows : (n_rows,) int64, the rows of an epoch
        bounds : n_batches + 1 numbers, where the batches begin and end
        """
        return rows, bounds

    def backward(self, loss: Tensor, parameters: list[Tensor]) -> None:
        """Compute the gradients of the sum of the losses of all processes."""
        loss.backward()

    def begin_epoch(self, n_done: int) -> None:
        """Prepare for an epoch after `n_done` others."""

    @contextmanager
    def together(self) -> Iterator[None]:
        """Leave the other processes if the block raises an error in this one only."""
        try:
            yield
        except CollectiveError:
            raise
        except BaseException:
            self._leave()
            raise

    def _leave(self) -> None:
        """Stop working with the other processes."""


SINGLE_PROCESS = SingleProcess()


class MultipleProcesses(SingleProcess):
    """Training in all the processes that a launcher has started, by accelerate.

    Every process has all words and computes its share of the rows of each batch.
    Gradients are summed, batch normalization uses the statistics of the whole batch,
    and the first process decides what is random. The result is that of one process up
    to rounding. With dropout the masks differ, and from the second epoch on the order
    of the rows, which is drawn after them.
    """

    def __init__(self, cpu: bool):
        self.accelerator: Any = _accelerator(cpu)
        self.index = self.accelerator.process_index
        self.count = self.accelerator.num_processes
        if self.count > 1 and not torch.distributed.is_initialized():
            raise RuntimeError(
                "The processes are no longer connected, after an error in one of them; "
                "start them again."
            )
        device = self.accelerator.device
        # A tensor on "cpu:0" cannot be unpickled.
        self.device = "cpu" if device.type == "cpu" else str(device)

    @contextmanager
    def training(self, net, seed):
        self.seed = seed
        parts = net.module_.modules()
        norms = [part for part in parts if isinstance(part, WeightedBatchNorm1d)]
        for norm in norms:
            norm.synchronized = self.count > 1
        try:
            yield
        finally:
            for norm in norms:
                norm.synchronized = False

    def broadcast(self, value):
        if isinstance(value, Tensor):
            value = value.to(self.device)
            return self.all_reduce(value if self.index == 0 else zeros_like(value))
        return self.all_gather(value)[0]

    def all_gather(self, value):
        if self.count == 1:
            return [value]
        values = [None] * self.count
        torch.distributed.all_gather_object(values, value)
        return values

    def all_reduce(self, tensor):
        return self.accelerator.reduce(tensor, "sum")

    def share(self, rows, bounds):
        if self.count == 1:
            return rows, bounds
        rows = self.broadcast(rows)
        # Sorted, so that each process gets words with many prefixes in common.
        batches = [rows[start:stop].sort().values for start, stop in pairwise(bounds)]
        smallest = min(map(len, batches))
        if smallest < self.count:
            raise CollectiveError(
                f"A batch of {smallest} distinct rows cannot be shared by {self.count} "
                "processes: use a larger batch_size, or accelerate=False."
            )
        parts = [batch.tensor_split(self.count)[self.index] for batch in batches]
        return torch.cat(parts), [0, *accumulate(map(len, parts))]

    def backward(self, loss, parameters):
        loss.backward()
        gradients = [each.grad for each in parameters if each.grad is not None]
        vector_to_parameters(
            self.all_reduce(parameters_to_vector(gradients)), gradients
        )

    def begin_epoch(self, n_done):
        # The first process draws as one process alone would. The seed follows from the
        # epoch, so that a resumed training repeats it.
        if self.index:
            rng = np.random.RandomState([self.seed, n_done, self.index])
            seed_generators(int(rng.randint(2**31)), self.device or "cpu")

    def _leave(self):
        # The others fail when this process ends, or sooner.
        if self.count > 1:
            torch.distributed.destroy_process_group()


def join_processes(accelerate: bool, device: str) -> SingleProcess:
    """Return the launched processes if `accelerate`, or else this process alone."""
    if not accelerate:
        return SINGLE_PROCESS
    if device not in ("auto", "cpu"):
        raise ValueError(
            f"device={device!r} is one device, and each of several processes needs "
            "its own; with accelerate=True use device='auto' or 'cpu'."
        )
    # Without a GPU that accelerate knows, it joins no processes unless cpu=True.
    return MultipleProcesses(cpu=resolve_device(device) != "cuda")


def _accelerator(cpu):
    """Return accelerate's object that joins the launched processes."""
    n_launched = int(os.environ.get("WORLD_SIZE", 1))
    backend: Any = get_active_backend()[0]
    if n_launched > 1 and backend.nesting_level:
        raise RuntimeError(
            "accelerate=True cannot be used in a process or thread that joblib has "
            "started; use n_jobs=None, or accelerate=False."
        )
    # The data and the net are on their device already.
    accelerate = import_extra("accelerate", "accelerate=True")
    accelerator = accelerate.Accelerator(cpu=cpu, device_placement=False)
    if accelerator.num_processes != n_launched:
        raise RuntimeError(
            f"The launcher has started {n_launched} processes, and accelerate trains "
            f"in {accelerator.num_processes}: it was used before without joining them. "
            "On CPUs the script's own PartialState or Accelerator needs cpu=True."
        )
    return accelerator
