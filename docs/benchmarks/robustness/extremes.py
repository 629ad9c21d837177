"""Fit, score and sample with extreme words: the cost, or the error.

    python docs/benchmarks/robustness/extremes.py [--case TEXT ...] [--model NAME ...]

prints a Markdown table. Every case is run for every model in a process of its own, with
a limit of time and of memory; the exit status is 1 if one of them was passed, or if a
model ended with anything but a `ValueError` that says why. Networks train one epoch.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import time
import warnings
from pathlib import Path

MOST_SECONDS = 300
MOST_MEGABYTES = 6000
"""Memory in addition to that of the interpreter and torch."""

MODELS = (
    "BigramCounter",
    "NGramCounter",
    "BigramCharLM",
    "MLPCharLM",
    "WaveNetCharLM",
    "BoWCharLM",
    "RNNCharLM",
    "GRUCharLM",
    "LSTMCharLM",
    "TransformerCharLM",
)

LETTERS = "abcdefghijklmnopqrstuvwxyz"
NAMES = "emma olivia ava isabella sophia mia noah liam zoe ed jo".split() * 10
FIRST = 0x4E00
"""First code point of the large alphabets."""


def long_word(n_characters):
    """Return one word of random letters."""
    return "".join(random.Random(0).choices(LETTERS, k=n_characters))


def many_characters(n_characters):
    """Return a string of distinct characters."""
    points = [point for point in range(FIRST, 0x110000) if not 0xD7FF < point < 0xE000]
    return "".join(map(chr, points[:n_characters]))


def cut(text, length):
    """Split a text into words of one length."""
    return [text[start : start + length] for start in range(0, len(text), length)]


def all_verbs(model, words, asked=None, **options):
    """Fit, score, predict the next symbol and sample; return the seconds of each."""
    seconds = {}
    asked = words[:100] if asked is None else asked

    def timed(verb, function):
        start = time.perf_counter()
        found = function()
        seconds[verb] = time.perf_counter() - start
        return found

    import numpy as np

    timed("fit", lambda: model.fit(words))
    assert np.isfinite(timed("score", lambda: model.score_samples(asked))).all()
    proba = timed("proba", lambda: model.predict_proba([word[:9] for word in asked]))
    assert np.allclose(proba.sum(axis=1), 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        options = {"n_samples": 3, "random_state": 0, **options}
        timed("sample", lambda: model.sample(**options))
    return seconds


def weighted(model, weights):
    """Fit and score names with some weights."""
    import numpy as np

    weights = np.resize(weights, len(NAMES))
    model.fit(NAMES, sample_weight=weights)
    assert np.isfinite(model.score(NAMES, sample_weight=weights))
    assert np.isfinite(model.score_samples(NAMES)).all()
    return {}


def drawn(model, **options):
    """Sample from a model of names."""
    model.fit(NAMES)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.sample(random_state=0, **options)
    return {"sample": time.perf_counter() - start}


def asked_for_long(model, n_characters):
    """Score a long word and its next symbol with a model of names."""
    word = "".join(random.Random(0).choices("amino", k=n_characters))
    model.fit(NAMES)
    start = time.perf_counter()
    model.score_samples([word])
    middle = time.perf_counter()
    model.predict_proba([word])
    return {"score": middle - start, "proba": time.perf_counter() - middle}


CASES = {
    "one character": lambda model: all_verbs(model, ["a"]),
    "one word": lambda model: all_verbs(model, ["emma"]),
    "100,000 empty words": lambda model: all_verbs(model, [""] * 100_000),
    "100,000 equal words": lambda model: all_verbs(model, ["emma"] * 100_000),
    "10,000 characters in one word": lambda model: all_verbs(
        model, [long_word(10_000)], n_samples=1, max_length=10_000
    ),
    "100,000 characters in one word": lambda model: all_verbs(
        model, [long_word(100_000)], n_samples=1, max_length=10_000
    ),
    "1,000,000 characters in one word": lambda model: all_verbs(
        model, [long_word(1_000_000)], n_samples=1, max_length=10_000
    ),
    "100,000 characters in one of 1,101 words": lambda model: all_verbs(
        model, [*NAMES * 10, long_word(100_000)], NAMES
    ),
    "5,000 distinct characters": lambda model: all_verbs(
        model, list(many_characters(5000)), max_length=9
    ),
    "50,000 distinct characters": lambda model: all_verbs(
        model, list(many_characters(50_000)), max_length=9
    ),
    "50,000 distinct characters, 10,000 words": lambda model: all_verbs(
        model, cut(many_characters(50_000), 5), n_samples=1000, max_length=9
    ),
    "50,000 distinct characters, 1 word": lambda model: all_verbs(
        model, [many_characters(50_000)], n_samples=1, max_length=9
    ),
    "65,535 distinct characters": lambda model: all_verbs(
        model, list(many_characters(65_535)), max_length=9
    ),
    "65,536 distinct characters": lambda model: all_verbs(
        model, list(many_characters(65_536)), max_length=9
    ),
    "words of the unknown symbol": lambda model: all_verbs(
        model.set_params(alphabet="xyz", handle_unknown="unk"), NAMES
    ),
    "weights of 1e-320": lambda model: weighted(model, [1e-320]),
    "weights of 1e300": lambda model: weighted(model, [1e300]),
    "weights of 1e308": lambda model: weighted(model, [1e308]),
    "weights of 1e-300 and 1e300": lambda model: weighted(model, [1e-300, 1e300]),
    "max_length=10**18": lambda model: drawn(model, n_samples=100, max_length=10**18),
    "10**6 names": lambda model: drawn(model, n_samples=10**6),
    "10**6 distinct names of at most 2 letters": lambda model: drawn(
        model, n_samples=10**6, max_length=2, unique=True
    ),
    "min_length=100,000": lambda model: drawn(model, min_length=100_000),
    "a prefix of 100,000 characters": lambda model: drawn(model, prefix="a" * 100_000),
    "asked for 100,000 characters": lambda model: asked_for_long(model, 100_000),
    "asked for 1,000,000 characters": lambda model: asked_for_long(model, 1_000_000),
    "order=10**9": lambda model: all_verbs(with_order(model, 10**9), NAMES),
    "order=100, 100,000 characters": lambda model: all_verbs(
        with_order(model, 100), [long_word(100_000)], n_samples=1, max_length=999
    ),
    "order=10**9, 100,000 characters": lambda model: all_verbs(
        with_order(model, 10**9), [long_word(100_000)], n_samples=1
    ),
}


def with_order(model, order):
    """Set the order of the one model that has this parameter."""
    return model.set_params(order=order) if "order" in model.get_params() else None


def megabytes():
    """Return the peak memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run_here(case, name):
    """Run one case in this process, and print the result."""
    import sklearn_makemore

    model = getattr(sklearn_makemore, name)()
    if "max_epochs" in model.get_params():
        model.set_params(max_epochs=1, random_state=0)
    before = megabytes()
    limit = int((MOST_MEGABYTES + before) * 2**20)
    # Limit data, not address space: threads and libraries reserve much of the latter.
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    start = time.perf_counter()
    try:
        parts = CASES[case](model)
        outcome = "works"
    except ValueError as error:
        parts, outcome = {}, f"ValueError: {error}"
    seconds = time.perf_counter() - start
    found = {"seconds": seconds, "peak": megabytes() - before, "outcome": outcome}
    print(json.dumps({**found, "parts": parts}))


