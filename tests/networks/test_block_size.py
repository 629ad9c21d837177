"""Networks with learned positions, and words longer than their `block_size`."""

import numpy as np
import pytest
from estimators import SEQUENCES, TINY_WORDS, over
from sklearn.base import clone
from sklearn.utils._param_validation import InvalidParameterError

from sklearn_makemore import TransformerCharLM

LIMITED = {
    name: clone(SEQUENCES[name]).set_params(block_size=None)
    for name in ("bow", "transformer")
}
SEVEN_LETTERS = {
    name: clone(estimator).set_params(block_size=8)
    for name, estimator in LIMITED.items()
}
LETTERS = "abcdefghijklmnopqrstuvwxyz"

# The index in the argument of `fit`, whichever words are held out.
CHRISTOPHER = "'christopher' at index 54 has "


def message(model, n_letters, limit):
    """Return the pattern of the error: length of the word, limit, and what to do."""
    kind = type(model).__name__
    return (
        f"{n_letters} characters.*{kind} reads at most {limit}.*"
        f"block_size={n_letters + 1} or more"
    )


@over(LIMITED)
def test_default_block_is_twice_the_longest_word(estimator, words):
    model = clone(estimator).fit(words)
    longest = max(map(len, words))
    assert model.longest_word_ == longest == 11
    assert model.block_size_ == 2 * (longest + 1)
    assert model.block_size is None
    module = model.net_.module_
    assert module.positions.num_embeddings == model.block_size_
    model.score(["a" * 23])
    with pytest.raises(ValueError, match=message(model, 24, 23)):
        model.score(["a" * 24])


@over(LIMITED)
def test_longest_word_is_learned_from(estimator):
    words = ["maximiliane", *["anna"] * 8]
    for seed in range(8):
        model = clone(estimator).set_params(validation_fraction=0.5, random_state=seed)
        assert model.fit(words).block_size_ == 24
        # "anna" is held out: all equal words are, or none.
        losses = model.history_[-1]
        assert losses["valid_loss"] == pytest.approx(model.nll(["anna"]), abs=1e-5)


@over(LIMITED)
def test_fit_rejects_words_longer_than_the_block(estimator, words):
    model = clone(estimator).set_params(block_size=12).fit(words)
    assert model.block_size_ == 12  # what the longest word needs
    tight = clone(model).set_params(block_size=11)
    with pytest.raises(ValueError, match=CHRISTOPHER + message(model, 11, 10)):
        tight.fit(words)
    assert not tight.__sklearn_is_fitted__()
    with pytest.raises(ValueError, match=CHRISTOPHER + message(model, 11, 10)):
        tight.partial_fit(words)
    for seed in range(4):
        held_out = clone(tight).set_params(validation_fraction=0.5, random_state=seed)
        with pytest.raises(ValueError, match=CHRISTOPHER):
            held_out.fit(words)
    # A word of weight 0 is ignored.
    weights = [len(word) < 11 for word in words]
    assert tight.fit(words, sample_weight=weights).longest_word_ < 11
    with pytest.raises(InvalidParameterError, match="'block_size' parameter"):
        tight.set_params(block_size=0).fit(words)


SCORES = ("score", "nll", "perplexity", "score_samples", "predict_proba")


@over(SEVEN_LETTERS)
@pytest.mark.parametrize("method", SCORES)
def test_errors_name_the_longest_word(estimator, method, fit_once):
    model = fit_once(estimator, TINY_WORDS)
    asked = ["a", "abcabca", ""]
    assert np.isfinite(getattr(model, method)(asked)).all()
    named = "'abcabcab' at index 3 has " + message(model, 8, 7)
    with pytest.raises(ValueError, match=named):
        getattr(model, method)([*asked, "abcabcab"])
    # The error names the longest of several words, shortened.
    with pytest.raises(ValueError, match=message(model, 5000, 7)) as caught:
        getattr(model, method)(["b" * 8, "abcab" * 1000, *asked])
    assert "abcab" in str(caught.value) and len(str(caught.value)) < 250


@over(LIMITED)
def test_samples_fit_into_the_block(estimator):
    # Two words do not teach the network to end words.
    model = clone(estimator).set_params(block_size=7, max_epochs=1, lr=1e-9)
    model.fit(["abc", "cabaab"])
    lengths = [len(word) for word in model.sample(400, random_state=0)]
    assert max(lengths) == 6 and lengths.count(6) > 20
    for options in (
        {"min_length": 6},
        {"max_length": 6},
        {"max_length": 60},  # above the block's limit
        {"prefix": "abcabc"},
    ):
        drawn = model.sample(50, random_state=0, **options)
        assert max(map(len, drawn)) == 6
    assert set(model.sample(5, prefix="abcabc")) == {"abcabc"}


@over(SEVEN_LETTERS)
@pytest.mark.parametrize(
    "options",
    [
        {"min_length": 8},
        {"prefix": "abcabcab"},
        {"prefix": "abcabcab", "max_length": 8},
        {"prefix": "abc", "min_length": 8, "max_length": 8},
    ],
    ids=str,
)
def test_longer_samples_are_an_error(estimator, options, fit_once):
    model = fit_once(estimator, TINY_WORDS)
    with pytest.raises(ValueError, match=message(model, 8, 7)):
        model.sample(**options)
    # Contradictory limits have their own error.
    with pytest.raises(ValueError, match="max_length=2.*min_length=3"):
        model.sample(min_length=3, max_length=2)


@over(LIMITED)
def test_warm_start_keeps_the_block(estimator, words):
    model = clone(estimator).set_params(alphabet=LETTERS).fit(words)
    before = model.score_samples(words)
    longer = [*words[:9], "x" * 24]
    for train in (model.partial_fit, model.set_params(warm_start=True).fit):
        with pytest.raises(ValueError, match="'x{12}.*" + message(model, 24, 23)):
            train(longer)
        np.testing.assert_array_equal(model.score_samples(words), before)
        assert model.longest_word_ == 11
    for train in (model.partial_fit, model.fit):
        train(["x" * 20, "anna"])  # longer than any before, but not too long
        assert model.block_size_ == 24
        assert model.longest_word_ == 20
    # Another block size is another network.
    model.set_params(block_size=30)
    for train in (model.partial_fit, model.fit):
        with pytest.raises(ValueError, match="block_size.*warm_start=False"):
            train(longer)
    # The same block size as a number is the same network.
    model.set_params(block_size=24).partial_fit(words)
    model.set_params(block_size=None, warm_start=False).fit(longer)
    assert model.block_size_ == 50
    assert np.isfinite(model.score(longer))


@over(LIMITED)
def test_block_with_only_the_start_of_a_word(estimator):
    model = clone(estimator).set_params(block_size=1, alphabet="ab").fit([""])
    assert model.sample(3, random_state=0) == [""] * 3
    assert model.predict_proba([""]).shape == (1, 3)
    with pytest.raises(ValueError, match=message(model, 1, 0)):
        model.score(["a"])


@pytest.mark.parametrize("n_embd, n_heads", [(10, 4), (3, 2), (2, 3)])
def test_heads_must_divide_the_channels(n_embd, n_heads, words):
    model = TransformerCharLM(n_embd=n_embd, n_heads=n_heads)
    for train in (model.fit, model.partial_fit):
        with pytest.raises(ValueError, match=f"n_embd={n_embd}.*n_heads={n_heads}"):
            train(words)
    assert not model.__sklearn_is_fitted__()
