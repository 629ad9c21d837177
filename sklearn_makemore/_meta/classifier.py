"""CharLMClassifier: one character model a class, and Bayes' rule."""

import reprlib
from numbers import Integral

import numpy as np
from scipy.special import log_softmax
from sklearn.base import ClassifierMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import assert_all_finite, check_consistent_length, column_or_1d
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from .._sklearn import Interval, StrOptions, _fit_context
from .._words.check import check_words
from .._words.code_points import encodable_words
from .._words.hold_out import word_folds
from .._words.training_set import check_sample_weight
from .calibration import (
    N_PLACES,
    backwards,
    best_temperature,
    best_weights,
    class_features,
)
from .members import BaseOfOneModel, fit_members, member_for, restored_member

WORD_CHUNK_SIZE = 1 << 16


class CharLMClassifier(ClassifierMixin, BaseOfOneModel):
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
        The character model, of which copies are fitted. None is ``NGramCounter()``. The
        copies have ``handle_unknown="unk"``: a character that no training word has is
        no error. Networks differ from fit to fit unless ``estimator__random_state`` is
        set. With a `checkpoint` each copy has a file of its own, that path followed by
        the name of its fit, ``"model.ckpt.fold-0"`` for example.

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
        reading forwards, forwards mixed with the mean of the classes, backwards, and
        backwards mixed with it, six each, from the end of the reading on; the sixth is
        for all that is left.

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
    class [1]_, penalised towards Bayes' rule with the best temperature. A class
    whose words are all in one fold, as a single word is, cannot be learned and scored
    both: it has no part in this, and no bias.

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

    @_fit_context(prefer_skip_nested_validation=False)
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
            model, or a frozen one: each class needs a model of its own.
        """
        words, y, sample_weight = self._checked_training(words, y, sample_weight)
        if isinstance(self.estimator, FrozenEstimator):
            raise TypeError(
                "`estimator` is a FrozenEstimator, but a classifier fits a model of "
                "its own for each class; pass the model without it."
            )
        model = member_for(self.estimator, words)
        classes, targets = np.unique(y, return_inverse=True)
        weight = np.bincount(targets, sample_weight)
        shares = weight / weight.sum()
        priors = self._checked_priors(shares)
        rounds = [np.ones(len(words), dtype=bool), *self._folds(words, targets)]
        texts = [words, backwards(words)] if self.calibration == "places" else [words]
        max_subtasks = len(rounds) * len(texts) * len(classes)
        context = self._init_callback_context(max_subtasks=max_subtasks)
        task = {"estimator": self, "X": words, "y": y}
        context.call_on_fit_task_begin(**task)
        fits = _fits(model, rounds, texts, targets, sample_weight)
        fitted = iter(fit_members(fits, context=context, task=task, n_jobs=self.n_jobs))
        models = [[[next(fitted) for _ in classes] for _ in texts] for _ in rounds]
        weights, bias = self._fit_weights(
            models[1:], rounds[1:], words, targets, np.log(shares), sample_weight
        )
        vars(self).update(
            classes_=classes,
            class_prior_=priors,
            estimators_=models[0][0],
            backward_estimators_=models[0][1] if len(texts) == 2 else [],
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
        models_by_direction = [self.estimators_]
        if self.backward_estimators_:
            models_by_direction.append(self.backward_estimators_)
        parts = [
            class_features(models_by_direction, words[start : start + WORD_CHUNK_SIZE])
            @ self.weights_
            for start in range(0, len(words), WORD_CHUNK_SIZE)
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

    def _checked_training(self, words, y, sample_weight):
        """Check words, classes and weights, and leave out the words of weight zero."""
        # Errors give the index among all words, not among those of a class.
        words = encodable_words(words)
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y, the class of each word, to be "
                "passed, but the target y is None."
            )
        if getattr(getattr(y, "dtype", None), "kind", None) == "T":
            y = y.astype(object)  # numpy's StringDType, which scikit-learn refuses
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
        sample_weight = check_sample_weight(sample_weight, words)
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
        try:
            priors = np.asarray(self.priors, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError(
                "`priors` must be a list of numbers, one for each of the classes in "
                f"their order, got {reprlib.repr(self.priors)}."
            ) from error
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
        """Return which words each fold learns from: some of every class."""
        if self.calibration is None:
            return []
        folds = word_folds(words, self.cv, targets)
        learned = [folds != fold for fold in range(folds.max() + 1)]
        # A class whose words are all in one fold is not held out.
        for rows in learned:
            rows |= ~np.isin(targets, targets[rows])
        return [rows for rows in learned if not rows.all()]

    def _fit_weights(self, models, rounds, words, targets, log_prior, sample_weight):
        """Find the weights and biases by the words that each round has not learned.

        Parameters
        ----------
        models : list of list of list of BaseCharLM
            Models by round, direction and class.

        rounds : list of ndarray of shape (n_words,), dtype bool
            The words each round has learned from.

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
        held_out = [np.flatnonzero(~learned) for learned in rounds]
        rows = np.concatenate([*held_out, np.empty(0, dtype=np.intp)])
        scored, targets = np.unique(targets[rows], return_inverse=True)
        if len(scored) < 2:
            return bayes, bias
        features = np.concatenate(
            [
                class_features(models_by_direction, [words[row] for row in rows])
                for models_by_direction, rows in zip(models, held_out, strict=True)
            ]
        )[:, scored]
        weight = np.ones(len(rows)) if sample_weight is None else sample_weight[rows]
        likelihood = targets, log_prior[scored], weight
        factor = best_temperature((features @ bayes)[:, :, np.newaxis], *likelihood)
        if self.calibration == "temperature":
            return factor * bayes, bias
        weights, bias[scored] = best_weights(features, factor * bayes, *likelihood)
        return weights, bias

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


def _fits(model, rounds, texts, targets, sample_weight):
    """Return what `fit_members` takes: by round, direction and class.

    Parameters
    ----------
    model : BaseCharLM
        The model, of which copies are fitted.

    rounds : list of ndarray of shape (n_words,), dtype bool
        The words each round learns from; the first has all.

    texts : list of list of str of length n_words
        The words as each direction reads them.

    targets, sample_weight
        The index of each word's class, and the weights or None.

    Returns
    -------
    fits : list of tuple (str, BaseCharLM, list of str, ndarray or None)
        Names, models, words and weights.
    """
    fits = []
    for number, learned in enumerate(rounds):
        name = f"fold {number - 1}" if number else "fit"
        for direction, text in zip(("", " backwards"), texts, strict=False):
            for index in range(targets.max() + 1):
                rows = np.flatnonzero(learned & (targets == index))
                fits.append(
                    (
                        f"{name} class {index}{direction}",
                        clone(model),
                        [text[row] for row in rows],
                        None if sample_weight is None else sample_weight[rows],
                    )
                )
    return fits
