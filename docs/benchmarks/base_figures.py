"""Measure the figures that this package promises, beside the lectures' own loops.

    python docs/benchmarks/base_figures.py [--quick] [--json FILE]

prints one Markdown table; the exit status is 1 if a promise is not kept. The list of
names is looked for as in the tests: where the environment variable
SKLEARN_MAKEMORE_NAMES says, or beside the project.
"""

import argparse
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from statistics import mean, median

import lectures
import torch
from report import lecture_split, machine, markdown, read_names
from torch import nn
from torch.nn import functional as F
from torch.optim.optimizer import register_optimizer_step_post_hook

from sklearn_makemore import BigramCounter, MLPCharLM, NGramCounter, WaveNetCharLM
from sklearn_makemore.modules import MLP

# KenLM's figures for the lectures' split: order and validation NLL.
KENLM = {4: 2.0564, 5: 1.9841, 6: 1.9746, 7: 1.9771}

N_DRAWN = 1000

IMPORTS = """
import sys
import sklearn_makemore
sklearn_makemore.BigramCounter().fit(["emma", "olivia"])
print(sum(name.partition(".")[0] == "torch" for name in sys.modules))
"""


@dataclass
class Work:
    """The words, and how much of everything is done."""

    names: list[str]
    train: list[str]
    valid: list[str]
    n_repeats: int
    n_steps: int
    n_seeds: int


@dataclass
class Figure:
    """One row of the table.

    `measured` and `baseline` hold one value a turn: they are taken in turns, so that
    both see the same machine, and `ratio` is the median of the turns' ratios.
    `is_met` is None for what is told beside the promises.
    """

    what: str
    unit: str
    measured: list[float]
    baseline_is: str = ""
    baseline: list[float] = field(default_factory=list)
    ratio: float | None = None
    bound: str = ""
    is_met: bool | None = None


def seconds(function):
    """Return how long a call takes, and what it returns."""
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def in_turns(ours, baseline, n_turns, n_calls=1):
    """Time two functions in turns, after a turn of each to warm up.

    What takes milliseconds is called `n_calls` times a turn, and the mean is taken.
    """

    def our_turn():
        for _ in range(n_calls):
            ours()

    our_turn(), baseline()
    turns = [
        (seconds(our_turn)[0] / n_calls, seconds(baseline)[0]) for _ in range(n_turns)
    ]
    return [list(column) for column in zip(*turns, strict=True)]


def median_ratio(numerators, denominators):
    pairs = zip(numerators, denominators, strict=True)
    return median(above / below for above, below in pairs)


# Negative log-likelihoods on the validation words.


def bigram_nll(work):
    nll = BigramCounter().fit(work.train).nll(work.valid)
    return Figure(
        "BigramCounter: validation NLL",
        "nats",
        [nll],
        bound="at most 2.454",
        is_met=nll <= 2.454,
    )


def ngram_nll(work):
    for order, expected in KENLM.items():
        nll = NGramCounter(order=order).fit(work.train).nll(work.valid)
        yield Figure(
            f"NGramCounter(order={order}): validation NLL",
            "nats",
            [nll],
            "KenLM",
            [expected],
            bound="within 0.003",
            is_met=abs(nll - expected) <= 0.003,
        )


def network_nll(name, nll, bound):
    return Figure(
        f"{name}: validation NLL over {len(nll)} seeds, mean {mean(nll):.4f}",
        "nats",
        nll,
        bound=f"each at most {bound}",
        is_met=max(nll) <= bound,
    )


# Fitting.


def bigram_fit(work):
    ours, loop = in_turns(
        lambda: BigramCounter().fit(work.names),
        lambda: lectures.count_bigrams(work.names),
        work.n_repeats,
        n_calls=20,
    )
    ratio = median_ratio(loop, ours)
    return Figure(
        "BigramCounter: fit on all names",
        "s",
        ours,
        "lecture 1's counting loop",
        loop,
        ratio,
        bound="at least 300 times faster",
        is_met=ratio >= 300,
    )


def ngram_fit(work):
    model = NGramCounter(order=6)
    model.fit(work.train)
    times = [seconds(lambda: model.fit(work.train))[0] for _ in range(work.n_repeats)]
    return Figure(
        "NGramCounter(order=6): fit",
        "s",
        times,
        bound="less than 0.5",
        is_met=median(times) < 0.5,
    )


def mlp_figures(work):
    """Fit with the defaults; return the figures, and the last model."""
    nll, times = [], []
    for seed in range(work.n_seeds):
        model = MLPCharLM(random_state=seed)
        times.append(seconds(lambda model=model: model.fit(work.train))[0])
        nll.append(model.nll(work.valid))
    told = Figure("MLPCharLM: fit", "s", times)
    return [network_nll("MLPCharLM", nll, 2.10), told], model


