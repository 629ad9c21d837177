"""EmbeddingDisplay: characters as points in the space of a network's embeddings."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from .._words.types import Floats, Words
from ._base import BaseDisplay, check_network, style
from ._symbols import chosen_ids, symbol_marks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from matplotlib.text import Annotation


@dataclass(eq=False, repr=False)
class EmbeddingDisplay(BaseDisplay):
    """Characters as labelled points in the space of a network's embeddings.

    Characters that a network treats alike are near each other: in lecture 2 of makemore
    the vowels are together. An embedding of two channels is drawn unchanged. One of
    more channels is projected on its two principal components. Labels that would cover
    each other are moved apart and connected to their points by lines.

    Parameters
    ----------
    coordinates : ndarray of shape (n_symbols, 2)
        The position of each symbol.

    symbols : list of str of length n_symbols
        Texts of the symbols, ``""`` for the boundary.

    explained_variance_ratio : ndarray of shape (2,), default=None
        Share of the variance along each axis; None for coordinates that are the
        channels themselves.

    Attributes
    ----------
    scatter_ : list of matplotlib PathCollection
        The points, one collection per group.

    text_ : list of matplotlib Annotation
        The labels, in the order of the symbols.

    See Also
    --------
    BigramDisplay : How often one character follows another.

    Examples
    --------
    >>> from sklearn_makemore import MLPCharLM
    >>> from sklearn_makemore.datasets import load_names
    >>> from sklearn_makemore.inspection import EmbeddingDisplay
    >>> model = MLPCharLM(n_embd=2, max_epochs=1, random_state=0)
    >>> model = model.fit(load_names().data[:500])
    >>> EmbeddingDisplay.from_estimator(model, groups={"vowels": "aeiou"})
    <...>
    """

    coordinates: Floats
    symbols: list[str]
    _: KW_ONLY
    explained_variance_ratio: Floats | None = None
    scatter_: "list[PathCollection]" = field(init=False)
    text_: "list[Annotation]" = field(init=False)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        characters: Words | None = None,
        groups: Mapping[str, str] | None = None,
        ax: "Axes | None" = None,
        scatter_kw: dict[str, Any] | None = None,
        text_kw: dict[str, Any] | None = None,
    ) -> "EmbeddingDisplay":
        """Draw the embeddings of a fitted network.

        Parameters
        ----------
        estimator : estimator instance
            A fitted network with an embedding, such as `MLPCharLM`.

        characters : str or array-like of str, default=None
            Characters to show in addition to the boundary; None shows all symbols. The
            principal components are those of the shown symbols.

        Raises
        ------
        TypeError, NotFittedError
            If the estimator is not a fitted network with an embedding.
        ValueError
            If `characters` has one that the model does not know.
        """
        embedding = _embedding_of(estimator)
        ids = chosen_ids(estimator.symbols_, characters)
        coordinates, explained = two_coordinates(embedding[ids])
        symbols = [estimator.symbols_[index] for index in ids]
        display = cls(coordinates, symbols, explained_variance_ratio=explained)
        return display.plot(ax, groups=groups, scatter_kw=scatter_kw, text_kw=text_kw)

    def plot(
        self,
        ax: "Axes | None" = None,
        *,
        groups: Mapping[str, str] | None = None,
        scatter_kw: dict[str, Any] | None = None,
        text_kw: dict[str, Any] | None = None,
    ) -> "EmbeddingDisplay":
        """Draw the points and their labels.

        Parameters
        ----------
        groups : dict of str to str, default=None
            Characters of one colour by the name of their group, as in
            ``{"vowels": "aeiou"}``; the others are grey.

        scatter_kw, text_kw : dict, default=None
            Keywords of matplotlib's `scatter` for the points, and of `annotate` for the
            labels.

        Raises
        ------
        ValueError
            If a character is in two groups.
        TypeError
            If `groups` is not a dict.
        """
        members = _members(self.symbols, groups)
        ax = self._start(ax, figsize=(7, 7))
        colors = self._draw_points(members, scatter_kw)
        self._name_axes()
        # One scale for both axes, because distances matter.
        ax.set_aspect("equal", adjustable="datalim")
        ax.margins(0.08)
        self._draw_labels(colors, text_kw)
        if set(members) - {None}:
            ax.legend(loc="best", markerscale=2.5)
        return self

    def _draw_points(
        self, members: dict[str | None, list[int]], scatter_kw: dict[str, Any] | None
    ) -> dict[int, np.ndarray]:
        """Draw one collection per group; return the colour of each symbol."""
        from matplotlib.collections import PathCollection

        colors: dict[int, np.ndarray] = {}
        self.scatter_ = []
        for name, ids in members.items():
            defaults: dict[str, Any] = {"s": 12}
            if "c" not in (scatter_kw or {}):  # `scatter` refuses both
                defaults["color"] = "0.55" if name is None else None
            defaults["label"] = name or ("others" if len(members) > 1 else None)
            keywords = style(PathCollection, defaults, scatter_kw)
            x, y = self.coordinates[ids].T
            points = self.ax_.scatter(x, y, **keywords)
            self.scatter_.append(points)
            color: Any = np.asarray(points.get_facecolor())[0]
            for index in ids:
                colors[index] = color
        return colors

    def _draw_labels(
        self, colors: dict[int, np.ndarray], text_kw: dict[str, Any] | None
    ) -> None:
        """Write the labels, moved apart from their points."""
        from matplotlib.text import Annotation

        marks, moves = symbol_marks(self.symbols), self._label_moves()
        self.text_ = []
        for index, mark in enumerate(marks):
            defaults = _label_style(colors[index])
            text = self.ax_.annotate(
                mark,
                self.coordinates[index],
                xytext=moves[index],
                textcoords="offset points",
                **style(Annotation, defaults, text_kw),
            )
            self.text_.append(text)

    def _label_moves(self) -> Floats:
        """Return how far each label is from its point, (n_symbols, 2) in points."""
        self.ax_.apply_aspect()
        pixels = self.ax_.transData.transform(self.coordinates)
        positions = pixels * 72 / self.ax_.figure.dpi
        if len(positions) > 200:  # the work grows with the square of their number
            return np.zeros_like(positions)
        return spread_apart(positions, distance=17.0) - positions

    def _name_axes(self) -> None:
        shares = self.explained_variance_ratio
        names = ["channel 1", "channel 2"]
        if shares is not None:
            names = [
                f"principal component {i} ({share:.0%} of the variance)"
                for i, share in enumerate(shares, start=1)
            ]
        self.ax_.set(xlabel=names[0], ylabel=names[1])


def _label_style(color: np.ndarray) -> dict[str, Any]:
    """Return the keywords of a label on a pale disc; color : (4,) from 0 to 1."""
    pale = [*(0.2 * color[:3] + 0.8), 1.0]
    return {
        "ha": "center",
        "va": "center",
        "fontsize": 10,
        "bbox": {"boxstyle": "circle,pad=0.15", "fc": pale, "ec": color},
        "arrowprops": {"arrowstyle": "-", "color": "0.7", "linewidth": 0.7},
        "parse_math": False,  # a dollar sign is a character
    }


def _embedding_of(estimator: Any) -> Floats:
    """Return the embedding of a fitted network, (n_symbols, n_channels)."""
    check_network(estimator, "EmbeddingDisplay")
    # A network has imported torch already.
    from .._training.device import plain_module

    module: Any = plain_module(estimator.net_)
    return module.embedding.weight.detach().cpu().double().numpy()


def _members(
    symbols: list[str], groups: Mapping[str, str] | None
) -> dict[str | None, list[int]]:
    """Return the indices of the symbols of each group; None has those of no group."""
    if groups is not None and not isinstance(groups, Mapping):
        raise TypeError(
            "`groups` must be a dict of names and their characters, such as "
            f"{{'vowels': 'aeiou'}}, got {groups!r}."
        )
    group_of: dict[str, str] = {}
    for name, characters in (groups or {}).items():
        for character in characters:
            if group_of.setdefault(character, name) != name:
                raise ValueError(
                    f"{character!r} is in the groups {group_of[character]!r} and "
                    f"{name!r}; a character has one colour."
                )
    members: dict[str | None, list[int]] = {}
    for index, symbol in enumerate(symbols):
        members.setdefault(group_of.get(symbol), []).append(index)
    order = [name for name in [*(groups or {}), None] if name in members]
    return {name: members[name] for name in order}


def two_coordinates(embedding: Floats) -> tuple[Floats, Floats | None]:
    """Return two coordinates of each row, and their shares of the variance.

    Two channels are used unchanged, one is combined with zeros, and more are
    projected on principal components. The shares are None for the channels themselves.

    embedding : (n_symbols, n_channels)
    coordinates : (n_symbols, 2)
    explained_variance_ratio : (2,)
    """
    from sklearn.decomposition import PCA

    n_channels = embedding.shape[1]
    if len(embedding) == 1:  # one point has no variance
        return np.zeros((1, 2)), None
    if n_channels <= 2:
        padding = np.zeros((len(embedding), 2 - n_channels))
        return np.hstack([embedding, padding]), None
    pca = PCA(2, svd_solver="full").fit(embedding)
    return pca.transform(embedding), pca.explained_variance_ratio_


def spread_apart(points: Floats, distance: float, n_rounds: int = 200) -> Floats:
    """Move points apart until no two are nearer than a distance, or rounds are over.

    In each round every point is pushed by all points that are too near. Points that
    were far enough apart stay.

    points, moved : (n_points, 2)
    """
    moved = np.array(points, dtype=float)
    # Points in one place leave it in different directions.
    angles = np.arange(len(moved)) * np.pi * (3 - 5**0.5)  # (n,)
    moved += 1e-3 * distance * np.column_stack([np.cos(angles), np.sin(angles)])
    for _ in range(n_rounds):
        away = moved[:, None] - moved[None]  # (n, n, 2)
        length = np.linalg.norm(away, axis=2)  # (n, n)
        np.fill_diagonal(length, np.inf)
        lack = np.clip(1.01 * distance - length, 0, None)
        if lack.max(initial=0) < 0.01 * distance:
            break
        pushes = (away * (lack / length)[:, :, None]).sum(axis=1) / 3  # (n, 2)
        # Among many near points, the sum of all pushes would be too large.
        size = np.linalg.norm(pushes, axis=1, keepdims=True)
        moved += pushes / np.maximum(1, 8 * size / distance)
    return moved
