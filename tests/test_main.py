"""`python -m sklearn_makemore` compares the models and makes new names."""

import itertools
import re
import runpy

import pytest
from sklearn.model_selection import train_test_split
from sklearn.utils import Bunch

from sklearn_makemore import BigramCounter, NGramCounter, datasets

MODELS = ["BigramCounter", "NGramCounter", "MLPCharLM", "WaveNetCharLM"]


@pytest.fixture(scope="module")
def few_names():
    """Most of the names that three of four letters make, some of them twice."""
    names = ["".join(letters) for letters in itertools.product("abcd", repeat=3)]
    return names[:20] + names[30:] + names[:9]


def test_main_compares_all_models(few_names, monkeypatch, capsys):
    monkeypatch.setattr(datasets, "load_names", lambda: Bunch(data=few_names))
    runpy.run_module("sklearn_makemore", run_name="__main__")
    shown = capsys.readouterr().out
    # Each name is on one side of the split only: there are 54, of which a tenth is 6.
    assert "48 names to learn from, 6 to validate on" in shown

    rows = re.findall(r"^(\w+) +(\d\.\d{4}) +(\d+\.\d+)$", shown, re.M)
    assert [name for name, _, _ in rows] == MODELS
    nll = {name: float(value) for name, value, _ in rows}
    distinct = list(dict.fromkeys(few_names))
    train, validation = train_test_split(distinct, test_size=0.1, random_state=0)
    for counter in (BigramCounter(), NGramCounter()):
        value = counter.fit(train).nll(validation)
        assert nll[type(counter).__name__] == pytest.approx(value, abs=1e-4)
    assert all(0.9 < value < 2 for value in nll.values())  # log(64) / 4 is 1.04

    heading, *new = shown.split("\n\n")[-1].splitlines()
    assert heading == f"New names from {min(nll, key=nll.get)}:"
    new = [name.strip() for name in new]
    assert len(new) == len(set(new)) == 10
    assert set("".join(new)) == set("abcd")
    assert not set(new) & set(few_names)
