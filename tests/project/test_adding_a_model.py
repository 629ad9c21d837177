"""The model that docs/adding_a_model.rst adds keeps what all models promise."""

import importlib.util
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch
from estimators import TINY_WORDS, words_by_length
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.utils._param_validation import validate_parameter_constraints

from sklearn_makemore import BigramCounter, CharLMClassifier, MixtureCharLM, save
from sklearn_makemore._networks.base import BaseNeuralCharLM
from sklearn_makemore.datasets import load_names

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def added():
    """The class of the page; a module of that name, as joblib needs to find it."""
    path = DOCS / "adding_a_model.py"
    spec = importlib.util.spec_from_file_location("adding_a_model", path)
    module = sys.modules["adding_a_model"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module.ConvolutionCharLM
    del sys.modules["adding_a_model"]


@pytest.fixture(scope="module")
def tiny(added):
    return added(n_hidden=8, n_layers=2, max_epochs=20, random_state=0).fit(TINY_WORDS)


def log_proba_by_hand(model, word):
    """Log-probability of each character of a word and of its end, by torch alone."""
    ids = [model.symbols_.index(symbol) for symbol in [*word, ""]]
    size = 1 + 2 * model.n_layers
    told = torch.tensor([0] * size + ids)
    windows = torch.stack([told[i : i + size] for i in range(len(ids))])
    with torch.no_grad():
        log_proba = model.net_.module_(windows).double().log_softmax(1)
    return log_proba[range(len(ids)), ids].numpy()


def test_the_page_shows_the_file_and_it_has_less_than_60_lines():
    page = (DOCS / "adding_a_model.rst").read_text(encoding="utf-8")
    assert ".. literalinclude:: adding_a_model.py" in page
    lines = (DOCS / "adding_a_model.py").read_text(encoding="utf-8").splitlines()
    assert 20 < len(lines) < 60


def test_probabilities_are_those_of_the_torch_module_and_sum_to_one(tiny):
    levels = words_by_length("abc", 4)
    words = [word for level in levels for word in level]
    by_hand = [log_proba_by_hand(tiny, word) for word in words]
    assert tiny.score_samples(words) == pytest.approx([row.sum() for row in by_hand])
    short = sum(np.exp(row.sum()) for row in by_hand[: -len(levels[-1])])
    # What the words of four letters or more have together: their beginnings.
    longer = sum(np.exp(row[:-1].sum()) for row in by_hand[-len(levels[-1]) :])
    assert short + longer == pytest.approx(1)
    total = sum(map(len, by_hand))
    assert tiny.score(words) == pytest.approx(np.concatenate(by_hand).sum() / total)


def test_words_are_drawn_as_often_as_they_are_probable(tiny):
    drawn = tiny.sample(20_000, min_length=0, random_state=0)
    frequent = ["a", "b", "c", "ab", "ba"]
    expected = np.exp([log_proba_by_hand(tiny, word).sum() for word in frequent])
    shares = np.array([drawn.count(word) for word in frequent]) / len(drawn)
    assert np.abs(shares - expected).max() < 5 * np.sqrt(0.25 / len(drawn))
    begun = tiny.sample(50, prefix="ca", random_state=0)
    assert all(word.startswith("ca") for word in begun) and len(set(begun)) > 1


@pytest.mark.slow
def test_it_learns_names_and_a_search_takes_the_lowest_nll(added):
    names = list(dict.fromkeys(load_names().data))[::16]
    train, held_out = names[::2], names[1::2]
    search = GridSearchCV(
        added(max_epochs=4, random_state=0),
        {"n_hidden": [1, 64]},
        cv=KFold(2, shuffle=True, random_state=0),
    ).fit(train)
    assert search.best_params_ == {"n_hidden": 64}
    best = search.best_estimator_
    assert best.nll(held_out) < BigramCounter().fit(train).nll(held_out) - 0.05


def test_it_is_cloned_and_pickled_and_save_says_why_it_is_not_saved(tiny, tmp_path):
    again = clone(tiny)
    assert again.get_params() == tiny.get_params()
    assert again.fit(TINY_WORDS).score(TINY_WORDS) == tiny.score(TINY_WORDS)
    joblib.dump(tiny, tmp_path / "model.joblib")
    kept = joblib.load(tmp_path / "model.joblib")
    assert kept.sample(20, random_state=0) == tiny.sample(20, random_state=0)
    with pytest.raises(TypeError, match="adding_a_model.ConvolutionCharLM.*joblib"):
        save(tiny, tmp_path / "model.safetensors")
    assert not (tmp_path / "model.safetensors").exists()


def test_other_estimators_are_made_of_it(tiny):
    mixture = MixtureCharLM([clone(tiny), BigramCounter()], random_state=0)
    mixture.fit(TINY_WORDS * 5)
    assert mixture.validation_nll_ <= mixture.estimator_nlls_.min()
    classifier = CharLMClassifier(clone(tiny), calibration=None)
    classifier.fit(["aab", "aba", "cca", "cac"] * 5, ["b", "b", "c", "c"] * 5)
    assert classifier.predict(["abad", "caca"]).tolist() == ["b", "c"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"n_layers": 0}, "The 'n_layers' parameter of ConvolutionCharLM must be"),
        ({"lr": 0}, "The 'lr' parameter of ConvolutionCharLM must be"),
        ({"alphabet": "ab"}, "Word 'c' at index 1 .*alphabet"),
    ],
)
def test_wrong_parameters_and_words_are_named(added, wrong, message):
    with pytest.raises(ValueError, match=message):
        added(**wrong).fit(["ab", "c"])


def test_the_template_has_a_valid_value_for_every_parameter_of_networks():
    constraints = BaseNeuralCharLM._parameter_constraints
    defaults = {name: getattr(BaseNeuralCharLM, name) for name in constraints}
    validate_parameter_constraints(constraints, defaults, "BaseNeuralCharLM")
