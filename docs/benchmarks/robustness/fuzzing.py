"""Damaged, foreign and malicious model files, and saving that is killed.

    python docs/benchmarks/robustness/fuzzing.py --files 24000 --kills 60

Files are mutated in two ways: random bytes, which the digest must detect; and content,
with a new valid digest, as an attacker would. Each file must raise `ModelFileError` or
be a model that works. A process that saves in a loop is killed with
SIGKILL at random moments; the file must load. It exits with 1 if anything else happens.
"""

import argparse
import copy
import ctypes
import json
import math
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
from safetensors.numpy import save as to_safetensors

import sklearn_makemore
from sklearn_makemore import ModelFileError, _safe_file, load, save

sys.path.append(str(Path(__file__).parents[1]))  # where report.py lies

from report import machine_line, markdown

WORDS = "a ab aba abc b ba bab bc c ca cab caab cc acab abab ccc".split() * 4

VALUES = [
    *(None, True, False, 0, 1, -1, 2, 7, 255, 2**31, 2**63, 10**30, 10**4000),
    *(0.0, -0.0, 0.5, 1.0, 1e308, 5e-324, math.nan, math.inf),
    *("", "a", "abc", "cba", "é", "\ud800", "passthrough", "unk", "additive", "cuda"),
    *("BigramCounter", "GRUCharLM", "Pipeline", "os.system", "__class__"),
    *([], {}, [[]], {"tuple": []}, {"dict": {}}, {"dict": {"a": 1}}, {"array": "a"}),
    *({"estimator": {}}, {"vocabulary": ["abc", False]}, {"texts_fixed": ["a", ""]}),
]
"""Values that replace parts of a document."""

DTYPES = "bool i1 u1 u2 u4 u8 i2 i4 i8 f2 f4 f8".split()

SECONDS = 60
"""A file that takes longer is a hang."""

AT_ONCE = 100
"""Number of files per measurement of peak memory, since each measurement is slow."""


def models():
    """Return small fitted models, one of each kind."""
    from sklearn.pipeline import Pipeline

    makes = sklearn_makemore
    quick = {"max_epochs": 1, "random_state": 0, "n_embd": 2}
    random_state = np.random.RandomState(0)
    bigram = makes.BigramCounter()
    found = [
        bigram,
        makes.BigramCounter(alphabet=["a", "b", "c"], handle_unknown="unk"),
        makes.NGramCounter(order=3),
        makes.NGramCounter(order=20, smoothing="additive", alpha=0.1),
        makes.MLPCharLM(n_hidden=3, **quick),
        makes.MLPCharLM(n_hidden=3, batch_norm=True, n_layers=2, **quick),
        makes.WaveNetCharLM(n_layers=2, n_hidden=3, **quick),
        makes.BigramCharLM(max_epochs=1, random_state=random_state),
        makes.BoWCharLM(n_hidden=3, handle_unknown="unk", **quick),
        makes.RNNCharLM(n_hidden=3, **quick),
        makes.GRUCharLM(n_hidden=3, n_layers=2, **quick),
        makes.LSTMCharLM(n_hidden=3, **quick),
        makes.TransformerCharLM(n_heads=2, n_layers=1, **quick),
        makes.MixtureCharLM([bigram, ("two", makes.NGramCounter(2))], random_state=0),
        makes.CharLMFeatures(bigram, cv=2),
        makes.CharLMOutlierDetector(cv=2),
        Pipeline(
            [("as it is", "passthrough"), ("m", makes.CharLMClassifier(bigram, cv=2))]
        ),
    ]
    labels = ["c" in word for word in WORDS]
    return [model.fit(WORDS, labels) for model in found]


def saved(model, path):
    """Return the content of a model file: its document and its arrays."""
    save(model, path)
    return _safe_file.read_safe_file(path)


# -------------------------------------------------------------------------------- bytes


