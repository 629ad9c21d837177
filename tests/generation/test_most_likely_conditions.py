"""The most probable words of many: with conditions, by prefix, and one by one."""

import re
from itertools import islice, pairwise

import numpy as np
import pytest
from estimators import CLASSES, TINY_WORDS, words_by_length

from sklearn_makemore import BigramCounter, ConditionalCharLM, NGramCounter
from sklearn_makemore._generation import most_likely as _most_likely

ALL_WORDS = sum(words_by_length("abc", 6), [])
PREFIXES = ["", "b", "ca", "b", "abba"]


@pytest.fixture(params=["kneser-ney-3", "gru", "mixture", "labels"])
def model(request, fit_once):
    """A model of the letters a, b and c."""
    if request.param == "labels":
        labels = np.arange(len(TINY_WORDS)) % 2
        model = ConditionalCharLM(NGramCounter(3)).fit(TINY_WORDS, labels)
        return model.estimators_[1]
    return fit_once(CLASSES[request.param], TINY_WORDS)


@pytest.fixture(scope="module")
def names_model(many_words):
    return NGramCounter(3).fit(many_words[:300])


def is_wanted(word, prefix="", lengths=(1, 6), matching=".*", avoiding=(), exclude=()):
    """Whether a word meets the conditions, according to Python's `re`."""
    pattern = avoiding
    if not isinstance(avoiding, str):
        pattern = "|".join(map(re.escape, avoiding)) or "(?!)"
    return (
        word.startswith(prefix)
        and lengths[0] <= len(word) <= lengths[1]
        and re.fullmatch(matching, word) is not None
        and re.search(pattern, word) is None
        and word not in exclude
    )


def one_edit_away(words):
    """Return the words that one edit makes of some words, and these."""
    cuts = [(word[:i], word[i:]) for word in words for i in range(len(word) + 1)]
    shorter = {head + tail[1:] for head, tail in cuts}
    others = {head + c + tail for head, tail in cuts for c in "abc"}
    replaced = {head + c + tail[1:] for head, tail in cuts if tail for c in "abc"}
    return {*words} | shorter | others | replaced


@pytest.mark.parametrize(
    "conditions",
    [
        {},
        {"prefix": "b", "lengths": (3, 6)},
        {"matching": "a.*c|b+"},
        {"avoiding": ["ab", "cc"], "lengths": (1, 5)},
        {"avoiding": "a$|b.b", "exclude": TINY_WORDS},
        {"matching": "[ab]*c?", "avoiding": {"bb"}, "prefix": "a", "lengths": (0, 6)},
        {"exclude": set(TINY_WORDS), "lengths": (1, 3)},
    ],
    ids=lambda conditions: "-".join(conditions) or "none",
)
def test_they_are_the_best_of_those_that_meet_the_conditions(model, conditions):
    wanted = [word for word in ALL_WORDS if is_wanted(word, **conditions)]
    log_proba = dict(zip(wanted, model.score_samples(wanted), strict=True))
    shortest, longest = conditions.get("lengths", (1, 6))
    options = {name: conditions[name] for name in conditions if name != "lengths"}
    options |= {"min_length": shortest, "max_length": longest}
    n_words = min(25, len(wanted))
    found, values = model.most_likely(n_words, **options)
    best = np.sort([*log_proba.values()])[::-1]
    np.testing.assert_allclose(values, best[:n_words], atol=1e-5)
    np.testing.assert_allclose([log_proba[w] for w in found], values, atol=1e-5)
    assert len(set(found)) == n_words
    # The search without an end finds the same words first, and then all others.
    every = [*model.iter_most_likely(**options)]
    np.testing.assert_allclose([value for _, value in every], best, atol=1e-5)
    assert {word for word, _ in every} == set(wanted)


def test_near_copies_are_left_out(model):
    exclude = ["abba", "cab", "a"]
    near = one_edit_away(exclude)
    wanted = [word for word in ALL_WORDS[1:] if len(word) < 6 and word not in near]
    pairs = [*model.iter_most_likely(exclude=exclude, min_distance=2, max_length=5)]
    assert sorted(word for word, _ in pairs) == sorted(wanted)


def test_several_prefixes_are_several_searches(model):
    options = {"min_length": 2, "max_length": 6}
    found = model.most_likely(7, prefix=np.array(PREFIXES), **options)
    assert len(found) == len(PREFIXES)
    for prefix, (words, log_proba) in zip(PREFIXES, found, strict=True):
        alone, values = model.most_likely(7, prefix=prefix, **options)
        np.testing.assert_allclose(log_proba, values, atol=1e-5)
        assert sorted(words) == sorted(alone)
        assert log_proba.dtype == np.float64


def test_several_prefixes_share_calls_of_the_model_and_memory(monkeypatch):
    model = NGramCounter(3).fit(TINY_WORDS)
    expected = [model.most_likely(30, prefix=prefix) for prefix in PREFIXES]
    n_calls, original = [], model._prefix_log_proba

    def prefix_log_proba(encoded):
        n_calls.append(encoded.n_words)
        return original(encoded)

    monkeypatch.setattr(model, "_prefix_log_proba", prefix_log_proba, raising=False)
    for prefix in PREFIXES:
        model.most_likely(30, prefix=prefix)
    alone = len(n_calls)
    model.most_likely(30, prefix=PREFIXES)
    assert len(n_calls) - alone < alone / 2
    for max_open in 150, 10**5:
        monkeypatch.setattr(_most_likely, "MAX_OPEN_PREFIXES", (max_open, 0))
        found = model.most_likely(30, prefix=PREFIXES)
        for (words, log_proba), (alone, values) in zip(found, expected, strict=True):
            assert words == alone
            assert log_proba.tolist() == values.tolist()


