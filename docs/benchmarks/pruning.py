"""Size against NLL of pruned n-gram models.

    python docs/benchmarks/pruning.py [FILE ...]

prints a Markdown table per list: the lectures' names, and FILEs with one word per line,
or with the word before the first comma or space. Each list is cut like the lectures'.
"""

import argparse
import tempfile
from pathlib import Path

import joblib
from report import lecture_split, markdown, read_names

from sklearn_makemore import NGramCounter, save

ORDER = 6
MIN_COUNTS = [2, 3, 5, 10]
ENTROPIES = [1e-7, 3e-7, 1e-6, 3e-6, 1e-5, 3e-5, 1e-4]
HEADS = ["model", "n-grams", "file (bytes)", "bytes per n-gram", "joblib", "NLL"]


def read_list(path):
    """Return the first fields of the lines of a file, each once."""
    lines = path.read_text(encoding="utf-8").splitlines()
    words = [line.replace(",", " ").split()[0] for line in lines if line.strip()]
    return list(dict.fromkeys(words))


def file_size(write, model):
    """Return the bytes of the file that a function writes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model")
        write(model, path)
        return path.stat().st_size


def row(name, model, validation):
    """Return the cells of a model of this package."""
    n_ngrams, size = model.model_.plain.n_ngrams, file_size(save, model)
    return [
        name,
        f"{n_ngrams:,}",
        f"{size:,}",
        f"{size / n_ngrams:.2f}",
        f"{file_size(joblib.dump, model):,}",
        f"{model.nll(validation):.4f}",
    ]


def rows(words):
    """Yield the rows of a list."""
    train, validation, _ = lecture_split(words)
    alphabet = "".join(sorted(set("".join(words))))
    model = NGramCounter(ORDER, alphabet=alphabet).fit(train)
    yield row("fit", model, validation)
    for least in MIN_COUNTS:
        pruned = model.prune(min_count=least)
        yield row(f"min_count={least}", pruned, validation)
    for entropy in ENTROPIES:
        pruned = model.prune(entropy=entropy)
        yield row(f"entropy={entropy:.0e}", pruned, validation)


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE")
    options = parser.parse_args()
    lists = {"names": read_names()}
    lists |= {path.name: read_list(path) for path in options.files}
    for name, words in lists.items():
        print(f"\n{name}: {len(words):,} words, order {ORDER}\n")
        print(markdown(HEADS, rows(words)), flush=True)


if __name__ == "__main__":
    main()
