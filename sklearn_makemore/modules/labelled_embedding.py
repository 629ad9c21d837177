"""Embeddings of symbols in words of several labels."""

from collections.abc import Callable
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from .interfaces import WindowNetwork

SYMBOLS, LABELS = "embedding.symbols", "embedding.labels"
PAIRS = "embedding.pairs"
"""Names of the parameters in the state of a labelled network."""


class LabelledEmbedding(nn.Module):
    """Embeddings of symbols, plus those of labels.

    It replaces the embedding of a network that reads words of several labels. Symbol s
    in a word of label l has the id ``l * n_symbols + s``. For one label, the network is
    an ordinary one with the embedding ``symbols + labels[l]``, or ``symbols + labels[l]
    + pairs[l]``.

    symbols : embeddings (V, C) of the symbols
    n_labels : number of labels L
    has_pairs : whether each pair of a label and a symbol has a vector of its own
    """

    def __init__(self, symbols: nn.Embedding, n_labels: int, has_pairs: bool):
        super().__init__()
        self.symbols = symbols.weight  # (V, C)
        n_symbols, n_channels = self.symbols.shape
        self.labels = nn.Parameter(self.symbols.new_zeros(n_labels, n_channels))
        self.pairs = None
        if has_pairs:
            shape = n_labels, n_symbols, n_channels
            self.pairs = nn.Parameter(self.symbols.new_zeros(shape))

    @property
    def weight(self) -> Tensor:
        """Embedding of each id, (L * V, C)."""
        weight = self.labels[:, None] + self.symbols
        if self.pairs is not None:
            weight = weight + self.pairs
        return weight.flatten(0, 1)

    def forward(self, ids: Tensor) -> Tensor:
        """Embed ids (...) as (..., C)."""
        return F.embedding(ids, self.weight)


def labelled_network(
    network: Callable[..., Any], n_labels: int, **params: Any
) -> nn.Module:
    """Return a network that reads words of several labels.

    A window has pairs: the few layers that read it could not combine label and symbol.
    """
    module = network(**params)
    has_pairs = isinstance(module, WindowNetwork)
    module.embedding = LabelledEmbedding(module.embedding, n_labels, has_pairs)
    return module


def state_of_label(state: dict[str, Tensor], label: int) -> dict[str, Tensor]:
    """Return the state of the ordinary network of one label."""
    own = dict(state)
    weight = own.pop(SYMBOLS) + own.pop(LABELS)[label]
    own["embedding.weight"] = weight + own.pop(PAIRS)[label] if PAIRS in own else weight
    return own
