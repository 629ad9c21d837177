"""Choosing a model: splits of words, and a test of learning rates."""

from typing import TYPE_CHECKING

from ._split import train_dev_test_split

if TYPE_CHECKING:
    from ._lr_range import lr_range_test

__all__ = ["lr_range_test", "train_dev_test_split"]


def __getattr__(name):
    if name != "lr_range_test":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # It needs torch, which takes seconds to import.
    from ._lr_range import lr_range_test

    return lr_range_test


def __dir__():
    return list(__all__)
