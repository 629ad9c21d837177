"""Saving and loading models without pickle.

A file holds the parameters and the fitted state, never code. `_encoding` turns a model
into a JSON document and arrays, `_decoding` checks them and turns them into a model,
`_limits` has the limits of both. The guide to saving models has the threat model.
"""

import os
import warnings
from typing import Any

from sklearn.utils.validation import check_is_fitted

from .._arguments import validate_options
from .._safe_file import ModelFileError, read_safe_file, write_safe_file
from ._decoding import Decoder
from ._encoding import Encoder
from ._limits import is_no_step, is_wrapper

__all__ = ["load", "save"]


@validate_options({"path": [str, os.PathLike]})
def save(model: Any, path: str | os.PathLike[str]) -> None:
    """Save a fitted model in a file that runs no code when it is loaded.

    The file holds the parameters, the metadata requests and the fitted state, in the
    safetensors format with JSON in its metadata. It replaces an older file atomically:
    if the process is killed meanwhile, the older file remains.

    The file does not hold the state of the optimizer, so training continues after
    `load` from the weights only. The file also holds no code and no paths of this
    machine. Callbacks of scikit-learn and of skorch, the `checkpoint` of a network, and
    the `memory` of a pipeline are therefore None after `load`.

    Parameters
    ----------
    model : estimator
        A fitted estimator of this package, or a `sklearn.pipeline.Pipeline` or
        `sklearn.frozen.FrozenEstimator` of them.

    path : str or path-like
        The file. A "~" at the start stands for the home folder.

    Raises
    ------
    NotFittedError
        If the model, or a step of the pipeline, is not fitted.
    TypeError
        If `model` is not an estimator of this package, or has a parameter that is not
        data, or if `path` is not a path.
    ValueError
        If parameters have changed since `fit`, so that the loaded model would differ.
    OSError
        If the file cannot be written. An older file is unchanged.

    Warns
    -----
    UserWarning
        If the model has callbacks or a `memory`, which are not saved.

    See Also
    --------
    load : Load a model from a file.

    Notes
    -----
    `pickle` and `joblib` can also save these models, with the optimizer and callbacks.
    But **loading a pickle runs the code in it**, so load only pickles that you trust.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn_makemore import NGramCounter, load, save
    >>> model = NGramCounter(order=3).fit(["emma", "olivia", "ava"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(model, Path(folder, "names.safetensors"))
    ...     again = load(Path(folder, "names.safetensors"))
    >>> print(f"{model.nll(['mia']):.3f} {again.nll(['mia']):.3f}")
    1.333 1.333
    """
    encoder = Encoder()
    document = encoder.estimator(model, "model")
    check_all_fitted(model)
    if encoder.not_saved:
        warnings.warn(
            f"A file holds no code, so these are None in it: {encoder.not_saved}. Set "
            "them again after loading, or use pickle.",
            UserWarning,
            stacklevel=3,  # the caller, outside the check of the arguments
        )
    write_safe_file(path, document, encoder.arrays)


@validate_options({"path": [str, os.PathLike], "device": [str, None]})
def load(path: str | os.PathLike[str], device: str | None = None) -> Any:
    """Load a model from a file that `save` wrote.

    The file can come from anyone. `load` runs no code from it, validates all of its
    content, and needs memory in proportion to its size. It does not verify who made the
    model.

    Parameters
    ----------
    path : str or path-like
        The file. A "~" at the start stands for the home folder.

    device : str, default=None
        Where networks compute from now on: "cpu", "cuda", "cuda:1", "mps" or "auto".
        None takes the `device` that each network was saved with. If this machine does
        not have it, the network has ``device="auto"``, with a warning.

    Returns
    -------
    model : estimator
        The fitted model. It has the same probabilities as the model that was saved and,
        for the same `random_state`, the same samples.

    Raises
    ------
    ModelFileError
        If the file is not a model of this package, has another version of the format,
        or is damaged.
    OSError
        If the file cannot be read; `FileNotFoundError` if there is none.
    ValueError
        If `device` is unknown or not available on this machine.
    TypeError
        If `path` is not a path.

    Warns
    -----
    UserWarning
        If this machine does not have the device of a network.

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
        from .._training.device import resolve_device  # counters need no torch

        resolve_device(device)
    document, arrays = read_safe_file(path)
    if "training" in document:
        raise ModelFileError(
            f"{path!s} is the checkpoint of a training that has not finished, not a "
            "model. Call the same `fit` again, with this `checkpoint`."
        )
    decoder = Decoder(arrays, device)
    try:
        model = decoder.estimator(document)
        check_all_fitted(model)
        if arrays:
            raise ValueError(f"the array {min(arrays)!r} is not used")
    except Exception as error:
        is_missing = isinstance(error, KeyError)
        kind = type(error).__name__
        reason = f"{error} is missing" if is_missing else f"{kind}: {error}"
        raise ModelFileError(
            f"{path!s} holds no model that can be restored: {reason}"
        ) from error
    for missing in sorted(decoder.missing_devices):
        warnings.warn(
            f"The model was on device={missing!r}, which is not available on this "
            "machine; its device is 'auto' now.",
            UserWarning,
            stacklevel=3,  # the caller, outside the check of the arguments
        )
    return model


def check_all_fitted(model: Any) -> None:
    """Raise an error if a model, or a step of a pipeline, is not fitted."""
    steps = model.steps if is_wrapper(model, "Pipeline") else [("", model)]
    for _, step in steps:
        if is_wrapper(step, "Pipeline"):
            check_all_fitted(step)
        elif not is_no_step(step):
            check_is_fitted(step)
