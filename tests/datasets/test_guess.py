"""Files that are no plain lists are recognised, and lists are not taken for others."""

import io

import pytest

from sklearn_makemore.datasets import read_words

PLAIN = [
    "names.txt",
    "dga_conficker.txt",
    "dga_matsnu.txt",
    "dga_tinba.txt",
    "dga_zeus.txt",
    "dinosaurs.txt",
    "domains_top.txt",
    "fantasy.txt",
    "surnames_czech.txt",
]


@pytest.mark.parametrize("name", PLAIN)
def test_lists_of_users_are_read_without_an_option(name, lists):
    path = (lists.parent if name == "names.txt" else lists) / name
    assert read_words(path) == path.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    "words",
    [
        ["AB-1234", "AB-1235", "CD-0001"],
        ["1234", "5678", "9012"],
        ["Van Dyke", "De Boer", "Del Rey"],
        ["example.com", "a-1.example.org", "127.0.0.1"],
        ["rock'n'roll", "C++", "$5", "{x}", "#1"],
        ["#love", "#cats", "#python"],
        ["Washington, D.C.", "Paris", "Rome"],
        ["Boeing 747", "Concorde", "Spitfire"],
        ["emma", "name", "word"],
        ["name", "emma"],
        ["name", "emma", "name"],
        ["1) a", "b", "c"],
        ["Dyke, Van"],
        ["emma 3"],
        ["[emma]", "[ava]"],
        ["x=1", "y=2", "z=3"],
    ],
    ids=" ".join,
)
def test_no_false_alarm(words):
    for end in "", "\n":
        content = ("\n".join(words) + end).encode()
        assert read_words(io.BytesIO(content)) == words


@pytest.mark.parametrize(
    ("content", "found", "remedy"),
    [
        (
            "38Ventures,3274\n3M,50",
            "have a comma",
            "`column=0`, with `weight_column=1`",
        ),
        ("name,n\nemma,3\nava,2", "have a comma", "`column='name'`, with `weight_colu"),
        ("emma;F\nava;F\nnoah;M", "have a semicolon", "`column=0`."),
        ("emma\t1\nava\t2", "have a tab", "`column=0`, with `weight_column=1`"),
        ("emma | F\nava | F", "have a vertical bar", "`column=0`"),
        (
            "bir 5194624\nbu 3038410",
            "end in a number",
            "`column=0`, with `weight_colum",
        ),
        ("bir  51.5\nbu 30", "end in a number", "`column=0`, with `weight_column=1`"),
        (
            "  5 emma\n 12 ava",
            "begin with a number",
            "`column=1`, with `weight_column=0",
        ),
        ("1. emma\n2. ava", "begin with a number", "`column=1`, with `weight_column=0"),
        ("1) Van Dyke\n2) Lee", "begin with a number", "by tabs, and pass `column=0`"),
        ("word 5\ncity 7\nword 9", "end in a number", "`column=0`, with"),
        (
            "word n\nemma 3\nava 2",
            "end in a number",
            "`column='word'`, with `weight_col",
        ),
        ("x,city\ny,city\nz,lake", "have a comma", "`column=0`."),
        ("New York 5\nSan Juan 3", "end in a number", "by tabs, and pass `column=0`"),
        ("emma:5\nava:3", "a colon and a number", "`delimiter=':'` and `column=0`"),
        ("Name\nemma\nava", "line 1 looks like a header", "`header=True` to skip it"),
        ("# of 2018\nemma\nava", "begins with a comment", "`comment='#'`"),
        ('"emma"\n"ava"', "are in quotes", "`format='csv'`"),
        ('["emma", "ava"]', "it is JSON", "`json.load`"),
        ('[\n  "emma",\n  "ava"\n]', "it is JSON", "`json.load`"),
        ('{"n": "a"}\n{"n": "b"}', "lines are JSON", "`format='jsonl'`"),
        ("<!DOCTYPE html>\n<html>", "web page", "the file itself"),
        ("emma,ava,noah", "its only line has 2 commas", "each word on its own line"),
    ],
)
def test_a_file_that_is_no_plain_list_names_the_option(content, found, remedy):
    for end in "", "\n":
        text = content + end
        with pytest.raises(ValueError) as caught:
            read_words(io.BytesIO(text.encode()))
        message = str(caught.value)
        assert "probably not a plain list of words: " in message
        assert found in message
        assert repr(content.splitlines()[0].strip()) in message
        assert remedy in message
        assert message.endswith("If every line is one word, pass `format='lines'`.")
        lines = [line.strip() for line in content.splitlines()]
        assert read_words(io.BytesIO(text.encode()), format="lines") == lines


def test_the_options_that_a_message_names_read_the_file():
    def read(content, **options):
        return read_words(io.BytesIO(content), **options)

    assert read(b"name\nemma\nava", header=True) == ["emma", "ava"]
    assert read(b"name\nemma\nava", header=False) == ["name", "emma", "ava"]
    assert read(b"\n#x\nemma\n #y\nava", comment="#") == ["emma", "ava"]
    assert read(b"# x\n\nname\nava", comment="#", header=True) == ["ava"]
    assert read(b'"emma"\n"ava"', format="csv") == ["emma", "ava"]
    words, weights = read(b"emma:5\nava:3", delimiter=":", column=0, weight_column=1)
    assert (words, weights.tolist()) == (["emma", "ava"], [5.0, 3.0])


def test_only_the_first_lines_are_looked_at():
    words = ["emma"] * 100 + ["emma,3"] * 300
    assert read_words(io.BytesIO("\n".join(words).encode())) == words
