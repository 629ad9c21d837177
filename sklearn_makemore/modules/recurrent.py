"""Recurrent networks: torch's own layers, over padded rows or over a prefix tree."""

from collections.abc import Callable

import torch
from torch import nn

from .dropout import Dropout
from .initialization import logits_layer
from .interfaces import SequenceNetwork


class HiddenStateHook(nn.Identity):
    """A layer's hidden state after a step, as a module for forward hooks.

    The values are between -1 and 1, except with recurrent dropout in a GRU, which
    scales them.
    """


class Recurrent(SequenceNetwork):
    """Embedding, recurrent layers and logits, with any of torch's recurrent cells.

    A subclass names torch's layer, and the cell that computes one step of it. The layer
    computes rows in one call. The cell computes a prefix tree level by level, with the
    same weights.
    """

    _layer: type[nn.RNN] | type[nn.GRU] | type[nn.LSTM]

    _n_parts: int = 1
    """Number of tensors in the state of a layer: h, or h and c."""

    _cell: Callable
    """One step: ``_cell(x, state, *weights)`` returns the parts of the new state."""

    def __init__(
        self,
        n_symbols: int,
        n_embd: int,
        n_hidden: int,
        n_layers: int = 1,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
    ):
        super().__init__()
        self.embedding = nn.Embedding(n_symbols, n_embd)
        # torch warns about dropout between the layers of a single layer.
        between = dropout if n_layers > 1 else 0.0
        self.layers = self._layer(
            n_embd, n_hidden, n_layers, dropout=between, batch_first=True
        )
        self.start = nn.Parameter(torch.zeros(n_layers * self._n_parts, n_hidden))
        self.states = nn.ModuleList(HiddenStateHook() for _ in range(n_layers))
        self.dropout = Dropout(dropout)
        self.recurrent_dropout = Dropout(recurrent_dropout)
        self.head = logits_layer(n_hidden, n_symbols)

    def _read(self, ids, tree):
        x = self.embedding(ids)  # (B, T, C) or (N, C)
        return self._along_rows(x) if tree is None else self._along_tree(x, tree)

    def _along_rows(self, x):
        """Run torch's layer over rows, (B, T, C) to (B, T, H)."""
        if self.training and self.recurrent_dropout.p:
            return self._step_by_step(x)  # torch's layers have no recurrent dropout
        # torch.export takes len(x) for a constant.
        start = self.start[:, None].expand(-1, x.shape[0], -1)  # (layers * parts, B, H)
        parts = [
            start[part :: self._n_parts].contiguous() for part in range(self._n_parts)
        ]
        return self.layers(x, parts[0] if self._n_parts == 1 else tuple(parts))[0]

    def _step_by_step(self, x):
        """Run the cell over the positions of rows, (B, T, C) to (B, T, H)."""
        state, outputs = self.initial_state(len(x)), []
        for column in x.unbind(1):  # (B, C)
            h, state = self._advance(column, state)  # (B, H)
            outputs.append(h)
        return torch.stack(outputs, 1)

    def _along_tree(self, x, tree):
        """Run the cell over the levels of a tree, (N, C) to (N, H)."""
        state, outputs = self.initial_state(1), []
        for nodes, parents in tree.levels():
            state = tuple(part.index_select(0, parents) for part in state)  # (n, H)
            h, state = self._advance(x[nodes], state)  # (n, H)
            outputs.append(h)
        return torch.cat(outputs)

    def _initial_state(self, n_rows):
        """Return h (n, H) of every layer, followed by its memory c in an LSTM."""
        return tuple(part.expand(n_rows, -1) for part in self.start)

    def _step(self, ids, state):
        return self._advance(self.embedding(ids), state)

    def _logits(self, x):
        return self.head(self.dropout(x))

    def _advance(self, x, state):
        """Run one step of all layers, (n, C) to (n, H)."""
        after = []
        for layer, weights in enumerate(self.layers.all_weights):
            if layer:
                x = self.dropout(x)  # (n, H)
            h, *memory = state[layer * self._n_parts : (layer + 1) * self._n_parts]
            before = self.recurrent_dropout(h), *memory  # (n, H) each
            h, *memory = self._cell(x, before, *weights)  # (n, H) each
            x = self.states[layer](h)  # (n, H)
            after += [x, *memory]
        return x, tuple(after)


