"""Sequences as a tree: what they have in common at the start is computed once."""

import torch
import torch.nn.functional as F


class PrefixTree:
    """Tree of the distinct prefixes of some sequences.

    A network that reads from left to right is in the same state after equal prefixes.
    So a batch needs one node for each distinct prefix, and none for padding: 256 names
    have about 1,100 distinct prefixes, 1,800 symbols to predict, and 3,300 places when
    all are padded to the longest. Nodes are numbered level by level; the prefixes of
    level t have t + 1 symbols, and a node's symbol is the last of its prefix.

    Parameters
    ----------
    parents : Tensor of shape (N,), dtype int64
        Node of the prefix without its last symbol; 0 in the first level.

    bounds : list of int of length T + 1
        Level t has the nodes from ``bounds[t]`` up to ``bounds[t + 1]``.

    paths : Tensor of shape (B, T), dtype int64
        The nodes of each sequence from its first symbol on; after its end, 0.

    places : Tensor of shape (N,), dtype int64
        A place of each node: ``paths.flatten()[places]`` is ``arange(N)``.

    nodes : Tensor of shape (n_symbols,), dtype int64
        The nodes of all symbols, one sequence after the other, without what fills
        `paths` up.

    Examples
    --------
    >>> import torch
    >>> from sklearn_makemore.modules import PrefixTree
    >>> symbols, tree = PrefixTree.from_ids(torch.tensor([[0, 1, 2], [0, 1, 3]]))
    >>> symbols
    tensor([0, 1, 2, 3])
    >>> tree.paths
    tensor([[0, 1, 2],
            [0, 1, 3]])
    """

    def __init__(self, parents, bounds, paths, places, nodes):
        self.parents = parents
        self.bounds = bounds
        self.paths = paths
        self.places = places
        self.nodes = nodes

    @classmethod
    def from_ids(cls, ids, lengths=None):
        """Find the prefixes that sequences share with those before them.

        Only neighbours are compared: in lexicographic order, equal prefixes stand
        together and become one node.

        Parameters
        ----------
        ids : Tensor of shape (B, T)
            Symbols of each sequence.

        lengths : Tensor of shape (B,), default=None
            Number of symbols of each sequence, at least 1 and T for the longest; None
            if all have T.

        Returns
        -------
        symbols : Tensor of shape (N,)
            Symbol of each node.

        tree : PrefixTree
            The tree.
        """
        n_sequences, n_levels = ids.shape
        differs = torch.ones_like(ids, dtype=torch.bool)  # (B, T)
        differs[1:] = (ids[1:] != ids[:-1]).cummax(1).values
        is_inside = torch.ones_like(differs)
        if lengths is not None:
            is_inside = torch.arange(n_levels, device=ids.device) < lengths[:, None]
            # What comes after the end of a sequence is no symbol to be equal to.
            differs[1:] |= ~is_inside[:-1]
        is_new = differs & is_inside
        numbered = is_new.T.flatten().cumsum(0) - 1  # level by level
        paths = numbered.view(n_levels, n_sequences).T
        nodes, paths = paths[is_inside], paths.where(is_inside, 0)
        bounds = [0, *(numbered.view(n_levels, -1)[:, -1] + 1).tolist()]
        level, sequence = is_new.T.nonzero(as_tuple=True)  # (N,) each
        parents = paths[sequence, (level - 1).clamp(min=0)].where(level > 0, 0)
        tree = cls(parents, bounds, paths, sequence * n_levels + level, nodes)
        return ids[sequence, level], tree

    def __len__(self):
        """Return the number of nodes N."""
        return self.bounds[-1]

    @property
    def n_levels(self):
        """Number of levels T."""
        return self.paths.shape[1]

    @property
    def depths(self):
        """Level of each node, of shape (N,)."""
        return self.places % self.n_levels

    def along_paths(self, x):
        """Lay out what the nodes have as sequences.

        Parameters
        ----------
        x : Tensor of shape (N, C)
            Channels of each node.

        Returns
        -------
        x : Tensor of shape (B, T, C)
            Channels along each sequence.
        """
        return F.embedding(self.paths, x)

    def at_nodes(self, x):
        """Pick what the nodes have from sequences.

        Parameters
        ----------
        x : Tensor of shape (B, T, C)
            Channels along each sequence.

        Returns
        -------
        x : Tensor of shape (N, C)
            Channels of each node.
        """
        return x.flatten(0, 1).index_select(0, self.places)

    def levels(self):
        """Go through the levels, from the first symbols on.

        Yields
        ------
        nodes : slice
            The nodes of a level.

        parents : Tensor of shape (n,)
            The row of each node's parent in the level above; 0 in the first level.
        """
        above = 0
        for start, stop in zip(self.bounds[:-1], self.bounds[1:], strict=True):
            yield slice(start, stop), self.parents[start:stop] - above
            above = start
