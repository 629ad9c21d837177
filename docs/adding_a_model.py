"""ConvolutionCharLM: gated convolutions over a window of characters."""

import torch.nn.functional as F
from torch import nn

from sklearn_makemore._declarations import POSITIVE_INT, parameter
from sklearn_makemore._networks.window import BaseWindowCharLM


class GatedConvolutions(nn.Module):
    """Gated convolutions over three positions (Dauphin et al. 2017)."""

    def __init__(self, n_symbols, n_hidden, n_layers):
        super().__init__()
        self.embedding = nn.Embedding(n_symbols, n_hidden)
        layers = [nn.Conv1d(n_hidden, 2 * n_hidden, 3) for _ in range(n_layers)]
        self.layers = nn.ModuleList(layers)
        self.head = nn.Linear(n_hidden, n_symbols)

    def forward(self, ids, weights=None):
        x = self.embedding(ids).mT  # (B, n_hidden, T)
        for layer in self.layers:
            x = F.glu(layer(x), dim=1)  # (B, n_hidden, T - 2)
        return self.head(x.squeeze(2))  # (B, n_symbols)


class ConvolutionCharLM(BaseWindowCharLM):
    """Gated convolutions; the window has ``1 + 2 * n_layers`` characters."""

    _network = GatedConvolutions

    n_hidden: int = parameter(
        default=64,
        description="Number of channels of each layer.",
        constraints=[POSITIVE_INT],
    )
    n_layers: int = parameter(
        default=3, description="Number of layers.", constraints=[POSITIVE_INT]
    )

    def _window_size(self):
        return 1 + 2 * self.n_layers
