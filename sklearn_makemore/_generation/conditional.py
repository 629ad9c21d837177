"""Models whose words match: masked, or with backward probabilities, or rejection."""

import sys
from dataclasses import dataclass, replace

import numpy as np

from .._words.vocabulary import BOUNDARY, within_groups
from .language import BackwardLayers, Language
from .next_symbols import NextSymbolModel, are_states
from .sampling import DrawOptions, Source, next_proba

MAX_PROBABILITIES = 1 << 23
"""Most probabilities of next symbols, over all pairs of states: 64 MiB."""

MAX_BACKWARD = 1 << 25
"""Most backward probabilities held, over all pairs and lengths: 256 MiB."""

MIN_PROBA = 1e-280
"""Probability of a match below which backward probabilities are rounded to nothing."""

SETTLED = 1e-13
"""Relative change below which backward probabilities pass for converged."""

NO_OPTIONS = DrawOptions(0, sys.maxsize, 1.0, None, None, None)
"""Options that change no distribution."""


def conditional(source: Source, language: Language) -> Source:
    """Return a source of the model's words, given that they match.

    Raises ValueError if the model certainly has no word that matches.
    """
    # The lengths are conditions, not changes: the language contains them.
    options = replace(source.options, min_length=0, max_length=sys.maxsize)
    if are_states(source.context):
        product = explore(source.model, int(source.context[0]), language, options)
        exact = None if product is None else backward(product, language)
        if exact is not None:
            start = np.zeros(1, dtype=np.int64)
            return replace(source, model=exact, context=start, options=NO_OPTIONS)
    return replace(source, options=replace(options, language=language))


def masked(source: Source, language: Language) -> Source:
    """Return a source without the symbols that lead out of a language."""
    states = np.full(1, language.start, dtype=np.int64)
    context = MaskedContexts(source.context, states, source.length)
    return replace(source, model=MaskedModel(source.model, language), context=context)


@dataclass(frozen=True, eq=False)
class MaskedContexts:
    """Contexts of a `MaskedModel`: of the model, of the language, and their length.

    Parameters
    ----------
    inner : contexts of length n
        Of the model.

    states : ndarray of int of shape (n,)
        Of the language.

    length : int
        Characters so far, prefix included.
    """

    inner: object
    states: np.ndarray
    length: int

    def __getitem__(self, rows):
        return MaskedContexts(self.inner[rows], self.states[rows], self.length)


