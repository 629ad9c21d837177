"""N-gram models as ARPA files, the text format of KenLM, SRILM and other tools.

A file has a header with the number of n-grams of each length, and then one section per
length. A line of it has the logarithm to base 10 of a probability, the symbols of an
n-gram, and the logarithm of its back-off weight, which may be missing.
"""

from __future__ import annotations

import gzip
import os
import re
import reprlib
import warnings
from array import array
from collections.abc import Iterator
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from .._safe_file import ModelFileError, replacing
from .._words.symbols import vocabulary_of
from .._words.vocabulary import BOUNDARY, UNKNOWN, CharVocabulary
from ..datasets._compression import compression_of, name_of, opened, signature_of
from .backoff import MAX_ORDER, NGramTable, TableError, TableModel, tables_of
from .model import NGramModel

START, END = "<s>", "</s>"

UNKNOWN_TEXTS = UNKNOWN, UNKNOWN.upper()
"""What tools call the unknown symbol."""

SPACE = "\N{LOWER ONE EIGHTH BLOCK}"
"""What stands for a space in a symbol, as in SentencePiece."""

SEPARATORS = re.compile("[\0\t-\r]")
"""Characters other than the space that separate symbols or lines."""

ZERO = -99.0
"""What stands for the logarithm of zero."""

LOG_10 = float(np.log(10))

NGRAM_CHUNK_SIZE = 1 << 16
"""Number of n-grams written at a time; bounds the temporary texts."""

MAX_LINE_BYTES = 1 << 20
"""Longest line that is read, so that a file without lines cannot fill the memory."""

GZIP_LEVEL = 6
"""As of the program gzip; 9 takes three times as long and saves 1 %."""

TOLERANCE = 1e-3
"""Difference to 1 that a sum of probabilities may have; files round them."""

SIZE_LINE = re.compile(rb"ngram\s+(\d{1,9})\s*=\s*(\d{1,18})")

KENLM_BINARY = b"mmap lm"
"""First bytes of the binary files of KenLM."""

START_ID, END_ID = -1, -2
"""Ids of the marks until both become the boundary."""


def write_arpa(
    path: str | os.PathLike[str], model: NGramModel, vocabulary: CharVocabulary
) -> None:
    """Write a model to an ARPA file."""
    texts = symbol_texts(vocabulary)
    suffix = compression_of(path)
    if suffix not in ("", ".gz"):
        raise ValueError(
            f"{name_of(path)} ends in {suffix}, and ARPA files are written plain or "
            "with gzip; give it a name that ends in .arpa or .arpa.gz."
        )
    with replacing(path) as file:
        if not suffix:
            write_lines(model, texts, file)
            return
        # Without a time, equal models give equal files.
        with gzip.GzipFile("", "wb", GZIP_LEVEL, file, mtime=0) as packed:
            write_lines(model, texts, packed)


def write_lines(model: NGramModel, texts: list[str], file: Any) -> None:
    """Write a model to a binary file.

    texts : of the symbols, as of `symbol_texts`
    """
    tables = tables_of(model)
    sizes = [table.ids.shape[1] for table in tables]
    sizes[0] += 1  # the start and the end of a word are one id, and have a line each
    counts = [f"ngram {length}={size}" for length, size in enumerate(sizes, start=1)]
    file.write("\n".join(["\\data\\", *counts, ""]).encode())
    for length, table in enumerate(tables, start=1):
        file.write(f"\n\\{length}-grams:\n".encode())
        if length == 1:
            start = -np.inf, table.log_backoff[BOUNDARY]
            proba, backoff = _base_10(np.array(start)).tolist()
            file.write(f"{proba:.7g}\t{START}\t{backoff:.7g}\n".encode())
        for first in range(0, table.ids.shape[1], NGRAM_CHUNK_SIZE):
            lines = _lines(table.part(first, first + NGRAM_CHUNK_SIZE), texts)
            file.write("".join(lines).encode())
    file.write(b"\n\\end\\\n")


def _lines(table: NGramTable, texts: list[str]) -> Iterator[str]:
    """Yield the lines of n-grams; a back-off weight of one is left out."""
    *histories, targets = table.ids.tolist()
    before = [START, *texts[1:]]
    columns = [*([before[id_] for id_ in ids] for ids in histories)]
    columns.append([texts[id_] for id_ in targets])
    ngrams = map(" ".join, zip(*columns, strict=True))
    log_proba = _base_10(np.minimum(table.log_proba, 0)).tolist()
    is_end = table.ids[-1] == BOUNDARY
    log_backoff = _base_10(np.where(is_end, 0, table.log_backoff)).tolist()
    rows = zip(ngrams, log_proba, log_backoff, strict=True)
    for ngram, proba, backoff in rows:
        ending = f"\t{backoff:.7g}\n" if backoff else "\n"
        yield f"{proba:.7g}\t{ngram}{ending}"


