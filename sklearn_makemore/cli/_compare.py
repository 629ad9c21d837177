"""Fit several models to words, and compare them on held-out words.

All models are fitted to the same words, with default parameters. NLL is the
mean negative log-likelihood in nats per character; lower is better.
"""

import inspect
import os
import sys
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from .. import ConditionalCharLM
from .._base import BaseCharLM
from ._labels import add_label_option, labelled_words
from ._learning import AllWords, add_held_out_option, split_words
from ._models import COUNTERS, MODELS, model_class
from ._option_types import SEEDS, OptionType
from ._progress import TrainingProgress, progress_bar
from ._streams import UsageError, is_terminal, print_message
from ._words import STANDARD_INPUT, add_words_options

MIN_WORDS = {"GRUCharLM": 300}
MIN_WORDS_OF_OTHERS = 1000
"""Numbers of training words from which networks are compared by default. On lists of
names, surnames, dinosaurs and domains with 50 to 400 words, NGramCounter was the best,
or within 0.03 nats of the best network, most often a GRUCharLM."""

MAX_WORDS = 100_000
"""Number of training words up to which networks are compared by default. With 200,000,
GRUCharLM alone took seven minutes, and NGramCounter was better."""

COLUMNS = ("model", "validation NLL", "seconds to fit")

USAGE = "[WORDS] [--models NAME ...] [options]"
EXAMPLES = """
words.txt
words.txt --models ngram gru lstm
names.csv --column name --label sex
"""


def add_options(parser, arguments):
    """Add the options."""
    add_words_options(parser)
    add_label_option(parser)
    add_held_out_option(parser)
    models = parser.group("models")
    models.add_argument(
        "--models",
        nargs="+",
        metavar="NAME",
        help=f"Some of {', '.join(MODELS)}; short names such as gru are enough. "
        "By default those that suit the number of words.",
    )
    models.add_argument(
        "--random-state",
        type=OptionType(int, SEEDS),
        default=0,
        metavar="SEED",
        help="Random seed of the networks. Default: %(default)s.",
    )


def run(options):
    """Fit the models, and print the table and words from the best model."""
    models = [_new_model(name, options.random_state) for name in options.models or ()]
    training = _words_to_learn(options)
    if not models:
        names = default_models(training.n_words)
        models = [_new_model(name, options.random_state) for name in names]
    print(
        f"{training.n_words:,} training words, "
        f"{training.held_out.n_words:,} held-out words.\n"
        "NLL: mean negative log-likelihood in nats per character; lower is better.\n",
        flush=True,
    )
    best = _compared(models, training)
    print()
    training.show_words(best.model, f" from {best.name}")


def _words_to_learn(options) -> Any:
    """Read the words, of which some must be held out."""
    if options.label_column is None:
        training = AllWords.of(split_words(options))
    else:
        training = labelled_words(options)
    if training.held_out is None:
        raise UsageError(
            "no word is held out to compare the models on; use more words, or a "
            "larger --held-out"
        )
    return training


def default_models(n_words):
    """Return the names of the models that suit a list, and tell which do not."""
    suit = [name for name in MODELS if name in COUNTERS or _suits(name, n_words)]
    if left_out := ", ".join(name for name in MODELS if name not in suit):
        is_slow = n_words > MAX_WORDS
        reason = "they take long" if is_slow else "they are no better than the others"
        print_message(
            f"left out with {n_words:,} words, because {reason}: {left_out}; use "
            "--models to compare any of them"
        )
    return suit


def _suits(network, n_words):
    return MIN_WORDS.get(network, MIN_WORDS_OF_OTHERS) <= n_words <= MAX_WORDS


def _new_model(name, random_state):
    """Return a model with default parameters, and with the seed if it takes one."""
    if name == STANDARD_INPUT or os.path.isfile(name):
        raise UsageError(
            f"there is no model {name!r}; put the file of words before --models"
        )
    made = model_class(name)
    has_seed = "random_state" in inspect.signature(made).parameters
    return made(random_state=random_state) if has_seed else made()


def _compared(models, training):
    """Fit models and show the table; return the best row."""
    rows = [Row(model, f"{i} of {len(models)}") for i, model in enumerate(models, 1)]
    with shown_table() as shown:
        _warm_up(models)
        for row in rows:
            shown.append(row)
            try:
                with _bar(row):
                    row.measure(training)
            except ValueError as error:
                shown.remove(row)
                print_message(f"{row.name} is skipped: {error}")
    if not shown:
        raise ValueError("none of the models can be fitted to these words")
    return by_nll(shown)[0]


@dataclass
class Row:
    """A row of the table: a model and, once it is fitted, its NLL and fit time."""

    model: BaseCharLM | ConditionalCharLM
    number: str
    nll: float | None = None
    seconds: float | None = None

    def __post_init__(self):
        self.name = type(self.model).__name__
        self.progress = TrainingProgress(self.model)

    def measure(self, training):
        """Fit the model, and measure its NLL and seconds."""
        start = perf_counter()
        self.model = training.fit(self.model, self.progress)
        self.seconds = perf_counter() - start
        self.nll = training.held_out.nll(self.model)

    @property
    def cells(self):
        """Return the texts of the columns."""
        if self.nll is None or self.seconds is None:
            return self.name, self.progress.epoch, f"fitting {self.number}"
        return self.name, f"{self.nll:.4f}", f"{self.seconds:.3f}"


def _warm_up(models):
    """Train a tiny network, so that the times exclude torch's own imports.

    They take about a second at the first training of a process.
    """
    if any(hasattr(model, "max_epochs") for model in models):
        model_class("BigramCharLM")(max_epochs=1).fit(["a"])


@contextmanager
def shown_table():
    """Show a table of the rows that the block adds to the yielded list, best first.

    A terminal shows it live. Other outputs get it at the end.
    """
    rows = []
    if not is_terminal(sys.stdout):
        try:
            yield rows
        finally:  # also after Ctrl-C, for the finished models
            _print_table([row for row in rows if row.nll is not None])
        return
    from rich.live import Live

    with Live(get_renderable=lambda: _rich_table(rows)):
        yield rows


def _bar(row):
    """Show a progress bar while a row is measured, unless a live table has one."""
    if is_terminal(sys.stdout):
        return nullcontext()
    return progress_bar(row.progress, f"{row.name} ({row.number})")


def _print_table(rows):
    if rows:
        for cells in [COLUMNS, *(row.cells for row in by_nll(rows))]:
            print("{:<18}{:>16}{:>16}".format(*cells))


def _rich_table(rows):
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for index, column in enumerate((*COLUMNS, "")):
        table.add_column(column, justify="right" if index in (1, 2) else "left")
    for row in by_nll(rows):
        total, done = row.progress.n_epochs, row.progress.epochs_done
        is_training = total and row.nll is None
        bar = [ProgressBar(total, done, width=20)] if is_training else []
        table.add_row(*row.cells, *bar)
    return table


def by_nll(rows):
    """Sort rows by NLL, with unfinished rows last."""
    return sorted(rows, key=lambda row: float("inf") if row.nll is None else row.nll)
