"""Kill training at random moments and resume it: the weights must be the same.

    python docs/benchmarks/robustness/killing.py [--kills N] [--words N]
        [--only NAME ...]

Every kind of network is trained in separate processes: once without a checkpoint, once
with a checkpoint and uninterrupted, and once with a checkpoint and processes that are
killed (SIGKILL) at random moments, each resuming after the last, until one finishes.
Its result is compared bit for bit with the first: weights, optimizer, history, scores,
sampled words. In half of the rows every epoch is written, however short, so that many
processes are killed while they write. The exit status is 1 if any bit differs.
"""

import argparse
import hashlib
import json
import multiprocessing
import random
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from sklearn.base import clone

import sklearn_makemore
from sklearn_makemore._safe_file import read_safe_file
from sklearn_makemore._training import checkpoint as _checkpoint
from sklearn_makemore.datasets import load_names

sys.path.append(str(Path(__file__).parents[1]))  # where report.py lies

from report import is_kept, machine_line, markdown

COMMON = {"random_state": 0, "handle_unknown": "unk"}
STOPPING = {"early_stopping": True, "n_iter_no_change": 5, **COMMON}

NETWORKS = {
    "BigramCharLM": {"validation_fraction": 0.1, **COMMON},
    "MLPCharLM": {
        "batch_norm": True,
        "dropout": 0.1,
        "max_epochs": 30,
        "lr_schedule": "step",
        **STOPPING,
    },
    "WaveNetCharLM": {"max_epochs": 15, **STOPPING},
    "BoWCharLM": {"dropout": 0.1, "optimizer": "sgd", "max_epochs": 30, **COMMON},
    "RNNCharLM": {"n_layers": 2, "max_epochs": 6, **COMMON},
    "GRUCharLM": {"max_epochs": 6, **STOPPING},
    "LSTMCharLM": {"max_epochs": 4, "validation_fraction": 0.1, **COMMON},
    "TransformerCharLM": {"max_epochs": 6, **STOPPING},
}


@dataclass
class Result:
    """The measurements of a network, for the table and for JSON."""

    name: str
    writes_all: bool
    seconds: float = 0.0
    writing: float = 0.0
    n_writes: int = 0
    n_bytes: int = 0
    n_kills: int = 0
    n_whole: int = 0
    n_same: int = 0
    n_left_behind: int = 0
    epochs: list = field(default_factory=list)

    @property
    def is_met(self):
        return self.n_same == self.n_whole > 0

    @property
    def cells(self):
        return [
            self.name,
            "every epoch" if self.writes_all else "as it is",
            str(self.n_kills),
            str(self.n_left_behind),
            " ".join(map(str, self.epochs)),
            f"{self.n_same} of {self.n_whole}",
            f"{self.seconds:.3g}",
            str(self.n_writes),
            f"{self.n_bytes / 1e6:.2g}",
            f"{100 * self.writing / self.seconds:.2g} %",
            is_kept(self.is_met),
        ]


HEADS = [
    "network",
    "written",
    "kills",
    "while writing",
    "epochs in the file after each kill",
    "same weights",
    "fit (s)",
    "writes",
    "MB",
    "writing",
    "met",
]


def train(name, n_words, checkpoint, writes_all, answer, begun):
    """Train in this process, and write the result to a JSON file."""
    if writes_all:
        _checkpoint.WRITING_SHARE = float("inf")
    words = load_names().data[:n_words]
    model = getattr(sklearn_makemore, name)(**NETWORKS[name])
    clone(model).set_params(max_epochs=1).fit(words[:100])  # what comes once
    costs, sizes = [], [0]
    write = _checkpoint.Checkpoint._write

    def timed_write(self, net):
        start = time.perf_counter()
        write(self, net)
        costs.append(time.perf_counter() - start)
        sizes.append(Path(self.path).stat().st_size)

    _checkpoint.Checkpoint._write = timed_write
    model.set_params(checkpoint=checkpoint)
    begun.set()
    start = time.perf_counter()
    model.fit(words)
    said = {
        "seconds": time.perf_counter() - start,
        "writing": sum(costs),
        "n_writes": len(costs),
        "n_bytes": max(sizes),
        "sha256": digest(model, words),
    }
    Path(answer).write_text(json.dumps(said), encoding="utf-8")


