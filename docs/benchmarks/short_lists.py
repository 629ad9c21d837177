"""Whether generated words look like those of short lists: the scorecard.

    python docs/benchmarks/short_lists.py FOLDER [--models NAME ...]

FOLDER has the development lists: `surnames18.csv` with the columns surname and
language, `fantasy.txt`, `dinosaurs.txt` and `surnames_czech.txt`. Each list is sorted,
shuffled and cut into five folds. A model is fitted on four of them and samples 4,000
words. The columns, as means over the folds, are

NLL        of the fifth fold, in nats per character
outside    share of the samples that are shorter or longer than all training words
new first  share of the samples whose first letter begins no training word
empty      share of empty samples
distance   Wasserstein distance between the lengths of the samples and of the fifth
           fold, in characters

A counter takes seconds. A network takes one to five minutes in one thread, and all
models about 20 minutes.
"""

import argparse
import csv
import random
import warnings
from pathlib import Path

import numpy as np
import torch
from scipy.stats import wasserstein_distance

import sklearn_makemore as makemore

LANGUAGES = "Irish Korean Portuguese Vietnamese Polish Greek Dutch German".split()
FILES = ["fantasy", "dinosaurs", "surnames_czech"]
COLUMNS = ["NLL", "outside", "new first", "empty", "distance"]
N_FOLDS = 5
N_SAMPLES = 4_000

COUNTERS = {
    "NGramCounter()": makemore.NGramCounter(),
    "NGramCounter(lengths free)": makemore.NGramCounter(match_lengths=False),
    "NGramCounter(KenLM)": makemore.NGramCounter(
        discounts="closed-form", match_lengths=False
    ),
    "BigramCounter()": makemore.BigramCounter(),
}
NETWORKS = {
    f"{network.__name__}()": network(random_state=0)
    for network in (
        makemore.BigramCharLM,
        makemore.BoWCharLM,
        makemore.MLPCharLM,
        makemore.WaveNetCharLM,
        makemore.RNNCharLM,
        makemore.GRUCharLM,
        makemore.LSTMCharLM,
        makemore.TransformerCharLM,
    )
}
MODELS = {**COUNTERS, **NETWORKS}


def short_lists(folder):
    """Return the lists by name, sorted and without duplicates."""
    found = {}
    with (folder / "surnames18.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["language"], []).append(row["surname"])
    found = {language: found[language] for language in LANGUAGES}
    for name in FILES:
        found[name] = (folder / f"{name}.txt").read_text("utf-8").splitlines()
    return {
        name: sorted({word.strip() for word in words} - {""})
        for name, words in found.items()
    }


def scorecard(model, train, test, seed=0):
    """Return one value per column for a fitted model."""
    samples = model.sample(N_SAMPLES, random_state=seed)
    lengths, of_train, of_test = (
        np.array([len(word) for word in words]) for words in (samples, train, test)
    )
    is_outside = (lengths < of_train.min()) | (lengths > of_train.max())
    first_letters = {word[:1] for word in train}
    return (
        model.nll(test),
        is_outside.mean(),
        np.mean([word[:1] not in first_letters for word in samples]),
        np.mean(lengths == 0),
        wasserstein_distance(lengths, of_test),
    )


def shown(values):
    """Return the values of a scorecard as text."""
    nll, *shares, distance = values
    return [f"{nll:.3f}", *(f"{share:.1%}" for share in shares), f"{distance:.2f}"]


def mean_scorecard(model, words):
    """Return the means over the folds of a list."""
    random.Random(0).shuffle(words)
    alphabet = "".join(sorted(set("".join(words))))
    rows = []
    for fold in range(N_FOLDS):
        test = words[fold::N_FOLDS]
        train = [word for i, word in enumerate(words) if i % N_FOLDS != fold]
        model.set_params(alphabet=alphabet).fit(train)
        rows.append(scorecard(model, train, test, seed=fold))
    return np.mean(rows, axis=0)


def print_row(name, n_words, cells):
    print(f"  {name:16}{n_words:>6}" + "".join(f"{cell:>11}" for cell in cells))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--models", nargs="*", choices=MODELS, default=list(MODELS))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    for name in arguments.models:
        print(name)
        print_row("list", "words", COLUMNS)
        rows = []
        for list_name, words in short_lists(arguments.folder).items():
            rows.append(mean_scorecard(MODELS[name], words))
            print_row(list_name, len(words), shown(rows[-1]))
        print_row("mean", "", shown(np.mean(rows, axis=0)))


if __name__ == "__main__":
    main()
