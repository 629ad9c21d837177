"""train_dev_test_split: three parts that are a whole, and share no word."""

import subprocess
import sys
from collections import Counter

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_makemore._words.hold_out import assign_groups
from sklearn_makemore.model_selection import train_dev_test_split
from sklearn_makemore.model_selection._split import part_sizes

# The same examples at each run, and no files: a failure is repeatable from here.
SEARCH = settings(derandomize=True, database=None, deadline=None, max_examples=100)
WORDS = st.lists(st.text("ab\0é", max_size=4), min_size=3, max_size=60)
DISTINCT = st.lists(st.text(max_size=4), min_size=3, max_size=60, unique=True)
SHARES = st.tuples(st.floats(0.01, 0.49), st.floats(0.01, 0.49))
SEEDS = st.integers(0, 2**32 - 1)


@SEARCH
@given(WORDS, SHARES, SEEDS, st.booleans(), st.booleans())
def test_parts_are_a_partition(words, shares, seed, shuffle, group_duplicates):
    if group_duplicates and len(set(words)) < 3:
        return
    dev_size, test_size = shares
    numbers = np.arange(len(words))
    parts = train_dev_test_split(
        words,
        numbers,
        dev_size=dev_size,
        test_size=test_size,
        shuffle=shuffle,
        group_duplicates=group_duplicates,
        random_state=seed,
    )
    in_words, in_numbers = parts[:3], parts[3:]
    assert all(in_words) and all(type(part) is list for part in in_words)
    assert sorted(np.concatenate(in_numbers)) == numbers.tolist()
    # What belongs to a word goes with it.
    for part, rows in zip(in_words, in_numbers, strict=True):
        assert part == [words[row] for row in rows]
        assert shuffle or np.all(np.diff(rows) > 0)
    if group_duplicates:
        train, dev, test = map(set, in_words)
        assert not (train & dev or train & test or dev & test)
    elif not shuffle:
        assert sum(in_words, []) == words


@pytest.mark.slow
@SEARCH
@given(DISTINCT, SHARES, SEEDS, st.booleans())
def test_shares_are_met_within_a_word(words, shares, seed, group_duplicates):
    n_words, (dev_size, test_size) = len(words), shares
    parts = train_dev_test_split(
        words,
        dev_size=dev_size,
        test_size=test_size,
        group_duplicates=group_duplicates,
        random_state=seed,
    )
    expected = [1 - dev_size - test_size, dev_size, test_size]
    for part, share in zip(parts, expected, strict=True):
        # No part is empty, whatever its share.
        if min(expected) * n_words >= 1:
            assert abs(len(part) - share * n_words) < 1 + 1e-9


@SEARCH
@given(st.integers(3, 50), st.data())
def test_numbers_are_met_exactly(n_words, data):
    n_test = data.draw(st.integers(1, n_words - 2))
    n_dev = data.draw(st.integers(1, n_words - 1 - n_test))
    assert part_sizes(n_words, n_dev, n_test)[1:] == (n_dev, n_test)
    share = data.draw(st.floats(0.01, 0.9))
    if n_words - n_dev - share * n_words >= 1:
        assert part_sizes(n_words, n_dev, share)[1] == n_dev
        assert part_sizes(n_words, share, n_dev)[2] == n_dev
        assert min(part_sizes(n_words, n_dev, share)) >= 1
        assert min(part_sizes(n_words, share, n_dev)) >= 1


def assigned_parts(group_sizes, sizes):
    """Assign groups from the end, as `train_dev_test_split` does without shuffling."""
    order = np.arange(len(group_sizes))[::-1]
    return assign_groups(group_sizes, order, sizes[1:], nearest=True)


def test_groups_fill_the_parts():
    # Exactly, where there are words enough that come once.
    rng = np.random.RandomState(0)
    for _ in range(50):
        group_sizes = rng.permutation([1] * 30 + [2] * 5 + [7, 30])
        sizes = part_sizes(group_sizes.sum(), 0.1, 0.15)
        parts = assigned_parts(group_sizes, sizes)
        assert tuple(np.bincount(parts, group_sizes)) == sizes


