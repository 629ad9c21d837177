"""Words within an edit distance, compared with the textbook's table of distances."""

import numpy as np
import pytest
from estimators import COUNTERS, TINY_WORDS

from sklearn_makemore import ConditionalCharLM
from sklearn_makemore._generation import near_words as _near_words
from sklearn_makemore._generation.exclusion import Exclusion
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


@pytest.mark.parametrize("min_distance", [1, 2, 3])
def test_samples_keep_their_distance_and_are_otherwise_the_same(min_distance, fit_once):
    model = fit_once(COUNTERS["kneser-ney-3"], TINY_WORDS)
    options = {"exclude": TINY_WORDS[:4], "min_distance": min_distance}
    sampled = model.sample(300, **options, random_state=0)
    plain = [
        word
        for word in model.sample(300, random_state=0)
        if min(levenshtein(word, other) for other in TINY_WORDS[:4]) >= min_distance
    ]
    assert 0 < len(plain) < len(sampled) == 300
    assert sampled[: len(plain)] == plain
    for word in set(sampled):
        assert min(levenshtein(word, o) for o in options["exclude"]) >= min_distance
    pattern = {"matching": "c.*", "exact": True, "unique": True}
    for word in model.sample(9, **options, **pattern, random_state=0):
        assert word.startswith("c")
        assert min(levenshtein(word, o) for o in options["exclude"]) >= min_distance


def test_a_distance_needs_words_and_is_named_when_it_leaves_too_few(fit_once):
    model = fit_once(COUNTERS["kneser-ney-3"], TINY_WORDS)
    with pytest.raises(ValueError, match="min_distance=2 .*`exclude`, which is None"):
        model.sample(min_distance=2)
    plain = model.sample(9, random_state=0)
    assert model.sample(9, exclude=[], min_distance=2, random_state=0) == plain
    with pytest.warns(UserWarning, match="Found 0 of 2 words.*min_distance"):
        assert model.sample(2, exclude=["abc"], min_distance=2000) == []


def test_words_that_are_sampled_often_are_compared_once(monkeypatch):
    compared = []

    def recorded(self, words):
        compared.extend(words)
        return near(self, words)

    near = NearWords.near
    monkeypatch.setattr(NearWords, "near", recorded)
    exclusion = Exclusion.checked(["abc"], 2)
    assert exclusion.left(["abx", "xy", "abc", "abx", "xy"]) == ["xy", "xy"]
    assert compared == ["abx", "xy"]


def test_words_of_all_labels_keep_their_distance():
    labels = ["x", "y"] * len(TINY_WORDS)
    model = ConditionalCharLM().fit(TINY_WORDS * 2, labels)
    options = {"exclude": set(TINY_WORDS[:2]), "min_distance": 2, "random_state": 0}
    sampled = model.sample(30, unique=True, **options)
    assert len(set(sampled)) == 30
    for word in sampled:
        assert min(levenshtein(word, other) for other in options["exclude"]) >= 2
    # Words of one label exclude themselves only for the next label.
    pairs = [(one, other) for one in sampled for other in sampled if one < other]
    assert min(levenshtein(*pair) for pair in pairs) == 1
    with pytest.raises(ValueError, match="min_distance=2"):
        model.sample(label="x", min_distance=2)
