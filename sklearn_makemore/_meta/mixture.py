"""MixtureCharLM: several models as one, their probabilities mixed by weights."""

import copy
import reprlib
from dataclasses import dataclass
from functools import reduce
from numbers import Integral, Real

import numpy as np
from sklearn.base import clone
from sklearn.utils import Bunch
from sklearn.utils.parallel import Parallel, delayed

from .._base import BaseCharLM
from .._sklearn import Interval, StrOptions, _VisualBlock
from .._word_estimator import own_random_state
from .._words.hold_out import hold_out
from .._words.windows import distinct_rows
from .em import em_weights, normalized
from .members import fit_members, restored_member


@dataclass(frozen=True, eq=False)
class MixedContexts:
    """Contexts of a mixture: those of its members, side by side.

    Parameters
    ----------
    parts : tuple of contexts of length n_contexts
        The contexts of each member that has a weight.
    """

    parts: tuple

    def __len__(self):
        """Return the number of contexts."""
        return len(self.parts[0])

    def __getitem__(self, indices):
        """Return the contexts at some rows."""
        return MixedContexts(tuple(part[indices] for part in self.parts))


@dataclass(frozen=True, eq=False)
class MixedModel:
    """The `NextSymbolModel` of a mixture, whose contexts are `MixedContexts`.

    models : those of the members that have a weight.
    log_weights : (n_members,), logarithms of their weights.
    """

    models: list
    log_weights: np.ndarray

    def next_log_proba(self, contexts):
        """Return the mixed distributions, and the row of each context."""
        distributions = [
            model.next_log_proba(part)
            for model, part in zip(self.models, contexts.parts, strict=True)
        ]
        return _mixed_rows(distributions, self.log_weights)

    def advance(self, contexts, ids):
        """Return the contexts after one more symbol each."""
        return MixedContexts(
            tuple(
                model.advance(part, ids)
                for model, part in zip(self.models, contexts.parts, strict=True)
            )
        )


