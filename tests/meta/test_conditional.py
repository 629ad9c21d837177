"""Words given a label: every method, labels in every form, files and searches."""

import pickle

import numpy as np
import pandas as pd
import pytest
from estimators import DATA_FREE_CHECKS
from scipy.stats import chisquare
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import estimator_checks

from sklearn_makemore import (
    BigramCounter,
    CharLMClassifier,
    ConditionalCharLM,
    MixtureCharLM,
    MLPCharLM,
    NGramCounter,
    load,
    save,
)
from sklearn_makemore._meta import label_models
from sklearn_makemore.datasets import load_names


@pytest.fixture(scope="module")
def names():
    """About 600 distinct pairs of a name and a sex."""
    words, sex = load_names(return_X_y=True)
    pairs = sorted(set(zip(words[::60], sex[::60], strict=True)))
    return tuple(map(np.array, zip(*pairs, strict=True)))


@pytest.fixture(scope="module")
def model(names):
    return ConditionalCharLM().fit(*names)


def same_model(one, other, words, labels):
    np.testing.assert_array_equal(
        one.score_samples(words, labels), other.score_samples(words, labels)
    )
    assert one.sample(9, random_state=1) == other.sample(9, random_state=1)
    assert one.classes_.tolist() == other.classes_.tolist()


@pytest.mark.parametrize("name", DATA_FREE_CHECKS)
def test_scikit_learns_checks(name):
    check = getattr(estimator_checks, name)
    check("ConditionalCharLM", ConditionalCharLM())


def test_scores_agree(names, model):
    words, sex = names
    log_proba = model.score_samples(words, sex)
    tokens = model.token_log_proba(words, sex)
    np.testing.assert_allclose([one.sum() for one in tokens], log_proba, rtol=1e-9)
    flat = np.concatenate(tokens)
    assert model.score(words, sex) == pytest.approx(flat.mean())
    assert model.nll(words, sex) == -model.score(words, sex)
    for index in (3, 200):
        word, label = str(words[index]), str(sex[index])
        prefixes = [word[:end] for end in range(len(word) + 1)]
        columns = [model.symbols_.index(symbol) for symbol in [*word, ""]]
        proba = model.predict_proba(prefixes, label)
        chosen = proba[np.arange(len(columns)), columns]
        np.testing.assert_allclose(np.log(chosen), tokens[index], rtol=1e-9)


def test_without_a_label_all_labels_are_averaged(names, model):
    words = [str(word) for word in names[0][:40]] + ["", "qz"]
    # p(word) = sum over labels of p(label) p(word | label), symbol by symbol.
    of_word = np.exp([model.score_samples(words, label) for label in model.classes_])
    for word, expected in zip(words, model.class_prior_ @ of_word, strict=True):
        prefixes = [word[:end] for end in range(len(word) + 1)]
        columns = [model.symbols_.index(symbol) for symbol in [*word, ""]]
        proba = model.predict_proba(prefixes)[np.arange(len(columns)), columns]
        assert proba.prod() == pytest.approx(expected, rel=1e-9)


def test_scores_are_those_of_the_model_of_each_label(names, model):
    words, sex = names
    for row, label in enumerate(model.classes_):
        part = words[sex == label]
        expected = model.estimators_[row].score_samples(part)
        np.testing.assert_array_equal(model.score_samples(part, label), expected)


def test_labels_in_every_form(names, model):
    words, sex = names
    expected = model.score_samples(words, sex)
    for labels in (sex.tolist(), pd.Series(sex, index=range(5, 5 + len(sex)))):
        np.testing.assert_array_equal(model.score_samples(words, labels), expected)
    numbers = (sex == "M").astype(int)
    by_number = ConditionalCharLM().fit(words, numbers)
    np.testing.assert_array_equal(by_number.score_samples(words, numbers), expected)
    assert by_number.sample(2, label=1, random_state=0) == model.sample(
        2, label="M", random_state=0
    )


