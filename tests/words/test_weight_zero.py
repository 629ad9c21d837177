"""Words of weight zero: ignored, and counted by the indices that errors name."""

import pytest

from sklearn_makemore import (
    BigramCounter,
    CharLMClassifier,
    CharLMFeatures,
    CharLMOutlierDetector,
    MixtureCharLM,
    NGramCounter,
    TransformerCharLM,
)

MODELS = {
    "counter": NGramCounter(),
    "mixture": MixtureCharLM([NGramCounter(), BigramCounter()]),
    "detector": CharLMOutlierDetector(),
    "features": CharLMFeatures(),
    "classifier": CharLMClassifier(),
}
WEIGHTS = [0, 1, 1, 1]


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_lone_surrogates(model):
    y = [0, 1, 0, 1]
    with pytest.raises(ValueError, match="at index 2 has the lone surrogate"):
        model.fit(["a", "b", "c\ud800", "d"], y, sample_weight=WEIGHTS)
    model.fit(["a\ud800", "b", "c", "d"], y, sample_weight=WEIGHTS)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_characters_outside_the_alphabet(method):
    train = getattr(NGramCounter(alphabet="ab"), method)
    with pytest.raises(ValueError, match="'c' at index 2"):
        train(["a", "b", "c", "a"], sample_weight=WEIGHTS)
    assert train(["c", "b", "a", "a"], sample_weight=WEIGHTS).symbols_ == ["", *"ab"]


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_words_that_are_too_long(method):
    network = TransformerCharLM(n_layers=1, n_embd=4, max_epochs=1, block_size=5)
    for model in network, MixtureCharLM([BigramCounter(), network]):
        with pytest.raises(ValueError, match="'cccccccc' at index 2"):
            getattr(model, method)(["a", "b", "c" * 8, "d"], sample_weight=WEIGHTS)


def test_no_effect_on_the_model():
    model = NGramCounter().fit(["queen", "b", "c", "b"], sample_weight=WEIGHTS)
    assert (model.symbols_, model.longest_word_) == (["", "b", "c"], 1)
