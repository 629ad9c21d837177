"""LossCurveDisplay: the losses of the history, each at its epoch."""

import numpy as np
import pytest
from estimators import NETS, over
from matplotlib import pyplot
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from sklearn_makemore import NGramCounter
from sklearn_makemore.inspection import LossCurveDisplay


@pytest.fixture(autouse=True)
def no_windows():
    yield
    pyplot.close("all")


@over(NETS)
def test_curves_are_the_history(estimator, words, fit_once):
    model = fit_once(estimator, words)
    display = LossCurveDisplay.from_estimator(model)
    (line,) = display.lines_
    epochs = np.arange(1, estimator.max_epochs + 1)
    np.testing.assert_array_equal(line.get_xdata(), epochs)
    losses = [row["train_loss"] for row in model.history_]
    np.testing.assert_array_equal(line.get_ydata(), losses)
    assert display.valid_loss is display.best_epoch is display.best_line_ is None
    assert display.ax_.get_xlabel() == "epoch"
    assert display.ax_.get_ylabel() == "loss (nats per character)"


def test_the_best_epoch_is_marked(words):
    model = clone(NETS["mlp"]).set_params(
        early_stopping=True, max_epochs=8, tol=0.0, n_iter_no_change=1, lr=0.9
    )
    model.fit(words)
    valid = [row["valid_loss"] for row in model.history_]
    assert valid.index(min(valid)) + 1 < len(valid)  # it did stop early
    display = LossCurveDisplay.from_estimator(model)
    assert display.best_epoch == valid.index(min(valid)) + 1
    np.testing.assert_array_equal(display.lines_[1].get_ydata(), valid)
    np.testing.assert_array_equal(display.best_line_.get_xdata(), display.best_epoch)
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels[:2] == ["training", "validation"]
    assert f"(epoch {display.best_epoch})" in labels[2]
    # Without early stopping the last weights are kept, whatever epoch was best.
    model.set_params(early_stopping=False, validation_fraction=0.2).fit(words)
    assert LossCurveDisplay.from_estimator(model).best_epoch is None


def test_epochs_without_validation_are_gaps(words):
    model = clone(NETS["mlp"]).set_params(validation_fraction=0.2).fit(words)
    model.partial_fit(words)
    display = LossCurveDisplay.from_estimator(model)
    np.testing.assert_array_equal(np.isnan(display.valid_loss), [False, False, True])
    assert np.isfinite(display.train_loss).all()


def test_plot_on_axes_that_are_given():
    figure, (left, right) = pyplot.subplots(1, 2)
    display = LossCurveDisplay([3.0, 2.5, 2.4], valid_loss=[2.6, 2.5, 2.55])
    assert display.plot(right, line_kw={"lw": 3}) is display
    assert display.ax_ is right and display.figure_ is figure
    assert not left.has_data()
    assert [line.get_linewidth() for line in display.lines_] == [3, 3]
    display.plot(left, log_scale=True)
    assert left.get_yscale() == "log" and right.get_yscale() == "linear"
    figure.canvas.draw()
    written = [text.get_text() for text in left.get_yticklabels(which="both")]
    assert any(written) and not any("times" in text for text in written)


def test_what_cannot_be_drawn(words):
    with pytest.raises(TypeError, match="network such as MLPCharLM.*NGramCounter"):
        LossCurveDisplay.from_estimator(NGramCounter().fit(words))
    with pytest.raises(NotFittedError):
        LossCurveDisplay.from_estimator(clone(NETS["mlp"]))
