"""Words held out while others are learned."""

from collections import Counter
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from .._counters.base import BaseCounter
from ._streams import UsageError
from ._words import word_chunks

LEARNING_CHUNK_SIZE = 1_000_000
"""Words that are read at once: with these in memory and no more, counters learn from a
file of any length."""

DIGEST_SIZE = 8
"""Bytes that decide whether a word is held out: by 2**-64 the share may be off."""

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
    """Words to learn from, chunk by chunk, and those held out.

    Whether a word is held out depends on its text alone: equal words are on one side,
    in a file of any length and order, and for every model. Words that have a letter, or
    a length, which no word to learn from has are learned too, at last: there is no
    saying how probable they are for a model that cannot read them.

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
        self._chunks = chunks
        self._share = share
        self.n_words = 0
        self.held_out = self.seen = None

    @property
    def heading(self):
        """Heading of drawn words: they are new if all of before are known."""
        return "Words (some may be in the file)" if self.seen is None else "New words"

    def __iter__(self):
        """Yield lists of words to learn from."""
        bound = int(self._share * 256**DIGEST_SIZE).to_bytes(DIGEST_SIZE, "big")
        held_out, letters, longest = Counter(), set(), 0
        for index, words in enumerate(self._chunks):
            self.seen = None if index else set(words)
            if self._share:
                drawn = {word for word in set(words) if digest(word) < bound}
                held_out.update(word for word in words if word in drawn)
                words = [word for word in words if word not in drawn]
                letters.update(*words)
                longest = max(longest, max(map(len, words), default=0))
            if words:
                self.n_words += len(words)
                yield words
        unlike = [
            word
            for word in held_out
            if len(word) > longest or not letters.issuperset(word)
        ]
        last = [word for word in unlike for _ in range(held_out.pop(word))]
        if held_out:
            counts = np.fromiter(held_out.values(), np.float64, len(held_out))
            self.held_out = HeldOut(list(held_out), counts)
        if last:
            self.n_words += len(last)
            yield last


def digest(word):
    """Return bytes that look drawn at random, the same for a word everywhere."""
    return blake2b(word.encode(), digest_size=DIGEST_SIZE).digest()


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
        model._fit_total(model._total(map(model._counted, split)))
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
