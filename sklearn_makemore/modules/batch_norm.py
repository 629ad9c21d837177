"""Batch normalisation of weighted rows."""

import torch
from torch import Tensor, nn


class WeightedBatchNorm1d(nn.BatchNorm1d):
    """Batch normalisation of weighted rows.

    A row of weight w counts as w equal rows. Training on distinct rows with weights
    therefore gives the statistics of the batch with its repeats. Without weights this
    is `torch.nn.BatchNorm1d`, except that it accepts a batch of one row. With weights,
    only first derivatives exist, and none with respect to the weights.

    Examples
    --------
    >>> import torch
    >>> from sklearn_makemore.modules import WeightedBatchNorm1d
    >>> x = torch.tensor([[0.0], [3.0]])
    >>> norm = WeightedBatchNorm1d(1)
    >>> _ = norm(x, weights=torch.tensor([2.0, 1.0]))
    >>> norm.running_mean  # a tenth of the mean of 0, 0 and 3
    tensor([0.1000])
    """

    # torch allows None for these; here they always exist.
    running_mean: Tensor  # pyright: ignore[reportIncompatibleVariableOverride]
    running_var: Tensor  # pyright: ignore[reportIncompatibleVariableOverride]
    num_batches_tracked: Tensor  # pyright: ignore[reportIncompatibleVariableOverride]
    momentum: float  # pyright: ignore[reportIncompatibleVariableOverride]

    synchronized: bool = False
    """Whether the batch is distributed over the processes of `torch.distributed`. The
    statistics are then those of the rows of all processes."""

    # torch calls the rows `input`.
    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, x: Tensor, weights: Tensor | None = None
    ) -> Tensor:
        """Normalise the channels.

        Parameters
        ----------
        x : Tensor of shape (B, C)
            Rows.

        weights : Tensor of shape (B,), default=None
            Number of rows that each row represents. None counts every row once. Ignored
            in evaluation mode.

        Returns
        -------
        x : Tensor of shape (B, C)
            Normalised rows.
        """
        if not self.training:
            return super().forward(x)  # (B, C)
        if weights is None:
            if len(x) > 1 and not self.synchronized:
                return super().forward(x)  # (B, C)
            weights = x.new_ones(len(x))  # (B,)
        weights = weights.to(x.dtype)  # (B,)
        total = self._sum_over_processes(weights.sum())  # ()
        x, mean, var = _NormalizeWeighted.apply(
            x,
            self.weight,
            self.bias,
            weights / total,
            self.eps,
            self._sum_over_processes,
        )  # (B, C), (C,), (C,)
        self._update_running_statistics(mean, var, total)
        return x

    @torch.no_grad()
    def _update_running_statistics(self, mean, var, total):
        """Move the running statistics towards a batch's mean and variance (C,)."""
        self.num_batches_tracked.add_(1)
        self.running_mean.lerp_(mean, self.momentum)  # (C,)
        # Like torch, keep the unbiased variance.
        unbiased = var * (total / (total - 1).clamp(min=1))  # (C,)
        self.running_var.lerp_(unbiased, self.momentum)  # (C,)

    def _sum_over_processes(self, part):
        """Return the sum of a tensor over all processes that share the batch."""
        if self.synchronized:
            torch.distributed.all_reduce(part)
        return part


class _NormalizeWeighted(torch.autograd.Function):
    """Batch normalisation of weighted rows, with a hand-written gradient.

    A training step of networks with batch normalisation takes 2 to 15 % less time than
    with torch's autograd, see docs/benchmarks/README.md.
    """

    @staticmethod
    def forward(ctx, x, weight, bias, shares, eps, sum_over_processes):
        """Normalise rows (B, C) whose shares (B,) sum to one over the batch.

        Return the rows, and their mean and variance (C,), which have no gradient.
        """
        ctx.sum_over_processes = sum_over_processes
        mean = sum_over_processes(shares @ x)  # (C,)
        normalized = x - mean  # (B, C)
        var = sum_over_processes(shares @ normalized.square())  # (C,)
        scale = torch.rsqrt(var + eps)  # (C,)
        normalized *= scale  # (B, C)
        ctx.save_for_backward(normalized, weight, scale, shares)
        ctx.mark_non_differentiable(mean, var)
        return torch.addcmul(bias, normalized, weight), mean, var

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, *gradients):  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return the gradients of the rows, the weight and the bias.

        ``dx = weight * scale * (dy - share * (dbias + normalized * dweight))``: the
        mean and the variance pass every row's gradient on to all rows, by their shares.
        """
        dy = gradients[0]  # (B, C)
        normalized, weight, scale, shares = ctx.saved_tensors
        sums = torch.stack([dy.sum(0), (dy * normalized).sum(0)])  # (2, C)
        # The training loop sums the processes' gradients later; dx needs the sums now.
        dbias, dweight = sums.clone()  # (C,) each
        all_dbias, all_dweight = ctx.sum_over_processes(sums)  # (C,) each
        common = torch.addcmul(all_dbias, normalized, all_dweight)  # (B, C)
        dx = torch.addcmul(dy, common, shares[:, None], value=-1)  # (B, C)
        return dx.mul_(weight * scale), dweight, dbias, None, None, None
