"""Scores of training words by models that have not seen them."""

import reprlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from .._base import BaseCharLM
from .._declarations import fitted, parameter
from .._words.hold_out import word_folds
from .members import (
    BaseOfOneModel,
    MemberFit,
    check_kept_member,
    checked_model,
    fit_members,
    member_for,
)
from .splits import CV, CV_TEXT, DEFAULT_FOLDS, Folds, Split, folds_of

Model = TypeVar("Model")


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
    cv: CV = parameter(
        default=5,
        description="""
        Number of folds, or a splitter of scikit-learn that holds out every word; None
        means 5. Each training word is scored by a model that was fitted on the other
        folds and, without an `alphabet`, knows the characters of all words. Folds need
        no seed: every `cv`-th distinct word, in the order given, is in one fold. A
        fitted model, passed as ``FrozenEstimator(model)``, scores all words, and `cv`
        is ignored; it should have been fitted on other words.
        """,
        constraints=["cv_object"],
        type_text=CV_TEXT,
    )

    estimator_: BaseCharLM = fitted(
        "The model, fitted on all words.", type_text="estimator"
    )

    def _folds(self, words: list[str], y: np.ndarray | None, n_given: int) -> Folds:
        """Return the folds of words; see `folds_of`."""
        if isinstance(self.estimator, FrozenEstimator):
            return DEFAULT_FOLDS  # not used
        return folds_of(self.cv, words, y, n_given=n_given)

    @contextmanager
    def _fitted_out_of_fold(
        self,
        words: list[str],
        sample_weight: np.ndarray | None,
        folds: Folds | None,
        others: Sequence[MemberFit] = (),
    ) -> Iterator[OutOfFoldModels[BaseCharLM]]:
        """Fit a model on all words, and for each fold one that has not seen its words.

        The block sets the fitted attributes, before callbacks are notified of the end
        of the fit. A frozen `estimator` is not fitted and counts as a model that has
        seen none of the words. Without `folds`, none is held out.

        others : more models to be fitted
        """
        fold_of, splits, fits = {}, [], []
        if isinstance(self.estimator, FrozenEstimator):
            model = checked_model(self.estimator.estimator)
            check_is_fitted(model)
        else:
            model = member_for(self.estimator, words)
            if folds is not None:
                fold_of, splits = _numbered(words, folds)
            fits = _fits_out_of_fold(model, words, sample_weight, splits)
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


def _numbered(words: list[str], folds: Folds) -> tuple[dict[str, int], list[Split]]:
    """Return the number of the fold that holds each word out, and the splits."""
    if isinstance(folds, int):
        numbers = word_folds(words, folds)
        if not numbers.any():
            raise ValueError(
                f"All words are {reprlib.repr(words[0])}, so no model can be fitted on "
                "other words than it measures. Pass more words, or a fitted model as "
                "FrozenEstimator(model)."
            )
        splits: list[Split] = [
            (np.flatnonzero(numbers != fold), np.flatnonzero(numbers == fold))
            for fold in range(numbers.max() + 1)
        ]
        return dict(zip(words, numbers.tolist(), strict=True)), splits
    fold_of: dict[str, int] = {}
    for fold, (_, held_out) in enumerate(folds):
        for row in held_out.tolist():
            fold_of.setdefault(words[row], fold)
    if missing := set(words).difference(fold_of):
        raise ValueError(
            f"`cv` does not hold out {min(missing)!r}, but each word is scored by a "
            "model that has not seen it. Use a splitter that holds out every word, "
            "such as KFold, or a number of folds."
        )
    return fold_of, folds


def _fits_out_of_fold(
    model: BaseCharLM,
    words: list[str],
    sample_weight: np.ndarray | None,
    splits: list[Split],
) -> list[MemberFit]:
    """Return the fit on all words, and for each fold the fit on the others."""
    fits = [MemberFit("fit", model, words, sample_weight)]
    for fold, (learned, _) in enumerate(splits):
        fit = MemberFit.on_rows(f"fold {fold}", model, words, sample_weight, learned)
        fits.append(fit)
    return fits
