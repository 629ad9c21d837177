"""The public estimators and the modules that define them.

The exports of the package, the classes that a model file may name, the models of the
command line and the tests are derived from these tables.
"""

COUNTERS = {
    "NGramCounter": "_counters.ngram",
    "BigramCounter": "_counters.bigram",
}
NETWORKS = {
    "BigramCharLM": "_networks.bigram",
    "BoWCharLM": "_networks.bow",
    "MLPCharLM": "_networks.mlp",
    "WaveNetCharLM": "_networks.wavenet",
    "RNNCharLM": "_networks.recurrent",
    "TransformerCharLM": "_networks.transformer",
    "GRUCharLM": "_networks.recurrent",
    "LSTMCharLM": "_networks.recurrent",
}
META_ESTIMATORS = {
    "MixtureCharLM": "_meta.mixture",
    "ConditionalCharLM": "_meta.conditional",
    "CharLMClassifier": "_meta.classifier",
    "CharLMFeatures": "_meta.features",
    "CharLMOutlierDetector": "_meta.outlier",
}

ESTIMATORS = {**COUNTERS, **NETWORKS, **META_ESTIMATORS}
"""Every public estimator by name, with the module that defines it."""
