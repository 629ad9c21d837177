"""The contract every model keeps: what is out of range is refused by its name."""

import numpy as np
import pytest
from estimators import CLASSES, TINY_WORDS, over
from sklearn.base import clone
from sklearn.utils._param_validation import InvalidParameterError

from sklearn_makemore import (
    BigramCharLM,
    BigramCounter,
    BoWCharLM,
    GRUCharLM,
    LSTMCharLM,
    MLPCharLM,
    NGramCounter,
    RNNCharLM,
    TransformerCharLM,
    WaveNetCharLM,
)

RECURRENT = (RNNCharLM, GRUCharLM, LSTMCharLM)
NETS = (
    BigramCharLM,
    MLPCharLM,
    WaveNetCharLM,
    BoWCharLM,
    *RECURRENT,
    TransformerCharLM,
)

BAD_PARAMETERS = [
    (BigramCounter, {"smoothing": -0.1}),
    (BigramCounter, {"smoothing": "laplace"}),
    (BigramCounter, {"smoothing": np.inf}),
    (BigramCounter, {"smoothing": 1.7e308}),  # its sum over the symbols overflows
    (BigramCounter, {"alphabet": 5}),
    (BigramCounter, {"handle_unknown": "ignore"}),
    (NGramCounter, {"order": 0}),
    (NGramCounter, {"order": 2.5}),
    (NGramCounter, {"smoothing": "kneser"}),
    (NGramCounter, {"alpha": -1.0}),
    (NGramCounter, {"alpha": 1.7e308}),
    (MLPCharLM, {"block_size": 0}),
    (MLPCharLM, {"n_hidden": 0}),
    (MLPCharLM, {"dropout": 1.0}),
    (MLPCharLM, {"batch_norm": "yes"}),
    (WaveNetCharLM, {"n_layers": 0}),
    (WaveNetCharLM, {"fan_in": 1}),
    (BigramCharLM, {"optimizer": "adamw"}),
    (BoWCharLM, {"block_size": 0}),
    (BoWCharLM, {"n_hidden": 0}),
    (BoWCharLM, {"dropout": -0.1}),
    (TransformerCharLM, {"block_size": 1.5}),
    (TransformerCharLM, {"n_heads": 0}),
    (TransformerCharLM, {"n_layers": 0}),
    (TransformerCharLM, {"dropout": 1.0}),
    *(
        (net, bad)
        for net in RECURRENT
        for bad in (
            {"n_embd": 0},
            {"n_hidden": 0},
            {"n_layers": 0},
            {"dropout": 1.0},
            {"recurrent_dropout": 1.0},
            {"ngram_share": 1.0},
        )
    ),
    *(
        (net, bad)
        for net in NETS
        for bad in (
            {"optimizer": "adam w"},
            {"lr": 0.0},
            {"lr": -1e-3},
            {"lr": np.nan},
            {"lr_schedule": "cosine"},
            {"max_epochs": 0},
            {"max_epochs": 1.5},
            {"batch_size": 0},
            {"weight_decay": -0.1},
            {"validation_fraction": 1.0},
            {"early_stopping": None},
            {"n_iter_no_change": 0},
            {"tol": -1e-3},
            {"checkpoint": 5},
            {"device": None},
            {"callbacks": "GradientNormClipping"},
            {"random_state": "zero"},
            {"verbose": "very"},
        )
    ),
]


@pytest.mark.parametrize(
    "kind, bad",
    BAD_PARAMETERS,
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_fit_refuses_bad_parameters_by_name(kind, bad):
    (name,) = bad
    model = kind().set_params(**bad)
    with pytest.raises(
        InvalidParameterError, match=f"'{name}' parameter of {kind.__name__}"
    ):
        model.fit(["ab"])
    assert set(vars(model)) == set(model.get_params(deep=False))


@over(CLASSES)
def test_set_params_refuses_a_typo_and_says_what_there_is(estimator):
    with pytest.raises(
        ValueError, match="(?s)'handle_unkown'.*Valid parameters.*alphabet"
    ):
        clone(estimator).set_params(handle_unkown="unk")


@over(CLASSES)
@pytest.mark.parametrize(
    "alphabet, message",
    [([""], "one or more characters, got ''"), ([1], "got 1 of type int")],
)
def test_alphabet_holds_texts(estimator, alphabet, message):
    with pytest.raises(ValueError, match=message):
        clone(estimator).set_params(alphabet=alphabet).fit(["ab"])


BAD_OPTIONS = {
    "no words": ({"n_samples": 0}, "n_samples"),
    "half a word": ({"n_samples": 1.5}, "n_samples"),
    "negative temperature": ({"temperature": -0.1}, "temperature"),
    "infinite temperature": ({"temperature": np.inf}, "temperature"),
    "NaN temperature": ({"temperature": np.nan}, "temperature"),
    "top_k 0": ({"top_k": 0}, "top_k"),
    "top_p 0": ({"top_p": 0.0}, "top_p"),
    "top_p 2": ({"top_p": 2.0}, "top_p"),
    "min_p 2": ({"min_p": 2.0}, "min_p"),
    "typical_p 0": ({"typical_p": 0.0}, "typical_p"),
    "avoiding 3": ({"avoiding": 3}, "avoiding"),
    "negative length": ({"min_length": -1}, "min_length"),
    "list of prefixes": ({"prefix": ["a"]}, "prefix"),
    "no prefix": ({"prefix": None}, "prefix"),
    "unique 2": ({"unique": 2}, "unique"),
    "min_distance 0": ({"min_distance": 0}, "min_distance"),
    "seed": ({"random_state": "zero"}, "random_state"),
}


@over(CLASSES)
@pytest.mark.parametrize("name", BAD_OPTIONS)
def test_bad_options_are_refused_by_name(estimator, name, fit_once):
    model = fit_once(estimator, TINY_WORDS)
    options, parameter = BAD_OPTIONS[name]
    with pytest.raises(InvalidParameterError, match=f"'{parameter}' parameter"):
        model.sample(**options)


@over(CLASSES)
def test_options_that_contradict_each_other_are_refused(estimator, fit_once):
    model = fit_once(estimator, TINY_WORDS)
    with pytest.raises(ValueError, match="max_length=2.*3 characters of prefix='abc'"):
        model.sample(prefix="abc", max_length=2)
    with pytest.raises(ValueError, match="max_length=2.*min_length=3"):
        model.sample(min_length=3, max_length=2)
    with pytest.raises(ValueError, match="exclude.*single string 'abc'"):
        model.sample(exclude="abc")
    with pytest.raises(ValueError, match="'xyz'.*alphabet.*'x', 'y', 'z'"):
        model.sample(prefix="xyz")
