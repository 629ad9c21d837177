"""Models that another estimator copies, fits and owns."""

import copy
import os
import reprlib
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, Protocol, TypeVar, cast

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils.parallel import Parallel, delayed

from .._base import BaseCharLM
from .._counters.ngram import NGramCounter
from .._declarations import parameter
from .._word_estimator import BaseWordEstimator
from .._words.code_points import CodePoints
from .._words.symbols import SymbolVocabulary, lists_symbols, vocabulary_of
from .._words.training_set import TrainingSet
from .._words.vocabulary import CharVocabulary

Self = TypeVar("Self", bound="ParametersOfModel")


class ParametersOfModel(BaseWordEstimator):
    """Base of the estimators whose parameter `estimator` is a model or None."""

    estimator: Any

    @abstractmethod
    def _model_or_default(self, model: Any) -> Any:
        """Return the given model, or for None the default one."""

    def set_params(self: Self, **params: Any) -> Self:
        """Set parameters of the estimator and of its model.

        Parameters
        ----------
        **params : dict
            Parameters by name, those of the model as ``estimator__order``. If
            `estimator` is None, they set it to the default model first.

        Returns
        -------
        self : object
            The estimator itself.
        """
        prefix = "estimator__"
        own = {name: params[name] for name in params if not name.startswith(prefix)}
        if len(own) < len(params) and own.get("estimator", self.estimator) is None:
            of_model = {
                n.removeprefix(prefix): params[n] for n in params if n not in own
            }
            # An unknown parameter raises an error before this estimator changes.
            model = self._model_or_default(None).set_params(**of_model)
            params = {**own, "estimator": model}
        return super().set_params(**params)


class BaseOfOneModel(ParametersOfModel):
    """Base of the estimators that fit copies of one model, their `estimator`."""

    estimator: BaseCharLM | FrozenEstimator | None = parameter(
        default=None,
        description="""
        The character model; copies of it are fitted. None is ``NGramCounter()``. The
        copies have ``handle_unknown="unk"``, so a character that no training word has
        is not an error. A training word with a character outside a given `alphabet` is
        one, unless the model itself has ``handle_unknown="unk"``. Set
        ``estimator__random_state`` for a network that is the same at each fit. The
        `checkpoint` of each copy is its path followed by the name of the fit, for
        example ``"model.ckpt.fold-0"``.
        """,
        constraints="no_validation",
        type_text="estimator",
    )
    _: KW_ONLY
    n_jobs: int | None = parameter(
        default=None,
        description="""
        Number of models that are fitted at the same time, each in its own process. None
        means 1 unless in a `joblib.parallel_config`; -1 means all processors.
        """,
        type_text="int",
    )

    def _model_or_default(self, model: Any) -> Any:
        return default_model(model)

    def _kept(self) -> dict[str, Any]:
        """Return the state that a file stores: the fitted attributes."""
        return {name[:-1]: getattr(self, name) for name in self._declared_attributes}

    def _restore(self, kept: dict[str, Any]) -> None:
        """Set the fitted attributes from the result of `_kept`."""
        self._check_kept(kept)
        names = self._declared_attributes
        vars(self).update({name: kept[name[:-1]] for name in names})

    @abstractmethod
    def _check_kept(self, kept: dict[str, Any]) -> None:
        """Raise an error unless a file holds what `fit` can set."""


def default_model(estimator: Any) -> Any:
    """Return the given model, or for None a model that suits most lists of words.

    It has a symbol for unknown characters, because later words may have some.
    """
    return NGramCounter(handle_unknown="unk") if estimator is None else estimator


def checked_model(estimator: Any) -> BaseCharLM:
    """Return the model or the default one; raise an error if it is not a model."""
    model = default_model(estimator)
    if not isinstance(model, BaseCharLM):
        raise TypeError(
            "`estimator` must be a character model of sklearn_makemore, such as "
            f"NGramCounter(), got {model!r}. Put steps that clean the words before "
            "this estimator, in a Pipeline."
        )
    return model


def check_kept_member(member: Any) -> None:
    """Raise an error unless a member that comes from a file is a fitted model."""
    if not isinstance(member, BaseCharLM) or not member.__sklearn_is_fitted__():
        raise TypeError(
            f"a {type(member).__name__} is stored where a fitted model belongs."
        )


def member_for(
    estimator: Any, words: Sequence[str], others: Sequence[str] = ()
) -> BaseCharLM:
    """Copy a model to fit it on some of the words and score all of them.

    The copy has a symbol for unknown characters. If the model takes its alphabet or its
    `block_size` from the training words, the copy takes it from all words.

    others : more words to be scored, whose characters may be unknown
    """
    member = cast(BaseCharLM, clone(checked_model(estimator)))
    member.set_params(handle_unknown="unk")
    settings = member.get_params(deep=False)
    joined = CodePoints.from_words([*words])
    vocabulary = vocabulary_of(settings["alphabet"], joined, unknown=True)
    if not lists_symbols(settings["alphabet"]):
        member.set_params(alphabet=vocabulary.alphabet)
    if settings.get("block_size", ...) is None:  # twice the longest word and its end
        longest = int(vocabulary.lengths([*words, *others]).max())
        member.set_params(block_size=2 * (longest + 1))
    return member


def check_learnable(
    estimator: Any, words: list[str], sample_weight: np.ndarray | None
) -> None:
    """Raise an error if a model cannot learn a word, with the index of the word.

    Errors of the fits would name the index among the words of a fold or of a class. The
    copies to be fitted have a symbol for unknown characters, which the model may lack.
    """
    if not isinstance(estimator, FrozenEstimator):
        member = member_for(estimator, words)
        member.set_params(handle_unknown=checked_model(estimator).handle_unknown)
        member._validate_params()
        member._training_set(words, sample_weight, is_warm_start=False)


