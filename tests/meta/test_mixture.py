"""MixtureCharLM: its probabilities and weights, the words held out, the members."""

from itertools import product

import numpy as np
import pytest
from estimators import NETS, QUICK, longest_word
from joblib import parallel_config
from scipy.optimize import minimize
from sklearn.base import clone
from sklearn.callback import ScoringMonitor
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.utils._param_validation import InvalidParameterError

from sklearn_makemore import (
    BigramCounter,
    MixtureCharLM,
    MLPCharLM,
    NGramCounter,
    TransformerCharLM,
)
from sklearn_makemore._meta.em import em_weights

LETTERS = "abcdefghijklmnopqrstuvwxyz"
COUNTERS = [NGramCounter(order=3), NGramCounter(order=1), BigramCounter(smoothing=5)]
SMALL_NET = MLPCharLM(n_embd=3, n_hidden=6, **{**QUICK, "random_state": None})


class Recording(BigramCounter):
    """Remembers what it was fitted on."""

    def fit(self, words, y=None, sample_weight=None):
        self.words_, self.sample_weight_ = words, sample_weight
        return super().fit(words, y, sample_weight)


class Tasks:
    """Callback that goes on to the members and notes what is fitted."""

    max_propagation_depth = None

    def __init__(self):
        self.begun = []

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context, *, X=None):
        where = context.estimator_name, context.task_name, context.source_task_name
        self.begun.append((*where, len(X)))

    def on_fit_task_end(self, estimator, context):
        pass


def log_likelihood(estimator, words, y=None):
    return estimator.score(words)


def words_held_out(model, words):
    """The words that a `Recording` member named "recording" has not seen."""
    held_out = list(words)
    for word in model.named_estimators_.recording.words_:
        held_out.remove(word)
    return held_out


# ------------------------------------------------------------------- probabilities


@pytest.mark.parametrize("weights", ["em", "uniform", [5.0, 0.0, 2.0]], ids=str)
def test_probabilities_of_characters_are_the_weighted_sums(weights, words):
    members = [NGramCounter(order=3), BigramCounter(), NETS["gru"]]
    model = MixtureCharLM(members, weights=weights, random_state=0).fit(words)
    assert model.weights_.sum() == pytest.approx(1)
    asked = [*words[:30], "", "zzz", "annabel"]
    for prefixes in (asked, ["a"]):
        expected = sum(
            weight * member.predict_proba(prefixes)
            for weight, member in zip(model.weights_, model.estimators_, strict=True)
        )
        np.testing.assert_allclose(model.predict_proba(prefixes), expected, rtol=1e-6)
    for word, score in zip(asked, model.score_samples(asked), strict=True):
        columns = [model.symbols_.index(character) for character in [*word, ""]]
        prefixes = [word[:i] for i in range(len(word) + 1)]
        of_members = np.array(
            [
                member.predict_proba(prefixes)[range(len(columns)), columns]
                for member in model.estimators_
            ]
        )
        assert score == pytest.approx(np.log(model.weights_ @ of_members).sum())


def test_a_member_of_weight_zero_is_not_asked(words, monkeypatch):
    model = MixtureCharLM(COUNTERS, weights=[0, 0, 3]).fit(words)
    alone = model.estimators_[2]
    monkeypatch.delattr(NGramCounter, "_next_symbol_model")
    monkeypatch.delattr(NGramCounter, "_target_log_proba")
    np.testing.assert_array_equal(
        model.score_samples(words), alone.score_samples(words)
    )
    np.testing.assert_array_equal(
        model.predict_proba(words), alone.predict_proba(words)
    )
    assert model.sample(9, random_state=0) == alone.sample(9, random_state=0)


def test_the_shortest_limit_of_a_member_is_that_of_the_mixture(words):
    short, long = (
        TransformerCharLM(block_size=size, n_embd=8, n_heads=2, n_layers=1, **QUICK)
        for size in (13, 20)
    )
    model = MixtureCharLM([long, BigramCounter(), short], weights="uniform").fit(words)
    assert model._longest_word() == longest_word(model.estimators_[2]) == 12
    assert max(map(len, model.sample(50, temperature=9.0, random_state=0))) == 12
    with pytest.raises(ValueError, match="'a{13}'.* has 13 characters.*block_size=14"):
        model.score(["a" * 13])
    # It says where the word is in what was given, not among those left to learn from.
    with pytest.raises(ValueError, match=f"at index {len(words)} has 13 characters"):
        model.set_params(weights="em").fit([*words, "a" * 13])


