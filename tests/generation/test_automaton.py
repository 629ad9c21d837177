"""Automata of regular expressions, held against Python's own matcher word by word."""

import re
import string
import time
import unicodedata
from itertools import product

import numpy as np
import pytest
from any_words import search
from hypothesis import given
from hypothesis import strategies as st

from sklearn_makemore._generation import automaton as _automaton
from sklearn_makemore._generation import language as _language
from sklearn_makemore._generation.automaton import compile_pattern
from sklearn_makemore._generation.language import BackwardLayers, matching_language
from sklearn_makemore._words.vocabulary import CharVocabulary

ABC = "abc"
WORDS = ["".join(w) for n in range(6) for w in product(ABC, repeat=n)]
SHORT = [word for word in WORDS if len(word) < 5]


def accepted(automaton, characters, words):
    """The words that lead to a state that accepts."""
    found = []
    for word in words:
        state = automaton.after(1 + characters.index(letter) for letter in word)
        if state >= 0 and automaton.accepts[state]:
            found.append(word)
    return found


def assert_trimmed(automaton):
    """From the start every state is reached, and from every state a match."""
    n_states = len(automaton.accepts)
    ways = np.zeros((n_states, n_states), dtype=bool)
    sources, symbols = np.nonzero(automaton.next_states >= 0)
    ways[sources, automaton.next_states[sources, symbols]] = True
    reached, ending = np.arange(n_states) == automaton.start, automaton.accepts
    for _ in range(n_states):
        reached, ending = reached | (reached @ ways), ending | (ways @ ending)
    assert reached.all() and ending.all()
    assert (automaton.next_states[:, 0] == -1).all()


# Rust spells some of it differently from Python.
PATTERNS = [
    "",
    "a|ab",  # the library itself, looking for one match, would stop at "a"
    "(a|ab)(c|bcd)?",
    "a*?",
    "a{1,3}?b??",
    "^ab$",
    "^a|^b|c$",
    "(^a)*b",
    "(^|a)b(c|$)",
    "a^b|c",
    "a^b",
    "(?:a$)*^b*$",
    r"(?:.\w|)^\w",
    r"(?:.\w|)^\W",
    "[^a]+",
    "[a-c]{2}|.{4}",
    "(?:ab|c)*",
    "(?i)AB",
    "a|bé",
    "(a+)+(b|c)*",
    ".*a.b",
    "(?s).*",
    "b{0}a?",
    "x*",
    "é",
    "a(b(c(a(b)?)?)?)?",
    r"\w{2,3}",
    r"(\S)\W?",
    "[(]?a|(?:b)",
    r"a\)?|\(b",
    r"\b[ab]+\b|c(\Bc)*",
    r"(a\B)*b\b",
    "(?:a?){2,4}b",
    "(?:a?b?){3}",
    "((?:a|)+c){0,2}",
    "a{0}|(?:^b|c){2,}",
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_words_are_accepted_as_python_matches_them(pattern):
    automaton = compile_pattern(pattern, ABC)
    expected = [word for word in WORDS if re.fullmatch(pattern, word)]
    assert accepted(automaton, ABC, WORDS) == expected
    assert_trimmed(automaton)
    assert (automaton.start == -1) == (len(automaton.accepts) == 0) == (not expected)


@pytest.mark.parametrize(
    "rust, python",
    [
        (r"\Aab\z|c", r"ab|c"),
        (r"(\Aa|\\A)b\z", "ab"),
        ("(?x) a b  # a comment at the end (", "ab"),
        ("(?x)^a(b # one in the middle\n|c)", "a(b|c)"),
        (r"(?-u:\b)a+(?-u:\b)", "a+"),
        ("[a-c&&[^b]]+", "[ac]+"),
        ("[[:alpha:]--b]+", "[ac]+"),
        (r"\p{L}\P{Lu}?", ".{1,2}"),
        ("(?U)a+?b*", "a+b*"),
        ("a**b+{2}", "a*b{2,}"),
        ("(?-i:a)(?i)B|C", "a[bB]|[cC]"),
        ("(?<one>a)(?P<two>b)", "ab"),
        (r"\x61\u0062|\x{63}|\U00000061", "ab|c|a"),
        (r"[\x61-\x62]|[[:^lower:]c]", "[abc]"),
        ("[a-c--b]|[ab~~bc]{2}|[]a-]{3}", "[ac]|[ac]{2}|a{3}"),
        ("(?x)[a b]{1, 2}", "[ab]{1,2}"),
        ("(?m:^)a(?m:$)", "a"),
        ("(?-m)^a", "a"),
        ("[a~~ab&&c]|[b--b~~a]{2}|[a-c--a--b]{3}", "a{2}|c{3}"),
        ("[:abc]|[--a]{2}|[]-a]{3}|[a-c-e]{4}", "[abc]|a{2}|a{3}|.{4}"),
        (r"\A{2}a\z{1,2}\b{2}|\B{0}b", "a|b"),
        ("(?x)a+ ?|[ b # ]\nc ]{2} ?", "a*|[bc]{2}"),
        (r"\p{Script!=Greek}\P{sc!=Latin}\p{L}", "..."),
        ("(?x)( ?<é> a | b)", "a|b"),
        ("(){999999999}a", "a"),
        (r"\p{IDC}\P{idc}|c", "c"),
    ],
)
def test_what_rust_spells_otherwise(rust, python):
    automaton = compile_pattern(rust, ABC)
    expected = [word for word in WORDS if re.fullmatch(python, word)]
    assert accepted(automaton, ABC, WORDS) == expected


def repeated(pattern):
    """Every way to repeat a pattern."""
    return st.sampled_from(
        [
            f"(?:{pattern}){times}{lazy}"
            for times in ("*", "+", "?", "{2}", "{0,2}", "{1,}")
            for lazy in ("", "?")
        ]
    )


patterns = st.recursive(
    st.sampled_from(["a", "b", "c", ".", "[ab]", "[^c]", "", "^", "$", "é"]),
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda s: f"({'|'.join(s)})"),
        inner.flatmap(repeated),
    ),
    max_leaves=8,
)


