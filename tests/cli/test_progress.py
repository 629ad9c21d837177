"""Progress of a training, as bars show it."""

import numpy as np
import pytest
from skorch.callbacks import Callback

from sklearn_makemore import BigramCharLM, ConditionalCharLM, MLPCharLM
from sklearn_makemore.cli._progress import ScoredProgress, TrainingProgress


@pytest.mark.parametrize("schedule", ["one-cycle", "constant"])
def test_progress_advances_within_an_epoch(words, schedule):
    options = {"max_epochs": 2, "n_hidden": 4, "batch_size": 32}
    model = MLPCharLM(lr_schedule=schedule, random_state=0, **options)
    progress, seen = TrainingProgress(model), []
    assert (progress.epochs_done, progress.epoch) == (0, "epoch 1 of 2")

    class Watch(Callback):
        def on_batch_end(self, net, batch=None, training=False, **kwargs):
            if training:
                seen.append((progress.epochs_done, progress.epoch))

    model.callbacks = [Watch()]
    model.set_callbacks(progress).fit(words)
    n_steps = len(seen) // 2
    assert n_steps >= 10
    done = np.arange(1, 2 * n_steps + 1) / n_steps
    np.testing.assert_allclose([epochs for epochs, _ in seen], done)
    assert seen[n_steps // 2][1] == "epoch 1 of 2"
    assert {text for _, text in seen[n_steps:]} == {"epoch 2 of 2"}


class HeldOut:
    """Held-out words that need a model of labels."""

    def nll(self, model):
        assert model.nll(["a"], ["x"]) > 0
        return 1.25


def test_models_with_labels_are_scored_in_training(words):
    model = BigramCharLM(max_epochs=1, random_state=0)
    progress = ScoredProgress(model)
    progress.held_out = HeldOut()
    conditional = ConditionalCharLM(model).set_callbacks(progress)
    conditional.fit(words, ["xy"[len(word) % 2] for word in words])
    assert (progress.nll, progress.epochs_done) == (1.25, 1)
