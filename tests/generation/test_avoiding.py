"""Words that avoid a pattern or substrings, held against a search in every word."""

import re
import time

import numpy as np
import pandas as pd
import pytest
from estimators import CLASSES, TINY_WORDS, over
from sampling_oracles import FALSE_ALARM, assert_frequencies
from scipy.stats import chi2_contingency

from sklearn_makemore import BigramCounter, NGramCounter
from sklearn_makemore._generation import automaton as _automaton
from sklearn_makemore._generation import avoided as _avoided
from sklearn_makemore._generation.language import matching_language
from sklearn_makemore._words.vocabulary import CharVocabulary

LETTERS = str.maketrans("01", "ab")


@pytest.fixture
def model(fit_once):
    return fit_once(NGramCounter(3), TINY_WORDS)


@pytest.mark.parametrize(
    "avoiding", ["a[bc]", ["ab", "ac"], {"ac", "ab"}, np.array(["ab", "ac"])]
)
def test_a_pattern_and_substrings_exclude_the_same_words(model, avoiding):
    expected = model.sample(50, avoiding=("ab", "ac"), random_state=0)
    assert model.sample(50, avoiding=avoiding, random_state=0) == expected
    assert not any("ab" in word or "ac" in word for word in expected)


def test_substrings_are_no_patterns():
    model = BigramCounter().fit(["a.b", "axb", "a[b"])
    sampled = model.sample(500, avoiding=["a.", "["], random_state=0)
    assert not any("a." in word or "[" in word for word in sampled)
    assert any("ax" in word for word in sampled)


@over(CLASSES)
@pytest.mark.parametrize("exact", [False, True])
def test_every_word_of_every_model_avoids(estimator, exact, words, fit_once):
    model = fit_once(estimator, words)
    options = {"matching": "[a-m].*", "avoiding": ["an", "r", "qq"], "exact": exact}
    sampled = model.sample(40, prefix="b", **options, random_state=0)
    assert len(sampled) == 40
    for word in sampled:
        assert re.fullmatch("b.*", word) and not re.search("an|r|qq", word)


def test_exact_words_are_those_of_plain_samples_without_the_others(model):
    # Words of any length: plain samples, of which some are left out by hand.
    plain = model.sample(20_000, random_state=0)
    plain = [word for word in plain if not re.search("ba|c$", word)]
    options = {"avoiding": "ba|c$", "exact": True, "random_state": 1}
    exact = model.sample(len(plain), **options)
    columns = sorted({*plain, *exact}, key=plain.count)[-15:]
    table = [
        [words.count(word) for word in columns]
        + [sum(word not in columns for word in words)]
        for words in (plain, exact)
    ]
    assert chi2_contingency(table).pvalue > FALSE_ALARM


def test_only_the_last_character_of_an_occurrence_is_removed():
    # What the guide says: a beginning stays as likely as the model finds it.
    model = BigramCounter(smoothing=0).fit(["ab"] * 9 + ["ac", "cc"])
    masked, exact = (
        model.sample(4000, avoiding=["ab"], exact=exact, max_length=2, random_state=0)
        for exact in (False, True)
    )
    assert_frequencies([word[0] for word in masked], {"a": 10 / 11, "c": 1 / 11})
    scores = np.exp(model.score_samples(["ac", "cc", "c"]))
    expected = dict(zip(["ac", "cc", "c"], scores / scores.sum(), strict=True))
    assert_frequencies(exact, expected)