def test_the_order_of_rows_changes_nothing(names, model):
    words, sex = names
    order = np.random.RandomState(0).permutation(len(words))
    again = ConditionalCharLM().fit(words[order], sex[order])
    np.testing.assert_allclose(
        again.score_samples(words, sex), model.score_samples(words, sex), rtol=1e-6
    )


def test_a_weight_of_two_is_the_word_twice(names):
    words, sex = names[0][:200], names[1][:200]
    rows = np.repeat(np.arange(200), [1 + index % 2 for index in range(200)])
    twice = ConditionalCharLM().fit(words[rows], sex[rows])
    weight = 1.0 + np.arange(200) % 2
    weighted = ConditionalCharLM().fit(words, sex, sample_weight=weight)
    same_model(twice, weighted, words, sex)
    np.testing.assert_array_equal(
        weighted.class_prior_,
        [weight[sex == label].sum() / weight.sum() for label in ("F", "M")],
    )


@pytest.mark.parametrize("unit", [1e-300, 1e300])
def test_the_unit_of_weights_changes_nothing(unit, names, model):
    weight = np.full(len(names[0]), unit)
    again = ConditionalCharLM().fit(*names, sample_weight=weight)
    expected = model.score_samples(*names)
    np.testing.assert_allclose(again.score_samples(*names), expected, rtol=1e-6)


def test_weights_that_differ_too_much_are_an_error(names):
    words, sex = names
    weight = np.where(sex == "F", 1e300, 1e-300)
    with pytest.raises(ValueError, match="from 1e-300 to 1e\\+300, and with labels"):
        ConditionalCharLM().fit(words, sex, sample_weight=weight)
    weight = np.where(sex == "F", 1e90, 1)
    model = ConditionalCharLM().fit(words, sex, sample_weight=weight)
    assert np.isfinite(model.score_samples(words)).all()


def test_a_word_of_weight_zero_is_left_out(names):
    words, sex = names
    weight = np.ones(len(words))
    weight[sex == "M"] = 0
    model = ConditionalCharLM().fit(words, sex, sample_weight=weight)
    assert model.classes_.tolist() == ["F"]


@pytest.mark.parametrize(
    "counter", [NGramCounter(), NGramCounter(3, smoothing="additive"), BigramCounter()]
)
def test_better_than_a_model_of_each_label_and_than_one_of_all_words(counter):
    # Figures on these 3,500 names: 2.10 without labels, 2.09 per label, 2.07.
    words, sex = map(np.array, load_names(return_X_y=True))
    words, sex = words[::9], sex[::9]
    is_test = np.array([hash_of(word) % 4 == 0 for word in words])
    train, test = (words[~is_test], sex[~is_test]), (words[is_test], sex[is_test])
    alphabet = "".join(sorted(set("".join(words))))
    counter = clone(counter).set_params(alphabet=alphabet)
    conditional = ConditionalCharLM(counter).fit(*train)
    without = clone(counter).fit(train[0])
    for label in ("F", "M"):
        own = clone(counter).fit(train[0][train[1] == label])
        asked = test[0][test[1] == label]
        nll = conditional.nll(asked, label)
        assert nll < min(own.nll(asked), without.nll(asked)) - 0.005


def hash_of(word):
    return sum(index * ord(character) for index, character in enumerate(word, 1))


def test_samples_have_the_probabilities_of_their_label(names):
    words = ["a", "b", "aa", "ab"] * 3 + ["b", "bb", "ba"] * 3
    labels = ["x"] * 12 + ["y"] * 9
    model = ConditionalCharLM(NGramCounter(3)).fit(words, labels)
    likely = ["a", "b", "aa", "ab", "bb", "ba"]
    for label in ("x", "y"):
        drawn = model.sample(4000, label=label, random_state=0)
        proba = np.exp(model.score_samples(likely, label))
        found = np.array([drawn.count(word) for word in likely])
        expected = np.append(proba, 1 - proba.sum()) * 4000
        # One of 10,000 right models fails.
        assert chisquare(np.append(found, 4000 - found.sum()), expected).pvalue > 1e-4


