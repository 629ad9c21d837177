"""Words of extreme lengths, alphabets and weights work, or an error says why not.

docs/benchmarks/robustness/extremes.py measures what larger ones take.
"""

import tracemalloc
from string import ascii_lowercase

import numpy as np
import pytest
from estimators import CLASSES, KINDS, SEQUENCES, over
from sklearn.base import clone

from sklearn_makemore import (
    BigramCharLM,
    BigramCounter,
    CharLMClassifier,
    CharLMFeatures,
    CharLMOutlierDetector,
    MLPCharLM,
    NGramCounter,
    TransformerCharLM,
    WaveNetCharLM,
)
from sklearn_makemore._methods import hooks as _hooks
from sklearn_makemore._methods import sample as _sample
from sklearn_makemore._networks import sequence_module as _sequence_module
from sklearn_makemore._networks import window as _window
from sklearn_makemore._training import batches as _batches

# Other tests measure coverage of the same code, which slows these down by half.
pytestmark = pytest.mark.no_cover

MANY = "".join(map(chr, range(0x10000, 0x10000 + 50_000)))


@over(CLASSES)
def test_half_a_character_is_refused_everywhere(estimator, words, fit_once):
    model, half = fit_once(estimator, words), "an\udc80"
    message = r"'an\\udc80' at index 1 has the lone surrogate U\+DC80 at index 2 of"
    for verb in (model.score, model.nll, model.score_samples, model.predict_proba):
        with pytest.raises(ValueError, match=message):
            verb(["anna", half])
    with pytest.raises(ValueError, match=message):
        clone(estimator).fit(["anna", half])
    with pytest.raises(ValueError, match=message + ".* of `exclude`|of `exclude` has"):
        model.sample(exclude=["anna", half])
    with pytest.raises(ValueError, match=r"^prefix='an\\udc80' has the lone surrogate"):
        model.sample(prefix=half)
    with pytest.raises(ValueError, match=r"`alphabet` has the lone surrogate U\+DC80"):
        clone(estimator).set_params(alphabet=half).fit(["a"])


@pytest.mark.parametrize("kind", [BigramCounter, BigramCharLM])
def test_no_table_of_all_pairs_of_many_characters(kind):
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"50,001 symbols.*8,192.*NGramCounter"):
            kind().fit(list(MANY))
        assert tracemalloc.get_traced_memory()[1] < 50e6
    finally:
        tracemalloc.stop()
    model = BigramCounter().fit([MANY[:10]])
    with pytest.raises(ValueError, match="50,001"):
        model.partial_fit([MANY])
    assert len(model.symbols_) == 11


def test_pairs_of_many_characters_are_counted():
    n_symbols = len(MANY) + 1
    counter = NGramCounter(2, smoothing="additive", match_lengths=False)
    model = counter.fit(list(MANY))
    once = np.log(2 / (len(MANY) + n_symbols)) + np.log(2 / (1 + n_symbols))
    np.testing.assert_allclose(model.score_samples(list(MANY)), once)
    assert model.predict_proba(["", MANY[7]]).sum() == pytest.approx(2)
    drawn = model.sample(50, max_length=1, random_state=0)
    assert set(drawn) <= {"", *MANY}


@pytest.mark.slow
def test_n_grams_that_no_computer_holds_are_refused():
    word = ascii_lowercase * 700
    with pytest.raises(ValueError, match=r"order=18202 .*smaller order"):
        NGramCounter(10**9).fit([word])
    assert NGramCounter(9).fit([word]).score([word]) > -0.1


@pytest.mark.parametrize(
    "net", [MLPCharLM(block_size=2**40), WaveNetCharLM(n_layers=60)], ids=repr
)
def test_windows_that_no_computer_holds_are_refused(net):
    with pytest.raises(ValueError, match="Windows of .*smaller windows"):
        net.fit(["emma"])


@over(SEQUENCES)
def test_words_too_long_for_one_sequence_are_refused(estimator, words):
    model = clone(estimator).fit(words)
    long = "a" * (1 << 20)
    message = "Word 'aaa.*' at index 2 has 1048576 characters"
    with pytest.raises(ValueError, match=message):
        model.score(["a", "b", long])
    with pytest.raises(ValueError, match=message.replace("Word", "Prefix")):
        model.predict_proba(["a", "b", long])
    with pytest.raises(ValueError, match="1048576 characters"):
        model.sample(prefix=long)
    # Its place is the one it was given, whichever words are held out.
    model = clone(estimator).set_params(validation_fraction=0.5)
    if hasattr(model, "block_size"):
        model.set_params(block_size=None)
    with pytest.raises(ValueError, match=message + ".*Split the word.*WaveNetCharLM"):
        model.fit(["a", "b", long, "c"])
    with pytest.raises(ValueError, match=message + ".*Split the word.*WaveNetCharLM"):
        model.partial_fit(["a", "b", long, "c"])


def test_attention_weights_to_drop_must_fit_in_memory():
    model = TransformerCharLM(n_embd=4, n_heads=4, n_layers=1, dropout=0.1)
    with pytest.raises(ValueError, match="at most 4095 characters"):
        model.fit(["a" * 4096])


