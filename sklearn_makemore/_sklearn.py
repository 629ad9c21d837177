"""The private names of scikit-learn that this package uses, and packages of extras.

Third-party estimators have no public way to reach these names yet. If a release of
scikit-learn moves one of them, only this file has to change.
"""

import functools
import inspect
from collections.abc import Callable, Sized
from difflib import get_close_matches
from importlib import import_module
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray
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

Method = TypeVar("Method", bound=Callable[..., Any])


def _closest_parameter(signature: inspect.Signature, given: dict[str, Any]) -> str:
    """Return a hint at the parameter that an unknown keyword resembles, or ''."""
    names = list(signature.parameters)
    for name in given:
        if name not in names and (close := get_close_matches(name, names, 1)):
            return f"; did you mean {close[0]!r}?"
    return ""


def validate_options(constraints: dict[str, Any]) -> Callable[[Method], Method]:
    """Validate the arguments of a method, as `validate_params` does for a function.

    The error names the class of the estimator, not the class that defines the method.
    """

    def decorated(method: Method) -> Method:
        signature = inspect.signature(method)

        @functools.wraps(method)
        def validated(self: Any, *args: Any, **kwargs: Any) -> Any:
            if not get_config()["skip_parameter_validation"]:
                caller = f"{type(self).__name__}.{method.__name__}"
                try:
                    bound = signature.bind(self, *args, **kwargs)
                except TypeError as error:
                    hint = _closest_parameter(signature, kwargs)
                    raise TypeError(f"{caller}() {error}{hint}") from None
                bound.apply_defaults()
                given = {name: bound.arguments[name] for name in constraints}
                validate_parameter_constraints(constraints, given, caller)
            return method(self, *args, **kwargs)

        result = cast("Any", validated)
        result._skl_parameter_constraints = constraints
        return result

    return decorated


def parameter_constraints(function):
    """Return the constraints of the parameters of a class, function or method."""
    if isinstance(function, type):
        return function._parameter_constraints
    return function._skl_parameter_constraints


def non_negative_weights(sample_weight: Any, samples: Sized) -> NDArray[np.float64]:
    """Check the weights of samples, and return them as float64."""
    return _check_sample_weight(
        sample_weight, samples, dtype=np.float64, ensure_non_negative=True
    )


def has_callbacks(estimator):
    """Whether callbacks of scikit-learn are set on an estimator."""
    return bool(getattr(estimator, "_skl_callbacks", None))


def check_pipeline(pipeline):
    """Raise an error if the steps of a pipeline are not valid in their order."""
    pipeline._validate_steps()


def import_extra(package: str, feature: str) -> Any:
    """Import a package of the extra "distributed", or say how to install it."""
    try:
        return import_module(package)
    except ImportError as exc:
        raise ImportError(
            f"{feature} needs the package {package}; install it with "
            'pip install "sklearn-makemore[distributed]".'
        ) from exc


__all__ = [
    "HasMethods",
    "Interval",
    "RealNotInt",
    "StrOptions",
    "_BaseComposition",
    "_VisualBlock",
    "_fit_context",
    "_safe_indexing",
    "check_matplotlib_support",
    "check_pandas_support",
    "check_pipeline",
    "has_callbacks",
    "import_extra",
    "non_negative_weights",
    "parameter_constraints",
    "validate_options",
    "validate_params",
]
