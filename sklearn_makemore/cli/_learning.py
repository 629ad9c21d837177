"""Words held out while others are learned."""

from dataclasses import dataclass

import numpy as np

from .._counters.base import BaseCounter
from .._words.hold_out import HeldOutStream
from ._streams import UsageError
from ._words import word_chunks

LEARNING_CHUNK_SIZE = 1_000_000
"""Words that are read at once: with these in memory and no more, counters learn from a
file of any length."""

N_SHOWN = 10
"""Words that are drawn to be looked at."""


def add_held_out_option(parser):
    """Add the option of the share that is held out."""
    parser.add_typed(
        "--held_out",
        type=float,
        default=0.1,
        metavar="SHARE",
        help="About the share of the distinct words that is held out, 0 for none. "
        "Which ones depends on their letters alone: they are the same at each call and "
        "for each model. Words with a letter or a length that no other one has are "
        "learned.",
    )


def split_words(options):
    """Return the words that the options name as words to learn and words held out."""
    if not 0 <= options.held_out < 1:
        raise UsageError(f"--held_out is a share below 1, not {options.held_out}")
    return Split(word_chunks(options, LEARNING_CHUNK_SIZE), options.held_out)


@dataclass(frozen=True)
class HeldOut:
    """Words that a model does not learn from, and how often each occurs."""

    words: list
    counts: np.ndarray

    @property
    def n_words(self):
        """Number of words, equal ones counted."""
        return int(self.counts.sum())

    def nll(self, model):
        """Return the mean NLL in nats per character."""
        return model.nll(self.words, sample_weight=self.counts)


class Split:
    """Words to learn from, chunk by chunk, and those that `HeldOutStream` holds out.

    Parameters
    ----------
    chunks : iterable of list of str
        The words.

    share : float
        About the share of the distinct words that is held out.

    Attributes
    ----------
    n_words : int
        Number of words to learn from so far.

    held_out : HeldOut or None
        The words held out, after all chunks; None if there are none.

    seen : set of str or None
        All words, None if they were more than one chunk.
    """

    def __init__(self, chunks, share):
        self._stream = HeldOutStream(self._noted(chunks), share)
        self.n_words = 0
        self.held_out = self.seen = None

    @property
    def heading(self):
        """Heading of sampled words: they are new if all training words are known."""
        return "Words (some may be in the file)" if self.seen is None else "New words"

    def __iter__(self):
        """Yield lists of words to learn from."""
        for words in self._stream:
            self.n_words += len(words)
            yield words
        held_out = self._stream.held_out
        if held_out:
            counts = np.fromiter(held_out.values(), np.float64, len(held_out))
            self.held_out = HeldOut(list(held_out), counts)

    def _noted(self, chunks):
        """Yield the chunks; keep the words of the first if it is the only one."""
        for index, words in enumerate(chunks):
            self.seen = None if index else set(words)
            yield words


def learn(model, split, callback=None):
    """Fit a model on the words of a split.

    Counters count chunk by chunk, and estimate at the end. Networks go through all
    words again and again.

    Parameters
    ----------
    model : estimator
        The model; it is fitted in place.

    split : Split
        The words.

    callback : ScoredEpochCallback, default=None
        Told of the epochs of a network.
    """
    if isinstance(model, BaseCounter):
        model._fit_counted(model._sum_counted(map(model._count_words, split)))
        return
    words = all_words(split)
    if callback is not None:
        callback.held_out = split.held_out
    fit_with_callback(model, words, callback)


def all_words(chunks):
    """Return the words of all chunks as one list."""
    return [word for words in chunks for word in words]


def fit_with_callback(model, words, callback):
    """Fit a model with a callback of scikit-learn, None for none."""
    try:
        model.set_callbacks(*filter(None, [callback])).fit(words)
    finally:
        model.set_callbacks()


def new_words(model, split):
    """Return some words of a model, new ones if all of before are known."""
    return model.sample(N_SHOWN, unique=True, exclude=split.seen, random_state=0)
