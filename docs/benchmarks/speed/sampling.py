"""Speed of sampling, compared with the loops of the lectures and of the script."""

from functools import partial
from itertools import count

import lecture_loops
import numpy as np
import numpy_limit
import script
import torch
from timing import Figure, in_turns, per_second, times_faster
from torch import nn

from sklearn_makemore import BigramCounter, NGramCounter
from sklearn_makemore.modules import WaveNet

BATCHES = {"TransformerCharLM": 5, "GRUCharLM": 3, "WaveNetCharLM": 3, "MLPCharLM": 3}
"""Required speed-up of sampling over the loop in batches of 1,000."""

ONE_AT_A_TIME = "MLPCharLM", "WaveNetCharLM"


def sampler(model, n_names, max_length=None):
    """Return a function that samples different names at each call."""
    seeds = count()
    return lambda: model.sample(
        n_names, max_length=max_length, random_state=next(seeds)
    )


def bigram_proba(model):
    """Return the probabilities of a bigram (27, 27), the boundary first."""
    return model.predict_proba(["", *lecture_loops.CHARACTERS])


def rates_in_turns(model, n_names, draw, n_drawn, **turns):
    """Return the names per second of `sample`, and of a loop that samples fewer."""
    ours, loop = in_turns(sampler(model, n_names), lambda: draw(n_drawn), **turns)
    return per_second(n_names, ours), per_second(n_drawn, loop)


def bigram(work):
    """Sample from a bigram: a thousand names as lecture 1 does, and a million."""
    model = BigramCounter().fit(work.train)
    proba = bigram_proba(model)
    P, generator = torch.from_numpy(proba), torch.Generator().manual_seed(0)
    ours, loop = rates_in_turns(
        model,
        1000,
        lambda n_names: lecture_loops.sample_bigram(P, n_names, generator),
        1000,
        n_turns=work.either(9, 3),
        n_calls=10,
    )
    yield times_faster(
        "BigramCounter: sample(1000)", "names/s", ours, "lecture 1's loop", loop, 20
    )

    what = "BigramCounter: sample(1000000)"
    yield share_of_limit(what, model, 1_000_000, proba, work)


def share_of_limit(what, model, n_names, proba, work, at_least=0.6):
    """Return the row of `sample` next to the numpy limit for a bigram."""
    rng = np.random.default_rng(0)
    ours, limit = rates_in_turns(
        model,
        n_names,
        lambda n_drawn: numpy_limit.sample_bigram(proba, n_drawn, rng),
        n_names,
        n_turns=work.either(7, 1),
    )
    limit_is = "the numpy limit of a bigram"
    figure = times_faster(what, "names/s", ours, limit_is, limit)
    figure.bound = f"at least {at_least:g} of the limit"
    figure.is_met = figure.ratio >= at_least
    return figure


def ngram(work):
    """Sample from the n-gram model."""
    proba = bigram_proba(BigramCounter().fit(work.train))
    model = NGramCounter(order=5).fit(work.train)
    what = "NGramCounter(order=5): sample(100000)"
    yield share_of_limit(what, model, 100_000, proba, work, at_least=0.2)
    model = NGramCounter(order=6).fit(work.train)
    (times,) = in_turns(sampler(model, 1000), n_turns=work.either(9, 3), n_calls=5)
    rates = per_second(1000, times)
    yield Figure("NGramCounter(order=6): sample(1000)", "names/s", rates)


def reads_words(model):
    """Whether the module of a fitted network reads words from the start."""
    return hasattr(model.net_.module_, "step")


def loop_name(model):
    """Return the name of the loop in batches."""
    return "the script's loop" if reads_words(model) else "the lectures' windows"


def plain_sampler(model, longest, generator, module=None):
    """Return a function that samples names with the module, 1,000 at a time."""
    module = module or model.net_.module_.eval()
    if reads_words(model):
        return lambda n_names: script.sample(module, n_names, longest, generator)
    return lambda n_names: lecture_loops.sample_rows(
        module, model.block_size_, n_names, longest, generator
    )


