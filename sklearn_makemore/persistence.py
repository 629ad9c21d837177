"""Models to files and back, without pickle.

A file holds the parameters and what was learned, never code: classes are looked up in a
list that is here. JSON says numbers, strings, booleans, None and lists; all else is a
dict of one key, which says what it is.
"""

import os
import warnings
from contextlib import contextmanager
from importlib import import_module

import numpy as np
from sklearn import config_context
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from ._models import ESTIMATORS
from ._safe_file import (
    ModelFileError,
    read_safe_file,
    restored_random_state,
    write_safe_file,
)
from ._sklearn import check_pipeline, validate_params
from ._words.vocabulary import CharVocabulary, check_alphabet

MAX_ESTIMATORS = 1 << 15
"""Most estimators in a file, where one counts double for each that it is in:
scikit-learn shows what is in an estimator twice, and errors may show one."""

MAX_NESTING = 8
"""Most estimators around an estimator."""

MAX_TEXT_CELLS = 1 << 24
"""Most characters that the arrays of fixed width may hold together: 64 MiB."""

NOT_SAVED = {"callbacks", "checkpoint", "memory"}
"""Parameters that a file does not keep: code, and paths that hold on one machine."""

METHODS_WITH_METADATA = ("fit", "partial_fit", "score")
"""Methods whose requests for metadata, such as sample weights, are kept."""


@validate_params({"path": [str, os.PathLike]}, prefer_skip_nested_validation=True)
def save(model, path):
    """Save a fitted model in a file.

    The file holds the parameters, the metadata requests and the fitted state, in the
    safetensors format with JSON in its metadata. It replaces an older file as a whole:
    if the process is killed meanwhile, the older file remains.

    These are not kept: the state of the optimiser, so that training after `load` goes
    on from the weights alone; callbacks, of scikit-learn and of skorch; `checkpoint`,
    and the `memory` of a pipeline, which are paths of this machine.

    Parameters
    ----------
    model : estimator
        A fitted estimator of this package, or a `sklearn.pipeline.Pipeline` of such.

    path : str or path-like
        The file; a "~" at its beginning is the home folder.

    Raises
    ------
    NotFittedError
        If the model, or a step of the pipeline, is not fitted.
    TypeError
        If it is not an estimator of this package, or has a parameter that is not data;
        if `path` is not a path.
    ValueError
        If parameters have been changed since `fit` in such a way that what was learned
        would not be the same with them.
    OSError
        If the file cannot be written; the old one is left as it is.

    See Also
    --------
    load : Load it.

    Notes
    -----
    `pickle` and `joblib` keep these models as well, with the state of the optimiser
    and callbacks. But **loading a pickle runs code that is in it**, so load only those
    you trust. `load` runs none.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn_makemore import NGramCounter, load, save
    >>> model = NGramCounter(order=3).fit(["emma", "olivia", "ava"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(model, Path(folder, "names.safetensors"))
    ...     again = load(Path(folder, "names.safetensors"))
    >>> again.nll(["mia"]) == model.nll(["mia"])
    True
    """
    writer = _Writer()
    document = writer.estimator(model, "model")
    check_all_fitted(model)
    if writer.not_saved:
        warnings.warn(
            f"A file keeps no code, so these are None in it: {writer.not_saved}. Give "
            "them again after loading, or use pickle.",
            UserWarning,
            stacklevel=3,  # beyond the check of the arguments
        )
    write_safe_file(path, document, writer.arrays)


