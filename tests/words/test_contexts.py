"""Windows and counts of what follows them, against loops over plain strings."""

import random
from collections import Counter

import numpy as np
import pytest
import torch

from sklearn_makemore._counters import bigram
from sklearn_makemore._training.context_batches import ContextDataset
from sklearn_makemore._words.vocabulary import CharVocabulary
from sklearn_makemore._words.windows import (
    ContextCounts,
    distinct_rows,
    last_windows,
    shifted,
    windows,
)

rng = random.Random(1)
WORDS = ["".join(rng.choices("abcde", k=rng.randrange(8))) for _ in range(150)]
VOCABULARY = CharVocabulary("abcde")
ENCODED = VOCABULARY.encode(WORDS)
BLOCK_SIZES = [1, 2, 3, 12]


def ids_of(text):
    return [VOCABULARY.symbols.index(symbol) for symbol in text]


def padded(word, block_size):
    """The last symbols of a word's beginning, boundaries before it."""
    return ([0] * block_size + ids_of(word))[-block_size:]


def pairs(word, block_size):
    """Every window of a word and the symbol after it."""
    for place, symbol in enumerate([*word, ""]):
        yield padded(word[:place], block_size), VOCABULARY.symbols.index(symbol)


def count_one_by_one(block_size, weights=None):
    """Total weight of each window and next symbol, as a dict."""
    counts = Counter()
    for place, word in enumerate(WORDS):
        for window, symbol in pairs(word, block_size):
            counts[*window, symbol] += 1 if weights is None else weights[place]
    return counts


@pytest.mark.parametrize("block_size", BLOCK_SIZES)
def test_windows_are_what_comes_before_each_symbol(block_size):
    expected = [pair for word in WORDS for pair in pairs(word, block_size)]
    found = windows(ENCODED, block_size)
    assert found.tolist() == [window for window, _ in expected]
    assert ENCODED.targets.tolist() == [symbol for _, symbol in expected]
    assert not np.shares_memory(found, ENCODED.codes)


@pytest.mark.parametrize("block_size", BLOCK_SIZES)
def test_last_windows_are_the_ends_of_the_words(block_size):
    expected = [padded(word, block_size) for word in WORDS]
    assert last_windows(ENCODED, block_size).tolist() == expected
    assert last_windows(ENCODED, block_size).dtype == ENCODED.codes.dtype


@pytest.mark.parametrize("block_size", BLOCK_SIZES)
def test_shifted_windows_are_those_of_words_one_letter_longer(block_size):
    letters = [rng.choice("abcde") for _ in WORDS]
    longer = [word + letter for word, letter in zip(WORDS, letters, strict=True)]
    found = shifted(last_windows(ENCODED, block_size), np.array(ids_of(letters)))
    assert found.tolist() == [padded(word, block_size) for word in longer]


@pytest.mark.parametrize("n_rows", [1, 2, 500])
@pytest.mark.parametrize(
    "n_symbols, block_size",
    # One key of 64 bits holds a row; some symbols of it; a single one at a time.
    [(1, 3), (2, 8), (27, 8), (27, 12), (27, 40), (5000, 8), (2**31, 5), (2**40, 3)],
)
def test_distinct_rows_are_those_of_numpy(n_symbols, block_size, n_rows):
    draw = np.random.RandomState(n_symbols % 1000)
    # Symbols from both ends, and rows that differ late, early, or not at all.
    symbols = np.unique(np.clip([0, 1, n_symbols // 2, n_symbols - 1], 0, None))
    symbols = symbols[symbols < n_symbols]
    rows = symbols[draw.randint(len(symbols), size=(n_rows, block_size))]
    rows[::2] = rows[0]
    rows[::4, -1] = symbols[-1]
    rows[1::6, 0] = symbols[0]
    distinct, places = distinct_rows(rows, n_symbols)
    expected, expected_places = np.unique(rows, axis=0, return_inverse=True)
    np.testing.assert_array_equal(distinct, expected)
    np.testing.assert_array_equal(places, expected_places)


def test_distinct_rows_of_none():
    distinct, places = distinct_rows(np.empty((0, 3), dtype=np.uint8), 27)
    assert distinct.shape == (0, 3) and places.shape == (0,)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("block_size", BLOCK_SIZES)
def test_context_counts_are_those_of_a_counter(block_size, weighted):
    weights = np.linspace(0.1, 3, len(WORDS)) if weighted else None
    counts = ContextCounts.from_encoded(
        ENCODED, block_size, VOCABULARY.n_symbols, weights
    )
    expected = count_one_by_one(block_size, weights)
    keys = np.column_stack([counts.contexts[counts.rows], counts.symbols])
    assert [tuple(key) for key in keys.tolist()] == sorted(expected)
    np.testing.assert_allclose(
        counts.counts, [expected[key] for key in sorted(expected)]
    )
    assert len(counts.contexts) == len({key[:-1] for key in expected})
    assert counts.counts.sum() == pytest.approx(sum(expected.values()))


@pytest.mark.parametrize("with_table", [True, False])
def test_a_dataset_gives_the_counts_after_any_contexts(with_table, monkeypatch):
    if not with_table:
        monkeypatch.setattr("sklearn_makemore._training.batches.MAX_TABLE_CELLS", 0)
    n_symbols = VOCABULARY.n_symbols
    counts = ContextCounts.from_encoded(ENCODED, 2, n_symbols)
    dataset = ContextDataset(counts, n_symbols, "cpu")
    assert (dataset.next_counts.table is not None) == with_table
    assert len(dataset) == len(counts.contexts)
    expected = count_one_by_one(2)
    # Contexts out of order and one twice, as batches ask for them.
    rows = [*range(len(dataset) - 1, -1, -3), 0, 0]
    for row, found in zip(rows, dataset.next_counts[torch.tensor(rows)], strict=True):
        window = counts.contexts[row].tolist()
        assert found.tolist() == [expected[*window, s] for s in range(n_symbols)]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_at_once", [1, 36, 50, 10**6])
def test_pairs_are_counted_in_parts(n_at_once, weighted, monkeypatch):
    monkeypatch.setattr(bigram, "PAIR_CHUNK_SIZE", n_at_once)
    weights = 0.25 * np.arange(1.0, len(WORDS) + 1) if weighted else None
    n_symbols = VOCABULARY.n_symbols
    found = bigram.count_pairs(ENCODED, n_symbols, weights)
    assert ENCODED.n_predictions > 10 * n_symbols**2  # many parts for small ones
    expected = count_one_by_one(1, weights)
    for before in range(n_symbols):
        for after in range(n_symbols):
            assert found[before, after] == expected[before, after]
    assert found.dtype == (np.float64 if weighted else np.int64)
