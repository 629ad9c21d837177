"""BigramCharLM: the bigram as a network."""

import torch

from .._sklearn import StrOptions
from .._words.vocabulary import check_pair_table
from ..modules import LookupTable
from .window import BaseWindowCharLM

# Neither is fused: with so few weights it makes no difference.
OPTIMIZERS = {
    "adam": {"optimizer": torch.optim.Adam},
    "sgd": {"optimizer": torch.optim.SGD},
}


class BigramCharLM(BaseWindowCharLM):
    """The bigram as a network: one table of weights, softmax, gradient descent.

    The logits of the next character are the row of W, of shape (n_symbols, n_symbols),
    that belongs to the last one: a one-hot vector times a matrix, as lecture 1 of
    makemore has it, or ``--type bigram`` of its script. Its best W is the logarithm of
    the counts, so training comes to what `BigramCounter` counts [1]_. W starts at zero,
    from which all characters are equally likely.

    Parameters
    ----------
    optimizer : {"adam", "sgd"}, default="adam"
        Adam, or plain gradient descent as in lecture 1, which has ``lr=50,
        lr_schedule="constant", batch_size=None, max_epochs=200`` with it. Both follow
        the gradient of the penalty too.

    lr : float, default=0.1
        Learning rate, the largest one of the schedule.

    lr_schedule : {"one-cycle", "step", "constant"}, default="one-cycle"
        Course of the learning rate over all steps of a call: "one-cycle" rises to `lr`
        and falls to nearly nothing, "step" is `lr`, and a tenth of it in the last
        quarter, as in lecture 5, and "constant" is `lr` throughout.

    max_epochs : int, default=200
        Number of passes over the training words. Many of them learn a short list by
        heart; `early_stopping` holds words out and stops before that.

    batch_size : int or None, default=None
        Number of predicted characters in a step. On few words it is less: an epoch has
        at least 16 steps, unless they would have less than 256 characters. None takes
        all words in every step.

    weight_decay : float, default=0.01
        Factor of the penalty ``(W ** 2).mean()`` that is added to the loss, lecture 1's
        counterpart of smoothing: the larger it is, the more alike all characters
        become, as they do with more `smoothing` of `BigramCounter`. Zero does not make
        the probability of a pair that was never seen zero, as long as training ends.

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
        Determines the order of the batches and the words held out. Pass an int for the
        same model at each call.

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
        Number of characters the network sees.

    longest_word_ : int
        Number of characters of the longest training word.

    unknown_proba_ : float or None
        Probability of an unknown character, with ``handle_unknown="unk"`` and no such
        character in the training words.

    See Also
    --------
    BigramCounter : The same model, counted.
    MLPCharLM : Sees more than one character.

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
    >>> bool(abs(trained - counted) < 0.012)
    True
    """

    _parameter_constraints: dict = {
        **BaseWindowCharLM._parameter_constraints,
        "optimizer": [StrOptions({"adam", "sgd"})],
    }

    def __init__(
        self,
        *,
        optimizer="adam",
        lr=0.1,
        lr_schedule="one-cycle",
        max_epochs=200,
        batch_size=None,
        weight_decay=0.01,
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

    def _window_size(self):
        return 1

    def _optimizer_params(self, n_symbols):
        # torch adds weight_decay * W to the gradient: that of the mean of squares is
        # 2 W over the number of weights.
        return {
            **OPTIMIZERS[self.optimizer],
            "optimizer__weight_decay": 2 * self.weight_decay / n_symbols**2,
        }

    def _module(self, n_symbols, block_size):
        check_pair_table(n_symbols, self)
        return LookupTable, {"n_symbols": n_symbols}
