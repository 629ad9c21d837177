"""What is new in sampled words: the arithmetic, the method, the picture."""

from collections import Counter
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from estimators import CLASSES, TINY_WORDS, over
from matplotlib import pyplot
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression

from sklearn_makemore import BigramCounter
from sklearn_makemore._generation.novelty import novelty_of
from sklearn_makemore.inspection import NoveltyDisplay, NoveltyReport


@pytest.fixture(autouse=True)
def no_windows():
    yield
    pyplot.close("all")


def random_words(rng, n_words):
    return ["".join(rng.choice(list("ab"), rng.randint(5))) for _ in range(n_words)]


@pytest.mark.parametrize("seed", range(20))
def test_shares_are_those_of_plain_counting(seed):
    rng = np.random.RandomState(seed)
    samples, words = (random_words(rng, rng.randint(1, 60)) for _ in range(2))
    report = novelty_of(samples, words)
    n = report.n_samples
    assert n == len(samples)
    new = [word for word in dict.fromkeys(samples) if word not in words]
    assert list(report.novel_words) == new
    assert report.novel_share == len(new) / n
    assert report.known_share == sum(word in words for word in samples) / n
    assert report.distinct_share == len(set(samples)) / n
    longest = max(map(len, samples + words))
    of_samples, of_words = (Counter(map(len, some)) for some in (samples, words))
    expected = np.array([of_samples[k] / n for k in range(longest + 1)])
    np.testing.assert_allclose(report.sample_lengths, expected)
    of_training = np.array([of_words[k] / len(words) for k in range(longest + 1)])
    np.testing.assert_allclose(report.train_lengths, of_training)
    # Total variation: the largest difference of any set of lengths.
    distance = np.maximum(expected - of_training, 0).sum()
    assert report.length_distance == pytest.approx(distance, abs=1e-12)
    shares = report.lengths_by_kind.sum(axis=1)
    repeated = 1 - report.novel_share - report.known_share
    np.testing.assert_allclose(
        shares, [report.novel_share, report.known_share, repeated], atol=1e-12
    )


def test_extremes():
    same = novelty_of(["ab", "ba"], ["ba", "ab"])
    assert "<th>n_samples<td>2<tr><th>known_share<td>1.000<tr>" in same._repr_html_()
    assert (same.known_share, same.novel_share, same.length_distance) == (1, 0, 0)
    other = novelty_of(["abc"] * 4, ["ab", ""])
    assert (other.known_share, other.novel_share, other.length_distance) == (0, 0.25, 1)
    assert other.distinct_share == 0.25 and other.novel_words == ("abc",)
    assert "novel_share=0.25" in repr(other) and "abc" not in repr(other)
    with pytest.raises(FrozenInstanceError):
        other.n_samples = 3


@over(CLASSES)
def test_a_model_reports_on_what_it_samples(estimator, fit_once):
    model = fit_once(estimator, TINY_WORDS)
    options = {"temperature": 0.7, "prefix": "a", "max_length": 9}
    report = model.novelty_report(np.array(TINY_WORDS), 80, random_state=3, **options)
    assert isinstance(report, NoveltyReport)
    samples = model.sample(80, random_state=3, **options)
    expected = novelty_of(samples, TINY_WORDS)
    assert repr(report) == repr(expected)
    assert report.novel_words == expected.novel_words
    new = model.novelty_report(
        TINY_WORDS, 30, unique=True, exclude=TINY_WORDS, random_state=0
    )
    assert new.novel_share == new.distinct_share == 1 and new.known_share == 0
    assert len(new.novel_words) == 30
    assert model.novelty_report(TINY_WORDS).n_samples == 1000