def test_prefixes_with_fewer_words_share_a_warning():
    model = BigramCounter(smoothing=0).fit(["ab", "cd"])
    message = r"Found 1 of 2 words.* 'a' has .* above 0.*\(2 of 3 prefixes\)"
    with pytest.warns(UserWarning, match=message) as seen:
        found = model.most_likely(2, prefix=["", "a", "c"])
    assert [words for words, _ in found] == [["ab", "cd"], ["ab"], ["cd"]]
    assert len(seen) == 1 and seen[0].filename == __file__


def test_a_search_ends_where_all_texts_are_cut_into_other_symbols():
    model = NGramCounter(alphabet=["a", "ab", "b"]).fit(["ab", "b"])
    options = {"prefix": "a", "max_length": 3, "avoiding": "aa"}  # "ab" is one symbol
    with pytest.warns(UserWarning, match="Found 1 of 3 words"):
        words, log_proba = model.most_likely(3, **options)
    assert words == ["a"]
    assert [*model.iter_most_likely(**options)] == [("a", log_proba[0])]


def test_equally_probable_words_are_ordered_by_length_and_code_points():
    model = BigramCounter(smoothing=1e20).fit(["ab"])  # all characters are as likely
    words = [word for word, _ in islice(model.iter_most_likely(min_length=0), 15)]
    assert words == sum(words_by_length("ab", 3), [])
    found = model.most_likely(6, prefix=["b", "a"], avoiding=["aaa"], max_length=3)
    assert found[0][0] == ["b", "ba", "bb", "baa", "bab", "bba"]
    assert found[1][0] == ["a", "aa", "ab", "aab", "aba", "abb"]


def test_the_lazy_form_is_the_list(names_model):
    words, log_proba = names_model.most_likely(500, prefix="ma")
    pairs = [*islice(names_model.iter_most_likely(prefix="ma"), 500)]
    assert pairs == [*zip(words, log_proba.tolist(), strict=True)]
    assert all(type(value) is float for _, value in pairs)


def test_however_many_beginnings_are_extended_at_a_time(names_model, monkeypatch):
    expected = names_model.most_likely(3000, exclude=["ann"], max_length=8)
    for chunk_size, growth, per_word in (64, 1, 8), (500, 10**6, 10**6):
        monkeypatch.setattr(_most_likely, "PREFIX_CHUNK_SIZE", chunk_size)
        monkeypatch.setattr(_most_likely, "GROWTH", growth)
        monkeypatch.setattr(_most_likely, "MAX_OPEN_PREFIXES", (0, per_word))
        found = names_model.most_likely(3000, exclude=["ann"], max_length=8)
        assert found[0] == expected[0]
        np.testing.assert_array_equal(found[1], expected[1])
    best = names_model.score_samples(found[0])
    np.testing.assert_allclose(found[1], best, atol=1e-9)


def test_the_lazy_form_costs_what_is_read(names_model, monkeypatch):
    n_read = [0]
    original = names_model._prefix_log_proba

    def prefix_log_proba(encoded):
        n_read[-1] += encoded.n_words
        return original(encoded)

    monkeypatch.setattr(names_model, "_prefix_log_proba", prefix_log_proba, False)
    words = names_model.iter_most_likely()
    assert n_read == [0]
    next(words)
    n_read.append(0)
    for _ in islice(words, 2000):
        pass
    assert n_read[0] < n_read[1] / 2


@pytest.mark.parametrize(
    ("bound", "value"), [("MAX_OPEN_PREFIXES", 5000), ("MAX_CHARACTERS", 20_000)]
)
def test_at_a_bound_the_lazy_form_has_yielded_what_is_certain(
    bound, value, names_model, monkeypatch
):
    expected = names_model.most_likely(5000)[0]
    monkeypatch.setattr(_most_likely, bound, (value, 0))
    found = []
    with pytest.raises(ValueError, match="More than .* words cannot be told") as error:
        for word, _ in names_model.iter_most_likely():
            found.append(word)
    assert 100 < len(found) < 5000
    assert found == expected[: len(found)]
    assert f"Words that are certain: {len(found)}." in str(error.value)


def test_the_words_of_a_label():
    words, labels = ["ab", "ab", "b", "ca", "c"], ["x", "x", "x", "y", "y"]
    model = ConditionalCharLM(NGramCounter(2)).fit(words, labels)
    options = {"label": "y", "prefix": ["a", "c"], "avoiding": ["b"]}
    of_label = model.estimators_[1]
    found = model.most_likely(4, **options)
    expected = of_label.most_likely(4, prefix=["a", "c"], avoiding=["b"])
    for (words, log_proba), (best, values) in zip(found, expected, strict=True):
        assert words == best
        assert log_proba.tolist() == values.tolist()
    pairs = islice(model.iter_most_likely(label="x", max_length=4), 9)
    assert all(one[1] >= two[1] for one, two in pairwise(pairs))
    with pytest.raises(TypeError, match=r"iter_most_likely\(\) missing .*'label'"):
        model.iter_most_likely()
