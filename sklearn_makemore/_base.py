"""BaseCharLM: base class of all models; `fit`, `partial_fit` and the fitted state."""

import re
import reprlib
from abc import abstractmethod
from dataclasses import KW_ONLY
from typing import Any, Literal, Protocol, Self, cast

from sklearn.utils.metadata_routing import UNUSED

from ._arguments import validate_options
from ._declarations import parameter
from ._methods.likelihood import LikelihoodMixin
from ._methods.most_likely import MostLikelyMixin
from ._sklearn import _fit_context, has_callbacks
from ._words.code_points import CodePoints
from ._words.symbols import Alphabet, lists_symbols, vocabulary_of
from ._words.training_set import TrainingSet
from ._words.types import Weights, Words
from ._words.vocabulary import CharVocabulary, EncodedWords

MAX_RESTORED_WORD_LENGTH = 1 << 31
"""Largest number of characters of the longest word of a model from a file."""


class ModelOfLabels(Protocol):
    """What a model learns from labelled words; labels are numbers from 0 on.

    reader : the estimator, which encodes words of any label
    """

    @property
    def reader(self) -> "BaseCharLM": ...  # noqa: D102

    def model(self, label: int) -> "BaseCharLM":
        """Return the fitted model of the words of a label."""
        ...

    def n_bytes(self, model: Any) -> int:
        """Return the memory that only the model of one label takes."""
        ...

    def added(self, data: TrainingSet) -> Self:
        """Return what is learned if more words are added; labels may be new."""
        ...

    def to_save(self) -> dict[str, Any]:
        """Return what a file keeps, with the reader as "estimator"."""
        ...


