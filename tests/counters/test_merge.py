"""Merged counters are those of one fit on the words of both."""

import numpy as np
import pytest
from any_words import WORDS, search
from counter_state import ANY_COUNTER, state
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils._param_validation import InvalidParameterError

from sklearn_makemore import BigramCounter, MLPCharLM, NGramCounter, load, save
from sklearn_makemore._counters import ngrams as _ngrams
from sklearn_makemore._words import vocabulary

WEIGHT = st.sampled_from([0, 1, 2, 7]) | st.floats(0.1, 9)


@pytest.mark.slow
@given(ANY_COUNTER, st.lists(WORDS, min_size=3, max_size=3), st.booleans(), st.data())
@search(60)
def test_whole_weights_merge_to_the_bit_in_any_order(counter, parts, known, data):
    characters = sorted(set("".join(sum(parts, []))))
    if known:
        # A copy: the next example must not have this one's alphabet.
        counter = clone(counter).set_params(
            alphabet=characters[::2] or "a", handle_unknown="unk"
        )
    weights = [
        data.draw(st.lists(st.integers(1, 3), min_size=len(part), max_size=len(part)))
        for part in parts
    ]
    once = clone(counter).fit(sum(parts, []), sample_weight=sum(weights, []))

    def one(index):
        return clone(counter).fit(parts[index], sample_weight=weights[index])

    left = one(0).merge(one(1)).merge(one(2))
    right = one(1).merge(one(2))
    assert state(left) == state(one(0).merge(right)) == state(once)
    assert state(one(2).merge(one(0)).merge(one(1))) == state(once)
    assert state(left.merge(left)) == state(
        clone(counter).fit(sum(parts, []) * 2, sample_weight=sum(weights, []) * 2)
    )


@given(ANY_COUNTER, WORDS, WORDS, st.data())
@search(60)
def test_other_weights_merge_up_to_rounding(counter, words, others, data):
    weights = data.draw(
        st.lists(WEIGHT, min_size=len(words + others), max_size=len(words + others))
    )
    weights[0], weights[-1] = weights[0] or 0.5, weights[-1] or 0.5
    once = clone(counter).fit(words + others, sample_weight=weights)
    one = clone(counter).fit(words, sample_weight=weights[: len(words)])
    other = clone(counter).fit(others, sample_weight=weights[len(words) :])
    before = state(other)
    assert one.merge(other) is one
    assert state(other) == before
    assert one.symbols_ == once.symbols_
    if isinstance(counter, NGramCounter):
        counts, expected = one.ngram_counts_, once.ngram_counts_
        np.testing.assert_array_equal(counts.ngrams, expected.ngrams)
        np.testing.assert_allclose(counts.counts, expected.counts)
        assert counts.counts.dtype == expected.counts.dtype
    else:
        np.testing.assert_allclose(one.counts_, once.counts_)
        assert one.counts_.dtype == once.counts_.dtype


def test_smoothing_is_that_of_the_counter_that_is_merged_into(words):
    one = NGramCounter(4, smoothing="additive", alpha=0.5).fit(words[:50])
    other = NGramCounter(4).fit(words[50:])
    expected = clone(one).fit(words)
    assert state(one.merge(other)) == state(expected)
    with pytest.raises(InvalidParameterError, match="'smoothing' parameter"):
        one.set_params(smoothing="kneser").merge(other)
    assert state(one) == state(expected)


def test_what_was_merged_can_be_saved_and_go_on(words, tmp_path):
    merged = NGramCounter().fit(words[:50]).merge(NGramCounter().fit(words[50:100]))
    save(merged, tmp_path / "merged.safetensors")
    again = load(tmp_path / "merged.safetensors").partial_fit(words[100:])
    assert state(again) == state(NGramCounter().fit(words))


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (NGramCounter(5), "order=6 and of order=5"),
        (NGramCounter(handle_unknown="unk"), "handle_unknown='error' and of"),
        (NGramCounter(alphabet="ab"), "alphabet=None and of alphabet='ab'"),
    ],
)
def test_parameters_that_differ_are_named(other, message):
    model = NGramCounter().fit(["ab"])
    before = state(model)
    with pytest.raises(ValueError, match=f"{message}.* cannot be merged"):
        model.merge(other.fit(["ab"]))
    # Its counts would not be those of its order any more.
    with pytest.raises(
        ValueError, match="have order 2, and order=6 cannot continue them"
    ):
        model.merge(NGramCounter(2).fit(["abc"]).set_params(order=6))
    assert state(model) == before


def test_what_is_no_counter_of_its_class_is_refused():
    model = BigramCounter(alphabet=["a", "b"]).fit(["ab"])
    for other in NGramCounter(2).fit(["ab"]), MLPCharLM(), model.counts_, None:
        with pytest.raises(TypeError, match="Only a BigramCounter can be merged"):
            model.merge(other)
    with pytest.raises(NotFittedError):
        model.merge(BigramCounter(alphabet="ab"))
    with pytest.raises(NotFittedError):
        BigramCounter(alphabet="ab").merge(model)
    with pytest.raises(ValueError, match="alphabet='ab' and of alphabet='abc'"):
        model.merge(BigramCounter(alphabet=np.array(["a", "b", "c"])).fit(["ab"]))
    assert model.merge(BigramCounter(alphabet="ba").fit(["ab"])).counts_.sum() == 6


@pytest.mark.parametrize(
    ("most", "message"),
    # Too many of both, and too many of the short words alone if they were longer.
    [(97 * 22 - 1, "97 n-grams of order=22"), (78 * 22 - 1, "78 n-grams of order=22")],
)
def test_one_long_word_makes_few_short_ones_long(most, message, monkeypatch):
    short = NGramCounter(order=100).fit([a + b for a in "abcdef" for b in "abcdef"])
    long = NGramCounter(order=100).fit(["a" * 20])
    monkeypatch.setattr(_ngrams, "MAX_NGRAM_IDS", most)
    for merged in (lambda: short.merge(long), lambda: long.merge(short)):
        with pytest.raises(ValueError, match=f"^{message} .* use a smaller order"):
            merged()


def test_many_short_ngrams_are_what_was_asked_for(monkeypatch):
    monkeypatch.setattr(_ngrams, "MAX_NGRAM_IDS", 1)
    model = NGramCounter(order=16).fit(["a" * 20])
    assert len(model.merge(model).ngram_counts_.counts) == 17
    with pytest.raises(ValueError, match="21 n-grams of order=17 have more than 1 ids"):
        NGramCounter(order=17).fit(["a" * 20])


def test_too_many_symbols_of_both_are_refused(monkeypatch):
    monkeypatch.setattr(vocabulary, "MAX_PAIR_TABLE_SYMBOLS", 5)
    with pytest.raises(ValueError, match="have 7 symbols, and the limit is 5"):
        BigramCounter().fit(["abc"]).merge(BigramCounter().fit(["xyz"]))


@pytest.mark.parametrize("counter", [NGramCounter(order=2), BigramCounter()])
def test_counts_beyond_all_integers_are_refused(counter):
    model = clone(counter).fit(["ab", "ba"], sample_weight=[2.0**51, 1])
    for _ in range(11):  # 2**62
        model.merge(model)
    before = model.score_samples(["ab", "b"])
    with pytest.raises(ValueError, match=r"A count is above 2\*\*63 - 1"):
        model.merge(model)
    np.testing.assert_array_equal(model.score_samples(["ab", "b"]), before)
