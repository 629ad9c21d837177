"""Compare the meta-estimators with scikit-learn's estimators for the same tasks.

    python docs/benchmarks/applications.py [--splits N] [--only NAME ...] [--json FILE]

prints Markdown tables; the exit status is 1 if a bound is not kept. The words are the
bundled names; equal names are on one side of every split. Means over the splits, and in
brackets the smallest and the largest. The domains are those of the folder `lists` next
to the file of names, see README.md; without it their table is left out.
"""

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import mean

import numpy as np
from report import is_kept, machine, machine_line, markdown, names_file
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import IsolationForest
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score
from sklearn.model_selection import GridSearchCV, GroupShuffleSplit
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline

from sklearn_makemore import BigramCounter, CharLMClassifier, CharLMOutlierDetector
from sklearn_makemore.datasets import load_names

LETTERS = np.array(list("abcdefghijklmnopqrstuvwxyz"))
FEW = 1000
"""Number of training names in the rows of few words."""

LISTS = names_file().parent / "lists"
FAMILIES = ["conficker", "matsnu", "tinba", "zeus"]
"""Programs that generate domains, with lists of a thousand each."""

SCORES = ["excess", "deviation", "character", "word"]


@dataclass
class Row:
    """An estimator of a table: its figures by name, one value per split."""

    label: str
    figures: dict[str, list[float]] = field(default_factory=dict)
    bound: str = ""
    is_met: bool | None = None

    def add(self, **figures):
        for name, value in figures.items():
            self.figures.setdefault(name, []).append(float(value))


def splits(words, n_splits):
    """Yield training rows and test rows, with equal words on the same side."""
    cut = GroupShuffleSplit(n_splits, test_size=0.2, random_state=0)
    return cut.split(words, groups=words)


def bag(*steps, longest=5):
    """Return a pipeline of counted n-grams of up to `longest` characters."""
    return make_pipeline(
        CountVectorizer(analyzer="char", ngram_range=(1, longest)), *steps
    )


def classifiers():
    logistic = LogisticRegression(max_iter=2000)
    ours = "`CharLMClassifier()`"
    few = f", {FEW:,} names"
    return {
        ours: CharLMClassifier(),
        '`CharLMClassifier(calibration="temperature")`': CharLMClassifier(
            calibration="temperature"
        ),
        "`CharLMClassifier(calibration=None)`": CharLMClassifier(calibration=None),
        "`MultinomialNB`": bag(MultinomialNB()),
        "`LogisticRegression`": bag(logistic),
        "`MultinomialNB`, `alpha` searched": searched(
            MultinomialNB(), alpha=[0.1, 0.3, 1.0, 3.0, 10.0]
        ),
        "`LogisticRegression`, `C` searched": searched(logistic, C=[0.3, 1.0, 3.0]),
        ours + few: CharLMClassifier(),
        "`MultinomialNB`" + few: bag(MultinomialNB()),
        "`LogisticRegression`" + few: bag(logistic),
    }


def searched(classifier, **grid):
    """Return a search by log-loss with three folds that keep equal words together."""
    step = type(classifier).__name__.lower()
    grid = {f"{step}__{name}": values for name, values in grid.items()}
    folds = GroupShuffleSplit(3, test_size=1 / 3, random_state=0)
    return GridSearchCV(bag(classifier), grid, cv=folds, scoring="neg_log_loss")


def measure_classifiers(n_splits):
    """Classify girls' names and boys' names."""
    names = load_names()
    words, sex = np.array(names.data), names.target
    rows = {label: Row(label) for label in classifiers()}
    for learned, held_out in splits(words, n_splits):
        few = np.random.RandomState(0).choice(learned, FEW, replace=False)
        for label, classifier in classifiers().items():
            part = few if label.endswith("names") else learned
            params = (
                {"groups": words[part]} if isinstance(classifier, GridSearchCV) else {}
            )
            start = time.perf_counter()
            classifier.fit(words[part], sex[part], **params)
            seconds = time.perf_counter() - start
            proba = classifier.predict_proba(words[held_out])
            truth = sex[held_out]
            rows[label].add(
                log_loss=log_loss(truth, proba),
                roc_auc=roc_auc_score(truth, proba[:, 1]),
                accuracy=accuracy_score(truth, classifier.classes_[proba.argmax(1)]),
                seconds=seconds,
            )
            report(rows[label])
    losses = {label: mean(row.figures["log_loss"]) for label, row in rows.items()}
    for label in losses:
        if label.startswith("`CharLMClassifier()`"):
            tail = label.removeprefix("`CharLMClassifier()`")
            best = min(
                losses[f"`{name}`{tail}"]
                for name in ("MultinomialNB", "LogisticRegression")
            )
            rows[label].bound = f"{best:.4f}, the better of the two"
            rows[label].is_met = losses[label] <= best
    return list(rows.values())


def detectors():
    forest = IsolationForest(random_state=0)
    return {
        "`CharLMOutlierDetector()`": CharLMOutlierDetector(),
        **{
            f'`CharLMOutlierDetector(per="{per}")`': CharLMOutlierDetector(per=per)
            for per in ("deviation", "character", "word")
        },
        "`CharLMOutlierDetector(BigramCounter(...))`": CharLMOutlierDetector(
            BigramCounter(handle_unknown="unk")
        ),
        "`IsolationForest`, 1 to 3 characters": bag(forest, longest=3),
        "`IsolationForest`, 1 to 5 characters": bag(forest, longest=5),
        "`IsolationForest`, 50 components of tf-idf": make_pipeline(
            TfidfVectorizer(analyzer="char", ngram_range=(1, 3)),
            TruncatedSVD(50, random_state=0),
            forest,
        ),
    }


