"""The command line, in this process: what it says, writes and refuses."""

import doctest
import gzip
import inspect
import json
import re
import shlex
import sys
from hashlib import blake2b
from importlib import import_module
from numbers import Real
from pathlib import Path
from warnings import catch_warnings, simplefilter

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from sklearn.utils import Bunch

import sklearn_makemore
from sklearn_makemore import (
    BigramCharLM,
    BigramCounter,
    CharLMClassifier,
    ConditionalCharLM,
    GRUCharLM,
    NGramCounter,
    cli,
    load,
    save,
)
from sklearn_makemore._base import BaseCharLM
from sklearn_makemore._sklearn import Interval
from sklearn_makemore.cli import (
    _compare,
    _fit,
    _learning,
    _models,
    _option_types,
    _parser,
    _sample,
    _score,
    _words,
)
from sklearn_makemore.datasets import load_names

NOT_OPTIONS = {"callbacks", "verbose", "warm_start"}


def word_share(word):
    """The share of held-out words from which on a word is drawn."""
    return int(blake2b(word.encode(), digest_size=8).hexdigest(), 16) / 2**64


def parts(words, share=0.1):
    """Words to learn from and words held out, told apart one by one."""
    drawn = {word for word in words if word_share(word) < share}
    others = [word for word in words if word not in drawn]
    for word in [*drawn]:
        is_longer = all(len(word) > len(other) for other in others)
        if is_longer or set(word) - set("".join(others)):
            drawn.remove(word)
    train = [word for word in words if word not in drawn]
    return train, [word for word in words if word in drawn]


# ------------------------------------------------------------------ options


def parse(command, arguments):
    parser = _parser.command_parser("test", command, arguments)
    return parser, parser.parse(arguments)


def new_model(made, options):
    skip = _models.NOT_FROM_A_SHELL
    return made(**_parser.arguments_from(options, made, skip))


def values_of(options, names):
    return {name: getattr(options, name) for name in names}


def test_every_model_that_is_no_mixture_has_its_name_here():
    public = [getattr(sklearn_makemore, name) for name in sklearn_makemore.__all__]
    classes = [made for made in public if isinstance(made, type)]
    models = {made.__name__ for made in classes if issubclass(made, BaseCharLM)}
    assert sorted(_models.MODELS) == sorted(models - {"MixtureCharLM"})


@pytest.mark.parametrize("name", _models.MODELS)
def test_options_of_a_model_are_its_parameters(name):
    made = getattr(sklearn_makemore, name)
    parser, options = parse(_fit, ["-o", "x", "--model", name])
    default = made().get_params()
    asked = {key: value for key, value in default.items() if key not in NOT_OPTIONS}
    assert asked == values_of(options, asked)
    assert NOT_OPTIONS.isdisjoint(vars(options))
    assert new_model(made, options).get_params() == default
    # The help has the docstring's words, without its marks.
    shown = " ".join(parser.format_help().split())
    assert not [mark for mark in ("`", "(default", "(type") if mark in shown]
    assert "what to do with a character outside the alphabet" in shown.lower()
    assert all(f"--{key.replace('_', '-')} " in shown for key in asked)


def test_values_of_options_have_the_types_of_the_parameters():
    arguments = (
        "-o x --model TransformerCharLM --block_size None --n_layers 1_0 --lr 1e-3"
        " --alphabet 012 --early_stopping --lr_schedule step --batch_size None"
        " --compile false --random_state 7 --checkpoint true --dropout 0"
    )
    _, options = parse(_fit, arguments.split())
    given = new_model(sklearn_makemore.TransformerCharLM, options)
    assert given.get_params() == (
        sklearn_makemore.TransformerCharLM(
            block_size=None,
            n_layers=10,
            lr=1e-3,
            alphabet="012",
            early_stopping=True,
            lr_schedule="step",
            batch_size=None,
            compile=False,
            random_state=7,
            checkpoint="true",
            dropout=0.0,
        ).get_params()
    )


