"""BaseCharLM: the verbs of every model, in the order a word travels."""

import re
import reprlib
import warnings
from abc import ABCMeta, abstractmethod
from collections.abc import Set
from numbers import Integral, Real

import numpy as np
from sklearn.base import DensityMixin
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.validation import check_is_fitted

from ._generation.conditional import MaskedModel, conditional
from ._generation.language import matching_language
from ._generation.most_likely import beginning_with, most_likely_words
from ._generation.novelty import novelty_of
from ._generation.sampling import (
    MAX_CELLS,
    MIN_ROWS,
    DrawOptions,
    draw_codes,
    draw_words,
)
from ._sklearn import (
    Interval,
    StrOptions,
    _fit_context,
    validate_options,
)
from ._word_estimator import (
    BaseWordEstimator,
    checked_training,
    checked_weight,
    own_random_state,
)
from ._words.check import check_words
from ._words.code_points import CodePoints, joined_code_points
from ._words.training_set import TrainingSet
from ._words.vocabulary import CharVocabulary, check_alphabet

SAMPLING_CHUNK_SIZE = 1 << 24
"""Characters drawn at once, about: some 40 bytes each before they are words."""

SCORING_CHUNK_SIZE = 1 << 19
"""Predictions scored at once, about: beside many words their log-probabilities, eight
bytes each, are few."""

MAX_RESTORED_WORD_LENGTH = 1 << 31
"""Most characters of the longest word of a model that comes out of a file."""


