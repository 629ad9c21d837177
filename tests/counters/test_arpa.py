"""ARPA files against a slow scorer in the words of a textbook."""

import gzip
import math
import pickle
from contextlib import nullcontext
from itertools import product

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from sklearn_makemore import ModelFileError, NGramCounter, load, save
from sklearn_makemore._counters.backoff import (
    TableModel,
    tables_from_file,
    tables_to_save,
)

WORDS = ["emma", "ava", "mia", "emma", "noah", "anna", "ma", "a", "new york"]

# In the style of SRILM: weights of one are missing, and the logarithm of zero is -99.
# Its pruning has left "a b b" without "b b". "</s> <s>" crosses the boundary of words.
SRILM = r"""
Made by hand.

\data\
ngram 1=5
ngram  2=7
ngram 3=3

\1-grams:
-0.60206	</s>
-99	<s>	0.0791812
-0.30103	a	-0.0299632
-0.60206 b -0.09691

-99	c

\2-grams:
-0.1549020	<s> a	-0.845098
-99	<s> b
-0.5228787 a	b	-0.3802112
-0.2218487	b a
-0.69897	b </s>
-0.1 </s> <s>
-0.2 <s> <s>

\3-grams:
-0.0457575	<s> a b
-0.60206	a b b	0
-0.30103	a b </s>

\end\
"""


def file_of(tmp_path, text):
    path = tmp_path / "model.arpa"
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def textbook_scores(text, sentences):
    """Score sentences, lists of symbols, by the text of an ARPA file; in nats."""
    log_proba, log_backoff, length = {}, {}, 0
    for line in text.partition("\\end\\")[0].splitlines():
        if line.endswith("-grams:"):
            length = int(line[1:-7])
        elif length and line.strip():
            first, *symbols = line.split()
            if len(symbols) > length:
                backoff = float(symbols.pop())
                log_backoff[(*symbols,)] = backoff
            log_proba[(*symbols,)] = float(first)

    def log_10(history, symbol):
        found = log_proba.get((*history, symbol))
        if found is None:
            found = log_backoff.get(history, 0)
            return (-math.inf if found == -99 else found) + log_10(history[1:], symbol)
        return -math.inf if found == -99 else found

    def score(symbols):
        symbols = ["<s>", *symbols, "</s>"]
        return sum(
            log_10((*symbols[max(0, end - length + 1) : end],), symbols[end])
            for end in range(1, len(symbols))
        )

    return math.log(10) * np.array([score(symbols) for symbols in sentences])


def sentences_of(words, model):
    """Return the symbols of words as an ARPA file has them."""
    return [
        [
            symbol.replace(" ", "\u2581") if symbol in model.symbols_ else "<unk>"
            for symbol in model.vocabulary_.segments(word)
        ]
        for word in words
    ]


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"order": 2, "discounts": "closed-form"},
        {"order": 1},
        {"order": 3, "smoothing": "additive", "alpha": 0.1},
        {"order": 3, "smoothing": "additive", "alpha": 0},
        {"order": 3, "alphabet": "aemnz ", "handle_unknown": "unk"},
        {"order": 4, "alphabet": ["ma", *"aehimnorvwyk "]},
    ],
)
def test_a_written_model_has_the_same_probabilities(parameters, tmp_path):
    weights = np.arange(1, len(WORDS) + 1) / 2
    model = NGramCounter(match_lengths=False, **parameters).fit(WORDS, None, weights)
    model.to_arpa(tmp_path / "model.arpa")
    text = (tmp_path / "model.arpa").read_text("utf-8")
    words = [*WORDS, "", "amen", "way", "mmmm", "now ork", "aaaaaaaaaa"]
    expected = textbook_scores(text, sentences_of(words, model))
    np.testing.assert_allclose(model.score_samples(words), expected, atol=1e-5)
    again = NGramCounter.from_arpa(tmp_path / "model.arpa")
    np.testing.assert_allclose(again.score_samples(words), expected, rtol=1e-12)
    assert again.symbols_ == model.symbols_
    theirs = model.predict_proba(words)
    np.testing.assert_allclose(again.predict_proba(words), theirs, atol=1e-6)
    assert again.sample(20, random_state=0) == model.sample(20, random_state=0)
    again.to_arpa(tmp_path / "again.arpa")
    assert (tmp_path / "again.arpa").read_text("utf-8") == text


@pytest.fixture
def srilm(tmp_path):
    path = tmp_path / "srilm.arpa.gz"
    path.write_bytes(gzip.compress(SRILM.replace("\n", "\r\n").encode()))
    return NGramCounter.from_arpa(path)


