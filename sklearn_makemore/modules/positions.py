"""Embeddings of positions: in rows, in a prefix tree, and of the next symbol."""


def positions_of(ids, tree, embedding):
    """Return the embedded positions of rows (T, C), or of a tree's nodes (N, C)."""
    longest = ids.shape[1] if tree is None else tree.n_levels
    _check_length(longest, embedding)
    return embedding.weight[:longest] if tree is None else embedding(tree.depths)


def next_positions(n_read, embedding):
    """Return the embedded positions (n, C) after as many symbols as were read (n,)."""
    _check_length(int(n_read.max()) + 1, embedding)
    return embedding(n_read)


def _check_length(length, embedding):
    if length > embedding.num_embeddings:
        raise ValueError(
            f"This module reads at most {embedding.num_embeddings} symbols, got a "
            f"sequence of {length}."
        )
