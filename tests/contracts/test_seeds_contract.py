"""The contract every model keeps: seeds, other processes, and saved models."""

import json
import os
import pickle
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch
from estimators import CLASSES, COUNTERS, ESTIMATORS, NETS, over, plain_parameters
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold

import sklearn_makemore


def in_another_process(code, *arguments):
    """Run code in a fresh interpreter; return what it prints, read as JSON."""
    package = str(Path(sklearn_makemore.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": package, "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def rng_states():
    """Everything that tells of a use of the global generators."""
    numpy_state = np.random.get_state()
    return (
        numpy_state[1].tolist(),
        numpy_state[2:],
        torch.random.get_rng_state().tolist(),
    )


@over(ESTIMATORS)
def test_the_same_seed_draws_the_same_words(estimator, words, fit_once):
    model = fit_once(estimator, words)
    drawn = model.sample(20, random_state=3)
    assert model.sample(20, random_state=3) == drawn
    assert model.sample(20, random_state=np.random.RandomState(3)) == drawn
    assert model.sample(20, random_state=4) != drawn
    rng = np.random.RandomState(3)
    assert model.sample(20, random_state=rng) == drawn
    assert model.sample(20, random_state=rng) != drawn


@over(CLASSES)
def test_without_a_seed_draws_are_fresh(estimator, words, fit_once):
    model = fit_once(estimator, words)
    np.random.seed(0)
    drawn = model.sample(20)
    np.random.seed(0)
    assert model.sample(20) != drawn


@over(ESTIMATORS)
def test_global_generators_are_left_alone_without_a_seed(estimator, words):
    assert_generators_are_left_alone(estimator, words, None)


@over(CLASSES)
def test_global_generators_are_left_alone_with_a_seed(estimator, words):
    assert_generators_are_left_alone(estimator, words, 0)


def assert_generators_are_left_alone(estimator, words, seed):
    model = clone(estimator)
    if "random_state" in model.get_params():
        model.set_params(random_state=seed)
    before = rng_states()
    model.fit(words)
    assert rng_states() == before
    model.partial_fit(words)
    model.score(words)
    model.predict_proba(["", "a"])
    assert rng_states() == before
    model.sample(20, random_state=seed)
    model.sample(20, unique=True, exclude=words, random_state=seed)
    assert rng_states() == before


@over(NETS)
def test_seeds_of_the_net(estimator, words, fit_once):
    seeded = fit_once(estimator, words)
    other = clone(estimator).set_params(random_state=1).fit(words)
    fresh = clone(estimator).set_params(random_state=None)
    scores = [
        seeded.score(words),
        other.score(words),
        fresh.fit(words).score(words),
        fresh.fit(words).score(words),
    ]
    assert len(set(scores)) == 4
    generators = [
        clone(estimator).set_params(random_state=np.random.RandomState(5)).fit(words)
        for _ in range(2)
    ]
    assert generators[0].score(words) == generators[1].score(words)


@pytest.mark.parametrize("name", ["mlp", "wavenet", "gru", "transformer"])
def test_the_number_of_threads_is_of_no_account(name, words):
    model = clone(NETS[name])
    n_threads = torch.get_num_threads()
    results = []
    try:
        for n in (1, 2):
            torch.set_num_threads(n)
            model.fit(words)
            results.append((model.score(words), model.sample(9, random_state=0)))
            assert torch.get_num_threads() == n
    finally:
        torch.set_num_threads(n_threads)
    assert results[0] == results[1]


@over(ESTIMATORS)
def test_a_reloaded_model_is_the_same(
    estimator, words, fit_once, fitted_copy, tmp_path
):
    model = fitted_copy(estimator, words)
    joblib.dump(model, tmp_path / "model")
    asked = words + ["", "zzz"]
    for again in joblib.load(tmp_path / "model"), pickle.loads(pickle.dumps(model)):
        np.testing.assert_array_equal(
            again.score_samples(asked), model.score_samples(asked)
        )
        assert again.sample(20, random_state=0) == model.sample(20, random_state=0)
        assert set(vars(again)) == set(vars(model))
    # It can be trained further, and goes the same way.
    more = words[:50] + ["anna"] * 20
    np.testing.assert_array_equal(
        again.partial_fit(more).score_samples(asked),
        model.partial_fit(more).score_samples(asked),
    )
    assert again.fit(words).score(words) == fit_once(estimator, words).score(words)


@over(ESTIMATORS)
def test_an_unfitted_model_can_be_saved_too(estimator, words, fit_once):
    again = pickle.loads(pickle.dumps(clone(estimator)))
    assert plain_parameters(again) == plain_parameters(estimator)
    assert again.fit(words).score(words) == fit_once(estimator, words).score(words)


IN_ANOTHER_PROCESS = """
import json, sys
import joblib

fitted, unfitted, words = joblib.load(sys.argv[1])
with_torch = "torch" in sys.modules

def answers(models):
    return [
        [model.score_samples(words[:20]).tolist(), model.sample(20, random_state=0)]
        for model in models
    ]

loaded = answers(fitted)
for model in fitted:
    model.partial_fit(words)
anew = answers([model.fit(words) for model in unfitted])
print(json.dumps([with_torch, loaded, anew]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("group", ["counters", "nets"])
def test_another_process_loads_and_fits_the_same(group, words, fit_once, tmp_path):
    estimators = {"counters": COUNTERS, "nets": NETS}[group]
    models = [fit_once(estimator, words) for estimator in estimators.values()]
    unfitted = [clone(model) for model in models]
    joblib.dump((models, unfitted, words), tmp_path / "models.joblib")
    with_torch, loaded, anew = in_another_process(
        IN_ANOTHER_PROCESS, tmp_path / "models.joblib"
    )
    assert with_torch == (group == "nets")  # counters load without torch
    for answers in (loaded, anew):
        for model, (scores, drawn) in zip(models, answers, strict=True):
            assert model.sample(20, random_state=0) == drawn
            np.testing.assert_array_equal(scores, model.score_samples(words[:20]))


@over(CLASSES)
def test_a_file_of_another_version_is_loaded_with_a_warning(
    estimator, words, fit_once, monkeypatch
):
    model = fit_once(estimator, words)
    monkeypatch.setattr(sklearn_makemore, "__version__", "0.0.7")
    state = pickle.dumps(model)
    monkeypatch.undo()
    with pytest.warns(UserWarning, match=r"saved by sklearn_makemore\s+0\.0\.7"):
        again = pickle.loads(state)
    assert again.sample(5, random_state=0) == model.sample(5, random_state=0)


SEARCHES = {
    "bigram": {"smoothing": [0.1, 1.0]},
    "kneser-ney-3": {"order": [2, 4]},
    "mlp": {"n_hidden": [4, 8]},
    "wavenet": {"n_embd": [2, 4]},
    "gru": {"n_hidden": [4, 8]},
    "mixture": {"net__n_hidden": [4, 8], "validation_fraction": [0.3]},
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "backend", [pytest.param("loky", marks=pytest.mark.joblib), "threading"]
)
@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_by_two_workers_finds_the_same(name, backend, words):
    alphabet = "abcdefghijklmnopqrstuvwxyz"
    estimator = clone(ESTIMATORS[name]).set_params(alphabet=alphabet)
    folds = KFold(2, shuffle=True, random_state=0)
    # Processes are what conftest.py has set for all tests.
    threads = joblib.parallel_config(backend) if backend == "threading" else None
    with threads or nullcontext():
        one, two = (
            GridSearchCV(
                estimator, SEARCHES[name], cv=folds, n_jobs=n_jobs, error_score="raise"
            ).fit(words)
            for n_jobs in (1, 2)
        )
    assert one.best_params_ == two.best_params_
    for column in ("mean_test_score", "split0_test_score", "split1_test_score"):
        np.testing.assert_array_equal(one.cv_results_[column], two.cv_results_[column])
    assert one.best_score_ == two.best_score_


@over(COUNTERS)
def test_a_saved_counter_is_hardly_larger_than_its_counts(estimator, words):
    # What can be computed from counts and probabilities is not a part of the file.
    model = clone(estimator).fit(words * 3)
    size = len(pickle.dumps(model))
    counts = model.counts_ if hasattr(model, "counts_") else model.ngram_counts_
    assert size < 6 * len(pickle.dumps(counts)) + 2000
    model.sample(100, random_state=0)  # makes tables, which are not saved either
    assert len(pickle.dumps(model)) == size
