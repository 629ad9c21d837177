"""Benchmarks with several processes: a search with workers, and a fresh start."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from joblib import cpu_count, parallel_config
from sklearn.model_selection import GridSearchCV
from timing import Figure, in_turns, median_ratio, times_faster

from sklearn_makemore import save

BASE = "import sklearn.base"

BIGRAM = """
import sys
import sklearn_makemore
with open(sys.argv[1], encoding="utf-8") as lines:
    sklearn_makemore.BigramCounter().fit(lines.read().splitlines())
"""

BASE_OF_NETWORKS = "import torch, sklearn.base"

LOADED = "MLPCharLM", "LSTMCharLM", "TransformerCharLM", "WaveNetCharLM"
"""Networks that a fresh process loads."""

SAMPLE = """
import sys
import sklearn_makemore
sklearn_makemore.load(sys.argv[1]).sample(100, random_state=0)
"""

TORCH_MODULES = """
print(sum(name.partition(".")[0] == "torch" for name in sys.modules))
"""


def search(work):
    """Time a grid search on one and on two workers."""
    words = work.train[: work.either(None, 8000)]
    model = work.network("MLPCharLM", max_epochs=work.either(2, 1))
    grid = {"lr": [0.004, 0.008, 0.016, 0.032], "n_hidden": [128, 256]}

    def fit(n_jobs, words=words):
        return GridSearchCV(model, grid, cv=3, n_jobs=n_jobs, refit=False).fit(words)

    # Keep idle workers alive, since restarting them takes time.
    with parallel_config("loky", idle_worker_timeout=3600):
        fit(1, words[:200]), fit(2, words[:200])
        ours, alone = in_turns(
            lambda: fit(2),
            lambda: fit(1),
            n_turns=work.either(3, 1),
            is_warm=True,
        )
    # Without psutil, joblib's workers collect garbage every second, which is slow with
    # torch in memory.
    with_psutil = "with" if find_spec("psutil") else "without"
    yield times_faster(
        f"GridSearchCV: 8 candidates of MLPCharLM, 3 folds, n_jobs=2, {with_psutil} "
        "psutil",
        "s",
        ours,
        "n_jobs=1",
        alone,
        at_least=1.7 if cpu_count() > 1 else None,
    )


def run_python(code, *arguments):
    """Run code in a fresh process, and return its output."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def start(work):
    """Time the import and a first fit next to scikit-learn's own import."""
    ours, base = in_turns(
        lambda: run_python(BIGRAM, work.names_file),
        lambda: run_python(BASE),
        n_turns=work.either(7, 3),
    )
    what = "a fresh process imports the package and fits BigramCounter() on the names"
    yield at_most(1.25, what, ours, BASE, base)


def loaded(work):
    """Time fresh processes that load a network and sample from it."""
    with TemporaryDirectory() as folder:
        for name in LOADED:
            path = Path(folder, name)
            save(work.network(name, max_epochs=1).fit(work.train[:2000]), path)
            ours, base = in_turns(
                lambda path=path: run_python(SAMPLE, path),
                lambda: run_python(BASE_OF_NETWORKS),
                n_turns=work.either(15, 3),
            )
            what = f"a fresh process loads {name} and samples 100 words"
            yield at_most(1.15, what, ours, BASE_OF_NETWORKS, base)


def at_most(limit, what, ours, baseline_is, baseline):
    """Return the row of a process that may take `limit` times as long as another."""
    ratio = median_ratio(ours, baseline)
    bound = f"at most {limit:g} times the import"
    return Figure(what, "s", ours, baseline_is, baseline, ratio, bound, ratio <= limit)


def torch_imports(work):
    """Count the torch modules that counting imports."""
    n_modules = int(run_python(BIGRAM + TORCH_MODULES, work.names_file))
    yield Figure(
        "modules of torch after import and BigramCounter().fit",
        "modules",
        [n_modules],
        bound="none",
        is_met=n_modules == 0,
    )
