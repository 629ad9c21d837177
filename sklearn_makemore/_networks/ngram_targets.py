"""Training targets that are partly the predictions of n-grams."""

from collections.abc import Iterator

import numpy as np
import torch

from .._counters.base import CountedWords
from .._counters.ngram import NGramCounter
from .._training.word_batches import WordDataset
from .._words.training_set import TrainingSet
from .._words.vocabulary import within_groups

N_FOLDS = 10
"""Parts of the words. An n-gram model of the others predicts the words of each."""

MAX_TARGET_CELLS = 1 << 28
"""Largest number of targets, a row per prefix and a column per symbol: 1 GiB."""


def mix_ngrams(dataset: WordDataset, data: TrainingSet, share: float) -> None:
    """Replace a share of the targets of a data set by predictions of n-grams.

    data : the words that the data set was made of
    """
    n_prefixes, n_symbols = len(dataset.next_counts.totals), data.vocabulary.n_symbols
    _check_mixable(data, n_prefixes * n_symbols, share)
    words = data.distinct()
    if words.encoded.n_words < 2:
        return
    device = dataset.weights.device
    predicted = torch.zeros(n_prefixes, n_symbols, device=device)
    for fold, proba in _out_of_fold(words):
        lengths = words.encoded.lengths[fold]
        starts = np.repeat(words.encoded.offsets[fold].astype(np.int64), lengths)
        places = torch.from_numpy(starts + within_groups(lengths)).to(device)
        rows = torch.from_numpy(np.repeat(fold, lengths)).to(device)
        weighted = torch.from_numpy(proba).to(device) * dataset.weights[rows, None]
        predicted.index_add_(0, dataset.nodes[places], weighted)
    dataset.next_counts.mix(predicted, share)


def _check_mixable(data, n_cells, share):
    """Raise an error for words with labels, and for tables too large for memory."""
    if data.labels is not None:
        raise ValueError(
            f"ngram_share={share} is only for words without labels; set ngram_share=0."
        )
    if n_cells > MAX_TARGET_CELLS:
        raise ValueError(
            f"ngram_share={share} needs {n_cells:,} targets, more than the largest "
            f"number, {MAX_TARGET_CELLS:,}; fit on fewer words, or set ngram_share=0."
        )


def _out_of_fold(words: TrainingSet) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the words of each fold and the distributions at their predictions.

    words : distinct, at least two
    fold : (n,) rows of the words; proba : (n_predictions, n_symbols) float32
    """
    fold_of = np.arange(words.encoded.n_words) % N_FOLDS
    for number in range(fold_of.max() + 1):
        fold = np.flatnonzero(fold_of == number)
        others = words.take(np.flatnonzero(fold_of != number))
        counter = NGramCounter()
        counted = counter._count(others), others.max_predictions - 1
        model = counter._fit_counted(CountedWords(words.vocabulary, *counted)).model_
        log_proba, rows = model.next_log_proba(model.states(words.encoded.take(fold)))
        yield fold, np.exp(log_proba).astype("float32")[rows]
