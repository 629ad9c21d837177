"""scikit-learn's private names, and packages of extras.

Third-party estimators have no public way to reach the private names yet. If a release
of scikit-learn moves one of them, only this file has to change.
"""

from collections.abc import Sized
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import _fit_context
from sklearn.utils import _safe_indexing
from sklearn.utils._param_validation import (
    HasMethods,
    Hidden,
    Interval,
    InvalidParameterError,
    RealNotInt,
    StrOptions,
    validate_parameter_constraints,
)
from sklearn.utils._repr_html.estimator import _VisualBlock
from sklearn.utils.metaestimators import _BaseComposition
from sklearn.utils.validation import _check_sample_weight


def non_negative_weights(sample_weight: Any, samples: Sized) -> NDArray[np.float64]:
    """Check the weights of samples, and return them as float64."""
    return _check_sample_weight(
        sample_weight, samples, dtype=np.float64, ensure_non_negative=True
    )


def callbacks_of(context):
    """Return the callbacks of a callback context."""
    return context._callbacks


def has_callbacks(context):
    """Whether a `CallbackContext` has callbacks to call."""
    return bool(context._callbacks)


def check_pipeline(pipeline):
    """Raise an error if the steps of a pipeline are not valid in their order."""
    pipeline._validate_steps()


EXTRAS = {
    "accelerate": "distributed",
    "dask": "distributed",
    "matplotlib": "plot",
    "pyarrow": "distributed",
}
"""The extra that installs a package."""


def import_extra(package: str, feature: str) -> Any:
    """Import a package that is no requirement, or say how to install it."""
    try:
        return import_module(package)
    except ImportError as exc:
        source = package
        if package in EXTRAS:
            source = f'"sklearn-makemore[{EXTRAS[package]}]"'
        raise ImportError(
            f"{feature} needs the package {package}; install it with "
            f"pip install {source}."
        ) from exc


__all__ = [
    "HasMethods",
    "Hidden",
    "Interval",
    "InvalidParameterError",
    "RealNotInt",
    "StrOptions",
    "_BaseComposition",
    "_VisualBlock",
    "_fit_context",
    "_safe_indexing",
    "callbacks_of",
    "check_pipeline",
    "has_callbacks",
    "import_extra",
    "non_negative_weights",
    "validate_parameter_constraints",
]
