"""Measure the NLL of every model on the lectures' split, and its training time.

    python docs/benchmarks/quality.py [--seeds N] [--only NAME ...] [--json FILE]

prints one Markdown table; the exit status is 1 if a bound is not kept. All models have
their defaults unless the table says otherwise. The settings were chosen on validation
words; test words have decided nothing.
"""

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import mean, median

import torch
from report import is_kept, lecture_split, machine, machine_line, markdown, read_names

import sklearn_makemore

sys.path.append(str(Path(__file__).parent / "speed"))

import script

PARTS = "train", "valid", "test"


KENLM = {4: 2.0564, 5: 1.9841, 6: 1.9746, 7: 1.9771}
"""KenLM's validation NLL by order."""

WITHIN = 0.003
"""Maximum difference between the n-gram counter and KenLM, in nats."""


@dataclass
class Entry:
    """A model of the table, with its published NLL and its bounds.

    `published` is the validation NLL of its source. `bound` is the largest NLL allowed
    of the part that `bounded` names, of each seed; `at_least` is the least, if any.
    `learns_from` names the parts that the model is fitted on. `title` stands for the
    name and the parameters where these are long.
    """

    name: str
    params: dict = field(default_factory=dict)
    published: str = ""
    bound: float | None = None
    bounded: str = "valid"
    at_least: float = 0.0
    max_seconds: float = 90.0
    learns_from: tuple[str, ...] = ("train",)
    title: str = ""

    @property
    def label(self):
        if self.title:
            return self.title
        params = ", ".join(f"{name}={value!r}" for name, value in self.params.items())
        return f"{self.name}({params})" if params else self.name

    @property
    def bound_text(self):
        least = f"{self.at_least:.5g} to " if self.at_least else ""
        return f"{self.bounded} {least}{self.bound:.5g}, {self.max_seconds:g} s"

    def is_met(self, nll, seconds):
        """Whether the losses of all seeds and the median of seconds keep the bound."""
        losses = nll[self.bounded]
        return (
            min(losses) >= self.at_least
            and max(losses) <= self.bound
            and median(seconds) <= self.max_seconds
        )


def kenlm_entry(order):
    """Return the entry of plain Kneser-Ney of an order."""
    published = KENLM[order]
    return Entry(
        "NGramCounter",
        {"order": order, "discounts": "closed-form", "match_lengths": False},
        published=f"{published} (KenLM, order {order})",
        bound=round(published + WITHIN, 4),
        at_least=round(published - WITHIN, 4),
    )


LARGE_LSTM = {
    "n_hidden": 400,
    "dropout": 0.3,
    "recurrent_dropout": 0.3,
    "ngram_share": 0.0,
    "optimizer": "adamw",
    "lr": 0.006,
    "max_epochs": 12,
}


def mixture_entry():
    """Return the recipe of a mixture: counts, two recurrent networks, a Transformer.

    As many words as the lectures validate on are held out to find the weights; the
    members learn from as many as the lectures train on, drawn anew from both parts.
    """
    members = [
        sklearn_makemore.LSTMCharLM(**LARGE_LSTM),  # the slowest is the first
        sklearn_makemore.GRUCharLM(),
        sklearn_makemore.TransformerCharLM(),
        sklearn_makemore.NGramCounter(),
    ]
    return Entry(
        "MixtureCharLM",
        {"estimators": members, "validation_fraction": 1 / 9, "n_jobs": 2},
        published="validation: the ninth of both parts that the weights were found on",
        bound=1.895,
        bounded="test",
        max_seconds=600,
        learns_from=("train", "valid"),
        title="MixtureCharLM of the LSTMCharLM of 400 units and the defaults of "
        "GRUCharLM, TransformerCharLM and NGramCounter",
    )


ENTRIES = [
    Entry("BigramCounter", published="2.454 (lecture 1, on all words)", bound=2.454),
    Entry("BigramCharLM", published="2.4653 (lecture 1, on all words)"),
    Entry("NGramCounter", bound=1.960),
    *map(kenlm_entry, KENLM),
    Entry("BoWCharLM", published="the script's loop above"),
    Entry("MLPCharLM", bound=2.10),
    Entry("MLPCharLM", {"match_lengths": True}, bound=2.030),
    Entry(
        "MLPCharLM",
        {"batch_norm": True, "block_size": 3},
        published="2.105 (lecture 3)",
        bound=2.10,
    ),
    Entry("WaveNetCharLM", published="1.9937 (lecture 5)", bound=1.98),
    Entry("RNNCharLM", bound=2.00),
    Entry("GRUCharLM", bound=1.95),
    Entry(
        "LSTMCharLM",
        published="about 1.92 (the script's Transformer, on 1,000 names of its own)",
        bound=1.94,
    ),
    Entry(
        "LSTMCharLM",
        LARGE_LSTM,
        bound=1.92,
        bounded="test",
        max_seconds=600,
    ),
    Entry(
        "LSTMCharLM",
        {**LARGE_LSTM, "n_hidden": 512, "ngram_share": 0.25},
        bound=1.89,
        bounded="test",
        max_seconds=600,
    ),
    Entry(
        "TransformerCharLM",
        published="about 1.92 (the script, on 1,000 names of its own)",
        bound=1.97,
    ),
    mixture_entry(),
]


