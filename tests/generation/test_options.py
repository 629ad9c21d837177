"""Options that change the distribution of the next symbol, and their declarations."""

import inspect
import itertools
import math
import re
from typing import get_type_hints

import numpy as np
import pytest
from estimators import TINY_WORDS
from numpydoc.docscrape import FunctionDoc

from sklearn_makemore import ConditionalCharLM, NGramCounter
from sklearn_makemore._arguments import parameter_constraints
from sklearn_makemore._base import BaseCharLM
from sklearn_makemore._generation.options import (
    CHANGES,
    SampleOptions,
    changed,
    keep_min_p,
    keep_top_p,
    keep_typical,
    tempered,
)
from sklearn_makemore._meta.label_generator import LabelledSampleOptions
from sklearn_makemore.cli._parser import option_types

COUNTS = np.array([*itertools.product(range(8), repeat=4)][1:])
"""Small counts, whose shares no floating point number is equal to."""


def log_shares(temperature=1.0):
    with np.errstate(divide="ignore"):
        return np.log(COUNTS / COUNTS.sum(axis=1, keepdims=True)) * temperature


@pytest.mark.parametrize("temperature", [1.0, 0.5])
@pytest.mark.parametrize("tenths", range(1, 10))
def test_a_nucleus_that_ties_exactly_has_no_symbol_too_many(temperature, tenths):
    kept = keep_top_p(tempered(log_shares(temperature), temperature), tenths / 10)
    counts = np.sort(COUNTS, axis=1)[:, ::-1]
    before = np.cumsum(counts, axis=1) - counts
    n_kept = (10 * before < tenths * counts.sum(axis=1, keepdims=True)).sum(axis=1)
    np.testing.assert_array_equal((kept > -np.inf).sum(axis=1), n_kept)


@pytest.mark.parametrize("tenths", range(1, 11))
def test_min_p_is_a_share_of_the_largest_and_ties_are_kept(tenths):
    kept = keep_min_p(log_shares(), tenths / 10) > -np.inf
    largest = COUNTS.max(axis=1, keepdims=True)
    np.testing.assert_array_equal(kept, 10 * COUNTS >= tenths * largest)


def textbook_typical(counts, tenths):
    """Symbols kept, in the definition of Meister et al., one symbol at a time."""
    total = sum(counts)
    surprise = {i: -math.log(n / total) for i, n in enumerate(counts) if n}
    entropy = sum(counts[i] / total * surprise[i] for i in surprise)
    ranked = sorted(surprise, key=lambda i: (round(abs(surprise[i] - entropy), 9), i))
    kept, mass = [], 0
    for symbol in ranked:
        kept.append(symbol)
        mass += counts[symbol]
        if 10 * mass >= tenths * total:
            return kept


@pytest.mark.parametrize("tenths", [1, 3, 5, 7, 9])
def test_typical_symbols_are_the_textbook_ones(tenths):
    kept = keep_typical(log_shares(), tenths / 10)
    for counts, row in zip(COUNTS.tolist(), kept > -np.inf, strict=True):
        expected = textbook_typical(counts, tenths)
        assert np.flatnonzero(row).tolist() == sorted(expected), counts


def test_the_most_probable_symbol_need_not_be_typical():
    log_proba = np.log([[0.4, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]])
    # The entropy is 1.75; the surprises are 0.92 and 2.30.
    kept = keep_typical(log_proba, 0.15) > -np.inf
    assert kept.tolist() == [[False, True, True, False, False, False, False]]


@pytest.mark.parametrize("name", CHANGES)
def test_a_row_without_symbols_stays_without_and_others_do_not_change(name):
    values = {"temperature": [0, 0.3], "top_k": [1, 2]}.get(name, [0.3, 0.9])
    log_proba = np.log([[0.2, 0.5, 0.3]])
    for value in values:
        two = np.vstack([np.full((1, 3), -np.inf), log_proba])
        dead, alive = changed(two, ((name, value),))
        assert (dead == -np.inf).all()
        np.testing.assert_array_equal(alive, CHANGES[name](log_proba, value)[0])
        # A constant for each row, such as a logit's, does not matter.
        moved = CHANGES[name](log_proba + 7, value)[0]
        np.testing.assert_allclose(moved - moved.max(), alive - alive.max(), atol=1e-12)


def test_what_changes_nothing_is_no_change():
    log_proba = np.log([[0.2, 0.5, 0.3]])
    for name, value in {"temperature": 1.0, "top_k": 3, "min_p": 0.0}.items():
        assert CHANGES[name](log_proba, value) is log_proba
    for name in "top_p", "typical_p":
        assert CHANGES[name](log_proba, 1.0) is log_proba
    assert SampleOptions(5, prefix="a", temperature=1).changes() == ()


def test_options_act_in_the_documented_order():
    given = {"typical_p": 0.9, "min_p": 0.1, "top_p": 0.8, "top_k": 4, "temperature": 2}
    changes = SampleOptions(**given).changes()
    assert changes == tuple(reversed(given.items()))
    log_proba = np.log([[0.3, 0.25, 0.2, 0.15, 0.1]])
    expected = log_proba
    for name, value in reversed(given.items()):
        expected = CHANGES[name](expected, value)
    np.testing.assert_array_equal(changed(log_proba, changes), expected)
    documented = " ".join(BaseCharLM.sample.__doc__.split())
    order = re.search(r"in this order:(.*?)\. Each", documented)[1]
    assert re.findall(r"`(\w+)`", order) == ["matching", "avoiding", *CHANGES]


@pytest.mark.parametrize(
    "method, record",
    [
        (BaseCharLM.sample, SampleOptions),
        (ConditionalCharLM.sample, LabelledSampleOptions),
    ],
)
def test_the_signature_and_the_help_are_those_of_the_record(method, record):
    declared = inspect.signature(record).parameters
    own = inspect.signature(method)
    assert {**own.parameters, "self": None} == {**declared, "self": None}
    assert own.return_annotation == list[str]
    assert [*parameter_constraints(method)] == [*record._parameter_constraints]
    documented = [entry.name for entry in FunctionDoc(method)["Parameters"]]
    assert documented == [name for name in own.parameters if name != "self"]
    assert {*CHANGES, "avoiding"} <= option_types(method).keys()
    assert get_type_hints(method).keys() == {*documented, "return"}
    cited, listed = (
        set(re.findall(text, method.__doc__))
        for text in (r"\[(\d)\]_", r"\.\. \[(\d)\]")
    )
    assert cited == listed
    # A link to the source leads to the method.
    assert "Sample new words" in inspect.getsource(inspect.unwrap(method))


def test_a_model_of_labels_takes_the_same_options():
    labels = ["F" if word < "b" else "M" for word in TINY_WORDS]
    plain = NGramCounter(2, match_lengths=False)
    model = ConditionalCharLM(plain).fit(TINY_WORDS, labels)
    options = {"min_p": 0.2, "typical_p": 0.9, "avoiding": ["ab"], "random_state": 0}
    sampled = model.sample(20, label="F", **options)
    assert sampled == model.estimators_[0].sample(20, **options)
    with pytest.raises(ValueError, match="'min_p' parameter of ConditionalCharLM"):
        model.sample(min_p=2)
