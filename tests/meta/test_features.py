"""CharLMFeatures: columns by hand, out of fold, in frames and pipelines."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.compose import (
    ColumnTransformer,
    make_column_selector,
    make_column_transformer,
)
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_makemore import (
    BigramCounter,
    CharLMClassifier,
    CharLMFeatures,
    NGramCounter,
    TransformerCharLM,
    load,
    save,
)
from sklearn_makemore.datasets import load_names

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
    frozen = FrozenEstimator(model.estimator_)
    known = clone(model).set_params(estimator=frozen).fit_transform(words)
    np.testing.assert_array_equal(known, seen)


def test_all_words_equal():
    with pytest.raises(ValueError, match="All words are 'anna'.*FrozenEstimator"):
        clone(FEATURES).fit_transform(["anna"] * 9)
    rows = clone(FEATURES).fit(["anna"] * 9).transform(["anna"] * 9)
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


def test_a_selector_of_columns_must_find_one(words):
    frame = pd.DataFrame({"name": words, "age": 1.0})
    selector = make_column_selector(dtype_exclude="number")
    model = make_column_transformer((clone(FEATURES), selector))
    with pytest.raises(NotFittedError):
        clone(FEATURES).get_feature_names_out()
    expected = clone(FEATURES).fit_transform(words)
    np.testing.assert_array_equal(model.fit_transform(frame), expected)
    with pytest.raises(
        ValueError, match=r"of 2 columns.* \(CharLMFeatures\(\), 'other'\)"
    ):
        model.fit_transform(frame.assign(other=words))
    # skrub's ApplyToCols fits a copy per column if there is this attribute.
    assert FEATURES.__single_column_transformer__


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


def log_odds_by_hand(models, log_prior, word):
    """From the log-probability of a word in each class; all know its letters.

    The empty word is shorter than all words of all classes.
    """
    joint = [
        (model.score_samples([word])[0] if word else 0) + prior
        for model, prior in zip(models, log_prior, strict=True)
    ]
    return [
        own - np.log(np.sum(np.exp(np.delete(joint, index))))
        for index, own in enumerate(joint)
    ]


def test_log_odds_of_classes_out_of_fold(tmp_path):
    words = [word for word in load_names().data[::9] if set(word) <= set("aeinrlos")]
    y = np.array(["abc"[row % 3] for row, _ in enumerate(words)])
    letters = "".join(sorted(set("".join(words))))
    plain = NGramCounter(2, alphabet=letters, handle_unknown="unk")
    model = CharLMFeatures(NGramCounter(order=2), cv=3)
    found = model.fit_transform(words, y)
    names = [f"log_odds_{label}" for label in "abc"]
    assert model.get_feature_names_out().tolist() == [*COLUMNS, *names]
    assert model.classes_.tolist() == [*"abc"] and model.known_symbols_[:, :-1].all()
    log_prior = np.log([np.mean(y == label) for label in "abc"])
    np.testing.assert_allclose(np.exp(log_prior), model.class_prior_)
    # The first columns do not depend on y.
    without = CharLMFeatures(NGramCounter(order=2), cv=3)
    np.testing.assert_array_equal(found[:, :5], without.fit_transform(words))
    # The folds go through the distinct words of one class after another.
    order = [word for label in "abc" for word in np.array(words)[y == label]]
    order = list(dict.fromkeys(order))
    for fold in range(3):
        held_out = order[fold::3]
        is_learned = ~np.isin(words, held_out)
        models = [
            clone(plain).fit(np.array(words)[is_learned & (y == label)])
            for label in "abc"
        ]
        for word in held_out[:6]:
            expected = log_odds_by_hand(models, log_prior, word)
            np.testing.assert_allclose(found[words.index(word), 5:], expected)
    models = [clone(plain).fit(np.array(words)[y == label]) for label in "abc"]
    asked = ["anna", "", "rosie"]
    expected = [log_odds_by_hand(models, log_prior, word) for word in asked]
    np.testing.assert_allclose(model.transform(asked)[:, 5:], expected)
    np.testing.assert_array_equal(
        clone(model).fit(words, y).transform(words), model.transform(words)
    )
    save(model, tmp_path / "model")
    again = load(tmp_path / "model")
    np.testing.assert_array_equal(again.transform(asked), model.transform(asked))
    assert again.get_feature_names_out().tolist() == [*COLUMNS, *names]
    # Another fit forgets the classes.
    assert model.fit_transform(words).shape == model.transform(words).shape
    assert model.get_feature_names_out().tolist() == COLUMNS


def test_two_classes_have_one_column():
    words = ["anna", "nan", "ana", "otto", "toto", "toot", "tot"]
    y = ["n", "n", "n", "o", "o", "o", "o"]
    model = CharLMFeatures(BigramCounter(), cv=2).fit(words, y)
    assert model.get_feature_names_out().tolist() == [*COLUMNS, "log_odds_o"]
    bayes = CharLMClassifier(BigramCounter(), calibration=None).fit(words, y)
    asked = ["anna", "tat", "ntoa"]
    expected = bayes.decision_function(asked)
    np.testing.assert_allclose(model.transform(asked)[:, 5:].T, [expected])
    out_of_fold = model.fit_transform(words, y)
    assert out_of_fold.shape == (7, 6)
    assert (out_of_fold[:, 5] < model.transform(words)[:, 5])[3:].all()


@pytest.mark.parametrize(
    "y",
    [
        np.linspace(0, 1, 6),
        np.zeros((6, 2)) + 0.5,
        np.eye(6, 2, dtype=int),
        np.arange(12).reshape(6, 2),
    ],
    ids=["numbers", "columns of numbers", "labels", "columns of classes"],
)
def test_a_target_without_classes_adds_no_columns(y):
    words = ["anna", "otto", "ana", "toto", "nan", "tot"]
    model = CharLMFeatures(BigramCounter())
    expected = clone(model).fit_transform(words)
    np.testing.assert_array_equal(model.fit_transform(words, y), expected)
    assert model.get_feature_names_out().tolist() == COLUMNS


def test_columns_of_classes_can_be_left_out(words):
    y = [len(word) > 5 for word in words]
    model = CharLMFeatures(BigramCounter(), log_odds=False)
    assert model.fit_transform(words, y).shape == (len(words), 5)
    frozen = FrozenEstimator(BigramCounter(handle_unknown="unk").fit(words))
    assert CharLMFeatures(frozen).fit_transform(words, y).shape == (len(words), 5)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        CharLMFeatures(BigramCounter()).fit(words, y[1:])


def test_classes_that_cannot_be_held_out_have_no_column():
    words = ["anna", "ana", "nan", "otto", "toto", "toot", "x", "anna", "y"]
    y = ["n", "n", "n", "o", "o", "o", "x", "x", "y"]
    weights = [1] * 6 + [0, 1, 1]
    model = CharLMFeatures(BigramCounter(), cv=2)
    found = model.fit_transform(words, y, sample_weight=weights)
    # The row of "anna" with class x has the log odds of the row with class n.
    np.testing.assert_array_equal(found[0], found[7])
    assert model.classes_.tolist() == ["n", "o"] and found.shape == (9, 6)
    assert clone(model).fit(words, y, weights).transform(words).shape == (9, 6)
    without = clone(model).fit_transform(words[:6], y[:6])
    np.testing.assert_array_equal(found[:6, 5:], without[:, 5:])
    assert clone(model).fit_transform(words, ["n"] * 9).shape == (9, 5)
    assert clone(model).fit_transform(words, words).shape == (9, 5)


def test_a_network_reads_the_long_word_of_a_class_without_a_column():
    words, y = ["anna", "ana", "nan", "otto", "toto", "toot"], list("nnnooo")
    net = TransformerCharLM(n_embd=4, n_heads=1, n_layers=1, max_epochs=1)
    model = CharLMFeatures(net, cv=2)
    found = model.fit_transform([*words, "na" * 60], [*y, "x"])
    assert found.shape == (7, 6) and np.isfinite(found).all()


def test_whole_numbers_are_classes_if_they_are_few(words):
    model = CharLMFeatures(BigramCounter())
    ages = np.arange(len(words)) % 21
    assert model.fit_transform(words, ages).shape == (len(words), 5)
    assert model.fit_transform(words, ages % 2).shape == (len(words), 6)
    assert model.fit_transform(words, ages.astype(str)).shape[1] > 7


@pytest.mark.slow
def test_columns_of_classes_are_as_good_as_the_classifier():
    words, sex = map(np.array, load_names(return_X_y=True))
    words, sex = words[::6], sex[::6]
    cut = GroupShuffleSplit(1, test_size=0.25, random_state=0)
    learned, held_out = next(cut.split(words, groups=words))
    accuracy = [
        model.fit(words[learned], sex[learned]).score(words[held_out], sex[held_out])
        for model in (
            make_pipeline(CharLMFeatures(), StandardScaler(), LogisticRegression()),
            CharLMClassifier(calibration=None),
        )
    ]
    assert accuracy[0] > 0.75 and accuracy[0] > accuracy[1] - 0.02


@pytest.mark.parametrize(
    "key", ["classes", "class_prior", "known_symbols", "min_lengths"]
)
def test_classes_that_are_none_are_not_restored(key, words):
    model = CharLMFeatures(BigramCounter()).fit(words, [word[-1] for word in words])
    with pytest.raises(ValueError, match=key):
        clone(model)._restore({**model._kept(), key: np.ones(2)})
    with pytest.raises(ValueError, match="no model of a class"):
        clone(model)._restore({**model._kept(), "class_estimators": []})
