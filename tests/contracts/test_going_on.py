"""Going on from a fitted model: what may change, and what must not, between calls."""

import numpy as np
import pytest
import torch
from estimators import CLASSES, ESTIMATORS, IN_ONE_STEP, NETS, over
from sklearn.base import clone
from sklearn.utils._param_validation import InvalidParameterError

from sklearn_makemore import BigramCounter

LETTERS = "abcdefghijklmnopqrstuvwxyz"
STILL = {
    "lr": 1e-12,
    "optimizer": "sgd",
    "weight_decay": 0.0,
    "lr_schedule": "constant",
}

# Each is asked for after a fit with the 26 letters and handle_unknown="error".
CHANGES = {
    "more letters": {"alphabet": LETTERS + "é"},
    "fewer letters": {"alphabet": LETTERS[:-1]},
    "other letters": {"alphabet": LETTERS[:-1] + "é"},
    "unknown ones": {"handle_unknown": "unk"},
    "both": {"alphabet": LETTERS + "é", "handle_unknown": "unk"},
}
WITH_LETTERS = {
    name: clone(model).set_params(alphabet=LETTERS)
    for name, model in IN_ONE_STEP.items()
}


def ways_of_going_on(model):
    """Methods that go on from what was learned."""
    yield model.partial_fit
    if "warm_start" in model.get_params():
        model.set_params(warm_start=True)
        yield model.fit


@over(WITH_LETTERS)
def test_symbols_cannot_change(estimator, words, fitted_copy):
    model = fitted_copy(estimator, words)
    before = model.score_samples(words)
    message = "alphabet.*handle_unknown='error'.*None"
    for change in CHANGES.values():
        model.set_params(alphabet=LETTERS, handle_unknown="error")
        model.set_params(**change)
        for train in ways_of_going_on(model):
            with pytest.raises(ValueError, match=message):
                train(words)
        np.testing.assert_array_equal(model.score_samples(words), before)
        assert model.symbols_ == ["", *LETTERS]
    # Set back, it goes on; the same letters in another form are no change.
    model.set_params(alphabet=[*reversed(LETTERS)], handle_unknown="error")
    for train in ways_of_going_on(model):
        train(words[::2])  # all words again would only double the unit of n-grams
    assert (model.score_samples(words) != before).any()


def test_advice_names_no_parameter_that_is_set_already():
    model = BigramCounter().fit(["ab"]).set_params(handle_unknown="unk")
    with pytest.raises(ValueError, match="or fit a new model.$"):
        model.partial_fit(["ab"])


@over(WITH_LETTERS)
def test_new_letters_are_learned_without_an_alphabet(estimator, words, fitted_copy):
    model = fitted_copy(estimator, words)
    for train in ways_of_going_on(model):
        with pytest.raises(ValueError, match="'zoé' at index 0.*alphabet=None"):
            train(["zoé"])
    model.set_params(alphabet=None)
    for letter, train in zip("éê", ways_of_going_on(model), strict=False):
        train([*words, letter])
        assert letter in model.symbols_


@over(IN_ONE_STEP)
def test_the_unknown_symbol_cannot_go_away(estimator, words):
    model = clone(estimator).set_params(handle_unknown="unk").fit(words)
    model.set_params(handle_unknown="error")
    for train in ways_of_going_on(model):
        with pytest.raises(ValueError, match="handle_unknown='unk'"):
            train(words)


@over(CLASSES)
def test_an_alphabet_that_can_be_read_once_is_refused(estimator, words):
    for once in (iter(LETTERS), (letter for letter in LETTERS), map(str, LETTERS)):
        model = clone(estimator)
        model.alphabet = once
        for train in (model.fit, model.partial_fit):
            with pytest.raises(InvalidParameterError, match="'alphabet' parameter"):
                train(words)
        # It was not read either.
        assert next(once) == "a"


INVALID = {
    "bigram": ("smoothing", -5),
    "kneser-ney-3": ("order", 0),
    "mlp": ("lr", -1),
    "wavenet": ("weight_decay", -0.1),
}


@pytest.mark.parametrize("name", INVALID)
def test_partial_fit_refuses_bad_parameters_each_time(name, words):
    parameter, bad = INVALID[name]
    model = clone(CLASSES[name]).fit(words)
    before = model.score_samples(words)
    good = model.get_params()[parameter]
    model.set_params(**{parameter: bad})
    with pytest.raises(InvalidParameterError, match=f"'{parameter}' parameter"):
        model.partial_fit(words)
    np.testing.assert_array_equal(model.score_samples(words), before)
    model.set_params(**{parameter: good}).partial_fit(words)


@over(ESTIMATORS)
def test_the_longest_word_is_that_of_all_calls(estimator):
    model = clone(estimator).fit(["abcdefghij"] * 3)
    for train in ways_of_going_on(model):
        train(["ab", "cd"])
        assert model.longest_word_ == 10
    model.partial_fit(["abcdefghijab"])
    assert model.longest_word_ == 12
    if "warm_start" in model.get_params():
        model.set_params(warm_start=False)
    assert model.fit(["ab", "cd"]).longest_word_ == 2


@over(NETS)
def test_what_was_learnt_of_the_unknown_stays(estimator, words):
    # All words that have an "e", "r" or "x" teach the net what is unknown...
    letters = sorted(set(LETTERS) - set("erx"))
    model = clone(estimator).set_params(
        alphabet=letters, handle_unknown="unk", warm_start=True
    )
    model.fit(words)
    assert model.unknown_proba_ is None
    learned = model.net_.module_.embedding.weight.detach().clone()
    # ...and words without cannot overwrite it: nothing is learned at this rate.
    model.set_params(**STILL)
    for train in ways_of_going_on(model):
        train(["anna", "liam", "noah"] * 9)
        assert model.unknown_proba_ is None
        weight = model.net_.module_.embedding.weight.detach()
        np.testing.assert_allclose(weight, learned, atol=1e-6)


@pytest.mark.slow
@over(NETS)
def test_the_unknown_can_be_learnt_later(estimator, words):
    known = "".join(words)
    model = clone(estimator).set_params(alphabet=known, handle_unknown="unk").fit(words)
    reserved = model.unknown_proba_
    assert 0 < reserved < 0.01
    # Before it, an unknown character looks like the average one.
    rows = model.net_.module_.embedding.weight.detach()
    torch.testing.assert_close(rows[-1], rows[1:-1].mean(0))
    np.testing.assert_allclose(model.predict_proba(["", "a"])[:, -1], reserved)
    model.partial_fit(words)
    assert model.unknown_proba_ == reserved
    # A fifth of all characters are unknown now.
    model.set_params(lr=0.1, batch_size=512)
    for _ in range(6):
        model.partial_fit(["a?!a?"] * 100 + words)
    assert model.unknown_proba_ is None
    assert model.predict_proba(["a"])[0, -1] > 0.1


def test_a_device_given_by_name_is_the_one_used(words):
    for model in (clone(NETS["mlp"]), clone(NETS["wavenet"])):
        model.set_params(device="cpu").fit(words)
        assert {p.device.type for p in model.net_.module_.parameters()} == {"cpu"}
        again = clone(model).set_params(device="cpu:0").fit(words)
        np.testing.assert_array_equal(
            again.score_samples(words), model.score_samples(words)
        )
