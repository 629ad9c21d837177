"""Identity of a training, compared with a checkpoint and between processes."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from .._safe_file import content_digest
from .._words.training_set import TrainingSet
from .net import CharNet
from .processes import CollectiveError
from .state import net_digest

# The vocabulary, the initial weights and the device are compared separately.
NOT_COMPARED = {
    "alphabet",
    "callbacks",
    "checkpoint",
    "device",
    "handle_unknown",
    "verbose",
    "warm_start",
}
"""Parameters that may differ when a training resumes from its checkpoint."""


def training_identity(
    model, data: TrainingSet, start: CharNet | None, device: str
) -> dict[str, Any]:
    """Return the identity of a training as JSON values; equal for equal trainings.

    Of a source of random numbers, it contains only the type.

    start : the net that training starts from, None for new weights
    """
    symbols = [data.vocabulary.characters, str(data.vocabulary.unknown)]
    words: dict[str, np.ndarray] = {
        "codes": data.encoded.codes,
        "offsets": data.encoded.offsets,
    }
    if data.labels is not None:
        words["labels"] = data.labels
    if data.sample_weight is not None:
        words["sample_weight"] = data.sample_weight
    parameters = {
        name: value
        for name, value in model.get_params(deep=False).items()
        if name not in NOT_COMPARED
    }
    # Each process has its own device; all are of one kind.
    parameters["device"] = device.split(":")[0]
    return {
        "class": type(model).__name__,
        "words": content_digest(symbols, words),
        "start": None if start is None else net_digest(start),
        "parameters": as_json(parameters),
    }


def check_agreement(identities: list[dict[str, Any]]) -> None:
    """Raise an error if processes that train one net have different trainings."""
    for index, identity in enumerate(identities):
        for difference in differences(identity, identities[0]):
            raise CollectiveError(
                "All processes must be given the same training, and compared with the "
                f"first, process {index} has another: {difference}."
            )


def differences(other: dict[str, Any], identity: dict[str, Any]) -> Iterator[str]:
    """Describe how another training differs from this one."""
    for name, what in (("format", "its format is {}"), ("class", "its model is {}")):
        if other.get(name) != identity.get(name):
            yield what.format(other.get(name))
            return
    if other.get("words") != identity["words"]:
        yield "it has other words, sample weights or symbols, or another order of them"
    if other.get("start") != identity["start"]:
        yield "it started from other weights or another state of the optimizer"
    theirs, ours = other["parameters"], identity["parameters"]
    for name in sorted({*theirs, *ours}):
        if theirs.get(name) != ours.get(name):
            yield f"it has {name}={theirs.get(name)!r}, not {ours.get(name)!r}"


def as_json(value):
    """Return a value as JSON holds it; for other objects, the name of their type."""

    def plain(value):
        if isinstance(value, (np.ndarray, np.generic)):
            return value.tolist()
        return type(value).__name__

    return json.loads(json.dumps(value, default=plain))
