"""Pruned n-grams, against slow textbook formulas and the promises of `prune`."""

from collections import Counter, defaultdict

import numpy as np
import pytest

from sklearn_makemore import NGramCounter, load, save
from sklearn_makemore.datasets import load_names

NAMES = load_names().data[::400]


class Textbook:
    """Kneser-Ney smoothing of a subset of the n-grams, one n-gram at a time.

    An n-gram is a text: its history, where "|" is the start of a word, and the
    predicted character, where "." is the end.
    """

    def __init__(self, words, weights, order, discounts):
        self.order, self.discounts, self.occurs = order, discounts, Counter()
        for word, weight in zip(words, weights, strict=True):
            text = f"|{word}."
            for end in range(2, len(text) + 1):
                for start in range(max(end - order, 0), end):
                    self.occurs[text[start:end]] += weight
        self.symbols = sorted({ngram[-1] for ngram in self.occurs})
        self.longer = defaultdict(list)  # by the n-gram without its first character
        for ngram in self.occurs:
            self.longer[ngram[1:]].append(ngram)
        self.kept, self.known = set(self.occurs), {}

    def keep(self, wanted):
        """Keep n-grams, and the shorter ones that they need."""
        self.kept = {ngram for ngram in self.occurs if len(ngram) == 1}
        self.known.clear()
        pending = [*wanted]
        while pending:
            ngram = pending.pop()
            if len(ngram) > 1 and ngram not in self.kept:
                self.kept.add(ngram)
                pending += ngram[1:], ngram[:-1]

    def adjusted(self, ngram):
        if len(ngram) == self.order or ngram[0] == "|":
            return self.occurs[ngram]
        return sum(
            1 if longer in self.kept else self.occurs[longer]
            for longer in self.longer[ngram]
        )

    def seen(self, history):
        return [
            history + symbol
            for symbol in self.symbols
            if self.occurs[history + symbol] and history + symbol in self.kept
        ]

    def proba(self, history, symbol):
        if history + symbol not in self.known:
            self.known[history + symbol] = self.smoothed(history, symbol)
        return self.known[history + symbol]

    def smoothed(self, history, symbol):
        lower = 1 / len(self.symbols)
        if history:
            lower = self.proba(history[1:], symbol)
        occurs = [n for s in self.symbols if self.occurs[n := history + s]]
        if not occurs:
            return lower
        total = freed = own = 0
        for ngram in occurs:
            count = self.occurs[ngram]
            removed = count
            if ngram in self.kept:
                count = self.adjusted(ngram)
                kind = min(int(np.ceil(count)), 3) - 1
                starts = int(history.startswith("|"))
                removed = min(self.discounts[len(history), starts, kind], count)
            total, freed = total + count, freed + removed
            if ngram[-1] == symbol:
                own = count - removed
        return (own + freed * lower) / total

    def cost(self, ngram):
        """Return the relative entropy to the model without one n-gram."""
        history = ngram[:-1]
        p = {s: self.proba(history, s) for s in self.symbols}
        lower = {s: self.proba(history[1:], s) for s in self.symbols}
        others = {n[-1] for n in self.seen(history)} - {ngram[-1]}
        rest = [s for s in self.symbols if s not in others]
        weight = sum(p[s] for s in rest) / sum(lower[s] for s in rest)
        occurs = sum(self.occurs[history + s] for s in self.symbols)
        share = occurs / sum(self.occurs[s] for s in self.symbols)
        return share * sum(p[s] * np.log(p[s] / (weight * lower[s])) for s in rest)


PREFIXES = ["", *{name[:k] for name in NAMES[:12] for k in (1, 2, 3, 4)}, "zz"]


def assert_is_textbook(model, book):
    symbols = [symbol or "." for symbol in model.symbols_]
    found = model.predict_proba(PREFIXES)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-12)
    for prefix, row in zip(PREFIXES, found, strict=True):
        history = f"|{prefix}"[1 - model.order :]
        expected = [book.proba(history, symbol) for symbol in symbols]
        np.testing.assert_allclose(row, expected, rtol=1e-10, err_msg=prefix)


