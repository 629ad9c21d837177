"""The pages of the site show what their examples print."""

import doctest
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.no_cover]

DOCS = Path(__file__).parents[2] / "docs"
MADE_BY_THE_BUILD = {"_build", "auto_examples", "generated"}
PAGES = [
    path
    for path in sorted(DOCS.rglob("*.rst"))
    if not MADE_BY_THE_BUILD & {*path.relative_to(DOCS).parts}
    and ">>> " in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(DOCS)))
def test_examples_of_a_page(path, tmp_path, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(path.parent)  # for the files that a page shows
    failed, attempted = doctest.testfile(
        str(path),
        module_relative=False,
        encoding="utf-8",
        optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE,
    )
    assert attempted and not failed