def mutated_bytes(rng, data, other):
    """Change the bytes of a file.

    Parameters
    ----------
    rng : random.Random
        Source of the choices.

    data, other : bytes
        The file, and another one of which a piece may come.

    Returns
    -------
    data : bytes
        Something else.
    """
    data = bytearray(data)
    start, stop = sorted(rng.randrange(len(data) + 1) for _ in range(2))
    stop = min(stop, start + rng.choice((1, 8, 64, len(data))))
    kind = rng.randrange(8)
    if kind == 0:
        data[start % len(data)] ^= 1 << rng.randrange(8)
    elif kind == 1:
        data[start % len(data)] = (
            data[start % len(data)] + rng.randrange(1, 256)
        ) % 256
    elif kind == 2:
        del data[start : max(stop, start + 1)]
    elif kind == 3:
        data[start:start] = rng.randbytes(rng.choice((1, 8, 100)))
    elif kind == 4:
        data[start:start] = data[start:stop] or b"\0"
    elif kind == 5:
        data[start:stop] = other[start:stop] + b"\0"
    elif kind == 6:
        length = int.from_bytes(data[:8], "little")
        lengths = (0, 1, length - 1, length + 1, len(data), 10**8, 2**63, 2**64 - 1)
        data[:8] = rng.choice(lengths).to_bytes(8, "little")
    else:
        del data[start % len(data) :]
    return bytes(data)


# ------------------------------------------------------------------------------ content


def places(node, path=()):
    """Yield the path to every value of a document, as tuples of keys."""
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in items:
        yield (*path, key)
        if isinstance(value, (dict, list)):
            yield from places(value, (*path, key))


def at(document, path):
    """Return the value at a path."""
    for key in path:
        document = document[key]
    return document


def mutate_document(rng, document):
    """Change one value of a document in place."""
    paths = list(places(document))
    if not paths:
        return
    *before, key = rng.choice(paths)
    parent = at(document, before)
    kind = rng.randrange(6)
    if kind == 0:
        del parent[key]
    elif kind == 1 and isinstance(parent, list):
        parent.insert(key, copy.deepcopy(parent[key]))
    elif kind == 1:
        parent[rng.choice(["a", "alphabet", "n_layers", "fitted", "array"])] = (
            parent.pop(key)
        )
    elif kind == 2:
        parent[key] = copy.deepcopy(at(document, rng.choice(paths)))
    elif kind == 3 and type(parent[key]) in (int, float):
        change = rng.choice([lambda x: x + 1, lambda x: x - 1, lambda x: -2 * x])
        parent[key] = change(parent[key])
    elif kind == 4 and rng.random() < 0.1:
        for _ in range(rng.choice([2, 20, 100])):
            parent[key] = [parent[key]]
    else:
        parent[key] = copy.deepcopy(rng.choice(VALUES))