@pytest.mark.slow
@search(100)
@given(patterns)
def test_any_pattern_accepts_what_python_matches(pattern):
    automaton = compile_pattern(pattern, ABC)
    expected = [word for word in SHORT if re.fullmatch(pattern, word)]
    assert accepted(automaton, ABC, SHORT) == expected
    assert_trimmed(automaton)


LETTERS = "azAZßéñЖдяЁΩλάיم漢字かカ한0٣५_-'. \n\x00·😀👩🏽"


@pytest.mark.parametrize(
    "pattern, matches",
    [
        (r"\p{L}", lambda letter: unicodedata.category(letter).startswith("L")),
        (r"\p{Lu}", lambda letter: unicodedata.category(letter) == "Lu"),
        (r"\d", str.isdecimal),
        (r"\p{Cyrillic}", lambda letter: "CYRILLIC" in unicodedata.name(letter, "")),
        (r"\p{Greek}", lambda letter: "GREEK" in unicodedata.name(letter, "")),
        ("[α-ωа-я]", lambda letter: letter in "λдя"),
        ("(?i)ж|ω", lambda letter: letter in "ЖΩ"),
        (r"\p{Emoji_Presentation}", lambda letter: letter in "😀👩🏽"),
        (r"[^\w\s]", lambda letter: letter in "-'.·😀👩🏽\0"),
        (".", lambda letter: letter != "\n"),
        ("(?s).", lambda letter: True),
        (r"\x00|\n", lambda letter: letter in "\0\n"),
    ],
)
def test_a_class_holds_the_characters_of_its_name(pattern, matches):
    automaton = compile_pattern(pattern, LETTERS)
    expected = [letter for letter in LETTERS if matches(letter)]
    assert expected
    assert accepted(automaton, LETTERS, LETTERS) == expected


def test_sets_of_characters_ignore_case_one_by_one():
    # No character is two others, as "SS" would be for some.
    for pattern, letters, expected in [
        ("(?i)ß", "sSßẞ", "ßẞ"),
        ("(?i)s", "sSſß", "sSſ"),
        ("(?i)i", "iIıİ", "iI"),
        ("(?i)k|σ", "kK\u212aΣσς", "kK\u212aΣσς"),
        ("(?i)[k-z]", "jKzß", "Kz"),
        ("(?i)[i[:^word:]]", "iIıİa", "iIıİ"),
        ("(?i)[i]", "iIıİ", "iI"),
        (r"(?i)\P{Lu}", "aAßẞ1", "1"),
        ("(?i)[^k]", "kK\u212aj", "j"),
        ("(?i-u:k|é)", "kK\u212aéÉ", "kKé"),
        ("(?i-u)[[:lower:]]", "sSſ", "sS"),
        ("(?i)[\u0390\ufb05]", "\u1fd3\u0390\ufb06i", "\u1fd3\u0390\ufb06"),
        (r"(?-u:\w)", "aéЖ1_", "a1_"),
    ]:
        automaton = compile_pattern(pattern, letters)
        assert "".join(accepted(automaton, letters, letters)) == expected


