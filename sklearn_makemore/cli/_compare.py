"""Fit several models to words, and compare them on held-out words.

All models are fitted to the same words, with default parameters. NLL is the
mean negative log-likelihood in nats per character; lower is better.
"""

import inspect
import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter

from .. import ConditionalCharLM
from .._base import BaseCharLM
from ._labels import add_label_option, labelled_words
from ._learning import AllWords, add_held_out_option, split_words
from ._models import MODELS, model_class
from ._option_types import SEEDS, OptionType
from ._progress import EpochCallback
from ._streams import UsageError, print_message
from ._words import STANDARD_INPUT, add_words_options

COLUMNS = ("model", "validation NLL", "seconds to fit")


@dataclass
class Row:
    """A row of the table: a model and, once it is fitted, its NLL and fit time."""

    name: str
    model: BaseCharLM | ConditionalCharLM
    nll: float | None = None
    seconds: float | None = None
    epochs: EpochCallback = field(default_factory=EpochCallback)

    @property
    def cells(self):
        """Return the texts of the columns."""
        if self.nll is None or self.seconds is None:
            return self.name, "", f"epoch {self.epochs.n_done + 1}"
        return self.name, f"{self.nll:.4f}", f"{self.seconds:.3f}"


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
    parser.group("models").add_argument(
        "--models",
        nargs="+",
        default=MODELS,
        metavar="NAME",
        help=f"Models to compare: {', '.join(MODELS)}. By default all of them, which "
        "takes minutes on tens of thousands of words.",
    )
    add_held_out_option(parser)
    parser.group("models").add_argument(
        "--random-state",
        type=OptionType(int, SEEDS),
        default=0,
        metavar="SEED",
        help="Random seed of the networks. Default: %(default)s.",
    )


def run(options):
    """Fit the models, and print the table and words from the best model."""
    models = [_new_model(name, options.random_state) for name in options.models]
    if options.label_column is None:
        training = AllWords.of(split_words(options))
    else:
        training = labelled_words(options)
    if training.held_out is None:
        raise UsageError(
            "no word is held out to compare the models on; use more words, or a "
            "larger --held-out"
        )
    print(
        f"{len(training.words):,} training words, "
        f"{training.held_out.n_words:,} held-out words.\n"
        "NLL: mean negative log-likelihood in nats per character; lower is better.\n",
        flush=True,
    )
    with shown_table() as rows:
        _warm_up(models)
        for model in models:
            row = Row(type(model).__name__, model)
            rows.append(row)
            try:
                _measure(row, training)
            except ValueError as error:
                rows.remove(row)
                print_message(f"{row.name} is skipped: {error}")
    if not rows:
        raise ValueError("none of the models can be fitted to these words")
    best = _by_nll(rows)[0]
    print()
    training.show_words(best.model, f" from {best.name}")


def _new_model(name, random_state):
    """Return a model with default parameters, and with the seed if it takes one."""
    if name == STANDARD_INPUT or os.path.isfile(name):
        raise UsageError(
            f"there is no model {name!r}; put the file of words before --models"
        )
    made = model_class(name)
    has_seed = "random_state" in inspect.signature(made).parameters
    return made(random_state=random_state) if has_seed else made()


def _warm_up(models):
    """Train a tiny network, so that the times exclude torch's own imports.

    They take about a second at the first training of a process.
    """
    if any(hasattr(model, "max_epochs") for model in models):
        model_class("BigramCharLM")(max_epochs=1).fit(["a"])


def _measure(row, training):
    """Fit the model of a row, and set its NLL and seconds."""
    start = perf_counter()
    row.model = training.fit(row.model, row.epochs)
    row.seconds = perf_counter() - start
    row.nll = training.held_out.nll(row.model)


@contextmanager
def shown_table():
    """Show a table of the rows that the block adds to the yielded list, best first.

    A terminal shows it live. Other outputs get it at the end.
    """
    rows = []
    if sys.stdout is None or not sys.stdout.isatty():
        try:
            yield rows
        finally:  # also after Ctrl-C, for the finished models
            _print_table([row for row in rows if row.nll is not None])
        return
    from rich.live import Live

    with Live(get_renderable=lambda: _rich_table(rows)):
        yield rows


def _print_table(rows):
    if rows:
        for cells in [COLUMNS, *(row.cells for row in _by_nll(rows))]:
            print("{:<18}{:>16}{:>16}".format(*cells))


def _rich_table(rows):
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for index, column in enumerate(COLUMNS):
        table.add_column(column, justify="right" if index else "left")
    for row in _by_nll(rows):
        table.add_row(*row.cells)
    return table


def _by_nll(rows):
    """Sort rows by NLL, with unfinished rows last."""
    return sorted(rows, key=lambda row: float("inf") if row.nll is None else row.nll)
