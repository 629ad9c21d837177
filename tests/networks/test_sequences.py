"""The networks that read a word from its start, against plain loops."""

import math

import numpy as np
import pytest
import torch
from estimators import NETS, SEQUENCES, TINY_WORDS, over
from sampling_oracles import assert_frequencies, textbook_words
from sklearn.base import clone
from torch.nn import functional as F

from sklearn_makemore import (
    BoWCharLM,
    GRUCharLM,
    LSTMCharLM,
    RNNCharLM,
    TransformerCharLM,
)
from sklearn_makemore._networks import sequence, sequence_module
from sklearn_makemore._networks.sequence_module import SequenceModule

ASKED = "anna an ann bob annabelle zoe z emma emmanuel em an anna".split() + [""]
FROZEN = {
    "lr": 1e-12,
    "optimizer": "sgd",
    "weight_decay": 0.0,
    "lr_schedule": "constant",
}
# Only without dropout are loss and gradient those of textbooks.
PLAIN = {"dropout": 0.0, "recurrent_dropout": 0.0}


def without_dropout(estimator, **params):
    """Return a clone without dropout, with some other parameters."""
    known = estimator.get_params()
    plain = {name: value for name, value in PLAIN.items() if name in known}
    return clone(estimator).set_params(**plain, **params)


def ids_of(model, word):
    return [model.symbols_.index(letter) for letter in word]


def log_proba_of(model, word):
    """Return the log-probabilities of all symbols after each symbol of a word."""
    with torch.no_grad():
        logits = model.net_.module_(torch.tensor([[0, *ids_of(model, word)]]))[0]
    return logits.double().log_softmax(1).numpy()


# Scores.


@pytest.mark.parametrize("cells", [1, 20, 1 << 15])
@over(SEQUENCES)
def test_scores_are_those_of_single_words(
    estimator, cells, words, fit_once, monkeypatch
):
    monkeypatch.setattr(sequence_module, "INFERENCE_CELLS", cells)
    model = fit_once(estimator, words)
    expected, proba = [], []
    for word in ASKED:
        table = log_proba_of(model, word)
        targets = [*ids_of(model, word), 0]
        expected.append(table[range(len(targets)), targets].sum())
        proba.append(np.exp(table[-1]))
    np.testing.assert_allclose(model.score_samples(ASKED), expected, atol=1e-5)
    np.testing.assert_allclose(model.predict_proba(ASKED), proba, atol=1e-6)
    n_predictions = sum(len(word) + 1 for word in ASKED)
    assert model.score(ASKED) == pytest.approx(sum(expected) / n_predictions, abs=1e-6)


@over(SEQUENCES)
def test_prefixes_are_computed_once(estimator, words, fit_once):
    model = fit_once(estimator, words)
    n_rows = []
    hook = model.net_.module_.head.register_forward_hook(
        lambda *call: n_rows.append(len(call[1][0]))
    )
    try:
        model.score_samples(ASKED * 3)
        prefixes = {word[:stop] for word in ASKED for stop in range(len(word) + 1)}
        assert n_rows == [len(prefixes)]
        n_rows.clear()
        # Words sampled together share the computation of equal prefixes.
        (word,) = set(model.sample(500, temperature=0, max_length=9))
        assert set(n_rows) == {1}
        assert len(n_rows) <= 2 + len(word)
    finally:
        hook.remove()


@over(SEQUENCES)
def test_contexts_of_words_of_any_lengths_advance(estimator, words, fit_once):
    model = fit_once(estimator, words)
    prefixes = ["", "anna", "an", "an", "z", "christopher"]
    contexts = model._contexts_after(model._encoded(prefixes))
    for letters in ("abcdez", "zzzzzz", "annaan"):
        assert len(contexts) == len(prefixes)
        log_proba, rows = model._next_symbol_model().next_log_proba(contexts)
        assert len(log_proba) == len(set(prefixes))
        np.testing.assert_allclose(
            np.exp(log_proba)[rows], model.predict_proba(prefixes), atol=1e-6
        )
        contexts = model._next_symbol_model().advance(
            contexts, np.array(ids_of(model, letters))
        )
        prefixes = [a + b for a, b in zip(prefixes, letters, strict=True)]
    kept = [5, 0, 0, 3]
    log_proba, rows = model._next_symbol_model().next_log_proba(
        contexts[np.array(kept)]
    )
    assert len(log_proba) == 3
    expected = model.predict_proba([prefixes[place] for place in kept])
    np.testing.assert_allclose(np.exp(log_proba)[rows], expected, atol=1e-6)


@over(NETS)
def test_no_network_looks_ahead(estimator, many_words, fit_once):
    model = fit_once(estimator, many_words)
    word = "alexandra"
    before = model._target_log_proba(model._encoded([word]))
    for place in range(len(word)):
        changed = word[:place] + "z" + word[place + 1 :]
        after = model._target_log_proba(model._encoded([changed]))
        np.testing.assert_allclose(after[:place], before[:place], atol=1e-5)
        assert abs(after[place] - before[place]) > 1e-3


# Training.


