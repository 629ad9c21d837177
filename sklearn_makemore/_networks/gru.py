"""GRUCharLM: a recurrent network with gates."""

from ..modules import GRU
from .recurrent import BaseRecurrentCharLM


class GRUCharLM(BaseRecurrentCharLM):
    """Recurrent network with gates: the gated recurrent unit.

    ``h_t = (1 - z) n + z h_{t-1}`` with ``n = tanh(W x_t + b + r (U h_{t-1} + c))``,
    where the gates r and z are sigmoids of linear maps of the embedding x_t, of shape
    (n_embd,), and of the state h_{t-1}, of shape (n_hidden,) [1]_; ``h_{-1}`` is
    learned. A linear layer makes the logits of the state, and further layers read the
    states of the one below. With ``--type gru`` makemore's script has one layer,
    ``n_embd=64, n_hidden=64``, and its reset gate before U.

    A word is read character by character, and each prefix that several words of a batch
    have in common is read once. There is no limit to the length of a word.

    Parameters
    ----------
    n_embd : int, default=24
        Number of channels of a character's embedding.

    n_hidden : int, default=256
        Number of units of each layer.

    n_layers : int, default=1
        Number of recurrent layers.

    dropout : float, default=0.2
        Share of the outputs of every layer dropped in training.

    recurrent_dropout : float, default=0.1
        Share of every layer's h dropped in training on its way to the next step.

    optimizer : {"adamw", "sgd"}, default="adamw"
        AdamW, or plain stochastic gradient descent as in the lectures, which have
        ``lr=0.1, lr_schedule="step", batch_size=32, weight_decay=0`` with it.

    lr : float, default=0.008
        Learning rate, the largest one of the schedule.

    lr_schedule : {"one-cycle", "step", "constant"}, default="one-cycle"
        Course of the learning rate over all steps of a call: "one-cycle" rises to `lr`
        and falls to nearly nothing, "step" is `lr`, and a tenth of it in the last
        quarter, as in lecture 5, and "constant" is `lr` throughout.

    max_epochs : int, default=8
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

    longest_word_ : int
        Number of characters of the longest training word.

    unknown_proba_ : float or None
        Probability of an unknown character, with ``handle_unknown="unk"`` and no such
        character in the training words.

    See Also
    --------
    LSTMCharLM : A memory apart from the output.
    RNNCharLM : The same without gates.
    TransformerCharLM : Looks back instead of keeping a state.

    References
    ----------
    .. [1] K. Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder
       for Statistical Machine Translation", EMNLP 2014.
       https://arxiv.org/abs/1406.1078

    Examples
    --------
    >>> from sklearn_makemore import GRUCharLM
    >>> from sklearn_makemore.datasets import load_names
    >>> words = load_names().data[:2000]
    >>> model = GRUCharLM(max_epochs=5, random_state=0).fit(words)
    >>> bool(model.nll(["emma", "olivia"]) < 3.0)
    True
    >>> model.sample(3, prefix="ka", random_state=0)  # doctest: +SKIP
    ['karie', 'karitle', 'karlynn']
    """

    _network = GRU

    def __init__(
        self,
        n_embd=24,
        n_hidden=256,
        n_layers=1,
        *,
        dropout=0.2,
        recurrent_dropout=0.1,
        optimizer="adamw",
        lr=0.008,
        lr_schedule="one-cycle",
        max_epochs=8,
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
        self.n_embd = n_embd
        self.n_hidden = n_hidden
        self.n_layers = n_layers
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
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
