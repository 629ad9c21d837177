"""The API reference has all that is public, and estimators link to their pages."""

import importlib
import inspect
import pkgutil
import re
import runpy
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread
from sklearn.base import BaseEstimator

import sklearn_makemore

DOCS = Path(__file__).parents[2] / "docs"
# The command line is a page of the guide; `save` and `load` are at the top.
ELSEWHERE = {"cli", "persistence"}
MODULES = [
    module.name
    for module in pkgutil.iter_modules(sklearn_makemore.__path__)
    if module.name[0] != "_" and module.name not in ELSEWHERE
]


def listed():
    """Names in the tables of the API reference, each with a page of its own."""
    text = (DOCS / "api.rst").read_text(encoding="utf-8")
    tables = re.findall(
        r"^\.\. autosummary::\n(?:   :.*\n)+\n((?:   \w.*\n)+)", text, re.M
    )
    return [name for table in tables for name in table.split()]


def public():
    """Yield names as one writes them after `sklearn_makemore.`, with their objects."""
    for name in sklearn_makemore.__all__:
        if not inspect.ismodule(found := getattr(sklearn_makemore, name)):
            yield name, found
    for module in MODULES:
        found = importlib.import_module(f"sklearn_makemore.{module}")
        for name in found.__all__:
            yield f"{module}.{name}", getattr(found, name)


PUBLIC = dict(public())


def test_every_public_name_is_in_the_reference_once():
    assert sorted(listed()) == sorted(PUBLIC)
    assert {"modules", "inspection", "datasets"} <= set(MODULES)


@pytest.mark.parametrize(
    "estimator",
    [
        found
        for found in PUBLIC.values()
        if inspect.isclass(found) and issubclass(found, BaseEstimator)
    ],
)
def test_the_link_of_an_estimator_leads_to_its_page(estimator):
    pages = {f"sklearn_makemore.{name}.html" for name in listed()}
    made = object.__new__(estimator)
    assert made._get_doc_link().rpartition("/generated/")[2] in pages


@pytest.mark.slow
def test_the_picture_of_the_home_page_is_what_the_script_draws(tmp_path):
    runpy.run_path(str(DOCS / "home_picture.py"))["main"](tmp_path)
    for theme in "light", "dark":
        name = f"home-{theme}.png"
        drawn, kept = (imread(path / name) for path in (tmp_path, DOCS / "_static"))
        assert np.abs(drawn - kept).mean() < 1e-3


def test_dead_links_and_foreign_parts_are_found(tmp_path):
    check_links = runpy.run_path(str(DOCS / "check_links.py"))
    meta = f"<meta name='description' content='{'Sample words. ' * 3}'>"
    other = meta + "<a name='below'></a>"
    (tmp_path / "other.html").write_text(other, encoding="utf-8")
    good = meta + "<p id='here'><a href='#here'></a><a href='other.html#below'></a>"
    page = tmp_path / "index.html"
    page.write_text(good + "<a href='https://example.org'></a>", encoding="utf-8")
    assert not list(check_links["faults"](tmp_path))
    bad = "<a href='#there'></a><a href='gone.html'></a><img src='http://example.org'>"
    page.write_text(good + bad, encoding="utf-8")
    assert len(list(check_links["faults"](tmp_path))) == 3
    page.write_text(good.replace("description", "keywords"), encoding="utf-8")
    assert len(list(check_links["faults"](tmp_path))) == 1
