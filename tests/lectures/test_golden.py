"""The numbers that the makemore lectures print, on the list they were printed for.

Here the list, lecture 1 and Kneser-Ney; `test_golden_networks` has the later lectures.
"""

import hashlib

import numpy as np
import pytest
import torch
from lectures import (
    FIVE_NAMES,
    LECTURE_SEED,
    VOCABULARY,
    descend,
    mean_nll_of_counts,
    windows_and_targets,
)
from skorch.callbacks import Callback

from sklearn_makemore import BigramCharLM, BigramCounter, NGramCounter
from sklearn_makemore.modules import LookupTable

# As lecture 1 prints them for this seed, since torch 2.0; the last ones follow on them.
LECTURE_DRAWS = ["cexze", "momasurailezitynn", "konimittain", "llayn", "ka", "da"]


def draw_as_lecture_1(next_proba, n_words):
    """Draw names one symbol at a time, `next_proba(id)` being the distribution."""
    generator = torch.Generator().manual_seed(LECTURE_SEED)
    words = []
    for _ in range(n_words):
        word, symbol = "", 0
        while True:
            symbol = torch.multinomial(
                next_proba(symbol), 1, replacement=True, generator=generator
            ).item()
            if symbol == 0:
                break
            word += VOCABULARY.symbols[symbol]
        words.append(word)
    return words


# The list, which all lectures open with.


def test_list_is_the_lectures(makemore_names):
    # Of the file in makemore's repository, which has no line end at its end.
    digest = hashlib.sha256("\n".join(makemore_names).encode()).hexdigest()
    assert digest.startswith("0a30b555")
    assert len(makemore_names) == 32_033
    assert makemore_names[:5] == FIVE_NAMES
    assert len(set(makemore_names)) == 29_494
    assert VOCABULARY.encode(makemore_names).n_predictions == 228_146


def test_predictions_of_the_split(lecture_split):
    # Lecture 2 prints the shapes of its three sets of windows.
    sizes = [VOCABULARY.encode(words).n_predictions for words in lecture_split]
    assert sizes == [182_625, 22_655, 22_866]


def test_windows_of_five_names():
    # Lecture 2 prints all of them; "emm ---> a" is the fourth.
    ids, targets = windows_and_targets(FIVE_NAMES, block_size=3)
    assert ids.shape == (32, 3)
    assert ids[:7].tolist() == [
        [0, 0, 0],
        [0, 0, 5],
        [0, 5, 13],
        [5, 13, 13],
        [13, 13, 1],
        [0, 0, 0],
        [0, 0, 15],
    ]
    assert targets[:7].tolist() == [5, 13, 13, 1, 0, 15, 12]


# Lecture 1: the bigram, counted and as a network.


def test_bigram_counts(makemore_names):
    counts = BigramCounter().fit(makemore_names).counts_
    a = VOCABULARY.symbols.index("a")
    assert counts.shape == (27, 27)
    assert counts[0, a] == 4410
    assert counts[a, 0] == 6640
    assert counts.sum() == 228_146


@pytest.mark.parametrize("smoothing, nll", [(0, 2.454014), (1, 2.454577)])
def test_bigram_nll(makemore_names, smoothing, nll):
    bigram = BigramCounter(smoothing=smoothing).fit(makemore_names)
    assert bigram.nll(makemore_names) == pytest.approx(nll, abs=1e-6)
    assert bigram.score(makemore_names) == -bigram.nll(makemore_names)


def test_nll_of_a_word_with_a_pair_never_seen(makemore_names):
    # "jq" is in no name: infinite without smoothing, which is why the lecture adds it.
    bigram = BigramCounter(smoothing=1).fit(makemore_names)
    assert bigram.nll(["andrejq"]) == pytest.approx(3.48340, abs=1e-5)
    assert np.isinf(BigramCounter(smoothing=0).fit(makemore_names).nll(["andrejq"]))


def test_draws_from_the_bigram(makemore_names):
    bigram = BigramCounter(smoothing=1).fit(makemore_names)
    proba = torch.from_numpy(bigram.predict_proba(["", *VOCABULARY.characters]))
    assert draw_as_lecture_1(lambda symbol: proba[symbol], 6) == LECTURE_DRAWS


def test_draws_from_the_bigram_as_a_net(makemore_names):
    bigram = BigramCounter(smoothing=1).fit(makemore_names)
    net = bigram.to_net()
    np.testing.assert_allclose(
        net.predict_proba(np.arange(27)[:, np.newaxis]),
        bigram.predict_proba(["", *VOCABULARY.characters]),
        rtol=1e-5,
    )
    module = net.module_

    @torch.no_grad()
    def next_proba(symbol):
        return module(torch.tensor([[symbol]])).softmax(1)[0]

    assert draw_as_lecture_1(next_proba, 6) == LECTURE_DRAWS


def test_bigram_by_gradient_descent(makemore_names):
    # The lecture's W is the table: a one-hot vector times W is a row of it.
    table = LookupTable(n_symbols=27)
    generator = torch.Generator().manual_seed(LECTURE_SEED)
    W = table.embedding.weight
    with torch.no_grad():
        W.copy_(torch.randn((27, 27), generator=generator))
    mean_nll = mean_nll_of_counts(table, makemore_names, block_size=1)
    losses = descend(
        table, lambda: mean_nll() + 0.01 * (W**2).mean(), n_steps=200, lr=50
    )
    # The loop of the lecture prints 3.7686 first.
    assert losses[0] == pytest.approx(3.7686, abs=1e-4)
    assert losses[-1] == pytest.approx(2.4830, abs=1e-4)
    assert mean_nll().item() == pytest.approx(2.4653, abs=1e-4)


class LectureWeights(Callback):
    """Start from the W of lecture 1, not from zero."""

    def on_train_begin(self, net, **kwargs):
        generator = torch.Generator().manual_seed(LECTURE_SEED)
        with torch.no_grad():
            W = net.module_.embedding.weight
            W.copy_(torch.randn((27, 27), generator=generator))


def test_bigram_estimator_takes_the_steps_of_lecture_1(makemore_names):
    model = BigramCharLM(
        optimizer="sgd",
        lr=50,
        lr_schedule="constant",
        batch_size=None,
        max_epochs=200,
        weight_decay=0.01,
        callbacks=[LectureWeights()],
    ).fit(makemore_names)
    penalty = 0.01 * (model.net_.module_.embedding.weight**2).mean().item()
    nll = model.nll(makemore_names)
    assert nll == pytest.approx(2.4653, abs=1e-4)
    assert nll + penalty == pytest.approx(2.4830, abs=1e-4)


# Plain Kneser-Ney: KenLM's own figures for the lectures' split, characters as tokens,
# with its fallback for discounts. Padding words with boundaries would add 0.03 to them.


@pytest.mark.parametrize(
    "order, nll", [(4, 2.0564), (5, 1.9841), (6, 1.9746), (7, 1.9771)]
)
def test_kneser_ney_nll_is_that_of_kenlm(lecture_split, order, nll):
    train, valid, _ = lecture_split
    plain = NGramCounter(order, discounts="closed-form", match_lengths=False)
    assert plain.fit(train).nll(valid) == pytest.approx(nll, abs=1e-4)


def test_lengths_and_discounts_improve_on_kenlm(lecture_split):
    train, valid, test = lecture_split
    model = NGramCounter(order=6).fit(train)
    assert model.nll(valid) < 1.954
    assert model.nll(test) < 1.957
