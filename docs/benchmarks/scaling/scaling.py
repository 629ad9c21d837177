"""Measure how time and memory grow with the number of words, and draw it.

    python docs/benchmarks/scaling/scaling.py [--quick] [--only counters nets]
        [--json FILE]

prints Markdown tables and draws pictures; the exit status is 1 if a promise is not
kept. The words are drawn from an `NGramCounter` of the lectures' names. Every point is
measured in a process of its own, so that no peak of memory hides another. `--quick` is
for a look: it stops before the sizes that the promises of the counters are about.
"""

import argparse
import ctypes
import gc
import json
import multiprocessing
import os
import random
import sys
import time
import tracemalloc
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
from scaling_pictures import (
    CHUNKS,
    MEMORY,
    MOST_BYTES,
    SEARCH,
    TIME,
    VERBS,
    draw_pictures,
)

import sklearn_makemore
from sklearn_makemore import NGramCounter
from sklearn_makemore._words.vocabulary import CharVocabulary

BENCHMARKS = Path(__file__).parents[1]

# `report` imports torch, which takes seconds and which counting does without: only the
# process that reports imports it.
sys.path.append(str(BENCHMARKS))

PICTURES = BENCHMARKS / "pictures"

COUNTERS = "BigramCounter", "NGramCounter"
NETS = "MLPCharLM", "GRUCharLM"

STEEPEST = 1.05
"""Maximum exponent of the number of words that counts as linear."""

MOST_BYTES_ENCODED = 2
"""Maximum bytes per character of encoded words."""

MOST_GROWTH = 1.05
"""Maximum ratio of a later peak of `partial_fit` to an early one."""

ENOUGH_WORDS = 10**6
"""Smallest list on which the bounds of time and memory hold. On shorter lists, the
megabytes that any call needs are many bytes per character."""

LATE_WORDS = 10**5
"""Smallest list for the slope: on shorter ones the fixed cost of a call lowers it."""

LEAST_SECONDS, LEAST_CALLS = 0.3, 3
MOST_SECONDS = 5
"""Minimum total seconds and number of calls of a measurement."""

WORD_CHUNK_SIZE = 10**6
"""Number of words sampled at a time to make the list."""

CHUNK = 10**5
"""Number of words per call of `partial_fit`."""

N_ENCODED = 10**5

ENCODED = "bytes per character"


@dataclass
class Curve:
    """One row of a table and one line of a picture."""

    quantity: str
    what: str
    over: str
    x: list[int]
    y: list[float]
    slope: float | None = None
    late_slope: float | None = None
    bound: str = ""
    is_met: bool | None = None


@dataclass
class Work:
    """The amount of work, and the folder of the words."""

    folder: Path
    names: list[str]
    counted: list[int]
    n_chunks: int
    trained: dict[str, list[int]]
    n_searched: int

    @property
    def n_words(self):
        return max(self.counted + sum(self.trained.values(), [N_ENCODED]))


# One point, in a process of its own.


class PeakMemory:
    """Bytes in memory when this context opens, and their peak while it is open.

    Linux keeps the peak of what is resident, and can be told to forget it. Elsewhere
    Python's own account is kept, which sees numpy's arrays, and takes time.
    """

    FORGET = Path("/proc/self/clear_refs")

    def __init__(self, is_traced=False):
        self.is_traced = is_traced or not os.access(self.FORGET, os.W_OK)

    def __enter__(self):
        gc.collect()
        if self.is_traced:
            tracemalloc.start()
            tracemalloc.reset_peak()
            self.before, _ = tracemalloc.get_traced_memory()
        else:
            # Freed memory that was not returned could be reused without being seen.
            getattr(ctypes.CDLL(None), "malloc_trim", int)(0)
            self.FORGET.write_text("5")
            self.before = resident("VmRSS")
        return self

    def __exit__(self, *error):
        self.peak = (
            tracemalloc.get_traced_memory()[1] if self.is_traced else resident("VmHWM")
        )


