"""A file is read and learned from in chunks: the memory does not grow with the file."""

import gzip
import json
import os
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

pytestmark = pytest.mark.slow

N_WORDS, CHUNK = 600_000, 10_000

MOST_GROWTH = 6e6
"""Bytes; as a list the words take thirty-five million."""

MOST_OF_FIRST_CHUNK = 27e6
"""Bytes, with what pyarrow and torch load when they are used."""

# Freed arrays go back to the system at once: glibc otherwise raises these limits while
# it runs, and then keeps as much as the timing of threads happens to leave.
ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": "131072", "MALLOC_TRIM_THRESHOLD_": "131072"}

# Psutil comes with dask.
READ = """
import json, sys
import psutil
import pyarrow.parquet
import sklearn_makemore
from sklearn_makemore.datasets import read_word_chunks

path, size, kind = sys.argv[1], int(sys.argv[2]), sys.argv[3]
alphabet = "abcdefghijklmnopqrstuvwxyz"
params = {
    "BigramCounter": {},
    "NGramCounter": {"order": 2},
    "MLPCharLM": {
        "block_size": 2, "n_hidden": 8, "batch_size": None, "alphabet": alphabet
    },
}[kind]
model = getattr(sklearn_makemore, kind)(**params)  # torch is imported for networks
process, resident, n_words = psutil.Process(), [], 0
before = process.memory_info().rss
for words in read_word_chunks(path, chunk_size=size, **json.loads(sys.argv[4])):
    if isinstance(words, tuple):
        words, weights = words
        assert len(weights) == len(words)
    first = process.memory_info().rss if not n_words else first
    model.partial_fit(words)
    n_words += len(words)
    resident.append(process.memory_info().rss)
print(json.dumps([n_words, first - before, resident]))
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Distinct words, which Parquet cannot keep as a few."""
    folder = tmp_path_factory.mktemp("words")
    letters = np.random.default_rng(0).integers(26, size=(N_WORDS, 9), dtype=np.uint8)
    letters += ord("a")
    letters[:, -1] = ord("\n")
    content = letters.tobytes()
    (folder / "words.txt").write_bytes(content)
    (folder / "words.gz").write_bytes(gzip.compress(content, 1))
    # Reading starts several row groups before and after the tenth chunk.
    parquet.write_table(
        pa.table({"word": content.decode().split()}),
        folder / "words.parquet",
        row_group_size=5 * CHUNK,
    )
    with (folder / "words.csv").open("w") as file:
        file.write("n,word\n")
        file.writelines(f"2,{word}\n" for word in content.decode().split())
    return folder


COLUMNS = {"csv": {"column": "word", "weight_column": "n"}}


@pytest.mark.parametrize(
    ("suffix", "model"),
    [
        ("txt", "BigramCounter"),
        ("csv", "BigramCounter"),
        ("gz", "NGramCounter"),
        ("parquet", "MLPCharLM"),
    ],
)
def test_memory_stays_as_it_is_over_many_chunks(suffix, model, files):
    path = str(files / f"words.{suffix}")
    options = [str(CHUNK), model, json.dumps(COLUMNS.get(suffix, {}))]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", READ, path, *options],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
        env=os.environ | ALLOCATOR,
    )
    n_words, of_first_chunk, resident = json.loads(done.stdout)
    assert n_words == N_WORDS
    assert len(resident) == N_WORDS // CHUNK >= 50
    assert of_first_chunk < MOST_OF_FIRST_CHUNK
    assert max(resident[10:]) - max(resident[:10]) < MOST_GROWTH
