"""What the processes of test_processes.py do, started by torchrun: one task a word."""

import json
import os
import pickle
import signal
import socket
import sys
import warnings
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import torch._dynamo  # noqa: F401  # optimizers import it; forked processes share it
from accelerate import PartialState
from estimators import CLASSES, NETS
from joblib import parallel_config
from sklearn.base import clone
from sklearn.callback import FitCallback
from sklearn.model_selection import GridSearchCV

from sklearn_makemore import GRUCharLM, MLPCharLM, save
from sklearn_makemore.datasets import load_names

WORDS = load_names().data[:40]
ALPHABET = "".join(sorted(set("".join(WORDS))))
EACH_NET = {name: net for name, net in NETS.items() if name in CLASSES}
RANK = int(os.environ.get("RANK", 0))


def without_dropout(estimator):
    """Without what is not the same, and at a rate that does not magnify rounding."""
    names = {"dropout", "recurrent_dropout"} & set(estimator.get_params())
    params = dict.fromkeys(names, 0.0)
    params |= {"lr": 0.02, "validation_fraction": 0.2}
    params |= {"max_epochs": 2, "batch_size": 256}
    return clone(estimator).set_params(**params)


def losses(model):
    return [[row["train_loss"], row["valid_loss"]] for row in model.history_]


def weights(model):
    state = model.net_.module_.state_dict()
    return {name: tensor.tolist() for name, tensor in state.items()}


def error_of(model, words=WORDS, verb="fit"):
    try:
        getattr(model, verb)(words)
    except (ValueError, RuntimeError) as error:
        return type(error).__name__, str(error)


class StopsHere(FitCallback):
    """A callback of scikit-learn that ends the training in one process."""

    def on_fit_task_end(self, estimator, context):
        return RANK == 1 and context.task_name == "epoch"


def curves(folder):
    """Train every network, and networks whose training is decided by chance."""
    weight = [1.0 + index % 3 for index in range(len(WORDS))]
    found = {}
    for name, estimator in EACH_NET.items():
        model = without_dropout(estimator).set_params(accelerate=True)
        found[name] = losses(model.fit(WORDS, sample_weight=weight))
    by_chance = MLPCharLM(max_epochs=50, early_stopping=True, dropout=0.3)
    by_chance.set_params(accelerate=True, lr=0.1, match_lengths=True).fit(WORDS)
    assert by_chance.n_iter_ < 50
    scores = by_chance.score_samples(WORDS).tolist()
    found["early stop"] = by_chance.n_iter_, weights(by_chance), scores
    stopped = without_dropout(NETS["gru"]).set_params(accelerate=True, max_epochs=9)
    found["stop"] = stopped.set_callbacks(StopsHere()).fit(WORDS).n_iter_
    more = stopped.set_callbacks().partial_fit(WORDS[:30])
    found["more"] = more.n_iter_, weights(more)
    with redirect_stdout(StringIO()) as printed:
        more.set_params(verbose=1).partial_fit(WORDS[:30])
    found["printed"] = printed.getvalue()
    return found


def begun(model):
    """Return a model that has learned something else in each process."""
    model.set_params(accelerate=False, alphabet=ALPHABET)
    return model.partial_fit(WORDS[: 10 + RANK]).set_params(accelerate=True)


def mistakes(folder):
    """Collect the errors, and train once more after all but the last."""
    small = MLPCharLM(n_hidden=4, max_epochs=1, accelerate=True, random_state=0)
    found = {
        "other words": error_of(clone(small), WORDS[RANK:]),
        "other parameters": error_of(clone(small).set_params(max_epochs=1 + RANK)),
        "diverged": error_of(clone(small).set_params(optimizer="sgd", lr=1e30)),
        "few rows": error_of(clone(small).set_params(batch_size=1), ["a"]),
        "device": error_of(clone(small).set_params(device="mps")),
        "other start": error_of(begun(clone(small)), verb="partial_fit"),
    }
    found["after them"] = weights(small.fit(WORDS))
    search = GridSearchCV(small, {"lr": [0.1, 0.2]}, n_jobs=2, error_score="raise")
    with parallel_config("threading"):  # joblib's processes stay for minutes
        found["n_jobs"] = error_of(search)
    return found


