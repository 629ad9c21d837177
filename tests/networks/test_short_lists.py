"""Networks on short lists: more weight decay, and smaller batches."""

import itertools

import pytest
from estimators import NETS, over
from sklearn.base import clone

from sklearn_makemore import MLPCharLM, load, save

LETTERS = "abcdefghijklmnopqrstuvwxyz"
MLP = MLPCharLM(n_hidden=4, max_epochs=1, alphabet=LETTERS, random_state=0)


def made(n_words):
    """Return distinct words of three letters; each has four predictions."""
    letters = itertools.product(LETTERS, repeat=3)
    return ["".join(word) for word in itertools.islice(letters, n_words)]


@pytest.mark.parametrize(
    "n_words, decay",
    [(1, 3.0), (100, 3.0), (250, 2.0), (1000, 0.5), (4000, 0.125), (6000, 0.1)],
)
def test_weight_decay_of_a_list(n_words, decay):
    model = clone(MLP).fit(made(n_words))
    assert model.weight_decay_ == pytest.approx(decay)
    (group,) = model.net_.optimizer_.param_groups
    assert group["weight_decay"] == model.weight_decay_
    assert model.weight_decay is None


def test_repeats_and_weights_do_not_change_the_weight_decay():
    words = made(1000)
    assert clone(MLP).fit(words * 3).weight_decay_ == 0.5
    assert clone(MLP).fit(words, sample_weight=[9.0] * 1000).weight_decay_ == 0.5


def test_words_held_out_do_not_count():
    model = clone(MLP).set_params(validation_fraction=0.2)
    assert model.fit(made(1000)).weight_decay_ == pytest.approx(0.625)


@over(NETS)
def test_a_given_weight_decay_is_used(estimator):
    model = clone(estimator).set_params(weight_decay=0.25, alphabet=LETTERS)
    for train in model.fit, model.partial_fit:
        assert train(made(10)).weight_decay_ == 0.25


@pytest.mark.parametrize("lr, decay", [(0.02, 2.5), (0.1, 0.5), (30.0, 0.1)])
def test_large_rates_have_less_weight_decay(lr, decay):
    model = clone(MLP).set_params(lr=lr).fit(made(10))
    assert model.weight_decay_ == pytest.approx(decay)


def test_batch_normalization_limits_the_weight_decay():
    model = clone(MLP).set_params(batch_norm=True).fit(made(10))
    assert model.weight_decay_ == 1.5


def test_muon_has_more_weight_decay_on_long_lists():
    model = clone(MLP).set_params(optimizer="muon")
    assert model.fit(made(1000)).weight_decay_ == 0.5
    assert model.fit(made(6000)).weight_decay_ == 0.25
    assert model.partial_fit(made(10)).weight_decay_ == 0.25


def test_muon_does_not_raise_the_weight_decay_of_a_fitted_network():
    model = clone(MLP).set_params(warm_start=True).fit(made(6000))
    assert model.set_params(optimizer="muon").fit(made(6000)).weight_decay_ == 0.1


def test_sgd_has_the_same_weight_decay_on_all_lists():
    assert clone(MLP).set_params(optimizer="sgd").fit(made(10)).weight_decay_ == 0.1


def test_continued_training_does_not_raise_the_weight_decay():
    short, long = made(250), made(6000)
    model = clone(MLP).set_params(warm_start=True).fit(short)
    decays = [
        model.fit(words).weight_decay_
        for words in (made(10), made(1000), made(10), long, short)
    ]
    assert decays == [2.0, 0.5, 0.5, 0.1, 0.1]


def test_chunks_have_the_weight_decay_of_long_lists():
    model = clone(MLP).partial_fit(made(250))
    assert model.weight_decay_ == 2.0  # that of the same `fit`
    assert model.partial_fit(made(250)).weight_decay_ == 0.1


@over(NETS)
def test_a_file_keeps_the_weight_decay(estimator, tmp_path):
    model = clone(estimator).set_params(alphabet=LETTERS).fit(made(300))
    save(model, tmp_path / "model")
    loaded = load(tmp_path / "model").set_params(warm_start=True)
    assert loaded.weight_decay_ == model.weight_decay_
    assert loaded.fit(made(300)).weight_decay_ == model.weight_decay_


@pytest.mark.parametrize(
    "n_words, first, continued",
    [(4, 1, 1), (40, 5, 1), (300, 32, 5), (3000, 32, 32), (8192, 32, 32)],
)
def test_steps_of_an_epoch(n_words, first, continued):
    model, words = clone(MLP).set_params(warm_start=True), made(n_words)
    steps = [
        train(words).net_.n_steps_
        for train in (model.fit, model.fit, model.partial_fit)
    ]
    assert steps == [first, continued, continued]
    assert clone(MLP).partial_fit(words).net_.n_steps_ == first


def test_long_lists_are_learned_with_the_given_settings():
    words = made(9000)
    model = clone(MLP).fit(words)
    assert model.net_.n_steps_ == round(9000 * 4 / 1024)
    explicit = clone(MLP).set_params(weight_decay=0.1).fit(words)
    before = explicit.net_.module_.state_dict()
    for name, weights in model.net_.module_.state_dict().items():
        assert weights.equal(before[name])


def test_short_lists_gain(many_words):
    train, test = many_words[30:80], many_words[80:]
    model = MLPCharLM(alphabet=LETTERS, random_state=0).fit(train)
    before = clone(model).set_params(weight_decay=0.1).fit(train)
    assert model.nll(test) < before.nll(test) - 0.2
