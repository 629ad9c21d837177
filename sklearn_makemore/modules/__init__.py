"""The networks as plain torch modules: symbol ids in, logits out.

The modules import torch only and work without scikit-learn. Every module takes `ids`
and returns the logits of the next symbol.

- Window modules (`LookupTable`, `MLP`, `WaveNet`) take `ids` of shape (B, T) and return
  logits of shape (B, V). They accept `weights` of shape (B,) for batch normalisation.
- Sequence modules (`BoW`, `RNN`, `GRU`, `LSTM`, `Transformer`) read words from the
  start. They take `ids` of shape (B, T) and return logits of shape (B, T, V), or the N
  symbols of a `PrefixTree` and return logits of shape (N, V). They also read one symbol
  at a time, with `initial_state` and `step`.

`labelled_embedding` makes any of them a network that reads words of several labels, and
`dropout` draws the masks of recurrent networks.

Shapes: B batch, T positions, C channels, V symbols, H hidden units, N nodes of a tree,
n rows of a step.
"""

from .batch_norm import WeightedBatchNorm1d
from .bow import BoW
from .lookup import LookupTable
from .mlp import MLP
from .prefix_tree import PrefixTree
from .recurrent import GRU, LSTM, RNN
from .tanh import Tanh
from .transformer import Transformer
from .wavenet import WaveNet

__all__ = [
    "GRU",
    "LSTM",
    "MLP",
    "RNN",
    "BoW",
    "LookupTable",
    "PrefixTree",
    "Tanh",
    "Transformer",
    "WaveNet",
    "WeightedBatchNorm1d",
]
