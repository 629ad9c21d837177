"""scikit-learn's callbacks on the models: progress, scores while fitting, stops."""

import pytest
from estimators import CLASSES, IN_ONE_STEP, NETS, adapted, over
from recorder import Recorder
from sklearn.base import clone
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.model_selection import GridSearchCV, KFold

from sklearn_makemore import BigramCounter, MixtureCharLM

ALPHABET = "abcdefghijklmnopqrstuvwxyz"


def log_likelihood(estimator, words, y=None):
    return estimator.score(words)


@over(NETS)
def test_every_epoch_is_a_task(estimator, words, fit_once):
    recorder = Recorder()
    model = clone(estimator).set_callbacks(recorder).fit(words)
    n_epochs = estimator.max_epochs
    assert recorder.tasks[0] == "setup" and recorder.tasks[-1] == "teardown"
    assert recorder.tasks[2:-2] == ["begin epoch", "end epoch"] * n_epochs
    assert recorder.tasks[1] == "begin fit" and recorder.tasks[-2] == "end fit"
    # Scoring and sampling while training do not change the training.
    expected = fit_once(estimator, words)
    assert model.score(words) == expected.score(words) == recorder.scores[-1]
    assert len(set(recorder.scores)) == n_epochs
    first = clone(estimator).set_callbacks(Recorder(stop_after=1)).fit(words)
    assert first.score(words) == recorder.scores[0]


@over(IN_ONE_STEP)
def test_the_whole_fit_is_a_task(estimator, words):
    recorder = Recorder()
    model = clone(estimator).set_callbacks(recorder).fit(words)
    assert recorder.tasks[0] == "setup"
    assert recorder.tasks[1] == "begin fit"
    assert recorder.tasks[-2:] == ["end fit", "teardown"]
    assert recorder.scores[-1] == model.score(words)


@over(adapted(NETS, batch_size=None))
@pytest.mark.parametrize("warm_start", [False, True])
def test_a_callback_stops_the_training(estimator, warm_start, words):
    model = clone(estimator).set_params(warm_start=warm_start)
    model.set_callbacks(Recorder(stop_after=1)).fit(words)
    assert len(model.history_) == model.n_iter_ == 1
    assert model.__sklearn_is_fitted__()
    if warm_start:
        model.set_callbacks(Recorder(stop_after=1)).fit(words)
        assert len(model.history_) == 2
    # The stop was for those calls: without the callback all epochs are done.
    model.set_callbacks().set_params(warm_start=False).fit(words)
    assert len(model.history_) == estimator.max_epochs


def test_an_error_in_a_callback_is_an_error_of_fit(words):
    recorder = Recorder(raises=2)
    model = clone(NETS["mlp"]).set_callbacks(recorder)
    with pytest.raises(RuntimeError, match="the callback is broken"):
        model.fit(words)
    assert recorder.tasks[-1] == "teardown"
    assert not model.__sklearn_is_fitted__()


@over(NETS)
def test_scoring_monitor_on_a_net(estimator, words, fit_once):
    monitor = ScoringMonitor(scoring={"log_likelihood": log_likelihood})
    model = clone(estimator).set_callbacks(monitor).fit(words)
    rows = monitor.get_logs().data
    scores = [row["log_likelihood"] for row in rows if row["task_name"] == "epoch"]
    assert len(scores) == estimator.max_epochs
    assert scores[-1] == model.score(words) == fit_once(estimator, words).score(words)
    assert scores[-1] > scores[0]


@over(IN_ONE_STEP)
def test_scoring_monitor_sees_the_model_at_the_end(estimator, words):
    monitor = ScoringMonitor(scoring={"log_likelihood": log_likelihood})
    model = clone(estimator).set_callbacks(monitor).fit(words)
    (whole,) = (row for row in monitor.get_logs().data if row["task_name"] == "fit")
    assert whole["log_likelihood"] == model.score(words)


@pytest.mark.parametrize(
    "n_jobs", [1, pytest.param(2, marks=[pytest.mark.slow, pytest.mark.joblib])]
)
def test_scoring_monitor_inside_a_search(n_jobs, words):
    monitor = ScoringMonitor(scoring={"log_likelihood": log_likelihood})
    model = clone(NETS["mlp"]).set_params(alphabet=ALPHABET)
    model.set_callbacks(monitor)
    search = GridSearchCV(
        model,
        {"n_hidden": [4, 6]},
        cv=KFold(2, shuffle=True, random_state=0),
        n_jobs=n_jobs,
        error_score="raise",
    ).fit(words)
    rows = monitor.get_logs().data
    scores = [row["log_likelihood"] for row in rows if row["task_name"] == "epoch"]
    assert len(scores) == 2 * (2 * 2 + 1)  # epochs, candidates, folds, the refit
    assert search.best_estimator_.score(words) in scores


@pytest.mark.joblib
@pytest.mark.slow
def test_scoring_monitor_of_a_member_in_another_process(words):
    monitor = ScoringMonitor(scoring={"log_likelihood": log_likelihood})
    net = clone(NETS["mlp"]).set_callbacks(monitor)
    members = [("net", net), BigramCounter()]
    model = MixtureCharLM(members, refit=True, n_jobs=2, random_state=0).fit(words)
    rows = monitor.get_logs().data
    scores = [row["log_likelihood"] for row in rows if row["task_name"] == "epoch"]
    assert len(scores) == 4
    assert model.named_estimators_.net.score(words) in scores


@over(IN_ONE_STEP)
def test_progress_bar_around_a_search(estimator, words, capsys):
    pytest.importorskip("rich", reason="the progress bar draws with rich")
    model = clone(estimator).set_params(alphabet=ALPHABET)
    folds = KFold(2, shuffle=True, random_state=0)
    search = GridSearchCV(
        model, {"alphabet": [ALPHABET]}, cv=folds, error_score="raise"
    )
    search.set_callbacks(ProgressBar(max_propagation_depth=None)).fit(words)
    shown = capsys.readouterr().out
    assert "GridSearchCV" in shown
    assert type(estimator).__name__ in shown
    assert "100%" in shown
    assert search.best_estimator_.score(words) == clone(model).fit(words).score(words)


@pytest.mark.joblib
@pytest.mark.slow
@pytest.mark.parametrize("name", ["bigram", "mlp"])
def test_callbacks_in_two_processes(name, words, capsys):
    model = clone(CLASSES[name]).set_params(alphabet=ALPHABET)
    folds = KFold(2, shuffle=True, random_state=0)
    searches = [
        GridSearchCV(model, {}, cv=folds, n_jobs=2, error_score="raise")
        for _ in range(2)
    ]
    searches[0].set_callbacks(ProgressBar())
    plain, shown = (search.fit(words).best_score_ for search in searches[::-1])
    assert plain == shown
    assert "GridSearchCV" in capsys.readouterr().out