@over(KINDS)
def test_large_alphabets_are_scored_in_parts(estimator, words, monkeypatch):
    model = clone(estimator).set_params(validation_fraction=0.2)
    expected = model.fit(words).score_samples(words)
    proba, history = model.predict_proba(words), model.history_
    # As if there were a million symbols.
    monkeypatch.setattr(_window, "MIN_ROWS", 3)
    monkeypatch.setattr(_window, "SCORED_CELLS", 30)
    monkeypatch.setattr(_window, "WINDOW_CELLS", 30)
    monkeypatch.setattr(_sequence_module, "SCORED_CELLS", 30)
    monkeypatch.setattr(_batches, "MAX_VALIDATION_LOGITS", 300)
    np.testing.assert_allclose(model.score_samples(words), expected, rtol=1e-4)
    long = "".join(words)  # one word is more than may be held at once
    in_parts = model.score_samples([long])
    np.testing.assert_allclose(model.predict_proba(words), proba, rtol=1e-4)
    model.fit(words)
    for part, whole in zip(model.history_, history, strict=True):
        assert part["train_loss"] == whole["train_loss"]
        assert part["valid_loss"] > 0
    monkeypatch.undo()
    np.testing.assert_allclose(model.score_samples([long]), in_parts, rtol=1e-4)


@over(CLASSES)
def test_draws_of_long_words_are_made_few_at_once(estimator, words, monkeypatch):
    model, drawn_at_once = clone(estimator).fit(words), []
    # Five words of eleven letters.
    monkeypatch.setattr(_hooks, "SAMPLING_CHUNK_SIZE", 60)

    def draw_codes(source, n_draws, rng):
        drawn_at_once.append(n_draws)
        return original(source, n_draws, rng)

    original = _sample.draw_codes
    monkeypatch.setattr(_sample, "draw_codes", draw_codes)
    assert len(model.sample(12, random_state=0)) == 12
    assert drawn_at_once == [5, 5, 5]
    assert len(model.sample(3, min_length=100, max_length=100, random_state=0)) == 3
    assert drawn_at_once[3:] == [1, 1, 1]


WEIGHTS = {
    "the least": [5e-324],
    "small": [1e-320],
    "large": [1e300],
    "both": [1e-300, 1e300],
    "mostly the small": [1e-300, 1e-300, 1e300],
    "with ordinary ones": [1e-320, 1.0, 3.0],
}


@over(CLASSES)
def test_extreme_weights_leave_a_distribution(estimator, words):
    words, model = words[:12], clone(estimator)
    if hasattr(model, "max_epochs"):
        model.set_params(max_epochs=1)
    for weights in WEIGHTS.values():
        weights = np.resize(weights, len(words))
        model.fit(words, sample_weight=weights)
        assert np.isfinite(model.score_samples(words)).all()
        assert np.isfinite(model.score(words, sample_weight=weights))
        assert model.predict_proba(["", "an"]).sum() == pytest.approx(2)
    weights[7] = 2e307
    with pytest.raises(ValueError, match="`sample_weight` has 2e.307 at index 7"):
        model.fit(words, sample_weight=weights)


@over(KINDS)
def test_all_weights_times_a_number_are_the_same_weights(estimator, words):
    weights = 1.0 + np.arange(len(words)) % 3
    few, many = (
        clone(estimator).fit(words, sample_weight=weights * 2.0**exponent)
        for exponent in (-1000, -500)
    )
    np.testing.assert_array_equal(few.score_samples(words), many.score_samples(words))


@over(CLASSES)
def test_words_of_nothing_known(estimator):
    model = clone(estimator).set_params(alphabet="xyz", handle_unknown="unk")
    model.fit(["emma", "ava", "mia"])
    assert np.isfinite(model.score_samples(["emma", "xyz", ""])).all()
    assert model.predict_proba(["", "e"]).sum() == pytest.approx(2)
    drawn = model.sample(5, max_length=10**30, random_state=0)
    assert set("".join(drawn)) <= set("xyz")


WITHIN = [
    CharLMClassifier(BigramCounter()),
    CharLMFeatures(BigramCounter()),
    CharLMOutlierDetector(BigramCounter()),
]


@pytest.mark.parametrize("estimator", WITHIN, ids=lambda model: type(model).__name__)
def test_estimators_on_estimators_name_the_word(estimator, words):
    y = np.arange(len(words)) % 2
    bad = [*words[:5], "an\udc80", *words[6:]]
    with pytest.raises(ValueError, match=r"'an\\udc80' at index 5 has the lone"):
        clone(estimator).fit(bad, y)
    model = clone(estimator).fit(words, y)
    ask = getattr(model, "predict", None) or model.transform
    with pytest.raises(ValueError, match=r"'an\\udc80' at index 1 has the lone"):
        ask(["anna", "an\udc80"])
    assert len(ask(["a" * 100_000, "", "anna", "ΩΩ"])) == 4
