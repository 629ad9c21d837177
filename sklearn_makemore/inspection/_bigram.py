"""BigramDisplay: how often, or how probably, one symbol follows another."""

from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from .._arguments import validate_options
from .._sklearn import StrOptions
from .._words.types import Words
from .._words.vocabulary import EncodedWords
from ._base import DRAWING, check_model
from ._heat_map import MIN_FONT_SIZE, BaseHeatMapDisplay, with_values
from ._symbols import chosen_ids, symbol_marks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap


@dataclass(eq=False, repr=False)
class BigramDisplay(BaseHeatMapDisplay):
    """Heat map of pairs of neighbouring characters.

    The row is the character, the column the next one. The boundary is a symbol too: its
    row shows how words begin, its column how they end. Each cell contains the pair, and
    below it the count or the probability, as in lecture 1 of makemore.

    Parameters
    ----------
    table : ndarray of shape (n_symbols, n_symbols)
        Counts or probabilities of the next symbol (column) after a symbol (row).

    symbols : list of str of length n_symbols
        Texts of the symbols, ``""`` for the boundary.

    name : str, default="count"
        What the numbers are, for the scale of the colours.

    Attributes
    ----------
    text_ : ndarray of shape (n_symbols, n_symbols), dtype=matplotlib Text, or None
        The texts in the cells; None if the cells are empty.

    See Also
    --------
    EmbeddingDisplay : Which characters a network treats alike.

    Examples
    --------
    >>> from sklearn_makemore import BigramCounter
    >>> from sklearn_makemore.inspection import BigramDisplay
    >>> model = BigramCounter().fit(["emma", "olivia", "ava"])
    >>> BigramDisplay.from_estimator(model)
    <...>
    """

    table: np.ndarray
    symbols: list[str]
    _: KW_ONLY
    name: str = "count"
    text_: np.ndarray | None = field(init=False)

    @classmethod
    @validate_options(DRAWING | {"values": [StrOptions({"auto", "counts", "proba"})]})
    def from_estimator(
        cls,
        estimator: Any,
        *,
        values: Literal["auto", "counts", "proba"] = "auto",
        characters: Words | None = None,
        include_values: bool | None = None,
        values_format: str | None = None,
        cmap: "str | Colormap" = "Blues",
        colorbar: bool | None = None,
        ax: "Axes | None" = None,
        im_kw: dict[str, Any] | None = None,
        text_kw: dict[str, Any] | None = None,
    ) -> "BigramDisplay":
        """Draw the pairs of a fitted model.

        Parameters
        ----------
        estimator : estimator instance
            A fitted model. For models other than `BigramCounter`, the probabilities are
            those of the second character of a word after its first one.

        values : {"auto", "counts", "proba"}, default="auto"
            What to show; "auto" shows counts if the model counts pairs, and
            probabilities otherwise.

        characters : str or array-like of str, default=None
            Characters to show in addition to the boundary, in this order; None shows
            all symbols.

        Raises
        ------
        TypeError, NotFittedError
            If the estimator is not a fitted character model.
        ValueError
            If `values` is "counts" and the model does not count pairs, or if
            `characters` has one that the model does not know.
        """
        check_model(estimator, "BigramDisplay")
        table, name = _table(estimator, values)
        ids = chosen_ids(estimator.symbols_, characters)
        symbols = [estimator.symbols_[index] for index in ids]
        return cls(table[np.ix_(ids, ids)], symbols, name=name).plot(
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
        include_values: bool | None = None,
        values_format: str | None = None,
        cmap: "str | Colormap" = "Blues",
        colorbar: bool | None = None,
        im_kw: dict[str, Any] | None = None,
        text_kw: dict[str, Any] | None = None,
    ) -> "BigramDisplay":
        """Draw the heat map.

        Parameters
        ----------
        include_values : bool, default=None
            Whether to write in the cells; None does so for up to 40 symbols, if the
            cells are large enough.

        values_format : str, default=None
            Format of the numbers; None is "d" for whole numbers, ".3f" for
            probabilities and ".4g" for others.

        cmap : str or matplotlib Colormap, default="Blues"
            Colours.

        colorbar : bool, default=None
            Whether to draw the scale of the colours; None does so if the cells are
            empty.

        im_kw : dict, default=None
            Keywords of matplotlib's `imshow`.
        """
        n_symbols = len(self.symbols)
        is_small = n_symbols <= 40  # with text, a new figure would be too large
        has_text = is_small if include_values is None else include_values
        # The usual layout leaves too little room for the axis names of square cells.
        self._start(ax, figure_size(n_symbols, has_text), layout="compressed")
        cell = self._cell_side(n_symbols, n_symbols)
        if include_values is None:
            include_values = is_small and font_size(cell) >= MIN_FONT_SIZE
        self._draw_image(self.table, cmap, im_kw)
        self._name_axes(step=int(np.ceil(10.0 / cell)))  # a name needs 10 points
        self.text_ = self.colorbar_ = None
        if include_values:
            texts = self._texts(values_format)
            written = self._write_cells(texts, font_size(cell), text_kw)
            self.text_ = np.array(written, dtype=object)
        if colorbar or (colorbar is None and not include_values):
            # As high as the heat map, which is square.
            self._draw_colorbar((1.03, 0, 0.04, 1), self.name)
        return self

    def _name_axes(self, step: int) -> None:
        marks = symbol_marks(self.symbols)
        ticks = np.arange(0, len(marks), step)
        self.ax_.set(xticks=ticks, yticks=ticks, xlabel="next character")
        self.ax_.set_ylabel("character")
        for axis in self.ax_.xaxis, self.ax_.yaxis:
            # A dollar sign is a character, not the beginning of a formula.
            axis.set_ticklabels([marks[tick] for tick in ticks], parse_math=False)

    def _texts(self, values_format: str | None) -> list[list[str]]:
        """Return the pair and its number for each cell."""
        if not values_format:
            values_format = ".3f" if self.name == "probability" else ".4g"
            if np.issubdtype(self.table.dtype, np.integer):
                values_format = "d"
        marks = symbol_marks(self.symbols)
        pairs = [[first + second for second in marks] for first in marks]
        return with_values(pairs, self.table, values_format)