class RNN(Recurrent):
    """Simple recurrent network: ``h' = tanh(W x + b + U h + c)``.

    :class:`~sklearn_makemore.RNNCharLM` trains this network, and names its sources.

    Parameters
    ----------
    n_symbols : int
        Number of symbols V.

    n_embd : int
        Channels C of the embeddings.

    n_hidden : int
        Units H of each layer.

    n_layers : int, default=1
        Number of layers.

    dropout : float, default=0.0
        Share of the outputs of every layer dropped in training.

    recurrent_dropout : float, default=0.0
        Share of every layer's h dropped in training before the next step.

    Examples
    --------
    >>> import torch
    >>> from sklearn_makemore.modules import RNN
    >>> rnn = RNN(n_symbols=27, n_embd=64, n_hidden=64)
    >>> rnn(torch.zeros(32, 16, dtype=torch.long)).shape
    torch.Size([32, 16, 27])
    """

    _layer = nn.RNN

    @staticmethod
    def _cell(x, state, *weights):
        """Compute one step."""
        return (torch.rnn_tanh_cell(x, state[0], *weights),)


class GRU(Recurrent):
    """Gated recurrent unit: ``h' = (1 - z) n + z h``.

    The update gate z decides how much of the old state h is kept. The reset gate r
    decides how much of it enters the candidate ``n = tanh(W x + b + r (U h + c))``.
    :class:`~sklearn_makemore.GRUCharLM` trains this network, and names its sources.

    Parameters
    ----------
    n_symbols : int
        Number of symbols V.

    n_embd : int
        Channels C of the embeddings.

    n_hidden : int
        Units H of each layer.

    n_layers : int, default=1
        Number of layers.

    dropout : float, default=0.0
        Share of the outputs of every layer dropped in training.

    recurrent_dropout : float, default=0.0
        Share of every layer's h dropped in training before the next step.

    Examples
    --------
    >>> import torch
    >>> from sklearn_makemore.modules import GRU
    >>> gru = GRU(n_symbols=27, n_embd=64, n_hidden=64)
    >>> gru(torch.zeros(32, 16, dtype=torch.long)).shape
    torch.Size([32, 16, 27])
    """

    _layer = nn.GRU

    @staticmethod
    def _cell(x, state, *weights):
        """Compute one step."""
        return (torch.gru_cell(x, state[0], *weights),)


class LSTM(Recurrent):
    """Long short-term memory: ``c' = f c + i g``, ``h' = o tanh(c')``.

    Gates decide what the memory c forgets (f), what it stores (i), and what becomes
    the output h (o). :class:`~sklearn_makemore.LSTMCharLM` trains this network, and
    names its sources.

    Parameters
    ----------
    n_symbols : int
        Number of symbols V.

    n_embd : int
        Channels C of the embeddings.

    n_hidden : int
        Units H of each layer.

    n_layers : int, default=1
        Number of layers.

    dropout : float, default=0.0
        Share of the outputs of every layer dropped in training.

    recurrent_dropout : float, default=0.0
        Share of every layer's h dropped in training before the next step. The memory c
        is not dropped.

    Examples
    --------
    >>> import torch
    >>> from sklearn_makemore.modules import LSTM
    >>> lstm = LSTM(n_symbols=27, n_embd=64, n_hidden=64)
    >>> lstm(torch.zeros(32, 16, dtype=torch.long)).shape
    torch.Size([32, 16, 27])
    """

    _layer = nn.LSTM
    _n_parts = 2

    @staticmethod
    def _cell(x, state, *weights):
        """Compute one step."""
        return torch.lstm_cell(x, state, *weights)
