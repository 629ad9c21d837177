"""The most probable words: as if all words had been looked at, in bounded memory."""

import re

import numpy as np
import pytest
from estimators import CLASSES, TINY_WORDS, over, text_symbols, words_by_length
from sklearn.base import clone

from sklearn_makemore import BigramCounter, BoWCharLM, NGramCounter
from sklearn_makemore._generation import most_likely as _most_likely
from sklearn_makemore._generation.most_likely import (
    BestFirstSearch,
    WantedWords,
    most_likely_words,
)
from sklearn_makemore._words.vocabulary import CharVocabulary

N_WORDS = 12


def best_words(next_log_proba, letters, n_words):
    """Return the words that a search finds, and their log-probabilities."""
    vocabulary = CharVocabulary(letters)
    wanted = WantedWords(vocabulary, "", np.zeros(0, dtype=np.uint8))
    search = BestFirstSearch(wanted, n_words)
    (found,) = most_likely_words(
        lambda encoded: next_log_proba(vocabulary.decode(encoded)), [search]
    )
    return [word for word, _ in found], [value for _, value in found]


def log_proba_of_beginnings(model, words):
    """Log-probability that a word begins so: of the word, and no end."""
    ends = model.predict_proba(words)[:, 0]
    return model.score_samples(words) - np.log(ends)


@over(CLASSES)
@pytest.mark.parametrize("prefix", ["", "b", "ca"])
@pytest.mark.parametrize("unknown", ["error", "unk"])
def test_they_are_the_best_of_all_words(estimator, prefix, unknown, fit_once):
    if unknown == "error":
        model = fit_once(estimator, TINY_WORDS)
    else:  # every "c" is unknown, and likely; a prefix may have it
        model = clone(estimator).set_params(handle_unknown="unk", alphabet="ab")
        model.fit(TINY_WORDS)
    letters = [letter for letter in text_symbols(model) if letter != "?"]
    levels = words_by_length(letters, {3: 6, 2: 9}[len(letters)])
    rests = sum(levels[:-1], [])
    scores = model.score_samples([prefix + rest for rest in rests])
    expected = np.sort(scores)[: -N_WORDS - 1 : -1]
    # No longer word can be among them.
    longer = log_proba_of_beginnings(model, [prefix + rest for rest in levels[-1]])
    assert longer.max() < expected[-1]

    words, log_proba = model.most_likely(N_WORDS, prefix=prefix, min_length=0)
    assert len(set(words)) == N_WORDS and log_proba.dtype == np.float64
    assert all(type(word) is str and word.startswith(prefix) for word in words)
    assert {word[len(prefix) :] for word in words} <= set(rests)
    # Networks compute in float32, and the rows of another batch are rounded otherwise.
    tolerance = 1e-12 if isinstance(model, (BigramCounter, NGramCounter)) else 1e-5
    np.testing.assert_allclose(log_proba, expected, atol=tolerance)
    np.testing.assert_allclose(log_proba, model.score_samples(words), atol=tolerance)
    assert (np.diff(log_proba) <= 0).all()
    first, value = model.most_likely(1, prefix=prefix, min_length=0)
    np.testing.assert_allclose(value, log_proba[:1], atol=tolerance)
    assert len(first) == 1


class RandomChain:
    """Probabilities that depend on the last letter, some of them 0."""

    def __init__(self, rng):
        self.letters = "abc"[: rng.randint(1, 4)]
        n_symbols = 1 + len(self.letters)
        weights = rng.choice([0, 1, 1, 2, 5], size=(n_symbols, n_symbols))
        weights[:, 0] += 1 - weights.any(axis=1)  # nothing goes on for ever
        with np.errstate(divide="ignore"):
            self.table = np.log(weights / weights.sum(axis=1, keepdims=True))

    def __call__(self, words):
        lasts = [self.letters.index(word[-1]) + 1 if word else 0 for word in words]
        return self.table[lasts]

    def best(self, n_words, length):
        """The best words of up to some letters, None if longer ones may be better."""
        open_, found = [(0.0, 0, "")], []
        for _ in range(length + 1):
            found += [(c - self([w])[0, 0], k, w) for c, k, w in open_]
            open_ = [
                (c - value, k + 1, w + letter)
                for c, k, w in open_
                for letter, value in zip(self.letters, self([w])[0, 1:], strict=True)
                if value > -np.inf
            ]
        found = sorted(key for key in found if key[0] < np.inf)[:n_words]
        if open_ and (len(found) < n_words or min(open_)[0] <= found[-1][0]):
            return None
        return [word for _, _, word in found], [-cost for cost, _, _ in found]


