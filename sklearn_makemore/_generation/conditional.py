"""Sampling words that match: masks, backward probabilities, or rejection."""

import hashlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .._words.types import Floats, Ids
from .._words.vocabulary import BOUNDARY
from .language import BackwardLayers, Language
from .lengths import LengthMatchedModel
from .model_cache import ModelCache
from .next_symbols import Contexts, NextSymbolModel, are_states
from .product import Product, explore
from .sampling import DrawOptions, Source

MAX_BACKWARD = 1 << 25
"""Largest number of backward probabilities, over all pairs and lengths: 256 MiB."""

MAX_KNOWN_BYTES = 1 << 29
"""Largest size of all models of words that match that are kept: 512 MiB."""

MIN_PROBA = 1e-280
"""Smallest probability of a match: below it, backward probabilities underflow."""

MAX_LOG_WEIGHT = 600.0
"""Largest logarithm of a weight of a length: above it, probabilities overflow."""

SETTLED = 1e-13
"""Relative change below which backward probabilities count as converged."""


def exact_sources(source: Source, language: Language) -> Iterator[Source]:
    """Yield sources of the model's words, given that they match.

    The first rejects words, and is enough for a pattern that many words match. The
    second computes the distribution, or continues to reject if that is not possible.
    Both have the same distribution. Whether tables are already known changes their cost
    and not the words.

    Raises ValueError if the model certainly has no word that matches.
    """
    # The lengths are conditions, not changes: the language contains them.
    options = replace(source.options, min_length=0, max_length=sys.maxsize)
    rejecting = replace(source, options=replace(options, language=language))
    if are_states(source.context):
        yield replace(rejecting, is_trial=True)
        key = int(source.context[0]), options, _fingerprint(language)
        exact = KNOWN.get(
            source.model, key, lambda: _conditional(source, options, language)
        )
        if exact is not None:
            start = np.zeros(1, dtype=np.int64)
            yield replace(source, model=exact, context=start, options=DrawOptions())
            return
    yield rejecting


def _conditional(
    source: Source, options: DrawOptions, language: Language
) -> "ConditionalModel | None":
    """Return the model of the words that match, None if it has too many states."""
    model, state, weights = _factored(source, options)
    product = explore(model, state, language, options)
    return None if product is None else backward(product, language, weights)


def _fingerprint(language: Language) -> bytes:
    """Return bytes that are equal for equal languages only."""
    ends = language.can_end
    lengths = ends.first, ends.min_length, ends.max_length
    found = hashlib.sha256(repr((language.start, lengths)).encode())
    for array in (language.next_states, language.accepts):
        found.update(repr(array.shape).encode())
        found.update(array.tobytes())
    return found.digest()


def _factored(
    source: Source, options: DrawOptions
) -> tuple[NextSymbolModel, int, Floats]:
    """Return a model, its state after the prefix, and a weight for every length.

    They are as in `LengthMatchedModel.factors`, so that states need not include the
    length. Options that change distributions act on those with the length.
    """
    model, context = source.model, int(source.context[0])
    if isinstance(model, LengthMatchedModel) and options == DrawOptions():
        plain, state, log_weights = model.factors(context)
        if log_weights.max() < MAX_LOG_WEIGHT:
            return plain, state, np.exp(log_weights)
    return source.model, context, np.ones(1)


def masked_source(source: Source, language: Language) -> Source:
    """Return a source without the symbols that lead out of a language."""
    states = np.full(1, language.start, dtype=np.int64)
    context = MaskedContexts(source.context, states, source.length)
    return replace(source, model=MaskedModel(source.model, language), context=context)


@dataclass(frozen=True, eq=False)
class MaskedContexts:
    """Contexts of a `MaskedModel`.

    inner : n contexts of the model
    states : (n,), states of the language
    length : characters so far, prefix included
    """

    inner: Contexts
    states: Ids
    length: int

    def __getitem__(self, rows: Ids) -> "MaskedContexts":
        return MaskedContexts(self.inner[rows], self.states[rows], self.length)


