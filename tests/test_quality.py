"""The validation NLL that the defaults promise, on the lectures' split.

docs/benchmarks/quality.py measures the same with several seeds, and the seconds.
"""

import pytest
from sklearn.base import clone

from sklearn_makemore import (
    BoWCharLM,
    GRUCharLM,
    LSTMCharLM,
    MLPCharLM,
    RNNCharLM,
    TransformerCharLM,
    WaveNetCharLM,
)

PROMISES = [
    # The best of three seeds of the script's own loop, 10,000 steps, came to 2.1978.
    (BoWCharLM(), 2.1978),
    (MLPCharLM(batch_norm=True, block_size=3), 2.10),
    (WaveNetCharLM(), 1.98),
    (RNNCharLM(), 2.00),
    (GRUCharLM(), 1.95),
    (LSTMCharLM(), 1.94),
    (TransformerCharLM(), 1.97),
]


@pytest.mark.parametrize(
    "estimator, bound", PROMISES, ids=[type(model).__name__ for model, _ in PROMISES]
)
def test_validation_nll_of_the_defaults(estimator, bound, lecture_split):
    train, valid, _ = lecture_split
    model = clone(estimator).set_params(random_state=0).fit(train)
    assert model.nll(valid) <= bound