def trained(folder, **params):
    """Train with a checkpoint and dropout, and save one model."""
    model = GRUCharLM(n_embd=4, n_hidden=8, dropout=0.2, max_epochs=6, random_state=0)
    model.set_params(accelerate=True, checkpoint=folder / "state", **params)
    return model


def whole(folder):
    """Train to the end."""
    model = trained(folder).fit(WORDS)
    if RANK == 0:
        save(model, folder / "model.safetensors")
        (folder / "model.pickle").write_bytes(pickle.dumps(model))
    return weights(model)


class DiesAtThree(StopsHere):
    """A callback that kills the second process when the third epoch ends."""

    n_epochs = 0

    def on_fit_task_end(self, estimator, context):
        self.n_epochs += context.task_name == "epoch"
        if RANK == 1 and self.n_epochs == 3:
            os.kill(os.getpid(), signal.SIGKILL)


def killed(folder):
    """Train, and die."""
    trained(folder).set_callbacks(DiesAtThree()).fit(WORDS)


def endless(folder):
    """Train until someone interrupts."""
    (folder / f"pid{RANK}").write_text(str(os.getpid()))
    model = trained(folder, max_epochs=100_000, lr_schedule="constant")
    model.set_params(checkpoint=folder / "endless-state")
    try:
        model.fit(WORDS)
    finally:
        (folder / f"fitted{RANK}").write_text(str(model.__sklearn_is_fitted__()))


class GivesUp(StopsHere):
    """A callback that is broken in one process."""

    def on_fit_task_end(self, estimator, context):
        if RANK == 1:
            raise RuntimeError("the callback is broken")


def apart(folder):
    """Use accelerate before the training, in a way that joins no processes."""
    n_launched = os.environ.pop("WORLD_SIZE")  # by which accelerate 1.13 would join
    PartialState()
    os.environ["WORLD_SIZE"] = n_launched
    return error_of(MLPCharLM(accelerate=True))


def parted(folder):
    """Fail in one process, which lives on, and try again."""
    broken = MLPCharLM(accelerate=True, max_epochs=50).set_callbacks(GivesUp())
    found = {"first": error_of(broken)}
    found["second"] = error_of(broken)
    return found


def address():
    """Return what torchrun sets for processes to find one another."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    return {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}


def forked(folder, environments, *tasks):
    """Do tasks in forked processes; the first that fails ends the others, as torchrun.

    They share the imports of this process, which take seconds. Returns exit codes.
    """
    global RANK
    pids = {}
    for RANK, environment in enumerate(environments):
        pid = os.fork()
        if pid == 0:
            os.environ.update(environment, WORLD_SIZE="2", RANK=str(RANK))
            try:
                main(folder, *tasks)
                os._exit(0)
            finally:
                os._exit(1)
        pids[pid] = RANK
    codes = {}
    while len(codes) < len(pids):
        pid, status = os.wait()
        codes[pid] = os.waitstatus_to_exitcode(status)
        if codes[pid]:
            for other in pids.keys() - codes.keys():
                os.kill(other, signal.SIGTERM)
    return [codes[pid] for pid in pids]


def deaths(folder):
    """Training that is killed, what is trained after it, and one process alone."""

    def both(*tasks):
        joined = address()
        return forked(folder, [{**joined, "LOCAL_RANK": rank} for rank in "01"], *tasks)

    return {
        "killed": both("killed"),
        "left": sorted(path.name for path in Path(folder).iterdir()),
        "after": both("whole", "parted"),
        "alone": forked(folder, [{}], "apart"),
    }


def main(folder, *tasks):
    """Do some tasks, and write what each found."""
    warnings.simplefilter("error")
    for task in tasks:
        found = globals()[task](Path(folder))
        (Path(folder) / f"{task}{RANK}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
