"""The processes that train a network: this one alone, or several that are one."""

import os
from contextlib import contextmanager

import numpy as np
import torch
from joblib.parallel import get_active_backend

from ..modules import WeightedBatchNorm1d


class CollectiveError(ValueError):
    """An error that comes to all processes alike: they stay together."""


class SingleProcess:
    """Training in this process alone."""

    index, count = 0, 1
    device = None
    """Where it must compute; None leaves that to others."""

    @contextmanager
    def training(self, net, seed):
        """Train a net inside the block.

        Parameters
        ----------
        net : CharNet
            Initialised net.

        seed : int
            What decides about dropout where it is not the first process.

        Yields
        ------
        module : torch.nn.Module
            Computes the logits of this process's share.

        optimizer : torch.optim.Optimizer
            Takes the steps.
        """
        yield net.module_, net.optimizer_

    def broadcast(self, value):
        """Return the first process's value in all of them."""
        return value

    def all_gather(self, value):
        """Return the values of all processes as a list, in each of them."""
        return [value]

    def all_reduce(self, tensor):
        """Return the sum of all processes' tensors in each of them."""
        return tensor

    def backward(self, loss):
        """Compute the gradients of the sum of all processes' losses."""
        loss.backward()

    def begin_epoch(self, n_done):
        """Prepare for an epoch, after some that are done."""

    @contextmanager
    def together(self):
        """Leave the others at an error in the block that they know nothing of."""
        try:
            yield
        except CollectiveError:
            raise
        except BaseException:
            self._leave()
            raise

    def _leave(self):
        """Take no further part in the work of the others."""


SINGLE_PROCESS = SingleProcess()


class MultipleProcesses(SingleProcess):
    """Training in all the processes that a launcher has started, by accelerate.

    Every process has all the words and computes its share of the rows of each batch.
    The gradients are summed, the statistics of batch normalisation are those of the
    whole batch, and what is random is decided by the first process, so that this is
    the training of one process, but for rounding; with dropout its masks are others,
    and from the second epoch on the order of the rows, which is drawn after them.

    Parameters
    ----------
    cpu : bool
        Whether to compute on the CPU where there is a GPU.
    """

    def __init__(self, cpu):
        self.accelerator = _accelerator(cpu)
        self.index = self.accelerator.process_index
        self.count = self.accelerator.num_processes
        if self.count > 1 and not torch.distributed.is_initialized():
            raise RuntimeError(
                "The processes have parted after an error in one of them; start them "
                "again."
            )
        device = self.accelerator.device
        # "cpu:0" is how a tensor would be pickled, and no unpickler knows that place.
        self.device = "cpu" if device.type == "cpu" else str(device)

    @contextmanager
    def training(self, net, seed):
        """Train a net inside the block; it stays what it is, a net of one process."""
        self.seed = seed
        norms = [
            part
            for part in net.module_.modules()
            if isinstance(part, WeightedBatchNorm1d)
        ]
        module, optimizer = self.accelerator.prepare(net.module_, net.optimizer_)
        for norm in norms:
            norm.synchronized = self.count > 1
        try:
            yield module, optimizer
        finally:
            for norm in norms:
                norm.synchronized = False
            # What mixed precision did to the module is undone.
            self.accelerator.unwrap_model(module, keep_fp32_wrapper=False)
            self.accelerator.free_memory()

    def broadcast(self, value):
        """Return the first process's value in all of them."""
        if isinstance(value, torch.Tensor):
            value = value.to(self.device)
            return self.accelerator.reduce(
                value if self.index == 0 else torch.zeros_like(value), "sum"
            )
        return self.all_gather(value)[0]

    def all_gather(self, value):
        """Return the values of all processes as a list, in each of them."""
        if self.count == 1:
            return [value]
        values = [None] * self.count
        torch.distributed.all_gather_object(values, value)
        return values

    def all_reduce(self, tensor):
        """Return the sum of all processes' tensors in each of them."""
        return self.accelerator.reduce(tensor, "sum")

    def backward(self, loss):
        """Compute the gradients of the sum of all processes' losses."""
        # Gradients are averaged over the processes, and over the steps for which the
        # launcher may ask accelerate to accumulate them: here a step is one batch.
        n_steps = self.accelerator.gradient_accumulation_steps
        self.accelerator.backward(loss * (self.count * n_steps))

    def begin_epoch(self, n_done):
        """Give every process but the first random numbers of its own.

        The first has those that one process alone would have. The others' follow from
        the epoch, so that a training that goes on from a checkpoint has them again.
        """
        if self.index:
            rng = np.random.RandomState([self.seed, n_done, self.index])
            torch.manual_seed(int(rng.randint(2**31)))

    def _leave(self):
        """Take no further part; the others fail when this process ends, if not now."""
        if self.count > 1:
            torch.distributed.destroy_process_group()


def share(rows, index, count):
    """Return one process's share of the rows of a batch.

    Parameters
    ----------
    rows : Tensor of shape (B,)
        Rows of a batch.

    index, count : int
        Which process it is, and how many there are.

    Returns
    -------
    rows : Tensor of shape (B / count,), about
        Some of them, next to each other.

    Examples
    --------
    >>> import torch
    >>> from sklearn_makemore._training.processes import share
    >>> [share(torch.arange(5), index, 2).tolist() for index in range(2)]
    [[0, 1], [2, 3, 4]]
    """
    return rows[len(rows) * index // count : len(rows) * (index + 1) // count]


def _accelerator(cpu):
    """Return what joins the processes, an optional dependency.

    Raises
    ------
    ImportError
        If accelerate is not installed.
    RuntimeError
        If it would join other processes than those that were launched.
    """
    n_launched = int(os.environ.get("WORLD_SIZE", 1))
    if n_launched > 1 and get_active_backend()[0].nesting_level:
        raise RuntimeError(
            "A process or thread of joblib cannot take the place of the launched "
            "process that it was started by; use n_jobs=None, or accelerate=False."
        )
    try:
        from accelerate import Accelerator
    except ImportError as error:
        raise ImportError(
            "accelerate=True needs the package accelerate; install it with "
            'pip install "sklearn-makemore[distributed]".'
        ) from error
    # The data and the net are put in their place before.
    accelerator = Accelerator(cpu=cpu, device_placement=False)
    if accelerator.num_processes != n_launched:
        raise RuntimeError(
            f"The launcher has started {n_launched} processes, and accelerate trains "
            f"in {accelerator.num_processes}: it was used before without joining them. "
            "On CPUs the script's own PartialState or Accelerator needs cpu=True."
        )
    return accelerator
