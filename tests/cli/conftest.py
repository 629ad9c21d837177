"""Fixtures that run commands in this process."""

import io
import sys

import pytest

from sklearn_makemore import NGramCounter, cli, save


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """Return a function that runs a command in an empty folder.

    It returns the exit code, the lines printed and those of errors.
    """
    monkeypatch.chdir(tmp_path)

    def run(*arguments, stdin=b""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = cli.main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert "\x1b" not in out + err
        assert "Traceback" not in err
        return code, out.splitlines(), err.splitlines()

    return run


@pytest.fixture
def files(words, tmp_path):
    """A folder with a list of words, and a model fitted on them."""
    (tmp_path / "words.txt").write_text("\n".join(words), encoding="utf-8")
    save(NGramCounter(order=4).fit(words), tmp_path / "words.model")
    return tmp_path
