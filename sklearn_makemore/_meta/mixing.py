"""Mixer: the hooks of a mixture whose weights are constant."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._base import BaseCharLM
from .._generation.next_symbols import Contexts, NextSymbolModel
from .._words.types import Floats, Ids
from .._words.vocabulary import EncodedWords
from .._words.windows import distinct_rows
from .translated import TranslatedMember

Reader = BaseCharLM | TranslatedMember
"""A member that reads words encoded with the vocabulary of the mixture."""

Distributions = tuple[Floats, Ids]
"""Distinct distributions of the next symbol, and the row of each context, as
`next_log_proba` returns them."""


@dataclass(frozen=True, eq=False)
class Mixer:
    """The hooks of a mixture whose weights are the same after every prefix.

    readers : the members that have a weight
    log_weights : (n_readers,) logarithms of their weights
    """

    readers: Sequence[Reader]
    log_weights: Floats
    n_symbols: int

    def contexts_after(self, encoded: EncodedWords) -> Any:
        """Return the context at the end of each word, before its end mark."""
        parts = [reader._contexts_after(encoded) for reader in self.readers]
        return MixedContexts(tuple(parts))

    def next_symbol_model(self) -> Any:
        """Return the `NextSymbolModel` that takes the contexts."""
        models = [reader._next_symbol_model() for reader in self.readers]
        return MixedModel(models, self.log_weights)

    def prefix_log_proba(self, encoded: EncodedWords) -> Distributions:
        """Return distinct distributions after prefixes, and the row of each prefix."""
        distributions = [reader._prefix_log_proba(encoded) for reader in self.readers]
        return mixed_rows(distributions, self.log_weights)

    def target_log_proba(self, encoded: EncodedWords) -> Floats:
        """Return the log-probability of every predicted symbol, (n_predictions,)."""
        targets = (reader._target_log_proba(encoded) for reader in self.readers)
        return log_mixture(targets, self.log_weights, self.n_symbols)


@dataclass(frozen=True, eq=False)
class MixedContexts:
    """Contexts of a mixture: `parts` are those of each member that has a weight."""

    parts: tuple[Contexts, ...]

    def __len__(self) -> int:
        """Return the number of contexts."""
        return len(self.parts[0])

    def __getitem__(self, indices: Any) -> "MixedContexts":
        """Return the contexts of some rows."""
        return MixedContexts(tuple(part[indices] for part in self.parts))


@dataclass(frozen=True, eq=False)
class MixedModel:
    """The `NextSymbolModel` of a mixture, whose contexts are `MixedContexts`.

    models : those of the members that have a weight
    log_weights : (n_models,) logarithms of their weights
    """

    models: list[NextSymbolModel]
    log_weights: Floats

    def distributions(self, contexts: MixedContexts) -> list[Distributions]:
        """Return the distributions of each member."""
        pairs = zip(self.models, contexts.parts, strict=True)
        return [model.next_log_proba(part) for model, part in pairs]

    def next_log_proba(self, contexts: MixedContexts) -> Distributions:
        """Return the mixed distributions, and the row of each context."""
        return mixed_rows(self.distributions(contexts), self.log_weights)

    def advance(self, contexts: MixedContexts, ids: Ids) -> MixedContexts:
        """Return the contexts after one more symbol each; ids : (n_contexts,)."""
        pairs = zip(self.models, contexts.parts, strict=True)
        return MixedContexts(tuple(model.advance(part, ids) for model, part in pairs))


def mixed_rows(
    distributions: list[Distributions], log_weights: Floats
) -> Distributions:
    """Mix what `next_log_proba` of each member returned for the same contexts.

    distributions : per member ((n_distinct, n_symbols), (n_contexts,))
    log_weights : (n_members,)
    log_proba : (n_combinations, n_symbols), one row for all contexts that have the same
        row in every member
    rows : (n_contexts,)
    """
    first, _ = distributions[0]
    if len(distributions) == 1 and not np.isnan(first[:, 0]).any():
        return distributions[0]
    tables, rows = zip(*distributions, strict=True)
    combinations, rows = distinct_rows(
        np.stack(rows, axis=1).astype(np.int64), max(map(len, tables))
    )
    taken = (table[at] for table, at in zip(tables, combinations.T, strict=True))
    return log_mixture(taken, log_weights, first.shape[1]), rows


def log_mixture(
    log_probas: Iterable[Floats], log_weights: Floats, n_symbols: int
) -> Floats:
    """Mix one array of log-probabilities per member; ``-inf`` if all are ``-inf``.

    The weights are divided by their sum. A member abstains where it has NaN, and its
    weight is 0 there. Where all weights are 0, the mixture is uniform over `n_symbols`.

    log_weights : (n_members, ...), whose other dimensions broadcast
    """
    mixed: Any = -np.inf
    total: Any = -np.inf  # logarithm of the sum of the weights
    for log_proba, log_weight in zip(log_probas, log_weights, strict=True):
        abstains = np.isnan(log_proba)
        if abstains.any():
            log_weight = np.where(abstains, -np.inf, log_weight)
            log_proba = np.where(abstains, 0.0, log_proba)
        mixed = np.logaddexp(mixed, log_weight + log_proba)
        total = np.logaddexp(total, log_weight)
    with np.errstate(invalid="ignore"):
        return np.where(total > -np.inf, mixed - total, -np.log(n_symbols))
