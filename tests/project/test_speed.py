"""The benchmarks' speed in small: a model that has become slow by a factor is seen.

docs/benchmarks/speed/speed.py measures the promises. Ratios here are generous, of the
best turn of several, since the machine may be busy. The baselines are checked as well:
they must compute what the models do.
"""

import sys
from collections import Counter
from functools import partial
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import chi2_contingency

from sklearn_makemore import BigramCounter, NGramCounter
from sklearn_makemore.datasets import load_names

# Coverage would slow the package down, and not what it is compared with.
pytestmark = pytest.mark.slow

BENCHMARKS = Path(__file__).parents[2] / "docs" / "benchmarks" / "speed"

sys.path.insert(0, str(BENCHMARKS))

counting = import_module("counting")
lecture_loops = import_module("lecture_loops")
numpy_limit = import_module("numpy_limit")
peers = import_module("peers")
sampling = import_module("sampling")
scoring = import_module("scoring")
script = import_module("script")
speed = import_module("speed")
timing = import_module("timing")
training = import_module("training")
Workload = import_module("workload").Workload

sys.path.remove(str(BENCHMARKS))

N_TURNS = 3


@pytest.fixture(scope="module")
def work():
    """Every twentieth of the package's own names, to learn from and to score."""
    names = load_names().data[::20]
    return Workload(names, names, names, is_quick=True)


def best_times(ours, *baselines, n_turns=N_TURNS, n_calls=1):
    """Return the least seconds of each; a busy machine only adds to them."""
    columns = timing.in_turns(ours, *baselines, n_turns=n_turns, n_calls=n_calls)
    return [min(column) for column in columns]


# How fast.


def test_bigram_fit_is_faster_than_loop_and_vectorizer():
    # Enough names that the checks of parameters, 0.3 ms, count little.
    names = load_names().data[::5]
    ours, loop, vectorizer = best_times(
        lambda: BigramCounter().fit(names),
        lambda: lecture_loops.count_bigrams(names),
        lambda: peers.count_vectorizer(names),
        n_calls=5,
    )
    assert loop / ours >= 50
    assert vectorizer / ours >= 4


def test_ngram_scoring_is_faster_than_nltk(work):
    words, some = work.names[:1000], work.names[:3]
    model, peer = NGramCounter(order=5).fit(words), peers.nltk_kneser_ney(words, 5)
    ours, theirs = best_times(
        lambda: model.score_samples(words), lambda: counting.peer_scores(peer, some)
    )
    assert (theirs / len(some)) / (ours / len(words)) >= 50


def test_a_step_costs_little_more_than_a_bare_one(work):
    words = work.names[:400]
    model = work.network(
        "MLPCharLM", n_hidden=100, optimizer="sgd", batch_size=32, max_epochs=3
    )
    n_steps = training.count_steps(lambda: model.fit(words))
    assert n_steps > 200
    X, Y = lecture_loops.build_dataset(words, model.block_size_)
    ours, loop = best_times(
        lambda: model.fit(words), training.bare_loops(model, X, Y, n_steps)
    )
    assert ours / loop <= 2


@pytest.mark.parametrize("name", ["TransformerCharLM", "GRUCharLM"])
def test_scoring_is_faster_than_padded_rows(work, name):
    model, words = work.fitted(name), work.names[:800]
    score = scoring.plain_scorer(model, work.longest, "cpu")
    ours, padded = best_times(lambda: model.score_samples(words), lambda: score(words))
    assert padded / ours >= 1


@pytest.mark.parametrize("name", ["TransformerCharLM", "GRUCharLM"])
def test_sampling_is_faster_than_without_a_cache(work, name):
    model = work.fitted(name)
    draw = sampling.plain_sampler(model, work.longest, work.generator())
    ours, loop = best_times(sampling.sampler(model, 300), lambda: draw(300))
    assert loop / ours >= 1


def test_an_epoch_is_faster_than_over_padded_rows(work):
    model = work.network("GRUCharLM", **training.EPOCH)
    n_steps = training.count_steps(lambda: model.fit(work.names))
    X, Y = script.pad(work.names, work.longest + 1)
    loop = training.padded_epoch(model, X, Y, round(len(work.names) / n_steps))
    ours, padded = best_times(lambda: model.fit(work.names), loop, n_turns=2)
    assert padded / ours >= 1


# What the baselines compute.


def test_padded_rows_hold_the_words():
    words = ["emma", "al", "christopher"]
    X, Y = script.pad(words, 12)
    assert X.shape == Y.shape == (3, 12)
    assert [script.up_to_the_end(row) for row in Y.tolist()] == words
    assert X[:, 0].tolist() == [0, 0, 0]
    is_inside = Y[:, :-1] > 0
    assert torch.equal(X[:, 1:][is_inside], Y[:, :-1][is_inside])
    assert (Y != script.NOTHING).sum(1).tolist() == [len(word) + 1 for word in words]


def test_lecture_1_counts_what_the_counter_counts(work):
    model = BigramCounter(alphabet=lecture_loops.CHARACTERS).fit(work.names)
    expected = lecture_loops.count_bigrams(work.names).numpy()
    np.testing.assert_array_equal(model.counts_, expected)