@pytest.mark.parametrize(
    "group_sizes, sizes, expected",
    [
        # Short by one, as two are as far: pairs do not make three.
        ([2] * 10, (14, 3, 3), [0] * 8 + [1, 2]),
        # Too much rather than nothing.
        ([9, 5, 5], (17, 1, 1), [0, 1, 2]),
        # Too much by less than what is wanting, but not by more.
        ([9, 9, 3, 1], (17, 2, 3), [0, 1, 2, 2]),
        ([9, 9, 7, 1], (20, 2, 4), [0, 0, 1, 2]),
        # Something is left for the parts to come.
        ([1, 1, 8], (2, 4, 4), [1, 2, 0]),
        ([1, 1, 1], (1, 1, 3), [0, 1, 2]),
        ([1, 1, 1, 7], (1, 1, 8), [0, 1, 2, 2]),
    ],
)
def test_groups_that_do_not_fit(group_sizes, sizes, expected):
    assert assigned_parts(np.array(group_sizes), sizes).tolist() == expected


def test_example_of_the_makemore_list(makemore_names):
    parts = train_dev_test_split(makemore_names, random_state=0)
    assert [len(part) for part in parts] == [25626, 3204, 3203]
    train, dev, test = map(set, parts)
    assert not (train & dev or train & test or dev & test)
    # Word by word, one development word in eight is known.
    train, dev, _ = train_dev_test_split(
        makemore_names, group_duplicates=False, random_state=0
    )
    known = set(train)
    assert 0.10 < np.mean([word in known for word in dev]) < 0.14


@pytest.mark.parametrize("copies", [1, 2])
def test_every_word_has_the_same_chances(copies):
    # All words once, or one half of them twice: a pair has the chances of a word.
    letters = [chr(code) for code in range(97, 137)]
    words = letters + letters[:20] * (copies - 1)
    n_splits = 2000
    in_dev, in_test = Counter(), Counter()
    for seed in range(n_splits):
        _, dev, test = train_dev_test_split(
            words, dev_size=0.25, test_size=0.2, random_state=seed
        )
        assert (len(dev), len(test)) == (len(words) / 4, len(words) / 5)
        in_dev.update(set(dev))
        in_test.update(set(test))
    for count, share in (in_dev, 0.25), (in_test, 0.2):
        deviation = (n_splits * share * (1 - share)) ** 0.5
        # Where one place is left a pair does not fit in: a matter of one word.
        slack = n_splits * share / 10 * (copies - 1)
        for letter in letters:
            assert abs(count[letter] - n_splits * share) < 4 * deviation + slack


def test_order_in_a_part_is_random_too():
    words = [f"{number:03}" for number in range(200)]
    train, dev, test = train_dev_test_split(words, random_state=0)
    for part in train, dev, test:
        assert part != sorted(part)


def test_without_shuffling_the_order_stays():
    words = list("aabbccddeeffgghhiijj")
    train, dev, test = train_dev_test_split(words, shuffle=False)
    assert ("".join(train), "".join(dev), "".join(test)) == (
        "aabbccddeeffgghh",
        "ii",
        "jj",
    )


SPLIT = """
from sklearn_makemore.model_selection import train_dev_test_split
import sys
words = [f"{number % 70}" for number in range(100)]
print(*train_dev_test_split(words, random_state=7)[1], "torch" in sys.modules)
"""