def test_labels_are_drawn_from_the_prior():
    model = ConditionalCharLM(NGramCounter(2)).fit(
        ["a", "aa", "aaa", "b"], ["x", "x", "x", "y"], sample_weight=[1, 1, 1, 6]
    )
    assert model.class_prior_.tolist() == [1 / 3, 2 / 3]
    drawn = model.sample(3000, random_state=0)
    share = np.mean([set(word) == {"b"} for word in drawn])
    proba = np.exp([model.score_samples(["b" * n], y) for n in (1, 2, 3) for y in "xy"])
    expected = proba.reshape(3, 2).sum(axis=0) @ model.class_prior_
    assert abs(share - expected) < 4 * (expected * (1 - expected) / 3000) ** 0.5


def test_a_word_for_each_label_of_a_list(names, model):
    labels = ["M", "F", "M", "M", "F"]
    words = model.sample(label=labels, random_state=0, prefix="jo")
    assert len(words) == 5 and all(word.startswith("jo") for word in words)
    only_m = model.sample(3, label="M", random_state=np.random.RandomState(0))
    assert len(set(only_m)) > 1
    with pytest.raises(ValueError, match="n_samples=2, but `label` is a list"):
        model.sample(2, label=labels)


def test_options_hold_whatever_the_labels(names, model):
    words = names[0]
    options = {
        "unique": True,
        "exclude": words,
        "matching": "[a-m]+.*",
        "max_length": 6,
    }
    drawn = model.sample(200, random_state=0, **options)
    assert len(set(drawn)) == 200 and not set(drawn) & set(words)
    assert all("a" <= word[0] <= "m" and len(word) <= 6 for word in drawn)
    few = {"max_length": 1, "min_length": 1, "unique": True, "random_state": 0}
    with pytest.raises(ValueError, match=r"Only \d+ of 90 words with the label 'F'"):
        with pytest.warns(UserWarning, match="of 90 words"):
            model.sample(label=["F"] * 90, **few)
    with pytest.warns(UserWarning, match="Found"):
        assert len(model.sample(90, label="F", **few)) < 90


def test_most_likely_and_rank(names, model):
    words, log_proba = model.most_likely(20, label="M", prefix="jo")
    np.testing.assert_allclose(log_proba, model.score_samples(words, "M"), rtol=1e-9)
    assert (np.diff(log_proba) <= 0).all()
    first, _ = model.most_likely(300, label="F")
    rank, std = model.rank(
        [first[99], first[299]], label=["F", "F"], random_state=0, return_std=True
    )
    assert (abs(rank - [100, 300]) < 5 * std).all()


def test_counts_are_added_by_partial_fit(names):
    words, sex = names
    parts = ConditionalCharLM()
    for start in (0, 200, 400):
        stop = start + 200 if start < 400 else None
        parts.partial_fit(words[start:stop], sex[start:stop])
    whole = ConditionalCharLM().fit(words, sex)
    for one, other in zip(parts.estimators_, whole.estimators_, strict=True):
        np.testing.assert_array_equal(
            one.ngram_counts_.ngrams, other.ngram_counts_.ngrams
        )
        np.testing.assert_array_equal(
            one.ngram_counts_.counts, other.ngram_counts_.counts
        )
    np.testing.assert_array_equal(parts.class_prior_, whole.class_prior_)
    assert parts.nll(words, sex) == pytest.approx(whole.nll(words, sex), abs=0.05)


def test_partial_fit_learns_new_labels_and_letters(names, model):
    words, sex = names
    more = clone(model).fit(words, sex)
    more.partial_fit(["éa", "aé", "éé"], ["E", "E", "E"])
    assert more.classes_.tolist() == ["E", "F", "M"]
    assert "é" in more.symbols_
    assert "é" in "".join(more.sample(20, label="E", random_state=0))
    proba = more.predict_proba(["", "é"], ["E", "M"])
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    with pytest.raises(ValueError, match="must be of one type"):
        more.partial_fit(["ab"], [1])


