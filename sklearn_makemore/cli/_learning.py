"""Fitting models to words, with a share of the words held out."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from .._counters.base import BaseCounter
from ._parser import OptionType
from ._streams import UsageError
from ._words import word_chunks

LEARNING_CHUNK_SIZE = 1_000_000
"""Number of words read at a time. Counters keep no more words in memory, so they can be
fitted to files of any length."""

DIGEST_SIZE = 8
"""Bytes that determine whether a word is held out: the share is exact to 2**-64."""


def add_held_out_option(parser):
    """Add the option for the share of held-out words."""
    parser.add_argument(
        "--held_out",
        type=OptionType(float),
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
    """Chunks of training words, and the words that are held out of them.

    Whether a word is held out depends on its characters only. Equal words are therefore
    on the same side in a file of any length and order, and all models hold out the same
    words. A word that has a character of no training word, or is longer than all of
    them, is learned with the last chunk, because a model could not read it otherwise.

    After the iteration, `n_words` is the number of training words, `held_out` the
    held-out words or None, and `seen` the set of all words, or None if there was more
    than one chunk.
    """

    def __init__(self, chunks: Iterable[list[str]], share: float):
        self.chunks, self.share = chunks, share
        self.n_words = 0
        self.held_out: HeldOut | None = None
        self.seen: set[str] | None = None

    def __iter__(self):
        """Yield lists of training words, none of them empty."""
        held_out = Counter()
        for words in filter(None, self._learned(held_out)):
            self.n_words += len(words)
            yield words
        if held_out:
            counts = np.fromiter(held_out.values(), np.float64, len(held_out))
            self.held_out = HeldOut(list(held_out), counts)

    def _learned(self, held_out):
        """Yield lists of training words, and count the other words in `held_out`."""
        bound = int(self.share * 256**DIGEST_SIZE).to_bytes(DIGEST_SIZE, "big")
        characters, longest = set(), 0
        for index, words in enumerate(self.chunks):
            self.seen = None if index else set(words)
            if not self.share:  # no digest is needed
                yield words
                continue
            drawn = {word for word in set(words) if _digest(word) < bound}
            held_out.update(word for word in words if word in drawn)
            learned = [word for word in words if word not in drawn]
            characters.update(*learned)
            longest = max([longest, *map(len, learned)])
            yield learned
        unreadable = [
            word
            for word in held_out
            if len(word) > longest or not characters.issuperset(word)
        ]
        yield [word for word in unreadable for _ in range(held_out.pop(word))]


def _digest(word):
    """Return bytes that look random, and are the same for a word everywhere."""
    return blake2b(word.encode(), digest_size=DIGEST_SIZE).digest()


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
    """Print ten sampled words under a heading, none of them in ``split.seen``."""
    is_new = split.seen is not None
    heading = "New words" if is_new else "Words (some may be in the file)"
    print(f"{heading}{ending}:")
    for word in model.sample(10, unique=True, exclude=split.seen, random_state=0):
        print(f"  {word}")
