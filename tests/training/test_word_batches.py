"""Batches of words as trees of prefixes, against dicts of prefixes of plain strings."""

import math
import random
from collections import Counter

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from sklearn_makemore._training import word_batches
from sklearn_makemore._training.batches import number_of_batches
from sklearn_makemore._training.word_batches import WordDataset
from sklearn_makemore._words.training_set import TrainingSet
from sklearn_makemore._words.vocabulary import CharVocabulary
from sklearn_makemore.modules import GRU

rng = random.Random(1)
WORDS = ["".join(rng.choices("abcd", k=rng.randrange(8))) for _ in range(200)]
WORDS += ["abca"] * 20 + [""] * 3
VOCABULARY = CharVocabulary("abcd")
WEIGHTS = np.linspace(0.02, 4, len(WORDS))


@pytest.fixture(autouse=True)
def own_random_numbers():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def dataset_of(words, weights=None, vocabulary=VOCABULARY):
    data = TrainingSet(vocabulary, vocabulary.encode(words), weights)
    return WordDataset(data, "cpu")


def words_of(inputs, vocabulary=VOCABULARY):
    """Read the words of a batch along the paths of its tree."""
    symbols, tree = inputs["ids"].tolist(), inputs["tree"]
    # After the end of a word its path has 0, the node of the start.
    return [
        "".join(vocabulary.symbols[symbols[node]] for node in path if node)
        for path in tree.paths.tolist()
    ]


def counts_by_prefix(batches, vocabulary=VOCABULARY):
    """Sum the expected counts of batches by prefix and next character."""
    totals = Counter()
    for inputs, counts in batches:
        prefixes = [None] * len(inputs["tree"])
        for word, path in zip(
            words_of(inputs, vocabulary), inputs["tree"].paths.tolist(), strict=True
        ):
            for stop, node in enumerate(path[: len(word) + 1]):
                prefixes[node] = word[:stop]
        assert len(set(prefixes)) == len(prefixes) == len(counts)
        for node, symbol in counts.nonzero().tolist():
            key = prefixes[node], vocabulary.symbols[symbol]
            totals[key] += counts[node, symbol].item()
    return totals


def textbook_counts(words, weights=None):
    """Share of every prefix and next character in all predictions."""
    totals = Counter()
    for place, word in enumerate(words):
        for stop, character in enumerate([*word, ""]):
            totals[word[:stop], character] += 1 if weights is None else weights[place]
    total = sum(totals.values())
    return {key: count / total for key, count in totals.items()}


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
@pytest.mark.parametrize("batch_size", [1, 10, 300, 10**6, None])
def test_batches_of_an_epoch_are_exactly_the_words(batch_size, weights, training):
    batches = dataset_of(WORDS, weights).batches(batch_size, training)
    drawn = list(batches)
    assert len(drawn) == len(batches)
    found, expected = counts_by_prefix(drawn), textbook_counts(WORDS, weights)
    assert found.keys() == expected.keys()
    for key, share in expected.items():
        assert found[key] / len(batches) == pytest.approx(share, rel=1e-4), key


@pytest.mark.parametrize("n_words", [255, 70_000])
def test_batches_of_a_large_alphabet(n_words):
    # Ids of one, two and four bytes.
    letters = [
        chr(0x4E00 + i) if i < 20_000 else chr(0x20000 + i) for i in range(n_words)
    ]
    vocabulary = CharVocabulary(letters)
    words = [
        letters[0] + letters[-1],
        letters[-1],
        letters[-2],
        letters[-1] + letters[0],
    ]
    batches = dataset_of(words, vocabulary=vocabulary).batches(None, True)
    found = counts_by_prefix(batches, vocabulary)
    expected = textbook_counts(words)
    assert found.keys() == expected.keys()
    for key, share in expected.items():
        assert found[key] == pytest.approx(share, rel=1e-5)


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
@pytest.mark.parametrize("batch_size", [10, 300, None])
def test_a_word_comes_as_often_as_its_weight(batch_size, weights):
    batches = dataset_of(WORDS, weights).batches(batch_size, training=True)
    drawn = [words_of(inputs) for inputs, _ in batches]
    n_twice = sum(len(words) - len(set(words)) for words in drawn)
    assert n_twice < 0.03 * sum(map(len, drawn))
    drawn = Counter(word for words in drawn for word in words)
    totals = Counter()
    for word, weight in zip(
        WORDS, [1] * len(WORDS) if weights is None else weights, strict=True
    ):
        totals[word] += weight
    assert drawn == {
        word: min(math.ceil(total - 1e-6), len(batches))
        for word, total in totals.items()
    }


def test_what_follows_a_prefix_is_what_follows_it_in_all_words():
    batches = dataset_of(WORDS).batches(60, training=True)
    assert len(batches) > 10
    expected = textbook_counts(WORDS)
    for batch in batches:
        found = counts_by_prefix([batch])
        by_prefix, in_all = Counter(), Counter()
        for (prefix, _), count in found.items():
            by_prefix[prefix] += count
        for (prefix, _), share in expected.items():
            in_all[prefix] += share
        for prefix, character in expected:
            if prefix in by_prefix:
                share = expected[prefix, character] / in_all[prefix]
                part = found[prefix, character] / by_prefix[prefix]
                assert part == pytest.approx(share, rel=1e-4)