def wavenet_figures(work):
    """Fit and run lecture 5's loop in turns; return the figures, and the last model."""
    X, Y = lectures.build_dataset(work.train, block_size=8)
    network = lectures.wavenet()
    lectures.train(network, X, Y, 50)  # to warm up
    nll, ours, loop = [], [], []
    for seed in range(work.n_seeds):
        model = WaveNetCharLM(random_state=seed)
        ours.append(seconds(lambda model=model: model.fit(work.train))[0])
        nll.append(model.nll(work.valid))
        took, _ = seconds(lambda: lectures.train(network, X, Y, work.n_steps))
        loop.append(took / work.n_steps * lectures.N_STEPS)
    ratio = median_ratio(loop, ours)
    fit = Figure(
        "WaveNetCharLM: fit",
        "s",
        ours,
        f"lecture 5's loop, 200,000 steps from {work.n_steps:,}",
        loop,
        ratio,
        bound="at least 25 times faster",
        is_met=ratio >= 25,
    )
    return [network_nll("WaveNetCharLM", nll, 1.985), fit], model


# The training loop.


def torch_loop(X, Y, n_steps):
    """Train the network of lecture 2 as most people write it in torch."""
    mlp = MLP(n_symbols=27, block_size=3, n_embd=2, n_hidden=100)
    optimizer = torch.optim.SGD(mlp.parameters(), lr=0.1)
    for _ in range(n_steps):
        ix = torch.randint(0, len(X), (32,))
        loss = F.cross_entropy(mlp(X[ix]), Y[ix])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def count_steps(function):
    """Return how many steps any optimiser of torch takes in a call."""
    steps = []
    hook = register_optimizer_step_post_hook(lambda *args: steps.append(1))
    try:
        function()
    finally:
        hook.remove()
    return len(steps)


def loop_figures(work):
    """Compare our loop with loops written by hand, batches of 32 in all of them."""
    model = MLPCharLM(
        block_size=3,
        n_embd=2,
        n_hidden=100,
        optimizer="sgd",
        lr=0.1,
        lr_schedule="constant",
        max_epochs=1,
        batch_size=32,
        weight_decay=0.0,
        random_state=0,
    )
    X, Y = lectures.build_dataset(work.train, block_size=3)
    by_hand = lectures.mlp(block_size=3, n_embd=2, n_hidden=100)
    n_steps = count_steps(lambda: model.fit(work.train))
    loops = {
        "torch module and optimiser": lambda: torch_loop(X, Y, n_steps),
        "lecture 2's loop, no module or optimiser": lambda: lectures.train(
            by_hand, X, Y, n_steps
        ),
    }
    for baseline_is, loop in loops.items():
        times = in_turns(lambda: model.fit(work.train), loop, 2 * work.n_repeats)
        ours, theirs = ([t / n_steps * 1e6 for t in column] for column in times)
        ratio = median_ratio(ours, theirs)
        is_promised = baseline_is.startswith("torch")
        yield Figure(
            f"lecture 2's MLP, batches of 32: a step of {n_steps:,}",
            "us",
            ours,
            baseline_is,
            theirs,
            ratio,
            bound="at most 1.15 times the loop's" if is_promised else "",
            is_met=ratio <= 1.15 if is_promised else None,
        )


# Sampling.


def names_a_second(times, n_names):
    return [n_names / took for took in times]


def rates_in_turns(model, draw, n_names, n_turns):
    """Names a second of `sample(1000)`, and of the lecture's loop for `n_names`."""
    seeds = count()
    ours, loop = in_turns(
        lambda: model.sample(N_DRAWN, random_state=next(seeds)),
        lambda: draw(n_names),
        n_turns,
        n_calls=10,
    )
    return names_a_second(ours, N_DRAWN), names_a_second(loop, n_names)


def bigram_sampling(work):
    model = BigramCounter().fit(work.train)
    P = torch.from_numpy(model.predict_proba(["", *lectures.CHARACTERS]))
    generator = torch.Generator().manual_seed(0)
    ours, loop = rates_in_turns(
        model,
        lambda n_names: lectures.sample_bigram(P, n_names, generator),
        N_DRAWN,
        work.n_repeats,
    )
    return Figure(
        "BigramCounter: sample(1000)",
        "names/s",
        ours,
        "lecture 1's loop",
        loop,
        median_ratio(ours, loop),
        bound="at least 200,000",
        is_met=median(ours) >= 200_000,
    )


def ngram_sampling(work):
    model = NGramCounter().fit(work.train)
    model.sample(N_DRAWN)  # the first call makes the tables
    times = [
        seconds(lambda seed=seed: model.sample(N_DRAWN, random_state=seed))[0]
        for seed in range(work.n_repeats)
    ]
    rates = names_a_second(times, N_DRAWN)
    return Figure("NGramCounter(order=6): sample(1000)", "names/s", rates)


