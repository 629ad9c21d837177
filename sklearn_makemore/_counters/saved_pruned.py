"""Pruned n-grams to arrays of a model file, and back with checks."""

from __future__ import annotations

import numpy as np

from .._words.code_points import place_dtype
from .._words.vocabulary import BOUNDARY
from .coding import decode_counts, decode_rows, encode_counts, encode_rows
from .pruned import PrunedNGrams, PrunedTrie
from .saved import counts_from_file, counts_to_save

LIMITS = np.array([1.0, 2.0, 3.0])
"""The discount of n-grams that occur `k` times is at most `k`."""


def pruned_to_save(pruned: PrunedNGrams) -> dict[str, np.ndarray]:
    """Return the arrays that a file keeps of pruned n-grams."""
    return {
        "histories": encode_rows([pruned.child_keys]),
        "pruned_ngrams": encode_rows([pruned.ngram_keys]),
        "counts": encode_counts(pruned.counts),
        "cut": encode_counts(pruned.cut),
        "discounts": pruned.discounts,
        "word_lengths": counts_to_save(pruned.word_lengths),
    }


def pruned_from_file(
    saved: dict[str, np.ndarray], order: int, n_symbols: int
) -> PrunedNGrams:
    """Return the n-grams whose arrays `pruned_to_save` returned, once checked."""
    discounts = saved["discounts"]
    if discounts.shape != (order, 2, 3) or discounts.dtype != np.float64:
        raise ValueError(f"discounts have shape {discounts.shape}.")
    if not ((discounts > 0) & (discounts <= LIMITS)).all():
        raise ValueError("discounts are not between 0 and the count.")
    [child_keys] = decode_rows(saved["histories"], 1)
    [ngram_keys] = decode_rows(saved["pruned_ngrams"], 1)
    n_states = 1 + len(child_keys)
    for keys in (child_keys, ngram_keys):
        if (np.diff(keys) <= 0).any() or keys.max(initial=0) >= n_states * n_symbols:
            raise ValueError("n-grams are not distinct, or have unknown histories.")
    word_lengths = saved["word_lengths"]
    word_lengths = counts_from_file(word_lengths, (word_lengths.size,))
    counts = counts_from_file(decode_counts(saved["counts"]), ngram_keys.shape)
    # Without the count of the n-grams, all can be zero.
    cut = counts_from_file(
        np.append(decode_counts(saved["cut"]), np.ones(1, np.uint64)), (n_states + 1,)
    )[:-1]
    if not word_lengths[-1] or not counts.all():
        raise ValueError("n-grams never occur, or no word has the largest length.")
    dtype = place_dtype(n_states * n_symbols)
    keys = child_keys.astype(dtype), ngram_keys.astype(dtype)
    pruned = PrunedNGrams(*keys, counts, cut, discounts, n_symbols, word_lengths)
    _check_closed(pruned)
    return pruned


def _check_closed(pruned: PrunedNGrams) -> None:
    """Raise an error unless the shorter n-grams and histories of all n-grams exist."""
    n_symbols, n_states = pruned.n_symbols, 1 + len(pruned.child_keys)
    parents, earliest = np.divmod(pruned.child_keys, n_symbols)
    if (parents > np.arange(n_states - 1)).any():
        raise ValueError("a history is its own parent.")
    if (earliest[parents[parents > 0] - 1] == BOUNDARY).any():
        raise ValueError("a history continues before the start of a word.")
    states, ids = np.divmod(pruned.ngram_keys, n_symbols)
    if not np.array_equal(np.unique(states), np.arange(n_states)):
        raise ValueError("a history has no n-grams.")
    trie = PrunedTrie(pruned)
    if trie.state_levels[-1] != n_states:
        raise ValueError("n-grams are longer than the order.")
    if not trie.has_lower_ngrams():
        raise ValueError("an n-gram without its first id is missing.")
    is_short = np.arange(len(ids)) < trie.ngram_levels[-2]
    reached = trie.next_states[:-1][(ids != BOUNDARY) & is_short]
    if len(np.union1d(reached, [0, trie.start_state])) != n_states:
        raise ValueError("the n-gram of a history is missing.")
