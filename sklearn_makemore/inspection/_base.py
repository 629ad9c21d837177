"""The base of displays, and the checks of what a display is created from."""

from typing import TYPE_CHECKING, Any, ClassVar

from sklearn.utils.validation import check_is_fitted

from .._base import BaseCharLM
from .._sklearn import check_matplotlib_support
from ._docstrings import complete_docstrings

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure


class BaseDisplay:
    """Stores what it draws: `plot` draws it, and each ``from_...`` also creates it."""

    # `complete_docstrings` adds these to the docstrings of subclasses.
    _shared: ClassVar[str] = """
    Parameters
    ----------
    estimator : estimator instance
        A fitted model.

    ax : matplotlib Axes, default=None
        Axes to draw on; None creates a figure.

    line_kw : dict, default=None
        Keywords of matplotlib's `plot`.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the picture.

    figure_ : matplotlib Figure
        Figure that contains the axes.
    """

    ax_: "Axes"
    figure_: "Figure | SubFigure"

    def __init_subclass__(cls, **kwargs: Any):
        super().__init_subclass__(**kwargs)
        if cls.__doc__ is not None:  # as with python -OO
            complete_docstrings(cls)

    def _start(
        self,
        ax: "Axes | None",
        figsize: tuple[float, float],
        layout: Any = "constrained",
    ) -> "Axes":
        """Keep the given axes, or those of a new figure of a size in inches."""
        check_matplotlib_support(f"{type(self).__name__}.plot")
        import matplotlib.pyplot as plt

        if ax is None:
            _, ax = plt.subplots(figsize=figsize, layout=layout)
        self.ax_, self.figure_ = ax, ax.figure
        return ax


def check_model(estimator: Any, caller: str) -> None:
    """Raise an error unless the estimator is a fitted character model."""
    _check(estimator, BaseCharLM, caller, "character model such as BigramCounter")


def check_network(estimator: Any, caller: str) -> None:
    """Raise an error unless the estimator is a fitted network."""
    # Torch takes seconds to import; other displays do not need it.
    from .._networks.base import BaseNeuralCharLM

    _check(estimator, BaseNeuralCharLM, caller, "network such as MLPCharLM")


def _check(estimator: Any, kind: type, caller: str, expected: str) -> None:
    if not isinstance(estimator, kind):
        raise TypeError(
            f"{caller}.from_estimator takes a fitted {expected}, got "
            f"{_shown(estimator)}."
        )
    check_is_fitted(estimator)


def _shown(estimator: Any) -> str:
    """Return what an estimator is, and what to pass instead."""
    if isinstance(estimator, type):
        return f"the class {estimator.__name__} instead of an instance"
    for inner, hint in ("best_estimator_", "`.best_estimator_`"), ("steps", "`[-1]`"):
        if hasattr(estimator, inner):
            return f"a {type(estimator).__name__}: give its {hint}"
    return f"a {type(estimator).__name__}"
