"""Expectation maximisation: the weights of a mixture."""

import numpy as np

EM_GAP = 1e-10
"""How far below the best mixture's the log-likelihood may stay, in nats a character."""

EM_STEPS = 10_000
"""Most steps, for members so alike that their weights hardly matter."""

NEGLIGIBLE = 1e-6
"""Weights below it become zero if the held-out words are not less likely then."""


def em_weights(log_proba, counts):
    """Find the weights of a mixture that make some observations most likely.

    Expectation maximisation from equal weights: a weight becomes the mean share of the
    member in the probability of the observations, which is the weight times `gain`, the
    gradient of the log-likelihood. This is concave, so that no mixture is better by
    more than ``max(gain) - 1`` nats an observation. Steps of ``gain ** stride`` are
    tried too, longer and longer as long as they are better [1]_.

    Parameters
    ----------
    log_proba : ndarray of shape (n_members, n_observations)
        Log-probability of each observation, ``-inf`` if it is impossible.

    counts : ndarray of shape (n_observations,)
        Weight of each observation, positive.

    Returns
    -------
    weights : ndarray of shape (n_members,)
        Weights that sum to one. No member alone is better than the mixture.

    References
    ----------
    .. [1] R. Salakhutdinov, S. Roweis, "Adaptive overrelaxed bound optimization
       methods", ICML 2003.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_makemore._meta.em import em_weights
    >>> em_weights(np.log([[0.8, 0.1, 0.1], [0.2, 0.9, 0.4]]), np.ones(3)).round(3)
    array([0.184, 0.816])
    """
    n_members = len(log_proba)
    best = log_proba.max(axis=0)
    possible = best > -np.inf  # what no member can explain says nothing of the weights
    if not possible.any():
        return np.full(n_members, 1 / n_members)
    ratios = np.exp(log_proba[:, possible] - best[possible])  # the largest is 1
    shares = counts[possible] / counts[possible].sum()

    def mixed(weights):
        # Not a product of matrices, whose sums depend on the threads of the BLAS.
        return (weights[:, np.newaxis] * ratios).sum(axis=0)

    def log_likelihood(weights):
        with np.errstate(divide="ignore"):
            return np.sum(shares * np.log(mixed(weights)))

    weights, reached, stride = np.full(n_members, 1 / n_members), -np.inf, 1.0
    for _ in range(EM_STEPS):
        gain = np.sum(ratios * (shares / mixed(weights)), axis=1)  # (n_members,)
        if gain.max() - 1 <= EM_GAP:
            break
        # A stride of 1 is the step of EM, which never loses; longer ones save steps.
        longer = normalized(weights * gain**stride)
        found = log_likelihood(longer)
        if found > reached:
            weights, reached, stride = longer, found, 2 * stride
        elif stride > 1:
            stride = max(1.0, stride / 4)
        else:
            break  # only rounding is left
    # The steps only tend to the zeros that a maximum at the border has.
    large = normalized(np.where(weights < NEGLIGIBLE, 0, weights))
    return max([large, weights, *np.eye(n_members)], key=log_likelihood)


def normalized(weights):
    """Divide weights by their sum."""
    return weights / weights.sum()
