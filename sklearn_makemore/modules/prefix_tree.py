"""Sequences as a tree: what they have in common at the start is computed once."""

import torch
import torch.nn.functional as F

from .tree_attention import AncestorPairs

MAX_PADDED_LENGTH = 8
"""Sequences up to this length are laid out together; of the longer ones, those of at
most twice the length of each other."""


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

    depths : Tensor of shape (N,), dtype int64
        Level of each node.

    sequences : Tensor of shape (N,), dtype int64
        A sequence of each node: ``paths[sequences, depths]`` is ``arange(N)``.

    paths : Tensor of shape (B, T), dtype int64
        The nodes of each sequence from its first symbol on; after its end, 0.

    lengths : Tensor of shape (B,), dtype int64
        Number of symbols of each sequence.

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

    def __init__(self, parents, bounds, depths, sequences, paths, lengths, nodes):
        self.parents = parents
        self.bounds = bounds
        self.depths = depths
        self.sequences = sequences
        self.paths = paths
        self.lengths = lengths
        self.nodes = nodes
        self._groups = None
        self._ancestor_pairs = None

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
        if lengths is None:
            lengths = torch.full((n_sequences,), n_levels, device=ids.device)
        is_inside = torch.arange(n_levels, device=ids.device) < lengths[:, None]
        differs = torch.ones_like(ids, dtype=torch.bool)  # (B, T)
        differs[1:] = (ids[1:] != ids[:-1]).cummax(1).values
        # What comes after the end of a sequence is no symbol to be equal to.
        differs[1:] |= ~is_inside[:-1]
        is_new = differs & is_inside
        numbered = is_new.T.flatten().cumsum(0) - 1  # level by level
        paths = numbered.view(n_levels, n_sequences).T
        nodes, paths = paths[is_inside], paths.where(is_inside, 0)
        bounds = [0, *(numbered.view(n_levels, -1)[:, -1] + 1).tolist()]
        depths, sequences = is_new.T.nonzero(as_tuple=True)  # (N,) each
        parents = paths[sequences, (depths - 1).clamp(min=0)].where(depths > 0, 0)
        tree = cls(parents, bounds, depths, sequences, paths, lengths, nodes)
        return ids[sequences, depths], tree

    def __len__(self):
        """Return the number of nodes N."""
        return self.bounds[-1]

    @property
    def n_levels(self):
        """Number of levels T."""
        return self.paths.shape[1]

    def map_paths(self, function, x):
        """Apply a function of whole sequences to what the nodes have.

        Parameters
        ----------
        function : callable
            Turns channels along sequences, (b, t, C), into others, (b, t, D). What
            comes at a place must not depend on what is after it.

        x : Tensor of shape (N, C)
            Channels of each node.

        Returns
        -------
        y : Tensor of shape (N, D)
            What the function gives for each node.
        """
        if self._groups is None:
            self._groups = self._grouped()
        groups, places = self._groups
        along = [function(F.embedding(paths, x)).flatten(0, 1) for paths in groups]
        return torch.cat(along).index_select(0, places)

    @property
    def n_ancestors(self):
        """Number of pairs of a node with itself or one above it."""
        sizes = zip(self.bounds[:-1], self.bounds[1:], strict=True)
        return sum((t + 1) * (stop - start) for t, (start, stop) in enumerate(sizes))

    def ancestor_pairs(self):
        """Return the pairs of each node with itself and with those above it.

        Returns
        -------
        pairs : AncestorPairs
            The pairs, the same object at every call.
        """
        if self._ancestor_pairs is None:
            self._ancestor_pairs = AncestorPairs(self)
        return self._ancestor_pairs

    def _grouped(self):
        """Paths (b, t) of sequences of like length, and the place of each node there.

        Short and long sequences side by side would be padding for the most part.
        """
        limits = [MAX_PADDED_LENGTH]
        while limits[-1] < self.n_levels:
            limits.append(2 * limits[-1])
        kinds = torch.bucketize(
            self.lengths, torch.tensor(limits, device=self.lengths.device)
        )
        groups, n_places = [], 0
        starts = torch.empty_like(self.lengths)  # place of each sequence's first symbol
        for kind in kinds.unique().tolist():
            rows = (kinds == kind).nonzero().squeeze(1)  # (b,)
            paths = self.paths[rows, : int(self.lengths[rows].max())]  # (b, t)
            n_rows, n_steps = paths.shape
            starts[rows] = n_places + n_steps * torch.arange(n_rows, device=rows.device)
            groups.append(paths)
            n_places += paths.numel()
        return groups, starts[self.sequences] + self.depths

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
