"""The training loop of the networks: batches, callbacks, devices, what is printed."""

import math
import shutil
from functools import partial

import joblib
import numpy as np
import pytest
import torch
from estimators import NETS, over
from sklearn.base import clone
from skorch.callbacks import Callback, EarlyStopping, GradientNormClipping, LRScheduler

from sklearn_makemore._training.context_batches import ContextDataset
from sklearn_makemore._training.device import seeded_torch
from sklearn_makemore._words.vocabulary import CharVocabulary
from sklearn_makemore._words.windows import ContextCounts

STILL = {"optimizer": "sgd", "weight_decay": 0.0, "lr_schedule": "constant"}


class Silent(Callback):
    """Listens to batches, for which the loop must be skorch's own, and does nothing."""

    def on_batch_end(self, net, **kwargs):
        pass


class Count(Callback):
    """Counts epochs in attributes, as skorch's callbacks do."""

    def on_train_begin(self, net, **kwargs):
        self.n_epochs_ = 0

    def on_epoch_end(self, net, **kwargs):
        self.n_epochs_ += 1


def encoded_counts(words, weights=None, block_size=3):
    vocabulary = CharVocabulary.from_words(words)
    encoded = vocabulary.encode(words)
    counts = ContextCounts.from_encoded(
        encoded, block_size, vocabulary.n_symbols, weights
    )
    return counts, ContextDataset(counts, vocabulary.n_symbols, "cpu")


def summed_by_context(batches):
    """Expected counts of a list of batches, by window and next symbol."""
    totals = {}
    for inputs, counts in batches:
        for window, row in zip(inputs["ids"].tolist(), counts.tolist(), strict=True):
            for symbol, count in enumerate(row):
                if count:
                    key = *window, symbol
                    totals[key] = totals.get(key, 0.0) + count
    return totals


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("batch_size", [1, 10, 300, 10**6])
def test_batches_of_an_epoch_are_exactly_the_words(
    batch_size, weighted, shuffle, words
):
    weights = np.linspace(0.01, 4, len(words)) if weighted else None
    counts, dataset = encoded_counts(words, weights)
    batches = dataset.batches(batch_size, training=shuffle)
    drawn = list(batches)
    assert len(drawn) == len(batches)
    expected = {
        (*counts.contexts[row].tolist(), symbol): count / counts.counts.sum()
        for row, symbol, count in zip(
            counts.rows, counts.symbols.tolist(), counts.counts, strict=True
        )
    }
    sums = summed_by_context(drawn)
    assert sums.keys() == expected.keys()
    found = [sums[key] / len(batches) for key in expected]
    np.testing.assert_allclose(found, list(expected.values()), rtol=1e-4)


