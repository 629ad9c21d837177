"""From log-probabilities of words to probabilities of classes: features and weights."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar
from scipy.special import log_softmax, logsumexp

from .._base import BaseCharLM
from .._words.hold_out import group_numbers
from .._words.types import Floats, Ids, Mask
from .._words.vocabulary import EncodedWords
from .labels import LabelledWords

N_PLACES = 6
"""Places with separate weights: the last five symbols read, and all before them."""

PENALTY = 10.0
"""Weight of the squared distance from Bayes' rule with a temperature. On the bundled
names by sex the log-loss with penalties of 1, 10 and 30 is 0.640, 0.596 and 0.582 after
a hundred names, and 0.478, 0.477 and 0.476 after a thousand. With penalties of 1 and 10
it is 0.3587 and 0.3593 after four fifths of the list."""

WORD_CHUNK_SIZE = 1 << 16
"""Number of words whose features are in memory together."""

MIN_LOG_PROBA = -700.0
"""Log-probability of an impossible character, so that sums over places are finite."""

MIN_LOG_RATIO = -1e12
"""Log ratio of a word that is impossible in one class, below that of possible words."""


# ------------------------------------------------------------------------ features


@dataclass(frozen=True, eq=False)
class ClassModels:
    """The models of all classes, with the symbols and shortest words of the classes.

    directions : one forward model per class, and optionally one backward model per
        class; all have the same vocabulary
    known_symbols : (n_classes, n_symbols), whether the words of a class have a symbol
    min_lengths : (n_classes,), number of characters of the shortest word of a class
    """

    directions: list[list[BaseCharLM]]
    known_symbols: Mask
    min_lengths: NDArray[np.int64]

    def features(self, words: list[str]) -> Floats:
        """Compute the features of words, (n_words, n_classes, n_features).

        They are `place_features` of two directions, or `word_features` of one.
        """
        if len(self.directions) == 2:
            return self.place_features(words)
        return self.word_features(words)

    def word_features(self, words: list[str]) -> Floats:
        """Compute log ratios to the best class in nats, (n_words, n_classes, 1).

        They are 0 for all classes if the word is impossible in all of them.
        """
        log_proba, lengths = self._log_proba(self.directions[0], words)
        log_proba = np.add.reduceat(log_proba, np.cumsum(lengths) - lengths)
        best = log_proba.max(axis=1, keepdims=True)  # (n_words, 1)
        with np.errstate(invalid="ignore"):
            log_ratio = log_proba - best
        log_ratio = np.nan_to_num(log_ratio, nan=0.0, neginf=MIN_LOG_RATIO)
        return log_ratio[:, :, np.newaxis]

    def place_features(self, words: list[str]) -> Floats:
        """Compute log-probabilities by place, (n_words, n_classes, 4 * n_places).

        First come those of the forward models, then the same mixed with the mean of the
        classes, then both for the backward models. Places count from the last symbol
        read.
        """
        parts = []
        texts_by_direction = words, backwards(words)
        for members, texts in zip(self.directions, texts_by_direction, strict=True):
            log_proba, lengths = self._log_proba(members, texts)
            log_proba = np.maximum(log_proba, MIN_LOG_PROBA)
            parts.append(sums_by_place(log_proba, lengths))
            parts.append(sums_by_place(mixed_with_mean(log_proba), lengths))
        return np.concatenate(parts, axis=2)

    def _log_proba(
        self, members: list[BaseCharLM], words: list[str]
    ) -> tuple[Floats, Ids]:
        """Return the log-probability of each symbol, and the predictions per word."""
        encoded = members[0]._encoded(words)
        columns = [member._symbol_log_proba(encoded) for member in members]
        log_proba = np.stack(columns, axis=1)  # (n_predictions, n_classes)
        known = self.known_symbols, self.min_lengths
        return without_artefacts(log_proba, encoded, *known), encoded.lengths


def known_symbols(
    encoded: EncodedWords, targets: NDArray[Any], n_classes: int, n_symbols: int
) -> Mask:
    """Return whether the words of each class have each symbol, (n_classes, n_symbols).

    targets : (n_words,), the index of each word's class
    """
    known = np.zeros((n_classes, n_symbols), dtype=bool)
    known[np.repeat(targets, encoded.lengths), encoded.targets] = True
    return known


def min_lengths(
    encoded: EncodedWords, targets: NDArray[Any], n_classes: int
) -> NDArray[np.int64]:
    """Return the number of characters of the shortest word of each class, (n_classes,).

    targets : (n_words,), the index of each word's class
    """
    shortest = np.full(n_classes, encoded.lengths.max() - 1, dtype=np.int64)
    np.minimum.at(shortest, targets, encoded.lengths - 1)
    return shortest


def without_artefacts(
    log_proba: Floats,
    encoded: EncodedWords,
    known_symbols: Mask,
    min_lengths: NDArray[np.int64],
) -> Floats:
    """Remove differences between classes that only reflect their numbers of words.

    A class reserves probability for symbols that its words lack, and for words that are
    shorter than all of its words. The fewer words it has, the more it reserves. Its
    probability of such a symbol or end is therefore limited to the smallest one of the
    classes that know it. If no class knows it, it is ignored. The symbol after an
    unknown symbol is ignored too.

    log_proba : (n_predictions, n_classes); 0 for all classes is no evidence
    known_symbols, min_lengths : as of `ClassModels`
    """
    knows = known_symbols[:, encoded.targets].T.copy()  # (n_predictions, n_classes)
    ends = encoded.offsets[1:] - 1
    knows[ends] = encoded.lengths[:, np.newaxis] - 1 >= min_lengths
    rows = np.flatnonzero(~knows.all(axis=1))
    part, knows = log_proba[rows], knows[rows]
    least = np.where(knows, part, np.inf).min(axis=1, keepdims=True)
    part = np.where(knows, part, np.minimum(part, least))
    log_proba[rows] = np.where(knows.any(axis=1, keepdims=True), part, 0)
    is_foreign: Mask = ~np.any(known_symbols, axis=0)  # (n_symbols,)
    log_proba[is_foreign[encoded.codes[:-1]]] = 0
    return log_proba


def sums_by_place(
    log_proba: Floats, lengths: NDArray[Any], n_places: int = N_PLACES
) -> Floats:
    """Sum the log-probabilities of each word by place, counted from its end.

    The first place is the end mark and the second the character before it; the last
    place takes all other characters. A sum is 0 where a word has no such place.

    log_proba : (n_predictions, n_classes)
    lengths : (n_words,), predictions per word
    sums : (n_words, n_classes, n_places)

    >>> log_proba = np.array([[-1.0], [-2.0], [-3.0], [-4.0]])
    >>> sums_by_place(log_proba, np.array([3, 1]), n_places=2)[:, 0]
    array([[-3., -3.],
           [-4.,  0.]])
    """
    ends = np.repeat(np.cumsum(lengths), lengths)  # (n_predictions,)
    places = np.minimum(ends - 1 - np.arange(len(ends)), n_places - 1)
    cells = np.repeat(np.arange(len(lengths)) * n_places, lengths) + places
    shape = len(lengths), n_places
    sums: Any = [np.bincount(cells, column, np.prod(shape)) for column in log_proba.T]
    return np.stack([column.reshape(shape) for column in sums], axis=1)


def mixed_with_mean(log_proba: Floats) -> Floats:
    """Average the probability under each class with the mean over all classes.

    With K classes, a character that no word of a class contains therefore lowers the
    class by at most ``log(2 K)`` nats.

    log_proba : (n_predictions, n_classes)
    """
    log_mean = logsumexp(log_proba, axis=1, keepdims=True) - np.log(log_proba.shape[1])
    return np.logaddexp(log_proba, log_mean) - np.log(2)


def backwards(words: list[str]) -> list[str]:
    """Return the words with their characters in the opposite order."""
    return [word[::-1] for word in words]


# ------------------------------------------------------------------------- weights


def weighted_evidence(
    models: ClassModels, words: list[str], weights: Floats, bias: Floats
) -> Floats:
    """Return the log odds of the classes without their priors, (n_words, n_classes).

    weights : (n_features,)
    bias : (n_classes,)
    """
    parts = []
    for start in range(0, len(words), WORD_CHUNK_SIZE):
        features = models.features(words[start : start + WORD_CHUNK_SIZE])
        # Without evidence, the prior probabilities remain.
        has_evidence = np.any(features, axis=(1, 2), keepdims=True)[:, :, 0]
        parts.append(bias * has_evidence + features @ weights)
    return np.concatenate(parts)


def bayes_weights(by_place: bool) -> Floats:
    """Return the weights of Bayes' rule; by place, the mean of both directions."""
    return np.repeat([0.5, 0.0, 0.5, 0.0], N_PLACES) if by_place else np.ones(1)


