"""Character-level language models as scikit-learn estimators.

The files are the pipeline, in the order a word travels:

``_words``
    any collection of strings to a list of words
``_vocabulary``
    characters to symbol ids and back
``_contexts``
    encoded words to windows and distinct contexts with counts
``_sampling``
    drawing words, the same loop for all models
``_base``
    the verbs of every model: fit, score, sample
``_ngrams``, ``_histories``, ``_kneser_ney``, ``_ngram_model``, ``_counting``
    counted n-grams, their trie, its probabilities, the model, the estimators
``modules``
    the networks in plain torch
``_batches``, ``_schedules``, ``_device``, ``_net``
    batches, learning rates, devices, the skorch net
``_neural``, ``_window``
    what all networks share, and those that see a window
``_mlp``, ``_wavenet``
    one estimator each
``datasets``
    lists of names
"""

from importlib import import_module

from . import datasets
from ._counting import BigramCounter, NGramCounter

__version__ = "0.1.0"

__all__ = [
    "BigramCounter",
    "MLPCharLM",
    "NGramCounter",
    "WaveNetCharLM",
    "datasets",
    "modules",
]

# Torch takes seconds to import; the counters do without it.
_IMPORTED_LATE = {"MLPCharLM": "._mlp", "WaveNetCharLM": "._wavenet", "modules": None}


def __getattr__(name):
    if name not in _IMPORTED_LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    file = _IMPORTED_LATE[name]
    if file is None:
        return import_module(f".{name}", __name__)
    globals()[name] = getattr(import_module(file, __name__), name)
    return globals()[name]


def __dir__():
    return [*__all__, "__version__"]
