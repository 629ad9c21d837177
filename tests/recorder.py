"""A callback that records what scikit-learn passes to it."""


class Recorder:
    """Callback that keeps what it is told, and stops after some epochs."""

    def __init__(self, stop_after=None, raises=None):
        self.stop_after = stop_after
        self.raises = raises
        self.tasks, self.scores = [], []

    def setup(self, estimator, context):
        self.tasks.append("setup")

    def teardown(self, estimator, context):
        self.tasks.append("teardown")

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None):
        self.tasks.append(f"begin {context.task_name}")

    def on_fit_task_end(self, estimator, context, *, X=None, fitted_estimator=None):
        self.tasks.append(f"end {context.task_name}")
        if fitted_estimator is None:  # of a mixture that has not all its members
            return False
        self.scores.append(fitted_estimator.score(X))
        assert fitted_estimator.sample(2, random_state=0)
        if context.task_name == "epoch":
            n_epochs = self.tasks.count("end epoch")
            if n_epochs == self.raises:
                raise RuntimeError("the callback is broken")
            return n_epochs == self.stop_after
