"""Models by name, as parameters of the estimator that contains them."""

import reprlib
from collections.abc import Sequence
from typing import Any

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.utils import Bunch
from sklearn.utils.validation import check_is_fitted

from .._base import BaseCharLM
from .._sklearn import _BaseComposition, _VisualBlock
from .._words.vocabulary import CharVocabulary

Member = BaseCharLM | FrozenEstimator
"""A model to be fitted, or a frozen one that is fitted already."""

Members = dict[str, BaseCharLM]
"""Models by name, in the order of `estimators`."""


class NamedMembers(_BaseComposition):
    """Base of the estimators whose `estimators` are models, with or without names."""

    estimators: Sequence[Member | tuple[str, Member]]

    @property
    def _named_members(self) -> list[tuple[str, Member]]:
        """The members that can be parameters; `fit` refuses all others."""
        own = self._get_param_names()
        return [
            (name, member)
            for name, member in named_members(self.estimators)
            if isinstance(name, str) and name not in own
            if isinstance(member, (BaseCharLM, FrozenEstimator))
        ]

    @_named_members.setter
    def _named_members(self, members: list[tuple[str, Member]]) -> None:
        replaced = dict(members)
        self.estimators = [
            (name, replaced.get(name, member) if isinstance(name, str) else member)
            for name, member in named_members(self.estimators)
        ]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters.

        Parameters
        ----------
        deep : bool, default=True
            Whether to include the members by name, and their parameters as
            ``name__parameter``.

        Returns
        -------
        params : dict
            Parameters by name.
        """
        return self._get_params("_named_members", deep=deep)

    def set_params(self, **params: Any) -> "NamedMembers":
        """Set parameters of the model and of its members.

        Parameters
        ----------
        **params : dict
            Parameters of the model; members by name, which replace members and keep
            the names; parameters of members as ``name__parameter``.

        Returns
        -------
        self : object
            The model.
        """
        if "estimators" in params:
            self.estimators = params.pop("estimators")
        return self._set_params("_named_members", **params)

    def _checked_members(self) -> dict[str, Member]:
        """Return the given members by name; raise an error if one is invalid."""
        members: dict[str, Member] = {}
        for index, (name, member) in enumerate(named_members(self.estimators)):
            self._check_member(index, name, member)
            if name in members:
                raise ValueError(
                    f"The name {name!r} comes twice in `estimators`, again at index "
                    f"{index}; give every model a different name."
                )
            members[name] = member
        if not members:
            owner = type(self).__name__
            raise ValueError(
                f"`estimators` is empty; a {owner} needs at least one model."
            )
        return members

    def _frozen_models(self) -> Members:
        """Return the models of the frozen members by name."""
        return {
            name: member.estimator
            for name, member in named_members(self.estimators)
            if isinstance(member, FrozenEstimator)
        }

    def _with_frozen_characters(self, vocabulary: CharVocabulary) -> CharVocabulary:
        """Return the vocabulary with the characters of all frozen members too."""
        for name, model in self._frozen_models().items():
            if model.vocabulary_.unknown and not vocabulary.unknown:
                raise ValueError(
                    f"The frozen member {name!r} has handle_unknown='unk', and the "
                    "mixture has 'error', so the probability of unknown characters "
                    "would be lost; set handle_unknown='unk' on the mixture."
                )
            vocabulary = vocabulary.union(model.vocabulary_)
        return vocabulary

    def _check_member(self, index: int, name: Any, member: Any) -> None:
        """Raise an error unless this is a name and a model with valid parameters."""
        is_frozen = isinstance(member, FrozenEstimator)
        model = member.estimator if is_frozen else member
        if not isinstance(model, BaseCharLM):
            raise TypeError(
                f"`estimators` must hold models, such as NGramCounter(), or pairs of a "
                f"name and a model; got {reprlib.repr(member)} of type "
                f"{type(member).__name__} at index {index}."
            )
        if is_frozen:
            check_is_fitted(
                model,
                msg=f"The frozen %(name)s at index {index} of `estimators` is not "
                "fitted; fit it first, or pass it without FrozenEstimator.",
            )
        model._validate_params()  # before others have been fitted
        if not isinstance(name, str):
            raise TypeError(
                f"The name of a model must be a string, got {reprlib.repr(name)} of "
                f"type {type(name).__name__} at index {index} of `estimators`."
            )
        if "__" in name or name in self.get_params(deep=False):
            raise ValueError(
                f"The name {name!r} at index {index} of `estimators` is that of a "
                "parameter or has two underscores, so `set_params` could not tell the "
                "member apart; choose another name."
            )

    def _sk_visual_block_(self):
        """Draw the members side by side in the HTML representation."""
        pairs = self._named_members
        names, members = [name for name, _ in pairs], [member for _, member in pairs]
        return _VisualBlock("parallel", members, names=names)


def named_members(estimators: Any) -> list[tuple[str, Member]]:
    """Return pairs of a name and a model; missing names are made as in pipelines.

    Nothing raises an error here, because parameters can be read and set before `fit`
    checks them. A value that is not a list has no members.
    """
    if not isinstance(estimators, (list, tuple)):
        return []
    unnamed = [entry for entry in estimators if not _is_pair(entry)]
    pairs = iter(make_pipeline(*unnamed).steps)
    return [tuple(entry) if _is_pair(entry) else next(pairs) for entry in estimators]


def _is_pair(entry: Any) -> bool:
    return isinstance(entry, (tuple, list)) and len(entry) == 2


def fitted_members(members: Members) -> dict[str, Any]:
    """Return the fitted attributes that hold the members."""
    return {
        "estimators_": list(members.values()),
        "named_estimators_": Bunch(**members),
    }