def test_a_description_may_have_a_percent_sign():
    def command(share=0.1):
        """Do something.

        Parameters
        ----------
        share : float, default=0.1
            10 % of [1]_ the `words`.
        """

    command._skl_parameter_constraints = {
        "share": [Interval(Real, 0, 1, closed="both")]
    }
    parser = _parser.Parser("test")
    parser.add_parameters(command, "shares")
    assert "10 % of the words. Default: 0.1." in parser.format_help()
    assert parser.parse(["--share", "0.3"]).share == 0.3


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_help_fits_a_terminal_and_its_examples_are_valid(name, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    command = import_module(f"sklearn_makemore.cli._{name}")
    shown = _parser.command_parser(name, command, []).format_help()
    assert max(map(len, shown.splitlines())) <= 80
    assert not [noise for noise in (" _", "(default", ": None") if noise in shown]
    for example in command.EXAMPLES.strip().splitlines():
        arguments = shlex.split(example.partition(" <")[0])
        parser = _parser.command_parser(name, command, arguments)
        if "--help" not in arguments:
            parser.parse(arguments)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("`top_k` or top_k", "--top-k or --top-k"),
        ("prefix='a b' is", "--prefix 'a b' is"),
        ("with exact=True.", "with --exact."),
        ("exact=False, top_k=3 or more", "--exact false, --top-k 3 or more"),
        ("the prefix of `words`, ``prefix``", "the prefix of `words`, ``prefix``"),
        ("xprefix=1, prefix_=2, a-prefix=3", "xprefix=1, prefix_=2, a-prefix=3"),
    ],
)
def test_parameters_become_options_in_messages(text, expected):
    assert _option_types.as_options(text, ["prefix", "exact", "top_k"]) == expected


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("fit -o x --seed 1", "; --random-state is an option of BigramCharLM, BoW"),
        ("fit -o x --model=gru --seed 1", "; did you mean --random-state?"),
        ("fit -o x --n_layer 2", "; --n-layers is an option of MLPCharLM, WaveNet"),
        (
            "fit -o x --model lstm --n-heads 2",
            " for this model; it is an option of Tr",
        ),
        ("fit -o x --epochs 2", "; --max-epochs is an option of BigramCharLM,"),
        ("fit -o x --top_k 2", " for this command; it is an option of sample"),
        ("fit --out x", "; did you mean --output?"),
        ("fit --input words.txt -o x", "; it is given without an option: sklearn"),
        ("sample --model m", "; it is given without an option: sklearn-makem"),
        ("sample m --n 3", "; did you mean --n-samples?"),
        ("sample m --count 3", "; did you mean --n-samples?"),
        ("sample m --regex a", "; did you mean --matching?"),
        ("sample m --start a", "; did you mean --prefix?"),
        ("sample m --length 3", "; did you mean --max-length?"),
        ("sample m --output x", "; the output is printed: redirect it with > FILE"),
        ("sample m -t 2", "no option -t; did you mean --temperature?"),
        ("sample m 5", "there is no argument 5; did you mean -n 5?"),
        ("score m --quux", "; `sklearn-makemore score --help` lists the options"),
        ("compare --model ngram", "; did you mean --models?"),
        ("fit -o x --model bigram", "may be BigramCounter or BigramCharLM"),
        ("fit -o x --model ltsm", "; did you mean lstm?"),
        ("train words.txt", "there is no command 'train'; did you mean fit?"),
        ("--model gru fit", "; options come after the command"),
    ],
)
def test_wrong_options_are_answered_with_the_right_ones(asked, said, run):
    code, lines, (error,) = run(*asked.split())
    assert (code, lines) == (2, [])
    assert said in error


def test_options_of_sample_are_those_of_the_method():
    arguments = ["model", "--matching", "[ab]~", "--exact", "--top_p=0.5"]
    _, options = parse(_sample, [*arguments, "--unique", "True", "--prefix", "12"])
    parameters = inspect.signature(BaseCharLM.sample).parameters
    expected = {
        **{name: parameters[name].default for name in parameters},
        "matching": "[ab]~",
        "exact": True,
        "top_p": 0.5,
        "unique": True,
        "prefix": "12",
        "n_samples": 10,
    }
    for name in "self", "exclude":
        del expected[name]
    assert values_of(options, expected) == expected


# --------------------------------------------------------------------- fit


def test_fit_learns_from_the_words_that_are_not_held_out(run, files, words):
    code, lines, errors = run(
        "fit", "words.txt", "-o", "x.model", "--model=BigramCounter", "--smoothing", "2"
    )
    assert (code, errors) == (0, [])
    train, held_out = parts(words)
    expected = BigramCounter(smoothing=2).fit(train)
    model = load("x.model")
    assert model.get_params() == expected.get_params()
    np.testing.assert_array_equal(model.counts_, expected.counts_)
    assert re.fullmatch(
        rf"BigramCounter trained on {len(train)} words: \d+\.\d\d s", lines[0]
    )
    assert lines[1] == (
        f"Validation NLL: {expected.nll(held_out):.4f} ({len(held_out)} held-out words)"
    )
    assert lines[2:4] == ["Model written to x.model", "New words:"]
    new = [line.strip() for line in lines[4:]]
    assert len(new) == len(set(new)) == 10
    assert not set(new) & set(words)
    # A model that often samples training words shows none of them either.
    _, lines, _ = run("fit", "words.txt", "-o", "x.model", "--order=9")
    assert set(load("x.model").sample(10, random_state=0)) & set(words)
    assert not {line.strip() for line in lines[4:]} & set(words)


def test_words_that_others_do_not_cover_are_learnt(run, tmp_path):
    common = ["ad", "bc", "cb", "da", "abcd"] * 18
    odd = ["zz", "abcdabcd"]
    share = 1 - 1e-9  # all are held out, so none has a letter that others have
    (tmp_path / "words.txt").write_text("\n".join(common + odd))
    fit = ["fit", "words.txt", "-o", "x.model"]
    code, lines, _ = run(*fit, "--held_out", share)
    assert code == 0
    assert f"trained on {len(common + odd)} words" in lines[0]
    assert lines[1].startswith("No word was held out")
    # Both are drawn here, one for its letter and one for its length, and "abcd" is not.
    digests = {word: word_share(word) for word in odd + ["abcd"]}
    assert max(digests["zz"], digests["abcdabcd"]) < 0.8 < digests["abcd"]
    assert run(*fit, "--held_out", 0.8)[0] == 0
    assert load("x.model").longest_word_ == 8
    assert load("x.model").vocabulary_.characters == "abcdz"


