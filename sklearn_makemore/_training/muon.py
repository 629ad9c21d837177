"""Muon: AdamW, except that steps of hidden matrices have equal singular values."""

from collections import defaultdict
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
        for parameter, grad, _ in matrices:
            parameter.grad = grad
        directions = orthogonalized(
            [self._momentum_of(parameter, grad) for parameter, grad, _ in matrices]
        )
        for (matrix, _, group), direction in zip(matrices, directions, strict=True):
            rate = group["lr"]
            matrix.mul_(1 - rate * group["weight_decay"])
            # The root mean square of an orthogonal matrix is the inverse of this root.
            size = max(matrix.shape) ** 0.5
            matrix.add_(direction, alpha=-rate * STEP_SCALE * size)
        return loss

    def _momentum_of(self, matrix, grad):
        """Return Nesterov's momentum of a matrix after one more gradient."""
        state = self.state[matrix]
        if not state:
            state["step"] = torch.zeros(())  # AdamW expects it of every parameter
            state["momentum"] = torch.zeros_like(matrix)
        state["step"] += 1
        momentum = state["momentum"].mul_(MOMENTUM).add_(grad)
        return grad.add(momentum, alpha=MOMENTUM)


def orthogonalized(matrices: list[Tensor]) -> list[Tensor]:
    """Return matrices with the same singular vectors, and singular values near 1.

    The Newton-Schulz iteration ``X' = X (a + b G + c G @ G)`` with ``G = X.T @ X`` is
    computed for G alone, which is smaller, and X is multiplied once. Matrices whose G
    have the same size share the products.
    """
    tall = [one if one.shape[0] >= one.shape[1] else one.T for one in matrices]
    tall = [one / one.norm().clamp(min=torch.finfo(one.dtype).tiny) for one in tall]
    by_size = defaultdict(list)
    for place, matrix in enumerate(tall):
        by_size[matrix.shape[1]].append(place)
    for places in by_size.values():
        grams = torch.stack([tall[place].T @ tall[place] for place in places])
        for place, product in zip(places, newton_schulz(grams), strict=True):
            tall[place] = tall[place] @ product
    pairs = zip(matrices, tall, strict=True)
    return [new if new.shape == one.shape else new.T for one, new in pairs]


def newton_schulz(gram: Tensor) -> Tensor:
    """Return what an X is multiplied with, given ``X.T @ X``, (n, d, d) each.

    All factors are polynomials of the same matrix, so they commute.
    """
    product = factor = newton_schulz_factor(gram)
    for _ in range(N_ITERATIONS - 1):
        gram = gram @ factor @ factor
        factor = newton_schulz_factor(gram)
        product = product @ factor
    return product


def newton_schulz_factor(gram: Tensor) -> Tensor:
    """Return ``a + b G + c G @ G``, (n, d, d)."""
    a, b, c = NEWTON_SCHULZ
    factor = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
    factor.diagonal(dim1=1, dim2=2).add_(a)
    return factor
