"""What displays share: their base class, checks of estimators, lines and legends."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from .._arguments import validate_options
from .._base import BaseCharLM
from .._generation.novelty import NoveltyReport
from .._sklearn import HasMethods, import_extra
from ._docstrings import complete_docstrings

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.legend import Legend
    from matplotlib.lines import Line2D


KEYWORDS = [dict, None]
DRAWING: dict[str, Any] = {
    "ax": [HasMethods(["get_figure"]), None],
    "cmap": [str, callable],
    "colorbar": ["boolean", None],
    "im_kw": KEYWORDS,
    "include_values": ["boolean", None],
    "line_kw": KEYWORDS,
    "log_scale": ["boolean"],
    "points_kw": KEYWORDS,
    "report": [NoveltyReport],
    "sample_options": KEYWORDS,
    "scatter_kw": KEYWORDS,
    "stairs_kw": KEYWORDS,
    "suggestion_kw": KEYWORDS,
    "text_kw": KEYWORDS,
    "values_format": [str, None],
}
"""What is valid for parameters that methods of several displays have."""


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
        for name in "from_estimator", "from_report", "plot":
            if name in vars(cls):
                _check_arguments(cls, name)
        if cls.__doc__ is not None:  # as with python -OO
            complete_docstrings(cls)

    def _start(
        self,
        ax: "Axes | None",
        figsize: tuple[float, float],
        layout: Any = "constrained",
    ) -> "Axes":
        """Keep the given axes, or those of a new figure of a size in inches."""
        import_extra("matplotlib", f"{type(self).__name__}.plot")
        import matplotlib.pyplot as plt

        if ax is None:
            _, ax = plt.subplots(figsize=figsize, layout=layout)
        self.ax_, self.figure_ = ax, ax.figure
        return ax


def _check_arguments(cls: type, name: str) -> None:
    """Let a method explain wrong arguments, unless it already validates them."""
    method = vars(cls)[name]
    function = getattr(method, "__func__", method)
    if not hasattr(function, "_skl_parameter_constraints"):
        made = validate_options(DRAWING)(function)
        setattr(cls, name, made if function is method else classmethod(made))


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


def style(
    artist: Any, defaults: dict[str, Any], asked: dict[str, Any] | None
) -> dict[str, Any]:
    """Return the keywords of a class of artists by full names: `asked` wins.

    Both dicts may use short names (``c`` for ``color``).
    """
    from matplotlib.cbook import normalize_kwargs

    asked = normalize_kwargs(asked or {}, artist)
    return {**normalize_kwargs(defaults, artist), **asked}


def draw_line(
    ax: "Axes",
    x: ArrayLike,
    y: ArrayLike,
    asked: dict[str, Any] | None,
    **defaults: Any,
) -> "Line2D":
    """Draw a line with the keywords that the user asked for, and defaults."""
    from matplotlib.lines import Line2D

    (line,) = ax.plot(x, y, **style(Line2D, defaults, asked))
    return line


def draw_many(
    ax: "Axes",
    lines: Mapping[str, tuple[ArrayLike, ArrayLike]],
    asked: dict[str, Any] | None,
) -> "list[Line2D]":
    """Draw lines, given by label, that differ in colour or in style."""
    drawn = []
    for index, (label, (x, y)) in enumerate(lines.items()):
        # Another style for each round through the ten colours of matplotlib's cycle.
        ls = ("-", "-.", ":")[index // 10 % 3]
        drawn.append(draw_line(ax, x, y, asked, label=label, lw=1.3, ls=ls))
    return drawn


def legend_above(ax: "Axes", **kwargs: Any) -> "Legend":
    """Draw a legend at the top of the axes, and extend the axes so that it fits."""
    n_columns = 1 if len(ax.get_legend_handles_labels()[0]) <= 8 else 2
    legend = ax.legend(loc="upper center", ncols=n_columns, **kwargs)
    canvas: Any = ax.figure.canvas
    # The renderer measures text without drawing it.
    height = legend.get_window_extent(canvas.get_renderer()).height
    share = min(0.7, height * 1.15 / ax.get_window_extent().height)
    # In the transformed units of the axis, so that a logarithmic axis works too.
    transform: Any = ax.yaxis.get_transform()
    bottom, top = transform.transform(ax.get_ylim())
    top = bottom + (top - bottom) / (1 - share)
    ax.set_ylim(*transform.inverted().transform([bottom, top]))
    return legend
