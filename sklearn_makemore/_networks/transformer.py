"""TransformerCharLM: causal self-attention."""

import math
from dataclasses import KW_ONLY

from .._declarations import POSITIVE_INT, PROPER_SHARE, parameter
from ..modules import Transformer
from .sequence import BasePositionCharLM

MAX_ATTENTION_WEIGHTS = 1 << 26
"""Largest number of attention weights of one layer and word when training with dropout:
256 MiB. The gradient takes several such arrays."""


class TransformerCharLM(BasePositionCharLM):
    """Decoder-only Transformer: causal self-attention over all characters so far.

    The embeddings of characters and positions, of shape (n_embd,), are added and pass
    through `n_layers` blocks [1]_. A block computes ``x = x + attention(norm(x))`` and
    then ``x = x + mlp(norm(x))``, with layer normalisation first, as in [2]_. Each head
    computes ``softmax(Q K^T / sqrt(n_embd / n_heads)) V``, where a position attends to
    itself and to those before it. The mlp has one hidden layer of ``4 * n_embd`` GELU
    units. A last layer normalisation and a linear layer give the logits.

    With ``block_size=16, n_embd=64, n_heads=4, n_layers=4`` and 27 symbols it is the
    network of makemore's script (``--type transformer``), with 204,544 parameters. The
    default has about the same size, and is better and faster on names.

    Training computes each distinct prefix of the words of a batch once. Sampling keeps
    keys and values.

    See Also
    --------
    BoWCharLM : Attends to all positions equally.
    GRUCharLM : Keeps a hidden state instead of attending to earlier characters.

    References
    ----------
    .. [1] A. Vaswani et al., "Attention Is All You Need", NeurIPS 2017.
       https://arxiv.org/abs/1706.03762
    .. [2] A. Radford, J. Wu, R. Child, D. Luan, D. Amodei, I. Sutskever, "Language
       Models are Unsupervised Multitask Learners", 2019.

    Examples
    --------
    >>> from sklearn_makemore import TransformerCharLM
    >>> from sklearn_makemore.datasets import load_names
    >>> words = load_names().data
    >>> model = TransformerCharLM(n_embd=48, random_state=0).fit(words[:2000])
    >>> round(model.nll(words[2000:3000]), 1)
    2.0
    >>> model.sample(3, prefix="ka", random_state=0)  # doctest: +SKIP
    ['karlee', 'karlynn', 'karlyn']
    """

    _network = Transformer

    n_embd: int = parameter(
        default=96,
        description="Number of channels of a character's embedding.",
        constraints=[POSITIVE_INT],
    )
    n_heads: int = parameter(
        default=4,
        description="Number of attention heads; it must divide `n_embd`.",
        constraints=[POSITIVE_INT],
    )
    n_layers: int = parameter(
        default=2,
        description="Number of blocks.",
        constraints=[POSITIVE_INT],
    )
    _: KW_ONLY
    dropout: float = parameter(
        default=0.0,
        description="""
        Fraction dropped in training: of the embeddings, of the attention weights, and
        of the output of each part of a block.
        """,
        constraints=[PROPER_SHARE],
    )
    # On names, two epochs of Muon with n-grams reach a lower NLL than five of AdamW
    # without, in half the time.
    optimizer = "muon"
    lr = 0.01
    max_epochs = 2
    batch_size = 1536
    ngram_share = 0.5

    def _most_trained(self):
        most = super()._most_trained()
        if not self.dropout:
            return most
        # For dropout, torch computes all attention weights of a word in one array.
        return min(most, math.isqrt(MAX_ATTENTION_WEIGHTS // self.n_heads))
