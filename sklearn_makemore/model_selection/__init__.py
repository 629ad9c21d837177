"""Choosing a model: splits of words, and a test of learning rates."""

from importlib import import_module
from typing import TYPE_CHECKING

from ._split import train_dev_test_split

if TYPE_CHECKING:
    from ._lr_range import lr_range_test

__all__ = ["lr_range_test", "train_dev_test_split"]

# It needs torch, which takes seconds to import; the split does not.
_IMPORTED_LATE = {"lr_range_test": "._lr_range"}


def __getattr__(name):
    if name not in _IMPORTED_LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = getattr(import_module(_IMPORTED_LATE[name], __name__), name)
    return globals()[name]


def __dir__():
    return list(__all__)
