"""Describe a model file: its class, alphabet, size and parameters."""

import os

from .. import load
from .._base import BaseCharLM
from .._safe_file import version_of
from ._models import add_model_file

MAX_PRINTED_CHARACTERS = 200
"""Maximum number of characters of an alphabet to print."""


USAGE = "MODEL"
EXAMPLES = """
m.safetensors
"""


def add_options(parser, arguments):
    """Add the options."""
    add_model_file(parser)


def run(options):
    """Print one line per fact."""
    model = load(options.model)
    facts = {
        "class": type(model).__name__,
        **(_facts_of_char_lm(model) if isinstance(model, BaseCharLM) else {}),
        "file": f"{os.path.getsize(os.path.expanduser(options.model)):,} bytes",
        "written by": f"sklearn_makemore {version_of(options.model)}",
        "parameters": "",
    }
    for name, value in facts.items():
        print(f"{name:<14}{value}".rstrip())
    for name, value in model.get_params(deep=False).items():
        print(f"  {name:<20}{value!r}")


def _facts_of_char_lm(model):
    """Return facts about a fitted language model, by name."""
    characters = model.vocabulary_.characters
    shown = characters[:MAX_PRINTED_CHARACTERS]
    if isinstance(shown, tuple):
        shown = ", ".join(shown)
    if not shown.isprintable():
        shown = repr(shown)
    if len(characters) > MAX_PRINTED_CHARACTERS:
        shown += "..."
    facts = {
        "alphabet": f"{len(characters):,} characters: {shown}",
        "longest word": f"{model.longest_word_:,} characters",
        "size": _size(model),
    }
    if hasattr(model, "history_"):
        losses = model.history_[-1]
        kinds = ("train_loss", "valid_loss")
        last = [f"{name} {losses[name]:.4f}" for name in kinds if name in losses]
        facts["epochs"] = f"{model.n_iter_:,}, the last with {', '.join(last)}"
    return facts


def _size(model):
    """Return the number of learned weights, counts or models, as a text."""
    if hasattr(model, "net_"):
        n_weights = sum(weight.numel() for weight in model.net_.module_.parameters())
        return f"{n_weights:,} weights"
    if hasattr(model, "ngram_counts_"):
        counts = model.ngram_counts_  # None if the model comes from an ARPA file
        n_ngrams = model.model_.n_ngrams if counts is None else len(counts)
        return f"{n_ngrams:,} distinct n-grams"
    if hasattr(model, "counts_"):
        return f"{model.counts_.size:,} counts of pairs"
    return f"{len(model.estimators_):,} models in a mixture"
