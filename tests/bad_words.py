"""Arguments that are not words, the error that each raises, and its message."""

from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

BAD_WORDS = {
    "a word": ("emma", ValueError, r"single string 'emma'; pass \['emma'\]"),
    "path": (Path("a.txt"), ValueError, r"name of a file; pass read_words\('a.txt'\)"),
    "open file": (
        StringIO("emma"),
        TypeError,
        r"an open file; pass read_words\(path\)",
    ),
    "bytes": (b"emma", TypeError, "bytes; decode"),
    "list of bytes": ([b"emma"], TypeError, "index 0; decode"),
    "None": (None, TypeError, "got None"),
    "number": (3, TypeError, "got 3 of type int"),
    "list with None": (
        ["a", "b", None],
        ValueError,
        r"missing value \(None\) at index 2",
    ),
    "list with NaN": (["a", np.nan], ValueError, r"missing value \(nan\) at index 1"),
    "list with NA": ([pd.NA, "a"], ValueError, r"missing value \(<NA>\) at index 0"),
    "array with NaN": (
        np.array(["a", np.nan], dtype=object),
        ValueError,
        "missing value.*index 1",
    ),
    "Series with NA": (pd.Series(["a", None]), ValueError, "missing value.*index 1"),
    "polars with null": (pl.Series(["a", None]), ValueError, "missing value.*index 1"),
    "pyarrow with null": (pa.array(["a", None]), ValueError, "missing value.*index 1"),
    "square array": (np.array([["a", "b"], ["c", "d"]]), ValueError, r"shape \(2, 2\)"),
    "array of no dimension": (np.array("ab"), ValueError, "one-dimensional"),
    "two columns": (
        pd.DataFrame({"first": ["a"], "last": ["b"]}),
        ValueError,
        "2 columns.*first, last",
    ),
    "lazy frame": (pl.LazyFrame({"name": ["a"]}), TypeError, "collect"),
    "empty list": ([], ValueError, "empty"),
    "empty array": (np.array([], dtype=str), ValueError, "empty"),
    "dict": ({"a": 1}, TypeError, "dict"),
    "set": ({"a", "b"}, TypeError, "order.*set"),
    "list of numbers": (["a", 3], TypeError, "got 3 of type int at index 1"),
    "array of numbers": (np.arange(3.0), TypeError, "type float at index 0"),
    "list of lists": ([["a", "b"]], TypeError, "flat list"),
}
