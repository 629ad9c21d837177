"""Character-level language models as scikit-learn estimators.

The files are the pipeline, in the order a word travels:

``_words``
    any collection of strings to a list of words
``_code_points``, ``_vocabulary``
    the words as one array of characters, and these to symbol ids and back
``_contexts``, ``_prefixes``
    encoded words to windows and distinct contexts with counts, and to prefixes
``_sampling``
    drawing words, the same loop for all models
``_base``
    the verbs of every model: fit, score, sample
``_ngrams``, ``_histories``, ``_kneser_ney``, ``_ngram_model``, ``_counting``
    counted n-grams, their trie, its probabilities, the model, the estimators
``modules``
    the networks in plain torch
``_batches``, ``_word_batches``, ``_schedules``, ``_device``, ``_net``
    batches of contexts and of words, learning rates, devices, the skorch net
``_neural``, ``_window``, ``_sequence``, ``_recurrent``
    what all networks share, those that see a window, those that read from the start
``_bigram``, ``_mlp``, ``_wavenet``
    one estimator each, of those that see a window
``_bow``, ``_rnn``, ``_gru``, ``_lstm``, ``_transformer``
    one estimator each
``model_selection``
    splits, and the search for a learning rate
``inspection``
    the pictures of the lectures
``datasets``
    lists of names
"""

from importlib import import_module

from . import datasets
from ._counting import BigramCounter, NGramCounter

__version__ = "0.1.0"

__all__ = [
    "BigramCharLM",
    "BigramCounter",
    "BoWCharLM",
    "GRUCharLM",
    "LSTMCharLM",
    "MLPCharLM",
    "NGramCounter",
    "RNNCharLM",
    "TransformerCharLM",
    "WaveNetCharLM",
    "datasets",
    "inspection",
    "model_selection",
    "modules",
]

# Torch takes seconds to import; the counters do without it.
_IMPORTED_LATE = {
    "BigramCharLM": "._bigram",
    "BoWCharLM": "._bow",
    "GRUCharLM": "._gru",
    "LSTMCharLM": "._lstm",
    "MLPCharLM": "._mlp",
    "RNNCharLM": "._rnn",
    "TransformerCharLM": "._transformer",
    "WaveNetCharLM": "._wavenet",
    "inspection": None,
    "model_selection": None,
    "modules": None,
}


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
