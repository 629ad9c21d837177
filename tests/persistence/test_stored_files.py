"""Model files that an earlier version of the package wrote are read today.

`files/write.py` wrote them. They guard the format: a change that cannot read them needs
a new version of it, and files of its own.
"""

import json
from importlib import util
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

from sklearn_makemore import load, save
from sklearn_makemore._models import ESTIMATORS, NETWORKS
from sklearn_makemore._safe_file import FORMAT_VERSION, METADATA_KEY, read_safe_file

FILES = Path(__file__).parent / "files"
ANSWERS = json.loads((FILES / "answers.json").read_text(encoding="utf-8"))

spec = util.spec_from_file_location("write_stored_files", FILES / "write.py")
write = util.module_from_spec(spec)
spec.loader.exec_module(write)

SAMPLE = {"sampled_words", "sampled_weights"}
"""Arrays of n-gram counts that version 0.1.0 did not write."""

CODED = {"ngrams", "counts"}
"""Arrays of n-gram counts that are coded now; files with plain ones are read."""

ADDED = {
    "NGramCounter": SAMPLE,
    "CharLMClassifier": {"class_count", "known_symbols", "min_lengths"},
    "CharLMFeatures": {
        *("classes", "class_prior", "class_estimators", "known_symbols", "min_lengths")
    },
    "CharLMOutlierDetector": {
        "training_scores",
        "mean_nll",
        "digests",
        "scores",
        "per",
    },
    **dict.fromkeys(NETWORKS, {"word_lengths", "weight_decay"}),
}
"""Fitted state that version 0.1.0 did not write, and without which files are read."""

MODELS = {type(model).__name__: model for model in write.models()}
ADDED_FILES = write.added()


def stored(name):
    return FILES / f"{name}.safetensors"


def format_version(path):
    from safetensors import safe_open

    with safe_open(path, "np") as file:
        return file.metadata()[METADATA_KEY].split(" ")[0]


def without_added(name, items):
    """Leave out the state of a model that older files lack, and its arrays."""
    if items is None or name in ADDED_FILES:
        return items
    added = ADDED.get(name, set()) | SAMPLE
    return {
        key: value
        for key, value in items.items()
        if not added & set(key.removeprefix("model.").split("."))
    }


def is_coded(key, arrays):
    """Whether an array belongs to n-gram counts, which are coded now."""
    *path, last = key.split(".")
    return last in CODED and ".".join([*path, "ngrams"]) in arrays


def test_every_estimator_has_a_stored_file():
    names = {path.stem for path in FILES.glob("*.safetensors")}
    assert set(MODELS) == {*ESTIMATORS, "Pipeline"}
    assert names == set(ANSWERS) == {*MODELS, *ADDED_FILES}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_stored_model_answers_as_when_it_was_saved(name):
    found = write.answers(load(stored(name)))
    assert found.keys() == ANSWERS[name].keys()
    for method, expected in ANSWERS[name].items():
        if method in ("predict", "sample"):
            assert found[method] == expected, method
        else:  # sums of float32 are not rounded equally on all processors
            np.testing.assert_allclose(found[method], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ANSWERS)
def test_a_stored_model_is_saved_again_as_it_was(name, tmp_path):
    save(load(stored(name)), tmp_path / "again")
    assert format_version(tmp_path / "again") == format_version(stored(name))
    (document, arrays), (again, arrays_again) = map(
        read_safe_file, (stored(name), tmp_path / "again")
    )
    # Parameters may be added, as long as older files are read without them.
    assert document["params"].items() <= again["params"].items() or name == "Pipeline"
    assert document["class"] == again["class"]
    assert document["fitted"] == without_added(name, again["fitted"])
    assert arrays.keys() == without_added(name, arrays_again).keys()
    for key, array in arrays.items():
        if name in ADDED_FILES or not is_coded(key, arrays):
            np.testing.assert_array_equal(arrays_again[key], array, strict=True)


@pytest.mark.parametrize("name", ANSWERS)
def test_a_model_fitted_today_is_saved_in_the_same_format(name, tmp_path):
    model = ADDED_FILES.get(name)
    if model is None:
        model = clone(MODELS[name]).fit(write.WORDS, write.LABELS)
    save(model, tmp_path / "today")
    assert format_version(tmp_path / "today") == FORMAT_VERSION == "1"
    (document, arrays), (today, arrays_today) = map(
        read_safe_file, (stored(name), tmp_path / "today")
    )
    assert document.keys() == today.keys()
    if document["fitted"] is not None:
        added = today["fitted"].keys() - document["fitted"].keys()
        assert added == ADDED.get(name, set())
        assert document["fitted"].keys() <= today["fitted"].keys()
    arrays_today = without_added(name, arrays_today)
    assert arrays.keys() == arrays_today.keys()
    for key, array in arrays.items():
        if name in ADDED_FILES or not is_coded(key, arrays):
            assert arrays_today[key].dtype == array.dtype, key
