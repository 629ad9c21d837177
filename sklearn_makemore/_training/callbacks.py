"""Reports of epochs to scikit-learn's callbacks."""

from functools import partial

from .net import Callback


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
        self.epoch = self.context.subcontext(task_name="epoch")
        self.epoch.call_on_fit_task_begin(**self.task)

    def on_epoch_end(self, net, dataset_train=None, dataset_valid=None, **kwargs):
        self.asks_to_stop_ = self.epoch.call_on_fit_task_end(
            **self.task, reconstruction_attributes=partial(self.reconstruct, net)
        )
