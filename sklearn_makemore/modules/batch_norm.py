"""Batch normalisation of rows that stand for more than one."""

import torch
from torch import nn


class WeightedBatchNorm1d(nn.BatchNorm1d):
    """Batch normalisation whose rows have weights.

    A row of weight w counts as w equal rows: training on distinct rows with weights
    gives the statistics of the batch with its repeats. Without weights it is torch's
    own layer, but for a batch of one row, which has no variance and is accepted. With
    weights it can be differentiated once, and not by the weights.

    Examples
    --------
    >>> import torch
    >>> from sklearn_makemore.modules import WeightedBatchNorm1d
    >>> x = torch.tensor([[0.0], [3.0]])
    >>> norm = WeightedBatchNorm1d(1)
    >>> _ = norm(x, weights=torch.tensor([2.0, 1.0]))
    >>> norm.running_mean  # a tenth of the batch's mean of 0, 0 and 3
    tensor([0.1000])
    """

    synchronized = False
    """Whether a batch is shared by the processes of `torch.distributed`, each of which
    has some of its rows: its statistics are then those of all of them."""

    def forward(self, x, weights=None):
        """Normalise the channels.

        Parameters
        ----------
        x : Tensor of shape (B, C)
            Rows.

        weights : Tensor of shape (B,), default=None
            How many rows each row stands for; None counts each once. Of no account
            in evaluation mode.

        Returns
        -------
        x : Tensor of shape (B, C)
            Normalised rows.
        """
        if not self.training:
            return super().forward(x)
        if weights is None:
            if len(x) > 1 and not self.synchronized:
                return super().forward(x)
            weights = x.new_ones(len(x))
        weights = weights.to(x.dtype)
        total = self._whole(weights.sum())
        x, mean, var = _NormalizeWeighted.apply(
            x, self.weight, self.bias, weights / total, self.eps, self._whole
        )
        with torch.no_grad():
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, self.momentum)
            # The running variance is the unbiased one, as torch has it.
            unbiased = var * (total / (total - 1).clamp(min=1))
            self.running_var.lerp_(unbiased, self.momentum)
        return x

    def _whole(self, part):
        """Return what comes of the whole batch, from what comes of the rows here."""
        if self.synchronized:
            torch.distributed.all_reduce(part)
        return part


class _NormalizeWeighted(torch.autograd.Function):
    """Batch normalisation of rows with shares, in half the time of torch's autograd."""

    @staticmethod
    def forward(ctx, x, weight, bias, shares, eps, whole):
        """Normalise rows (B, C) with shares (B,) that sum to one over the batch.

        Returns the rows, and their mean and variance (C,), which have no gradient.
        """
        ctx.whole = whole
        mean = whole(shares @ x)  # (C,)
        normalized = x - mean  # (B, C)
        var = whole(shares @ normalized.square())  # (C,)
        scale = torch.rsqrt(var + eps)
        normalized *= scale
        ctx.save_for_backward(normalized, weight, scale, shares)
        ctx.mark_non_differentiable(mean, var)
        return torch.addcmul(bias, normalized, weight), mean, var

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, dy, *_):
        """Return the gradients of rows, weight and bias.

        The mean and the variance take from every row, in its share, what the rows have
        in common: ``dx = weight * scale * (dy - share * (dbias + normalized *
        dweight))``.
        """
        normalized, weight, scale, shares = ctx.saved_tensors
        here = torch.stack([dy.sum(0), (dy * normalized).sum(0)])  # (2, C)
        dbias, dweight = here.clone()  # the processes' gradients are summed later
        whole_dbias, whole_dweight = ctx.whole(here)
        common = torch.addcmul(whole_dbias, normalized, whole_dweight)  # (B, C)
        dx = torch.addcmul(dy, common, shares[:, None], value=-1)
        return dx.mul_(weight * scale), dweight, dbias, None, None, None