def digest(model, words):
    """Compute the SHA-256 of a fitted network, without its recorded seconds."""
    found = hashlib.sha256()
    for name, tensor in model.net_.module_.state_dict().items():
        found.update(name.encode() + tensor.numpy().tobytes())
    state = model.net_.optimizer_.state_dict()
    for index, moments in sorted(state["state"].items()):
        for name, tensor in sorted(moments.items()):
            found.update(f"{index} {name}".encode() + tensor.numpy().tobytes())
    rows = [{**row, "dur": 0, "batches": 0} for row in model.net_.history]
    drawn = model.sample(20, random_state=0)
    said = state["param_groups"], [sorted(row.items()) for row in rows], drawn
    found.update(repr((*said, model.n_iter_, model.unknown_proba_)).encode())
    found.update(model.score_samples(words).tobytes())
    return found.hexdigest()


class Trainer:
    """Starts processes that train one kind of network in a folder."""

    def __init__(self, name, n_words, writes_all, folder):
        self.settings = name, n_words
        self.writes_all = writes_all
        self.folder = Path(folder)
        self.checkpoint = self.folder / "training.checkpoint"
        self.answer = self.folder / "answer.json"

    def run(self, checkpoint=None, kill_after=None):
        """Train, and kill after some seconds; return the result, None if killed."""
        begun = CONTEXT.Event()
        arguments = checkpoint, self.writes_all, self.answer, begun
        process = CONTEXT.Process(target=train, args=(*self.settings, *arguments))
        process.start()
        begun.wait(120)
        process.join(kill_after)
        if process.is_alive():
            process.kill()
        process.join()
        if process.exitcode == -signal.SIGKILL:
            self.answer.unlink(missing_ok=True)
            return None
        if process.exitcode:
            raise RuntimeError(f"{self.settings} ended with {process.exitcode}")
        said = json.loads(self.answer.read_text(encoding="utf-8"))
        self.answer.unlink()
        return said

    def left_behind(self):
        """Count and remove the files that killed processes left half-written."""
        found = list(self.folder.glob(".*.tmp"))
        for path in found:
            path.unlink()
        return len(found)


def killed(name, n_words, n_kills, writes_all, moments):
    """Kill and resume the training of a network until it was killed often enough."""
    result = Result(name, writes_all)
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(name, n_words, writes_all, folder)
        truth = trainer.run()["sha256"]
        said = trainer.run(trainer.checkpoint)
        for measured in ("seconds", "writing", "n_writes", "n_bytes"):
            setattr(result, measured, said[measured])
        outcomes = [said]
        while result.n_kills < n_kills or trainer.checkpoint.exists():
            enough = result.n_kills >= n_kills
            said = trainer.run(
                trainer.checkpoint,
                None if enough else moments.uniform(0, result.seconds),
            )
            if said is not None:
                outcomes.append(said)
            elif trainer.checkpoint.exists():  # else it was before or after training
                result.n_kills += 1
                result.epochs.append(read_safe_file(trainer.checkpoint)[0]["n_epochs"])
            result.n_left_behind += trainer.left_behind()
    result.n_whole = len(outcomes)
    result.n_same = sum(said["sha256"] == truth for said in outcomes)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=3, help="kills a row, 16 rows")
    parser.add_argument("--words", type=int, default=2000, help="words to train on")
    parser.add_argument("--seed", type=int, default=0, help="of the random moments")
    parser.add_argument("--only", nargs="*", default=NETWORKS, metavar="NAME")
    options = parser.parse_args()
    moments = random.Random(options.seed)
    results = []
    for name in options.only:
        for writes_all in (False, True):
            row = killed(name, options.words, options.kills, writes_all, moments)
            results.append(row)
            print(" | ".join(row.cells), file=sys.stderr, flush=True)
    print(machine_line())
    print()
    print(markdown(HEADS, [row.cells for row in results]))
    print()
    print(f"{sum(row.n_kills for row in results)} kills")
    return not all(row.is_met for row in results)


# The server has imported everything, so its children start training at once.
CONTEXT = multiprocessing.get_context("forkserver")

if __name__ == "__main__":
    # The last one torch imports with the first step of an optimizer.
    CONTEXT.set_forkserver_preload(["__main__", "skorch", "torch._dynamo"])
    sys.exit(main())