def test_any_bound_of_memory_gives_the_same_words_or_an_error(monkeypatch):
    rng, outcomes = np.random.RandomState(0), []
    for _ in range(200):
        chain, n_words = RandomChain(rng), rng.randint(1, 15)
        expected = chain.best(n_words, length=6)
        if expected is None:
            continue
        max_open = rng.choice([2, 5, 10, 10**5])
        monkeypatch.setattr(_most_likely, "MAX_OPEN_PREFIXES", (max_open, 0))
        monkeypatch.setattr(_most_likely, "PREFIX_CHUNK_SIZE", rng.choice([1, 3, 256]))
        try:
            words, log_proba = best_words(chain, chain.letters, n_words)
        except ValueError:
            outcomes.append("too many")
            assert max_open <= 10
            continue
        # Equal numbers too: there are many ties, and their order is told.
        assert (words, log_proba) == expected
        outcomes.append("short of memory" if max_open <= 10 else "exact")
    # The bounds do bite, and mostly the words can be told all the same.
    for outcome in "too many", "short of memory", "exact":
        assert outcomes.count(outcome) > 15


def test_among_equally_probable_words_the_shorter_come_first():
    def next_log_proba(prefixes):
        return np.log(np.full((len(prefixes), 3), 1 / 3))

    words, log_proba = best_words(next_log_proba, "ab", 9)
    assert words == ["", "a", "b", "aa", "ab", "ba", "bb", "aaa", "aab"]
    np.testing.assert_allclose(
        log_proba, -np.log(3) * (1 + np.array([*map(len, words)]))
    )
    letters = "abcdefghijklmnopqrstuvwxyz"

    def uniform(prefixes):
        return np.log(np.full((len(prefixes), 27), 1 / 27))

    assert best_words(uniform, letters, 29)[0] == ["", *letters, "aa", "ab"]
    # One word in two is certain: it never ends. It does not stand in the way.
    certain = np.log([[0.5, 0.5, 1e-300], [1e-300, 1.0, 1e-300]])

    def runs_on(prefixes):
        return certain[[min(len(prefix), 1) for prefix in prefixes]]

    assert best_words(runs_on, "ab", 1)[0] == [""]


def test_a_shorter_word_that_is_found_later_still_comes_first(monkeypatch):
    monkeypatch.setattr(_most_likely, "PREFIX_CHUNK_SIZE", 1)
    never = -np.inf
    table = {  # of the end, "a", "b"
        "": [never, -2, -1],
        "b": [never, never, 0],
        "bb": [never, never, 0],
        "bbb": [-1, never, never],
        "a": [never, 0, never],
        "aa": [0, never, never],
    }

    def next_log_proba(prefixes):
        return np.array([table[prefix] for prefix in prefixes], dtype=float)

    assert best_words(next_log_proba, "ab", 1)[0] == ["aa"]
    assert best_words(next_log_proba, "ab", 3)[0] == ["aa", "bbb"]


def test_a_probability_rounded_above_one_changes_no_order():
    half, impossible = np.log(0.5), -np.inf

    def next_log_proba(prefixes):
        rows = {"": [half + 1e-15, half], "a": [2e-15, impossible]}
        return np.array([rows[prefix] for prefix in prefixes])

    # As it stands "a" is the more probable, but its beginning is not.
    for n_words in 1, 2:
        words, log_proba = best_words(next_log_proba, "a", n_words)
        assert words == ["", "a"][:n_words]
        np.testing.assert_allclose(log_proba, half)


@pytest.mark.parametrize(
    "estimator",
    [BigramCounter(smoothing=0), NGramCounter(3, smoothing="additive", alpha=0)],
    ids=str,
)
def test_fewer_words_are_found_where_there_are_no_more(estimator):
    words = ["ab", "ab", "cd", "ce"]
    model = clone(estimator).fit(words)
    with pytest.warns(
        UserWarning, match="of 10 words: no other has .* above 0"
    ) as seen:
        found, log_proba = model.most_likely()
    assert seen[0].filename == __file__
    assert found == ["ab", "cd", "ce"]
    np.testing.assert_allclose(np.exp(log_proba), [0.5, 0.25, 0.25])
    with pytest.warns(UserWarning, match="no other beginning with 'ba' has"):
        found, log_proba = model.most_likely(2, prefix="ba")
    assert found == [] and log_proba.shape == (0,)
    assert model.most_likely(2, prefix="c")[0] == ["cd", "ce"]  # no warning


