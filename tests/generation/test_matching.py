"""Words sampled to match a pattern: masked or exact, compared with brute force.

Frequencies are compared by chi-square tests with fixed seeds, each with a chance of
`FALSE_ALARM` to fail for an honest sampler with another seed; there are fewer than 100.
"""

import pickle
import re
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import numpy as np
import pytest
from estimators import CLASSES, COUNTERS, ESTIMATORS, TINY_WORDS, over
from sampling_oracles import FALSE_ALARM, assert_frequencies, textbook_next
from scipy.stats import chi2_contingency
from sklearn.base import clone

from sklearn_makemore import BigramCounter, MLPCharLM, NGramCounter
from sklearn_makemore._generation import conditional as _conditional
from sklearn_makemore._generation import product as _product
from sklearn_makemore._generation import sampling as _sampling
from sklearn_makemore._generation.conditional import KNOWN, ConditionalModel
from sklearn_makemore._generation.language import BackwardLayers
from sklearn_makemore._generation.options import CHANGES, SampleOptions
from sklearn_makemore._generation.sampling import DrawOptions
from sklearn_makemore._methods import sample as _sample

N_DRAWS = 8000


def matches(pattern, prefix, limits, letters="abc"):
    """All words that match, have the prefix and are neither too short nor too long."""
    shortest, longest = limits
    all_words = (
        "".join(word)
        for length in range(longest + 1)
        for word in product(letters, repeat=length)
    )
    return [
        word
        for word in all_words
        if re.fullmatch(pattern, word)
        and word.startswith(prefix)
        and len(word) >= shortest
    ]


def textbook_masked(model, words, prefix, **options):
    """Distribution over words where what leads to none of them is removed first."""
    table = {word[:n]: None for word in words for n in range(len(word) + 1)}
    table = dict(zip(table, model.predict_proba(list(table)), strict=True))
    expected = {}

    def go_on(start, mass):
        continued = {word[: len(start) + 1] for word in words if word.startswith(start)}
        allowed = [start in words]
        allowed += [start + symbol in continued for symbol in model.symbols_[1:]]
        if allowed == [True] + [False] * len(allowed[1:]):
            expected[start] = mass  # nothing else is left, whatever the model says
            return
        proba = np.where(allowed, table[start], 0.0)
        for symbol, share in textbook_next(proba, 0, (0, None), **options).items():
            if share and symbol == 0:
                expected[start] = mass * share
            elif share:
                go_on(start + model.symbols_[symbol], mass * share)

    go_on(prefix, 1.0)
    return expected


def textbook_exact(model, words, prefix, **options):
    """Distribution of whole words under the options, given that they are of these."""
    proba = {}
    for word in words:
        proba[word] = 1.0
        starts = [word[:n] for n in range(len(prefix), len(word) + 1)]
        ids = [model.symbols_.index(letter) for letter in word[len(prefix) :]] + [0]
        for row, symbol in zip(model.predict_proba(starts), ids, strict=True):
            known = [s for s, text in enumerate(model.symbols_) if text != "<unk>"]
            following = textbook_next(row[known], 0, (0, None), **options)
            proba[word] *= following.get(symbol, 0.0)
    total = sum(proba.values())
    return {word: mass / total for word, mass in proba.items() if mass}


CASES = {
    "repeats": {"matching": "(ab|c)+a?", "limits": (0, 4)},
    "prefix": {"matching": "[^a]*(ba?)+", "prefix": "b", "limits": (2, 4)},
    "lengths": {"matching": ".*a.*", "limits": (3, 3)},
    "cold": {"matching": "a.*b|b.*", "temperature": 0.5, "limits": (0, 3)},
    "top": {"matching": "..?[ab]", "top_k": 3, "top_p": 0.9, "limits": (0, 3)},
    "typical": {"matching": ".*a.*", "min_p": 0.2, "typical_p": 0.8, "limits": (0, 3)},
    "avoid": {"avoiding": ["ab", "cc", "bcb"], "limits": (0, 4)},
    "both": {"matching": ".*b", "avoiding": "^b|a+c", "top_k": 3, "limits": (1, 4)},
}


def samples_and_words(model, case, n_draws, **options):
    options = {**CASES[case], **options}
    shortest, longest = options.pop("limits")
    sampled = model.sample(n_draws, min_length=shortest, max_length=longest, **options)
    prefix, pattern = options.get("prefix", ""), options.get("matching", ".*")
    words = matches(pattern, prefix, (shortest, longest))
    avoiding = options.get("avoiding", "x")
    avoiding = avoiding if isinstance(avoiding, str) else "|".join(avoiding)
    words = [word for word in words if not re.search(avoiding, word)]
    changes = {name: options[name] for name in CHANGES if name in options}
    return sampled, (model, words, prefix), changes


