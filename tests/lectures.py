"""What the makemore lectures begin with, and gradient descent as they write it down.

Their loss is a mean over all windows; here it is summed over the distinct ones, which
is the same number.
"""

import numpy as np
import torch

from sklearn_makemore._words.vocabulary import CharVocabulary
from sklearn_makemore._words.windows import ContextCounts, windows

LECTURE_SEED = 2147483647

VOCABULARY = CharVocabulary("abcdefghijklmnopqrstuvwxyz")

FIVE_NAMES = ["emma", "olivia", "ava", "isabella", "sophia"]


def windows_and_targets(words, block_size):
    encoded = VOCABULARY.encode(words)
    ids = torch.from_numpy(windows(encoded, block_size).astype(np.int64))
    return ids, torch.from_numpy(encoded.targets.astype(np.int64))


def mean_nll_of_counts(module, words, block_size):
    """Return the mean NLL of a module on all words as a function of nothing."""
    counts = ContextCounts.from_encoded(
        VOCABULARY.encode(words), block_size, VOCABULARY.n_symbols
    )
    ids = torch.from_numpy(counts.contexts.astype(np.int64))
    rows, symbols = torch.from_numpy(counts.rows), torch.from_numpy(counts.symbols)
    weights = torch.from_numpy(counts.counts / counts.counts.sum())

    def mean_nll():
        log_proba = module(ids).double().log_softmax(1)  # (n_contexts, V)
        return -(weights * log_proba[rows, symbols]).sum()

    return mean_nll


def descend(module, loss, n_steps, lr):
    """Take plain gradient steps; return the loss before each and after the last."""
    losses = []
    for _ in range(n_steps):
        value = loss()
        losses.append(value.item())
        module.zero_grad()
        value.backward()
        with torch.no_grad():
            for parameter in module.parameters():
                parameter -= lr * parameter.grad
    with torch.no_grad():
        return [*losses, loss().item()]
