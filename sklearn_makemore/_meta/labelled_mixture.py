"""Mixtures given a label: their members are given the label, their weights are not."""

import copy
from dataclasses import dataclass
from typing import Any, Self, cast

import numpy as np
from sklearn.utils import Bunch
from sklearn.utils.parallel import Parallel, delayed

from .._base import BaseCharLM, ModelOfLabels
from .._words.training_set import TrainingSet
from .conditional import ConditionalCharLM
from .members import fit_members
from .named_members import Members

LabelledMembers = dict[str, Any]
"""Members by name: a `ModelOfLabels`, or the model of a frozen member."""


@dataclass(frozen=True, eq=False)
class LabelledFit:
    """The fit of a member on labelled words.

    member : a `ConditionalCharLM` of it
    classes : (n_classes,) labels, by their numbers
    """

    name: str
    member: ConditionalCharLM
    data: TrainingSet
    classes: np.ndarray

    def run(self) -> None:
        """Fit the member."""
        model = self.member._new_model()
        self.member._fit_encoded(model, self.data, self.classes)


@dataclass(frozen=True, eq=False)
class LabelledMixture:
    """What `MixtureCharLM` learns from labelled words: see `ModelOfLabels`.

    reader : the mixture, whose members are readers
    members : what each member has learned; frozen ones are the same for all labels
    """

    reader: Any
    members: LabelledMembers

    @classmethod
    def fitted(cls, mixture: Any, data: TrainingSet, callback_context: Any) -> Self:
        """Fit the members of a mixture on labelled words, and find their weights."""

        def train(members: Members, data: TrainingSet, purpose: str) -> LabelledMembers:
            if callback_context is None:
                return _partially_trained(members, data, mixture.n_jobs)
            classes = callback_context.classes
            fits = [
                LabelledFit(
                    f"{purpose}-{name}", ConditionalCharLM(member), data, classes
                )
                for name, member in members.items()
            ]
            shared = data.words, data.sample_weight, data.labels
            task = mixture._callback_task(*shared)
            trained = fit_members(fits, callback_context, task, mixture.n_jobs)
            learned = (member.estimators_.learned for member in trained)
            return dict(zip(members, learned, strict=True))

        fitted = mixture._fit_and_weigh(data, train)
        members = dict(fitted["named_estimators_"])
        fitted |= as_attributes(members, _reader)
        longest = data.max_predictions - 1
        mixture._set_fitted(data.vocabulary, longest, fitted, is_warm_start=False)
        return cls(mixture, members)

    def model(self, label: int) -> Any:
        """Return the fitted mixture of a label."""
        model = copy.copy(self.reader)
        members = as_attributes(self.members, lambda one: model_of(one, label))
        vars(model).update(members)
        return model

    def n_bytes(self, model: Any) -> int:
        """Return the memory that only the model of one label takes."""
        members = zip(self.members.values(), model.estimators_, strict=True)
        return sum(
            learned.n_bytes(member)
            for learned, member in members
            if not isinstance(learned, BaseCharLM)
        )

    def added(self, data: TrainingSet) -> Self:
        """Return what is learned if more words are added; the weights stay."""
        members = {name: _added(member, data) for name, member in self.members.items()}
        mixture = copy.copy(self.reader)
        longest = data.max_predictions - 1
        fitted = as_attributes(members, _reader)
        mixture._set_fitted(data.vocabulary, longest, fitted, is_warm_start=True)
        return type(self)(mixture, members)

    def to_save(self) -> dict[str, Any]:
        """Return what a file keeps."""
        members = {
            name: member.to_save()
            for name, member in self.members.items()
            if not isinstance(member, BaseCharLM)
        }
        for kept in members.values():
            del kept["estimator"]  # the mixture has it
        return {"estimator": self.reader, "labelled_members": members}

    @classmethod
    def from_saved(cls, mixture: Any, kept: dict[str, Any], n_labels: int) -> Self:
        """Return what `to_save` returned, once checked."""
        frozen, parts = mixture._frozen_models(), kept["labelled_members"]
        if {*parts, *frozen} != {*mixture.named_estimators_}:
            raise ValueError(f"members {[*parts]!r} have labels.")
        members = {
            name: member
            if name in frozen
            else member._labels_from_file(parts[name], n_labels)
            for name, member in mixture.named_estimators_.items()
        }
        return cls(mixture, members)


def as_attributes(members: LabelledMembers, one_of: Any) -> dict[str, Any]:
    """Return the fitted attributes of a mixture that hold one model per member."""
    models = {name: one_of(member) for name, member in members.items()}
    return {"estimators_": list(models.values()), "named_estimators_": Bunch(**models)}


def model_of(member: ModelOfLabels | BaseCharLM, label: int) -> BaseCharLM:
    """Return the model of a label; a frozen member is the model of all labels."""
    return member if isinstance(member, BaseCharLM) else member.model(label)


def _reader(member: ModelOfLabels | BaseCharLM) -> BaseCharLM:
    return member if isinstance(member, BaseCharLM) else member.reader


def _partially_trained(
    members: Members, data: TrainingSet, n_jobs: int | None
) -> LabelledMembers:
    """Let new members learn labelled words as `partial_fit` does."""

    def learned(member: BaseCharLM) -> ModelOfLabels:
        member._validate_params()
        return member._fit_labels(data, callback_context=None)

    fits = (delayed(learned)(member) for member in members.values())
    return dict(zip(members, Parallel(n_jobs=n_jobs)(fits), strict=True))


def _added(member: ModelOfLabels | BaseCharLM, data: TrainingSet) -> Any:
    """Return what a member has learned with more words, of the symbols of `data`."""
    if isinstance(member, BaseCharLM):
        return member
    learned = member.added(data)
    cast(Any, learned.reader).set_params(alphabet=data.vocabulary.alphabet)
    return learned
