"""Distinct words and prefixes, against sets of plain strings."""

import random
from itertools import pairwise

import numpy as np
import pytest

from sklearn_makemore._words.prefixes import distinct_words, padded_bounds, prefix_nodes
from sklearn_makemore._words.vocabulary import CharVocabulary

rng = random.Random(2)
ALPHABETS = {
    "one letter": "a",
    "three letters": "abc",
    # Ids of two bytes, whose order is not that of the bytes of a little-endian number.
    "700 letters": [chr(0x4E00 + i) for i in range(700)],
    "70,000 letters": [chr(0x10000 + i) for i in range(70_000)],
}


def some_words(letters, n_words=300):
    """Words of letters from both ends, with repeats and the empty word."""
    letters = [*letters[:2], *letters[-2:], *letters[len(letters) // 2 :][:2]]
    words = ["".join(rng.choices(letters, k=rng.randrange(6))) for _ in range(n_words)]
    return [*words, "", words[0], letters[0] * 9]


@pytest.fixture(params=ALPHABETS)
def vocabulary_and_words(request):
    letters = ALPHABETS[request.param]
    return CharVocabulary(letters), some_words(letters)


def test_distinct_words_are_a_sorted_set(vocabulary_and_words):
    vocabulary, words = vocabulary_and_words
    encoded = vocabulary.encode(words)
    if vocabulary.n_symbols > 255:
        assert encoded.codes.dtype.itemsize > 1
    distinct, rows = distinct_words(encoded)
    assert vocabulary.decode(distinct) == sorted(set(words))
    assert vocabulary.decode(distinct.take(rows)) == words
    assert rows.dtype == np.int64


def test_words_of_unknown_characters_are_distinct_by_their_symbols():
    vocabulary = CharVocabulary("ab", unknown=True)
    distinct, rows = distinct_words(vocabulary.encode(["x", "b", "y", "bx", "by"]))
    assert vocabulary.decode(distinct) == ["b", "b\ufffd", "\ufffd"]
    assert rows.tolist() == [2, 0, 2, 1, 1]


@pytest.mark.parametrize("words", [["a"], [""], ["", ""], ["ab", "ab"]], ids=str)
def test_a_few_words(words):
    vocabulary = CharVocabulary("ab")
    distinct, rows = distinct_words(vocabulary.encode(words))
    assert vocabulary.decode(distinct) == words[:1]
    assert rows.tolist() == [0] * len(words)
    assert prefix_nodes(distinct).tolist() == list(range(len(words[0]) + 1))


def test_prefixes_are_numbered_by_length_then_in_order(vocabulary_and_words):
    vocabulary, words = vocabulary_and_words
    distinct, _ = distinct_words(vocabulary.encode(words))
    nodes = prefix_nodes(distinct)
    prefixes = [
        word[:stop]
        for word in vocabulary.decode(distinct)
        for stop in range(len(word) + 1)
    ]
    ordered = sorted(set(prefixes), key=lambda prefix: (len(prefix), prefix))
    numbers = {prefix: number for number, prefix in enumerate(ordered)}
    assert nodes.tolist() == [numbers[prefix] for prefix in prefixes]


@pytest.mark.parametrize("n_cells", [1, 10, 40, 10**6])
def test_padded_runs_take_little_room(n_cells):
    lengths = np.random.RandomState(0).choice([1, 2, 3, 4, 30], size=200).tolist()
    bounds = padded_bounds(lengths, n_cells)
    assert bounds[0] == 0 and bounds[-1] == len(lengths)
    for start, stop in pairwise(bounds):
        run = lengths[start:stop]
        assert len(run) == 1 or len(run) * max(run) <= n_cells
        longer = lengths[start : stop + 1]  # not one word more would have had room
        assert len(longer) == len(run) or len(longer) * max(longer) > n_cells
