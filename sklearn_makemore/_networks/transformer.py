"""TransformerCharLM: causal self-attention."""

import math
from numbers import Integral, Real

from .._sklearn import Interval
from ..modules import Transformer
from .sequence import BasePositionCharLM

MAX_ATTENTION_WEIGHTS = 1 << 26
"""Attention weights of one layer and word in training with dropout: 256 MiB, of which
the gradient takes a few."""


class TransformerCharLM(BasePositionCharLM):
    """Transformer: every character looks back at all before it.

    The embeddings of characters and positions, of shape (n_embd,), are added and go
    through blocks of ``x + attention(norm(x))`` and ``x + mlp(norm(x))``; attention is
    causal, ``softmax(Q K^T / sqrt(n_embd / n_heads)) V`` in each head, and the mlp has
    one layer of ``4 * n_embd`` GELUs. The last x, normalised, times a matrix is the
    logits [1]_ [2]_. With ``block_size=16, n_embd=64, n_heads=4, n_layers=4`` and 27
    symbols it is the network of makemore's script (``--type transformer``) with 204,544
    parameters; the default here, of about that size, is better and faster on names.

    Training reads each prefix that several words of a batch have in common once;
    sampling keeps keys and values.

    Parameters
    ----------
    block_size : int, default=None
        Largest number of symbols the network reads, the start of the word among them:
        a word may have one character less. A longer one is an error, and a drawn one
        ends there. None takes twice what the longest word of the first fit needs;
        65,536 is the most.

    n_embd : int, default=96
        Number of channels of a character's embedding.

    n_heads : int, default=4
        Number of attention heads, a divisor of `n_embd`.

    n_layers : int, default=2
        Number of blocks.

    dropout : float, default=0.0
        Share of the embeddings, of the attention weights and of what a block adds that
        is dropped in training.

    optimizer : {"adamw", "sgd"}, default="adamw"
        AdamW, or plain stochastic gradient descent as in the lectures, which have
        ``lr=0.1, lr_schedule="step", batch_size=32, weight_decay=0`` with it.

    lr : float, default=0.004
        Learning rate, the largest one of the schedule.

    lr_schedule : {"one-cycle", "step", "constant"}, default="one-cycle"
        Course of the learning rate over all steps of a call: "one-cycle" rises to `lr`
        and falls to nearly nothing, "step" is `lr`, and a tenth of it in the last
        quarter, as in lecture 5, and "constant" is `lr` throughout.

    max_epochs : int, default=5
        Number of passes over the training words. Many of them learn a short list by
        heart; `early_stopping` holds words out and stops before that.

    batch_size : int or None, default=1024
        Number of predicted characters in a step. On few words it is less: an epoch has
        at least 16 steps, unless they would have less than 256 characters. None takes
        all words in every step.

    weight_decay : float, default=0.1
        Weight decay. With "adamw" it is apart from the gradient; with "sgd" it is the
        L2 penalty, and the lectures have none.

    validation_fraction : float, default=None
        Share of the words, drawn at random, that is held out to measure the validation
        loss after each epoch. None holds out 0.1 with `early_stopping`, else nothing.

    early_stopping : bool, default=False
        Whether to stop when the validation loss has not improved by `tol` for
        `n_iter_no_change` epochs. The weights of the best epoch are restored.

    n_iter_no_change : int, default=2
        Number of epochs without improvement before an early stop.

    tol : float, default=1e-4
        Least improvement of the validation loss that counts, in nats per character.

    warm_start : bool, default=False
        Whether `fit` goes on from the weights and with the alphabet of the last fit.

    checkpoint : str or path-like, default=None
        File that keeps the state of `fit` while it trains: it is written after every
        epoch, or after several short ones, and removed at the end. When `fit` was
        interrupted or killed, the next one with the same words and parameters goes on
        from there and, on one machine, ends with the same weights bit for bit. It is
        for a single fit, not for searches and cross-validation, whose fits would share
        the path; and `callbacks` are not possible with it.

    alphabet : str or array-like of str, default=None
        Characters the model knows; None takes those of the training words.

    handle_unknown : {"error", "unk"}, default="error"
        What to do with a character outside the alphabet: raise an error that names it,
        or treat it as the symbol ``"<unk>"``, for which some probability is reserved.

    device : str, default="auto"
        Where to compute: "cpu", "cuda", "cuda:1", "mps"; "auto" takes a GPU where
        there is one. On the CPU one thread computes, since networks this small gain
        nothing from more: use `n_jobs` of a search for the other cores.

    accelerate : bool, default=False
        Whether to train in all the processes that a launcher such as ``torchrun`` has
        started, each on its share of every batch; they are joined by the package
        accelerate. All of them are given the same words and end with the same model.

    compile : bool, default=False
        Whether `torch.compile` translates the module first. It needs a C++ compiler,
        and seldom pays for networks as small as these.

    callbacks : list of skorch callbacks, default=None
        Callbacks of skorch, or pairs of a name and a callback; copies of them are
        used. A schedule of the learning rate needs ``lr_schedule="constant"``. To stop
        training use skorch's `EarlyStopping`: a `KeyboardInterrupt` of any other
        callback interrupts `fit`, as the keyboard does. scikit-learn's own callbacks
        are given with `set_callbacks`.

    random_state : int, RandomState instance or None, default=None
        Determines the initial weights, the order of the batches, dropout and the
        words held out. Pass an int for the same model at each call.

    verbose : int, default=0
        Whether to print a line an epoch.

    Attributes
    ----------
    net_ : CharNet
        The trained skorch net; its module is ``net_.module_``, which takes the ids of
        `vocabulary_`.

    history_ : list of dict
        One dict an epoch: `epoch`, `train_loss` and, with words held out, `valid_loss`
        in nats per character, and `dur` in seconds. Callbacks may record more.

    n_iter_ : int
        Number of epochs trained.

    vocabulary_ : CharVocabulary
        The symbols and their ids.

    symbols_ : list of str of length n_symbols
        Texts of the symbols: ``""`` for the boundary, then the characters.

    block_size_ : int
        Largest number of symbols the network reads.

    longest_word_ : int
        Number of characters of the longest training word.

    unknown_proba_ : float or None
        Probability of an unknown character, with ``handle_unknown="unk"`` and no such
        character in the training words.

    See Also
    --------
    BoWCharLM : Looks at all positions equally.
    GRUCharLM : Keeps a state instead of looking back.

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
    >>> words = load_names().data[:2000]
    >>> model = TransformerCharLM(n_layers=2, max_epochs=5, random_state=0).fit(words)
    >>> bool(model.nll(["emma", "olivia"]) < 3.0)
    True
    >>> model.sample(3, prefix="ka", random_state=0)  # doctest: +SKIP
    ['karlein', 'kaslynn', 'karlyn']
    """

    _parameter_constraints: dict = {
        **BasePositionCharLM._parameter_constraints,
        "n_embd": [Interval(Integral, 1, None, closed="left")],
        "n_heads": [Interval(Integral, 1, None, closed="left")],
        "n_layers": [Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(
        self,
        block_size=None,
        n_embd=96,
        n_heads=4,
        n_layers=2,
        *,
        dropout=0.0,
        optimizer="adamw",
        lr=0.004,
        lr_schedule="one-cycle",
        max_epochs=5,
        batch_size=1024,
        weight_decay=0.1,
        validation_fraction=None,
        early_stopping=False,
        n_iter_no_change=2,
        tol=1e-4,
        warm_start=False,
        checkpoint=None,
        alphabet=None,
        handle_unknown="error",
        device="auto",
        accelerate=False,
        compile=False,
        callbacks=None,
        random_state=None,
        verbose=0,
    ):
        self.block_size = block_size
        self.n_embd = n_embd
        self.n_heads = n_heads
        self.n_layers = n_layers
        self.dropout = dropout
        self.optimizer = optimizer
        self.lr = lr
        self.lr_schedule = lr_schedule
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.weight_decay = weight_decay
        self.validation_fraction = validation_fraction
        self.early_stopping = early_stopping
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.checkpoint = checkpoint
        self.alphabet = alphabet
        self.handle_unknown = handle_unknown
        self.device = device
        self.accelerate = accelerate
        self.compile = compile
        self.callbacks = callbacks
        self.random_state = random_state
        self.verbose = verbose

    def _most_trained(self):
        most = super()._most_trained()
        if not self.dropout:
            return most
        # To drop some of them, torch makes all attention weights of a word at once.
        return min(most, math.isqrt(MAX_ATTENTION_WEIGHTS // self.n_heads))

    def _module(self, n_symbols, block_size):
        return Transformer, {
            "n_symbols": n_symbols,
            "block_size": block_size,
            "n_embd": self.n_embd,
            "n_heads": self.n_heads,
            "n_layers": self.n_layers,
            "dropout": self.dropout,
        }
