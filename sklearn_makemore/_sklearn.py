"""The private names of scikit-learn that this package uses, all imported here.

Third-party estimators have no public way to reach them yet. If a release of
scikit-learn moves one of them, only this file has to change.
"""

import functools
import inspect

from sklearn import get_config
from sklearn.base import _fit_context
from sklearn.utils import _safe_indexing
from sklearn.utils._optional_dependencies import (
    check_matplotlib_support,
    check_pandas_support,
)
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    RealNotInt,
    StrOptions,
    validate_parameter_constraints,
    validate_params,
)
from sklearn.utils._repr_html.estimator import _VisualBlock
from sklearn.utils.metaestimators import _BaseComposition
from sklearn.utils.validation import _check_sample_weight


def validate_options(constraints):
    """Validate what a method is given, as `validate_params` does a function.

    The error names the estimator's own class, not the one that has the method.
    """

    def decorated(method):
        signature = inspect.signature(method)

        @functools.wraps(method)
        def validated(self, *args, **kwargs):
            if not get_config()["skip_parameter_validation"]:
                bound = signature.bind(self, *args, **kwargs)
                bound.apply_defaults()
                given = {name: bound.arguments[name] for name in constraints}
                caller = f"{type(self).__name__}.{method.__name__}"
                validate_parameter_constraints(constraints, given, caller)
            return method(self, *args, **kwargs)

        validated._skl_parameter_constraints = constraints
        return validated

    return decorated


def parameter_constraints(function):
    """Return what scikit-learn's validation allows each parameter to be.

    Parameters
    ----------
    function : callable
        A class of estimators, or a function or method that validates its parameters.

    Returns
    -------
    constraints : dict of str to list or str
        The constraints of each parameter by its name.
    """
    if isinstance(function, type):
        return function._parameter_constraints
    return function._skl_parameter_constraints


def has_callbacks(estimator):
    """Whether callbacks of scikit-learn are set on an estimator."""
    return bool(getattr(estimator, "_skl_callbacks", None))


def check_pipeline(pipeline):
    """Raise an error if the steps of a pipeline are not valid in their order."""
    pipeline._validate_steps()


__all__ = [
    "HasMethods",
    "Interval",
    "RealNotInt",
    "StrOptions",
    "_BaseComposition",
    "_VisualBlock",
    "_check_sample_weight",
    "_fit_context",
    "_safe_indexing",
    "check_matplotlib_support",
    "check_pandas_support",
    "check_pipeline",
    "has_callbacks",
    "parameter_constraints",
    "validate_options",
    "validate_params",
]