@dataclass(frozen=True, eq=False)
class MaskedModel:
    """A `NextSymbolModel` without the symbols that lead out of a language."""

    model: NextSymbolModel
    language: Language

    def next_log_proba(self, contexts: MaskedContexts) -> tuple[Floats, Ids]:
        """Return log-probabilities of the next symbol, ``-inf`` if it is forbidden."""
        log_proba, rows = self.model.next_log_proba(contexts.inner)
        n_states = self.language.n_states
        pairs, rows = _distinct(
            rows * np.int64(n_states) + contexts.states, len(log_proba) * n_states
        )
        allowed = self.language.allowed(pairs % n_states, contexts.length)
        log_proba = log_proba[pairs // n_states]
        log_proba[~allowed] = -np.inf
        return log_proba, rows

    def advance(self, contexts: MaskedContexts, ids: Ids) -> MaskedContexts:
        """Return the contexts after one more symbol each."""
        return MaskedContexts(
            self.model.advance(contexts.inner, ids),
            self.language.next_states[contexts.states, ids],
            contexts.length + 1,
        )


def _distinct(keys: Ids, n_keys: int) -> tuple[Ids, Ids]:
    """Return the distinct keys below `n_keys`, and the row of each key in them."""
    if n_keys > 4 * len(keys):
        return np.unique(keys, return_inverse=True)
    occurs = np.zeros(n_keys, dtype=bool)
    occurs[keys] = True
    return np.flatnonzero(occurs), (np.cumsum(occurs) - 1)[keys]


def backward(
    product: Product, language: Language, weights: Floats
) -> "ConditionalModel | None":
    """Return the model of the conditional distribution of each next symbol.

    The backward probability of a pair after `n` characters is the probability that the
    word ends in a match: ``b[n] = weights[n] ends + P b[n + 1]``, without `ends` below
    the minimum length. It converges as the number of characters that may follow grows,
    so that few lengths need separate values. The result is None if there are too many
    values.

    Raises ValueError if the model gives no probability to any word of the language.

    weights : (n_lengths + 1,), as `_factored` returns them
    """
    from scipy.sparse import csr_array  # pyright: ignore[reportMissingTypeStubs]

    n_pairs, can_end = len(product.ends), language.can_end
    matrix: Any = csr_array(
        (product.proba, product.targets, product.first), shape=(n_pairs, n_pairs)
    )

    def ends(length: int) -> Floats:
        return product.ends * weights[min(length, len(weights) - 1)]

    def is_settled(values: Floats, later: Floats) -> bool:
        return bool(np.all(np.abs(values - later) <= SETTLED * values))

    try:
        proba = BackwardLayers(
            matrix.__matmul__,
            ends,
            (can_end.first, can_end.min_length, can_end.max_length),
            is_settled,
            max(1, MAX_BACKWARD // n_pairs),
            constant_from=len(weights) - 1,
            skips_late=True,
        )
    except OverflowError:
        return None
    if proba[can_end.first][0] < MIN_PROBA:
        raise ValueError(
            "The model gives no probability, or less than can be computed, to the "
            "words that fit `matching` and `avoiding` and begin with `prefix`, with "
            "these lengths and the options that change probabilities. Relax one of "
            "them, or leave out `exact`."
        )
    return ConditionalModel(product, proba)


class ConditionalModel:
    """The `NextSymbolModel` of a counter's words, given that they match.

    A context is ``n * n_pairs + pair`` after `n` characters beyond the prefix. All
    contexts of a call must have the same number `n`.

    product : pairs of states
    backward_proba : probability of a match from each pair, by number of characters
    """

    def __init__(self, product: Product, backward_proba: BackwardLayers) -> None:
        self.product = product
        self.backward_proba = backward_proba

    def next_log_proba(self, contexts: Ids) -> tuple[Floats, Ids]:
        """Return log-probabilities of the next symbol: ``p(c) b(after c) / b``."""
        product, layers = self.product, self.backward_proba
        contexts, rows = np.unique(contexts, return_inverse=True)
        n_more, pairs = np.divmod(contexts, len(product.ends))
        length = layers.first + int(n_more[0])
        ways, owners = product.ways(pairs)
        proba = np.zeros((len(pairs), product.n_symbols))
        proba[owners, product.symbols[ways]] = (
            product.proba[ways] * layers[length + 1][product.targets[ways]]
        )
        if length >= layers.min_length:
            proba[:, BOUNDARY] = layers.ends(length)[pairs]
        total = proba.sum(axis=1, keepdims=True)
        np.divide(proba, total, out=proba, where=total > 0)
        with np.errstate(divide="ignore"):  # log 0 = -inf: the symbol is impossible
            return np.log(proba), rows

    def advance(self, contexts: Ids, ids: Ids) -> Ids:
        """Return the contexts after one more possible symbol each."""
        product, n_pairs = self.product, len(self.product.ends)
        n_more, pairs = np.divmod(contexts, n_pairs)
        ways, owners = product.ways(pairs)
        taken = ways[product.symbols[ways] == ids[owners]]
        return (n_more + 1) * n_pairs + product.targets[taken]

    @property
    def n_bytes(self) -> int:
        """Size in memory."""
        return self.product.n_bytes + self.backward_proba.n_bytes


KNOWN: ModelCache[ConditionalModel | None] = ModelCache(
    MAX_KNOWN_BYTES, lambda model: 0 if model is None else model.n_bytes
)
"""The models of words that match that were used last."""
