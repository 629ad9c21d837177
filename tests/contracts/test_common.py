"""The contract every model keeps, part one: scikit-learn's rules and the life of a fit.

The other parts are in the ``test_*_contract.py`` files.
"""

import warnings

import joblib
import numpy as np
import pytest
from estimators import (
    CLASSES,
    COUNTERS,
    DATA_FREE_CHECKS,
    ESTIMATORS,
    IN_FAST_PART,
    IN_ONE_STEP,
    IN_TWO_STEPS,
    NETS,
    over,
)
from sklearn.base import clone
from sklearn.exceptions import NotFittedError, SkipTestWarning
from sklearn.utils import estimator_checks, get_tags

VERBS = {
    "score": lambda model: model.score(["ab"]),
    "nll": lambda model: model.nll(["ab"]),
    "perplexity": lambda model: model.perplexity(["ab"]),
    "score_samples": lambda model: model.score_samples(["ab"]),
    "token_log_proba": lambda model: model.token_log_proba(["ab"]),
    "predict_proba": lambda model: model.predict_proba(["ab"]),
    "sample": lambda model: model.sample(3, random_state=0),
    "most_likely": lambda model: model.most_likely(3),
    "rank": lambda model: model.rank(["ab"], 3, random_state=0),
    "novelty_report": lambda model: model.novelty_report(["ab"], 3, random_state=0),
}


def answers(model, words):
    """What a fitted model says: a few numbers and words that pin it down."""
    return model.score_samples(words[:20]).tolist() + model.sample(5, random_state=0)


@over(ESTIMATORS)
@pytest.mark.parametrize("check", DATA_FREE_CHECKS)
def test_data_free_check_of_scikit_learn(estimator, check):
    getattr(estimator_checks, check)(type(estimator).__name__, clone(estimator))


# For estimators of words scikit-learn yields one check, of cloning, and warns that it
# skips the others: a green run of this test proves no more than that. The checks that
# feed numbers are written out for words below.
with warnings.catch_warnings():
    warnings.simplefilter("ignore", SkipTestWarning)
    by_scikit_learn = estimator_checks.parametrize_with_checks(list(CLASSES.values()))


@by_scikit_learn
def test_parametrize_with_checks(estimator, check):
    check(estimator)


@over(CLASSES)
def test_tags_say_words_in_one_dimension(estimator):
    tags = get_tags(estimator)
    assert tags.estimator_type == "density_estimator"
    assert tags.input_tags.string and tags.input_tags.one_d_array
    assert not tags.input_tags.two_d_array
    assert not tags.target_tags.required


@over(CLASSES)
@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_of_an_unfitted_model_says_so(estimator, verb):
    with pytest.raises(NotFittedError, match=type(estimator).__name__):
        VERBS[verb](clone(estimator))


@over(CLASSES)
def test_fit_and_partial_fit_return_the_model(estimator, words):
    model = clone(estimator)
    assert model.fit(words) is model
    assert model.partial_fit(words) is model


@over(IN_ONE_STEP)
def test_y_is_ignored(estimator, words, fit_once):
    y = np.arange(len(words))
    with_y = clone(estimator).fit(words, y)
    expected = fit_once(estimator, words)
    assert answers(with_y, words) == answers(expected, words)
    assert with_y.score(words, y) == expected.score(words)
    first, second = clone(estimator), clone(estimator)
    first.partial_fit(words, y)
    second.partial_fit(words)
    assert answers(first, words) == answers(second, words)


@over(ESTIMATORS)
def test_fit_is_idempotent(estimator, words, fit_once):
    model = clone(estimator).fit(words)
    once = answers(fit_once(estimator, words), words)
    assert answers(model, words) == once
    assert answers(model.fit(words), words) == once


@over(IN_TWO_STEPS)
def test_fit_forgets_what_was_fitted_before(estimator, words):
    assert_fit_forgets(clone(estimator).set_params(handle_unknown="unk"), words)


@over({name: IN_TWO_STEPS[name] for name in sorted(IN_FAST_PART)})
def test_fit_forgets_an_alphabet_without_unknown_characters(estimator, words):
    assert_fit_forgets(estimator, words)


def assert_fit_forgets(estimator, words):
    fresh = clone(estimator).fit(words)
    used = clone(estimator).fit(["xyz", "zx", "q" * 30, "ß", "x", "zz"])
    used.partial_fit(["zyx"])
    used.fit(words)
    assert answers(used, words) == answers(fresh, words)
    assert set(vars(used)) == set(vars(fresh))
    assert used.symbols_ == fresh.symbols_
    # Also what shows only at the limit of the length is forgotten.
    assert used.longest_word_ == fresh.longest_word_


