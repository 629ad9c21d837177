"""The weights of a mixture, found on words that its members have not seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._base import BaseCharLM
from .._words.training_set import TrainingSet
from .._words.types import Floats
from .em import em_weights, normalized
from .mixing import log_mixture
from .translated import reader


@dataclass(frozen=True, eq=False)
class WeightsFound:
    """Weights, and the NLL of the mixture and its members on the held-out words.

    weights, estimator_nlls : (n_members,)
    """

    weights: Floats
    validation_nll: float | None = None
    estimator_nlls: Floats | None = None


def equal_weights(n_members: int) -> WeightsFound:
    """Return equal weights, without figures."""
    return WeightsFound(np.full(n_members, 1 / n_members))


def given_weights(weights: Any, n_members: int) -> WeightsFound:
    """Return the weights that a parameter gives, "uniform" or numbers."""
    if isinstance(weights, str):
        return equal_weights(n_members)
    weights = np.asarray(weights, dtype=np.float64)
    if weights.shape != (n_members,):
        raise ValueError(
            f"`weights` must have one number for each of the {n_members} models in "
            f"`estimators`, got an array of shape {weights.shape}."
        )
    if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.any()):
        raise ValueError(
            "`weights` must be finite and not negative, and not all be zero; got "
            f"{weights}."
        )
    return WeightsFound(normalized(weights / weights.max()))  # no sum may overflow


def learned_weights(
    trained: Sequence[Sequence[BaseCharLM]], held_out: Sequence[TrainingSet]
) -> WeightsFound:
    """Find the weights that make held-out words most likely.

    trained : for each part of the held-out words, members that have not seen it
    """
    n_symbols = held_out[0].vocabulary.n_symbols
    parts = zip(trained, held_out, strict=True)
    log_proba = np.hstack([_target_log_proba(*part) for part in parts])
    counts = _counts(held_out)
    # An abstaining member takes the mean of the others, which hardly moves its weight.
    equal = np.full(len(log_proba), -np.log(len(log_proba)))
    mean = log_mixture(log_proba, equal, n_symbols)
    weights = em_weights(np.where(np.isnan(log_proba), mean, log_proba), counts)
    active = np.flatnonzero(weights)
    mixed = log_mixture(log_proba[active], np.log(weights[active]), n_symbols)
    shares = counts / counts.sum()
    # A member abstains after an impossible character only.
    alone = np.where(np.isnan(log_proba), -np.inf, log_proba)
    return WeightsFound(
        weights, -float(np.sum(shares * mixed)), -np.sum(shares * alone, axis=1)
    )


def _target_log_proba(members: Sequence[BaseCharLM], data: TrainingSet) -> Floats:
    """Return the log-probability of every prediction, (n_members, n_predictions)."""
    readers = [reader(member, data.vocabulary) for member in members]
    return np.array(
        [
            np.concatenate([part for _, part in member._scored_chunks(data.encoded)])
            for member in readers
        ]
    )


def _counts(parts: Sequence[TrainingSet]) -> Floats:
    """Return the weight of every prediction, (n_predictions,), at most 1."""
    weights = [
        np.ones(part.encoded.n_words)
        if part.sample_weight is None
        else part.sample_weight
        for part in parts
    ]
    largest = max(weight.max() for weight in weights)  # a sum must not overflow
    counts = [
        np.repeat(weight / largest, part.encoded.lengths)
        for weight, part in zip(weights, parts, strict=True)
    ]
    return np.concatenate(counts)


def check_restored_figures(weights: Any, nll: Any, nlls: Any) -> None:
    """Raise an error if a file has weights or NLLs that no fit can give."""
    is_sum = weights.dtype == np.float64 and abs(weights.sum() - 1) < 1e-6
    if weights.ndim != 1 or not is_sum or not (weights >= 0).all():
        raise ValueError(f"weights are {weights!r}.")
    if nll is not None and type(nll) is not float:
        raise ValueError(f"validation_nll is {nll!r}.")
    if nlls is not None and (
        not isinstance(nlls, np.ndarray)
        or (nlls.dtype, nlls.shape) != (np.float64, weights.shape)
    ):
        raise ValueError(f"estimator_nlls are {nlls!r}.")
