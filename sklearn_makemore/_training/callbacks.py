"""Callbacks of one training, in the order in which they are called."""

from functools import partial

from .checkpoint import Checkpoint
from .net import Callback, EarlyStopping, ask_to_stop


class EpochTasks(Callback):
    """Report each epoch to scikit-learn's callbacks, and note if one asks to stop.

    context : sklearn.callback.CallbackContext of the fit
    task : keyword arguments of the hooks: estimator, X, y
    reconstruct : returns the fitted attributes, given the net
    """

    def __init__(self, context, task, reconstruct):
        self.context = context
        self.task = task
        self.reconstruct = reconstruct
        self.asks_to_stop_ = False

    def on_epoch_begin(self, net, dataset_train=None, dataset_valid=None, **kwargs):
        """Open the task of this epoch."""
        self.epoch = self.context.subcontext(task_name="epoch")
        self.epoch.call_on_fit_task_begin(**self.task)

    def on_epoch_end(self, net, dataset_train=None, dataset_valid=None, **kwargs):
        """Close the task."""
        self.asks_to_stop_ = self.epoch.call_on_fit_task_end(
            **self.task, reconstruction_attributes=partial(self.reconstruct, net)
        )


class KeepState(Callback):
    """Restore the state of a checkpoint, and write it after epochs."""

    def __init__(self, checkpoint: Checkpoint):
        self.checkpoint = checkpoint

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        """Restore the state, if there was one."""
        self.checkpoint.begin(net)

    def on_epoch_end(self, net, dataset_train=None, dataset_valid=None, **kwargs):
        """Write the state, unless a callback asked to stop.

        The request is not part of the state. After a kill the epoch is trained again,
        and the callback asks again.
        """
        if not ask_to_stop(net.callbacks_):
            self.checkpoint.after_epoch(net)


def with_callbacks_of_training(
    callbacks, epoch_tasks=None, early_stopping=None, checkpoint=None
) -> list:
    """Return a net's (name, callback) pairs with those of a training."""
    ordered = list(callbacks)
    # Tasks come first: a task is closed before another callback ends the training.
    if epoch_tasks is not None:
        ordered.insert(0, ("epoch_tasks", epoch_tasks))
    if early_stopping is not None:
        stopping = EarlyStopping(
            "valid_loss", threshold_mode="abs", load_best=True, **early_stopping
        )
        ordered.append(("early_stopping", stopping))
    # The checkpoint comes last: early stopping has then begun or counted the epoch.
    if checkpoint is not None:
        ordered.append(("checkpoint", KeepState(checkpoint)))
    return ordered