@over(ESTIMATORS)
def test_only_fit_sets_attributes_and_all_end_in_an_underscore(estimator, words):
    model = clone(estimator)
    before = set(vars(model))
    assert before == set(model.get_params(deep=False))
    model.fit(words)
    assert model.symbols_[0] == ""
    for name in set(vars(model)) - before:
        assert name.endswith("_") and not name.startswith("_")


@over(ESTIMATORS)
def test_fit_changes_no_parameter(estimator, words):
    model = clone(estimator)
    before = model.get_params()
    hashes = {name: joblib.hash(value) for name, value in before.items()}
    model.fit(words)
    model.partial_fit(words)
    for name, value in model.get_params().items():
        assert value is before[name]
        assert joblib.hash(value) == hashes[name]


@over(ESTIMATORS)
def test_looking_at_a_model_does_not_change_it(estimator, words, fitted_copy):
    model = fitted_copy(estimator, words)
    attributes, before = vars(model).copy(), answers(model, words)
    for verb in VERBS.values():
        verb(model)
    repr(model), model._repr_html_(), model.symbols_
    assert set(vars(model)) == set(attributes)
    for name, value in vars(model).items():
        assert value is attributes[name], name
    assert answers(model, words) == before


@over(COUNTERS)
@pytest.mark.parametrize("unknown", ["error", "unk"])
def test_counters_add_up_exactly(estimator, unknown, words):
    estimator = clone(estimator).set_params(handle_unknown=unknown)
    # The second half brings new letters, and the whole is in another order.
    more = ["zoë", "xerxès", "ab", "ab"]
    halves = clone(estimator).fit(words).partial_fit(more)
    whole = clone(estimator).fit(more + words)
    assert halves.symbols_ == whole.symbols_
    asked = words + more + ["", "zzz"]
    np.testing.assert_array_equal(
        halves.score_samples(asked), whole.score_samples(asked)
    )
    assert halves.sample(20, random_state=0) == whole.sample(20, random_state=0)


@over(COUNTERS)
def test_counters_can_begin_with_partial_fit(estimator, words, fit_once):
    model = clone(estimator)
    for start in range(0, len(words), 20):
        model.partial_fit(words[start : start + 20])
    assert answers(model, words) == answers(fit_once(estimator, words), words)


@over(COUNTERS)
def test_counters_add_weighted_words(estimator, words):
    weights = 1 + np.arange(len(words)) % 3
    halves = clone(estimator)
    halves.partial_fit(words[:40], sample_weight=weights[:40])
    halves.partial_fit(words[40:], sample_weight=weights[40:])
    whole = clone(estimator).fit(words, sample_weight=weights)
    assert answers(halves, words) == answers(whole, words)


def test_order_is_settled_by_the_first_words(words):
    model = clone(COUNTERS["kneser-ney-3"]).fit(words)
    before = model.score(words)
    with pytest.raises(ValueError, match="(?s)order.*3.*4.*fit"):
        model.set_params(order=4).partial_fit(words)
    assert model.score(words) == before


@over(NETS)
def test_partial_fit_of_a_net_is_one_more_epoch(estimator, words, fitted_copy):
    model = fitted_copy(estimator, words)
    history, before = list(model.history_), model.nll(words)
    model.partial_fit(words)
    assert len(model.history_) == len(history) + 1 == model.n_iter_
    assert model.history_[:-1] == history
    assert model.history_[-1]["epoch"] == len(history) + 1
    assert model.nll(words) != before


@over(NETS)
def test_partial_fit_of_a_new_net_is_its_first_epoch(estimator, words):
    model = clone(estimator).partial_fit(words)
    assert len(model.history_) == 1
    first = clone(estimator).set_params(max_epochs=1).fit(words)
    assert answers(model, words) == answers(first, words)


@over(NETS)
def test_epochs_one_by_one_learn(estimator, words):
    model = clone(estimator).partial_fit(words)
    first = model.nll(words)
    for _ in range(8):
        model.partial_fit(words)
    assert model.nll(words) < first - 0.05


@over(NETS)
def test_partial_fit_keeps_the_alphabet_of_a_net(estimator, words):
    model = clone(estimator).set_params(alphabet="abcdefghijklmnopqrstuvwxyz-é")
    model.fit(words).partial_fit(["zoé", "anne-marie"])
    assert np.isfinite(model.score(["é-"]))
    before = answers(model, words)
    with pytest.raises(ValueError, match="'ß'.*alphabet"):
        model.partial_fit(["anna", "straße"])
    assert answers(model, words) == before
