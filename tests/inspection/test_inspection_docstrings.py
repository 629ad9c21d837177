"""Docstrings of displays are complete where displays share their descriptions."""

import inspect

import pytest
from numpydoc.docscrape import ClassDoc, FunctionDoc

from sklearn_makemore import inspection

DISPLAYS = [
    getattr(inspection, name) for name in inspection.__all__ if "Display" in name
]


def names_in(entries):
    return [name for entry in entries for name in entry.name.split(", ")]


@pytest.mark.parametrize("display", DISPLAYS)
def test_each_drawn_attribute_is_described_once(display):
    annotated = {
        name for base in display.__mro__ for name in inspect.get_annotations(base)
    }
    drawn = {name for name in annotated if name.endswith("_") and name[0] != "_"}
    assert sorted(names_in(ClassDoc(display)["Attributes"])) == sorted(drawn)
    assert "`from_estimator`" in display.__doc__


@pytest.mark.parametrize("display", DISPLAYS)
def test_each_parameter_is_described_once_and_in_order(display):
    for method in display.from_estimator, display.plot:
        document = FunctionDoc(method)
        parameters = list(inspect.signature(method).parameters)
        described = names_in(document["Parameters"])
        assert described == [name for name in parameters if name != "self"]
        assert document["Returns"][0].type in {display.__name__, "object"}
