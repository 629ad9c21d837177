"""Every example runs without a warning, draws what can be read, and keeps its word."""

import runpy
from pathlib import Path

import numpy as np
import pytest
from matplotlib import pyplot

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("plot_*.py"))


@pytest.fixture
def no_windows(monkeypatch):
    """Draw to memory alone, and close all figures in the end."""
    backend = pyplot.get_backend()
    pyplot.switch_backend("Agg")
    monkeypatch.setattr(pyplot, "show", lambda *args, **kwargs: None)
    yield
    pyplot.close("all")
    pyplot.switch_backend(backend)


def assert_can_be_read(figure):
    """Every plot has a title, names on its axes, and something between them."""
    assert figure.axes
    for ax in figure.axes:
        assert ax.get_title() and ax.get_xlabel() and ax.get_ylabel()
        drawn = [*ax.lines, *ax.collections, *ax.patches, *ax.images]
        assert drawn
        for line in ax.lines:
            assert np.isfinite(np.asarray(line.get_xydata(), dtype=float)).all()
    figure.canvas.draw()
    assert np.ptp(np.asarray(figure.canvas.buffer_rgba())) > 0


def quickstart(names):
    """Counting n-grams is as good as a network, on words neither has seen."""
    nll = dict(names["nll"])
    counted = nll.pop("NGramCounter")
    assert counted < nll.pop("BigramCounter")
    assert counted < min(nll.values()) + 0.05
    assert names["search"].best_score_ > -2.05


CLAIMS = {"plot_quickstart": quickstart}


def test_there_are_examples_and_each_claims_something():
    assert [path.stem for path in EXAMPLES] == sorted(CLAIMS)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example(path, no_windows, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = runpy.run_path(str(path), run_name="__main__")
    assert pyplot.get_fignums()
    for number in pyplot.get_fignums():
        assert_can_be_read(pyplot.figure(number))
    shown = capsys.readouterr().out
    assert shown and "nan" not in shown and "<" not in shown  # no repr of an object
    assert not list(tmp_path.iterdir())
    CLAIMS[path.stem](names)