def figure_size(n_symbols: int, has_text: bool) -> tuple[float, float]:
    """Return the size in inches of a figure whose cells, or names, can be read."""
    if has_text:
        side = max(3.0, 1.0 + 0.5 * n_symbols)
        return side, side
    side = min(12.0, max(4.0, 1.0 + 0.2 * n_symbols))
    return side + 1.0, side  # room for the scale of the colours


def font_size(cell: float) -> float:
    """Return the size of two lines of six characters in a cell, both in points."""
    return min(8.0, 0.28 * cell)


def _table(estimator: Any, values: str) -> tuple[np.ndarray, str]:
    """Return the counts or the probabilities of a model, and what they are called."""
    counts = getattr(estimator, "counts_", np.empty(0))
    has_counts = np.shape(counts) == (len(estimator.symbols_),) * 2
    if values == "counts" and not has_counts:
        raise ValueError(
            f"values='counts' needs a model that counts pairs such as BigramCounter; "
            f"{type(estimator).__name__} has probabilities: use values='proba'."
        )
    if has_counts and values != "proba":
        return counts, "count"
    prefixes = _words_of_one_symbol(len(estimator.symbols_))
    estimator._check_readable(prefixes, "prefixes")
    log_proba, rows = estimator._prefix_log_proba(prefixes)
    return np.exp(log_proba[rows]), "probability"


def _words_of_one_symbol(n_symbols: int) -> EncodedWords:
    """Return the empty word, and a word of each symbol after the boundary."""
    codes = np.zeros(2 * n_symbols, dtype=np.min_scalar_type(n_symbols))
    codes[2::2] = np.arange(1, n_symbols)
    return EncodedWords(codes, np.append(0, np.arange(1, 2 * n_symbols, 2)))
