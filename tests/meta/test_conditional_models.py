"""Every model given a label: probabilities, files, new labels, and what it learns."""

import itertools
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from sklearn_makemore import (
    BigramCharLM,
    BigramCounter,
    BoWCharLM,
    ConditionalCharLM,
    GRUCharLM,
    LSTMCharLM,
    MixtureCharLM,
    MLPCharLM,
    NGramCounter,
    RNNCharLM,
    TransformerCharLM,
    WaveNetCharLM,
    load,
    save,
)
from sklearn_makemore._training.identity import training_identity
from sklearn_makemore._words.training_set import TrainingSet
from sklearn_makemore._words.vocabulary import CharVocabulary

SMALL = {"n_embd": 8, "max_epochs": 40, "lr": 0.05, "random_state": 0}
SMALL["batch_size"] = None
IN_BATCHES = {**SMALL, "max_epochs": 5, "batch_size": 64}
MODELS = {
    "counter": NGramCounter(3),
    "pairs": BigramCounter(),
    "additive": NGramCounter(3, smoothing="additive", alpha=0.1),
    "alpha-0": NGramCounter(3, smoothing="additive", alpha=0, match_lengths=False),
    "bigram": BigramCharLM(max_epochs=40, random_state=0),
    "mlp": MLPCharLM(n_hidden=16, batch_norm=True, **IN_BATCHES),
    "matched": MLPCharLM(block_size=2, n_hidden=16, match_lengths=True, **SMALL),
    "wavenet": WaveNetCharLM(n_hidden=8, n_layers=2, **SMALL),
    "bow": BoWCharLM(n_hidden=16, **SMALL),
    "rnn": RNNCharLM(n_hidden=16, **SMALL),
    "gru": GRUCharLM(n_hidden=16, **IN_BATCHES),
    "lstm": LSTMCharLM(n_hidden=16, n_layers=2, **SMALL),
    "transformer": TransformerCharLM(n_heads=2, n_layers=1, **SMALL),
    "mixture": MixtureCharLM(
        [NGramCounter(2), MLPCharLM(n_hidden=16, **SMALL)], cv=2, random_state=0
    ),
    "adaptive": MixtureCharLM(
        [NGramCounter(2), LSTMCharLM(n_hidden=16, **SMALL)],
        weights="adaptive",
        validation_fraction=0.3,
        random_state=0,
    ),
}
NETWORKS = [name for name, model in MODELS.items() if hasattr(model, "max_epochs")]
LABELS = ["x", "y", "z"]


@pytest.fixture(scope="module")
def words():
    """Words of three labels, of which each has its own favourite letter."""
    rng = np.random.RandomState(0)
    shares = {"x": [0.8, 0.1, 0.1], "y": [0.1, 0.8, 0.1], "z": [0.1, 0.1, 0.8]}
    y = np.repeat(LABELS, [60, 40, 20])
    letters = [
        rng.choice(list("abc"), 1 + rng.randint(4), p=shares[label]) for label in y
    ]
    return ["".join(word) for word in letters], y


@pytest.fixture(scope="module", params=MODELS)
def model(request, words):
    return ConditionalCharLM(MODELS[request.param]).fit(*words)


def words_of_length(n):
    return ["".join(letters) for letters in itertools.product("abc", repeat=n)]


@pytest.mark.parametrize("label", LABELS)
def test_all_words_of_a_label_sum_to_one(model, label):
    shorter = [word for n in range(5) for word in words_of_length(n)]
    beginnings = words_of_length(5)
    tokens = model.token_log_proba(beginnings, label)
    # Every longer word has one of the beginnings, whose end mark does not count.
    longer = np.exp([one[:-1].sum() for one in tokens]).sum()
    total = np.exp(model.score_samples(shorter, label)).sum() + longer
    assert total == pytest.approx(1, rel=1e-5)


@pytest.mark.parametrize("label", LABELS)
def test_next_characters_are_those_of_the_scores(model, label):
    word = "acb"
    prefixes, columns = ["", "a", "ac", "acb"], [1, 3, 2, 0]
    proba = model.predict_proba(prefixes, label)
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-9)
    (tokens,) = model.token_log_proba([word], label)
    np.testing.assert_allclose(proba[range(4), columns], np.exp(tokens), rtol=1e-4)


def test_a_model_knows_the_letters_of_each_label(model, words):
    log_proba = np.array([model.score_samples(words[0], label) for label in LABELS])
    found = np.array(LABELS)[log_proba.argmax(axis=0)]
    assert np.mean(found == words[1]) > 0.75
    for letter, label in zip("abc", LABELS, strict=True):
        text = "".join(model.sample(200, label=label, random_state=0))
        assert text.count(letter) > 0.4 * len(text)


def test_samples_are_those_of_the_scores(model):
    drawn = model.sample(3000, label="y", random_state=1)
    # Words of one letter have about a quarter of the probability. Four standard errors
    # are exceeded once in 16,000 runs.
    for word in "abc":
        proba = np.exp(model.score_samples([word], "y"))[0]
        error = np.sqrt(proba * (1 - proba) / len(drawn))
        assert abs(drawn.count(word) / len(drawn) - proba) < 4 * error


