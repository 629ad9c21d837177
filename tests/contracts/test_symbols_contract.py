"""Symbols of several characters: as if each were one character.

Each symbol is replaced by a letter, in the order of the alphabet, so both models learn
the same ids. In the alphabet `CLEAR`, every sequence of symbols is the one that its
text is cut into, so the samples are the same too.
"""

import re
from itertools import islice

import numpy as np
import pytest
from estimators import CLASSES, TINY_WORDS, over, words_by_length
from sampling_oracles import assert_frequencies
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from sklearn_makemore import (
    BigramCounter,
    CharLMClassifier,
    CharLMFeatures,
    CharLMOutlierDetector,
    ConditionalCharLM,
    MixtureCharLM,
    MLPCharLM,
    NGramCounter,
)
from sklearn_makemore.inspection import BigramDisplay, SurprisalDisplay
from sklearn_makemore.persistence import load, save

CLEAR = ["ab", "b", "cba"]  # "a", "b" and "c" of `TINY_WORDS`
TO_SYMBOL = dict(zip("abc", CLEAR, strict=True))
PATTERN = re.compile("cba|ab|b")
# "a" is also followed by "b".
UNCLEAR = ["a", "b", "c", "ab", "bb"]


def in_symbols(words):
    return ["".join(TO_SYMBOL[letter] for letter in word) for word in words]


WORDS = in_symbols(TINY_WORDS)
LABELS = ["x" if len(word) % 2 else "y" for word in TINY_WORDS]


@over(CLASSES)
def test_a_symbol_counts_as_one_character(estimator, tmp_path):
    letters = clone(estimator).set_params(alphabet="abc").fit(TINY_WORDS)
    model = clone(estimator).set_params(alphabet=CLEAR).fit(WORDS)
    assert model.symbols_ == ["", *CLEAR]
    assert model.longest_word_ == letters.longest_word_
    save(model, tmp_path / "model")
    for one in (model, load(tmp_path / "model"), clone(model).fit(WORDS)):
        scores = one.score_samples(WORDS)
        np.testing.assert_array_equal(scores, letters.score_samples(TINY_WORDS))
        for length, word in zip(one.token_log_proba(WORDS), TINY_WORDS, strict=True):
            assert len(length) == len(word) + 1
        np.testing.assert_array_equal(
            one.predict_proba(["", "abb"]), letters.predict_proba(["", "ab"])
        )
        options = {"min_length": 2, "max_length": 4, "random_state": 0}
        for prefix in ("", "ab"):
            (shown,) = in_symbols([prefix])
            expected = in_symbols(letters.sample(40, prefix=prefix, **options))
            assert one.sample(40, prefix=shown, **options) == expected
    report = model.novelty_report(WORDS, 50, random_state=0)
    expected = letters.novelty_report(TINY_WORDS, 50, random_state=0)
    np.testing.assert_array_equal(report.lengths_by_kind, expected.lengths_by_kind)
    np.testing.assert_array_equal(report.train_lengths, expected.train_lengths)
    ranks = model.rank(WORDS, 50, random_state=0)
    expected = letters.rank(TINY_WORDS, 50, random_state=0)
    np.testing.assert_array_equal(ranks, expected)
    found, log_proba = model.most_likely(9, max_length=4)
    expected = letters.most_likely(9, max_length=4)
    assert sorted(found) == sorted(in_symbols(expected[0]))
    np.testing.assert_allclose(log_proba, expected[1])
    more, letters_more = in_symbols(["cab"]), ["cab"]
    model.partial_fit(more), letters.partial_fit(letters_more)
    assert model.score(WORDS) == letters.score(TINY_WORDS)
    with pytest.raises(ValueError, match="'abX' at index 1 .*fits 'X'.*character 2"):
        model.score(["b", "abX"])