def test_batches_are_alike_wherever_they_come_in_an_epoch(many_words):
    _, dataset = encoded_counts(many_words, block_size=2)
    batches = dataset.batches(100, training=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        epochs = [list(batches) for _ in range(60)]
    totals = np.array([[counts.sum() for _, counts in epoch] for epoch in epochs])
    assert totals.shape[1] > 5
    # Each is the mean over the predictions of a batch, and so sums to about one.
    np.testing.assert_allclose(totals.mean(axis=1), 1, rtol=1e-4)
    np.testing.assert_allclose(totals.mean(axis=0), 1, atol=0.06)
    assert np.abs(totals - 1).max() < 0.5
    # The order is another one each time.
    firsts = {tuple(epoch[0][0]["ids"].flatten().tolist()) for epoch in epochs}
    assert len(firsts) == len(epochs)


@over(NETS)
@pytest.mark.parametrize("validation_fraction", [None, 0.2])
def test_the_lean_loop_is_the_loop_of_skorch(estimator, validation_fraction, words):
    lean = clone(estimator).set_params(validation_fraction=validation_fraction)
    lean.fit(words)
    standard = clone(lean).set_params(callbacks=[Silent()]).fit(words)
    names = ["train_loss"] + ["valid_loss"] * (validation_fraction is not None)
    for ours, theirs in zip(lean.history_, standard.history_, strict=True):
        for name in names:
            assert ours[name] == pytest.approx(theirs[name], abs=1e-5)
    one, other = (m.net_.module_.state_dict() for m in (lean, standard))
    for name, weight in one.items():
        torch.testing.assert_close(weight, other[name], atol=1e-5, rtol=1e-4)


@over(NETS)
def test_gradient_clipping_works(estimator, words):
    model = clone(estimator).set_params(lr=0.5, max_epochs=1, **STILL)
    clipped = GradientNormClipping(gradient_clip_value=1e-9)
    still = clone(model).set_params(lr=1e-12).fit(words)
    moved = model.fit(words)
    held = clone(model).set_params(callbacks=[clipped]).fit(words)
    weights = [
        torch.cat([p.flatten() for p in m.net_.module_.parameters()])
        for m in (still, moved, held)
    ]
    torch.testing.assert_close(weights[2], weights[0], atol=1e-6, rtol=0)
    assert (weights[1] - weights[0]).norm() > 0.1


def test_a_schedule_of_skorch_takes_the_place_of_ours(words):
    scheduler = LRScheduler("StepLR", step_size=1, gamma=0.1, step_every="epoch")
    model = clone(NETS["mlp"]).set_params(
        lr_schedule="constant", lr=0.1, max_epochs=3, callbacks=[scheduler]
    )
    model.fit(words)
    rates = [row["event_lr"] for row in model.history_]
    np.testing.assert_allclose(rates, [0.1, 0.01, 0.001])


@pytest.mark.parametrize("name", ["mlp", "wavenet"])
def test_callbacks_given_are_not_changed(name, words):
    callbacks = [
        Count(),
        ("stop", EarlyStopping("train_loss", patience=2)),
        ("schedule", LRScheduler("StepLR", step_size=2)),
        GradientNormClipping(1.0),
    ]
    before = joblib.hash(callbacks)
    model = clone(NETS[name]).set_params(lr_schedule="constant")
    model.set_params(callbacks=callbacks).fit(words).partial_fit(words)
    assert model.callbacks is callbacks
    assert joblib.hash(callbacks) == before
    clone(model).fit(words)
    assert joblib.hash(callbacks) == before


@over(NETS)
def test_nothing_is_printed_unless_asked_for(estimator, words, capfd):
    model = clone(estimator).set_params(
        early_stopping=True, n_iter_no_change=1, tol=9.0
    )
    model.fit(words).partial_fit(words)
    model.score(words), model.sample(3, random_state=0)
    assert capfd.readouterr() == ("", "")
    model.set_params(verbose=1, early_stopping=False).fit(words)
    shown = capfd.readouterr().out
    assert shown.count("train_loss") == 1
    assert len(shown.strip().splitlines()) == 2 + estimator.max_epochs
    assert f"{model.history_[-1]['train_loss']:.4f}" in shown


def test_generators_of_other_devices_are_not_seeded(monkeypatch):
    seeded = []
    monkeypatch.setattr(torch.cuda, "manual_seed_all", seeded.append)
    with seeded_torch(0, "cpu"):
        assert torch.initial_seed() == 0
    assert not seeded
    with torch.random.fork_rng([], device_type="cuda"):
        torch.manual_seed(0)
    assert seeded == [0]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize("name", ["mlp", "wavenet"])
@pytest.mark.parametrize("device", ["cuda", "cuda:1", "gpu"])
def test_a_device_that_is_not_here(name, device, words):
    model = clone(NETS[name]).set_params(device=device)
    with pytest.raises(ValueError, match=f"device='{device}'.*'cpu'"):
        model.fit(words)
    assert not model.__sklearn_is_fitted__()
    model.set_params(device="auto").fit(words)


@pytest.mark.slow
@pytest.mark.skipif(
    not any(map(shutil.which, ("cc", "gcc", "clang"))),
    reason="torch.compile needs a C compiler",
)
@pytest.mark.filterwarnings("ignore")  # torch's compiler warns of its own code
def test_a_compiled_net_is_the_same(words):
    words = words[:30]  # an epoch of one step: compiled once, which takes seconds
    model = clone(NETS["mlp"]).set_params(max_epochs=1, batch_size=None)
    compiled = clone(model).set_params(compile=True).fit(words)
    assert compiled.score(words) == pytest.approx(
        model.fit(words).score(words), abs=1e-4
    )


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["mlp-batch-norm", "wavenet", "gru", "transformer"])
def test_a_compiled_net_can_be_saved_and_goes_on(name, words, monkeypatch, tmp_path):
    # All of torch.compile but the slow part, the making of machine code.
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager"))
    words = [word[:4] for word in words[:60]]  # a graph has steps for each place
    # An epoch of one step has one shape to trace, and tracing takes seconds.
    plain = clone(NETS[name]).set_params(max_epochs=1, warm_start=True, batch_size=None)
    plain.fit(words)
    compiled = clone(plain).set_params(compile=True).fit(words)
    assert compiled.score(words) == pytest.approx(plain.score(words), abs=1e-4)
    joblib.dump(compiled, tmp_path / "model.joblib")
    again = joblib.load(tmp_path / "model.joblib")
    assert again.sample(5, random_state=0) == compiled.sample(5, random_state=0)
    plain.fit(words).partial_fit(words)
    for model in (compiled, again):
        model.fit(words).partial_fit(words)
        assert model.score(words) == pytest.approx(plain.score(words), abs=1e-3)
    # What was compiled can go on without, and the other way round.
    one = compiled.set_params(compile=False).partial_fit(words)
    other = plain.set_params(compile=True).partial_fit(words)
    assert one.score(words) == pytest.approx(other.score(words), abs=1e-3)


def test_dropout_is_for_training_only(words, fit_once):
    model = fit_once(NETS["mlp-deep"], words)
    assert model.dropout > 0
    assert model.score(words) == model.score(words)
    np.testing.assert_array_equal(
        model.predict_proba(["a"]), model.predict_proba(["a"])
    )


def test_small_weights_do_not_shrink_the_training_to_nothing(words):
    model = clone(NETS["mlp"]).set_params(batch_size=200)
    weights = np.full(len(words), 1e-6)
    model.fit(words, sample_weight=weights)
    assert model.nll(words) < math.log(len(model.symbols_)) - 0.15