@over({name: ESTIMATORS[name] for name in ("bigram", "kneser-ney-3", "gru")})
@pytest.mark.parametrize("case", CASES)
def test_masked_samples_are_the_textbook_ones(estimator, case, fit_once):
    model = fit_once(estimator, TINY_WORDS)
    sampled, textbook, changes = samples_and_words(model, case, N_DRAWS, random_state=0)
    assert_frequencies(sampled, textbook_masked(*textbook, **changes))


FEW = ("bigram", "kneser-ney-6", "additive-3", "gru", "wavenet")


@pytest.fixture
def untried(monkeypatch):
    """Let counters compute the distribution at once, without any rejection."""
    monkeypatch.setattr(_sampling, "MAX_TRIAL_DRAWS_PER_WORD", 0)


@over({name: ESTIMATORS[name] for name in FEW})
@pytest.mark.parametrize("case", CASES)
def test_exact_samples_are_the_words_given_that_they_match(
    estimator, case, fit_once, untried
):
    model = fit_once(estimator, TINY_WORDS)
    sampled, textbook, changes = samples_and_words(
        model, case, N_DRAWS // 4, exact=True, random_state=1
    )
    expected = textbook_exact(*textbook, **changes)
    assert_frequencies(sampled, expected)
    if not changes:
        scores = np.exp(model.score_samples(list(expected)))
        np.testing.assert_allclose(
            scores / scores.sum(), list(expected.values()), rtol=1e-5
        )


@over({name: COUNTERS[name] for name in ("bigram", "kneser-ney-6", "additive-3")})
@pytest.mark.parametrize("case", CASES)
def test_a_call_that_changes_from_rejection_to_tables_has_one_distribution(
    estimator, case, fit_once, monkeypatch
):
    # One batch of rejection, whose words are kept, and then the computed distribution.
    monkeypatch.setattr(_sampling, "MAX_TRIAL_DRAWS_PER_WORD", 1)
    n_found = {True: 0, False: 0}

    def draw_codes(source, n_draws, rng):
        encoded, complete = original(source, n_draws, rng)
        n_found[source.is_trial] += complete.sum()
        return encoded, complete

    original = _sample.draw_codes
    monkeypatch.setattr(_sample, "draw_codes", draw_codes)
    model = fit_once(estimator, TINY_WORDS)
    sampled, textbook, changes = samples_and_words(
        model, case, N_DRAWS // 4, exact=True, random_state=2
    )
    assert min(n_found.values()) > len(sampled) / 50
    KNOWN.clear()
    again, *_ = samples_and_words(model, case, N_DRAWS // 4, exact=True, random_state=2)
    assert again == sampled
    assert_frequencies(sampled, textbook_exact(*textbook, **changes))


def proba_of_words(source, words, prefix, symbols):
    """Probability with which each word is sampled, character by character."""
    found = []
    for word in words:
        contexts, log_proba = source.context, 0.0
        for symbol in word[len(prefix) :]:
            table, rows = source.model.next_log_proba(contexts)
            log_proba += table[rows[0], symbols.index(symbol)]
            ids = np.array([symbols.index(symbol)])
            contexts = source.model.advance(contexts, ids)
        table, rows = source.model.next_log_proba(contexts)
        found.append(np.exp(log_proba + table[rows[0], 0]))
    return np.array(found)


LENGTH_MATCHED = {
    "counter": NGramCounter(3),
    "window network": MLPCharLM(
        block_size=2, n_embd=3, n_hidden=6, max_epochs=1, match_lengths=True
    ),
}


@over(LENGTH_MATCHED)
@pytest.mark.parametrize("limits", [(0, 7), (3, 7), (5, 7), (0, 3)])
@pytest.mark.parametrize("prefix", ["", "ba"])
def test_exact_probabilities_include_the_lengths(estimator, limits, prefix, fit_once):
    model = fit_once(estimator, TINY_WORDS)
    pattern = "(ab|b.|c)*a?"
    words = matches(pattern, prefix, limits)
    options = SampleOptions(prefix=prefix, matching=pattern, exact=True)
    *_, source = model._sources(options, DrawOptions(*limits))
    assert type(source.model) is ConditionalModel
    states = model._next_symbol_model().plain.n_states
    assert len(source.model.product.ends) <= 3 * states  # of the pattern: 3 states
    found = proba_of_words(source, words, prefix, list(model.symbols_))
    expected = np.exp(model.score_samples(words))
    np.testing.assert_allclose(found, expected / expected.sum(), rtol=1e-9)


@pytest.mark.parametrize("pattern", ["z.*z.*z", "x{3}.*", "q.*z.*"])
def test_rare_matches_are_sampled_from_a_large_list(
    pattern, counter_of_names, monkeypatch
):
    model = counter_of_names
    options = {"matching": pattern, "exact": True, "random_state": 0}
    sampled = model.sample(20, **options)
    assert len(sampled) == 20
    assert all(re.fullmatch(pattern, word) for word in sampled)
    # The second call finds the tables, and samples the same words.
    monkeypatch.setattr(_conditional, "explore", None)
    assert model.sample(20, **options) == sampled


def test_threads_sample_the_words_of_their_own_models(untried):
    models = [NGramCounter(order).fit(TINY_WORDS) for order in (2, 3, 4)]
    options = {"matching": "a.*b", "exact": True, "random_state": 0}
    expected = [model.sample(20, **options) for model in models]

    def sample(call):
        if call % 7 == 0:
            KNOWN.clear()
        return models[call % 3].sample(20, **options) == expected[call % 3]

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(sample, range(90)))


