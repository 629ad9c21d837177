"""Frozen members of MixtureCharLM: kept as they are, and translated to its symbols."""

import copy
import pickle
from itertools import product

import numpy as np
import pytest
from safetensors import safe_open
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline

from sklearn_makemore import (
    BigramCounter,
    CharLMOutlierDetector,
    MixtureCharLM,
    NGramCounter,
    TransformerCharLM,
    load,
    save,
)
from sklearn_makemore._meta.adaptive import DECAY
from sklearn_makemore._meta.em import em_weights
from sklearn_makemore._meta.learned_weights import learned_weights
from sklearn_makemore._safe_file import ModelFileError
from sklearn_makemore._words.hold_out import hold_out_folds
from sklearn_makemore._words.training_set import TrainingSet
from sklearn_makemore._words.vocabulary import CharVocabulary
from sklearn_makemore.persistence._decoding import Decoder

AB = ["ab", "abba", "b", "ba", "aab", "bab"]
BC = ["bc", "cb", "ccb", "b", "cbc"]
LETTERS = "abcdefghijklmnopqrstuvwxyz"
CHARACTERS = "abcdx"  # x is in no alphabet


def frozen(words, **params):
    return FrozenEstimator(NGramCounter(order=2, **params).fit(words))


def mixtures():
    """Fitted mixtures whose members have different symbols."""
    member = NGramCounter(order=3)
    known, unk = frozen(AB), frozen(AB, handle_unknown="unk")
    yield "other letters", MixtureCharLM([known, member], weights=[2, 1]).fit(BC)
    yield "all frozen", MixtureCharLM([known, frozen(BC)], weights=[1, 3]).fit(["d"])
    yield "one frozen", MixtureCharLM([known], weights="uniform").fit(["bad"])
    yield (
        "unknown",
        MixtureCharLM(
            [known, unk, member], handle_unknown="unk", weights=[1, 2, 3]
        ).fit(BC),
    )
    inner = MixtureCharLM([known, member], weights=[1, 1]).fit(["da", "d"])
    yield (
        "nested",
        MixtureCharLM([FrozenEstimator(inner), member], weights=[1, 1]).fit(BC),
    )

    for name, members, weights in [
        ("adaptive", [known, member], [2, 1]),
        ("adaptive unknown", [unk, member, known], [1, 2, 3]),
    ]:
        handle_unknown = "unk" if "unknown" in name else "error"
        model = MixtureCharLM(members, weights=weights, handle_unknown=handle_unknown)
        model.fit(BC).adaptation_ = 0.6
        yield name, model
    inner = MixtureCharLM([known, member], weights=[1, 1]).fit(["da", "d"])
    inner.adaptation_ = 1.0
    model = MixtureCharLM([member, FrozenEstimator(inner)], weights=[1, 2]).fit(BC)
    model.adaptation_ = 0.3
    yield "adaptive nested", model


MIXED = dict(mixtures())


def member_distribution(model, member, prefix):
    """Compute a member's distribution over the symbols of the mixture, None if it
    abstains, from its own method."""
    own = member.symbols_
    has_unknown = "<unk>" in own
    if not has_unknown and not set(prefix) <= set(own):
        return None
    proba = dict(zip(own, member.predict_proba([prefix])[0], strict=True))
    missing = [
        symbol
        for symbol in model.symbols_
        if symbol not in own or symbol == "<unk>" and has_unknown
    ]
    for symbol in missing:
        proba[symbol] = proba.get("<unk>", 0.0) if has_unknown else 0.0
    if has_unknown:
        spread = proba["<unk>"] / len(missing)
        proba.update(dict.fromkeys(missing, spread))
    return np.array([proba[symbol] for symbol in model.symbols_])


def column(model, character):
    return model.symbols_.index(character if character in model.symbols_ else "<unk>")


def distribution(model, prefix):
    """Compute the next-symbol distribution of a mixture from its members' methods."""
    total, share = np.zeros(len(model.symbols_)), 0.0
    for weight, member in zip(model.weights_, model.estimators_, strict=True):
        proba = member_distribution(model, member, prefix)
        if proba is None:
            continue
        score = sum(
            DECAY ** (len(prefix) - 1 - place)
            * np.log(
                member_distribution(model, member, prefix[:place])[
                    column(model, character)
                ]
            )
            for place, character in enumerate(prefix)
        )
        weight = weight * np.exp(model.adaptation_ * score)
        total += weight * proba
        share += weight
    if share == 0:
        return np.full(len(total), 1 / len(total))
    return total / share


