"""Searching and counting on two processes of dask: the same, also if one is killed."""

import gzip
import logging
import multiprocessing
import os
import random
import signal
import sys

import dask
import numpy as np
import pyarrow as pa
import pytest
from any_words import WORDS, search
from counter_state import ANY_COUNTER, state
from distributed import Client, LocalCluster
from distributed.utils import get_mp_context
from hypothesis import given
from hypothesis import strategies as st
from joblib import parallel_config
from pyarrow import parquet
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import Pipeline

from sklearn_makemore import BigramCounter, MLPCharLM, NGramCounter
from sklearn_makemore.datasets import load_names
from sklearn_makemore.distributed import fit_counter

# Dask before 2025.7 warns of its own scheduler where there is a cluster.
beside_a_cluster = pytest.mark.filterwarnings("ignore:Running on a single-machine")


@pytest.fixture(scope="module")
def start_method():
    """Fork the processes from one that has imported what they need, in seconds."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        yield  # Windows
        return
    with dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"}):
        # After distributed's own call, of which there is one.
        get_mp_context().set_forkserver_preload(
            ["distributed", "pandas", "torch._dynamo", "sklearn_makemore._networks.mlp"]
        )
        yield


@pytest.fixture(scope="module")
def cluster(start_method, tmp_path_factory):
    """Two processes of dask, and this one's connection to them."""
    with (
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",  # another may have the usual port
            silence_logs=logging.CRITICAL,
            local_directory=tmp_path_factory.mktemp("dask"),
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


@pytest.fixture
def workers(cluster):
    """The same, when the worker that an earlier test has killed is back."""
    cluster.wait_for_workers(2, timeout=60)
    return cluster


def deadly(base, marker, is_time):
    """Return a class whose fit, at some time, once kills the process that it is in."""
    survivor = os.getpid()

    def kill_once():
        assert os.getpid() != survivor, "the work is not done by the workers"
        try:
            marker.touch(exist_ok=False)
        except FileExistsError:
            return
        os.kill(os.getpid(), signal.SIGKILL)

    # Not importable, so that it is sent by value, and its method with it.
    class Deadly(base):
        def _count(self, data):
            if is_time(self, data.encoded):
                kill_once()
            return super()._count(data)

    return Deadly


# -------------------------------------------------------------------------- search

NET = MLPCharLM(block_size=3, n_embd=4, n_hidden=16, max_epochs=1, random_state=0)
FOLDS = KFold(3, shuffle=True, random_state=0)


def searched(words, cv=FOLDS, counter=NGramCounter, rates=(0.01, 0.03)):
    """A search over counters and networks."""
    models = [{"model": [counter()], "model__order": [2, 4, 6]}]
    models += [{"model": [NET], "model__lr": [rate]} for rate in rates]
    search = GridSearchCV(Pipeline([("model", counter())]), models, cv=cv)
    return search.fit(words)


def scores(search):
    return {
        name: values.tolist()
        for name, values in search.cv_results_.items()
        if name.endswith("_score")
    }


@pytest.fixture(scope="module")
def some_names():
    return load_names().data[::40]


@pytest.mark.slow
def test_a_search_loses_nothing_when_a_worker_is_killed(workers, some_names, tmp_path):
    marker = tmp_path / "killed"
    counter = deadly(NGramCounter, marker, lambda self, _: self.order == 4)
    # Lists are sent with every task; an array is kept by one worker, and lost with it.
    folds = [(train.tolist(), test.tolist()) for train, test in FOLDS.split(some_names)]
    with parallel_config(backend="dask"):
        search = searched(some_names, folds, counter, rates=())
    assert marker.exists()
    assert scores(search) == scores(searched(some_names, rates=()))


# ------------------------------------------------------------------------- counting


@pytest.fixture(scope="module")
def names():
    names = load_names().data
    random.Random(0).shuffle(names)
    return names


@pytest.fixture(scope="module")
def shards(names, tmp_path_factory):
    """Text, text for Windows, nothing, gzip and Parquet; other letters in each."""
    folder = tmp_path_factory.mktemp("shards")
    parts = [[*names[start::4], "äöüß"[start]] for start in range(4)]
    paths = [folder / name for name in ("1.txt", "2.txt", "0", "3.gz", "4.parquet")]
    paths[0].write_text("\n".join(parts[0]), encoding="utf-8", newline="\n")
    paths[1].write_text("\n".join(parts[1]), encoding="utf-8-sig", newline="\r\n")
    paths[2].touch()
    paths[3].write_bytes(gzip.compress("\n".join(parts[2]).encode(), 1))
    parquet.write_table(
        pa.table({"n": range(len(parts[3])), "word": parts[3]}), paths[4]
    )
    return paths, sum(parts, [])


SMALL = {"chunk_size": 1000, "part_size": 20_000}


@pytest.mark.slow
@pytest.mark.parametrize("counter", [BigramCounter(), NGramCounter()], ids=str)
def test_counting_on_dask_is_a_local_fit(counter, workers, shards):
    paths, words = shards
    model = clone(counter).fit(["forgotten"])
    assert fit_counter(model, paths, **SMALL) is model
    assert state(model) == state(clone(counter).fit(words))


@pytest.mark.slow
def test_counting_loses_nothing_when_a_worker_is_killed(workers, shards, tmp_path):
    paths, words = shards
    marker = tmp_path / "killed"
    # The last part of the second file: some parts are counted by then.
    kind = deadly(NGramCounter, marker, lambda _, encoded: encoded.n_words % 1000 > 1)
    model = fit_counter(kind(), paths, **SMALL)
    assert marker.exists()
    assert state(model) == state(NGramCounter().fit(words))


@pytest.mark.slow
def test_the_error_of_a_worker_names_the_file(workers, shards, tmp_path):
    paths, _ = shards
    broken = tmp_path / "broken.txt"
    broken.write_bytes(b"emma\n" * 20_000 + b"\xff\n" + b"ava\n" * 20_000)
    before = state(model := BigramCounter().fit(["ava"]))
    with pytest.raises(ValueError, match=r"broken\.txt' has the byte 0xff.*after byte"):
        fit_counter(model, [*paths, broken], **SMALL)
    with pytest.raises(FileNotFoundError, match=r"none\.gz"):
        fit_counter(model, [*paths, tmp_path / "none.gz"])
    with pytest.raises(ValueError, match=r"2\.txt': Word .*'ö'.*alphabet"):
        fit_counter(BigramCounter(alphabet="abcdefghijklmnopqrstuvwxyzä"), paths[1])
    assert state(model) == before


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("counted")


@pytest.mark.slow
@beside_a_cluster
@given(
    ANY_COUNTER, st.lists(WORDS, min_size=1, max_size=6), st.integers(1, 9), st.data()
)
@search(30)
def test_files_cut_anywhere_are_one_list(folder, counter, lists, size, data):
    lists = [
        ["".join(word.split()).replace("\0", "").lstrip("\ufeff") for word in words]
        for words in lists
    ]
    lists[0][0] = "ab"
    files = [folder / f"{index}.txt" for index in range(len(lists))]
    for path, words in zip(files, lists, strict=True):
        path.write_text("\n".join(words), encoding="utf-8")
    part_size = data.draw(st.integers(1, 40))
    options = {"chunk_size": size, "part_size": part_size, "format": "lines"}
    with dask.config.set(scheduler="synchronous"):
        model = fit_counter(clone(counter), files, **options)
    words = [word for word in sum(lists, []) if word]
    assert state(model) == state(clone(counter).fit(words))


@beside_a_cluster
def test_tables_are_counted_with_weights(tmp_path, words):
    weights = [index % 4 for index in range(len(words))]
    rows = [f"{word};{n}" for word, n in zip(words, weights, strict=True)]
    paths = [tmp_path / "1.csv", tmp_path / "2.csv"]
    for path, part in zip(paths, (rows[:100], rows[100:]), strict=True):
        path.write_text("\n".join(["né;n", *part, "é;1"]), encoding="cp1252")
    options = {"chunk_size": 1, "weight_column": "n", "encoding": "cp1252"}
    with dask.config.set(scheduler="synchronous"):
        model = fit_counter(NGramCounter(), paths, column="né", **options)
    expected = NGramCounter().fit([*words, "é"], sample_weight=[*weights, 2])
    assert state(model) == state(expected)
    with pytest.raises(TypeError, match="label_column"):
        fit_counter(NGramCounter(), paths, column=0, label_column=1)


@beside_a_cluster
def test_workers_know_no_probabilities(folder, names, monkeypatch):
    path = folder / "names.txt"
    path.write_text("\n".join(names))
    counted, smooth = NGramCounter._count_words, NGramCounter._fitted_attributes
    times = []

    def counted_unfitted(self, words):
        assert not self.__sklearn_is_fitted__()
        return counted(self, words)

    def smooth_once(self, counts):
        times.append(1)
        return smooth(self, counts)

    model = NGramCounter().fit(["emma"])
    monkeypatch.setattr(NGramCounter, "_count_words", counted_unfitted)
    monkeypatch.setattr(NGramCounter, "_fitted_attributes", smooth_once)
    with dask.config.set(scheduler="synchronous"):  # here, where they are patched
        fit_counter(model, str(path), **SMALL)
    assert len(times) == 1


def test_files_without_words_are_refused(tmp_path):
    (tmp_path / "1.txt").write_text("\n \n")
    (tmp_path / "2.txt").touch()
    with pytest.raises(ValueError, match="The files have no words"):
        fit_counter(BigramCounter(), [tmp_path / "1.txt", tmp_path / "2.txt"])
    with pytest.raises(ValueError, match="`files` is empty"):
        fit_counter(BigramCounter(), [])
    with pytest.raises(ValueError, match="'counter' parameter of fit_counter must be"):
        fit_counter(NET, tmp_path / "1.txt")
    with pytest.raises(ValueError, match="'smoothing' parameter of"):
        fit_counter(BigramCounter(-1), tmp_path / "1.txt")


def test_without_dask_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "dask", None)
    with pytest.raises(ImportError, match=r'pip install "sklearn-makemore\[dist'):
        fit_counter(BigramCounter(), "words.txt")


# ------------------------------------------------------------ search with networks


@pytest.mark.slow
def test_a_search_on_dask_is_the_local_one(workers, some_names):
    with parallel_config(backend="dask"):
        search = searched(np.array(some_names))
    local = searched(some_names)
    assert scores(search) == scores(local)
    assert search.best_score_ == local.best_score_
    assert state(search.best_estimator_["model"]) == state(
        local.best_estimator_["model"]
    )
