"""Networks with the lengths of the training words, against enumeration of all words."""

import copy
import pickle
import random
from collections import Counter
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from sklearn_makemore import (
    BigramCharLM,
    MixtureCharLM,
    MLPCharLM,
    NGramCounter,
    WaveNetCharLM,
    load,
    save,
)
from sklearn_makemore._generation import lengths as _lengths
from sklearn_makemore._generation.lengths import target_lengths
from sklearn_makemore._networks.lengths import check_window_table
from sklearn_makemore._safe_file import (
    ModelFileError,
    read_safe_file,
    write_safe_file,
)

LONGEST = 8
QUICK = {"max_epochs": 2, "lr": 0.05, "random_state": 0, "device": "cpu"}
TINY = {"n_embd": 3, "n_hidden": 6, **QUICK}
MODELS = {
    "bigram": BigramCharLM(**QUICK),
    "mlp": MLPCharLM(block_size=2, batch_norm=True, **TINY),
    "unknown": MLPCharLM(block_size=3, handle_unknown="unk", **TINY),
    "wavenet": WaveNetCharLM(n_layers=2, **TINY),
}


def two_letter_words(n_words=40, shortest=2, longest=5, seed=0):
    rng = random.Random(seed)
    return [
        "".join(rng.choices("ab", [2, 1], k=rng.randint(shortest, longest)))
        for _ in range(n_words)
    ]


def letters_of(model):
    return ["?" if symbol == "<unk>" else symbol for symbol in model.symbols_[1:]]


def all_words(model, longest=LONGEST):
    """All words of a model's letters, up to a length."""
    return [
        "".join(word)
        for length in range(longest + 1)
        for word in product(letters_of(model), repeat=length)
    ]


def expected_log_proba(plain, word_lengths, words):
    """The definition: ``p(word) q(length) / p(length)``, with summed ``p(length)``."""
    n_lengths = len(word_lengths)
    asked = all_words(plain, n_lengths - 1)
    of_length = np.bincount(list(map(len, asked)), np.exp(plain.score_samples(asked)))
    of_length = np.append(of_length, 1 - of_length.sum())
    ratio = np.log(target_lengths(word_lengths, n_lengths) / of_length)
    lengths = np.minimum([len(word) for word in words], n_lengths)
    return plain.score_samples(words) + ratio[lengths]


def assert_matched(model, plain, word_lengths):
    """Check a model against the definition, with a plain model of equal weights."""
    np.testing.assert_allclose(model.word_lengths_, word_lengths)
    asked = [*all_words(plain, 4), "ab" * 6]
    np.testing.assert_allclose(
        model.score_samples(asked),
        expected_log_proba(plain, word_lengths, asked),
        rtol=1e-5,
    )


def fitted_pair(model, words, **options):
    """A model with and without the lengths; training is the same."""
    return [
        clone(model).set_params(match_lengths=match).fit(words, **options)
        for match in (True, False)
    ]


def lengths_of(words):
    return np.bincount(list(map(len, words)))


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("shortest", [0, 3])
def test_equals_the_definition(model, shortest):
    words = two_letter_words(shortest=shortest)
    matched, plain = fitted_pair(model, words)
    assert_matched(matched, plain, lengths_of(words))


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_characters_multiply_to_words(model):
    model = clone(model).set_params(match_lengths=True).fit(two_letter_words())
    asked = [*all_words(model, 4), "ab" * 9]
    tokens = model.token_log_proba(asked)
    sums = [token.sum() for token in tokens]
    np.testing.assert_allclose(sums, model.score_samples(asked), rtol=1e-12)
    proba = model.predict_proba(asked)
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-12)
    ends = [np.exp(token[-1]) for token in tokens]
    np.testing.assert_allclose(proba[:, 0], ends, rtol=1e-12)


def test_all_words_together_have_probability_one():
    words = two_letter_words()
    model = MLPCharLM(block_size=2, match_lengths=True, **TINY).fit(words)
    proba = np.exp(model.score_samples(all_words(model, 12)))
    assert 0.95 < proba.sum() < 1
    sums = np.bincount(list(map(len, all_words(model, 12))), proba)[:6]
    np.testing.assert_allclose(sums, target_lengths(lengths_of(words), 6)[:6])


def test_advancing_gives_the_contexts_of_longer_prefixes():
    model = MLPCharLM(match_lengths=True, **TINY).fit(two_letter_words())
    next_symbols = model._next_symbol_model()
    encoded = model.vocabulary_.encode(["abaab", "", "b" * 12])
    contexts = next_symbols.states(encoded)
    advanced = next_symbols.advance(contexts[:-1], encoded.targets[:-1])
    np.testing.assert_array_equal(advanced, contexts[1:])