def test_a_file_of_another_tool_has_the_probabilities_of_the_textbook(srilm):
    words = ["".join(row) for n in range(6) for row in product("abc", repeat=n)]
    expected = textbook_scores(SRILM, [[*word] for word in words])
    assert np.isneginf(expected).any()
    np.testing.assert_allclose(srilm.score_samples(words), expected, rtol=1e-12)
    assert (srilm.order, srilm.alphabet, srilm.handle_unknown) == (3, None, "error")
    with pytest.raises(ValueError, match="characters that are not in the alphabet"):
        srilm.score(["d"])
    proba = srilm.predict_proba(["", "a", "ab", "bab"])
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-6)
    vars(srilm.model_)["tables"] = None  # as of a model with more states
    np.testing.assert_allclose(srilm.score_samples(words), expected, rtol=1e-12)
    np.testing.assert_allclose(srilm.predict_proba(["", "a", "ab", "bab"]), proba)


def test_a_model_without_counts_does_all_but_learn(srilm, tmp_path):
    words, log_proba = srilm.most_likely(5)
    np.testing.assert_allclose(srilm.score_samples(words), log_proba)
    save(srilm, tmp_path / "model")
    for again in load(tmp_path / "model"), pickle.loads(pickle.dumps(srilm)):
        assert again.sample(9, random_state=0) == srilm.sample(9, random_state=0)
        assert again.symbols_ == srilm.symbols_
        np.testing.assert_array_equal(again.score_samples(words), log_proba)
        assert again.rank(["ab"], random_state=0) == srilm.rank(["ab"], random_state=0)
    counter = clone(srilm).fit(["ab", "abb"])
    for learn in (
        lambda: srilm.partial_fit(["ab"]),
        lambda: srilm.merge(counter),
        lambda: counter.merge(srilm),
    ):
        with pytest.raises(ValueError, match="from an ARPA file, which has no counts"):
            learn()
    with pytest.raises(ValueError, match="have changed since it was fitted"):
        save(srilm.set_params(order=4), tmp_path / "model")


@pytest.mark.parametrize(
    "listed, found", [("-0.0457575 <s> </s>", ["", "a"]), ("", ["a", "aa"])]
)
def test_the_empty_word_is_one_that_the_file_lists(listed, found, tmp_path):
    unigrams = "\\1-grams:\n-0.30103 </s>\n-99 <s>\n-0.30103 a\n"
    bigrams = f"\\2-grams:\n{listed}\n-1 <s> a\n"
    sizes = f"\\data\\\nngram 1=3\nngram 2={1 + bool(listed)}\n\n"
    path = file_of(tmp_path, sizes + unigrams + bigrams + "\\end\\\n")
    with pytest.warns(UserWarning) if not listed else nullcontext():
        assert NGramCounter.from_arpa(path).most_likely(2)[0] == found


def test_a_file_of_single_symbols_does_not_list_the_empty_word(tmp_path):
    model = NGramCounter(1, match_lengths=False).fit(["", "b", "ab"])
    model.to_arpa(tmp_path / "names.arpa")
    again = NGramCounter.from_arpa(tmp_path / "names.arpa")
    assert model.most_likely(2)[0] == ["", "b"]
    assert again.most_likely(2)[0] == ["b", "a"]
    assert again.most_likely(2, min_length=0)[0] == ["", "b"]


def test_probabilities_that_do_not_add_up_to_one(tmp_path):
    text = SRILM.replace("-0.60206	a b b", "-0.1	a b b")
    with pytest.warns(UserWarning, match=r"those after \['a', 'b'\] add up to 1.54433"):
        model = NGramCounter.from_arpa(file_of(tmp_path, text))
    np.testing.assert_allclose(
        model.score_samples(["ab"]), textbook_scores(text, ["ab"])
    )
    assert len(model.sample(100, random_state=0)) == 100


DAMAGE = [
    ("\\data\\", "data", 1, "there is no line \\data\\"),
    ("ngram 1=5", "ngram 1=x", 5, "'ngram 1=' and a number must follow"),
    ("ngram 3=3", "ngram 4=3", 7, "'ngram 3=' and a number must follow"),
    ("ngram 1=5", "ngram 1=6", 17, "there are 5 1-grams, and the header promises 6"),
    ("ngram 3=3", "ngram 3=1000000000000", 31, "promises 1,000,000,000,000"),
    ("\\2-grams:", "\\3-grams:", 17, r"\2-grams: must follow, not '\\3-grams:'"),
    ("\\end\\", "", 32, "the file ends before the line \\end\\"),
    ("-99	c", "-99	c c c", 15, "a 1-gram has a log-probability, its symbols and"),
    ("-99	c", "-99	a", 15, "the n-gram is listed twice"),
    ("-99	c", "x	c", 15, "could not convert string to float"),
    ("-99	c", "1.5	c", 15, "the n-gram has a log-probability above 0"),
    ("-99	c", "nan	c", 15, "the n-gram has a log-probability above 0"),
    ("-0.09691", "1e9", 13, "the n-gram has an impossible back-off weight"),
    ("-0.60206	</s>", "-0.6	d", 17, "the 1-grams lack </s>, the end of a word"),
    ("a b b	0", "a b d", 28, "the symbol 'd' is not a 1-gram"),
    ("a b b	0", "a b b	-1", 28, "an n-gram of the largest length has a back-off"),
    ("a b b	0", "b b b", 28, "begins with one of length 2 that is not listed"),
]


