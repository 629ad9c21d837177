"""Fitted models as a JSON document and arrays."""

import re
from typing import Any

import numpy as np

from .._models import ESTIMATORS
from .._words.symbols import lists_symbols, pattern_and_symbols
from .._words.vocabulary import CharVocabulary
from ._limits import METHODS_WITH_METADATA, NOT_SAVED, WRAPPERS, Limits, is_known


class Encoder(Limits):
    """Encode models as JSON and arrays.

    JSON has numbers, strings, booleans, None and lists. Everything else is a dict with
    one key, which names its kind.

    arrays : the arrays, named after where they belong
    not_saved : names of parameters that are set, but not saved
    """

    def __init__(self) -> None:
        super().__init__()
        self.arrays: dict[str, np.ndarray] = {}
        self.not_saved: list[str] = []

    def estimator(self, model: Any, path: str) -> dict[str, Any]:
        """Encode an estimator, fitted or not; `path` is its name in messages."""
        name = type(model).__name__
        if not is_known(model):
            raise TypeError(
                f"{path} is {_described(model)}, and `save` keeps "
                f"{', '.join(sorted(ESTIMATORS))} and pipelines of them. Save other "
                "objects with joblib."
            )
        kept = None
        with self.nested():
            if name not in WRAPPERS and model.__sklearn_is_fitted__():
                kept = self.items(model._kept(), path)
            return {
                "class": name,
                "params": self.params(model, path),
                "requests": _requests(model),
                "fitted": kept,
            }

    def params(self, model: Any, path: str) -> dict[str, Any]:
        """Encode the parameters of an estimator."""
        params = model.get_params(deep=False)
        for name in NOT_SAVED & params.keys():
            if params[name] and name != "checkpoint":
                self.not_saved.append(f"{path}.{name}")
            params[name] = None
        alphabet = params.get("alphabet")
        if lists_symbols(alphabet) and not isinstance(alphabet, str):
            pattern, symbols = pattern_and_symbols(alphabet)
            params["alphabet"] = symbols if pattern is None else (pattern, symbols)
        return self.items(params, path)

    def items(self, values: dict[str, Any], path: str) -> dict[str, Any]:
        """Encode the values of a dict whose keys are strings."""
        return {
            str(name): self.value(value, f"{path}.{name}")
            for name, value in values.items()
        }

    def value(self, value: Any, path: str) -> Any:
        """Encode a value."""
        if isinstance(value, np.generic):
            value = value.item()
        if value is None or type(value) in (bool, int, float, str):
            return value
        if isinstance(value, str):
            return str.__str__(value)  # the text of an enumeration's member
        if isinstance(value, list):
            return [self.value(part, f"{path}.{i}") for i, part in enumerate(value)]
        if isinstance(value, tuple):
            return {"tuple": self.value(list(value), path)}
        if isinstance(value, dict):
            return {"dict": self.items(value, path)}
        if isinstance(value, np.ndarray):
            return self.array(value, path)
        return self.object(value, path)

    def object(self, value: Any, path: str) -> dict[str, Any]:
        """Encode an object of a known class."""
        if isinstance(value, np.random.RandomState):
            return {"random_state": self.random_state(value, path)}
        if isinstance(value, CharVocabulary):
            alphabet = self.value(value.alphabet, path)
            return {"vocabulary": [alphabet, bool(value.unknown)]}
        if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
            self.check_pattern(value.pattern)
            return {"pattern": [value.pattern, value.flags]}
        if hasattr(value, "get_params") and hasattr(value, "fit"):
            return {"estimator": self.estimator(value, path)}
        remedy = "Save the model with joblib instead."
        if path.endswith(".cv"):  # a splitter
            remedy = (
                "Only `fit` uses `cv`, so set it to a number of folds before `save`, "
                "or save the model with joblib."
            )
        raise TypeError(
            f"{path} is {_described(value)}, which `save` cannot keep: only numbers, "
            "strings, lists, dicts, arrays and estimators of this package. "
            f"{remedy}"
        )

    def array(self, array: np.ndarray, path: str) -> dict[str, Any]:
        """Encode an array: numbers by the name of their array, texts as a list."""
        if array.dtype.kind in "biuf" and array.dtype.itemsize <= 8:
            while path in self.arrays:  # a parameter and a fitted attribute
                path += "_"
            self.arrays[path] = array
            return {"array": path}
        if array.ndim != 1 or not all(isinstance(text, str) for text in array):
            raise TypeError(
                f"{path} is an array of {array.dtype}, which `save` cannot keep: only "
                "numbers, and strings in one dimension."
            )
        texts = [str.__str__(text) for text in array]
        if array.dtype.kind != "U":
            return {"texts_object": texts}
        self.check_texts(texts)
        return {"texts_fixed": texts}

    def random_state(self, random_state: np.random.RandomState, path: str) -> list[Any]:
        """Encode the state of a generator of random numbers."""
        state: Any = random_state.get_state(legacy=False)
        if state["bit_generator"] != "MT19937":
            raise TypeError(
                f"{path} is a RandomState of {state['bit_generator']}; `save` keeps "
                "only a RandomState of MT19937."
            )
        twister = state["state"]
        parts = (twister["key"], twister["pos"], state["has_gauss"], state["gauss"])
        return [self.value(part, path) for part in parts]


def _requests(model: Any) -> dict[str, dict[str, Any]]:
    """Return which metadata the methods of an estimator request."""
    if type(model).__name__ in WRAPPERS:
        return {}  # they only pass metadata on
    routing = model.get_metadata_routing()
    requests = {
        method: {
            name: request
            for name, request in getattr(routing, method).requests.items()
            if request is not None
        }
        for method in METHODS_WITH_METADATA
    }
    return {method: names for method, names in requests.items() if names}


def _described(value: Any) -> str:
    """Return the kind of a value in words."""
    if isinstance(value, type):
        return f"the class {value.__name__} and not an estimator"
    return f"of type {type(value).__module__}.{type(value).__qualname__}"
