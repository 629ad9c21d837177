"""Benchmarks with several processes: a search with workers, and a fresh start."""

import subprocess
import sys
from importlib.util import find_spec
from statistics import median

from joblib import cpu_count, parallel_config
from sklearn.model_selection import GridSearchCV
from timing import Figure, in_turns, times_faster

BASE = "import sklearn.base"

BIGRAM = """
import sys
import sklearn_makemore
with open(sys.argv[1], encoding="utf-8") as lines:
    sklearn_makemore.BigramCounter().fit(lines.read().splitlines())
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
    """Time the import and a first fit, in addition to scikit-learn's own import."""
    ours, base = in_turns(
        lambda: run_python(BIGRAM, work.names_file),
        lambda: run_python(BASE),
        n_turns=work.either(7, 3),
    )
    beyond = [took - without for took, without in zip(ours, base, strict=True)]
    yield Figure(
        "import and BigramCounter().fit(names), beyond import sklearn.base",
        "s",
        beyond,
        "import sklearn.base",
        base,
        bound="less than 1",
        is_met=median(beyond) < 1,
    )


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
