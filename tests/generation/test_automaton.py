"""Automata of regular expressions, held against Python's own matcher word by word."""

import re
import string
import time
from itertools import product

import numpy as np
import pytest
import regex
from any_words import search
from hypothesis import given
from hypothesis import strategies as st

from sklearn_makemore._generation import automaton as _automaton
from sklearn_makemore._generation import language as _language
from sklearn_makemore._generation.automaton import compile_pattern, intersection
from sklearn_makemore._generation.avoided import without_substrings
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


PATTERNS = [
    "",
    "a|ab",
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
    r"\Aab\Z|c",
    r"\B|b\B",
    "(?x) a b  # a comment at the end (",
    "(?x)^a(b # one in the middle\n|c)",
    "(?i:A)B|[^\\W]{3}",
    "(?P<one>a)(?#comment)(?P<two>b)",
    r"\x61\u0062|\N{LATIN SMALL LETTER C}|\141",
    "[]a-]{3}|[a-]|[^]-]{4}",
    "a{,2}b{|c{1,2",
    "[(][)]|a[*]?",
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_words_are_accepted_as_python_matches_them(pattern):
    automaton = compile_pattern(pattern, ABC)
    expected = [word for word in WORDS if re.fullmatch(pattern, word)]
    assert accepted(automaton, ABC, WORDS) == expected
    assert_trimmed(automaton)
    assert (automaton.start == -1) == (len(automaton.accepts) == 0) == (not expected)


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


@pytest.mark.parametrize("pattern", PATTERNS)
def test_words_are_avoided_as_python_finds_a_match(pattern):
    automaton = compile_pattern(pattern, ABC, "avoiding")
    expected = [word for word in SHORT if not re.search(pattern, word)]
    assert accepted(automaton, ABC, SHORT) == expected
    assert_trimmed(automaton)
    assert (automaton.start == -1) == (len(automaton.accepts) == 0) == (not expected)


@search(40)
@given(patterns, patterns)
def test_any_two_patterns_combine(avoided, matched):
    automata = compile_pattern(avoided, ABC, "avoiding"), compile_pattern(matched, ABC)
    expected = [
        word
        for word in SHORT
        if re.fullmatch(matched, word) and not re.search(avoided, word)
    ]
    automaton = intersection(*automata)
    assert accepted(automaton, ABC, SHORT) == expected
    assert_trimmed(automaton)


@search(40)
@given(st.sets(st.text("abcé", min_size=1, max_size=4), max_size=6))
def test_any_substrings_are_avoided(substrings):
    automaton = without_substrings(tuple(sorted(substrings)), ABC)
    expected = [word for word in SHORT if not any(s in word for s in substrings)]
    assert accepted(automaton, ABC, SHORT) == expected
    assert_trimmed(automaton)
    assert len(automaton.accepts) <= 1 + len(
        {s[:n] for s in substrings for n in (1, 2, 3)}
    )


ALPHABETS = "aA1 iIİı sSßſẞ kK\u212a Σσς ǆǅǄ 1٣๒a a_\u00a0".split(" ") + ["ab\n"]
OF_ALPHABETS = [
    ["".join(word) for n in range(4) for word in product(letters, repeat=n)]
    for letters in ALPHABETS
]
LEAVES = [r"\w", r"\W", r"\d", r"\s", r"\S", r"\b", r"\B", ".", "", "[^a]", r"[\W\d]"]
RANGES = ["[a-z]", "[^A-Z]", "[\u0100-\uffff]", "[\\dk-t]", "[^\\Sa]"]
FLAGS = ["(?i)", "(?a)", "(?s)", "(?m)", "(?ai)", "(?x) ", ""]


@st.composite
def patterns_of_scripts(draw, which):
    """A pattern of characters that differ in case, class or script."""
    letters = st.sampled_from(ALPHABETS[which]).map(re.escape)
    anchors = st.sampled_from(["^", r"\Z" if "\n" in ALPHABETS[which] else "$"])
    part = st.recursive(
        st.one_of(letters, anchors, st.sampled_from([*LEAVES, *RANGES])),
        lambda inner: st.one_of(
            st.lists(inner, min_size=2, max_size=3).map("".join),
            st.lists(inner, min_size=2, max_size=3).map(lambda s: f"({'|'.join(s)})"),
            inner.flatmap(repeated),
            st.tuples(st.sampled_from(["i", "-i", "s", "a", "u", "ms"]), inner).map(
                lambda pair: "(?{}:{})".format(*pair)
            ),
        ),
        max_leaves=6,
    )
    return draw(st.sampled_from(FLAGS)) + draw(part)


@pytest.mark.parametrize("which", range(len(ALPHABETS)), ids=ALPHABETS.__getitem__)
@search(30)
@given(st.data())
def test_case_classes_and_scripts_are_those_of_python(which, data):
    pattern = data.draw(patterns_of_scripts(which))
    automaton = compile_pattern(pattern, ALPHABETS[which])
    words = OF_ALPHABETS[which]
    expected = [word for word in words if re.fullmatch(pattern, word)]
    assert accepted(automaton, ALPHABETS[which], words) == expected


LETTERS = "azAZßéñЖдяЁΩλάיم漢字かカ한0٣５_-'. \n\x00·😀👩🏽iıİsſkK\u212aςΣ"


SETS = r"\w \W \d \s . ß s i İ k|σ [k-z] [^k] [α-ω] [\Wi] [^\w\s] \x00|\n [\d\s-] [ſı]"
ASTRAL = "[\U00010000-\U0010ffff]"


@pytest.mark.parametrize("flags", ["", "(?i)", "(?a)", "(?s)", "(?ai)"])
@pytest.mark.parametrize("pattern", [*SETS.split(), ASTRAL])
def test_a_set_holds_the_characters_that_python_matches(flags, pattern):
    automaton = compile_pattern(flags + pattern, LETTERS)
    expected = [letter for letter in LETTERS if re.fullmatch(flags + pattern, letter)]
    assert accepted(automaton, LETTERS, LETTERS) == expected


PROPERTIES = r"""
    \p{L} \P{L} \pN|Z \p{Lu} \p{^Lu} \p{Script=Greek} \P{Han} [^\p{L}] [\p{Lu}-]
    [\p{Cyrillic}_] [^\p{Greek}\p{Lu}\d] (?:a|\p{Hangul}|\d) \p{Emoji_Presentation}
    \\|p|\p{Greek} (?x:\p{L})
"""


@pytest.mark.parametrize("flags", ["", "(?i)"])
@pytest.mark.parametrize("pattern", PROPERTIES.split())
def test_a_property_holds_the_characters_that_the_library_says(flags, pattern):
    automaton = compile_pattern(flags + pattern, LETTERS)
    matches = regex.compile(flags + pattern).fullmatch
    expected = [letter for letter in LETTERS if matches(letter)]
    assert 0 < len(expected) < len(LETTERS)
    assert accepted(automaton, LETTERS, LETTERS) == expected


def test_a_property_counts_as_one_character():
    automaton = compile_pattern(r"\p{L}{2}\b", ABC)
    assert accepted(automaton, ABC, WORDS) == [word for word in WORDS if len(word) == 2]


@pytest.mark.parametrize("pattern", ["", "a?", "a", r"\b|a*", ".+", "^$"])
@pytest.mark.parametrize("option", ["matching", "avoiding"])
def test_without_characters_the_empty_word_is_accepted_or_none_is(pattern, option):
    automaton = compile_pattern(pattern, "", option)
    matches = re.search(rf"\A(?:{pattern})\Z", "") is not None
    is_accepted = matches == (option == "matching")
    assert accepted(automaton, "", [""]) == [""] * is_accepted


def test_nothing_can_be_repeated_any_number_of_times():
    automaton = compile_pattern("(?:){4294967294}a", ABC)
    assert accepted(automaton, ABC, WORDS) == ["a"]


def test_a_pattern_is_compiled_once():
    assert compile_pattern("(ж|a)+b?", "abж") is compile_pattern("(ж|a)+b?", "abж")


@pytest.mark.parametrize(
    "pattern, message",
    [
        ("(?=a)b", "look-around"),
        ("(?<!a)b", "look-around"),
        ("(?!)|b", "look-around"),
        (r"(a|b)\1", "back references"),
        ("(?P<x>a)(?P=x)", "back references"),
        ("(a)?(?(1)b|c)", "conditions on groups"),
        ("(?>a*)b", "atomic groups"),
        ("a*+b", "possessive repetitions"),
        ("(a", "unterminated subpattern at index 0"),
        ("a)|(?:b", "unbalanced parenthesis at index 1"),
        (r"\p{L}a{3,1}", "min repeat greater than max repeat at index 7"),
        ("*", "Python's syntax: nothing to repeat"),
        ("a[[b]", "possible nested set; write a backslash"),
        ("[a-c--b]", "possible set difference"),
        ("a(?i)b", "global flags not at the start"),
        ("(?L)a", "cannot use 'L' flag"),
        ("(" * 1000, "too many groups inside one another"),
        ("[z-a]", "bad character range z-a"),
        (r"\q", r"bad escape \\q at index 0"),
        ("a\\", "bad escape"),
        ("a\ud800", "lone surrogate at index 1"),
        (r"a\\\udc00", "lone surrogate at index 3"),
        (r"[\ud800-\udbff]", "lone surrogate at index 1"),
        (r"\U0000DFFF", "lone surrogate at index 0"),
        (r"\p{Klingon}", "has .*Klingon}: unknown property"),
        (r"b\p{Klingon}{0}", "unknown property"),
        (r"[\p{L}-z]", r"bad character range \\p{L}-z at index 1"),
        (r"[a-\p{L}]", "range with a property at an end"),
        (r"\p{,2}", r"bad escape \\p"),
        (r"\p{Gee<k}", r"bad escape \\p"),
        ("a{4294967296}", "repetition number is too large"),
        ("a{" + "9" * 5000 + "}", "repetition number is too large"),
        ("(?P<n>a)(?P<n>b)", "redefinition of group name 'n'"),
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
            matching_language(pattern, None, vocabulary, prefix, 0, 10)
        assert len(str(caught.value)) < 300


@pytest.mark.parametrize("pattern", ["a$", "a$|b", "(?i:a$\nb)", r"(?m:^b)\n$"])
def test_an_end_before_a_last_line_break_is_refused(pattern):
    compile_pattern(pattern, ABC)
    with pytest.raises(ValueError, match=r"has \$.* line breaks here; write .Z"):
        compile_pattern(pattern, "ab\n")


LINES = "ab\n"
OF_LINES = ["".join(w) for n in range(5) for w in product(LINES, repeat=n)]


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a|\n)*\Z",
        r"^a\nb|b\n\Z",
        r"(?s)\A^.a.",
        r".*\n[^a]",
        "a\n^b|(?:^)?a",
        "a\n(?m:^b$)|^a|^b",
        "(?m)a$[\n]?^b*",
        "(?m)(?:^a?b?$\n)*",
    ],
)
def test_lines_in_a_word_are_those_of_python(pattern):
    automaton = compile_pattern(pattern, LINES)
    expected = [word for word in OF_LINES if re.fullmatch(pattern, word)]
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
        r"(?:\b(?:\B)?|a){9999}",
        "a" * 32_000 + "|" + "a" * 32_000,
        "a" * 70_000,
        "".join(rf"\p{{{i}}}" for i in range(3000)),
        "(?i)" + "".join(f"[{chr(i)}-\uffff]" for i in range(256, 15_000)),
    ],
)
def test_a_pattern_that_explodes_is_refused(pattern):
    start = time.process_time()
    with pytest.raises(ValueError, match="too large.*braces"):
        compile_pattern(pattern, ABC)
    assert time.process_time() - start < 10


