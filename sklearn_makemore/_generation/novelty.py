"""How many sampled words are new, and how long they are."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from html import escape

import numpy as np

from .._words.types import Floats, Ids
from .._words.vocabulary import CharVocabulary

ANY_CHARACTERS = CharVocabulary("")


@dataclass(frozen=True, eq=False)
class NoveltyReport:
    """Comparison of sampled words with the training words.

    Each sample is of one of three kinds: a new word, sampled for the first time; a
    training word; or a new word that was sampled before.

    Parameters
    ----------
    n_samples : int
        Number of sampled words.

    known_share : float
        Share of the samples that are training words.

    distinct_share : float
        Number of distinct sampled words, divided by `n_samples`.

    novel_share : float
        Number of distinct sampled words that are not training words, divided by
        `n_samples`.

    length_distance : float
        Total variation distance between the lengths of the samples and those of the
        training words: the share, from 0 to 1, by which the two distributions differ.

    lengths_by_kind : ndarray of shape (3, longest + 1)
        Number of samples of each kind and length, divided by `n_samples`. The rows are
        the kinds above, in that order, and `longest` is the number of characters of the
        longest word.

    train_lengths : ndarray of shape (longest + 1,)
        Share of the training words with each number of characters. A word that occurs
        twice counts twice.

    novel_words : tuple of str
        The distinct sampled words that are not training words, in the order of the
        samples.

    See Also
    --------
    NoveltyDisplay : The picture of a report.

    Examples
    --------
    >>> from sklearn_makemore import NGramCounter
    >>> from sklearn_makemore.datasets import load_names
    >>> names = load_names().data
    >>> model = NGramCounter().fit(names)
    >>> report = model.novelty_report(names, random_state=0)
    >>> print(f"{report.novel_share:.0%} new, {report.length_distance:.2f}")
    47% new, 0.04
    """

    n_samples: int
    known_share: float
    distinct_share: float
    novel_share: float
    length_distance: float
    lengths_by_kind: Floats = field(repr=False)
    train_lengths: Floats = field(repr=False)
    novel_words: tuple[str, ...] = field(repr=False)

    @property
    def sample_lengths(self) -> Floats:
        """Share of the samples with each number of characters, (longest + 1,)."""
        return self.lengths_by_kind.sum(axis=0)

    def _repr_html_(self) -> str:
        """Show the numbers and ten new words as a table, for notebooks."""
        numbers = [each.name for each in fields(self) if each.repr]
        shown = {name: f"{getattr(self, name):,.3f}" for name in numbers}
        shown["n_samples"] = f"{self.n_samples:,}"
        words = [*self.novel_words[:10], "..."][: len(self.novel_words)]
        shown["novel_words"] = ", ".join(map(escape, words))
        cells = (f"<tr><th>{name}<td>{value}" for name, value in shown.items())
        return f"<table>{''.join(cells)}</table>"


def novelty_of(
    samples: list[str],
    words: list[str],
    lengths_of: Callable[[list[str]], Ids] = ANY_CHARACTERS.lengths,
) -> NoveltyReport:
    """Compare sampled words with the training words; at least one of each.

    lengths_of : returns the number of characters of each word, (n_words,)

    >>> from sklearn_makemore._generation.novelty import novelty_of
    >>> report = novelty_of(["ana", "lia", "lia", "mo"], ["ana", "mia"])
    >>> report
    NoveltyReport(n_samples=4, known_share=0.25, distinct_share=0.75,
                  novel_share=0.5, length_distance=0.25)
    >>> report.novel_words
    ('lia', 'mo')
    >>> report.lengths_by_kind
    array([[0.  , 0.  , 0.25, 0.25],
           [0.  , 0.  , 0.  , 0.25],
           [0.  , 0.  , 0.  , 0.25]])
    """
    known = set(words)
    novel: dict[str, None] = {}  # a dict keeps the order
    kinds = np.empty(len(samples), dtype=np.intp)
    for index, word in enumerate(samples):
        kinds[index] = 1 if word in known else 2 if word in novel else 0
        if kinds[index] == 0:
            novel[word] = None
    of_samples, of_words = lengths_of(samples), lengths_of(words)
    n_lengths = 1 + max(of_samples.max(), of_words.max())
    counts = np.bincount(kinds * n_lengths + of_samples, minlength=3 * n_lengths)
    lengths_by_kind = counts.reshape(3, n_lengths) / len(samples)
    train_lengths = np.bincount(of_words, minlength=n_lengths) / len(words)
    difference = lengths_by_kind.sum(axis=0) - train_lengths
    return NoveltyReport(
        n_samples=len(samples),
        known_share=int(np.sum(kinds == 1)) / len(samples),
        distinct_share=len(set(samples)) / len(samples),
        novel_share=len(novel) / len(samples),
        length_distance=float(np.abs(difference).sum() / 2),
        lengths_by_kind=lengths_by_kind,
        train_lengths=train_lengths,
        novel_words=tuple(novel),
    )
