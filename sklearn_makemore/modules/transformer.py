"""Causal self-attention, pre-norm (Vaswani et al. 2017)."""

import torch
import torch.nn.functional as F
from torch import nn

from .initialization import kaiming_, logits_layer
from .positions import next_positions, positions_of
from .tree_attention import AncestorAttention

RESIDUAL_INIT_SCALE = 0.1
"""Scale of the initial embeddings, and of what a block adds to them at first: training
begins near a network without blocks. With 1 instead, the validation NLL of names is
0.01 higher after five epochs."""

PAIRS_PER_NODE = 8
"""Largest mean number of nodes on the way to a node, itself among them, at which
attention goes pair by pair: what is deeper takes less memory and time by blocks."""


class Attention(nn.Module):
    """Causal self-attention of several heads.

    Parameters
    ----------
    n_embd : int
        Channels C, a multiple of `n_heads`.

    n_heads : int
        Number of heads.

    dropout : float
        Share of the attention weights dropped in training.
    """

    def __init__(self, n_embd, n_heads, dropout):
        super().__init__()
        if n_embd % n_heads:
            raise ValueError(
                f"n_embd={n_embd} cannot be divided among n_heads={n_heads} heads; use "
                "a multiple."
            )
        self.n_heads = n_heads
        self.dropout = dropout
        self.qkv = kaiming_(nn.Linear(n_embd, 3 * n_embd))
        self.projection = kaiming_(nn.Linear(n_embd, n_embd), gain=RESIDUAL_INIT_SCALE)

    def forward(self, qkv, tree=None):
        """Let every position look at itself and at those before it.

        Parameters
        ----------
        qkv : Tensor of shape (B, T, 3C) or (N, 3C)
            Query, key and value of every position, or of the nodes of a tree.

        tree : PrefixTree, default=None
            The tree.

        Returns
        -------
        x : Tensor of shape (B, T, C) or (N, C)
            What was seen.
        """
        if tree is None:
            seen = self._attend(qkv)
        elif self._goes_by_pairs(tree):
            seen = AncestorAttention.apply(qkv, tree.ancestor_pairs(), self.n_heads)
        else:
            seen = tree.map_paths(self._attend, qkv)
        return self.projection(seen)

    def _goes_by_pairs(self, tree):
        """Whether looking pair by pair is faster here than by blocks of paths."""
        return (
            tree.paths.is_cpu
            and tree.n_ancestors <= PAIRS_PER_NODE * len(tree)
            and not (self.training and self.dropout)
            and not torch.compiler.is_compiling()
        )

    def _attend(self, qkv):
        """Mix the values by attention, (B, T, 3C) to (B, T, C)."""
        q, k, v = (self._by_head(part) for part in qkv.chunk(3, -1))  # (B, heads, T, D)
        dropout = self.dropout if self.training else 0.0
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True, dropout_p=dropout)
        return y.transpose(1, 2).flatten(2)

    def step(self, x, keys, values, mask=None):
        """Let one more position look at itself and at those before it.

        Parameters
        ----------
        x : Tensor of shape (n, C)
            The new position of every row.

        keys, values : Tensors of shape (n, t, C)
            Those of the positions before it.

        mask : Tensor of shape (n, t + 1), default=None
            Which of the positions there are; None for all.

        Returns
        -------
        x : Tensor of shape (n, C)
            What was seen.

        keys, values : Tensors of shape (n, t + 1, C)
            Those of all positions.
        """
        q, k, v = self.qkv(x)[:, None].chunk(3, -1)  # (n, 1, C) each
        keys, values = torch.cat([keys, k], 1), torch.cat([values, v], 1)
        q, k, v = (self._by_head(part) for part in (q, keys, values))
        if mask is not None:
            mask = mask[:, None, None]  # (n, 1, 1, t + 1)
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.projection(y.flatten(1)), keys, values  # (n, heads, 1, D) to (n, C)

    def _by_head(self, x):
        """Split the channels, (B, T, C) to (B, heads, T, D) with D = C / heads."""
        return x.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)


class Block(nn.Module):
    """Attention and a two-layer network, each on normalised input and added to it.

    Parameters
    ----------
    n_embd : int
        Channels C, a multiple of `n_heads`.

    n_heads : int
        Number of heads.

    dropout : float
        Share of attention weights and of what is added dropped in training.
    """

    def __init__(self, n_embd, n_heads, dropout):
        super().__init__()
        self.attention_norm = nn.LayerNorm(n_embd)
        self.attention = Attention(n_embd, n_heads, dropout)
        self.mlp_norm = nn.LayerNorm(n_embd)
        self.mlp = nn.Sequential(
            kaiming_(nn.Linear(n_embd, 4 * n_embd)),
            nn.GELU(),  # on a CPU, its approximation by tanh takes twice the time
            kaiming_(nn.Linear(4 * n_embd, n_embd), gain=RESIDUAL_INIT_SCALE),
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, tree=None, rows=None):
        """Transform rows, or the nodes of a tree.

        Parameters
        ----------
        x : Tensor of shape (B, T, C), (N, C) or (U, C)
            Rows, the nodes of a tree, or the distinct ones among these.

        tree : PrefixTree, default=None
            The tree.

        rows : Tensor of shape (N,), default=None
            Which of the distinct ones each node is; None if `x` has all nodes.

        Returns
        -------
        x : Tensor of shape (B, T, C) or (N, C)
            Transformed rows or nodes.
        """
        qkv = self.attention.qkv(self.attention_norm(x))
        if rows is not None:
            qkv, x = F.embedding(rows, qkv), F.embedding(rows, x)  # (N, 3C), (N, C)
        x = x + self.dropout(self.attention(qkv, tree))
        return x + self.dropout(self.mlp(self.mlp_norm(x)))

    def step(self, x, keys, values, mask=None):
        """Transform one more position, see `Attention.step`."""
        seen, keys, values = self.attention.step(
            self.attention_norm(x), keys, values, mask
        )
        x = x + self.dropout(seen)
        return x + self.dropout(self.mlp(self.mlp_norm(x))), keys, values


