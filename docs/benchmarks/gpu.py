"""Compare every network on a GPU with the same network on the CPU.

    python docs/benchmarks/gpu.py [--device DEVICE] [--quick] [--only NAME ...]

prints a Markdown table of differences and one of speeds; the exit status is 1 if a
bound is not kept, or if a network was left out for lack of time. Each network is
trained on both devices with the same seed. The one of the GPU is saved, loaded on both
devices, and trained again from a checkpoint. ``--device cpu`` compares the CPU
with itself, which tests this script. ``--quick`` uses few of the bundled names.
"""

import argparse
import math
import sys
import tempfile
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch
from report import is_kept, lecture_split, machine_line, markdown, read_names
from sklearn.callback import FitCallback

import sklearn_makemore
from sklearn_makemore import load, save
from sklearn_makemore._training import checkpoint
from sklearn_makemore.datasets import load_names

checkpoint.WRITING_SHARE = math.inf  # a checkpoint after each epoch, however short

NETWORKS = [
    ("BigramCharLM", {}),
    ("MLPCharLM", {}),
    ("MLPCharLM", {"batch_norm": True, "match_lengths": True, "block_size": 2}),
    ("WaveNetCharLM", {}),
    ("BoWCharLM", {}),
    ("RNNCharLM", {}),
    ("GRUCharLM", {}),
    ("LSTMCharLM", {}),
    ("TransformerCharLM", {}),
]

N_EPOCHS = 2

MAX_SECONDS = 420
"""Seconds after which no other network is begun. Each takes less than a minute."""

BOUNDS = {
    "scores": 1e-3,
    "loaded": 1e-3,
    "trained": 0.03,
    "resumed": 0.01,
    "samples": 0.02,
}
"""Largest differences. The two devices round sums differently, and draw different masks
for dropout. Sums on a GPU may differ between two runs.

scores : nats of a word, the network on the GPU and the same loaded on the CPU
loaded : nats of a word, the network on the GPU and the same loaded there
trained : nats per character, the networks trained on the two devices
resumed : nats per character, an uninterrupted training and one that was resumed
samples : share of the words sampled with one seed that are not the same
"""

HEADS = [
    f"{what}, {part}"
    for what in ("fit", "score", "sample")
    for part in ("CPU (s)", "device (s)", "ratio")
]


class Interrupted(Exception):
    """The training was interrupted on purpose."""


class Epochs(FitCallback):
    """Count the epochs of a training, and interrupt it at the end of one."""

    def __init__(self, interrupt=None):
        self.interrupt, self.n_epochs = interrupt, 0

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        """Count an epoch; what is interrupted is not in the checkpoint."""
        self.n_epochs += context.task_name == "epoch"
        if self.n_epochs == self.interrupt:
            raise Interrupted
        return False


@dataclass
class Comparison:
    """One network on two devices.

    differences : of the kinds of `BOUNDS`
    seconds : by what was timed, on the CPU and on the device
    """

    label: str
    differences: dict[str, float] = field(default_factory=dict)
    seconds: dict[str, tuple[float, float]] = field(default_factory=dict)

    def kept(self, name):
        """Whether the bound of a difference is kept."""
        return self.differences[name] <= BOUNDS[name]

    @property
    def is_met(self):
        """Whether all bounds are kept."""
        return all(map(self.kept, self.differences))


@dataclass
class Work:
    """What the networks learn, score and sample."""

    train: list[str]
    valid: list[str]
    n_samples: int
    device: str


def timed(function):
    """Return the result of a call, and its seconds."""
    start = time.perf_counter()
    result = function()
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()
    return result, time.perf_counter() - start


def compared(name, params, work):
    """Train, score, sample, save and resume a network on both devices."""
    result = Comparison(f"{name}({', '.join(f'{k}={v}' for k, v in params.items())})")

    def new(device):
        network = getattr(sklearn_makemore, name)
        return network(max_epochs=N_EPOCHS, random_state=0, device=device, **params)

    there = new(work.device)
    there.fit(work.train[:100])  # the first operations on a device take longer
    own, own_seconds = timed(lambda: new("cpu").fit(work.train))
    there, seconds = timed(lambda: new(work.device).fit(work.train))
    result.seconds["fit"] = own_seconds, seconds
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        save(there, path)
        compare_predictions(result, load(path, device="cpu"), there, work)
        loaded = load(path)
        result.differences["loaded"] = largest_difference(loaded, there, work.valid)
        again = resumed(new(work.device), work.train, Path(folder) / "checkpoint")
    nll = there.nll(work.valid)
    result.differences["trained"] = abs(own.nll(work.valid) - nll)
    result.differences["resumed"] = abs(again.nll(work.valid) - nll)
    return result