def log_likelihood(
    weights: Floats,
    bias: Floats,
    features: Floats,
    targets: NDArray[Any],
    log_prior: Floats,
    sample_weight: Floats,
) -> tuple[float, Floats]:
    """Return the log-likelihood of the classes in nats, and its gradient.

    The log odds of the classes are ``log_prior + bias + features @ weights``.

    weights : (n_features,), the same for all classes
    bias, log_prior : (n_classes,)
    features : (n_words, n_classes, n_features)
    targets, sample_weight : (n_words,), the index of each word's class and its weight
    gradient : (n_features + n_classes,), by weights and bias
    """
    log_proba = log_softmax(log_prior + bias + features @ weights, axis=1)
    rows = np.arange(len(targets))
    value = np.sum(sample_weight * log_proba[rows, targets])
    error = -np.exp(log_proba)
    error[rows, targets] += 1
    error *= sample_weight[:, np.newaxis]
    by_weight = np.einsum("nk,nkj->j", error, features)
    return value, np.concatenate([by_weight, error.sum(axis=0)])


def held_out_weights(
    calibration: str | None,
    models: Iterable[ClassModels],
    held_out: list[LabelledWords],
    data: LabelledWords,
) -> tuple[Floats, Floats]:
    """Fit weights and biases on words that were held out.

    models : for each part of the held-out words, models that have not seen it
    weights : (n_features,)
    bias : (n_classes,), 0 for the classes without held-out words
    """
    bias = np.zeros(len(data.classes))
    bayes = bayes_weights(by_place=calibration == "places")
    if not held_out:
        return bayes, bias
    scored = LabelledWords.joined(held_out)
    parts = zip(models, held_out, strict=True)
    features = np.concatenate([model.features(part.words) for model, part in parts])
    classes = np.searchsorted(data.classes, scored.classes)
    log_prior = np.log(data.shares)[classes]
    likelihood = scored.targets, log_prior, evidence_weights(scored)
    factor = best_temperature((features @ bayes)[:, :, np.newaxis], *likelihood)
    if calibration == "temperature":
        return factor * bayes, bias
    weights, bias[classes] = best_weights(features, factor * bayes, *likelihood)
    return weights, bias