def as_lecture(model, network):
    """Load the weights of a fitted model into the lecture's layers."""
    module = model.net_.module_
    (embedding,) = network.of_kind(lectures.Embedding)
    embedding.weight = module.embedding.weight.detach().clone()
    linears = [part for part in module.modules() if isinstance(part, nn.Linear)]
    for layer, linear in zip(network.of_kind(lectures.Linear), linears, strict=True):
        layer.weight = linear.weight.detach().T.clone()
        layer.bias = None if linear.bias is None else linear.bias.detach().clone()
    norms = [part for part in module.modules() if isinstance(part, nn.BatchNorm1d)]
    layers = network.of_kind(lectures.BatchNorm1d)
    for layer, norm in zip(layers, norms, strict=True):
        layer.gamma, layer.beta = norm.weight.detach(), norm.bias.detach()
        layer.running_mean, layer.running_var = norm.running_mean, norm.running_var
    # What is compared must be the same model.
    ids = torch.randint(27, (64, model.block_size_))
    torch.testing.assert_close(network.eval()(ids), module(ids), rtol=1e-3, atol=1e-3)
    return network


def network_sampling(work, model, network):
    network = as_lecture(model, network)
    generator = torch.Generator().manual_seed(0)
    ours, loop = rates_in_turns(
        model,
        lambda n_names: lectures.sample_network(
            network, model.block_size_, n_names, generator
        ),
        N_DRAWN // 5,
        work.n_repeats,
    )
    ratio = median_ratio(ours, loop)
    return Figure(
        f"{type(model).__name__}: sample(1000)",
        "names/s",
        ours,
        "the lecture's loop, same weights",
        loop,
        ratio,
        bound="at least 10 times the loop's",
        is_met=ratio >= 10,
    )


# Imports.


def torch_imports():
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS], check=True, capture_output=True, text=True
    )
    n_modules = int(done.stdout)
    return Figure(
        "modules of torch after import and BigramCounter().fit",
        "modules",
        [n_modules],
        bound="none",
        is_met=n_modules == 0,
    )


def all_figures(work):
    """Yield every figure; networks are fitted once, for all that is asked of them."""
    yield bigram_nll(work)
    yield from ngram_nll(work)
    figures, mlp = mlp_figures(work)
    yield from figures
    figures, wavenet = wavenet_figures(work)
    yield from figures
    yield bigram_fit(work)
    yield ngram_fit(work)
    yield from loop_figures(work)
    yield bigram_sampling(work)
    yield ngram_sampling(work)
    shape = {"n_embd": mlp.n_embd, "n_hidden": mlp.n_hidden}
    yield network_sampling(work, mlp, lectures.mlp(mlp.block_size, **shape))
    yield network_sampling(work, wavenet, lectures.wavenet())
    yield torch_imports()


# The table.


def shown(values, unit):
    """Return the median, and the range if there is one."""
    if not values:
        return ""
    places = {"nats": ".4f", "names/s": ",.0f", "us": ".0f", "modules": ".0f"}
    number = f"{{:{places.get(unit, '.3g')}}}".format
    text = f"{number(median(values))} {unit}"
    if len(values) == 1:
        return text
    return f"{text} ({number(min(values))} to {number(max(values))})"


def row(figure):
    baseline = shown(figure.baseline, figure.unit)
    return [
        figure.what,
        shown(figure.measured, figure.unit),
        f"{figure.baseline_is}: {baseline}" if baseline else "",
        "" if figure.ratio is None else f"{figure.ratio:.3g}",
        figure.bound,
        {True: "yes", False: "**no**", None: ""}[figure.is_met],
    ]


def read_work(is_quick):
    names = read_names()
    train, valid, _ = lecture_split(names)
    return Work(
        names,
        train,
        valid,
        n_repeats=2 if is_quick else 5,
        n_steps=300 if is_quick else 4000,
        n_seeds=1 if is_quick else 3,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one seed, two repeats")
    # The models compute in one thread, so the loops beside them do.
    parser.add_argument("--threads", type=int, default=1, help="threads of torch")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all values")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    figures = []
    for figure in all_figures(read_work(options.quick)):
        figures.append(figure)
        print(f"{len(figures):2} {figure.what}", file=sys.stderr, flush=True)
    print(", ".join(f"{name}: {value}" for name, value in machine().items()))
    print()
    heads = ["what", "measured", "baseline", "ratio", "bound", "met"]
    print(markdown(heads, map(row, figures)))
    if options.json:
        report = {"machine": machine(), "figures": [asdict(one) for one in figures]}
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return any(figure.is_met is False for figure in figures)


if __name__ == "__main__":
    sys.exit(main())
