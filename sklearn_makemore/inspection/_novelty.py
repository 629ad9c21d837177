"""NoveltyDisplay: how many drawn words are new, and whether their lengths are right."""

import numpy as np

from ._axes import axes_for, legend_above, style
from ._models import check_model

COLORS = "C0", "C1", "0.75"
"""Of new words, training words, and new words that were drawn before."""


class NoveltyDisplay:
    """Lengths of drawn words, by whether they are new, beside those of training words.

    One bar per length: its parts are the samples that are new words, training words,
    and new words that were drawn before; the legend has their shares. The line is that
    of the training words: a model that has learned their lengths has bars of the same
    height. The axis reaches the longest training word and 99.5 % of the samples.

    It is recommended to use `from_estimator` or `from_report` to create a display. All
    parameters are stored as attributes.

    Parameters
    ----------
    report : NoveltyReport
        The shares and the lengths.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the bars and the line.

    figure_ : matplotlib Figure
        Figure that contains the axes.

    stairs_ : list of matplotlib StepPatch
        The bars, all of a kind of samples in one patch.

    line_ : matplotlib Line2D
        The lengths of the training words.

    See Also
    --------
    NoveltyReport : The numbers that are shown.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn_makemore import NGramCounter
    >>> from sklearn_makemore.inspection import NoveltyDisplay
    >>> words = ["emma", "olivia", "ava", "mia", "amelia"]
    >>> model = NGramCounter(order=3).fit(words)
    >>> NoveltyDisplay.from_estimator(model, words, random_state=0)
    <...>
    >>> plt.show()
    """

    def __init__(self, report):
        self.report = report

    @classmethod
    def from_estimator(
        cls,
        estimator,
        words,
        n_samples=1000,
        *,
        random_state=None,
        sample_options=None,
        ax=None,
        stairs_kw=None,
        line_kw=None,
    ):
        """Draw words from a fitted model and compare them with the training words.

        Parameters
        ----------
        estimator : estimator instance
            A fitted model.

        words : array-like of str of shape (n_words,)
            The training words.

        n_samples : int, default=1000
            Number of words to draw.

        random_state : int, RandomState instance or None, default=None
            Pass an int for the same words at each call; None draws fresh ones.

        sample_options : dict, default=None
            Options of the model's `sample`, such as ``{"temperature": 0.8}``.

        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        stairs_kw : dict, default=None
            Keywords of matplotlib's `stairs`.

        line_kw : dict, default=None
            Keywords of matplotlib's `plot` for the training words.

        Returns
        -------
        display : NoveltyDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the estimator is not a character model.
        NotFittedError
            If it is not fitted.
        """
        check_model(estimator, "NoveltyDisplay")
        report = estimator.novelty_report(
            words, n_samples, random_state=random_state, **(sample_options or {})
        )
        return cls.from_report(report, ax=ax, stairs_kw=stairs_kw, line_kw=line_kw)

    @classmethod
    def from_report(cls, report, *, ax=None, stairs_kw=None, line_kw=None):
        """Draw what `novelty_report` of a model returned.

        Parameters
        ----------
        report : NoveltyReport
            The report.

        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        stairs_kw : dict, default=None
            Keywords of matplotlib's `stairs`.

        line_kw : dict, default=None
            Keywords of matplotlib's `plot` for the training words.

        Returns
        -------
        display : NoveltyDisplay
            The display, drawn.
        """
        return cls(report).plot(ax, stairs_kw=stairs_kw, line_kw=line_kw)

    def plot(self, ax=None, *, stairs_kw=None, line_kw=None):
        """Draw the bars and the line.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        stairs_kw : dict, default=None
            Keywords of matplotlib's `stairs`.

        line_kw : dict, default=None
            Keywords of matplotlib's `plot` for the training words.

        Returns
        -------
        display : NoveltyDisplay
            The display itself.
        """
        ax = axes_for(ax, "NoveltyDisplay.plot", figsize=(6.4, 4.2))
        from matplotlib.lines import Line2D
        from matplotlib.patches import StepPatch
        from matplotlib.ticker import MaxNLocator

        self.ax_, self.figure_, self.stairs_ = ax, ax.figure, []
        report = self.report
        n_lengths = _n_lengths(report)
        edges = np.arange(n_lengths + 1) - 0.5
        bottom = np.zeros(n_lengths)
        kinds = zip(_kinds(report), COLORS, report.lengths_by_kind, strict=True)
        for label, color, shares in kinds:
            defaults = {"label": label, "facecolor": color, "edgecolor": "white"}
            keywords = style(StepPatch, defaults, stairs_kw)
            top = bottom + shares[:n_lengths]
            # One patch: words can have thousands of lengths.
            self.stairs_.append(
                ax.stairs(top, edges, baseline=bottom, fill=True, **keywords)
            )
            bottom = top
        defaults = {"label": "all training words", "color": "0.15", "lw": 1.3}
        keywords = style(Line2D, {**defaults, "marker": "o", "ms": 4}, line_kw)
        (self.line_,) = ax.plot(report.train_lengths[:n_lengths], **keywords)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.yaxis.set_major_formatter("{x:.0%}")
        ax.set(xlabel="number of characters", ylabel="share of the words")
        ax.set(xlim=(-0.8, n_lengths - 0.2), ylim=(0, None))
        title = f"{report.n_samples} samples, {report.distinct_share:.1%} distinct"
        handles = [*self.stairs_, self.line_]
        legend_above(
            ax, handles=handles, fontsize="small", title=title, title_fontsize="small"
        )
        return self


def _kinds(report):
    """Return what the legend says of each kind of samples."""
    repeated = 1 - report.novel_share - report.known_share
    return [
        f"new: {report.novel_share:.1%}",
        f"among the training words: {report.known_share:.1%}",
        f"new, but drawn before: {abs(repeated):.1%}",  # not -0
    ]


def _n_lengths(report):
    """Return how many lengths are drawn: a stray sample must not stretch the axis."""
    beyond = 1 - np.cumsum(report.sample_lengths)
    last = max(np.argmax(beyond < 0.005), np.flatnonzero(report.train_lengths)[-1])
    return int(last) + 1