class Transformer(nn.Module):
    """Decoder-only Transformer with learned positions.

    The architecture of [1]_ without encoder, normalised before each part as in GPT-2
    [2]_. With 27 symbols, a block of 16 and the shape of makemore's script (4 layers,
    4 heads, 64 channels) it has 204,544 parameters.

    Parameters
    ----------
    n_symbols : int
        Number of symbols V.

    block_size : int
        Largest number of symbols T of a sequence.

    n_embd : int, default=64
        Channels C, a multiple of `n_heads`.

    n_heads : int, default=4
        Number of attention heads.

    n_layers : int, default=4
        Number of blocks.

    dropout : float, default=0.0
        Share of the embeddings, the attention weights and what a block adds that is
        dropped in training.

    References
    ----------
    .. [1] A. Vaswani et al., "Attention Is All You Need", NeurIPS 2017.
       https://arxiv.org/abs/1706.03762
    .. [2] A. Radford, J. Wu, R. Child, D. Luan, D. Amodei, I. Sutskever, "Language
       Models are Unsupervised Multitask Learners", 2019.

    Examples
    --------
    >>> import torch
    >>> from sklearn_makemore.modules import Transformer
    >>> transformer = Transformer(n_symbols=27, block_size=16)
    >>> transformer(torch.zeros(32, 16, dtype=torch.long)).shape
    torch.Size([32, 16, 27])
    >>> sum(p.numel() for p in transformer.parameters())  # makemore's script
    204544
    """

    def __init__(
        self, n_symbols, block_size, n_embd=64, n_heads=4, n_layers=4, dropout=0.0
    ):
        super().__init__()
        self.embedding = nn.Embedding(n_symbols, n_embd)
        self.positions = nn.Embedding(block_size, n_embd)
        for embedding in (self.embedding, self.positions):
            nn.init.normal_(embedding.weight, std=RESIDUAL_INIT_SCALE)
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(
            Block(n_embd, n_heads, dropout) for _ in range(n_layers)
        )
        self.norm = nn.LayerNorm(n_embd)
        self.head = logits_layer(n_embd, n_symbols, bias=False)

    def forward(self, ids, tree=None):
        """Return the logits of the next symbol at every position.

        Parameters
        ----------
        ids : Tensor of shape (B, T) or (N,)
            Symbols from the start of the words on, or those of the nodes of a tree.

        tree : PrefixTree, default=None
            The tree whose nodes `ids` are.

        Returns
        -------
        logits : Tensor of shape (B, T, V) or (N, V)
            Logits of the symbol that comes next.
        """
        if tree is None or (self.training and self.dropout.p):
            x = self.embedding(ids) + positions_of(ids, tree, self.positions)
            x, rows = self.dropout(x), None  # (B, T, C) or (N, C)
        else:
            x, rows = self._distinct(ids, tree)  # (U, C), (N,)
        for block in self.blocks:
            x, rows = block(x, tree, rows), None
        return self.head(self.norm(x))

    def _distinct(self, ids, tree):
        """Embed each distinct pair of symbol and position of a tree's nodes once.

        A tree has many nodes of one symbol at one level: the first layer's queries,
        keys and values are those of the pairs.
        """
        n_levels = tree.n_levels
        pairs, rows = torch.unique(ids * n_levels + tree.depths, return_inverse=True)
        symbols, levels = pairs // n_levels, pairs % n_levels
        x = self.embedding(symbols) + next_positions(levels, self.positions)  # (U, C)
        return x, rows

    def initial_state(self, n_rows):
        """Return the state before the first symbol.

        Parameters
        ----------
        n_rows : int
            Number of rows n.

        Returns
        -------
        state : tuple of Tensors
            The number of symbols read, of shape (n,), and of every layer keys and
            values of shape (n, 0, C).
        """
        weight = self.embedding.weight
        empty = weight.new_empty(n_rows, 0, weight.shape[1])
        n_read = torch.zeros(n_rows, dtype=torch.long, device=weight.device)
        return (n_read, *[empty] * (2 * len(self.blocks)))

    def step(self, ids, state):
        """Read one more symbol.

        Parameters
        ----------
        ids : Tensor of shape (n,)
            The symbols.

        state : tuple of Tensors
            What `initial_state` or the last step returned. Rows that have read less
            than others have as many keys and values, the first of them of no account.

        Returns
        -------
        logits : Tensor of shape (n, V)
            Logits of the next symbol.

        state : tuple of Tensors
            The state after it, with keys and values of shape (n, t + 1, C).
        """
        n_read, *cache = state
        x = self.embedding(ids) + next_positions(n_read, self.positions)  # (n, C)
        t = cache[0].shape[1]
        mask = None
        if bool((n_read < t).any()):
            mask = torch.arange(t + 1, device=ids.device) >= t - n_read[:, None]
        after = [n_read + 1]
        for block, keys, values in zip(
            self.blocks, cache[::2], cache[1::2], strict=True
        ):
            x, keys, values = block.step(x, keys, values, mask)
            after += [keys, values]
        return self.head(self.norm(x)), tuple(after)
