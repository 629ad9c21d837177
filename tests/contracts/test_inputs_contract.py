"""The contract every model keeps: which words come in, and that they come out again."""

from string import ascii_lowercase

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from bad_words import BAD_WORDS
from estimators import CLASSES, ESTIMATORS, IN_FAST_PART, IN_ONE_STEP, over
from sklearn.base import clone

CONTAINERS = {
    "tuple": tuple,
    "numpy <U": np.array,
    "numpy column": lambda words: np.array(words)[:, np.newaxis],
    "numpy object": lambda words: np.array(words, dtype=object),
    "numpy StringDType": lambda words: np.array(words, dtype=np.dtypes.StringDType()),
    "list of numpy strings": lambda words: list(np.array(words)),
    "pandas Series": pd.Series,
    "pandas Series, object": lambda words: pd.Series(words, dtype=object),
    "pandas Series, categorical": lambda words: pd.Series(words, dtype="category"),
    "pandas Series, other index": lambda words: pd.Series(
        words, index=range(7, 7 + len(words))
    ),
    "pandas Index": pd.Index,
    "pandas frame": lambda words: pd.DataFrame({"name": words}),
    "polars Series": pl.Series,
    "polars frame": lambda words: pl.DataFrame({"name": words}),
    "pyarrow Array": pa.array,
    "pyarrow ChunkedArray": lambda words: pa.chunked_array([words[:9], words[9:]]),
    "pyarrow Table": lambda words: pa.table({"name": words}),
}


# Which models are given all of them. The other networks read words as these do.
IN_EVERY_CONTAINER = {"bigram", "kneser-ney-3", "mlp", "gru", "mixture"}
IN_FEW_CONTAINERS = {"numpy column", "pandas Series, other index", "pyarrow Table"}


@pytest.mark.parametrize(
    ("estimator", "container"),
    [
        pytest.param(
            model,
            container,
            id=f"{name}-{container}",
            marks=() if name in IN_FAST_PART else pytest.mark.slow,
        )
        for name, model in IN_ONE_STEP.items()
        for container in CONTAINERS
        if name in IN_EVERY_CONTAINER or container in IN_FEW_CONTAINERS
    ],
)
def test_all_containers_of_words_are_equal(estimator, container, words, fit_once):
    words = words[:30]
    contained = CONTAINERS[container](words)
    model = clone(estimator).fit(contained)
    expected = fit_once(estimator, words)
    asked = words[:20]
    scores = expected.score_samples(asked)
    assert model.symbols_ == expected.symbols_
    np.testing.assert_array_equal(model.score_samples(asked), scores)
    few = CONTAINERS[container](asked)
    np.testing.assert_array_equal(expected.score_samples(few), scores)
    assert expected.score(few) == expected.score(asked)
    np.testing.assert_array_equal(
        expected.predict_proba(few), expected.predict_proba(asked)
    )
    drawn = model.sample(20, exclude=contained, random_state=0)
    assert not set(drawn) & set(words)
    assert all(type(word) is str for word in drawn)


@pytest.mark.parametrize("name", BAD_WORDS)
@over(CLASSES)
def test_bad_words_are_refused_before_any_work(estimator, name, words, fit_once):
    bad, kind, message = BAD_WORDS[name]
    model = clone(estimator)
    for verb in (model.fit, model.partial_fit):
        with pytest.raises(kind, match=message):
            verb(bad)
        assert set(vars(model)) == set(model.get_params(deep=False))
    model = fit_once(estimator, words)
    for verb in (model.score, model.nll, model.score_samples, model.predict_proba):
        with pytest.raises(kind, match=message):
            verb(bad)
    if name not in EXCLUDABLE:
        with pytest.raises(kind, match=message):
            model.sample(exclude=bad)


# No word is excluded then, or the order does not matter.
EXCLUDABLE = {"None", "empty list", "empty array", "set"}


@over(CLASSES)
def test_words_can_be_excluded_as_a_set(estimator, words, fit_once):
    model = fit_once(estimator, words)
    unwanted = model.sample(30, random_state=0)[:20]
    listed, as_set, as_keys, fixed = (
        model.sample(30, exclude=container, random_state=0)
        for container in (
            unwanted,
            set(unwanted),
            dict.fromkeys(unwanted).keys(),
            frozenset(unwanted),
        )
    )
    assert listed == as_set == as_keys == fixed
    assert not set(listed) & set(unwanted)


@over(ESTIMATORS)
def test_the_empty_word_is_a_word(estimator):
    model = clone(estimator).fit(["", "", "a", "ab"])
    assert np.isfinite(model.score_samples(["", "a"])).all()
    assert model.score([""]) == pytest.approx(np.log(model.predict_proba([""])[0, 0]))
    assert "" in model.sample(200, random_state=0)


@over(ESTIMATORS)
def test_models_of_nothing_but_empty_words(estimator):
    model = clone(estimator).fit(["", ""])
    assert model.symbols_ == [""]
    assert model.score([""]) == pytest.approx(0)
    assert model.sample(3, random_state=0) == ["", "", ""]


@over(ESTIMATORS)
def test_one_short_word_is_enough(estimator):
    model = clone(estimator).fit(["a"])
    assert np.isfinite(model.score(["a", "", "aaa"]))
    assert set("".join(model.sample(20, max_length=9, random_state=0))) <= {"a"}


