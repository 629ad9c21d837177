"""Known classes, and limits of memory and time, for encoding and for decoding."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from .._models import ESTIMATORS

MAX_ESTIMATORS = 1 << 15
"""Largest number of estimators in a file. An estimator counts double for each estimator
around it, because scikit-learn's texts show nested estimators twice per level, and an
error message may contain such a text."""

MAX_NESTING = 8
"""Largest number of estimators around an estimator."""

MAX_TEXT_CELLS = 1 << 24
"""Largest total size of the arrays of texts of fixed width: 64 MiB. In such an array,
each text takes as much memory as the longest, so the array can be much larger than the
file."""

MAX_PATTERN_CHARACTERS = 10_000
"""Largest total size of the patterns in `alphabet`, equal ones once. A character takes
a millisecond to compile at most."""

NOT_SAVED = {"callbacks", "checkpoint", "memory"}
"""Parameters that a file does not keep: code, and paths of one machine."""

WRAPPERS = {"Pipeline": "sklearn.pipeline", "FrozenEstimator": "sklearn.frozen"}
"""Estimators of scikit-learn whose state is that of the estimators in them, with the
modules that define them. Most files need none of them."""

METHODS_WITH_METADATA = ("fit", "partial_fit", "predict_proba", "score")
"""Methods whose requests for metadata, such as sample weights, are kept."""


class Limits:
    """Count estimators, texts and patterns of a file; too many are an error."""

    def __init__(self) -> None:
        self.depth = self.n_estimators = self.n_text_cells = 0
        self.patterns: set[str] = set()

    @contextmanager
    def nested(self) -> Iterator[None]:
        """Count an estimator, and nest everything in the block inside it."""
        self.n_estimators += 2**self.depth
        if self.depth > MAX_NESTING or self.n_estimators > MAX_ESTIMATORS:
            raise ValueError(
                "There are too many nested estimators. A file holds at most "
                f"{MAX_ESTIMATORS:,}, each counted double for each estimator around "
                f"it, and at most {MAX_NESTING} around one."
            )
        self.depth += 1
        yield
        self.depth -= 1

    def check_texts(self, texts: Sequence[str]) -> None:
        """Raise an error if an array of texts of fixed width would be too large."""
        self.n_text_cells += len(texts) * max(map(len, texts), default=0)
        if self.n_text_cells > MAX_TEXT_CELLS:
            raise ValueError(
                f"Arrays of texts of fixed width have more than {MAX_TEXT_CELLS:,} "
                "characters; use arrays of objects."
            )

    def check_pattern(self, text: str) -> None:
        """Raise an error if the patterns would take long to compile."""
        self.patterns.add(text)
        if sum(map(len, self.patterns)) > MAX_PATTERN_CHARACTERS:
            raise ValueError(
                "The patterns in `alphabet` have more than "
                f"{MAX_PATTERN_CHARACTERS:,} characters; list the symbols instead."
            )


def class_of(name: Any) -> Any:
    """Return the class that a file may name, None for every other name."""
    if name in WRAPPERS:
        return getattr(import_module(WRAPPERS[name]), name)
    if name not in ESTIMATORS:
        return None
    return getattr(import_module(f"..{ESTIMATORS[name]}", __package__), name)


def is_wrapper(estimator: Any, name: str) -> bool:
    """Whether an estimator is the one of scikit-learn that has this name."""
    return type(estimator).__name__ == name and is_known(estimator)


def is_known(estimator: Any) -> bool:
    """Whether a file may hold an estimator of this class."""
    return class_of(type(estimator).__name__) is type(estimator)


def is_no_step(step: Any) -> bool:
    """Whether the step of a pipeline does nothing."""
    return step is None or (isinstance(step, str) and step == "passthrough")
