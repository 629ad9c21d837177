"""BigramCounter against a dict of counts; n-grams have test_kneser_ney.py."""

from collections import Counter
from itertools import pairwise
from math import inf, log

import pytest

from sklearn_makemore import BigramCounter


def plain_bigram(train, smoothing):
    """Return a function that scores a word by a dict of counted pairs (lecture 1)."""
    pairs = Counter(pair for word in train for pair in pairwise(["", *word, ""]))
    firsts = Counter(first for first, _ in pairs.elements())
    n_symbols = len({symbol for pair in pairs for symbol in pair})

    def log_proba(word):
        total = 0.0
        for pair in pairwise(["", *word, ""]):
            count = pairs[pair] + smoothing
            if count == 0:
                return -inf
            total += log(count / (firsts[pair[0]] + smoothing * n_symbols))
        return total

    return log_proba


@pytest.mark.parametrize("smoothing", [0, 0.1, 1, 30])
def test_bigram_is_plain_counting(smoothing, words):
    train, others = words[::2], [*words[1::2], ""]
    letters = set("".join(train))
    others = [word for word in others if set(word) <= letters]
    expected = [plain_bigram(train, smoothing)(word) for word in others]
    model = BigramCounter(smoothing).fit(train)
    assert len(others) > 50
    assert (min(expected) == -inf) == (smoothing == 0)
    assert model.score_samples(others) == pytest.approx(expected)
    n_predictions = sum(len(word) + 1 for word in others)
    assert model.nll(others) == pytest.approx(-sum(expected) / n_predictions)


def test_after_a_character_without_counts_all_symbols_are_equally_likely():
    model = BigramCounter(smoothing=0, alphabet="abz").fit(["ab", "b"])
    assert model.predict_proba(["z"])[0] == pytest.approx([1 / 4] * 4)
    assert model.predict_proba(["b"])[0] == pytest.approx([1, 0, 0, 0])