def mutate_arrays(rng, arrays):
    """Change one array of a file in place."""
    if not arrays:
        return
    name = rng.choice(sorted(arrays))
    array = arrays[name]
    kind = rng.randrange(8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if kind == 0:
            arrays[name] = array.astype(rng.choice(DTYPES))
        elif kind == 1:
            shapes = [array.ravel(), array.T, array[None], array[..., None]]
            arrays[name] = rng.choice(shapes)
        elif kind == 2 and array.ndim and array.size:
            axis = rng.randrange(array.ndim)
            n = array.shape[axis]
            rows = rng.choice([range(n - 1), [*range(n), n - 1], [], range(n)[::-1]])
            arrays[name] = array.take(np.array(rows, dtype=int), axis)
        elif kind == 3:
            del arrays[name]
        elif kind == 4:
            arrays[rng.choice(["a", *arrays])] = arrays.pop(name)
        elif kind == 5:
            arrays[name] = np.zeros((0, 2**40), array.dtype)
        elif array.size:
            array = arrays[name] = array.copy()
            values = [math.nan, math.inf, -1, 0, 1, 2**31, 255, 1e30]
            value = np.float64(rng.choice(values)).astype(array.dtype)
            array.flat[rng.randrange(array.size)] = value


def mutated_content(rng, document, arrays):
    """Return a file with changed content and a valid digest."""
    document, arrays = copy.deepcopy(document), dict(arrays)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        if rng.random() < 0.6:
            mutate_document(rng, document)
        else:
            mutate_arrays(rng, arrays)
    return signed(_safe_file.document_text(document), arrays)


def signed(text, arrays):
    """Return a file with any text as its document, and a valid digest."""
    head = f"{_safe_file.FORMAT_VERSION} {sklearn_makemore.__version__}"
    text = f"{head} {_safe_file.content_digest([head, text], arrays)} {text}"
    arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    return to_safetensors(arrays, metadata={_safe_file.METADATA_KEY: text})


# ------------------------------------------------------------------------------ outcome


def use(model):
    """Call all methods of a model; none may fail."""
    if hasattr(model, "sample"):
        longest = model._longest_word()
        word = model.vocabulary_.characters[: 3 if longest is None else min(3, longest)]
        model.score_samples(["", word])
        model.predict_proba(["", word])
        model.sample(2, max_length=len(word), random_state=0)
        return
    for verb in "transform", "predict":
        if hasattr(model, verb):
            getattr(model, verb)([""])


def outcome(path, ask=True):
    """Load a file and return the outcome.

    Parameters
    ----------
    path : str or path-like
        The file.

    ask : bool, default=True
        Whether to use the model.

    Returns
    -------
    outcome : str
        "refused" or "works"; whatever else happens is raised.
    """
    with warnings.catch_warnings():
        # Warnings about devices and odd numbers are expected.
        warnings.simplefilter("ignore")
        try:
            model = load(path)
        except ModelFileError:
            return "refused"
        if ask:
            use(model)
    return "works"


class HangError(BaseException):
    """A file took too long."""


def hang(*args):
    """Interrupt a file that takes too long."""
    raise HangError


def peak_memory(call):
    """Call a function; return its result and the growth of the process in bytes."""
    status = Path("/proc/self/status")

    def field(name):
        (line,) = (row for row in status.read_text().splitlines() if name in row)
        return int(line.split()[1]) * 1024

    ctypes.CDLL(None).malloc_trim(0)  # what is free and kept would not count
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = field("VmRSS")
    result = call()
    return result, field("VmHWM") - before


def originals(folder):
    """Return the contents of model files: documents, arrays and bytes."""
    path = Path(folder, "model")
    contents = []
    for model in models():
        document, arrays = saved(model, path)
        contents.append((document, arrays, path.read_bytes()))
        assert outcome(path) == "works"
    return contents


def mutated(contents, seed):
    """Return how a file was mutated, and its bytes: three in five times by these."""
    rng = random.Random(seed)
    document, arrays, data = rng.choice(contents)
    if rng.random() < 0.6:
        return "bytes", mutated_bytes(rng, data, rng.choice(contents)[2])
    return "content", mutated_content(rng, document, arrays)


def judged(path, kind, data, originals):
    """Return the outcome of a file; an unacceptable one is "failed" and the reason."""
    path.write_bytes(data)
    signal.alarm(SECONDS)
    try:
        result = outcome(path)
        if kind == "bytes" and result == "works" and data not in originals:
            return "failed", "damage that was not noticed"
        return result, ""
    except (Exception, HangError) as error:
        return "failed", repr(error)[:200]
    finally:
        signal.alarm(0)


def run_files(n_files, seed=0):
    """Load mutated files; return counts of outcomes, failures, and the costs."""
    counts, failures, slowest, largest = Counter(), [], 0.0, 0
    signal.signal(signal.SIGALRM, hang)
    with tempfile.TemporaryDirectory() as folder:
        contents = originals(folder)
        whole = {data for _, _, data in contents}

        def run(numbers):
            nonlocal slowest
            for number in numbers:
                kind, data = mutated(contents, f"{seed} {number}")
                start = time.perf_counter()
                result, why = judged(Path(folder, "model"), kind, data, whole)
                slowest = max(slowest, time.perf_counter() - start)
                counts[kind, result] += 1
                if why:
                    failures.append((number, kind, why))

        for start in range(0, n_files, AT_ONCE):
            numbers = range(start, min(start + AT_ONCE, n_files))
            _, memory = peak_memory(lambda numbers=numbers: run(numbers))
            largest = max(largest, memory)
    return counts, failures, slowest, largest


def every_bit():
    """Flip every bit of a file; return the number of bits, and of undetected flips."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model")
        save(sklearn_makemore.BigramCounter().fit(["ab"]), path)
        whole = path.read_bytes()
        unnoticed = 0
        for bit in range(8 * len(whole)):
            damaged = bytearray(whole)
            damaged[bit // 8] ^= 1 << bit % 8
            path.write_bytes(damaged)
            unnoticed += outcome(path) == "works"
    return 8 * len(whole), unnoticed


# -------------------------------------------------------------------------------- bombs


def bombs(size):
    """Yield names and files of about `size` bytes that try to use much memory."""
    many = size // 80
    node = '{"estimator":{"class":"GRUCharLM","params":{},"requests":{},"fitted":null}}'
    model = (
        '{"class":"MixtureCharLM","params":{"estimators":[%s]},'
        '"requests":{},"fitted":null}'
    )
    yield "lists in JSON", signed('{"a":[' + "[]," * (size // 3) + "1]}", {})
    yield "numbers in JSON", signed('{"a":[' + "300," * (size // 4) + "1]}", {})
    yield "strings in JSON", signed('{"a":["' + 'xy","' * (size // 5) + '"]}', {})
    yield "models without end", signed(model % ",".join([node] * many), {})
    chain = node.replace("GRUCharLM", "NGramCounter")
    for _ in range(min(60, size // 100)):  # shown, each is there twice
        chain = model % f'{{"estimator":{chain}}}'
    yield "models in each other", signed(chain, {})
    texts = {"texts_fixed": ["x" * 1000, *[""] * 1000]}
    params = {"smoothing": [texts] * (size // 4000)}
    wide = {"class": "BigramCounter", "params": params, "requests": {}, "fitted": None}
    yield "texts of fixed width", signed(_safe_file.document_text(wide), {})
    yield "empty tensors", signed("{}", {str(i): np.zeros(0) for i in range(many)})
    counts = np.ones((int(size**0.5),) * 2, np.uint8)
    characters = "".join(map(chr, range(256, 256 + len(counts) - 1)))
    document = {
        "class": "BigramCounter",
        "params": {},
        "requests": {},
        "fitted": {
            "vocabulary": {"vocabulary": [characters, False]},
            "longest_word": 1,
            "counts": {"array": "counts"},
        },
    }
    yield (
        "an honest table of counts",
        signed(_safe_file.document_text(document), {"counts": counts}),
    )
    header = json.dumps({"__metadata__": {"a": " " * size}}).encode()
    yield "metadata of another kind", len(header).to_bytes(8, "little") + header


def run_bombs(size=4_000_000):
    """Return for each bomb its name, the outcome, its bytes, seconds, and memory."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model")
        for name, data in bombs(size):
            path.write_bytes(data)
            start = time.perf_counter()
            result, memory = peak_memory(lambda: outcome(path, ask=False))
            seconds = time.perf_counter() - start
            rows.append((name, result, len(data), seconds, memory))
    return rows


