"""BoWCharLM: the mean of the embeddings so far."""

from dataclasses import KW_ONLY

from .._declarations import POSITIVE_INT, PROPER_SHARE, parameter
from ..modules import BoW
from .sequence import BasePositionCharLM


class BoWCharLM(BasePositionCharLM):
    """Bag of words: the mean of the embeddings of all characters so far.

    Let x_t, of shape (n_embd,), be the sum of the embeddings of character t and of
    position t, and m_t the mean of x_0, ..., x_t. With ``h_t = x_t + m_t`` the logits
    are ``W (h_t + B tanh(A h_t + a) + b) + c``, where the tanh layer has `n_hidden`
    units. The mean is attention with equal weights on all characters so far. This is
    ``--type bow`` of makemore's script [1]_, which uses ``n_embd=64, n_hidden=64``.

    See Also
    --------
    TransformerCharLM : Attention that learns its weights.
    MLPCharLM : Keeps the order of the characters.

    References
    ----------
    .. [1] A. Karpathy, "makemore", 2022. https://github.com/karpathy/makemore

    Examples
    --------
    >>> from sklearn_makemore import BoWCharLM
    >>> from sklearn_makemore.datasets import load_names
    >>> words = load_names().data
    >>> model = BoWCharLM(random_state=0).fit(words[:2000])
    >>> round(model.nll(words[2000:3000]), 1)
    2.1
    >>> model.sample(3, prefix="ka", random_state=0)  # doctest: +SKIP
    ['karieil', 'kasiynn', 'karlyd']
    """

    _network = BoW

    n_embd: int = parameter(
        default=64,
        description="Number of channels of a character's embedding.",
        constraints=[POSITIVE_INT],
    )
    n_hidden: int = parameter(
        default=64,
        description="Number of units of the hidden layer.",
        constraints=[POSITIVE_INT],
    )
    _: KW_ONLY
    dropout: float = parameter(
        default=0.0,
        description="Fraction of the hidden units dropped in training.",
        constraints=[PROPER_SHARE],
    )
    lr = 0.016