@validate_params(
    {"path": [str, os.PathLike], "device": [str, None]},
    prefer_skip_nested_validation=True,
)
def load(path, device=None):
    """Load a model that `save` wrote.

    No code of the file is run, whoever made it: it is data, and what is not as it must
    be is an error. (`pickle.load` and `joblib.load` run what a file says.)

    Parameters
    ----------
    path : str or path-like
        The file; a "~" at its beginning is the home folder.

    device : str, default=None
        Where networks compute from now on: "cpu", "cuda", "cuda:1", "mps", "auto". None
        takes their own `device`; where that is not on this machine, "auto", with a
        warning.

    Returns
    -------
    model : estimator
        The fitted model. It gives the same probabilities and, for the same
        `random_state`, the same samples.

    Raises
    ------
    ModelFileError
        If the file is not a model of this package, of another version of the format, or
        is damaged.
    OSError
        If it cannot be read; `FileNotFoundError` if there is none.
    ValueError
        If `device` is not available on this machine.
    TypeError
        If `path` is not a path, or `device` is not a string.

    See Also
    --------
    save : Save a model.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn_makemore import BigramCounter, load, save
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "names.safetensors")
    ...     save(BigramCounter().fit(["emma", "olivia", "ava"]), path)
    ...     load(path)
    BigramCounter()
    """
    if device is not None:
        from ._training.device import resolve_device  # counters need no torch

        resolve_device(device)
    document, arrays = read_safe_file(path)
    if "training" in document:
        raise ModelFileError(
            f"{path!s} is the checkpoint of a training that has not come to its end, "
            "not a model: call the same `fit` again, with this `checkpoint`."
        )
    reader = _Reader(arrays, device)
    try:
        model = reader.estimator(document)
        check_all_fitted(model)
        if arrays:
            raise ValueError(f"the array {min(arrays)!r} belongs to nothing.")
    except Exception as error:
        lacks = isinstance(error, KeyError)
        reason = f"it lacks {error}" if lacks else f"{type(error).__name__}: {error}"
        raise ModelFileError(
            f"{path!s} holds no model that can be restored: {reason}"
        ) from error
    for missing in sorted(reader.missing_devices):
        warnings.warn(
            f"The model was on device={missing!r}, which is not available on this "
            "machine; its device is 'auto' now.",
            UserWarning,
            stacklevel=3,  # beyond the check of the arguments
        )
    return model


def check_all_fitted(model):
    """Raise an error if a model, or a step of a pipeline, is not fitted."""
    steps = model.steps if type(model) is Pipeline else [("", model)]
    for _, step in steps:
        if type(step) is Pipeline:
            check_all_fitted(step)
        elif not _is_no_step(step):
            check_is_fitted(step)


class _Bounded:
    """What bounds the estimators and the arrays of texts of a file.

    Attributes
    ----------
    depth : int
        Number of estimators around this place.

    n_estimators : int
        Number of estimators so far, see `MAX_ESTIMATORS`.

    n_text_cells : int
        Characters of the arrays of fixed width so far.
    """

    def __init__(self):
        self.depth = self.n_estimators = self.n_text_cells = 0

    @contextmanager
    def inside(self):
        """Count an estimator and, in the block, what is in it."""
        self.n_estimators += 2**self.depth
        if self.depth > MAX_NESTING or self.n_estimators > MAX_ESTIMATORS:
            raise ValueError(
                "There are too many estimators in each other: a file has at most "
                f"{MAX_ESTIMATORS:,}, each counted double for each that it is in, and "
                f"at most {MAX_NESTING} around one."
            )
        self.depth += 1
        yield
        self.depth -= 1

    def check_texts(self, texts):
        """Raise an error if an array of fixed width would be too large."""
        self.n_text_cells += len(texts) * max(map(len, texts), default=0)
        if self.n_text_cells > MAX_TEXT_CELLS:
            raise ValueError(
                f"Arrays of texts of fixed width have more than {MAX_TEXT_CELLS:,} "
                "characters; use arrays of objects."
            )


