"""The command line as a process: locales, terminals, pipes, signals, and imports."""

import os
import pty
import re
import select
import signal
import sys
from contextlib import contextmanager, suppress
from subprocess import PIPE
from threading import Timer

import pytest
from children import child_process, run_child

from sklearn_makemore import NGramCounter, load, save

pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-m", "sklearn_makemore"]
PLAIN_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
LONGEST = 120
"""Seconds until a process that does not end is killed, so that its test fails."""


def run(*arguments, stdin=b"", **environment):
    """Run a command in a pipe; returns the exit code and both outputs as bytes."""
    done = run_child(
        [*COMMAND, *arguments],
        input=stdin,
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        env=os.environ | environment,
    )
    return done.returncode, done.stdout, done.stderr


@contextmanager
def started(command, **options):
    """Start a process, and kill it if the test fails or if it does not end in time."""
    with child_process(command, **options) as process:
        killer = Timer(LONGEST, process.kill)
        killer.start()
        try:
            yield process
            process.wait()
        finally:
            killer.cancel()


def run_in_terminal(*arguments, interrupt_at=None, cwd=None, **environment):
    """Run a command in a terminal; returns the exit code and what is on the screen."""
    terminal, inside = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100", **environment}
    streams = {"stdin": inside, "stdout": inside, "stderr": inside}
    options = {"env": environment, "cwd": cwd, **streams}
    with started([*COMMAND, *arguments], **options) as process:
        os.close(inside)
        screen = b""
        while True:
            try:
                screen += os.read(terminal, 1 << 16)
            except OSError:  # as Linux ends a terminal
                break
            if interrupt_at is not None and interrupt_at in screen:
                process.send_signal(signal.SIGINT)
                interrupt_at = None
        os.close(terminal)
    return process.returncode, screen.decode()


