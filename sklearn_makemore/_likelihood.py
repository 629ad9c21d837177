"""LikelihoodMixin: methods that compute probabilities of given words."""

from collections.abc import Iterator

import numpy as np
from sklearn.utils.metadata_routing import UNUSED

from ._hooks import PredictionHooks
from ._words.training_set import check_sample_weight
from ._words.types import Floats, Weights, Words
from ._words.vocabulary import EncodedWords

SCORING_CHUNK_SIZE = 1 << 19
"""Approximate number of predictions scored at a time. Each takes eight bytes, little
compared with the words themselves."""


class LikelihoodMixin(PredictionHooks):
    """Log-probabilities of words, and scores that are derived from them."""

    # Words are scikit-learn's X, not metadata that could be routed.
    __metadata_request__score = {"words": UNUSED}
    __metadata_request__predict_proba = {"prefixes": UNUSED}

    def score_samples(self, words: Words) -> Floats:
        """Compute the log-probability of each word.

        Returns
        -------
        log_proba : ndarray of shape (n_words,), dtype float64
            Log-probability of each word in nats: the sum over its characters and its
            end mark.

        Raises
        ------
        NotFittedError
            If the model is not fitted.
        ValueError
            If a word has a character outside the alphabet and the model has no symbol
            for unknown characters, or if a word is longer than the model can read.
        """
        return self._word_log_proba(self._encoded(words))

    def token_log_proba(self, words: Words) -> list[Floats]:
        """Compute the log-probability of each character of each word.

        Returns
        -------
        log_proba : list of ndarray of shape (len(word) + 1,), dtype float64
            For each word, the log-probability in nats of every character given those
            before it, and finally that of the end mark. `score_samples` returns their
            sums.

        Raises
        ------
        NotFittedError
            If the model is not fitted.
        ValueError
            As `score_samples`.

        Examples
        --------
        >>> from sklearn_makemore import BigramCounter
        >>> model = BigramCounter(smoothing=0).fit(["ab", "ac"])
        >>> [log_proba.round(2) for log_proba in model.token_log_proba(["ab", "ac"])]
        [array([ 0.  , -0.69,  0.  ]), array([ 0.  , -0.69,  0.  ])]
        """
        return [
            log_proba
            for chunk, targets in self._scored_chunks(self._encoded(words))
            for log_proba in np.split(targets, chunk.offsets[1:-1])
        ]

    def score(
        self, words: Words, y: object = None, sample_weight: Weights = None
    ) -> float:
        """Compute the mean log-probability per predicted character.

        This is the mean negative log-likelihood of the makemore lectures with the
        opposite sign, because scikit-learn's searches maximise the score. Every
        character and the end mark of each word is predicted. The mean is over
        characters, not over words.

        Returns
        -------
        score : float
            Mean log-probability in nats per predicted character; ``-nll(words)``.
        """
        encoded = self._encoded(words)
        log_proba = self._word_log_proba(encoded)
        weights = check_sample_weight(sample_weight, encoded.lengths)
        if weights is None:
            return float(log_proba.sum() / encoded.n_predictions)
        # A word of weight zero must not count even if it is impossible.
        counted = weights > 0
        weights = weights[counted]
        # No dot product: its rounding depends on the number of BLAS threads.
        total = np.sum(log_proba[counted] * weights)
        return float(total / np.sum(encoded.lengths[counted] * weights))

    def nll(self, words: Words, sample_weight: Weights = None) -> float:
        """Compute the mean negative log-likelihood per predicted character.

        Returns
        -------
        nll : float
            Mean negative log-likelihood in nats per predicted character, the number
            that the makemore lectures print; ``-score(words)``.
        """
        return -self.score(words, sample_weight=sample_weight)

    def perplexity(self, words: Words, sample_weight: Weights = None) -> float:
        """Compute the perplexity per predicted character.

        Returns
        -------
        perplexity : float
            ``exp(nll(words))``. Each character is as hard to predict as a uniform
            choice among that many characters.
        """
        return float(np.exp(self.nll(words, sample_weight=sample_weight)))

    def predict_proba(self, prefixes: Words) -> Floats:
        """Compute the distribution of the next character after each prefix.

        Parameters
        ----------
        prefixes : array-like of str of shape (n_prefixes,)
            Beginnings of words; ``""`` is the start of a word.

        Returns
        -------
        proba : ndarray of shape (n_prefixes, n_symbols)
            Probability that each symbol comes next. The columns are in the order of
            `symbols_`; the first is the probability that the word ends here.

        Raises
        ------
        NotFittedError
            If the model is not fitted.
        ValueError
            If a prefix has a character outside the alphabet and the model has no symbol
            for unknown characters, or if a prefix is longer than the model can read.
        """
        encoded = self._encoded(prefixes, name="prefixes")
        log_proba, rows = self._prefix_log_proba(encoded)
        if len(log_proba) <= len(rows):
            return np.exp(log_proba)[rows]
        return np.exp(log_proba[rows])  # only these rows of a table of all contexts

    def _word_log_proba(self, encoded: EncodedWords) -> Floats:
        """Compute the log-probability of each word, (n_words,)."""
        # Sums are taken chunk by chunk, so that one chunk's predictions are in memory.
        chunks = encoded.chunks(SCORING_CHUNK_SIZE)
        return np.concatenate(
            [
                np.add.reduceat(self._target_log_proba(chunk), chunk.offsets[:-1])
                for chunk in chunks
            ]
        )

    def _symbol_log_proba(self, encoded: EncodedWords) -> Floats:
        """Compute the log-probability of each symbol of each word, (n_predictions,)."""
        chunks = self._scored_chunks(encoded)
        return np.concatenate([targets for _, targets in chunks])

    def _scored_chunks(
        self, encoded: EncodedWords
    ) -> Iterator[tuple[EncodedWords, Floats]]:
        """Yield chunks of words, and the log-probability of each of their symbols."""
        for chunk in encoded.chunks(SCORING_CHUNK_SIZE):
            yield chunk, self._target_log_proba(chunk)
