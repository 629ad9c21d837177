"""CharLMClassifier.partial_fit: exact counts, and classes that come later."""

import re

import numpy as np
import pytest

from sklearn_makemore import (
    BigramCounter,
    CharLMClassifier,
    ConditionalCharLM,
    MLPCharLM,
    NGramCounter,
    load,
    save,
)

CLASSES = ["b", "f", "m"]
ASKED = ["emma", "zoë", "", "schatz"]
PARTS = [  # the last one has new letters, and the first words of a class
    (["emma", "anna", "otto", "tom", "ann", "tim"] * 3, list("ffmmfm") * 3, None),
    (["schatz", "emma", "jo"], list("mfm"), [2, 1, 0]),
    (["zoë", "bé"], list("fb"), [1, 3]),
]
COUNTERS = {
    "n-grams": None,
    "bigrams": BigramCounter(),
    "of symbols": NGramCounter(alphabet=re.compile("sch|.")),
    "of known letters": NGramCounter(alphabet="abcehijmnotz", handle_unknown="unk"),
}


def joined(column):
    return [value for part in PARTS for value in part[column]]


@pytest.mark.parametrize(
    ("name", "calibration"),
    [*((name, None) for name in COUNTERS), ("n-grams", "places")],
)
def test_parts_equal_the_whole(name, calibration, tmp_path):
    parts = CharLMClassifier(COUNTERS[name], calibration=calibration)
    for words, y, weight in PARTS:
        parts.partial_fit(words, y, classes=CLASSES, sample_weight=weight)
        save(parts, tmp_path / "model")  # also with a class that has no words
        before, parts = parts, load(tmp_path / "model")
        np.testing.assert_array_equal(
            parts.predict_proba(ASKED), before.predict_proba(ASKED)
        )
    weight = [1] * len(PARTS[0][0]) + PARTS[1][2] + PARTS[2][2]
    whole = CharLMClassifier(COUNTERS[name], calibration=calibration)
    whole.fit(joined(0), joined(1), weight)
    for attribute in ["classes_", "class_count_", "class_prior_"]:
        assert getattr(parts, attribute).tolist() == getattr(whole, attribute).tolist()
    for attribute in ["known_symbols_", "min_lengths_"]:
        np.testing.assert_array_equal(
            getattr(parts, attribute), getattr(whole, attribute)
        )
    for attribute in ["estimators_", "backward_estimators_"]:
        models = zip(getattr(parts, attribute), getattr(whole, attribute), strict=True)
        for one, other in models:
            assert one.get_params() == other.get_params()
            scores = one.score_samples(ASKED), other.score_samples(ASKED)
            np.testing.assert_array_equal(*scores)
    if calibration is None:
        proba = parts.predict_proba(ASKED), whole.predict_proba(ASKED)
        np.testing.assert_array_equal(*proba)


def test_a_class_without_words_is_never_predicted():
    model = CharLMClassifier(BigramCounter(), priors=[0.8, 0.1, 0.1])
    words, y, _ = PARTS[0]
    model.partial_fit(words, y, classes=["a", "f", "m"])
    assert model.estimators_[0] is None
    np.testing.assert_array_equal(model.predict_proba(ASKED)[:, 0], 0)
    of_two = CharLMClassifier(BigramCounter(), priors="uniform").fit(words, y)
    np.testing.assert_allclose(
        model.predict_proba(ASKED)[:, 1:], of_two.predict_proba(ASKED)
    )


@pytest.mark.parametrize(
    ("params", "call", "kind", "message"),
    [
        ({}, {"classes": ["f"]}, ValueError, "not the same as on last call"),
        ({}, {"y": ["q"]}, ValueError, "'q', which is not one of the classes"),
        ({}, {"y": None}, ValueError, "requires y to be passed"),
        ({"estimator__order": 2}, {}, ValueError, "have order 6, and order=2"),
        ({"estimator": BigramCounter()}, {}, ValueError, "class NGramCounter, and a B"),
        ({"calibration": "temperature"}, {}, ValueError, "with calibration=None, and"),
        ({"estimator": MLPCharLM()}, {}, TypeError, "must be a counter"),
        ({"estimator": ConditionalCharLM()}, {}, TypeError, "must be a counter"),
    ],
)
def test_what_cannot_be_added(params, call, kind, message):
    words, y, _ = PARTS[0]
    model = CharLMClassifier(calibration=None).fit(words, y)
    before = model.predict_proba(ASKED)
    with pytest.raises(kind, match=message):
        model.set_params(**params).partial_fit(
            **{"words": ["emma"], "y": ["f"], **call}
        )
    np.testing.assert_array_equal(model.predict_proba(ASKED), before)


def test_the_first_call_needs_all_classes():
    model = CharLMClassifier()
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        model.partial_fit(["emma"], ["f"])
    with pytest.raises(ValueError, match="'f', which is not one of the classes"):
        model.partial_fit(["emma"], ["f"], classes=["m"])
    assert not model.__sklearn_is_fitted__()


def test_a_file_keeps_how_the_weights_were_learned(tmp_path):
    words, y, _ = PARTS[0]
    model = CharLMClassifier(BigramCounter(), calibration=None).fit(words, y)
    save(model.set_params(calibration="temperature"), tmp_path / "model")
    again = load(tmp_path / "model")
    with pytest.raises(ValueError, match="calibration=None"):
        again.partial_fit(words, y)
    again.set_params(calibration=None).partial_fit(words, y)
    assert again.class_count_.sum() == 2 * len(words)
