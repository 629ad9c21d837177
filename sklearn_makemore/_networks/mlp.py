"""MLPCharLM: a multi-layer perceptron on a window of characters."""

from dataclasses import KW_ONLY

from .._declarations import POSITIVE_INT, PROPER_SHARE, parameter
from ..modules import MLP
from .window import BaseWindowCharLM


class MLPCharLM(BaseWindowCharLM):
    """Multi-layer perceptron on a window of characters.

    The embeddings of the characters in the window are concatenated to a vector x, and
    tanh layers map x to the logits of the next character. With one layer the logits
    are ``b + W x + U tanh(d + H x)`` in the notation of [1]_; the direct connections
    ``W`` are optional. Lectures 2 and 3 of makemore build this model: with ``n_embd=2,
    n_hidden=100`` it has the 3,481 parameters of lecture 2, with ``n_embd=10,
    n_hidden=200`` the 11,897 of lecture 3 before its batch normalisation.

    Training uses each distinct window once, with the counts of its next characters.
    This is the same loss as over all windows, at a fraction of the cost.

    See Also
    --------
    WaveNetCharLM : Merges the characters of a longer window level by level.
    NGramCounter : Counts instead of training a network.

    References
    ----------
    .. [1] Y. Bengio, R. Ducharme, P. Vincent, C. Jauvin, "A Neural Probabilistic
       Language Model", Journal of Machine Learning Research 3, 2003.
       https://www.jmlr.org/papers/v3/bengio03a.html

    Examples
    --------
    >>> from sklearn_makemore import MLPCharLM
    >>> from sklearn_makemore.datasets import load_names
    >>> words = load_names().data
    >>> model = MLPCharLM(random_state=0).fit(words[:2000])
    >>> round(model.nll(words[2000:3000]), 1)
    2.0
    >>> model.sample(3, prefix="ka", random_state=0)  # doctest: +SKIP
    ['karleigh', 'kathlyn', 'karlyn']
    """

    _network = MLP

    block_size: int = parameter(
        default=3,
        description="Number of characters that the network sees.",
        constraints=[POSITIVE_INT],
    )
    n_embd: int = parameter(
        default=24,
        description="Number of channels of a character's embedding.",
        constraints=[POSITIVE_INT],
    )
    n_hidden: int = parameter(
        default=256,
        description="Number of units of each hidden layer.",
        constraints=[POSITIVE_INT],
    )
    n_layers: int = parameter(
        default=1,
        description="Number of hidden layers.",
        constraints=[POSITIVE_INT],
    )
    _: KW_ONLY
    batch_norm: bool = parameter(
        default=False,
        description="Whether batch normalisation precedes each tanh, as in lecture 3.",
    )
    direct: bool = parameter(
        default=False,
        description="""
        Whether the embeddings are also connected to the logits directly, as in [1]_.
        """,
    )
    dropout: float = parameter(
        default=0.0,
        description="Fraction of the hidden units dropped in training.",
        constraints=[PROPER_SHARE],
    )
    lr = 0.016

    def _window_size(self):
        return self.block_size