class BaseCharLM(DensityMixin, BaseWordEstimator, metaclass=ABCMeta):
    """Template of all character models: words to symbols to log-probabilities.

    A model is a machine over contexts. What a context is (a window of symbols, a
    state of an automaton, a hidden state) is its own affair: contexts have a length,
    can be indexed by an array of rows, and are made and read by these hooks alone.

    A concrete model provides

    _fit_encoded(data, callback_context)
        Learn from a `TrainingSet`; returns what `_fitted_attributes` takes and changes
        nothing on the estimator, so that an interrupted fit leaves it as it was.
    _partial_fit_encoded(data)
        The same, going on from the fitted state.
    _fitted_attributes(learned)
        The fitted attributes as a dict; by default what was learned is that already.
    _contexts_after(encoded)
        The context at the end of each word without its end mark: n_words contexts.
    _next_symbol_model()
        The `NextSymbolModel` that reads these contexts. A method asks for it once.
    _target_log_proba(encoded)
        Log-probability of every predicted symbol, of shape (n_predictions,).
    _state_to_save(), _state_from_file(kept, vocabulary)
        What a file keeps of what was learned, and this again.
    """

    _parameter_constraints: dict = {
        "alphabet": [str, "array-like", None],
        "handle_unknown": [StrOptions({"error", "unk"})],
    }

    # Words are what scikit-learn calls X, not metadata that could be routed.
    __metadata_request__fit = {"words": UNUSED}
    __metadata_request__partial_fit = {"words": UNUSED}
    __metadata_request__score = {"words": UNUSED}
    __metadata_request__predict_proba = {"prefixes": UNUSED}

    # ------------------------------------------------------------------ hooks

    @abstractmethod
    def _fit_encoded(self, data, callback_context):
        """Learn from symbols and return what was learned."""

    @abstractmethod
    def _partial_fit_encoded(self, data):
        """Learn from more symbols and return what was learned."""

    @abstractmethod
    def _contexts_after(self, encoded):
        """Return the context at the end of each word."""

    @abstractmethod
    def _next_symbol_model(self):
        """Return the `NextSymbolModel` that reads the contexts."""

    @abstractmethod
    def _target_log_proba(self, encoded):
        """Return the log-probability of every predicted symbol."""

    def _fitted_attributes(self, learned):
        """Turn what was learned into the fitted attributes; the words are gone."""
        return learned

    def _state_to_save(self):
        """Return what a file keeps of what was learned.

        Raises
        ------
        ValueError
            If parameters have changed since, so that it would not come back the same.
        """
        raise NotImplementedError

    def _state_from_file(self, kept, vocabulary):
        """Return what was learned, from what `_state_to_save` returned.

        The file may be a trap: nothing may be believed that is not checked, and no
        memory be taken by what it says alone.
        """
        raise NotImplementedError

    def _prefix_log_proba(self, encoded):
        """Return distinct distributions after prefixes, and each prefix's row."""
        return self._next_symbol_model().next_log_proba(self._contexts_after(encoded))

    def _longest_word(self):
        """Return the most characters a word can have; None if there is no limit."""
        return None

    def _draws_at_once(self, shortest):
        """Return how many words of `shortest` characters or more fit in memory."""
        n_rows = max(MIN_ROWS, MAX_CELLS // self.vocabulary_.n_symbols)
        longest = max(shortest, self.longest_word_) + 1
        return max(1, min(n_rows, SAMPLING_CHUNK_SIZE // longest))

    def _check_trainable(self, encoded, vocabulary, is_warm_start):
        """Raise an error if a word is more than the model can learn from."""

    def _check_readable(self, encoded, name):
        """Raise an error if a word is more than the fitted model can read."""

    def _is_warm_start(self):
        """Whether `fit` goes on from the fitted state."""
        return False

    def _fit_vocabulary(self, joined):
        """Return the vocabulary that `fit` uses for these words."""
        if self._is_warm_start():
            return self._kept_vocabulary()
        unknown = self.handle_unknown == "unk"
        if self.alphabet is None:
            return CharVocabulary.from_code_points(joined, unknown=unknown)
        return CharVocabulary(check_alphabet(self.alphabet), unknown=unknown)

    def _partial_fit_vocabulary(self, joined):
        """Return the vocabulary that `partial_fit` uses for these words."""
        return self._kept_vocabulary()

    def _max_subtasks(self):
        """Return how many subtasks `fit` reports to callbacks; 0 if it is one task."""
        return 0

    # ------------------------------------------------------------------ verbs

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, words, y=None, sample_weight=None):
        """Learn the model from words.

        Parameters
        ----------
        words : array-like of str of shape (n_words,)
            Training words: a list, tuple, array, Series or one-column data frame.
            ``""`` is a word.

        y : Ignored
            Not used, present for API consistency by convention.

        sample_weight : array-like of shape (n_words,), default=None
            Weight of each word, not negative. A weight of 2 is the word twice.

        Returns
        -------
        self : object
            The fitted model.

        Raises
        ------
        ValueError
            If `words` is a single string, is empty or has a missing value, or if a
            word has a character outside `alphabet`. A network also raises it if the
            training diverges, which says that `lr` is too large, or if its
            `checkpoint` is of another training.
        TypeError
            If something in `words` is not a string.
        """
        words, sample_weight = checked_training(words, sample_weight)
        data = _training_set(words, sample_weight, self._fit_vocabulary)
        context = self._init_callback_context(max_subtasks=self._max_subtasks())
        task = self._callback_task(words)
        context.call_on_fit_task_begin(**task)
        learned = self._fit_encoded(data, context)
        vocabulary, longest = data.vocabulary, data.max_predictions - 1
        del data  # the fitted attributes take memory of their own
        self._set_fitted(vocabulary, longest, learned, self._is_warm_start())
        context.call_on_fit_task_end(**task, reconstruction_attributes={})
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, words, y=None, sample_weight=None):
        """Learn from more words, going on from what was learned so far.

        Counts are added exactly: two calls with the halves of a list are one with the
        whole, and new characters are new symbols unless `alphabet` is given. A network
        trains one epoch on these words, whatever `max_epochs`, `validation_fraction`
        and `early_stopping` say, and scikit-learn's callbacks are not told; its
        alphabet is that of the first call.

        Parameters
        ----------
        words : array-like of str of shape (n_words,)
            More training words.

        y : Ignored
            Not used, present for API consistency by convention.

        sample_weight : array-like of shape (n_words,), default=None
            Weight of each word, not negative.

        Returns
        -------
        self : object
            The fitted model.

        Raises
        ------
        ValueError
            As `fit`, and if parameters that cannot be changed any more have changed:
            the alphabet, `handle_unknown`, the order or the architecture.
        """
        self._validate_params()  # scikit-learn does so at the first call alone
        words, sample_weight = checked_training(words, sample_weight)
        is_fitted = self.__sklearn_is_fitted__()
        vocabulary_of = (
            self._partial_fit_vocabulary if is_fitted else self._fit_vocabulary
        )
        data = _training_set(words, sample_weight, vocabulary_of)
        learned = self._partial_fit_encoded(data)
        vocabulary, longest = data.vocabulary, data.max_predictions - 1
        del data
        self._set_fitted(vocabulary, longest, learned, is_fitted)
        return self

    def score_samples(self, words):
        """Compute the log-probability of each word.

        Parameters
        ----------
        words : array-like of str of shape (n_words,)
            The words.

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
            If a word has a character outside the alphabet and there is no symbol for
            unknown ones, or if it is longer than the model can read.
        """
        return self._word_log_proba(self._encoded(words))

    def token_log_proba(self, words):
        """Compute the log-probability of each character of each word.

        Parameters
        ----------
        words : array-like of str of shape (n_words,)
            The words.

        Returns
        -------
        log_proba : list of ndarray of shape (len(word) + 1,), dtype float64
            For each word the log-probability in nats of every character given those
            before it, and at last of the end mark. Their sums are what `score_samples`
            returns.

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

    def score(self, words, y=None, sample_weight=None):
        """Compute the mean log-probability per predicted character.

        This is the mean negative log-likelihood of the makemore lectures with
        scikit-learn's sign: the largest score is the best, as searches assume. Every
        character and the end mark of each word is predicted; the mean is over
        characters, not over words.

        Parameters
        ----------
        words : array-like of str of shape (n_words,)
            The words.

        y : Ignored
            Not used, present for API consistency by convention.

        sample_weight : array-like of shape (n_words,), default=None
            Weight of each word.

        Returns
        -------
        score : float
            Mean log-probability in nats per predicted character; ``-nll(words)``.
        """
        encoded = self._encoded(words)
        log_proba = self._word_log_proba(encoded)
        if sample_weight is None:
            return float(log_proba.sum() / encoded.n_predictions)
        weights = checked_weight(sample_weight, encoded.lengths)
        # A word of weight zero must not count even if it is impossible.
        counted = weights > 0
        weights = weights[counted]
        # Not as products of vectors, whose sums depend on the threads of the BLAS.
        total = np.sum(log_proba[counted] * weights)
        return float(total / np.sum(encoded.lengths[counted] * weights))

    def nll(self, words, sample_weight=None):
        """Compute the mean negative log-likelihood per predicted character.

        Parameters
        ----------
        words : array-like of str of shape (n_words,)
            The words.

        sample_weight : array-like of shape (n_words,), default=None
            Weight of each word.

        Returns
        -------
        nll : float
            Mean negative log-likelihood in nats per predicted character, as the
            makemore lectures print it; ``-score(words)``.
        """
        return -self.score(words, sample_weight=sample_weight)

    def perplexity(self, words, sample_weight=None):
        """Compute the perplexity per predicted character.

        Parameters
        ----------
        words : array-like of str of shape (n_words,)
            The words.

        sample_weight : array-like of shape (n_words,), default=None
            Weight of each word.

        Returns
        -------
        perplexity : float
            ``exp(nll(words))``: the number of equally likely characters that would be
            as hard to predict.
        """
        return float(np.exp(self.nll(words, sample_weight=sample_weight)))

    def predict_proba(self, prefixes):
        """Compute the distribution of the next character after each prefix.

        Parameters
        ----------
        prefixes : array-like of str of shape (n_prefixes,)
            Beginnings of words; ``""`` is the start of a word.

        Returns
        -------
        proba : ndarray of shape (n_prefixes, n_symbols)
            Probability of each symbol to come next, columns as `symbols_`. The first
            column is the probability that the word ends here.

        Raises
        ------
        NotFittedError
            If the model is not fitted.
        ValueError
            If a prefix has a character outside the alphabet and there is no symbol for
            unknown ones, or if it is longer than the model can read.
        """
        encoded = self._encoded(prefixes, name="prefixes")
        log_proba, rows = self._prefix_log_proba(encoded)
        if len(log_proba) <= len(rows):
            return np.exp(log_proba)[rows]
        return np.exp(log_proba[rows])  # of a table of all contexts, only these

    @validate_options(
        {
            "n_samples": [Interval(Integral, 1, None, closed="left")],
            "prefix": [str],
            "temperature": [Interval(Real, 0, None, closed="left")],
            "top_k": [Interval(Integral, 1, None, closed="left"), None],
            "top_p": [Interval(Real, 0, 1, closed="right"), None],
            "min_length": [Interval(Integral, 0, None, closed="left")],
            "max_length": [Interval(Integral, 0, None, closed="left"), None],
            "matching": [str, re.Pattern, None],
            "exact": ["boolean"],
            "unique": ["boolean"],
            "exclude": "no_validation",
            "random_state": ["random_state"],
        }
    )
    def sample(
        self,
        n_samples=1,
        *,
        prefix="",
        temperature=1.0,
        top_k=None,
        top_p=None,
        min_length=0,
        max_length=None,
        matching=None,
        exact=False,
        unique=False,
        exclude=None,
        random_state=None,
    ):
        r"""Draw new words.

        Without options these are independent, exact draws from the model, as long as
        no word comes to `max_length`. Options act on the distribution of each next
        character in this order: the length limits and `matching`, `temperature`,
        `top_k`, `top_p`; what is left is normalised. The symbol for unknown characters
        is never drawn.

        Parameters
        ----------
        n_samples : int, default=1
            Number of words.

        prefix : str, default=""
            Every word begins with it; the rest is drawn given the prefix.

        temperature : float, default=1.0
            Log-probabilities are divided by it: below 1 likely words become more
            likely, above 1 less so, 0 always takes the most probable character.

        top_k : int, default=None
            Draw each character among the `top_k` most probable only.

        top_p : float, default=None
            Draw each character among the fewest most probable ones that together have
            at least this probability (nucleus sampling).

        min_length : int, default=0
            Least number of characters of a word, prefix included.

        max_length : int, default=None
            Largest number of characters of a word, prefix included; a word that
            reaches it ends there. None allows, beyond the prefix and `min_length`, ten
            times the longest training word and at least 1000 characters, so that
            nothing can go on for ever. A model with a `block_size` from the start of
            the word on ends words where it has read so much.

        matching : str, default=None
            Regular expression that all of a word must match, prefix included, in the
            syntax of Rust's regex crate [1]_: without look-around and back references,
            with classes such as ``\p{Greek}``. Characters with which no match can go on
            are removed before the others are drawn from; beginnings that the model
            cannot end, which there are without smoothing only, are rejected. This is
            not the same as drawing words and rejecting those that do not match: a
            beginning is as likely as the model finds it, however unlikely it is that
            the model would have gone on to a match. Where words may have line breaks,
            ``^`` must be the first character of the pattern.

        exact : bool, default=False
            With `matching`, whether to draw from the distribution that drawing and
            rejecting would have: that of the model, after `temperature`, `top_k` and
            `top_p`, given that the word matches and has the lengths asked for. Counters
            compute it; where there are too many states for that, and for all other
            models, words are drawn and rejected as soon as they cannot match any more,
            with a bound on their number.

        unique : bool, default=False
            Whether each word may come only once.

        exclude : array-like or set of str, default=None
            Words that are not wanted, for instance the training words.

        random_state : int, RandomState instance or None, default=None
            Pass an int for the same words at each call; None draws fresh ones.

        Returns
        -------
        words : list of str
            `n_samples` words; fewer, with a warning, if `unique`, `exclude` or the
            other options leave too few.

        Raises
        ------
        NotFittedError
            If the model is not fitted.
        ValueError
            If `prefix` has a character outside the alphabet, if `max_length` is less
            than `min_length` or the length of `prefix`, or if these are more than the
            model can read. With `matching`, if it is not a regular expression, if its
            automaton is too large, or if no word of the alphabet, with this prefix and
            these lengths, matches; and if `exact` is set without it.
        TypeError
            If `matching` is a compiled pattern.

        References
        ----------
        .. [1] Syntax of Rust's regex crate,
           https://docs.rs/regex/latest/regex/#syntax

        Examples
        --------
        >>> from sklearn_makemore import NGramCounter
        >>> from sklearn_makemore.datasets import load_names
        >>> model = NGramCounter().fit(load_names().data)
        >>> options = {"matching": "k.*[aeiou]{2}n", "max_length": 7, "exact": True}
        >>> model.sample(3, **options, random_state=0)
        ['kejuan', 'kaysoon', 'keyleen']
        """
        check_is_fitted(self)
        if isinstance(matching, re.Pattern):
            raise TypeError(
                "`matching` is a compiled pattern of Python; pass its text, "
                "pattern.pattern, with flags as in (?i)."
            )
        if exact and matching is None:
            raise ValueError(
                "exact=True draws given that a word matches, and `matching` is None; "
                "give a pattern, or leave out `exact`."
            )
        if exclude is not None:
            unordered = isinstance(exclude, Set)  # the order does not matter here
            exclude = list(exclude) if unordered else exclude
            exclude = check_words(exclude, name="exclude", allow_empty=True)
            joined_code_points(exclude, name="exclude")  # that they are characters
        options = DrawOptions(
            min_length=min_length,
            max_length=self._checked_max_length(prefix, min_length, max_length),
            temperature=float(temperature),
            top_k=top_k,
            top_p=top_p,
            never_id=self.vocabulary_.unknown_id,
        )
        rng = own_random_state(random_state)
        context = self._contexts_after(self._encoded([prefix], "prefix"))
        model = self._next_symbol_model()
        if matching is not None:
            language = matching_language(
                matching, self.vocabulary_, prefix, min_length, options.max_length
            )
            if exact:
                model, context, options = conditional(model, context, language, options)
            else:
                model = MaskedModel(model, language)
                context = model.first_contexts(context, len(prefix))

        def draw(n_draws):
            encoded, complete = draw_codes(
                model, context, n_draws, len(prefix), options, rng
            )
            words = self.vocabulary_.decode(encoded)
            return [
                prefix + word if ended else None
                for word, ended in zip(words, complete.tolist(), strict=True)
            ]

        max_rows = self._draws_at_once(max(len(prefix), min_length))
        return draw_words(
            draw,
            int(n_samples),
            max_rows,
            unique,
            exclude or (),
            options.max_draws_per_word,
        )

    @validate_options(
        {"n": [Interval(Integral, 1, None, closed="left")], "prefix": [str]}
    )
    def most_likely(self, n=10, *, prefix=""):
        """Find the most probable words.

        The result is exact: no other word is more probable than those returned. The
        search goes on from the most probable beginnings of words first, in bounded
        memory and time. The symbol for unknown characters is in no word, save those
        of `prefix`.

        Parameters
        ----------
        n : int, default=10
            Number of words.

        prefix : str, default=""
            Every word begins with it.

        Returns
        -------
        words : list of str
            The `n` most probable words in decreasing probability; fewer, with a
            warning, if no others have a probability above 0. Among equally probable
            ones the shorter come first, and those of one length in the order of their
            code points.

        log_proba : ndarray of shape (n_found,), dtype float64
            Log-probability in nats of each whole word, `prefix` and end mark included:
            that of `score_samples`, up to rounding.

        Raises
        ------
        NotFittedError
            If the model is not fitted.
        ValueError
            If `prefix` has a character outside the alphabet, if it is longer than the
            model can read, or if so many words are nearly as probable that the search
            comes to its bounds: then ask for fewer words, or give a longer prefix.

        Examples
        --------
        >>> from sklearn_makemore import NGramCounter
        >>> from sklearn_makemore.datasets import load_names
        >>> model = NGramCounter().fit(load_names().data)
        >>> words, log_proba = model.most_likely(3, prefix="ka")
        >>> words, log_proba.round(2)
        (['kayla', 'kai', 'kayden'], array([-8.13, -8.35, -8.58]))
        """
        start = self._encoded([prefix], name="prefix")
        characters = self.vocabulary_.characters

        def next_log_proba(prefixes):
            log_proba, rows = self._prefix_log_proba(self.vocabulary_.encode(prefixes))
            # The unknown symbol is the last.
            return log_proba[rows, : 1 + len(characters)]

        words, log_proba = most_likely_words(
            next_log_proba,
            characters,
            int(n),
            prefix=prefix,
            log_proba=float(self._target_log_proba(start)[:-1].sum()),
            longest=self._longest_word(),
        )
        if len(words) < n:
            warnings.warn(
                f"Found {len(words)} of {n} words: no other{beginning_with(prefix)} "
                "has a probability above 0.",
                UserWarning,
                stacklevel=3,
            )
        return words, log_proba

    @validate_options(
        {
            "n_samples": [Interval(Integral, 1, None, closed="left")],
            "random_state": ["random_state"],
        }
    )
    def novelty_report(
        self, words, n_samples=1000, *, random_state=None, **sample_options
    ):
        """Draw words and compare them with the training words.

        Parameters
        ----------
        words : array-like of str of shape (n_words,)
            The training words.

        n_samples : int, default=1000
            Number of words to draw.

        random_state : int, RandomState instance or None, default=None
            Pass an int for the same words at each call; None draws fresh ones.

        **sample_options : dict
            Options of `sample`, such as ``temperature=0.8``.

        Returns
        -------
        report : NoveltyReport
            The shares of the samples that are training words, distinct, and new; their
            lengths and those of the training words; and the new words.

        Raises
        ------
        NotFittedError
            If the model is not fitted.
        ValueError
            If `words` is not what `fit` takes, or if the options of `sample` are such
            that no word can be drawn.
        """
        check_is_fitted(self)
        words = check_words(words)
        samples = self.sample(n_samples, random_state=random_state, **sample_options)
        if not samples:
            raise ValueError(
                f"No word could be drawn with the options {sample_options}, so that "
                "there is nothing to report on; relax one of them."
            )
        return novelty_of(samples, words)

    # -------------------------------------------------------------- attributes

    @property
    def symbols_(self):
        """Texts of the symbols, the columns of `predict_proba`."""
        return self.vocabulary_.symbols

    def _checked_max_length(self, prefix, min_length, max_length):
        """Resolve and check the largest length of a drawn word."""
        floor = max(len(prefix), min_length)
        limit = self._longest_word()
        if limit is not None and floor > limit:
            raise ValueError(
                f"A word of at least {floor} characters is asked for, and this "
                f"{type(self).__name__} reads at most {limit}: use a shorter prefix or "
                f"min_length, or fit anew with block_size={floor + 1} or more."
            )
        if max_length is None:
            longest = floor + max(1000, 10 * self.longest_word_)
            return longest if limit is None else min(longest, limit)
        if max_length < len(prefix):
            raise ValueError(
                f"max_length={max_length} is less than the {len(prefix)} characters of "
                f"prefix={reprlib.repr(prefix)}."
            )
        if max_length < min_length:
            raise ValueError(
                f"max_length={max_length} is less than min_length={min_length}."
            )
        return max_length if limit is None else min(max_length, limit)

    def _kept_vocabulary(self):
        """Return the fitted vocabulary, if the parameters still ask for it."""
        known = self.vocabulary_
        if not self._is_compatible(known):
            raise ValueError(
                f"The fitted model has the alphabet {_brief(known.characters)} and "
                f"handle_unknown={'unk' if known.unknown else 'error'!r}, and going on "
                "from it cannot change them; set the parameters back, or fit anew."
            )
        return known

    def _is_compatible(self, vocabulary):
        """Whether the parameters allow a vocabulary."""
        asked = vocabulary.characters if self.alphabet is None else self.alphabet
        unknown = self.handle_unknown == "unk"
        return CharVocabulary(check_alphabet(asked), unknown=unknown) == vocabulary

    def _word_log_proba(self, encoded):
        """Compute the log-probability of each word, shape (n_words,), part by part."""
        # Nothing keeps a part's log-probabilities while the next ones are computed.
        parts = [
            np.add.reduceat(self._target_log_proba(chunk), chunk.offsets[:-1])
            for chunk in encoded.chunks(SCORING_CHUNK_SIZE)
        ]
        return np.concatenate(parts)

    def _scored_chunks(self, encoded):
        """Yield parts of the words and the log-probability of each symbol of them."""
        for chunk in encoded.chunks(SCORING_CHUNK_SIZE):
            yield chunk, self._target_log_proba(chunk)

    def _encoded(self, words, name="words"):
        """Check and encode words with the fitted vocabulary."""
        check_is_fitted(self)
        encoded = self.vocabulary_.encode(check_words(words, name=name), name)
        self._check_readable(encoded, name)
        return encoded

    def _set_fitted(self, vocabulary, longest_word, learned, is_warm_start):
        """Assign all fitted attributes, after everything that can fail."""
        fitted = self._fitted_attributes(learned)
        if is_warm_start:
            longest_word = max(longest_word, self.longest_word_)
        vars(self).update(fitted, vocabulary_=vocabulary, longest_word_=longest_word)

    def _kept(self):
        """Return what a file keeps of the fitted model: all else follows from it."""
        return {
            "vocabulary": self._kept_vocabulary(),
            "longest_word": self.longest_word_,
            **self._state_to_save(),
        }

    def _restore(self, kept):
        """Set the fitted attributes by what `_kept` returned."""
        vocabulary, longest_word = kept["vocabulary"], kept["longest_word"]
        if not isinstance(vocabulary, CharVocabulary):
            raise TypeError(f"vocabulary is {vocabulary!r}.")
        if not self._is_compatible(vocabulary):
            raise ValueError("alphabet or handle_unknown is not the vocabulary's.")
        if (
            type(longest_word) is not int
            or not 0 <= longest_word <= MAX_RESTORED_WORD_LENGTH
        ):
            raise ValueError(f"longest_word is {longest_word!r}.")
        learned = self._state_from_file(kept, vocabulary)
        self._set_fitted(vocabulary, longest_word, learned, is_warm_start=False)

    def __sklearn_is_fitted__(self):
        """Whether `fit` or `partial_fit` has come to its end."""
        return hasattr(self, "vocabulary_")


def _brief(characters):
    """Show an alphabet, which can be long."""
    brief = reprlib.Repr()
    brief.maxstring = 200
    return brief.repr(characters)


def _training_set(words, sample_weight, vocabulary_of):
    """Encode words with the vocabulary that a function makes of their `CodePoints`."""
    joined = CodePoints.from_words(words)
    vocabulary = vocabulary_of(joined)
    return TrainingSet(vocabulary, vocabulary.encode_code_points(joined), sample_weight)