def test_counters_learn_from_a_file_chunk_by_chunk(run, files, words, monkeypatch):
    fit = ["fit", "words.txt", "--order", 3, "-o"]
    _, whole, _ = run(*fit, "whole.model")
    monkeypatch.setattr(_learning, "LEARNING_CHUNK_SIZE", 17)
    estimate, estimated = NGramCounter._fitted_attributes, []

    def counted_estimate(self, counts):
        estimated.append(len(counts))
        return estimate(self, counts)

    monkeypatch.setattr(NGramCounter, "_fitted_attributes", counted_estimate)
    code, lines, _ = run(*fit, "parts.model")
    assert code == 0
    # When all are counted; `save` looks once more whether it would come back the same.
    assert set(estimated) == {max(estimated)} and len(estimated) <= 2
    assert lines[1] == whole[1]
    assert lines[3] == "Words (some may be in the file):"
    parts, whole = load("parts.model"), load("whole.model")
    np.testing.assert_array_equal(
        parts.score_samples(words), whole.score_samples(words)
    )


def test_networks_stop_early_and_go_to_files(run, files):
    code, lines, errors = run(
        *("fit", "words.txt", "-o", "x.model", "--model", "BigramCharLM"),
        *("--early-stopping", "--max-epochs", 100, "--tol", 0.05, "--random-state", 0),
        *("--n-iter-no-change=1", "--handle-unknown", "unk"),
    )
    assert (code, errors) == (0, [])
    model = load("x.model")
    assert f"in {model.n_iter_} epochs:" in lines[0]
    assert model.n_iter_ < 100
    assert model.handle_unknown == "unk"
    code, lines, _ = run("info", "x.model")
    assert code == 0
    facts = dict(re.split(r" {2,}", line, maxsplit=1) for line in lines[:7])
    assert facts["class"] == "BigramCharLM"
    assert facts["alphabet"].endswith(": " + model.vocabulary_.characters)
    assert facts["size"] == f"{len(model.symbols_) ** 2} weights"
    assert facts["longest word"] == f"{model.longest_word_} characters"
    assert facts["epochs"].startswith(f"{model.n_iter_}, the last with train_loss ")
    assert facts["written by"] == f"sklearn_makemore {sklearn_makemore.__version__}"
    assert "  n_iter_no_change    1" in lines


def test_models_with_symbols_of_several_characters_are_read(run):
    model = NGramCounter(order=2, alphabet=["C", "Cl", "O"]).fit(["CCl", "CO"])
    save(model, "x.model")
    code, lines, _ = run("info", "x.model")
    assert (code, lines[1].split()[1:]) == (0, ["3", "characters:", "C,", "Cl,", "O"])
    score = "score", "x.model", "-", "--on-unknown"
    code, lines, errors = run(*score, "skip", stdin=b"ClC\nCF\n")
    assert (code, len(lines), len(errors)) == (0, 1, 1)
    assert lines[0].split("\t")[2] == f"{model.nll(['ClC']):.6f}"
    code, _, (error,) = run(*score, "error", stdin=b"ClC\nCF\n")
    assert code == 1 and "does not know ('F')" in error


def test_without_a_file_the_names_of_the_package_are_taken(run, words, monkeypatch):
    monkeypatch.setattr(_words, "load_names", lambda: Bunch(data=words))
    code, lines, _ = run("fit", "-o", "x.model", "--held-out", 0)
    assert code == 0
    assert f"trained on {len(set(words))} words" in lines[0]
    assert lines[1].startswith("No word was held out")
    # These names are what is left out by --novel alone.
    _, drawn, _ = run("sample", "x.model", "-n", 300, "--unique", "--random_state", 1)
    assert set(drawn) & set(words)
    _, novel, _ = run("sample", "x.model", "-n", 300, "--unique", "--novel")
    assert not set(novel) & set(words)


def test_weights_of_a_file_are_those_of_fit(run, tmp_path, words):
    counts = [3.0 if word[0] == "a" else 0.5 for word in words]
    rows = ["word;n", "zzzz;0", *map("{};{}".format, words, counts)]
    (tmp_path / "words.csv").write_text("\n".join(rows))
    columns = ["words.csv", "--column=word", "--weight-column", "n"]
    train, held_out = parts(words)
    weight = dict(zip(words, counts, strict=True))
    weights = [weight[word] for word in train]
    code, lines, errors = run("fit", *columns, "-o", "x.model")
    assert (code, errors) == (0, [])
    expected = NGramCounter().fit(train, sample_weight=weights)
    assert load("x.model").score_samples(words).tolist() == pytest.approx(
        expected.score_samples(words).tolist()
    )
    nll = expected.nll(held_out, sample_weight=[weight[word] for word in held_out])
    assert f"trained on {len(train)} words" in lines[0]
    assert lines[1] == f"Validation NLL: {nll:.4f} ({len(held_out)} held-out words)"
    # A network takes weights with a mean of 1.
    network = ["--model", "BigramCharLM", "--random-state", 0, "--max-epochs", 2]
    assert run("fit", *columns, "-o", "y.model", *network)[0] == 0
    expected = BigramCharLM(random_state=0, max_epochs=2)
    expected.fit(train, sample_weight=np.array(weights) / np.mean(weights))
    assert load("y.model").nll(words) == pytest.approx(expected.nll(words))
    _, lines, _ = run("compare", *columns, "--models", "BigramCharLM", "NGramCounter")
    assert lines[0] == f"{len(train)} training words, {len(held_out)} held-out words."
    assert any(f"{nll:.4f}" in line for line in lines)


