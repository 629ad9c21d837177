"""AdaptiveMixer: the weights of the members depend on how they predicted the word.

The score of a member is the sum of its log-probabilities of the characters so far,
where a character `n` places before the last counts ``DECAY ** n``. The weight of a
member is proportional to ``w * exp(a * score)``. With 0 for the adaptation `a`, the
weights are constant.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar

from .._words.types import Floats, Ids
from .._words.vocabulary import EncodedWords
from .em import EM_GAP
from .mixing import Distributions, MixedContexts, MixedModel, Mixer, log_mixture

DECAY = 0.6
"""How much less a character counts than the next one. Values from 0.4 to 0.8 are
equally good for short lists with a background model."""

MIN_LOG_PROBA = -30.0
"""Smallest log-probability that counts. Below it, a member would lose its weight for
the rest of the word."""

PRECISION = 1e-4
"""Largest error of the adaptation."""


@dataclass(frozen=True, eq=False)
class AdaptiveMixer(Mixer):
    """The hooks of a mixture whose weights depend on the characters so far."""

    adaptation: float

    def contexts_after(self, encoded: EncodedWords) -> "AdaptiveContexts":
        """Return the context at the end of each word, before its end mark."""
        parts, scores = super().contexts_after(encoded), self._scores_after(encoded)
        return self.next_symbol_model().contexts(parts, scores)

    def next_symbol_model(self) -> "AdaptiveModel":
        """Return the model that takes the contexts."""
        return AdaptiveModel(super().next_symbol_model(), self)

    def prefix_log_proba(self, encoded: EncodedWords) -> Distributions:
        """Return the distribution after each prefix."""
        distributions = [reader._prefix_log_proba(encoded) for reader in self.readers]
        return self.mixed(distributions, self._scores_after(encoded))

    def target_log_proba(self, encoded: EncodedWords) -> Floats:
        """Return the log-probability of every predicted symbol, (n_predictions,)."""
        return adapted_mixture(
            self._targets(encoded),
            encoded.lengths,
            self.log_weights,
            self.adaptation,
            self.n_symbols,
        )

    def mixed(
        self, distributions: list[Distributions], scores: Floats
    ) -> Distributions:
        """Mix what `next_log_proba` of each member returned for the same contexts.

        scores : (n_members, n_contexts)
        """
        log_weights = self.log_weights[:, np.newaxis] + self.adaptation * scores
        taken = (table[rows] for table, rows in distributions)
        mixed = log_mixture(taken, log_weights[:, :, np.newaxis], self.n_symbols)
        return mixed, np.arange(len(mixed))

    def _scores_after(self, encoded: EncodedWords) -> Floats:
        """Return the scores at the end of each word, (n_members, n_words)."""
        scores = scores_before(self._targets(encoded), encoded.lengths)
        return scores[:, encoded.offsets[1:] - 1]

    def _targets(self, encoded: EncodedWords) -> Floats:
        """Return what each member predicted, (n_members, n_predictions)."""
        return np.array([reader._target_log_proba(encoded) for reader in self.readers])


@dataclass(frozen=True, eq=False)
class AdaptiveContexts:
    """Contexts of an adaptive mixture.

    The next distributions of the members are kept, because both the next symbol and the
    scores after it need them.

    parts : contexts of the members
    distributions : what `next_log_proba` of each member returned for them
    scores : (n_members, n_contexts)
    """

    parts: MixedContexts
    distributions: list[Distributions]
    scores: Floats

    def __len__(self) -> int:
        """Return the number of contexts."""
        return len(self.parts)

    def __getitem__(self, indices: Any) -> "AdaptiveContexts":
        """Return the contexts of some rows."""
        distributions = [(table, rows[indices]) for table, rows in self.distributions]
        return AdaptiveContexts(
            self.parts[indices], distributions, self.scores[:, indices]
        )


@dataclass(frozen=True, eq=False)
class AdaptiveModel:
    """The `NextSymbolModel` of an adaptive mixture; takes `AdaptiveContexts`."""

    members: MixedModel
    mixer: AdaptiveMixer

    def contexts(self, parts: MixedContexts, scores: Floats) -> AdaptiveContexts:
        """Return contexts; scores : (n_members, n_contexts)."""
        return AdaptiveContexts(parts, self.members.distributions(parts), scores)

    def next_log_proba(self, contexts: AdaptiveContexts) -> Distributions:
        """Return the mixed distribution of each context."""
        return self.mixer.mixed(contexts.distributions, contexts.scores)

    def advance(self, contexts: AdaptiveContexts, ids: Ids) -> AdaptiveContexts:
        """Return the contexts after one more symbol each; ids : (n_contexts,)."""
        log_proba = [table[rows, ids] for table, rows in contexts.distributions]
        scores = next_scores(contexts.scores, np.array(log_proba))
        return self.contexts(self.members.advance(contexts.parts, ids), scores)


def next_scores(scores: Floats, log_proba: Floats) -> Floats:
    """Return the scores after one more character, both (n_members, n).

    log_proba : of that character; a member that abstains has NaN
    """
    counted = np.where(np.isnan(log_proba), 0.0, np.maximum(log_proba, MIN_LOG_PROBA))
    return DECAY * scores + counted


def scores_before(log_proba: Floats, lengths: Ids) -> Floats:
    """Return the scores before each predicted symbol, (n_members, n_predictions).

    log_proba : (n_members, n_predictions), of each symbol
    lengths : (n_words,), predictions per word
    """
    scores = np.zeros_like(log_proba)
    last = np.cumsum(lengths) - lengths  # first prediction of each word
    left = lengths - 1
    while left.any():
        last, left = last[left > 0], left[left > 0] - 1
        scores[:, last + 1] = next_scores(scores[:, last], log_proba[:, last])
        last = last + 1
    return scores


def adapted_mixture(
    log_proba: Floats,
    lengths: Ids,
    log_weights: Floats,
    adaptation: float,
    n_symbols: int,
) -> Floats:
    """Mix the log-probability of each predicted symbol, (n_predictions,).

    log_proba : (n_members, n_predictions)
    lengths : (n_words,), predictions per word
    log_weights : (n_members,)
    """
    scores = scores_before(log_proba, lengths)
    log_weights = log_weights[:, np.newaxis] + adaptation * scores
    return log_mixture(log_proba, log_weights, n_symbols)


def learned_adaptation(
    log_proba: Floats, lengths: Ids, log_weights: Floats, counts: Floats
) -> float:
    """Find the adaptation from 0 to 1 that makes held-out words most likely.

    log_proba, lengths, log_weights : as in `adapted_mixture`
    counts : (n_predictions,), weights of the predictions
    """

    def mean_nll(adaptation: float) -> float:
        # A uniform distribution where all members abstain adds a constant.
        mixed = adapted_mixture(log_proba, lengths, log_weights, adaptation, 1)
        possible = mixed > -np.inf  # the adaptation does not affect the others
        shares = counts[possible] / counts.sum()
        return -float(np.sum(shares * mixed[possible]))

    found = minimize_scalar(
        mean_nll, bounds=(0, 1), method="bounded", options={"xatol": PRECISION}
    )
    is_better = found.fun < mean_nll(0.0) - EM_GAP
    return float(found.x) if is_better else 0.0
