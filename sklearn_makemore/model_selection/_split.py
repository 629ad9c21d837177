"""train_dev_test_split: words for training, for choosing a model, and for testing."""

import math
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils import check_consistent_length, indexable

from .._arguments import validate_options
from .._sklearn import Interval, RealNotInt, _safe_indexing
from .._word_estimator import own_random_state
from .._words.check import check_words
from .._words.hold_out import assign_groups, group_numbers
from .._words.types import Ids, Seed, Words

_SIZE = [
    Interval(RealNotInt, 0, 1, closed="neither"),
    Interval(Integral, 1, None, closed="left"),
]


@validate_options(
    {
        "arrays": ["array-like", "sparse matrix"],
        "dev_size": _SIZE,
        "test_size": _SIZE,
        "shuffle": ["boolean"],
        "group_duplicates": ["boolean"],
        "random_state": ["random_state"],
    }
)
def train_dev_test_split(
    words: Words,
    *arrays: Any,
    dev_size: float = 0.1,
    test_size: float = 0.1,
    shuffle: bool = True,
    group_duplicates: bool = True,
    random_state: Seed = None,
) -> list[Any]:
    """Split words into a training, a development and a test part.

    The training part is for `fit`, the development part for choosing between models and
    parameters, the test part for the final figure. Each word is in one part as a whole.

    Lists often repeat words: 8% of the makemore list are names of both girls and boys.
    If such a list is split word by word, one development word in eight is also a
    training word, which favours models that overfit. An `NGramCounter` then seems as
    good as a `WaveNetCharLM`, with a negative log-likelihood of 1.98; on words that are
    new to them they have 2.02 and 2.00. So equal words are kept together by default.

    Parameters
    ----------
    words : array-like of str of shape (n_words,)
        The words.

    *arrays : array-likes of shape (n_words,) or (n_words, n_columns)
        Data about the words, such as labels or sample weights, that are split in the
        same way.

    dev_size, test_size : float or int, default=0.1
        Share or number of the words in the development and in the test part. The rest
        is for training.

    shuffle : bool, default=True
        Whether to draw the parts at random. Otherwise the first words are for training
        and the last ones for testing.

    group_duplicates : bool, default=True
        Whether equal words all go to the same part. The sizes are then as near to the
        given ones as whole groups of words allow, and exact unless most words are
        repeated. In a short list a frequent word may be too large a group for the small
        parts, so it is likelier to be in training. False splits word by word, as the
        makemore lectures do: choose it if repeats are independent observations.

    random_state : int, RandomState instance or None, default=None
        Determines the parts and the order of their words. Pass an int for the same
        split at each call.

    Returns
    -------
    splitting : list of length 3 * (1 + len(arrays))
        The training, development and test words as lists of str, then the same three
        parts of each array, of the array's own type.

    Raises
    ------
    ValueError
        If the words, or the groups of equal words, are too few for three parts, if no
        word is left to train on, or if an array is not as long as `words`.
    TypeError
        If something in `words` is not a string.

    See Also
    --------
    lr_range_test : Search for a learning rate.

    Examples
    --------
    >>> from sklearn_makemore.datasets import load_names
    >>> from sklearn_makemore.model_selection import train_dev_test_split
    >>> words, sex = load_names(return_X_y=True)
    >>> train, dev, test = train_dev_test_split(words, random_state=0)
    >>> len(train), len(dev), len(test)
    (25975, 3247, 3247)
    >>> set(train).isdisjoint(dev)
    True
    >>> *_, sex_train, sex_dev, sex_test = train_dev_test_split(
    ...     words, sex, random_state=0
    ... )
    >>> sex_dev.shape
    (3247,)
    """
    checked = check_words(words)
    arrays = tuple(indexable(*arrays))
    check_consistent_length(checked, *arrays)
    sizes = part_sizes(len(checked), dev_size, test_size)
    rng = own_random_state(random_state)
    order = rng.permutation(len(checked)) if shuffle else np.arange(len(checked))
    if group_duplicates:
        parts = _parts_of_groups(checked, sizes, rng if shuffle else None)[order]
    else:
        parts = np.repeat(np.arange(3), sizes)
    rows = [order[parts == part] for part in range(3)]
    return [
        *([checked[row] for row in part.tolist()] for part in rows),
        *(_safe_indexing(array, part) for array in arrays for part in rows),
    ]


def part_sizes(n_words: int, dev_size: float, test_size: float) -> tuple[int, int, int]:
    """Return the numbers of training, development and test words, each at least one.

    A share is met within one word, a number exactly.
    """
    if n_words < 3:
        raise ValueError(
            f"`words` has {n_words} words, which are too few for a training, a "
            "development and a test part; pass more words."
        )
    counted = isinstance(dev_size, Integral) or isinstance(test_size, Integral)
    dev, test = (
        size if isinstance(size, Integral) else n_words * size
        for size in (dev_size, test_size)
    )
    # Rounded shares may sum to slightly less than 1; numbers must leave a whole word.
    if n_words - dev - test < (1 if counted else 1e-9 * n_words):
        raise ValueError(
            f"dev_size={dev_size} and test_size={test_size} of {n_words} words leave "
            "none to train on; make them smaller."
        )
    # Two cuts are rounded instead of three sizes: no part is off by a whole word.
    first_test = min(max(_rounded(n_words - test), 2), n_words - 1)
    if isinstance(dev_size, Integral):
        first_dev = first_test - int(dev_size)
    else:
        first_dev = min(max(_rounded(n_words - test - dev), 1), first_test - 1)
    return first_dev, first_test - first_dev, n_words - first_test


def _rounded(value: float) -> int:
    return math.floor(value + 0.5)


def _parts_of_groups(
    words: list[str], sizes: tuple[int, int, int], rng: np.random.RandomState | None
) -> Ids:
    """Return the part of each word: 0 to train, 1 to develop, 2 to test.

    Groups of equal words leave the training part in random order, or from the end
    without an `rng`.

    parts : (n_words,)
    """
    groups = group_numbers(words)
    counts = np.bincount(groups)
    if len(counts) < 3:
        raise ValueError(
            f"`words` has {len(counts)} distinct words, and equal words are kept "
            "together: three parts need three. Pass more words, or "
            "group_duplicates=False."
        )
    order = np.arange(len(counts)) if rng is None else rng.permutation(len(counts))
    return assign_groups(counts, order[::-1], sizes[1:], nearest=True)[groups]