@pytest.mark.parametrize("seed", range(4))
def test_a_word_of_extreme_length_is_never_held_out(seed):
    # The network reads twice the longest word it has seen.
    net = TransformerCharLM(n_embd=4, n_heads=1, n_layers=1, max_epochs=1)
    model = MixtureCharLM([net, BigramCounter()], random_state=seed)
    model.set_params(validation_fraction=0.6)
    model.fit(["ab", "ba", "abcabcabcabc", "b"])
    assert np.isfinite(model.validation_nll_)


# ------------------------------------------------------------------------- weights


def mean_log_likelihood(weights, log_proba, counts):
    with np.errstate(divide="ignore"):
        return np.average(np.log(weights @ np.exp(log_proba)), weights=counts)


def observations(seed, n_members, n=200):
    """Log-probabilities of members that are good at different things, and counts."""
    rng = np.random.RandomState(seed)
    strengths = rng.uniform(0.5, 3, size=(n_members, 1))
    proba = rng.beta(strengths, 2, size=(n_members, n))
    return np.log(proba), rng.randint(1, 5, size=n).astype(float)


@pytest.mark.parametrize("seed, n_members", [*product(range(4), [2, 3, 5])])
def test_em_finds_what_a_general_optimiser_finds(seed, n_members):
    log_proba, counts = observations(seed, n_members)
    weights = em_weights(log_proba, counts)
    assert (weights >= 0).all() and weights.sum() == pytest.approx(1)
    found = minimize(
        lambda w: -mean_log_likelihood(w, log_proba, counts),
        np.full(n_members, 1 / n_members),
        bounds=[(0, 1)] * n_members,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
        options={"ftol": 1e-12},
    )
    reached = mean_log_likelihood(weights, log_proba, counts)
    assert reached >= -found.fun - 1e-9
    np.testing.assert_allclose(weights, found.x, atol=1e-3)


def test_em_is_no_worse_than_any_weights_of_a_grid():
    log_proba, counts = observations(7, 3)
    log_proba[0, :50] = log_proba[1, 25:75] = -np.inf  # impossible for one or two
    weights = em_weights(log_proba, counts)
    steps = np.linspace(0, 1, 41)
    grid = [(a, b, max(0, 1 - a - b)) for a in steps for b in steps if a + b <= 1]
    best = max(mean_log_likelihood(np.array(w), log_proba, counts) for w in grid)
    reached = mean_log_likelihood(weights, log_proba, counts)
    assert best <= reached < best + 1e-3


def test_em_at_the_borders():
    log_proba, counts = observations(3, 2)
    better = np.array([log_proba[0], log_proba[0] - 0.1])
    np.testing.assert_array_equal(em_weights(better, counts), [1, 0])
    equal = np.array([log_proba[0], log_proba[0]])
    assert em_weights(equal, counts).sum() == 1
    # What is impossible for all members is ignored. Without the rest, none is better.
    expected = em_weights(log_proba, counts)
    with_impossible = np.c_[log_proba, np.full((2, 9), -np.inf)]
    np.testing.assert_array_equal(
        em_weights(with_impossible, np.r_[counts, np.full(9, 50.0)]), expected
    )
    nothing = np.full((2, 9), -np.inf)
    np.testing.assert_array_equal(em_weights(nothing, np.ones(9)), [0.5, 0.5])
    # Log-probabilities far beyond what exp can hold.
    far = em_weights(log_proba - 5000, counts)
    np.testing.assert_allclose(far, expected, atol=1e-6)


# ------------------------------------------------------------------ words held out


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("seed", range(3))
def test_on_the_words_held_out_no_member_is_better(seed, share, words):
    members = [("recording", Recording()), *COUNTERS, SMALL_NET]
    model = MixtureCharLM(members, validation_fraction=share, random_state=seed)
    held_out = words_held_out(model.fit(words), words)
    assert len(words) * share - 2 <= len(held_out) <= len(words) * share
    alone = [member.nll(held_out) for member in model.estimators_]
    np.testing.assert_allclose(model.estimator_nlls_, alone, rtol=1e-6)
    assert model.validation_nll_ == pytest.approx(model.nll(held_out), rel=1e-6)
    assert model.validation_nll_ <= model.estimator_nlls_.min()