@dataclass
class Result:
    """One row of the table, with one value per seed."""

    label: str
    published: str
    n_parameters: int
    nll: dict[str, list[float]]
    seconds: list[float]
    bound: str = ""
    is_met: bool | None = None


def measure(entry, split, n_seeds):
    """Fit a model once per seed, and measure it on all words."""
    nll, seconds = {part: [] for part in PARTS}, []
    words = [word for part in entry.learns_from for word in split[part]]
    for seed in range(n_seeds):
        model = getattr(sklearn_makemore, entry.name)(**entry.params)
        if hasattr(model, "random_state"):
            model.set_params(random_state=seed)
        start = time.perf_counter()
        model.fit(words)
        seconds.append(time.perf_counter() - start)
        for part in PARTS:
            has_learnt = part == "valid" and part in entry.learns_from
            nll[part].append(
                model.validation_nll_ if has_learnt else model.nll(split[part])
            )
        if not hasattr(model, "random_state"):
            break
    result = Result(entry.label, entry.published, n_parameters(model), nll, seconds)
    if entry.bound is not None:
        result.bound = entry.bound_text
        result.is_met = entry.is_met(nll, seconds)
    return result


def n_parameters(model):
    """Return the number of weights, or of counts above zero."""
    if hasattr(model, "estimators_"):
        return sum(map(n_parameters, model.estimators_))
    if hasattr(model, "net_"):
        return sum(weights.numel() for weights in model.net_.module_.parameters())
    if hasattr(model, "ngram_counts_"):
        return len(model.ngram_counts_.counts)
    return int((model.counts_ > 0).sum())


def script_bow(split, n_seeds):
    """Train the script's bag of words as the script does."""
    padded = {part: script.pad(words, 16) for part, words in split.items()}
    nll, seconds = {part: [] for part in PARTS}, []
    for seed in range(n_seeds):
        torch.manual_seed(seed)
        model = script.BagOfWords(16)
        start = time.perf_counter()
        script.train(model, *padded["train"], script.N_STEPS)
        seconds.append(time.perf_counter() - start)
        for part in PARTS:
            nll[part].append(script.nll(model, *padded[part]))
    size = sum(weights.numel() for weights in model.parameters())
    label = f"the script's loop, `--type bow`, {script.N_STEPS:,} steps"
    return Result(label, "", size, nll, seconds)


def all_results(split, n_seeds, only):
    for entry in ENTRIES:
        if only and not {entry.label, entry.name} & {*only}:
            continue
        result = measure(entry, split, n_seeds)
        if entry.name == "BoWCharLM":
            baseline = script_bow(split, n_seeds)
            result.bound = "valid: no worse than the script's"
            result.is_met = max(result.nll["valid"]) <= min(baseline.nll["valid"])
            yield baseline
        yield result


def shown(values):
    if len(values) == 1:
        return f"{values[0]:.4f}"
    return f"{median(values):.4f} ({min(values):.4f} to {max(values):.4f})"


def row(result):
    return [
        result.label,
        f"{result.n_parameters:,}" if result.n_parameters else "",
        f"{mean(result.nll['train']):.4f}",
        shown(result.nll["valid"]),
        shown(result.nll["test"]),
        f"{median(result.seconds):.3g}",
        result.published,
        result.bound,
        is_kept(result.is_met),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=3, help="fits of each network")
    parser.add_argument("--only", nargs="*", metavar="NAME", help="rows to measure")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all values")
    options = parser.parse_args()
    torch.set_num_threads(1)
    split = dict(zip(PARTS, lecture_split(read_names()), strict=True))
    results = []
    for result in all_results(split, options.seeds, options.only):
        results.append(result)
        print(
            f"{len(results):2} {' | '.join(row(result))}", file=sys.stderr, flush=True
        )
    heads = ["model", "parameters", "train", "validation", "test", "fit (s)"]
    heads += ["published", "bound", "met"]
    print(machine_line())
    print()
    print(markdown(heads, map(row, results)))
    if options.json:
        report = {"machine": machine(), "results": [asdict(one) for one in results]}
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return any(result.is_met is False for result in results)


if __name__ == "__main__":
    sys.exit(main())