def test_a_pattern_is_compiled_once():
    assert compile_pattern("(ж|a)+b?", "abж") is compile_pattern("(ж|a)+b?", "abж")


@pytest.mark.parametrize(
    "pattern, message",
    [
        ("(?=a)b", "look-around"),
        ("(?<!a)b", "look-around"),
        (r"(a|b)\1", "back references"),
        (r"(?P<x>a)(?P=x)(?!b)", "look-around and back references"),
        ("(a", "unterminated subpattern"),
        ("a)|(?:b", "unbalanced parenthesis"),
        ("a{3,1}", "min repeat greater"),
        ("a[[b", "Rust's regex.*syntax"),
        ("*", "nothing to repeat"),
        (r"[\Ab]", "Rust's regex"),
        ("a{,2}", r"is written \{0,n\}"),
        (r"ab\Z", r"\\z instead of \\Z"),
        ("(?y)a", "unknown group"),
        ("(" * 1000, "more than 100 groups"),
        ("[" * 1000, "unterminated character set"),
        ("[z-a]", "bad character range"),
        ("[[:alphabet:]]", "unknown set"),
        ("[a&&]", "a set on both sides"),
        (r"\x{110000}", "is no character"),
        (r"\q", "bad escape"),
        ("a\\", "bad escape"),
        (r"\p{Klingon}", "Rust's regex"),
        ("a\ud800", "lone surrogate at index 1"),
        ("a" + "*" * 5000, "too many repetitions of repetitions"),
        ("(b|" * 99 + "a" + ")*+?{2}" * 99, "too many repetitions of repetitions"),
        ("[" * 99 + "a" + "&&b]" * 98, "unterminated character set"),
        (r"\p{,2}", "bad escape"),
        (r"\p{Gee<k}", "bad escape"),
        (r"b\p{Klingon}{0}", "unknown property"),
        ("(?x-x)a", "flag comes twice"),
        ("(?)a", "unknown group"),
        ("(?R)a", "the flags are"),
        ("(?<n>a)(?<n>b)", "two groups have the name n"),
        ("(?-u).", "all sets are ASCII"),
        (r"(?-u:\W)", "all sets are ASCII"),
        (r"(?-u:\pL)", "all sets are ASCII"),
        ("(?-u:[é])", "all sets are ASCII"),
        (r"(?-u)\xe9", "is a byte"),
        (r"\x{d800}", "is no character"),
        (r"\b{start}a", "no braces"),
        (r"\<a", "word boundaries"),
        (r"[a-\d]", "bad character range"),
        ("a{٣}", "counts are written"),
        ("a{1, }", "counts are written"),
        ("\x1c(?x)\x1c*\\é", "bad escape"),
    ],
)
def test_what_is_no_pattern_is_refused_with_a_reason(pattern, message):
    with pytest.raises(ValueError, match=message) as caught:
        compile_pattern(pattern, ABC)
    assert repr(pattern)[:30] in str(caught.value)


def test_a_long_pattern_is_not_shown_whole():
    with pytest.raises(ValueError, match="unterminated") as caught:
        compile_pattern("a" * 1000 + "(", ABC)
    assert len(str(caught.value)) < 300
    vocabulary = CharVocabulary(ABC)
    for prefix, pattern in ("", "x" * 1000), ("a" * 1000, "b" * 1000), ("", "a" * 1000):
        with pytest.raises(ValueError, match="No word") as caught:
            matching_language(pattern, vocabulary, prefix, 0, 10)
        assert len(str(caught.value)) < 300


LINES = "ab\n"
OF_LINES = ["".join(w) for n in range(5) for w in product(LINES, repeat=n)]


@pytest.mark.parametrize(
    "pattern, python",
    [
        ("a$\nb", "a$\nb"),
        (r"(a|\n)*$", r"(a|\n)*"),
        (r"^a\nb|b\n$", r"a\nb|b\n"),
        (r"(?s)\A^.a.", "(?s).a."),
        (r".*\n[^a]", r".*\n[^a]"),
        (r"[\^\n]", r"\n"),
        ("a\n^b|^?a", "a"),
        ("a\n(?m:^b$)|^a|^b", "a\nb|a|b"),
        ("(?m)a$[\n]?^b*", "a\nb*"),
    ],
)
def test_a_line_break_in_a_word_is_a_character_and_no_end(pattern, python):
    automaton = compile_pattern(pattern, LINES)
    # Python's $ matches before a last line break too, which ends no word here.
    python = python.replace("$", r"\Z")
    expected = [word for word in OF_LINES if re.fullmatch(python, word)]
    assert accepted(automaton, LINES, OF_LINES) == expected


