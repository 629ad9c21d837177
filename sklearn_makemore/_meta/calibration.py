"""From log-probabilities of words to probabilities of classes: features and weights."""

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from scipy.special import log_softmax, logsumexp

N_PLACES = 6
"""Places with a weight of their own: the last five characters read, and all before."""

PENALTY = 10.0
"""Of a weight's squared distance from that of Bayes' rule with a temperature. On the
shipped names by sex the log-loss with penalties of 1, 10 and 30 is 0.640, 0.596 and
0.582 after a hundred names, 0.478, 0.477 and 0.476 after a thousand, and with 1 and 10
0.3587 and 0.3593 after four fifths of the list."""

MIN_LOG_PROBA = -700.0
"""Of a character that is impossible, so that sums over places are finite."""

MIN_LOG_RATIO = -1e12
"""Of a word that is impossible in one class alone; of no possible one it is so low."""


def mixed_with_mean(log_proba):
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
    >>> from sklearn_makemore._meta.calibration import sums_by_place
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


def place_features(models_by_direction, words):
    """Compute what the weights of places are multiplied with.

    Parameters
    ----------
    models_by_direction : list of list of BaseCharLM
        A model a class that reads forwards, and one that reads backwards.

    words : list of str of length n_words
        The words.

    Returns
    -------
    features : ndarray of shape (n_words, n_classes, 4 * n_places)
        Log-probabilities in nats: forwards as they are and mixed with the mean of the
        classes, then backwards the same; places from the last one read.
    """
    lengths = np.array([len(word) + 1 for word in words])
    parts = []
    for members, texts in zip(
        models_by_direction, (words, backwards(words)), strict=True
    ):
        log_proba = np.stack(
            [np.concatenate(member.token_log_proba(texts)) for member in members], 1
        )
        log_proba = np.maximum(log_proba, MIN_LOG_PROBA)
        parts.append(sums_by_place(log_proba, lengths))
        parts.append(sums_by_place(mixed_with_mean(log_proba), lengths))
    return np.concatenate(parts, axis=2)


def word_features(models_by_direction, words):
    """Compute the log ratio of each word's probability to that of its best class.

    Parameters
    ----------
    models_by_direction : list of one list of BaseCharLM
        A model a class.

    words : list of str of length n_words
        The words.

    Returns
    -------
    features : ndarray of shape (n_words, n_classes, 1)
        Log ratios in nats, 0 for the best class; 0 for all where all find the word
        impossible.
    """
    (members,) = models_by_direction
    log_proba = np.stack([member.score_samples(words) for member in members], axis=1)
    best = log_proba.max(axis=1, keepdims=True)  # (n_words, 1)
    with np.errstate(invalid="ignore"):
        log_ratio = log_proba - best
    log_ratio = np.nan_to_num(log_ratio, nan=0.0, neginf=MIN_LOG_RATIO)
    return log_ratio[:, :, np.newaxis]


def class_features(models_by_direction, words):
    """Compute what the weights of a classifier are multiplied with.

    Parameters
    ----------
    models_by_direction : list of list of BaseCharLM
        A model a class that reads forwards, and maybe one that reads backwards.

    words : list of str of length n_words
        The words.

    Returns
    -------
    features : ndarray of shape (n_words, n_classes, n_features)
        `place_features` of two directions, `word_features` of one.
    """
    compute = place_features if len(models_by_direction) == 2 else word_features
    return compute(models_by_direction, words)


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

    The penalty ``(factor - 1)**2 / 2``, in nats, keeps the factor finite where the
    classes can be separated.

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
