"""What sampling must do, computed in the simplest way, and a test of frequencies.

Frequencies are compared by chi-square tests with fixed seeds. An honest sampler with
another seed fails each of them with probability `FALSE_ALARM`. There are fewer than
600, so the probability that any of them fails is less than 3e-4.
"""

from collections import Counter

import numpy as np
import pytest
from scipy.stats import binom, chisquare

FALSE_ALARM = 5e-7


def assert_frequencies(drawn, expected):
    """Compare sampled words with a dict of probabilities that sum to one.

    Words expected fewer than five times are pooled, as chi-square requires; a word
    that is not in the dict must not be sampled at all.
    """
    counts = Counter(drawn)
    assert set(counts) <= set(expected)
    assert sum(expected.values()) == pytest.approx(1, abs=1e-6)
    n_drawn = len(drawn)
    frequent = [word for word, proba in expected.items() if proba * n_drawn >= 5]
    observed = [counts[word] for word in frequent]
    hoped = [expected[word] * n_drawn for word in frequent]
    n_others, hoped_others = n_drawn - sum(observed), n_drawn - sum(hoped)
    if len(frequent) < len(expected) and hoped_others > 1:
        observed.append(n_others)
        hoped.append(hoped_others)
    else:  # too few for chi-square
        share = max(hoped_others / n_drawn, 0)
        assert binom.sf(n_others - 1, n_drawn, share) > FALSE_ALARM
    if len(observed) > 1:
        hoped = np.array(hoped) * sum(observed) / sum(hoped)
        assert chisquare(observed, hoped).pvalue > FALSE_ALARM


def textbook_next(
    proba,
    length,
    limits,
    temperature=1.0,
    top_k=None,
    top_p=None,
    min_p=0.0,
    typical_p=1.0,
):
    """The distribution of the next symbol after all options, one option at a time."""
    shortest, longest = limits
    weights = dict(enumerate(proba))
    if length < shortest:
        del weights[0]
    if length == longest:
        return {0: 1.0}
    if temperature == 0:
        return {max(weights, key=weights.get): 1.0}
    total = sum(weights.values())
    weights = {s: (w / total) ** (1 / temperature) for s, w in weights.items()}
    ranked = sorted(weights, key=weights.get, reverse=True)[:top_k]
    if top_p is not None:
        ranked = until_mass(ranked, weights, top_p)
    least = min_p * max(weights[symbol] for symbol in ranked)
    ranked = [symbol for symbol in ranked if weights[symbol] >= least]
    total = sum(weights[symbol] for symbol in ranked)
    shares = {symbol: weights[symbol] / total for symbol in ranked if weights[symbol]}
    if typical_p < 1:
        entropy = sum(-p * np.log(p) for p in shares.values())
        distance = {s: round(abs(-np.log(p) - entropy), 9) for s, p in shares.items()}
        typical = sorted(sorted(shares), key=distance.get)
        ranked = until_mass(typical, shares, typical_p)
        total = sum(shares[symbol] for symbol in ranked)
        shares = {symbol: shares[symbol] / total for symbol in ranked}
    return shares


def until_mass(symbols, weights, mass):
    """The first symbols that together have at least a share of all weights."""
    total, kept = sum(weights[symbol] for symbol in symbols), []
    for symbol in symbols:
        kept.append(symbol)
        if sum(weights[symbol] for symbol in kept) / total >= mass:
            break
    return kept


def textbook_words(model, limits, **options):
    """Distribution of whole words under the options, by looking at every word."""
    known = [s for s in range(len(model.symbols_)) if model.symbols_[s] != "<unk>"]
    finished, unfinished = {}, {"": 1.0}
    for length in range(limits[1] + 1):
        longer = {}
        if not unfinished:
            break
        table = model.predict_proba(list(unfinished))[:, known]
        for (prefix, mass), row in zip(unfinished.items(), table, strict=True):
            for symbol, proba in textbook_next(row, length, limits, **options).items():
                if symbol == 0:
                    finished[prefix] = mass * proba
                else:
                    longer[prefix + model.symbols_[symbol]] = mass * proba
        unfinished = longer
    assert not unfinished
    return finished