def test_batches_are_alike_wherever_they_come_in_an_epoch():
    batches = dataset_of(WORDS).batches(100, training=True)
    epochs = [list(batches) for _ in range(60)]
    totals = np.array([[counts.sum() for _, counts in epoch] for epoch in epochs])
    assert totals.shape[1] > 5
    np.testing.assert_allclose(totals.mean(axis=1), 1, rtol=1e-4)
    np.testing.assert_allclose(totals.mean(axis=0), 1, atol=0.06)
    assert np.abs(totals - 1).max() < 0.5
    # The order is another one each time.
    assert len({tuple(words_of(epoch[0][0])) for epoch in epochs}) == len(epochs)


def test_a_batch_has_no_node_twice_and_none_for_padding():
    for inputs, _ in dataset_of(WORDS).batches(300, training=True):
        words = words_of(inputs)
        prefixes = {word[:stop] for word in words for stop in range(len(word) + 1)}
        assert len(inputs["ids"]) == len(inputs["tree"]) == len(prefixes)


@pytest.mark.parametrize("training", [False, True])
def test_a_weight_of_two_is_the_word_twice(training):
    weights = np.array([1.0, 2.0, 3.0] * len(WORDS))[: len(WORDS)]
    drawn = []
    for dataset in (
        dataset_of(WORDS, weights),
        dataset_of(
            [w for w, n in zip(WORDS, weights, strict=True) for _ in range(int(n))]
        ),
    ):
        torch.manual_seed(5)
        drawn.append(list(dataset.batches(100, training)))
    for (inputs, counts), (others, other) in zip(*drawn, strict=True):
        assert torch.equal(inputs["ids"], others["ids"])
        assert torch.equal(inputs["tree"].paths, others["tree"].paths)
        torch.testing.assert_close(counts, other)


def mean_nll(module, words, weights):
    """Mean over the predictions of every word alone."""
    total, n_predictions = 0.0, 0.0
    for word, weight in zip(words, weights, strict=True):
        ids = [VOCABULARY.symbols.index(character) for character in word]
        logits = module(torch.tensor([[0, *ids]]))[0]
        loss = F.cross_entropy(logits, torch.tensor([*ids, 0]), reduction="sum")
        total += weight * loss.item()
        n_predictions += weight * (len(word) + 1)
    return total / n_predictions


@pytest.mark.parametrize("cells", [1, 20, 1 << 14])
@pytest.mark.parametrize("batch_size", [30, None])
@pytest.mark.parametrize("training", [False, True])
def test_the_mean_loss_is_the_mean_nll(training, batch_size, cells, monkeypatch):
    monkeypatch.setattr(word_batches, "MAX_VALIDATION_CELLS", cells)
    module = GRU(VOCABULARY.n_symbols, n_embd=3, n_hidden=5)
    torch.nn.init.normal_(module.head.weight)
    batches = dataset_of(WORDS, WEIGHTS).batches(batch_size, training)
    if not training:
        expected = {1: len(set(WORDS)), 1 << 14: 1}
        assert len(batches) == expected.get(cells, len(batches))
    with torch.no_grad():
        losses = [
            F.cross_entropy(module(**inputs), counts, reduction="sum").item()
            for inputs, counts in batches
        ]
        expected = mean_nll(module, WORDS, WEIGHTS)
    assert np.mean(losses) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("cells", [1, 40, 1 << 20])
def test_validation_takes_the_words_in_order(cells, monkeypatch):
    monkeypatch.setattr(word_batches, "MAX_VALIDATION_CELLS", cells)
    batches = dataset_of(WORDS).batches(10, training=False)
    in_order = [word for inputs, _ in batches for word in words_of(inputs)]
    assert in_order == sorted(set(WORDS))
    assert (len(batches) == 1) == (cells == 1 << 20)


def test_all_words_in_one_batch():
    (batch,) = dataset_of(WORDS).batches(None, training=True)
    assert words_of(batch[0]) == sorted(set(WORDS))
    assert batch[1].sum().item() == pytest.approx(1)


@pytest.mark.parametrize(
    "total, batch_size, min_size, n_batches",
    [
        (1e6, 1000, 256, 1000),
        (1e4, 1000, 256, 32),  # 10 would be too few
        (1600, 1000, 256, 6),  # 32 would have less than 256 predictions
        (1600, 1000, 32, 32),
        (1600, 100, 256, 16),  # unless as few are asked for
        (300, 1000, 256, 1),
        (300, 1000, 32, 9),
        (3, 1, 32, 3),
        (0.2, 1, 32, 1),
        (1e6, None, 32, 1),
        (1e6, 10**9, 32, 32),
    ],
)
def test_number_of_batches(total, batch_size, min_size, n_batches):
    assert number_of_batches(total, batch_size, min_size) == n_batches


@pytest.mark.parametrize(
    "total, batch_size, n_labels, n_batches",
    [
        (64_000, 1000, 2, 64),  # for each label 32
        (64_000, 1000, 100, 250),  # 3,200 would have less than 256 predictions
        (64_000, 500, 2, 128),
        (3_200, 1000, 100, 32),
    ],
)
def test_labels_need_more_batches(total, batch_size, n_labels, n_batches):
    assert number_of_batches(total, batch_size, 32, n_labels) == n_batches


@pytest.mark.parametrize("weight", [1e-300, 1e-9, 1e9, 1e300])
def test_weights_of_any_size_make_an_epoch_of_reasonable_length(weight):
    n_batches = len(dataset_of(WORDS).batches(200, training=True))
    weights = np.full(len(WORDS), weight)
    batches = dataset_of(WORDS, weights).batches(200, training=True)
    assert n_batches / 2 < len(batches) < 101 * n_batches
    found, expected = counts_by_prefix(batches), textbook_counts(WORDS)
    for key, share in expected.items():
        assert found[key] / len(batches) == pytest.approx(share, rel=1e-3)
