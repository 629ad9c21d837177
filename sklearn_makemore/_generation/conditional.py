"""Sampling words that match: masks, backward probabilities, or rejection."""

import hashlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._words.types import Floats, Ids
from .._words.vocabulary import BOUNDARY, within_groups
from .language import BackwardLayers, Language
from .lengths import LengthMatchedModel
from .model_cache import ModelCache
from .next_symbols import Contexts, NextSymbolModel, are_states
from .sampling import DrawOptions, Source, next_proba

MAX_PROBABILITIES = 1 << 23
"""Largest number of probabilities of next symbols, over all pairs: 64 MiB."""

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


@dataclass(frozen=True, eq=False)
class Product:
    """Pairs of a model's state and a language's, and the transitions between them.

    first : (n_pairs + 1,), index of the first transition from each pair; pair 0 is the
        pair after the prefix
    symbols, targets : (n_transitions,), symbol and next pair of each transition, sorted
        by symbol within a pair
    proba : (n_transitions,), probability of the symbol after the pair's model state
    ends : (n_pairs,), probability of the end mark, 0 if no word of the language ends
    """

    first: Ids
    symbols: Ids
    targets: Ids
    proba: Floats
    ends: Floats
    n_symbols: int


def explore(
    model: NextSymbolModel, state: int, language: Language, options: DrawOptions
) -> Product | None:
    """Find all pairs of states that words of a language pass; None if too many.

    model : a model whose contexts are states, `state` after the prefix
    """
    n_states = language.n_states
    n_symbols = language.next_states.shape[1]
    keys = np.array([state * n_states + language.start])  # model state, then language's
    known: set[int] = {*keys.tolist()}
    levels: list[tuple[NDArray[Any], ...]] = []
    lengths = language.can_end
    for length in range(lengths.first, lengths.max_length + 1):
        if len(known) * n_symbols > MAX_PROBABILITIES:
            return None
        states = keys % n_states
        proba = _proba(model, keys // n_states, options)  # (n_pairs, n_symbols)
        ends = np.where(language.accepts[states], proba[:, BOUNDARY], 0.0)
        is_way = (proba > 0) & (language.next_states[states] >= 0)
        if length == lengths.max_length:
            is_way[:] = False
        sources, symbols = np.nonzero(is_way)
        contexts = model.advance(keys[sources] // n_states, symbols)
        targets = np.asarray(contexts, dtype=np.int64) * n_states
        targets += language.next_states[states[sources], symbols]
        levels.append((keys, ends, is_way.sum(axis=1), symbols, targets, proba[is_way]))
        # Sorting is several times as fast as the hashing of numpy.unique.
        targets = np.sort(targets)
        targets = targets[np.diff(targets, prepend=-1) > 0]
        new = [key for key in targets.tolist() if key not in known]
        if not new:
            break
        known.update(new)
        keys = np.array(new)
    return _joined(levels, n_symbols)


def _proba(model: NextSymbolModel, contexts: Ids, options: DrawOptions) -> Floats:
    """Return probabilities after the options, (n, n_symbols); zeros in a dead end."""
    log_proba, rows = model.next_log_proba(contexts)
    proba = next_proba(log_proba[rows], 0, options)
    total = proba.sum(axis=1, keepdims=True)
    return np.divide(proba, total, out=np.zeros_like(proba), where=total > 0)


def _joined(levels: list[tuple[NDArray[Any], ...]], n_symbols: int) -> Product:
    """Make a `Product` of the pairs that were found, level by level."""
    keys, ends, n_ways, symbols, targets, proba = (
        np.concatenate(parts) for parts in zip(*levels, strict=True)
    )
    order = np.argsort(keys)
    targets = order[np.searchsorted(keys[order], targets)]
    first = np.concatenate([[0], np.cumsum(n_ways)])
    return Product(first, symbols, targets, proba, ends, n_symbols)


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
        n_ways = np.diff(product.first)
        sources = np.repeat(np.arange(len(n_ways)), n_ways)
        self._keys = sources * product.n_symbols + product.symbols

    def next_log_proba(self, contexts: Ids) -> tuple[Floats, Ids]:
        """Return log-probabilities of the next symbol: ``p(c) b(after c) / b``."""
        product, layers = self.product, self.backward_proba
        contexts, rows = np.unique(contexts, return_inverse=True)
        n_more, pairs = np.divmod(contexts, len(product.ends))
        length = layers.first + int(n_more[0])
        n_ways = np.diff(product.first)[pairs]
        owners = np.repeat(np.arange(len(pairs)), n_ways)
        ways = product.first[pairs][owners] + within_groups(n_ways)
        proba = np.zeros((len(pairs), product.n_symbols))
        proba[owners, product.symbols[ways]] = (
            product.proba[ways] * layers[length + 1][product.targets[ways]]
        )
        if length >= layers.min_length:
            proba[:, BOUNDARY] = layers.ends(length)[pairs]
        proba /= proba.sum(axis=1, keepdims=True)
        with np.errstate(divide="ignore"):  # log 0 = -inf: the symbol is impossible
            return np.log(proba), rows

    def advance(self, contexts: Ids, ids: Ids) -> Ids:
        """Return the contexts after one more possible symbol each."""
        n_pairs = len(self.product.ends)
        n_more, pairs = np.divmod(contexts, n_pairs)
        ways = np.searchsorted(self._keys, pairs * self.product.n_symbols + ids)
        return (n_more + 1) * n_pairs + self.product.targets[ways]

    @property
    def n_bytes(self) -> int:
        """Size in memory."""
        product = self.product
        transitions = product.symbols.nbytes + product.targets.nbytes
        transitions += product.proba.nbytes + self._keys.nbytes
        pairs = product.first.nbytes + product.ends.nbytes
        return transitions + pairs + self.backward_proba.n_bytes


KNOWN: ModelCache[ConditionalModel | None] = ModelCache(
    MAX_KNOWN_BYTES, lambda model: 0 if model is None else model.n_bytes
)
"""The models of words that match that were used last."""
