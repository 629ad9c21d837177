"""What README.md shows is run, and its commands are those of the checks."""

import re
from pathlib import Path

PROJECT = Path(__file__).parents[1]
README = (PROJECT / "README.md").read_text(encoding="utf-8")

# Blocks of Python; one below the comment `<!-- not run -->` is only to be read.
BLOCKS = [
    (README[: block.start()].count("\n") + 1, block["code"])
    for block in re.finditer(
        r"(?P<mark><!-- not run -->\n)?^```python\n(?P<code>.*?)^```$",
        README,
        re.M | re.S,
    )
    if not block["mark"]
]


def command(name):
    """Return the one line of shell below the comment `<!-- command: NAME -->`."""
    found = re.findall(
        rf"^<!-- command: {name} -->\n```\w+\n(.*?)^```$", README, re.M | re.S
    )
    assert len(found) == 1, f"README.md has {len(found)} commands {name!r}"
    (line,) = found[0].splitlines()
    return line


def test_examples_of_the_readme(tmp_path, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.chdir(tmp_path)
    # Names go from block to block, as for a reader who pastes them one by one.
    namespace = {"__name__": "__main__"}
    assert BLOCKS
    for line, code in BLOCKS:
        # The line breaks make a traceback point at the line of README.md.
        exec(compile("\n" * line + code, "README.md", "exec"), namespace)


def test_main_job_is_one_line():
    assert "-c tests/constraints.txt" in command("main")
    assert command("main").endswith("python -m sklearn_makemore")
    assert (PROJECT / "sklearn_makemore" / "__main__.py").is_file()


def test_tests_are_one_line_and_what_the_checks_run():
    assert "-c tests/constraints.txt" in command("test")
    assert command("test").endswith("python -m pytest")
    checks = (PROJECT / ".ci" / "run").read_text(encoding="utf-8")
    assert "readme_command test" in checks


def test_pinned_versions_are_of_what_is_required():
    pinned = (PROJECT / "tests" / "constraints.txt").read_text(encoding="utf-8")
    assert "torch==2.13.0" in pinned.splitlines()
