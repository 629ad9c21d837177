"""Batch normalisation of rows that stand for more than one."""

import torch
from torch import nn


class WeightedBatchNorm1d(nn.BatchNorm1d):
    """Batch normalisation whose rows have weights.

    A row of weight w counts as w equal rows: training on distinct rows with weights
    gives the statistics of the batch with its repeats. Without weights it is torch's
    own layer, but for a batch of one row, which has no variance and is accepted.

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
            if len(x) > 1:
                return super().forward(x)
            weights = x.new_ones(1)
        weights = weights.to(x.dtype)
        total = weights.sum()
        mean = (weights / total) @ x  # (C,)
        centered = x - mean  # (B, C)
        var = (weights / total) @ centered.square()  # (C,)
        with torch.no_grad():
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, self.momentum)
            # The running variance is the unbiased one, as torch has it.
            unbiased = var * (total / (total - 1).clamp(min=1))
            self.running_var.lerp_(unbiased, self.momentum)
        return centered * (self.weight * torch.rsqrt(var + self.eps)) + self.bias
