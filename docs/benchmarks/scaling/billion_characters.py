"""Count up to a billion characters in two dask processes and in one, and prune.

    python docs/benchmarks/scaling/billion_characters.py [--characters 1_000_000_000]
        [--folder F]

prints a Markdown table; the exit status is 1 if the counts of both differ. The words
are sampled, with seeds, from an `NGramCounter` of order 4 of the bundled names. They
are written to text files of FOLDER, which need as many bytes as there are characters
and words. A `NGramCounter` of order 5 counts them with `fit_counter`, first on a
`LocalCluster` of two processes, in tasks of 64 MiB, and then in this process alone, one
file after the other. The peak is the largest resident memory of a process.
"""

import argparse
import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import dask
from counting_at_scale import MB, N_SHARDS, WatchedWorkers, counts_of, write_shard
from distributed import Client, LocalCluster

from sklearn_makemore import NGramCounter, save
from sklearn_makemore.distributed import fit_counter

ORDER = 5
PRUNED = {"min_count": 2}, {"min_count": 10}, {"entropy": 1e-8}, {"entropy": 1e-7}
CHUNK_SIZE = 250_000


def written(client, folder, n_characters):
    """Return files of words that the workers have written."""
    paths = [folder / f"{index}.txt" for index in range(N_SHARDS)]
    sizes = [n_characters // N_SHARDS] * N_SHARDS
    client.gather(client.map(write_shard, paths, range(N_SHARDS), sizes))
    return paths


def measured(name, pids, fit):
    """Print the time and memory of a fit, and return the counter."""
    with WatchedWorkers(pids) as watched:
        start = time.perf_counter()
        counter = fit()
        seconds = time.perf_counter() - start
    print(
        f"| {name} | {seconds:.0f} | {watched.cpu_seconds:.0f} "
        f"| {max(watched.before) / MB:.0f} | {max(watched.peaks) / MB:.0f} |",
        flush=True,
    )
    return counter


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--characters", type=int, default=10**9)
    parser.add_argument("--folder", type=Path, help="where the files are written")
    options = parser.parse_args()
    cluster_options = {"n_workers": 2, "threads_per_worker": 1, "memory_limit": 0}
    with TemporaryDirectory(dir=options.folder) as folder:
        with (
            LocalCluster(dashboard_address=":0", **cluster_options) as cluster,
            Client(cluster) as client,
        ):
            paths = written(client, Path(folder), options.characters)
            n_bytes = sum(path.stat().st_size for path in paths)
            print(f"{n_bytes:,} bytes in {N_SHARDS} files, order {ORDER}\n")
            print("| run | s | CPU s | before (MB) | peak (MB) |")
            print("| --- | --- | --- | --- | --- |")
            pids = [*client.run(os.getpid).values(), os.getpid()]
            on_dask = measured(
                "two workers and this process",
                pids,
                lambda: fit_counter(NGramCounter(ORDER), paths, chunk_size=CHUNK_SIZE),
            )
        with dask.config.set(scheduler="synchronous"):
            alone = measured(
                "one process",
                [os.getpid()],
                lambda: fit_counter(
                    NGramCounter(ORDER), paths, chunk_size=CHUNK_SIZE, part_size=None
                ),
            )
        counts = zip(counts_of(on_dask), counts_of(alone), strict=True)
        is_equal = all((one == other).all() for one, other in counts)
        print(f"\nEqual counts: {'yes' if is_equal else 'no'}\n")
        print("| model | n-grams of all lengths | file (bytes) | bytes per n-gram |")
        print("| --- | --- | --- | --- |")
        models = {"not pruned": on_dask}
        models |= {str(pruned): on_dask.prune(**pruned) for pruned in PRUNED}
        for name, model in models.items():
            path, n_ngrams = Path(folder, "model"), model.model_.plain.n_ngrams
            save(model, path)
            size = path.stat().st_size
            print(f"| {name} | {n_ngrams:,} | {size:,} | {size / n_ngrams:.2f} |")
    return not is_equal


if __name__ == "__main__":
    sys.exit(main())
