"""scikit-learn's callbacks while a `ConditionalCharLM` is fitted."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from sklearn.callback import AutoPropagatedCallback, CallbackContext

from .._base import ModelOfLabels


@dataclass(frozen=True, eq=False)
class LabelledContext:
    """The context of a `ConditionalCharLM`, for the model that it fits.

    Tasks of the model become tasks of the `ConditionalCharLM`: callbacks receive the
    labels, and a fitted `ConditionalCharLM` where the model reports its attributes.

    context : the `CallbackContext`
    owner : the `ConditionalCharLM`
    classes, class_count : (n_classes,) labels and their weights, by their numbers
    learned_from : what is learned, from fitted attributes of the model
    """

    context: Any
    owner: Any
    classes: np.ndarray
    class_count: np.ndarray
    learned_from: Callable[[dict[str, Any]], ModelOfLabels] | None = None

    def of_model(self, learned_from: Callable[[dict[str, Any]], ModelOfLabels]) -> Self:
        """Return the context of a model whose attributes mean something learned."""
        return replace(self, learned_from=learned_from)

    @property
    def _callbacks(self) -> list[Any]:
        return self.context._callbacks

    def subcontext(self, task_name: str) -> Self:
        """Return the context of a subtask."""
        return replace(self, context=self.context.subcontext(task_name=task_name))

    def call_on_fit_task_begin(self, **task: Any) -> None:
        """Call the hooks of the callbacks before a task of the model."""
        self.context.call_on_fit_task_begin(**self._task(task))

    def call_on_fit_task_end(
        self,
        reconstruction_attributes: Callable[[], dict[str, Any]] | None = None,
        **task: Any,
    ) -> bool:
        """Call the hooks after a task; return whether one asks to stop."""
        of_model, learned_from = reconstruction_attributes, self.learned_from
        if of_model is None or learned_from is None:  # nothing is learned yet
            return self.context.call_on_fit_task_end(**self._task(task))

        def attributes() -> dict[str, Any]:
            learned = learned_from(of_model())
            return self.owner._fitted(self.classes, self.class_count, learned)

        return self.context.call_on_fit_task_end(
            **self._task(task), reconstruction_attributes=attributes
        )

    def propagate_callback_context(self, member: Any) -> AbstractContextManager[None]:
        """Let the callbacks follow the fit of a member, which is this task."""
        return self.context.propagate_callback_context(member)

    def _task(self, task: dict[str, Any]) -> dict[str, Any]:
        """Return a task of the model, whose `y` are numbers, as one of the owner."""
        return {**task, "estimator": self.owner, "y": self.classes[task["y"]]}


def started_context(owner: Any, model: Any) -> CallbackContext:
    """Begin the fit of a `ConditionalCharLM`, with the callbacks of its model too."""
    own = getattr(owner, "_skl_callbacks", [])
    of_model = [
        callback
        for callback in getattr(model, "_skl_callbacks", [])
        if callback not in own
    ]
    is_inside = hasattr(owner, "_parent_callback_ctx")
    if is_inside and any(isinstance(one, AutoPropagatedCallback) for one in of_model):
        raise TypeError(
            f"Set {of_model!r} on the outermost estimator instead of the `estimator` "
            "of ConditionalCharLM: they reach all estimators inside."
        )
    owner.set_callbacks(*own, *of_model)
    try:
        return owner._init_callback_context(max_subtasks=model._max_subtasks())
    finally:
        owner.set_callbacks(*own)