# -------------------------------------------------------------------------- checkpoints


def run_checkpoints(n_files, seed=0):
    """Resume from mutated checkpoints; return counts of outcomes, and failures."""
    from sklearn_makemore._training.net import CharNet

    def interrupt(net, *args):
        raise KeyboardInterrupt

    counts, failures = Counter(), []
    check_last_step = CharNet.check_last_step
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder, "checkpoint")
        model = sklearn_makemore.MLPCharLM(
            n_embd=2, n_hidden=3, max_epochs=2, early_stopping=True, random_state=0
        ).set_params(checkpoint=path)
        CharNet.check_last_step = interrupt
        try:
            model.fit(WORDS)
        except KeyboardInterrupt:
            content = _safe_file.read_safe_file(path)
        finally:
            CharNet.check_last_step = check_last_step
        for number in range(n_files):
            rng = random.Random(f"{seed} {number}")
            path.write_bytes(mutated_content(rng, *content))
            try:
                use(model.fit(WORDS))
                counts["works"] += 1
            except ModelFileError:
                counts["refused"] += 1
            except ValueError as error:
                is_told = "another training" in str(error)
                counts["of another training" if is_told else "failed"] += 1
                if not is_told:
                    failures.append((number, "checkpoint", repr(error)[:200]))
            except Exception as error:
                counts["failed"] += 1
                failures.append((number, "checkpoint", repr(error)[:200]))
    return counts, failures


