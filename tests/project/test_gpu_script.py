"""The script that compares networks on a GPU runs on the CPU, where nothing differs."""

import re
import sys
from importlib import import_module
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "docs" / "benchmarks"


@pytest.fixture
def gpu(monkeypatch):
    """Return the script as a module."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from sklearn_makemore._training import checkpoint

    monkeypatch.setattr(checkpoint, "WRITING_SHARE", checkpoint.WRITING_SHARE)
    yield import_module("gpu")
    for name in "gpu", "report":
        sys.modules.pop(name)


def test_on_the_cpu_no_figure_differs(gpu, capsys):
    assert gpu.main(["--device", "cpu", "--quick", "--only", "BoWCharLM"]) is False
    shown = capsys.readouterr().out
    assert re.search(r"\| BoWCharLM\(\) (\| 0 ){5}\| yes \|", shown)
    assert re.search(r"\| BoWCharLM\(\) (\| [\d.e-]+ ){9}\|", shown)


def test_a_difference_above_its_bound_is_reported(gpu):
    result = gpu.Comparison("x", dict.fromkeys(gpu.BOUNDS, 0.0))
    assert result.is_met
    result.differences["trained"] = 1.0
    assert not result.is_met
