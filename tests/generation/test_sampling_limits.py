"""Sampling at a limit: of lengths, memory, tables, alphabets."""

import numpy as np
import pytest
import sklearn
from estimators import CLASSES, IN_ONE_STEP, TINY_WORDS, over
from sampling_oracles import assert_frequencies, textbook_words
from sklearn.base import clone

from sklearn_makemore import BigramCounter, NGramCounter
from sklearn_makemore._counters import model as _ngram_model
from sklearn_makemore._methods import hooks as _hooks
from sklearn_makemore._methods import sample as _sample

UNSMOOTHED = {
    "bigram": BigramCounter(smoothing=0),
    "additive": NGramCounter(3, smoothing="additive", alpha=0, match_lengths=False),
}


@over(UNSMOOTHED)
def test_a_full_word_ends_even_if_the_model_says_it_cannot(estimator):
    model = clone(estimator).fit(["abcd", "abcd"])
    assert model.predict_proba(["ab"])[0, 0] == 0
    for length in range(5):
        sampled = model.sample(3, max_length=length, random_state=0)
        assert sampled == ["abcd"[:length]] * 3
    assert model.sample(2, prefix="ab", max_length=2) == ["ab", "ab"]
    assert model.sample(2, prefix="ab", max_length=3, top_k=1) == ["abc", "abc"]


@pytest.fixture
def rows_at_once(monkeypatch):
    """Limit batches to few words; return a list of their sizes."""
    sampled = []

    def draw_codes(source, n_draws, rng):
        sampled.append(n_draws)
        return original(source, n_draws, rng)

    original = _sample.draw_codes
    monkeypatch.setattr(_sample, "draw_codes", draw_codes)
    monkeypatch.setattr(_hooks, "MIN_ROWS", 50)
    monkeypatch.setattr(_hooks, "MAX_CELLS", 4 * 70)
    return sampled


@over(CLASSES)
def test_small_batches_have_the_same_distribution(estimator, fit_once, rows_at_once):
    model = fit_once(estimator, TINY_WORDS)
    assert len(model.symbols_) == 4
    sampled = model.sample(4000, max_length=2, random_state=0)
    assert len(sampled) == 4000
    assert max(rows_at_once) <= 70 and sum(rows_at_once) >= 4000
    assert_frequencies(sampled, textbook_words(model, limits=(1, 2)))
    # The parts are not each other's repetition, and the seed is of all of them.
    assert sampled[:70] != sampled[70:140]
    assert model.sample(4000, max_length=2, random_state=0) == sampled
    assert model.sample(70, max_length=2, random_state=0) == sampled[:70]
    # Rejection is counted over all parts too.
    n_words = 12
    unique = model.sample(n_words, unique=True, max_length=2, random_state=0)
    assert len(set(unique)) == n_words
    rows_at_once.clear()
    n_draws = 100 * (n_words + 11)
    message = f"Found {n_words} of {n_words + 1} words in {n_draws} draws"
    with pytest.warns(UserWarning, match=message):
        model.sample(n_words + 1, unique=True, max_length=2, random_state=0)
    assert max(rows_at_once) <= 70 and sum(rows_at_once) == n_draws


@pytest.mark.slow
@over(IN_ONE_STEP)
def test_a_large_alphabet_is_drawn_in_parts(estimator, monkeypatch):
    n_letters, n_cells = 1000, 1 << 18
    monkeypatch.setattr(_hooks, "MAX_CELLS", n_cells)
    letters = [chr(0x4E00 + i) for i in range(n_letters)]
    kind = type(estimator)
    held = []

    class Recorded:
        def __init__(self, model):
            self.model = model

        def __getattr__(self, name):
            return getattr(self.model, name)

        def next_log_proba(self, contexts):
            held.append(len(contexts) * n_letters)
            return self.model.next_log_proba(contexts)

    original = kind._next_symbol_model
    monkeypatch.setattr(
        kind, "_next_symbol_model", lambda self: Recorded(original(self))
    )
    model = clone(estimator).set_params(alphabet=letters)
    model.fit(["".join(letters[i : i + 2]) for i in range(0, 200, 2)])
    sampled = model.sample(1000, max_length=2, random_state=0)
    assert len(sampled) == 1000
    assert set("".join(sampled)) <= set(letters)
    assert n_cells / 2 < max(held) <= n_cells


@pytest.mark.parametrize("name", ["kneser-ney", "additive"])
def test_ngrams_without_tables_are_the_same(name, words, monkeypatch):
    # Models too large for tables of all states and symbols search for them instead.
    asked = [*words[:50], "", "zzz", "a" * 20]
    options = {"temperature": 0.8, "top_k": 9, "unique": True, "exclude": words}
    found = []
    for size in (_ngram_model.MAX_TABLE_SIZE, 1):
        monkeypatch.setattr(_ngram_model, "MAX_TABLE_SIZE", size)
        model = NGramCounter(order=4, smoothing=name).fit(words)
        found.append((model, model.sample(300, random_state=0)))
        assert (model.model_.plain.tables is None) == (size == 1)
    (with_tables, sampled), (without, also_sampled) = found
    assert also_sampled == sampled
    np.testing.assert_allclose(
        without.predict_proba(asked), with_tables.predict_proba(asked), rtol=1e-12
    )
    assert without.sample(40, random_state=1, **options) == with_tables.sample(
        40, random_state=1, **options
    )
    many = asked * (1 + with_tables.model_.plain.n_states // len(asked))
    np.testing.assert_allclose(
        without.predict_proba(many), with_tables.predict_proba(many), rtol=1e-12
    )


def test_errors_of_parameters_name_the_class_of_the_model():
    model = BigramCounter().fit(["ab"])
    with pytest.raises(ValueError, match="'top_k' parameter of BigramCounter.sample"):
        model.sample(top_k=0)
    with pytest.raises(ValueError, match="of BigramCounter.novelty_report must"):
        model.novelty_report(["ab"], n_samples=0)
    with sklearn.config_context(skip_parameter_validation=True):
        assert len(model.sample("2")) == 2


def test_the_warning_points_to_the_line_of_the_call():
    model = BigramCounter().fit(["ab"])
    with pytest.warns(UserWarning, match="Found 2 of 9 words") as caught:
        lines = _line_here(), model.sample(9, unique=True, max_length=1)
    assert [warning.lineno for warning in caught] == [lines[0]]
    assert caught[0].filename == __file__


def _line_here():
    import inspect

    return inspect.currentframe().f_back.f_lineno
