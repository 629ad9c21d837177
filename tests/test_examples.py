"""Every example runs from top to bottom, without a warning, and draws something."""

import runpy
from pathlib import Path

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


def test_there_are_examples():
    assert EXAMPLES


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example(path, no_windows, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(path), run_name="__main__")
    assert pyplot.get_fignums()