class MixtureCharLM(BaseCharLM):
    """Weighted mixture of models: ``p(c | h) = sum over k of w_k p_k(c | h)``.

    The probabilities of every next character are mixed, so that the mixture is a model
    like its members: it scores, samples and predicts as they do. Models that err in
    different ways, such as counts and a network, are better together than the best of
    them alone.

    All members are fitted on the same words. The weights are those under which words
    held out from them are most likely, found by expectation maximisation [1]_ [2]_: on
    these words no member alone is better than the mixture. Equal words are held out
    together, and the longest word is not, so that every member can read what is. If all
    words are equal none can be held out, and the weights are equal.

    Parameters
    ----------
    estimators : list of estimators or of (str, estimator) pairs
        The members, models of this package, with names or without. A model without one
        is called by its class in lower case, with "-1", "-2" and so on behind it if
        there are several. Their parameters are set as ``name__parameter``, and
        ``name`` replaces a whole member. Copies of them are fitted, with the alphabet
        and `handle_unknown` of the mixture; a member that asks for others is an error.
        Each copy has a `checkpoint` of its own, the path with a name behind it; to go
        on from these the mixture needs a `random_state`.

    weights : {"em", "uniform"} or array-like of shape (n_members,), default="em"
        Weights of the members: the best for words held out, or equal ones, or those
        given, which are not negative and are divided by their sum. Only "em" holds out
        words.

    validation_fraction : float, default=0.1
        Share of the words, drawn at random, that is held out to find the weights; at
        least one.

    refit : bool, default=False
        Whether the members are fitted again on all words once the weights are found.
        It takes twice the time, and the members are the better for the words that were
        held out.

    alphabet : str or array-like of str, default=None
        Characters the model knows; None takes those of the training words.

    handle_unknown : {"error", "unk"}, default="error"
        What to do with a character outside the alphabet: raise an error that names it,
        or treat it as the symbol ``"<unk>"``, for which some probability is reserved.

    n_jobs : int, default=None
        Number of members that are fitted at once, in processes of their own. None is 1
        unless a `joblib.parallel_config` says otherwise, -1 all processors. Put the
        slowest member first.

    random_state : int, RandomState instance or None, default=None
        Determines the words held out, and the `random_state` of every member where
        that is None. Pass an int for the same model at each call.

    Attributes
    ----------
    estimators_ : list of estimators of length n_members
        The fitted members.

    named_estimators_ : Bunch
        The fitted members by name.

    weights_ : ndarray of shape (n_members,)
        Weights of the members; they sum to one. A member of weight 0 costs no time.

    validation_nll_ : float or None
        Mean negative log-likelihood of the mixture on the words held out, in nats per
        character; None if none were.

    estimator_nlls_ : ndarray of shape (n_members,) or None
        The same of each member alone. With `refit` both are of the members as they
        were before they learned the words held out.

    vocabulary_ : CharVocabulary
        The symbols and their ids.

    symbols_ : list of str of length n_symbols
        Texts of the symbols: ``""`` for the boundary, then the characters.

    longest_word_ : int
        Number of characters of the longest training word.

    See Also
    --------
    NGramCounter : Counts, the quickest member and unlike the networks.
    LSTMCharLM : The best single network.

    Notes
    -----
    A recipe, which takes minutes: ``LSTMCharLM(n_hidden=400, dropout=0.3,
    recurrent_dropout=0.3, lr=0.006, max_epochs=12)`` with `GRUCharLM`,
    `TransformerCharLM` and `NGramCounter` as they are, and ``n_jobs=2``. Fitted on the
    training and validation words of the makemore lectures with
    ``validation_fraction=1 / 9``, so that as many words are learned from and as many
    held out as the lectures have, it has a test NLL of 1.885 nats per character; its
    members have 1.906, 1.929, 1.963 and 1.978.

    The first call of `partial_fit` holds out words and finds the weights like `fit`,
    but each member learns by its own `partial_fit`. Later calls show all words to every
    member; alphabet and weights stay as they are, and so do the parameters of the
    members.

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

    _parameter_constraints: dict = {
        **BaseCharLM._parameter_constraints,
        "estimators": [list, tuple],
        "weights": [StrOptions({"em", "uniform"}), "array-like"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "refit": ["boolean"],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimators,
        *,
        weights="em",
        validation_fraction=0.1,
        refit=False,
        alphabet=None,
        handle_unknown="error",
        n_jobs=None,
        random_state=None,
    ):
        self.estimators = estimators
        self.weights = weights
        self.validation_fraction = validation_fraction
        self.refit = refit
        self.alphabet = alphabet
        self.handle_unknown = handle_unknown
        self.n_jobs = n_jobs
        self.random_state = random_state

    # -------------------------------------------------------------- parameters

    def get_params(self, deep=True):
        """Return the parameters.

        Parameters
        ----------
        deep : bool, default=True
            Whether to return the members by their names, and their parameters as
            ``name__parameter``, too.

        Returns
        -------
        params : dict
            Parameters by name.
        """
        own = super().get_params(deep=deep)
        if not deep:
            return own
        of_members = {}
        for name, member in named_members(self.estimators):
            if isinstance(name, str) and isinstance(member, BaseCharLM):
                of_members[name] = member
                for key, value in member.get_params(deep=True).items():
                    of_members[f"{name}__{key}"] = value
        return {**of_members, **own}

    def set_params(self, **params):
        """Set parameters, of the members too.

        Parameters
        ----------
        **params : dict
            Parameters of the mixture; members by their names, which they keep;
            parameters of members as ``name__parameter``.

        Returns
        -------
        self : object
            The model.
        """
        if "estimators" in params:
            self.estimators = params.pop("estimators")
        members = named_members(self.estimators)
        own = self.get_params(deep=False)
        replaced = {
            name
            for name, _ in members
            if isinstance(name, str) and name in params and name not in own
        }
        if replaced:
            self.estimators = [
                (name, params[name] if name in replaced else member)
                for name, member in members
            ]
        rest = {key: value for key, value in params.items() if key not in replaced}
        return super().set_params(**rest)

    def _checked_members(self):
        """Return the names and the members, or say what is wrong with them."""
        members = named_members(self.estimators)
        if not members:
            raise ValueError(
                "`estimators` is empty; a mixture needs at least one model."
            )
        own = self.get_params(deep=False)
        seen = set()
        for index, (name, member) in enumerate(members):
            if not isinstance(member, BaseCharLM):
                raise TypeError(
                    f"`estimators` must hold models, such as NGramCounter(), or pairs "
                    f"of a name and a model; got {reprlib.repr(member)} of type "
                    f"{type(member).__name__} at index {index}."
                )
            member._validate_params()  # before others have been fitted
            if not isinstance(name, str):
                raise TypeError(
                    f"The name of a model must be a string, got {reprlib.repr(name)} "
                    f"of type {type(name).__name__} at index {index} of `estimators`."
                )
            if name in seen:
                raise ValueError(
                    f"The name {name!r} comes twice in `estimators`, again at index "
                    f"{index}; give every model a name of its own."
                )
            if "__" in name or name in own:
                raise ValueError(
                    f"The name {name!r} at index {index} of `estimators` is a "
                    "parameter's or has two underscores, which set the parameters of "
                    "the members apart; choose another."
                )
            seen.add(name)
        names, models = zip(*members, strict=True)
        return names, models

    # ----------------------------------------------------------------- fitting

    def _max_subtasks(self):
        names, _ = self._checked_members()
        return len(names) * (2 if self.refit and self._holds_out() else 1)

    def _holds_out(self):
        return isinstance(self.weights, str) and self.weights == "em"

    def _fit_encoded(self, data, callback_context):
        names, _ = self._checked_members()

        def train(members, words, sample_weight, purpose):
            fits = [
                (f"{purpose}-{name}", member, words, sample_weight)
                for name, member in zip(names, members, strict=True)
            ]
            return fit_members(
                fits,
                context=callback_context,
                task=self._callback_task(words),
                n_jobs=self.n_jobs,
            )

        return self._fit_and_weigh(data, train)

    def _partial_fit_encoded(self, data):
        def train(members, words, sample_weight, purpose=None):
            return Parallel(n_jobs=self.n_jobs)(
                delayed(_partially_fitted)(member, words, sample_weight)
                for member in members
            )

        if not self.__sklearn_is_fitted__():
            return self._fit_and_weigh(data, train)
        self._check_trainable(data.encoded, data.vocabulary, is_warm_start=True)
        members = train(self.estimators_, data.words, data.sample_weight)
        return _by_name(self.named_estimators_, members)

    def _fit_and_weigh(self, data, train):
        """Fit new members, find their weights, and return the fitted attributes.

        ``train(members, words, sample_weight, purpose)`` returns the fitted members.
        """
        names, models = self._checked_members()
        # Errors name the index of a word, which holding words out would change.
        self._check_trainable(data.encoded, data.vocabulary, is_warm_start=False)
        rng = own_random_state(self.random_state)
        seeds = rng.randint(np.iinfo(np.int32).max, size=len(models))

        def train_copies(part, purpose):
            members = [
                _new_member(model, data.vocabulary, int(seed))
                for model, seed in zip(models, seeds, strict=True)
            ]
            return train(members, part.words, part.sample_weight, purpose)

        if not self._holds_out():
            weights = self._given_weights(len(models))
            members = train_copies(data, "fit")
            return {
                **_by_name(names, members),
                "weights_": weights,
                "validation_nll_": None,
                "estimator_nlls_": None,
            }
        learning, held_out = hold_out(data, self.validation_fraction, rng)
        members = train_copies(learning, "fit")
        measured = _measured(members, held_out)
        if self.refit and held_out is not None:
            members = train_copies(data, "refit")
        return {**_by_name(names, members), **measured}

    def _given_weights(self, n_members):
        """Return the weights that are not learned, of shape (n_members,)."""
        if isinstance(self.weights, str):
            return np.full(n_members, 1 / n_members)
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
        if not all(
            restored_member(member).vocabulary_ == vocabulary for member in members
        ):
            raise ValueError("members have other characters.")
        if not all(isinstance(name, str) for name in names):
            raise TypeError(f"members have the names {names!r}.")
        if not len(members) == len(names) == len(set(names)) == len(weights) > 0:
            raise ValueError("names, members and weights are not of one length.")
        is_sum = weights.dtype == np.float64 and abs(weights.sum() - 1) < 1e-6
        if weights.ndim != 1 or not is_sum or not (weights >= 0).all():
            raise ValueError(f"weights are {weights!r}.")
        nll, nlls = kept["validation_nll"], kept["estimator_nlls"]
        if nll is not None and type(nll) is not float:
            raise ValueError(f"validation_nll is {nll!r}.")
        if nlls is not None and (
            not isinstance(nlls, np.ndarray)
            or (nlls.dtype, nlls.shape) != (np.float64, weights.shape)
        ):
            raise ValueError(f"estimator_nlls are {nlls!r}.")
        return {
            **_by_name(names, members),
            "weights_": weights,
            "validation_nll_": nll,
            "estimator_nlls_": nlls,
        }

    # ------------------------------------------------------------------- hooks

    def _check_trainable(self, encoded, vocabulary, is_warm_start):
        members = self.estimators_ if is_warm_start else self._checked_members()[1]
        for member in members:
            member._check_trainable(encoded, vocabulary, is_warm_start)

    def _check_readable(self, encoded, name):
        for member in self._active()[0]:
            member._check_readable(encoded, name)

    def _active(self):
        """Return the members that have a weight, and the logarithms of these."""
        active = np.flatnonzero(self.weights_)
        return [self.estimators_[i] for i in active], np.log(self.weights_[active])

    def _contexts_after(self, encoded):
        members, _ = self._active()
        return MixedContexts(
            tuple(member._contexts_after(encoded) for member in members)
        )

    def _next_symbol_model(self):
        members, log_weights = self._active()
        models = [member._next_symbol_model() for member in members]
        return MixedModel(models, log_weights)

    def _prefix_log_proba(self, encoded):
        members, log_weights = self._active()
        distributions = [member._prefix_log_proba(encoded) for member in members]
        return _mixed_rows(distributions, log_weights)

    def _target_log_proba(self, encoded):
        members, log_weights = self._active()
        return _log_mixture(
            (member._target_log_proba(encoded) for member in members), log_weights
        )

    def _longest_word(self):
        members, _ = self._active()
        limits = [member._longest_word() for member in members]
        return min((limit for limit in limits if limit is not None), default=None)

    def _draws_at_once(self, shortest):
        members, _ = self._active()
        return min(member._draws_at_once(shortest) for member in members)

    def _sk_visual_block_(self):
        """Draw the members side by side in the HTML representation."""
        members = named_members(self.estimators)
        return _VisualBlock(
            "parallel",
            [member for _, member in members],
            names=[name for name, _ in members],
        )


def named_members(estimators):
    """Return pairs of a name and a model; a model without a name gets one.

    What is no list has no members, and what is no model is not refused here:
    parameters can be asked for and set before they are checked.
    """
    if not isinstance(estimators, (list, tuple)):
        return []
    pairs = [
        entry if _is_pair(entry) else (type(entry).__name__.lower(), entry)
        for entry in estimators
    ]
    unnamed = [
        name
        for (name, _), entry in zip(pairs, estimators, strict=True)
        if not _is_pair(entry)
    ]
    numbers = dict.fromkeys(unnamed, 0)
    for index, entry in enumerate(estimators):
        name, model = pairs[index]
        if not _is_pair(entry) and unnamed.count(name) > 1:
            numbers[name] += 1
            pairs[index] = f"{name}-{numbers[name]}", model
    return pairs


def _is_pair(entry):
    return isinstance(entry, (tuple, list)) and len(entry) == 2


def _new_member(model, vocabulary, seed):
    """Copy a model for a mixture's symbols; without a seed of its own it gets one."""
    own = model.get_params(deep=False)
    of_mixture = "unk" if vocabulary.unknown else "error"
    if own["handle_unknown"] not in ("error", of_mixture):
        raise ValueError(
            f"{reprlib.repr(model)} has handle_unknown={own['handle_unknown']!r}, and "
            f"the mixture has {of_mixture!r}, which holds for all its members; set it "
            "on the mixture."
        )
    alphabet = own["alphabet"]
    if alphabet is not None and {*alphabet} != {*vocabulary.characters}:
        raise ValueError(
            f"{reprlib.repr(model)} has an alphabet that is not the mixture's, which "
            "holds for all its members; set it on the mixture."
        )
    member = clone(model).set_params(
        alphabet=vocabulary.characters,
        handle_unknown="unk" if vocabulary.unknown else "error",
    )
    if "random_state" in own and own["random_state"] is None:
        member.set_params(random_state=seed)
    return member


