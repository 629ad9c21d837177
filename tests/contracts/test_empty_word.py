"""The contract of every model: the empty word is generated if it is a training word."""

import copy
import itertools
from pathlib import Path

import numpy as np
import pytest
from estimators import CLASSES, IN_ONE_STEP, MATCHED, over
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from sklearn_makemore import (
    BigramCounter,
    MixtureCharLM,
    NGramCounter,
    TransformerCharLM,
    load,
    save,
)

WORDS = ["a", "ab", "aba", "b", "bab"] * 4
WITH_EMPTY = [*WORDS, *[""] * 20]
QUICK = {**IN_ONE_STEP, **MATCHED}
FILES = Path(__file__).parents[1] / "persistence" / "files"


def has_empty(model, **options):
    """Whether the empty word is among many samples."""
    return "" in model.sample(2000, random_state=0, **options)


def likely(model, **options):
    return model.most_likely(8, **options)[0]


@over(QUICK)
def test_it_is_not_generated_unless_it_is_a_training_word(estimator):
    model = clone(estimator).fit(WORDS)
    assert not has_empty(model)
    assert not has_empty(model, temperature=2.0, max_length=3)
    assert "" not in likely(model)
    assert np.isfinite(model.score_samples([""])).all()
    if model.predict_proba([""])[0, 0] > 0.01:
        assert has_empty(model, min_length=0)
        assert "" in likely(model, min_length=0)


@over(QUICK)
def test_the_others_keep_their_odds(estimator):
    model = clone(estimator).fit(WORDS)
    expected = model.predict_proba([""])[0]
    expected[0] = 0
    first = [word[0] for word in model.sample(4000, random_state=1)]
    shares = np.array([first.count(symbol) for symbol in model.symbols_]) / 4000
    np.testing.assert_allclose(shares, expected / expected.sum(), atol=0.05)


@over(QUICK)
def test_it_is_generated_if_it_is_a_training_word(estimator, tmp_path):
    model = clone(estimator)
    if "validation_fraction" in model.get_params() and "weights" in model.get_params():
        model.set_params(refit=True)  # else it may be held out
    model.fit(WITH_EMPTY)
    assert has_empty(model)
    assert "" in likely(model)
    assert not has_empty(model, min_length=1)
    assert "" not in likely(model, min_length=1)
    save(model, tmp_path / "model")
    assert has_empty(load(tmp_path / "model"))
    # A new fit forgets it.
    assert not has_empty(model.fit(WORDS))
    save(model, tmp_path / "model")
    assert not has_empty(load(tmp_path / "model"))


@over(QUICK)
def test_it_can_be_learned_later(estimator):
    model = clone(estimator).partial_fit(WORDS)
    assert not has_empty(model)
    model.partial_fit(WITH_EMPTY)
    assert has_empty(model)
    assert has_empty(model.partial_fit(WORDS))


def test_a_weight_of_zero_does_not_count():
    weight = np.array([float(word != "") for word in WITH_EMPTY])
    for model in BigramCounter(), NGramCounter(3, match_lengths=False):
        assert not has_empty(model.fit(WITH_EMPTY, sample_weight=weight))


@pytest.mark.parametrize("name", ["bigram", "kneser-ney-3"])
def test_merged_counters_know_the_words_of_both(name):
    one = clone(CLASSES[name]).fit(WORDS)
    other = clone(CLASSES[name]).fit(WITH_EMPTY)
    assert not has_empty(copy.copy(one).merge(one))
    assert has_empty(one.merge(other))


@pytest.mark.slow
def test_a_warm_start_remembers_it():
    model = clone(QUICK["gru"]).set_params(warm_start=True).fit(WITH_EMPTY)
    assert has_empty(model.fit(WORDS))
    assert not has_empty(model.set_params(warm_start=False).fit(WORDS))


def test_a_mixture_knows_the_words_of_its_active_members():
    frozen = FrozenEstimator(BigramCounter().fit(WITH_EMPTY))
    for weights in ([1, 1], [0, 1]):
        model = MixtureCharLM([frozen, BigramCounter()], weights=weights).fit(WORDS)
        assert has_empty(model) == (weights[0] > 0)


@pytest.mark.parametrize("name", ["BigramCharLM", "GRUCharLM"])
def test_a_network_of_an_old_file_leaves_it_out(name):
    model = load(FILES / f"{name}.safetensors")
    assert model.word_lengths_ is None
    assert not has_empty(model)
    assert has_empty(model, min_length=0)


def test_limits_that_leave_no_other_word_allow_it():
    model = BigramCounter().fit(WORDS)
    assert model.sample(3, max_length=0) == [""] * 3
    assert model.sample(3, max_length=0, matching="[ab]*") == [""] * 3
    reader = TransformerCharLM(block_size=1, max_epochs=1, alphabet="ab").fit([""])
    reader.word_lengths_ = np.zeros(1)  # as if from other words
    assert reader.sample(2) == ["", ""]
    assert reader.most_likely(1)[0] == [""]


@pytest.mark.parametrize("exact", [False, True])
def test_patterns_match_it_if_it_is_asked_for(exact):
    model = BigramCounter().fit(WORDS)
    options = {"matching": "(ab)*", "max_length": 4, "exact": exact}
    assert set(model.sample(300, random_state=0, **options)) == {"ab", "abab"}
    assert has_empty(model, min_length=0, **options)
    with pytest.raises(ValueError, match="of 1 to .*; see min_length"):
        model.sample(matching="", exact=exact)
    assert model.sample(matching="", min_length=0, exact=exact) == [""]


def test_a_prefix_may_be_a_whole_word():
    model = BigramCounter().fit(WORDS)
    assert "a" in model.sample(100, prefix="a", random_state=0)
    assert "a" in likely(model, prefix="a")


def test_a_report_on_new_words_follows_the_same_rule():
    model = BigramCounter().fit(WORDS)
    report = model.novelty_report(WORDS, random_state=0)
    assert report.sample_lengths[0] == 0
    asked = model.novelty_report(WORDS, random_state=0, min_length=0)
    assert asked.sample_lengths[0] > 0


@pytest.mark.parametrize("shortest", [0, 1, 2, 4])
@pytest.mark.parametrize("prefix", ["", "ab"])
def test_the_most_likely_words_have_the_length_asked_for(shortest, prefix):
    model = NGramCounter(3, match_lengths=False).fit(WORDS)
    words = [
        prefix + "".join(letters)
        for length in range(9)
        for letters in itertools.product("ab", repeat=length)
    ]
    log_proba = model.score_samples(words)
    ranked = [words[i] for i in np.argsort(-log_proba) if len(words[i]) >= shortest]
    found, values = model.most_likely(6, prefix=prefix, min_length=shortest)
    assert min(map(len, found)) >= shortest
    np.testing.assert_allclose(values, model.score_samples(ranked[:6]))


def test_the_most_likely_words_must_be_readable():
    model = TransformerCharLM(block_size=4, n_layers=1, max_epochs=1).fit(WORDS)
    assert {len(word) for word in likely(model, min_length=3)} == {3}
    with pytest.raises(ValueError, match="at least 4 characters, and this Trans"):
        model.most_likely(min_length=4)
