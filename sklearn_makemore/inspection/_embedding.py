"""EmbeddingDisplay: the characters as points, as near as the network finds them."""

from collections.abc import Mapping

import numpy as np

from ._axes import axes_for, style
from ._models import check_network
from ._points import spread_apart, two_coordinates
from ._symbols import chosen_ids, symbol_marks

LABEL_DISTANCE = 17.0
"""Least distance of the centres of two labels, in points."""

MAX_SPREAD_LABELS = 200
"""Labels up to which they are moved apart: the work grows with their square."""


class EmbeddingDisplay:
    """Characters as labelled points in the space of a network's embeddings.

    Characters that a network treats alike come to lie near each other; lecture 2 of
    makemore finds the vowels together. An embedding of two channels is drawn as it is,
    one of more by its two principal components. Labels that would cover each other are
    moved apart, each with a line to its point.

    It is recommended to use `from_estimator` to create a display. All parameters are
    stored as attributes.

    Parameters
    ----------
    coordinates : ndarray of shape (n_symbols, 2)
        Where each symbol is.

    symbols : list of str of length n_symbols
        Texts of the symbols, ``""`` for the boundary.

    explained_variance_ratio : ndarray of shape (2,), default=None
        Share of the variance along each axis; None for coordinates that are the
        channels themselves.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the points.

    figure_ : matplotlib Figure
        Figure that contains the axes.

    scatter_ : list of matplotlib PathCollection
        The points, one collection a group.

    text_ : list of matplotlib Annotation
        The labels, in the order of the symbols.

    See Also
    --------
    BigramDisplay : How often one character follows another.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn_makemore import MLPCharLM
    >>> from sklearn_makemore.datasets import load_names
    >>> from sklearn_makemore.inspection import EmbeddingDisplay
    >>> model = MLPCharLM(n_embd=2, max_epochs=1, random_state=0)
    >>> model = model.fit(load_names().data[:500])
    >>> EmbeddingDisplay.from_estimator(model, groups={"vowels": "aeiou"})
    <...>
    >>> plt.show()
    """

    def __init__(self, coordinates, symbols, *, explained_variance_ratio=None):
        self.coordinates = coordinates
        self.symbols = symbols
        self.explained_variance_ratio = explained_variance_ratio

    @classmethod
    def from_estimator(
        cls,
        estimator,
        *,
        characters=None,
        groups=None,
        ax=None,
        scatter_kw=None,
        text_kw=None,
    ):
        """Draw the embeddings of a fitted network.

        Parameters
        ----------
        estimator : estimator instance
            A fitted network with an embedding, such as `MLPCharLM`.

        characters : str or array-like of str, default=None
            Characters to show beside the boundary; None shows all symbols. The
            principal components are those of what is shown.

        groups : dict of str to str, default=None
            Characters to colour alike, by the name of their group, as in
            ``{"vowels": "aeiou"}``; the others are grey.

        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        scatter_kw : dict, default=None
            Keywords of matplotlib's `scatter` for the points.

        text_kw : dict, default=None
            Keywords of matplotlib's `annotate` for the labels.

        Returns
        -------
        display : EmbeddingDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the estimator is not a network with an embedding.
        NotFittedError
            If it is not fitted.
        ValueError
            If `characters` has one that the model does not know.
        """
        embedding = _embedding_of(estimator)
        ids = chosen_ids(estimator.symbols_, characters)
        coordinates, explained = two_coordinates(embedding[ids])
        symbols = [estimator.symbols_[index] for index in ids]
        display = cls(coordinates, symbols, explained_variance_ratio=explained)
        return display.plot(ax, groups=groups, scatter_kw=scatter_kw, text_kw=text_kw)

    def plot(self, ax=None, *, groups=None, scatter_kw=None, text_kw=None):
        """Draw the points and their labels.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        groups : dict of str to str, default=None
            Characters to colour alike, by the name of their group; the others are
            grey.

        scatter_kw : dict, default=None
            Keywords of matplotlib's `scatter` for the points.

        text_kw : dict, default=None
            Keywords of matplotlib's `annotate` for the labels.

        Returns
        -------
        display : EmbeddingDisplay
            The display itself.

        Raises
        ------
        ValueError
            If a character is in two groups.
        TypeError
            If `groups` is not a dict.
        """
        members = _members(self.symbols, groups)
        ax = axes_for(ax, "EmbeddingDisplay.plot", figsize=(7, 7))
        self.ax_, self.figure_ = ax, ax.figure
        colors = self._draw_points(members, scatter_kw)
        self._name_axes()
        # Distances are what the picture is about.
        ax.set_aspect("equal", adjustable="datalim")
        ax.margins(0.08)
        self._draw_labels(colors, text_kw)
        if set(members) - {None}:
            ax.legend(loc="best", markerscale=2.5)
        return self

    def _draw_points(self, members, scatter_kw):
        """Draw one collection a group; return the colour of each symbol."""
        from matplotlib.collections import PathCollection

        colors, self.scatter_ = {}, []
        for name, ids in members.items():
            defaults = {"s": 12, "color": "0.55" if name is None else None}
            if "c" in (scatter_kw or {}):  # to scatter these are two things
                del defaults["color"]
            keywords = style(PathCollection, defaults, scatter_kw)
            label = name or ("others" if len(members) > 1 else None)
            points = self.ax_.scatter(
                *self.coordinates[ids].T, **{"label": label, **keywords}
            )
            self.scatter_.append(points)
            colors.update(dict.fromkeys(ids, points.get_facecolor()[0]))
        return colors

    def _draw_labels(self, colors, text_kw):
        """Write the labels, moved apart in points from where they belong."""
        from matplotlib.text import Annotation

        ax = self.ax_
        ax.apply_aspect()
        places = ax.transData.transform(self.coordinates) * 72 / ax.figure.dpi
        moves = np.zeros_like(places)
        if len(places) <= MAX_SPREAD_LABELS:
            moves = spread_apart(places, LABEL_DISTANCE) - places
        self.text_ = []
        for index, mark in enumerate(symbol_marks(self.symbols)):
            color = np.array(colors[index])
            pale = [*(0.2 * color[:3] + 0.8), 1.0]
            box = {"boxstyle": "circle,pad=0.15", "fc": pale, "ec": color}
            defaults = {
                "ha": "center",
                "va": "center",
                "fontsize": 10,
                "bbox": box,
                "arrowprops": {"arrowstyle": "-", "color": "0.7", "linewidth": 0.7},
                "parse_math": False,  # a dollar sign is a character
            }
            text = ax.annotate(
                mark,
                self.coordinates[index],
                xytext=moves[index],
                textcoords="offset points",
                **style(Annotation, defaults, text_kw),
            )
            self.text_.append(text)

    def _name_axes(self):
        shares = self.explained_variance_ratio
        names = (
            ["channel 1", "channel 2"]
            if shares is None
            else [
                f"principal component {i} ({share:.0%} of the variance)"
                for i, share in enumerate(shares, start=1)
            ]
        )
        self.ax_.set(xlabel=names[0], ylabel=names[1])


def _embedding_of(estimator):
    """Return the embedding of a fitted network, a row a symbol."""
    check_network(estimator, "EmbeddingDisplay")
    # Whoever has a network has imported torch already.
    from .._networks.base import plain_module

    weight = plain_module(estimator.net_).embedding.weight
    return weight.detach().cpu().double().numpy()


def _members(symbols, groups):
    """Return the indices of the symbols of each group, those of no group under None."""
    if groups is not None and not isinstance(groups, Mapping):
        raise TypeError(
            "`groups` must be a dict of names and their characters, such as "
            f"{{'vowels': 'aeiou'}}, got {groups!r}."
        )
    members, group_of = {}, {}
    for name, characters in (groups or {}).items():
        for character in characters:
            if group_of.setdefault(character, name) != name:
                raise ValueError(
                    f"{character!r} is in the groups {group_of[character]!r} and "
                    f"{name!r}; a character has one colour."
                )
    for index, symbol in enumerate(symbols):
        members.setdefault(group_of.get(symbol), []).append(index)
    order = [name for name in [*(groups or {}), None] if name in members]
    return {name: members[name] for name in order}
