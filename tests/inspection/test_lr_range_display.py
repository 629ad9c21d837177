"""LRRangeDisplay: the data, what is drawn of them, and what is seen of it."""

import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.base import clone

from sklearn_makemore import BigramCounter, MLPCharLM
from sklearn_makemore.inspection import LRRangeDisplay
from sklearn_makemore.inspection._losses import loss_limits
from sklearn_makemore.model_selection import lr_range_test

MODEL = MLPCharLM(n_embd=4, n_hidden=8, batch_size=300, random_state=0)
OPTIONS = {"min_lr": 1e-3, "max_lr": 10.0, "n_steps": 60}
LR = np.geomspace(1e-3, 10, 50)
LOSS = np.r_[np.linspace(3.3, 2.1, 45), 4, 9, 40, 4e2, 5e9]
SMOOTHED = np.minimum(LOSS, 3.3)


@pytest.fixture(autouse=True)
def closed_figures():
    backend = plt.get_backend()
    plt.switch_backend("Agg")
    yield
    plt.close("all")
    plt.switch_backend(backend)


def drawn(line):
    return line.get_xdata(), line.get_ydata()


def test_it_draws_the_range_test(words):
    weights = np.linspace(0.5, 2, len(words))
    display = LRRangeDisplay.from_estimator(
        MODEL, words, sample_weight=weights, **OPTIONS
    )
    result = lr_range_test(clone(MODEL), words, sample_weight=weights, **OPTIONS)
    for name, values in result.items():
        np.testing.assert_array_equal(getattr(display, name), values)
    np.testing.assert_array_equal(drawn(display.points_), [result.lr, result.loss])
    np.testing.assert_array_equal(
        drawn(display.line_), [result.lr, result.smoothed_loss]
    )
    assert set(display.suggestion_line_.get_xdata()) == {result.suggestion}


def test_axes_say_what_they_show():
    display = LRRangeDisplay(LR, LOSS, SMOOTHED, 0.034567)
    assert display.plot() is display
    ax = display.ax_
    assert display.figure_ is ax.figure
    assert ax.get_xscale() == "log"
    assert ax.get_xlabel() == "Learning rate"
    assert ax.get_ylabel() == "Loss (nats per character)"
    texts = [text.get_text() for text in display.legend_.get_texts()]
    assert texts == ["batches", "smoothed", "suggestion: 0.035"]


def test_the_explosion_does_not_hide_the_fall():
    display = LRRangeDisplay(LR, LOSS, SMOOTHED, 1.0).plot()
    bottom, top = display.ax_.get_ylim()
    assert 1.9 < bottom < 2.1 and 3.3 < top < 4.5
    # The legend is above all that is left to see.
    display.figure_.canvas.draw()
    box = display.legend_.get_window_extent()
    lowest = display.ax_.transData.inverted().transform((0, box.y0))[1]
    assert lowest > 3.3
    assert loss_limits(np.array([3.0, 2.0, 1e9])) == pytest.approx((1.925, 3.15))
    # A loss that never fell still has limits.
    assert loss_limits(np.array([3.0, 3.0])) == pytest.approx((2.925, 3.15))


def test_given_axes_and_styles_are_used():
    figure, axes = plt.subplots(1, 2)
    display = LRRangeDisplay(LR, LOSS, SMOOTHED, 1.0).plot(
        axes[1],
        points_kw={"c": "k", "markersize": 7},
        line_kw={"lw": 5},
        suggestion_kw={"color": "r", "label": "here"},
    )
    assert display.ax_ is axes[1] and display.figure_ is figure
    assert not axes[0].lines and len(plt.get_fignums()) == 1
    assert display.points_.get_color() == "k"
    assert display.points_.get_markersize() == 7
    assert display.line_.get_linewidth() == 5
    assert display.suggestion_line_.get_color() == "r"
    assert display.suggestion_line_.get_label() == "here"


def test_from_estimator_passes_everything_on(words):
    figure, ax = plt.subplots()
    display = LRRangeDisplay.from_estimator(
        MODEL,
        words,
        **OPTIONS,
        ax=ax,
        points_kw={"color": "r"},
        line_kw={"color": "g"},
        suggestion_kw={"color": "b"},
    )
    assert display.ax_ is ax
    lines = display.points_, display.line_, display.suggestion_line_
    assert [line.get_color() for line in lines] == ["r", "g", "b"]


def test_counters_have_no_learning_rate(words):
    with pytest.raises(TypeError, match="must be a network such as MLPCharLM"):
        LRRangeDisplay.from_estimator(BigramCounter(), words)
    assert not plt.get_fignums()


def test_matplotlib_is_missed_before_the_work(words, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    # Not the error of the test that would come first.
    with pytest.raises(ImportError, match="LRRangeDisplay.from_estimator needs"):
        LRRangeDisplay.from_estimator(BigramCounter(), words)
