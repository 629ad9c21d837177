"""Lists of words: one bundled, one downloaded, and those in files."""

from ._files import read_word_chunks, read_words
from ._names import fetch_names, load_names

__all__ = ["fetch_names", "load_names", "read_word_chunks", "read_words"]
