"""Targets mixed with n-grams, against n-gram models fitted fold by fold."""

from collections import defaultdict

import numpy as np
import pytest

from sklearn_makemore import ConditionalCharLM, LSTMCharLM, NGramCounter
from sklearn_makemore._counters import labelled
from sklearn_makemore._counters.label_backoff import learn_backoff
from sklearn_makemore._networks import ngram_targets
from sklearn_makemore._words.training_set import TrainingSet
from sklearn_makemore._words.vocabulary import CharVocabulary

WORDS = ["abca", "abc", "b", "abca", "", "dab", "cad", "bad", "dcba", "a", "ab", "ba"]
WORDS += ["abcdabcd", "cab", "dda"]
WEIGHTS = np.linspace(0.5, 3, len(WORDS))
SHARE = 0.25


def training_set(alphabet, labels):
    vocabulary = CharVocabulary(alphabet)
    n_labels = 0 if labels is None else 2
    return TrainingSet(vocabulary, vocabulary.encode(WORDS), WEIGHTS, labels, n_labels)


def targets_by_prefix(data):
    """Return the targets of every label and prefix, up to a common factor."""
    dataset = LSTMCharLM(ngram_share=SHARE)._training_dataset(data, None, "cpu")
    targets, n_symbols = defaultdict(float), data.vocabulary.n_symbols
    for inputs, counts in dataset.batches(None, training=False):
        ids, tree = inputs["ids"], inputs["tree"]
        for path, length in zip(tree.paths, tree.lengths.tolist(), strict=True):
            labels, symbols = np.divmod(ids[path].numpy(), n_symbols)
            letters = [data.vocabulary.symbols[symbol] for symbol in symbols]
            for stop in range(length):
                prefix = labels[0], "".join(letters[1 : stop + 1])
                targets[prefix] = counts[path[stop]].numpy()
    return targets


def textbook_targets(alphabet, labels):
    """Mix what follows in each word with n-grams of the other parts of the words."""
    symbols = ["", *alphabet]
    label_of = [0] * len(WORDS) if labels is None else labels.tolist()
    weight_of = defaultdict(float)
    for word, label, weight in zip(WORDS, label_of, WEIGHTS, strict=True):
        weight_of[word, label] += weight
    places = {word: place for place, word in enumerate(sorted(set(WORDS)))}
    targets = defaultdict(lambda: np.zeros(len(symbols)))
    n_parts = 10 if labels is None else 5
    for (word, label), weight in weight_of.items():
        others = [key for key in weight_of if (places[key[0]] - places[word]) % n_parts]
        known, with_labels = map(list, zip(*others, strict=True))
        model, given, which = NGramCounter(alphabet=list(alphabet)), (), {}
        if labels is not None:
            model, given, which = (
                ConditionalCharLM(model),
                (with_labels,),
                {"label": label},
            )
        model.fit(known, *given, sample_weight=[weight_of[key] for key in others])
        for stop, letter in enumerate([*word, ""]):
            (predicted,) = model.predict_proba([word[:stop]], **which)
            seen = np.eye(len(symbols))[symbols.index(letter)]
            mixed = (1 - SHARE) * seen + SHARE * predicted
            targets[label, word[:stop]] += weight * mixed
    return targets


@pytest.mark.parametrize("labels", [None, np.arange(len(WORDS)) % 2])
@pytest.mark.parametrize("alphabet", ["abcd", "abcdz"])
def test_targets_are_next_characters_and_out_of_fold_ngrams(
    alphabet, labels, monkeypatch
):
    # How n-grams of labels back off is learned once, from all words.
    monkeypatch.setattr(labelled, "learn_backoff", prior_backoff)
    found = targets_by_prefix(training_set(alphabet, labels))
    expected = textbook_targets(alphabet, labels)
    total = sum(row.sum() for row in expected.values())
    factor = total / sum(row.sum() for row in found.values())
    assert found.keys() == expected.keys()
    for prefix, row in expected.items():
        np.testing.assert_allclose(found[prefix] * factor, row, rtol=2e-5, atol=1e-6)


def prior_backoff(parts, order, n_labels, n_symbols):
    return learn_backoff([], order, n_labels, n_symbols)


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


def test_equal_words_with_labels_keep_their_targets():
    vocabulary = CharVocabulary("ab")
    words = vocabulary.encode(["ab", "ab"])
    data = TrainingSet(vocabulary, words, np.ones(2), np.arange(2), 2)
    plain, mixed = (
        LSTMCharLM(ngram_share=share)._training_dataset(data, None, "cpu").next_counts
        for share in (0.0, SHARE)
    )
    assert mixed.table.equal(plain.table)


def test_few_words_with_labels():
    network = LSTMCharLM(n_hidden=4, max_epochs=1, ngram_share=SHARE, random_state=0)
    model = ConditionalCharLM(network).fit(["ab", "ba", "ab"], ["x", "y", "y"])
    assert np.isfinite(model.nll(["ab", "ba"], ["y", "x"]))


def test_too_many_targets_are_characters_alone(monkeypatch):
    plain = LSTMCharLM(n_hidden=4, ngram_share=0, random_state=0).fit(WORDS)
    monkeypatch.setattr(ngram_targets, "MAX_TARGET_CELLS", 100)
    model = LSTMCharLM(n_hidden=4, ngram_share=SHARE, random_state=0)
    with pytest.warns(UserWarning, match="ngram_share=0.25 is ignored"):
        model.fit(WORDS)
    assert model.score(WORDS) == plain.score(WORDS)


def test_partial_fit_counts_no_ngrams():
    models = [
        LSTMCharLM(n_hidden=4, ngram_share=share, random_state=0).partial_fit(WORDS)
        for share in (0.0, 0.5)
    ]
    assert models[0].score(WORDS) == models[1].score(WORDS)
