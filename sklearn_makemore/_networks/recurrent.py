"""RNNCharLM, GRUCharLM and LSTMCharLM: networks with a hidden state."""

from dataclasses import KW_ONLY

from .._declarations import POSITIVE_INT, PROPER_SHARE, parameter
from ..modules import GRU, LSTM, RNN
from .sequence import BaseSequenceCharLM


class BaseRecurrentCharLM(BaseSequenceCharLM):
    """Base class of the recurrent networks; each names its module."""

    n_embd: int = parameter(
        default=24,
        description="Number of channels of a character's embedding.",
        constraints=[POSITIVE_INT],
    )
    n_hidden: int = parameter(
        default=256,
        description="Number of units of each layer.",
        constraints=[POSITIVE_INT],
    )
    n_layers: int = parameter(
        default=1,
        description="Number of recurrent layers.",
        constraints=[POSITIVE_INT],
    )
    _: KW_ONLY
    dropout: float = parameter(
        default=0.0,
        description="Fraction of the outputs of each layer dropped in training.",
        constraints=[PROPER_SHARE],
    )
    recurrent_dropout: float = parameter(
        default=0.0,
        description="""
        Fraction of each layer's hidden state that is dropped in training on its way to
        the next step.
        """,
        constraints=[PROPER_SHARE],
    )


class RNNCharLM(BaseRecurrentCharLM):
    """Vanilla recurrent neural network, with a tanh layer.

    The hidden state h_t, of shape (n_hidden,), is ``tanh(W x_t + b + U h_{t-1} + c)``,
    where x_t, of shape (n_embd,), is the embedding of character t [1]_ [2]_. The first
    state ``h_{-1}`` is learned. A linear layer maps h_t to the logits of the next
    character. Each further layer reads the hidden states of the layer below. makemore's
    script (``--type rnn``) uses one layer with ``n_embd=64, n_hidden=64``.

    Training computes each distinct prefix of the words of a batch once. There is no
    limit to the length of a word.

    See Also
    --------
    GRUCharLM : Adds gates to the hidden state.
    LSTMCharLM : Adds gates and a memory cell.

    References
    ----------
    .. [1] J. L. Elman, "Finding Structure in Time", Cognitive Science 14, 1990.
       https://doi.org/10.1207/s15516709cog1402_1
    .. [2] T. Mikolov, M. Karafiat, L. Burget, J. Cernocky, S. Khudanpur, "Recurrent
       Neural Network Based Language Model", Interspeech 2010.
       https://doi.org/10.21437/Interspeech.2010-343

    Examples
    --------
    >>> from sklearn_makemore import RNNCharLM
    >>> from sklearn_makemore.datasets import load_names
    >>> words = load_names().data
    >>> model = RNNCharLM(n_hidden=64, random_state=0).fit(words[:2000])
    >>> round(model.nll(words[2000:3000]), 1)
    2.0
    >>> model.sample(3, prefix="ka", random_state=0)  # doctest: +SKIP
    ['kanie', 'karisre', 'kariyan']
    """

    _network = RNN
    dropout = 0.1
    max_epochs = 8


class GRUCharLM(BaseRecurrentCharLM):
    """Gated recurrent unit: gates control how the hidden state changes.

    The hidden state is ``h_t = (1 - z) n + z h_{t-1}``, with the candidate ``n = tanh(W
    x_t + b + r (U h_{t-1} + c))``. The update gate z and the reset gate r are sigmoids
    of linear maps of the embedding x_t, of shape (n_embd,), and of ``h_{t-1}``, of
    shape (n_hidden,) [1]_. The first state ``h_{-1}`` is learned. A linear layer maps
    h_t to the logits of the next character. Each further layer reads the hidden states
    of the layer below. makemore's script (``--type gru``) uses one layer with
    ``n_embd=64, n_hidden=64``, and applies the reset gate to ``h_{t-1}`` before U.

    Training computes each distinct prefix of the words of a batch once. There is no
    limit to the length of a word.

    See Also
    --------
    LSTMCharLM : Adds a memory cell.
    RNNCharLM : The same without gates.
    TransformerCharLM : Attends to earlier characters instead of keeping a state.

    References
    ----------
    .. [1] K. Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder
       for Statistical Machine Translation", EMNLP 2014.
       https://arxiv.org/abs/1406.1078

    Examples
    --------
    >>> from sklearn_makemore import GRUCharLM
    >>> from sklearn_makemore.datasets import load_names
    >>> words = load_names().data
    >>> model = GRUCharLM(n_hidden=64, random_state=0).fit(words[:2000])
    >>> round(model.nll(words[2000:3000]), 1)
    2.0
    >>> model.sample(3, prefix="ka", random_state=0)  # doctest: +SKIP
    ['karie', 'karispe', 'karlynn']
    """

    _network = GRU
    # Muon and n-grams reach the NLL of eight epochs of AdamW with dropout in half the
    # time.
    optimizer = "muon"
    lr = 0.016
    max_epochs = 3
    ngram_share = 0.4


class LSTMCharLM(BaseRecurrentCharLM):
    """Long short-term memory: a memory cell next to the hidden state.

    The memory cell is ``c_t = f c_{t-1} + i g`` and the hidden state ``h_t = o
    tanh(c_t)`` [1]_, as used for text in [2]_. The gates f, i and o are sigmoids, and g
    is a tanh, of linear maps of the embedding x_t, of shape (n_embd,), and of
    ``h_{t-1}``. Both h and c have shape (n_hidden,), and their first values are
    learned. A linear layer maps h_t to the logits of the next character. Each further
    layer reads the hidden states of the layer below. makemore's README names this
    model, but its script does not offer it.

    Training computes each distinct prefix of the words of a batch once. There is no
    limit to the length of a word.

    See Also
    --------
    GRUCharLM : Has fewer gates and no memory cell.
    RNNCharLM : Has neither gates nor a memory cell.

    References
    ----------
    .. [1] S. Hochreiter, J. Schmidhuber, "Long Short-Term Memory", Neural Computation
       9, 1997. https://doi.org/10.1162/neco.1997.9.8.1735
    .. [2] A. Graves, "Generating Sequences With Recurrent Neural Networks", 2013.
       https://arxiv.org/abs/1308.0850

    Examples
    --------
    >>> from sklearn_makemore import LSTMCharLM
    >>> from sklearn_makemore.datasets import load_names
    >>> words = load_names().data
    >>> model = LSTMCharLM(n_hidden=48, random_state=0).fit(words[:2000])
    >>> round(model.nll(words[2000:3000]), 1)
    2.1
    >>> model.sample(3, prefix="ka", random_state=0)  # doctest: +SKIP
    ['kanijel', 'karisot', 'karlye']
    """

    _network = LSTM
    # See GRUCharLM.
    optimizer = "muon"
    lr = 0.016
    max_epochs = 3
    ngram_share = 0.5