def test_labels_make_a_conditional_model(run, files, words, monkeypatch):
    labels = ["ab"[word[-1] in "aeiou"] for word in words]
    rows = [f"{word},{label},2" for word, label in zip(words, labels, strict=True)]
    # A word whose label no other has is learned; one of weight 0 is not there.
    alone = next(word for word in sorted({*words}) if word_share(word) < 0.1)
    rows += [f"{alone},alone,2", "zzzz,none,0"]
    (files / "words.csv").write_text("\n".join(["name,last,n", *rows]))
    columns = ["words.csv", "--column=name", "--label", "last", "--weight-column=n"]
    code, lines, errors = run("fit", *columns, "-o", "x.model", "--order", 3)
    assert (code, errors) == (0, [])
    _, held_out = parts(words)
    held_out = {*held_out} - {alone}
    rows = [*zip(words, labels, strict=True), (alone, "alone")]
    train = [row for row in rows if row[0] not in held_out]
    tested = [row for row in rows if row[0] in held_out]
    expected = ConditionalCharLM(NGramCounter(3))
    expected.fit(*zip(*train, strict=True), sample_weight=[2] * len(train))
    nll = expected.nll(*zip(*tested, strict=True))
    assert lines[0].startswith(f"ConditionalCharLM trained on {len(train)} words: ")
    assert lines[1] == f"Validation NLL: {nll:.4f} ({len(tested)} held-out words)"
    assert [line.split(": ")[0] for line in lines[4:]] == ["  a", "  b", "  alone"]
    model = load("x.model")
    assert model.classes_.tolist() == ["a", "alone", "b"]
    some = ["sample", "x.model", "-n", 5, "--random-state=1", "--label"]
    assert run(*some, "a")[1] == model.sample(5, label="a", random_state=1)
    assert run(*some[:-1])[1] == model.sample(5, random_state=1)
    code, _, (error,) = run(*some, "alon")
    assert (code, "'alon' is unknown. The closest" in error) == (2, True)
    code, _, (error,) = run("sample", "words.model", "--label=a")
    assert code == 2
    assert "needs a model that was fitted with --label, and this one is" in error
    # Scores given the label of each word, and averaged over the labels.
    rows = [f"{word},{label}" for word, label in zip(words, labels, strict=True)]
    (files / "some.csv").write_text("\n".join(["name,last", *rows]))
    for option, given in ([], []), (["--label", "last"], [labels]):
        _, lines, _ = run("score", "x.model", "some.csv", "--column=name", *option)
        found = [float(line.split("\t")[1]) for line in lines]
        expected = model.score_samples(words, *given)
        np.testing.assert_allclose(found, expected, atol=1e-6)
    code, _, (error,) = run("score", "words.model", "some.csv", "--label=last")
    assert (code, "needs a model that was fitted with --label" in error) == (2, True)
    # A network, and another counter.
    monkeypatch.setattr(_compare, "_warm_up", lambda models: None)
    models = "BigramCounter", "NGramCounter", "BigramCharLM"
    _, lines, _ = run("compare", *columns, "--models", *models)
    rows = {line.split()[0]: line.split()[1] for line in lines[4:7]}
    assert rows.keys() == {*models}
    network = ConditionalCharLM(BigramCharLM(random_state=0))
    network.fit(*zip(*train, strict=True))
    found = network.nll(*zip(*tested, strict=True))
    assert rows["BigramCharLM"] == f"{found:.4f}"
    assert lines[8].startswith("New words from ")


def test_labels_that_are_numbers_are_named_by_their_digits(run, files):
    table = pa.table({"w": ["emma", "ava", "noah", "liam"] * 5, "y": [1, 1, 2, 2] * 5})
    parquet.write_table(table, files / "a.parquet")
    fit = ["fit", "a.parquet", "--label", "y", "-o", "x.model", "--held-out", 0]
    assert run(*fit)[0] == 0
    _, lines, _ = run("sample", "x.model", "--label", "2", "--random-state", 0)
    assert lines == load("x.model").sample(10, label=2, random_state=0)


def test_weights_are_counted_chunk_by_chunk(run, tmp_path, words, monkeypatch):
    rows = [f"{word}\t{index % 3}" for index, word in enumerate(words)]
    (tmp_path / "words.tsv").write_text("\n".join([*rows, "quuuuuux\t2"]))
    fit = ["fit", "words.tsv", "--column=0", "--weight-column=1", "--held-out=0.5"]
    _, whole, _ = run(*fit, "-o", "whole.model")
    monkeypatch.setattr(_learning, "LEARNING_CHUNK_SIZE", 17)
    _, lines, _ = run(*fit, "-o", "parts.model")
    assert lines[:2] == [whole[0].rpartition(":")[0] + lines[0][-8:], whole[1]]
    np.testing.assert_allclose(
        load("parts.model").score_samples(words),
        load("whole.model").score_samples(words),
    )


# ------------------------------------------------------- sample, score, compare


def test_prefixes_are_read_from_a_pipe(run, files):
    stdin = "em\n\nzoé\nol".encode()
    sample = ["sample", "words.model", "--interactive", "-n", 2, "--random-state=0"]
    code, lines, (error,) = run(*sample, stdin=stdin)
    model = load(files / "words.model")
    expected = [
        model.sample(2, prefix=start, random_state=0) for start in ("em", "", "ol")
    ]
    assert (code, lines) == (0, [line for some in expected for line in [*some, ""]])
    assert error.startswith("sklearn-makemore: --prefix 'zoé' has characters that are")


