"""Types that annotations share."""

from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np
from narwhals.typing import IntoDataFrame, IntoSeries
from numpy.typing import ArrayLike, NDArray

Words: TypeAlias = Iterable[str] | NDArray[Any] | IntoSeries | IntoDataFrame
"""Arguments of `check_words`, which refuses a single string; no type expresses that."""

Floats: TypeAlias = NDArray[np.float64]

Ids: TypeAlias = NDArray[np.integer[Any]]
"""Symbol ids, offsets, rows: integers of any size."""

Mask: TypeAlias = NDArray[np.bool_]

Weights: TypeAlias = ArrayLike | None
"""Sample weights as the user passes them."""

Seed: TypeAlias = int | np.random.RandomState | None
"""Values of `random_state`."""
