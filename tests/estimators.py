"""Every public model in small, fast settings, and the words that prove them."""

import pytest
from sklearn.base import clone

from sklearn_makemore import (
    BigramCharLM,
    BigramCounter,
    BoWCharLM,
    GRUCharLM,
    LSTMCharLM,
    MixtureCharLM,
    MLPCharLM,
    NGramCounter,
    RNNCharLM,
    TransformerCharLM,
    WaveNetCharLM,
)

QUICK = {"max_epochs": 2, "batch_size": 64, "lr": 0.05, "random_state": 0}
# Of networks that read symbol by symbol a step costs the same, however large it is. One
# of them has batches; what the others share with it is tested there.
LARGER_STEPS = {**QUICK, "max_epochs": 4, "batch_size": None, "lr": 0.2}

COUNTERS = {
    "bigram": BigramCounter(),
    "bigram-0.1": BigramCounter(smoothing=0.1),
    "kneser-ney-1": NGramCounter(order=1),
    "kneser-ney-2": NGramCounter(order=2),
    "kneser-ney-3": NGramCounter(order=3),
    "kneser-ney-6": NGramCounter(order=6),
    "additive-3": NGramCounter(order=3, smoothing="additive", alpha=0.5),
}
NETS = {
    "mlp": MLPCharLM(n_embd=4, n_hidden=12, **QUICK),
    "mlp-batch-norm": MLPCharLM(
        block_size=2, n_embd=3, n_hidden=8, batch_norm=True, direct=True, **QUICK
    ),
    "mlp-deep": MLPCharLM(
        block_size=4, n_embd=3, n_hidden=8, n_layers=2, dropout=0.1, **QUICK
    ),
    "wavenet": WaveNetCharLM(n_layers=2, n_embd=4, n_hidden=8, **QUICK),
    "wavenet-triples": WaveNetCharLM(
        n_layers=2, fan_in=3, n_embd=3, n_hidden=6, batch_norm=False, **QUICK
    ),
    "bigram-net": BigramCharLM(**QUICK),
    # The words of the tests have up to 300 letters.
    "bow": BoWCharLM(block_size=320, n_embd=4, n_hidden=8, **LARGER_STEPS),
    "rnn": RNNCharLM(
        n_embd=4,
        n_hidden=8,
        n_layers=2,
        dropout=0.1,
        recurrent_dropout=0.0,
        **LARGER_STEPS,
    ),
    "gru": GRUCharLM(
        n_embd=4,
        n_hidden=12,
        recurrent_dropout=0.1,
        ngram_share=0.0,
        **{**QUICK, "batch_size": 256, "lr": 0.1},
    ),
    "lstm": LSTMCharLM(n_embd=4, n_hidden=12, ngram_share=0.0, **LARGER_STEPS),
    "transformer": TransformerCharLM(
        block_size=320,
        n_embd=8,
        n_heads=2,
        n_layers=2,
        dropout=0.1,
        ngram_share=0.0,
        **LARGER_STEPS,
    ),
}
# Those that read a word from its start on, and those that see a window of it.
SEQUENCES = {name: NETS[name] for name in ("bow", "rnn", "gru", "lstm", "transformer")}
WINDOWS = {name: net for name, net in NETS.items() if name not in SEQUENCES}
QUICKEST_GRU = GRUCharLM(n_embd=4, n_hidden=8, ngram_share=0.0, **LARGER_STEPS)
MIXTURES = {
    "mixture": MixtureCharLM(
        [NGramCounter(order=3), ("net", MLPCharLM(n_embd=4, n_hidden=12, **QUICK))],
        weights="adaptive",
        random_state=0,
    ),
    "mixture-nested": MixtureCharLM(
        [
            ("inner", MixtureCharLM([BigramCounter(), QUICKEST_GRU], weights=[1, 2])),
            NGramCounter(order=1),
            NGramCounter(order=3),
        ],
        weights=[2.0, 0.0, 1.0],
    ),
}
# Their probabilities are not those of their nets alone.
MATCHED = {
    "mlp-lengths": MLPCharLM(
        block_size=2, match_lengths=True, n_embd=3, n_hidden=8, **QUICK
    ),
    "bigram-net-lengths": BigramCharLM(match_lengths=True, **QUICK),
}
# Batches are a matter of training, whose tests run over NETS.
WITHOUT_BATCHES = {"gru": clone(NETS["gru"]).set_params(**LARGER_STEPS)}
ESTIMATORS = {**COUNTERS, **NETS, **WITHOUT_BATCHES, **MATCHED, **MIXTURES}
# One setting of each class, for what is slow or about the class alone.
CLASSES = {
    name: ESTIMATORS[name]
    for name in (
        "bigram",
        "kneser-ney-3",
        "mlp",
        "wavenet",
        "bigram-net",
        "bow",
        "rnn",
        "gru",
        "lstm",
        "transformer",
        "mixture",
    )
}

