"""Attention over a prefix tree: every node looks at itself and at those above it."""

import torch
import torch.nn.functional as F


class AncestorAttention(torch.autograd.Function):
    """Scaled dot-product attention over the pairs of a node and one above it.

    Names have five such pairs a node, where a block of their padded paths has twice as
    many places; here nothing is padded, forwards and backwards. The arithmetic is that
    of `torch.nn.functional.scaled_dot_product_attention`. It is differentiable once.
    """

    @staticmethod
    def forward(ctx, qkv, pairs, n_heads):
        """Mix values by attention.

        Parameters
        ----------
        qkv : Tensor of shape (N, 3C)
            Query, key and value of each node, C channels each.

        pairs : AncestorPairs
            Who looks at whom.

        n_heads : int
            Number of heads H; each has D = C / H channels.

        Returns
        -------
        y : Tensor of shape (N, C)
            The values each node has seen.
        """
        n_channels = qkv.shape[1] // 3
        scale = (n_channels // n_heads) ** -0.5
        q, k, v = _of_pairs(qkv, pairs)
        shares = pairs.softmax(_dots(q, k, n_heads).mul_(scale))  # (P, H)
        y = pairs.sum_by_query(_scale_(v, shares))  # (N, C)
        # The rows of pairs are gathered anew in the backward pass: to keep them would
        # take more time, since they do not fit in the cache.
        ctx.save_for_backward(qkv, shares, y)
        ctx.pairs, ctx.scale = pairs, scale
        return y

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, dy):
        """Return the gradient (N, 3C) of queries, keys and values."""
        qkv, shares, y = ctx.saved_tensors
        pairs, n_heads = ctx.pairs, shares.shape[1]
        q, k, v = _of_pairs(qkv, pairs)
        dy_pairs = dy.index_select(0, pairs.queries)  # (P, C)
        # A softmax's gradient is shares * (d - sum of shares * d), and that sum over
        # the pairs of a node is the product of what it has seen with its gradient.
        expected = _dots(dy, y, n_heads).index_select(0, pairs.queries)  # (P, H)
        dscores = _dots(dy_pairs, v, n_heads).sub_(expected)
        dscores = dscores.mul_(shares).mul_(ctx.scale)  # (P, H)
        dq = pairs.sum_by_query(_scale_(k, dscores))  # (N, C)
        dk = pairs.sum_by_key(_scale_(q, dscores))
        dv = pairs.sum_by_key(_scale_(dy_pairs, shares))
        return torch.cat([dq, dk, dv], 1), None, None


class AncestorPairs:
    """The pairs of each node of a tree with itself and with those above it.

    Parameters
    ----------
    tree : PrefixTree
        The tree.

    Attributes
    ----------
    queries, keys : Tensors of shape (P,)
        The lower and the upper node of each pair, in the order of the lower ones.
    """

    def __init__(self, tree):
        steps = torch.arange(tree.n_levels, device=tree.depths.device)
        is_above = steps <= tree.depths[:, None]  # (N, T)
        self.queries = is_above.nonzero()[:, 0]
        self.keys = tree.paths[tree.sequences][is_above]
        self._in_order = torch.arange(len(self.keys), device=steps.device)
        self._query_starts = (tree.depths + 1).cumsum(0) - (tree.depths + 1)
        self._by_key = self.keys.argsort(stable=True)
        n_below = torch.bincount(self.keys, minlength=len(tree))
        self._key_starts = n_below.cumsum(0) - n_below

    def __len__(self):
        """Return the number of pairs P."""
        return len(self.keys)

    def softmax(self, scores):
        """Normalise scores (P, H) over the pairs of each lower node."""
        best = F.embedding_bag(self._in_order, scores, self._query_starts, mode="max")
        shares = (scores - best.index_select(0, self.queries)).exp_()
        return shares.div_(self.sum_by_query(shares).index_select(0, self.queries))

    def sum_by_query(self, x):
        """Sum what the pairs have, (P, C), for each lower node, (N, C)."""
        return F.embedding_bag(self._in_order, x, self._query_starts, mode="sum")

    def sum_by_key(self, x):
        """Sum what the pairs have, (P, C), for each upper node, (N, C)."""
        return F.embedding_bag(self._by_key, x, self._key_starts, mode="sum")


def _of_pairs(qkv, pairs):
    """Queries of the lower nodes, keys and values of the upper ones, (P, C) each."""
    q, k, v = qkv.chunk(3, 1)  # (N, C) each
    return (
        q.index_select(0, pairs.queries),
        k.index_select(0, pairs.keys),
        v.index_select(0, pairs.keys),
    )


def _dots(x, y, n_heads):
    """Dot products of rows (n, C), head by head, (n, H)."""
    # A product with ones sums a few channels faster than `sum` does.
    products = (x * y).reshape(len(x) * n_heads, -1)  # (n * H, D)
    return torch.mv(products, products.new_ones(products.shape[1])).view(-1, n_heads)


def _scale_(x, factors):
    """Scale the channels of rows (n, C) in place, head by head, by factors (n, H)."""
    return x.unflatten(1, (factors.shape[1], -1)).mul_(factors[:, :, None]).flatten(1)