def readable_words(model, length):
    letters = [
        letter
        for letter in CHARACTERS
        if letter in model.symbols_ or "<unk>" in model.symbols_
    ]
    return [
        "".join(word) for n in range(length + 1) for word in product(letters, repeat=n)
    ]


@pytest.mark.parametrize("name", MIXED)
def test_probabilities_are_those_computed_from_the_members(name):
    model = MIXED[name]
    prefixes = readable_words(model, 3)
    expected = np.array([distribution(model, prefix) for prefix in prefixes])
    np.testing.assert_allclose(expected.sum(axis=1), 1, rtol=1e-12)
    found = model.predict_proba(prefixes)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-15)
    one_by_one = np.vstack([model.predict_proba([prefix]) for prefix in prefixes])
    np.testing.assert_allclose(one_by_one, expected, rtol=1e-9, atol=1e-15)
    of_prefix = dict(zip(prefixes, expected, strict=True))
    for word, found in zip(prefixes, model.token_log_proba(prefixes), strict=True):
        columns = [column(model, symbol) for symbol in [*word, ""]]
        with np.errstate(divide="ignore"):
            by_hand = np.log(
                [
                    of_prefix[word[:place]][column]
                    for place, column in enumerate(columns)
                ]
            )
        np.testing.assert_allclose(found, by_hand, rtol=1e-9)


@pytest.mark.parametrize("name", MIXED)
def test_generated_words_follow_the_probabilities(name):
    model = MIXED[name]
    letters = [symbol for symbol in model.symbols_ if len(symbol) == 1]
    start = dict(zip(model.symbols_, distribution(model, ""), strict=True))
    total = 1 - start.get("<unk>", 0.0)  # never sampled
    samples = model.sample(5000, random_state=0)
    for symbol in letters:
        share = np.mean([word.startswith(symbol) for word in samples])
        assert share == pytest.approx(start[symbol] / total, abs=0.03)
    assert np.isfinite(model.score_samples(samples)).all()

    most_likely, log_proba = model.most_likely(5)
    words = ["".join(word) for n in range(4) for word in product(letters, repeat=n)]
    best = np.sort(model.score_samples(words))[: -len(most_likely) - 1 : -1]
    assert (log_proba >= best - 1e-9).all()  # longer words may be better
    np.testing.assert_allclose(log_proba, model.score_samples(most_likely))

    matching = model.sample(2000, matching="[ab]b?", exact=True, random_state=0)
    possible = ["a", "b", "ab", "bb"]
    proba = np.exp(model.score_samples(possible))
    shares = [matching.count(word) / len(matching) for word in possible]
    np.testing.assert_allclose(shares, proba / proba.sum(), atol=0.04)


def test_frozen_members_stay_as_they_are(words):
    background = NGramCounter(order=3).fit(words)
    before = pickle.dumps(background)
    entry = FrozenEstimator(background)
    model = MixtureCharLM([("names", entry), NGramCounter(order=2)], weights=[1, 1])
    model.fit(AB * 3)
    model.partial_fit(["cab", "zoe"])
    first = MixtureCharLM([entry, BigramCounter()]).partial_fit(words[:50])
    copied = clone(model)
    assert copied.get_params()["names"] is entry
    search = GridSearchCV(
        copied, {"ngramcounter__order": [1, 2]}, cv=KFold(2), error_score="raise"
    )
    best = search.fit(words[:40]).best_estimator_
    assert pickle.dumps(background) == before
    asked = words[:20]
    for fitted in (model, first, best):
        np.testing.assert_array_equal(
            fitted.estimators_[0].score_samples(asked), background.score_samples(asked)
        )
    # What is learned afterwards, with new letters, does not change the mixture.
    scores = model.score_samples(asked)
    background.partial_fit(["ßß"])
    np.testing.assert_array_equal(model.score_samples(asked), scores)


