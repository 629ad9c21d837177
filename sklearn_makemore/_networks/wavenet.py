"""WaveNetCharLM: neighbouring characters merged level by level."""

from dataclasses import KW_ONLY
from numbers import Integral

from .._declarations import POSITIVE_INT, PROPER_SHARE, parameter
from .._sklearn import Interval
from ..modules import WaveNet
from .window import BaseWindowCharLM


class WaveNetCharLM(BaseWindowCharLM):
    """Tree that merges neighbouring characters level by level.

    The network sees a window of ``fan_in ** n_layers`` characters. At each level the
    vectors of `fan_in` neighbours are concatenated and pass through a linear layer,
    batch normalisation and a tanh, until one position is left. A linear layer maps it
    to the logits of the next character. This is the stack of dilated causal
    convolutions of WaveNet [1]_, computed for one output, as in lecture 5 of makemore.
    The default is the network of the lecture, with 76,579 parameters on 26 letters.

    Training uses each distinct window once, with the counts of its next characters.
    This is the same loss as over all windows, at a fraction of the cost.

    `match_lengths` is for short windows, and `fit` refuses it for 8 characters. A
    network that sees the start of most words does not gain by it.

    See Also
    --------
    MLPCharLM : Concatenates all characters of a short window.
    NGramCounter : Counts instead of training a network.

    References
    ----------
    .. [1] A. van den Oord et al., "WaveNet: A Generative Model for Raw Audio", 2016.
       https://arxiv.org/abs/1609.03499

    Examples
    --------
    >>> from sklearn_makemore import WaveNetCharLM
    >>> from sklearn_makemore.datasets import load_names
    >>> words = load_names().data
    >>> model = WaveNetCharLM(n_hidden=32, random_state=0).fit(words[:2000])
    >>> round(model.nll(words[2000:3000]), 1)
    2.0
    >>> model.sample(3, prefix="ka", random_state=0)  # doctest: +SKIP
    ['kanie', 'karlyn', 'karlynn']
    """

    _network = WaveNet

    n_layers: int = parameter(
        default=3,
        description="Number of levels of the tree.",
        constraints=[POSITIVE_INT],
    )
    fan_in: int = parameter(
        default=2,
        description="Number of neighbours merged into one at each level.",
        constraints=[Interval(Integral, 2, None, closed="left")],
    )
    n_embd: int = parameter(
        default=24,
        description="Number of channels of a character's embedding.",
        constraints=[POSITIVE_INT],
    )
    n_hidden: int = parameter(
        default=128,
        description="Number of channels of each level.",
        constraints=[POSITIVE_INT],
    )
    _: KW_ONLY
    batch_norm: bool = parameter(
        default=True, description="Whether batch normalisation precedes each tanh."
    )
    dropout: float = parameter(
        default=0.0,
        description="Fraction of the units of each level dropped in training.",
        constraints=[PROPER_SHARE],
    )
    lr = 0.016

    def _window_size(self):
        return self.fan_in**self.n_layers