def test_copies_are_the_same(model, words, tmp_path):
    expected = model.score_samples(*words)
    save(model, tmp_path / "model")
    for copied in (load(tmp_path / "model"), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(copied.score_samples(*words), expected)
        assert copied.classes_.tolist() == model.classes_.tolist()
        assert copied.sample(5, random_state=0) == model.sample(5, random_state=0)


def test_a_model_of_one_label_is_an_ordinary_one(model, words, tmp_path):
    one = model.estimators_[1]
    assert type(one) is type(model.estimator)
    expected = one.score_samples(words[0])
    np.testing.assert_array_equal(model.score_samples(words[0], "y"), expected)
    if isinstance(one, BigramCounter | NGramCounter | MixtureCharLM):
        for wrong in (
            lambda: save(one, tmp_path / "one"),
            lambda: one.partial_fit(["a"]),
        ):
            with pytest.raises(ValueError, match="model of one label"):
                wrong()
    else:
        save(one, tmp_path / "one")
        again = load(tmp_path / "one").score_samples(words[0])
        np.testing.assert_array_equal(again, expected)
        one.partial_fit(words[0])
    np.testing.assert_array_equal(model.score_samples(words[0], "y"), expected)


def test_new_labels_and_letters(model, words):
    model = pickle.loads(pickle.dumps(model))
    before = model.score_samples(*words)
    for _ in range(3):
        model.partial_fit(["dd", "da", "ad", "d"], ["w", "w", "w", "y"])
    assert model.classes_.tolist() == ["w", "x", "y", "z"]
    assert model.class_count_.tolist() == [9, 60, 43, 20]
    assert model.symbols_ == ["", "a", "b", "c", "d"]
    # Each label still has its own letters.
    after = model.score_samples(*words)
    assert np.corrcoef(before, after)[0, 1] > 0.9


@pytest.mark.parametrize("name", NETWORKS)
def test_a_label_is_an_embedding_that_is_added(name, words):
    network = clone(MODELS[name]).set_params(max_epochs=2)
    model = ConditionalCharLM(network).fit(*words)
    reader = model.estimators_.learned.reader
    module = reader.net_.module_.eval()
    ids = torch.tensor([[0, 1, 3, 2]] * 3)  # (3, T)
    if hasattr(reader, "block_size") and not isinstance(reader, TransformerCharLM):
        ids = ids[:, : reader.block_size_]
    n_symbols = len(model.symbols_)
    with torch.no_grad():
        together = module(ids + n_symbols * torch.arange(3)[:, None])
        for label in range(3):
            alone = model.estimators_[label].net_.module_(ids[:1])
            torch.testing.assert_close(together[label : label + 1], alone)


def test_repeated_words_are_words_with_weights(words):
    labelled, y = words
    rows = np.repeat(np.arange(120), np.arange(120) % 3)
    weight = np.arange(120) % 3
    for model in (MODELS["mlp"], MODELS["gru"], MODELS["mixture"]):
        repeated = ConditionalCharLM(model).fit(
            [labelled[row] for row in rows], y[rows]
        )
        weighted = ConditionalCharLM(model).fit(labelled, y, sample_weight=weight)
        np.testing.assert_allclose(
            repeated.score_samples(*words), weighted.score_samples(*words), rtol=1e-4
        )


def test_words_held_out_are_unseen_whatever_their_label(words):
    model = MLPCharLM(n_hidden=8, early_stopping=True, **SMALL)
    fitted = ConditionalCharLM(model).fit(*words)
    assert "valid_loss" in fitted.estimators_[0].history_[0]


def test_a_mixture_weighs_its_members_by_words_with_labels(words):
    # The other member knows no labels.
    frozen = NGramCounter(2).fit(words_of_length(3))
    mixture = MixtureCharLM(
        [("all", FrozenEstimator(frozen)), ("own", NGramCounter(2))],
        cv=5,
        random_state=0,
    )
    model = ConditionalCharLM(mixture).fit(*words)
    assert model.estimators_[0].weights_[1] > 0.8


def test_a_checkpoint_changes_nothing_and_is_removed(words, tmp_path):
    path = tmp_path / "model.ckpt"
    network = MLPCharLM(n_hidden=8, checkpoint=str(path), **SMALL)

    expected = ConditionalCharLM(MLPCharLM(n_hidden=8, **SMALL)).fit(*words)
    model = ConditionalCharLM(network).fit(*words)
    np.testing.assert_array_equal(
        model.score_samples(*words), expected.score_samples(*words)
    )
    assert not path.exists()


def test_other_labels_are_another_training(words):
    data = TrainingSet.from_words(words[0], None, CharVocabulary.from_code_points)
    codes = np.searchsorted(LABELS, words[1])
    one, other = (
        training_identity(
            MODELS["mlp"], replace(data, labels=labels, n_labels=3), None, "cpu"
        )
        for labels in (codes, codes[::-1])
    )
    assert one["words"] != other["words"]
    assert one["parameters"] == other["parameters"]
