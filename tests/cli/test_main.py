"""`python -m sklearn_makemore` is the command line."""

import runpy
import sys

import pytest


@pytest.mark.parametrize(("arguments", "code"), [(["--version"], 0), (["learn"], 2)])
def test_the_package_runs_as_the_command_line(arguments, code, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["__main__.py", *arguments])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("sklearn_makemore", run_name="__main__")
    assert ended.value.code == code
    captured = capsys.readouterr()
    assert (captured.out + captured.err).startswith("sklearn-makemore")
