"""GeneratorMixin: sampling words."""

import reprlib
from collections.abc import Iterable
from functools import partial
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._arguments import parameter_constraints, validate_options
from .._declarations import takes
from .._generation.conditional import exact_sources, masked_source
from .._generation.exclusion import Exclusion
from .._generation.language import Language, matching_language
from .._generation.novelty import NoveltyReport, novelty_of
from .._generation.options import SampleOptions
from .._generation.sampling import DrawOptions, Source, Stage, draw_codes, draw_words
from .._sklearn import Interval
from .._word_estimator import own_random_state
from .._words.check import check_words
from .._words.types import Seed, Words
from .hooks import PredictionHooks


class GeneratorMixin(PredictionHooks):
    """Sampling, and a report on new words."""

    @takes(SampleOptions)
    def sample(self, options: SampleOptions) -> list[str]:
        r"""Sample new words.

        Without options, samples are independent and follow the model exactly, but no
        word is empty unless a training word is, and a word ends when it reaches
        `max_length`. Options change the distribution of each next character in this
        order: the length limits, `matching` and `avoiding`; `temperature`; `top_k`;
        `top_p`; `min_p` [1]_; `typical_p` [2]_. Each acts on the normalised result of
        those before. The symbol for unknown characters is never sampled.

        Returns
        -------
        words : list of str
            `n_samples` words, or fewer with a warning if the options, such as `unique`
            and `exclude`, leave too few.

        Raises
        ------
        NotFittedError
            If the model is not fitted.
        ValueError
            If `prefix` has a character outside the alphabet; if `max_length` is less
            than `min_length` or the length of `prefix`, or if these exceed what the
            model can read; if a pattern is not a regular expression [3]_, if its
            automaton is too large, or if no word of the alphabet with this prefix and
            these lengths fits `matching` and `avoiding`; if `exact` is set and neither
            of them is; or if `min_distance` is set without `exclude`.
        TypeError
            If `matching` or `avoiding` is a compiled pattern.
        ImportError
            If a pattern has a property such as ``\p{Greek}`` and the extra
            ``matching`` is not installed.

        References
        ----------
        .. [1] N. N. Minh et al., "Turning up the heat: min-p sampling for creative and
           coherent LLM outputs", ICLR 2025. https://arxiv.org/abs/2407.01082

        .. [2] C. Meister, T. Pimentel, G. Wiher, R. Cotterell, "Locally typical
           sampling", Transactions of the ACL, 2023. https://arxiv.org/abs/2202.00666

        .. [3] Syntax of Python's regular expressions,
           https://docs.python.org/3/library/re.html#regular-expression-syntax

        Examples
        --------
        >>> from sklearn_makemore import NGramCounter
        >>> from sklearn_makemore.datasets import load_names
        >>> model = NGramCounter().fit(load_names().data)
        >>> options = {"matching": "k.*[aeiou]{2}n", "max_length": 7, "exact": True}
        >>> model.sample(3, **options, random_state=0)
        ['kaleen', 'kayceon', 'kaan']
        """
        check_is_fitted(self)
        options.check()
        exclusion = Exclusion.checked(options.exclude, int(options.min_distance))
        prefix = options.prefix
        shortest = self._resolved_min_length(options.min_length, options.max_length)
        drawing = DrawOptions(
            shortest,
            self._checked_max_length(
                prefix, options.min_length or 0, options.max_length
            ),
            options.changes(),
            never_id=self.vocabulary_.unknown_id,
        )
        rng = own_random_state(options.random_state)
        stages = (
            Stage(
                partial(self._drawn, source, prefix, rng),
                source.max_draws_per_word,
                source.is_trial,
            )
            for source in self._sources(options, drawing)
        )
        n_prefix = len(self.vocabulary_.segments(prefix))
        return draw_words(
            stages,
            int(options.n_samples),
            self._draws_at_once(max(n_prefix, shortest)),
            options.unique,
            exclusion,
        )

    def _sources(
        self, options: SampleOptions, drawing: DrawOptions
    ) -> Iterable[Source]:
        """Return the sources of words, in the order they are tried."""
        encoded = self._encoded([options.prefix], "prefix")
        context, n_prefix = self._contexts_after(encoded), encoded.n_predictions - 1
        source = Source(self._next_symbol_model(), context, n_prefix, drawing)
        shortest, longest = drawing.min_length, drawing.max_length
        language = self._language(options, options.prefix, shortest, longest)
        if language is None:
            return [source]
        if options.exact:
            return exact_sources(source, language)
        return [masked_source(source, language)]

    def _language(
        self, options: SampleOptions, prefix: str, shortest: int, longest: int
    ) -> Language | None:
        """Return the words that have a prefix and fit the patterns; None for all."""
        if options.matching is None and options.avoiding is None:
            return None
        return matching_language(
            options.matching,
            options.avoiding,
            self.vocabulary_,
            prefix,
            shortest,
            longest,
        )

    def _drawn(
        self, source: Source, prefix: str, rng: np.random.RandomState, n_draws: int
    ) -> list[str | None]:
        """Sample words; None is one that the options left no way to end."""
        encoded, complete = draw_codes(source, n_draws, rng)
        words = self.vocabulary_.decode_after(prefix, encoded)
        return [
            word if ended else None
            for word, ended in zip(words, complete.tolist(), strict=True)
        ]

    @validate_options(
        {
            "n_samples": [Interval(Integral, 1, None, closed="left")],
            "random_state": ["random_state"],
        },
        forwarded=parameter_constraints(sample),
    )
    def novelty_report(
        self,
        words: Words,
        n_samples: int = 1000,
        *,
        random_state: Seed = None,
        **sample_options: Any,
    ) -> NoveltyReport:
        """Sample words and compare them with the training words.

        Parameters
        ----------
        words : array-like of str of shape (n_words,)
            The training words.

        n_samples : int, default=1000
            Number of words to sample.

        random_state : int, RandomState instance or None, default=None
            Pass an int for the same words at each call; None samples fresh ones.

        **sample_options : dict
            Options of `sample`, such as ``temperature=0.8``.

        Returns
        -------
        report : NoveltyReport
            The shares of the samples that are training words, distinct words and new
            words; the lengths of the samples and of the training words; the new words.

        Raises
        ------
        NotFittedError
            If the model is not fitted.
        ValueError
            If `fit` would refuse `words`, or if no word can be sampled with these
            options.
        """
        check_is_fitted(self)
        train = check_words(words)
        samples = self.sample(n_samples, random_state=random_state, **sample_options)
        if not samples:
            raise ValueError(
                f"No word could be sampled with the options {sample_options}; relax "
                "one of them."
            )
        return novelty_of(samples, train, self.vocabulary_.lengths)

    def _resolved_min_length(
        self, min_length: int | None, max_length: int | None
    ) -> int:
        """Return the smallest number of characters of a word."""
        if min_length is not None:
            return min_length
        if self._knows_empty_word() or 0 in (max_length, self._longest_word()):
            return 0
        return 1

    def _checked_max_length(
        self, prefix: str, min_length: int, max_length: int | None
    ) -> int:
        """Return the largest number of characters of a sampled word."""
        n_prefix = len(self.vocabulary_.segments(prefix))
        floor = max(n_prefix, min_length)
        limit = self._longest_word()
        if limit is not None and floor > limit:
            raise ValueError(
                f"`prefix` and `min_length` require a word of at least {floor} "
                f"characters, and this {type(self).__name__} reads at most {limit}. "
                "Shorten them, or fit a new model with "
                f"block_size={floor + 1} or more."
            )
        if max_length is None:
            return self._default_max_length(floor)
        if max_length < n_prefix:
            raise ValueError(
                f"max_length={max_length} is less than the {n_prefix} characters of "
                f"prefix={reprlib.repr(prefix)}."
            )
        if max_length < min_length:
            raise ValueError(
                f"max_length={max_length} is less than min_length={min_length}."
            )
        return max_length if limit is None else min(max_length, limit)