@pytest.mark.parametrize("alphabet", [CLEAR, PATTERN])
def test_estimators_that_contain_models(alphabet, tmp_path):
    def counter(own):
        return NGramCounter(order=3, alphabet=own)

    def pairs(make):
        return make("abc"), make(alphabet)

    def frozen(own):
        background = FrozenEstimator(BigramCounter(alphabet=own))
        words = TINY_WORDS if own == "abc" else WORDS
        background.estimator.fit(words)
        members = [background, NGramCounter(order=2), MLPCharLM(max_epochs=1)]
        return MixtureCharLM(members, alphabet=own, random_state=0, cv=2)

    checks = [
        (lambda own: ConditionalCharLM(counter(own)), "score_samples"),
        (lambda own: CharLMFeatures(counter(own)), "transform"),
        (lambda own: CharLMOutlierDetector(counter(own)), "score_samples"),
        (
            lambda own: CharLMClassifier(counter(own), calibration="temperature"),
            "predict_proba",
        ),
        (frozen, "score_samples"),
    ]
    for make, method in checks:
        letters, model = pairs(make)
        letters.fit(TINY_WORDS, LABELS)
        model.fit(WORDS, LABELS)
        expected = getattr(letters, method)(TINY_WORDS)
        np.testing.assert_array_equal(getattr(model, method)(WORDS), expected)
        save(model, tmp_path / "model")
        again = getattr(load(tmp_path / "model"), method)(WORDS)
        np.testing.assert_array_equal(again, expected)
    with pytest.raises(ValueError, match="calibration='temperature'"):
        CharLMClassifier(counter(alphabet)).fit(WORDS, LABELS)


def test_a_pattern_learns_the_symbols_of_more_words():
    halves = ["CCl", "CBr", "ClC"], ["[nH]C", "BrCl", "CC"]
    pattern = re.compile(r"\[.*?\]|Br|Cl|.")
    net = MLPCharLM(max_epochs=1, alphabet=pattern).fit(halves[0])
    assert net.partial_fit(halves[1]).symbols_ == ["", "Br", "C", "Cl", "[nH]"]
    whole = NGramCounter(order=3, alphabet=pattern).fit([*halves[0], *halves[1]])
    parts = [NGramCounter(order=3, alphabet=pattern).fit(half) for half in halves]
    added = clone(whole).partial_fit(halves[0]).partial_fit(halves[1])
    for model in (added, parts[0].merge(parts[1])):
        assert model.symbols_ == whole.symbols_ == ["", "Br", "C", "Cl", "[nH]"]
        assert model.score(halves[1]) == whole.score(halves[1])


def test_members_of_a_mixture_read_words_as_it_does():
    alphabet = re.compile("..?"), ["ab", "c"]
    model = MixtureCharLM(
        [BigramCounter()], alphabet=alphabet, handle_unknown="unk", weights="uniform"
    )
    model.fit(["abzz", "abc"])
    with pytest.raises(ValueError, match="members of a mixture cannot learn"):
        model.fit(["zzab", "abc"])  # "\ufffdab" is cut after its second character


@pytest.mark.parametrize("prefix", ["", "a"])
def test_samples_are_the_words_as_scored(prefix):
    """Given their number of symbols, because the longest words are countless."""
    model = NGramCounter(order=2, smoothing="additive", alphabet=UNCLEAR)
    model.fit(TINY_WORDS)
    words = {
        prefix + rest
        for rest in sum(words_by_length("abc", 4), [])
        if len(model.vocabulary_.segments(prefix + rest)) <= 3
        and model.vocabulary_.segments(prefix + rest)[: len(prefix)] == [*prefix]
    }
    expected = {word: np.exp(model.score_samples([word])[0]) for word in words}
    total = sum(expected.values())
    expected = {word: proba / total for word, proba in expected.items()}
    options = {"prefix": prefix, "min_length": 0, "random_state": 0}
    drawn = [word for word in model.sample(20_000, **options) if word in expected]
    assert len(drawn) > 5_000
    assert_frequencies(drawn, expected)