def test_new_labels_may_be_strings_of_another_dtype(names):
    words, sex = names
    model = ConditionalCharLM().fit(words[:200], np.array(sex[:200], dtype=object))
    model.partial_fit(["zoe"], ["X"])
    assert "X" in model.classes_
    assert model.sample(label="X", random_state=0)


def test_short_words_first_and_long_ones_later():
    model = ConditionalCharLM().partial_fit(["a", "b"], ["x", "y"])
    model.partial_fit(["abababab", "bbbbbbb"], ["x", "y"])
    whole = ConditionalCharLM().fit(
        ["a", "b", "abababab", "bbbbbbb"], ["x", "y", "x", "y"]
    )
    assert np.isfinite(model.score_samples(["abab", "bb"], ["x", "y"])).all()
    for one, other in zip(model.estimators_, whole.estimators_, strict=True):
        assert one.ngram_counts_.order == other.ngram_counts_.order


@pytest.mark.parametrize("copied", ["pickle", "file", "clone"])
def test_copies_are_the_same(copied, names, model, tmp_path):
    words, sex = names
    if copied == "pickle":
        again = pickle.loads(pickle.dumps(model))
    elif copied == "clone":
        again = clone(model).fit(words, sex)
    else:
        save(model, tmp_path / "model.safetensors")
        again = load(tmp_path / "model.safetensors")
    same_model(model, again, words, sex)
    again.partial_fit(words[:5], sex[:5])


def test_it_works_in_searches_and_pipelines(names):
    words, sex = names
    search = GridSearchCV(
        ConditionalCharLM(NGramCounter(handle_unknown="unk")),
        {"estimator__order": [1, 4]},
        cv=StratifiedKFold(3, shuffle=True, random_state=0),
        error_score="raise",
    ).fit(words, sex)
    assert search.best_params_ == {"estimator__order": 4}
    lower = FunctionTransformer(lambda words: [word.lower() for word in words])
    pipeline = make_pipeline(lower, ConditionalCharLM())
    pipeline.set_params(conditionalcharlm__estimator__order=3).fit(words, sex)
    upper = [word.upper() for word in words]
    assert pipeline.score(upper, sex) == pipeline[-1].score(words, sex)


def test_the_memory_of_many_labels_is_bounded(names, monkeypatch):
    words, labels = names[0][:400], np.arange(400) % 100
    model = ConditionalCharLM(NGramCounter(3)).fit(words, labels)
    expected = model.score_samples(words, labels)
    models = model.estimators_
    of_one = models.learned.n_bytes(models[0])
    assert of_one > models[0].model_.plain.n_ngrams * 8
    few = pickle.loads(pickle.dumps(models))
    monkeypatch.setattr(label_models, "MAX_BYTES", 20 * of_one)
    model.estimators_ = few
    for _ in range(2):
        np.testing.assert_array_equal(model.score_samples(words, labels), expected)
        assert len(few._models) == 20
    kept = [id(one) for one in few._models.values()][:19]
    model.score_samples(words, labels)
    assert [id(one) for one in few._models.values()][:19] == kept
    # Words need larger tables. So many different labels cause no warning.
    model.sample(label=np.arange(100), random_state=0)
    assert len(few._models) < 20


def test_unlikely_lists():
    one_label = ConditionalCharLM().fit(["ab", "ba"], ["x", "x"])
    assert np.isfinite(one_label.nll(["ab", "aa"], "x"))
    one_word = ConditionalCharLM().fit(["ab"], [3])
    assert one_word.sample(label=[3], random_state=0) != [""]
    equal = ConditionalCharLM().fit(["ab"] * 4, [0, 0, 1, 1])
    assert equal.score_samples(["ab"], 0) == pytest.approx(
        equal.score_samples(["ab"], 1)
    )
    with_empty = ConditionalCharLM().fit(["", "ab", "b"], [0, 0, 1])
    assert "" in with_empty.sample(50, label=0, random_state=0)


