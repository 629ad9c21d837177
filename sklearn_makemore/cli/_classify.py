"""Print the probability of each label, one row per word.

A classifier learns the labels of the words after --train, from the column
--label. A row has the word and the probability of each label; tabs separate
them unless the output is a terminal. A share of the training words is held
out, and the accuracy on these is printed.
"""

import json
import shutil
import sys
from argparse import Namespace
from collections import Counter

import numpy as np

from .. import CharLMClassifier
from ._labels import labelled_words
from ._learning import add_held_out_option
from ._models import new_model
from ._parser import arguments_from
from ._streams import UsageError, escaped, is_terminal, print_message
from ._training import (
    add_training_options,
    chunks_to_use,
    read_stored,
    resolve_arguments,
    save_trained,
)

USAGE = "(--train FILE --label COLUMN | MODEL) [WORDS]"
EXAMPLES = """
--train names.csv --column 0 --label 1 words.txt
--train names.csv --label sex -o m.safetensors
m.safetensors words.txt
"""

N_LIKELY_LABELS = 3
"""Number of labels per word where a terminal is too narrow for all of them."""

MAX_FEW_LABELS, MIN_WORDS_PER_LABEL = 100, 4
"""More labels than both allow are probably no labels, such as counts; each label costs
several models."""

NOT_OPTIONS = {"estimator", "cv", "n_jobs"}


def add_options(parser, arguments):
    """Add the options."""
    add_training_options(parser, arguments, CharLMClassifier, NOT_OPTIONS)
    parser.group("words").add_argument(
        "--label",
        dest="label_column",
        metavar="COLUMN",
        help="Column of labels to train on, by name or by number from 0.",
    )
    add_held_out_option(parser)
    parser.group("output").add_argument(
        "--json",
        action="store_true",
        help="Print JSON objects with the keys word and proba, the probabilities by "
        "label.",
    )


def run(options):
    """Print the probabilities."""
    resolve_arguments(options, CharLMClassifier, NOT_OPTIONS)
    if options.train is None:
        if options.label_column is not None:
            raise UsageError("--label needs --train FILE")
        classifier = read_stored(options, CharLMClassifier)
    else:
        classifier = _trained(options)
        if options.words is None:
            return
    labels = [str(label) for label in classifier.classes_.tolist()]
    show = None
    for words, _ in chunks_to_use(options):
        proba = classifier.predict_proba(words).tolist()
        show = show or _table_for(options, labels)
        show(words, labels, proba)


def _trained(options):
    """Train a classifier, and report its accuracy."""
    if options.label_column is None:
        raise UsageError("--train needs --label COLUMN")
    if options.words is None and options.output is None:
        raise UsageError("give WORDS to classify, or --output for the classifier")
    training = labelled_words(Namespace(**{**vars(options), "words": options.train}))
    n_labels, n_words = len(np.unique(training.labels)), training.n_words
    if n_labels > max(MAX_FEW_LABELS, n_words / MIN_WORDS_PER_LABEL):
        raise UsageError(
            f"the column of --label has {n_labels:,} different texts for {n_words:,} "
            "words; name a column of labels, such as languages"
        )
    params = arguments_from(options, CharLMClassifier, NOT_OPTIONS)
    classifier = CharLMClassifier(new_model(options), **params)
    classifier.fit(training.words, training.labels)
    if training.held_out is not None:
        words, labels = training.held_out.words, np.array(training.held_out.labels)
        share = classifier.score(words, labels)
        frequent = Counter(training.labels.tolist()).most_common(1)[0][0]
        print_message(
            f"accuracy on {len(words):,} held-out words: {share:.3f} "
            f"({np.mean(labels == frequent):.3f} if the answer were always {frequent})"
        )
    save_trained(classifier, options)
    return classifier


def _table_for(options, labels):
    """Return a function that prints rows; print the head of the table."""
    if options.json:
        return _show_as_json
    if not is_terminal(sys.stdout):
        print("\t".join(map(escaped, ["word", *labels])))
        return _show_as_columns
    if sum(max(len(label), 5) + 2 for label in labels) + 20 > _n_columns():
        return _show_likely_labels
    return _show_as_table


def _n_columns():
    return shutil.get_terminal_size().columns


def _show_as_json(words, labels, proba):
    for word, row in zip(words, proba, strict=True):
        shown = {"word": word, "proba": dict(zip(labels, row, strict=True))}
        print(json.dumps(shown, ensure_ascii=False))


def _show_as_columns(words, labels, proba):
    for word, row in zip(words, proba, strict=True):
        print("\t".join([escaped(word), *(f"{value:.4f}" for value in row)]))


def _show_as_table(words, labels, proba):
    """Print a table with the largest probability of each row in bold."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("word")
    for label in labels:
        table.add_column(escape(label), justify="right")
    for word, row in zip(words, proba, strict=True):
        best = max(row)
        cells = (f"[bold]{p:.2f}[/]" if p == best else f"{p:.2f}" for p in row)
        table.add_row(escape(escaped(word)), *cells)
    Console(highlight=False).print(table)


def _show_likely_labels(words, labels, proba):
    """Print each word with its most probable labels, for a table that is too wide."""
    for word, row in zip(words, proba, strict=True):
        likely = sorted(zip(row, labels, strict=True), reverse=True)[:N_LIKELY_LABELS]
        shown = "  ".join(f"{label} {value:.2f}" for value, label in likely)
        print(f"{escaped(word):<18}  {shown}")
