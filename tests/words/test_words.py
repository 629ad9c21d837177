"""Errors of words that are too long to be shown whole."""

import pytest

from sklearn_makemore import BigramCounter
from sklearn_makemore._words.check import check_words


def test_a_whole_text_is_refused_in_a_short_message():
    with pytest.raises(ValueError, match=r"splitlines\(\)") as caught:
        check_words("emma\nolivia\n" * 10_000)
    assert len(str(caught.value)) < 300


def test_a_long_word_is_refused_in_a_short_message():
    model = BigramCounter().fit(["ab"])
    with pytest.raises(ValueError, match="at index 1 .*'c'") as caught:
        model.score(["ab", "ab" * 10_000 + "c"])
    assert len(str(caught.value)) < 300
