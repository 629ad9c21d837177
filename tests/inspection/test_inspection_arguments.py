"""Displays refuse values that no plot can use, and name the parameter."""

import inspect

import pytest

from sklearn_makemore import inspection
from sklearn_makemore.inspection._base import DRAWING

DISPLAYS = [
    getattr(inspection, name) for name in inspection.__all__ if "Display" in name
]
NAMES = "from_estimator", "from_report", "plot"


@pytest.mark.parametrize("display", DISPLAYS)
def test_wrong_values_are_named(display):
    made = display.__new__(display)  # drawing would need what it shows
    for method in (getattr(made, name) for name in NAMES if hasattr(made, name)):
        names = DRAWING.keys() & inspect.signature(method).parameters
        assert names or method.__name__ == "from_report"
        for name in names:
            with pytest.raises(ValueError, match=f"The '{name}' parameter of"):
                method(**{name: object()})
