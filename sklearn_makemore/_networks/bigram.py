"""BigramCharLM: the bigram as a network."""

from dataclasses import KW_ONLY
from numbers import Real
from typing import Literal

import torch
from numpy.random import RandomState

from .._declarations import parameter
from .._sklearn import Interval
from .._words.vocabulary import check_pair_table
from ..modules import LookupTable
from .window import BaseWindowCharLM

# Not fused: with so few weights it makes no difference.
OPTIMIZERS = {
    "adam": {"optimizer": torch.optim.Adam},
    "sgd": {"optimizer": torch.optim.SGD},
}


class BigramCharLM(BaseWindowCharLM):
    """Bigram model trained by gradient descent: one table of weights and a softmax.

    The logits of the next character are one row of a weight matrix W of shape
    (n_symbols, n_symbols), the row of the last character. This equals a one-hot vector
    times W, as in lecture 1 of makemore [1]_ and in ``--type bigram`` of its script.
    The loss is smallest where the softmax of each row gives the relative frequencies
    that `BigramCounter` counts, so training converges to the counted model. W starts at
    zero: at first all characters are equally likely.

    See Also
    --------
    BigramCounter : The same model, obtained by counting.
    MLPCharLM : Network that sees more than one character.

    References
    ----------
    .. [1] A. Karpathy, "The spelled-out intro to language modeling: building makemore",
       2022. https://github.com/karpathy/makemore

    Examples
    --------
    >>> from sklearn_makemore import BigramCharLM, BigramCounter
    >>> from sklearn_makemore.datasets import load_names
    >>> words = load_names().data[:2000]
    >>> counted = BigramCounter().fit(words).nll(words)
    >>> trained = BigramCharLM(random_state=0).fit(words).nll(words)
    >>> print(f"{counted:.2f} {trained:.2f}")
    2.29 2.29
    """

    _network = LookupTable

    _: KW_ONLY

    optimizer: Literal["adam", "sgd"] = parameter(
        default="adam",
        description="""
        Adam, or plain gradient descent. Lecture 1 uses the latter with ``lr=50,
        lr_schedule="constant", batch_size=None, max_epochs=200``. Both include the
        penalty in the gradient.
        """,
    )
    weight_decay: float = parameter(
        default=0.01,
        description="""
        Factor of the penalty ``(W ** 2).mean()`` added to the loss, lecture 1's
        counterpart of smoothing. As with a larger `smoothing` of `BigramCounter`, a
        larger factor makes the probabilities more uniform. Even without it, a pair that
        never occurred keeps a probability above zero after any finite training.
        """,
        constraints=[Interval(Real, 0, None, closed="left")],
    )
    random_state: int | RandomState | None = parameter(
        default=None,
        description="""
        Determines the order of the batches and the held-out words. Pass an int for the
        same model at each call.
        """,
    )
    lr = 0.1
    max_epochs = 200
    batch_size = None

    def _window_size(self):
        return 1

    def _optimizer_params(self, n_symbols, weight_decay):
        # torch adds weight_decay * W to the gradient; the gradient of the mean of
        # squares is 2 W divided by the number of weights.
        return {
            **OPTIMIZERS[self.optimizer],
            "optimizer__weight_decay": 2 * weight_decay / n_symbols**2,
        }

    def _module(self, n_symbols, block_size):
        check_pair_table(n_symbols, self)
        return super()._module(n_symbols, block_size)
