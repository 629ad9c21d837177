"""Speed of training the networks, compared with hand-written loops."""

from statistics import mean

import lecture_loops
import script
import torch
from timing import Figure, in_turns, median_ratio, seconds, times_faster
from torch.nn import functional as F
from torch.optim.optimizer import register_optimizer_step_post_hook

from sklearn_makemore import NGramCounter

LECTURE_NLL = 1.9937
"""Validation NLL of lecture 5's network after all its steps."""

FAST_WAVENET = {"optimizer": "muon", "lr": 0.024, "batch_size": 2048, "max_epochs": 2}
"""Settings with which a WaveNet soon reaches that NLL."""

STEPS = {
    "lecture 2's MLP": ("MLPCharLM", {"block_size": 3, "n_embd": 2, "n_hidden": 100}),
    "lecture 3's MLP": ("MLPCharLM", {"block_size": 3, "n_embd": 10, "n_hidden": 200}),
    "lecture 5's WaveNet": ("WaveNetCharLM", {}),
}

EPOCHS = {
    "GRUCharLM": 2.5,
    "TransformerCharLM": 2.5,
    "RNNCharLM": None,
    "LSTMCharLM": None,
    "BoWCharLM": None,
}
"""Required speed-up of an epoch over the padded loop."""

EPOCH = {
    "max_epochs": 1,
    "optimizer": "adamw",
    "batch_size": 1024,
    "ngram_share": 0,
}
"""Settings of an epoch, as the padded loop has them."""

DROPOUT = {
    "GRUCharLM": {"dropout": 0.2, "recurrent_dropout": 0.1},
    "LSTMCharLM": {"dropout": 0.2, "recurrent_dropout": 0.2},
}
"""Dropout of an epoch, here and in the padded loop."""


def lecture_quality(work):
    """Time fits that reach lecture 5's validation NLL, and lecture 5's own loop."""
    X, Y = lecture_loops.build_dataset(work.train, block_size=8)
    X, Y = X.to(work.device), Y.to(work.device)
    with torch.device(work.device):
        network = lecture_loops.wavenet()
    wavenet = work.network("WaveNetCharLM", **FAST_WAVENET)
    ngram = NGramCounter(order=6)
    n_steps, n_seeds = work.either(4000, 300), work.either(3, 1)
    # Warm up.
    wavenet.fit(work.train[:2000]), ngram.fit(work.train)
    lecture_loops.train(network, X, Y, 50)
    nll, ours, counted, loop = [], [], [], []
    for seed in range(n_seeds):
        wavenet.set_params(random_state=seed)
        ours.append(seconds(lambda: wavenet.fit(work.train))[0])
        nll.append(wavenet.nll(work.valid))
        counted.append(seconds(lambda: ngram.fit(work.train))[0])
        took, _ = seconds(lambda: lecture_loops.train(network, X, Y, n_steps))
        loop.append(took / n_steps * lecture_loops.N_STEPS)
    settings = ", ".join(f"{key}={value!r}" for key, value in FAST_WAVENET.items())
    name = f"WaveNetCharLM({settings})"
    loop_is = f"lecture 5's loop, 200,000 steps from {n_steps:,}"
    yield quality(name, nll)
    yield times_faster(
        f"{name}: fit to lecture 5's validation NLL",
        "s",
        ours,
        loop_is,
        loop,
        at_least=100,
        holds=max(nll) <= LECTURE_NLL,
    )
    ngram_nll = [ngram.nll(work.valid)]
    yield quality("NGramCounter(order=6)", ngram_nll)
    yield times_faster(
        "NGramCounter(order=6): fit to lecture 5's validation NLL",
        "s",
        counted,
        loop_is,
        loop,
        at_least=500,
        holds=max(ngram_nll) <= LECTURE_NLL,
    )


def quality(name, nll):
    """Return the row of validation losses, one per seed."""
    seeds = f" over {len(nll)} seeds, mean {mean(nll):.4f}" if len(nll) > 1 else ""
    return Figure(
        f"{name}: validation NLL{seeds}",
        "nats",
        nll,
        "lecture 5",
        [LECTURE_NLL],
        bound=f"each at most {LECTURE_NLL}",
        is_met=max(nll) <= LECTURE_NLL,
    )


