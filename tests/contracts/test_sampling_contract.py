"""The contract of every model: samples have the probabilities that the options set."""

import itertools

import numpy as np
import pytest
from estimators import (
    CLASSES,
    ESTIMATORS,
    TINY_WORDS,
    longest_word,
    over,
    text_symbols,
    words_by_length,
)
from sampling_oracles import assert_frequencies, textbook_words
from sklearn.base import clone

from sklearn_makemore import BigramCounter
from sklearn_makemore._generation.exclusion import Exclusion
from sklearn_makemore._generation.sampling import Stage, draw_words

# Other tests measure coverage of the same code, which slows these down by half.
pytestmark = pytest.mark.no_cover

N_DRAWS = 20_000


def shortened(words, length):
    """Words with everything after some letters replaced by a plus."""
    return [word if len(word) <= length else word[:length] + "+" for word in words]


def probabilities_by_start(model, length, prefix=""):
    """Probability of every word, longer ones pooled by their first letters."""
    letters = model.symbols_[1:]
    expected = {}
    for word in sum(words_by_length(letters, length), []):
        expected[word] = np.exp(model.score_samples([prefix + word])[0])
    for start in words_by_length(letters, length)[-1]:
        end = model.predict_proba([prefix + start])[0, 0]
        expected[start + "+"] = expected[start] * (1 - end) / end
    return expected


@over(ESTIMATORS)
def test_frequencies_are_the_probabilities(estimator, fit_once):
    model = fit_once(estimator, TINY_WORDS)
    drawn = model.sample(N_DRAWS, min_length=0, random_state=0)
    assert_frequencies(shortened(drawn, 3), probabilities_by_start(model, 3))


