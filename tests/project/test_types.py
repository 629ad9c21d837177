"""Editors and type checkers know what estimators take and what their methods return."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import sklearn_makemore

SCRIPT = """\
from sklearn_makemore import BigramCharLM, MLPCharLM, NGramCounter, load

model = MLPCharLM(5, n_hidden=10, lr=0.1, alphabet="ab").fit(["a"])
reveal_type(model)  # MLPCharLM
reveal_type(model.n_hidden)  # int
reveal_type(model.lr_schedule)  # Literal['one-cycle', 'step', 'constant']
reveal_type(model.history_)  # list[dict[str, Any]]
reveal_type(model.vocabulary_)  # CharVocabulary
reveal_type(model.sample(2))  # list[str]
reveal_type(model.sample(2, min_p=0.1, avoiding=["a"]))  # list[str]
reveal_type(model.score(["a"]))  # float
reveal_type(NGramCounter(order=3).fit(["a"]))  # NGramCounter
reveal_type(NGramCounter().fit(["a"]).partial_fit(["b"]).sample())  # list[str]
reveal_type(BigramCharLM(optimizer="adam").optimizer)  # Literal['adam', 'sgd']

MLPCharLM(n_hiden=3)  # error: "n_hiden"
MLPCharLM(n_hidden="many")  # error: "n_hidden"
MLPCharLM(lr_schedule="cosine")  # error: "lr_schedule"
MLPCharLM(3, 24, 256, 1, True)  # error: positional
NGramCounter(ordr=3)  # error: "ordr"
model.sample(temp=1)  # error: "temp"
model.sample(top_k="two")  # error: "top_k"
model.samplee()  # error: "samplee"
model.hsitory_  # error: "hsitory_"
"""


@pytest.mark.slow
def test_types_are_inferred_and_mistakes_are_reported(tmp_path):
    if find_spec("pyright") is None:
        pytest.skip("pyright is not installed; the extra `test` has it")
    found = diagnostics(tmp_path)
    for number, line in enumerate(SCRIPT.splitlines()):
        messages = [
            item["message"]
            for item in found
            if item["range"]["start"]["line"] == number
        ]
        expected = line.partition("  # ")[2]
        if not expected:
            assert not messages, line
        elif line.startswith("reveal_type"):
            (message,) = messages
            assert message.endswith(f' is "{expected}"')
        else:
            (message,) = messages
            assert expected.removeprefix("error: ") in message


def diagnostics(folder):
    """What pyright says of the script."""
    root = Path(sklearn_makemore.__file__).parents[1]
    settings = {"typeCheckingMode": "basic", "extraPaths": [str(root)]}
    (folder / "script.py").write_text(SCRIPT, encoding="utf-8")
    config = folder / "pyrightconfig.json"
    config.write_text(json.dumps(settings), encoding="utf-8")
    command = [sys.executable, "-m", "pyright", "--outputjson"]
    options = ["--pythonpath", sys.executable, "--project", str(config)]
    done = subprocess.run(
        command + options, capture_output=True, text=True, timeout=300
    )
    return json.loads(done.stdout)["generalDiagnostics"]