@pytest.mark.parametrize("exact", [False, True])
def test_samples_follow_the_scores(exact):
    model = clone(MODELS["mlp"]).set_params(match_lengths=True)
    model.fit(two_letter_words())
    options = {"matching": "a.*", "exact": True} if exact else {}
    samples = Counter(model.sample(20_000, random_state=0, **options))
    words, log_proba = model.most_likely(20, prefix="a" if exact else "")
    proba = np.exp(log_proba)
    if exact:
        proba /= np.exp(model.score_samples(["a"]) - model.token_log_proba(["a"])[0][1])
    for word, share in zip(words, proba, strict=True):
        error = np.sqrt(share / 20_000)
        assert abs(samples[word] / 20_000 - share) < 5 * error


def test_weights_and_held_out_words_count():
    words = two_letter_words()
    weights = np.arange(len(words)) % 3 + 0.5
    model = MLPCharLM(match_lengths=True, **TINY)
    model.set_params(validation_fraction=0.3).fit(words, sample_weight=weights)
    expected = np.bincount(list(map(len, words)), weights)
    np.testing.assert_allclose(model.word_lengths_, expected)
    plain = copy.copy(model)
    plain.length_term_ = None
    assert_matched(model, plain, expected)


@pytest.mark.parametrize("going_on", ["partial_fit", "warm start", "both"])
def test_words_that_are_learned_later_are_added(going_on):
    words, later = two_letter_words(), two_letter_words(longest=7, seed=1)
    matched, plain = fitted_pair(MODELS["mlp"], words)
    matched.score(words)  # the tables exist
    for model in matched, plain:
        if going_on != "partial_fit":
            model.set_params(warm_start=True).fit(later)
        if going_on != "warm start":
            model.partial_fit(later)
    n_times = 2 if going_on == "both" else 1
    assert_matched(matched, plain, lengths_of(words + later * n_times))
    # Another fit starts again.
    matched.set_params(warm_start=False).fit(words)
    assert_matched(matched, fitted_pair(MODELS["mlp"], words)[1], lengths_of(words))


def test_lengths_can_be_matched_from_the_next_words_on():
    words = two_letter_words()
    model = clone(MODELS["bigram"]).fit(words)
    plain = copy.deepcopy(model).partial_fit(words)
    model.set_params(match_lengths=True).partial_fit(words)
    assert_matched(model, plain, lengths_of(words * 2))


def test_new_letters_change_the_windows():
    model = clone(MODELS["mlp"]).set_params(match_lengths=True)
    model.fit(two_letter_words())
    model.score(["ab"])
    model.partial_fit(["cab", "abc"])
    assert model.predict_proba(["c", "abc"]).shape == (2, 4)
    of_one = model.score_samples(["a", "b", "c"])
    assert np.exp(of_one).sum() == pytest.approx(1 / 44 / 2, rel=1e-6)


def test_a_net_that_is_changed_in_place_is_evaluated_again():
    model = MODELS["mlp"]
    words = two_letter_words()
    changed = clone(model).set_params(match_lengths=True).fit(words)
    before = changed.score_samples(words)
    with torch.no_grad():
        for weights in changed.net_.module_.parameters():
            weights.mul_(0.5)
    after = changed.score_samples(words)
    assert not np.isclose(after, before).any()
    again = pickle.loads(pickle.dumps(changed))  # without tables
    np.testing.assert_array_equal(after, again.score_samples(words))


def test_files_pickles_and_copies_keep_the_lengths(tmp_path):
    words = two_letter_words()
    model = clone(MODELS["unknown"]).set_params(match_lengths=True).fit(words)
    size = len(pickle.dumps(model))
    expected = model.score_samples(["ab", "abba", "xx"])
    assert len(pickle.dumps(model)) == size  # without the tables
    save(model, tmp_path / "model")
    for again in (
        load(tmp_path / "model"),
        pickle.loads(pickle.dumps(model)),
        copy.deepcopy(model),
        copy.copy(model),
    ):
        np.testing.assert_array_equal(again.word_lengths_, model.word_lengths_)
        np.testing.assert_array_equal(
            again.score_samples(["ab", "abba", "xx"]), expected
        )
        assert again.sample(9, random_state=0) == model.sample(9, random_state=0)


def test_a_changed_setting_is_not_saved(tmp_path):
    model = clone(MODELS["bigram"]).fit(["ab", "b"])
    with pytest.raises(ValueError, match="match_lengths of this BigramCharLM has ch"):
        save(model.set_params(match_lengths=True), tmp_path / "model")


def test_a_mixture_has_the_lengths_of_its_members():
    words = two_letter_words()
    member = clone(MODELS["mlp"]).set_params(match_lengths=True).fit(words)
    mixture = MixtureCharLM(
        [FrozenEstimator(member), NGramCounter(2)], weights=[3, 1], random_state=0
    ).fit(words)
    asked = [*all_words(member, 4), "ab" * 9]
    tokens = [model.token_log_proba(asked) for model in mixture.estimators_]
    for mixed, *of_members in zip(mixture.token_log_proba(asked), *tokens, strict=True):
        expected = np.average(np.exp(of_members), axis=0, weights=[3, 1])
        np.testing.assert_allclose(np.exp(mixed), expected, rtol=1e-9)
    lengths = lengths_of(mixture.sample(4000, random_state=0)) / 4000
    target = target_lengths(lengths_of(words), 6)
    np.testing.assert_allclose(lengths[:6], target[: len(lengths)][:6], atol=0.04)


