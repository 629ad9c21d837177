"""Character-level language models as scikit-learn estimators.

Models: BigramCounter, NGramCounter (counts); BigramCharLM, BoWCharLM, MLPCharLM,
WaveNetCharLM, RNNCharLM, GRUCharLM, LSTMCharLM, TransformerCharLM (networks);
MixtureCharLM (several as one). Made of models: CharLMClassifier, CharLMFeatures,
CharLMOutlierDetector. To files and back: save, load.

The files are the pipeline, in the order a word travels:

``datasets``
    lists of names, and words out of files
``_words``
    any collection of strings to a list of words
``_code_points``, ``_vocabulary``
    the words as one array of characters, and these to symbol ids and back
``_contexts``, ``_prefixes``
    encoded words to windows and distinct contexts with counts, and to prefixes
``_compile_pattern``, ``_automaton``, ``_language``
    a regular expression as the automaton of the words that match it; of these the ones
    that have a prefix and some lengths
``_sampling``, ``_conditional``
    drawing words, the same loop for all models; and given that they match
``_most_likely``, ``_novelty``
    the most probable words; what is new about words
``_word_estimator``, ``_base``
    what all estimators of words share; the verbs of every model: fit, score, sample
``_ngrams``, ``_histories``, ``_kneser_ney``, ``_ngram_model``, ``_counting``
    counted n-grams, their trie, its probabilities, the model, the estimators
``_held_out``, ``_members``, ``_expectation_maximisation``, ``_mixture``
    words held out, models that another one owns, several models as one
``_calibration``, ``_classifier``, ``_features``, ``_outlier``
    probabilities of classes, and the estimators that are made of models
``_safe_file``
    arrays and JSON in a file that runs no code
``modules``
    the networks in plain torch
``_processes``
    the processes that train a network: this one, or several
``_batches``, ``_word_batches``, ``_schedules``, ``_device``, ``_net``
    batches of contexts and of words, learning rates, devices, the skorch net
``_training_state``, ``_checkpoint``
    the state of a net in training, and training that goes on where it was killed
``_restored_net``
    what a file says of a network, checked
``_neural``, ``_window``, ``_sequence``, ``_recurrent``
    what all networks share, those that see a window, those that read from the start
``_bigram``, ``_mlp``, ``_wavenet``
    one estimator each, of those that see a window
``_bow``, ``_rnn``, ``_gru``, ``_lstm``, ``_transformer``
    one estimator each
``persistence``
    models to files and back
``distributed``
    files of words counted in many processes
``model_selection``
    splits, and the search for a learning rate
``inspection``
    the pictures of the lectures
"""

from importlib import import_module

__version__ = "0.1.0"

__all__ = [
    "BigramCharLM",
    "BigramCounter",
    "BoWCharLM",
    "CharLMClassifier",
    "CharLMFeatures",
    "CharLMOutlierDetector",
    "GRUCharLM",
    "LSTMCharLM",
    "MLPCharLM",
    "MixtureCharLM",
    "ModelFileError",
    "NGramCounter",
    "RNNCharLM",
    "TransformerCharLM",
    "WaveNetCharLM",
    "datasets",
    "distributed",
    "inspection",
    "load",
    "model_selection",
    "modules",
    "save",
]

# Torch takes seconds to import, and SciPy one; the counters do without them. The
# counters are late too, so that the command line can answer to Ctrl-C at once.
_IMPORTED_LATE = {
    "BigramCharLM": "._bigram",
    "BigramCounter": "._counting",
    "BoWCharLM": "._bow",
    "CharLMClassifier": "._classifier",
    "CharLMFeatures": "._features",
    "CharLMOutlierDetector": "._outlier",
    "GRUCharLM": "._gru",
    "LSTMCharLM": "._lstm",
    "MLPCharLM": "._mlp",
    "MixtureCharLM": "._mixture",
    "ModelFileError": "._safe_file",
    "NGramCounter": "._counting",
    "RNNCharLM": "._rnn",
    "TransformerCharLM": "._transformer",
    "WaveNetCharLM": "._wavenet",
    "datasets": None,
    "distributed": None,
    "inspection": None,
    "load": ".persistence",
    "model_selection": None,
    "modules": None,
    "save": ".persistence",
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
