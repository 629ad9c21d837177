"""Whether KenLM and this package agree on the probabilities of ARPA files.

    python docs/benchmarks/kenlm_files.py [FOLDER] [--lmplz PATH]

The words are the lectures' list, the bundled names and, if a FOLDER is given, the lists
of words in it (`*.txt`, and the surnames of `surnames18.csv`). A row compares the
log-probability of every word under KenLM's `kenlm.Model` and under `score_samples`:

to_arpa     KenLM reads the file that `NGramCounter.to_arpa` wrote
lmplz       both read the file that KenLM's `lmplz` wrote, all of it, or pruned
estimate    the counter of the same words, against the file of `lmplz`; no bound

The module comes from `pip install kenlm`. `lmplz` is a program of the same source
package, which cmake and the Boost libraries compile. Without it, the rows are left out.
KenLM reads orders of up to 6. A list takes half a minute.
"""

import argparse
import csv
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from report import is_kept, machine_line, markdown, read_names

from sklearn_makemore import NGramCounter
from sklearn_makemore.datasets import load_names

ORDERS = range(2, 7)
BOUND = 1e-4
SPACE = "\N{LOWER ONE EIGHTH BLOCK}"
HEADS = ["list", "words", "what", "n-grams", "write (s)", "read (s)"]
HEADS += ["largest difference per word (nats)", "bound", "met"]


def lists(folder):
    """Yield names of lists with their words."""
    yield "names.txt", read_names()
    yield "load_names", load_names().data
    if folder is None:
        return
    for path in sorted(folder.glob("*.txt")):
        words = path.read_text("utf-8").splitlines()
        yield path.name, [word for word in words if word and "\t" not in word]
    for path in folder.glob("surnames18.csv"):
        with path.open(encoding="utf-8") as file:
            yield path.name, [row["surname"] for row in csv.DictReader(file)]


def sentence(word):
    """Return a word as a sentence of KenLM."""
    return " ".join(word.replace(" ", SPACE))


def kenlm_scores(path, words):
    """Return KenLM's log-probability of each word, in nats."""
    import kenlm

    config = kenlm.Config()
    config.show_progress = False
    model = kenlm.Model(str(path), config)
    scores = [model.score(sentence(word)) for word in words]
    return np.array(scores) * np.log(10)


def plain(order, **parameters):
    """Return a counter of the form that an ARPA file can hold."""
    return NGramCounter(order, match_lengths=False, **parameters)


def timed(function, *arguments):
    start = time.perf_counter()
    result = function(*arguments)
    return result, time.perf_counter() - start


def written_by_us(words, order, path, discounts):
    """Return the row of a model that `to_arpa` writes."""
    model = plain(order, discounts=discounts).fit(words)
    _, seconds = timed(model.to_arpa, path)
    again, seconds_read = timed(NGramCounter.from_arpa, path)
    score = model.score_samples(words)
    difference = max(
        np.abs(scores - score).max()
        for scores in (kenlm_scores(path, words), again.score_samples(words))
    )
    cells = [again.model_.n_ngrams, seconds, seconds_read, difference, BOUND]
    return f"to_arpa, order {order}, {discounts}", *cells


def written_by_kenlm(words, order, path, lmplz, pruned):
    """Return the rows of a model that `lmplz` writes."""
    command = [lmplz, "-o", str(order), "--discount_fallback", "-S", "1G"]
    command += ["--arpa", str(path), *(["--prune", "0", "0", "1"] if pruned else [])]
    text = "".join(f"{sentence(word)}\n" for word in words)
    subprocess.run(command, input=text.encode(), capture_output=True, check=True)
    model, seconds = timed(NGramCounter.from_arpa, path)
    scores = kenlm_scores(path, words)
    difference = np.abs(scores - model.score_samples(words)).max()
    name = f"lmplz, order {order}{', pruned' if pruned else ''}"
    yield name, model.model_.n_ngrams, None, seconds, difference, BOUND
    if not pruned:
        ours = plain(order, discounts="closed-form", handle_unknown="unk").fit(words)
        difference = np.abs(scores - ours.score_samples(words)).max()
        yield (
            f"estimate, order {order}",
            ours.model_.n_ngrams,
            *[None] * 2,
            difference,
            0,
        )


def rows_of(words, lmplz, path):
    for order in ORDERS:
        for discounts in "closed-form", "leave-one-out":
            yield written_by_us(words, order, path, discounts)
    if lmplz is None:
        return
    for order in ORDERS:
        for pruned in (False, True) if order > 2 else (False,):
            yield from written_by_kenlm(words, order, path, lmplz, pruned)


def shown(row):
    what, n_ngrams, seconds, seconds_read, difference, bound = row
    times = [
        "" if value is None else f"{value:.2g}" for value in (seconds, seconds_read)
    ]
    met = is_kept(difference <= bound if bound else None)
    bound = f"{bound:g}" if bound else ""
    return [what, f"{n_ngrams:,}", *times, f"{difference:.1e}", bound, met]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, nargs="?", help="more lists of words")
    parser.add_argument("--lmplz", metavar="PATH", help="KenLM's program lmplz")
    options = parser.parse_args()
    cells, is_met = [], True
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.arpa")
        for name, words in lists(options.folder):
            for row in rows_of(words, options.lmplz, path):
                cells.append([name, f"{len(words):,}", *shown(row)])
                is_met &= not row[-1] or row[-2] <= row[-1]
                print(" | ".join(cells[-1]), file=sys.stderr, flush=True)
    print(machine_line())
    print()
    print(markdown(HEADS, cells))
    return not is_met


if __name__ == "__main__":
    sys.exit(main())
