"""Tell what a model file holds."""

import os

from .. import load
from .._base import BaseCharLM
from .._safe_file import version_of

MAX_ALPHABET_LENGTH = 200
"""Most characters of an alphabet that are printed."""


def add_options(parser, arguments):
    """Add the options."""
    parser.add_typed("model", type=str, metavar="MODEL", help="File of the model.")


def run(options):
    """Print a line for each fact."""
    model = load(options.model)
    facts = {
        "class": type(model).__name__,
        **(_learnt(model) if isinstance(model, BaseCharLM) else {}),
        "file": f"{os.path.getsize(os.path.expanduser(options.model)):,} bytes",
        "written by": f"sklearn_makemore {version_of(options.model)}",
        "parameters": "",
    }
    for name, value in facts.items():
        print(f"{name:<14}{value}".rstrip())
    for name, value in model.get_params(deep=False).items():
        print(f"  {name:<20}{value!r}")


def _learnt(model):
    """Return what there is to say of a model of words."""
    characters = model.vocabulary_.characters
    shown = characters[:MAX_ALPHABET_LENGTH]
    if not shown.isprintable():
        shown = repr(shown)
    if len(characters) > MAX_ALPHABET_LENGTH:
        shown += "..."
    facts = {
        "alphabet": f"{len(characters):,} characters: {shown}",
        "longest word": f"{model.longest_word_:,} characters",
        "size": _size(model),
    }
    if hasattr(model, "history_"):
        losses = model.history_[-1]
        kinds = ("train_loss", "valid_loss")
        told = [f"{name} {losses[name]:.4f}" for name in kinds if name in losses]
        facts["epochs"] = f"{model.n_iter_:,}, the last with {', '.join(told)}"
    return facts


def _size(model):
    """Return how much a model has learned by heart."""
    if hasattr(model, "net_"):
        n_weights = sum(weight.numel() for weight in model.net_.module_.parameters())
        return f"{n_weights:,} weights"
    if hasattr(model, "ngram_counts_"):
        return f"{len(model.ngram_counts_.counts):,} distinct n-grams"
    if hasattr(model, "counts_"):
        return f"{model.counts_.size:,} counts of pairs"
    return f"{len(model.estimators_):,} models, mixed"