def test_what_cannot_be_reported_on():
    model = BigramCounter().fit(["ab"])
    with pytest.raises(ValueError, match="single string"):
        model.novelty_report("ab")
    with pytest.raises(ValueError, match="'temperature' parameter"):
        model.novelty_report(["ab"], temperature=-1)
    with pytest.raises(TypeError, match="unexpected keyword argument 'heat'"):
        model.novelty_report(["ab"], heat=1)
    with (
        pytest.warns(UserWarning, match="Found 0 of 1000"),
        pytest.raises(ValueError, match="No word could be sampled .*'max_length': 0"),
    ):
        model.novelty_report(["ab"], max_length=0, exclude=[""])
    with pytest.warns(UserWarning, match="Found 1 of 7"):
        report = model.novelty_report(["ab"], 7, max_length=0, unique=True)
    assert report.n_samples == 1


def test_the_picture_has_the_numbers_of_the_report(words, fit_once):
    model = fit_once(CLASSES["bigram"], words)
    display = NoveltyDisplay.from_estimator(
        model, words, 300, random_state=0, sample_options={"prefix": "a"}
    )
    report = model.novelty_report(words, 300, random_state=0, prefix="a")
    assert repr(display.report) == repr(report)
    assert report.novel_share + report.known_share < 1 and report.known_share > 0
    n_lengths = len(display.line_.get_xdata())
    assert report.sample_lengths[n_lengths:].sum() < 0.005
    tops = np.zeros(n_lengths)
    for patch, shares in zip(display.stairs_, report.lengths_by_kind, strict=True):
        upper, edges, lower = patch.get_data()
        np.testing.assert_array_equal(edges, np.arange(n_lengths + 1) - 0.5)
        np.testing.assert_allclose(lower, tops)
        np.testing.assert_allclose(upper - lower, shares[:n_lengths], atol=1e-12)
        tops += shares[:n_lengths]
    np.testing.assert_allclose(tops, report.sample_lengths[:n_lengths])
    np.testing.assert_array_equal(
        display.line_.get_xydata().T,
        [np.arange(n_lengths), report.train_lengths[:n_lengths]],
    )
    legend = display.ax_.get_legend()
    assert legend.get_title().get_text() == (
        f"300 samples, {report.distinct_share:.1%} distinct"
    )
    told = [text.get_text() for text in legend.get_texts()]
    repeated = 1 - report.novel_share - report.known_share
    shares = report.novel_share, report.known_share, repeated
    for text, share in zip(told, [*shares, None], strict=True):
        assert share is None or text.endswith(f": {share:.1%}")
    assert display.ax_.get_xlabel() and display.ax_.get_ylabel()
    # The legend covers nothing.
    display.figure_.canvas.draw()
    to_data = display.ax_.transData.inverted().transform
    lowest = to_data(legend.get_window_extent().get_points())[0, 1]
    assert lowest > max(tops.max(), report.train_lengths.max())


def test_one_long_sample_does_not_stretch_the_axis():
    report = novelty_of(["ab"] * 998 + ["abcd", "x" * 5000], ["ab", "abcde"])
    display = NoveltyDisplay.from_report(report)
    assert 5 < display.ax_.get_xlim()[1] < 6
    longer = novelty_of(["ab"] * 98 + ["abcdefg"] * 2, ["ab", "abcde"])
    assert 7 < NoveltyDisplay.from_report(longer).ax_.get_xlim()[1] < 8
    figure, ax = pyplot.subplots()
    again = display.plot(ax, stairs_kw={"fc": "red"}, line_kw={"c": "blue"})
    assert again is display and display.ax_ is ax and display.figure_ is figure
    assert display.line_.get_color() == "blue"
    assert display.stairs_[0].get_facecolor() == (1, 0, 0, 1)
    assert not any("-" in text.get_text() for text in ax.get_legend().get_texts())


def test_what_cannot_be_plotted():
    with pytest.raises(NotFittedError):
        NoveltyDisplay.from_estimator(clone(CLASSES["bigram"]), ["ab"])
    with pytest.raises(TypeError, match="NoveltyDisplay.*got a LogisticRegression"):
        NoveltyDisplay.from_estimator(LogisticRegression(), ["ab"])
