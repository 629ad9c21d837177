"""The weights of a mixture, found on words that its members have not seen."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np

from .._base import BaseCharLM
from .._methods.likelihood import SCORING_CHUNK_SIZE
from .._words.training_set import TrainingSet
from .._words.types import Floats
from .adaptive import adapted_mixture, learned_adaptation
from .em import em_weights, normalized
from .labelled_mixture import model_of
from .mixing import log_mixture
from .translated import reader


@dataclass(frozen=True, eq=False)
class WeightsFound:
    """Weights, and the NLL of the mixture and its members on the held-out words.

    weights, estimator_nlls : (n_members,)
    adaptation : as in `AdaptiveMixer`, or 0 for constant weights
    """

    weights: Floats
    adaptation: float = 0.0
    validation_nll: float | None = None
    estimator_nlls: Floats | None = None

    @property
    def attributes(self) -> dict[str, Any]:
        """The fitted attributes of a mixture that hold these figures."""
        return {f"{name}_": value for name, value in vars(self).items()}

    @classmethod
    def from_file(cls, kept: dict[str, Any]) -> Self:
        """Return figures from a file; raise an error if no fit can give them."""
        kept = {"adaptation": 0.0, **kept}
        found = cls(**{field.name: kept[field.name] for field in fields(cls)})
        weights, nll, nlls = found.weights, found.validation_nll, found.estimator_nlls
        is_sum = weights.dtype == np.float64 and abs(weights.sum() - 1) < 1e-6
        if weights.ndim != 1 or not is_sum or not (weights >= 0).all():
            raise ValueError(f"weights are {weights!r}.")
        if type(found.adaptation) is not float or not 0 <= found.adaptation <= 1:
            raise ValueError(f"adaptation is {found.adaptation!r}.")
        if nll is not None and type(nll) is not float:
            raise ValueError(f"validation_nll is {nll!r}.")
        if nlls is not None and (
            not isinstance(nlls, np.ndarray)
            or (nlls.dtype, nlls.shape) != (np.float64, weights.shape)
        ):
            raise ValueError(f"estimator_nlls are {nlls!r}.")
        return found


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
    trained: Sequence[Sequence[Any]],
    held_out: Sequence[TrainingSet],
    is_adaptive: bool = False,
) -> WeightsFound:
    """Find the weights that make held-out words most likely.

    trained : for each part of the held-out words, members that have not seen it; if the
        words have labels, what these members have learned of labels
    is_adaptive : whether the weights may depend on the characters so far
    """
    if held_out[0].n_labels:
        trained, held_out = _parts_by_label(trained, held_out)
    n_symbols = held_out[0].vocabulary.n_symbols
    parts = zip(trained, held_out, strict=True)
    log_proba = np.hstack([_target_log_proba(*part) for part in parts])
    lengths = np.concatenate([part.encoded.lengths for part in held_out])
    counts = _counts(held_out)
    # An abstaining member takes the mean of the others, which hardly moves its weight.
    equal = np.full(len(log_proba), -np.log(len(log_proba)))
    mean = log_mixture(log_proba, equal, n_symbols)
    weights = em_weights(np.where(np.isnan(log_proba), mean, log_proba), counts)
    active = np.flatnonzero(weights)
    log_weights, of_active = np.log(weights[active]), log_proba[active]
    adaptation = 0.0
    if is_adaptive:
        adaptation = learned_adaptation(of_active, lengths, log_weights, counts)
    mixed = adapted_mixture(of_active, lengths, log_weights, adaptation, n_symbols)
    shares = counts / counts.sum()
    # A member abstains after an impossible character only.
    alone = np.where(np.isnan(log_proba), -np.inf, log_proba)
    return WeightsFound(
        weights,
        adaptation,
        validation_nll=-float(np.sum(shares * mixed)),
        estimator_nlls=-np.sum(shares * alone, axis=1),
    )


def _parts_by_label(
    trained: Sequence[Sequence[Any]], held_out: Sequence[TrainingSet]
) -> tuple[list[list[BaseCharLM]], list[TrainingSet]]:
    """Cut each part of the held-out words by label, with the members of the label."""
    models, parts = [], []
    for members, part in zip(trained, held_out, strict=True):
        for label in np.unique(part.labels).tolist():
            models.append([model_of(member, label) for member in members])
            parts.append(part.take(np.flatnonzero(part.labels == label)))
    return models, parts


def _target_log_proba(members: Sequence[BaseCharLM], data: TrainingSet) -> Floats:
    """Return the log-probability of every prediction, (n_members, n_predictions)."""
    chunks = [*data.encoded.chunks(SCORING_CHUNK_SIZE)]
    readers = [reader(member, data.vocabulary) for member in members]
    return np.array(
        [
            np.concatenate([member._target_log_proba(chunk) for chunk in chunks])
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
