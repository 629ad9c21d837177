"""CharLMClassifier: one character model a class, and Bayes' rule."""

from numbers import Integral

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from scipy.special import log_softmax, logsumexp
from sklearn.base import ClassifierMixin, clone
from sklearn.utils import assert_all_finite, check_consistent_length, column_or_1d
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from ._code_points import joined_code_points
from ._members import fit_members, member_for, restored_member, word_folds
from ._sklearn import Interval, StrOptions, _fit_context
from ._word_estimator import BaseWordEstimator, checked_weight
from ._words import check_words

N_PLACES = 6
"""Places with a weight of their own: the last five characters read, and all before."""

PENALTY = 10.0
"""Of a weight's squared distance from that of Bayes' rule with a temperature. On the
shipped names by sex the log-loss with penalties of 1, 10 and 30 is 0.640, 0.596 and
0.582 after a hundred names, 0.478, 0.477 and 0.476 after a thousand, and with 1 and 10
0.3587 and 0.3593 after four fifths of the list."""

IMPOSSIBLE = -700.0
"""Log-probability of a character that has none, so that sums and ratios are finite."""

WORDS_AT_ONCE = 1 << 16


def moderated(log_proba):
    """Mix the probability under each class, half and half, with the mean of all.

    What one class has never seen then speaks against it by no more than ``log(2 K)``.

    Parameters
    ----------
    log_proba : ndarray of shape (n_predictions, n_classes)
        Log-probability of each character under each class.

    Returns
    -------
    log_proba : ndarray of shape (n_predictions, n_classes)
        The same after mixing.
    """
    log_mean = logsumexp(log_proba, axis=1, keepdims=True) - np.log(log_proba.shape[1])
    return np.logaddexp(log_proba, log_mean) - np.log(2)


def sums_by_place(log_proba, lengths, n_places=N_PLACES):
    """Sum the log-probabilities of each word by place, counted from its end.

    Parameters
    ----------
    log_proba : ndarray of shape (n_predictions, n_classes)
        Log-probability of each character and end mark under each class.

    lengths : ndarray of shape (n_words,)
        Predictions a word.

    n_places : int, default=6
        Number of places. The first is the end mark, the second the character before
        it; the last one takes all that is left.

    Returns
    -------
    sums : ndarray of shape (n_words, n_classes, n_places)
        The sums; 0 where a word has no such place.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_makemore._classifier import sums_by_place
    >>> log_proba = np.array([[-1.0], [-2.0], [-3.0], [-4.0]])
    >>> sums_by_place(log_proba, np.array([3, 1]), n_places=2)[:, 0]
    array([[-3., -3.],
           [-4.,  0.]])
    """
    ends = np.repeat(np.cumsum(lengths), lengths)  # (n_predictions,)
    places = np.minimum(ends - 1 - np.arange(len(ends)), n_places - 1)
    cells = np.repeat(np.arange(len(lengths)) * n_places, lengths) + places
    shape = len(lengths), n_places
    sums = [
        np.bincount(cells, column, minlength=np.prod(shape)).reshape(shape)
        for column in log_proba.T
    ]
    return np.stack(sums, axis=1)


def place_features(directions, words):
    """Compute what the weights of places are multiplied with.

    Parameters
    ----------
    directions : list of list of BaseCharLM
        A model a class that reads forwards, and one that reads backwards.

    words : list of str of length n_words
        The words.

    Returns
    -------
    features : ndarray of shape (n_words, n_classes, 4 * n_places)
        Log-probabilities in nats: forwards as they are, forwards moderated, backwards
        as they are, backwards moderated; places from the last one read.
    """
    lengths = np.array([len(word) + 1 for word in words])
    parts = []
    for members, texts in zip(directions, (words, backwards(words)), strict=True):
        log_proba = np.stack(
            [np.concatenate(member.token_log_proba(texts)) for member in members], 1
        )
        log_proba = np.maximum(log_proba, IMPOSSIBLE)
        parts.append(sums_by_place(log_proba, lengths))
        parts.append(sums_by_place(moderated(log_proba), lengths))
    return np.concatenate(parts, axis=2)


def word_features(directions, words):
    """Return the log-probability of each word, of shape (n_words, n_classes, 1)."""
    (members,) = directions
    log_proba = np.stack([member.score_samples(words) for member in members], axis=1)
    return np.maximum(log_proba, IMPOSSIBLE * 1e3)[:, :, np.newaxis]


def backwards(words):
    """Return the words with their characters in the opposite order."""
    return [word[::-1] for word in words]


