"""BaseSequenceCharLM: the networks that read a word from its start on."""

from dataclasses import dataclass
from itertools import pairwise
from numbers import Integral

import numpy as np
import torch
import torch.nn.functional as F

from .._sklearn import Interval
from .._training.device import one_thread
from .._training.word_batches import WordDataset, padded
from .._words.check import word_at
from .._words.prefixes import distinct_words, padded_bounds
from .._words.vocabulary import within_groups
from ..modules import PrefixTree
from .base import SCORED_CELLS, BaseNeuralCharLM, NextSymbolModule, plain_module
from .declarations import fitted, parameter

INFERENCE_CELLS = 1 << 15
"""Symbols evaluated at once, padding included."""

MAX_TRAINING_WORD_LENGTH = 1 << 14
"""Symbols of a word that a network learns from: the gradient takes the memory and the
time of all its steps at once, and with attention of their square."""

MAX_WORD_LENGTH = 1 << 20
"""Symbols of a word that is read: a kilobyte or two and 50 microseconds each."""

MAX_POSITIONS = 1 << 16
"""Largest `block_size`: attention over as many symbols takes half a minute a word."""

MAX_LOGITS = 1 << 27
"""Logits of one word: 512 MiB of float32."""

STATE_CELLS = 1 << 24
"""Numbers that the states of the words drawn at once may have: 64 MiB of float32."""


