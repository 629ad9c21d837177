"""ArpaMixin: the methods of NGramCounter that write and read ARPA files."""

from __future__ import annotations

import os
from typing import Any, Self, cast

from sklearn.utils.validation import check_is_fitted

from .._arguments import validate_options
from .._generation.lengths import LengthMatchedModel
from .._words.vocabulary import CharVocabulary


class ArpaMixin:
    """Writes and reads ARPA files."""

    model_: Any
    vocabulary_: CharVocabulary

    @validate_options({"path": [str, os.PathLike]})
    def to_arpa(self, path: str | os.PathLike[str]) -> None:
        """Write the model to an ARPA file, which KenLM, SRILM and other tools read.

        The file has the same probabilities as this model, as logarithms to base 10 with
        seven digits. Each symbol is a word of the file, and each word of this model is
        a sentence: KenLM scores "emma" as ``kenlm.Model(path).score("e m m a")``. A
        space within a symbol becomes the character U+2581, as in SentencePiece.

        Parameters
        ----------
        path : str or path-like
            The file. With the ending ".gz" it is compressed. A "~" at the start stands
            for the home folder. An older file of this name is replaced atomically.

        Raises
        ------
        NotFittedError
            If the model is not fitted.
        ValueError
            If the model has ``match_lengths=True``, if the name ends in another
            compression, such as ".xz", or if a symbol cannot be written: a tab, a line
            break, U+2581, "<s>" or "</s>".
        OSError
            If the file cannot be written. An older file is unchanged.

        See Also
        --------
        save : Save the model with its counts, so that it can learn more words.
        NGramCounter.from_arpa : Read an ARPA file.

        Notes
        -----
        Without ``handle_unknown="unk"``, the file lacks "<unk>", and KenLM warns and
        takes unknown symbols as nearly impossible. A probability of zero, of additive
        smoothing with ``alpha=0``, is written as -99, the convention of the format.
        KenLM reads orders from 2 on, and up to 6 unless it is compiled for more.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> from sklearn_makemore import NGramCounter
        >>> model = NGramCounter(order=2, match_lengths=False).fit(["ab", "b"])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.to_arpa(Path(folder, "words.arpa"))
        ...     lines = Path(folder, "words.arpa").read_text().splitlines()
        >>> for line in lines[5:9]:  # the symbols
        ...     print(line.expandtabs(12))
        -99         <s>         -0.004364805
        -0.5872595  </s>
        -0.5872595  a           -0.4412914
        -0.3163527  b           -0.7423214
        """
        check_is_fitted(self)
        if isinstance(self.model_, LengthMatchedModel):
            raise ValueError(
                "An ARPA file cannot hold an NGramCounter with match_lengths=True: its "
                "probabilities depend on the number of characters so far. Fit again "
                "with match_lengths=False."
            )
        from .arpa import write_arpa  # fitting does not need its imports

        write_arpa(path, self.model_, self.vocabulary_)

    @classmethod
    @validate_options({"path": [str, os.PathLike]})
    def from_arpa(cls, path: str | os.PathLike[str]) -> Self:
        """Read a model from an ARPA file, such as KenLM and SRILM write.

        Each word of the file becomes a symbol, and each sentence a word of this model.
        The model scores, samples, and can be saved. It has no counts, so `partial_fit`,
        `merge` and `prune` raise an error, but `fit` learns a new model.

        The file is untrusted. It is validated, and takes memory in proportion to its
        content, not to the sizes that it states.

        Parameters
        ----------
        path : str or path-like
            The file; it can be compressed, with an ending such as ".gz". A "~" at the
            start stands for the home folder.

        Returns
        -------
        model : NGramCounter
            A fitted counter with the order of the file, ``discounts="closed-form"`` and
            ``match_lengths=False``. If all symbols are single characters, `alphabet` is
            None; otherwise it lists them. `handle_unknown` is "unk" if the file has
            "<unk>". `longest_word_` is the order, because the file does not tell it.
            `sample` and `most_likely` return the empty word by default if the file
            lists "<s> </s>". A file of order 1 cannot list it: pass ``min_length=0``.

        Raises
        ------
        ModelFileError
            If the file is not a valid ARPA file, or has n-grams of more than 256
            symbols; the message has the line.
        OSError
            If the file cannot be read.

        Warns
        -----
        UserWarning
            If probabilities do not add up to one. Scores are then those of the file,
            and samples follow the probabilities divided by their sum.

        See Also
        --------
        NGramCounter.to_arpa : Write an ARPA file.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> from sklearn_makemore import NGramCounter
        >>> model = NGramCounter(order=3, match_lengths=False).fit(["emma", "ava"])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.to_arpa(Path(folder, "names.arpa.gz"))
        ...     again = NGramCounter.from_arpa(Path(folder, "names.arpa.gz"))
        >>> round(again.nll(["mava"]), 5) == round(model.nll(["mava"]), 5)
        True
        """
        from .arpa import read_arpa  # fitting does not need its imports

        model, vocabulary = read_arpa(path)
        is_of_characters = type(vocabulary) is CharVocabulary
        counter = cast("Any", cls)(  # of NGramCounter
            model.order,
            discounts="closed-form",
            match_lengths=False,
            alphabet=None if is_of_characters else vocabulary.alphabet,
            handle_unknown="unk" if vocabulary.unknown else "error",
        )
        counter._set_fitted(vocabulary, model.order, model, is_warm_start=False)
        return counter
