import copy
import gc
import io
import os
import random
import sys
from pathlib import Path

import pytest
from joblib import parallel_config

# Failed assertions of the helper modules show their values, as those of tests do.
pytest.register_assert_rewrite("sampling_oracles", "interrupts", "recorder")

# Tiny networks are slower on many threads. Workers of joblib inherit this, so that
# they round as this process does.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# The environment variable with the path of the list of the makemore lectures.
NAMES_VARIABLE = "SKLEARN_MAKEMORE_NAMES"

NAMES = """
emma olivia ava isabella sophia charlotte mia amelia harper evelyn abigail emily ella
elizabeth camila luna sofia avery mila aria scarlett penelope layla chloe victoria
madison eleanor grace nora riley zoey hannah hazel lily ellie violet lillian zoe stella
aurora natalie emilia everly leah aubrey willow addison lucy audrey bella nova
brooklyn paisley savannah claire skylar isla genesis naomi elena caroline eliana anna
maya valentina ruby kennedy ivy ariana aaliyah cora madelyn alice kinsley hailey
liam noah william james oliver benjamin elijah lucas mason logan alexander ethan jacob
michael daniel henry jackson sebastian aiden matthew samuel david joseph carter owen
wyatt john jack luke jayden dylan grayson levi isaac gabriel julian mateo anthony
jaxon lincoln joshua christopher andrew theodore caleb ryan asher nathan thomas leo
al bo cy ed jo ty vi
"""


# Each of their tests trains networks: 16 steps an epoch do, half of what is usual.
FOLDERS_OF_FEW_WORDS = {"contracts", "inspection", "networks", "training"}


@pytest.fixture(scope="session")
def many_words():
    """About 200 names of 2 to 11 letters; the first thirty come twice."""
    names = NAMES.split()
    return names + names[:30]


@pytest.fixture(scope="module")
def words(request, many_words):
    """The names, or seventy of them, with all letters but q; ten come twice."""
    if request.path.parent.name not in FOLDERS_OF_FEW_WORDS:
        return many_words
    few = many_words[:30] + many_words[-70:-30]
    return few + few[:10]


@pytest.fixture(scope="session")
def makemore_file():
    """Path of the list of the makemore lectures, which is not part of this project."""
    beside = Path(__file__).parents[2] / "shared" / "data" / "names.txt"
    path = Path(os.environ.get(NAMES_VARIABLE, beside))
    if not path.is_file():
        pytest.skip(
            f"this test needs the list of the makemore lectures, and {path} does not "
            f"exist: set {NAMES_VARIABLE} to the path of names.txt"
        )
    return path


@pytest.fixture(scope="session")
def makemore_names(makemore_file):
    """The words of the makemore lectures, in the order of their list."""
    return makemore_file.read_text(encoding="utf-8").splitlines()


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Keep Python from looking for garbage in what stays: half a million objects."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items):
    """Put tests with joblib's processes first, so that one worker of xdist has them.

    These processes take seconds to start. Coverage is measured of fast tests alone:
    tracing takes half as long as a test.
    """
    items.sort(key=lambda item: not item.get_closest_marker("joblib"))
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.no_cover)


def pytest_terminal_summary(terminalreporter):
    """Say at the end how many tests were skipped because the list is missing."""
    skipped = terminalreporter.stats.get("skipped", [])
    n_skipped = sum(NAMES_VARIABLE in str(report.longrepr) for report in skipped)
    if n_skipped:
        terminalreporter.write_line(
            f"{n_skipped} tests were skipped because the list of the makemore lectures "
            f"is missing. To run them, set {NAMES_VARIABLE} to the path of names.txt.",
            yellow=True,
        )


@pytest.fixture(scope="session")
def lecture_split(makemore_names):
    """Training, validation and test words as the lectures split them: 80/10/10."""
    shuffled = makemore_names.copy()
    random.Random(42).shuffle(shuffled)
    first, second = int(0.8 * len(shuffled)), int(0.9 * len(shuffled))
    return shuffled[:first], shuffled[first:second], shuffled[second:]


@pytest.fixture(scope="session", autouse=True)
def one_torch_thread():
    """Pin torch to one thread where it was loaded before this file."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def workers_that_stay():
    """Keep joblib's workers: one that leaves as work comes in can hang a search."""
    with parallel_config("loky", idle_worker_timeout=3600, initializer=keep_worker):
        yield


def keep_worker():
    """Let a worker of joblib grow: with psutil it leaves when it grew by 300 MB."""
    from joblib.externals.loky import process_executor

    process_executor._MAX_MEMORY_LEAK_SIZE = 1 << 60


@pytest.fixture(scope="session")
def counter_of_names():
    """An n-gram counter of all names of the package, which must not be changed."""
    from sklearn_makemore import NGramCounter
    from sklearn_makemore.datasets import load_names

    return NGramCounter().fit(load_names().data)


@pytest.fixture(scope="session")
def fit_once():
    """Return a function that fits a clone on words, once a session for the same.

    What it returns is shared between tests: it must not be changed.
    """
    from sklearn.base import clone

    fitted = {}

    def fit(estimator, words):
        key = id(estimator), tuple(words)
        if key not in fitted:
            # The estimator is kept too, so that its id stays its own.
            fitted[key] = estimator, clone(estimator).fit(words)
        return fitted[key][1]

    return fit


@pytest.fixture(scope="session")
def fitted_copy(fit_once):
    """Return a function like `fit_once` whose models may be changed."""
    return lambda estimator, words: copy.deepcopy(fit_once(estimator, words))


# The fixtures of tests/cli. A conftest.py of that folder would have the name of this
# module, and be imported first.


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """Return a function that runs a command in an empty folder, in this process.

    It returns the exit code, the lines printed and those of errors.
    """
    from sklearn_makemore import cli

    monkeypatch.chdir(tmp_path)

    def run(*arguments, stdin=b""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = cli.main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert "\x1b" not in out + err
        assert "Traceback" not in err
        return code, out.splitlines(), err.splitlines()

    return run


@pytest.fixture
def files(words, tmp_path):
    """A folder with a list of words, and a model fitted on them."""
    from sklearn_makemore import NGramCounter, save

    (tmp_path / "words.txt").write_text("\n".join(words), encoding="utf-8")
    save(NGramCounter(order=4).fit(words), tmp_path / "words.model")
    return tmp_path
