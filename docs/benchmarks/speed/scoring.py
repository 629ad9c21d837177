"""Speed of scoring words, compared with plain forward passes of the same module."""

from functools import partial

import lecture_loops
import numpy as np
import script
import torch
from timing import in_turns, times_faster

SEQUENCES = "BoWCharLM", "RNNCharLM", "GRUCharLM", "LSTMCharLM", "TransformerCharLM"

WINDOWS = "BigramCharLM", "MLPCharLM", "WaveNetCharLM"

BATCH_SIZE = 1000

AT_LEAST = 3
"""Required speed-up of scoring, encoding included."""


def networks(work):
    """Time every network on all names."""
    words = work.names[: work.either(None, 8000)]
    for name in (*WINDOWS, *SEQUENCES):
        model = work.fitted(name)
        score = plain_scorer(model, work.longest, work.device)
        check_scores(model, score, words)
        batches = ready_batches(model, words, work.longest, work.device)
        ours, from_words, from_tensors = in_turns(
            partial(model.score_samples, words),
            partial(score, words),
            partial(score_ready, model, batches),
            n_turns=work.either(5, 1),
            is_warm=work.is_quick,
        )
        what = f"{name}: score_samples of {len(words):,} names"
        kind = "windows" if name in WINDOWS else "padded words"
        passes = f"forward passes over 1,000 {kind}"
        if name in WINDOWS:
            passes = "forward passes over the windows of 1,000 words"
        yield times_faster(what, "s", ours, passes, from_words, AT_LEAST)
        yield times_faster(what, "s", ours, f"{passes}, tensors ready", from_tensors)


def sees_windows(model):
    """Whether the module of a fitted network reads windows, not whole words."""
    return type(model).__name__ in WINDOWS


def plain_scorer(model, longest, device):
    """Return a function that scores words with the module of a fitted network."""
    module = model.net_.module_.eval()
    if sees_windows(model):
        return lambda words: lecture_loops.score_words(
            module, words, model.block_size_, device, BATCH_SIZE
        )
    return lambda words: script.score_words(
        module, words, longest + 1, device, BATCH_SIZE
    )


def check_scores(model, score, words):
    """Raise an error unless both give the same log-probabilities."""
    expected = score(words).cpu().numpy()
    np.testing.assert_allclose(model.score_samples(words), expected, rtol=0, atol=1e-4)


def ready_batches(model, words, longest, device):
    """Return the tensors of all batches, so that only the module has to run."""
    batches = []
    for start in range(0, len(words), BATCH_SIZE):
        batch = words[start : start + BATCH_SIZE]
        if sees_windows(model):
            lengths = torch.tensor([len(word) + 1 for word in batch])
            X, Y = lecture_loops.build_dataset(batch, model.block_size_)
            tensors = X, Y, lengths
        else:
            tensors = script.pad(batch, longest + 1)
        batches.append([tensor.to(device) for tensor in tensors])
    return batches


@torch.no_grad()
def score_ready(model, batches):
    """Score prepared tensors."""
    scorer = lecture_loops if sees_windows(model) else script
    module = model.net_.module_
    return torch.cat([scorer.word_log_proba(module, *batch) for batch in batches])