@pytest.mark.parametrize("discounts", ["leave-one-out", "closed-form"])
def test_pruned_probabilities_are_those_of_the_formulas(discounts):
    weights = np.ones(len(NAMES), dtype=int)
    if discounts == "closed-form":  # the other one divides counts by a unit
        weights[::3] = 3
    model = NGramCounter(4, discounts=discounts, match_lengths=False)
    model.fit(NAMES, sample_weight=weights)
    book = Textbook(NAMES, weights.tolist(), 4, model.discounts_)
    assert_is_textbook(model.prune(), book)
    for least in (2, 4, [1, 1, 3, 5]):
        by_length = np.resize(np.atleast_1d(least), 4)
        book.keep(n for n, c in book.occurs.items() if c >= by_length[len(n) - 1])
        pruned = model.prune(min_count=least)
        assert len(pruned.ngram_counts_) == len(book.kept)
        assert_is_textbook(pruned, book)


def test_entropy_pruning_removes_what_changes_the_model_least():
    model = NGramCounter(3, match_lengths=False).fit(NAMES)
    book = Textbook(NAMES, [1] * len(NAMES), 3, model.discounts_)
    costs = {ngram: book.cost(ngram) for ngram in book.occurs if len(ngram) > 1}
    for entropy in np.quantile([*costs.values()], [0.4, 0.9]) * (1 - 1e-9):
        book.keep(ngram for ngram, cost in costs.items() if cost >= entropy)
        pruned = model.prune(entropy=entropy)
        assert len(pruned.ngram_counts_) == len(book.kept)
        assert_is_textbook(pruned, book)


@pytest.fixture(scope="module")
def model():
    return NGramCounter(5).fit(NAMES)


@pytest.mark.parametrize(
    "options", [{}, {"min_count": 2}, {"entropy": 1e-4}, {"min_count": 1e9}]
)
def test_a_pruned_model_does_what_any_model_does(model, options, tmp_path):
    pruned = model.prune(**options)
    assert len(pruned.ngram_counts_) <= model.model_.plain.n_ngrams
    save(pruned, tmp_path / "pruned")
    loaded = load(tmp_path / "pruned")
    for one in (pruned, loaded):
        scores = one.score_samples(NAMES[:50])
        np.testing.assert_array_equal(scores, pruned.score_samples(NAMES[:50]))
        assert one.sample(20, random_state=0) == pruned.sample(20, random_state=0)
    # Sampling walks from state to state, scoring looks each history up.
    sampled = pruned.sample(20, prefix="a", random_state=0)
    words, log_proba = pruned.most_likely(20)
    np.testing.assert_allclose(pruned.score_samples(words), log_proba)
    assert all(word.startswith("a") for word in sampled)
    plain = pruned.model_.plain
    encoded = pruned.vocabulary_.encode(NAMES)
    states, (_, following) = plain.states(encoded), plain.tables
    starts = np.zeros(len(states), dtype=bool)
    starts[encoded.offsets[:-1]] = True
    walked = following[states[:-1], encoded.targets[:-1]]
    np.testing.assert_array_equal(states[1:], walked)
    assert (states[starts] == plain.start_state).all()


def test_a_pruned_model_learns_no_more_and_the_full_one_does(model):
    pruned = model.prune(min_count=2)
    for call in (
        lambda: pruned.partial_fit(["ab"]),
        lambda: pruned.merge(model),
        lambda: NGramCounter(5).fit(NAMES).merge(pruned),
        lambda: pruned.prune(),
    ):
        with pytest.raises(ValueError, match="was pruned and no longer has the counts"):
            call()
    pruned.fit(NAMES)
    assert pruned.nll(NAMES) == model.nll(NAMES)


@pytest.mark.parametrize(
    ("counter", "options", "message"),
    [
        (NGramCounter(2, smoothing="additive"), {}, "Additive smoothing"),
        (NGramCounter(2), {"min_count": [3, 2]}, "do not decrease"),
        (NGramCounter(2), {"min_count": []}, "one number, or numbers"),
        (NGramCounter(2), {"min_count": ["a"]}, "must be numbers"),
        (NGramCounter(2), {"min_count": -1}, "min_count"),
        (NGramCounter(2), {"entropy": -1}, "entropy"),
    ],
)
def test_prune_says_what_is_wrong(counter, options, message):
    with pytest.raises(ValueError, match=message):
        counter.fit(["ab", "b"]).prune(**options)
