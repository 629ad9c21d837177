"""BigramDisplay: how often, or how probably, one symbol follows another."""

import numpy as np

from .._sklearn import StrOptions, validate_params
from ._axes import axes_for, style
from ._cells import figure_size, font_size, ink, shorter_side
from ._models import check_model
from ._symbols import chosen_ids, symbol_marks

MAX_SYMBOLS_WITH_COUNTS = 40
"""Symbols up to which the cells are written in: the figure grows with them."""

MIN_FONT_SIZE = 4.0
"""Points below which nobody reads what is written in a cell."""

TICK_ROOM = 10.0
"""Points that a name along an axis takes."""


class BigramDisplay:
    """Heat map of pairs of neighbouring characters.

    Row the character, column the next one; the boundary is a symbol too, so that its
    row tells how words begin and its column how they end. In each cell the pair is
    written, and below it the count or the probability: the picture of lecture 1 of
    makemore.

    It is recommended to use `from_estimator` to create a display. All parameters are
    stored as attributes.

    Parameters
    ----------
    table : ndarray of shape (n_symbols, n_symbols)
        Counts or probabilities: row the symbol, column the next one.

    symbols : list of str of length n_symbols
        Texts of the symbols, ``""`` for the boundary.

    name : str, default="count"
        What the numbers are.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the heat map.

    figure_ : matplotlib Figure
        Figure that contains the axes.

    im_ : matplotlib AxesImage
        The heat map.

    text_ : ndarray of shape (n_symbols, n_symbols), dtype=matplotlib Text, or None
        What is written in the cells; None if nothing is.

    colorbar_ : matplotlib Colorbar or None
        The scale of the colours, if it is drawn.

    See Also
    --------
    EmbeddingDisplay : Which characters a network takes for alike.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn_makemore import BigramCounter
    >>> from sklearn_makemore.inspection import BigramDisplay
    >>> model = BigramCounter().fit(["emma", "olivia", "ava"])
    >>> BigramDisplay.from_estimator(model)
    <...>
    >>> plt.show()
    """

    def __init__(self, table, symbols, *, name="count"):
        self.table = table
        self.symbols = symbols
        self.name = name

    @classmethod
    @validate_params(
        {"values": [StrOptions({"auto", "counts", "proba"})]},
        prefer_skip_nested_validation=True,
    )
    def from_estimator(
        cls,
        estimator,
        *,
        values="auto",
        characters=None,
        include_values=None,
        values_format=None,
        cmap="Blues",
        colorbar=None,
        ax=None,
        im_kw=None,
        text_kw=None,
    ):
        """Draw the pairs of a fitted model.

        Parameters
        ----------
        estimator : estimator instance
            A fitted model: a `BigramCounter`, or any other, of which the probabilities
            are those of the second character of a word after its first one.

        values : {"auto", "counts", "proba"}, default="auto"
            What to show; "auto" takes the counts of a model that has counted pairs,
            and else probabilities.

        characters : str or array-like of str, default=None
            Characters to show beside the boundary, in this order; None shows all
            symbols.

        include_values : bool, default=None
            Whether to write in the cells; None does so for up to 40 symbols, if the
            axes have the room.

        values_format : str, default=None
            Format of the numbers; None is "d" for whole numbers, ".3f" for
            probabilities and ".4g" for others.

        cmap : str or matplotlib Colormap, default="Blues"
            Colours.

        colorbar : bool, default=None
            Whether to draw the scale of the colours; None does so where no numbers
            are in the cells.

        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure large enough for what is written.

        im_kw : dict, default=None
            Keywords of matplotlib's `imshow`.

        text_kw : dict, default=None
            Keywords of matplotlib's `text` for the cells.

        Returns
        -------
        display : BigramDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the estimator is not a character model.
        NotFittedError
            If it is not fitted.
        ValueError
            If counts are asked of a model that has not counted pairs, or `characters`
            has one that the model does not know.
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
        ax=None,
        *,
        include_values=None,
        values_format=None,
        cmap="Blues",
        colorbar=None,
        im_kw=None,
        text_kw=None,
    ):
        """Draw the heat map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure large enough for what is written.

        include_values : bool, default=None
            Whether to write in the cells; None does so for up to 40 symbols, if the
            axes have the room.

        values_format : str, default=None
            Format of the numbers; None is "d" for whole numbers, ".3f" for
            probabilities and ".4g" for others.

        cmap : str or matplotlib Colormap, default="Blues"
            Colours.

        colorbar : bool, default=None
            Whether to draw the scale of the colours; None does so where no numbers
            are in the cells.

        im_kw : dict, default=None
            Keywords of matplotlib's `imshow`.

        text_kw : dict, default=None
            Keywords of matplotlib's `text` for the cells.

        Returns
        -------
        display : BigramDisplay
            The display itself.
        """
        n_symbols = len(self.symbols)
        fits = n_symbols <= MAX_SYMBOLS_WITH_COUNTS
        figsize = figure_size(
            n_symbols, fits if include_values is None else include_values
        )
        # Square cells leave the usual layout too little room for the names of the axes.
        ax = axes_for(ax, "BigramDisplay.plot", figsize, layout="compressed")
        from matplotlib.image import AxesImage

        self.ax_, self.figure_ = ax, ax.figure
        cell = shorter_side(ax) / n_symbols
        if include_values is None:
            include_values = fits and font_size(cell) >= MIN_FONT_SIZE
        if colorbar is None:
            colorbar = not include_values
        # Normalised keywords, so that a user may write `interpolation` or `cmap` too.
        image = style(AxesImage, {"cmap": cmap, "interpolation": "nearest"}, im_kw)
        self.im_ = ax.imshow(self.table, **image)
        marks = symbol_marks(self.symbols)
        self._name_axes(marks, step=int(np.ceil(TICK_ROOM / cell)))
        self.text_ = None
        if include_values:
            defaults = {"fontsize": font_size(cell), "ha": "center", "va": "center"}
            self.text_ = self._write(marks, values_format, defaults, text_kw)
        self.colorbar_ = None
        if colorbar:
            # As high as the heat map, which is square.
            beside = ax.inset_axes([1.03, 0, 0.04, 1])
            self.colorbar_ = ax.figure.colorbar(self.im_, cax=beside, label=self.name)
        return self

    def _name_axes(self, marks, step):
        ticks = np.arange(0, len(marks), step)
        self.ax_.set(xticks=ticks, yticks=ticks, xlabel="next character")
        self.ax_.set_ylabel("character")
        for axis in self.ax_.xaxis, self.ax_.yaxis:
            # A dollar sign is a character, not the beginning of a formula.
            axis.set_ticklabels([marks[tick] for tick in ticks], parse_math=False)

    def _write(self, marks, values_format, defaults, text_kw):
        """Write the pair and its number in each cell, in sight of its colour."""
        from matplotlib.text import Text

        if values_format is None:
            values_format = _default_format(self.table, self.name)
        colors = ink(self.im_.to_rgba(np.asarray(self.im_.get_array())))
        texts = np.empty(self.table.shape, dtype=object)
        for (row, column), value in np.ndenumerate(self.table):
            texts[row, column] = self.ax_.text(
                column,
                row,
                f"{marks[row]}{marks[column]}\n{value:{values_format}}",
                parse_math=False,
                in_layout=False,  # they are within the axes, and many to measure
                **style(Text, {**defaults, "color": colors[row, column]}, text_kw),
            )
        return texts


def _table(estimator, values):
    """Return the counts or the probabilities of a model, and what they are called."""
    counts = getattr(estimator, "counts_", None)
    has_counts = np.shape(counts) == (len(estimator.symbols_),) * 2
    if values == "counts" and not has_counts:
        raise ValueError(
            f"values='counts' needs a model that counts pairs such as BigramCounter; "
            f"{type(estimator).__name__} has probabilities: use values='proba'."
        )
    if has_counts and values != "proba":
        return counts, "count"
    known = set(estimator.symbols_)
    stranger = next(c for c in map(chr, range(0xE000, 0x10FFFF)) if c not in known)
    prefixes = [stranger if len(s) > 1 else s for s in estimator.symbols_]
    return estimator.predict_proba(prefixes), "probability"


def _default_format(table, name):
    if np.issubdtype(table.dtype, np.integer):
        return "d"
    return ".3f" if name == "probability" else ".4g"
