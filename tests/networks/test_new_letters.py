"""Networks that continue on words with characters that they do not know."""

import copy
import pickle

import numpy as np
import pytest
import torch
from estimators import KINDS, NETS, over
from sklearn.base import clone

from sklearn_makemore import load, save
from sklearn_makemore._training.growth import continued_net
from sklearn_makemore._words.vocabulary import CharVocabulary

NEW_LETTERS = "É-é"
"""They sort before, between and after the known letters."""


def grown_untrained(model):
    """Return a copy of a fitted model that has the new letters, and no training."""
    vocabulary = model.vocabulary_.union(CharVocabulary(NEW_LETTERS))
    new_ids = torch.from_numpy(model.vocabulary_.ids_in(vocabulary))
    block_size = getattr(model, "block_size_", None)
    decay = model.weight_decay_
    net = model._new_net(vocabulary.n_symbols, block_size, "cpu", decay)
    net = continued_net(net, model.net_, new_ids)
    grown = copy.copy(model)
    names = "unknown_proba_", "word_lengths_", "weight_decay_"
    of_words = {name: getattr(model, name) for name in names}
    fitted = model._fitted(net, vocabulary, of_words)
    vars(grown).update(fitted, vocabulary_=vocabulary)
    return grown


def going_on(model):
    """Return the methods that continue, both for one epoch."""
    model.set_params(warm_start=True, max_epochs=1)
    return model.partial_fit, model.fit


@over(NETS)
def test_a_new_letter_takes_as_much_from_all(estimator, words):
    model = clone(estimator).set_params(device="cpu").fit(words)
    grown = grown_untrained(model)
    symbols = grown.symbols_
    assert symbols == ["", *sorted({*model.symbols_[1:], *NEW_LETTERS})]
    known = [symbols.index(symbol) for symbol in model.symbols_]
    new = [symbols.index(letter) for letter in NEW_LETTERS]
    asked = ["", "a", "em", "zoe"]
    before, after = model.predict_proba(asked), grown.predict_proba(asked)
    left = after[:, known].sum(axis=1, keepdims=True)
    np.testing.assert_allclose(after[:, known] / left, before, rtol=1e-5)
    mean = np.exp(np.log(after[:, known]).mean(axis=1))
    for letter in new:
        np.testing.assert_allclose(after[:, letter], mean, rtol=1e-4)
    # Any word with a new letter is possible.
    assert np.isfinite(grown.score_samples(["é", "-É-"])).all()


@over(NETS)
def test_new_letters_are_learned(estimator, words):
    accented = ["Éva-é", "É-é"] * 30
    model = clone(estimator).fit(words)
    whole = clone(estimator).set_params(max_epochs=1).fit(words + accented)
    for method in ("partial_fit", "fit"):
        going = copy.deepcopy(model).set_params(warm_start=True, max_epochs=4)
        for _ in range(4 if method == "partial_fit" else 1):
            getattr(going, method)(accented + words)
        assert going.nll(accented) < np.log(len(going.symbols_))
        assert going.symbols_ == whole.symbols_
        ours, theirs = (m.net_.module_.state_dict() for m in (going, whole))
        assert {name: t.shape for name, t in ours.items()} == {
            name: t.shape for name, t in theirs.items()
        }
        assert going.longest_word_ == model.longest_word_
        # The fitted model that was copied has not changed.
        assert "é" not in model.symbols_


@over(KINDS)
def test_the_optimizer_keeps_its_moments(estimator, words):
    model = clone(estimator).set_params(device="cpu").fit(words)
    grown = grown_untrained(model)
    ids = model.vocabulary_.ids_in(grown.vocabulary_)
    for (name, old), new in zip(
        model.net_.module_.named_parameters(),
        grown.net_.module_.parameters(),
        strict=True,
    ):
        before, after = (
            model.net_.optimizer_.state[old],
            grown.net_.optimizer_.state[new],
        )
        assert before.keys() == after.keys()
        assert after["step"] == before["step"] > 0
        has_rows = name.split(".")[0] in ("embedding", "head", "direct")
        rows = ids if has_rows else slice(None)
        for moment in before.keys() - {"step"}:
            torch.testing.assert_close(
                after[moment][rows], before[moment], rtol=0, atol=0
            )


@over(KINDS)
def test_files_and_pickles_of_a_model_that_has_grown(estimator, words, tmp_path):
    model = clone(estimator).fit(words).partial_fit([*words, "zoé", "-É"])
    save(model, tmp_path / "grown")
    for again in load(tmp_path / "grown"), pickle.loads(pickle.dumps(model)):
        assert again.symbols_ == model.symbols_
        for asked in words[:9], ["é-", "Éa"]:
            np.testing.assert_array_equal(
                again.score_samples(asked), model.score_samples(asked)
            )
        assert "ß" in again.partial_fit([*words, "groß"]).symbols_


@over(KINDS)
def test_the_unknown_symbol_stays_the_last(estimator, words):
    model = clone(estimator).set_params(handle_unknown="unk").fit(words)
    reserved = model.unknown_proba_
    for train in going_on(model):
        train(["zoé"] * 20 + words)
        assert model.symbols_[-2:] == ["é", "<unk>"]
        assert model.unknown_proba_ == reserved
        proba = model.predict_proba(["", "zo"])
        np.testing.assert_allclose(proba[:, -1], reserved)
        np.testing.assert_allclose(proba.sum(axis=1), 1)


@over(KINDS)
def test_a_given_alphabet_does_not_grow(estimator, words):
    model = clone(estimator).set_params(alphabet=sorted(set("".join(words))))
    model.fit(words)
    for train in going_on(model):
        with pytest.raises(ValueError, match="'zoé' at index 0 .*alphabet=None"):
            train(["zoé"])
        assert "é" not in model.symbols_
    # The advice works.
    model.set_params(alphabet=None).partial_fit([*words, "zoé"])
    assert "é" in model.symbols_
    assert np.isfinite(model.score(["zoé"]))


def test_a_model_of_the_empty_word_can_grow():
    model = clone(NETS["gru"]).fit([""]).partial_fit(["ab", ""])
    assert model.symbols_ == ["", "a", "b"]
    assert np.isfinite(model.score(["ba"]))
