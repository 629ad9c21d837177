"""BaseWordEstimator: what all estimators of words share."""

import warnings
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import Tags, check_random_state

from ._declarations import DeclaredParameters
from ._words.types import Floats, Seed


class BaseWordEstimator(DeclaredParameters, CallbackSupportMixin, BaseEstimator):
    """Parameters, callbacks, tags, documentation links, version stamp of pickles."""

    _doc_link_module = "sklearn_makemore"
    _doc_link_template: ClassVar[Any] = (  # a property of scikit-learn
        "https://sklearn-makemore.readthedocs.io/en/stable/generated/"
        "{estimator_module}.{estimator_name}.html"
    )

    def _callback_task(
        self,
        words: list[str],
        sample_weight: Floats | None,
        labels: np.ndarray | None = None,
    ) -> dict[str, Any]:
        """Return what scikit-learn's callbacks receive with every task.

        sample_weight, labels : (n_words,), None without them
        """
        if labels is None:
            # ScoringMonitor scores only if there is a y; this y takes no memory.
            labels = np.broadcast_to(0.0, len(words))
        weighted = {} if sample_weight is None else {"sample_weight": sample_weight}
        return {"estimator": self, "X": words, "y": labels, "metadata": weighted}

    def __sklearn_is_fitted__(self) -> bool:
        """Whether `fit` or `partial_fit` has finished: they set all attributes last."""
        return any(name.endswith("_") for name in vars(self))

    def __sklearn_tags__(self) -> Tags:
        """Declare that samples are strings in one dimension."""
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        return tags

    def __getstate__(self) -> dict[str, Any]:
        """Stamp the state with the package's version."""
        state: Any = super().__getstate__()
        return {**state, "_sklearn_makemore_version": package_version()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore the state, with a warning if another version wrote it."""
        state = dict(state)
        written_by = state.pop("_sklearn_makemore_version", None)
        if written_by not in (None, package_version()):
            warnings.warn(
                f"This {type(self).__name__} was saved by sklearn_makemore "
                f"{written_by} and is loaded by {package_version()}: refit it if it "
                "misbehaves.",
                UserWarning,
                stacklevel=2,
            )
        super().__setstate__(state)


def own_random_state(random_state: Seed) -> np.random.RandomState:
    """Return a RandomState that is not NumPy's global one; None gives a fresh one."""
    return (
        np.random.RandomState()
        if random_state is None
        else check_random_state(random_state)
    )


def package_version() -> str:
    """Return the version of this package."""
    from . import __version__

    return __version__