def log_likelihood(weights, bias, features, targets, log_prior, sample_weight):
    """Log-likelihood of the classes, and its gradient.

    The log odds of the classes are ``log_prior + bias + features @ weights``.

    Parameters
    ----------
    weights : ndarray of shape (n_features,)
        Weights, the same for all classes.

    bias : ndarray of shape (n_classes,)
        One number a class.

    features : ndarray of shape (n_words, n_classes, n_features)
        What the weights are multiplied with.

    targets : ndarray of shape (n_words,)
        Index of each word's class.

    log_prior : ndarray of shape (n_classes,)
        Log-probability of each class.

    sample_weight : ndarray of shape (n_words,)
        Weight of each word.

    Returns
    -------
    value : float
        The weighted sum over the words, in nats.

    gradient : ndarray of shape (n_features + n_classes,)
        Its gradient by the weights and the bias.
    """
    log_proba = log_softmax(log_prior + bias + features @ weights, axis=1)
    rows = np.arange(len(targets))
    value = np.sum(sample_weight * log_proba[rows, targets])
    error = -np.exp(log_proba)
    error[rows, targets] += 1
    error *= sample_weight[:, np.newaxis]
    by_weight = np.einsum("nk,nkj->j", error, features)
    return value, np.concatenate([by_weight, error.sum(axis=0)])


def best_temperature(features, *likelihood):
    """Return the factor under which the classes are most likely.

    One word's worth of doubt keeps it finite where the classes can be told apart
    without an error.

    Parameters
    ----------
    features : ndarray of shape (n_words, n_classes, 1)
        Log-probabilities of the words.

    *likelihood
        The other arguments of `log_likelihood`.

    Returns
    -------
    factor : float
        Between 0 and 10.
    """
    bias = np.zeros(features.shape[1])

    def loss(factor):
        value, _ = log_likelihood(np.array([factor]), bias, features, *likelihood)
        return (factor - 1) ** 2 / 2 - value

    found = minimize_scalar(loss, bounds=(0, 10), method="bounded")
    return float(found.x)


def best_weights(features, center, *likelihood):
    """Return weights and biases under which the classes are most likely.

    Less a penalty for what is far from `center`, which makes the solution unique.

    Parameters
    ----------
    features : ndarray of shape (n_words, n_classes, n_features)
        What the weights are multiplied with.

    center : ndarray of shape (n_features,)
        The weights without any words.

    *likelihood
        The other arguments of `log_likelihood`.

    Returns
    -------
    weights : ndarray of shape (n_features,)
        The weights.

    bias : ndarray of shape (n_classes,)
        The biases.
    """
    n_features = len(center)
    start = np.concatenate([center, np.zeros(features.shape[1])])

    def loss(point):
        weights, bias = np.split(point, [n_features])
        value, gradient = log_likelihood(weights, bias, features, *likelihood)
        away = point - start
        return PENALTY / 2 * away @ away - value, PENALTY * away - gradient

    options = {"maxiter": 1000, "maxfun": 2000, "ftol": 1e-13, "gtol": 1e-6}
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options=options)
    return tuple(np.split(found.x, [n_features]))