@pytest.mark.parametrize("name", ["GRUCharLM", "TransformerCharLM", "WaveNetCharLM"])
def test_plain_passes_score_as_the_model(work, name):
    model, words = work.fitted(name), work.names[:500]
    score = scoring.plain_scorer(model, work.longest, "cpu")
    scoring.check_scores(model, score, words)
    ready = scoring.ready_batches(model, words, work.longest, "cpu")
    torch.testing.assert_close(scoring.score_ready(model, ready), score(words))


def assert_alike(words, others):
    """Compare first letters, and lengths, of two samples by a chi-square test."""
    for feature in (lambda word: word[:1], lambda word: min(len(word), 9)):
        counts = [Counter(map(feature, sample)) for sample in (words, others)]
        kinds = [kind for kind, n in (counts[0] + counts[1]).items() if n >= 10]
        assert len(kinds) >= 5
        table = [[count[kind] for kind in kinds] for count in counts]
        assert chi2_contingency(table).pvalue > 1e-3


@pytest.mark.parametrize("name", ["GRUCharLM", "TransformerCharLM", "WaveNetCharLM"])
def test_loops_in_batches_draw_as_the_model(work, name):
    model = work.fitted(name)
    loops = sampling.samplers_in_batches(model, 2 * work.longest, work.generator())
    expected = model.sample(800, random_state=1)
    for draw in loops.values():
        drawn = draw(800)
        assert len(drawn) == 800
        assert_alike(drawn, expected)


@pytest.mark.parametrize("name", ["MLPCharLM", "WaveNetCharLM"])
def test_a_module_written_in_torch_is_the_same(work, name):
    model = work.fitted(name)
    module, generator = model.net_.module_, work.generator()
    ids = torch.randint(27, (500, model.block_size_), generator=generator)
    plain = sampling.as_written_in_torch(module)
    torch.testing.assert_close(plain(ids), module(ids), rtol=1e-4, atol=1e-4)


def test_loops_for_pairs_draw_as_the_counter(work):
    model = BigramCounter(alphabet=lecture_loops.CHARACTERS).fit(work.names)
    proba, expected = sampling.bigram_proba(model), model.sample(5000, random_state=0)
    rng = np.random.default_rng(0)
    drawn = numpy_limit.sample_bigram(proba, 20_000, rng)
    assert len(drawn) == 20_000
    assert_alike(drawn, expected)
    generator = torch.Generator().manual_seed(0)
    one_by_one = lecture_loops.sample_bigram(torch.from_numpy(proba), 2000, generator)
    assert_alike(one_by_one, expected)


def test_lecture_layers_draw_as_the_model(work):
    model = work.fitted("MLPCharLM")
    network = sampling.as_lecture(model, sampling.lecture_network(model))
    draw = sampling.lecture_sampler(network, model.block_size_, work.generator())
    assert_alike(draw(1000), model.sample(1000, random_state=2))


def test_nltk_scores_are_finite_log_probabilities():
    words = load_names().data[:100]
    peer = peers.nltk_kneser_ney(words, 3)
    scores = counting.peer_scores(peer, words[:5])
    assert all(-np.inf < score < 0 for score in scores)


# The table.


def test_a_promise_is_kept_by_the_median_of_the_ratios():
    assert timing.median_ratio([10, 30, 20], [5, 5, 1]) == 6
    in_seconds = partial(timing.times_faster, "fit", "s", [1, 2, 1], "loop", [5, 8, 9])
    assert (in_seconds().ratio, in_seconds().is_met) == (5, None)
    assert in_seconds(at_least=5).is_met
    assert not in_seconds(at_least=5.1).is_met
    assert not in_seconds(at_least=5, holds=False).is_met
    in_rates = timing.times_faster("draw", "names/s", [10.0], "loop", [2.0], at_least=5)
    assert (in_rates.ratio, in_rates.is_met) == (5, True)


def test_turns_alternate_after_warming_up():
    calls = []
    times = timing.in_turns(
        lambda: calls.append("ours"),
        lambda: calls.append("loop"),
        n_turns=2,
        n_calls=2,
    )
    assert calls == ["ours", "ours", "loop"] * 3
    assert [len(column) for column in times] == [2, 2]


@pytest.mark.parametrize("is_met", [True, False, None])
def test_exit_status_says_whether_promises_are_kept(
    is_met, work, monkeypatch, capsys, tmp_path
):
    figure = timing.Figure(
        "fit", "s", [1.0, 3.0, 2.0], "loop", [9.0], 1450.4, "much", is_met
    )
    monkeypatch.setattr(speed, "ROWS", {"one": lambda work: [figure]})
    monkeypatch.setattr(Workload, "read", lambda *args: work)
    path = tmp_path / "table.md"
    monkeypatch.setattr(sys, "argv", ["speed.py", "--markdown", str(path)])
    assert speed.main() is (is_met is False)
    printed = capsys.readouterr().out
    word = {True: "yes", False: "**no**", None: ""}[is_met]
    row = f"| fit | 2 s (1 to 3) | loop: 9 s | 1,450 | much | {word} |"
    assert printed.splitlines()[-1] == row
    assert path.read_text(encoding="utf-8") == printed


def test_a_peer_that_is_not_installed_is_a_row(work, monkeypatch):
    monkeypatch.setattr(peers, "find_spec", lambda peer: None)
    rows = [*counting.ngram_nltk(work), *counting.ngram_markovify(work)]
    assert [row.is_met for row in rows] == [None] * 4
    assert all(row.baseline_is.endswith("not installed") for row in rows)