@pytest.mark.parametrize("batch_size", [1, 60, None])
@over(SEQUENCES)
def test_train_loss_is_the_mean_over_characters(estimator, batch_size, words):
    model = without_dropout(estimator, batch_size=batch_size, max_epochs=1, **FROZEN)
    few = words[:20] + words[:5]
    for weights in (None, np.linspace(0, 3, len(few))):
        model.fit(few, sample_weight=weights)
        expected = model.nll(few, sample_weight=weights)
        assert model.history_[0]["train_loss"] == pytest.approx(expected, abs=1e-5)


@over(SEQUENCES)
def test_one_step_of_sgd_is_the_textbook_step(estimator, words):
    model = without_dropout(estimator, batch_size=None, max_epochs=1, **FROZEN)
    module = model.fit(words).net_.module_.train()
    module.zero_grad()
    losses = []
    for word in words:
        ids = ids_of(model, word)
        logits = module(torch.tensor([[0, *ids]]))[0]
        losses.append(
            F.cross_entropy(logits, torch.tensor([*ids, 0]), reduction="none")
        )
    torch.cat(losses).mean().backward()
    stepped = clone(model).set_params(lr=0.5).fit(words)
    moved = 0.0
    for (name, before), (_, after) in zip(
        module.named_parameters(), stepped.net_.module_.named_parameters(), strict=True
    ):
        expected = before - 0.5 * before.grad
        torch.testing.assert_close(after, expected, atol=1e-6, rtol=1e-4, msg=name)
        moved += (after - before).abs().sum().item()
    assert moved > 0.1


@pytest.mark.parametrize(
    "model",
    [BoWCharLM(), RNNCharLM(), GRUCharLM(), LSTMCharLM(), TransformerCharLM()],
    ids=str,
)
def test_first_loss_is_that_of_uniform_guesses(model, words):
    model = without_dropout(model, max_epochs=1, random_state=0, **FROZEN)
    model.fit(words[:60])
    n_symbols = len(model.symbols_)
    assert model.history_[0]["train_loss"] == pytest.approx(
        math.log(n_symbols), abs=0.1
    )


@over(SEQUENCES)
def test_training_that_diverges_is_an_error(estimator, words, fit_once):
    model = clone(estimator).fit(words)
    before = model.score(words)
    model.set_params(lr=1e30, optimizer="sgd", weight_decay=1.0)
    for train in (model.fit, model.partial_fit):
        with pytest.raises(ValueError, match="diverged.*lr"):
            train(words)
        assert model.score(words) == before


@over(SEQUENCES)
def test_only_the_empty_word(estimator):
    model = clone(estimator).fit(["", ""])
    assert model.symbols_ == [""]
    assert model.score_samples([""]).tolist() == [0.0]
    assert model.sample(3, random_state=0) == ["", "", ""]


@pytest.mark.parametrize("name", ["rnn", "gru", "lstm"])
def test_words_longer_than_any_seen(name, words, fit_once):
    model = fit_once(SEQUENCES[name], words)
    long = "anna" * 200
    expected = log_proba_of(model, long)[range(801), [*ids_of(model, long), 0]].sum()
    assert model.score_samples([long])[0] == pytest.approx(expected, rel=1e-6)
    drawn = model.sample(5, min_length=400, max_length=410, random_state=0)
    assert {400 <= len(word) <= 410 for word in drawn} == {True}
    assert model.sample(prefix=long, max_length=803, random_state=0)[0][:800] == long


# Memory.


@over(SEQUENCES)
def test_states_of_words_sampled_together_are_bounded(estimator, monkeypatch):
    n_cells = 5_000
    monkeypatch.setattr(sequence, "STATE_CELLS", n_cells)
    model = clone(estimator).fit(TINY_WORDS)
    held, original = [], SequenceModule.advance

    def advance(self, contexts, ids):
        after = original(self, contexts, ids)
        held.append((sum(part.numel() for part in after.state), len(after)))
        return after

    monkeypatch.setattr(SequenceModule, "advance", advance)
    at_once = model._draws_at_once(0)
    drawn = model.sample(2000, max_length=2, random_state=0)
    assert len(drawn) == 2000 and 10 < at_once < 2000
    assert max(n_words for _, n_words in held) <= at_once
    # The same number of words, all different, as long as the longest training word.
    letters = np.array(list("abc"))
    rng = np.random.RandomState(0)
    contexts = model._contexts_after(model._encoded([""] * at_once))
    for _ in range(model.longest_word_):
        picked = rng.choice(letters, size=at_once)
        contexts = model._next_symbol_model().advance(
            contexts, np.array(ids_of(model, picked))
        )
    assert held[-1][0] <= n_cells
    # The parts differ, and the seed determines all of them.
    assert drawn[:at_once] != drawn[at_once : 2 * at_once]
    assert model.sample(2000, max_length=2, random_state=0) == drawn
    # Keys and values grow with the length of a word, a hidden state does not.
    fewer = model._draws_at_once(20 * model.longest_word_) < at_once
    assert fewer == (type(model).__name__ == "TransformerCharLM")
    assert model.sample(at_once, max_length=2, random_state=0) == drawn[:at_once]
    assert_frequencies(drawn, textbook_words(model, limits=(1, 2)))