def _partially_fitted(member, words, sample_weight):
    """Return a copy that has learned more: an interrupt must leave the member whole."""
    # A shallow one, since `partial_fit` changes no fitted attribute in place.
    return copy.copy(member).partial_fit(words, sample_weight=sample_weight)


def _by_name(names, members):
    """Return the fitted attributes that are the members."""
    named = Bunch(**dict(zip(names, members, strict=True)))
    return {"estimators_": list(members), "named_estimators_": named}


def _measured(members, held_out):
    """Return the fitted attributes that follow from words held out, or from none."""
    if held_out is None:
        return {
            "weights_": np.full(len(members), 1 / len(members)),
            "validation_nll_": None,
            "estimator_nlls_": None,
        }
    encoded, weight = held_out.encoded, held_out.sample_weight
    counts = np.repeat(weight / weight.max(), encoded.lengths)
    log_proba = np.array(
        [
            np.concatenate([part for _, part in member._scored_chunks(encoded)])
            for member in members
        ]
    )  # (n_members, n_predictions)
    weights = em_weights(log_proba, counts)
    active = np.flatnonzero(weights)
    mixed = _log_mixture(log_proba[active], np.log(weights[active]))
    shares = counts / counts.sum()
    return {
        "weights_": weights,
        "validation_nll_": -float(np.sum(shares * mixed)),
        "estimator_nlls_": -np.sum(shares * log_proba, axis=1),
    }