def test_mistakes_are_told(names, model):
    words, sex = names
    with pytest.raises(ValueError, match=r"label 'm' at index 1 is unknown.*F, M"):
        model.score_samples(["anna", "otto"], ["M", "m"])
    with pytest.raises(ValueError, match="label 'X' is unknown"):
        model.sample(3, label="X")
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        model.nll(["anna", "otto"], ["F"])
    with pytest.raises(ValueError, match="'4nna' at index 1 .*not in the alphabet"):
        model.score_samples(["anna", "4nna"], ["F", "M"])
    with pytest.raises(ValueError, match="requires y"):
        ConditionalCharLM().fit(words, None)
    with pytest.raises(ValueError, match="'estimator' parameter of ConditionalCharLM"):
        ConditionalCharLM(CharLMClassifier()).fit(words, sex)
    for ask in (
        lambda: ConditionalCharLM().sample(label="F"),
        lambda: ConditionalCharLM().score(words, sex),
        lambda: ConditionalCharLM().most_likely(label="F"),
    ):
        with pytest.raises(NotFittedError):
            ask()


@pytest.mark.parametrize(
    "wrong",
    [
        NGramCounter(order=0),
        NGramCounter(discounts="bogus"),
        MLPCharLM(max_epochs=0),
        MixtureCharLM([NGramCounter(order=2.7)]),
        MixtureCharLM([NGramCounter()], weights="bogus"),
    ],
)
def test_parameters_of_the_model_are_checked(names, wrong):
    with pytest.raises(ValueError, match="parameter of"):
        ConditionalCharLM(wrong).fit(*names)


def test_a_prefix_tells_the_label():
    words = ["aa"] * 50 + ["bcd", "bdc", "bbc", "bdd"]
    model = ConditionalCharLM(NGramCounter(3)).fit(words, ["A"] * 50 + ["B"] * 4)
    drawn = model.sample(2000, prefix="b", random_state=0)
    share = sum(word[1:2] == "a" for word in drawn) / len(drawn)
    expected = model.predict_proba(["b"])[0, 1]
    # Four standard errors are exceeded once in 16,000 runs.
    assert abs(share - expected) < 4 * np.sqrt(expected * (1 - expected) / 2000)


def test_a_word_without_a_label_has_any(names, model):
    words = names[0][:30]
    of_label = np.exp([model.score_samples(words, label) for label in ("F", "M")])
    expected = np.log(model.class_prior_ @ of_label)
    np.testing.assert_allclose(model.score_samples(words), expected, rtol=1e-12)
    lengths = np.char.str_len(words) + 1
    assert model.nll(words) == pytest.approx(-expected.sum() / lengths.sum())


def test_next_characters_after_an_impossible_prefix():
    frozen = [
        FrozenEstimator(NGramCounter(3, smoothing="additive", alpha=0).fit(words))
        for words in (["ab", "ba"], ["ba"])
    ]
    mixture = MixtureCharLM(frozen, weights="uniform", alphabet="abc")
    model = ConditionalCharLM(mixture).fit(["ab", "ba"], ["x", "y"])
    assert np.isfinite(model.predict_proba(["c", "ca"])).all()


def test_changed_parameters_are_errors_or_have_an_effect(names, tmp_path):
    words, sex = names[0][:60], names[1][:60]
    model = ConditionalCharLM(NGramCounter(3)).fit(words, sex)
    model.set_params(estimator__order=5)
    with pytest.raises(ValueError, match="order=5 cannot continue"):
        model.partial_fit(words, sex)
    with pytest.raises(ValueError, match="`estimator` have changed"):
        save(model, tmp_path / "model")
    model.set_params(estimator=MLPCharLM())
    with pytest.raises(ValueError, match="MLPCharLM cannot continue"):
        model.partial_fit(words, sex)
    network = ConditionalCharLM(MLPCharLM(max_epochs=1, random_state=0))
    network.fit(words, sex).set_params(estimator__lr=1e-9)
    before = network.score_samples(words, sex)
    after = network.partial_fit(words, sex).score_samples(words, sex)
    np.testing.assert_allclose(after, before, atol=1e-3)
    save(network, tmp_path / "model")


