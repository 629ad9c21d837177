"""The parameters and fitted attributes that all networks share, each declared once."""

import os
from dataclasses import KW_ONLY
from numbers import Real
from typing import TYPE_CHECKING, Any, Literal, NewType

import numpy as np
from numpy.random import RandomState

from .._declarations import POSITIVE_INT, DeclaredParameters, fitted, parameter
from .._sklearn import Interval
from .restored import RestoredNet

if TYPE_CHECKING:
    from .._training.net import CharNet
else:
    # Its name in docstrings, without the time to import skorch.
    CharNet = NewType("CharNet", object)


class NetworkParameters(DeclaredParameters):
    """Parameters of training, and the fitted attributes."""

    _: KW_ONLY

    optimizer: Literal["adamw", "muon", "sgd"] = parameter(
        default="adamw",
        description="""
        "adamw" is AdamW. "muon" is AdamW for embeddings, biases and the logits, and
        Muon for the matrices between them, which needs fewer epochs.
        "sgd" is plain stochastic gradient descent, which the lectures use with
        ``lr=0.1, lr_schedule="step", batch_size=32, weight_decay=0``.
        """,
    )
    lr: float = parameter(
        default=0.008,
        description="""
        Largest learning rate of the schedule; a quarter of it if `fit` continues with
        `warm_start` and ``lr_schedule="one-cycle"``.
        """,
        constraints=[Interval(Real, 0, None, closed="neither")],
    )
    lr_schedule: Literal["one-cycle", "step", "constant"] = parameter(
        default="one-cycle",
        description="""
        Learning rate over all steps of one call: "one-cycle" rises to `lr`, then falls
        to nearly zero; "step" is `lr`, then a tenth of it in the last quarter, as in
        lecture 5; "constant" is `lr` throughout.
        """,
    )
    max_epochs: int = parameter(
        default=5,
        description="""
        Number of passes over the training words. Too many epochs overfit, above all on
        short lists; `early_stopping` stops in time.
        """,
        constraints=[POSITIVE_INT],
    )
    batch_size: int | None = parameter(
        default=1024,
        description="""
        Number of predicted characters per step. On short lists it is reduced so that an
        epoch has at least 32 steps, but not below 32, or 256 if training continues.
        None uses all words in every step.
        """,
        constraints=[POSITIVE_INT, None],
    )
    weight_decay: float | None = parameter(
        default=None,
        description="""
        Weight decay: an L2 penalty with "sgd", otherwise decoupled from the gradient.
        The lectures use none. None means 0.1, or 0.25 with "muon", and, except with
        "sgd", more on short lists: 2,000 divided by the number of predicted characters
        of the distinct words, but at most 3 (1.5 with batch normalization) and at most
        ``0.05 / lr``. It does not rise if `fit` continues, and is 0.1 or 0.25 if
        `partial_fit` does.
        """,
        constraints=[Interval(Real, 0, None, closed="left"), None],
    )
    validation_fraction: float | None = parameter(
        default=None,
        description="""
        Fraction of the total weight of the words that is held out, at random, to
        measure the validation loss after each epoch. Equal words are held out together,
        and at most twice this fraction of the distinct words. None means 0.1 with
        `early_stopping`; without it no words are held out.
        """,
        constraints=[Interval(Real, 0, 1, closed="neither"), None],
    )
    early_stopping: bool = parameter(
        default=False,
        description="""
        Whether to stop when the validation loss has not improved by `tol` for
        `n_iter_no_change` epochs. The weights of the best epoch are restored.
        """,
    )
    n_iter_no_change: int = parameter(
        default=2,
        description="Number of epochs without improvement before an early stop.",
        constraints=[POSITIVE_INT],
    )
    tol: float = parameter(
        default=1e-4,
        description="""
        Smallest decrease of the validation loss that counts as an improvement, in nats
        per character.
        """,
        constraints=[Interval(Real, 0, None, closed="left")],
    )
    warm_start: bool = parameter(
        default=False,
        description="""
        Whether `fit` continues from the weights of the last fit. New characters become
        new symbols unless `alphabet` is given.
        """,
    )
    checkpoint: str | os.PathLike[str] | None = parameter(
        default=None,
        description="""
        File in which `fit` saves its state after every epoch, or after several short
        ones. The file is removed at the end. If `fit` is interrupted or killed, the
        next `fit` with the same words and parameters resumes from it and, on the same
        machine, ends with the same weights bit for bit. Use it for a single fit, not in
        searches or cross-validation, whose fits would share the path. It cannot be
        combined with `callbacks`.
        """,
        type_text="str or path-like",
    )
    device: str = parameter(
        default="auto",
        description="""
        Where to compute: "cpu", "cuda", "cuda:1" or "mps"; "auto" uses a GPU if there
        is one. On the CPU a fit uses one thread, because networks this small gain
        nothing from more; use `n_jobs` of a search to occupy the other cores.
        """,
    )
    accelerate: bool = parameter(
        default=False,
        description="""
        Whether to train in all processes that a launcher such as ``torchrun`` has
        started, each on its share of every batch. The package accelerate connects
        them. Every process must be given the same words, and ends with the same model.
        """,
    )
    compile: bool = parameter(
        default=False,
        description="""
        Whether to compile the module with `torch.compile` first. This needs a C++
        compiler, and rarely pays off for networks this small.
        """,
    )
    callbacks: list | tuple | None = parameter(
        default=None,
        description="""
        Callbacks of skorch, or pairs of a name and a callback. Each fit uses shallow
        copies: their attributes are set on the copies in ``net_.callbacks_``, but a
        list or a writer that they refer to is yours. Clones have the same callbacks.
        A learning-rate scheduler needs ``lr_schedule="constant"``. To stop training,
        use skorch's `EarlyStopping`: a `KeyboardInterrupt` from any other callback
        interrupts `fit`, as Ctrl-C does. scikit-learn's own callbacks are set with
        `set_callbacks`.
        """,
        type_text="list of skorch callbacks",
    )
    random_state: int | RandomState | None = parameter(
        default=None,
        description="""
        Determines the initial weights, the order of the batches, dropout and the
        held-out words. Pass an int for the same model at each call.
        """,
        constraints=["random_state"],
        type_text="int, RandomState instance or None",
    )
    verbose: int = parameter(
        default=0,
        description="Whether to print one line per epoch.",
        constraints=["verbose"],
    )

    history_: list[dict[str, Any]] = fitted(
        """
        One dict per epoch: `epoch`, `train_loss` and, if words are held out,
        `valid_loss`, in nats per character, and `dur` in seconds. Callbacks may record
        more.
        """
    )
    n_iter_: int = fitted("Number of epochs trained.")
    weight_decay_: float = fitted("Weight decay of the last training.")
    unknown_proba_: float | None = fitted(
        """
        Probability of an unknown character, with ``handle_unknown="unk"`` and no such
        character in the training words; otherwise None.
        """
    )
    word_lengths_: np.ndarray | None = fitted(
        """
        Weight of the training words of 0, 1, ... characters, those held out included.
        None for a model from a file of version 0.1.0.
        """,
        type_text="ndarray of shape (longest + 1,) or None",
    )

    @property
    def net_(self) -> CharNet:
        """The trained skorch net.

        Its module ``net_.module_`` takes the symbol ids of `vocabulary_`.
        ``net_.partial_fit(X, y)`` trains on arrays of ids as any skorch net does: it
        minimises the mean loss, at the constant rate ``net_.lr``. A loss that is not
        finite is an error.
        """
        if "net_" not in vars(self):
            raise AttributeError(f"This {type(self).__name__} has no net: call `fit`.")
        net = vars(self)["net_"]
        if isinstance(net, RestoredNet):
            net = vars(self)["net_"] = net.skorch_net()
        return net

    @net_.setter
    def net_(self, net: CharNet) -> None:
        vars(self)["net_"] = net