class _Writer(_Bounded):
    """Models as JSON and arrays.

    Attributes
    ----------
    arrays : dict of str to ndarray
        The arrays, named by where they belong.

    not_saved : list of str
        Parameters that were not kept although they have a value.
    """

    def __init__(self):
        super().__init__()
        self.arrays = {}
        self.not_saved = []

    def estimator(self, model, place):
        """Return an estimator, fitted or not, as JSON."""
        name = type(model).__name__
        if isinstance(model, type) or type(model) is not _class_of(name):
            raise TypeError(
                f"{place} is {_described(model)}, and `save` keeps "
                f"{', '.join(sorted(ESTIMATORS))} and pipelines of them; save what is "
                "not of these kinds with joblib."
            )
        kept = None
        with self.inside():
            if type(model) is not Pipeline and model.__sklearn_is_fitted__():
                kept = self.items(model._kept(), place)
            return {
                "class": name,
                "params": self.params(model, place),
                "requests": _requests(model),
                "fitted": kept,
            }

    def params(self, model, place):
        """Return the parameters of an estimator as JSON."""
        params = model.get_params(deep=False)
        for name in NOT_SAVED & params.keys():
            if params[name] and name != "checkpoint":
                self.not_saved.append(f"{place}.{name}")
            params[name] = None
        alphabet = params.get("alphabet")
        if alphabet is not None and not isinstance(alphabet, str):
            params["alphabet"] = check_alphabet(alphabet)
        return self.items(params, place)

    def items(self, values, place):
        """Return a dict with strings for keys as JSON."""
        return {
            str(name): self.value(value, f"{place}.{name}")
            for name, value in values.items()
        }

    def value(self, value, place):
        """Return a value as JSON."""
        if isinstance(value, np.generic):
            value = value.item()
        if value is None or type(value) in (bool, int, float, str):
            return value
        if isinstance(value, str):
            return str.__str__(value)  # not the name of an enumeration's member
        if isinstance(value, list):
            return [self.value(part, f"{place}.{i}") for i, part in enumerate(value)]
        if isinstance(value, tuple):
            return {"tuple": self.value(list(value), place)}
        if isinstance(value, dict):
            return {"dict": self.items(value, place)}
        if isinstance(value, np.ndarray):
            return self.array(value, place)
        if isinstance(value, np.random.RandomState):
            return {"random_state": self.random_state(value, place)}
        if isinstance(value, CharVocabulary):
            return {"vocabulary": [value.characters, bool(value.unknown)]}
        if hasattr(value, "get_params") and hasattr(value, "fit"):
            return {"estimator": self.estimator(value, place)}
        raise TypeError(
            f"{place} is {_described(value)}, which `save` cannot keep: only numbers, "
            "strings, lists, dicts, arrays and estimators of this package."
        )

    def array(self, array, place):
        """Return an array as JSON: of numbers by its name, of texts as a list."""
        if array.dtype.kind in "biuf" and array.dtype.itemsize <= 8:
            while place in self.arrays:  # a parameter and what was fitted
                place += "_"
            self.arrays[place] = array
            return {"array": place}
        if array.ndim != 1 or not all(isinstance(text, str) for text in array):
            raise TypeError(
                f"{place} is an array of {array.dtype}, which `save` cannot keep: only "
                "numbers, and strings in one dimension."
            )
        texts = [str.__str__(text) for text in array]
        if array.dtype.kind != "U":
            return {"texts_object": texts}
        self.check_texts(texts)
        return {"texts_fixed": texts}

    def random_state(self, random_state, place):
        """Return a generator of random numbers as JSON."""
        algorithm = random_state.get_state(legacy=False)["bit_generator"]
        if algorithm != "MT19937":
            raise TypeError(f"{place} draws by {algorithm}, not by MT19937.")
        _, keys, *rest = random_state.get_state(legacy=True)
        return [self.value(part, place) for part in (keys, *rest)]