@pytest.mark.parametrize("old, new, line, problem", DAMAGE)
def test_damaged_files(old, new, line, problem, tmp_path):
    assert SRILM.count(old) >= 1
    path = file_of(tmp_path, SRILM.replace(old, new, 1))
    with pytest.raises(ModelFileError) as error:
        NGramCounter.from_arpa(path)
    assert f"{str(path)!r}, line {line}: " in str(error.value)
    assert problem in str(error.value)


def test_the_length_of_ngrams_is_bounded(tmp_path):
    sizes = "".join(f"ngram {length}=0\n" for length in range(4, 1000))
    path = file_of(tmp_path, SRILM.replace("ngram 3=3\n", f"ngram 3=3\n{sizes}"))
    with pytest.raises(ModelFileError, match="line 261: n-grams of more than 256"):
        NGramCounter.from_arpa(path)
    n = 257
    saved = {
        "table_sizes": np.array([4, *[1] * (n - 1)]),
        "table_ids": np.ones(4 + (n + 2) * (n - 1) // 2, np.uint8),
        "log_proba": np.zeros(n + 3),
        "log_backoff": np.zeros(n + 3),
    }
    with pytest.raises(ValueError, match="order 257 is above 256"):
        tables_from_file(saved, n)


def test_what_is_no_arpa_file(tmp_path):
    path = tmp_path / "model.arpa"
    contents = {
        "is not an ARPA file": b"",
        "is a binary file of KenLM": b"mmap lm http://kheafield.com/code format\n",
        "compressed with gzip": gzip.compress(SRILM.encode()),
        "longer than": b"a" * (1 << 21),
        "is not UTF-8": SRILM.replace("	c", "	\xe9").encode("latin-1"),
    }
    for message, content in contents.items():
        path.write_bytes(content)
        with pytest.raises(ModelFileError, match=message):
            NGramCounter.from_arpa(path)
    with pytest.raises(FileNotFoundError):
        NGramCounter.from_arpa(tmp_path / "missing.arpa")
    path.write_text(SRILM[SRILM.index("\\data") :])
    with pytest.raises(ModelFileError, match="`NGramCounter.from_arpa` reads it"):
        load(path)


def test_tables_in_a_model_file_are_checked(srilm):
    saved = tables_to_save(srilm.model_)
    changed = [
        ("table_sizes", np.array([1 << 62, 1 << 62, 1 << 62])),
        ("table_sizes", saved["table_sizes"][:2]),
        ("table_ids", saved["table_ids"] + 4),
        ("table_ids", saved["table_ids"][::-1]),
        ("table_ids", saved["table_ids"] * 0),
        ("log_proba", saved["log_proba"] * -1),
        ("log_proba", saved["log_proba"] * np.nan),
        ("log_backoff", saved["log_backoff"] + np.inf),
        ("log_backoff", saved["log_backoff"][1:]),
    ]
    for name, array in changed:
        with pytest.raises(ValueError):
            TableModel(tables_from_file({**saved, name: array}, 3), 4)


def test_what_an_arpa_file_cannot_hold(tmp_path):
    path = tmp_path / "model.arpa"
    path.write_text("an older file")
    plain = {"order": 2, "match_lengths": False}
    for word, problem in {
        "a\tb": r"'\\t': it contains '\\t', which separates",
        "a\u2581b": "which stands for a space",
    }.items():
        with pytest.raises(ValueError, match=problem):
            NGramCounter(**plain).fit([word]).to_arpa(path)
    with pytest.raises(ValueError, match="'<s>': it has a special meaning"):
        NGramCounter(**plain, alphabet=["<s>", "a"]).fit(["a"]).to_arpa(path)
    with pytest.raises(ValueError, match="Fit again with match_lengths=False"):
        NGramCounter().fit(["a"]).to_arpa(path)
    with pytest.raises(ValueError, match="ends in .bz2"):
        NGramCounter(**plain).fit(["a"]).to_arpa(tmp_path / "model.arpa.bz2")
    with pytest.raises(NotFittedError):
        NGramCounter(**plain).to_arpa(path)
    assert path.read_text() == "an older file"
