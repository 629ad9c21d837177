"""Symbols of several characters, against the definition written out."""

import itertools
import random
import re

import numpy as np
import pytest

from sklearn_makemore._words.code_points import CodePoints
from sklearn_makemore._words.symbols import SymbolVocabulary, vocabulary_of
from sklearn_makemore._words.vocabulary import CharVocabulary

# Characters that patterns treat in a special way are ordinary ones here.
CHARACTERS = "ab.[\\^\n\0é🎉"


def cut_by_definition(word, symbols):
    """Cut off the longest symbol that fits, or one character."""
    pieces = []
    while word:
        fitting = [symbol for symbol in symbols if word.startswith(symbol)]
        pieces.append(max(fitting, key=len, default=word[0]))
        word = word[len(pieces[-1]) :]
    return pieces


@pytest.mark.parametrize("seed", range(30))
def test_words_are_cut_by_the_definition_and_come_back(seed):
    rng = random.Random(seed)
    characters = rng.sample(CHARACTERS, 4)
    symbols = {"".join(rng.choices(characters, k=rng.randint(1, 4))) for _ in range(9)}
    words = ["".join(rng.choices(characters, k=rng.randrange(12))) for _ in range(60)]
    vocabulary = SymbolVocabulary(symbols, unknown=True)
    encoded = vocabulary.encode(words)
    texts = vocabulary.symbols
    for index, word in enumerate(words):
        expected = cut_by_definition(word, symbols)
        assert vocabulary.segments(word) == expected
        codes = encoded.codes[encoded.offsets[index] :][1 : len(expected) + 1]
        shown = [piece if piece in symbols else "<unk>" for piece in expected]
        assert [texts[code] for code in codes] == shown
    assert vocabulary.lengths(words).tolist() == (encoded.lengths - 1).tolist()
    unknown = chr(vocabulary.point_outside())
    as_read = [
        "".join(p if p in symbols else unknown for p in cut_by_definition(w, symbols))
        for w in words
    ]
    assert vocabulary.decode(encoded) == as_read
    strict = SymbolVocabulary(symbols)
    readable = strict.can_encode(words)
    assert readable.tolist() == [w == r for w, r in zip(words, as_read, strict=True)]
    kept = [
        word for word, is_readable in zip(words, readable, strict=True) if is_readable
    ]
    if kept:
        assert strict.decode(strict.encode(kept)) == kept


@pytest.mark.parametrize("pattern", [None, re.compile("abc|ab|.")])
def test_the_rest_of_a_word_is_none_if_its_text_is_cut_elsewhere(pattern):
    vocabulary = SymbolVocabulary(["a", "b", "c", "ab", "abc"], pattern=pattern)
    for prefix in ["", "a", "ab", "ca"]:
        first = vocabulary.encode([prefix]).codes[:-1].tolist()
        rests = [
            list(rest)
            for length in range(4)
            for rest in itertools.product(range(1, 6), repeat=length)
        ]
        lengths = [len(rest) + 1 for rest in rests]
        codes = np.array([0, *itertools.chain(*([*rest, 0] for rest in rests))])
        encoded = type(vocabulary.encode([""]))(codes, np.cumsum([0, *lengths]))
        words = vocabulary.decode_after(prefix, encoded)
        texts = vocabulary.decode(encoded)
        for rest, word, text in zip(rests, words, texts, strict=True):
            same = vocabulary.encode([prefix + text]).codes.tolist() == [
                *first,
                *rest,
                0,
            ]
            assert word == (prefix + text if same else None)


def test_an_error_names_the_word_and_where_nothing_fits():
    vocabulary = SymbolVocabulary(["C", "Cl", "Br"])
    with pytest.raises(ValueError, match="'ClBX' at index 2 .*'BX', .*character 2"):
        vocabulary.encode(["C", "Br", "ClBX", "X"])


def test_a_pattern_learns_its_matches_and_more_words_add_some():
    pattern = re.compile(r"\[[^]]*\]|Br|Cl|[A-Z]")
    first, more = (CodePoints.from_words(w) for w in (["CCl", "[nH]C"], ["BrB"]))
    vocabulary = vocabulary_of(pattern, first, unknown=False)
    assert vocabulary.symbols == ["", "C", "Cl", "[nH]"]
    grown = vocabulary.grown(more)
    assert grown.symbols == ["", "B", "Br", "C", "Cl", "[nH]"]
    assert vocabulary.ids_in(grown).tolist() == [0, 3, 4, 5]
    assert grown.decode(grown.encode(["BrCCl[nH]"])) == ["BrCCl[nH]"]
    with pytest.raises(ValueError, match="'Cc' at index 0 .*fits 'c', .*character 1"):
        grown.encode(["Cc"])


def test_vocabularies_that_cut_differently_are_not_joined():
    kinds = [
        CharVocabulary("abc"),
        SymbolVocabulary(["a", "b", "ab"]),
        SymbolVocabulary(["a", "b", "ba"]),
        SymbolVocabulary(["a", "b", "ab"], pattern=re.compile("ab|.")),
    ]
    for one, other in itertools.permutations(kinds, 2):
        assert one != other
        with pytest.raises(ValueError, match="different ways"):
            one.union(other)
    more = SymbolVocabulary(["a", "c", "ab"])  # the same, but for single characters
    assert kinds[1].union(more).symbols == ["", "a", "ab", "b", "c"]


def test_alphabets_and_what_they_describe():
    pattern = re.compile("ab|.")
    nothing = CharVocabulary("")
    for alphabet, expected in [
        ("ba", CharVocabulary("ab")),
        (["b", "a"], CharVocabulary("ab")),
        (np.array(["b", "ab"]), SymbolVocabulary(["ab", "b"])),
        ((pattern, ["b", "a"]), SymbolVocabulary(["a", "b"], pattern=pattern)),
    ]:
        assert vocabulary_of(alphabet, nothing, unknown=False) == expected
        same = vocabulary_of(expected.alphabet, nothing, unknown=False)
        assert same == expected
    for wrong in ([""], [1], ["<unk>"], ["a\ud800"]):
        with pytest.raises(ValueError, match="`alphabet`"):
            vocabulary_of(wrong, nothing, unknown=False)
    for wrong in (re.compile(b"a"), (["a"], pattern)):
        with pytest.raises(TypeError, match="`alphabet` takes a compiled pattern"):
            vocabulary_of(wrong, nothing, unknown=False)
