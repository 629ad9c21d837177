"""Fits in threads at once, in a forked child, and the threads of torch's own."""

import os
import pickle
import signal
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import numpy as np
import pytest
import torch
from estimators import CLASSES, NETS, over
from sklearn.base import clone
from sklearn.callback import FitCallback
from skorch.callbacks import Callback

from sklearn_makemore._training.device import one_thread

pytestmark = pytest.mark.slow

NAMES_OF_NETS = ["mlp-deep", "wavenet", "gru"]  # two of them drop out
PATIENCE = 60


@pytest.fixture
def two_threads():
    """Let torch have two threads, which is what `fit` must give back."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def answers(model, words):
    return model.score_samples(words).tolist() + model.sample(9, random_state=0)


@over(CLASSES)
def test_fits_in_threads_are_fits_in_turn(estimator, words, two_threads):
    models = [clone(estimator) for _ in range(4)]
    if "random_state" in estimator.get_params():
        for seed, model in enumerate(models):
            model.set_params(random_state=seed % 2)
    expected = [answers(clone(model).fit(words), words) for model in models[:2]]
    before = torch.get_rng_state()
    together = Barrier(len(models), timeout=PATIENCE)

    def fit(model):
        together.wait()
        for _ in range(2):
            model.fit(words)
        return answers(model, words)

    with ThreadPoolExecutor(len(models)) as pool:
        found = list(pool.map(fit, models))
    assert found == 2 * expected
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == 2


VERBS = {
    "score_samples": lambda model, words: model.score_samples(words),
    "sample": lambda model, words: model.sample(20, random_state=3),
    "predict_proba": lambda model, words: model.predict_proba(words),
    "token_log_proba": lambda model, words: np.hstack(model.token_log_proba(words)),
    "most_likely": lambda model, words: model.most_likely(5),
}


@over(CLASSES)
def test_eight_threads_may_use_one_model(estimator, words, fit_once, two_threads):
    state = pickle.dumps(fit_once(estimator, words))
    model = pickle.loads(state)
    expected = {name: verb(model, words) for name, verb in VERBS.items()}
    # Tables that are made at the first question are asked for by all at once, and a
    # module that was left in training is put back by all at once.
    shared = pickle.loads(state)
    if hasattr(shared, "net_"):
        shared.net_.module_.train()
    together = Barrier(8, timeout=PATIENCE)

    def ask(first):
        order = [*VERBS][first % len(VERBS) :] + [*VERBS][: first % len(VERBS)]
        together.wait()
        return {name: VERBS[name](shared, words) for name in order}

    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(ask, range(8)):
            for name, value in expected.items():
                np.testing.assert_array_equal(found[name], value, err_msg=name)
    assert torch.get_num_threads() == 2


class Threads(Callback):
    """Notes how many threads torch has at every epoch's begin and end."""

    def on_train_begin(self, net, **kwargs):
        self.seen_ = []

    def on_epoch_begin(self, net, **kwargs):
        self.seen_.append(torch.get_num_threads())

    on_epoch_end = on_epoch_begin


class Scorer(FitCallback):
    """Callback that scores and samples in the middle of a fit, as monitors do."""

    def on_fit_task_end(self, estimator, context, *, X=None, fitted_estimator=None):
        fitted_estimator.score(X)
        fitted_estimator.sample(3, random_state=0)


@pytest.mark.parametrize("name", NAMES_OF_NETS)
def test_one_thread_to_the_end_of_a_fit(name, words, two_threads):
    model = clone(NETS[name]).set_params(
        max_epochs=3, callbacks=[("threads", Threads())]
    )
    model.set_callbacks(Scorer()).fit(words)
    seen = dict(model.net_.callbacks_)["threads"].seen_
    assert seen == [1] * 6
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize("name", NAMES_OF_NETS)
def test_threads_come_back_after_an_error(name, words, two_threads):
    model = clone(NETS[name]).set_params(lr=1e30, optimizer="sgd")
    before = torch.get_rng_state()
    with pytest.raises(ValueError, match="lr"):
        model.fit(words)
    assert torch.get_num_threads() == 2
    assert torch.equal(torch.get_rng_state(), before)
    # And the turn to use the generator is given up.
    with ThreadPoolExecutor(1) as pool:
        fitted = pool.submit(clone(NETS[name]).fit, words).result(timeout=PATIENCE)
    assert fitted.score(words) == clone(NETS[name]).fit(words).score(words)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@over(CLASSES)
def test_a_forked_child_can_fit(estimator, words, fit_once, two_threads):
    model = fit_once(estimator, words)
    expected = answers(model, words)
    # Something large enough for torch to start its threads, which a child has not.
    (torch.ones(1000, 1000) @ torch.ones(1000, 1000)).cumsum(0).exp()
    torch.arange(1_000_000).sort()
    with warnings.catch_warnings():
        # Python warns of a fork beside threads: that it ends well is what is tested.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            same = answers(clone(estimator).fit(words), words) == expected
            same &= answers(model.fit(words), words) == expected
            model.partial_fit(words)
            os._exit(0 if same else 3)
        finally:
            os._exit(4)
    assert exit_code(child) == 0
    assert answers(model, words) == expected


def exit_code(child):
    """Exit code of a child process; one that does not end is killed."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "killed: it did not end"


def test_a_new_thread_stays_at_one_when_another_puts_the_number_back(two_threads):
    entered, put_back = Event(), Event()

    def inside():
        with one_thread:
            entered.set()
            assert put_back.wait(PATIENCE)
            return torch.get_num_threads()

    with ThreadPoolExecutor(1) as pool:
        with one_thread:
            found = pool.submit(inside)
            assert entered.wait(PATIENCE)
        put_back.set()
        assert found.result() == 1