def test_text_is_utf_8_in_any_locale(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = ["zoé", "chloé", "andré", "rené", "élodie", "éric", "noël", "josé"] * 2
    (tmp_path / "prénoms.txt").write_text("\r\n".join(names), encoding="utf-8")
    plain = {**PLAIN_LOCALE, "FORCE_COLOR": "1"}
    code, out, err = run("fit", "prénoms.txt", "-o", "modèle", "--held_out=0", **plain)
    assert (code, err) == (0, b"")
    assert b"\x1b" not in out
    assert "Model written to modèle" in out.decode()
    model = load(tmp_path / "modèle")
    assert model.vocabulary_.characters == "".join(sorted(set("".join(names))))
    asked = ["modèle", "--matching", "é[lr].*", "--random_state", "1"]
    expected = model.sample(10, matching="é[lr].*", random_state=1)
    assert all(word[0] == "é" for word in expected)
    code, out, err = run("sample", *asked, **plain)
    assert (code, out.decode().splitlines(), err) == (0, expected, b"")
    code, out, err = run("score", "modèle", "-", stdin="né\nnö".encode(), **plain)
    assert (code, out) == (1, b"")
    assert b"\n" not in err[:-1]
    assert "'nö' in line 2 of standard input" in err.decode()


def test_ctrl_c_in_a_terminal_ends_a_fit_whose_progress_is_seen(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, screen = run_in_terminal(
        *("fit", "-o", "x.model", "--model", "BigramCharLM", "--max_epochs", "100000"),
        interrupt_at=b"validation NLL 2.",
    )
    assert code == 130
    assert "\x1b" in screen
    assert re.search(r"BigramCharLM .*epoch \d+ of 100000 validation NLL 2\.", screen)
    assert screen.endswith("sklearn-makemore: interrupted\r\n")
    assert "Traceback" not in screen
    assert not list(tmp_path.iterdir())


def test_compare_shows_its_table_while_it_grows(tmp_path, words, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "words.txt").write_text("\n".join(words))
    # Counters, which need no torch: importing it takes seconds.
    compare = ["compare", "words.txt", "--models", "BigramCounter", "NGramCounter"]
    code, screen = run_in_terminal(*compare, NO_COLOR="1")
    assert code == 0
    # Without colours there are bold letters and movements of the cursor.
    codes = set(re.findall(r"\x1b\[[?\d;]*[A-Za-z]", screen))
    assert codes
    assert not [code for code in codes if re.search(r"\b[34]\d(;\d+)*m", code)]
    table = screen.rpartition("seconds to fit")[2]
    assert table.index("NGramCounter") < table.index("BigramCounter")


def test_output_that_nobody_reads_ends_quietly(tmp_path, words):
    path, asked = tmp_path / "x.model", "\n".join(words * 200).encode()
    save(NGramCounter().fit(words), path)
    (tmp_path / "words.txt").write_bytes(asked)
    score = [*COMMAND, "score", path, tmp_path / "words.txt"]
    with started(score, stdout=-1, stderr=-1) as process:
        assert process.stdout.readline().startswith(words[0].encode())
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141
    # So little that it is still in Python's buffer at the end.
    buffered = os.environ | {"PYTHONUNBUFFERED": ""}
    read_end, write_end = os.pipe()
    os.close(read_end)
    with open(write_end, "wb") as closed:
        done = run_child([*COMMAND, "--help"], stdout=closed, stderr=PIPE, env=buffered)
    assert (done.returncode, done.stderr) == (141, b"")
    if os.path.exists("/dev/full"):
        info = [*COMMAND, "info", path]
        with open("/dev/full", "wb") as full:
            done = run_child(info, stdout=full, stderr=PIPE, env=buffered)
            wrong = run_child([*COMMAND, "fitt"], stderr=full)
            assert wrong.returncode == 2
        said = b"sklearn-makemore: error: No space left on device\n"
        assert (done.returncode, done.stderr) == (1, said)


def answered(terminal, until):
    """Read from a terminal until some text is on the screen."""
    screen = b""
    while until not in screen:
        screen += os.read(terminal, 1 << 16)
    return screen.decode()


def interrupt(process, terminal):
    """Send Ctrl-C until the process shows something.

    Python overlooks a signal between the prompt and the wait for input.
    """
    process.send_signal(signal.SIGINT)
    while not select.select([terminal], [], [], 3)[0]:
        process.send_signal(signal.SIGINT)


@pytest.mark.parametrize("end", ["Ctrl-D", "Ctrl-C"])
def test_prefixes_are_answered_in_a_terminal_until_it_ends(tmp_path, words, end):
    save(NGramCounter().fit(words), tmp_path / "x.model")
    sample = [*COMMAND, "sample", "x.model", "-i", "-n", "3", "--random-state", "0"]
    terminal, inside = pty.openpty()
    streams = {"stdin": inside, "stdout": inside, "stderr": inside}
    environment = os.environ | {"TERM": "dumb"}
    with started(
        sample,
        cwd=tmp_path,
        env=environment,
        **streams,
    ) as process:
        os.close(inside)
        assert "Type the beginning of a word" in answered(terminal, b"> ")
        os.write(terminal, b"em\n")
        shown = answered(terminal, b"\n> ").split()
        expected = load(tmp_path / "x.model").sample(3, prefix="em", random_state=0)
        assert shown == ["em", *expected, ">"]
        os.write(terminal, b"7\n")
        assert "--prefix 7 has characters that are not in" in answered(
            terminal, b"\n> "
        )
        if end == "Ctrl-D":
            os.write(terminal, b"\x04")
        else:
            interrupt(process, terminal)
        rest = b""
        with suppress(OSError):  # as Linux ends a terminal
            while piece := os.read(terminal, 1 << 16):
                rest += piece
    os.close(terminal)
    assert process.returncode == 0
    assert not rest.strip()


def test_surprising_characters_are_highlighted_in_a_terminal(tmp_path, words):
    (tmp_path / "words.txt").write_text("\n".join(words))
    (tmp_path / "others.txt").write_text("emma\nemxqa")
    detect = ["detect", "--train", "words.txt", "others.txt", "--explain"]
    code, screen = run_in_terminal(*detect, cwd=tmp_path)
    assert code == 0
    assert re.search(r"2 +em\x1b\[1;4;31mxq\x1b\[0ma? ", screen) or (
        re.search(r"2 +em\x1b\[1;4;31mx\x1b\[0m\x1b\[1;4;31mq", screen)
    )
    assert "emma" not in screen


LIGHT = """
import sys
from sklearn_makemore.cli import main

# Ctrl-C while these are imported, for a second, is then one in `main`.
assert not {"numpy", "sklearn"} & set(sys.modules)
for arguments in (
    ["--help"], ["fit", "--help"], ["fit", "words.txt", "-o", "x.model"],
    ["sample", "x.model"], ["score", "x.model", "words.txt"], ["info", "x.model"],
    ["detect", "--train", "words.txt", "--explain"], ["compare", "words.txt"],
    ["classify", "--train", "words.csv", "--label=1", "--column=0", "words.txt"],
):
    assert main(arguments) == 0
print(*{"torch", "skorch", "matplotlib", "dask"} & set(sys.modules))
"""


def test_counters_and_help_need_no_torch(tmp_path, words):
    (tmp_path / "words.txt").write_text("\n".join(words))
    rows = [f"{word},{len(word) % 2}" for word in words]
    (tmp_path / "words.csv").write_text("\n".join(rows))
    command = [sys.executable, "-W", "error", "-c", LIGHT]
    done = run_child(command, cwd=tmp_path, stdout=PIPE, stderr=PIPE, text=True)
    assert "left out with" in done.stderr and "accuracy on" in done.stderr
    assert done.stdout.splitlines()[-1] == ""
