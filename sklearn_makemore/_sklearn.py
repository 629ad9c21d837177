"""The private names of scikit-learn that this package uses, all imported here.

Third-party estimators have no public way to reach them yet. When a release of
scikit-learn moves one, this is the only file to mend.
"""

from sklearn.base import _fit_context
from sklearn.utils._optional_dependencies import check_pandas_support
from sklearn.utils._param_validation import (
    Interval,
    StrOptions,
    validate_params,
)
from sklearn.utils.validation import _check_sample_weight


def has_callbacks(estimator):
    """Whether callbacks of scikit-learn are set on an estimator."""
    return bool(getattr(estimator, "_skl_callbacks", None))


__all__ = [
    "Interval",
    "StrOptions",
    "_check_sample_weight",
    "_fit_context",
    "check_pandas_support",
    "has_callbacks",
    "validate_params",
]
