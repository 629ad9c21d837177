"""MixtureCharLM: several models as one, their probabilities mixed by weights."""

import copy
import reprlib
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY
from numbers import Real
from typing import Any, Literal, cast

import numpy as np
from sklearn.base import clone
from sklearn.utils import Bunch
from sklearn.utils.parallel import Parallel, delayed

from .._base import BaseCharLM
from .._declarations import fitted, parameter
from .._sklearn import Interval, StrOptions
from .._word_estimator import own_random_state
from .._words.hold_out import hold_out
from .._words.training_set import TrainingSet
from .._words.types import Seed
from .._words.vocabulary import CharVocabulary, EncodedWords
from .em import em_weights, normalized
from .members import MemberFit, check_kept_member, fit_members
from .mixing import MixedContexts, MixedModel, log_mixture, mixed_rows
from .named_members import Members, NamedMembers


class MixtureCharLM(NamedMembers, BaseCharLM):
    """Weighted mixture of models: ``p(c | h) = sum over k of w_k p_k(c | h)``.

    The mixture averages the probabilities of every next character, so it scores,
    samples and predicts as its members do. Models that err in different ways, such as
    counts and a network, are better together than the best of them alone.

    All members are fitted on the same words. Expectation maximisation finds the weights
    that maximise the likelihood of held-out words [1]_ [2]_. On these words no member
    alone is better than the mixture. Equal words are held out together. The longest
    word is not held out, so every member can read all held-out words. If all words are
    equal, none is held out and the weights are equal.

    See Also
    --------
    NGramCounter : Fast to fit, and makes other errors than the networks.
    LSTMCharLM : The best single network.

    Notes
    -----
    A good mixture, which takes minutes to fit: ``LSTMCharLM(n_hidden=400, dropout=0.3,
    recurrent_dropout=0.3, lr=0.006, max_epochs=12)`` with default `GRUCharLM`,
    `TransformerCharLM` and `NGramCounter`, and ``n_jobs=2``. Fitted on the training and
    validation words of the makemore lectures with ``validation_fraction=1 / 9``, it
    learns from as many words as the lectures and holds out as many. Its test NLL is
    1.885 nats per character; its members have 1.906, 1.929, 1.963 and 1.978.

    The first call of `partial_fit` holds out words and finds the weights like `fit`,
    but each member learns by its own `partial_fit`. Later calls train every member on
    all words and change neither the alphabet, nor the weights, nor the parameters of
    the members.

    References
    ----------
    .. [1] F. Jelinek, R. L. Mercer, "Interpolated estimation of Markov source
       parameters from sparse data", Pattern Recognition in Practice, 1980.
    .. [2] A. P. Dempster, N. M. Laird, D. B. Rubin, "Maximum likelihood from incomplete
       data via the EM algorithm", Journal of the Royal Statistical Society B 39, 1977.

    Examples
    --------
    >>> from sklearn_makemore import BigramCounter, MixtureCharLM, NGramCounter
    >>> from sklearn_makemore.datasets import load_names
    >>> words = load_names().data
    >>> additive = NGramCounter(order=4, smoothing="additive", alpha=0.1)
    >>> model = MixtureCharLM(
    ...     [("four", additive), ("two", BigramCounter())], random_state=0
    ... ).fit(words[::2])
    >>> bool(model.validation_nll_ < model.estimator_nlls_.min())
    True
    >>> best = model.named_estimators_.four
    >>> bool(model.nll(words[1::2]) < best.nll(words[1::2]))
    True
    """

    estimators: Sequence[BaseCharLM | tuple[str, BaseCharLM]] = parameter(
        description="""
        The members: models of this package, with or without names. A model without a
        name gets the name of its class in lower case, followed by "-1", "-2" and so on
        if there are several. Parameters of members are set as ``name__parameter``, and
        ``name`` replaces a whole member. Copies of the members are fitted, with the
        alphabet and `handle_unknown` of the mixture; a member with another alphabet
        raises an error. The `checkpoint` of each copy is its path followed by the
        member's name; the mixture needs a `random_state` to resume from them.
        """,
        constraints=[list, tuple],
        type_text="list of estimators or of (str, estimator) pairs",
    )
    _: KW_ONLY
    weights: Literal["em", "uniform"] | Sequence[float] | np.ndarray = parameter(
        default="em",
        description="""
        Weights of the members. "em" finds the best weights for held-out words;
        "uniform" gives equal weights and holds no words out. Numbers must be
        non-negative; they are divided by their sum, and no words are held out.
        """,
        constraints=[StrOptions({"em", "uniform"}), "array-like"],
        type_text='{"em", "uniform"} or array-like of shape (n_members,)',
    )
    validation_fraction: float = parameter(
        default=0.1,
        description="""
        Share of the words, drawn at random, that is held out to find the weights; at
        least one.
        """,
        constraints=[Interval(Real, 0, 1, closed="neither")],
    )
    refit: bool = parameter(
        default=False,
        description="""
        Whether to fit the members again on all words once the weights are found. This
        takes twice the time, but the members then learn from the held-out words too.
        """,
    )
    n_jobs: int | None = parameter(
        default=None,
        description="""
        Number of members that are fitted at the same time, each in its own process.
        None means 1 unless in a `joblib.parallel_config`; -1 means all processors. Put
        the slowest member first.
        """,
        type_text="int",
    )
    random_state: Seed = parameter(
        default=None,
        description="""
        Determines the held-out words, and the `random_state` of each member whose own
        is None. Pass an int for the same model at each call.
        """,
        constraints=["random_state"],
        type_text="int, RandomState instance or None",
    )

    estimators_: list[BaseCharLM] = fitted(
        "The fitted members.", type_text="list of estimators of length n_members"
    )
    named_estimators_: Bunch = fitted("The fitted members by name.")
    weights_: np.ndarray = fitted(
        """
        Weights of the members; they sum to one. A member of weight 0 is not evaluated.
        """,
        type_text="ndarray of shape (n_members,)",
    )
    validation_nll_: float | None = fitted(
        """
        Mean negative log-likelihood of the mixture on the held-out words, in nats per
        character; None if no word was held out.
        """
    )
    estimator_nlls_: np.ndarray | None = fitted(
        """
        The same for each member alone. With `refit`, both are figures of the members
        before they were fitted again.
        """,
        type_text="ndarray of shape (n_members,) or None",
    )

    # ----------------------------------------------------------------- fitting

    def _max_subtasks(self) -> int:
        is_refitted = self.refit and self._holds_out()
        return len(self._checked_members()) * (2 if is_refitted else 1)

    def _holds_out(self) -> bool:
        return isinstance(self.weights, str) and self.weights == "em"

    def _fit_encoded(self, data, callback_context):
        def train(members: Members, data: TrainingSet, purpose: str):
            words = data.words
            fits = [
                MemberFit(f"{purpose}-{name}", member, words, data.sample_weight)
                for name, member in members.items()
            ]
            task = self._callback_task(words)
            return fit_members(fits, callback_context, task, self.n_jobs)

        return self._fit_and_weigh(data, train)

    def _partial_fit_encoded(self, data):
        if not self.__sklearn_is_fitted__():
            return self._fit_and_weigh(data, self._partially_trained)
        self._check_trainable(data.encoded, data.vocabulary, is_warm_start=True)
        members = self._partially_trained(self.named_estimators_, data)
        return _by_name(self.named_estimators_, members)

    def _partially_trained(self, members: Members, data: TrainingSet, purpose=None):
        """Return copies of the members that have learned these words too."""
        words = data.words
        fits = (
            delayed(_partially_fitted)(member, words, data.sample_weight)
            for member in members.values()
        )
        return cast("list[BaseCharLM]", Parallel(n_jobs=self.n_jobs)(fits))

    def _fit_and_weigh(
        self, data: TrainingSet, train: Callable[..., list[BaseCharLM]]
    ) -> dict[str, Any]:
        """Fit new members, find their weights, and return the fitted attributes.

        ``train(members, data, purpose)`` returns the fitted members.
        """
        models = self._checked_members()
        # Check before holding words out, which would change the index that errors name.
        self._check_trainable(data.encoded, data.vocabulary, is_warm_start=False)
        rng = own_random_state(self.random_state)
        seeds = rng.randint(np.iinfo(np.int32).max, size=len(models)).tolist()

        def trained_copies(data: TrainingSet, purpose: str) -> list[BaseCharLM]:
            copies = {
                name: _new_member(model, data.vocabulary, seed)
                for (name, model), seed in zip(models.items(), seeds, strict=True)
            }
            return train(copies, data, purpose)

        if not self._holds_out():
            weights = self._given_weights(len(models))
            members = trained_copies(data, "fit")
            return {**_by_name(models, members), **_not_measured(weights)}
        learned, held_out = hold_out(data, self.validation_fraction, rng)
        members = trained_copies(learned, "fit")
        measured = _measured(members, held_out)
        if self.refit and held_out is not None:
            members = trained_copies(data, "refit")
        return {**_by_name(models, members), **measured}

    def _given_weights(self, n_members: int) -> np.ndarray:
        """Return the weights that are not learned, (n_members,)."""
        if isinstance(self.weights, str):
            return _equal_weights(n_members)
        weights = np.asarray(self.weights, dtype=np.float64)
        if weights.shape != (n_members,):
            raise ValueError(
                f"`weights` must have one number for each of the {n_members} models in "
                f"`estimators`, got an array of shape {weights.shape}."
            )
        if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.any()):
            raise ValueError(
                "`weights` must be finite and not negative, and not all be zero; got "
                f"{weights}."
            )
        return normalized(weights / weights.max())  # their sum must not overflow

    # ------------------------------------------------------------------- files

    def _state_to_save(self):
        return {
            "names": list(self.named_estimators_),
            "members": self.estimators_,
            "weights": self.weights_,
            "validation_nll": self.validation_nll_,
            "estimator_nlls": self.estimator_nlls_,
        }

    def _state_from_file(self, kept, vocabulary):
        names, members, weights = (kept[key] for key in ("names", "members", "weights"))
        for member in members:
            check_kept_member(member)
            if member.vocabulary_ != vocabulary:
                raise ValueError("members have other characters.")
        if not all(isinstance(name, str) for name in names):
            raise TypeError(f"members have the names {names!r}.")
        if not len(members) == len(names) == len(set(names)) == len(weights) > 0:
            raise ValueError("names, members and weights are not of one length.")
        _check_restored_figures(weights, kept["validation_nll"], kept["estimator_nlls"])
        return {
            **_by_name(names, members),
            "weights_": weights,
            "validation_nll_": kept["validation_nll"],
            "estimator_nlls_": kept["estimator_nlls"],
        }

    # ------------------------------------------------------------------- hooks

    def _partial_fit_vocabulary(self, joined):
        return self._kept_vocabulary()  # the members have it as their `alphabet`

    def _check_trainable(self, encoded, vocabulary, is_warm_start):
        members = (
            self.estimators_ if is_warm_start else self._checked_members().values()
        )
        for member in members:
            member._check_trainable(encoded, vocabulary, is_warm_start)

    def _check_readable(self, encoded, name):
        for member in self._active()[0]:
            member._check_readable(encoded, name)

    def _active(self) -> tuple[list[BaseCharLM], np.ndarray]:
        """Return the members that have a weight, and the logarithms of these."""
        active = np.flatnonzero(self.weights_)
        return [self.estimators_[i] for i in active], np.log(self.weights_[active])

    def _contexts_after(self, encoded):
        members, _ = self._active()
        parts = [member._contexts_after(encoded) for member in members]
        return MixedContexts(tuple(parts))

    def _next_symbol_model(self):
        members, log_weights = self._active()
        return MixedModel([m._next_symbol_model() for m in members], log_weights)

    def _prefix_log_proba(self, encoded):
        members, log_weights = self._active()
        distributions = [member._prefix_log_proba(encoded) for member in members]
        return mixed_rows(distributions, log_weights)

    def _target_log_proba(self, encoded):
        members, log_weights = self._active()
        targets = (member._target_log_proba(encoded) for member in members)
        return log_mixture(targets, log_weights)

    def _longest_word(self):
        members, _ = self._active()
        limits = [member._longest_word() for member in members]
        return min((limit for limit in limits if limit is not None), default=None)

    def _draws_at_once(self, shortest):
        members, _ = self._active()
        return min(member._draws_at_once(shortest) for member in members)


