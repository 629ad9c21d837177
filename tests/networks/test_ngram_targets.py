"""Targets mixed with n-grams, against n-gram models fitted fold by fold."""

from collections import defaultdict

import numpy as np
import pytest

from sklearn_makemore import ConditionalCharLM, LSTMCharLM, NGramCounter
from sklearn_makemore._networks import ngram_targets
from sklearn_makemore._words.training_set import TrainingSet
from sklearn_makemore._words.vocabulary import CharVocabulary

WORDS = ["abca", "abc", "b", "abca", "", "dab", "cad", "bad", "dcba", "a", "ab", "ba"]
WORDS += ["abcdabcd", "cab", "dda"]
WEIGHTS = np.linspace(0.5, 3, len(WORDS))
SHARE = 0.25


def training_set(alphabet):
    vocabulary = CharVocabulary(alphabet)
    return TrainingSet(vocabulary, vocabulary.encode(WORDS), WEIGHTS)


def targets_by_prefix(data):
    """Return the targets of every prefix, up to a common factor."""
    dataset = LSTMCharLM(ngram_share=SHARE)._training_dataset(data, None, "cpu")
    targets = defaultdict(float)
    for inputs, counts in dataset.batches(None, training=False):
        symbols, tree = inputs["ids"].tolist(), inputs["tree"]
        for path, length in zip(tree.paths, tree.lengths.tolist(), strict=True):
            letters = [data.vocabulary.symbols[symbols[node]] for node in path.tolist()]
            for stop in range(length):
                prefix = "".join(letters[1 : stop + 1])
                targets[prefix] = counts[path[stop]].numpy()
    return targets


def textbook_targets(alphabet):
    """Mix what follows in each word with n-grams of the other tenths of the words."""
    symbols = ["", *alphabet]
    weight_of = defaultdict(float)
    for word, weight in zip(WORDS, WEIGHTS, strict=True):
        weight_of[word] += weight
    distinct = sorted(weight_of)
    targets = defaultdict(lambda: np.zeros(len(symbols)))
    for place, word in enumerate(distinct):
        others = [other for n, other in enumerate(distinct) if (n - place) % 10]
        model = NGramCounter(alphabet=list(alphabet))
        model.fit(others, sample_weight=[weight_of[other] for other in others])
        for stop, letter in enumerate([*word, ""]):
            (predicted,) = model.predict_proba([word[:stop]])
            seen = np.eye(len(symbols))[symbols.index(letter)]
            mixed = (1 - SHARE) * seen + SHARE * predicted
            targets[word[:stop]] += weight_of[word] * mixed
    return targets


@pytest.mark.parametrize("alphabet", ["abcd", "abcdz"])
def test_targets_are_next_characters_and_out_of_fold_ngrams(alphabet):
    found = targets_by_prefix(training_set(alphabet))
    expected = textbook_targets(alphabet)
    total = sum(row.sum() for row in expected.values())
    factor = total / sum(row.sum() for row in found.values())
    assert found.keys() == expected.keys()
    for prefix, row in expected.items():
        np.testing.assert_allclose(found[prefix] * factor, row, rtol=2e-5, atol=1e-6)


def test_validation_words_keep_their_targets():
    fixed = {"n_hidden": 4, "max_epochs": 1, "lr": 1e-9, "random_state": 0}
    models = [
        LSTMCharLM(**fixed, validation_fraction=0.2, ngram_share=share).fit(WORDS)
        for share in (0.0, 0.5)
    ]
    (plain,), (mixed,) = (model.history_ for model in models)
    assert mixed["valid_loss"] == pytest.approx(plain["valid_loss"], abs=1e-6)
    assert mixed["train_loss"] != pytest.approx(plain["train_loss"], abs=1e-4)


@pytest.mark.parametrize("words", [["abca"], ["ab"] * 3, [""], ["ab", "abcabcabc"]])
def test_few_words(words):
    model = LSTMCharLM(n_hidden=4, max_epochs=1, ngram_share=SHARE, random_state=0)
    assert np.isfinite(model.fit(words).nll(words))


def test_words_with_labels_are_an_error():
    network = LSTMCharLM(n_hidden=4, max_epochs=1, ngram_share=SHARE)
    with pytest.raises(ValueError, match="only for words without labels"):
        ConditionalCharLM(network).fit(["ab", "ba"], ["one", "other"])


def test_too_many_targets_are_an_error(monkeypatch):
    monkeypatch.setattr(ngram_targets, "MAX_TARGET_CELLS", 100)
    with pytest.raises(ValueError, match="fit on fewer words"):
        LSTMCharLM(n_hidden=4, ngram_share=SHARE).fit(WORDS)