@pytest.mark.parametrize("alphabet", [None, "abcd"])
def test_the_alphabet_has_the_characters_of_frozen_members(alphabet):
    model = MixtureCharLM([frozen(["xyz", "zx"]), BigramCounter()], alphabet=alphabet)
    model.fit(AB)
    assert model.symbols_ == ["", *sorted({*(alphabet or "ab"), *"xyz"})]
    assert model.estimators_[1].symbols_ == model.symbols_
    model.partial_fit(["xab"])


def test_the_unknown_symbol_of_a_frozen_member_needs_one_in_the_mixture():
    members = [("old", frozen(AB, handle_unknown="unk")), BigramCounter()]
    with pytest.raises(ValueError, match="(?s)'old'.*set handle_unknown='unk'"):
        MixtureCharLM(members).fit(AB)


def test_frozen_members_must_be_fitted_models():
    with pytest.raises(NotFittedError, match="frozen NGramCounter at index 0"):
        MixtureCharLM([FrozenEstimator(NGramCounter())]).fit(AB)
    with pytest.raises(TypeError, match="at index 0"):
        MixtureCharLM([FrozenEstimator(CharLMOutlierDetector())]).fit(AB)


def test_words_must_be_readable_by_frozen_members():
    net = TransformerCharLM(
        block_size=4, n_embd=4, n_heads=1, n_layers=1, max_epochs=1
    ).fit(AB[:1])
    model = MixtureCharLM([FrozenEstimator(net), BigramCounter()])
    for fit in (model.fit, model.partial_fit):
        with pytest.raises(ValueError, match="'xéabab' at index 2 .*block_size=7"):
            fit(["ab", "b", "xéabab"])
    model.set_params(weights="uniform").fit(["abb", "xab"])
    assert model._longest_word() == 3
    with pytest.raises(ValueError, match="'xxab' at index 1 .*block_size=5"):
        model.score(["a", "xxab"])


def test_new_letters_reach_all_members_but_the_frozen_ones():
    model = MixtureCharLM([frozen(AB), NGramCounter(order=3)], weights=[1, 2]).fit(BC)
    model.partial_fit(["dxc", "d"])
    assert model.symbols_ == ["", "a", "b", "c", "d", "x"]
    assert model.estimators_[0].symbols_ == ["", "a", "b"]
    alone = NGramCounter(order=3, alphabet="abcdx").fit([*BC, "dxc", "d"])
    prefixes = readable_words(model, 3)
    np.testing.assert_array_equal(
        model.estimators_[1].predict_proba(prefixes), alone.predict_proba(prefixes)
    )
    expected = [distribution(model, prefix) for prefix in prefixes]
    np.testing.assert_allclose(
        model.predict_proba(prefixes), expected, rtol=1e-9, atol=1e-15
    )
    model.partial_fit(["ee"])
    assert model.symbols_ == [*alone.symbols_[:-1], "e", "x"]


def test_new_letters_need_an_alphabet_that_is_not_given():
    member = BigramCounter(alphabet="abc")
    model = MixtureCharLM([frozen(AB), member], weights="uniform").fit(BC)
    with pytest.raises(ValueError, match=r"(?s)BigramCounter.*alphabet.*mixture"):
        model.partial_fit(["d"])
    assert model.symbols_ == ["", "a", "b", "c"]
    model.partial_fit(["ca"])


# ------------------------------------------------------------------------- weights


def test_weights_of_frozen_members_alone_use_all_words(words):
    members = [frozen(words[:100]), frozen(words[100:], smoothing="additive")]
    data = words[50:150] + ["emma"] * 9
    model = MixtureCharLM(members).fit(data)
    log_proba = np.array(
        [np.concatenate(member.estimator.token_log_proba(data)) for member in members]
    )
    for first in np.linspace(0, 1, 21):
        tried = -np.log([first, 1 - first] @ np.exp(log_proba)).mean()
        assert model.validation_nll_ <= tried
    assert model.validation_nll_ == pytest.approx(model.nll(data))
    np.testing.assert_allclose(model.estimator_nlls_, -log_proba.mean(axis=1))


