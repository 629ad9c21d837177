"""Encoded words, taken apart and put together again as plain lists of strings."""

import random

import numpy as np
import pytest

from sklearn_makemore._words.code_points import place_dtype
from sklearn_makemore._words.vocabulary import CharVocabulary

LETTERS = "abcé日🎉"


@pytest.fixture(scope="module")
def some_words():
    """300 random words of 0 to 12 letters."""
    rng = random.Random(0)
    return ["".join(rng.choices(LETTERS, k=rng.randrange(13))) for _ in range(300)]


@pytest.fixture(scope="module")
def vocabulary():
    return CharVocabulary(LETTERS)


def assert_same_layout(encoded, words, vocabulary):
    """A part of encoded words is what encoding these words alone gives."""
    assert vocabulary.decode(encoded) == words
    expected = vocabulary.encode(words)
    np.testing.assert_array_equal(encoded.codes, expected.codes)
    np.testing.assert_array_equal(encoded.offsets, expected.offsets)
    assert encoded.codes.dtype == expected.codes.dtype


def test_numbers_of_encoded_words(some_words, vocabulary):
    encoded = vocabulary.encode(some_words)
    assert encoded.n_words == len(some_words)
    assert encoded.lengths.tolist() == [len(word) + 1 for word in some_words]
    assert encoded.n_predictions == sum(len(word) + 1 for word in some_words)
    symbols, before = [], []
    for word in some_words:
        symbols += [*word, ""]
        before += range(len(word) + 1)
    assert [vocabulary.symbols[i] for i in encoded.targets] == symbols
    assert encoded.positions.tolist() == before


@pytest.mark.parametrize("n_predictions", [1, 2, 7, 100, 1999, 10**9])
def test_chunks_are_all_the_words_in_order(n_predictions, some_words, vocabulary):
    encoded = vocabulary.encode(some_words)
    chunks = list(encoded.chunks(n_predictions))
    start = 0
    for chunk in chunks:
        words = some_words[start : start + chunk.n_words]
        assert chunk.n_words > 0
        assert_same_layout(chunk, words, vocabulary)
        # A word is not cut, so a chunk may have the rest of one more.
        assert chunk.n_predictions < n_predictions + max(map(len, words)) + 1
        start += chunk.n_words
    assert start == len(some_words)
    assert len(chunks) <= 1 + encoded.n_predictions // n_predictions


@pytest.mark.parametrize("start, stop", [(0, 300), (0, 1), (299, 300), (17, 120)])
def test_word_slice_is_a_slice(start, stop, some_words, vocabulary):
    encoded = vocabulary.encode(some_words)
    part = encoded.word_slice(start, stop)
    assert_same_layout(part, some_words[start:stop], vocabulary)
    assert np.shares_memory(part.codes, encoded.codes)


def test_take_is_picking_one_by_one(some_words, vocabulary):
    encoded = vocabulary.encode(some_words)
    rng = np.random.RandomState(0)
    for size in (1, 5, 300, 800):  # words may come again, in any order
        places = rng.randint(300, size=size)
        taken = [some_words[place] for place in places]
        assert_same_layout(encoded.take(places), taken, vocabulary)


def test_ids_follow_the_code_points():
    vocabulary = CharVocabulary("日aéa", unknown=True)
    assert vocabulary.symbols == ["", "a", "é", "日", "<unk>"]
    assert vocabulary.encode(["a日", "?é"]).codes.tolist() == [0, 1, 3, 0, 4, 2, 0]


@pytest.mark.parametrize("unknown", [False, True])
def test_a_larger_vocabulary_holds_the_smaller_one(unknown):
    small = CharVocabulary("日bx", unknown=unknown)
    large = small.union(CharVocabulary("aéz🎉b"))
    assert set(large.symbols) == set(small.symbols) | set("aéz🎉")
    ids = small.ids_in(large)
    assert [large.symbols[i] for i in ids] == small.symbols
    assert (np.diff(ids) > 0).all()


@pytest.mark.parametrize("n_letters", [3, 254, 255, 256, 300, 70_000])
def test_ids_fit_their_type(n_letters):
    # A word of the first letter and the last, where the smallest types end.
    letters = [chr(0xF0000 + i) for i in range(n_letters)]
    vocabulary = CharVocabulary(letters)
    words = [letters[0] + letters[-1], ""]
    encoded = vocabulary.encode(words)
    assert encoded.codes.tolist() == [0, 1, n_letters, 0, 0]
    assert vocabulary.decode(encoded) == words
    with pytest.raises(ValueError, match="'!'"):
        vocabulary.encode(["!"])


@pytest.mark.parametrize("n_symbols", [27, 255])
def test_words_take_at_most_two_bytes_a_character(n_symbols):
    # The boundary is a symbol too. Names have 6.1 characters on average.
    characters = [chr(0x400 + i) for i in range(n_symbols - 1)]
    words = ["".join(characters[i : i + 6]) for i in range(n_symbols - 1)]
    vocabulary = CharVocabulary.from_words(words)
    encoded = vocabulary.encode(words)
    assert vocabulary.n_symbols == n_symbols
    n_bytes = encoded.codes.nbytes + encoded.offsets.nbytes
    assert n_bytes <= 2 * sum(map(len, words))
    taken = encoded.take(np.arange(encoded.n_words))
    assert (taken.codes.nbytes, taken.offsets.nbytes) == (
        encoded.codes.nbytes,
        encoded.offsets.nbytes,
    )


def test_places_beyond_int32_are_int64():
    assert place_dtype(2**31 - 1) == np.int32
    assert place_dtype(2**31) == np.int64


@pytest.mark.parametrize("alphabet", ["", "b", "\0", "b\u00e9", "\U0010ffff"])
@pytest.mark.parametrize("character", ["\0", "a", "c", "\u00ea", "\U0010ffff"])
def test_characters_beside_the_alphabet_are_unknown(alphabet, character):
    words = [character, alphabet, character * 2]
    if character in alphabet:
        encoded = CharVocabulary(alphabet).encode(words)
        assert CharVocabulary(alphabet).decode(encoded) == words
        return
    with pytest.raises(ValueError, match="at index 0"):
        CharVocabulary(alphabet).encode(words)
    vocabulary = CharVocabulary(alphabet, unknown=True)
    known = list(range(1, len(alphabet) + 1))
    unknown = vocabulary.unknown_id
    expected = [0, unknown, 0, *known, 0, unknown, unknown, 0]
    assert vocabulary.encode(words).codes.tolist() == expected
