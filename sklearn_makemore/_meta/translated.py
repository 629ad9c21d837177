"""TranslatedMember: a fitted model as a member of a mixture with other symbols."""

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._base import BaseCharLM
from .._generation.next_symbols import Contexts, NextSymbolModel
from .._words.types import Floats, Ids, Mask
from .._words.vocabulary import CharVocabulary, EncodedWords


@dataclass(frozen=True, eq=False)
class TranslatedContexts:
    """Contexts of a member, and whether it can read the symbols so far.

    can_read : (n_contexts,)
    """

    contexts: Contexts
    can_read: Mask

    def __len__(self) -> int:
        """Return the number of contexts."""
        return len(self.can_read)

    def __getitem__(self, indices: Any) -> "TranslatedContexts":
        """Return the contexts of some rows."""
        return TranslatedContexts(self.contexts[indices], self.can_read[indices])


class Translation:
    """Symbols and distributions of a mixture, from and to those of a member.

    The member gives a symbol that it does not have an equal share of the probability of
    its unknown symbol, or 0 without one. After such a symbol, a member without an
    unknown symbol abstains: all its log-probabilities are NaN.

    ids : (n_symbols,) the member's id of each symbol of the mixture
    log_share : (n_symbols,) added to the log-probability of that id
    is_known : (n_symbols,) whether the member can read it
    """

    def __init__(self, own: CharVocabulary, mixed: CharVocabulary) -> None:
        known = own.ids_in(mixed)[: 1 + len(own.characters)]
        is_missing = np.ones(mixed.n_symbols, dtype=bool)
        is_missing[known] = False
        # The last is the unknown symbol. Without one, it is never counted.
        self.ids = np.full(mixed.n_symbols, own.n_symbols - 1, dtype=own.dtype)
        self.ids[known] = np.arange(len(known))
        share = -np.log(is_missing.sum()) if own.unknown else -np.inf
        self.log_share = np.where(is_missing, share, 0.0)
        self.is_known = ~is_missing | own.unknown

    def encoded(self, encoded: EncodedWords) -> EncodedWords:
        """Return words with the member's ids."""
        return EncodedWords(self.ids[encoded.codes], encoded.offsets)

    def can_read(self, encoded: EncodedWords) -> Mask:
        """Return whether the member knows all characters of each word, (n_words,)."""
        before = self._n_unknown_before(encoded)
        return before[encoded.offsets[1:]] == before[encoded.offsets[:-1]]

    def targets(self, log_proba: Floats, encoded: EncodedWords) -> Floats:
        """Return the log-probability of every symbol; log_proba : (n_predictions,)."""
        before = self._n_unknown_before(encoded)
        at_start = np.repeat(before[encoded.offsets[:-1]], encoded.lengths)
        shared = log_proba + self.log_share[encoded.targets]
        return np.where(before[:-1] > at_start, np.nan, shared)

    def rows(
        self, distributions: tuple[Floats, Ids], can_read: Mask
    ) -> tuple[Floats, Ids]:
        """Return distributions over the symbols of the mixture, and each context's row.

        distributions : ((n_distinct, n_own_symbols), (n_contexts,))
        can_read : (n_contexts,)
        """
        table, rows = distributions
        if len(table) > len(rows):  # a table of all contexts, of which few are needed
            table, rows = table[rows], np.arange(len(rows))
        table = table[:, self.ids] + self.log_share
        if can_read.all():
            return table, rows
        abstaining = np.full((1, table.shape[1]), np.nan)
        return np.vstack([table, abstaining]), np.where(can_read, rows, len(table))

    def _n_unknown_before(self, encoded: EncodedWords) -> Ids:
        """Count the unknown symbols before each target, (n_predictions + 1,)."""
        return np.append(0, np.cumsum(~self.is_known[encoded.targets]))


@dataclass(frozen=True, eq=False)
class TranslatedModel:
    """The `NextSymbolModel` of a member, whose contexts are `TranslatedContexts`."""

    model: NextSymbolModel
    translation: Translation

    def next_log_proba(self, contexts: TranslatedContexts) -> tuple[Floats, Ids]:
        """Return the translated distributions, and the row of each context."""
        distributions = self.model.next_log_proba(contexts.contexts)
        return self.translation.rows(distributions, contexts.can_read)

    def advance(self, contexts: TranslatedContexts, ids: Ids) -> TranslatedContexts:
        """Return the contexts after one more symbol each; ids : (n_contexts,)."""
        own_ids = self.translation.ids[ids]
        advanced = self.model.advance(contexts.contexts, own_ids)
        can_read = contexts.can_read & self.translation.is_known[ids]
        return TranslatedContexts(advanced, can_read)


class TranslatedMember:
    """The hooks of a member, for words that are encoded with a mixture's symbols."""

    def __init__(self, member: BaseCharLM, vocabulary: CharVocabulary) -> None:
        self.member, self.vocabulary = member, vocabulary
        self.translation = Translation(member.vocabulary_, vocabulary)

    def _check_readable(self, encoded: EncodedWords, name: str) -> None:
        # The error must show the characters of the mixture.
        member = copy.copy(self.member)
        member.vocabulary_ = self.vocabulary
        member._check_readable(encoded, name)

    def _contexts_after(self, encoded: EncodedWords) -> TranslatedContexts:
        contexts = self.member._contexts_after(self.translation.encoded(encoded))
        return TranslatedContexts(contexts, self.translation.can_read(encoded))

    def _next_symbol_model(self) -> TranslatedModel:
        return TranslatedModel(self.member._next_symbol_model(), self.translation)

    def _prefix_log_proba(self, encoded: EncodedWords) -> tuple[Floats, Ids]:
        translated = self.translation.encoded(encoded)
        distributions = self.member._prefix_log_proba(translated)
        return self.translation.rows(distributions, self.translation.can_read(encoded))

    def _target_log_proba(self, encoded: EncodedWords) -> Floats:
        log_proba = self.member._target_log_proba(self.translation.encoded(encoded))
        return self.translation.targets(log_proba, encoded)

    def _longest_word(self) -> int | None:
        return self.member._longest_word()

    def _draws_at_once(self, shortest: int) -> int:
        return self.member._draws_at_once(shortest)


def reader(
    member: BaseCharLM, vocabulary: CharVocabulary
) -> BaseCharLM | TranslatedMember:
    """Return a member that reads words encoded with this vocabulary."""
    if member.vocabulary_ == vocabulary:
        return member
    return TranslatedMember(member, vocabulary)
