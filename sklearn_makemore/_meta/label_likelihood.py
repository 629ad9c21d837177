"""What a model of labelled words predicts: words and characters given labels."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logsumexp, softmax
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import check_is_fitted

from .._arguments import parameter_constraints, validate_options
from .._base import BaseCharLM
from .._declarations import fitted
from .._methods.likelihood import LikelihoodMixin, mean_per_character
from .._word_estimator import BaseWordEstimator, own_random_state
from .._words.code_points import encodable_words
from .._words.types import Floats, Seed, Weights, Words
from .._words.vocabulary import EncodedWords
from .label_models import LabelModels, rows_of_labels
from .labels import label_array


class LabelledLikelihoodMixin(BaseWordEstimator):
    """Scores of words given labels, next characters, and ranks."""

    classes_: np.ndarray = fitted(
        "The labels, sorted.", type_text="ndarray of shape (n_classes,)"
    )
    class_count_: np.ndarray = fitted(
        "Total weight of the training words of each label.",
        type_text="ndarray of shape (n_classes,)",
    )
    class_prior_: np.ndarray = fitted(
        "Share of each label in the total weight of the training words.",
        type_text="ndarray of shape (n_classes,)",
    )
    estimators_: LabelModels = fitted(
        """
        The fitted model of the words of each label, in the order of `classes_`. Each is
        an ordinary model, computed when it is first used.
        """,
        type_text="sequence of estimators of length n_classes",
    )

    def score_samples(self, words: Words, y: ArrayLike | None = None) -> Floats:
        """Compute the log-probability of each word given its label.

        Parameters
        ----------
        words : array-like of str of shape (n_words,)
            A list, tuple, array, Series or one-column data frame; ``""`` is a word.

        y : array-like of shape (n_words,), a label, or None, default=None
            The label of each word, or that of all words. None averages the
            probabilities over the labels, weighted by `class_prior_`.

        Returns
        -------
        log_proba : ndarray of shape (n_words,), dtype float64
            ``log p(word | label)`` in nats: the sum over characters and the end mark.

        Raises
        ------
        NotFittedError
            If the model is not fitted.
        ValueError
            If a label is unknown, or if a word has a character outside the alphabet and
            the model has no symbol for unknown characters.
        """
        if y is None:
            parts = [self.score_samples(words, label) for label in self._labels()]
            return logsumexp(parts, axis=0, b=self.class_prior_[:, np.newaxis])
        encoded, labels = self._encoded_with(words, y)
        log_proba = np.empty(encoded.n_words)
        for rows, model in self._by_label(labels):
            log_proba[rows] = model._word_log_proba(encoded.take(rows))
        return log_proba

    def token_log_proba(self, words: Words, y: ArrayLike) -> list[Floats]:
        """Compute the log-probability of each character given the label of its word.

        Parameters
        ----------
        words : array-like of str of shape (n_words,)
            A list, tuple, array, Series or one-column data frame; ``""`` is a word.

        y : array-like of shape (n_words,) or a label
            The label of each word, or that of all words.

        Returns
        -------
        log_proba : list of ndarray of shape (len(word) + 1,), dtype float64
            For each word, the log-probability in nats of every character given those
            before it and the label, and finally that of the end mark.

        Raises
        ------
        NotFittedError, ValueError
            As `score_samples`.
        """
        encoded, labels = self._encoded_with(words, y)
        log_proba: list[Floats] = [np.empty(0)] * encoded.n_words
        for rows, model in self._by_label(labels):
            part = encoded.take(rows)
            found = np.split(model._symbol_log_proba(part), part.offsets[1:-1])
            for row, one in zip(rows.tolist(), found, strict=True):
                log_proba[row] = one
        return log_proba

    def score(
        self,
        words: Words,
        y: ArrayLike | None = None,
        sample_weight: Weights = None,
    ) -> float:
        """Compute the mean log-probability per predicted character given the labels.

        Parameters
        ----------
        words : array-like of str of shape (n_words,)
            A list, tuple, array, Series or one-column data frame; ``""`` is a word.

        y : array-like of shape (n_words,), a label, or None, default=None
            As in `score_samples`.

        sample_weight : array-like of shape (n_words,), default=None
            Non-negative weight of each word.

        Returns
        -------
        score : float
            Mean of ``log p(character | history, label)`` in nats; ``-nll(words, y)``.
        """
        log_proba = self.score_samples(words, y)
        lengths = self._reader._encoded(words).lengths
        return mean_per_character(log_proba, lengths, sample_weight)

    def nll(
        self,
        words: Words,
        y: ArrayLike | None = None,
        sample_weight: Weights = None,
    ) -> float:
        """Compute the mean negative log-likelihood per predicted character.

        Parameters
        ----------
        words : array-like of str of shape (n_words,)
            A list, tuple, array, Series or one-column data frame; ``""`` is a word.

        y : array-like of shape (n_words,), a label, or None, default=None
            As in `score_samples`.

        sample_weight : array-like of shape (n_words,), default=None
            Non-negative weight of each word.

        Returns
        -------
        nll : float
            In nats per predicted character; ``-score(words, y)``.
        """
        return -self.score(words, y, sample_weight=sample_weight)

    def predict_proba(self, prefixes: Words, label: Any = None) -> Floats:
        """Compute the distribution of the next character after each prefix.

        Parameters
        ----------
        prefixes : array-like of str of shape (n_prefixes,)
            Beginnings of words; ``""`` is the start of a word.

        label : a label, array-like of shape (n_prefixes,), or None, default=None
            The label of all words, or that of each. None averages over the labels, by
            their probabilities given the prefix.

        Returns
        -------
        proba : ndarray of shape (n_prefixes, n_symbols)
            Probability that each symbol comes next. The columns are in the order of
            `symbols_`; the first is the probability that the word ends here.

        Raises
        ------
        NotFittedError, ValueError
            As `score_samples`.
        """
        if label is None:
            return self._proba_of_any_label(prefixes)
        encoded, labels = self._encoded_with(prefixes, label, "prefixes")
        proba = np.empty((encoded.n_words, len(self.symbols_)))
        for rows, model in self._by_label(labels):
            log_proba, of_row = model._prefix_log_proba(encoded.take(rows))
            proba[rows] = np.exp(log_proba[of_row])
        return proba

    def _proba_of_any_label(self, prefixes: Words) -> Floats:
        """Return `predict_proba` for unknown labels, (n_prefixes, n_symbols)."""
        encoded = self._reader._encoded(prefixes, "prefixes")
        proba = []
        for model in self.estimators_:
            log_proba, rows = model._prefix_log_proba(encoded)
            proba.append(np.exp(log_proba[rows]))
        return np.einsum("kp,kps->ps", self._posterior(encoded), proba)

    def _posterior(self, encoded: EncodedWords) -> Floats:
        """Return the probability of each label after prefixes, (n_classes, n_prefixes).

        If no label allows a prefix, it is the prior.
        """
        log_prior = self._log_prior()
        joint = np.empty((len(log_prior), encoded.n_words))
        for row, model in enumerate(self.estimators_):
            tokens = model._symbol_log_proba(encoded)
            tokens[encoded.offsets[1:] - 1] = 0  # not the end mark
            joint[row] = log_prior[row] + np.add.reduceat(tokens, encoded.offsets[:-1])
        joint[:, np.isneginf(joint).all(axis=0)] = log_prior[:, np.newaxis]
        return softmax(joint, axis=0)

    def _log_prior(self) -> Floats:
        """Return the logarithm of `class_prior_`, (n_classes,)."""
        with np.errstate(divide="ignore"):  # tiny weights may round to 0
            return np.log(self.class_prior_)

    @validate_options(parameter_constraints(LikelihoodMixin.rank))
    def rank(
        self,
        words: Words,
        n_samples: int = 10_000,
        *,
        label: Any,
        random_state: Seed = None,
        return_std: bool = False,
    ) -> Floats | tuple[Floats, Floats]:
        """Estimate how many words are at least as probable, given the label.

        Parameters
        ----------
        words : array-like of str of shape (n_words,)
            A list, tuple, array, Series or one-column data frame; ``""`` is a word.

        n_samples : int, default=10_000
            Number of words to sample per label.

        label : a label or array-like of shape (n_words,)
            The label of all words, or that of each.

        random_state : int, RandomState instance or None, default=None
            Pass an int for the same ranks at each call; None samples fresh words.

        return_std : bool, default=False
            Whether to return the standard errors.

        Returns
        -------
        rank : ndarray of shape (n_words,), dtype float64
            As `NGramCounter.rank`, among the words of the label.

        std : ndarray of shape (n_words,), dtype float64
            Standard errors of the ranks, with `return_std`.

        Raises
        ------
        NotFittedError, ValueError
            As `score_samples`.
        """
        encoded, labels = self._encoded_with(words, label)
        rng = own_random_state(random_state)
        texts = encodable_words(words)
        rank, std = np.empty((2, encoded.n_words))
        for rows, model in self._by_label(labels):
            part = [texts[row] for row in rows.tolist()]
            rank[rows], std[rows] = model.rank(
                part, n_samples, random_state=rng, return_std=True
            )
        return (rank, std) if return_std else rank

    @property
    def symbols_(self) -> list[str]:
        """Texts of the symbols: ``""`` for the boundary, then the characters."""
        return self._reader.symbols_

    @property
    def _reader(self) -> BaseCharLM:
        """The model that encodes the words of all labels."""
        check_is_fitted(self)
        return self.estimators_.learned.reader

    def _encoded_with(
        self, words: Words, label: Any, name: str = "words"
    ) -> tuple[EncodedWords, np.ndarray]:
        """Return encoded words, and the index of each one's label, (n_words,)."""
        encoded = self._reader._encoded(words, name)
        if np.ndim(label) == 0:
            return encoded, np.repeat(self._row_of(label), encoded.n_words)
        labels = label_array(label)
        check_consistent_length(encoded.lengths, labels)
        return encoded, rows_of_labels(labels.tolist(), self.classes_)

    def _row_of(self, label: Any) -> int:
        """Return the index of a label in `classes_`."""
        if np.ndim(label):
            raise ValueError(f"`label` must be one label here, got {label!r}.")
        label = np.asarray(label).item() if hasattr(label, "dtype") else label
        return int(rows_of_labels([label], self.classes_)[0])

    def _labels(self) -> list[Any]:
        """Return the labels as Python values."""
        check_is_fitted(self)
        return self.classes_.tolist()

    def _by_label(self, labels: np.ndarray) -> Iterator[tuple[np.ndarray, BaseCharLM]]:
        """Yield the rows of each label that occurs, and the model of the label."""
        for label in np.unique(labels).tolist():
            yield np.flatnonzero(labels == label), self.estimators_[label]
