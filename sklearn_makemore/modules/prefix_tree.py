"""Sequences as a tree, so that shared prefixes are computed once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

MAX_PADDED_LENGTH = 8
"""Sequences up to this length are padded to one length. Longer ones are grouped by
lengths that differ by at most a factor of two."""


@dataclass(eq=False)
class PrefixTree:
    """Tree of the distinct prefixes of a batch of sequences.

    A network that reads from left to right computes the same for equal prefixes, so a
    batch needs one node per distinct prefix and no padding. 256 names have about 1,100
    distinct prefixes and 1,800 symbols to predict, and 3,300 positions when padded to
    the longest name. Nodes are numbered level by level. The prefixes of level t have
    t + 1 symbols, and the symbol of a node is the last one of its prefix.

    Parameters
    ----------
    parents : Tensor of shape (N,), dtype int64
        Node of the prefix without its last symbol; 0 in the first level.

    bounds : list of int of length T + 1
        The nodes of level t are ``bounds[t]`` to ``bounds[t + 1] - 1``.

    depths : Tensor of shape (N,), dtype int64
        Level of each node.

    sequences : Tensor of shape (N,), dtype int64
        One sequence that contains each node: ``paths[sequences, depths]`` is
        ``arange(N)``.

    paths : Tensor of shape (B, T), dtype int64
        The nodes of each sequence, from its first symbol on; 0 after its end.

    lengths : Tensor of shape (B,), dtype int64
        Number of symbols of each sequence.

    nodes : Tensor of shape (n_symbols,), dtype int64
        The nodes of all symbols, one sequence after another, without the padding of
        `paths`.

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

    parents: Tensor
    bounds: list[int]
    depths: Tensor
    sequences: Tensor
    paths: Tensor
    lengths: Tensor
    nodes: Tensor

    def __post_init__(self):
        self._groups = None

    @classmethod
    def from_ids(
        cls, ids: Tensor, lengths: Tensor | None = None
    ) -> "tuple[Tensor, PrefixTree]":
        """Build the tree of some sequences, best in lexicographic order.

        Each sequence is compared with the one before it only. In lexicographic order,
        all equal prefixes become one node.

        Parameters
        ----------
        ids : Tensor of shape (B, T)
            Symbols of each sequence.

        lengths : Tensor of shape (B,), default=None
            Number of symbols of each sequence, at least 1, and T for the longest. None
            if all sequences have T symbols.

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
        steps = torch.arange(n_levels, device=ids.device)  # (T,)
        is_inside = steps < lengths[:, None]  # (B, T)
        differs = torch.ones_like(ids, dtype=torch.bool)  # (B, T)
        differs[1:] = (ids[1:] != ids[:-1]).cummax(1).values
        # The padding after a sequence equals no symbol.
        differs[1:] |= ~is_inside[:-1]
        is_new = differs & is_inside  # (B, T)
        numbered = is_new.T.flatten().cumsum(0) - 1  # (T * B,), level by level
        paths = numbered.view(n_levels, n_sequences).T  # (B, T)
        nodes, paths = paths[is_inside], paths.where(is_inside, 0)
        bounds = [0, *(numbered.view(n_levels, -1)[:, -1] + 1).tolist()]
        depths, sequences = is_new.T.nonzero(as_tuple=True)  # (N,) each
        parents = paths[sequences, (depths - 1).clamp(min=0)].where(depths > 0, 0)
        tree = cls(parents, bounds, depths, sequences, paths, lengths, nodes)
        return ids[sequences, depths], tree

    def __len__(self) -> int:
        """Return the number of nodes N."""
        return self.bounds[-1]

    @property
    def n_levels(self) -> int:
        """Number of levels T."""
        return self.paths.shape[1]

    def map_paths(self, function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        """Apply a function of whole sequences to the channels of the nodes.

        Parameters
        ----------
        function : callable
            Maps channels along sequences, (b, t, C), to others, (b, t, D). The result
            at a position must not depend on later positions.

        x : Tensor of shape (N, C)
            Channels of each node.

        Returns
        -------
        y : Tensor of shape (N, D)
            Result at each node.
        """
        if self._groups is None:
            self._groups = self._grouped_paths()
        groups, positions = self._groups
        along = [function(F.embedding(paths, x)).flatten(0, 1) for paths in groups]
        return torch.cat(along).index_select(0, positions)  # (N, D)

    def _grouped_paths(self):
        """Group the paths by length, since most of a single block would be padding.

        Return the paths (b, t) of each group, and the position (N,) of each node in the
        flattened and concatenated groups.
        """
        limits = [MAX_PADDED_LENGTH]
        while limits[-1] < self.n_levels:
            limits.append(2 * limits[-1])
        group_of = torch.bucketize(
            self.lengths, torch.tensor(limits, device=self.lengths.device)
        )  # (B,)
        groups, n_positions = [], 0
        starts = torch.empty_like(self.lengths)  # (B,), position of the first symbol
        for group in group_of.unique().tolist():
            rows = (group_of == group).nonzero().squeeze(1)  # (b,)
            paths = self.paths[rows, : int(self.lengths[rows].max())]  # (b, t)
            n_rows, n_steps = paths.shape
            offsets = n_steps * torch.arange(n_rows, device=rows.device)  # (b,)
            starts[rows] = n_positions + offsets
            groups.append(paths)
            n_positions += paths.numel()
        return groups, starts[self.sequences] + self.depths

    def levels(self) -> Iterator[tuple[slice, Tensor]]:
        """Iterate over the levels, from the first symbols on.

        Yields
        ------
        nodes : slice
            The nodes of a level.

        parents : Tensor of shape (n,)
            Row of each node's parent in the level above; 0 in the first level.
        """
        above = 0
        for start, stop in zip(self.bounds[:-1], self.bounds[1:], strict=True):
            yield slice(start, stop), self.parents[start:stop] - above
            above = start
