"""Count words of files in two dask processes, and fit models to them in chunks.

    python docs/benchmarks/scaling/counting_at_scale.py [--characters 100_000_000]
        [--folder F]

prints Markdown tables; the exit status is 1 if counts differ from local ones, or if the
memory of `partial_fit` grows. The words are drawn from an `NGramCounter` of order 4 of
the bundled names, which makes words of all kinds: most are distinct. They are written
to eight files of text, once more compressed by gzip, and once as Parquet.
"""

import argparse
import gc
import gzip
import os
import shutil
import sys
import threading
import time
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import psutil
import pyarrow as pa
from distributed import Client, LocalCluster
from pyarrow import parquet

import sklearn_makemore
from sklearn_makemore import BigramCounter, NGramCounter
from sklearn_makemore.datasets import load_names, read_word_chunks
from sklearn_makemore.distributed import fit_counter

N_SHARDS = 8
WORD_CHUNK_SIZE = 250_000
COUNTERS = {"BigramCounter()": BigramCounter(), "NGramCounter(6)": NGramCounter(6)}
MB = 1e6
MOST_GROWTH = 1.05
"""Ratio of the peak of later chunks to that of early ones."""


def write_shards(folder, n_characters):
    """Write words with a total number of characters, without line ends, as text."""
    paths = [folder / f"{index}.txt" for index in range(N_SHARDS)]
    for index, path in enumerate(paths):
        write_shard(path, index, n_characters // N_SHARDS)
    return paths


def write_shard(path, index, n_characters):
    """Write words with a number of characters, with seeds that depend on the index."""
    drawn_from = NGramCounter(4).fit(load_names().data)
    n_left, seed = n_characters, 0
    with path.open("w", encoding="utf-8") as file:
        while n_left > 0:
            words = drawn_from.sample(
                WORD_CHUNK_SIZE, min_length=1, random_state=1000 * index + seed
            )
            ends = np.cumsum(list(map(len, words)))
            n_words = int(np.searchsorted(ends, n_left)) + 1
            file.write("\n".join(words[:n_words]) + "\n")
            n_left, seed = n_left - int(ends[min(n_words, len(ends)) - 1]), seed + 1


def compressed(paths):
    """Write the same words compressed by gzip."""
    for path in paths:
        with (
            path.open("rb") as text,
            gzip.open(path.with_suffix(".gz"), "wb", 1) as file,
        ):
            shutil.copyfileobj(text, file)
    return [path.with_suffix(".gz") for path in paths]


def as_parquet(paths):
    """Write the same words as Parquet, with a million words per row group."""
    for path in paths:
        schema = pa.schema([("word", pa.string())])
        with parquet.ParquetWriter(path.with_suffix(".parquet"), schema) as writer:
            for words in read_word_chunks(path, chunk_size=10**6):
                writer.write_table(pa.table({"word": words}, schema))
    return [path.with_suffix(".parquet") for path in paths]


class WatchedWorkers(threading.Thread):
    """Memory and CPU time of some processes while this context is open.

    `before` and `peaks` are the bytes that each has resident; `cpu_seconds` are those
    of all together, which depend less than the others on what else the machine does.
    """

    def __init__(self, pids):
        super().__init__(daemon=True)
        self.processes = [psutil.Process(pid) for pid in pids]
        self.before = [process.memory_info().rss for process in self.processes]
        self.peaks = list(self.before)
        self.cpu_seconds = -self.cpu_seconds_so_far()
        self.is_over = threading.Event()

    def run(self):
        while not self.is_over.wait(0.02):
            for index, process in enumerate(self.processes):
                rss = process.memory_info().rss
                self.peaks[index] = max(self.peaks[index], rss)

    def cpu_seconds_so_far(self):
        times = [process.cpu_times() for process in self.processes]
        return sum(time.user + time.system for time in times)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *error):
        self.cpu_seconds += self.cpu_seconds_so_far()
        self.is_over.set()
        self.join()


def counted_on_dask(counter, paths):
    """Return a fitted counter, the seconds, and the memory and CPU time of workers."""
    with (
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            dashboard_address="127.0.0.1:0",
            memory_limit=0,
        ) as cluster,
        Client(cluster) as client,
    ):
        client.run(lambda: __import__("sklearn_makemore.distributed"))
        if paths[0].suffix == ".parquet":
            client.run(lambda: __import__("pyarrow.parquet"))
        with WatchedWorkers(client.run(os.getpid).values()) as watched:
            start = time.perf_counter()
            fit_counter(counter, paths)
            seconds = time.perf_counter() - start
        return counter, seconds, watched


def counts_of(counter):
    if isinstance(counter, BigramCounter):
        return [counter.counts_]
    return [counter.ngram_counts_.ngrams, counter.ngram_counts_.counts]


def n_ngrams(counter):
    """Describe the number of counts of a counter, and of n-grams of its model."""
    n_counts = np.count_nonzero(counts_of(counter)[-1])
    if isinstance(counter, BigramCounter):
        return f"{n_counts:,}"
    return f"{n_counts:,}, {counter.model_.plain.n_ngrams:,}"


def count_locally(counter, paths):
    """Return the counts of one `fit` on all words in one list, and its seconds."""
    words = [
        word for path in paths for chunk in read_word_chunks(path) for word in chunk
    ]
    gc.collect()
    start = time.perf_counter()
    counter.fit(words)
    seconds = time.perf_counter() - start
    return counts_of(counter), seconds


