"""ActivationDisplay, GradientDisplay, UpdateRatioDisplay: what a recorder heard."""

import numpy as np
import pytest
from estimators import NETS, over
from matplotlib import pyplot
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from sklearn_makemore import BigramCounter
from sklearn_makemore.inspection import (
    ActivationDisplay,
    GradientDisplay,
    TrainingRecorder,
    UpdateRatioDisplay,
)

DISPLAYS = [ActivationDisplay, GradientDisplay, UpdateRatioDisplay]


@pytest.fixture(autouse=True)
def no_windows():
    yield
    pyplot.close("all")


@pytest.fixture(scope="module")
def model(words):
    recorder = TrainingRecorder(every=2, histogram_steps=[3])
    return clone(NETS["mlp-deep"]).set_params(callbacks=[recorder]).fit(words)


@pytest.fixture(scope="module")
def recorder(model):
    return TrainingRecorder.from_estimator(model)


def legend_of(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


def assert_legend_leaves_data_in_sight(display):
    display.figure_.canvas.draw()
    box = display.ax_.get_legend().get_window_extent()
    for line in display.lines_:
        points = line.get_xydata()
        x, y = display.ax_.transData.transform(points[np.isfinite(points[:, 1])]).T
        assert not np.any((x > box.x0) & (x < box.x1) & (y > box.y0) & (y < box.y1))
    assert display.ax_.get_window_extent().y1 >= box.y1


@pytest.mark.parametrize("step", ["first", 3, "last"])
def test_activations_are_those_recorded(step, model, recorder):
    display = ActivationDisplay.from_estimator(model, step=step)
    number = {"first": 0, "last": recorder.records_[-1]["step"]}.get(step, step)
    assert display.step == number
    (record,) = (row for row in recorder.records_ if row["step"] == number)
    kept = recorder.histograms_[number]["outputs"]
    assert list(kept) == ["hidden.0.activation", "hidden.1.activation"]
    for line, label, (name, row) in zip(
        display.lines_, legend_of(display), kept.items(), strict=True
    ):
        assert label == f"{name}: {record['outputs'][name]['saturated']:.1%} saturated"
        np.testing.assert_array_equal(line.get_ydata(), row["density"])
        np.testing.assert_allclose(
            line.get_xdata(), (row["edges"][1:] + row["edges"][:-1]) / 2
        )
    assert display.ax_.get_xlabel() == f"output at step {number}"
    assert display.ax_.get_ylabel() == "density"
    assert_legend_leaves_data_in_sight(display)


@pytest.mark.parametrize("step", ["first", "last"])
@pytest.mark.parametrize("kind", ["outputs", "parameters"])
def test_gradients_are_those_recorded(kind, step, model, recorder):
    display = GradientDisplay.from_estimator(model, kind=kind, step=step)
    histograms = recorder.histograms_[display.step]
    (record,) = (row for row in recorder.records_ if row["step"] == display.step)
    if kind == "outputs":
        expected = histograms["gradients"]
        spreads = [row["std"] for row in record["gradients"].values()]
    else:
        expected = {
            name: row
            for name, row in histograms["parameters"].items()
            if not name.endswith("bias")
        }
        spreads = [record["parameters"][name]["grad_std"] for name in expected]
    for line, row in zip(display.lines_, expected.values(), strict=True):
        np.testing.assert_array_equal(line.get_ydata(), row["density"])
    assert legend_of(display) == [
        f"{name}: std {std:.1e}" for name, std in zip(expected, spreads, strict=True)
    ]
    # The bulk of the widest is in sight.
    left, right = display.ax_.get_xlim()
    assert -left == right == pytest.approx(6 * max(spreads))
    assert str(display.step) in display.ax_.get_xlabel()
    assert_legend_leaves_data_in_sight(display)


def test_update_ratios_are_those_recorded(model, recorder):
    display = UpdateRatioDisplay.from_estimator(model)
    matrices = [
        name
        for name, weight in model.net_.module_.named_parameters()
        if weight.ndim == 2
    ]
    assert list(display.ratios) == legend_of(display)[:-1] == matrices
    for name, line in zip(matrices, display.lines_, strict=True):
        np.testing.assert_array_equal(
            line.get_xdata(), [row["step"] for row in recorder.records_]
        )
        ratios = [row["parameters"][name]["update_ratio"] for row in recorder.records_]
        np.testing.assert_allclose(10 ** line.get_ydata(), ratios)
    assert set(display.good_line_.get_ydata()) == {-3}
    assert display.good_line_.get_linestyle() == "--"
    assert "log10" in display.ax_.get_ylabel() and display.ax_.get_xlabel() == "step"
    assert_legend_leaves_data_in_sight(display)


def test_what_has_no_logarithm_is_a_gap():
    ratios = np.array([np.inf, 1e-3, 0.0, np.nan, 1e-2])
    display = UpdateRatioDisplay(np.arange(5), {"weight": ratios}).plot()
    expected = [np.nan, -3, np.nan, np.nan, -2]
    np.testing.assert_allclose(display.lines_[0].get_ydata(), expected)


@over(NETS)
def test_every_network_has_updates_and_says_if_it_has_no_layers(estimator, words):
    model = clone(estimator).set_params(callbacks=[TrainingRecorder()]).fit(words)
    assert np.isfinite(UpdateRatioDisplay.from_estimator(model).lines_[0].get_ydata())[
        1:
    ].all()
    assert GradientDisplay.from_estimator(model, kind="parameters").lines_
    recorder = TrainingRecorder.from_estimator(model)
    for display in ActivationDisplay, GradientDisplay:
        if recorder.layers_:
            lines = display.from_estimator(model).lines_
            assert len(lines) == len(recorder.layers_)
        else:
            with pytest.raises(ValueError, match=r"TrainingRecorder\(layers="):
                display.from_estimator(model)


def test_the_states_of_a_recurrent_network_can_be_heard(words):
    recorder = TrainingRecorder()
    model = clone(NETS["rnn"]).set_params(callbacks=[recorder]).fit(words)
    display = ActivationDisplay.from_estimator(model)
    assert [f"states.{i}" for i in range(model.n_layers)] == list(display.layers)
    for row in display.layers.values():
        assert -1 <= row["edges"][0] < row["edges"][-1] <= 1
        assert 0 <= row["saturated"] < 1
    assert all("saturated" in line for line in legend_of(display))


@pytest.mark.parametrize("display", DISPLAYS)
def test_plot_on_axes_that_are_given(display, model):
    figure, (left, right) = pyplot.subplots(1, 2)
    drawn = display.from_estimator(model, ax=right, line_kw={"lw": 3})
    assert drawn.ax_ is right and drawn.figure_ is figure
    assert not left.has_data()
    assert {line.get_linewidth() for line in drawn.lines_} == {3}
    again = drawn.plot(left)
    assert again is drawn and drawn.ax_ is left
    figure.canvas.draw()


@pytest.mark.parametrize("display", DISPLAYS)
def test_what_cannot_be_drawn(display, words, fit_once):
    with pytest.raises(TypeError, match="network such as MLPCharLM.*BigramCounter"):
        display.from_estimator(BigramCounter().fit(words))
    with pytest.raises(NotFittedError):
        display.from_estimator(clone(NETS["mlp"]))
    with pytest.raises(ValueError, match=r"callbacks=\[TrainingRecorder\(\)\]"):
        display.from_estimator(fit_once(NETS["mlp"], words))


@pytest.mark.parametrize("step", [1, -1, "middle", None])
@pytest.mark.parametrize("display", [ActivationDisplay, GradientDisplay])
def test_steps_without_histograms(display, step, model):
    with pytest.raises(ValueError, match=r"only of \[0, 3, .*histogram_steps"):
        display.from_estimator(model, step=step)


def test_kinds_of_gradients(model):
    with pytest.raises(ValueError, match="'kind' parameter"):
        GradientDisplay.from_estimator(model, kind="weights")


def test_lines_of_one_colour_have_other_styles():
    ratios = {f"weight {index}": np.full(3, 1e-3) for index in range(12)}
    display = UpdateRatioDisplay(np.arange(3), ratios).plot()
    looks = {(line.get_color(), line.get_linestyle()) for line in display.lines_}
    assert len(looks) == 12
    assert_legend_leaves_data_in_sight(display)