def bare_loop(module, X, Y, n_steps):
    """Train in the usual way: a torch module, an optimiser, 32 random windows."""
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    for _ in range(n_steps):
        ix = torch.randint(0, len(X), (32,), device=X.device)
        loss = F.cross_entropy(module(X[ix]), Y[ix])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def count_steps(function):
    """Return the number of steps of torch's optimisers during a call."""
    steps = []
    hook = register_optimizer_step_post_hook(lambda *args: steps.append(1))
    try:
        function()
    finally:
        hook.remove()
    return len(steps)


def fresh_module(model, **changed):
    """Return a new module of the class and size of a fitted network's module."""
    params = {**model.net_.get_params_for("module"), **changed}
    return type(model.net_.module_)(**params).to(model.net_.device)


def steps(work):
    """Compare training steps with those of plain loops, with batches of 32."""
    # Enough steps to make the work before the first step negligible.
    words = work.train[:3000]
    for what, (name, params) in STEPS.items():
        model = work.network(
            name,
            optimizer="sgd",
            lr=0.1,
            lr_schedule="constant",
            weight_decay=0.0,
            batch_size=32,
            max_epochs=work.either(4, 1) if name == "MLPCharLM" else 1,
            **params,
        )
        n_steps = count_steps(lambda model=model: model.fit(words))
        X, Y = lecture_loops.build_dataset(words, model.block_size_)
        X, Y = X.to(work.device), Y.to(work.device)
        loops = {"a torch module and SGD": bare_loops(model, X, Y, n_steps)}
        if what == "lecture 2's MLP":
            loops["lecture 2's loop, no module or optimiser"] = lecture_2(X, Y, n_steps)
        ours, *others = in_turns(
            lambda model=model: model.fit(words),
            *loops.values(),
            n_turns=work.either(15, 5),
        )
        for baseline_is, loop in zip(loops, others, strict=True):
            yield step_figure(what, n_steps, ours, baseline_is, loop)


def bare_loops(model, X, Y, n_steps):
    """Return a function that runs the plain loop over a new module."""
    return lambda: bare_loop(fresh_module(model), X, Y, n_steps)


def lecture_2(X, Y, n_steps):
    """Return a function that runs lecture 2's loop over its own layers."""
    with torch.device(X.device):
        network = lecture_loops.mlp(block_size=3, n_embd=2, n_hidden=100)
    return lambda: lecture_loops.train(network, X, Y, n_steps)


def step_figure(what, n_steps, ours, baseline_is, loop):
    """Return the row of a step, with the ratio to the loop's; lower is better."""
    ratio = median_ratio(ours, loop)
    is_promised = baseline_is.startswith("a torch module")
    return Figure(
        f"{what}, batches of 32: a step of {n_steps:,}",
        "us",
        [took / n_steps * 1e6 for took in ours],
        baseline_is,
        [took / n_steps * 1e6 for took in loop],
        ratio,
        bound="at most 1.05 times the loop's" if is_promised else "",
        is_met=ratio <= 1.05 if is_promised else None,
    )


def epochs(work):
    """Compare an epoch with one of as many steps over padded words."""
    words = work.train[: work.either(None, 4000)]
    X, Y = script.pad(words, work.longest + 1)
    X, Y = X.to(work.device), Y.to(work.device)
    for name, at_least in EPOCHS.items():
        model = work.network(name, **EPOCH, **DROPOUT.get(name, {}))
        n_steps = count_steps(lambda model=model: model.fit(words))
        batch_size = round(len(words) / n_steps)
        what = f"{name}: an epoch of {n_steps:,} steps"
        padded_is = f"padded words, batches of {batch_size:,}, AdamW"
        loops = {padded_is: padded_epoch(model, X, Y, batch_size)}
        if hasattr(model, "recurrent_dropout"):
            # Without recurrent dropout, torch's layer reads all steps in one call.
            loops[f"{padded_is}, no recurrent dropout"] = padded_epoch(
                model, X, Y, batch_size, recurrent_dropout=0.0
            )
        ours, *others = in_turns(
            lambda model=model: model.fit(words),
            *loops.values(),
            n_turns=work.either(5 if at_least else 3, 1),
            is_warm=True,
        )
        for baseline_is, loop in zip(loops, others, strict=True):
            bound = at_least if baseline_is == padded_is else None
            yield times_faster(what, "s", ours, baseline_is, loop, bound)


def padded_epoch(model, X, Y, batch_size, **changed):
    """Return a function that runs an epoch of the script's loop over a new module."""
    return lambda: script.train_epoch(fresh_module(model, **changed), X, Y, batch_size)