def member_of_mixture(
    model: BaseCharLM, vocabulary: CharVocabulary, seed: int
) -> BaseCharLM:
    """Copy a model with the symbols of a mixture, and a seed if it has none."""
    check_symbols(model, vocabulary)
    member = cast(BaseCharLM, clone(model))
    member.set_params(
        alphabet=vocabulary.alphabet,
        handle_unknown="unk" if vocabulary.unknown else "error",
    )
    if member.get_params(deep=False).get("random_state", seed) is None:
        member.set_params(random_state=seed)
    return member


def check_symbols(model: BaseCharLM, vocabulary: CharVocabulary) -> None:
    """Raise an error if the parameters of a model exclude the symbols of a mixture."""
    of_mixture = "unk" if vocabulary.unknown else "error"
    if model.handle_unknown not in ("error", of_mixture):
        raise ValueError(
            f"{reprlib.repr(model)} has handle_unknown={model.handle_unknown!r}, but "
            f"all members take that of the mixture, which is {of_mixture!r}; set it on "
            "the mixture."
        )
    own = vocabulary_of(model.alphabet, vocabulary, unknown=vocabulary.unknown)
    if own != vocabulary:
        raise ValueError(
            f"{reprlib.repr(model)} has another alphabet than the mixture, but all "
            "members take that of the mixture; set it on the mixture."
        )


def words_of(data: TrainingSet) -> list[str]:
    """Return the words that members read as the mixture does, or raise an error.

    A pattern may cut a word elsewhere once its unknown symbols are replaced.
    """
    words, vocabulary = data.words, data.vocabulary
    if isinstance(vocabulary, SymbolVocabulary) and vocabulary.unknown:
        again = vocabulary.encode(words)
        if not np.array_equal(again.codes, data.encoded.codes):
            raise ValueError(
                "The pattern in `alphabet` does not cut words with unknown symbols in "
                "the same places without them, so the members of a mixture cannot "
                "learn them. Leave out these words, or list all symbols."
            )
    return words


def partially_fitted(
    member: BaseCharLM,
    words: list[str],
    sample_weight: np.ndarray | None,
    alphabet: Any,
) -> BaseCharLM:
    """Return a copy that has learned more; an interrupt must not change the member.

    alphabet : that of the mixture, with the new characters of these words
    """
    # A shallow one, since `partial_fit` changes no fitted attribute in place.
    member = copy.copy(member)
    if member.__sklearn_is_fitted__():
        member.set_params(alphabet=None)  # it learns new characters
    member.partial_fit(words, sample_weight=sample_weight)
    return cast(BaseCharLM, member.set_params(alphabet=alphabet))


@dataclass(frozen=True, eq=False)
class MemberFit:
    """A member to be fitted, and what it learns from.

    name : name of this fit for callbacks, and the end of the path of its checkpoint
    member : the copy to be fitted
    words, sample_weight : (n_words,), or None instead of weights
    labels : (n_words,), for a `ConditionalCharLM`
    """

    name: str
    member: Any
    words: list[str]
    sample_weight: np.ndarray | None
    labels: np.ndarray | None = None

    @classmethod
    def on_rows(
        cls,
        name: str,
        model: BaseCharLM,
        words: list[str],
        sample_weight: np.ndarray | None,
        rows: np.ndarray,
    ) -> "MemberFit":
        """Return the fit of a copy of a model on some of the words; rows : (n,)."""
        weight = None if sample_weight is None else sample_weight[rows]
        chosen = [words[row] for row in rows.tolist()]
        return cls(name, cast(BaseCharLM, clone(model)), chosen, weight)

    def run(self) -> None:
        """Fit the member."""
        self.member.fit(self.words, self.labels, sample_weight=self.sample_weight)


class Fit(Protocol):
    """The fit of a member, which has a name for callbacks."""

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def member(self) -> Any: ...  # noqa: D102

    def run(self) -> None:
        """Fit the member."""
        ...


def fit_members(
    fits: Sequence[Fit], context: Any, task: dict[str, Any], n_jobs: int | None
) -> list[Any]:
    """Fit members as subtasks of the fit of their owner; return them in order.

    context : the owner's `CallbackContext`
    task : keyword arguments of the hooks of callbacks
    """
    for fit in fits:
        give_own_checkpoint(fit.member, fit.name)
    subtasks = [context.subcontext(task_name=fit.name) for fit in fits]
    calls = (
        delayed(fit_subtask)(subtask, fit, task)
        for subtask, fit in zip(subtasks, fits, strict=True)
    )
    return cast("list[Any]", Parallel(n_jobs=n_jobs)(calls))


def give_own_checkpoint(member: BaseCharLM, name: str) -> None:
    """Append the name of a fit to the path of each `checkpoint` in an estimator."""
    paths = {
        key: f"{os.fspath(value)}.{name.replace(' ', '-')}"
        for key, value in member.get_params().items()
        if key.rpartition("__")[2] == "checkpoint"
        and isinstance(value, (str, os.PathLike))
    }
    member.set_params(**paths)


def fit_subtask(subtask: Any, fit: Fit, task: dict[str, Any]) -> Any:
    """Fit a member as a subtask, and return it.

    The subtask was created before: in another process the owner's context is a copy.
    """
    with subtask.propagate_callback_context(fit.member):
        subtask.call_on_fit_task_begin(**task)
        fit.run()
        subtask.call_on_fit_task_end(**task)
    return fit.member
