"""`cv` as a splitter of scikit-learn, in every estimator that has it."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import KFold, ShuffleSplit, StratifiedKFold

from sklearn_makemore import (
    BigramCounter,
    CharLMClassifier,
    CharLMFeatures,
    CharLMOutlierDetector,
    MixtureCharLM,
    NGramCounter,
)
from sklearn_makemore._meta.splits import folds_of
from sklearn_makemore._words.hold_out import word_folds

OF_FOLDS = {
    "classifier": CharLMClassifier(BigramCounter()),
    "outlier detector": CharLMOutlierDetector(BigramCounter()),
    "features": CharLMFeatures(BigramCounter()),
}
MIXTURE = MixtureCharLM([BigramCounter(), NGramCounter(order=2)], random_state=0)


def found(model, words, y, cv):
    """What depends on the folds."""
    model = clone(model).set_params(cv=cv)
    if isinstance(model, CharLMFeatures):
        return model.fit_transform(words, y)
    model.fit(words, y)
    names = "weights_", "training_scores_"
    return next(getattr(model, name) for name in names if hasattr(model, name))


@pytest.mark.parametrize("name", OF_FOLDS)
def test_rows_of_folds_equal_a_number_of_folds(name, words):
    words = [*words, *words[:5]]
    y = np.array([f"{len(word) % 3}" for word in words])
    targets = y.astype(int) if name == "classifier" else None
    folds = word_folds(words, 3, targets)
    rows = [(np.flatnonzero(folds != n), np.flatnonzero(folds == n)) for n in range(3)]
    y = None if name == "features" else y  # its classes have other folds
    one, other = (found(OF_FOLDS[name], words, y, cv) for cv in (3, rows))
    np.testing.assert_array_equal(one, other)


def test_no_word_is_learned_and_held_out():
    words = ["ab", "ba", "ab", "b", "a", "ab", "ba", "aa"]
    splits = folds_of(KFold(4), words, n_given=8)
    for learned, held_out in splits:
        rows = {words[row] for row in learned}, {words[row] for row in held_out}
        assert rows[0].isdisjoint(rows[1])
    assert [held_out.tolist() for _, held_out in splits] == [
        [0, 1],
        [2, 3],
        [4, 5],
        [6, 7],
    ]


@pytest.mark.parametrize("model", [*OF_FOLDS.values(), MIXTURE], ids=repr)
def test_generators_and_splitters(model, words):
    y = [f"{len(word) % 2}" for word in words]
    splitter = KFold(3)
    one = found(model, words, y, splitter)
    other = found(model, words, y, splitter.split(words))  # a generator
    np.testing.assert_array_equal(one, other)
    model = clone(model).set_params(cv=iter([]))
    with pytest.raises(ValueError, match="has no splits"):
        model.fit(words, y)
    with pytest.raises(ValueError, match="the weight 0"):
        model.set_params(cv=splitter).fit(words, y, [0, *[1] * (len(words) - 1)])


def test_classes_are_stratified(words):
    y = [f"{len(word) % 2}" for word in words]
    stratified = StratifiedKFold(3)
    rows = list(stratified.split(words, y))
    model = OF_FOLDS["classifier"]
    np.testing.assert_array_equal(
        found(model, words, y, stratified), found(model, words, y, rows)
    )


def test_a_class_that_a_split_lacks_is_not_calibrated(words):
    y = np.array([f"{len(word) % 2}" for word in words], dtype=object)
    y[:2] = "rare"  # in the first fold
    model = clone(OF_FOLDS["classifier"]).set_params(cv=KFold(3)).fit(words, y)
    assert model.bias_[2] == 0 and (model.bias_[:2] != 0).all()
    assert np.isfinite(model.predict_log_proba(["emma"])).all()


@pytest.mark.parametrize("name", ["outlier detector", "features"])
def test_every_word_must_be_held_out(name, words):
    model = clone(OF_FOLDS[name]).set_params(cv=ShuffleSplit(2, random_state=0))
    with pytest.raises(ValueError, match="does not hold out"):
        model.fit_transform(words) if name == "features" else model.fit(words)


def test_a_mixture_always_learns_only_one_of_the_longest_words(words):
    words = sorted({word[:3] for word in words if len(word) > 2})  # all are as long
    rows = np.arange(1, len(words))  # the first is always learned
    learned, held_out = rows[rows % 2 > 0], [0, *rows[rows % 2 == 0]]
    model = clone(MIXTURE).set_params(cv=[(learned, held_out)]).fit(words)
    member = BigramCounter(alphabet="".join(model.symbols_[1:]))
    member.fit([words[row] for row in [0, *learned]])
    nll = member.nll([words[row] for row in held_out[1:]])
    np.testing.assert_allclose(model.estimator_nlls_[0], nll)
    with pytest.raises(ValueError, match="the longest word is always learned"):
        clone(MIXTURE).set_params(cv=[(rows, [0])]).fit(words)


def test_splits_of_other_data(words):
    for cv in [([0, 1], [len(words)])], StratifiedKFold(2):
        with pytest.raises(ValueError, match="cannot split .* words without classes: "):
            clone(MIXTURE).set_params(cv=cv).fit(words)
