"""Muon: AdamW, except that steps of hidden matrices have equal singular values."""

from typing import Any

import torch
from torch import Tensor

MOMENTUM = 0.9
"""Factor of the mean of the gradients that a step keeps."""

STEP_SCALE = 0.4
"""Factor of the learning rate for hidden matrices. With it, one rate suits them and the
parameters that AdamW trains."""

NEWTON_SCHULZ = 3.4445, -4.7750, 2.0315
"""Coefficients of x, x**3 and x**5 in the polynomial that is iterated. It takes
singular values from 0.01 to 1 close to 1 in five iterations."""

N_ITERATIONS = 5


class Muon(torch.optim.AdamW):
    """Muon for the matrices of groups with ``hidden=True``, AdamW for all else.

    A step of a matrix is its momentum with singular values replaced by about 1. See K.
    Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024,
    https://kellerjordan.github.io/posts/muon/, and for the scale J. Liu et al., "Muon
    is Scalable for LLM Training", 2025, https://arxiv.org/abs/2502.16982.
    """

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Take a step; return the loss that `closure` computes, if it is given."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        matrices = [
            (parameter, parameter.grad, group)
            for group in self.param_groups
            if group.get("hidden")
            for parameter in group["params"]
            if parameter.ndim == 2 and parameter.grad is not None
        ]
        for parameter, _, _ in matrices:
            parameter.grad = None  # AdamW leaves these alone
        super().step()
        for parameter, grad, group in matrices:
            parameter.grad = grad
            self._step_of_matrix(parameter, grad, group)
        return loss

    def _step_of_matrix(self, matrix, grad, group):
        """Decay a matrix, and move it along its orthogonalized momentum."""
        state = self.state[matrix]
        if not state:
            state["step"] = torch.zeros(())  # AdamW expects it of every parameter
            state["momentum"] = torch.zeros_like(matrix)
        state["step"] += 1
        momentum = state["momentum"].mul_(MOMENTUM).add_(grad)
        direction = orthogonalized(grad.add(momentum, alpha=MOMENTUM))
        rate = group["lr"]
        matrix.mul_(1 - rate * group["weight_decay"])
        # The root mean square of an orthogonal matrix is the inverse of this root.
        matrix.add_(direction, alpha=-rate * STEP_SCALE * max(matrix.shape) ** 0.5)


def orthogonalized(matrix: Tensor) -> Tensor:
    """Return a matrix with the same singular vectors, and singular values near 1.

    The Newton-Schulz iteration ``X' = X (a + b G + c G @ G)`` with ``G = X.T @ X`` is
    computed for G alone, which is smaller, and X is multiplied once.
    """
    if matrix.shape[0] < matrix.shape[1]:
        return orthogonalized(matrix.T).T
    a, b, c = NEWTON_SCHULZ
    matrix = matrix / matrix.norm().clamp(min=torch.finfo(matrix.dtype).tiny)
    gram = matrix.T @ matrix
    product = torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
    for _ in range(N_ITERATIONS):
        factor = torch.addmm(gram, gram, gram, beta=b, alpha=c)
        factor.diagonal().add_(a)
        product = product @ factor
        gram = factor @ gram @ factor
    return matrix @ product