class BaseCharLM(LikelihoodMixin, MostLikelyMixin):
    """Base class of all character models.

    A subclass implements these hooks and those of `PredictionHooks`.

    _fit_encoded(data, callback_context)
        Learn from a `TrainingSet` and return the argument of `_fitted_attributes`. The
        estimator itself must not change, so that an interrupted fit has no effect.
    _partial_fit_encoded(data)
        The same, starting from the fitted state.
    _fitted_attributes(learned)
        The fitted attributes as a dict; by default `learned` itself.
    _state_to_save(), _state_from_file(kept, vocabulary)
        Convert the learned state to the content of a file, and back.
    """

    _: KW_ONLY

    alphabet: Alphabet | None = parameter(
        default=None,
        description="""
        Characters the model knows; None takes those of the training words. The elements
        of a list may have several characters, such as ``["C", "Cl"]``. With a compiled
        pattern, such as ``re.compile("Cl|.")``, the symbols are its matches in the
        training words; with a pair of a pattern and a list, they are those of the list.
        With symbols of several characters, methods count symbols instead of characters.
        """,
        constraints=[str, "array-like", re.Pattern, None],
        type_text="str, array-like of str, or compiled pattern",
    )
    handle_unknown: Literal["error", "unk"] = parameter(
        default="error",
        description="""
        What to do with a character outside the alphabet: raise an error that names it,
        or treat it as the symbol ``"<unk>"``, for which some probability is reserved.
        """,
    )

    # Words are scikit-learn's X, not metadata that could be routed.
    __metadata_request__fit = {"words": UNUSED}
    __metadata_request__partial_fit = {"words": UNUSED}

    # ------------------------------------------------------------------ hooks

    @abstractmethod
    def _fit_encoded(self, data: TrainingSet, callback_context: Any) -> Any:
        """Learn from words and return the learned state."""

    @abstractmethod
    def _partial_fit_encoded(self, data: TrainingSet) -> Any:
        """Learn from more words and return the learned state."""

    def _fitted_attributes(self, learned: Any) -> dict[str, Any]:
        """Turn the learned state into the fitted attributes."""
        return learned

    def _state_to_save(self) -> dict[str, Any]:
        """Return the learned state that a file stores.

        Raises ValueError if a parameter has changed since `fit` and loading would
        therefore restore another model.
        """
        raise NotImplementedError

    def _state_from_file(self, kept: dict[str, Any], vocabulary: CharVocabulary) -> Any:
        """Return the learned state from the result of `_state_to_save`.

        The file is untrusted: validate before allocating.
        """
        raise NotImplementedError

    def _check_trainable(
        self, encoded: EncodedWords, vocabulary: CharVocabulary, is_warm_start: bool
    ) -> None:
        """Raise an error if a word is longer than the model can learn from."""

    def _is_warm_start(self) -> bool:
        """Whether `fit` starts from the fitted state."""
        return False

    def _fit_vocabulary(self, joined: CodePoints) -> CharVocabulary:
        """Return the vocabulary that `fit` uses for these words."""
        unknown = self.handle_unknown == "unk"
        return vocabulary_of(self.alphabet, joined, unknown=unknown)

    def _partial_fit_vocabulary(self, joined: CodePoints) -> CharVocabulary:
        """Return the vocabulary that `partial_fit` uses for these words."""
        known = self._kept_vocabulary()
        return known if lists_symbols(self.alphabet) else known.grown(joined)

    def _max_subtasks(self) -> int | None:
        """Return how many subtasks `fit` reports to callbacks; 0 if it is one task.

        None means that the number is not known before the fit.
        """
        return 0

    def _fit_labels(self, data: TrainingSet, callback_context: Any) -> ModelOfLabels:
        """Learn labelled words; this estimator becomes the `reader` of what it learns.

        It must not be fitted.

        callback_context : a `LabelledContext`; None learns as `partial_fit` does
        """
        raise ValueError(
            f"{reprlib.repr(self)} cannot be conditioned on labels; use a counter, a "
            "network, or a mixture of these."
        )

    def _labels_from_file(self, kept: dict[str, Any], n_labels: int) -> ModelOfLabels:
        """Return what `ModelOfLabels.to_save` returned; `self` is its estimator."""
        raise TypeError(f"{type(self).__name__} has no labels.")

    # -------------------------------------------------------------------- fit

    @validate_options({})
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self, words: Words, y: object = None, sample_weight: Weights = None
    ) -> Self:
        """Learn the model from words.

        Raises
        ------
        ValueError
            If `words` is a single string, is empty or has a missing value, or if a
            word has a character outside `alphabet`. A network also raises it if the
            training diverges, usually because `lr` is too large, or if `checkpoint`
            belongs to another training.
        TypeError
            If an element of `words` is not a string.

        Warns
        -----
        ConvergenceWarning
            If a network ends worse than a uniform model, or worse than before training.
        """
        is_warm_start = self._is_warm_start()
        data = self._training_set(words, sample_weight, is_warm_start)
        # scikit-learn accepts None, but its default lets type checkers expect an int.
        max_subtasks = cast(Any, self._max_subtasks())
        context = self._init_callback_context(max_subtasks=max_subtasks)
        # Decoding the words takes time.
        words = data.words if has_callbacks(context) else []
        task = self._callback_task(words, data.sample_weight)
        context.call_on_fit_task_begin(**task)
        learned = self._fit_encoded(data, context)
        vocabulary, longest = data.vocabulary, data.max_predictions - 1
        del data  # frees memory for the fitted attributes
        self._set_fitted(vocabulary, longest, learned, is_warm_start)
        context.call_on_fit_task_end(**task, reconstruction_attributes={})
        return self

    @validate_options({})
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self, words: Words, y: object = None, sample_weight: Weights = None
    ) -> Self:
        """Learn from more words, starting from the fitted state.

        A counter adds counts exactly: two calls with the halves of a list equal one
        call with the whole list. A network trains one epoch on these words; it ignores
        `max_epochs`, `ngram_share`, `validation_fraction`, `early_stopping` and
        scikit-learn's callbacks. New characters become new symbols unless `alphabet` is
        given.

        Raises
        ------
        ValueError
            As `fit`, and if a parameter that is fixed by the first call has changed:
            `handle_unknown`, the order, the architecture, or the alphabet, which may
            only become None.

        Warns
        -----
        ConvergenceWarning
            If a network ends worse than before this call, or at the first call worse
            than a uniform model.
        """
        self._validate_params()  # scikit-learn does so at the first call only
        is_fitted = self.__sklearn_is_fitted__()
        data = self._training_set(words, sample_weight, is_fitted)
        learned = self._partial_fit_encoded(data)
        vocabulary, longest = data.vocabulary, data.max_predictions - 1
        del data
        self._set_fitted(vocabulary, longest, learned, is_fitted)
        return self

    def _training_set(
        self, words: Words, sample_weight: Weights, is_warm_start: bool
    ) -> TrainingSet:
        """Check words, and return those of positive weight."""
        vocabulary_of = (
            self._partial_fit_vocabulary if is_warm_start else self._fit_vocabulary
        )
        data = TrainingSet.from_words(words, sample_weight, vocabulary_of)
        # Before words are left out or held out: errors name the index among all.
        self._check_trainable(data.encoded, data.vocabulary, is_warm_start)
        return data.with_weight()

    def _learn(self, data: TrainingSet, callback_context: Any) -> None:
        """Learn encoded words as `fit` does, or without a context as `partial_fit`."""
        is_warm_start = callback_context is None and self.__sklearn_is_fitted__()
        if callback_context is None:
            learned = self._partial_fit_encoded(data)
        else:
            learned = self._fit_encoded(data, callback_context)
        longest = data.max_predictions - 1
        self._set_fitted(data.vocabulary, longest, learned, is_warm_start)

    # ----------------------------------------------------------- fitted state

    @property
    def symbols_(self) -> list[str]:
        """Texts of the symbols: ``""`` for the boundary, then the characters."""
        return self.vocabulary_.symbols

    def _kept_vocabulary(self) -> CharVocabulary:
        """Return the fitted vocabulary, or raise an error if parameters exclude it."""
        known = self.vocabulary_
        if not self._is_compatible(known):
            advice = " To learn more characters, set alphabet=None."
            if self.alphabet is None:
                advice = ""
            raise ValueError(
                f"The fitted model has the alphabet {_brief(known.alphabet)} and "
                f"handle_unknown={'unk' if known.unknown else 'error'!r}, and a warm "
                "start or `partial_fit` cannot change them. Set the parameters back, "
                f"or fit a new model.{advice}"
            )
        return known

    def _is_compatible(self, vocabulary: CharVocabulary) -> bool:
        """Whether the parameters allow a vocabulary."""
        unknown = self.handle_unknown == "unk"
        return vocabulary_of(self.alphabet, vocabulary, unknown=unknown) == vocabulary

    def _set_fitted(
        self,
        vocabulary: CharVocabulary,
        longest_word: int,
        learned: Any,
        is_warm_start: bool,
    ) -> None:
        """Assign all fitted attributes together, after every step that can fail."""
        fitted = self._fitted_attributes(learned)
        if is_warm_start:
            longest_word = max(longest_word, self.longest_word_)
        vars(self).update(fitted, vocabulary_=vocabulary, longest_word_=longest_word)

    def _kept(self) -> dict[str, Any]:
        """Return the state that a file stores; the rest is derived from it."""
        return {
            "vocabulary": self._kept_vocabulary(),
            "longest_word": self.longest_word_,
            **self._state_to_save(),
        }

    def _restore(self, kept: dict[str, Any]) -> None:
        """Set the fitted attributes from the result of `_kept`."""
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


def _brief(alphabet: Any) -> str:
    """Shorten an alphabet for a message."""
    brief = reprlib.Repr()
    brief.maxstring = 200
    return brief.repr(alphabet)