@pytest.mark.slow
def test_many_sets_of_a_large_alphabet_are_refused():
    letters = "".join(chr(0x4E00 + i) for i in range(20_000))
    compile_pattern(f"[{letters[1]}-{letters[5]}].?", letters)
    pattern = "".join(f"[{letter}a]" for letter in letters[:1000])
    with pytest.raises(ValueError, match="too large"):
        compile_pattern(pattern, letters)


def test_an_automaton_without_room_is_refused(monkeypatch):
    vocabulary = CharVocabulary(string.ascii_lowercase)
    monkeypatch.setattr(_automaton, "MAX_TRANSITIONS", 27 * 101)
    assert matching_language(".{100}", None, vocabulary, "", 0, 100).n_states == 101
    with pytest.raises(ValueError, match="too large"):
        matching_language(".{101}", None, vocabulary, "", 0, 101)
    monkeypatch.setattr(_language, "MAX_STEPS", 300)
    assert matching_language(".{10}", None, vocabulary, "", 0, 10).n_states == 11
    with pytest.raises(ValueError, match="too large"):
        matching_language(".{100}", None, vocabulary, "", 0, 100)


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
            matching_language(pattern, None, vocabulary, prefix, shortest, longest)
        return
    language = matching_language(pattern, None, vocabulary, prefix, shortest, longest)
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

    arguments = before.__matmul__, lambda _: ends, (2, 4, 10**9), settled
    layers = BackwardLayers(*arguments, 60)
    np.testing.assert_allclose(layers[4], [1.0, 1.0])
    np.testing.assert_array_equal(layers[10**9], ends)
    np.testing.assert_allclose(layers[10**9 - 1], ends + before @ ends)
    np.testing.assert_array_equal(layers[10**9 + 1], [0, 0])
    np.testing.assert_allclose(layers[3], before @ [1, 1])
    np.testing.assert_allclose(layers[2], before @ before @ [1, 1])
    with pytest.raises(OverflowError):
        BackwardLayers(*arguments, 20)


@pytest.mark.parametrize("lengths", [(0, 0, 9), (1, 3, 9), (2, 6, 9), (0, 1, 3)])
def test_layers_of_ends_that_depend_on_the_length(lengths):
    before = np.array([[0.5, 0.25], [0.0, 0.3]])
    ends = np.array([[2.0, 1.0], [3.0, 0.5], [1.0, 4.0], [0.0, 1.0], [1.0, 1.0]])

    def ends_at(length):
        return ends[min(length, 4)]

    layers = BackwardLayers(
        before.__matmul__, ends_at, lengths, np.array_equal, 99, constant_from=4
    )
    first, shortest, longest = lengths
    expected = np.zeros(2)
    for length in range(longest, first - 1, -1):
        expected = before @ expected + ends_at(length) * (length >= shortest)
        np.testing.assert_allclose(layers[length], expected)