def compare_predictions(result, here, there, work):
    """Score and sample with equal weights on the CPU and on the device."""
    result.differences["scores"] = largest_difference(here, there, work.valid)
    calls = {
        "score": lambda model: model.score_samples(work.valid),
        "sample": lambda model: model.sample(work.n_samples, random_state=0),
    }
    found = {
        what: [timed(partial(call, model)) for model in (here, there)]
        for what, call in calls.items()
    }
    for what, ((_, own), (_, seconds)) in found.items():
        result.seconds[what] = own, seconds
    (one, _), (other, _) = found["sample"]
    differ = [a != b for a, b in zip(one, other, strict=True)]
    result.differences["samples"] = float(np.mean(differ))


def largest_difference(one, other, words):
    """Return the largest difference of two networks in nats per word."""
    scores = [model.score_samples(words) for model in (one, other)]
    return float(np.max(np.abs(scores[0] - scores[1])))


def resumed(model, words, path):
    """Return a network whose training was interrupted in its last epoch and resumed."""
    model.set_params(checkpoint=path)
    try:
        model.set_callbacks(Epochs(interrupt=N_EPOCHS)).fit(words)
    except Interrupted:
        epochs = Epochs()
        model.set_callbacks(epochs).fit(words)
    if epochs.n_epochs != 1:
        raise RuntimeError(f"{epochs.n_epochs} epochs were trained again.")
    return model


def chosen_words(options):
    """Return what to learn from, and what to compare."""
    if options.quick:
        names = load_names().data
        return Work(names[::500], names[250::500], 20, options.device)
    train, valid, _ = lecture_split(read_names())
    return Work(train, valid, 1000, options.device)


def difference_row(result):
    """Return the cells of the table of differences."""
    cells = [f"{result.differences[name]:.2g}" for name in BOUNDS]
    return [result.label, *cells, is_kept(result.is_met)]


def speed_row(result):
    """Return the cells of the table of speeds."""
    cells = [result.label]
    for own, seconds in result.seconds.values():
        cells += [f"{own:.3g}", f"{seconds:.3g}", f"{own / seconds:.2f}"]
    return cells


def compare_all(options):
    """Compare all networks while there is time; return the results, and who is left."""
    work, results = chosen_words(options), []
    start = time.perf_counter()
    chosen = [one for one in NETWORKS if not options.only or one[0] in options.only]
    for index, (name, params) in enumerate(chosen):
        if time.perf_counter() - start > MAX_SECONDS:
            return results, [name for name, _ in chosen[index:]]
        results.append(compared(name, params, work))
        print(" | ".join(difference_row(results[-1])), file=sys.stderr, flush=True)
    return results, []


def main(arguments=None):
    """Print the tables; return whether a bound is not kept."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", default="cuda", help="what to compare with the CPU")
    parser.add_argument("--quick", action="store_true", help="few words")
    parser.add_argument("--only", nargs="*", metavar="NAME", help="networks to compare")
    options = parser.parse_args(arguments)
    if options.device != "cpu" and not torch.cuda.is_available():
        parser.error(f"torch finds no GPU for --device {options.device}")
    results, left = compare_all(options)
    is_cuda = torch.cuda.is_available()
    print(
        f"{machine_line()}, GPU: {torch.cuda.get_device_name() if is_cuda else 'none'}"
    )
    heads = [f"{name} (at most {bound:g})" for name, bound in BOUNDS.items()]
    print("\n" + markdown(["network", *heads, "met"], map(difference_row, results)))
    print("\n" + markdown(["network", *HEADS], map(speed_row, results)))
    if left:
        print(f"\nNo time was left for {', '.join(left)}.")
    return bool(left) or not all(result.is_met for result in results)


if __name__ == "__main__":
    sys.exit(main())
