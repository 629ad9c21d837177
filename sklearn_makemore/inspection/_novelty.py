"""NoveltyDisplay: how many sampled words are new, and how long they are."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from .._generation.novelty import NoveltyReport
from .._words.types import Seed, Words
from ._base import BaseDisplay, check_model, draw_line, legend_above, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D
    from matplotlib.patches import StepPatch


@dataclass(eq=False, repr=False)
class NoveltyDisplay(BaseDisplay):
    """Lengths of sampled words, by whether they are new, and those of training words.

    Each length has one bar. Its parts are the samples that are new words, training
    words, and new words that were sampled before; the legend gives their shares. The
    line shows the lengths of the training words. The bars of a model that has learned
    these lengths reach the line. The axis reaches the longest training word and 99.5 %
    of the samples.

    Parameters
    ----------
    report : NoveltyReport
        The shares and the lengths.

    Attributes
    ----------
    stairs_ : list of matplotlib StepPatch
        The bars, one patch for each kind of samples.

    line_ : matplotlib Line2D
        The lengths of the training words.

    See Also
    --------
    NoveltyReport : The numbers that are drawn.

    Examples
    --------
    >>> from sklearn_makemore import NGramCounter
    >>> from sklearn_makemore.inspection import NoveltyDisplay
    >>> words = ["emma", "olivia", "ava", "mia", "amelia"]
    >>> model = NGramCounter(order=3).fit(words)
    >>> NoveltyDisplay.from_estimator(model, words, random_state=0)
    <...>
    """

    report: NoveltyReport
    stairs_: "list[StepPatch]" = field(init=False)
    line_: "Line2D" = field(init=False)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        words: Words,
        n_samples: int = 1000,
        *,
        random_state: Seed = None,
        sample_options: dict[str, Any] | None = None,
        ax: "Axes | None" = None,
        stairs_kw: dict[str, Any] | None = None,
        line_kw: dict[str, Any] | None = None,
    ) -> "NoveltyDisplay":
        """Sample words from a fitted model and compare them with the training words.

        Parameters
        ----------
        words : array-like of str of shape (n_words,)
            The training words.

        n_samples : int, default=1000
            Number of words to sample.

        random_state : int, RandomState instance or None, default=None
            Pass an int for the same words at each call; None samples fresh words.

        sample_options : dict, default=None
            Options of the model's `sample`, such as ``{"temperature": 0.8}``.

        Raises
        ------
        TypeError, NotFittedError
            If the estimator is not a fitted character model.
        """
        check_model(estimator, "NoveltyDisplay")
        report = estimator.novelty_report(
            words, n_samples, random_state=random_state, **(sample_options or {})
        )
        return cls.from_report(report, ax=ax, stairs_kw=stairs_kw, line_kw=line_kw)

    @classmethod
    def from_report(
        cls,
        report: NoveltyReport,
        *,
        ax: "Axes | None" = None,
        stairs_kw: dict[str, Any] | None = None,
        line_kw: dict[str, Any] | None = None,
    ) -> "NoveltyDisplay":
        """Draw what the `novelty_report` of a model returned.

        Parameters
        ----------
        report : NoveltyReport
            The report.
        """
        return cls(report).plot(ax, stairs_kw=stairs_kw, line_kw=line_kw)

    def plot(
        self,
        ax: "Axes | None" = None,
        *,
        stairs_kw: dict[str, Any] | None = None,
        line_kw: dict[str, Any] | None = None,
    ) -> "NoveltyDisplay":
        """Draw the bars and the line.

        Parameters
        ----------
        stairs_kw, line_kw : dict, default=None
            Keywords of matplotlib's `stairs` for the samples, and of `plot` for the
            training words.
        """
        ax = self._start(ax, figsize=(6.4, 4.2))
        from matplotlib.ticker import MaxNLocator

        report, n_lengths = self.report, _n_lengths(self.report)
        self._draw_bars(n_lengths, stairs_kw)
        lengths, shares = range(n_lengths), report.train_lengths[:n_lengths]
        line = {"color": "0.15", "lw": 1.3, "marker": "o", "ms": 4}
        line["label"] = "all training words"
        self.line_ = draw_line(ax, lengths, shares, line_kw, **line)
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

    def _draw_bars(self, n_lengths: int, stairs_kw: dict[str, Any] | None) -> None:
        """Draw the kinds of samples above each other."""
        from matplotlib.patches import StepPatch

        edges = np.arange(n_lengths + 1) - 0.5
        bottom = np.zeros(n_lengths)
        labels, colors = _kinds(self.report), ("C0", "C1", "0.75")
        kinds = zip(labels, colors, self.report.lengths_by_kind, strict=True)
        self.stairs_ = []
        for label, color, shares in kinds:
            defaults = {"label": label, "facecolor": color, "edgecolor": "white"}
            keywords = style(StepPatch, defaults, stairs_kw)
            top = bottom + shares[:n_lengths]
            # One patch for all bars: words can have thousands of lengths.
            bars = self.ax_.stairs(top, edges, baseline=bottom, fill=True, **keywords)
            self.stairs_.append(bars)
            bottom = top


def _kinds(report: NoveltyReport) -> list[str]:
    """Return the entry of the legend for each kind of samples."""
    repeated = 1 - report.novel_share - report.known_share
    return [
        f"new: {report.novel_share:.1%}",
        f"among the training words: {report.known_share:.1%}",
        f"new, but sampled before: {abs(repeated):.1%}",  # not -0
    ]


def _n_lengths(report: NoveltyReport) -> int:
    """Return how many lengths to draw: a rare long sample must not stretch the axis."""
    beyond = 1 - np.cumsum(report.sample_lengths)
    last = max(np.argmax(beyond < 0.005), np.flatnonzero(report.train_lengths)[-1])
    return int(last) + 1
