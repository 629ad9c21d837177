"""The commands that train a detector or a classifier, or use a stored one."""

import json

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from sklearn_makemore import (
    CharLMClassifier,
    CharLMOutlierDetector,
    NGramCounter,
    load,
    save,
)

ODD = ["xqzvkw", "r2-d2", "zzzzz"]


def test_a_list_is_checked_against_itself(run, files, words):
    (files / "odd.txt").write_text("\n".join([*words, "", *ODD]))
    detect = ["detect", "--train", "odd.txt", "--contamination", "0.05"]
    code, lines, errors = run(*detect)
    assert (code, errors) == (0, [])
    expected = CharLMOutlierDetector(contamination=0.05).fit([*words, *ODD])
    scores = expected.decision_function([*words, *ODD])
    places = [*range(1, len(words) + 1), *range(len(words) + 2, len(words) + 5)]
    rows = zip(places, [*words, *ODD], scores, strict=True)
    found = [f"{n}\t{word}\t{score:.2f}" for n, word, score in rows if score < 0]
    assert lines == found
    assert {*ODD} <= {line.split("\t")[1] for line in lines}
    # The explaining model has not learned the odd words.
    others = [word for word in words if expected.predict([word]) > 0]
    model = clone(expected.estimator_).fit(others)
    _, lines, _ = run(*detect, "--explain", "--json")
    for row in map(json.loads, lines):
        nll = -model.token_log_proba([row["word"]])[0]
        limit = min(expected.mean_nll_ + 2, nll.max())
        pairs = [*zip([*row["word"], "end"], nll, strict=True)]
        surprising = [[symbol, pytest.approx(x)] for symbol, x in pairs if x >= limit]
        assert row["surprising"] == surprising


def test_a_stored_detector_finds_what_a_trained_one_does(run, files):
    (files / "others.txt").write_text("emma\n\nxqzvkw\na\\b")
    train = ["detect", "--train", "words.txt"]
    code, lines, (said,) = run(*train, "others.txt", "-o", "d.model", "--explain")
    assert (code, "CharLMOutlierDetector written to d.model" in said) == (0, True)
    assert [line.split("\t")[:2] for line in lines] == [["3", "xqzvkw"], ["4", r"a\\b"]]
    assert lines[0].split("\t")[3].startswith("x ")
    text = (files / "others.txt").read_bytes()
    assert run("detect", "d.model", "--explain", stdin=text)[1] == lines
    _, lines, _ = run("detect", "d.model", "others.txt", "--json")
    scores = load("d.model").decision_function(["xqzvkw", "a\\b"])
    assert [json.loads(line)["score"] for line in lines] == scores.tolist()


def test_words_that_a_detector_cannot_read_are_infinitely_unlikely(run, files, words):
    frozen = FrozenEstimator(NGramCounter().fit(words))
    save(CharLMOutlierDetector(frozen).fit(words), files / "d.model")
    _, lines, _ = run("detect", "d.model", "-", "--explain", stdin="eéa".encode())
    assert lines == ["1\teéa\t-inf\té inf"]
    _, (line,), _ = run("detect", "d.model", "-", "--json", stdin="é".encode())
    assert json.loads(line)["score"] is None


@pytest.fixture
def labelled(files, words):
    """A table of words with labels, of which none is held out."""
    labels = ["vowel" if word[-1] in "aeiou" else "consonant" for word in words]
    rows = [f"{word},{label}" for word, label in zip(words, labels, strict=True)]
    (files / "words.csv").write_text("\n".join(["name,last", *rows]))
    return labels


def test_probabilities_of_labels_are_a_table(run, files, words, labelled):
    train = ["classify", "--train", "words.csv", "--column=name", "--label=last"]
    train += ["--held-out=0", "--calibration=None", "--order=3"]
    (files / "new.txt").write_text("maria\njohn\nzoé")
    code, lines, (said,) = run(*train, "new.txt", "-o", "c.model")
    assert (code, "CharLMClassifier written to c.model" in said) == (0, True)
    model = NGramCounter(3)
    expected = CharLMClassifier(model, calibration=None).fit(words, labelled)
    proba = expected.predict_proba(["maria", "john", "zoé"])
    assert lines[0] == "word\tconsonant\tvowel"
    cells = [line.split("\t") for line in lines[1:]]
    assert [row[0] for row in cells] == ["maria", "john", "zoé"]
    found = np.array([row[1:] for row in cells], dtype=float)
    np.testing.assert_allclose(found, proba, atol=5e-5)
    text = (files / "new.txt").read_bytes()
    assert run("classify", "c.model", stdin=text)[1] == lines
    _, lines, _ = run("classify", "c.model", "new.txt", "--json")
    for line, row in zip(lines, proba.tolist(), strict=True):
        shown = json.loads(line)["proba"]
        assert shown == pytest.approx(
            dict(zip(["consonant", "vowel"], row, strict=True))
        )


def test_the_accuracy_on_held_out_words_is_printed(run, labelled):
    train = ["classify", "--train", "words.csv", "--label=last", "--column=name"]
    code, lines, (said, _) = run(*train, "--calibration=None", "-o", "c.model")
    assert (code, lines) == (0, [])
    assert (
        "held-out words: " in said and " if the answer were always consonant)" in said
    )
