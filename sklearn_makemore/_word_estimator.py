"""BaseWordEstimator: what all estimators of words share, and their sample weights."""

import warnings

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_random_state

from ._sklearn import _check_sample_weight
from ._words.check import check_words

MAX_TOTAL_WEIGHT = 1e307
"""Weight of all words with which sums over their characters are finite still."""


class BaseWordEstimator(CallbackSupportMixin, BaseEstimator):
    """What all estimators of words share: callbacks, tags, links, and their stamp."""

    _doc_link_module = "sklearn_makemore"
    _doc_link_template = (
        "https://sklearn-makemore.readthedocs.io/en/stable/generated/"
        "{estimator_module}.{estimator_name}.html"
    )

    def _callback_task(self, words):
        """Return what scikit-learn's callbacks are told of every task."""
        return {
            "estimator": self,
            "X": words,
            # ScoringMonitor scores only if there is a y; this one takes no memory.
            "y": np.broadcast_to(0.0, len(words)),
        }

    def __sklearn_tags__(self):
        """Declare that samples are strings in one dimension."""
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        return tags

    def __getstate__(self):
        """Stamp the state with the package's version."""
        return {
            **super().__getstate__(),
            "_sklearn_makemore_version": package_version(),
        }

    def __setstate__(self, state):
        """Restore the state, with a warning if another version wrote it."""
        state = dict(state)
        written_by = state.pop("_sklearn_makemore_version", None)
        if written_by not in (None, package_version()):
            warnings.warn(
                f"This {type(self).__name__} was saved by sklearn_makemore "
                f"{written_by} and is loaded by {package_version()}: refit it if it "
                "misbehaves.",
                UserWarning,
                stacklevel=2,
            )
        super().__setstate__(state)


def own_random_state(random_state):
    """Return a RandomState that is not numpy's global one, fresh for None."""
    return (
        np.random.RandomState()
        if random_state is None
        else check_random_state(random_state)
    )


def package_version():
    """Return the version of this package."""
    from . import __version__

    return __version__


def checked_training(words, sample_weight):
    """Check words and weights, and leave out the words of weight zero."""
    words = check_words(words)
    sample_weight = checked_weight(sample_weight, words)
    if sample_weight is None or sample_weight.all():
        return words, sample_weight
    present = np.flatnonzero(sample_weight)
    return [words[index] for index in present], sample_weight[present]


def checked_weight(sample_weight, words):
    """Weights as float64 of shape (n_words,), or None if there are none."""
    if sample_weight is None:
        return None
    weights = _check_sample_weight(
        sample_weight, words, dtype=np.float64, ensure_non_negative=True
    )
    if np.sum(weights / MAX_TOTAL_WEIGHT) > 1:
        index = int(weights.argmax())
        raise ValueError(
            f"`sample_weight` has {weights[index]} at index {index}, and sums of "
            f"weights above {MAX_TOTAL_WEIGHT:.0e} overflow; divide all by one number."
        )
    return weights