@over(ESTIMATORS)
def test_the_rest_after_a_prefix_has_its_conditional_probability(estimator, fit_once):
    model = fit_once(estimator, TINY_WORDS)
    for prefix in ("b", "abcca"):
        drawn = model.sample(N_DRAWS // 2, prefix=prefix, random_state=1)
        assert all(word.startswith(prefix) for word in drawn)
        rests = [word[len(prefix) :] for word in drawn]
        expected = probabilities_by_start(model, 2, prefix)
        total = sum(expected.values())
        expected = {rest: proba / total for rest, proba in expected.items()}
        assert_frequencies(shortened(rests, 2), expected)


OPTIONS = {
    "lengths": {"limits": (0, 3)},
    "at least two": {"limits": (2, 3)},
    "exactly three": {"limits": (3, 3)},
    "nothing": {"limits": (0, 0)},
    "cold": {"temperature": 0.5},
    "hot": {"temperature": 3.0},
    "greedy": {"temperature": 0},
    "top 1": {"top_k": 1},
    "top 2": {"top_k": 2},
    "nucleus": {"top_p": 0.55},
    "small nucleus": {"top_p": 0.01},
    "min-p": {"min_p": 0.4},
    "typical": {"typical_p": 0.5},
    "hot top 3": {"temperature": 2.0, "top_k": 3},
    "all": {
        "limits": (1, 3),
        "temperature": 1.3,
        "top_k": 4,
        "top_p": 0.95,
        "min_p": 0.2,
        "typical_p": 0.8,
    },
}


@over(ESTIMATORS)
@pytest.mark.parametrize("name", OPTIONS)
def test_options_are_the_textbook_transformations(estimator, name, fit_once):
    model = fit_once(estimator, TINY_WORDS)
    options = {"limits": (0, 2), **OPTIONS[name]}
    expected = textbook_words(model, **options)
    shortest, longest = options.pop("limits")
    drawn = model.sample(
        4000, min_length=shortest, max_length=longest, random_state=2, **options
    )
    assert len(drawn) == 4000
    assert_frequencies(drawn, expected)
    # Every word that the options leave, and is not rare, does come.
    likely = {word for word, proba in expected.items() if proba > 0.01}
    assert likely <= set(drawn)


@over(CLASSES)
def test_temperature_one_and_wide_limits_change_nothing(estimator, fit_once):
    model = fit_once(estimator, TINY_WORDS)
    plain = model.sample(50, random_state=3)
    wide = {"top_k": 10**6, "top_p": 1.0, "min_p": 0.0, "typical_p": 1.0}
    longest = longest_word(model) or 10**6
    assert (
        model.sample(50, max_length=longest, temperature=1, random_state=3, **wide)
        == plain
    )


@over(CLASSES)
@pytest.mark.parametrize("temperature", [5e-324, 1e-320, 1e-300, 1e-9, 1e9])
def test_extreme_temperatures_do_not_overflow(estimator, temperature, fit_once):
    model = fit_once(estimator, TINY_WORDS)
    limits = {"min_length": 0, "max_length": 1}
    drawn = model.sample(2000, temperature=temperature, random_state=0, **limits)
    if temperature < 1:
        assert set(drawn) == set(model.sample(1, temperature=0, **limits))
    else:
        even = dict.fromkeys(("", "a", "b", "c"), 1 / 4)
        assert_frequencies(drawn, even)


@over(ESTIMATORS)
def test_the_unknown_symbol_is_never_drawn(estimator):
    model = clone(estimator).set_params(handle_unknown="unk", alphabet="ab")
    model.fit(TINY_WORDS)  # every "c" is unknown
    assert model.symbols_ == ["", "a", "b", "<unk>"]
    assert model.predict_proba([""])[0, 3] > 0.01
    expected = textbook_words(model, limits=(0, 3))
    drawn = model.sample(4000, min_length=0, max_length=3, random_state=0)
    assert_frequencies(drawn, expected)
    assert text_symbols(model) == ["a", "b", "?"]
    after_unknown = model.sample(10, prefix="?!", random_state=0)
    assert all(word.startswith("?!") for word in after_unknown)


@over(ESTIMATORS)
def test_lengths_are_obeyed(estimator, words, fit_once):
    model = fit_once(estimator, words)
    drawn = model.sample(300, min_length=5, max_length=8, random_state=0)
    assert {len(word) for word in drawn} == {5, 6, 7, 8}
    assert {len(word) for word in model.sample(20, max_length=0)} == {0}
    long = model.sample(3, min_length=300, random_state=0)
    assert min(map(len, long)) >= 300
    # The prefix is a part of the word.
    drawn = model.sample(300, prefix="anna", max_length=5, random_state=0)
    assert {len(word) for word in drawn} == {4, 5}
    assert set(model.sample(5, prefix="anna", max_length=4)) == {"anna"}
    drawn = model.sample(300, prefix="an", min_length=4, random_state=0)
    assert min(map(len, drawn)) == 4


# A limit is that of the training words, of the network, or a thousand more characters.
LIMITED = ("bigram", "kneser-ney-3", "mlp", "gru", "bow", "transformer", "mixture")


@over({name: CLASSES[name] for name in LIMITED})
def test_nothing_goes_on_for_ever(estimator):
    model = clone(estimator)
    if "max_epochs" in model.get_params():
        model.set_params(max_epochs=20, batch_size=None)
    model.fit(["a" * 60] * 6)
    # After a few letters the model has no reason to end the word.
    (word,) = model.sample(prefix="a" * 12, random_state=0, temperature=0)
    assert set(word) == {"a"}
    if getattr(model, "match_lengths", False):
        assert len(word) == 60
    elif longest_word(model) is None:
        assert 1000 <= len(word) <= 1012
    else:
        assert len(word) <= longest_word(model)


def test_long_training_words_allow_longer_words():
    model = clone(ESTIMATORS["bigram"]).fit(["a" * 120, "a" * 7])
    (word,) = model.sample(random_state=0, temperature=0)
    assert word == "a" * 1200


@over(CLASSES)
def test_excluded_words_do_not_come_and_the_others_keep_their_odds(estimator, fit_once):
    model = fit_once(estimator, TINY_WORDS)
    exclude = ["", "a", "ab", "ba"]
    drawn = model.sample(N_DRAWS, exclude=exclude, random_state=4)
    expected = probabilities_by_start(model, 3)
    for word in exclude:
        del expected[word]
    total = sum(expected.values())
    expected = {word: proba / total for word, proba in expected.items()}
    assert_frequencies(shortened(drawn, 3), expected)


@pytest.mark.parametrize("name, n_pairs", [("bigram", 4000), ("mlp", 800)])
def test_unique_words_are_as_if_drawn_and_rejected_one_by_one(name, n_pairs, fit_once):
    # Words that are finished sooner must have no advantage: the pair of unique words
    # has the distribution of two draws of which the second is not the first.
    model = fit_once(ESTIMATORS[name], TINY_WORDS)
    proba = textbook_words(model, limits=(1, 2))
    expected = {
        (first, second): proba[first] * proba[second] / (1 - proba[first])
        for first in proba
        for second in proba
        if first != second
    }
    rng = np.random.RandomState(5)
    limits = {"min_length": 1, "max_length": 2}
    pairs = [
        tuple(model.sample(2, unique=True, random_state=rng, **limits))
        for _ in range(n_pairs)
    ]
    assert_frequencies(pairs, expected)


@pytest.mark.parametrize("at_once, n_trials", [(1, 0), (2, 1), (1000, 2)])
def test_batches_of_any_size_leave_the_order_of_the_draws(at_once, n_trials):
    # Words come in batches of guessed size; what a batch has too many is left. Three
    # unique words have the distribution of drawing and rejecting one after the other,
    # however many stages take turns.
    words = np.array(["a", "b", "c", "d", "e", None])  # some cannot be ended
    proba = np.array([0.4, 0.25, 0.15, 0.1, 0.05, 0.05])
    left = dict(zip("abde", proba[[0, 1, 3, 4]], strict=True))
    expected = {}
    for triple in itertools.permutations(left, 3):
        remaining, expected[triple] = sum(left.values()), 1.0
        for word in triple:
            expected[triple] *= left[word] / remaining
            remaining -= left[word]
    rng = np.random.RandomState(6)
    cdf = proba.cumsum()

    def draw(n_draws):
        assert n_draws <= at_once
        return words[np.searchsorted(cdf, rng.random_sample(n_draws))].tolist()

    exclusion = Exclusion({"c"})
    # 13 draws at most: some trials find a part of the words.
    stages = [Stage(draw, 1, is_trial=True)] * n_trials + [Stage(draw)]
    triples = [
        tuple(draw_words(stages, 3, at_once, True, exclusion)) for _ in range(6000)
    ]
    assert_frequencies(triples, expected)
    # Not unique, the words are independent draws from what is not excluded.
    total = sum(left.values())
    expected = {word: p / total for word, p in left.items()}
    drawn = draw_words(stages, N_DRAWS, at_once, False, exclusion)
    assert_frequencies(drawn, expected)
    pairs = [first + second for first, second in zip(*[iter(drawn)] * 2, strict=True)]
    assert_frequencies(
        pairs,
        {a + b: expected[a] * expected[b] for a in expected for b in expected},
    )


@over(CLASSES)
def test_unique_and_exclude_together(estimator, fit_once):
    model = fit_once(estimator, TINY_WORDS)
    all_words = set(sum(words_by_length("abc", 2), []))
    exclude = np.array(["a", "", "cc", "unheard-of"])
    drawn = model.sample(10, unique=True, exclude=exclude, max_length=2, random_state=0)
    assert len(drawn) == 10
    assert set(drawn) == all_words - {"a", "", "cc"}


@over(CLASSES)
def test_a_warning_says_how_many_were_found(estimator, fit_once):
    model = fit_once(estimator, TINY_WORDS)
    with pytest.warns(UserWarning, match="Found 3 of 9 words") as caught:
        drawn = model.sample(9, unique=True, max_length=1, random_state=0)
    assert sorted(drawn) == ["a", "b", "c"]
    assert caught[0].filename == __file__  # it points to the caller's line
    with pytest.warns(UserWarning, match="Found 0 of 1 words"):
        assert model.sample(exclude=drawn, max_length=1) == []


def test_words_that_cannot_be_ended_are_not_returned():
    model = BigramCounter(smoothing=0).fit(["ab"])
    with pytest.warns(UserWarning, match="Found 0 of 2 words"):
        assert model.sample(2, min_length=3) == []


@over(CLASSES)
def test_a_prefix_is_kept_as_it_is(estimator, words, fit_once):
    model = fit_once(estimator, words)
    for prefix in ("a", "an", "anna", "christopher" * 3):
        drawn = model.sample(20, prefix=prefix, random_state=0)
        assert all(word.startswith(prefix) for word in drawn)
    drawn = model.sample(40, prefix="an", unique=True, exclude=words, random_state=0)
    assert len(set(drawn) - set(words)) == 40