# -------------------------------------------------------------------------------- kills

SAVING = """
import sys
from sklearn_makemore import NGramCounter, save
models = [NGramCounter(order=3).fit([word] * 9) for word in ("ab", "abcdef" * 5000)]
save(models[0], sys.argv[1])
print("ready", flush=True)
while True:
    for model in models:
        save(model, sys.argv[1])
"""


def run_kills(n_kills, seed=0):
    """Kill a process that saves; return how often the file loads, and lengths seen."""
    rng = random.Random(seed)
    seen = Counter()
    for _ in range(n_kills):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "model")
            command = [sys.executable, "-c", SAVING, path]
            with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
                child.stdout.readline()
                time.sleep(rng.uniform(0, 0.05))
                child.kill()
            seen[load(path).longest_word_, len(os.listdir(folder)) - 1] += 1
    return seen


def main(argv=None):
    """Measure, print, and return whether all is as it must be."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--files", type=int, default=24_000)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args(argv)
    start = time.perf_counter()
    counts, failures, slowest, largest = run_files(arguments.files, arguments.seed)
    seconds = time.perf_counter() - start
    n_bits, unnoticed = every_bit()
    of_checkpoints, failed = run_checkpoints(arguments.files // 20, arguments.seed)
    failures += failed
    print(machine_line(), end="\n\n")
    rows = [
        [f"{kind} mutated", result, f"{count:,}"]
        for (kind, result), count in sorted(counts.items())
    ]
    rows += [
        ["checkpoint mutated", result, f"{count:,}"]
        for result, count in sorted(of_checkpoints.items())
    ]
    rows.append(["one bit flipped, each in turn", "refused", f"{n_bits - unnoticed:,}"])
    if unnoticed:
        rows.append(["one bit flipped, each in turn", "**works**", f"{unnoticed:,}"])
    print(markdown(["files", "outcome", "how many"], rows), end="\n\n")
    print(
        f"{sum(counts.values()):,} mutated files in {seconds:.0f} s, the slowest in "
        f"{slowest:.2f} s; most memory {largest / 1e6:.1f} MB",
        end="\n\n",
    )
    if failures:
        heads = ["number", "mutated", "what failed"]
        rows = [[f"{number:,}", kind, why] for number, kind, why in failures]
        print(markdown(heads, rows), end="\n\n")
    rows = [
        [
            name,
            result,
            f"{n_bytes / 1e6:.1f}",
            f"{seconds:.1f}",
            f"{memory / n_bytes:.1f}",
        ]
        for name, result, n_bytes, seconds, memory in run_bombs()
    ]
    heads = ["made to take memory", "outcome", "MB", "s", "memory / file"]
    print(markdown(heads, rows), end="\n\n")
    seen = run_kills(arguments.kills, arguments.seed)
    rows = [
        [f"{length:,}", f"{n_beside}", f"{count:,}"]
        for (length, n_beside), count in sorted(seen.items())
    ]
    heads = ["longest word of the model in the file", "files left beside it", "kills"]
    print(markdown(heads, rows))
    return not failures and not unnoticed and sum(seen.values()) == arguments.kills


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