@over(CLASSES)
def test_an_unknown_character_names_word_index_and_remedy(estimator, fit_once):
    model = fit_once(estimator, ["anna", "ana", "nan"])
    message = (
        r"(?s)Word 'anton' at index 2 .*\['o', 't'\].*`alphabet`.*handle_unknown='unk'"
    )
    asked = ["anna", "na", "anton", "otto"]
    for verb in (model.score, model.nll, model.score_samples):
        with pytest.raises(ValueError, match=message):
            verb(asked)
    with pytest.raises(ValueError, match=message.replace("Word", "Prefix")):
        model.predict_proba(asked)
    with pytest.raises(ValueError, match=r"(?s)^prefix='anton' has .*\['o', 't'\]"):
        model.sample(prefix="anton")


@over(CLASSES)
def test_a_training_word_outside_the_given_alphabet(estimator):
    model = clone(estimator).set_params(alphabet="an")
    with pytest.raises(ValueError, match=r"Word 'tanja' at index 1 .*\['j', 't'\]"):
        model.fit(["anna", "tanja"])
    assert not model.__sklearn_is_fitted__()
    model.set_params(handle_unknown="unk").fit(["anna", "tanja"])
    assert model.symbols_ == ["", "a", "n", "<unk>"]


@over(ESTIMATORS)
def test_unknown_characters_have_honest_mass(estimator, words):
    model = clone(estimator).set_params(handle_unknown="unk").fit(words)
    assert model.symbols_[-1] == "<unk>"
    proba = model.predict_proba(["", "an", "ß", "日本", "a?"])
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-9)
    assert (proba[:, -1] > 0).all()
    assert np.isfinite(model.score_samples(["ß", "anna", "日本語", "?"])).all()
    # All unknown characters are one, and none is likelier than what is known.
    first, second, known = model.score_samples(["anß", "an語", "ana"])
    assert first == second < known
    drawn = model.sample(300, random_state=0)
    assert set("".join(drawn)) <= set("".join(words))


@over(ESTIMATORS)
def test_a_given_alphabet_is_the_alphabet(estimator):
    model = clone(estimator).set_params(alphabet="cba").fit(["ab", "ba", "b"])
    assert model.symbols_ == ["", "a", "b", "c"]
    assert np.isfinite(model.score(["ccc"]))
    assert model.score(["ab"]) > model.score(["cc"])
    assert model.fit(["ab"]).symbols_ == ["", "a", "b", "c"]


@over(CLASSES)
def test_an_alphabet_may_be_any_collection(estimator):
    for alphabet in ["a", "b", "c"], {"a", "b", "c"}, ("b", "c", "a", "a"):
        model = clone(estimator).set_params(alphabet=alphabet).fit(["ab"])
        assert model.symbols_ == ["", "a", "b", "c"]


UNICODE_WORDS = {
    "Cyrillic": ["анна", "иван", "ольга"],
    "Thai": ["สมชาย", "กัญญา", "ก็"],
    "emoji": ["👩‍👩‍👧", "🎉🎉", "a🇩🇪"],
    "combining marks": ["e\u0301a", "éa", "e", "a\u0301\u0302"],
    "dots": [".", "a.b", "..", "a"],
    "lines": ["a\nb", "\n", "\r\n", "a\tb "],
    "NUL": ["a\0b", "\0", "b\0\0", "\x01"],
    "the ends of Unicode": ["\U0010ffff", "\uffff\u0001", "\ufffd"],
    "what stands for symbols": ["<unk>", "<", "<bos>.", "^$"],
}


# Which models are given all of them. The others read characters as these do.
IN_EVERY_SCRIPT = {"bigram", "kneser-ney-3", "mlp", "gru"}
IN_FEW_SCRIPTS = {"emoji", "what stands for symbols"}


@pytest.mark.parametrize(
    ("estimator", "script", "unknown"),
    [
        pytest.param(
            model,
            script,
            unknown,
            id=f"{name}-{script}-{unknown}",
            marks=() if name in IN_FAST_PART else pytest.mark.slow,
        )
        for name, model in IN_ONE_STEP.items()
        for script, unknown in [
            *((script, "error") for script in UNICODE_WORDS),
            ("NUL", "unk"),
            ("what stands for symbols", "unk"),
        ]
        if name in IN_EVERY_SCRIPT or script in IN_FEW_SCRIPTS
    ],
)
def test_every_character_is_as_good_as_a_letter(estimator, script, unknown):
    words = UNICODE_WORDS[script]
    characters = sorted(set("".join(words)))
    model = clone(estimator).set_params(handle_unknown=unknown)
    # The same words in letters, in the order of the code points: the same model.
    letters = str.maketrans(dict(zip(characters, ascii_lowercase, strict=False)))
    plain = [word.translate(letters) for word in words]
    expected = clone(model).fit(plain * 5)
    model.fit(words * 5)
    assert model.symbols_[: len(characters) + 1] == ["", *characters]
    np.testing.assert_array_equal(
        model.score_samples(words), expected.score_samples(plain)
    )
    np.testing.assert_array_equal(
        model.predict_proba(words), expected.predict_proba(plain)
    )
    drawn = model.sample(2000, max_length=3, random_state=0)
    assert set("".join(drawn)) == set(characters)
    assert [word.translate(letters) for word in drawn] == expected.sample(
        2000, max_length=3, random_state=0
    )
    for word in words:
        following = model.sample(
            5, prefix=word, max_length=len(word) + 2, random_state=0
        )
        assert all(new.startswith(word) for new in following)
        assert model.sample(prefix=word, max_length=len(word)) == [word]
    if "\0" not in "".join(words):  # numpy's own strings cannot end in NUL
        assert model.score(np.array(words)) == model.score(words)
