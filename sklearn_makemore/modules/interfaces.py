"""What window modules and sequence modules have in common: their public methods."""

from abc import abstractmethod
from typing import Any

from torch import Tensor, nn

from .prefix_tree import PrefixTree


class WindowNetwork(nn.Module):
    """Base class of the modules that see a window of symbols."""

    def forward(self, ids: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return the logits of the next symbol.

        Parameters
        ----------
        ids : Tensor of shape (B, T)
            Windows of symbols, the most recent last.

        weights : Tensor of shape (B,), default=None
            Number of training rows that each row represents, for batch normalisation.
            None counts every row once.

        Returns
        -------
        logits : Tensor of shape (B, V)
            Logits of the next symbol.
        """
        return self._logits(ids, weights)

    @abstractmethod
    def _logits(self, ids, weights) -> Any:
        """Compute the logits (B, V)."""


class SequenceNetwork(nn.Module):
    """Base class of the modules that read words from the start.

    They read whole words, as rows or as a tree, or one symbol at a time.
    """

    def forward(self, ids: Tensor, tree: PrefixTree | None = None) -> Tensor:
        """Return the logits of the next symbol at every position.

        Parameters
        ----------
        ids : Tensor of shape (B, T) or (N,)
            Symbols of words from their start, or the symbols of the nodes of `tree`.

        tree : PrefixTree, default=None
            The tree that `ids` belong to; None for rows.

        Returns
        -------
        logits : Tensor of shape (B, T, V) or (N, V)
            Logits of the next symbol.
        """
        return self._logits(self._read(ids, tree))

    def initial_state(self, n_rows: int) -> tuple[Tensor, ...]:
        """Return the state before the first symbol.

        Parameters
        ----------
        n_rows : int
            Number of rows n.

        Returns
        -------
        state : tuple of Tensors of shape (n, ...)
            What the module remembers of each row.
        """
        return self._initial_state(n_rows)

    def step(
        self, ids: Tensor, state: tuple[Tensor, ...]
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Read one more symbol.

        Parameters
        ----------
        ids : Tensor of shape (n,)
            Next symbol of each row.

        state : tuple of Tensors of shape (n, ...)
            State returned by `initial_state` or by the previous step.

        Returns
        -------
        logits : Tensor of shape (n, V)
            Logits of the next symbol.

        state : tuple of Tensors of shape (n, ...)
            State after these symbols.
        """
        x, state = self._step(ids, state)  # (n, C)
        return self._logits(x), state  # (n, V)

    @abstractmethod
    def _read(self, ids, tree) -> Any:
        """Compute the channels (B, T, C) or (N, C) after every position."""

    @abstractmethod
    def _initial_state(self, n_rows) -> Any:
        """Compute the state of n rows."""

    @abstractmethod
    def _step(self, ids, state) -> Any:
        """Compute the channels (n, C) and the state after one more symbol (n,)."""

    @abstractmethod
    def _logits(self, x) -> Any:
        """Compute logits (..., V) from channels (..., C)."""
