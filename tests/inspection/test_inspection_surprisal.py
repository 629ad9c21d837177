"""SurprisalDisplay: every character in the colour of its surprise, and the end."""

import numpy as np
import pytest
from estimators import CLASSES, over
from matplotlib import pyplot
from matplotlib.colors import to_rgb
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression

from sklearn_makemore import BigramCounter
from sklearn_makemore.inspection import SurprisalDisplay

ASKED = ["olivia", "", "xyz", "emma"]


@pytest.fixture(autouse=True)
def no_windows():
    yield
    pyplot.close("all")


def written(display):
    return [[text.get_text() for text in row] for row in display.text_]


@over(CLASSES)
def test_cells_have_the_characters_and_their_surprise(estimator, words, fit_once):
    model = fit_once(estimator, words)
    display = SurprisalDisplay.from_estimator(model, np.array(ASKED))
    assert written(display) == [[*word, "."] for word in ASKED]
    table = display.im_.get_array()
    assert table.shape == (4, 7)
    totals = [label.get_text() for label in display.ax_.get_yticklabels()]
    scores = model.score_samples(ASKED)
    for row, word in enumerate(ASKED):
        proba = model.predict_proba([word[:end] for end in range(len(word) + 1)])
        symbols = [model.symbols_.index(symbol) for symbol in [*word, ""]]
        expected = -np.log(proba[range(len(symbols)), symbols])
        np.testing.assert_allclose(table[row, : len(symbols)], expected, atol=1e-4)
        assert table.mask[row].tolist() == [False] * len(symbols) + [True] * (
            7 - len(symbols)
        )
        assert float(totals[row]) == pytest.approx(-scores[row], abs=0.051)
        for column, text in enumerate(display.text_[row]):
            assert text.get_position() == (column, row)
    assert display.im_.get_clim() == (0, table.max())
    assert display.colorbar_.ax.get_ylabel() == "surprise (nats)"
    assert display.ax_.get_xlabel() == "characters, and the end as '.'"


@pytest.mark.parametrize("asked", [["wm"], ["wolfgang", "xyxyxyxyxyxyxy", "wm"]])
@pytest.mark.parametrize("include_values", [False, True])
def test_what_is_written_has_room_and_stands_out(
    asked, include_values, words, fit_once
):
    model = fit_once(CLASSES["bigram"], words)
    display = SurprisalDisplay.from_estimator(
        model, asked, include_values=include_values
    )
    display.figure_.canvas.draw()
    if include_values:
        assert written(display)[-1][0] == f"w\n{display.surprisal[-1][0]:.1f}"
    cell = abs(
        display.ax_.transData.transform([1, 1])
        - display.ax_.transData.transform([0, 0])
    )
    colors = display.im_.to_rgba(display.im_.get_array())
    for row, texts in enumerate(display.text_):
        for column, text in enumerate(texts):
            box = text.get_window_extent()
            assert box.width < cell[0] and box.height < cell[1]
            background = np.mean(colors[row, column, :3])
            assert abs(np.mean(to_rgb(text.get_color())) - background) > 0.25
    labels = display.ax_.yaxis.label, display.ax_.xaxis.label
    for label in (*labels, display.colorbar_.ax.yaxis.label):
        box = label.get_window_extent()
        assert 0 <= box.x0 <= box.x1 <= display.figure_.bbox.width
        assert 0 <= box.y0 <= box.y1 <= display.figure_.bbox.height


def test_what_is_impossible_has_the_largest_colour():
    model = BigramCounter(smoothing=0, handle_unknown="unk").fit(["$b", "$c", " \n"])
    display = SurprisalDisplay.from_estimator(model, ["$b", "b$", "é", " \n"])
    assert written(display)[:2] == [["$", "b", "."], ["b", "$", "."]]
    assert written(display)[2:] == [["é", "."], ["␣", r"\n", "."]]
    table = display.im_.get_array()
    assert np.isinf(display.surprisal[1][0])
    assert table[1, 0] == table.max() == display.im_.get_clim()[1] == np.log(7)
    assert [text.get_text() for text in display.ax_.get_yticklabels()][1] == "inf"
    display.figure_.canvas.draw()
    certain = SurprisalDisplay(["."], [np.zeros(2)]).plot()
    assert written(certain) == [[".", "|"]]  # the end is told from a character
    assert certain.im_.get_clim() == (0, 1)


def test_many_or_long_words_stay_sane():
    model = BigramCounter().fit(["wolfgang"])
    display = SurprisalDisplay.from_estimator(model, ["wolfgang" * 100] * 3)
    assert display.text_ is None and max(display.figure_.get_size_inches()) <= 14
    display.figure_.canvas.draw()
    display = SurprisalDisplay.from_estimator(model, ["wolf"] * 300)
    display.figure_.canvas.draw()
    boxes = [text.get_window_extent() for text in display.ax_.get_yticklabels()]
    assert len(boxes) > 20
    assert all(a.y0 >= b.y1 - 1 for a, b in zip(boxes, boxes[1:], strict=False))


def test_plot_on_axes_that_are_given(words, fit_once):
    figure, (left, right) = pyplot.subplots(1, 2)
    model = fit_once(CLASSES["bigram"], words)
    display = SurprisalDisplay.from_estimator(model, ASKED, ax=right, colorbar=False)
    assert display.ax_ is right and display.figure_ is figure
    assert display.colorbar_ is None and not left.has_data()
    again = display.plot(
        left,
        include_values=True,
        values_format=".3f",
        im_kw={"vmax": 3, "cmap": "Greys"},
        text_kw={"size": 5, "c": "red"},
    )
    assert again is display and display.ax_ is left
    assert display.im_.get_clim() == (0, 3)
    text = display.text_[0][0]
    assert text.get_text() == f"o\n{display.surprisal[0][0]:.3f}"
    assert text.get_fontsize() == 5 and text.get_color() == "red"
    display.plot(im_kw={"norm": "log"}).figure_.canvas.draw()


def test_what_cannot_be_drawn(words):
    with pytest.raises(NotFittedError):
        SurprisalDisplay.from_estimator(clone(CLASSES["bigram"]), ["ab"])
    with pytest.raises(TypeError, match="SurprisalDisplay.*got a LogisticRegression"):
        SurprisalDisplay.from_estimator(LogisticRegression(), ["ab"])
    model = BigramCounter().fit(["wolfgang"])
    with pytest.raises(ValueError, match="single string"):
        SurprisalDisplay.from_estimator(model, "wolf")
    with pytest.raises(ValueError, match="'q'.*alphabet"):
        SurprisalDisplay.from_estimator(model, ["wolf", "q"])
