"""BigramDisplay: the table of lecture 1, readable, for any alphabet."""

import sys
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from estimators import CLASSES, ESTIMATORS, over
from matplotlib import pyplot
from matplotlib.colors import to_rgb
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_makemore import BigramCounter, NGramCounter
from sklearn_makemore.inspection import BigramDisplay
from sklearn_makemore.inspection._symbols import chosen_ids, symbol_marks


@pytest.fixture(autouse=True)
def no_windows():
    yield
    pyplot.close("all")


def written(display):
    """What is in the cells, by pair of symbols."""
    return {
        (row, column): display.text_[i, j].get_text().split("\n")
        for i, row in enumerate(display.symbols)
        for j, column in enumerate(display.symbols)
    }


def test_cells_say_what_plain_counting_finds(words, fit_once):
    display = BigramDisplay.from_estimator(fit_once(ESTIMATORS["bigram"], words))
    pairs = Counter(pair for word in words for pair in pairwise(["", *word, ""]))
    texts = written(display)
    assert len(texts) == len(display.symbols) ** 2
    for (one, other), (pair, count) in texts.items():
        assert pair == (one or ".") + (other or ".")
        assert (
            int(count)
            == pairs[one, other]
            == display.im_.get_array()[
                display.symbols.index(one), display.symbols.index(other)
            ]
        )
    marks = [text.get_text() for text in display.ax_.get_xticklabels()]
    assert marks == [".", *display.symbols[1:]]
    assert display.ax_.get_xlabel() == "next character"
    assert display.ax_.get_ylabel() == "character"
    assert display.colorbar_ is None


@pytest.mark.slow
@pytest.mark.parametrize("inches", [None, 7])
def test_what_is_written_has_room_in_its_cell(inches, words, fit_once):
    ax = inches and pyplot.subplots(figsize=(inches, inches))[1]
    model = fit_once(ESTIMATORS["bigram"], words)
    display = BigramDisplay.from_estimator(model, values="proba", ax=ax)
    display.figure_.canvas.draw()
    to_pixels = display.ax_.transData.transform
    cell = abs(to_pixels([1, 1]) - to_pixels([0, 0]))
    for text in display.text_.flat:
        box = text.get_window_extent()
        assert box.width < cell[0] and box.height < cell[1]
        assert text.get_fontsize() == 8 if inches is None else text.get_fontsize() >= 4


@over(ESTIMATORS)
def test_probabilities_of_every_model(estimator, words, fit_once):
    model = fit_once(estimator, words)
    display = BigramDisplay.from_estimator(model, values="proba", include_values=False)
    assert display.name == display.colorbar_.ax.get_ylabel() == "probability"
    np.testing.assert_allclose(display.table.sum(axis=1), 1, atol=1e-6)
    row = display.symbols.index("a")
    # Networks round otherwise in other batches.
    for index, prefix in (row, "a"), (0, ""):
        expected = model.predict_proba([prefix])[0]
        np.testing.assert_allclose(display.table[index], expected, rtol=1e-4)


def test_counts_and_probabilities_where_there_are_both(words, fit_once):
    bigram = fit_once(ESTIMATORS["bigram"], words)
    assert BigramDisplay.from_estimator(bigram).name == "count"
    proba = BigramDisplay.from_estimator(bigram, values="proba").table
    np.testing.assert_allclose(proba, np.exp(bigram.log_proba_))
    vowels = BigramDisplay.from_estimator(bigram, values="proba", characters="aeiou")
    row, column = (vowels.symbols.index(symbol) for symbol in "ai")
    value = vowels.table[row, column]
    assert written(vowels)["a", "i"] == ["ai", f"{value:.3f}"]
    other = fit_once(ESTIMATORS["kneser-ney-3"], words)
    assert BigramDisplay.from_estimator(other).name == "probability"
    with pytest.raises(ValueError, match="NGramCounter has probabilities"):
        BigramDisplay.from_estimator(other, values="counts")
    with pytest.raises(ValueError, match="'values' parameter"):
        BigramDisplay.from_estimator(bigram, values="count")


def test_characters_can_be_chosen(words, fit_once):
    model = fit_once(ESTIMATORS["bigram"], words)
    for characters in "nae", ["n", "a", "e"], np.array(["n", "a", "e"]):
        display = BigramDisplay.from_estimator(model, characters=characters)
        assert display.symbols == ["", "n", "a", "e"]
    ids = [model.symbols_.index(symbol) for symbol in display.symbols]
    for i, one in enumerate(ids):
        for j, other in enumerate(ids):
            assert display.table[i, j] == model.counts_[one, other]
    assert chosen_ids(model.symbols_, "aba") == chosen_ids(model.symbols_, "ab")
    with pytest.raises(ValueError, match=r"\['A'\], which the model does not know"):
        BigramDisplay.from_estimator(model, characters="aA")


