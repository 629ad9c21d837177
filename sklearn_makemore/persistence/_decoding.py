"""Models from the JSON document and the arrays of a file, which is untrusted."""

import re
from typing import Any

import numpy as np
from sklearn import config_context
from sklearn.utils.validation import check_is_fitted

from .._safe_file import restored_random_state
from .._sklearn import check_pipeline
from .._words.symbols import vocabulary_of
from .._words.vocabulary import CharVocabulary
from ._limits import NOT_SAVED, Limits, class_of, is_known, is_no_step, is_wrapper


class Decoder(Limits):
    """Decode what `Encoder` encodes, and nothing else.

    arrays : each is removed when it is used, so that none can fill the memory by being
        used many times
    device : that of the networks; None takes their own
    missing_devices : those of networks that this machine does not have
    """

    def __init__(self, arrays: dict[str, np.ndarray], device: str | None) -> None:
        super().__init__()
        self.arrays = arrays
        self.device = device
        self.missing_devices: set[str] = set()

    def estimator(self, node: Any) -> Any:
        """Decode an estimator."""
        with self.nested():
            name, params, kept = (node[key] for key in ("class", "params", "fitted"))
            estimator_class = class_of(name)
            if estimator_class is None:
                raise ValueError(f"{name!r} is not a class that can be loaded")
            params = self.params(params)
            if name == "FrozenEstimator":
                return _frozen(estimator_class, **params)
            model = estimator_class(**params)
            model._validate_params()
            _set_requests(model, node["requests"])
            if is_wrapper(model, "Pipeline"):
                _check_steps(model)
            elif kept is not None:
                model._restore({key: self.value(value) for key, value in kept.items()})
        return model

    def params(self, params: dict[str, Any]) -> dict[str, Any]:
        """Decode the parameters of an estimator."""
        params = {name: self.value(value) for name, value in params.items()}
        if any(params.get(not_saved) is not None for not_saved in NOT_SAVED):
            raise ValueError("it has a parameter that is never saved")
        if "device" in params:
            params["device"] = self.available_device(params["device"])
        return params

    def available_device(self, device: Any) -> Any:
        """Return the device that a network has on this machine."""
        if self.device is not None or not isinstance(device, str):
            return self.device
        from .._training.device import device_or_auto  # counters need no torch

        available = device_or_auto(device)
        if available != device:
            self.missing_devices.add(device)
        return available

    def value(self, node: Any) -> Any:
        """Decode a value."""
        if isinstance(node, list):
            return [self.value(part) for part in node]
        if not isinstance(node, dict):
            return node
        ((kind, content),) = node.items()
        if kind == "tuple":
            return tuple(self.value(part) for part in content)
        if kind == "dict":
            return {key: self.value(value) for key, value in content.items()}
        if kind == "array":
            return self.arrays.pop(content)
        if kind in ("texts_fixed", "texts_object"):
            return self.texts(content, str if kind == "texts_fixed" else object)
        if kind == "random_state":
            return _random_state(*map(self.value, content))
        if kind == "vocabulary":
            return _vocabulary(*map(self.value, content))
        if kind == "pattern":
            return self.pattern(*content)
        if kind == "estimator":
            return self.estimator(content)
        raise ValueError(f"{kind!r} is not a kind of value")

    def pattern(self, text: Any, flags: Any) -> re.Pattern[str]:
        """Decode a pattern."""
        if not isinstance(text, str) or type(flags) is not int:
            raise TypeError("a pattern needs a text and flags")
        self.check_pattern(text)
        return re.compile(text, flags & ~re.DEBUG)  # which would print

    def texts(self, texts: list[Any], dtype: type) -> np.ndarray:
        """Decode an array of strings."""
        if not all(isinstance(text, str) for text in texts):
            raise TypeError("an array of texts has values that are not strings")
        if dtype is str:
            self.check_texts(texts)
        return np.array(texts, dtype=dtype)


def _set_requests(model: Any, requests: dict[str, dict[str, Any]]) -> None:
    """Set the metadata requests of an estimator."""
    for method, names in requests.items():
        if not all(
            type(request) is bool
            or (isinstance(request, str) and request.isidentifier())
            for request in names.values()
        ):
            raise ValueError(f"{method!r} requests {names!r}")
        with config_context(enable_metadata_routing=True):  # else none can be set
            getattr(model, f"set_{method}_request")(**names)


def _check_steps(pipeline: Any) -> None:
    """Raise an error unless the steps of a pipeline are named known estimators."""
    for name, step in pipeline.steps:
        if not isinstance(name, str):
            raise TypeError(f"a step has the name {name!r}")
        if not is_no_step(step) and not is_known(step):
            raise TypeError(f"the step {name!r} is a {type(step).__name__}")
    check_pipeline(pipeline)


def _frozen(frozen: Any, estimator: Any) -> Any:
    """Return a fitted known estimator as a frozen one."""
    if not is_known(estimator):
        raise TypeError(f"a {type(estimator).__name__} is frozen")
    check_is_fitted(estimator)
    return frozen(estimator)


def _vocabulary(alphabet: Any, unknown: Any) -> CharVocabulary:
    """Return a vocabulary; its symbols must be sorted and distinct."""
    if not isinstance(alphabet, (str, list, tuple)) or not isinstance(unknown, bool):
        raise TypeError("a vocabulary needs symbols and a boolean")
    vocabulary = vocabulary_of(alphabet, CharVocabulary(""), unknown=unknown)
    if vocabulary.alphabet != alphabet:
        raise ValueError("the symbols of a vocabulary are not sorted and distinct")
    return vocabulary


def _random_state(
    key: Any, position: Any, has_normal: Any, normal: Any
) -> np.random.RandomState:
    """Return a generator of random numbers in a state."""
    if key.shape != (624,) or key.dtype != np.uint32:
        raise ValueError("the key of a RandomState needs 624 numbers of type uint32")
    normals = {"has_gauss": int(bool(has_normal)), "gauss": float(normal)}
    twister = {"key": key, "pos": position}
    return restored_random_state(
        {"bit_generator": "MT19937", "state": twister, **normals}
    )