@dataclass(frozen=True, eq=False)
class MaskedModel:
    """A model without the symbols with which words would leave a language.

    Parameters
    ----------
    model : NextSymbolModel
        The model.

    language : Language
        The words that may be drawn.
    """

    model: NextSymbolModel
    language: Language

    def next_log_proba(self, contexts):
        """Log-probabilities of the next symbol, ``-inf`` where it is forbidden."""
        log_proba, rows = self.model.next_log_proba(contexts.inner)
        n_states = self.language.n_states
        pairs, rows = _distinct(
            rows * np.int64(n_states) + contexts.states, len(log_proba) * n_states
        )
        allowed = self.language.allowed(pairs % n_states, contexts.length)
        log_proba = log_proba[pairs // n_states]
        log_proba[~allowed] = -np.inf
        return log_proba, rows

    def advance(self, contexts, ids):
        """Contexts after one more symbol each."""
        return MaskedContexts(
            self.model.advance(contexts.inner, ids),
            self.language.next_states[contexts.states, ids],
            contexts.length + 1,
        )


def _distinct(keys, n_keys):
    """Return the distinct keys below `n_keys`, and the place of each key in them."""
    if n_keys > 4 * len(keys):
        return np.unique(keys, return_inverse=True)
    occurs = np.zeros(n_keys, dtype=bool)
    occurs[keys] = True
    return np.flatnonzero(occurs), (np.cumsum(occurs) - 1)[keys]


@dataclass(frozen=True, eq=False)
class Product:
    """Pairs of a model's state and a language's, and the way from one to the next.

    Parameters
    ----------
    first : ndarray of shape (n_pairs + 1,)
        ``first[i]`` is the place of the first transition from pair `i`. Pair 0 is that
        after the prefix.

    symbols, targets : ndarray of shape (n_transitions,)
        Symbol and next pair of each transition; of a pair they are in the symbols'
        order.

    proba : ndarray of shape (n_transitions,)
        Probability of the symbol after the pair's model state.

    ends : ndarray of shape (n_pairs,)
        Probability of the end mark, 0 where the language has no end.

    n_symbols : int
        Number of symbols.
    """

    first: np.ndarray
    symbols: np.ndarray
    targets: np.ndarray
    proba: np.ndarray
    ends: np.ndarray
    n_symbols: int


def explore(model, state, language, options):
    """Find all pairs of states that words of a language go through.

    Parameters
    ----------
    model : NextSymbolModel
        A model whose contexts are states.

    state : int
        Its context after the prefix.

    language : Language
        The words.

    options : DrawOptions
        Changes of the model's distribution, whatever the length.

    Returns
    -------
    product : Product or None
        None if they are too many.
    """
    n_states = language.n_states
    n_symbols = language.next_states.shape[1]
    keys = np.array([state * n_states + language.start])  # model state, then language's
    known, levels = set(keys.tolist()), []
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


def _proba(model, contexts, options):
    """Probabilities after the options, of shape (n, n_symbols); none in a dead end."""
    log_proba, rows = model.next_log_proba(contexts)
    proba = next_proba(log_proba[rows], 0, options)
    total = proba.sum(axis=1, keepdims=True)
    return np.divide(proba, total, out=np.zeros_like(proba), where=total > 0)


def _joined(levels, n_symbols):
    """Make a `Product` of the pairs as they were found, level by level."""
    keys, ends, n_ways, symbols, targets, proba = map(
        np.concatenate, zip(*levels, strict=True)
    )
    order = np.argsort(keys)
    targets = order[np.searchsorted(keys[order], targets)]
    first = np.concatenate([[0], np.cumsum(n_ways)])
    return Product(first, symbols, targets, proba, ends, n_symbols)


def backward(product, language):
    """Return the model that has the conditional distribution of each next symbol.

    The backward probability of a pair with `n` characters is that a word there comes to
    an end that matches: ``b[n] = ends + P b[n + 1]``, without `ends` below the least
    length. The longer the words may still become the less it changes, so that few
    lengths have values of their own.

    Parameters
    ----------
    product : Product
        Pairs of states.

    language : Language
        The words.

    Returns
    -------
    model : ConditionalModel or None
        None if there is no room for all backward probabilities.

    Raises
    ------
    ValueError
        If no word of the language can be drawn from the model.
    """
    from scipy.sparse import csr_array

    n_pairs, can_end = len(product.ends), language.can_end
    matrix = csr_array(
        (product.proba, product.targets, product.first), shape=(n_pairs, n_pairs)
    )

    def is_settled(values, later):
        return bool(np.all(np.abs(values - later) <= SETTLED * values))

    try:
        proba = BackwardLayers(
            matrix.__matmul__,
            product.ends,
            (can_end.first, can_end.min_length, can_end.max_length),
            is_settled,
            max(1, MAX_BACKWARD // n_pairs),
        )
    except OverflowError:
        return None
    if proba[can_end.first][0] < MIN_PROBA:
        raise ValueError(
            "The model gives no probability, or less than can be computed with, to all "
            "words that match `matching` and begin with `prefix`, with these lengths, "
            "`temperature`, `top_k` and `top_p`. Relax one of them, or draw without "
            "`exact`."
        )
    return ConditionalModel(product, proba)


class ConditionalModel:
    """A counter's words given that they match, as a model of their next symbols.

    A context is a pair of the
    product and a number of characters: ``n * n_pairs + pair`` after `n` characters more
    than the prefix. All contexts of a call must have the same number.

    Parameters
    ----------
    product : Product
        Pairs of states.

    backward_proba : BackwardLayers
        Probability of a match from every pair on, by number of characters.
    """

    def __init__(self, product, backward_proba):
        self.product = product
        self.backward_proba = backward_proba
        n_ways = np.diff(product.first)
        sources = np.repeat(np.arange(len(n_ways)), n_ways)
        self._keys = sources * product.n_symbols + product.symbols

    def next_log_proba(self, contexts):
        """Log-probabilities of the next symbol: ``p(c) b(after c) / b``."""
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
            proba[:, BOUNDARY] = product.ends[pairs]
        proba /= proba.sum(axis=1, keepdims=True)
        with np.errstate(divide="ignore"):  # log 0 = -inf: it cannot come
            return np.log(proba), rows

    def advance(self, contexts, ids):
        """Contexts after one more symbol each, one that can come."""
        n_pairs = len(self.product.ends)
        n_more, pairs = np.divmod(contexts, n_pairs)
        ways = np.searchsorted(self._keys, pairs * self.product.n_symbols + ids)
        return (n_more + 1) * n_pairs + self.product.targets[ways]