def _new_member(model: BaseCharLM, vocabulary: CharVocabulary, seed: int) -> BaseCharLM:
    """Copy a model with the symbols of a mixture, and a seed if it has none."""
    own = model.get_params(deep=False)
    of_mixture = "unk" if vocabulary.unknown else "error"
    if own["handle_unknown"] not in ("error", of_mixture):
        raise ValueError(
            f"{reprlib.repr(model)} has handle_unknown={own['handle_unknown']!r}, but "
            f"all members take that of the mixture, which is {of_mixture!r}; set it on "
            "the mixture."
        )
    alphabet = own["alphabet"]
    if alphabet is not None and {*alphabet} != {*vocabulary.characters}:
        raise ValueError(
            f"{reprlib.repr(model)} has another alphabet than the mixture, but all "
            "members take that of the mixture; set it on the mixture."
        )
    member = cast(BaseCharLM, clone(model))
    member.set_params(alphabet=vocabulary.characters, handle_unknown=of_mixture)
    if "random_state" in own and own["random_state"] is None:
        member.set_params(random_state=seed)
    return member


def _partially_fitted(
    member: BaseCharLM, words: list[str], sample_weight: np.ndarray | None
) -> BaseCharLM:
    """Return a copy that has learned more; an interrupt must not change the member."""
    # A shallow one, since `partial_fit` changes no fitted attribute in place.
    return copy.copy(member).partial_fit(words, sample_weight=sample_weight)