# The checks of scikit-learn that pass no data. Two more pass numbers: test_common.py
# repeats check_fit_score_takes_y and check_estimators_overwrite_params with words.
DATA_FREE_CHECKS = [
    "check_do_not_raise_errors_in_init_or_set_params",
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_estimator_tags_renamed",
    "check_estimators_unfitted",
    "check_get_params_invariance",
    "check_mixin_order",
    "check_no_attributes_set_in_init",
    "check_param_validation",
    "check_parameters_default_constructible",
    "check_set_params",
    "check_valid_tag_types",
]


def adapted(estimators, **params):
    """Return clones with some parameters, where they or their members have them."""
    return {
        name: clone(model).set_params(
            **{
                path: params[path.rpartition("__")[2]]
                for path in model.get_params()
                if path.rpartition("__")[2] in params
            }
        )
        for name, model in estimators.items()
    }


# Quick to fit, without batches: for claims about words, weights, errors and calls.
IN_TWO_STEPS = adapted(ESTIMATORS, batch_size=None, max_epochs=2)
IN_ONE_STEP = adapted(CLASSES, batch_size=None, max_epochs=1)

# One network of each kind, for what all of them share: a window, batch normalisation
# over a tree of merges, a state.
KINDS = {name: NETS[name] for name in ("mlp", "wavenet", "gru")}


# The fast part of the suite has all counters and one model of each other kind.
IN_FAST_PART = {*COUNTERS, "mlp", "gru", "mixture"}


def over(estimators):
    """Run a test once for each estimator; the test clones what it is given.

    The tests of models that are not in `IN_FAST_PART` are marked slow.
    """
    return pytest.mark.parametrize(
        "estimator",
        [
            pytest.param(
                model, id=name, marks=() if name in IN_FAST_PART else pytest.mark.slow
            )
            for name, model in estimators.items()
        ],
    )


def longest_word(model):
    """Most letters of a word of a fitted model, None if there is no limit."""
    has_limit = isinstance(model, (BoWCharLM, TransformerCharLM))
    return model.block_size_ - 1 if has_limit else None


def plain_parameters(model):
    """Parameters of a model and of its members, without these themselves."""
    parameters = model.get_params()
    parameters.pop("estimators", None)
    return {
        name: value
        for name, value in parameters.items()
        if not hasattr(value, "get_params") and not name.endswith("__estimators")
    }


# Words of three letters: their models can be looked through completely.
TINY_WORDS = (
    "a a ab ab ab aba abc b ba ba bab bc c ca cab caab cc a abba acab b abab ccc ba"
).split()


def text_symbols(model):
    """The symbols after the boundary as text; the unknown one as a letter unseen."""
    return ["?" if symbol == "<unk>" else symbol for symbol in model.symbols_[1:]]


def words_by_length(letters, length):
    """All words of 0, 1, ..., `length` letters, as one list for each length."""
    levels = [[""]]
    for _ in range(length):
        levels.append([word + letter for word in levels[-1] for letter in letters])
    return levels