@pytest.mark.parametrize("n_lengths", [1, 3])
def test_lengths_beyond_the_bound_together_have_their_probability(
    n_lengths, monkeypatch
):
    words = two_letter_words()
    monkeypatch.setattr(_lengths, "MAX_STEPS", n_lengths * 9)  # windows of two letters
    matched, plain = fitted_pair(MODELS["mlp"], words)
    target = target_lengths(lengths_of(words), n_lengths)
    short = all_words(plain, n_lengths - 1)
    found = np.bincount(
        list(map(len, short)), np.exp(matched.score_samples(short)), n_lengths
    )
    np.testing.assert_allclose(found, target[:-1], rtol=1e-6)
    longer = ["ababa", "bb" * 9]
    ratio = matched.score_samples(longer) - plain.score_samples(longer)
    np.testing.assert_allclose(ratio[0], ratio[1], rtol=1e-5)


TOO_LARGE = {
    "wavenet": (WaveNetCharLM(), "abc" * 4, "block_size=8 and 14 symbols.*at most 5"),
    "mlp": (MLPCharLM(block_size=6), "abc" * 3, "14 .. 7 cells.*67,108,864"),
    "huge": (MLPCharLM(block_size=10**9), "abc", "at most 5 characters"),
    "alphabet": (
        MLPCharLM(block_size=1, alphabet=[*map(chr, range(32, 9000))]),
        "abc",
        "8969 symbols.*; use match_lengths=False",
    ),
}


@pytest.mark.parametrize("model, word, message", TOO_LARGE.values(), ids=TOO_LARGE)
def test_too_many_windows_are_refused_before_training(
    model, word, message, monkeypatch
):
    model = clone(model).set_params(match_lengths=True)
    if model.alphabet is None:
        model.set_params(alphabet="abcdefghijklm")
    monkeypatch.setattr(model, "_new_net", None)
    mixture = MixtureCharLM([model], alphabet=model.alphabet)
    for fit in model.fit, model.partial_fit, mixture.fit, mixture.partial_fit:
        with pytest.raises(ValueError, match=message):
            fit([word])


def test_the_largest_tables_are_allowed():
    for n_symbols, block_size in (1 << 13, 1), (27, 4), (2, 25), (1, 10):
        check_window_table(n_symbols, block_size)
    for n_symbols, block_size in ((1 << 13) + 1, 1), (27, 5), (2, 26):
        with pytest.raises(ValueError, match="needs a table"):
            check_window_table(n_symbols, block_size)


def test_a_model_of_an_old_file_cannot_be_continued_with_lengths():
    model = load(Path(__file__).parents[1] / "persistence/files/MLPCharLM.safetensors")
    assert model.word_lengths_ is None
    assert model.partial_fit(["ada"]).word_lengths_ is None
    with pytest.raises(ValueError, match="lacks the lengths of the training words"):
        model.set_params(match_lengths=True).partial_fit(["ada"])
    assert model.set_params(max_epochs=1).fit(["ada"]).length_term_ is not None


BAD_FILES = {
    "without lengths": ({"word_lengths": None}, {}, "word_lengths is missing"),
    "too many windows": ({}, {"block_size": 30}, "needs a table"),
    "negative": ({}, {}, "word_lengths is negative"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_files_with_other_lengths_are_refused(name, tmp_path):
    fitted, params, message = BAD_FILES[name]
    model = clone(MODELS["mlp"]).set_params(match_lengths=True).fit(["ab", "b"])
    save(model, tmp_path / "model")
    document, arrays = read_safe_file(tmp_path / "model")
    document["fitted"] |= fitted
    document["params"] |= params
    if name == "negative":
        arrays["model.word_lengths"][0] = -1
    elif fitted:
        del arrays["model.word_lengths"]
    write_safe_file(tmp_path / "model", document, arrays)
    with pytest.raises(ModelFileError, match=message):
        load(tmp_path / "model")


@pytest.mark.slow
def test_names_have_fewer_nats_with_their_lengths(lecture_split):
    train, valid, _ = lecture_split
    params = {"random_state": 0, "max_epochs": 2}
    matched, plain = fitted_pair(MLPCharLM(**params), train[:5000])
    assert matched.nll(valid) < plain.nll(valid) - 0.03
    matched, plain = fitted_pair(BigramCharLM(random_state=0), train[:5000])
    assert matched.nll(valid) < plain.nll(valid) - 0.1
