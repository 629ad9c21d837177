"""What a display accepts: a fitted model, or a fitted network."""

from sklearn.utils.validation import check_is_fitted

from .._base import BaseCharLM


def check_model(estimator, display):
    """Raise an error unless the estimator is a fitted character model.

    Parameters
    ----------
    estimator : object
        What was given.

    display : str
        Name of the display, for the error.

    Raises
    ------
    TypeError
        If it is no character model.
    NotFittedError
        If it is not fitted.
    """
    if not isinstance(estimator, BaseCharLM):
        raise TypeError(
            f"{display}.from_estimator takes a fitted character model such as "
            f"BigramCounter, got {_kind(estimator)}."
        )
    check_is_fitted(estimator)


def check_network(estimator, display):
    """Raise an error unless the estimator is a fitted network.

    Parameters
    ----------
    estimator : object
        What was given.

    display : str
        Name of the display, for the error.

    Raises
    ------
    TypeError
        If it is no network.
    NotFittedError
        If it is not fitted.
    """
    # Torch takes seconds to import; other displays do without it.
    from .._networks.base import BaseNeuralCharLM

    if not isinstance(estimator, BaseNeuralCharLM):
        raise TypeError(
            f"{display}.from_estimator takes a fitted network such as MLPCharLM, got "
            f"{_kind(estimator)}."
        )
    check_is_fitted(estimator)


def _kind(estimator):
    if isinstance(estimator, type):
        return f"the class {estimator.__name__} instead of an instance"
    for inner, hint in ("best_estimator_", "`.best_estimator_`"), ("steps", "`[-1]`"):
        if hasattr(estimator, inner):
            return f"a {type(estimator).__name__}: give its {hint}"
    return f"a {type(estimator).__name__}"