def test_what_excludes_nothing_changes_nothing(model):
    plain = model.sample(50, random_state=0)
    for avoiding in [], set(), ["xyz", "aé"], "x", r"\d":
        assert model.sample(50, avoiding=avoiding, random_state=0) == plain


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"avoiding": ["ab", ""]}, ValueError, r"avoiding\[1\] is the empty string"),
        ({"avoiding": ""}, ValueError, "avoiding='' excludes every word"),
        ({"avoiding": "a*"}, ValueError, "matches the empty string"),
        ({"avoiding": "^"}, ValueError, "excludes every word"),
        (
            {"avoiding": ["bc", "ba"], "prefix": "cba"},
            ValueError,
            "prefix='cba' contains 'ba', which `avoiding` excludes",
        ),
        (
            {"avoiding": "b.", "prefix": "cba"},
            ValueError,
            "No word that begins with prefix='cba' fits avoiding='b.'",
        ),
        (
            {"avoiding": "a", "matching": ".*a"},
            ValueError,
            "characters fits matching='.*a' and avoiding='a'",
        ),
        (
            {"avoiding": ["a", "b", "c"]},
            ValueError,
            r"No word of 1 to 1000 .* fits avoiding=\['a', 'b', 'c'\]; see min_length",
        ),
        ({"avoiding": "(?=a)b"}, ValueError, "avoiding='.*' has look-around"),
        ({"avoiding": "(a"}, ValueError, "avoiding='.a' is not a regular expression"),
        ({"avoiding": re.compile("a")}, TypeError, "`avoiding` is a compiled pattern"),
        ({"avoiding": ["a", 3]}, TypeError, "avoiding.*3.*int"),
        ({"avoiding": pd.Series(["a", None])}, ValueError, "`avoiding` has a missing"),
        ({"avoiding": 3}, ValueError, "'avoiding' parameter of NGramCounter.sample"),
    ],
)
def test_errors_say_what_excludes_what(model, options, error, message):
    with pytest.raises(error, match=message):
        model.sample(**options)


def test_a_prefix_outside_the_alphabet_counts(words):
    model = BigramCounter(alphabet="ab", handle_unknown="unk").fit(["ab", "ba", "?"])
    assert set(model.sample(20, prefix="?!", avoiding=["!a"])[0]) >= {"?", "!"}
    with pytest.raises(ValueError, match=r"prefix='\?!' contains '\?!'"):
        model.sample(prefix="?!", avoiding=["?!"])
    sampled = model.sample(100, prefix="?!", avoiding=["!a"], random_state=0)
    assert not any(word.startswith("?!a") for word in sampled)


def test_symbols_of_several_characters_are_searched_as_text():
    model = NGramCounter(2, alphabet=["C", "Cl", "O", "N"]).fit(["CCl", "ClO", "CN"])
    for exact in (False, True):
        sampled = model.sample(300, avoiding=["lO", "CN"], exact=exact, random_state=0)
        assert any("Cl" in word for word in sampled)
        assert not any("lO" in word or "CN" in word for word in sampled)


def test_an_automaton_without_room_is_refused(monkeypatch):
    vocabulary = CharVocabulary("abc")
    substrings = ["".join("abc"[(i * j) % 3] for i in range(30)) for j in range(1, 9)]

    def language(matching, avoiding):
        return matching_language(matching, avoiding, vocabulary, "", 0, 40)

    states = language(None, substrings).n_states
    monkeypatch.setattr(_avoided, "MAX_TRANSITIONS", 4 * (states - 1))
    _avoided.without_substrings.cache_clear()
    with pytest.raises(ValueError, match=r"avoiding=\['a.*too large"):
        language(None, substrings)
    # Each of the automata has room, but not both together.
    monkeypatch.setattr(_automaton, "MAX_TRANSITIONS", 4 * 40)
    language("(?:.{7})*", None), language(None, "b.{3}c")
    with pytest.raises(
        ValueError, match="matching='.*' and avoiding='.*' is too large"
    ):
        language("(?:.{7})*", "b.{3}c")


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {"avoiding": "a.{25}b"},
        {"avoiding": "(a?){5000}b"},
        {"avoiding": [f"{i:021b}".translate(LETTERS) for i in range(1 << 17)]},
    ],
    ids=["window", "long", "substrings"],
)
def test_exclusions_that_explode_are_refused(options, model):
    start = time.process_time()
    with pytest.raises(ValueError, match="too large"):
        model.sample(**options)
    assert time.process_time() - start < 15
