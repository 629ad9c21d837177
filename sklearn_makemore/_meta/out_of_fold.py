"""Scores of training words by models that have not seen them."""

import reprlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, field
from numbers import Integral
from typing import Any, Generic, TypeVar

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from .._base import BaseCharLM
from .._declarations import fitted, parameter
from .._sklearn import Interval
from .._words.hold_out import word_folds
from .members import (
    BaseOfOneModel,
    MemberFit,
    check_kept_member,
    checked_model,
    fit_members,
    member_for,
)

Model = TypeVar("Model")

DEFAULT_FOLDS = 5
"""Number of folds of ``cv=None``, as in scikit-learn."""


@dataclass(frozen=True, eq=False)
class OutOfFoldModels(Generic[Model]):
    """A model of all words, and for each fold a model that has not seen its words.

    fold_models : (n_folds,)
    fold_of : the fold of each word
    others : models that were fitted at the same time
    """

    model: Model
    fold_models: list[Model]
    fold_of: dict[str, int]
    others: list[BaseCharLM] = field(default_factory=list)

    def measure(
        self, words: list[str], measure: Callable[[Model, list[str]], np.ndarray]
    ) -> np.ndarray:
        """Measure each word with a model that has not seen it, (n_words, ...).

        Words that are in no fold are measured with the model of all words.
        """
        models = [*self.fold_models, self.model]
        own = np.array([self.fold_of.get(word, len(models) - 1) for word in words])
        rows = [np.flatnonzero(own == number) for number in range(len(models))]
        parts = [
            measure(model, [words[row] for row in of_model])
            for model, of_model in zip(models, rows, strict=True)
            if len(of_model)
        ]
        measured = np.empty((len(words), *parts[0].shape[1:]))
        measured[np.concatenate(rows)] = np.concatenate(parts)
        return measured


class BaseOutOfFold(BaseOfOneModel):
    """Base of the estimators that measure training words out of fold."""

    _: KW_ONLY
    cv: int | None = parameter(
        default=5,
        description="""
        Number of folds; None means 5. Each training word is scored by a model that was
        fitted on the other folds and, without an `alphabet`, knows the characters of
        all words. Folds need no seed: every `cv`-th distinct word, in the order given,
        is in one fold. A fitted model, passed as ``FrozenEstimator(model)``, scores all
        words, and `cv` is ignored; it should have been fitted on other words.
        """,
        constraints=[Interval(Integral, 2, None, closed="left"), None],
    )

    estimator_: BaseCharLM = fitted(
        "The model, fitted on all words.", type_text="estimator"
    )

    @property
    def _n_folds(self) -> int:
        return DEFAULT_FOLDS if self.cv is None else int(self.cv)

    @contextmanager
    def _fitted_out_of_fold(
        self,
        words: list[str],
        sample_weight: np.ndarray | None,
        n_folds: int | None,
        others: Sequence[MemberFit] = (),
    ) -> Iterator[OutOfFoldModels[BaseCharLM]]:
        """Fit a model on all words, and for each fold one that has not seen its words.

        The block sets the fitted attributes, before callbacks are notified of the end
        of the fit. A frozen `estimator` is not fitted and counts as a model that has
        seen none of the words. Without `n_folds` there are no folds.

        others : more models to be fitted
        """
        fold_of, fits = {}, []
        if isinstance(self.estimator, FrozenEstimator):
            model = checked_model(self.estimator.estimator)
            check_is_fitted(model)
        else:
            model = member_for(self.estimator, words)
            if n_folds is not None:
                fold_of = _folds_of(words, n_folds)
            fits = _fits_out_of_fold(model, words, sample_weight, fold_of)
        all_fits = [*fits, *others]
        context = self._init_callback_context(max_subtasks=len(all_fits))
        task = self._callback_task(words, sample_weight)
        context.call_on_fit_task_begin(**task)
        fitted = fit_members(all_fits, context, task, self.n_jobs)
        model, *fold_models = fitted[: len(fits)] or [model]
        yield OutOfFoldModels(model, fold_models, fold_of, fitted[len(fits) :])
        context.call_on_fit_task_end(**task, reconstruction_attributes={})

    def _check_kept(self, kept: dict[str, Any]) -> None:
        check_kept_member(kept["estimator"])


def _folds_of(words: list[str], n_folds: int) -> dict[str, int]:
    """Return the fold of each word, or raise an error if there is only one fold."""
    folds = word_folds(words, n_folds)
    if not folds.any():
        raise ValueError(
            f"All words are {reprlib.repr(words[0])}, so no model can be fitted on "
            "other words than it measures. Pass more words, or a fitted model as "
            "FrozenEstimator(model)."
        )
    return dict(zip(words, folds.tolist(), strict=True))


def _fits_out_of_fold(
    model: BaseCharLM,
    words: list[str],
    sample_weight: np.ndarray | None,
    fold_of: dict[str, int],
) -> list[MemberFit]:
    """Return the fit on all words, and for each fold the fit on the others."""
    fits = [MemberFit("fit", model, words, sample_weight)]
    folds = np.array([fold_of.get(word, -1) for word in words])
    for fold in range(folds.max() + 1):
        learned = np.flatnonzero(folds != fold)
        fit = MemberFit.on_rows(f"fold {fold}", model, words, sample_weight, learned)
        fits.append(fit)
    return fits