@dataclass(frozen=True, eq=False)
class SharedStates:
    """Contexts of a network that keeps a state: equal prefixes share one.

    Parameters
    ----------
    state : tuple of Tensors of shape (n_distinct, ...)
        What the module keeps of each distinct prefix.

    logits : Tensor of shape (n_distinct, n_symbols)
        Logits of the next symbol after each.

    rows : ndarray of shape (n_contexts,), dtype int64
        Prefix of each context.
    """

    state: tuple
    logits: torch.Tensor
    rows: np.ndarray

    def __len__(self):
        """Return the number of contexts."""
        return len(self.rows)

    def __getitem__(self, indices):
        """Return the contexts at some rows."""
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
                state = self.module.initial_state(len(group))
                for ids in symbols[:, :-1].T:
                    scores, state = self.module.step(ids, state)
                order.append(group)
                states.append(state)
                logits.append(scores)
            places = np.argsort(np.concatenate(order))
            return SharedStates(_stacked(states), torch.cat(logits), places[rows])

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
        # Some prefixes may have gone with the words that have ended.
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
        """Compute the distribution after every prefix of words, chunk by chunk.

        Parameters
        ----------
        distinct : EncodedWords
            Words in lexicographic order.

        Yields
        ------
        words : EncodedWords
            The words of a chunk.
        log_proba : ndarray of shape (n_nodes, n_symbols), dtype float64
            Log-probabilities of the next symbol after each distinct prefix.
        nodes : ndarray of shape (n_predictions,), dtype int64
            Prefix before each predicted symbol.
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


class BaseSequenceCharLM(BaseNeuralCharLM):
    """Template of the networks that read a word from its start on.

    A concrete model provides

    _block_size(longest, is_warm_start)
        The largest number of symbols the network reads, None if there is no limit.
    _module(n_symbols, block_size)
        The module's class and its keyword arguments. The module takes `ids` and a
        `PrefixTree`, and reads symbol by symbol by `initial_state` and `step`.
    _n_readable()
        The largest number of symbols the fitted network reads, None if there is no
        limit.
    """

    def _block_size(self, longest, is_warm_start):
        return None

    def _fit_encoded(self, data, callback_context):
        # Errors name the index of a word, which holding words out would change.
        self._check_trainable(data.encoded, data.vocabulary, self._is_warm_start())
        return super()._fit_encoded(data, callback_context)

    def _partial_fit_encoded(self, data):
        is_warm_start = self.__sklearn_is_fitted__()
        self._check_trainable(data.encoded, data.vocabulary, is_warm_start)
        return super()._partial_fit_encoded(data)

    def _check_trainable(self, encoded, vocabulary, is_warm_start):
        block_size = self._block_size(int(encoded.lengths.max()), is_warm_start)
        _check_readable(self, encoded, vocabulary, block_size)
        _check_room(self, encoded, vocabulary, self._most_trained())

    def _most_trained(self):
        """Return how many symbols of a word are learned from at most."""
        return MAX_TRAINING_WORD_LENGTH

    def _dataset(self, data, block_size, device):
        return WordDataset(
            data.encoded, data.sample_weight, data.vocabulary.n_symbols, device
        )

    def _longest_word(self):
        n_readable = self._n_readable()
        return None if n_readable is None else n_readable - 1  # the start is read too

    def _draws_at_once(self, shortest):
        empty, one = self._next_symbol_model().state_sizes()
        # A state may grow with every symbol; few words are longer than those seen.
        n_cells = empty + (one - empty) * (max(shortest, self.longest_word_) + 1)
        return min(super()._draws_at_once(shortest), max(1, STATE_CELLS // n_cells))

    def _next_symbol_model(self):
        return SequenceModule(
            self._module_for_inference(),
            self.vocabulary_.n_symbols,
            self.unknown_proba_,
        )

    def _contexts_after(self, encoded):
        return self._next_symbol_model().contexts_after(encoded)

    def _prefix_log_proba(self, encoded):
        distinct, rows = distinct_words(encoded)
        ends = [
            log_proba[nodes[np.cumsum(words.lengths) - 1]]
            for words, log_proba, nodes in self._next_symbol_model().tree_log_proba(
                distinct
            )
        ]
        return np.concatenate(ends), rows

    def _target_log_proba(self, encoded):
        distinct, rows = distinct_words(encoded)
        log_proba = np.concatenate(
            [
                log_proba[nodes, words.targets]
                for words, log_proba, nodes in self._next_symbol_model().tree_log_proba(
                    distinct
                )
            ]
        )
        lengths = distinct.lengths[rows]
        first = np.repeat(distinct.offsets[rows], lengths)
        return log_proba[first + within_groups(lengths)]

    def _n_readable(self):
        """Return the number of symbols the fitted network reads at most, or None."""
        return None

    def _check_readable(self, encoded, name):
        _check_readable(self, encoded, self.vocabulary_, self._n_readable(), name)
        _check_room(self, encoded, self.vocabulary_, MAX_WORD_LENGTH, name)


class BasePositionCharLM(BaseSequenceCharLM):
    """Template of the networks that learn an embedding of each position."""

    block_size: int | None = parameter(
        default=None,
        description="""
        Largest number of symbols that the network reads. The start of the word is one
        of them, so a word can have one character less. Longer words raise an error, and
        sampled words end there. None means twice what the longest word of the first fit
        needs; the maximum is 65,536.
        """,
        constraints=[Interval(Integral, 1, MAX_POSITIONS, closed="both"), None],
    )
    block_size_: int = fitted("Largest number of symbols that the network reads.")

    def _block_size(self, longest, is_warm_start):
        if self.block_size is not None:
            return self.block_size
        return self.block_size_ if is_warm_start else 2 * longest

    def _n_readable(self):
        return self.block_size_

    def _fitted(self, net, vocabulary, unknown_proba):
        return {
            **super()._fitted(net, vocabulary, unknown_proba),
            "block_size_": plain_module(net).positions.num_embeddings,
        }


def _check_readable(model, encoded, vocabulary, block_size, name="words"):
    """Raise an error if a word has more symbols than a network reads."""
    if block_size is None or encoded.lengths.max() <= block_size:
        return
    subject, n_characters = _longest(encoded, vocabulary, name)
    raise ValueError(
        f"{subject} has {n_characters} characters, and this {type(model).__name__} "
        f"reads at most {block_size - 1}, one less than its block_size; fit anew with "
        f"block_size={n_characters + 1} or more."
    )


def _check_room(model, encoded, vocabulary, most_symbols, name="words"):
    """Raise an error if a word has more symbols than memory or time allow."""
    most = min(most_symbols, MAX_LOGITS // vocabulary.n_symbols)
    if encoded.lengths.max() <= most:
        return
    subject, n_characters = _longest(encoded, vocabulary, name)
    raise ValueError(
        f"{subject} has {n_characters} characters, and {type(model).__name__} takes a "
        f"word as one sequence, of at most {most - 1} characters of an alphabet of "
        f"{vocabulary.n_symbols}: split it, or use a model that sees a window, such as "
        "MLPCharLM, WaveNetCharLM or NGramCounter."
    )


def _longest(encoded, vocabulary, name):
    """Say which word is the longest, and how many characters it has."""
    index = int(encoded.lengths.argmax())
    (word,) = vocabulary.decode(encoded.word_slice(index, index + 1))
    return word_at(word, index, name), len(word)


def _sequences(words, device):
    """Words as padded rows of symbols, and their numbers of predictions."""
    lengths = torch.as_tensor(words.lengths.astype("int64"), device=device)
    codes = torch.as_tensor(words.codes.astype("int32"), device=device)
    starts = torch.as_tensor(words.offsets[:-1].astype("int64"), device=device)
    return padded(codes, starts, lengths), lengths


def _stacked(states):
    """Join states, the shorter of what grows with the symbols filled in front.

    Only keys and values grow; they alone have a dimension for positions, (n, t, C).
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
