"""Where points go: on two axes, and apart from each other."""

import numpy as np


def two_coordinates(embedding):
    """Return two coordinates of each row, and how much of the variance they show.

    Parameters
    ----------
    embedding : ndarray of shape (n_symbols, n_channels)
        A row a symbol.

    Returns
    -------
    coordinates : ndarray of shape (n_symbols, 2)
        Two channels as they are, one beside zeros, more by principal components.
    explained_variance_ratio : ndarray of shape (2,) or None
        Share of the variance along each component; None for the channels themselves.
    """
    from sklearn.decomposition import PCA

    n_channels = embedding.shape[1]
    if len(embedding) == 1:  # no variance to look along
        return np.zeros((1, 2)), None
    if n_channels <= 2:
        padding = np.zeros((len(embedding), 2 - n_channels))
        return np.hstack([embedding, padding]), None
    pca = PCA(2, svd_solver="full").fit(embedding)
    return pca.transform(embedding), pca.explained_variance_ratio_


def spread_apart(points, distance, n_rounds=200):
    """Move points apart until no two are nearer than a distance, or rounds are over.

    Parameters
    ----------
    points : ndarray of shape (n_points, 2)
        Where they are.

    distance : float
        Least distance wanted.

    n_rounds : int, default=200
        In each round every point is pushed by all that are too near.

    Returns
    -------
    moved : ndarray of shape (n_points, 2)
        Where they are now; points that were far enough stay.
    """
    moved = np.array(points, dtype=float)
    # Points on one place leave it in directions of their own.
    angles = np.arange(len(moved)) * np.pi * (3 - 5**0.5)  # (n,)
    moved += 1e-3 * distance * np.column_stack([np.cos(angles), np.sin(angles)])
    for _ in range(n_rounds):
        away = moved[:, None] - moved[None]  # (n, n, 2)
        length = np.linalg.norm(away, axis=2)  # (n, n)
        np.fill_diagonal(length, np.inf)
        lack = np.clip(1.01 * distance - length, 0, None)
        if lack.max(initial=0) < 0.01 * distance:
            break
        pushes = (away * (lack / length)[:, :, None]).sum(axis=1) / 3  # (n, 2)
        # In a crowd all pushes together would throw a point far out.
        size = np.linalg.norm(pushes, axis=1, keepdims=True)
        moved += pushes / np.maximum(1, 8 * size / distance)
    return moved
