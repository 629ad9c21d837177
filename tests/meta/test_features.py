"""CharLMFeatures: columns by hand, out of fold, in frames and pipelines."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_makemore import BigramCounter, CharLMFeatures, NGramCounter

COLUMNS = ["log_proba", "nll", "max_surprisal", "max_surprisal_position", "length"]
FEATURES = CharLMFeatures(NGramCounter(order=3, handle_unknown="unk"))


def features_by_hand(model, word):
    """From the distribution of the next character after each prefix."""
    text = [symbol if symbol in model.symbols_ else "<unk>" for symbol in word]
    log_proba = [
        np.log(model.predict_proba([word[:length]])[0][model.symbols_.index(symbol)])
        for length, symbol in enumerate([*text, ""])
    ]
    nll = -sum(log_proba) / len(log_proba)
    position = int(np.argmin(log_proba))
    return [sum(log_proba), nll, -min(log_proba), position, len(word)]


def test_every_verb_by_keyword(words):
    model, weights = clone(FEATURES), np.ones(len(words))
    fitted = model.fit(X=words, y=None, sample_weight=weights)
    found = fitted.transform(X=words[:9])
    expected = clone(FEATURES).fit(words).transform(words[:9])
    np.testing.assert_array_equal(found, expected)
    model.set_output(transform="pandas")
    measured = model.fit_transform(X=words, y=None, sample_weight=weights)
    np.testing.assert_array_equal(measured, clone(FEATURES).fit_transform(words))
    assert list(model.transform(X=words[:9]).columns) == COLUMNS
    names = model.get_feature_names_out(input_features=["name"])
    assert names.tolist() == COLUMNS


def test_columns_by_hand(words):
    model = clone(FEATURES).fit(words)
    asked = ["anna", "ch", "axelrod", "", "zoë", "eliz"]
    found = model.transform(asked)
    assert found.shape == (6, 5) and found.dtype == np.float64
    expected = [features_by_hand(model.estimator_, word) for word in asked]
    np.testing.assert_allclose(found, expected)
    at_end = [row[3] == row[4] for row in expected]
    assert at_end[3] and sum(at_end) > 1 and not all(at_end)
    assert model.get_feature_names_out(["name"]).tolist() == COLUMNS
    letters = "".join(sorted(set("".join(words))))
    plain = NGramCounter(order=3, alphabet=letters, handle_unknown="unk").fit(words)
    np.testing.assert_allclose(found[:, 0], plain.score_samples(asked))


def test_training_words_are_measured_by_models_that_have_not_seen_them(words):
    model = clone(FEATURES).set_params(cv=3)
    found = model.fit_transform(words)
    distinct = list(dict.fromkeys(words))
    assert len(distinct) < len(words)  # equal words are in one fold
    letters = "".join(sorted(set("".join(words))))
    for fold in range(3):
        held_out = distinct[fold::3]
        learned = [word for word in words if word not in held_out]
        by_hand = NGramCounter(3, alphabet=letters, handle_unknown="unk").fit(learned)
        for row, word in enumerate(words):
            if word in held_out[:5]:
                expected = features_by_hand(by_hand, word)
                np.testing.assert_allclose(found[row], expected)
    seen = model.transform(words)
    np.testing.assert_array_equal(seen, clone(model).fit(words).transform(words))
    assert (seen[:, 0] > found[:, 0]).mean() > 0.9
    # New words look like those measured out of fold.
    new = clone(FEATURES).fit(words[::2]).transform(words[1::2])
    assert new[:, 1].mean() == pytest.approx(found[:, 1].mean(), abs=0.3)
    known = clone(model).set_params(cv=None).fit_transform(words)
    np.testing.assert_array_equal(known, seen)


def test_all_words_equal():
    with pytest.raises(ValueError, match="All words are 'anna'.*cv=None"):
        clone(FEATURES).fit_transform(["anna"] * 9)
    rows = clone(FEATURES).set_params(cv=None).fit_transform(["anna"] * 9)
    assert np.isfinite(rows).all()
    assert np.isfinite(clone(FEATURES).fit_transform(["anna", "otto"])).all()


def test_frames_come_out(words):
    index = range(100, 100 + len(words))
    model = clone(FEATURES).set_output(transform="pandas")
    for found in (
        model.fit_transform(pd.Series(words, index=index)),
        model.transform(pd.Series(words, index=index)),
    ):
        assert list(found.columns) == COLUMNS
        assert found.index.tolist() == list(index)
    assert list(model.transform(words[:2]).columns) == COLUMNS
    found = model.set_output(transform="polars").transform(pl.Series(words))
    assert isinstance(found, pl.DataFrame) and found.columns == COLUMNS


def test_beside_columns_of_numbers(words):
    rng = np.random.RandomState(0)
    frame = pd.DataFrame({"name": words, "age": rng.random_sample(len(words))})
    both = ColumnTransformer(
        [("name", clone(FEATURES), "name"), ("age", StandardScaler(), ["age"])]
    ).set_output(transform="pandas")
    found = both.fit_transform(frame)
    assert found.columns.tolist() == [
        *(f"name__{name}" for name in COLUMNS),
        "age__age",
    ]
    np.testing.assert_allclose(found.iloc[:, :5], clone(FEATURES).fit_transform(words))
    y = [len(word) > 5 for word in words]
    pipeline = make_pipeline(both, StandardScaler(), LogisticRegression())
    search = GridSearchCV(
        pipeline,
        {"columntransformer__name__estimator__order": [1, 2]},
        cv=3,
        error_score="raise",
    ).fit(frame, y)
    assert search.best_score_ > 0.95
    frame = pl.DataFrame({"name": words, "age": frame["age"].tolist()})
    np.testing.assert_allclose(
        both.set_output(transform="polars").fit_transform(frame), found
    )


def test_weights_are_those_of_the_model(words):
    weights = 1 + np.arange(len(words)) % 3
    model = clone(FEATURES).set_params(estimator=BigramCounter())
    found = model.fit(words, sample_weight=weights).transform(words)
    letters = "".join(sorted(set("".join(words))))
    expected = BigramCounter(alphabet=letters, handle_unknown="unk").fit(
        words, sample_weight=weights
    )
    np.testing.assert_allclose(found[:, 0], expected.score_samples(words))
