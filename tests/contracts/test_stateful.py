"""Any order of fits, more fits, draws and pickles leads to the same as the shortest."""

import pickle
from functools import partial

import numpy as np
import pytest
from any_words import ANY, LONG_WORD, SURROGATE, WORDS, search
from estimators import COUNTERS, KINDS
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

# Other tests measure coverage of the same code, which slows these down by half.
pytestmark = pytest.mark.no_cover

SEEDS = st.integers(0, 9)
BAD_WORDS = st.sampled_from(["emma", ["a", None], [], [b"a"], {"a"}, 5]) | st.builds(
    lambda words, surrogate: [*words, surrogate], WORDS, SURROGATE
)


def answers(model, asked):
    """What a model says, as something that `==` compares."""
    proba = model.predict_proba([word[:9] for word in asked])
    drawn = model.sample(5, max_length=20, random_state=0)
    return model.score_samples(asked).tolist(), proba.tolist(), drawn, model.symbols_


class Life(RuleBasedStateMachine):
    """What may happen to any model."""

    def __init__(self, estimator):
        super().__init__()
        self.model = clone(estimator)
        self.asked = [""]

    def is_fitted(self):
        return self.model.__sklearn_is_fitted__()

    @rule(bad=BAD_WORDS, verb=st.sampled_from(["fit", "partial_fit"]))
    def refuse(self, bad, verb):
        before = answers(self.model, self.asked) if self.is_fitted() else None
        with pytest.raises((ValueError, TypeError)):
            getattr(self.model, verb)(bad)
        assert self.is_fitted() == (before is not None)
        if before is not None:
            assert answers(self.model, self.asked) == before

    @precondition(lambda self: not self.is_fitted())
    @rule()
    def ask_too_soon(self):
        with pytest.raises(NotFittedError):
            self.model.score(["a"])

    @precondition(lambda self: self.is_fitted())
    @rule()
    def pickle(self):
        before = answers(self.model, self.asked)
        self.model = pickle.loads(pickle.dumps(self.model))
        assert answers(self.model, self.asked) == before

    @precondition(lambda self: self.is_fitted())
    @rule(seed=SEEDS, n_samples=st.integers(1, 9), max_length=st.integers(0, 30))
    def sample(self, seed, n_samples, max_length):
        options = {"max_length": max_length, "random_state": seed}
        drawn = self.model.sample(n_samples, **options)
        assert len(drawn) == n_samples and max(map(len, drawn)) <= max_length
        assert set("".join(drawn)) <= set(self.model.symbols_[1:])
        assert np.isfinite(self.model.score_samples(drawn)).all()
        assert self.model.sample(n_samples, **options) == drawn

    @precondition(lambda self: self.is_fitted())
    @invariant()
    def is_a_distribution(self):
        assert np.isfinite(self.model.score_samples(self.asked)).all()
        proba = self.model.predict_proba([word[:9] for word in self.asked])
        assert (proba >= 0).all()
        np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-6)


class CounterLife(Life):
    """A counter is always the one that was fitted at once on all words so far."""

    def __init__(self, estimator):
        super().__init__(estimator)
        self.words = []

    @rule(words=WORDS, long=st.none() | LONG_WORD)
    def fit(self, words, long):
        self.words = words if long is None else [*words, long]
        self.model.fit(self.words)
        self.asked = [*words, ""]

    @rule(words=WORDS)
    def partial_fit(self, words):
        self.model.partial_fit(words)
        self.words = self.words + words
        self.asked = [*self.asked[-4:], *words]

    @rule(words=WORDS, data=st.data())
    def partial_fit_weighted(self, words, data):
        weights = data.draw(
            st.lists(st.integers(0, 3), min_size=len(words), max_size=len(words))
        )
        if not any(weights):
            weights[0] = 1
        self.model.partial_fit(words, sample_weight=weights)
        times = zip(words, weights, strict=True)
        counted = [word for word, weight in times for _ in range(weight)]
        self.words = self.words + counted
        self.asked = [*self.asked[-4:], *counted]

    @precondition(lambda self: self.is_fitted())
    @invariant()
    def equals_one_fit(self):
        once = clone(self.model).fit(self.words)
        assert answers(self.model, self.asked) == answers(once, self.asked)
        assert (
            self.model.longest_word_ == once.longest_word_ == max(map(len, self.words))
        )


class NetLife(Life):
    """A network keeps its symbols and its history, and what it says is finite."""

    def __init__(self, estimator):
        super().__init__(estimator.set_params(max_epochs=1))
        self.n_epochs = 0

    def end_epoch(self, words, is_warm_start):
        self.n_epochs = 1 + is_warm_start * self.n_epochs
        assert self.model.n_iter_ == len(self.model.history_) == self.n_epochs
        self.asked = ["", *words]

    @rule(words=WORDS)
    def fit(self, words):
        self.model.set_params(warm_start=False).fit(words)
        assert self.model.symbols_ == ["", *sorted(set("".join(words)))]
        self.end_epoch(words, is_warm_start=False)

    @precondition(lambda self: self.is_fitted())
    @rule(words=WORDS, warm=st.booleans())
    def go_on(self, words, warm):
        characters = {*self.model.symbols_[1:], *"".join(words)}
        self.model.set_params(warm_start=warm)
        (self.model.fit if warm else self.model.partial_fit)(words)
        assert self.model.symbols_ == ["", *sorted(characters)]
        self.end_epoch(words, is_warm_start=True)

    @precondition(lambda self: self.is_fitted())
    @rule(character=ANY)
    def refuse_what_is_unknown(self, character):
        if character in self.model.symbols_:
            return
        before = answers(self.model, self.asked)
        with pytest.raises(ValueError, match="at index 1 has .*alphabet"):
            self.model.score(["", character])
        with pytest.raises(ValueError, match="^prefix=.*alphabet"):
            self.model.sample(prefix=character)
        assert answers(self.model, self.asked) == before


COUNTED = ("bigram", "kneser-ney-3", "kneser-ney-6", "additive-3")


@pytest.mark.slow
@pytest.mark.parametrize("name", COUNTED)
def test_a_counter_is_all_it_was_given(name):
    machine = partial(CounterLife, COUNTERS[name])
    run_state_machine_as_test(machine, settings=search(8, stateful_step_count=8))


@pytest.mark.parametrize("name", KINDS)
def test_a_network_stays_sound(name):
    machine = partial(NetLife, clone(KINDS[name]))
    run_state_machine_as_test(machine, settings=search(4, stateful_step_count=7))
