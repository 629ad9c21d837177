"""Decoder-only Transformer, pre-norm (Vaswani et al. 2017)."""

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .initialization import kaiming_, logits_layer
from .interfaces import SequenceNetwork
from .positions import next_positions, positions_of
from .prefix_tree import PrefixTree

RESIDUAL_INIT_SCALE = 0.1
"""Scale of the initial embeddings and of the initial output of every block. Training
starts near a network without blocks. With 1, the validation NLL of names is 0.01 higher
after five epochs."""


class Attention(nn.Module):
    """Causal self-attention of several heads, with dropout of the attention weights."""

    def __init__(self, n_embd: int, n_heads: int, dropout: float):
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

    def forward(self, qkv: Tensor, tree: PrefixTree | None = None) -> Tensor:
        """Let every position attend to itself and to those before it.

        qkv : (B, T, 3C) or (N, 3C), query, key and value of every position or node
        Return (B, T, C) or (N, C).
        """
        y = self._attend(qkv) if tree is None else tree.map_paths(self._attend, qkv)
        return self.projection(y)  # (B, T, C) or (N, C)

    def _attend(self, qkv):
        """Average the values by attention, (B, T, 3C) to (B, T, C)."""
        q, k, v = (self._by_head(part) for part in qkv.chunk(3, -1))  # (B, heads, T, D)
        dropout = self.dropout if self.training else 0.0
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True, dropout_p=dropout)
        return y.transpose(1, 2).flatten(2)  # (B, heads, T, D) to (B, T, C)

    def step(
        self, x: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Let one more position (n, C) attend to itself and to the t before it.

        keys, values : (n, t, C), of the previous positions
        mask : (n, t + 1) bool, which positions exist; None for all
        Return (n, C), and the keys and values of all positions (n, t + 1, C).
        """
        q, k, v = self.qkv(x)[:, None].chunk(3, -1)  # (n, 1, C) each
        keys, values = torch.cat([keys, k], 1), torch.cat([values, v], 1)  # (n, t+1, C)
        q, k, v = (self._by_head(part) for part in (q, keys, values))
        if mask is not None:
            mask = mask[:, None, None]  # (n, 1, 1, t + 1)
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)  # (n, heads, 1, D)
        return self.projection(y.flatten(1)), keys, values

    def _by_head(self, x):
        """Split the channels, (B, T, C) to (B, heads, T, D) with D = C / heads."""
        return x.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)


class Block(nn.Module):
    """Attention, then a two-layer network.

    Each reads normalised input, and its output is added to the input.
    """

    def __init__(self, n_embd: int, n_heads: int, dropout: float):
        super().__init__()
        self.attention_norm = nn.LayerNorm(n_embd)
        self.attention = Attention(n_embd, n_heads, dropout)
        self.mlp_norm = nn.LayerNorm(n_embd)
        self.mlp = nn.Sequential(
            kaiming_(nn.Linear(n_embd, 4 * n_embd)),
            nn.GELU(),  # on a CPU, the tanh approximation takes twice as long
            kaiming_(nn.Linear(4 * n_embd, n_embd), gain=RESIDUAL_INIT_SCALE),
        )
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, x: Tensor, tree: PrefixTree | None = None, rows: Tensor | None = None
    ) -> Tensor:
        """Transform rows (B, T, C), or the nodes of a tree (N, C).

        rows : (N,), row of `x` (U, C) of each node; None if `x` has one row per node
        """
        qkv = self.attention.qkv(self.attention_norm(x))  # (..., 3C)
        if rows is not None:
            qkv, x = F.embedding(rows, qkv), F.embedding(rows, x)  # (N, 3C), (N, C)
        x = x + self.dropout(self.attention(qkv, tree))  # (B, T, C) or (N, C)
        return x + self.dropout(self.mlp(self.mlp_norm(x)))  # (B, T, C) or (N, C)

    def step(
        self, x: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Transform one more position, see `Attention.step`."""
        y, keys, values = self.attention.step(
            self.attention_norm(x), keys, values, mask
        )
        x = x + self.dropout(y)  # (n, C)
        return x + self.dropout(self.mlp(self.mlp_norm(x))), keys, values  # (n, C)


class Transformer(SequenceNetwork):
    """Decoder-only Transformer with learned positions.

    Layer normalisation precedes each part, as in GPT-2. The defaults are those of
    makemore's script. :class:`~sklearn_makemore.TransformerCharLM` trains this network,
    and names its sources.

    Parameters
    ----------
    n_symbols : int
        Number of symbols V.

    block_size : int
        Maximum number of symbols T of a sequence.

    n_embd : int, default=64
        Channels C, a multiple of `n_heads`.

    n_heads : int, default=4
        Number of attention heads.

    n_layers : int, default=4
        Number of blocks.

    dropout : float, default=0.0
        Share of the embeddings, of the attention weights and of the outputs added by
        each block that is dropped in training.

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
        self,
        n_symbols: int,
        block_size: int,
        n_embd: int = 64,
        n_heads: int = 4,
        n_layers: int = 4,
        dropout: float = 0.0,
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

    def _read(self, ids, tree):
        if tree is None or (self.training and self.dropout.p):
            positions = positions_of(ids, tree, self.positions)  # (T, C) or (N, C)
            x = self.dropout(self.embedding(ids) + positions)  # (B, T, C) or (N, C)
            rows = None
        else:
            x, rows = self._distinct(ids, tree)  # (U, C), (N,)
        for block in self.blocks:
            x, rows = block(x, tree, rows), None  # (B, T, C) or (N, C)
        return x

    def _distinct(self, ids, tree):
        """Embed each distinct pair of symbol and position of a tree's nodes once.

        Many nodes of a level have the same symbol, so the first block computes queries,
        keys and values for the U pairs only. Return (U, C), and the pair of each node.
        """
        n_levels = tree.n_levels
        pairs, rows = torch.unique(ids * n_levels + tree.depths, return_inverse=True)
        symbols, levels = pairs // n_levels, pairs % n_levels  # (U,) each
        x = self.embedding(symbols) + next_positions(levels, self.positions)  # (U, C)
        return x, rows

    def _initial_state(self, n_rows):
        """Return the number of symbols read (n,), and keys and values (n, 0, C)."""
        weight = self.embedding.weight
        empty = weight.new_empty(n_rows, 0, weight.shape[1])
        n_read = torch.zeros(n_rows, dtype=torch.long, device=weight.device)
        return (n_read, *[empty] * (2 * len(self.blocks)))

    def _step(self, ids, state):
        # Rows that have read fewer symbols than others have as many keys and values;
        # the first of them are ignored.
        n_read, *cache = state
        x = self.embedding(ids) + next_positions(n_read, self.positions)  # (n, C)
        t = cache[0].shape[1]
        mask = None
        if bool((n_read < t).any()):
            steps = torch.arange(t + 1, device=ids.device)  # (t + 1,)
            mask = steps >= t - n_read[:, None]  # (n, t + 1)
        after = [n_read + 1]
        blocks = cast("list[Block]", self.blocks)
        for block, keys, values in zip(blocks, cache[::2], cache[1::2], strict=True):
            x, keys, values = block.step(x, keys, values, mask)  # (n, C), (n, t+1, C)
            after += [keys, values]
        return x, tuple(after)

    def _logits(self, x):
        return self.head(self.norm(x))