def run_child(case, name):
    """Run one case in a separate process."""
    command = [sys.executable, __file__, "--here", case, name]
    try:
        child = subprocess.run(
            command, capture_output=True, text=True, timeout=MOST_SECONDS
        )
    except subprocess.TimeoutExpired:
        return {"outcome": f"MORE THAN {MOST_SECONDS} s"}
    if child.returncode:
        last = child.stderr.strip().splitlines()[-1:] or [str(child.returncode)]
        return {"outcome": f"BROKEN: {last[0]}"}
    return json.loads(child.stdout.splitlines()[-1])


def row(case, name, found):
    """Return one line of the table."""
    parts = ", ".join(f"{k} {v:.2g}" for k, v in found.get("parts", {}).items())
    cells = [
        case,
        name,
        f"{found['seconds']:.1f}" if "seconds" in found else "",
        f"{found['peak']:.0f}" if "peak" in found else "",
        found["outcome"] + (f" ({parts})" if parts else ""),
    ]
    return f"| {' | '.join(cells)} |"


def main():
    """Run the selected cases and print their table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--case", nargs="*", default=[""], help="parts of their names")
    parser.add_argument("--model", nargs="*", default=MODELS, help="names of classes")
    parser.add_argument("--json", type=Path, help="file for all figures")
    parser.add_argument("--here", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.here:
        return run_here(*asked.here)
    rows = []
    print("| case | model | s | MB | outcome |\n| --- | --- | --- | --- | --- |")
    for case in CASES:
        if not any(part in case for part in asked.case):
            continue
        for name in asked.model:
            if "order" in case and name != "NGramCounter":
                continue
            found = run_child(case, name)
            rows.append({"case": case, "model": name, **found})
            print(row(case, name, found), flush=True)
    if asked.json:
        asked.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return any("MORE" in one["outcome"] or "BROKEN" in one["outcome"] for one in rows)


if __name__ == "__main__":
    sys.exit(main())
