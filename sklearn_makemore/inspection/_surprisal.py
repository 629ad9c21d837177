"""SurprisalDisplay: which characters of a word a model did not expect."""

import numpy as np

from .._words.check import check_words
from ._axes import axes_for, style
from ._cells import ink
from ._models import check_model
from ._symbols import symbol_marks

CELL = 0.42
"""Side in inches of the cell of a character in a new figure."""

MAX_FIGURE_WIDTH = 14.0
"""Inches up to which a figure grows with its cells."""

MIN_FONT_SIZE = 4.0
"""Points below which nobody reads what is written in a cell."""


class SurprisalDisplay:
    """Heat map of words, each character coloured by how little it was expected.

    A row is a word, a cell one of its characters, and the last cell of a row its end.
    The colour is the surprise: the negative log-probability, in nats, of the character
    given those before it. The sum over a row, which is written beside it, is that of
    the word. A character that is impossible has the colour of the largest surprise
    that is finite.

    It is recommended to use `from_estimator` to create a display. All parameters are
    stored as attributes.

    Parameters
    ----------
    words : list of str
        The words.

    surprisal : list of ndarray of shape (len(word) + 1,)
        Negative log-probabilities in nats of the characters of each word, and at last
        of its end.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the heat map.

    figure_ : matplotlib Figure
        Figure that contains the axes.

    im_ : matplotlib AxesImage
        The heat map.

    text_ : list of list of matplotlib Text, or None
        What is written in the cells, a list a word; None if nothing is.

    colorbar_ : matplotlib Colorbar or None
        The scale of the colours, if it is drawn.

    See Also
    --------
    BigramDisplay : The probabilities of all pairs of characters.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn_makemore import NGramCounter
    >>> from sklearn_makemore.inspection import SurprisalDisplay
    >>> model = NGramCounter(order=3).fit(["emma", "olivia", "ava"])
    >>> SurprisalDisplay.from_estimator(model, ["emilia", "aaa"])
    <...>
    >>> plt.show()
    """

    def __init__(self, words, surprisal):
        self.words = words
        self.surprisal = surprisal

    @classmethod
    def from_estimator(
        cls,
        estimator,
        words,
        *,
        include_values=False,
        values_format=".1f",
        cmap="OrRd",
        colorbar=True,
        ax=None,
        im_kw=None,
        text_kw=None,
    ):
        """Draw how a fitted model is surprised by words.

        Parameters
        ----------
        estimator : estimator instance
            A fitted model.

        words : array-like of str of shape (n_words,)
            A few words.

        include_values : bool, default=False
            Whether to write the surprise below each character.

        values_format : str, default=".1f"
            Format of the numbers.

        cmap : str or matplotlib Colormap, default="OrRd"
            Colours.

        colorbar : bool, default=True
            Whether to draw the scale of the colours.

        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure large enough for what is written.

        im_kw : dict, default=None
            Keywords of matplotlib's `imshow`; give `vmax` to compare pictures.

        text_kw : dict, default=None
            Keywords of matplotlib's `text` for the cells.

        Returns
        -------
        display : SurprisalDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the estimator is not a character model.
        NotFittedError
            If it is not fitted.
        ValueError
            If a word has a character outside the alphabet and there is no symbol for
            unknown ones, or if it is longer than the model can read.
        """
        check_model(estimator, "SurprisalDisplay")
        words = check_words(words)
        surprisal = [-log_proba for log_proba in estimator.token_log_proba(words)]
        return cls(words, surprisal).plot(
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
        include_values=False,
        values_format=".1f",
        cmap="OrRd",
        colorbar=True,
        im_kw=None,
        text_kw=None,
    ):
        """Draw the heat map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure large enough for what is written.

        include_values : bool, default=False
            Whether to write the surprise below each character.

        values_format : str, default=".1f"
            Format of the numbers.

        cmap : str or matplotlib Colormap, default="OrRd"
            Colours.

        colorbar : bool, default=True
            Whether to draw the scale of the colours.

        im_kw : dict, default=None
            Keywords of matplotlib's `imshow`; give `vmax` to compare pictures.

        text_kw : dict, default=None
            Keywords of matplotlib's `text` for the cells.

        Returns
        -------
        display : SurprisalDisplay
            The display itself.
        """
        n_rows, n_columns = len(self.words), max(map(len, self.surprisal))
        figsize = (
            min(MAX_FIGURE_WIDTH, max(4.0, 1.8 + CELL * n_columns)),
            min(MAX_FIGURE_WIDTH, max(2.4, 1.0 + CELL * n_rows)),
        )
        ax = axes_for(ax, "SurprisalDisplay.plot", figsize, layout="compressed")
        from matplotlib.image import AxesImage

        self.ax_, self.figure_ = ax, ax.figure
        table, largest = _padded(self.surprisal)  # (n_rows, n_columns)
        defaults = {
            "cmap": cmap,
            "interpolation": "nearest",
            "vmin": 0,
            "vmax": largest,
        }
        if "norm" in (im_kw or {}):  # it has limits of its own
            del defaults["vmin"], defaults["vmax"]
        self.im_ = ax.imshow(table, **style(AxesImage, defaults, im_kw))
        box = ax.get_window_extent()
        cell = min(box.width / n_columns, box.height / n_rows) * 72 / ax.figure.dpi
        marks = self._marks()
        self._name_axes(marks[0][-1], cell)
        self.text_ = None
        # Two lines of four characters, or one character.
        fontsize = min(9.0, 0.36 * cell) if include_values else min(14.0, 0.6 * cell)
        if fontsize >= MIN_FONT_SIZE:
            defaults = {"fontsize": fontsize, "ha": "center", "va": "center"}
            number = values_format if include_values else None
            self.text_ = self._write(marks, number, defaults, text_kw)
        self.colorbar_ = None
        if colorbar:
            width, height = np.array([0.15, 1.2]) * ax.figure.dpi
            height = max(1.0, height / box.height)
            beside = ax.inset_axes(
                [1 + width / box.width, 0.5 - height / 2, width / box.width, height]
            )
            self.colorbar_ = ax.figure.colorbar(
                self.im_, cax=beside, label="surprise (nats)"
            )
        return self

    def _marks(self):
        """Return what is written for each character and the end, a list a word."""
        characters = sorted(set().union(*self.words))
        end, *marks = symbol_marks(["", *characters])
        mark_of = dict(zip(characters, marks, strict=True))
        return [[*(mark_of[character] for character in w), end] for w in self.words]

    def _name_axes(self, end, cell):
        step = int(np.ceil(10.0 / cell))  # points that a line takes
        ticks = np.arange(0, len(self.words), step)
        totals = [f"{np.sum(self.surprisal[tick]):.1f}" for tick in ticks]
        self.ax_.set_yticks(ticks, totals)
        self.ax_.set_xticks([])
        self.ax_.tick_params(length=0)
        self.ax_.spines[:].set_visible(False)
        self.ax_.set_ylabel("sum (nats)")
        self.ax_.set_xlabel(f"characters, and the end as {end!r}", parse_math=False)

    def _write(self, marks, values_format, defaults, text_kw):
        """Write each character in sight of its colour, and its number if asked to."""
        from matplotlib.text import Text

        shades = ink(self.im_.to_rgba(self.im_.get_array()))
        texts = []
        for row, surprisal in enumerate(self.surprisal):
            texts.append([])
            for column, value in enumerate(surprisal):
                text = marks[row][column]
                if values_format is not None:
                    text += f"\n{value:{values_format}}"
                keywords = style(
                    Text, {**defaults, "color": shades[row, column]}, text_kw
                )
                texts[-1].append(
                    self.ax_.text(
                        column,
                        row,
                        text,
                        parse_math=False,  # a dollar sign is a character
                        in_layout=False,
                        **keywords,
                    )
                )
        return texts


def _padded(surprisal):
    """Pad rows to one length, and take what is infinite for the largest of the rest.

    Parameters
    ----------
    surprisal : list of n ndarray
        Rows of numbers that are not negative.

    Returns
    -------
    table : masked array of shape (n, n_columns)
        The rows; masked beyond their ends.

    largest : float
        Largest of the numbers that are finite; 1 if it would be 0.
    """
    n_columns = max(map(len, surprisal))
    table = np.full((len(surprisal), n_columns), np.nan)
    for row, numbers in zip(table, surprisal, strict=True):
        row[: len(numbers)] = numbers
    largest = float(np.max(table, initial=0.0, where=np.isfinite(table))) or 1.0
    table[np.isposinf(table)] = largest
    return np.ma.masked_invalid(table), largest