@pytest.mark.parametrize(
    ("n_words", "names"),
    [
        (299, _models.MODELS[:2]),
        (300, (*_models.MODELS[:2], "GRUCharLM")),
        (1_000, _models.MODELS),
        (100_000, _models.MODELS),
        (100_001, _models.MODELS[:2]),
    ],
)
def test_models_that_suit_the_number_of_words_are_compared(n_words, names, capsys):
    assert _compare.default_models(n_words) == list(names)
    said = capsys.readouterr().err
    left_out = {*_models.MODELS} - {*names}
    assert all(name in said for name in left_out)
    assert bool(said) == bool(left_out)


def test_the_empty_word_is_sampled_if_it_is_asked_for(run, files):
    run(
        "fit", "words.txt", "-o", "x.model", "--model", "BigramCounter", "--smoothing=9"
    )
    sample = "sample", "x.model", "-n", 400, "--random-state", 0
    assert "" not in run(*sample)[1]
    assert "" in run(*sample, "--min-length", 0)[1]


def test_sample_draws_what_the_model_draws(run, files, words):
    options = {"prefix": "a", "temperature": 0.7, "top_k": 5, "min_length": 4}
    shell = [part for name, value in options.items() for part in (f"--{name}", value)]
    code, lines, errors = run(
        "sample",
        "words.model",
        "-n",
        7,
        *shell,
        "--random-state=3",
        "--novel=words.txt",
    )
    assert (code, errors) == (0, [])
    model = load(files / "words.model")
    assert lines == model.sample(7, **options, exclude=words, random_state=3)
    asked = ["sample", "words.model", "--min-distance=2", "--random-state=3"]
    code, lines, _ = run(*asked, "--novel=words.txt")
    options = {"exclude": words, "min_distance": 2, "random_state": 3}
    assert lines == model.sample(10, **options)
    code, _, (error,) = run(*asked)
    assert (code, "--novel; give this" in error) == (2, True)
    # Hyphens are underscores in the names of options, not in their values.
    code, _, (error,) = run("sample", "words.model", "--prefix=a-b")
    assert code == 2
    assert "--prefix a-b has characters" in error
    # What is too much to ask is a warning, in one line.
    asked = ["sample", "words.model", "--unique", "--matching=(ann|bob)a", "--exact"]
    with catch_warnings():
        simplefilter("default")
        code, lines, errors = run(*asked)
    assert code == 0
    assert set(lines) <= {"anna", "boba"}
    (error,) = errors
    assert error.startswith("sklearn-makemore: warning: ")


def test_score_prints_a_line_a_word(run, files, monkeypatch):
    monkeypatch.setattr(_score, "SCORING_CHUNK_SIZE", 2)
    text = "\ufeffemma\r\n\r\n  olivia\nava\nemma".encode()
    (files / "some.txt.gz").write_bytes(gzip.compress(text))
    asked = ["emma", "olivia", "ava", "emma"]
    expected = load(files / "words.model").score_samples(asked)
    code, lines, errors = run("score", "words.model", "some.txt.gz")
    assert (code, errors) == (0, [])
    rows = [line.split("\t") for line in lines]
    assert [word for word, _, _ in rows] == asked
    lengths = [len(word) + 1 for word in asked]
    figures = np.array([row[1:] for row in rows], dtype=float)
    np.testing.assert_allclose(figures[:, 0], expected, atol=1e-6)
    np.testing.assert_allclose(figures[:, 1], -expected / lengths, atol=1e-6)
    _, lines, _ = run("score", "words.model", "--json", "-", stdin=text)
    rows = [json.loads(line) for line in lines]
    assert [row["word"] for row in rows] == asked
    assert [row["log_proba"] for row in rows] == expected.tolist()
    assert [row["nll"] for row in rows] == (-expected / lengths).tolist()
    # What was read before an error is there, and the error counts on.
    code, lines, (error,) = run("score", "words.model", "-", stdin=text + b"\nem-a")
    assert (code, len(lines)) == (1, 4)
    assert "Word 'em-a' in line 6 of standard input" in error
    assert "does not know ('-'); leave such words out with --on-unknown skip" in error
    _, _, (error,) = run("score", "words.model", "-", stdin=b"emma\nat at index 7 it")
    assert "Word 'at at index 7 it' in line 2 of standard input" in error


def test_words_with_unknown_characters_are_left_out(run, files, monkeypatch):
    text = b"emma\n\nem-a\nava\n99\n"
    score = ["score", "words.model", "-", "--on-unknown"]
    _, expected, _ = run(*score, "error", stdin=b"emma\nava\n")
    for size in 1, 100:
        monkeypatch.setattr(_score, "SCORING_CHUNK_SIZE", size)
        code, lines, (said,) = run(*score, "skip", stdin=text)
        assert (code, lines) == (0, expected)
        assert said == (
            "sklearn-makemore: words left out because of unknown characters: 2; the "
            "first is 'em-a' in line 3 of standard input"
        )
    # A model with a symbol for unknown characters scores all.
    save(NGramCounter(handle_unknown="unk").fit(["emma", "ava"]), files / "unk.model")
    code, lines, errors = run(
        "score", "unk.model", "-", "--on-unknown=skip", stdin=text
    )
    assert (code, len(lines), errors) == (0, 4, [])
    table = pa.table({"w": ["emma", "9"]})
    parquet.write_table(table, files / "a.parquet")
    _, _, (error,) = run("score", "words.model", "a.parquet")
    assert "Word '9' in row 1 of 'a.parquet'" in error