def resident(field):
    """Return a field of this process's status on Linux, in bytes."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    [kilobytes] = [line.split()[1] for line in lines if line.startswith(field)]
    return 1024 * int(kilobytes)


def seconds(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def measured(function):
    """Return the median seconds of a call, and its peak of memory.

    Every call begins as the only one of a long list does, with no memory at hand that
    an earlier call has given back.
    """
    times, peaks = [], []
    while sum(times) < LEAST_SECONDS or (
        len(times) < LEAST_CALLS and sum(times) < MOST_SECONDS
    ):
        with PeakMemory() as memory:
            times.append(seconds(function))
        peaks.append(memory.peak - memory.before)
    if memory.is_traced:
        tracemalloc.stop()
        times = [seconds(function) for _ in times]
    return median(times), max(peaks)


def read_words(path, n_words=None):
    with path.open(encoding="utf-8") as file:
        return [line[:-1] for line in islice(file, n_words)]


def n_characters(words):
    return sum(map(len, words))


def counter_point(folder, model, verb, n_words):
    """Return seconds and bytes per character of one method of a counter."""
    counter = getattr(sklearn_makemore, model)
    fitted = counter().fit(read_words(folder / "names.txt"))
    words = read_words(folder / "words.txt", n_words)
    call = {
        "fit": lambda words: counter().fit(words),
        "score_samples": fitted.score_samples,
        "sample": lambda words: fitted.sample(len(words), random_state=0),
    }[verb]
    call(words[:1000])  # some tables are made late
    n_seconds, n_bytes = measured(lambda: call(words))
    return n_seconds, n_bytes / n_characters(words)


def chunk_peaks(folder, model, n_chunks):
    """Return the peaks of `partial_fit`, in bytes beyond the words.

    The first chunk is all names; the others are names drawn at random, which have no
    n-gram that is not known.
    """
    counter = getattr(sklearn_makemore, model)()
    names = read_words(folder / "names.txt")
    rng = random.Random(0)
    chunk, memories = names, []
    for _ in range(n_chunks):
        # Measure the objects of Python and numpy; the allocator's overhead varies.
        with PeakMemory(is_traced=True) as memory:
            counter.partial_fit(chunk)
        memories.append(memory)
        chunk = rng.choices(names, k=CHUNK)
    return [memory.peak - memories[0].before for memory in memories]


def epoch_seconds(folder, model, n_words):
    """Return the seconds of `fit` with one epoch."""
    import torch

    torch.set_num_threads(1)
    words = read_words(folder / "words.txt", n_words)
    net = getattr(sklearn_makemore, model)(max_epochs=1, random_state=0)
    net.fit(words[:500])
    return measured(lambda: net.fit(words))[0]


def search_seconds(words, n_jobs):
    """Return the seconds of a search on running workers."""
    from sklearn.model_selection import GridSearchCV, KFold

    alphabet = "".join(sorted(set("".join(words))))
    net = sklearn_makemore.MLPCharLM(max_epochs=1, alphabet=alphabet, random_state=0)
    grid = {"lr": [0.004, 0.008, 0.016, 0.032], "n_hidden": [128, 256]}
    folds = KFold(3, shuffle=True, random_state=0)
    search = GridSearchCV(net, grid, cv=folds, n_jobs=n_jobs, refit=False)
    search.fit(words[:300])
    n_seconds = seconds(lambda: search.fit(words))
    print("search_seconds", len(words), n_jobs, n_seconds, file=sys.stderr, flush=True)
    return n_seconds


def in_a_process(function, *arguments):
    """Call a function in a fresh process."""
    if "forkserver" in multiprocessing.get_all_start_methods():
        # It forks from one that has imported the package, and nothing more.
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["sklearn_makemore"])
    else:
        context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context) as pool:
        result = pool.submit(function, *arguments).result()
    print(function.__name__, *arguments[1:], result, file=sys.stderr, flush=True)
    return result


# Curves, and their bounds.


def slope(x, y):
    """Return the exponent of the power of x that is nearest to y."""
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


def time_curve(what, n_words, times):
    late = [pair for pair in zip(n_words, times, strict=True) if pair[0] >= LATE_WORDS]
    return Curve(
        TIME,
        what,
        "words",
        n_words,
        times,
        slope(n_words, times),
        slope(*zip(*late, strict=True)) if len(late) > 1 else None,
    )


def promised_time(curve):
    """Hold the slope of a curve to its bound."""
    curve.bound = f"slope at most {STEEPEST}"
    if curve.x[-1] >= ENOUGH_WORDS:
        curve.is_met = curve.slope <= STEEPEST
    return curve


def promised_memory(curve):
    """Hold the values of long lists to their bound."""
    curve.bound = f"at most {MOST_BYTES} from {ENOUGH_WORDS:,} words on"
    held = [y for x, y in zip(curve.x, curve.y, strict=True) if x >= ENOUGH_WORDS]
    if held:
        curve.is_met = max(held) <= MOST_BYTES
    return curve


def counter_curves(work, model, verb):
    """Return the curves of time and of memory."""
    points = [
        in_a_process(counter_point, work.folder, model, verb, n_words)
        for n_words in work.counted
    ]
    times, memory = (list(column) for column in zip(*points, strict=True))
    what = f"{model}.{verb}"
    in_time = promised_time(time_curve(what, work.counted, times))
    in_memory = Curve(MEMORY, what, "words", work.counted, memory)
    # What `sample` returns is as large as its input would be.
    return in_time, in_memory if verb == "sample" else promised_memory(in_memory)


def chunk_curve(work, model):
    """Return the peaks of some chunks, each the largest since the one before it."""
    peaks = in_a_process(chunk_peaks, work.folder, model, work.n_chunks)
    ends = [end for end in (1, 2, 3, 5, 10, 20, 50, 100) if end <= work.n_chunks]
    starts = [0, *ends[:-1]]
    largest = [
        max(peaks[start:end]) / 1e6 for start, end in zip(starts, ends, strict=True)
    ]
    return Curve(
        CHUNKS,
        model,
        "words so far",
        [len(work.names) + CHUNK * (end - 1) for end in ends],
        largest,
        bound=f"at most {MOST_GROWTH} times the second chunk's",
        is_met=max(peaks[1:]) <= MOST_GROWTH * peaks[1],
    )


def net_curve(work, model):
    n_words = work.trained[model]
    times = [in_a_process(epoch_seconds, work.folder, model, n) for n in n_words]
    return time_curve(f"{model}(max_epochs=1).fit", n_words, times)


def search_curve(work):
    words = read_words(work.folder / "words.txt", work.n_searched)
    n_jobs = sorted({1, 2, os.cpu_count()})
    what = f"GridSearchCV, 24 fits of MLPCharLM, {work.n_searched:,} words"
    times = [search_seconds(words, n) for n in n_jobs]
    return Curve(SEARCH, what, "n_jobs", n_jobs, times)


def respelled(words, characters):
    """Return words of the same lengths, of characters drawn at random."""
    rng = random.Random(0)
    return ["".join(rng.choices(characters, k=len(word))) for word in words]


def encoded_curve(words):
    """Return the bytes per character of encoded words."""
    vocabulary = CharVocabulary.from_words(words)
    encoded = vocabulary.encode(words)
    n_bytes = encoded.codes.nbytes + encoded.offsets.nbytes
    value = n_bytes / n_characters(words)
    return Curve(
        ENCODED,
        f"encoded words, {vocabulary.n_symbols} symbols",
        "words",
        [len(words)],
        [value],
        bound=f"at most {MOST_BYTES_ENCODED}",
        is_met=value <= MOST_BYTES_ENCODED,
    )


def counters(work):
    for verb in VERBS:
        for model in COUNTERS:
            yield from counter_curves(work, model, verb)
    for model in COUNTERS:
        yield chunk_curve(work, model)


def nets(work):
    for model in NETS:
        yield net_curve(work, model)
    yield search_curve(work)
    words = read_words(work.folder / "words.txt", N_ENCODED)
    yield encoded_curve(words)
    # Code points that do not fit in a byte, and the boundary: 255 symbols.
    yield encoded_curve(respelled(words, [chr(0x4E00 + n) for n in range(254)]))


SUBJECTS = {"counters": counters, "nets": nets}


# Tables.


def tables(curves):
    """Yield a table for every quantity and what it depends on."""
    from report import markdown

    groups = {}
    for curve in curves:
        groups.setdefault((curve.quantity, curve.over, *curve.x), []).append(curve)
    for (quantity, over, *x), group in groups.items():
        heads = [f"{quantity}, by {over}", *(f"{value:,}" for value in x)]
        heads += ["slope", f"from {LATE_WORDS:,} on", "bound", "met"]
        yield markdown(heads, map(row, group))


def row(curve):
    return [
        curve.what,
        *(f"{value:.3g}" for value in curve.y),
        *(f"{one:.2f}" if one else "" for one in (curve.slope, curve.late_slope)),
        curve.bound,
        {True: "yes", False: "**no**", None: ""}[curve.is_met],
    ]


def plan(folder, names, largest, is_quick):
    """Return the sizes: one and three times the powers of ten."""
    sizes = [n for k in range(3, 8) for n in (10**k, 3 * 10**k)]
    largest = largest or (10**5 if is_quick else 10**7)
    trained = [10**3, 10**4] if is_quick else [n for n in sizes if n <= 10**5]
    return Work(
        folder,
        names,
        counted=[n for n in sizes if 10**4 <= n <= largest],
        n_chunks=10 if is_quick else 100,
        trained=dict.fromkeys(NETS, trained),
        n_searched=3000 if is_quick else 3 * 10**4,
    )


def write_words(work):
    """Write the names, and as many words like them as anything needs."""
    path = work.folder / "names.txt"
    path.write_text("".join(f"{name}\n" for name in work.names), encoding="utf-8")
    model = NGramCounter().fit(work.names)
    with (work.folder / "words.txt").open("w", encoding="utf-8") as file:
        for n_done in range(0, work.n_words, WORD_CHUNK_SIZE):
            n_missing = min(WORD_CHUNK_SIZE, work.n_words - n_done)
            words = model.sample(n_missing, random_state=n_done)
            file.writelines(f"{word}\n" for word in words)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="few words, a minute")
    parser.add_argument("--only", nargs="+", choices=SUBJECTS, default=[*SUBJECTS])
    parser.add_argument("--largest", type=int, metavar="N", help="most words counted")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all values")
    parser.add_argument("--pictures", type=Path, default=PICTURES, metavar="FOLDER")
    options = parser.parse_args()
    import matplotlib
    import torch
    from report import machine, read_names

    matplotlib.use("agg")
    torch.set_num_threads(1)
    curves = {}
    with TemporaryDirectory() as folder:
        work = plan(Path(folder), read_names(), options.largest, options.quick)
        write_words(work)
        for subject in options.only:
            curves[subject] = list(SUBJECTS[subject](work))
            draw_pictures(subject, curves[subject], options.pictures)
    print(", ".join(f"{name}: {value}" for name, value in machine().items()))
    for table in (table for subject in curves.values() for table in tables(subject)):
        print(f"\n{table}")
    everything = sum(curves.values(), [])
    if options.json:
        report = {"machine": machine(), "curves": list(map(asdict, everything))}
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return any(curve.is_met is False for curve in everything)


if __name__ == "__main__":
    sys.exit(main())