def _base_10(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return natural logarithms to base 10, as an ARPA file has them."""
    return np.where(np.isneginf(logs), ZERO, logs / LOG_10 + 0.0)  # without -0.0


def symbol_texts(vocabulary: CharVocabulary) -> list[str]:
    """Return the text of each symbol in an ARPA file; the boundary is that of an end.

    Raises a ValueError if a symbol has none.
    """
    for symbol in vocabulary.characters:
        problem = ""
        if found := SEPARATORS.search(symbol):
            problem = f"contains {found[0]!r}, which separates symbols there"
        elif SPACE in symbol:
            problem = f"contains {SPACE!r}, which stands for a space there"
        elif symbol in (START, END, *UNKNOWN_TEXTS):
            problem = "has a special meaning there"
        if problem:
            raise ValueError(
                f"An ARPA file cannot have the symbol {symbol!r}: it {problem}. Write "
                "it in another way in the training words, and fit again."
            )
    return [END, *(symbol.replace(" ", SPACE) for symbol in vocabulary.symbols[1:])]


def read_arpa(path: str | os.PathLike[str]) -> tuple[TableModel, CharVocabulary]:
    """Read a model and its symbols from an ARPA file, which is untrusted."""
    path = os.path.expanduser(path)
    try:
        with opened(path) as file:
            model, vocabulary = _Reader(file, name_of(path)).read()
    except ValueError as error:
        raise ModelFileError(str(error)) from error
    total = model.total_proba()
    state = int(np.argmax(np.abs(total - 1)))
    if not abs(total[state] - 1) < TOLERANCE:
        history = [vocabulary.symbols[id_] or START for id_ in model.history(state)]
        warnings.warn(
            f"Probabilities in {name_of(path)} do not add up to one: those after "
            f"{history} add up to {total[state]:.6g}.",
            UserWarning,
            stacklevel=4,  # the caller of `from_arpa`, outside the check of arguments
        )
    return model, vocabulary


class _Section:
    """The n-grams of one length, as their lines have them.

    ids : those of all n-grams, one n-gram after the other
    lines : number of the line of each n-gram
    log_proba, log_backoff : logarithms to base 10
    """

    def __init__(self, length: int) -> None:
        self.length = length
        self.ids, self.lines = array("i"), array("q")
        self.log_proba, self.log_backoff = array("d"), array("d")

    def table(self) -> tuple[NGramTable, NDArray[np.int64]]:
        """Return the n-grams that words can contain, and their line numbers.

        Some tools also list n-grams that cross the boundary between two words.
        """
        ids = np.array(self.ids).reshape(-1, self.length).T
        logs = np.array([self.log_proba, self.log_backoff])
        logs = np.where(logs == ZERO, -np.inf, logs * LOG_10)
        if self.length == 1:
            logs[1, ids[0] == END_ID] = logs[1, ids[0] == START_ID].sum()
            is_possible = ids[0] != START_ID
        else:
            is_possible = (ids[1:] != START_ID).all(axis=0)
            is_possible &= (ids[:-1] != END_ID).all(axis=0)
        ids = np.maximum(ids, BOUNDARY)[:, is_possible]
        table = NGramTable(ids, *logs[:, is_possible])
        return table, np.array(self.lines)[is_possible]


class _Reader:
    """Reads an ARPA file line by line.

    fields : the last line that was read, split at spaces and tabs
    numbers : of the symbols, in the order of the file
    ids : what `_Section.ids` has for a symbol: its number, and later its id
    """

    def __init__(self, file: Any, name: str) -> None:
        self.file, self.name, self.n_lines = file, name, 0
        self.fields: list[bytes] = []
        self.numbers: dict[str, int] = {}
        self.ids: dict[bytes, int] = {START.encode(): START_ID, END.encode(): END_ID}

    def read(self) -> tuple[TableModel, CharVocabulary]:
        """Return the model and its symbols."""
        sizes = self._read_header()
        tables, lines = [], []
        vocabulary = CharVocabulary("")
        for length, size in enumerate(sizes, start=1):
            section = self._read_section(length, size, length == len(sizes))
            if length == 1:
                vocabulary = self._number_symbols(section)
            table, numbers = section.table()
            tables.append(table)
            lines.append(numbers)
        self._expect(b"\\end\\")
        # Without longer n-grams, the back-off weights of the longest ones still count.
        while len(tables) > 1 and not (tables[-1].ids.size or tables[-2].ids.size):
            tables.pop()
        try:
            return TableModel(tables, vocabulary.n_symbols), vocabulary
        except TableError as error:
            line = int(lines[error.length - 1][error.row])
            self._fail(f"the n-gram {error.reason}", line)

    def _read_header(self) -> list[int]:
        """Return how many n-grams of each length the header promises."""
        start = line = self._read_line()
        while line and line.strip() != b"\\data\\":
            line = self._read_line()
        if not line:
            found = signature_of(start) or "is not an ARPA file"
            if start.startswith(KENLM_BINARY):
                found = "is a binary file of KenLM; read the ARPA file it was made of"
            self._fail(f"there is no line \\data\\. The file {found}", line=1)
        sizes: list[int] = []
        self._next()
        while not self.fields[0].startswith(b"\\"):
            found = SIZE_LINE.fullmatch(b" ".join(self.fields))
            if not found or int(found[1]) != len(sizes) + 1:
                self._fail(f"'ngram {len(sizes) + 1}=' and a number must follow")
            sizes.append(int(found[2]))
            if len(sizes) > MAX_ORDER:
                self._fail(f"n-grams of more than {MAX_ORDER} symbols are not read")
            self._next()
        if not sizes:
            self._fail("the line 'ngram 1=' with the number of symbols is missing")
        return sizes

    def _read_section(self, length: int, size: int, is_longest: bool) -> _Section:
        """Return the n-grams of one length."""
        self._expect(b"\\%d-grams:" % length)
        self._next()
        section = _Section(length)
        while not self.fields[0].startswith(b"\\"):
            log_proba, *tokens = self.fields
            log_backoff = tokens.pop() if len(tokens) == length + 1 else b"0"
            if len(tokens) != length:
                self._fail(
                    f"a {length}-gram has a log-probability, its symbols and, if need "
                    "be, a back-off weight"
                )
            if length == 1:
                self._add_symbol(tokens[0])
            try:
                section.ids.extend([self.ids[token] for token in tokens])
                section.log_proba.append(float(log_proba))
                section.log_backoff.append(float(log_backoff))
            except KeyError as error:
                self._fail(f"the symbol {_shown(error.args[0])} is not a 1-gram")
            except ValueError as error:
                self._fail(str(error))
            if is_longest and section.log_backoff[-1]:
                self._fail("an n-gram of the largest length has a back-off weight")
            section.lines.append(self.n_lines)
            self._next()
        if len(section.lines) != size:
            self._fail(
                f"there are {len(section.lines):,} {length}-grams, and the header "
                f"promises {size:,}. The file is damaged"
            )
        return section

    def _add_symbol(self, token: bytes) -> None:
        """Give a symbol that is new a number, from 1 on."""
        if token in self.ids:
            return
        try:
            text = token.decode()
        except UnicodeDecodeError:
            self._fail(f"the symbol {_shown(token)} is not UTF-8")
        text = UNKNOWN if text in UNKNOWN_TEXTS else text.replace(SPACE, " ")
        self.ids[token] = self.numbers.setdefault(text, len(self.numbers) + 1)

    def _number_symbols(self, section: _Section) -> CharVocabulary:
        """Return the vocabulary of the symbols, and replace numbers by its ids."""
        if END_ID not in section.ids:
            self._fail(f"the 1-grams lack {END}, the end of a word")
        if section.ids.count(START_ID) > 1:
            self._fail(f"the 1-gram {START} is listed twice")
        characters = [text for text in self.numbers if text != UNKNOWN]
        unknown = UNKNOWN in self.numbers
        vocabulary = vocabulary_of(characters, CharVocabulary(""), unknown=unknown)
        ids = {text: id_ for id_, text in enumerate(vocabulary.symbols)}
        new_ids = {END_ID: END_ID, START_ID: START_ID}
        new_ids |= {number: ids[text] for text, number in self.numbers.items()}
        section.ids = array("i", [new_ids[number] for number in section.ids])
        self.ids = {token: new_ids[number] for token, number in self.ids.items()}
        return vocabulary

    def _expect(self, line: bytes) -> None:
        """Raise an error unless a line was just read."""
        if self.fields != [line]:
            self._fail(f"{line.decode()} must follow, not {_shown(self.fields[0])}")

    def _next(self) -> None:
        """Read the next line that is not empty."""
        self.fields = []
        while not self.fields:
            line = self._read_line()
            if not line:
                self._fail("the file ends before the line \\end\\. It is truncated")
            self.fields = line.split()

    def _read_line(self) -> bytes:
        """Return the next line, empty at the end of the file."""
        line = self.file.readline(MAX_LINE_BYTES)
        self.n_lines += 1
        if len(line) == MAX_LINE_BYTES:
            self._fail(f"the line is longer than {MAX_LINE_BYTES:,} bytes")
        return line

    def _fail(self, problem: str, line: int | None = None) -> NoReturn:
        """Raise an error about a line, by default the last one that was read."""
        line = self.n_lines if line is None else line
        raise ValueError(f"{self.name}, line {line:,}: {problem}.")


def _shown(token: bytes) -> str:
    """Return a text of a file for messages."""
    return reprlib.repr(token.decode("utf-8", "backslashreplace"))