def test_sample_leaves_out_the_words_of_a_column(run, files, words):
    (files / "words.csv").write_text("\n".join(["n,name", *map("1,{}".format, words)]))
    novel = ["--novel", "words.csv", "--column", "name", "--random-state", 3]
    code, lines, errors = run("sample", "words.model", "-n", 50, *novel)
    assert (code, errors) == (0, [])
    model = load(files / "words.model")
    assert lines == model.sample(50, exclude=words, random_state=3)


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        (b"38Ventures,3274\n3M,5", [], "Pass --column 0, with --weight-column 1 if"),
        (
            b"first name;n\nAnn;5\nBo;6",
            [],
            "Pass --column 'first name', with --weight-c",
        ),
        (b"name\nemma\nava", [], "Pass --header to skip it. If every line is one"),
        (b"name,n\nemma,3\nava,4", ["--column=0"], "or --header false to read it"),
        (b"emma\t3\nava\t4", ["--column=7"], "no column 7"),
        (
            b"a;1,5\nb;2,5",
            ["--column=0"],
            "Pass the --delimiter, such as --delimiter ';'",
        ),
        (b"zo\xe9\nemma", [], "'zo\u00e9' with --encoding cp1252"),
        (b"# x\nemma\nava", [], "Pass --comment '#' to skip"),
        (b"emma", ["--delimiter=ab"], "--delimiter must be one character, got 'ab'"),
        (b"emma", ["--encoding=utf9"], "--encoding must name an encoding"),
        (b"emma", ["--format=xlsx"], "takes csv or jsonl or lines or parquet"),
        (b"emma", ["--format=lines", "--column=0"], "--format lines, which does not"),
    ],
)
def test_messages_about_files_name_options(run, tmp_path, content, options, said):
    (tmp_path / "a").write_bytes(content)
    code, _, (error,) = run("fit", "a", "-o", "x.model", *options)
    assert code in (1, 2)
    assert said in error


@pytest.mark.parametrize(
    ("content", "options"),
    [
        (b"emma\tx\nava\ty", ["--delimiter", r"\t", "--column", "0"]),
        (b"x emma\nx ava", ["--delimiter", " ", "--column", "1"]),
        (b"name\nemma\nava", ["--header"]),
        (b"# x\nemma\nava", ["--comment", "#"]),
        ("emma\nava".encode("utf-16"), ["--encoding", "utf-16"]),
        (b'{"n": 1, "w": "emma"}\n{"w": "ava"}', ["--format", "jsonl"]),
    ],
)
def test_files_that_options_read(run, files, content, options):
    _, expected, _ = run("score", "words.model", "-", stdin=b"emma\nava")
    assert run("score", "words.model", "-", *options, stdin=content)[1] == expected


def test_what_is_infinite_and_what_would_break_a_line(run, tmp_path):
    save(BigramCounter(smoothing=0).fit(["a\tb", "c\\"]), tmp_path / "x.model")
    asked = b"a\tb\nc\\\nca"
    _, lines, _ = run("score", "x.model", "-", stdin=asked)
    assert [line.split("\t")[0] for line in lines] == [r"a\tb", r"c\\", "ca"]
    assert lines[2] == "ca\t-inf\tinf"
    _, lines, _ = run("score", "x.model", "-", "--json", stdin=asked)
    assert json.loads(lines[0])["word"] == "a\tb"
    assert lines[2] == '{"word": "ca", "log_proba": null, "nll": null}'


@pytest.mark.slow
def test_compare_shows_the_best_model_first(run, files, words):
    models = ["BigramCounter", "BigramCharLM", "NGramCounter"]
    code, lines, errors = run("compare", "words.txt", "--models", *models)
    assert (code, errors) == (0, [])
    train, held_out = parts(words)
    assert lines[0] == f"{len(train)} training words, {len(held_out)} held-out words."
    expected = {
        type(model).__name__: model.fit(train).nll(held_out)
        for model in (BigramCounter(), BigramCharLM(random_state=0), NGramCounter())
    }
    rows = [re.split(r"\s{2,}", line) for line in lines[3:7]]
    assert rows[0] == ["model", "validation NLL", "seconds to fit"]
    best, *_ = ordered = sorted(expected, key=expected.get)
    assert [row[:2] for row in rows[1:]] == [
        [name, f"{expected[name]:.4f}"] for name in ordered
    ]
    assert lines[8] == f"New words from {best}:"
    assert len(lines[9:]) == 10
    # In a terminal a network's line says how far it is.
    row = _compare.Row(BigramCharLM(max_epochs=3), "2 of 3")
    assert row.cells == ("BigramCharLM", "epoch 1 of 3", "fitting 2 of 3")
    n_words = len(held_out)
    held_out = _learning.HeldOut(held_out, np.ones(n_words), n_words)
    row.measure(_learning.AllWords(train, None, held_out, None))
    assert row.progress.epochs_done == 3


