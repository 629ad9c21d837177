"""The bigram as a network, against counts and hand-written gradients."""

import numpy as np
import pytest
from sklearn.base import clone

from sklearn_makemore import BigramCharLM, BigramCounter

LETTERS = "abcdefghijklmnopqrstuvwxyz"
# Gradient descent over all words, as in lecture 1.
LECTURE = {"lr_schedule": "constant", "batch_size": None, "alphabet": LETTERS}


def pair_counts(words):
    """Return the counts N of all pairs of symbols, the boundary first."""
    counts = np.zeros((27, 27))
    for word in words:
        ids = [0, *(1 + LETTERS.index(letter) for letter in word), 0]
        np.add.at(counts, (ids[:-1], ids[1:]), 1)
    return counts


def softmax(logits):
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def gradient(W, counts, weight_decay):
    """Return the gradient of the mean NLL plus ``weight_decay * (W ** 2).mean()``."""
    expected = counts.sum(axis=1, keepdims=True) * softmax(W)
    return (expected - counts) / counts.sum() + weight_decay * 2 * W / W.size


def table_of(model):
    return model.net_.module_.embedding.weight.detach().double().numpy()


def distance_from_uniform(model):
    """Return the mean Kullback-Leibler divergence from uniform, in nats."""
    proba = model.predict_proba([*model.symbols_[1:], ""])
    return -np.log(proba * proba.shape[1]).mean()


@pytest.mark.slow
def test_training_converges_to_the_counted_model(makemore_names):
    counted = BigramCounter().fit(makemore_names).nll(makemore_names)
    model = BigramCharLM(random_state=0).fit(makemore_names)
    assert counted < model.nll(makemore_names) < counted + 0.012


@pytest.mark.slow
def test_without_penalty_the_table_becomes_the_counts(many_words):
    model = BigramCharLM(lr=0.3, max_epochs=400, weight_decay=0, **LECTURE)
    model.fit(many_words)
    least = BigramCounter(smoothing=0, alphabet=LETTERS).fit(many_words).nll(many_words)
    assert least < model.nll(many_words) < least + 1e-3
    counts = pair_counts(many_words)
    proba = softmax(table_of(model))
    expected = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    often = counts.sum(axis=1) > 50
    assert often.sum() > 5
    np.testing.assert_allclose(proba[often], expected[often], atol=0.01)


def test_table_starts_at_zero(words):
    model = BigramCharLM(lr=1e-12, max_epochs=1, **LECTURE).fit(words)
    np.testing.assert_allclose(table_of(model), 0, atol=1e-9)
    np.testing.assert_allclose(model.predict_proba(["", "a"]), 1 / 27)


@pytest.mark.parametrize("weight_decay", [0.0, 0.01, 30.0])
def test_sgd_equals_hand_written_steps(weight_decay, words):
    model = BigramCharLM(
        optimizer="sgd", lr=5.0, max_epochs=4, weight_decay=weight_decay, **LECTURE
    ).fit(words)
    counts, W, losses = pair_counts(words), np.zeros((27, 27)), []
    for _ in range(4):
        losses.append(-(counts * np.log(softmax(W))).sum() / counts.sum())
        W = W - 5.0 * gradient(W, counts, weight_decay)
    np.testing.assert_allclose(table_of(model), W, atol=1e-5)
    # The recorded loss does not include the penalty.
    found = [row["train_loss"] for row in model.history_]
    np.testing.assert_allclose(found, losses, atol=1e-5)
    assert losses[-1] < losses[0] - 0.02


@pytest.mark.parametrize("weight_decay", [0.0, 3.0])
def test_adam_equals_hand_written_steps(weight_decay, words):
    model = BigramCharLM(
        lr=0.2, max_epochs=4, weight_decay=weight_decay, **LECTURE
    ).fit(words)
    counts, W = pair_counts(words), np.zeros((27, 27))
    mean, square = np.zeros_like(W), np.zeros_like(W)
    for step in range(1, 5):
        slope = gradient(W, counts, weight_decay)
        mean = 0.9 * mean + 0.1 * slope
        square = 0.999 * square + 0.001 * slope**2
        unbiased = mean / (1 - 0.9**step), square / (1 - 0.999**step)
        W = W - 0.2 * unbiased[0] / (np.sqrt(unbiased[1]) + 1e-8)
    # Adam amplifies rounding errors where the gradient is nearly zero.
    slopes = np.abs(gradient(np.zeros_like(W), counts, 0.0))
    clear = slopes > 1e-3
    assert clear.sum() > 100
    np.testing.assert_allclose(table_of(model)[clear], W[clear], atol=1e-3)


@pytest.mark.slow
def test_larger_penalty_makes_the_distribution_more_uniform(words):
    model = BigramCharLM(lr=0.3, max_epochs=150, **LECTURE)
    distances, nlls = [], []
    for weight_decay in (0.0, 0.1, 1.0, 10.0, 1000.0):
        model.set_params(weight_decay=weight_decay).fit(words)
        distances.append(distance_from_uniform(model))
        nlls.append(model.nll(words))
    assert (np.diff(distances) < 0).all() and distances[-1] < 0.01
    assert (np.diff(nlls) > 0).all()
    assert nlls[-1] == pytest.approx(np.log(27), abs=0.01)


def test_only_the_last_character_counts(words):
    model = BigramCharLM(random_state=0).fit(words)
    assert model.block_size_ == 1
    proba = model.predict_proba(["a", "anna", "zoexa", "b"])
    np.testing.assert_array_equal(proba[0], proba[1])
    np.testing.assert_array_equal(proba[0], proba[2])
    assert np.abs(proba[0] - proba[3]).max() > 0.01


@pytest.mark.slow
def test_seed_determines_the_order_of_the_batches(words):
    model = BigramCharLM(batch_size=256, max_epochs=5, random_state=0)
    first, again = model.fit(words).nll(words), clone(model).fit(words).nll(words)
    other = clone(model).set_params(random_state=1).fit(words).nll(words)
    assert first == again != other