def test_equal_words_are_held_out_together_and_by_their_weight(words):
    repeated = words + ["emma"] * 60
    weights = np.array([4.0 if word < "f" else 1.0 for word in repeated])
    members = [("recording", Recording()), NGramCounter()]
    sets = []
    for seed in range(5):
        model = MixtureCharLM(members, validation_fraction=0.3, random_state=seed)
        model.fit(repeated, sample_weight=weights)
        held_out = words_held_out(model, repeated)
        seen = model.named_estimators_.recording
        assert not set(held_out) & set(seen.words_)
        of_held_out = [4.0 if word < "f" else 1.0 for word in held_out]
        assert sum(of_held_out) == pytest.approx(0.3 * weights.sum(), abs=4)
        assert seen.sample_weight_.tolist() == [
            4.0 if word < "f" else 1.0 for word in seen.words_
        ]
        alone = model.estimators_[1].nll(held_out, sample_weight=of_held_out)
        assert model.estimator_nlls_[1] == pytest.approx(alone)
        sets.append(frozenset(held_out))
    assert len(set(sets)) == 5


def test_a_word_too_heavy_for_the_share_is_learned_from():
    model = MixtureCharLM([("recording", Recording()), NGramCounter(order=2)])
    for _ in range(3):
        model.fit(["b"] * 200 + ["a", "abc"])
        assert words_held_out(model, ["b"] * 200 + ["a", "abc"]) == ["a"]


def test_without_two_different_words_the_weights_are_equal():
    model = MixtureCharLM(COUNTERS).fit(["ab"] * 9)
    np.testing.assert_array_equal(model.weights_, [1 / 3] * 3)
    assert model.validation_nll_ is model.estimator_nlls_ is None


def test_refitted_members_have_seen_all_words(words):
    model = MixtureCharLM(COUNTERS, random_state=0).fit(words)
    refitted = clone(model).set_params(refit=True).fit(words)
    np.testing.assert_array_equal(refitted.weights_, model.weights_)
    assert refitted.validation_nll_ == model.validation_nll_
    for member, fitted, before in zip(
        COUNTERS, refitted.estimators_, model.estimators_, strict=True
    ):
        whole = clone(member).fit(words).score_samples(words)
        np.testing.assert_array_equal(fitted.score_samples(words), whole)
        assert (before.score_samples(words) != whole).any()


def test_partial_fit_holds_out_once_and_then_adds_all(words):
    model = MixtureCharLM(COUNTERS, alphabet=LETTERS, random_state=0)
    model.partial_fit(words[:100])
    first = clone(model).fit(words[:100])
    np.testing.assert_array_equal(model.weights_, first.weights_)
    before = model.estimators_
    scores = [member.score(words) for member in before]
    model.partial_fit(words[100:])
    np.testing.assert_array_equal(model.weights_, first.weights_)
    assert model.validation_nll_ == first.validation_nll_
    for member, fitted in zip(model.estimators_, first.estimators_, strict=True):
        expected = fitted.partial_fit(words[100:]).score_samples(words)
        np.testing.assert_array_equal(member.score_samples(words), expected)
    assert list(model.named_estimators_.values()) == model.estimators_
    assert [member.score(words) for member in before] == scores


def test_every_character_can_stand_for_the_unknown():
    # Also where U+FFFD, which else does, is a letter.
    model = MixtureCharLM(
        [BigramCounter()],
        weights="uniform",
        alphabet=["a", "\ufffd"],
        handle_unknown="unk",
    ).fit(["a\ufffd", "aß", "a日本"])
    assert model.symbols_ == ["", "a", "\ufffd", "<unk>"]
    assert model.estimators_[0].counts_[1].tolist() == [0, 0, 1, 2]


# ------------------------------------------------------------------------- members


@pytest.mark.parametrize(
    "own", [{"handle_unknown": "unk"}, {"alphabet": "abcdefghij"}], ids=str
)
def test_alphabet_and_unknown_characters_are_the_mixture_s_to_decide(own, words):
    (name,) = own
    with pytest.raises(ValueError, match=f"(?s)NGramCounter.*{name}.*mixture"):
        MixtureCharLM([BigramCounter(), NGramCounter(**own)]).fit(words)
    if name == "handle_unknown":
        MixtureCharLM([NGramCounter(**own)], **own).fit(words)