@over({name: CLASSES[name] for name in ("kneser-ney-3", "mlp", "gru")})
def test_a_pattern_is_about_characters(estimator):
    letters = clone(estimator).set_params(alphabet="abc").fit(TINY_WORDS)
    model = clone(estimator).set_params(alphabet=CLEAR).fit(WORDS)
    options = {"max_length": 6, "random_state": 0}
    for exact in (False, True):
        expected = letters.sample(9, matching="a[bc]*b", exact=exact, **options)
        pattern = "ab(b|cba)*b"
        drawn = model.sample(9, matching=pattern, exact=exact, **options)
        assert drawn == in_symbols(expected)
    with pytest.raises(ValueError, match="No word of 0 to 1 .*'bb'"):
        model.sample(matching="bb", min_length=0, max_length=1)


def test_exact_samples_of_a_pattern_are_the_words_as_scored():
    model = NGramCounter(order=2, smoothing="additive", alphabet=UNCLEAR)
    model.fit(TINY_WORDS)
    words = [word for word in words_by_length("abc", 5)[-1] if word[0] == word[-1]]
    scores = np.exp(model.score_samples(words))
    expected = dict(zip(words, scores / scores.sum(), strict=True))
    options = {"matching": "a...a|b...b|c...c", "exact": True, "random_state": 0}
    assert_frequencies(model.sample(20_000, **options), expected)


def test_ranks_count_words_and_not_ways_to_cut_them():
    model = NGramCounter(order=2, smoothing="additive", alphabet=UNCLEAR)
    model.fit(TINY_WORDS)
    words = sum(words_by_length("abc", 7), [])
    scores = np.sort(model.score_samples(words))[::-1]
    some = [words[index] for index in np.argsort(-model.score_samples(words))[:40:4]]
    exact = np.searchsorted(-scores, -model.score_samples(some) + 1e-9, side="right")
    rank, std = model.rank(some, 20_000, random_state=0, return_std=True)
    assert np.all(np.abs(rank - exact) < 5.2 * std + 0.1)


@pytest.mark.parametrize("pattern", [None, re.compile("ab|bb|.")])
def test_the_most_likely_words_are_those_with_the_best_scores(pattern):
    alphabet = UNCLEAR if pattern is None else (pattern, UNCLEAR)
    model = NGramCounter(order=2, smoothing="additive", alphabet=alphabet)
    model.fit(TINY_WORDS)
    words = sum(words_by_length("abc", 7), [])
    for options, allowed in (
        ({}, ".+"),
        ({"prefix": "a"}, "a([^b].*)?"),  # "ab" is a symbol
        ({"matching": ".*bb.*"}, ".*bb.*"),
        ({"avoiding": ["bb"], "prefix": "c"}, "c(?!.*bb).*"),
    ):
        possible = [word for word in words if re.fullmatch(allowed, word)]
        scores = np.sort(model.score_samples(possible))[::-1]
        found, log_proba = model.most_likely(15, **options)
        assert set(found) <= set(possible)
        np.testing.assert_allclose(log_proba, scores[:15])
        np.testing.assert_allclose(log_proba, model.score_samples(found))
    first = [word for word, _ in islice(model.iter_most_likely(), 15)]
    assert first == model.most_likely(15)[0]


def test_the_most_likely_words_need_beginnings_that_are_cut_as_words():
    for pattern in ("a(?=b)|.", "(ab$)|.", r"(?:a\b|.)"):
        model = BigramCounter(alphabet=re.compile(pattern)).fit(["ab", "ba"])
        with pytest.raises(ValueError, match="pattern in `alphabet` has anchors"):
            model.most_likely()


def test_pictures_show_the_symbols():
    pytest.importorskip("matplotlib")
    model = BigramCounter(alphabet=CLEAR, handle_unknown="unk").fit(WORDS)
    cells = SurprisalDisplay.from_estimator(model, ["abcba"]).text_
    assert [text.get_text() for text in cells[0]] == ["ab", "cba", "."]
    table = BigramDisplay.from_estimator(model, values="proba")
    assert table.symbols == ["", *CLEAR, "<unk>"]