@pytest.mark.slow
def test_same_seed_same_split_in_any_process_and_without_torch():
    words = [f"{number % 70}" for number in range(100)]
    expected = train_dev_test_split(words, random_state=7)
    assert train_dev_test_split(words, random_state=7) == expected
    assert train_dev_test_split(words, random_state=8) != expected
    done = subprocess.run(
        [sys.executable, "-c", SPLIT],
        env={"PYTHONHASHSEED": "1", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stdout.split() == [*expected[1], "False"]


def test_global_random_state_is_untouched():
    before = np.random.get_state()[1].copy()
    first, second = (train_dev_test_split([*"abcdefghijklmnop"]) for _ in range(2))
    assert first != second
    np.testing.assert_array_equal(np.random.get_state()[1], before)
    # An instance goes on, as elsewhere in scikit-learn.
    rng = np.random.RandomState(0)
    first, second = (
        train_dev_test_split([*"abcdefghijklmnop"], random_state=rng) for _ in range(2)
    )
    assert first != second


CONTAINERS = {
    "tuple": tuple,
    "numpy": np.array,
    "pandas": pd.Series,
    "polars": pl.Series,
    "pyarrow": pa.array,
}


@pytest.mark.parametrize(
    "container",
    [*CONTAINERS.values(), pd.DataFrame],
    ids=[*CONTAINERS, "frame"],
)
def test_collections_of_words(container):
    words = ["emma", "ava", "mia", "zoe", "ida", "eva", "emma"]
    expected = train_dev_test_split(words, random_state=0)
    parts = train_dev_test_split(container(words), random_state=0)
    assert parts == expected
    assert {type(word) for part in parts for word in part} == {str}


@pytest.mark.parametrize("container", CONTAINERS.values(), ids=CONTAINERS)
def test_arrays_keep_their_type(container):
    words, weights = list("abcdefghij"), [float(number) for number in range(10)]
    parts = train_dev_test_split(words, container(weights), random_state=0)
    expected = train_dev_test_split(words, weights, random_state=0)
    for part, plain in zip(parts[3:], expected[3:], strict=True):
        whole = container(weights)
        # scikit-learn makes lists of tuples.
        assert type(part) is (list if container is tuple else type(whole))
        assert [float(value) for value in np.asarray(part)] == plain
    table = np.arange(20).reshape(10, 2)
    two = train_dev_test_split(words, table, weights, random_state=0)
    assert [part.shape for part in two[3:6]] == [(8, 2), (1, 2), (1, 2)]
    assert two[6:] == expected[3:]


@pytest.mark.parametrize(
    "words, options, message",
    [
        ("emma", {}, "single string 'emma'"),
        (["emma", None, "ava"], {}, "missing value"),
        (["emma", "ava"], {}, "`words` has 2 words, which are too few"),
        (["emma", "ava", "ava"], {}, "has 2 distinct words.*group_duplicates=False"),
        ([*"abcde"], {"dev_size": 0.5, "test_size": 0.5}, "leave none to train on"),
        ([*"abcde"], {"dev_size": 0.7, "test_size": 0.3}, "make them smaller"),
        ([*"abcde"], {"dev_size": 2, "test_size": 3}, "leave none to train on"),
        ([*"abcde"], {"dev_size": 4, "test_size": 0.1}, "leave none to train on"),
        ([*"abcde"], {"dev_size": 9}, "dev_size=9 and test_size=0.1 of 5 words"),
        ([*"abcde"], {"dev_size": 0}, "'dev_size' parameter"),
        ([*"abcde"], {"test_size": 1.0}, "'test_size' parameter"),
        ([*"abcde"], {"test_size": -0.1}, "'test_size' parameter"),
        ([*"abcde"], {"shuffle": "yes"}, "'shuffle' parameter"),
        ([*"abcde"], {"random_state": "yes"}, "'random_state' parameter"),
    ],
)
def test_errors_say_what_to_do(words, options, message):
    with pytest.raises(ValueError, match=message):
        train_dev_test_split(words, **options)


def test_arrays_of_another_length_are_refused():
    with pytest.raises(ValueError, match="inconsistent numbers of samples: .5, 4."):
        train_dev_test_split([*"abcde"], [1, 2, 3, 4])
    with pytest.raises(TypeError, match="strings only"):
        train_dev_test_split([1, 2, 3])
