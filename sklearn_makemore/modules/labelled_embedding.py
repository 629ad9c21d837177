"""Embeddings of symbols in words of several labels."""

from collections.abc import Callable
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

SYMBOLS, LABELS = "embedding.symbols", "embedding.labels"
"""Names of the parameters in the state of a labelled network."""


class LabelledEmbedding(nn.Module):
    """Embeddings of symbols, plus those of labels.

    It replaces the embedding of a network that reads words of several labels. Symbol s
    in a word of label l has the id ``l * n_symbols + s``. For one label, the network is
    an ordinary one with the embedding ``symbols + labels[l]``.

    symbols : embeddings (V, C) of the symbols
    n_labels : number of labels L
    """

    def __init__(self, symbols: nn.Embedding, n_labels: int):
        super().__init__()
        self.symbols = symbols.weight  # (V, C)
        n_channels = self.symbols.shape[1]
        self.labels = nn.Parameter(self.symbols.new_zeros(n_labels, n_channels))

    @property
    def weight(self) -> Tensor:
        """Embedding of each id, (L * V, C)."""
        return (self.labels[:, None] + self.symbols).flatten(0, 1)

    def forward(self, ids: Tensor) -> Tensor:
        """Embed ids (...) as (..., C)."""
        return F.embedding(ids, self.weight)


def labelled_network(
    network: Callable[..., Any], n_labels: int, **params: Any
) -> nn.Module:
    """Return a network that reads words of several labels."""
    module = network(**params)
    module.embedding = LabelledEmbedding(module.embedding, n_labels)
    return module


def state_of_label(state: dict[str, Tensor], label: int) -> dict[str, Tensor]:
    """Return the state of the ordinary network of one label."""
    own = dict(state)
    own["embedding.weight"] = own.pop(SYMBOLS) + own.pop(LABELS)[label]
    return own
