"""The validation NLL that the defaults promise, on the lectures' split.

docs/benchmarks/quality.py measures all models with several seeds, and the seconds. Here
are those that train in a few seconds.
"""

import pytest
from sklearn.base import clone

from sklearn_makemore import BoWCharLM, MLPCharLM, WaveNetCharLM

pytestmark = pytest.mark.slow

PROMISES = [
    # The best of three seeds of the script's own loop, 10,000 steps, came to 2.1978.
    (BoWCharLM(), 2.1978),
    (MLPCharLM(batch_norm=True, block_size=3), 2.10),
    (WaveNetCharLM(), 1.98),
]


@pytest.mark.parametrize(
    "estimator, bound", PROMISES, ids=[type(model).__name__ for model, _ in PROMISES]
)
def test_validation_nll_of_the_defaults(estimator, bound, lecture_split):
    train, valid, _ = lecture_split
    model = clone(estimator).set_params(random_state=0).fit(train)
    assert model.nll(valid) <= bound