def test_labels_in_other_containers_are_the_same(names):
    words, sex = names[0][:60], names[1][:60].tolist()
    model = ConditionalCharLM(NGramCounter(3)).fit(words, sex)
    for labels in (
        np.array(sex, dtype=object),
        np.array(sex, dtype=np.dtypes.StringDType()),
        pd.Series(sex, dtype="category"),
    ):
        model.partial_fit(words, labels)
    assert model.classes_.tolist() == ["F", "M"]
    assert model.sample(label=np.array("F")) and model.sample(label=np.str_("F"))
    for wrong in (["F"], {"F"}):
        with pytest.raises(ValueError, match="label"):
            model.most_likely(2, label=wrong)


@pytest.mark.parametrize("labels", [["a", float("nan")], ["a", None], ["a", 1]])
def test_missing_labels_are_no_labels(labels):
    with pytest.raises(ValueError, match="labels of one type, and none may be missing"):
        ConditionalCharLM(NGramCounter(2)).fit(["a", "b"] * 5, labels * 5)


def kept_of(model):
    kept = model._kept()
    return {**kept, "backoff": dict(kept["backoff"])}


@pytest.mark.parametrize("fault", ["slopes", "classes", "counts", "class_count"])
def test_files_that_no_fit_writes_are_refused(fault, names):
    model = ConditionalCharLM(NGramCounter(3)).fit(names[0][:60], names[1][:60])
    kept = kept_of(model)
    ConditionalCharLM(NGramCounter(3))._restore(kept)  # as it is
    if fault == "slopes":
        kept["backoff"]["slopes"] = np.full_like(kept["backoff"]["slopes"], 1e308)
    elif fault == "classes":
        kept["classes"] = np.array([1.5, np.nan])
    elif fault == "counts":
        kept["ngram_counts"] = kept["ngram_counts"][:1] * 2
    else:
        kept["class_count"] = np.full(2, 1e308)
    with pytest.raises(ValueError, match=r"slopes|NaN|n-grams of all|class_count"):
        ConditionalCharLM(NGramCounter(3))._restore(kept)


@pytest.mark.parametrize("calibration", [None, "temperature", "places"])
def test_a_classifier_with_one_model_of_all_classes(calibration, names, tmp_path):
    words, sex = names[0][:300], names[1][:300]
    shared = ConditionalCharLM(NGramCounter(3))
    classifier = CharLMClassifier(shared, calibration=calibration).fit(words, sex)
    proba = classifier.predict_proba(names[0][300:])
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert (classifier.classes_[proba.argmax(1)] == names[1][300:]).mean() > 0.6
    for copied in (
        pickle.loads(pickle.dumps(classifier)),
        load(save(classifier, tmp_path / "model") or tmp_path / "model"),
        clone(classifier).fit(words, sex),
    ):
        np.testing.assert_array_equal(copied.predict_proba(names[0][300:]), proba)
    if calibration is None:
        # Bayes' rule with the conditional model, where no word has an unknown letter.
        model = ConditionalCharLM(NGramCounter(3, handle_unknown="unk"))
        model.fit(words, sex)
        log_odds = model.score_samples(words, "M") - model.score_samples(words, "F")
        log_odds += np.log(model.class_prior_[1] / model.class_prior_[0])
        found = classifier.decision_function(words)
        assert np.median(np.abs(found - log_odds)) < 1e-9


def test_models_of_labels_are_indexed_by_place(model):
    assert repr(model.estimators_) == "<models of 2 labels>"
    assert len(model.estimators_[:]) == 2
    with pytest.raises(TypeError, match=r"place of their label .* got 'F'"):
        model.estimators_["F"]


def test_an_unknown_label_gets_the_closest_ones():
    labels = ["Italian", "Irish", "Greek"] * 3
    model = ConditionalCharLM(NGramCounter(2)).fit(["ab", "ba", "bb"] * 3, labels)
    with pytest.raises(ValueError, match="The closest known labels of 3 are Italian"):
        model.sample(label="italien")
    with pytest.raises(ValueError, match="first known labels of 3 are Greek, Irish, I"):
        model.sample(label="zzz")
