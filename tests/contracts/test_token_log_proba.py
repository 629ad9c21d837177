"""Log-probabilities character by character, from `predict_proba` and to the sum."""

import numpy as np
import pytest
from estimators import CLASSES, TINY_WORDS, over
from sklearn.base import clone

from sklearn_makemore import BigramCounter, NGramCounter
from sklearn_makemore._methods import likelihood as _likelihood

ASKED = ["abca", "", "c", "bb", "abca", "caabcaab"]


@over(CLASSES)
@pytest.mark.parametrize("unknown", ["error", "unk"])
@pytest.mark.parametrize("at_once", [None, 7])
def test_each_is_the_probability_of_the_next(estimator, unknown, at_once, monkeypatch):
    model = clone(estimator).set_params(handle_unknown=unknown).fit(TINY_WORDS)
    asked = [*ASKED, "a?b"] if unknown == "unk" else ASKED
    tolerance = 1e-12 if isinstance(model, (BigramCounter, NGramCounter)) else 1e-5
    if at_once is not None:
        monkeypatch.setattr(_likelihood, "SCORING_CHUNK_SIZE", at_once)
    found = model.token_log_proba(np.array(asked))
    assert type(found) is list and len(found) == len(asked)
    columns = {symbol: index for index, symbol in enumerate(model.symbols_)}
    for word, log_proba in zip(asked, found, strict=True):
        assert log_proba.shape == (len(word) + 1,) and log_proba.dtype == np.float64
        proba = model.predict_proba([word[:end] for end in range(len(word) + 1)])
        nexts = [columns.get(c, columns.get("<unk>")) for c in word] + [0]
        expected = np.log(proba[range(len(nexts)), nexts])
        np.testing.assert_allclose(log_proba, expected, atol=tolerance)
    np.testing.assert_allclose(
        [log_proba.sum() for log_proba in found], model.score_samples(asked), rtol=1e-12
    )


def test_what_is_impossible_is_minus_infinity():
    model = clone(CLASSES["bigram"]).set_params(smoothing=0).fit(["ab"])
    (log_proba,) = model.token_log_proba(["aab"])
    assert log_proba.tolist() == [0, -np.inf, 0, 0]
    with pytest.raises(ValueError, match="'z'.*alphabet"):
        model.token_log_proba(["ab", "z"])
    with pytest.raises(ValueError, match="single string"):
        model.token_log_proba("ab")