def test_odd_characters_are_written_as_they_can_be():
    model = BigramCounter(handle_unknown="unk").fit(["$$", "a.b", "\n \t", "?e\u0301"])
    display = BigramDisplay.from_estimator(model)
    marks = dict(zip(display.symbols, symbol_marks(display.symbols), strict=True))
    assert marks[""] == "|" and marks["<unk>"] == "¿"  # "." and "?" are characters
    assert (marks["\n"], marks["\t"], marks[" "]) == (r"\n", r"\t", "␣")
    assert marks["$"] == "$" and marks["."] == "."
    assert len(set(marks.values())) == len(marks)
    assert written(display)["$", "$"] == ["$$", "1"]
    display.figure_.canvas.draw()  # "$$" is no formula
    unknown = BigramDisplay.from_estimator(model, values="proba").table[-1]
    np.testing.assert_allclose(unknown, model.predict_proba(["é"])[0])


@pytest.mark.parametrize("n_characters", [59, 300])
def test_a_large_alphabet_stays_sane(n_characters):
    alphabet = [chr(0x100 + i) for i in range(n_characters)]
    model = BigramCounter(alphabet=alphabet).fit(["".join(alphabet)])
    display = BigramDisplay.from_estimator(model)
    assert display.text_ is None
    assert display.colorbar_.ax.get_ylabel() == "count"
    assert max(display.figure_.get_size_inches()) <= 13
    display.figure_.canvas.draw()
    boxes = [text.get_window_extent() for text in display.ax_.get_yticklabels()]
    assert len(boxes) > 40
    assert all(one.y0 >= other.y1 - 1 for one, other in pairwise(boxes))
    few = BigramDisplay.from_estimator(model, characters=alphabet[:10])
    assert few.text_.shape == (11, 11)


def test_values_are_written_if_they_are_asked_for():
    alphabet = [chr(0x100 + i) for i in range(41)]
    model = BigramCounter(alphabet=alphabet).fit(["".join(alphabet)])
    display = BigramDisplay.from_estimator(model, include_values=True)
    assert display.text_.shape == (42, 42)
    assert display.plot(include_values=False).text_ is None


def test_formats(words):
    model = BigramCounter().fit(words, sample_weight=np.full(len(words), 0.25))
    display = BigramDisplay.from_estimator(model)
    total = float(model.counts_[0].max())
    assert f"{total:.4g}" in {text[1] for text in written(display).values()}
    display.plot(values_format=".1f")
    assert f"{total:.1f}" in {text[1] for text in written(display).values()}


@pytest.mark.slow
@pytest.mark.parametrize("cmap", ["Blues", "viridis", "Greys_r"])
@pytest.mark.parametrize("norm", ["linear", "log"])
def test_text_stands_out_from_its_cell(cmap, norm, words, fit_once):
    model = fit_once(ESTIMATORS["bigram"], words)
    display = BigramDisplay.from_estimator(model, cmap=cmap, im_kw={"norm": norm})
    for (i, j), text in np.ndenumerate(display.text_):
        # A cell that the logarithm masks is clear, on white.
        red, green, blue, alpha = display.im_.to_rgba(display.im_.get_array())[i, j]
        cell = alpha * np.mean([red, green, blue]) + 1 - alpha
        assert abs(np.mean(to_rgb(text.get_color())) - cell) > 0.25


def test_plot_on_axes_that_are_given(words, fit_once):
    figure, (left, right) = pyplot.subplots(1, 2)
    model = fit_once(ESTIMATORS["bigram"], words)
    display = BigramDisplay.from_estimator(model, ax=right)
    assert display.ax_ is right and display.figure_ is figure
    assert display.text_ is None  # it would be too small to read
    assert not left.has_data()
    again = display.plot(
        left, include_values=True, text_kw={"size": 3, "c": "red"}, colorbar=True
    )
    assert again is display and display.ax_ is left
    assert display.text_[0, 0].get_fontsize() == 3
    assert display.text_[0, 0].get_color() == "red"
    assert display.colorbar_ is not None
    figure.canvas.draw()


@over(CLASSES)
def test_what_cannot_be_drawn(estimator, words):
    with pytest.raises(NotFittedError):
        BigramDisplay.from_estimator(clone(estimator))
    with pytest.raises(TypeError, match="the class .* instead of an instance"):
        BigramDisplay.from_estimator(type(estimator))
    with pytest.raises(TypeError, match="got a LogisticRegression"):
        BigramDisplay.from_estimator(LogisticRegression())
    with pytest.raises(TypeError, match=r"got a Pipeline: give its `\[-1\]`"):
        BigramDisplay.from_estimator(make_pipeline(NGramCounter()))


def test_without_matplotlib(words, fit_once, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"BigramDisplay.plot needs .*makemore\[plot"):
        BigramDisplay.from_estimator(fit_once(ESTIMATORS["bigram"], words))


def test_names_of_the_axes_are_within_the_figure():
    letters = [chr(0x430 + i) for i in range(50)]
    display = BigramDisplay.from_estimator(BigramCounter().fit(letters), colorbar=True)
    figure = display.figure_
    figure.canvas.draw()
    axes = display.ax_, display.colorbar_.ax
    for text in (label for ax in axes for label in (ax.xaxis.label, ax.yaxis.label)):
        box = text.get_window_extent()
        assert 0 <= box.x0 <= box.x1 <= figure.bbox.width
        assert 0 <= box.y0 <= box.y1 <= figure.bbox.height
