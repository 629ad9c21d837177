"""EmbeddingDisplay: coordinates, labels that can be read, colours of groups."""

import numpy as np
import pytest
from estimators import NETS, over
from matplotlib import pyplot
from matplotlib.colors import to_rgba
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from sklearn_makemore import BigramCounter, MLPCharLM
from sklearn_makemore.inspection import EmbeddingDisplay
from sklearn_makemore.inspection._embedding import spread_apart, two_coordinates

QUICK = {"n_hidden": 4, "max_epochs": 1, "random_state": 0}


@pytest.fixture(autouse=True)
def no_windows():
    yield
    pyplot.close("all")


def weights_of(model):
    return model.net_.module_.embedding.weight.detach().double().numpy()


def label_boxes(display):
    display.figure_.canvas.draw()
    return [text.get_bbox_patch().get_window_extent() for text in display.text_]


@over(NETS)
def test_every_network_can_be_looked_at(estimator, words, fit_once):
    model = fit_once(estimator, words)
    display = EmbeddingDisplay.from_estimator(model)
    assert display.coordinates.shape == (len(model.symbols_), 2)
    assert [text.get_text() for text in display.text_] == [".", *model.symbols_[1:]]
    assert display.ax_.get_xlabel() and display.ax_.get_ylabel()
    np.testing.assert_array_equal(
        [text.xy for text in display.text_], display.coordinates
    )


@pytest.mark.parametrize("n_embd", [1, 2])
def test_few_channels_are_drawn_as_they_are(n_embd, words):
    model = MLPCharLM(n_embd=n_embd, **QUICK).fit(words)
    display = EmbeddingDisplay.from_estimator(model)
    expected = np.zeros((len(model.symbols_), 2))
    expected[:, :n_embd] = weights_of(model)
    np.testing.assert_array_equal(display.coordinates, expected)
    assert display.explained_variance_ratio is None
    assert display.ax_.get_xlabel() == "channel 1"


def test_principal_components_are_those_of_the_textbook(words):
    model = MLPCharLM(n_embd=5, **QUICK).fit(words)
    display = EmbeddingDisplay.from_estimator(model)
    weights = weights_of(model)
    variances, axes = np.linalg.eigh(np.cov(weights.T))
    order = np.argsort(variances)[::-1][:2]
    expected = (weights - weights.mean(axis=0)) @ axes[:, order]
    np.testing.assert_allclose(abs(display.coordinates), abs(expected), atol=1e-10)
    shares = variances[order] / variances.sum()
    np.testing.assert_allclose(display.explained_variance_ratio, shares)
    assert f"{shares[0]:.0%}" in display.ax_.get_xlabel()
    assert f"{shares[1]:.0%}" in display.ax_.get_ylabel()


def test_characters_can_be_chosen(words):
    model = MLPCharLM(n_embd=3, handle_unknown="unk", **QUICK).fit(words)
    display = EmbeddingDisplay.from_estimator(model, characters="zea")
    assert display.symbols == ["", "z", "e", "a"]
    ids = [model.symbols_.index(symbol) for symbol in display.symbols]
    coordinates, shares = two_coordinates(weights_of(model)[ids])
    np.testing.assert_array_equal(display.coordinates, coordinates)
    with pytest.raises(ValueError, match=r"\['é'\].*does not know"):
        EmbeddingDisplay.from_estimator(model, characters="aé")
    everything = EmbeddingDisplay.from_estimator(model)
    assert everything.text_[-1].get_text() == "?"


