"""Training targets that are partly the predictions of n-grams."""

import warnings

import numpy as np
import torch

from .._counters.out_of_fold import out_of_fold_proba
from .._training.word_batches import WordDataset
from .._words.training_set import TrainingSet
from .._words.vocabulary import within_groups

MAX_TARGET_CELLS = 1 << 27
"""Largest number of targets, a row per prefix and a column per symbol: 512 MiB."""


def mix_ngrams(dataset: WordDataset, data: TrainingSet, share: float) -> None:
    """Replace a share of the targets of a data set by predictions of n-grams.

    data : the words that the data set was made of
    """
    n_prefixes, n_symbols = len(dataset.next_counts.totals), data.vocabulary.n_symbols
    if n_prefixes * n_symbols > MAX_TARGET_CELLS:
        warnings.warn(
            f"ngram_share={share} is ignored: {n_prefixes * n_symbols:,} targets would "
            f"be needed, and the largest number is {MAX_TARGET_CELLS:,}. Set "
            "ngram_share=0, or fit on fewer words.",
            stacklevel=2,
        )
        return
    words, device = data.distinct(), dataset.weights.device
    predicted = torch.zeros(n_prefixes, n_symbols, device=device)
    for rows, proba in out_of_fold_proba(words):
        lengths = words.encoded.lengths[rows]
        starts = np.repeat(words.encoded.offsets[rows].astype(np.int64), lengths)
        places = torch.from_numpy(starts + within_groups(lengths)).to(device)
        owners = torch.from_numpy(np.repeat(rows, lengths)).to(device)
        weighted = torch.from_numpy(proba).to(device) * dataset.weights[owners, None]
        predicted.index_add_(0, dataset.nodes[places], weighted)
    if predicted.any():  # not if all words are equal
        dataset.next_counts.mix(predicted, share)
