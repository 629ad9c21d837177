"""LikelihoodMixin: methods that compute probabilities of given words."""

from collections.abc import Iterator
from numbers import Integral

import numpy as np
from sklearn.utils.metadata_routing import UNUSED

from .._arguments import validate_options
from .._generation.rank import SampledRanks, sampled_log_proba
from .._generation.sampling import DrawOptions, Source
from .._sklearn import Interval
from .._word_estimator import own_random_state
from .._words.symbols import SymbolVocabulary
from .._words.training_set import check_sample_weight
from .._words.types import Floats, Ids, Seed, Weights, Words
from .._words.vocabulary import EncodedWords
from .hooks import PredictionHooks

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

    @validate_options({})
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
        return mean_per_character(log_proba, encoded.lengths, sample_weight)

    @validate_options({})
    def nll(self, words: Words, sample_weight: Weights = None) -> float:
        """Compute the mean negative log-likelihood per predicted character.

        Returns
        -------
        nll : float
            Mean negative log-likelihood in nats per predicted character, the number
            that the makemore lectures print; ``-score(words)``.
        """
        return -self.score(words, sample_weight=sample_weight)

    @validate_options({})
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

    @validate_options(
        {
            "n_samples": [Interval(Integral, 2, None, closed="left")],
            "random_state": ["random_state"],
            "return_std": ["boolean"],
        }
    )
    def rank(
        self,
        words: Words,
        n_samples: int = 10_000,
        *,
        random_state: Seed = None,
        return_std: bool = False,
    ) -> Floats | tuple[Floats, Floats]:
        """Estimate how many words are at least as probable as each word.

        This is the number of guesses until the word is found, if words are tried from
        the most probable on [1]_. The model samples words. A word that it samples with
        the probability p stands for ``1 / (n_samples * p)`` words.

        The relative error is about ``1 / sqrt(n_samples)`` for a word of ordinary
        probability. It is larger for a word that is more probable, or much less
        probable, than most samples; `most_likely` ranks the first words exactly. A word
        that is less probable than all samples gets the largest rank among the samples,
        which may be too low by many orders of magnitude.

        Parameters
        ----------
        words : array-like of str of shape (n_words,)
            A list, tuple, array, Series or one-column data frame; ``""`` is a word.

        n_samples : int, default=10_000
            Number of words to sample.

        random_state : int, RandomState instance or None, default=None
            Pass an int for the same ranks at each call; None samples fresh words.

        return_std : bool, default=False
            Whether to return the standard errors.

        Returns
        -------
        rank : ndarray of shape (n_words,), dtype float64
            Estimated number of words without unknown characters that are at least as
            probable, including the word and, if probable enough, the empty word; at
            least 1, and inf for an impossible word.

        std : ndarray of shape (n_words,), dtype float64
            Standard errors of the ranks, with `return_std`. That of a word with the
            probability p that is more probable than all samples is
            ``1 / (n_samples * p)``, that of a word that is less probable than all
            samples is inf, and that of an impossible word is nan.

        Raises
        ------
        NotFittedError
            If the model is not fitted.
        ValueError
            As `score_samples`.

        References
        ----------
        .. [1] M. Dell'Amico, M. Filippone, "Monte Carlo strength evaluation: fast and
           reliable password checking", ACM CCS 2015.

        Examples
        --------
        >>> from sklearn_makemore import NGramCounter
        >>> from sklearn_makemore.datasets import load_names
        >>> model = NGramCounter().fit(load_names().data)
        >>> ranks = model.rank(["emma", "emxma"], random_state=0)
        >>> print(*(f"{rank:.2g}" for rank in ranks))
        7e+02 4.5e+08
        """
        log_proba = self._word_log_proba(self._encoded(words))
        options = DrawOptions(
            max_length=self._default_max_length(0),
            never_id=self.vocabulary_.unknown_id,
        )
        start = self._contexts_after(self._encoded([""]))
        source = Source(self._next_symbol_model(), start, 0, options)
        rng = own_random_state(random_state)
        at_once = self._draws_at_once(0)
        sizes = [
            min(at_once, n_samples - start) for start in range(0, n_samples, at_once)
        ]
        vocabulary, are_words = self.vocabulary_, None
        if isinstance(vocabulary, SymbolVocabulary):
            are_words = vocabulary.are_words
        samples = [sampled_log_proba(source, size, rng, are_words) for size in sizes]
        ranks = SampledRanks.of(*map(np.concatenate, zip(*samples, strict=True)))
        rank, std = ranks(log_proba)
        return (rank, std) if return_std else rank

    def _word_log_proba(self, encoded: EncodedWords) -> Floats:
        """Compute the log-probability of each word, (n_words,)."""
        # Sums are taken chunk by chunk, so that one chunk's predictions are in memory.
        chunks = encoded.chunks(SCORING_CHUNK_SIZE)
        return np.concatenate([self._sum_log_proba(chunk) for chunk in chunks])

    def _sum_log_proba(self, encoded: EncodedWords) -> Floats:
        """Compute the log-probability of each word of a chunk, (n_words,)."""
        return np.add.reduceat(self._target_log_proba(encoded), encoded.offsets[:-1])

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


def mean_per_character(
    log_proba: Floats, lengths: Ids, sample_weight: Weights
) -> float:
    """Return the mean log-probability per predicted character, weighted by word.

    log_proba : (n_words,)
    lengths : (n_words,) number of predicted characters
    """
    weights = check_sample_weight(sample_weight, lengths)
    if weights is None:
        return float(log_proba.sum() / lengths.sum())
    # A word of weight zero must not count even if it is impossible.
    counted = weights > 0
    weights = weights[counted]
    # No dot product: its rounding depends on the number of BLAS threads.
    total = np.sum(log_proba[counted] * weights)
    return float(total / np.sum(lengths[counted] * weights))