def random_strings(words, rng):
    """Return strings of independent letters, of the lengths of the words."""
    return ["".join(rng.choice(LETTERS, len(word))) for word in words]


def shuffled(words, rng, known):
    """Return the words with their letters in another order, without known words."""
    mixed = ("".join(rng.permutation(list(word))) for word in words)
    return [word for word in mixed if word not in known]


def measure_detectors(n_splits):
    """Separate unseen names from strings that are not names."""
    words = np.array(load_names().data)
    known = set(words.tolist())
    rows = {label: Row(label) for label in detectors()}
    for number, (learned, held_out) in enumerate(splits(words, n_splits)):
        rng = np.random.RandomState(number)
        names = sorted(set(words[held_out].tolist()))
        odd = {
            "random": random_strings(names, rng),
            "shuffled": shuffled(names, rng, known),
        }
        # One in ten of the list itself is odd, and the detector is not told which.
        listed = sorted(set(words[learned].tolist()))
        hidden = random_strings(rng.choice(listed, len(listed) // 9, False), rng)
        unclean = rng.permutation(np.array(listed + hidden))
        is_name = np.isin(unclean, listed)
        for label, detector in detectors().items():
            start = time.perf_counter()
            detector.fit(words[learned])
            seconds = time.perf_counter() - start
            figures = {
                f"against {kind} strings": auc(detector, names, strings)
                for kind, strings in odd.items()
            }
            if isinstance(detector, CharLMOutlierDetector):
                found = detector.fit_predict(unclean) == -1
            else:
                scores = detector.fit(unclean).score_samples(unclean)
                found = scores < np.quantile(scores, 0.1)
            figures["found"] = np.mean(found[~is_name])
            rows[label].add(**figures, seconds=seconds)
            report(rows[label])
    best = {
        kind: max(
            mean(row.figures[kind]) for label, row in rows.items() if "Forest" in label
        )
        for kind in ("against random strings", "against shuffled strings")
    }
    ours = rows["`CharLMOutlierDetector()`"]
    ours.bound = "above the forests"
    ours.is_met = all(mean(ours.figures[kind]) > best[kind] for kind in best)
    return list(rows.values())


def measure_domains(n_splits):
    """Separate popular domains from generated ones of four families."""
    return [row for whole in (True, False) for row in rows_of_domains(n_splits, whole)]


def rows_of_domains(n_splits, is_whole):
    """Measure each score, with or without the top-level domain."""
    what = "domains" if is_whole else "without top-level domains"
    rows = {per: Row(f'`per="{per}"`, {what}') for per in SCORES}
    domains = np.array(read_domains("domains_top", is_whole))
    for number in range(n_splits):
        mixed = np.random.RandomState(number).permutation(domains)
        learned, popular = np.array_split(mixed, 2)
        for per, row in rows.items():
            detector = CharLMOutlierDetector(per=per).fit(learned)
            least = np.quantile(detector.score_samples(popular), 0.01)
            for family in FAMILIES:
                generated = read_domains(f"dga_{family}", is_whole)
                found = np.mean(detector.score_samples(generated) < least)
                row.add(
                    **{f"{family}, AUC": auc(detector, popular, generated)},
                    **{f"{family}, found": found},
                )
            report(row)
    default, character = rows["excess"], rows["character"]
    default.bound = 'AUC above `per="character"`'
    default.is_met = all(
        mean(default.figures[name]) > mean(character.figures[name])
        for name in default.figures
        if name.endswith("AUC")
    )
    return list(rows.values())


def read_domains(name, is_whole):
    """Return the distinct domains of a list, with or without the top-level domain."""
    text = (LISTS / f"{name}.txt").read_text(encoding="utf-8")
    domains = text.split()
    if not is_whole:
        domains = [domain.rpartition(".")[0] for domain in domains]
    return list(dict.fromkeys(domains))


def auc(detector, words, odd):
    scores = detector.score_samples([*words, *odd])
    return roc_auc_score([1] * len(words) + [0] * len(odd), scores)


def report(row):
    figures = {name: round(values[-1], 4) for name, values in row.figures.items()}
    print(row.label, figures, file=sys.stderr, flush=True)


def shown(name, values):
    if name == "seconds":
        return f"{mean(values):.2g}"
    return f"{mean(values):.4f} ({min(values):.4f} to {max(values):.4f})"


def table(rows):
    heads = [name.replace("_", " ") for name in rows[0].figures]
    cells = [
        [
            row.label,
            *(shown(name, values) for name, values in row.figures.items()),
            row.bound,
            is_kept(row.is_met),
        ]
        for row in rows
    ]
    return markdown(["estimator", *heads, "bound", "met"], cells)


TABLES = {
    "classifiers": ("Girls' and boys' names", measure_classifiers),
    "detectors": ("Names and other strings, ROC AUC", measure_detectors),
    "domains": ("Popular domains and generated ones", measure_domains),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--splits", type=int, default=5, help="splits of the names")
    parser.add_argument("--only", nargs="*", choices=TABLES, help="tables to measure")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all values")
    options = parser.parse_args()
    results = {
        name: measure(options.splits)
        for name, (_, measure) in TABLES.items()
        if (
            name in options.only
            if options.only
            else name != "domains" or LISTS.exists()
        )
    }
    print(machine_line())
    for name, rows in results.items():
        print(f"\n### {TABLES[name][0]}\n\n{table(rows)}")
    if options.json:
        tables = {name: [asdict(row) for row in rows] for name, rows in results.items()}
        text = json.dumps({"machine": machine(), "tables": tables}, indent=2)
        options.json.write_text(text + "\n", encoding="utf-8")
    return any(row.is_met is False for rows in results.values() for row in rows)


if __name__ == "__main__":
    sys.exit(main())