def count(folder, sizes):
    """Print the table of counting; return whether all counts are the local ones."""
    print(
        "| counter | files | characters | words | s | characters/s "
        "| CPU s of both workers | distinct n-grams, of all lengths "
        "| a worker before (MB) | at most (MB) | fit of one list (s) | equal |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    )
    are_equal, times = True, {}
    for size in sizes:
        place = folder / str(size)
        place.mkdir()
        paths = write_shards(place, size)
        n_words = sum(len(words) for path in paths for words in read_word_chunks(path))
        n_characters = sum(path.stat().st_size for path in paths) - n_words
        kinds = {"text": paths}
        if size == sizes[-1]:
            kinds |= {"gzip": compressed(paths), "Parquet": as_parquet(paths)}
        for name, counter in COUNTERS.items():
            expected, local_seconds = count_locally(counter, paths)
            for kind, files in kinds.items():
                fitted, seconds, watched = counted_on_dask(counter, files)
                before, peak = max(watched.before), max(watched.peaks)
                counts = counts_of(fitted)
                is_equal = all(map(np.array_equal, counts, expected))
                are_equal &= is_equal
                times.setdefault((name, kind), []).append(
                    (n_characters, seconds, watched.cpu_seconds, peak - before)
                )
                print(
                    f"| {name} | {kind} | {n_characters:,} | {n_words:,} "
                    f"| {seconds:.3g} | {n_characters / seconds:,.0f} "
                    f"| {watched.cpu_seconds:.3g} "
                    f"| {n_ngrams(fitted)} | {before / MB:.0f} "
                    f"| {peak / MB:.0f} | {local_seconds:.3g} "
                    f"| {'yes' if is_equal else 'no'} |",
                    flush=True,
                )
    print()
    print("| slope | seconds | the last | CPU s | the last | MB beyond | the last |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for (name, kind), points in times.items():
        if len(points) > 1:
            x, *quantities = np.log(points).T
            slopes = [
                slope
                for y in quantities
                for slope in (np.polyfit(x, y, 1)[0], (y[-1] - y[-2]) / (x[-1] - x[-2]))
            ]
            print(f"| {name}, {kind} |", *(f"{slope:.2f} |" for slope in slopes))
    return are_equal


# Larger than memory: one process that reads chunks.


def learn_in_chunks(model, paths, n_chunks, chunk_size, queue):
    """Put this process's peak of resident bytes in the queue after every chunk."""
    before = psutil.Process().memory_info().rss
    peaks = []
    chunks = (
        words
        for path in paths
        for words in read_word_chunks(path, chunk_size=chunk_size)
    )
    for words in islice(chunks, n_chunks):
        Path("/proc/self/clear_refs").write_text("5")
        model.partial_fit(words)
        lines = Path("/proc/self/status").read_text().splitlines()
        [peak] = [int(line.split()[1]) for line in lines if line.startswith("VmHWM")]
        peaks.append(peak * 1024)
    queue.put((before, peaks))


def learn(paths, n_chunks):
    """Print the memory of `partial_fit`; return whether it stays as it is."""
    print(
        "\n| model | words a chunk | chunks | before (MB) | chunks 2 to 10 (MB) | "
        "last ten (MB) | flat |\n| --- | --- | --- | --- | --- | --- | --- |"
    )
    alphabet = "abcdefghijklmnopqrstuvwxyz"
    is_flat = True
    # Networks import torch; the counting workers do not.
    mlp = sklearn_makemore.MLPCharLM(alphabet=alphabet, random_state=0)
    gru = sklearn_makemore.GRUCharLM(n_hidden=64, alphabet=alphabet, random_state=0)
    for model, size in [
        (BigramCounter(alphabet=alphabet), 100_000),
        (NGramCounter(3, alphabet=alphabet), 100_000),
        (mlp, 20_000),
        (gru, 5_000),
    ]:
        context = get_context("spawn")
        queue = context.Queue()
        process = context.Process(
            target=learn_in_chunks, args=(model, paths, n_chunks, size, queue)
        )
        process.start()
        before, peaks = queue.get()
        process.join()
        early, late = max(peaks[1:10]), max(peaks[-10:])
        is_flat &= late <= MOST_GROWTH * early
        print(
            f"| {type(model).__name__} | {size:,} | {len(peaks)} | {before / MB:.0f} "
            f"| {early / MB:.0f} | {late / MB:.0f} "
            f"| {'yes' if late <= MOST_GROWTH * early else 'no'} |",
            flush=True,
        )
    return is_flat


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--characters", type=int, default=10**8)
    parser.add_argument("--chunks", type=int, default=60)
    parser.add_argument("--folder", type=Path, help="where the files are written")
    parser.add_argument("--only", choices=["count", "learn"])
    options = parser.parse_args()
    sizes = [options.characters // 100, options.characters // 10, options.characters]
    is_kept = True
    with TemporaryDirectory(dir=options.folder) as folder:
        if options.only != "learn":
            is_kept &= count(Path(folder), sizes)
        if options.only != "count":
            is_kept &= learn(write_shards(Path(folder), 48 * 10**6), options.chunks)
    return not is_kept


if __name__ == "__main__":
    sys.exit(main())