def evidence_weights(data: LabelledWords) -> Floats:
    """Scale weights to the effective number of distinct words, (n_words,).

    With ``W`` for the total weights of the distinct pairs of a word and a class, this
    number is ``sum(W)**2 / sum(W**2)``. The penalties of the weights are then relative
    to it, and do not depend on the unit of sample weights. Repeating all words has no
    effect. A word of weight 2 equals the word twice.
    """
    weight = data.sample_weight
    weight = np.ones(len(data.words)) if weight is None else weight / weight.max()
    pairs = group_numbers(zip(data.words, data.targets.tolist(), strict=True))
    totals = np.bincount(pairs, weight)
    return weight * (totals.sum() / np.sum(totals**2))


def best_temperature(features: Floats, *likelihood: Any) -> float:
    """Return the factor, from 0 to 10, that makes the classes most likely.

    A penalty of ``(factor - 1)**2 / 2`` nats keeps it finite for separable classes.

    features : (n_words, n_classes, 1)
    likelihood : the other arguments of `log_likelihood`, with `evidence_weights`
    """
    bias = np.zeros(features.shape[1])

    def loss(factor: float) -> float:
        value, _ = log_likelihood(np.array([factor]), bias, features, *likelihood)
        return (factor - 1) ** 2 / 2 - value

    found: Any = minimize_scalar(loss, bounds=(0, 10), method="bounded")
    return float(found.x)


def best_weights(
    features: Floats, center: Floats, *likelihood: Any
) -> tuple[Floats, Floats]:
    """Return the weights and biases that make the classes most likely.

    A penalty on the distance from `center` makes the solution unique.

    features : (n_words, n_classes, n_features)
    center : (n_features,)
    likelihood : the other arguments of `log_likelihood`, with `evidence_weights`
    """
    n_features = len(center)
    start = np.concatenate([center, np.zeros(features.shape[1])])

    def loss(point: Floats) -> tuple[Any, Floats]:
        weights, bias = np.split(point, [n_features])
        value, gradient = log_likelihood(weights, bias, features, *likelihood)
        away = point - start
        return PENALTY / 2 * away @ away - value, PENALTY * away - gradient

    options = {"maxiter": 1000, "maxfun": 2000, "ftol": 1e-13, "gtol": 1e-6}
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options=options)
    weights, bias = np.split(found.x, [n_features])
    return weights, bias
