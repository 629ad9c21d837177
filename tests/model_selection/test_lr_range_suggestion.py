"""The rate that lr_range_test suggests: the least of the smoothed loss."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

from sklearn_makemore import MLPCharLM, WaveNetCharLM
from sklearn_makemore.model_selection import lr_range_test, train_dev_test_split
from sklearn_makemore.model_selection._lr_range import gaussian_smoothed

SGD = MLPCharLM(optimizer="sgd", weight_decay=0, batch_size=128, random_state=0)


def test_smoothing_is_a_weighted_mean():
    values = np.random.RandomState(0).normal(size=50)
    for n_values, width in (50, 2.0), (50, 7.0), (3, 20.0), (1, 1.0):
        shown = values[:n_values]
        expected = []
        for place in range(n_values):
            distance = np.arange(n_values) - place
            weights = np.exp(-((distance / width) ** 2) / 2)
            expected.append(np.average(shown, weights=weights))
        smoothed = gaussian_smoothed(shown, width)
        assert smoothed.shape == (n_values,)
        np.testing.assert_allclose(smoothed, expected, atol=2e-3)
    np.testing.assert_allclose(gaussian_smoothed(np.full(30, 2.5), 4.0), 2.5)


@pytest.mark.parametrize(
    "min_lr, max_lr, message",
    [
        (1e-3, 0.1, "max_lr=0.1, an end of the range.*set max_lr larger"),
        (50, 1e4, "min_lr=50, an end of the range.*set min_lr smaller"),
    ],
)
def test_a_range_too_narrow_is_told(min_lr, max_lr, message, words):
    model = MLPCharLM(n_embd=4, n_hidden=8, optimizer="sgd", random_state=0)
    with pytest.warns(UserWarning, match=message) as told:
        lr_range_test(model, words, min_lr=min_lr, max_lr=max_lr, n_steps=60)
    assert Path(told[0].filename) == Path(__file__)


@pytest.mark.slow
@pytest.mark.parametrize(
    "estimator, least, most",
    [
        (MLPCharLM(random_state=0), 0.005, 0.05),
        (SGD, 0.15, 1.5),
        (WaveNetCharLM(n_hidden=32, random_state=0), 0.005, 0.1),
    ],
    ids=["adamw", "sgd", "wavenet"],
)
def test_the_suggestion_trains_well(estimator, least, most, makemore_names):
    train, dev, _ = train_dev_test_split(makemore_names[::6], random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rate = lr_range_test(estimator, train, n_steps=300).suggestion
    assert least < rate < most
    nll = {
        factor: clone(estimator)
        .set_params(lr=rate * factor, max_epochs=2)
        .fit(train)
        .nll(dev)
        for factor in (0.1, 1)
    }
    assert nll[1] < nll[0.1] - 0.01
