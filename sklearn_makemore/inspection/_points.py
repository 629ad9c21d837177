"""Positions of points: on two axes, and apart from each other."""

import numpy as np

from .._words.types import Floats


def two_coordinates(embedding: Floats) -> tuple[Floats, Floats | None]:
    """Return two coordinates of each row, and their shares of the variance.

    Two channels are used unchanged, one is combined with zeros, and more are
    projected on principal components. The shares are None for the channels themselves.

    embedding : (n_symbols, n_channels)
    coordinates : (n_symbols, 2)
    explained_variance_ratio : (2,)
    """
    from sklearn.decomposition import PCA

    n_channels = embedding.shape[1]
    if len(embedding) == 1:  # one point has no variance
        return np.zeros((1, 2)), None
    if n_channels <= 2:
        padding = np.zeros((len(embedding), 2 - n_channels))
        return np.hstack([embedding, padding]), None
    pca = PCA(2, svd_solver="full").fit(embedding)
    return pca.transform(embedding), pca.explained_variance_ratio_


def spread_apart(points: Floats, distance: float, n_rounds: int = 200) -> Floats:
    """Move points apart until no two are nearer than a distance, or rounds are over.

    In each round every point is pushed by all points that are too near. Points that
    were far enough apart stay.

    points, moved : (n_points, 2)
    """
    moved = np.array(points, dtype=float)
    # Points in one place leave it in different directions.
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
        # Among many near points, the sum of all pushes would be too large.
        size = np.linalg.norm(pushes, axis=1, keepdims=True)
        moved += pushes / np.maximum(1, 8 * size / distance)
    return moved
