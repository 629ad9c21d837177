"""The networks as plain torch modules: symbol ids in, logits out.

They import torch alone and are usable without scikit-learn. Every module takes `ids`
of shape (B, T), and the `weights` of shape (B,) that batch normalisation gives the
rows, and returns logits of shape (B, V). Its `embedding` has a row a symbol. Legend of
the shapes: B batch, T positions, C channels, V symbols.
"""

from .batch_norm import WeightedBatchNorm1d
from .lookup import LookupTable
from .mlp import MLP
from .wavenet import WaveNet

__all__ = ["MLP", "LookupTable", "WaveNet", "WeightedBatchNorm1d"]
