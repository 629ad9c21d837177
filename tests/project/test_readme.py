"""What README.md shows is run, and its commands are those of the checks."""

import ast
import re
import runpy
import sys
import tomllib
from decimal import ROUND_HALF_UP, Decimal
from itertools import product
from pathlib import Path

import pytest
from joblib import parallel_config
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from shown_output import FLAGS, ShownOutput

PROJECT = Path(__file__).parents[2]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
BENCHMARKS = (PROJECT / "docs" / "benchmarks" / "README.md").read_text(encoding="utf-8")
SITE = "https://sklearn-makemore.readthedocs.io/en/stable/"
# Links to files are absolute, so that a package index shows them.
FILES = re.compile(
    r"https://(?:github\.com/sklearn-makemore/sklearn-makemore/(?:blob|tree)"
    r"|raw\.githubusercontent\.com/sklearn-makemore/sklearn-makemore)/main/([^#]+)"
)

# Lines, blocks of Python, and what each prints.
BLOCKS = [
    (README[: block.start()].count("\n") + 1, block["code"], block["shown"])
    for block in re.finditer(
        r"^```python\n(?P<code>.*?)^```$\n\n^```text\n(?P<shown>.*?)^```$",
        README,
        re.M | re.S,
    )
]
# Pages that are not part of this project.
ELSEWHERE = (
    "https://github.com/karpathy/makemore",
    "https://github.com/sklearn-makemore/sklearn-makemore/actions/",
    "https://github.com/sklearn-makemore/sklearn-makemore/issues",
    "https://img.shields.io/",
    "https://pypi.org/project/sklearn-makemore/",
    "https://pytorch.org/get-started/locally/",
    "https://readthedocs.org/projects/sklearn-makemore/",
)


def command(name):
    """Return the one line of shell below the comment `<!-- command: NAME -->`."""
    found = re.findall(
        rf"^<!-- command: {name} -->\n```\w+\n(.*?)^```$", README, re.M | re.S
    )
    assert len(found) == 1, f"README.md has {len(found)} commands {name!r}"
    (line,) = found[0].splitlines()
    return line


@pytest.mark.slow
def test_examples_of_the_readme(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.chdir(tmp_path)
    # Names go from block to block, as for a reader who pastes them one by one.
    namespace = {"__name__": "__main__"}
    assert len(BLOCKS) == README.count("```python")
    # The processes of the search would first import torch, which takes seconds.
    with parallel_config("threading"):
        for line, code, shown in BLOCKS:
            # The line breaks make a traceback point at the line of README.md.
            exec(compile("\n" * line + code, "README.md", "exec"), namespace)
            printed = capsys.readouterr().out
            assert ShownOutput().check_output(shown, printed, FLAGS), printed


def test_main_job_is_one_line():
    assert "-c tests/constraints.txt" in command("main")
    assert ".venv/bin/sklearn-makemore compare" in command("main")


def test_tests_are_one_line_and_what_the_checks_run():
    assert "-c tests/constraints.txt" in command("test")
    assert command("test").endswith("python -m pytest -n 2 --dist worksteal")
    checks = (PROJECT / ".ci" / "run").read_text(encoding="utf-8")
    assert "readme_command test" in checks


def tables(text):
    """Yield the rows of all tables, the head of its table with each."""
    head = None
    for line in text.splitlines():
        if not line.startswith("|"):
            head = None
        elif head is None:
            head = cells(line)
        elif set(line) - set("|- "):
            yield dict(zip(head, cells(line), strict=True))


def cells(line):
    return [cell.strip(" `") for cell in line.strip("|").split("|")]


def test_figures_of_the_models_are_those_of_the_benchmarks():
    measured = {
        row["model"].partition(" ")[0]: row
        for row in tables(BENCHMARKS)
        if "validation" in row and "(" not in row["model"]
    }
    rows = [row for row in tables(README) if "estimator" in row]
    assert len(rows) == 11
    columns = {
        "validation NLL": "validation",
        "test NLL": "test",
        "seconds to fit": "fit (s)",
    }
    for row, (shown, column) in product(rows, columns.items()):
        if row[shown]:
            figure = Decimal(measured[row["estimator"]][column].partition(" ")[0])
            rounded = figure.quantize(Decimal(row[shown]), ROUND_HALF_UP)
            assert rounded == Decimal(row[shown]), row


def test_links_lead_to_files_and_pages():
    links = re.findall(r"(?:[(<](?!/)|src=\"|srcset=\")([^()<>\s\"]+)[)>\"]", README)
    assert sum(bool(FILES.match(link)) for link in links) > 3
    for link in links:
        if link.startswith(SITE):
            page = link.removeprefix(SITE).removesuffix(".html") or "index"
            is_made = page == "auto_examples/index"
            assert is_made or (PROJECT / "docs" / f"{page}.rst").is_file(), link
        elif file := FILES.match(link):
            assert (PROJECT / file[1]).exists(), link
        elif "/" in link:
            assert link.startswith(ELSEWHERE), link


def pinned_versions():
    """Versions of tests/constraints.txt by canonical name; each name comes once."""
    text = (PROJECT / "tests" / "constraints.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and line[0] != "#"]
    pairs = [line.split("==") for line in lines]
    pinned = {canonicalize_name(name): Version(version) for name, version in pairs}
    assert len(pinned) == len(lines)
    return pinned


def requirements():
    """Requirements of the package and of all its extras, as pyproject.toml has them."""
    text = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    found = [Requirement(line) for group in groups for line in group]
    own = canonicalize_name(project["name"])
    return [one for one in found if canonicalize_name(one.name) != own]


def test_pinned_versions_are_of_what_is_required():
    pinned = pinned_versions()
    assert len(requirements()) > 10
    for requirement in requirements():
        version = pinned[canonicalize_name(requirement.name)]
        assert version in requirement.specifier, f"{requirement} but {version}"


def test_tests_import_nothing_that_is_not_pinned():
    pinned = set(pinned_versions())
    names = {"sklearn": "scikit-learn", "PIL": "pillow", "yaml": "pyyaml"}
    here = {path.stem for path in (PROJECT / "tests").rglob("*.py")}
    for path in (PROJECT / "tests").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                modules = [node.module]
            else:
                continue
            tops = {module.partition(".")[0] for module in modules}
            tops -= sys.stdlib_module_names | here | {"sklearn_makemore"}
            for top in tops:
                assert canonicalize_name(names.get(top, top)) in pinned, path.name


def test_every_requirement_of_the_tests_has_a_lower_bound():
    lowest = runpy.run_path(str(PROJECT / ".ci" / "versions.py"))["lowest_versions"]()
    pinned = pinned_versions()
    assert {"numpy", "torch", "regex", "dask", "pytest"} <= set(lowest)
    for name, version in lowest.items():
        assert Version(version) <= pinned[canonicalize_name(name)], name
