"""Ctrl-C is an error: it never leaves a model that is half trained."""

import pytest
from estimators import CLASSES, IN_ONE_STEP, IN_TWO_STEPS, KINDS, NETS, over
from interrupts import assert_interrupts_leave, interrupted_at
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold
from skorch.callbacks import Callback, EarlyStopping

pytestmark = pytest.mark.slow

ALPHABET = "abcdefghijklmnopqrstuvwxyz'"
EACH_CLASS = {name: IN_TWO_STEPS[name] for name in CLASSES}


class Interrupt(Callback):
    """Press Ctrl-C at the end of an epoch, counted from the start of training."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_train_begin(self, net, **kwargs):
        self.n_epochs = 0

    def on_epoch_end(self, net, **kwargs):
        self.n_epochs += 1
        if self.n_epochs == self.epoch:
            raise KeyboardInterrupt


def answers(model, words):
    return (
        model.score_samples(words[:20]).tolist(),
        model.sample(5, max_length=9, random_state=0),
    )


@over(EACH_CLASS)
@pytest.mark.parametrize("verb", ["fit", "partial_fit"])
def test_an_unfitted_model_stays_unfitted(estimator, verb, words):
    model = clone(estimator)
    assert_interrupts_leave(
        model,
        lambda model: getattr(model, verb)(words),
        set(vars(model)),
        lambda model: not model.__sklearn_is_fitted__(),
    )


@over(EACH_CLASS)
@pytest.mark.parametrize("verb", ["fit", "partial_fit"])
def test_a_fitted_model_stays_the_same(estimator, verb, words):
    model = clone(estimator).set_params(alphabet=ALPHABET).fit(words)
    assert_training_is_all_or_nothing(model, verb, words)


@over(KINDS)
def test_a_fitted_model_stays_the_same_when_fit_goes_on(estimator, words):
    model = clone(estimator).set_params(alphabet=ALPHABET, warm_start=True)
    model.fit(words)
    assert_training_is_all_or_nothing(model, "fit", words)
    assert model.n_iter_ > model.max_epochs  # it did go on


def assert_training_is_all_or_nothing(model, verb, words):
    """Interrupt a fitted model that is trained on other words."""
    old = answers(model, words)
    others = ["o'neill", "d'arcy"] * 20 + words[50:90]
    assert_interrupts_leave(
        model,
        lambda model: getattr(model, verb)(others),
        set(vars(model)),
        lambda model: answers(model, words) == old,
    )
    assert answers(model.partial_fit(others), words) != old


@over(KINDS)
@pytest.mark.parametrize("warm_start", [False, True])
def test_ctrl_c_at_the_end_of_an_epoch(estimator, warm_start, words):
    model = clone(estimator).set_params(warm_start=warm_start, callbacks=[Interrupt(2)])
    with pytest.raises(KeyboardInterrupt):
        model.fit(words)
    assert not model.__sklearn_is_fitted__()
    assert set(vars(model)) == set(model.get_params(deep=False))
    model.set_params(callbacks=None).fit(words)
    history, old = list(model.history_), answers(model, words)
    model.set_params(callbacks=[Interrupt(1)])
    for train in (model.fit, model.partial_fit):
        with pytest.raises(KeyboardInterrupt):
            train(words[:90])
        assert answers(model, words) == old
        assert model.history_ == history


def test_ctrl_c_is_not_taken_for_early_stopping(words):
    # skorch raises the same exception when early stopping ends the training.
    model = clone(NETS["mlp"]).set_params(early_stopping=True, callbacks=[Interrupt(2)])
    with pytest.raises(KeyboardInterrupt):
        model.fit(words)
    model.set_params(callbacks=[EarlyStopping("train_loss", patience=50), Interrupt(1)])
    with pytest.raises(KeyboardInterrupt):
        model.fit(words)
    stops = EarlyStopping("train_loss", patience=1, threshold=1e6, threshold_mode="abs")
    model.set_params(callbacks=[stops], early_stopping=False, max_epochs=9)
    assert len(model.fit(words).history_) == 2


@over(IN_ONE_STEP)
def test_ctrl_c_ends_a_whole_search(estimator, words):
    # A candidate that swallows it would let the search go on with a half-trained model.
    model = clone(estimator).set_params(handle_unknown="unk")
    search = GridSearchCV(
        model, {"alphabet": [None]}, cv=KFold(2, shuffle=True, random_state=0)
    )
    with interrupted_at(None) as called:
        clone(model).fit(words)
    with pytest.raises(KeyboardInterrupt), interrupted_at(len(called)):
        search.fit(words)
    assert not hasattr(search, "best_estimator_")