@pytest.mark.slow
@pytest.mark.parametrize(
    "pattern",
    [
        "(a|b)*a(a|b){25}",
        "(a?){100000}",
        "((((a{50}){50}){50}){50})",
        ".{1000000}",
        "(.*a){300}(.*b){300}(.*){300}",
        r"(\w{1,300}){1,300}",
        "(?:a|b|" * 90 + "c" + "){9}" * 90,
        r"(?:\b\B?|a){9999}",
    ],
)
def test_a_pattern_that_explodes_is_refused(pattern):
    start = time.process_time()
    with pytest.raises(ValueError, match="too large.*braces"):
        compile_pattern(pattern, ABC)
    assert time.process_time() - start < 10


def test_many_sets_of_a_large_alphabet_are_refused():
    letters = "".join(chr(0x4E00 + i) for i in range(20_000))
    compile_pattern(f"[{letters[1]}-{letters[5]}].?", letters)
    pattern = "".join(f"[{letter}a]" for letter in letters[:1000])
    with pytest.raises(ValueError, match="too large"):
        compile_pattern(pattern, letters)


def test_an_automaton_without_room_is_refused(monkeypatch):
    vocabulary = CharVocabulary(string.ascii_lowercase)
    monkeypatch.setattr(_automaton, "MAX_TRANSITIONS", 27 * 101)
    assert matching_language(".{100}", vocabulary, "", 0, 100).n_states == 101
    with pytest.raises(ValueError, match="too large"):
        matching_language(".{101}", vocabulary, "", 0, 101)
    monkeypatch.setattr(_language, "MAX_STEPS", 300)
    assert matching_language(".{10}", vocabulary, "", 0, 10).n_states == 11
    with pytest.raises(ValueError, match="too large"):
        matching_language(".{100}", vocabulary, "", 0, 100)


@pytest.mark.parametrize("prefix", ["", "ca"])
@pytest.mark.parametrize("lengths", [(0, 4), (3, 4), (4, 4), (2, 1000)])
@pytest.mark.parametrize("pattern", ["(ab|c)*", "a?c?a.b?", "(...)*c"])
def test_a_language_goes_on_where_a_word_is_left(pattern, lengths, prefix):
    shortest, longest = lengths
    longest = max(longest, len(prefix))
    # Every state has an end within three letters, so of longer words none is needed.
    few = ["".join(w) for n in range(8) for w in product(ABC, repeat=n)]
    words = {
        word
        for word in few
        if re.fullmatch(pattern, word) and shortest <= len(word) <= longest
    }
    vocabulary = CharVocabulary(ABC, unknown=True)
    if not any(word.startswith(prefix) for word in words):
        with pytest.raises(ValueError, match="No word"):
            matching_language(pattern, vocabulary, prefix, shortest, longest)
        return
    language = matching_language(pattern, vocabulary, prefix, shortest, longest)
    beginnings = {word[:n]: word for word in words for n in range(len(word) + 1)}
    for beginning in beginnings:
        if not beginning.startswith(prefix) or len(beginning) > 4:
            continue
        state = language.start
        for letter in beginning[len(prefix) :]:
            state = language.next_states[state, 1 + ABC.index(letter)]
        (allowed,) = language.allowed(np.array([state]), len(beginning))
        expected = [beginning in words]
        expected += [beginning + letter in beginnings for letter in ABC]
        assert allowed.tolist() == [*expected, False]
        symbols = np.arange(5)
        np.testing.assert_array_equal(
            language.allows(np.full(5, state), symbols, len(beginning)), allowed
        )


def test_what_has_settled_is_kept_once():
    before = np.array([[0.5, 0.25], [0.0, 0.0]])
    ends = np.array([0.25, 1.0])

    def settled(values, later):
        return np.allclose(values, later, rtol=1e-13, atol=0)

    layers = BackwardLayers(before.__matmul__, ends, (2, 4, 10**9), settled, 60)
    np.testing.assert_allclose(layers[4], [1.0, 1.0])
    np.testing.assert_array_equal(layers[10**9], ends)
    np.testing.assert_allclose(layers[10**9 - 1], ends + before @ ends)
    np.testing.assert_array_equal(layers[10**9 + 1], [0, 0])
    np.testing.assert_allclose(layers[3], before @ [1, 1])
    np.testing.assert_allclose(layers[2], before @ before @ [1, 1])
    with pytest.raises(OverflowError):
        BackwardLayers(before.__matmul__, ends, (2, 4, 10**9), settled, 20)
