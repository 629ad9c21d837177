"""Expectation maximisation: the weights of a mixture."""

import numpy as np

from .._words.types import Floats

EM_GAP = 1e-10
"""The log-likelihood ends this close to its maximum, in nats per character."""

MAX_EM_STEPS = 10_000
"""Largest number of steps. More are needed only if the members are so similar that
their weights hardly matter."""

NEGLIGIBLE = 1e-6
"""Weights below it become zero if that does not make the held-out words less likely."""


def em_weights(log_proba: Floats, counts: Floats) -> Floats:
    """Find the weights of a mixture that make some observations most likely.

    Expectation maximisation from equal weights. A step replaces each weight by the mean
    share of the member in the probability of the observations: the weight times `gain`,
    the gradient of the log-likelihood. The log-likelihood is concave, so no mixture is
    better by more than ``max(gain) - 1`` nats per observation. Larger steps,
    ``gain ** stride``, are tried while they are better [1]_.

    log_proba : (n_members, n_observations), ``-inf`` where impossible
    counts : (n_observations,), positive weights of the observations
    weights : (n_members,), which sum to one; no member alone is better than the mixture

    References
    ----------
    .. [1] R. Salakhutdinov, S. Roweis, "Adaptive overrelaxed bound optimization
       methods", ICML 2003.

    >>> em_weights(np.log([[0.8, 0.1, 0.1], [0.2, 0.9, 0.4]]), np.ones(3)).round(3)
    array([0.184, 0.816])
    """
    n_members = len(log_proba)
    best = log_proba.max(axis=0)
    possible = best > -np.inf  # the weights do not affect the others
    if not possible.any():
        return np.full(n_members, 1 / n_members)
    ratios = np.exp(log_proba[:, possible] - best[possible])  # the largest is 1
    shares = counts[possible] / counts[possible].sum()
    weights, reached, stride = np.full(n_members, 1 / n_members), -np.inf, 1.0
    for _ in range(MAX_EM_STEPS):
        gain = np.sum(ratios * (shares / _mixed(weights, ratios)), axis=1)
        if gain.max() - 1 <= EM_GAP:
            break
        # A stride of 1 is the step of EM, which is never worse; larger ones save steps.
        moved = normalized(weights * gain**stride)
        found = _log_likelihood(moved, ratios, shares)
        if found > reached:
            weights, reached, stride = moved, found, 2 * stride
        elif stride > 1:
            stride = max(1.0, stride / 4)
        else:
            break  # the differences are rounding errors
    # At a border maximum some weights are zero, which the steps only approach.
    large = normalized(np.where(weights < NEGLIGIBLE, 0, weights))
    candidates = [large, weights, *np.eye(n_members)]
    return max(candidates, key=lambda tried: _log_likelihood(tried, ratios, shares))


def normalized(weights: Floats) -> Floats:
    """Divide weights by their sum."""
    return weights / weights.sum()


def _mixed(weights: Floats, ratios: Floats) -> Floats:
    """Mix probabilities; weights : (n_members,), ratios : (n_members, n)."""
    # Not a matrix product: its sums depend on the number of threads of the BLAS.
    return (weights[:, np.newaxis] * ratios).sum(axis=0)


def _log_likelihood(weights: Floats, ratios: Floats, shares: Floats) -> float:
    """Compute the mean log-likelihood, up to a constant; shares : (n,)."""
    with np.errstate(divide="ignore"):
        return float(np.sum(shares * np.log(_mixed(weights, ratios))))
