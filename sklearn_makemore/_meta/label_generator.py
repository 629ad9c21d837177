"""Words sampled from a model of labelled words."""

from collections.abc import Iterator
from dataclasses import KW_ONLY
from typing import Any, overload

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._arguments import parameter_constraints, validate_options
from .._base import BaseCharLM
from .._declarations import parameter, takes
from .._generation.exclusion import Exclusion
from .._generation.options import SampleOptions
from .._methods.most_likely import MostLikelyMixin
from .._word_estimator import own_random_state
from .._words.types import Floats, Words
from .label_likelihood import LabelledLikelihoodMixin
from .label_models import rows_of_labels
from .labels import label_array


class LabelledSampleOptions(SampleOptions):
    """The arguments of `sample` of a model of labelled words."""

    n_samples: int = parameter(
        default=1,
        description="Number of words. Leave it at 1 if `label` is a list.",
    )
    _: KW_ONLY
    label: Any = parameter(
        default=None,
        type_text="a label, array-like of labels, or None",
        description="""
        The label of all words, or a list with the label of each word. With None, each
        label is drawn first: from `class_prior_`, or given `prefix` if there is one.
        Other options apply to the words of the labels that were drawn.
        """,
    )
    unique: bool = parameter(
        default=False,
        description="Whether all words must be different, whatever their labels.",
    )

    def without_label(self) -> dict[str, Any]:
        """Return the arguments of `sample` of a model of words."""
        return {name: getattr(self, name) for name in SampleOptions.names()}


class LabelledGeneratorMixin(LabelledLikelihoodMixin):
    """New words with labels, and the most probable words of a label."""

    @takes(LabelledSampleOptions)
    def sample(self, options: LabelledSampleOptions) -> list[str]:
        """Sample new words with a label.

        Options act as in `NGramCounter.sample`.

        Returns
        -------
        words : list of str
            The words; one for each label of a list, in its order. With one label or
            None they can be fewer than `n_samples`, with a warning, if the options
            leave too few.

        Raises
        ------
        NotFittedError
            If the model is not fitted.
        ValueError
            If a label is unknown, if both `n_samples` and a list of labels are given,
            if there are not enough words for a list of labels, or as
            `NGramCounter.sample`.
        """
        check_is_fitted(self)
        rng = own_random_state(options.random_state)
        label, unique = options.label, options.unique
        labels = self._labels_to_sample(label, options.n_samples, options.prefix, rng)
        exclusion = Exclusion.checked(options.exclude, int(options.min_distance))
        shared = options.without_label()
        words: list[str | None] = [None] * len(labels)
        for rows, model in self._by_label(labels):
            of_label = {
                "n_samples": len(rows),
                "exclude": exclusion,
                "random_state": rng,
            }
            found = model.sample(**shared | of_label)
            if len(found) < len(rows) and np.ndim(label):
                raise ValueError(
                    f"Only {len(found)} of {len(rows)} words with the label "
                    f"{self.classes_.tolist()[labels[rows[0]]]!r} were found; relax "
                    "an option."
                )
            for row, word in zip(rows.tolist(), found, strict=False):
                words[row] = word
            if unique:
                exclusion.words.update(found)
        return [word for word in words if word is not None]

    @overload
    def most_likely(
        self, n_samples: int = 10, *, label: Any, prefix: str = "", **conditions: Any
    ) -> tuple[list[str], Floats]: ...

    @overload
    def most_likely(
        self, n_samples: int = 10, *, label: Any, prefix: Words, **conditions: Any
    ) -> list[tuple[list[str], Floats]]: ...

    @validate_options({}, forwarded=parameter_constraints(MostLikelyMixin.most_likely))
    def most_likely(self, n_samples: int = 10, *, label: Any, **conditions: Any) -> Any:
        """Find the most probable words with a label.

        Parameters
        ----------
        n_samples : int, default=10
            Number of words, for each prefix.

        label : a label
            The label of the words. It is required: there is no search over all labels.

        **conditions : dict
            Options of `NGramCounter.most_likely`, such as ``prefix="jo"``.

        Returns
        -------
        words : list of str
            The `n_samples` most probable words in decreasing probability.

        log_proba : ndarray of shape (n_found,), dtype float64
            Log-probability in nats of each word given the label. With several prefixes,
            the result is a list with a pair ``(words, log_proba)`` for each.

        Raises
        ------
        NotFittedError
            If the model is not fitted.
        ValueError
            If the label is unknown, or as `NGramCounter.most_likely`.
        """
        return self._model_of(label).most_likely(n_samples, **conditions)

    @validate_options(
        {}, forwarded=parameter_constraints(MostLikelyMixin.iter_most_likely)
    )
    def iter_most_likely(
        self, *, label: Any, **conditions: Any
    ) -> Iterator[tuple[str, float]]:
        """Iterate over words with a label in decreasing probability.

        Parameters
        ----------
        label : a label
            The label of the words; required.

        **conditions : dict
            Options of `NGramCounter.iter_most_likely`, such as ``prefix="jo"``.

        Returns
        -------
        pairs : iterator of (str, float)
            Each word with its log-probability in nats, given the label.

        Raises
        ------
        NotFittedError, ValueError
            As `most_likely`.
        """
        return self._model_of(label).iter_most_likely(**conditions)

    def _model_of(self, label: Any) -> BaseCharLM:
        """Return the model of the words of a label."""
        check_is_fitted(self)
        return self.estimators_[self._row_of(label)]

    def _labels_to_sample(
        self, label: Any, n_samples: int, prefix: str, rng: np.random.RandomState
    ) -> np.ndarray:
        """Return the index of the label of each word to sample."""
        if label is None:
            proba = self.class_prior_
            if prefix:
                encoded = self._reader._encoded([prefix], "prefix")
                proba = self._posterior(encoded)[:, 0]
            return rng.choice(len(proba), n_samples, p=proba)
        if np.ndim(label) == 0:
            return np.repeat(self._row_of(label), n_samples)
        if n_samples != 1:
            raise ValueError(
                f"n_samples={n_samples}, but `label` is a list of the labels of "
                f"{len(label)} words; give one of the two."
            )
        return rows_of_labels(label_array(label).tolist(), self.classes_)
