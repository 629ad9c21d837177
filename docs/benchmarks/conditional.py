"""Compare ConditionalCharLM with one model without labels and one model per label.

    python docs/benchmarks/conditional.py [FILE ...] [--networks] [--seed N] [--grouped]

The words are the bundled names with their sex, and those of each FILE, a CSV with a
header line, words in the first column and labels in the second. A fifth of the words of
each label is held out. A word that occurs with two labels can then be in both parts;
with `--grouped` it cannot. Each model is fitted in three ways:

no label       one model of all words
one per label  one model for each label
conditional    ConditionalCharLM

The columns are the NLL of all held-out words in nats per character, the mean of the
NLLs of the labels, and the seconds that `fit` takes in one thread. The alphabet is that
of all words.

The default is n-grams, which take seconds. `--networks` adds networks, which take
minutes each.
"""

import argparse
import csv
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from report import markdown
from sklearn.base import clone
from sklearn.model_selection import StratifiedGroupKFold, train_test_split

import sklearn_makemore as makemore
from sklearn_makemore.datasets import load_names

COUNTERS = [
    makemore.NGramCounter(),
    makemore.NGramCounter(smoothing="additive"),
    makemore.BigramCounter(),
]
NETWORKS = [
    network(random_state=0)
    for network in (
        makemore.MLPCharLM,
        makemore.WaveNetCharLM,
        makemore.TransformerCharLM,
        makemore.GRUCharLM,
        makemore.LSTMCharLM,
    )
]


def labelled_words(path):
    """Return the words of a CSV file and their labels, as two arrays."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    words, labels, *_ = np.array(rows).T
    return words, labels


def split(words, labels, seed, grouped):
    """Return training rows and test rows, stratified by label."""
    rows = np.arange(len(words))
    if not grouped:
        return train_test_split(rows, test_size=0.2, random_state=seed, stratify=labels)
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
    return next(folds.split(rows, labels, groups=words))


class OnePerLabel:
    """A model for each label."""

    def __init__(self, model):
        self.model = model

    def fit(self, words, labels):
        self.models = {
            label: clone(self.model).fit(words[labels == label])
            for label in np.unique(labels)
        }
        return self

    def score_samples(self, words, labels):
        log_proba = np.empty(len(words))
        for label, model in self.models.items():
            rows = labels == label
            log_proba[rows] = model.score_samples(words[rows])
        return log_proba


class NoLabel:
    """A model that does not see the labels."""

    def __init__(self, model):
        self.model = model

    def fit(self, words, labels):
        self.model.fit(words)
        return self

    def score_samples(self, words, labels):
        return self.model.score_samples(words)


WAYS = {
    "no label": NoLabel,
    "one per label": OnePerLabel,
    "conditional": makemore.ConditionalCharLM,
}


def nlls(log_proba, words, labels):
    """Return the NLL of all words, and the mean of the NLLs of the labels."""
    n_predicted = np.array([len(word) + 1 for word in words])
    of_label = [
        -log_proba[rows].sum() / n_predicted[rows].sum()
        for rows in (labels == label for label in np.unique(labels))
    ]
    return -log_proba.sum() / n_predicted.sum(), np.mean(of_label)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", type=Path, nargs="*", metavar="FILE")
    parser.add_argument("--networks", action="store_true")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--grouped", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    names, sex = load_names(return_X_y=True)
    lists = {"names": (np.array(names), np.array(sex))}
    lists |= {path.stem: labelled_words(path) for path in arguments.files}
    heads = ["list", "model", "labels", "NLL", "mean of labels", "fit (s)"]
    print(markdown(heads, []), flush=True)
    for list_name, (words, labels) in lists.items():
        train, test = split(words, labels, arguments.seed, arguments.grouped)
        alphabet = "".join(sorted(set("".join(words))))
        for model in COUNTERS + NETWORKS * arguments.networks:
            for way, fitted_so in WAYS.items():
                fitted = fitted_so(clone(model).set_params(alphabet=alphabet))
                start = time.perf_counter()
                fitted.fit(words[train], labels[train])
                seconds = time.perf_counter() - start
                log_proba = fitted.score_samples(words[test], labels[test])
                found = nlls(log_proba, words[test], labels[test])
                cells = [list_name, f"`{model}`", way]
                cells += [f"{nll:.3f}" for nll in found] + [f"{seconds:.2g}"]
                print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