def test_folds_score_each_word_by_members_that_have_not_seen_it(words):
    data = [*words[:60], "emma", "emma"]
    known = frozen(words[60:])
    model = MixtureCharLM([known, NGramCounter(order=2)], cv=4, random_state=0)
    model.fit(data)
    vocabulary = model.vocabulary_
    member = NGramCounter(order=2, alphabet=vocabulary.characters)
    np.testing.assert_array_equal(
        model.estimators_[1].score_samples(words),
        clone(member).fit(data).score_samples(words),
    )
    rng = np.random.RandomState(0)
    rng.randint(np.iinfo(np.int32).max, size=2)  # the seeds of the members
    training = TrainingSet(vocabulary, vocabulary.encode(data))
    splits = list(hold_out_folds(training, 4, rng))
    seen, members = [], []
    for learned, held_out in splits:
        assert not set(learned.words) & set(held_out.words)
        assert len(learned.words) + held_out.sample_weight.sum() == len(data)
        seen += held_out.words
        members.append([known.estimator, clone(member).fit(learned.words)])
    assert len(splits) == 4 and len(seen) == len(set(seen)) == len(set(data)) - 1
    assert len(*(set(data) - set(seen))) == max(map(len, data))
    found = learned_weights(members, [held_out for _, held_out in splits])
    np.testing.assert_allclose(model.weights_, found.weights)
    assert model.validation_nll_ == pytest.approx(found.validation_nll)
    assert 0 < model.weights_[0] < 1


def test_folds_of_few_words():
    model = MixtureCharLM([frozen(AB), NGramCounter()], cv=5)
    np.testing.assert_array_equal(model.fit(["ab"] * 9).weights_, [0.5, 0.5])
    assert model.validation_nll_ is None
    assert np.isfinite(model.fit(["ab", "b"]).validation_nll_)


def test_adaptation_is_the_best_for_words_that_members_have_not_seen(words):
    kinds = [["ab", "abba", "bab", "aab"] * 4, ["xyz", "zyx", "zz", "xz"] * 4]
    data = words[:20] + kinds[0][:4] + kinds[1][:4]
    members = [frozen(words[100:] + kind, alphabet=LETTERS) for kind in kinds]
    fitted = MixtureCharLM([*members, NGramCounter()], weights="adaptive", cv=3)
    for model in (fitted, MixtureCharLM(members, weights="adaptive")):
        model.set_params(random_state=0).fit(data)
        constant = clone(model).set_params(weights="em").fit(data)
        np.testing.assert_array_equal(model.weights_, constant.weights_)
        assert constant.adaptation_ == 0.0 < model.adaptation_ < 1
        assert model.validation_nll_ < constant.validation_nll_
    # All members are frozen, so no word was held out.
    assert model.validation_nll_ == pytest.approx(model.nll(data))
    tried = copy.copy(model)
    for adaptation in np.linspace(0, 1, 21):
        tried.adaptation_ = adaptation
        assert model.validation_nll_ <= tried.nll(data) + 1e-6


def test_adaptation_of_equal_members_is_zero(words):
    members = [frozen(words[:100]), frozen(words[:100])]
    model = MixtureCharLM(members, weights="adaptive").fit(words[100:])
    assert model.adaptation_ == 0.0
    assert MixtureCharLM([members[0]], weights="adaptive").fit(words).adaptation_ == 0
    model = MixtureCharLM(members, weights="adaptive").fit(["a"] * 9)
    assert np.isfinite(model.nll(["a", "aa"]))


def test_a_member_that_abstains_has_no_part_however_good_it_was():
    narrow = NGramCounter(order=3).fit(["ab" * 200])
    model = MixtureCharLM([FrozenEstimator(narrow), BigramCounter()], weights=[1, 1])
    model.fit(["c", "b"]).adaptation_ = 1.0
    prefix = "ab" * 200 + "c"
    np.testing.assert_allclose(
        model.predict_proba([prefix]),
        model.estimators_[1].predict_proba([prefix]),
    )


