"""Pickles and joblib's files: other machines, other versions, and going on."""

import copy
import pickle
import warnings
from unittest import mock

import joblib
import numpy as np
import pytest
from estimators import CLASSES, NETS, over
from sklearn.base import clone
from skorch.exceptions import DeviceWarning

import sklearn_makemore
from sklearn_makemore import (
    CharLMClassifier,
    CharLMFeatures,
    CharLMOutlierDetector,
    MixtureCharLM,
    NGramCounter,
)

OF_ESTIMATORS = {
    "classifier": CharLMClassifier(NGramCounter(order=2), cv=2),
    "features": CharLMFeatures(NGramCounter(order=2), cv=2),
    "outliers": CharLMOutlierDetector(NGramCounter(order=2), cv=2),
}


def ways_of_going_on(model):
    """Methods that train further, each as a function of words."""
    yield "partial_fit"
    if "warm_start" in model.get_params():
        yield "fit"


@over(CLASSES)
def test_a_loaded_model_goes_on_as_the_saved_one(estimator, words, tmp_path):
    model = clone(estimator).set_params(handle_unknown="unk")
    if "warm_start" in model.get_params():
        model.set_params(warm_start=True, max_epochs=1)
    model.fit(words)
    joblib.dump(model, tmp_path / "model", compress=3)
    loaded = [pickle.loads(pickle.dumps(model)), joblib.load(tmp_path / "model")]
    for way in ways_of_going_on(model):
        for one in (model, *loaded):
            getattr(one, way)(words[40:])
        for again in loaded:
            np.testing.assert_array_equal(
                again.score_samples(words), model.score_samples(words)
            )
            assert again.sample(9, random_state=1) == model.sample(9, random_state=1)
            assert set(vars(again)) == set(vars(model))


@over({**CLASSES, **OF_ESTIMATORS})
def test_a_pickle_of_another_version_warns(estimator, words, monkeypatch):
    model = clone(estimator)
    if estimator in OF_ESTIMATORS.values():
        model.fit(words[:40], [word < "e" for word in words[:40]])
    with monkeypatch.context() as patch:
        patch.setattr(sklearn_makemore, "__version__", "0.0.7")
        old = pickle.dumps(model)
    with pytest.warns(UserWarning, match="was saved by .* 0.0.7 and") as caught:
        pickle.loads(old)
    name = type(model).__name__
    assert any(f"This {name} was" in str(warning.message) for warning in caught)
    assert "_sklearn_makemore_version" not in vars(pickle.loads(pickle.dumps(model)))


def pickled_on_cuda(model, *nets):
    """Pickle a model as if the tensors of its nets were on a GPU."""
    for net in nets:
        net.net_.device = "cuda"
    # What a GPU's tensors differ in is the place that is written beside their bytes.
    with mock.patch("torch.serialization.location_tag", return_value="cuda:0"):
        data = pickle.dumps(model)
    assert b"cuda:0" in data
    for net in nets:
        net.net_.device = "cpu"
    return data


def loaded_without_cuda(data):
    """Load a pickle; return it and the warnings of ours."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = pickle.loads(data)
    messages = {str(one.message) for one in caught}
    assert any(issubclass(one.category, DeviceWarning) for one in caught)
    return model, [message for message in messages if "its device is 'auto'" in message]


@pytest.mark.skipif("sys.modules['torch'].cuda.is_available()", reason="a GPU is here")
@over({name: net for name, net in NETS.items() if name in CLASSES})
def test_a_model_pickled_on_a_gpu_loads_and_goes_on_without(estimator, words):
    model = clone(estimator).set_params(max_epochs=1, warm_start=True).fit(words)
    expected = model.score_samples(words)
    for device, n_warnings in ("auto", 0), ("cuda:0", 1):
        model.device = device
        again, ours = loaded_without_cuda(pickled_on_cuda(model, model))
        assert len(ours) == n_warnings
        assert again.device == "auto"
        np.testing.assert_array_equal(again.score_samples(words), expected)
    model.device = "cpu"
    for one in model, again:
        one.partial_fit(words).fit(words)
    np.testing.assert_array_equal(
        again.score_samples(words), model.score_samples(words)
    )


@pytest.mark.skipif("sys.modules['torch'].cuda.is_available()", reason="a GPU is here")
def test_a_mixture_pickled_on_a_gpu_loads_and_goes_on_without(words):
    net = clone(NETS["mlp"]).set_params(max_epochs=1)
    model = MixtureCharLM([("net", net), NGramCounter(order=2)], random_state=0)
    model.fit(words)
    expected = model.score_samples(words)
    member = model.named_estimators_.net
    member.device = "cuda"
    again, ours = loaded_without_cuda(pickled_on_cuda(model, member))
    assert len(ours) == 1
    np.testing.assert_array_equal(again.score_samples(words), expected)
    again.partial_fit(words)


def test_a_device_of_a_model_that_is_not_fitted_stays():
    # Asked for and absent, it is an error of `fit`, not a surprise.
    model = clone(NETS["mlp"]).set_params(device="cuda:9")
    for again in copy.copy(model), pickle.loads(pickle.dumps(model)):
        assert again.device == "cuda:9"
