"""Checks of what a display accepts: a fitted model, or a fitted network."""

from typing import Any

from sklearn.utils.validation import check_is_fitted

from .._base import BaseCharLM


def check_model(estimator: Any, display: str) -> None:
    """Raise an error unless the estimator is a fitted character model."""
    if not isinstance(estimator, BaseCharLM):
        raise TypeError(
            f"{display}.from_estimator takes a fitted character model such as "
            f"BigramCounter, got {_kind(estimator)}."
        )
    check_is_fitted(estimator)


def check_network(estimator: Any, display: str) -> None:
    """Raise an error unless the estimator is a fitted network."""
    # Torch takes seconds to import; other displays do not need it.
    from .._networks.base import BaseNeuralCharLM

    if not isinstance(estimator, BaseNeuralCharLM):
        raise TypeError(
            f"{display}.from_estimator takes a fitted network such as MLPCharLM, got "
            f"{_kind(estimator)}."
        )
    check_is_fitted(estimator)


def _kind(estimator: Any) -> str:
    if isinstance(estimator, type):
        return f"the class {estimator.__name__} instead of an instance"
    for inner, hint in ("best_estimator_", "`.best_estimator_`"), ("steps", "`[-1]`"):
        if hasattr(estimator, inner):
            return f"a {type(estimator).__name__}: give its {hint}"
    return f"a {type(estimator).__name__}"
