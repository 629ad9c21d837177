"""SequenceModule: predictions of a fitted network that reads words from the start."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F

from .._training.device import one_thread
from .._training.word_batches import padded
from .._words.prefixes import distinct_words, padded_bounds
from ..modules import PrefixTree
from .base import SCORED_CELLS, NextSymbolModule

INFERENCE_CELLS = 1 << 15
"""Symbols evaluated at a time, padding included."""


@dataclass(frozen=True, eq=False)
class SharedStates:
    """Contexts of a network that keeps a state: equal prefixes share one.

    state : tuple of Tensors (n_distinct, ...), the state after each distinct prefix
    logits : (n_distinct, n_symbols) logits of the next symbol after it
    rows : (n_contexts,) prefix of each context
    """

    state: tuple
    logits: torch.Tensor
    rows: np.ndarray

    def __len__(self):
        """Return the number of contexts."""
        return len(self.rows)

    def __getitem__(self, indices):
        """Return some of the contexts."""
        return SharedStates(self.state, self.logits, self.rows[indices])


@dataclass(frozen=True, eq=False)
class SequenceModule(NextSymbolModule):
    """A `NextSymbolModel` whose contexts are `SharedStates`."""

    def contexts_after(self, encoded):
        """Return the contexts at the end of words, (n_words,)."""
        distinct, rows = distinct_words(encoded)
        order, states, logits = [], [], []
        with one_thread, torch.inference_mode():
            for length in np.unique(distinct.lengths):
                group = np.flatnonzero(distinct.lengths == length)
                symbols, _ = _sequences(distinct.take(group), self.device)
                last_logits, state = self._after(symbols[:, :-1])
                order.append(group)
                states.append(state)
                logits.append(last_logits)
            places = np.argsort(np.concatenate(order))
            return SharedStates(_stacked(states), torch.cat(logits), places[rows])

    def _after(self, symbols):
        """Return logits and state after rows of symbols, (n, t) with t > 0."""
        logits, state = None, self.module.initial_state(len(symbols))
        for ids in symbols.T:
            logits, state = self.module.step(ids, state)
        return logits, state

    def advance(self, contexts, ids):
        """Return the contexts after one more symbol each; equal prefixes share one."""
        keys = contexts.rows * self.n_symbols + ids
        keys, rows = np.unique(keys, return_inverse=True)
        before, symbols = np.divmod(keys, self.n_symbols)
        with one_thread, torch.inference_mode():
            before, symbols = (
                torch.from_numpy(array).to(self.device) for array in (before, symbols)
            )
            state = tuple(part.index_select(0, before) for part in contexts.state)
            logits, state = self.module.step(symbols, state)
        return SharedStates(state, logits, rows)

    def next_log_proba(self, contexts):
        """Return the distributions after the distinct prefixes, and their rows."""
        # Words that have ended may leave prefixes that no context needs.
        kept, rows = np.unique(contexts.rows, return_inverse=True)
        with one_thread, torch.inference_mode():
            logits = contexts.logits[torch.from_numpy(kept).to(contexts.logits.device)]
            return self.normalized(logits), rows

    def state_sizes(self):
        """Return how many numbers a state has at the start, and one symbol later."""
        with one_thread, torch.inference_mode():
            state = self.module.initial_state(1)
            ids = torch.zeros(1, dtype=torch.long, device=self.device)
            _, after = self.module.step(ids, state)
        return tuple(sum(part.numel() for part in parts) for parts in (state, after))

    def tree_log_proba(self, distinct):
        """Yield words chunk by chunk, with the distribution after every prefix.

        distinct : `EncodedWords` in lexicographic order

        words : `EncodedWords` of a chunk
        log_proba : (n_nodes, n_symbols) float64, one row per distinct prefix
        nodes : (n_predictions,) prefix before each predicted symbol
        """
        n_cells = max(1, min(INFERENCE_CELLS, SCORED_CELLS // self.n_symbols))
        bounds = padded_bounds(distinct.lengths.tolist(), n_cells)
        for start, stop in pairwise(bounds):
            words = distinct.word_slice(start, stop)
            with one_thread, torch.inference_mode():
                symbols, lengths = _sequences(words, self.device)
                ids, tree = PrefixTree.from_ids(symbols[:, :-1], lengths)
                log_proba = self.normalized(self.module(ids, tree))
            yield words, log_proba, tree.nodes.cpu().numpy()


def _sequences(words, device):
    """Return words as padded rows of symbols, and their numbers of predictions."""
    lengths = torch.as_tensor(words.lengths.astype("int64"), device=device)
    codes = torch.as_tensor(words.codes.astype("int32"), device=device)
    starts = torch.as_tensor(words.offsets[:-1].astype("int64"), device=device)
    return padded(codes, starts, lengths), lengths


def _stacked(states):
    """Join the states of words of several lengths along the first dimension.

    Only keys and values have a dimension for positions, (n, t, C). The shorter ones are
    padded at the front.
    """
    joined = []
    for parts in zip(*states, strict=True):
        longest = max(part.shape[1] if part.ndim == 3 else 0 for part in parts)
        filled = [
            F.pad(part, (0, 0, longest - part.shape[1], 0)) if part.ndim == 3 else part
            for part in parts
        ]
        joined.append(torch.cat(filled))
    return tuple(joined)
