"""Lists of words to learn from: one shipped, one downloaded."""

from ._names import fetch_names, load_names

__all__ = ["fetch_names", "load_names"]
