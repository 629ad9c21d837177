"""Errors of words that are too long to be shown whole."""

import pytest

from sklearn_makemore import BigramCounter
from sklearn_makemore._words.check import check_words


def test_a_whole_text_is_refused_in_a_short_message():
    with pytest.raises(ValueError, match=r"splitlines\(\)") as caught:
        check_words("emma\nolivia\n" * 10_000)
    assert len(str(caught.value)) < 300


def test_the_name_of_a_file_suggests_to_read_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "words.txt").write_text("emma")
    with pytest.raises(ValueError, match=r"pass read_words\('words.txt'\), from"):
        check_words("words.txt")
    with pytest.raises(ValueError, match=r"'emma'.*, or read_words\(path\) for a file"):
        check_words("emma")


def test_a_long_word_is_refused_in_a_short_message():
    model = BigramCounter().fit(["ab"])
    with pytest.raises(ValueError, match="at index 1 .*'c'") as caught:
        model.score(["ab", "ab" * 10_000 + "c"])
    assert len(str(caught.value)) < 300