def test_words_that_can_go_on_are_as_many_as_are_asked_for():
    model = BigramCounter(smoothing=0).fit(["aab"])
    words, log_proba = model.most_likely(300)
    assert words == ["a" * k + "b" for k in range(1, 301)]
    np.testing.assert_allclose(log_proba, np.log(0.5) * np.arange(1, 301))


def test_no_word_is_longer_than_the_model_can_read():
    model = BoWCharLM(block_size=4, n_embd=2, n_hidden=2, max_epochs=1, random_state=0)
    model.fit([word for word in TINY_WORDS if len(word) < 4])
    with pytest.warns(UserWarning, match="Found 40 of 99 words"):
        words, _ = model.most_likely(99, min_length=0)
    assert sorted(words, key=lambda word: (len(word), word)) == sum(
        words_by_length("abc", 3), []
    )
    with pytest.warns(UserWarning, match="Found 1 of 2 words"):
        assert model.most_likely(2, prefix="abc")[0] == ["abc"]
    with pytest.raises(ValueError, match="reads at most 3"):
        model.most_likely(prefix="abca")


@pytest.mark.parametrize(
    "bound", ["MAX_OPEN_PREFIXES", "MAX_CHARACTERS", "MAX_LOG_PROBAS_READ"]
)
def test_past_a_bound_the_error_says_what_to_do(bound, words, fit_once, monkeypatch):
    model = fit_once(CLASSES["kneser-ney-3"], words)
    best, log_proba = model.most_likely(200)
    monkeypatch.setattr(_most_likely, bound, (100, 0))
    with pytest.raises(
        ValueError, match=r"'an' cannot be told from.* fewer words \(n_samples\), or"
    ):
        model.most_likely(200, prefix="an")
    value = {
        "MAX_OPEN_PREFIXES": 200,
        "MAX_CHARACTERS": 1500,
        "MAX_LOG_PROBAS_READ": 27 * 500,
    }[bound]
    monkeypatch.setattr(_most_likely, bound, (value, 0))
    monkeypatch.setattr(_most_likely, "PREFIX_CHUNK_SIZE", 8)
    assert model.most_likely(5)[0] == best[:5]
    with pytest.raises(
        ValueError, match="200 most likely words cannot be told.*certain"
    ) as e:
        model.most_likely(200)
    n_certain = int(re.search(r"certain: (\d+)", str(e.value))[1])
    assert 5 <= n_certain < 200
    assert model.most_likely(n_certain)[0] == best[:n_certain]


def test_bad_arguments():
    model = BigramCounter().fit(["ab"])
    for n_samples in 0, -1, 2.5, None:
        with pytest.raises(
            ValueError, match="'n_samples' parameter of BigramCounter.most"
        ):
            model.most_likely(n_samples)
    with pytest.raises(ValueError, match="The 'prefix' parameter of"):
        model.most_likely(prefix=5)
    with pytest.raises(TypeError, match="`prefix` must hold strings.* at index 1"):
        model.most_likely(prefix=["a", 3])
    for prefix in "az", ["a", "az"]:
        with pytest.raises(ValueError, match="'z'.*alphabet"):
            model.most_likely(prefix=prefix)
    for wrong in {"max_length": 1}, {"min_length": 4, "max_length": 3}:
        with pytest.raises(ValueError, match=r"max_length=\d is less than"):
            model.iter_most_likely(prefix="ab", **wrong)
    with pytest.raises(TypeError, match="compiled pattern"):
        model.most_likely(matching=re.compile("a"))
    assert model.most_likely(n_samples=np.int64(2))[0] == model.most_likely(2)[0]


def test_a_large_alphabet_takes_bounded_memory(monkeypatch):
    letters = [chr(0x4E00 + i) for i in range(3000)]
    model = NGramCounter(2, match_lengths=False, alphabet=letters).fit(letters[:50])
    asked, original = [], model._prefix_log_proba

    def prefix_log_proba(encoded):
        asked.append(encoded.n_words * len(letters))
        return original(encoded)

    monkeypatch.setattr(model, "_prefix_log_proba", prefix_log_proba, raising=False)
    monkeypatch.setattr(_most_likely, "MAX_CELLS", 1 << 16)
    monkeypatch.setattr(_most_likely, "MAX_OPEN_PREFIXES", (1 << 11, 0))
    words, _ = model.most_likely(51, min_length=0)
    assert set(words) == {"", *letters[:50]}
    assert 3000 < max(asked) <= 1 << 16