def test_seeds_of_the_members_follow_from_that_of_the_mixture(words):
    inner = MixtureCharLM([SMALL_NET, clone(SMALL_NET)], weights="uniform")
    seeded = clone(SMALL_NET).set_params(random_state=7)
    model = MixtureCharLM([inner, ("own", seeded), BigramCounter()], random_state=3)
    fitted = [clone(model).fit(words) for _ in range(2)]
    scores = [one.score_samples(words).tolist() for one in fitted]
    assert scores[0] == scores[1]
    other = clone(model).set_params(random_state=4).fit(words)
    assert scores[0] != other.score_samples(words).tolist()
    first, second = fitted[0].estimators_[0].estimators_
    assert first.random_state != second.random_state
    assert first.score(words) != second.score(words)
    assert fitted[0].named_estimators_.own.random_state == 7
    with parallel_config("threading"):  # tests/contracts has processes
        two_at_once = clone(model).set_params(n_jobs=2).fit(words)
    assert two_at_once.score_samples(words).tolist() == scores[0]
    fresh = clone(model).set_params(random_state=None)
    assert fresh.fit(words).score(words) != fresh.fit(words).score(words)


def test_callbacks_go_on_to_the_members(words):
    monitor = ScoringMonitor(scoring={"log_likelihood": log_likelihood})
    net = clone(SMALL_NET).set_callbacks(monitor)
    tasks = Tasks()
    model = MixtureCharLM([("net", net), BigramCounter()], refit=True, random_state=0)
    model.set_callbacks(tasks).fit(words)
    scores = [
        row["log_likelihood"]
        for row in monitor.get_logs().data
        if row["task_name"] == "epoch"
    ]
    assert len(scores) == 4
    assert model.named_estimators_.net.score(words) in scores
    n_learning = len(words) - round(0.1 * len(words))
    epochs = [("MLPCharLM", "epoch", None, len(words))] * 2
    assert tasks.begun[0] == ("MixtureCharLM", "fit", None, len(words))
    begun = [task for task in tasks.begun if task[0] != "MixtureCharLM"]
    assert begun[0][:3] == ("MLPCharLM", "fit", "fit-net")
    assert abs(begun[0][3] - n_learning) <= 2
    assert begun[4:] == [
        ("MLPCharLM", "fit", "refit-net", len(words)),
        *epochs,
        ("BigramCounter", "fit", "refit-bigramcounter", len(words)),
    ]


def test_a_search_over_members_and_their_parameters(words):
    model = MixtureCharLM(COUNTERS, alphabet=LETTERS, weights=[1, 0, 0], n_jobs=1)
    search = GridSearchCV(
        model,
        [
            {"ngramcounter-1__order": [1, 2]},
            {"ngramcounter-1": [BigramCounter(smoothing=1e6), NGramCounter(order=5)]},
        ],
        cv=KFold(3, shuffle=True, random_state=0),
        error_score="raise",
    ).fit(words)
    alone = [NGramCounter(order=1), NGramCounter(order=2), BigramCounter(smoothing=1e6)]
    alone.append(NGramCounter(order=5))
    expected = [
        GridSearchCV(one.set_params(alphabet=LETTERS), {}, cv=search.cv)
        .fit(words)
        .best_score_
        for one in alone
    ]
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], expected)
    assert search.best_index_ == np.argmax(expected)


def test_names_are_those_of_a_pipeline():
    models = [BigramCounter(), NGramCounter(), BigramCounter(), MLPCharLM()]
    names = [name for name, _ in make_pipeline(*models).steps]
    model = MixtureCharLM(models).fit(["ab", "ba"] * 9)
    assert list(model.named_estimators_) == names
    params = model.get_params()
    assert params["bigramcounter-2"] is models[2]
    assert params["ngramcounter__order"] == 6
    assert set(model.get_params(deep=False)) == set(vars(clone(model)))


