"""Words within an edit distance, compared with the textbook's table of distances."""

import numpy as np
import pytest

from sklearn_makemore._generation import near_words as _near_words
from sklearn_makemore._generation.near_words import NearWords


def levenshtein(one, other):
    """Edit distance, with the table of the textbook."""
    above = list(range(len(other) + 1))
    for i, character in enumerate(one, start=1):
        row = [i]
        for j, another in enumerate(other, start=1):
            replaced = above[j - 1] + (character != another)
            row.append(min(above[j] + 1, row[-1] + 1, replaced))
        above = row
    return above[-1]


def words_of(rng, n_words, letters):
    lengths = rng.choice([0, 1, 2, 3, 5, 8, 13, 40], n_words)
    return ["".join(rng.choice(letters, length)) for length in lengths]


@pytest.mark.parametrize("distance", [1, 2, 3, 4, 9, 300])
@pytest.mark.parametrize("letters", ["a", "ab", "abcdefgh", "aé😀\0"])
def test_near_words_are_those_of_the_textbook(distance, letters):
    rng = np.random.RandomState(distance)
    letters = list(letters)
    for n_words in (1, 3, 30):
        words = words_of(rng, n_words, letters)
        # Half of the others are made of a word by a few edits.
        others = words_of(rng, 12, letters)
        for word in rng.choice(words, 12):
            edited = list(word)
            for _ in range(rng.randint(distance + 2) if distance < 9 else 2):
                place = rng.randint(len(edited) + 1)
                edited[place : place + rng.randint(2)] = rng.choice(letters, 1)
                del edited[len(edited) - rng.randint(2) :]
            others.append("".join(edited))
        expected = [min(levenshtein(w, o) for w in words) <= distance for o in others]
        assert NearWords(words, distance).near(others).tolist() == expected


@pytest.mark.parametrize("bound", ["MAX_FIRST", "COMPARED_AT_ONCE"])
def test_pairs_that_are_compared_at_once_have_no_influence(bound, words, monkeypatch):
    others = [word[::-1] for word in words[:80]]
    near = NearWords(words[80:], 2)
    expected = near.near(others)
    assert 0 < expected.sum() < len(others)
    monkeypatch.setattr(_near_words, bound, 1)
    assert (near.near(others) == expected).all()
    assert near.near([]).tolist() == []