def _mixed_rows(distributions, log_weights):
    """Mix the distributions that members have after the same contexts.

    Parameters
    ----------
    distributions : list of tuple of (ndarray, ndarray)
        Of each member what `next_log_proba` returns: its distinct distributions, of
        shape (n_distinct, n_symbols), and the row of each context in them.

    log_weights : ndarray of shape (n_members,)
        Logarithms of the weights.

    Returns
    -------
    log_proba : ndarray of shape (n_combinations, n_symbols)
        The mixture, once for all contexts that have the same rows in every member.
    rows : ndarray of shape (n_contexts,)
        The row of each context in it.
    """
    if len(distributions) == 1:
        return distributions[0]
    tables, rows = zip(*distributions, strict=True)
    combinations, rows = distinct_rows(
        np.stack(rows, axis=1).astype(np.int64), max(map(len, tables))
    )
    taken = (table[at] for table, at in zip(tables, combinations.T, strict=True))
    return _log_mixture(taken, log_weights), rows


def _log_mixture(log_probas, log_weights):
    """Mix arrays of log-probabilities, one a member; ``-inf`` where all have it."""
    return reduce(
        np.logaddexp,
        (
            log_proba + log_weight
            for log_proba, log_weight in zip(log_probas, log_weights, strict=True)
        ),
    )