def console_sessions(page):
    """Yield the commands of a page and what they print."""
    for block in re.findall(
        r"^\.\. code-block:: console\n\n((?: {3}.*\n|\n)+)", page, re.M
    ):
        for session in re.split(r"^ {3}\$ ", block, flags=re.M)[1:]:
            session = re.sub(r" \\\n {3}> +", " ", session)
            command, _, shown = session.partition("\n")
            yield command, re.sub(r"^ {3}", "", shown, flags=re.M).strip("\n")


@pytest.mark.slow
def test_page_of_the_site_shows_what_is_printed(run, tmp_path):
    rows = zip(*map(list, load_names(return_X_y=True)), strict=True)
    lines = ["name,sex", *map(",".join, list(rows)[::10])]
    (tmp_path / "names.csv").write_text("\n".join(lines))
    page = Path(__file__).parents[2] / "docs" / "guide" / "command_line.rst"
    shown_commands = set()
    for command, shown in console_sessions(page.read_text(encoding="utf-8")):
        piped, _, command = command.rpartition(" | ")
        stdin = piped.removeprefix("printf '").rstrip("'").replace(r"\n", "\n")
        program, *arguments = shlex.split(command)
        assert program == "sklearn-makemore"
        shown_commands.add(arguments[0])
        _, lines, errors = run(*arguments, stdin=stdin.encode())
        printed = "\n".join([*lines, *errors]).strip("\n")
        is_same = doctest.OutputChecker().check_output
        assert is_same(rough(shown), rough(printed), doctest.ELLIPSIS), printed
    assert shown_commands == set(cli.COMMANDS)


def rough(text):
    """A text without times, and with as many digits as all machines have."""
    text = re.sub(r"(?<= )\d+\.\d+( s)?$", "SECONDS", text, flags=re.M)
    text = re.sub(r" +SECONDS", " SECONDS", text)
    return re.sub(r"(\.\d\d)\d*", r"\1", text)


# ------------------------------------------------------------------- failures


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "a command is needed: fit, sample, score, detect, cl"),
        (["fitt"], 2, "there is no command 'fitt'; did you mean fit?"),
        (["--versoin"], 2, "there is no option --versoin; did you mean --version?"),
        (["fit"], 2, "-o MODEL is needed: sklearn-makemore fit [WORDS] -o MODEL"),
        (["fit", "-o", ""], 2, "takes a file name, not ''"),
        (["fit", "-o", "-"], 2, "takes a file name, not '-'"),
        (["fit", "-o", "x", "--ordr=3"], 2, "no option --ordr; did you mean --order?"),
        (
            ["fit", "-o", "x", "--order", "3.5"],
            2,
            "a whole number of at least 1, not '3.5'",
        ),
        (
            ["fit", "-o", "x", "--order", "0"],
            2,
            "--order takes a whole number of at least 1,",
        ),
        (["fit", "-o", "x", "--model=GruCharML"], 2, "did you mean GRUCharLM?"),
        (["fit", "-o", "x", "--smoothing=aditive"], 2, "did you mean additive?"),
        (
            ["fit", "-o", "x", "--held_out", "1"],
            2,
            "--held-out takes a number of at least 0 and below 1, not '1'",
        ),
        (["fit", "a", "b", "-o", "x"], 2, "there is no argument b"),
        (["fit", "missing", "-o", "x"], 1, "No such file or directory: 'missing'"),
        (["fit", "folder", "-o", "x"], 1, "Is a directory: 'folder'"),
        (["fit", "nul.txt", "-o", "x"], 1, "'nul.txt' has a NUL in line 2"),
        (["fit", "latin.txt", "-o", "x"], 1, "not UTF-8, in line 1"),
        (["fit", "empty.txt", "-o", "x"], 1, "'empty.txt' has no words"),
        (["fit", "words.txt", "-o", "no/x"], 1, "The folder does not exist"),
        (["fit", "words.txt", "-o", "folder"], 1, "There is a folder of this name"),
        (
            ["fit", "words.txt", "-o", "x", "--alphabet=ab"],
            1,
            " in 'words.txt' has characters that are not in the alphabet",
        ),
        (["sample", "words.txt"], 1, "; the command fit writes a model file"),
        (
            ["detect", "--model", "words.txt"],
            2,
            "is a file; give a file without an opt",
        ),
        (["detect", "--train=few.txt"], 1, "measures. Pass more words."),
        (["score", "words.model", "t.csv"], 1, "Pass --column 0."),
        (["classify", "classes.model", "empty.txt"], 1, "'empty.txt' has no words"),
        (["sample", "missing"], 1, "No such file or directory: 'missing'"),
        (
            ["sample", "words.model", "-n", "0"],
            2,
            "--n-samples takes a whole number of",
        ),
        (
            ["sample", "words.model", "--prefix=7"],
            2,
            "error: --prefix 7 has characters that",
        ),
        (["sample", "words.model", "--matching=("], 2, "is not a regular expression"),
        (["sample", "words.model", "--max-length=0", "--min-length=1"], 2, "is less"),
        (["sample", "short.model", "--novel"], 2, "has another alphabet"),
        (["sample", "classes.model"], 1, "CharLMClassifier, which this command cannot"),
        (["score", "classes.model"], 1, "use it with the command classify"),
        (["detect", "words.model"], 1, "use it with the command sample"),
        (["detect"], 2, "give --train FILE, or the file of a trained model"),
        (["detect", "--train=a", "b", "c"], 2, "give --train FILE or MODEL, not both"),
        (["detect", "d.model", "-o", "x"], 2, "--output needs --train FILE"),
        (["detect", "d.model", "--per", "word"], 2, "--per needs --train FILE"),
        (["classify", "d.model", "--order", "3"], 2, "--order needs --train FILE"),
        (["classify", "d.model", "--model", "gru"], 2, "--model needs --train FILE"),
        (["detect", "--train=words.txt", "-o", "no/x"], 1, "The folder does not exist"),
        (["detect", "--train=words.txt", "t.csv"], 1, "With --train, these options"),
        (["classify", "classes.model", "--label=y"], 2, "--label needs --train FILE"),
        (["detect", "words.txt"], 1, "; to train on a list of words, pass it after"),
        (["classify", "--train=n.csv", "--label=1", "a"], 2, "120 different texts for"),
        (["classify", "--train=t.csv", "a"], 2, "--train needs --label COLUMN"),
        (["classify", "--train=t.csv", "--label=1"], 2, "give WORDS to classify"),
        (["fit", "words.txt", "-o", "./words.txt"], 2, "is the file of words"),
        (["fit", "-o", "x", "--column", "a"], 2, "--column needs a file of words"),
        (["fit", "-o", "x", "--label", "a"], 2, "--label needs a file of words"),
        (["fit", "words.txt", "-o", "x", "--label=y"], 1, "has no column 'y'"),
        (["sample", "words.model", "--encoding=cp1252"], 2, "needs a file of words"),
        (["fit", "-o", "x", "--", "--a-b"], 1, "No such file or directory: '--a-b'"),
        (["compare", "few.txt"], 2, "no word is held out"),
        (["compare", "--models", "few.txt"], 2, "put the file of words before"),
        (["info", "words.txt"], 1, "is not a model file"),
    ],
)
def test_failures_are_one_line(arguments, code, said, run, files, words):
    (files / "folder").mkdir()
    (files / "nul.txt").write_bytes(b"emma\r\nol\0ivia")
    (files / "latin.txt").write_bytes("zoé".encode("latin-1"))
    (files / "empty.txt").write_bytes(b"\n \r\n")
    (files / "few.txt").write_bytes(b"ab")
    numbered = [f"{word},{index}" for index, word in enumerate(words[:120])]
    (files / "n.csv").write_text("\n".join(numbered))
    (files / "t.csv").write_bytes(b"emma,1\nava,2")
    if "short.model" in arguments:
        save(NGramCounter().fit(["abc"]), files / "short.model")
    if "classes.model" in arguments:
        classifier = CharLMClassifier(NGramCounter(), calibration=None, cv=2)
        classifier.fit(words[:20], [0, 1] * 10)
        save(classifier, files / "classes.model")
    before = sorted(files.iterdir())
    found, printed, errors = run(*arguments)
    assert (found, printed) == (code, [])
    (error,) = errors
    assert re.match(r"sklearn-makemore( \w+)?: error: ", error)
    assert said in error
    assert sorted(files.iterdir()) == before