@pytest.mark.parametrize("bound", ["PAIRS_AT_ONCE", "MAX_TABLE_SIZE"])
def test_how_tables_are_computed_changes_no_word(bound, fit_once, untried, monkeypatch):
    model = fit_once(COUNTERS["kneser-ney-6"], TINY_WORDS)
    options = {"matching": "(a|b.)*c?", "exact": True, "random_state": 0}
    expected = model.sample(100, **options)
    KNOWN.clear()
    monkeypatch.setattr(_product, bound, 1)
    assert model.sample(100, **options) == expected


@pytest.mark.parametrize("max_length", [20, 400])
def test_words_of_hundreds_of_characters_may_have_settled_probabilities(max_length):
    matrix = np.random.RandomState(0).dirichlet(np.ones(7), size=6)

    def layers(skips_late):
        return BackwardLayers(
            matrix[:, :6].__matmul__,
            lambda length: matrix[:, 6] * (2 if length == 2 else 1),
            (1, 2, max_length),
            lambda values, later: np.allclose(values, later, 1e-13, 0),
            max_layers=1000,
            constant_from=4,
            skips_late=skips_late,
        )

    every, some = layers(False), layers(True)
    for length in range(1, max_length // 2):
        np.testing.assert_allclose(some[length], every[length], rtol=1e-12)
    assert (some.n_bytes < every.n_bytes / 10) == (max_length == 400)


def test_frequent_matches_need_no_tables(counter_of_names, monkeypatch):
    model = counter_of_names
    monkeypatch.setattr(_conditional, "explore", None)
    for n_samples in (1, 5, 300):
        found = model.sample(n_samples, matching=".*[io]", exact=True, random_state=0)
        assert len(found) == n_samples


def test_tables_are_those_of_the_last_fit_and_no_part_of_the_model(untried):
    model = NGramCounter(3).fit(TINY_WORDS)
    options = {"matching": "a.*b", "exact": True, "random_state": 0}
    pickled, attributes = pickle.dumps(model), set(vars(model))
    first = model.sample(50, **options)
    assert pickle.dumps(model) == pickled and set(vars(model)) == attributes
    assert pickle.loads(pickled).sample(50, **options) == first
    for options_of_another in ({"prefix": "ac"}, {"top_k": 2}, {"min_length": 4}):
        assert model.sample(50, **options) == first
        model.sample(50, **options, prefix="aa")
        other = model.sample(50, **options, **options_of_another)
        KNOWN.clear()
        assert model.sample(50, **options, **options_of_another) == other != first
    model.partial_fit(["acb"] * 9)
    again = clone(model).fit([*TINY_WORDS, *["acb"] * 9])
    assert model.sample(50, **options) == again.sample(50, **options) != first


@over({name: COUNTERS[name] for name in ("bigram", "kneser-ney-6", "additive-3")})
@pytest.mark.parametrize(
    "module, bound", [(_product, "MAX_TRANSITIONS"), (_conditional, "MAX_BACKWARD")]
)
def test_words_of_any_length_are_those_of_rejection(
    estimator, module, bound, fit_once, monkeypatch
):
    model = fit_once(estimator, TINY_WORDS)
    pattern = "(a|b.)*c?"
    monkeypatch.setattr(_sampling, "MAX_TRIAL_DRAWS_PER_WORD", 0)
    options = {"matching": pattern, "exact": True, "prefix": "b"}
    # Plain words of which those that do not match are left out, by hand.
    plain = model.sample(20_000, prefix="b", random_state=2)
    plain = [word for word in plain if re.fullmatch(pattern, word)]
    computed = model.sample(len(plain), random_state=3, **options)
    KNOWN.clear()
    monkeypatch.setattr(module, bound, 1)
    rejected = model.sample(len(plain), random_state=4, **options)
    assert computed != rejected
    columns = sorted({*plain, *computed, *rejected}, key=plain.count)[-15:]
    table = [
        [words.count(word) for word in columns]
        + [sum(word not in columns for word in words)]
        for words in (plain, computed, rejected)
    ]
    assert chi2_contingency(table).pvalue > FALSE_ALARM


@over(CLASSES)
@pytest.mark.parametrize("exact", [False, True])
def test_every_word_of_every_model_matches(estimator, exact, words, fit_once):
    model = fit_once(estimator, words)
    pattern = "[^q]*[aeiou]{2}[^x]?"
    sampled = model.sample(50, matching=pattern, exact=exact, random_state=0)
    assert len(sampled) == 50
    assert all(re.fullmatch(pattern, word) for word in sampled)
    assert sampled == model.sample(50, matching=pattern, exact=exact, random_state=0)
    limits = {"prefix": "an", "min_length": 4, "max_length": 7}
    options = {"temperature": 0.9, "top_p": 0.99, "exclude": words, "unique": True}
    sampled = model.sample(
        20, matching=r"\w+[aeiou]n?", exact=exact, **limits, **options, random_state=0
    )
    assert len(set(sampled) - set(words)) == 20
    for word in sampled:
        assert re.fullmatch(r"an\w*[aeiou]n?", word) and 4 <= len(word) <= 7


@over(CLASSES)
def test_a_pattern_of_any_word_changes_nothing(estimator, fit_once):
    model = fit_once(estimator, TINY_WORDS)
    plain = model.sample(40, max_length=6, random_state=0)
    assert model.sample(40, max_length=6, matching=".*", random_state=0) == plain


def test_masked_words_run_on_where_exact_ones_do_not(words):
    # What the docstring says: a beginning is as likely as the model finds it.
    model = NGramCounter().fit(words)
    pattern = "[^z]*z[^z]*"
    masked, exact = (
        model.sample(400, matching=pattern, exact=exact, random_state=0)
        for exact in (False, True)
    )
    mean_lengths = [
        np.mean([len(word) for word in sampled]) for sampled in (masked, exact)
    ]
    assert mean_lengths[0] > 2 * mean_lengths[1]
    nll = [model.nll(sampled) for sampled in (masked, exact)]
    assert nll[0] > nll[1]


SCRIPTS = ["жанна", "анна", "ждан", "ελενη", "αννα", "λενα", "anna", "a😀", "é-b", "😀"]


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize(
    "pattern, letters",
    [
        (r"\p{Cyrillic}{2,}", "аджн"),
        (r"[\p{Greek}]+", "αελνη"),
        (r"\p{Emoji_Presentation}+", "😀"),
        (r"\P{L}+", "😀-"),
        ("(?i)[А-Я]*Ж[А-Я]*", "аджн"),
    ],
)
def test_classes_of_unicode(pattern, letters, exact):
    model = NGramCounter(order=3).fit(SCRIPTS)
    sampled = model.sample(
        200, matching=pattern, exact=exact, min_length=1, max_length=5, random_state=0
    )
    assert len(sampled) == 200
    assert set("".join(sampled)) == set(letters)


@pytest.mark.parametrize("exact", [False, True])
@over({name: CLASSES[name] for name in ("bigram", "mlp")})
def test_an_impossible_pattern_is_an_error_at_once(
    estimator, exact, fit_once, monkeypatch
):
    model = fit_once(estimator, TINY_WORDS)
    # No word may be sampled.
    monkeypatch.setattr(type(model), "_next_symbol_model", lambda self: None)
    for message, options in {
        "characters fits matching": {"matching": "[^abc]+"},
        "begins with prefix='b'": {"matching": "a.*", "prefix": "b"},
        "of 1 to 4 .*max_length": {"matching": "a{5}", "max_length": 4},
        "of 6 to .*min_length": {"matching": "a{5}", "min_length": 6},
        "of 3 to 3": {"matching": "(..)*", "min_length": 3, "max_length": 3},
        "begins with prefix='ab' of 1 to 3": {
            "matching": "a.{3}",
            "prefix": "ab",
            "max_length": 3,
        },
        "look-around": {"matching": "(?!a)b"},
    }.items():
        with pytest.raises(ValueError, match=message):
            model.sample(5, exact=exact, random_state=0, **options)
    with pytest.raises(ValueError, match="needs `matching` or"):
        model.sample(exact=True)
    with pytest.raises(TypeError, match="pass its text, pattern.pattern"):
        model.sample(matching=re.compile("a"))


def test_the_model_itself_can_make_a_pattern_impossible():
    model = BigramCounter(smoothing=0).fit(["ab", "bc", "ca", "aba"])
    with pytest.raises(ValueError, match="gives no probability"):
        model.sample(matching="a.*cb.*", exact=True)
    with pytest.warns(UserWarning, match="Found 0 of 3 words"):
        assert model.sample(3, matching="a.*cb.*", max_length=9) == []
    # Masked samples in dead ends are dropped; the others stay.
    pattern = "(ac|ba|bb)"
    assert set(model.sample(50, matching=pattern, random_state=0)) == {"ba"}
    assert set(model.sample(50, matching=pattern, exact=True)) == {"ba"}
    with pytest.raises(ValueError, match="gives no probability"):
        model.sample(matching="ba", top_k=1, exact=True)


def test_what_is_too_improbable_to_compute_is_an_error_and_no_nonsense():
    model = BigramCounter().fit(["ab"] * 1000)
    with pytest.raises(ValueError, match="less than can be computed"):
        model.sample(matching="a{150}", exact=True)
    assert model.sample(matching="a{150}") == ["a" * 150]
    assert model.sample(matching="a{50}", exact=True) == ["a" * 50]


@over({name: CLASSES[name] for name in ("bigram", "gru")})
@pytest.mark.parametrize("exact", [False, True])
def test_the_unknown_symbol_never_matches_but_a_prefix_may_have_it(estimator, exact):
    model = clone(estimator).set_params(handle_unknown="unk", alphabet="ab")
    model.fit(TINY_WORDS)  # every "c" is unknown
    options = {"exact": exact, "max_length": 4, "random_state": 0}
    sampled = model.sample(300, matching=".*", **options)
    assert set("".join(sampled)) == {"a", "b"}
    sampled = model.sample(300, matching="[?]![ab]{2}", prefix="?!", **options)
    assert set(sampled) == {"?!aa", "?!ab", "?!ba", "?!bb"}
    with pytest.raises(ValueError, match="begins with prefix='!'"):
        model.sample(matching="[?]a|b", prefix="!", **options)


def test_all_words_of_a_pattern_are_found_and_no_more(fit_once):
    model = fit_once(COUNTERS["kneser-ney-3"], TINY_WORDS)
    options = {"matching": "(ab|c){2}", "unique": True, "random_state": 0}
    words = {"abab", "abc", "cab", "cc"}
    for exact in (False, True):
        assert set(model.sample(4, exact=exact, **options)) == words
        with pytest.warns(UserWarning, match=r"Found 3 of 4 words.*matching") as caught:
            sampled = model.sample(4, exact=exact, exclude=["cc", "a"], **options)
        assert set(sampled) == words - {"cc"}
        assert caught[0].filename == __file__


def test_rejection_has_a_bound(fit_once):
    model = fit_once(ESTIMATORS["mlp"], TINY_WORDS)
    with pytest.warns(UserWarning, match=r"Found \d of 2 words in 12000 draws"):
        sampled = model.sample(2, matching="(abc){4}", exact=True, random_state=0)
    assert len(sampled) < 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(model.sample(2, matching="cac", exact=True, random_state=0)) == 2


def test_only_properties_need_the_extra(fit_once, monkeypatch):
    model = fit_once(COUNTERS["kneser-ney-3"], TINY_WORDS)
    monkeypatch.setitem(sys.modules, "regex", None)
    with pytest.raises(ImportError, match=r"Properties.*sklearn-makemore\[matching\]"):
        model.sample(matching=r"ab?\p{L}{3}a")  # compiled by no other test
    assert model.sample(matching=r"(?i)AB?\w\Z", random_state=0)


@pytest.mark.parametrize("pattern", [b"ab", 3])
def test_a_pattern_is_text(pattern, fit_once):
    model = fit_once(COUNTERS["kneser-ney-3"], TINY_WORDS)
    with pytest.raises((TypeError, ValueError), match="'matching' parameter of"):
        model.sample(matching=pattern)