def test_a_replaced_member_keeps_its_name():
    model = MixtureCharLM([BigramCounter(), NGramCounter(), ("own", BigramCounter())])
    before = model.estimators
    model.set_params(
        ngramcounter=BigramCounter(), ngramcounter__smoothing=7, own__smoothing=3
    )
    assert [name for name, _ in model.estimators] == [
        "bigramcounter",
        "ngramcounter",
        "own",
    ]
    assert model.get_params()["ngramcounter"].smoothing == 7
    assert model.get_params()["own__smoothing"] == 3
    assert type(before[1]) is NGramCounter
    with pytest.raises(ValueError, match="(?s)'owm'.*Valid parameters"):
        model.set_params(owm=BigramCounter())
    model.set_params(estimators=[BigramCounter()], bigramcounter__smoothing=2)
    assert model.estimators[0].smoothing == 2


BAD_MEMBERS = {
    "none": ([], ValueError, "`estimators` is empty"),
    "a class": ([BigramCounter(), NGramCounter], TypeError, "type ABCMeta at index 1"),
    "no model": ([make_pipeline(BigramCounter())], TypeError, "Pipeline at index 0"),
    "no name": ([(3, BigramCounter())], TypeError, "got 3 of type int at index 0"),
    "one name twice": (
        [("one", BigramCounter()), ("one", NGramCounter())],
        ValueError,
        "'one' comes twice in `estimators`, again at index 1",
    ),
    "two underscores": ([("a__b", BigramCounter())], ValueError, "'a__b'.*choose"),
    "a parameter": ([("weights", BigramCounter())], ValueError, "'weights'.*choose"),
}


@pytest.mark.parametrize("name", BAD_MEMBERS)
@pytest.mark.parametrize("verb", ["fit", "partial_fit"])
def test_what_is_wrong_with_the_members_is_said(name, verb):
    members, kind, message = BAD_MEMBERS[name]
    model = MixtureCharLM(members)
    with pytest.raises(kind, match=message):
        getattr(model, verb)(["ab"])
    assert set(vars(model)) == set(model.get_params(deep=False))


@pytest.mark.parametrize(
    "bad",
    [
        {"estimators": BigramCounter()},
        {"weights": "best"},
        {"validation_fraction": 1.0},
        {"validation_fraction": None},
        {"refit": 2},
        {"n_jobs": 1.5},
        {"alphabet": 5},
        {"handle_unknown": "ignore"},
        {"random_state": "zero"},
    ],
    ids=str,
)
def test_bad_parameters_are_refused_by_name(bad):
    model = MixtureCharLM(**{"estimators": [BigramCounter()], **bad})
    with pytest.raises(InvalidParameterError, match=f"'{[*bad][0]}' parameter of Mix"):
        model.fit(["ab"])


@pytest.mark.parametrize(
    "weights, message",
    [
        ([1.0], r"each of the 3 models.*shape \(1,\)"),
        ([[1.0, 1.0, 1.0]], r"shape \(1, 3\)"),
        ([1.0, -1.0, 1.0], "not negative"),
        ([1.0, np.nan, 1.0], "finite"),
        ([0, 0, 0], "all be zero"),
    ],
)
def test_bad_weights_of_members_are_refused(weights, message, words):
    with pytest.raises(ValueError, match=message):
        MixtureCharLM(COUNTERS, weights=weights).fit(words)


def test_html_shows_the_members(words):
    html = MixtureCharLM([("counts", NGramCounter()), BigramCounter()])._repr_html_()
    assert "counts" in html and "bigramcounter" in html and "NGramCounter" in html


@pytest.mark.parametrize(
    "entry",
    [NGramCounter, ("weights", NGramCounter()), (1, NGramCounter()), ("a", 5)],
    ids=["class", "name of a parameter", "number as a name", "no model"],
)
def test_members_that_fit_refuses_are_no_parameters(entry):
    model = MixtureCharLM([("two", BigramCounter()), entry])
    params = model.get_params()
    assert {*params} == {
        *model.get_params(deep=False),
        "two",
        *(f"two__{name}" for name in BigramCounter().get_params()),
    }
    assert params["weights"] == "em"
    model.set_params(weights="uniform", two__smoothing=2.0)
    assert model.weights == "uniform" and model.estimators[0][1].smoothing == 2.0
    assert "MixtureCharLM" in model._repr_html_()
    with pytest.raises((TypeError, ValueError), match="at index 1"):
        model.fit(["emma", "ava"])