def as_written_in_torch(module):
    """Return a function that computes the logits without sharing equal groups.

    A WaveNet then computes every position of every window.
    """
    if isinstance(module, WaveNet):
        return lambda ids: module.head(module._separate(ids, None))
    return module


def samplers_in_batches(model, longest, generator):
    """Return the baseline loops of a model; the first has a bound."""
    loop_is = f"{loop_name(model)}, batches of 1,000"
    module = model.net_.module_.eval()
    if reads_words(model):
        return {loop_is: plain_sampler(model, longest, generator)}
    plain = as_written_in_torch(module)
    return {
        f"{loop_is}, in torch": plain_sampler(model, longest, generator, plain),
        f"{loop_is}, our module": plain_sampler(model, longest, generator),
    }


def in_batches(work):
    """Compare sampling with loops of 1,000 names at a time and without a cache.

    Both limit the length of a name to that of the longest, as the script does.
    """
    for name, times in BATCHES.items():
        model = work.fitted(name)
        loops = samplers_in_batches(model, work.longest, work.generator())
        for n_names, n_drawn, turns in (
            (1000, 1000, {"n_turns": work.either(7, 2), "n_calls": 5}),
            (100_000, 1000 * work.either(5, 1), {"n_turns": work.either(3, 1)}),
        ):
            draws = [partial(draw, n_drawn) for draw in loops.values()]
            ours, *others = in_turns(
                sampler(model, n_names, work.longest), *draws, **turns
            )
            rates = per_second(n_names, ours)
            scaled = "" if n_drawn == n_names else f", from {n_drawn:,} names"
            bound = times
            for loop_is, loop in zip(loops, others, strict=True):
                yield times_faster(
                    f"{name}: sample({n_names})",
                    "names/s",
                    rates,
                    loop_is + scaled,
                    per_second(n_drawn, loop),
                    bound,
                )
                bound = None  # only the first loop has a bound


def one_at_a_time(work):
    """Compare with the lectures' loops: one pass per character, name by name."""
    for name in ONE_AT_A_TIME:
        model = work.fitted(name)
        with torch.device(work.device):
            network = as_lecture(model, lecture_network(model))
        ours, loop = rates_in_turns(
            model,
            1000,
            lecture_sampler(network, model.block_size_, work.generator()),
            200,
            n_turns=work.either(7, 2),
            n_calls=5,
        )
        what, loop_is = f"{name}: sample(1000)", "the lecture's loop, same weights"
        yield times_faster(what, "names/s", ours, loop_is, loop, 10)


def lecture_sampler(network, block_size, generator):
    """Return a function that samples names as the lectures do."""
    return lambda n_names: lecture_loops.sample_network(
        network, block_size, n_names, generator
    )


def lecture_network(model):
    """Return the lecture's layers in the shape of a fitted network."""
    if hasattr(model, "fan_in"):
        return lecture_loops.wavenet(model.n_embd, model.n_hidden)
    return lecture_loops.mlp(model.block_size, model.n_embd, model.n_hidden)


def as_lecture(model, network):
    """Load the weights of a fitted model into the lecture's layers."""
    module = model.net_.module_
    (embedding,) = network.of_kind(lecture_loops.Embedding)
    embedding.weight = module.embedding.weight.detach().clone()
    linears = [part for part in module.modules() if isinstance(part, nn.Linear)]
    layers = network.of_kind(lecture_loops.Linear)
    for layer, linear in zip(layers, linears, strict=True):
        layer.weight = linear.weight.detach().T.clone()
        layer.bias = None if linear.bias is None else linear.bias.detach().clone()
    norms = [part for part in module.modules() if isinstance(part, nn.BatchNorm1d)]
    layers = network.of_kind(lecture_loops.BatchNorm1d)
    for layer, norm in zip(layers, norms, strict=True):
        layer.gamma, layer.beta = norm.weight.detach(), norm.bias.detach()
        layer.running_mean, layer.running_var = norm.running_mean, norm.running_var
    # What is compared must be the same model.
    ids = torch.randint(27, (64, model.block_size_), device=embedding.weight.device)
    torch.testing.assert_close(network.eval()(ids), module(ids), rtol=1e-3, atol=1e-3)
    return network
