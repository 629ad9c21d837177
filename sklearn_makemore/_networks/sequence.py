"""BaseSequenceCharLM: the networks that read a word from its start."""

from dataclasses import KW_ONLY
from numbers import Integral

import numpy as np

from .._declarations import PROPER_SHARE, fitted, parameter
from .._sklearn import Interval
from .._training.device import plain_module
from .._training.word_batches import WordDataset
from .._words.check import word_at
from .._words.prefixes import distinct_words
from .._words.vocabulary import within_groups
from .base import BaseNeuralCharLM
from .sequence_module import SequenceModule

MAX_TRAINING_WORD_LENGTH = 1 << 14
"""Largest number of symbols of a training word. The gradient needs memory for all steps
together, and attention for their square."""

MAX_WORD_LENGTH = 1 << 20
"""Largest number of symbols of a word to score. Each takes one or two kilobytes and 50
microseconds."""

MAX_POSITIONS = 1 << 16
"""Largest `block_size`. Attention over so many symbols takes half a minute per word."""

MAX_LOGITS = 1 << 27
"""Largest number of logits of one word: 512 MiB of float32."""

STATE_CELLS = 1 << 24
"""Largest number of values in the states of words sampled together, 64 MiB."""


class BaseSequenceCharLM(BaseNeuralCharLM):
    """Base class of the networks that read a word from its start.

    A subclass names its module as `_network`. The module takes `ids` and a
    `PrefixTree`, and reads symbol by symbol through `initial_state` and `step`.
    """

    _: KW_ONLY
    ngram_share: float = parameter(
        default=0.0,
        description="""
        Share of the training targets that n-grams predict; the rest are the characters
        that follow a prefix in the training words. The words are divided into ten
        parts, and `NGramCounter` predicts each from the others. With labels, n-grams
        given the label predict each of five parts. The training losses in `history_`
        are those of these targets. `partial_fit` uses no n-grams, and `fit` uses none
        for a single distinct word and, with a warning, for lists with more than 2**27
        pairs of a prefix and a symbol.
        """,
        constraints=[PROPER_SHARE],
    )

    _predictor = SequenceModule

    def _block_size(self, longest: int, is_warm_start: bool) -> int | None:
        return None

    def _check_trainable(self, encoded, vocabulary, is_warm_start):
        block_size = self._block_size(int(encoded.lengths.max()), is_warm_start)
        _check_readable(self, encoded, vocabulary, block_size)
        _check_room(self, encoded, vocabulary, self._most_trained())

    def _most_trained(self) -> int:
        """Return the largest number of symbols of a training word."""
        return MAX_TRAINING_WORD_LENGTH

    def _dataset(self, data, block_size, device):
        return WordDataset(data, device)

    def _training_dataset(self, data, block_size, device):
        dataset = WordDataset(data, device)
        if self.ngram_share:
            from .ngram_targets import mix_ngrams  # imports the counters

            mix_ngrams(dataset, data, self.ngram_share)
        return dataset

    def _longest_word(self):
        n_readable = self._n_readable()
        return None if n_readable is None else n_readable - 1  # the start is read too

    def _draws_at_once(self, shortest):
        empty, one = self._next_symbol_model().state_sizes()
        # A state may grow with every symbol. Few samples are longer than all training
        # words.
        n_cells = empty + (one - empty) * (max(shortest, self.longest_word_) + 1)
        return min(super()._draws_at_once(shortest), max(1, STATE_CELLS // n_cells))

    def _contexts_after(self, encoded):
        return self._next_symbol_model().contexts_after(encoded)

    def _prefix_log_proba(self, encoded):
        distinct, rows = distinct_words(encoded)
        chunks = self._next_symbol_model().tree_log_proba(distinct)
        ends = [
            log_proba[nodes[np.cumsum(words.lengths) - 1]]
            for words, log_proba, nodes in chunks
        ]
        return np.concatenate(ends), rows

    def _target_log_proba(self, encoded):
        distinct, rows = distinct_words(encoded)
        chunks = self._next_symbol_model().tree_log_proba(distinct)
        picked = [log_proba[nodes, words.targets] for words, log_proba, nodes in chunks]
        log_proba = np.concatenate(picked)
        lengths = distinct.lengths[rows]
        first = np.repeat(distinct.offsets[rows], lengths)
        return log_proba[first + within_groups(lengths)]

    def _n_readable(self) -> int | None:
        """Return the largest number of symbols the fitted network reads, or None."""
        return None

    def _check_readable(self, encoded, name):
        _check_readable(self, encoded, self.vocabulary_, self._n_readable(), name)
        _check_room(self, encoded, self.vocabulary_, MAX_WORD_LENGTH, name)


class BasePositionCharLM(BaseSequenceCharLM):
    """Base class of the networks that learn an embedding of each position."""

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

    def _fitted(self, net, vocabulary, of_words):
        return {
            **super()._fitted(net, vocabulary, of_words),
            "block_size_": plain_module(net).positions.num_embeddings,
        }


def _check_readable(model, encoded, vocabulary, block_size, name="words"):
    """Raise an error if a word has more symbols than a network reads."""
    if block_size is None or encoded.lengths.max() <= block_size:
        return
    subject, n_characters = _longest(encoded, vocabulary, name)
    raise ValueError(
        f"{subject} has {n_characters} characters, and this {type(model).__name__} "
        f"reads at most {block_size - 1}, one less than its block_size; refit with "
        f"block_size={n_characters + 1} or more."
    )


def _check_room(model, encoded, vocabulary, most_symbols, name="words"):
    """Raise an error if a word has more symbols than memory or time allow."""
    most = min(most_symbols, MAX_LOGITS // vocabulary.n_symbols)
    if encoded.lengths.max() <= most:
        return
    subject, n_characters = _longest(encoded, vocabulary, name)
    raise ValueError(
        f"{subject} has {n_characters} characters, and {type(model).__name__} reads a "
        f"word as one sequence: with {vocabulary.n_symbols} symbols, at most "
        f"{most - 1} characters. Split the word, or use a model that sees a window, "
        "such as MLPCharLM, WaveNetCharLM or NGramCounter."
    )


def _longest(encoded, vocabulary, name):
    """Return the longest word and its index as text, and its number of characters."""
    index = int(encoded.lengths.argmax())
    (word,) = vocabulary.decode(encoded.word_slice(index, index + 1))
    return word_at(word, index, name), int(encoded.lengths[index]) - 1
