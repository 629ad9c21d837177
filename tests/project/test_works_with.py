"""The examples of the page "Works with other packages" run, if all are installed."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "works_with.rst"
BLOCK = re.compile(r"^\.\. code-block:: python\n\n((?:   .*\n|\n)+)", re.MULTILINE)


PACKAGES = (
    "huggingface_hub mlflow onnxruntime onnxscript optuna_integration skops skrub "
    "tensorboard"
)


@pytest.mark.slow
def test_examples_of_the_page(tmp_path, monkeypatch):
    for package in PACKAGES.split():
        pytest.importorskip(package)
    monkeypatch.chdir(tmp_path)
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    assert len(blocks) == 8
    names: dict[str, object] = {}
    for block in blocks:
        exec(re.sub(r"^   ", "", block, flags=re.MULTILINE), names)