class CharLMClassifier(ClassifierMixin, BaseWordEstimator):
    """Classifier with one character model a class: the language of a surname, say.

    Bayes' rule turns the probability of a word under each class's model into the
    probability of each class: ``log p(k | word) = log p(k) + log p(word | k) + const``.
    Every character adds its log ratio as if it were sure of it, so the sums are too
    confident: the model of a class knows only its few words. Therefore the log ratios
    are weighted here, by what makes the classes of training words most likely that the
    models have not seen; see `calibration`.

    Parameters
    ----------
    estimator : estimator, default=None
        The character model, of which copies are fitted. None is
        ``NGramCounter(handle_unknown="unk")``.

    priors : {"uniform"} or array-like of shape (n_classes,), default=None
        Probabilities of the classes; None takes their shares of the training words, or
        of their weights.

    calibration : {"places", "temperature"} or None, default="places"
        How log-probabilities of words become probabilities of classes.

        - None is Bayes' rule as it stands.
        - "temperature" multiplies all log-probabilities with one factor.
        - "places" has two models a class, one of which reads backwards, and a weight
          for each place in the word as seen from where the reading ends, for the
          log-probability as it is and mixed with the mean of all classes; and a bias a
          class. This has the best probabilities, and takes twice the time.

    cv : int, default=5
        Number of folds in which words are scored by models that have not seen them, to
        find the weights of `calibration`; equal words are in one fold.

    n_jobs : int, default=None
        Number of models that are fitted at once, in processes of their own. None is 1
        unless a `joblib.parallel_config` says otherwise, -1 all processors.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes, sorted.

    class_prior_ : ndarray of shape (n_classes,)
        Their probabilities before a word is seen.

    estimators_ : list of estimators of length n_classes
        The model of each class.

    backward_estimators_ : list of estimators of length n_classes
        The models that read backwards; empty unless `calibration` is "places".

    weights_ : ndarray of shape (n_features,)
        Weights of the log-probabilities: a single one, or with "places" those of
        reading forwards, forwards moderated, backwards, backwards moderated, six each,
        from the end of the reading on; the sixth is for all that is left.

    bias_ : ndarray of shape (n_classes,)
        Added to the log odds of each class; 0 unless `calibration` is "places".

    See Also
    --------
    CharLMFeatures : Likelihoods as columns, for a classifier of numbers.
    CharLMOutlierDetector : One class, and what is not in it.

    Notes
    -----
    All models have the same alphabet, that of all training words, unless `estimator`
    has an `alphabet`: else a letter that one class lacks would cost nothing there. With
    `calibration` each class is fitted once more a fold, so that "places" and five folds
    fit twelve models a class.

    The weights are those of a multinomial logistic regression whose features differ by
    class [1]_, penalised towards Bayes' rule with the best temperature. If all words
    of a class are in one fold, as a single word is, they cannot be learnt and scored
    both, and Bayes' rule stays as it is.

    Folds are cut from the order of the words, every `cv`-th distinct word of a class
    into one, and need no seed.

    References
    ----------
    .. [1] D. McFadden, "Conditional logit analysis of qualitative choice behavior",
       Frontiers in Econometrics, 1974.

    Examples
    --------
    >>> from sklearn_makemore import CharLMClassifier
    >>> from sklearn_makemore.datasets import load_names
    >>> words, sex = load_names(return_X_y=True)
    >>> classifier = CharLMClassifier().fit(words[::5], sex[::5])
    >>> classifier.predict(["marilouise", "hendrick"])
    array(['F', 'M'], dtype='<U1')
    >>> classifier.predict_proba(["robin"]).round(1)
    array([[0.3, 0.7]])
    """

    _parameter_constraints: dict = {
        "estimator": "no_validation",
        "priors": [StrOptions({"uniform"}), "array-like", None],
        "calibration": [StrOptions({"places", "temperature"}), None],
        "cv": [Interval(Integral, 2, None, closed="left")],
        "n_jobs": [Integral, None],
    }

    # Words are what scikit-learn calls X, not metadata that could be routed.
    __metadata_request__fit = {"words": UNUSED}
    __metadata_request__predict = {"words": UNUSED}
    __metadata_request__predict_proba = {"words": UNUSED}
    __metadata_request__predict_log_proba = {"words": UNUSED}
    __metadata_request__decision_function = {"words": UNUSED}

    def __init__(
        self, estimator=None, priors=None, *, calibration="places", cv=5, n_jobs=None
    ):
        self.estimator = estimator
        self.priors = priors
        self.calibration = calibration
        self.cv = cv
        self.n_jobs = n_jobs

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, words, y, sample_weight=None):
        """Fit a model for each class.

        Parameters
        ----------
        words : array-like of str of shape (n_words,)
            Training words: a list, tuple, array, Series or one-column data frame.
            ``""`` is a word.

        y : array-like of shape (n_words,)
            The class of each word.

        sample_weight : array-like of shape (n_words,), default=None
            Weight of each word, not negative. A weight of 2 is the word twice.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        ValueError
            If `words` is not what a model can be fitted on, if `y` is missing, of
            another length or not of classes, or if `priors` does not fit the classes.
        TypeError
            If something in `words` is not a string, or if `estimator` is no character
            model.
        """
        words, y, sample_weight = self._checked(words, y, sample_weight)
        classes, targets = np.unique(y, return_inverse=True)
        weight = np.bincount(targets, sample_weight)
        shares = weight / weight.sum()
        priors = self._checked_priors(shares)
        n_rounds = 1 if self.calibration is None else 1 + self.cv
        n_directions = 2 if self.calibration == "places" else 1
        context = self._init_callback_context(
            max_subtasks=n_rounds * n_directions * len(classes)
        )
        task = {"estimator": self, "X": words, "y": y}
        context.call_on_fit_task_begin(**task)
        rounds = [np.ones(len(words), dtype=bool), *self._folds(words, targets)]
        models = self._fit_rounds(rounds, words, targets, sample_weight, context, task)
        weights, bias = self._fit_weights(
            models[1:], rounds[1:], words, targets, np.log(shares), sample_weight
        )
        vars(self).update(
            classes_=classes,
            class_prior_=priors,
            estimators_=models[0][0],
            backward_estimators_=models[0][1] if n_directions == 2 else [],
            weights_=weights,
            bias_=bias,
        )
        context.call_on_fit_task_end(**task, reconstruction_attributes={})
        return self

    def predict(self, words):
        """Predict the most probable class of each word.

        Parameters
        ----------
        words : array-like of str of shape (n_words,)
            The words.

        Returns
        -------
        classes : ndarray of shape (n_words,)
            The classes.
        """
        best = self.predict_log_proba(words).argmax(axis=1)
        return self.classes_[best]

    def predict_log_proba(self, words):
        """Compute the log-probability of each class.

        Parameters
        ----------
        words : array-like of str of shape (n_words,)
            The words.

        Returns
        -------
        log_proba : ndarray of shape (n_words, n_classes), dtype float64
            Log-probabilities in nats, columns as `classes_`.
        """
        check_is_fitted(self)
        words = check_words(words)
        with np.errstate(divide="ignore"):  # a class may have a prior of 0
            bias = np.log(self.class_prior_) + self.bias_
        directions = [self.estimators_]
        if self.backward_estimators_:
            directions.append(self.backward_estimators_)
        parts = [
            _features(directions, words[start : start + WORDS_AT_ONCE]) @ self.weights_
            for start in range(0, len(words), WORDS_AT_ONCE)
        ]
        return log_softmax(bias + np.concatenate(parts), axis=1)

    def predict_proba(self, words):
        """Compute the probability of each class.

        Parameters
        ----------
        words : array-like of str of shape (n_words,)
            The words.

        Returns
        -------
        proba : ndarray of shape (n_words, n_classes), dtype float64
            Probabilities, columns as `classes_`.
        """
        return np.exp(self.predict_log_proba(words))

    def decision_function(self, words):
        """Compute the log odds of the classes.

        Parameters
        ----------
        words : array-like of str of shape (n_words,)
            The words.

        Returns
        -------
        decision : ndarray of shape (n_words,) or (n_words, n_classes)
            Of two classes the log odds of the second against the first, in nats; else
            the log-probability of each.
        """
        log_proba = self.predict_log_proba(words)
        if log_proba.shape[1] != 2:
            return log_proba
        return log_proba[:, 1] - log_proba[:, 0]

    def _checked(self, words, y, sample_weight):
        """Check words, classes and weights, and leave out the words of weight zero."""
        words = check_words(words)
        joined_code_points(words)  # their place among all words, not those of a class
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y, the class of each word, to be "
                "passed, but the target y is None."
            )
        y = column_or_1d(y, warn=True)
        kinds = {type(label).__name__ for label in y.tolist()}
        if y.dtype == object and (len(kinds) > 1 or "NoneType" in kinds):
            raise ValueError(
                "`y` must hold labels of one type, and none may be missing; got "
                f"{' and '.join(sorted(kinds))}."
            )
        check_consistent_length(words, y)
        assert_all_finite(y, input_name="y")
        check_classification_targets(y)
        sample_weight = checked_weight(sample_weight, words)
        if sample_weight is None:
            return words, y, None
        present = np.flatnonzero(sample_weight)
        return [words[row] for row in present], y[present], sample_weight[present]

    def _checked_priors(self, shares):
        """Return the prior probability of each class, of shape (n_classes,)."""
        if self.priors is None:
            return shares
        if isinstance(self.priors, str):
            return np.full(len(shares), 1 / len(shares))
        priors = np.asarray(self.priors, dtype=np.float64)
        if priors.shape != shares.shape:
            raise ValueError(
                f"`priors` must have one number for each of the {len(shares)} classes, "
                f"got an array of shape {priors.shape}."
            )
        if not (priors >= 0).all() or not np.isclose(priors.sum(), 1):
            raise ValueError(
                f"`priors` must not be negative, and sum to 1; got {priors}."
            )
        return priors

    def _folds(self, words, targets):
        """Return which words each fold learns from; none if one lacks a class."""
        if self.calibration is None:
            return []
        folds = word_folds(words, self.cv, targets)
        learnt = [folds != fold for fold in range(folds.max() + 1)]
        n_classes = targets.max() + 1
        n_learnt = [len(np.unique(targets[rows])) for rows in learnt]
        return learnt if min(n_learnt) == n_classes else []

    def _fit_rounds(self, rounds, words, targets, sample_weight, context, task):
        """Fit all models: for each round and direction one a class.

        Parameters
        ----------
        rounds : list of ndarray of shape (n_words,), dtype bool
            The words each round learns from; the first has all.

        words, targets, sample_weight
            The words, the index of their classes, and their weights or None.

        context, task
            As `fit_members` takes them.

        Returns
        -------
        models : list of list of list of BaseCharLM
            The fitted models, by round, direction and class.
        """
        model = member_for(self.estimator, words)
        texts = {"": words}
        if self.calibration == "places":
            texts[" backwards"] = backwards(words)
        n_classes = targets.max() + 1
        fits = []
        for number, learnt in enumerate(rounds):
            name = f"fold {number - 1}" if number else "fit"
            for direction, read in texts.items():
                for index in range(n_classes):
                    rows = np.flatnonzero(learnt & (targets == index))
                    fits.append(
                        (
                            f"{name} class {index}{direction}",
                            clone(model),
                            [read[row] for row in rows],
                            None if sample_weight is None else sample_weight[rows],
                        )
                    )
        fitted = iter(fit_members(fits, context=context, task=task, n_jobs=self.n_jobs))
        return [
            [[next(fitted) for _ in range(n_classes)] for _ in texts] for _ in rounds
        ]

    def _fit_weights(self, models, rounds, words, targets, log_prior, sample_weight):
        """Find the weights and biases by the words that each round has not learnt.

        Parameters
        ----------
        models : list of list of list of BaseCharLM
            Models by round, direction and class.

        rounds : list of ndarray of shape (n_words,), dtype bool
            The words each round has learnt from.

        words, targets, sample_weight
            The words, the index of their classes, and their weights or None.

        log_prior : ndarray of shape (n_classes,)
            Logarithms of the shares of the classes.

        Returns
        -------
        weights : ndarray of shape (n_features,)
            The weights.

        bias : ndarray of shape (n_classes,)
            The biases.
        """
        bias = np.zeros(len(log_prior))
        bayes = np.ones(1)
        if self.calibration == "places":  # the mean of both directions
            bayes = np.repeat([0.5, 0.0, 0.5, 0.0], N_PLACES)
        if not rounds or len(log_prior) == 1:
            return bayes, bias
        held_out = [np.flatnonzero(~learnt) for learnt in rounds]
        features = np.concatenate(
            [
                _features(directions, [words[row] for row in rows])
                for directions, rows in zip(models, held_out, strict=True)
            ]
        )
        rows = np.concatenate(held_out)
        weight = np.ones(len(rows)) if sample_weight is None else sample_weight[rows]
        likelihood = targets[rows], log_prior, weight
        factor = best_temperature((features @ bayes)[:, :, np.newaxis], *likelihood)
        if self.calibration == "temperature":
            return factor * bayes, bias
        return best_weights(features, factor * bayes, *likelihood)

    def _kept(self):
        """Return what a file keeps of what was fitted."""
        return {
            "classes": self.classes_,
            "class_prior": self.class_prior_,
            "estimators": self.estimators_,
            "backward_estimators": self.backward_estimators_,
            "weights": self.weights_,
            "bias": self.bias_,
        }

    def _restore(self, kept):
        """Set the fitted attributes by what `_kept` returned."""
        forwards, backwards = (
            [restored_member(member) for member in kept[key]]
            for key in ("estimators", "backward_estimators")
        )
        n_classes = len(forwards)
        shapes = {
            "classes": (n_classes,),
            "class_prior": (n_classes,),
            "weights": (4 * N_PLACES if backwards else 1,),
            "bias": (n_classes,),
        }
        for name, shape in shapes.items():
            if not isinstance(kept[name], np.ndarray) or kept[name].shape != shape:
                raise ValueError(f"{name} is {kept[name]!r}.")
        if not n_classes or len(backwards) not in (0, n_classes):
            raise ValueError("there are not as many models as classes.")
        for name in ("class_prior", "weights", "bias"):
            array = kept[name]
            if array.dtype != np.float64 or not np.isfinite(array).all():
                raise ValueError(f"{name} is {array!r}.")
        if (kept["class_prior"] < 0).any():
            raise ValueError(f"class_prior is {kept['class_prior']!r}.")
        vars(self).update(
            classes_=kept["classes"],
            class_prior_=kept["class_prior"],
            estimators_=forwards,
            backward_estimators_=backwards,
            weights_=kept["weights"],
            bias_=kept["bias"],
        )

    def __sklearn_is_fitted__(self):
        """Whether `fit` has come to its end."""
        return hasattr(self, "classes_")


def _features(directions, words):
    """Return what the weights are multiplied with, (n_words, n_classes, n_features)."""
    compute = place_features if len(directions) == 2 else word_features
    return compute(directions, words)
