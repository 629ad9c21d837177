"""Fitting models to words, with a share of the words held out."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from .._counters.base import BaseCounter
from .._words.hold_out import HeldOutStream
from ._streams import UsageError
from ._words import word_chunks

LEARNING_CHUNK_SIZE = 1_000_000
"""Number of words read at a time. Counters keep no more words in memory, so they can be
fitted to files of any length."""

N_SHOWN = 10
"""Number of sampled words to print."""


def add_held_out_option(parser):
    """Add the option for the share of held-out words."""
    parser.add_typed(
        "--held_out",
        type=float,
        default=0.1,
        metavar="SHARE",
        help="Approximate share of the distinct words to hold out, 0 for none. The "
        "choice depends on the letters of a word only, so it is the same in every call "
        "and for every model. Words are not held out if they have a character, or a "
        "length, that no training word has.",
    )


def split_words(options):
    """Split the words named by the options into training and held-out words."""
    if not 0 <= options.held_out < 1:
        raise UsageError(
            f"--held_out must be a share from 0 to below 1, not {options.held_out}"
        )
    return Split(word_chunks(options, LEARNING_CHUNK_SIZE), options.held_out)


@dataclass(frozen=True)
class HeldOut:
    """Distinct held-out words, and how often each occurs."""

    words: list[str]
    counts: np.ndarray

    @property
    def n_words(self):
        """Number of words, repeats included."""
        return int(self.counts.sum())

    def nll(self, model):
        """Return the mean NLL in nats per character."""
        return model.nll(self.words, sample_weight=self.counts)


class Split:
    """Chunks of training words, and the words that `HeldOutStream` holds out of them.

    After the iteration, `n_words` is the number of training words, `held_out` the
    held-out words or None, and `seen` the set of all words, or None if there was more
    than one chunk.
    """

    def __init__(self, chunks: Iterable[list[str]], share: float):
        self._stream = HeldOutStream(self._noted(chunks), share)
        self.n_words = 0
        self.held_out: HeldOut | None = None
        self.seen: set[str] | None = None

    def __iter__(self):
        """Yield lists of training words."""
        for words in self._stream:
            self.n_words += len(words)
            yield words
        held_out = self._stream.held_out
        if held_out:
            counts = np.fromiter(held_out.values(), np.float64, len(held_out))
            self.held_out = HeldOut(list(held_out), counts)

    def _noted(self, chunks):
        """Yield the chunks; keep the words in `seen` if there is one chunk only."""
        for index, words in enumerate(chunks):
            self.seen = None if index else set(words)
            yield words


def learn(model, split, callback=None):
    """Fit a model to the training words of a split, with a `ScoredEpochCallback`.

    Counters count chunk by chunk and estimate probabilities once, at the end. Other
    models need all words in memory.
    """
    if isinstance(model, BaseCounter):
        counted = model._sum_counted(map(model._count_words, split))
        if counted is None:
            raise ValueError("there are no words to train on")
        model._fit_counted(counted)
        return
    words = all_words(split)
    if callback is not None:
        callback.held_out = split.held_out
    fit_with_callback(model, words, callback)


def all_words(chunks):
    """Return the words of all chunks as one list."""
    return [word for words in chunks for word in words]


def fit_with_callback(model, words, callback):
    """Fit a model with a scikit-learn callback, or None."""
    try:
        model.set_callbacks(*filter(None, [callback])).fit(words)
    finally:
        model.set_callbacks()


def show_words(model, split, ending=""):
    """Print sampled words under a heading, without those in ``split.seen``."""
    is_new = split.seen is not None
    heading = "New words" if is_new else "Words (some may be in the file)"
    print(f"{heading}{ending}:")
    for word in model.sample(N_SHOWN, unique=True, exclude=split.seen, random_state=0):
        print(f"  {word}")
