"""The networks as plain torch modules: symbol ids in, logits out.

They import torch alone and are usable without scikit-learn. Every module takes `ids`
of shape (B, T) and returns the logits of the next symbol; its `embedding` has a row a
symbol. Those that see a window return logits of shape (B, V), and take the `weights` of
shape (B,) that batch normalisation gives the rows. Those that read from the start
return logits of shape (B, T, V), one row after every symbol; they also take the N
symbols of a `PrefixTree`, and read symbol by symbol with `initial_state` and `step`.
Legend of the shapes: B batch, T positions, C channels, V symbols, H hidden units, N
nodes of a tree, n rows of a step.
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