class _Reader(_Bounded):
    """JSON and arrays as models: the inverse of `_Writer`, and nothing else.

    Parameters
    ----------
    arrays : dict of str to ndarray
        The arrays. Each is taken out by what it belongs to, so that none can be made
        to fill the memory by many uses.

    device : str or None
        The device of the networks; None takes their own.

    Attributes
    ----------
    missing_devices : set of str
        Devices of networks that are not on this machine.
    """

    def __init__(self, arrays, device):
        super().__init__()
        self.arrays = arrays
        self.device = device
        self.missing_devices = set()

    def estimator(self, node):
        """Return an estimator."""
        with self.inside():
            return self.restored(node)

    def restored(self, node):
        """Return an estimator that has been counted."""
        name, params, kept = (node[key] for key in ("class", "params", "fitted"))
        made = _class_of(name)
        if made is None:
            raise ValueError(f"{name!r} is not a class that can be loaded")
        params = {name: self.value(value) for name, value in params.items()}
        if any(params.get(not_saved) is not None for not_saved in NOT_SAVED):
            raise ValueError("a parameter is there that is never kept")
        if "device" in params:
            params["device"] = self.device_here(params["device"])
        model = made(**params)
        model._validate_params()
        _set_requests(model, node["requests"])
        if type(model) is Pipeline:
            _check_steps(model)
        elif kept is not None:
            model._restore({key: self.value(value) for key, value in kept.items()})
        return model

    def device_here(self, device):
        """Return the device that a network has on this machine."""
        if self.device is not None or not isinstance(device, str):
            return self.device
        from ._training.device import device_or_auto

        here = device_or_auto(device)
        if here != device:
            self.missing_devices.add(device)
        return here

    def value(self, node):
        """Return a value."""
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
            return _vocabulary(*content)
        if kind == "estimator":
            return self.estimator(content)
        raise ValueError(f"{kind!r} is nothing that a model has")

    def texts(self, texts, dtype):
        """Return an array of strings."""
        if not all(isinstance(text, str) for text in texts):
            raise TypeError("texts are no strings")
        if dtype is str:
            self.check_texts(texts)
        return np.array(texts, dtype=dtype)


def _class_of(name):
    """Return the class of a name, None if it cannot be saved."""
    if name == "Pipeline":
        return Pipeline
    if name not in ESTIMATORS:
        return None
    return getattr(import_module(f".{ESTIMATORS[name]}", __package__), name)


def _requests(model):
    """Return which metadata the methods of an estimator ask for, by their names."""
    if type(model) is Pipeline:
        return {}  # it only hands on
    routing = model.get_metadata_routing()
    requests = {
        method: {
            name: asked
            for name, asked in getattr(routing, method).requests.items()
            if asked is not None
        }
        for method in METHODS_WITH_METADATA
    }
    return {method: asked for method, asked in requests.items() if asked}


def _set_requests(model, requests):
    """Let the methods of an estimator ask for metadata as `_requests` said."""
    for method, names in requests.items():
        if not all(
            type(asked) is bool or (isinstance(asked, str) and asked.isidentifier())
            for asked in names.values()
        ):
            raise ValueError(f"{method!r} requests {names!r}")
        with config_context(enable_metadata_routing=True):  # else none can be set
            getattr(model, f"set_{method}_request")(**names)


def _is_no_step(step):
    """Whether the step of a pipeline does nothing."""
    return step is None or (isinstance(step, str) and step == "passthrough")


def _check_steps(pipeline):
    """Raise an error if a pipeline has something else than named estimators."""
    for name, step in pipeline.steps:
        if not isinstance(name, str):
            raise TypeError(f"a step has the name {name!r}")
        if not _is_no_step(step) and _class_of(type(step).__name__) is not type(step):
            raise TypeError(f"the step {name!r} is a {type(step).__name__}")
    check_pipeline(pipeline)


def _vocabulary(characters, unknown):
    """Return a vocabulary of sorted, distinct characters."""
    if not isinstance(characters, str) or not isinstance(unknown, bool):
        raise TypeError("a vocabulary is characters, and whether some are unknown")
    vocabulary = CharVocabulary(characters, unknown=unknown)
    if vocabulary.characters != characters:
        raise ValueError("the characters are not sorted and distinct")
    return vocabulary


def _random_state(keys, place, has_normal, normal):
    """Return a generator of random numbers in some state."""
    if keys.shape != (624,) or keys.dtype != np.uint32:
        raise ValueError("no state of a RandomState")
    return restored_random_state(
        {
            "bit_generator": "MT19937",
            "state": {"key": keys, "pos": place},
            "has_gauss": int(bool(has_normal)),
            "gauss": float(normal),
        }
    )


def _described(value):
    """Return the kind of a value in words."""
    if isinstance(value, type):
        return f"the class {value.__name__} and not an estimator"
    return f"of type {type(value).__module__}.{type(value).__qualname__}"
