"""Fitting models to words, with a share of the words held out."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from itertools import compress, starmap

import numpy as np

from .._counters.base import BaseCounter
from .._declarations import PROPER_SHARE
from ._option_types import OptionType
from ._words import word_chunks

LEARNING_CHUNK_SIZE = 1_000_000
"""Number of words read at a time. Counters keep no more words in memory, so they can be
fitted to files of any length."""

DIGEST_SIZE = 8
"""Bytes that determine whether a word is held out: the share is exact to 2**-64."""


def add_held_out_option(parser):
    """Add the option for the share of held-out words."""
    parser.group("words").add_argument(
        "--held-out",
        type=OptionType(float, PROPER_SHARE),
        default=0.1,
        metavar="SHARE",
        help="Share of the distinct words to hold out, 0 for none. The same words are "
        "held out in every call and for every model. Default: %(default)s.",
    )


def split_words(options):
    """Split the words named by the options into training and held-out words."""
    chunks = word_chunks(options.words, options, LEARNING_CHUNK_SIZE)
    return Split(chunks, options.held_out)


@dataclass(frozen=True)
class HeldOut:
    """Held-out words, their total weights, the number of their rows, and labels."""

    words: list[str]
    weights: np.ndarray | None
    n_words: int
    labels: np.ndarray | None = None

    def nll(self, model):
        """Return the mean NLL in nats per character."""
        labels = () if self.labels is None else (self.labels,)
        return model.nll(self.words, *labels, sample_weight=self.weights)


class Split:
    """Chunks of training words, and the words that are held out of them.

    Whether a word is held out depends on its characters only. Equal words are therefore
    on the same side in a file of any length and order, and all models hold out the same
    words. A word that has a character of no training word, or is longer than all of
    them, is learned with the last chunk, because a model could not read it otherwise.

    The chunks are tuples of a list of words and maybe one of their weights; words of
    weight 0 are ignored. After the iteration, `n_words` is the number of training
    words, `held_out` the held-out words or None, and `seen` the set of all words, or
    None if there was more than one chunk.
    """

    def __init__(self, chunks: Iterable[tuple[list, ...]], share: float):
        self.chunks, self.share = chunks, share
        self.n_words = 0
        self.held_out: HeldOut | None = None
        self.seen: set[str] | None = None

    def __iter__(self):
        """Yield lists of training words and of their weights, None without weights."""
        n_rows, totals = Counter(), Counter()
        for words, weights in self._learned(n_rows, totals):
            if words:
                self.n_words += len(words)
                yield words, weights
        if n_rows:
            weights = np.fromiter((totals or n_rows).values(), np.float64, len(n_rows))
            self.held_out = HeldOut(list(n_rows), weights, n_rows.total())

    def fit(self, model, progress=None):
        """Fit a model with a `TrainingProgress`, and return it.

        Counters count chunk by chunk and estimate probabilities once, at the end. Other
        models need all words in memory.
        """
        if not isinstance(model, BaseCounter):
            return AllWords.of(self).fit(model, progress)
        counted = model._sum_counted(starmap(model._count_words, self))
        if counted is None:
            raise ValueError("there are no words to train on")
        model._fit_counted(counted)
        return model

    def show_words(self, model, ending=""):
        """Print words that the fitted model samples."""
        show_words(model, self, ending)

    def _learned(self, n_rows, totals):
        """Yield training words and weights, and count the others.

        `n_rows` gets the number of rows of each of these, `totals` the total weight.
        """
        characters, longest = set(), 0
        for index, (words, weights) in enumerate(map(_positive, self.chunks)):
            self.seen = None if index else set(words)
            if not self.share:  # no digest is needed
                yield words, weights
                continue
            drawn = drawn_words(words, self.share)
            n_rows.update(word for word in words if word in drawn)
            if weights is not None:
                for word, weight in zip(words, weights, strict=True):
                    if word in drawn:
                        totals[word] += weight
                weights = list(compress(weights, (word not in drawn for word in words)))
            words = [word for word in words if word not in drawn]
            characters.update(*words)
            longest = max([longest, *map(len, words)])
            yield words, weights
        yield _taken_out(
            [
                word
                for word in n_rows
                if len(word) > longest or not characters.issuperset(word)
            ],
            n_rows,
            totals,
        )


def _taken_out(words, n_rows, totals):
    """Remove words from the held-out ones; return their rows and the weights of these.

    Each row of a word has the mean of their weights.
    """
    n_rows_of = {word: n_rows.pop(word) for word in words}
    rows = [word for word, n in n_rows_of.items() for _ in range(n)]
    if not totals:
        return rows, None
    weight_of = {word: totals.pop(word) / n for word, n in n_rows_of.items()}
    return rows, [weight_of[word] for word in rows]


def _positive(chunk):
    """Return the words and weights of a chunk, without those of weight 0."""
    words, *others = chunk
    if not others:
        return words, None
    (weights,) = others
    return list(compress(words, weights)), list(filter(None, weights))


def drawn_words(words, share):
    """Return the words that are to be held out: the same ones everywhere."""
    bound = int(share * 256**DIGEST_SIZE).to_bytes(DIGEST_SIZE, "big")
    return {
        word
        for word in set(words)
        if blake2b(word.encode(), digest_size=DIGEST_SIZE).digest() < bound
    }


@dataclass(frozen=True)
class AllWords:
    """All training words as one list, their weights or None, and held-out words."""

    words: list[str]
    weights: np.ndarray | None
    held_out: HeldOut | None
    seen: set[str] | None

    @classmethod
    def of(cls, split):
        """Return the words of a split."""
        words, weights = [], []
        for some_words, some_weights in split:
            words += some_words
            weights += some_weights or []
        weights = np.array(weights) if weights else None
        return cls(words, weights, split.held_out, split.seen)

    @property
    def n_words(self):
        """Number of training words."""
        return len(self.words)

    def fit(self, model, progress=None):
        """Fit a model with a `TrainingProgress`, and return it."""
        return self._fitted(model, weights_for(model, self.weights), progress)

    def _fitted(self, model, weights, progress, *labels):
        """Fit a model, also with labels, and return it."""
        try:
            if progress is not None:
                progress.held_out = self.held_out
                model.set_callbacks(progress)
            return model.fit(self.words, *labels, sample_weight=weights)
        finally:
            model.set_callbacks()

    def show_words(self, model, ending=""):
        """Print words that the fitted model samples."""
        show_words(model, self, ending)


def weights_for(model, weights):
    """Return weights, divided by their mean if larger ones lengthen the training."""
    if weights is None or isinstance(model, BaseCounter):
        return weights
    return weights / weights.mean()


def show_words(model, split, ending=""):
    """Print ten sampled words under a heading, none of them in ``split.seen``."""
    is_new = split.seen is not None
    heading = "New words" if is_new else "Words (some may be in the file)"
    print(f"{heading}{ending}:")
    for word in model.sample(10, unique=True, exclude=split.seen, random_state=0):
        print(f"  {word}")
