"""The distributions of several models, mixed by weights."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._generation.next_symbols import Contexts, NextSymbolModel
from .._words.types import Floats, Ids
from .._words.windows import distinct_rows


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

    def next_log_proba(self, contexts: MixedContexts) -> tuple[Floats, Ids]:
        """Return the mixed distributions, and the row of each context."""
        distributions = [
            model.next_log_proba(part)
            for model, part in zip(self.models, contexts.parts, strict=True)
        ]
        return mixed_rows(distributions, self.log_weights)

    def advance(self, contexts: MixedContexts, ids: Ids) -> MixedContexts:
        """Return the contexts after one more symbol each; ids : (n_contexts,)."""
        return MixedContexts(
            tuple(
                model.advance(part, ids)
                for model, part in zip(self.models, contexts.parts, strict=True)
            )
        )


def mixed_rows(
    distributions: list[tuple[Floats, Ids]], log_weights: Floats
) -> tuple[Floats, Ids]:
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

    Where a member has NaN, it abstains, and the weights of the others are divided by
    their sum. Where all abstain, the mixture is uniform over `n_symbols`.
    """
    mixed: Any = -np.inf
    share: Any = 0.0  # total weight of those that do not abstain
    for log_proba, log_weight in zip(log_probas, log_weights, strict=True):
        abstains = np.isnan(log_proba)
        weight = np.exp(log_weight)
        if abstains.any():
            log_proba = np.where(abstains, -np.inf, log_proba)
            weight = np.where(abstains, 0.0, weight)
        mixed = np.logaddexp(mixed, log_proba + log_weight)
        share = share + weight
    if not np.ndim(share):
        return mixed
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(share > 0, mixed - np.log(share), -np.log(n_symbols))