def test_an_output_that_cannot_be_written_is_found_before_the_words_are_read(run):
    for output, said in ("no/x", "folder does not exist"), ("x" * 300, "is too long"):
        _, _, (error,) = run("fit", "missing", "-o", output)
        assert said in error


def test_interrupts_and_failures_leave_no_file(run, files, monkeypatch):
    def interrupted(self, words, y=None, sample_weight=None):
        raise KeyboardInterrupt

    monkeypatch.setattr(GRUCharLM, "fit", interrupted)
    fit = ["fit", "words.txt", "-o", "x.model", "--model", "GRUCharLM"]
    assert run(*fit) == (130, [], ["sklearn-makemore: interrupted"])
    # What is compared so far is shown.
    models = ["BigramCounter", "GRUCharLM"]
    code, lines, errors = run("compare", "words.txt", "--models", *models)
    assert (code, errors) == (130, ["sklearn-makemore: interrupted"])
    assert lines[-1].startswith("BigramCounter")

    def diverging(self, words, y=None, sample_weight=None):
        raise ValueError("too large a\nlearning rate")

    monkeypatch.setattr(GRUCharLM, "fit", diverging)
    code, lines, errors = run("compare", "words.txt", "--models", *models)
    said = "sklearn-makemore: GRUCharLM is skipped: too large a learning rate"
    assert (code, errors) == (0, [said])
    assert [line.split()[0] for line in lines[3:5]] == ["model", "BigramCounter"]
    assert lines[6] == "New words from BigramCounter:"

    def broken(self, words, y=None, sample_weight=None):
        raise RuntimeError("no memory\nin C++")

    monkeypatch.setattr(GRUCharLM, "fit", broken)
    said = ["sklearn-makemore: error: RuntimeError: no memory"]
    assert run(*fit) == (1, [], said)
    assert not (files / "x.model").exists()


def test_without_the_extra_it_says_how_to_install_it(run, files, monkeypatch):
    monkeypatch.setitem(sys.modules, "rich.live", None)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    code, _, (error,) = run("compare", "words.txt", "--models", "BigramCounter")
    assert code == 1
    assert 'pip install "sklearn-makemore[cli]"' in error
