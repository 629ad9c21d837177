"""The pages of the site show what their examples print."""

import doctest
from pathlib import Path

import pytest
from shown_output import FLAGS, VARIES, ShownOutput

DOCS = Path(__file__).parents[2] / "docs"
MADE_BY_THE_BUILD = {"_build", "auto_examples", "generated"}
PAGES = [
    path
    for path in sorted(DOCS.rglob("*.rst"))
    if not MADE_BY_THE_BUILD & {*path.relative_to(DOCS).parts}
    and ">>> " in path.read_text(encoding="utf-8")
]


@pytest.mark.slow
@pytest.mark.no_cover
@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(DOCS)))
def test_examples_of_a_page(path, tmp_path, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(path.parent)  # for the files that a page shows
    text = path.read_text(encoding="utf-8")
    globs = {"__name__": "__main__"}
    examples = doctest.DocTestParser().get_doctest(text, globs, path.name, str(path), 0)
    found = doctest.DocTestRunner(ShownOutput(), optionflags=FLAGS).run(examples)
    assert found.attempted and not found.failed


@pytest.mark.parametrize(
    ("shown", "printed", "is_alike", "is_alike_if_it_varies"),
    [
        ("1.97", "1.9749", True, True),
        ("1.97", "1.99", False, True),
        ("1.97 2", "1.97 3", False, False),
        ("[ 2.45 -1.2e-05]", "[ 2.451 -1.21e-05]", True, True),
        ("2.45", "2.45 2.45", False, False),
        ("['anna', 2.0]", "['otto', 2.0]", False, True),
        ("['anna']", "['anna', 'otto']", False, False),
    ],
)
def test_how_shown_output_is_compared(shown, printed, is_alike, is_alike_if_it_varies):
    check = ShownOutput().check_output
    assert check(shown, printed, FLAGS) == is_alike
    assert check(shown, printed, FLAGS | VARIES) == is_alike_if_it_varies
