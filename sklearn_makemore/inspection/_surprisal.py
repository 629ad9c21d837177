"""SurprisalDisplay: how unexpected each character of a word is to a model."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from .._words.check import check_words
from .._words.symbols import SymbolVocabulary
from .._words.types import Floats, Words
from ._base import check_model
from ._heat_map import MIN_FONT_SIZE, BaseHeatMapDisplay, with_values
from ._symbols import symbol_marks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.text import Text


@dataclass(eq=False, repr=False)
class SurprisalDisplay(BaseHeatMapDisplay):
    """Heat map of words, each character coloured by how little it was expected.

    A row is a word, a cell one of its characters, and the last cell of a row its end.
    The colour is the surprise: the negative log-probability, in nats, of the character
    given those before it. The sum over each row is written next to it. An impossible
    character has the colour of the largest finite surprise.

    Parameters
    ----------
    words : list of str, or list of list of str
        The words; lists of symbols if symbols have several characters.

    surprisal : list of ndarray of shape (len(word) + 1,)
        Negative log-probabilities in nats of the characters of each word, and of its
        end.

    Attributes
    ----------
    text_ : list of list of matplotlib Text, or None
        The texts in the cells, one list per word; None if the cells are empty.

    See Also
    --------
    BigramDisplay : The probabilities of all pairs of characters.

    Examples
    --------
    >>> from sklearn_makemore import NGramCounter
    >>> from sklearn_makemore.inspection import SurprisalDisplay
    >>> model = NGramCounter(order=3).fit(["emma", "olivia", "ava"])
    >>> SurprisalDisplay.from_estimator(model, ["emilia", "aaa"])
    <...>
    """

    words: list[str] | list[list[str]]
    surprisal: list[Floats]
    text_: "list[list[Text]] | None" = field(init=False)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        words: Words,
        *,
        include_values: bool = False,
        values_format: str = ".1f",
        cmap: "str | Colormap" = "OrRd",
        colorbar: bool = True,
        ax: "Axes | None" = None,
        im_kw: dict[str, Any] | None = None,
        text_kw: dict[str, Any] | None = None,
    ) -> "SurprisalDisplay":
        """Draw how unexpected the characters of words are to a fitted model.

        Parameters
        ----------
        words : array-like of str of shape (n_words,)
            A few words.

        Raises
        ------
        TypeError, NotFittedError
            If the estimator is not a fitted character model.
        ValueError
            If a word has a character outside the alphabet and there is no symbol for
            unknown ones, or if it is longer than the model can read.
        """
        check_model(estimator, "SurprisalDisplay")
        checked = check_words(words)
        surprisal = [-log_proba for log_proba in estimator.token_log_proba(checked)]
        shown: list[Any] = checked
        if isinstance(estimator.vocabulary_, SymbolVocabulary):
            shown = [*map(estimator.vocabulary_.segments, checked)]
        return cls(shown, surprisal).plot(
            ax,
            include_values=include_values,
            values_format=values_format,
            cmap=cmap,
            colorbar=colorbar,
            im_kw=im_kw,
            text_kw=text_kw,
        )

    def plot(
        self,
        ax: "Axes | None" = None,
        *,
        include_values: bool = False,
        values_format: str = ".1f",
        cmap: "str | Colormap" = "OrRd",
        colorbar: bool = True,
        im_kw: dict[str, Any] | None = None,
        text_kw: dict[str, Any] | None = None,
    ) -> "SurprisalDisplay":
        """Draw the heat map.

        Parameters
        ----------
        include_values : bool, default=False
            Whether to write the surprise below each character.

        values_format : str, default=".1f"
            Format of the numbers.

        cmap : str or matplotlib Colormap, default="OrRd"
            Colours.

        colorbar : bool, default=True
            Whether to draw the scale of the colours.

        im_kw : dict, default=None
            Keywords of matplotlib's `imshow`; pass `vmax` to compare figures.
        """
        n_rows, n_columns = len(self.words), max(map(len, self.surprisal))
        self._start(ax, figure_size(n_rows, n_columns), layout="compressed")
        table, largest = _padded(self.surprisal)
        # A norm has limits of its own.
        limits = {} if "norm" in (im_kw or {}) else {"vmin": 0, "vmax": largest}
        self._draw_image(table, cmap, im_kw, **limits)
        cell = self._cell_side(n_rows, n_columns)
        marks = self._marks()
        self._name_axes(marks[0][-1], cell)
        self.text_ = self.colorbar_ = None
        # Two lines of four characters, or one character.
        fontsize = min(9.0, 0.36 * cell) if include_values else min(14.0, 0.6 * cell)
        if fontsize >= MIN_FONT_SIZE:
            if include_values:
                marks = with_values(marks, self.surprisal, values_format)
            self.text_ = self._write_cells(marks, fontsize, text_kw)
        if colorbar:
            self._draw_colorbar(self._colorbar_box(), "surprise (nats)")
        return self

    def _marks(self) -> list[list[str]]:
        """Return how the characters and the end of each word are written."""
        characters = sorted(set().union(*self.words))
        end, *marks = symbol_marks(["", *characters])
        mark_of = dict(zip(characters, marks, strict=True))
        return [[*(mark_of[character] for character in w), end] for w in self.words]

    def _name_axes(self, end: str, cell: float) -> None:
        step = int(np.ceil(10.0 / cell))  # a line needs 10 points
        ticks = np.arange(0, len(self.words), step)
        totals = [f"{np.sum(self.surprisal[tick]):.1f}" for tick in ticks]
        self.ax_.set_yticks(ticks, totals)
        self.ax_.set_xticks([])
        self.ax_.tick_params(length=0)
        self.ax_.spines[:].set_visible(False)
        self.ax_.set_ylabel("sum (nats)")
        self.ax_.set_xlabel(f"characters, and the end as {end!r}", parse_math=False)

    def _colorbar_box(self) -> tuple[float, float, float, float]:
        """Return the place of a colorbar of a fixed size, in units of the axes."""
        box = self.ax_.get_window_extent()
        width, height = np.array([0.15, 1.2]) * self.ax_.figure.dpi  # inches
        width, height = width / box.width, max(1.0, height / box.height)
        return 1 + width, 0.5 - height / 2, width, height


def figure_size(n_rows: int, n_columns: int) -> tuple[float, float]:
    """Return the size of a new figure in inches; a character has 0.42 at most."""
    width = max(4.0, 1.8 + 0.42 * n_columns)
    height = max(2.4, 1.0 + 0.42 * n_rows)
    return min(14.0, width), min(14.0, height)


def _padded(surprisal: list[Floats]) -> tuple[Any, float]:
    """Pad rows to one length, and replace infinity by the largest finite number.

    table : masked array of shape (n_words, n_columns), masked beyond the ends of words
    largest : the largest finite number; 1 if it would be 0
    """
    n_columns = max(map(len, surprisal))
    table = np.full((len(surprisal), n_columns), np.nan)
    for row, numbers in zip(table, surprisal, strict=True):
        row[: len(numbers)] = numbers
    largest = float(np.max(table, initial=0.0, where=np.isfinite(table))) or 1.0
    table[np.isposinf(table)] = largest
    return np.ma.masked_invalid(table), largest