def test_an_abstaining_member_neither_gains_nor_loses():
    vocabulary = CharVocabulary("abc")
    narrow = NGramCounter(order=2).fit(AB)
    wide = NGramCounter(order=2, alphabet="abc").fit(["ca", "bb", "aca"])
    words, weight = ["ab", "bca", "b", "aba"], np.array([4.0, 1.0, 2.0, 3.0])
    data = TrainingSet(vocabulary, vocabulary.encode(words), weight)
    found = learned_weights([[narrow, wide]], [data])
    # Without the end of "bca", after the unknown "c".
    of_narrow = narrow.token_log_proba(["ab", "b", "b", "aba"])
    of_narrow[1][1] = -np.inf
    of_wide = wide.token_log_proba(words)
    of_wide[1] = of_wide[1][:2]
    log_proba = [np.concatenate(of_narrow), np.concatenate(of_wide)]
    counts = np.repeat(weight, [3, 2, 2, 4])
    expected = em_weights(np.array(log_proba), counts)
    assert 0.1 < expected[0] < 0.9
    np.testing.assert_allclose(found.weights, expected, atol=1e-5)
    assert np.isinf(found.estimator_nlls[0]) and np.isfinite(found.estimator_nlls[1])


# --------------------------------------------------------------------------- files


@pytest.mark.parametrize("name", ["other letters", "unknown", "nested"])
def test_files_and_copies_keep_frozen_members(name, tmp_path):
    model = MIXED[name]
    save(model, tmp_path / "model")
    asked = readable_words(model, 2)
    for again in (load(tmp_path / "model"), copy.deepcopy(model), clone(model).fit(BC)):
        np.testing.assert_array_equal(
            again.score_samples(asked), model.score_samples(asked)
        )
        assert again.sample(9, random_state=0) == model.sample(9, random_state=0)
    loaded = load(tmp_path / "model")
    loaded.partial_fit(["bcb"])
    np.testing.assert_array_equal(
        loaded.estimators_[0].score_samples(["ab"]),
        model.estimators_[0].score_samples(["ab"]),
    )


def test_files_keep_the_adaptation(words, tmp_path):
    members = [frozen(words[:80]), NGramCounter()]
    model = MixtureCharLM(members, weights="adaptive", cv=3, random_state=0)
    model.fit(words[80:])
    save(model, tmp_path / "model")
    again = load(tmp_path / "model")
    assert again.adaptation_ == model.adaptation_ > 0
    np.testing.assert_array_equal(
        again.score_samples(words), model.score_samples(words)
    )
    model.adaptation_ = 1.5
    save(model, tmp_path / "model")
    with pytest.raises(ModelFileError):
        load(tmp_path / "model")


def test_a_file_holds_a_frozen_model_once(tmp_path):
    path = tmp_path / "model"
    background = NGramCounter(order=2).fit(AB)
    model = MixtureCharLM([FrozenEstimator(background), BigramCounter()]).fit(BC)
    save(model, path)
    with safe_open(path, "np") as file:
        assert sum("ngram" in name for name in file.keys()) == 1  # noqa: SIM118
    again = load(path)
    assert again.score(BC) == model.score(BC)
    save(again, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == path.read_bytes()
    # A model that has learned more is another one.
    background.partial_fit(["bbb"])
    save(model, path)
    again = load(path)
    assert again.score(BC) == model.score(BC)
    assert again.estimators[0].score(AB) == background.score(AB)


def test_a_file_holds_any_frozen_estimator(tmp_path):
    path = tmp_path / "model"
    model = frozen(AB)
    for estimator in (model, make_pipeline(model), FrozenEstimator(model)):
        save(estimator, path)
        again = load(path)
        assert type(again) is type(estimator)
        assert again.score(AB) == model.score(AB)
    detector = CharLMOutlierDetector(model).fit(AB)
    save(detector, path)
    np.testing.assert_array_equal(load(path).predict(AB), detector.predict(AB))
    with pytest.raises(NotFittedError):
        save(FrozenEstimator(NGramCounter()), path)


@pytest.mark.parametrize(
    "inside",
    [3, LogisticRegression(), NGramCounter()],
    ids=lambda value: str(value)[:9],
)
def test_a_file_with_another_frozen_object_is_refused(inside, tmp_path, monkeypatch):
    entry = frozen(AB)
    save(entry, tmp_path / "model")
    monkeypatch.setattr(Decoder, "params", lambda self, params: {"estimator": inside})
    with pytest.raises(ModelFileError):
        load(tmp_path / "model")
