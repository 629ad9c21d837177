"""CharLMClassifier: Bayes' rule, its calibration, and scikit-learn around it."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import log_softmax
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, GroupShuffleSplit, cross_val_score
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_makemore import BigramCounter, CharLMClassifier, NGramCounter
from sklearn_makemore._meta import calibration as _calibration
from sklearn_makemore._meta.calibration import (
    PENALTY,
    ClassModels,
    best_weights,
    evidence_weights,
    log_likelihood,
)
from sklearn_makemore._meta.labels import LabelledWords
from sklearn_makemore.datasets import load_names

BAYES = CharLMClassifier(calibration=None)
ASKED = ["emma", "otto", "x", "", "zoë", "christopher"]


@pytest.fixture(scope="module")
def names():
    words, sex = load_names(return_X_y=True)
    return words[::30], sex[::30]


def of_class(words, y, label):
    return [word for word, own in zip(words, y, strict=True) if own == label]


def test_bayes_rule_by_hand(words):
    y = [f"{len(word) % 3}" for word in words]  # three classes
    model = clone(BAYES).fit(words, y)
    assert model.classes_.tolist() == ["0", "1", "2"]
    letters = "".join(sorted(set("".join(words))))
    joint = []
    for label in model.classes_:
        own = of_class(words, y, label)
        by_hand = NGramCounter(alphabet=letters, handle_unknown="unk").fit(own)
        joint.append(by_hand.token_log_proba(ASKED))
    # A class without an x gives it no more than those that have one.
    has_x = ["x" in "".join(of_class(words, y, label)) for label in model.classes_]
    assert not all(has_x)
    least = min(tokens[2][0] for tokens, has in zip(joint, has_x, strict=True) if has)
    for tokens, has in zip(joint, has_x, strict=True):
        tokens[2][0] = tokens[2][0] if has else min(tokens[2][0], least)
    joint = [[log_proba.sum() for log_proba in evidence(one)] for one in joint]
    joint = np.transpose(joint) + np.log(model.class_prior_)
    expected = np.exp(joint) / np.exp(joint).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict_proba(ASKED), expected)
    for found in model.predict_log_proba(ASKED), model.decision_function(ASKED):
        np.testing.assert_allclose(found, np.log(expected), atol=1e-12)
    best = np.array(["0", "1", "2"])[expected.argmax(axis=1)]
    assert model.predict(ASKED).tolist() == best.tolist()
    assert model.score(words=ASKED, y=best, sample_weight=None) == 1
    assert len(model.estimators_) == 3 and model.backward_estimators_ == []
    assert all(one.symbols_[1:-1] == list(letters) for one in model.estimators_)


def evidence(tokens):
    """Leave out the ë and the end of zoë, and the ends of too short words."""
    n_left_out = {"zoë": 2, "x": 1, "": 1}
    return [
        log_proba[: len(log_proba) - n_left_out.get(word, 0)]
        for word, log_proba in zip(ASKED, tokens, strict=True)
    ]


CALIBRATIONS = ["places", "temperature", None]


@pytest.mark.parametrize("calibration", CALIBRATIONS)
def test_letters_that_no_class_knows_are_no_evidence(calibration):
    words, sex = map(np.array, load_names(return_X_y=True))
    girls, boys = words[sex == "F"][::4][:3000], words[sex == "M"][::9][:150]
    model = CharLMClassifier(calibration=calibration, cv=3)
    model.fit([*girls, *boys], ["F"] * len(girls) + ["M"] * len(boys))
    proba = model.predict_proba(["12345", "1", "жук"])
    np.testing.assert_allclose(proba, [model.class_prior_] * 3)
    # Next to other letters, they change nothing but what would follow.
    many = model.decision_function(["jane12345", "jane1"])
    assert many[0] == pytest.approx(many[1], rel=0.1 if calibration else 1e-9)


MODELS = {
    "default": NGramCounter(handle_unknown="unk"),
    "closed form": NGramCounter(discounts="closed-form", match_lengths=False),
    "bigrams": BigramCounter(),
}


@pytest.mark.parametrize("calibration", CALIBRATIONS)
@pytest.mark.parametrize("name", MODELS)
def test_words_shorter_than_all_others_do_not_favour_small_classes(name, calibration):
    words, sex = map(np.array, load_names(return_X_y=True))
    girls, boys = words[sex == "F"][::4][:3000], words[sex == "M"][::9][:150]
    model = CharLMClassifier(MODELS[name], calibration=calibration, cv=3)
    model.fit([*girls, *boys], ["F"] * len(girls) + ["M"] * len(boys))
    assert model.min_lengths_.tolist() == [2, 3]
    np.testing.assert_allclose(model.predict_proba([""]), [model.class_prior_])
    # Of one letter, the evidence is that it begins words and that it ends them.
    of_boys = model.predict_proba(["a", "e", "i", "d", "j"])[:, 1]
    assert (of_boys < 3 * model.class_prior_[1]).all()


def test_short_words_are_evidence_for_the_classes_that_have_some():
    """One class has the empty word; the other one has no shorter word than two."""
    words = ["", "", "ab", "ba", "aab", "bab", "ab", "aab"]
    model = (
        clone(BAYES).set_params(estimator=BigramCounter()).fit(words, list("xxxxyyyy"))
    )
    assert model.min_lengths_.tolist() == [0, 2]
    one, other = model.estimators_
    of_one, of_other = (member.token_log_proba(["", "b"]) for member in (one, other))
    of_empty, of_b = of_one[0] - of_other[0], of_one[1] - of_other[1]
    assert of_empty > 1 and of_b[1] < 0
    of_b[1] = 0  # the class without a word of one letter gains nothing from its end
    expected = [-of_empty.sum(), -of_b.sum()]
    np.testing.assert_allclose(model.decision_function(["", "b"]), expected)


def test_letters_that_some_classes_know():
    """No class gains by lacking a letter; two classes know q, three classes exist."""
    girls, boys = ["anna", "ana", "nana", "qan", "naq"] * 20, ["nan", "aqa"] * 2
    words = [*girls, *boys, "ann", "nna"]
    y = ["f"] * 100 + ["m"] * 4 + ["few"] * 2
    model = clone(BAYES).set_params(estimator=BigramCounter()).fit(words, y)
    assert model.classes_.tolist() == ["f", "few", "m"]
    knows = {"f": set("anq"), "m": set("anq"), "few": set("an")}
    for row, label in zip(model.known_symbols_, model.classes_, strict=True):
        symbols = np.array(model.estimators_[0].symbols_)[row]
        assert set(symbols) == knows[label] | {""}
    models = dict(zip(model.classes_, model.estimators_, strict=True))
    for word in "qnn", "anqqa", "nan", "qqq", "a1q":
        tokens = {key: one.token_log_proba([word])[0] for key, one in models.items()}
        log_proba = dict(zip(model.classes_, np.log(model.class_prior_), strict=True))
        for place, symbol in enumerate([*word, "end"]):
            if symbol == "1" or word[place - 1 : place] == "1":
                continue
            for key in models:
                value = tokens[key][place]
                if symbol == "q" and key == "few":
                    value = min(value, tokens["f"][place], tokens["m"][place])
                log_proba[key] += value
        expected = log_softmax([log_proba[key] for key in model.classes_])
        np.testing.assert_allclose(model.predict_log_proba([word])[0], expected)


def test_unknown_characters_of_training_words_are_evidence():
    """Outside the given alphabet, but not outside the training words."""
    words, y = ["an1", "na2", "a3", "anna", "nan", "ana"], list("yyynnn")
    counter = BigramCounter(alphabet="an", handle_unknown="unk")
    model = clone(BAYES).set_params(estimator=counter)
    proba = model.fit(words, y).predict_proba(["a7", "n7"])
    assert (proba[:, 1] > 0.65).all() and model.known_symbols_[:, -1].tolist() == [0, 1]


def test_one_factor_for_all_log_probabilities(names):
    model = clone(BAYES).set_params(calibration="temperature").fit(*names)
    (factor,) = model.weights_
    tokens = [evidence(one.token_log_proba(ASKED)) for one in model.estimators_]
    joint = np.transpose([[part.sum() for part in of_class] for of_class in tokens])
    expected = log_softmax(factor * joint + np.log(model.class_prior_), axis=1)
    np.testing.assert_allclose(model.predict_log_proba(ASKED), expected)
    assert 0.1 < factor < 0.9  # the models are too sure of themselves
    # The best of many factors, on words that models of the other folds score.
    words, y = np.array(names[0]), names[1]
    order = dict.fromkeys(words[np.argsort(y, kind="stable")])
    folds = {word: index % 5 for index, word in enumerate(order)}
    folds = np.array([folds[word] for word in words])
    log_odds = np.empty(len(words))
    letters = "".join(sorted(set("".join(words))))
    for fold in range(5):
        girls, boys = (
            NGramCounter(alphabet=letters, handle_unknown="unk")
            .fit(words[(folds != fold) & (y == label)])
            .score_samples(words[folds == fold])
            for label in "FM"
        )
        log_odds[folds == fold] = boys - girls
    prior = np.log(np.mean(y == "M") / np.mean(y == "F"))
    factors = np.linspace(0, 2, 401)
    signs = np.where(y == "M", 1, -1)
    losses = [
        np.logaddexp(0, -signs * (prior + factor * log_odds)).sum()
        + (factor - 1) ** 2 / 2
        for factor in factors
    ]
    assert factor == pytest.approx(factors[np.argmin(losses)], abs=0.005)


def test_weights_of_places_by_hand(names):
    model = CharLMClassifier(NGramCounter(order=3, handle_unknown="unk")).fit(*names)
    assert model.weights_.shape == (24,) and model.bias_.shape == (2,)
    log_odds = dict(zip("FM", np.log(model.class_prior_), strict=True))
    word = "margaretha"
    for direction, members in enumerate(
        (model.estimators_, model.backward_estimators_)
    ):
        text = word[::-1] if direction else word
        prefixes = [text[:length] for length in range(len(text) + 1)]
        proba = {}
        for label, member in zip("FM", members, strict=True):
            columns = [member.symbols_.index(symbol) for symbol in [*text, ""]]
            table = member.predict_proba(prefixes)
            proba[label] = table[np.arange(len(columns)), columns]
        mean = (proba["F"] + proba["M"]) / 2
        for label in "FM":
            for step in range(len(text) + 1):
                place = min(len(text) - step, 5)  # the end mark is the first
                raw, mixed = model.weights_.reshape(2, 2, 6)[direction, :, place]
                own = proba[label][step]
                log_odds[label] += raw * np.log(own)
                log_odds[label] += mixed * np.log((own + mean[step]) / 2)
    expected = log_odds["M"] - log_odds["F"] + model.bias_[1] - model.bias_[0]
    found = model.decision_function([word])
    assert found.shape == (1,)
    np.testing.assert_allclose(found, expected)


def test_weights_are_at_the_top_of_a_hill_for_three_classes(words):
    y = np.array([len(word) % 3 for word in words])
    models = [NGramCounter(2).fit(words), BigramCounter(5.0).fit(words)]
    models.append(NGramCounter(3).fit(words))
    known = np.ones((3, len(models[0].symbols_)), dtype=bool), np.zeros(3, dtype=int)
    features = ClassModels([models, models], *known).features(words)
    assert features.shape == (len(words), 3, 24)
    rng = np.random.RandomState(0)
    likelihood = y, np.log([0.2, 0.3, 0.5]), rng.random_sample(len(words))
    center = rng.random_sample(24)
    weights, bias = best_weights(features, center, *likelihood)

    def penalised(weights, bias):
        value, gradient = log_likelihood(weights, bias, features, *likelihood)
        away = np.concatenate([weights - center, bias])
        return value - PENALTY / 2 * away @ away, gradient - PENALTY * away

    top, gradient = penalised(weights, bias)
    np.testing.assert_allclose(gradient, 0, atol=0.05)
    for step in 0.05 * rng.standard_normal((20, 27)):
        ahead, _ = penalised(weights + step[:24], bias + step[24:])
        behind, _ = penalised(weights - step[:24], bias - step[24:])
        assert max(ahead, behind) < top
        # The gradient is that of the value, away from the top.
        _, slope = penalised(weights + step[:24], bias + step[24:])
        further, _ = penalised(weights + 1.001 * step[:24], bias + 1.001 * step[24:])
        assert (further - ahead) / 0.001 == pytest.approx(slope @ step, rel=0.05)


@pytest.mark.parametrize("calibration", ["places", "temperature"])
def test_the_unit_of_weights_does_not_change_probabilities(calibration, names):
    words, sex = names[0][::2], names[1][::2]
    model = CharLMClassifier(calibration=calibration, cv=2)
    expected = clone(model).fit(words, sex).predict_proba(ASKED)
    for weight in 1e-6, 3.0, 1e6, 1e300:
        weights = np.full(len(words), weight)
        found = clone(model).fit(words, sex, sample_weight=weights)
        np.testing.assert_allclose(found.predict_proba(ASKED), expected, rtol=1e-3)
    repeated = clone(model).fit([*words] * 3, [*sex] * 3).predict_proba(ASKED)
    np.testing.assert_allclose(repeated, expected, rtol=1e-3)


def test_the_effective_number_of_words():
    def weights(*sample_weight):
        words = ["ab", "ab", "ab", "b"]  # "ab" of two classes is two words
        weight = np.array(sample_weight) if sample_weight else None
        return evidence_weights(
            LabelledWords(words, np.arange(2), np.array([0, 1, 0, 1]), weight)
        )

    np.testing.assert_allclose(weights(1e300, 2e300, 1e300, 2e300), [0.5, 1, 0.5, 1])
    np.testing.assert_allclose(weights(), 4 / 6)
    # A word with most of the weight leaves little more than one word.
    assert weights(1.0, 1.0, 1.0, 1e9).sum() == pytest.approx(1)


@pytest.mark.slow
def test_as_good_as_the_better_of_two_bags_of_characters():
    words, sex = load_names(return_X_y=True)
    words, sex = np.array(words[::4]), sex[::4]
    cut = GroupShuffleSplit(1, test_size=0.25, random_state=0)
    learned, held_out = next(cut.split(words, groups=words))
    losses = []
    for classifier in (
        CharLMClassifier(),
        bag_of_characters(MultinomialNB()),
        bag_of_characters(LogisticRegression(max_iter=1000)),
        BAYES,
    ):
        proba = classifier.fit(words[learned], sex[learned]).predict_proba(
            words[held_out]
        )
        losses.append(log_loss(sex[held_out], proba))
    assert losses[0] < min(losses[1:3])
    assert losses[0] < losses[3] - 0.05


def bag_of_characters(classifier):
    return make_pipeline(
        CountVectorizer(analyzer="char", ngram_range=(1, 5)), classifier
    )


def test_many_words_are_classified_part_by_part(names, monkeypatch):
    model = clone(BAYES).fit(*names)
    expected = model.predict_proba(ASKED)
    monkeypatch.setattr(_calibration, "WORD_CHUNK_SIZE", 4)
    np.testing.assert_array_equal(model.predict_proba(ASKED), expected)


@pytest.mark.slow
@pytest.mark.parametrize("calibration", ["places", None])
def test_priors(calibration, names):
    own, uniform, given = (
        CharLMClassifier(priors=priors, calibration=calibration, cv=2).fit(*names)
        for priors in (None, "uniform", [0.9, 0.1])
    )
    share = np.mean(names[1] == "M")
    np.testing.assert_allclose(own.class_prior_, [1 - share, share])
    # Another prior moves the log odds and nothing else.
    log_odds = own.decision_function(ASKED) - np.log(share / (1 - share))
    np.testing.assert_allclose(uniform.decision_function(ASKED), log_odds, atol=1e-12)
    np.testing.assert_allclose(given.decision_function(ASKED), log_odds + np.log(1 / 9))
    weights = np.where(names[1] == "M", 3.0, 1.0)
    weighted = clone(own).fit(*names, sample_weight=weights)
    assert weighted.class_prior_[1] == pytest.approx(3 * share / (1 + 2 * share))
    never = clone(own).set_params(priors=[1, 0]).fit(*names)
    assert never.predict_proba(ASKED).tolist() == [[1, 0]] * len(ASKED)


@pytest.mark.parametrize(
    "priors, message",
    [
        ([0.2, 0.3, 0.5], "one number for each of the 2 classes"),
        ([0.5, 0.6], "sum to 1"),
        ([-0.5, 1.5], "not be negative"),
        ("equal", "The 'priors' parameter"),
        ({"F": 0.5, "M": 0.5}, "`priors` must be a list of numbers.*'F': 0.5"),
        (["half", "half"], "`priors` must be a list of numbers"),
        ([[0.5], [0.2, 0.3]], "`priors` must be a list of numbers"),
    ],
)
def test_bad_priors(priors, message, names):
    model = clone(BAYES).set_params(priors=priors)
    with pytest.raises(ValueError, match=message):
        model.fit(*names)
    assert not model.__sklearn_is_fitted__()


def test_one_class_and_rare_classes():
    words = ["anna", "ana", "nan", "anna", "otto", "toto"]
    model = CharLMClassifier().fit(words, [7] * 6)
    assert model.predict(["otto"]).tolist() == [7]
    assert model.predict_proba(["otto"]).tolist() == [[1]]
    # A class of one word cannot be learned without it: nothing is known of the weights.
    model = CharLMClassifier().fit(words, list("aaaaob"))
    assert set(model.weights_) <= {0.0, 0.5} and not model.bias_.any()
    assert model.predict(["anna", "otto", "toto"]).tolist() == ["a", "o", "b"]
    # A class of weight zero is no class.
    model.fit(words, list("aaaaob"), sample_weight=[1, 1, 1, 1, 1, 0])
    assert model.classes_.tolist() == ["a", "o"]


def test_classes_of_every_kind_of_string(names):
    words, sex = names
    expected = clone(BAYES).fit(words, sex)
    for y in sex.astype(np.dtypes.StringDType()), sex.astype(object), pd.Series(sex):
        model = clone(BAYES).fit(words, y)
        assert model.classes_.tolist() == ["F", "M"]
        assert model.predict(ASKED).tolist() == expected.predict(ASKED).tolist()


def test_long_words_are_told_apart_by_all_their_characters(names):
    model = clone(BAYES).set_params(estimator=BigramCounter(1e-3)).fit(*names)
    word = "qz" * 50_000
    girls, boys = (one.token_log_proba([word])[0] for one in model.estimators_)
    assert max(girls.sum(), boys.sum()) < -7e5
    prior = np.diff(np.log(model.class_prior_))
    np.testing.assert_allclose(
        model.decision_function([word]), prior + np.sum(boys - girls)
    )


def test_impossible_words_have_probabilities(names):
    model = CharLMClassifier(BigramCounter(smoothing=0), calibration=None)
    for calibration in None, "temperature", "places":
        model.set_params(calibration=calibration).fit(*names)
        proba = model.predict_proba(["qzxqzx", "xxx", "anna"])
        np.testing.assert_allclose(proba.sum(axis=1), 1)
    # Possible in one class alone, and in none.
    model.set_params(calibration=None).fit(["aa", "ba", "ba", "bb"], list("nyyy"))
    proba = model.predict_proba(["aa", "bb", "xx"])
    np.testing.assert_allclose(proba, [[1, 0], [0, 1], [0.25, 0.75]])


BAD_CLASSES = {
    "none": (None, "requires y to be passed, but the target y is None"),
    "too few": (["a"], "inconsistent numbers of samples"),
    "numbers": (np.linspace(0, 1, 4), "Unknown label type: continuous"),
    "two columns": (np.zeros((4, 2), dtype=int), "1d array"),
    "NaN": ([1.0, np.nan, 1.0, 2.0], "Input y contains NaN"),
    "None": (np.array(["a", None, "b", "a"]), "one type.*NoneType and str"),
}


@pytest.mark.parametrize("name", BAD_CLASSES)
def test_bad_classes_are_refused(name):
    y, message = BAD_CLASSES[name]
    model = CharLMClassifier()
    with pytest.raises(ValueError, match=message):
        model.fit(["anna", "otto", "ana", "toto"], y)
    assert not model.__sklearn_is_fitted__()


def test_inside_scikit_learn(names):
    words, sex = names
    inner = CharLMClassifier(NGramCounter(2, handle_unknown="unk"), calibration=None)
    assert cross_val_score(inner, words, sex, cv=3, scoring="roc_auc").mean() > 0.75
    search = GridSearchCV(
        make_pipeline(FunctionTransformer(lower), inner),
        {"charlmclassifier__estimator__order": [1, 3]},
        scoring="roc_auc",
        cv=3,
        error_score="raise",
    ).fit(words, sex)
    assert search.best_params_["charlmclassifier__estimator__order"] == 3
    sharper = clone(inner).set_params(estimator__order=3)
    both = [("one", inner), ("other", sharper)]
    for around in (
        CalibratedClassifierCV(inner, cv=3),
        VotingClassifier(both, voting="soft"),
        StackingClassifier(both, LogisticRegression(), cv=3),
    ):
        around.fit(words, sex)
        assert around.score(words, sex) > 0.8
        assert around.predict_proba(["isabella"]).shape == (1, 2)
    frame = pd.DataFrame({"name": words})
    as_series = clone(inner).fit(frame["name"], pd.Series(sex))
    np.testing.assert_array_equal(
        as_series.predict(frame["name"]), clone(inner).fit(words, sex).predict(words)
    )


def lower(words):
    return [word.lower() for word in words]


@pytest.mark.slow
def test_a_class_of_one_word_leaves_the_others_calibrated(names):
    words, sex = names
    learned, asked = (words[::2], sex[::2]), (words[1::2], sex[1::2])
    for calibration in "places", "temperature":
        model = CharLMClassifier(calibration=calibration)
        alone = clone(model).fit(*learned).predict_proba(asked[0])
        beside = clone(model).fit([*learned[0], "zzz"], [*learned[1], "Q"])
        assert beside.classes_.tolist() == ["F", "M", "Q"] and beside.bias_[2] == 0
        proba = beside.predict_proba(asked[0])[:, :2]
        proba /= proba.sum(axis=1, keepdims=True)
        assert log_loss(asked[1], proba) < log_loss(asked[1], alone) + 0.01


@pytest.mark.parametrize("calibration", ["places", "temperature"])
def test_a_class_that_cannot_be_held_out_has_no_influence(calibration, names):
    """Its only word is one of another class, whose score may not profit from it."""
    words, sex = names[0][::3], names[1][::3]
    model = CharLMClassifier(NGramCounter(3), calibration=calibration, cv=3)
    expected = clone(model).fit(words, sex)
    for rare in words[0], words[7]:
        found = clone(model).fit([rare, *words], ["Q", *sex])
        assert found.classes_.tolist() == ["F", "M", "Q"]
        np.testing.assert_allclose(found.weights_, expected.weights_, atol=1e-4)
        np.testing.assert_allclose(found.bias_, [*expected.bias_, 0], atol=1e-4)


@pytest.mark.parametrize("shape", [(2, 3), (3, 4), (8,)])
def test_known_symbols_that_are_none_are_not_restored(shape):
    model = clone(BAYES).fit(["ab", "b"], ["x", "y"])
    assert model.known_symbols_.shape == (2, 4)
    kept = {**model._kept(), "known_symbols": np.ones(shape, dtype=bool)}
    with pytest.raises(ValueError, match="known_symbols does not belong"):
        clone(BAYES)._restore(kept)
    kept["known_symbols"] = np.ones((2, 4))
    with pytest.raises(ValueError, match="known_symbols does not belong"):
        clone(BAYES)._restore(kept)
