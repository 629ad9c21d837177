"""MostLikelyMixin: the most probable words, all at once or one by one."""

import warnings
from collections.abc import Iterator, Set
from numbers import Integral
from typing import Any, overload

import numpy as np

from .._arguments import parameter_constraints, validate_options
from .._generation.character_sets import has_assertions
from .._generation.exclusion import Exclusion
from .._generation.most_likely import (
    BestFirstSearch,
    WantedWords,
    beginning_with,
    iterate_most_likely,
    most_likely_words,
)
from .._generation.options import SampleOptions
from .._sklearn import Interval
from .._words.code_points import encodable_words
from .._words.symbols import SymbolVocabulary
from .._words.types import Floats, Words
from .._words.vocabulary import CharVocabulary, EncodedWords
from .sample import GeneratorMixin

_CONDITIONS = "min_length max_length matching avoiding exclude min_distance".split()
CONDITIONS: dict[str, Any] = {
    name: parameter_constraints(GeneratorMixin.sample)[name] for name in _CONDITIONS
}
"""Constraints of the parameters that say which words are wanted."""


class MostLikelyMixin(GeneratorMixin):
    """Adds the most probable words to the methods that generate words."""

    @overload
    def most_likely(
        self,
        n_samples: int = 10,
        *,
        prefix: str = "",
        min_length: int | None = None,
        max_length: int | None = None,
        matching: str | None = None,
        avoiding: str | Words | Set[str] | None = None,
        exclude: Words | Set[str] | None = None,
        min_distance: int = 1,
    ) -> tuple[list[str], Floats]: ...

    @overload
    def most_likely(
        self,
        n_samples: int = 10,
        *,
        prefix: Words,
        min_length: int | None = None,
        max_length: int | None = None,
        matching: str | None = None,
        avoiding: str | Words | Set[str] | None = None,
        exclude: Words | Set[str] | None = None,
        min_distance: int = 1,
    ) -> list[tuple[list[str], Floats]]: ...

    @validate_options(
        {
            "n_samples": [Interval(Integral, 1, None, closed="left")],
            "prefix": [str, "array-like"],
            **CONDITIONS,
        }
    )
    def most_likely(
        self,
        n_samples: int = 10,
        *,
        prefix: str | Words = "",
        min_length: int | None = None,
        max_length: int | None = None,
        matching: str | None = None,
        avoiding: str | Words | Set[str] | None = None,
        exclude: Words | Set[str] | None = None,
        min_distance: int = 1,
    ) -> Any:
        """Find the most probable words.

        The result is exact: no other word is more probable than those returned. The
        search extends the most probable beginnings first. Its memory and time are
        bounded, and the bounds grow with `n_samples`. A million words of an n-gram
        model of names take less than half a minute and 0.5 GiB. Words have no unknown
        characters, except those of `prefix`.

        Parameters
        ----------
        n_samples : int, default=10
            Number of words, for each prefix.

        prefix : str or array-like of str, default=""
            Every word begins with it. Several prefixes have one result each, and take
            less time than one call for each.

        min_length : int, default=None
            Smallest number of characters of a word, prefix included; None as in
            `sample`.

        max_length : int, default=None
            Largest number of characters of a word, prefix included. Longer words are
            left out. None as in `sample`.

        matching : str, default=None
            Regular expression that the whole word must match, as in `sample`.

        avoiding : str, array-like or set of str, default=None
            Regular expression, or substrings, that must not occur in a word, as in
            `sample`.

        exclude : array-like or set of str, default=None
            Words to leave out, for instance the training words.

        min_distance : int, default=1
            Smallest edit distance from a word of `exclude`, as in `sample`.

        Returns
        -------
        words : list of str
            The `n_samples` most probable words in decreasing probability, or fewer with
            a warning if no others have a probability above 0. Equally probable words
            are ordered by length, and those of the same length by their code points.

        log_proba : ndarray of shape (n_found,), dtype float64
            Log-probability in nats of each whole word, `prefix` and end mark included.
            It equals `score_samples` up to rounding. With several prefixes, the result
            is a list with a pair ``(words, log_proba)`` for each.

        Raises
        ------
        NotFittedError
            If the model is not fitted.
        ValueError
            If `prefix` has a character outside the alphabet; if it or `min_length` is
            longer than the model can read; if `sample` would refuse the other options;
            or if so many words have similar probabilities that the search reaches its
            bounds. In the last case, ask for fewer words, or give a longer prefix.

        See Also
        --------
        iter_most_likely : Iterates over the words, without a fixed number.

        Examples
        --------
        >>> from sklearn_makemore import NGramCounter
        >>> from sklearn_makemore.datasets import load_names
        >>> model = NGramCounter().fit(load_names().data)
        >>> words, log_proba = model.most_likely(3, prefix="ka")
        >>> words, log_proba.round(2)
        (['kayla', 'kayden', 'kaylee'], array([-8.04, -8.19, -8.23]))
        >>> for words, _ in model.most_likely(3, prefix=["el", "mar"], max_length=5):
        ...     print(words)
        ['ellie', 'ellen', 'ella']
        ['marie', 'maria', 'mary']
        """
        several = not isinstance(prefix, str)
        prefixes = encodable_words(prefix, name="prefix") if several else [str(prefix)]
        searches = self._searches(
            prefixes,
            int(n_samples),
            min_length=min_length,
            max_length=max_length,
            matching=matching,
            avoiding=avoiding,
            exclude=exclude,
            min_distance=min_distance,
        )
        found = most_likely_words(self._next_log_proba_after, searches)
        _warn_if_fewer(found, prefixes, n_samples)
        results = [
            ([word for word, _ in pairs], np.array([value for _, value in pairs]))
            for pairs in found
        ]
        return results if several else results[0]

    @validate_options({"prefix": [str], **CONDITIONS})
    def iter_most_likely(
        self,
        *,
        prefix: str = "",
        min_length: int | None = None,
        max_length: int | None = None,
        matching: str | None = None,
        avoiding: str | Words | Set[str] | None = None,
        exclude: Words | Set[str] | None = None,
        min_distance: int = 1,
    ) -> Iterator[tuple[str, float]]:
        """Iterate over words in decreasing probability.

        The words and their order are those of `most_likely`. They are searched when
        they are read, and memory is bounded. Do not fit the model again meanwhile.

        Parameters
        ----------
        prefix : str, default=""
            Every word begins with it.

        min_length, max_length : int, default=None
            As in `most_likely`.

        matching : str, default=None
            As in `most_likely`.

        avoiding : str, array-like or set of str, default=None
            As in `most_likely`.

        exclude : array-like or set of str, default=None
            As in `most_likely`.

        min_distance : int, default=1
            As in `most_likely`.

        Returns
        -------
        pairs : iterator of (str, float)
            Each word with its log-probability in nats.

        Raises
        ------
        NotFittedError
            If the model is not fitted.
        ValueError
            As `most_likely`; for a search that reaches its bounds, after the last word
            that is certain.

        Examples
        --------
        The most probable names that are not in the list:

        >>> from itertools import islice
        >>> from sklearn_makemore import NGramCounter
        >>> from sklearn_makemore.datasets import load_names
        >>> names = load_names().data
        >>> model = NGramCounter().fit(names)
        >>> for word, log_proba in islice(model.iter_most_likely(exclude=names), 3):
        ...     print(word, round(log_proba, 2))
        oluwa -7.42
        france -8.49
        kelle -8.76
        """
        (search,) = self._searches(
            [str(prefix)],
            None,
            min_length=min_length,
            max_length=max_length,
            matching=matching,
            avoiding=avoiding,
            exclude=exclude,
            min_distance=min_distance,
        )
        return iterate_most_likely(self._next_log_proba_after, search)

    def _searches(
        self, prefixes: list[str], n_words: int | None, **conditions: Any
    ) -> list[BestFirstSearch]:
        """Return the search for the most probable words with each prefix."""
        encoded = self._encoded(prefixes, "prefix")
        is_cut = _may_be_cut(self.vocabulary_)
        options = SampleOptions(**conditions)
        options.check()
        exclusion = Exclusion.checked(options.exclude, int(options.min_distance))
        shortest = self._resolved_min_length(options.min_length, options.max_length)
        parts = np.split(self._target_log_proba(encoded), encoded.offsets[1:-1])
        searches: list[BestFirstSearch] = []
        for index, (prefix, log_proba) in enumerate(zip(prefixes, parts, strict=True)):
            longest = self._checked_max_length(
                prefix, options.min_length or 0, options.max_length
            )
            wanted = WantedWords(
                self.vocabulary_,
                prefix,
                encoded.word_slice(index, index + 1).codes[1:-1],
                float(log_proba[:-1].sum()),
                lengths=(shortest, longest),
                language=self._language(options, prefix, shortest, longest),
                exclusion=exclusion if exclusion.words else None,
                is_cut=is_cut,
            )
            searches.append(BestFirstSearch(wanted, n_words))
        return searches

    def _next_log_proba_after(self, prefixes: EncodedWords) -> Floats:
        """Return log-probabilities of the end and of each character after prefixes."""
        log_proba, rows = self._prefix_log_proba(prefixes)
        # The unknown symbol is the last.
        return log_proba[rows, : 1 + len(self.vocabulary_.characters)]


def _may_be_cut(vocabulary: CharVocabulary) -> bool:
    """Whether symbols may have several characters; raise an error for look-around."""
    if not isinstance(vocabulary, SymbolVocabulary):
        return False
    if vocabulary.pattern is not None and has_assertions(vocabulary.pattern):
        raise ValueError(
            "The most probable words cannot be searched if the pattern in `alphabet` "
            "has anchors or look-around, which may cut a word unlike its beginning; "
            "fit a model with a list of symbols."
        )
    return True


def _warn_if_fewer(
    found: list[list[tuple[str, float]]], prefixes: list[str], n_samples: int
) -> None:
    """Warn if there are fewer words than wanted, with the first such prefix."""
    fewer = [i for i, words in enumerate(found) if len(words) < n_samples]
    if not fewer:
        return
    first = fewer[0]
    others = f" ({len(fewer)} of {len(found)} prefixes)" if len(found) > 1 else ""
    warnings.warn(
        f"Found {len(found[first])} of {n_samples} words: no other"
        f"{beginning_with(prefixes[first])} has a probability above 0 "
        f"under these conditions{others}.",
        UserWarning,
        stacklevel=4,
    )
