"""Encoded words to distinct words, and to their distinct prefixes."""

import numpy as np

from .packing import differs_from_last
from .types import Ids
from .vocabulary import EncodedWords


def distinct_words(encoded: EncodedWords) -> tuple[EncodedWords, Ids]:
    """Return each word once, in lexicographic order of the symbols, and the rows.

    rows : (n_words,) int64, so that ``distinct.take(rows)`` is `encoded`
    """
    # The bytes of big-endian integers sort as the symbols do.
    codes = encoded.codes.astype(encoded.codes.dtype.newbyteorder(">")).tobytes()
    bounds = (encoded.offsets.astype(np.int64) * encoded.codes.itemsize).tolist()
    texts = [codes[a:b] for a, b in zip(bounds[:-1], bounds[1:], strict=True)]
    ranks = {text: rank for rank, text in enumerate(sorted(set(texts)))}
    rows = np.fromiter(map(ranks.__getitem__, texts), dtype=np.int64, count=len(texts))
    indices = np.empty(len(ranks), dtype=np.int64)
    indices[rows] = np.arange(len(rows))
    return encoded.take(indices), rows


def prefix_nodes(distinct: EncodedWords, labels: Ids | None = None) -> Ids:
    """Number the distinct prefixes of words, the shorter prefixes first.

    Words of different labels share no prefix.

    distinct : words in lexicographic order, so that equal prefixes are adjacent
    labels : (n_words,), in increasing order
    nodes : (n_predictions,) int64, number of the prefix before each predicted symbol
    """
    nodes = np.zeros(distinct.n_predictions, dtype=np.int64)
    if labels is not None:
        nodes[distinct.offsets[:-1]] = np.cumsum(differs_from_last(labels)) - 1
    words, n_nodes = np.arange(distinct.n_words), 1 + int(nodes.max())
    for length in range(1, distinct.lengths.max()):
        words = words[distinct.lengths[words] > length]
        places = distinct.offsets[words] + length
        is_new = differs_from_last(nodes[places - 1])
        is_new |= differs_from_last(distinct.codes[places])
        nodes[places] = n_nodes - 1 + np.cumsum(is_new)
        n_nodes += int(is_new.sum())
    return nodes


def padded_bounds(lengths: list[int], n_cells: int) -> list[int]:
    """Cut words into runs so that a padded run has at most `n_cells` cells.

    A run may have more cells only if it is a single word. Run k has the words from
    ``bounds[k]`` up to ``bounds[k + 1]``.

    lengths : number of predictions of each word
    """
    bounds, longest = [0], 0
    for word, length in enumerate(lengths):
        longest = max(longest, length)
        if (word + 1 - bounds[-1]) * longest > n_cells and word > bounds[-1]:
            bounds.append(word)
            longest = length
    return [*bounds, len(lengths)]