def test_groups_have_colours(words, fit_once):
    model = fit_once(NETS["mlp"], words)
    groups = {"vowels": "aeiouáé", "others of note": "zv"}
    display = EmbeddingDisplay.from_estimator(model, groups=groups)
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend == ["vowels", "others of note", "others"]
    colors = {
        symbol: tuple(text.get_bbox_patch().get_edgecolor())
        for symbol, text in zip(display.symbols, display.text_, strict=True)
    }
    assert colors["a"] == colors["u"] == to_rgba("C0")
    assert colors["v"] == colors["z"] == to_rgba("C1")
    assert colors["b"] == colors[""] == to_rgba("0.55")
    for name, points in zip([*"avb"], display.scatter_, strict=True):
        assert tuple(points.get_facecolor()[0]) == colors[name]
    assert sum(len(p.get_offsets()) for p in display.scatter_) == len(model.symbols_)
    assert EmbeddingDisplay.from_estimator(model).ax_.get_legend() is None
    absent = EmbeddingDisplay.from_estimator(model, groups={"Cyrillic": "жш"})
    assert absent.ax_.get_legend() is None
    with pytest.raises(TypeError, match="must be a dict.*'aeiou'"):
        EmbeddingDisplay.from_estimator(model, groups=["aeiou"])


def test_the_boundary_alone(words, fit_once):
    model = fit_once(NETS["mlp"], words)
    display = EmbeddingDisplay.from_estimator(model, characters="")
    assert display.coordinates.tolist() == [[0, 0]]
    with pytest.raises(ValueError, match="'a' is in the groups 'one' and 'two'"):
        display.plot(groups={"one": "ab", "two": "ca"})


@pytest.mark.parametrize("spread", [1.0, 1e-3])
def test_labels_do_not_cover_each_other(spread):
    coordinates = np.random.default_rng(0).normal(size=(27, 2))
    coordinates[:20] *= spread  # most in one spot
    display = EmbeddingDisplay(coordinates, [""] + [chr(97 + i) for i in range(26)])
    boxes = label_boxes(display.plot())
    for i, one in enumerate(boxes):
        for other in boxes[:i]:
            width = min(one.x1, other.x1) - max(one.x0, other.x0)
            height = min(one.y1, other.y1) - max(one.y0, other.y0)
            assert min(width, height) < 0.3 * one.width  # circles in boxes


def test_points_far_enough_stay_and_others_part():
    points = np.array([[0.0, 0.0], [100.0, 0.0], [100.0, 0.0], [103.0, 4.0]])
    moved = spread_apart(points, 10.0)
    np.testing.assert_allclose(moved[0], points[0], atol=0.1)
    gaps = np.linalg.norm(moved[:, None] - moved[None], axis=2)[np.triu_indices(4, 1)]
    assert gaps.min() > 9.8
    assert np.abs(moved - points).max() < 20
    assert spread_apart(np.zeros((1, 2)), 10.0).shape == (1, 2)


def test_plot_on_axes_that_are_given(words, fit_once):
    figure, (left, right) = pyplot.subplots(1, 2)
    model = fit_once(NETS["mlp"], words)
    display = EmbeddingDisplay.from_estimator(
        model, ax=right, scatter_kw={"c": "red", "s": 3}, text_kw={"size": 7}
    )
    assert display.ax_ is right and display.figure_ is figure
    assert not left.has_data()
    assert display.text_[0].get_fontsize() == 7
    assert tuple(display.scatter_[0].get_facecolor()[0]) == to_rgba("red")
    again = display.plot(left)
    assert again is display and display.ax_ is left
    figure.canvas.draw()


def test_a_large_alphabet_stays_sane():
    symbols = [""] + [chr(0x100 + i) for i in range(600)]
    coordinates = np.random.default_rng(0).normal(size=(601, 2))
    display = EmbeddingDisplay(coordinates, symbols).plot()
    assert len(display.text_) == 601


def test_what_cannot_be_drawn(words):
    for counter in BigramCounter(), BigramCounter().fit(words):
        with pytest.raises(TypeError, match="network such as MLPCharLM.*BigramCounter"):
            EmbeddingDisplay.from_estimator(counter)
    with pytest.raises(NotFittedError):
        EmbeddingDisplay.from_estimator(clone(NETS["mlp"]))
    with pytest.raises(TypeError, match="the class MLPCharLM instead of an instance"):
        EmbeddingDisplay.from_estimator(MLPCharLM)