# ------------------------------------------------------------- fitted attributes


def _by_name(names: Any, members: list[BaseCharLM]) -> dict[str, Any]:
    """Return the fitted attributes that hold the members."""
    named = Bunch(**dict(zip(names, members, strict=True)))
    return {"estimators_": list(members), "named_estimators_": named}


def _equal_weights(n_members: int) -> np.ndarray:
    return np.full(n_members, 1 / n_members)


def _not_measured(weights: np.ndarray) -> dict[str, Any]:
    """Return the other fitted attributes where no words were held out."""
    return {"weights_": weights, "validation_nll_": None, "estimator_nlls_": None}


def _measured(
    members: list[BaseCharLM], held_out: TrainingSet | None
) -> dict[str, Any]:
    """Return the other fitted attributes, found on words held out."""
    if held_out is None:
        return _not_measured(_equal_weights(len(members)))
    encoded = held_out.encoded
    weight = cast(np.ndarray, held_out.sample_weight)
    counts = np.repeat(weight / weight.max(), encoded.lengths)
    log_proba = np.array([_targets(member, encoded) for member in members])
    weights = em_weights(log_proba, counts)
    active = np.flatnonzero(weights)
    mixed = log_mixture(log_proba[active], np.log(weights[active]))
    shares = counts / counts.sum()
    return {
        "weights_": weights,
        "validation_nll_": -float(np.sum(shares * mixed)),
        "estimator_nlls_": -np.sum(shares * log_proba, axis=1),
    }


def _targets(member: BaseCharLM, encoded: EncodedWords) -> np.ndarray:
    """Return the log-probability of every prediction, (n_predictions,)."""
    return np.concatenate([part for _, part in member._scored_chunks(encoded)])


def _check_restored_figures(weights: Any, nll: Any, nlls: Any) -> None:
    """Raise an error if a file has weights or NLLs that no fit can give."""
    is_sum = weights.dtype == np.float64 and abs(weights.sum() - 1) < 1e-6
    if weights.ndim != 1 or not is_sum or not (weights >= 0).all():
        raise ValueError(f"weights are {weights!r}.")
    if nll is not None and type(nll) is not float:
        raise ValueError(f"validation_nll is {nll!r}.")
    if nlls is not None and (
        not isinstance(nlls, np.ndarray)
        or (nlls.dtype, nlls.shape) != (np.float64, weights.shape)
    ):
        raise ValueError(f"estimator_nlls are {nlls!r}.")
