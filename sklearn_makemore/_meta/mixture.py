"""MixtureCharLM: several models as one, their probabilities mixed by weights."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, fields
from numbers import Integral, Real
from typing import Any, Literal, cast, get_args

import numpy as np
from sklearn.utils import Bunch
from sklearn.utils.parallel import Parallel, delayed

from .._base import BaseCharLM
from .._declarations import fitted, parameter
from .._sklearn import Interval, StrOptions
from .._word_estimator import own_random_state
from .._words.hold_out import hold_out
from .._words.symbols import vocabulary_of
from .._words.training_set import TrainingSet
from .._words.types import Seed
from .adaptive import AdaptiveMixer
from .labelled_mixture import LabelledMixture
from .learned_weights import (
    WeightsFound,
    equal_weights,
    given_weights,
    learned_weights,
)
from .members import (
    MemberFit,
    check_symbols,
    fit_members,
    member_of_mixture,
    partially_fitted,
    words_of,
)
from .mixing import Mixer, Reader
from .named_members import Member, Members, NamedMembers, fitted_members
from .saved_mixture import members_from_file, members_to_save
from .splits import CV, CV_TEXT, check_no_word_is_left_out, split_words
from .translated import reader

Weighting = Literal["em", "adaptive", "uniform"]


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

    A fitted model in a `sklearn.frozen.FrozenEstimator` is a member that stays as it
    is. For a short list of words, freeze a model of a long list, and set `cv` and
    ``weights="adaptive"``.

    See Also
    --------
    NGramCounter : Fast to fit, and makes other errors than the networks.
    LSTMCharLM : The best single network.

    Notes
    -----
    A good mixture, which takes minutes to fit, has an `LSTMCharLM` of 400 units, the
    default `GRUCharLM`, `TransformerCharLM` and `NGramCounter`, and ``n_jobs=2``. The
    user guide has its parameters, its test NLL and those of its members. Fitted on the
    training and validation words of the makemore lectures with
    ``validation_fraction=1 / 9``, it learns from as many words as the lectures and
    holds out as many.

    With ``weights="adaptive"``, the weights follow how well the members predict the
    word. After the characters ``c_1 ... c_n``, the weight of member `k` is proportional
    to ``w_k exp(a s_k)``, where ``s_k`` is the sum of ``0.6 ** (n - i) log p_k(c_i)``.
    The best `a` from 0 to 1 for the held-out words is found after the weights ``w_k``.
    A list that is a part of a larger language, or has words of several kinds, gains
    most. Where members agree, `a` is close to 0.

    The first call of `partial_fit` holds out words and finds the weights like `fit`,
    but each member learns by its own `partial_fit`. Later calls train every member on
    all words and change neither the weights nor the parameters of the members. New
    characters become new symbols of the members that are not frozen, unless `alphabet`
    is given.

    A frozen member is expected not to have seen the words: on words it was trained on,
    it would get too large a weight. The alphabet of the mixture is `alphabet`, or the
    characters of the training words, with those of all frozen members. A frozen member
    gives probability 0 to a symbol that it does not have. After such a symbol, it
    abstains: the weights of the other members are divided by their sum. If all members
    abstain, the next symbol is uniform. A frozen member with ``handle_unknown="unk"``
    never abstains, and shares the probability of its unknown symbol equally among the
    symbols that it does not have. It requires ``handle_unknown="unk"`` of the mixture.

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
    >>> for one in [*model.estimators_, model]:
    ...     print(f"{type(one).__name__}: {one.nll(words[1::2]):.3f}")
    NGramCounter: 2.089
    BigramCounter: 2.457
    MixtureCharLM: 2.065

    A short list with a frozen model of a long one:

    >>> from sklearn.frozen import FrozenEstimator
    >>> moons = ["titan", "rhea", "dione", "mimas", "tethys", "phoebe", "iapetus"]
    >>> names = FrozenEstimator(NGramCounter().fit(words))
    >>> model = MixtureCharLM(
    ...     [names, NGramCounter()], weights="adaptive", cv=5, random_state=0
    ... ).fit(moons)
    >>> len(model.symbols_)
    27
    """

    estimators: Sequence[Member | tuple[str, Member]] = parameter(
        description="""
        The members: models of this package, with or without names. A model without a
        name gets the name of its class in lower case, followed by "-1", "-2" and so on
        if there are several. Parameters of members are set as ``name__parameter``, and
        ``name`` replaces a whole member. Copies of the members are fitted, with the
        alphabet and `handle_unknown` of the mixture; a member with another alphabet
        raises an error. The `checkpoint` of each copy is its path followed by the
        member's name; the mixture needs a `random_state` to resume from them. A fitted
        model in a `sklearn.frozen.FrozenEstimator` is a member that is not fitted
        again, and may have another alphabet.
        """,
        constraints=[list, tuple],
        type_text="list of estimators or of (str, estimator) pairs",
    )
    _: KW_ONLY
    weights: Weighting | Sequence[float] | np.ndarray = parameter(
        default="em",
        description="""
        Weights of the members. "em" finds the best weights for held-out words.
        "adaptive" also finds how much the weight of a member grows within a word if it
        predicts the characters so far better than the others. "uniform" gives equal
        weights and holds no words out. Numbers must be non-negative; they are divided
        by their sum, and no words are held out.
        """,
        constraints=[StrOptions({*get_args(Weighting)}), "array-like"],
        type_text='{"em", "adaptive", "uniform"} or array-like of shape (n_members,)',
    )
    validation_fraction: float = parameter(
        default=0.1,
        description="""
        Fraction of the total weight of the words that is held out, at random, to find
        the weights of the members. Equal words are held out together, at least one
        word, and at most twice this fraction of the distinct words. Not used with `cv`,
        or if all members are frozen.
        """,
        constraints=[Interval(Real, 0, 1, closed="neither")],
    )
    cv: CV = parameter(
        default=None,
        description="""
        Number of folds, or a splitter of scikit-learn. Members that were fitted on the
        other folds score each word but the longest. All these words determine the
        weights. Finally, the members are fitted on all words. Recommended for fewer
        than 1,000 words. None holds one part out.
        """,
        constraints=["cv_object"],
        type_text=CV_TEXT,
    )
    refit: bool = parameter(
        default=False,
        description="""
        Whether to fit the members again on all words once the weights are found. This
        takes twice the time, but the members then learn from the held-out words too.
        Ignored with `cv`: no member of a fold has seen all words, so the members are
        always fitted again.
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
        Weights of the members, with "adaptive" those at the start of a word; they sum
        to one. A member of weight 0 is not evaluated.
        """,
        type_text="ndarray of shape (n_members,)",
    )
    adaptation_: float = fitted(
        """
        How much the weights depend on the characters so far, from 0 to 1: ``a`` in the
        Notes. 0 means constant weights.
        """
    )
    validation_nll_: float | None = fitted(
        """
        Mean negative log-likelihood of the mixture on the held-out words, in nats per
        character; None if no word was held out.
        """
    )
    estimator_nlls_: np.ndarray | None = fitted(
        """
        The same for each member alone; infinite for a frozen member that lacks a
        character. With `refit` or `cv`, both are figures of the members before they
        were fitted again.
        """,
        type_text="ndarray of shape (n_members,) or None",
    )

    # ----------------------------------------------------------------- fitting

    def _training_set(self, words, sample_weight, is_warm_start):
        data = super()._training_set(words, sample_weight, is_warm_start)
        n_given = (
            data.encoded.n_words if sample_weight is None else np.size(sample_weight)
        )
        check_no_word_is_left_out(self.cv, data.encoded.n_words, n_given)
        return data

    def _max_subtasks(self) -> int | None:
        n_fits = 1
        if self._holds_out():
            if not isinstance(self.cv, Integral | None):
                return None
            n_fits += self.refit if self.cv is None else int(self.cv)
        return n_fits * (len(self._checked_members()) - len(self._frozen_models()))

    def _holds_out(self) -> bool:
        return isinstance(self.weights, str) and self.weights != "uniform"

    def _fit_encoded(self, data, callback_context):
        def train(members: Members, data: TrainingSet, purpose: str) -> Members:
            words = words_of(data)
            fits = [
                MemberFit(f"{purpose}-{name}", member, words, data.sample_weight)
                for name, member in members.items()
            ]
            task = self._callback_task(words, data.sample_weight)
            trained = fit_members(fits, callback_context, task, self.n_jobs)
            return dict(zip(members, trained, strict=True))

        return self._fit_and_weigh(data, train)

    def _partial_fit_encoded(self, data):
        if not self.__sklearn_is_fitted__():
            return self._fit_and_weigh(data, self._partially_trained)
        for model in self._checked_members().values():
            if isinstance(model, BaseCharLM):
                check_symbols(model, data.vocabulary)
        frozen = self._frozen_models()
        members = {
            name: member
            for name, member in self.named_estimators_.items()
            if name not in frozen
        }
        trained = self._partially_trained(members, data)
        return fitted_members({**self.named_estimators_, **trained})

    def _partially_trained(
        self, members: Members, data: TrainingSet, purpose: str = ""
    ) -> Members:
        """Return copies of the members that have learned these words too."""
        learned = words_of(data), data.sample_weight, data.vocabulary.alphabet
        fits = (
            delayed(partially_fitted)(member, *learned) for member in members.values()
        )
        trained = cast("list[BaseCharLM]", Parallel(n_jobs=self.n_jobs)(fits))
        return dict(zip(members, trained, strict=True))

    def _fit_and_weigh(
        self, data: TrainingSet, train: Callable[[Members, TrainingSet, str], Members]
    ) -> dict[str, Any]:
        """Fit new members, find their weights, and return the fitted attributes.

        ``train(members, data, purpose)`` returns the fitted members.
        """
        models = self._checked_members()
        rng = own_random_state(self.random_state)
        seeds = rng.randint(np.iinfo(np.int32).max, size=len(models)).tolist()
        # Copies, because fitting a frozen model elsewhere must not change the mixture.
        frozen = {name: copy.copy(m) for name, m in self._frozen_models().items()}

        def trained_copies(data: TrainingSet, purpose: str) -> Members:
            copies = {
                name: member_of_mixture(model, data.vocabulary, seed)
                for (name, model), seed in zip(models.items(), seeds, strict=True)
                if isinstance(model, BaseCharLM)
            }
            trained = {**frozen, **train(copies, data, purpose)}
            return {name: trained[name] for name in models}

        if self._holds_out():
            members, found = self._held_out_weights(data, rng, trained_copies)
        else:
            found = given_weights(self.weights, len(models))
            members = trained_copies(data, "fit")
        return {**fitted_members(members), **found.attributes}

    def _held_out_weights(
        self,
        data: TrainingSet,
        rng: np.random.RandomState,
        trained_copies: Callable[[TrainingSet, str], Members],
    ) -> tuple[Members, WeightsFound]:
        """Return the fitted members, and the weights that held-out words determine."""
        splits = self._splits(data, rng)
        if not splits:
            members = trained_copies(data, "fit")
            return members, equal_weights(len(members))
        names = [f"fold {i}" for i in range(len(splits))] if self.cv else ["fit"]
        trained = [
            trained_copies(learned, name)
            for (learned, _), name in zip(splits, names, strict=True)
        ]
        found = learned_weights(
            [[*members.values()] for members in trained],
            [held_out for _, held_out in splits],
            is_adaptive=self.weights == "adaptive",
        )
        if self.cv:
            return trained_copies(data, "fit"), found
        return trained_copies(data, "refit") if self.refit else trained[0], found

    def _splits(
        self, data: TrainingSet, rng: np.random.RandomState
    ) -> list[tuple[TrainingSet, TrainingSet]]:
        """Return pairs of training words and held-out words; none if all are equal."""
        if len(self._frozen_models()) == len(self.estimators):
            return [(data, data)]  # frozen members have not seen the words
        if self.cv is not None:
            return split_words(data, self.cv, rng)
        learned, held_out = hold_out(data, self.validation_fraction, rng)
        return [] if held_out is None else [(learned, held_out)]

    def _fit_labels(self, data, callback_context):
        return LabelledMixture.fitted(self, data, callback_context)

    def _labels_from_file(self, kept, n_labels):
        return LabelledMixture.from_saved(self, kept, n_labels)

    # -------------------------------------------------------------- vocabulary

    def _fit_vocabulary(self, joined):
        self._checked_members()
        return self._with_frozen_characters(super()._fit_vocabulary(joined))

    def _is_compatible(self, vocabulary):
        unknown = self.handle_unknown == "unk"
        allowed = vocabulary_of(self.alphabet, vocabulary, unknown=unknown)
        return self._with_frozen_characters(allowed) == vocabulary

    # ------------------------------------------------------------------- files

    def _state_to_save(self):
        members = members_to_save(self.named_estimators_, self._frozen_models())
        names = [field.name for field in fields(WeightsFound)]
        if not self.adaptation_:
            names.remove("adaptation")  # as in files of 0.1.0
        return {**members, **{name: getattr(self, f"{name}_") for name in names}}

    def _state_from_file(self, kept, vocabulary):
        members = members_from_file(kept, self._frozen_models(), vocabulary)
        found = WeightsFound.from_file(kept)
        if len(members) != len(found.weights):
            raise ValueError("members and weights are not of one length.")
        return {**fitted_members(members), **found.attributes}

    # ------------------------------------------------------------------- hooks

    def _check_trainable(self, encoded, vocabulary, is_warm_start):
        frozen = self._frozen_models()
        for model in frozen.values():
            reader(model, vocabulary)._check_readable(encoded, "words")
        members = self.named_estimators_ if is_warm_start else self._checked_members()
        for name, member in members.items():
            if name not in frozen:
                member._check_trainable(encoded, vocabulary, is_warm_start)

    def _check_readable(self, encoded, name):
        for member in self._active():
            member._check_readable(encoded, name)

    def _active(self) -> list[Reader]:
        """Return the members that have a weight."""
        active = np.flatnonzero(self.weights_)
        return [reader(self.estimators_[i], self.vocabulary_) for i in active]

    def _mixer(self) -> Mixer:
        log_weights = np.log(self.weights_[self.weights_ > 0])
        mixed = self._active(), log_weights, self.vocabulary_.n_symbols
        if not self.adaptation_:
            return Mixer(*mixed)
        return AdaptiveMixer(*mixed, self.adaptation_)

    def _contexts_after(self, encoded):
        return self._mixer().contexts_after(encoded)

    def _next_symbol_model(self):
        return self._mixer().next_symbol_model()

    def _knows_empty_word(self):
        active = np.flatnonzero(self.weights_)
        return any(self.estimators_[i]._knows_empty_word() for i in active)

    def _prefix_log_proba(self, encoded):
        return self._mixer().prefix_log_proba(encoded)

    def _target_log_proba(self, encoded):
        return self._mixer().target_log_proba(encoded)

    def _longest_word(self):
        limits = [member._longest_word() for member in self._active()]
        return min((limit for limit in limits if limit is not None), default=None)

    def _draws_at_once(self, shortest):
        return min(member._draws_at_once(shortest) for member in self._active())
