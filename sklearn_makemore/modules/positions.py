"""Embeddings of positions, for rows, for a prefix tree and for the next symbol."""

from torch import Tensor, nn

from .prefix_tree import PrefixTree


def positions_of(
    ids: Tensor, tree: PrefixTree | None, embedding: nn.Embedding
) -> Tensor:
    """Return the embedded positions of rows (T, C) or of a tree's nodes (N, C)."""
    length = ids.shape[1] if tree is None else tree.n_levels
    _check_length(length, embedding)
    return embedding.weight[:length] if tree is None else embedding(tree.depths)


def next_positions(n_read: Tensor, embedding: nn.Embedding) -> Tensor:
    """Return the embedded positions (n, C) after `n_read` symbols (n,)."""
    _check_length(int(n_read.max()) + 1, embedding)
    return embedding(n_read)  # (n, C)


def _check_length(length, embedding):
    if length > embedding.num_embeddings:
        raise ValueError(
            f"This module reads at most {embedding.num_embeddings} symbols, got a "
            f"sequence of {length}."
        )
