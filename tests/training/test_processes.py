"""Networks trained by two processes: the training of one, and one end for both."""

import json
import os
import pickle
import signal
import sys
import time
from pathlib import Path
from subprocess import PIPE, STDOUT

import numpy as np
import pytest
from children import child_process, run_child
from joined import EACH_NET, WORDS, losses, weights, without_dropout

from sklearn_makemore import load

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
SCRIPT = str(HERE / "joined.py")
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": os.pathsep.join(sys.path),
    "OMP_NUM_THREADS": "1",
    # What `accelerate launch` sets when it is asked for it; a step is one batch.
    "ACCELERATE_GRADIENT_ACCUMULATION_STEPS": "3",
}
WEIGHTS = [1.0 + index % 3 for index in range(len(WORDS))]


def launched(folder, *tasks):
    """Start torchrun with two processes of joined.py, which end with the block."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2"]
    return child_process(
        [*command, SCRIPT, str(folder), *tasks],
        stdout=PIPE,
        stderr=STDOUT,
        text=True,
        env=ENVIRONMENT,
    )


def found(folder, task):
    return [json.loads((folder / f"{task}{rank}.json").read_text()) for rank in (0, 1)]


def test_two_processes_train_as_one(tmp_path):
    # One launch serves all these checks: two processes take seconds to start.
    tasks = "curves", "mistakes", "whole"
    check_interrupt(tmp_path, *tasks)
    curves, mistakes, whole = (found(tmp_path, task) for task in tasks)
    check_losses(curves)
    check_agreement(curves)
    check_mistakes(mistakes)
    check_model(tmp_path, whole)

    # What follows takes processes that are forked, which start in no time.
    state = tmp_path / "killed"
    state.mkdir()
    command = [sys.executable, SCRIPT, str(state), "deaths"]
    done = run_child(command, stdout=PIPE, stderr=STDOUT, text=True, env=ENVIRONMENT)
    assert done.returncode == 0, done.stdout
    deaths = json.loads((state / "deaths0.json").read_text())
    assert deaths["killed"][1] == -signal.SIGKILL and deaths["killed"][0] != 0
    assert deaths["left"] == ["state"]
    assert deaths["after"] == [0, 0] and deaths["alone"] == [0], done.stdout
    assert found(state, "whole") == whole  # dropout too
    check_parted(found(state, "parted"))
    check_alone(json.loads((state / "apart0.json").read_text()))


def check_interrupt(folder, *tasks):
    """Run tasks, then interrupt an endless training: all processes end, none fitted."""
    with launched(folder, *tasks, "endless") as process:
        is_begun = (folder / "endless-state").exists
        wait_until(lambda: is_begun() or process.poll() is not None)
        os.killpg(process.pid, signal.SIGINT)  # what Ctrl-C does in a terminal
        output, _ = process.communicate(timeout=300)
    assert process.returncode != 0, output
    for rank in (0, 1):
        assert (folder / f"pid{rank}").exists(), output
        pid = int((folder / f"pid{rank}").read_text())
        wait_until(lambda pid=pid: not is_alive(pid))
        assert (folder / f"fitted{rank}").read_text() == "False"


def check_losses(curves):
    """Losses are those of one process with the same batches, for every network."""
    for name, estimator in EACH_NET.items():
        alone = without_dropout(estimator).fit(WORDS, sample_weight=WEIGHTS)
        np.testing.assert_allclose(
            curves[0][name], losses(alone), rtol=0, atol=1e-4, err_msg=name
        )
        assert curves[0][name] == curves[1][name], name


def check_agreement(curves):
    """The processes agree on what is random and on the end."""
    for what in "early stop", "more":
        assert curves[0][what] == curves[1][what]
    # A callback of the second process alone has stopped both.
    assert [curve["stop"] for curve in curves] == [1, 1]
    assert [curve["more"][0] for curve in curves] == [2, 2]
    # One of them tells of the epochs.
    assert "train_loss" in curves[0]["printed"] and not curves[1]["printed"]


def check_mistakes(mistakes):
    """Mistakes are errors in all processes."""
    assert mistakes[0] == mistakes[1]
    errors = mistakes[0]
    expected = {
        "other words": "process 1 has another: it has other words",
        "other parameters": "process 1 has another: it has max_epochs=2, not 1",
        "diverged": "Training diverged",
        "few rows": "cannot be shared by 2 processes: use a larger batch_size",
        "device": "with accelerate=True use device='auto' or 'cpu'",
        "other start": "process 1 has another: it started from other weights",
        "n_jobs": "use n_jobs=None, or accelerate=False",
    }
    for what, message in expected.items():
        kind, text = errors[what]
        assert kind.endswith("Error") and message in text, what


def check_model(folder, whole):
    """The model is a plain one."""
    model = load(folder / "model.safetensors")
    pickled = pickle.loads((folder / "model.pickle").read_bytes())
    assert weights(model) == weights(pickled) == whole[0] == whole[1]
    assert not (folder / "state").exists()  # the checkpoint
    assert len(model.sample(5, random_state=0)) == 5


def check_parted(parted):
    """Where a process gives up and lives on, it takes no part any more."""
    assert [first["first"][0] for first in parted] == ["RuntimeError"] * 2
    assert parted[1]["first"][1] == "the callback is broken"
    assert all("start them again" in one["second"][1] for one in parted)


def check_alone(error):
    """Processes that would train apart are told. The other one need not be there."""
    kind, message = error
    assert kind == "RuntimeError"
    assert "has started 2 processes, and accelerate trains in 1" in message


def wait_until(is_so, seconds=120):
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.05)


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
