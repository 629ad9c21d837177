"""The page "Works with other packages" is run as far as the packages are installed."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "works_with.rst"
BLOCK = re.compile(r"^\.\. code-block:: python\n\n((?:   .*\n|\n)+)", re.MULTILINE)


@pytest.mark.slow
def test_examples_of_the_page(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    assert len(blocks) == 8
    names: dict[str, object] = {}
    missing = []
    for block in blocks:
        code = re.sub(r"^   ", "", block, flags=re.MULTILINE)
        try:
            exec(code, names)
        except ImportError as error:
            missing.append(str(error))
        except NameError:  # of a block that could not be run
            if not missing:
                raise
    if missing:
        pytest.skip("; ".join(missing))
