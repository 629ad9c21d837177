"""The private names of scikit-learn that this package uses, all imported here.

Third-party estimators have no public way to reach them yet. When a release of
scikit-learn moves one, this is the only file to mend.
"""

from sklearn.base import _fit_context
from sklearn.utils import _safe_indexing
from sklearn.utils._optional_dependencies import (
    check_matplotlib_support,
    check_pandas_support,
)
from sklearn.utils._param_validation import (
    Interval,
    RealNotInt,
    StrOptions,
    validate_params,
)
from sklearn.utils._repr_html.estimator import _VisualBlock
from sklearn.utils.validation import _check_sample_weight


def has_callbacks(estimator):
    """Whether callbacks of scikit-learn are set on an estimator."""
    return bool(getattr(estimator, "_skl_callbacks", None))


def check_pipeline(pipeline):
    """Raise an error if the steps of a pipeline cannot stand in their order."""
    pipeline._validate_steps()


__all__ = [
    "Interval",
    "RealNotInt",
    "StrOptions",
    "_VisualBlock",
    "_check_sample_weight",
    "_fit_context",
    "_safe_indexing",
    "check_matplotlib_support",
    "check_pandas_support",
    "check_pipeline",
    "has_callbacks",
    "validate_params",
]
