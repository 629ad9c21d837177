"""The minimum that numpy has to do to sample words from a bigram.

No options and no checks: one search in cumulative sums per character and row, and one
long string split into words.
"""

import numpy as np

CODES = np.frombuffer(b"\nabcdefghijklmnopqrstuvwxyz", dtype=np.uint8)


BATCH_SIZE = 1 << 14
"""Number of words sampled at a time: their arrays fit into the processor's cache."""


def sample_bigram(proba, n_words, rng):
    """Sample words from the rows of `proba` (27, 27), the boundary first."""
    n_symbols = len(proba)
    # One increasing array: row i of the cumulative sums has values from i to i + 1.
    steps = (proba.cumsum(1) + np.arange(n_symbols)[:, np.newaxis]).ravel()
    steps[n_symbols - 1 :: n_symbols] = np.arange(1, n_symbols + 1)
    words = []
    for start in range(0, n_words, BATCH_SIZE):
        words += sample_batch(steps, n_symbols, min(BATCH_SIZE, n_words - start), rng)
    return words


def sample_batch(steps, n_symbols, n_words, rng):
    """Sample some words together."""
    rows, last, drawn = np.arange(n_words), np.zeros(n_words, dtype=np.int64), []
    while len(rows):
        cells = np.searchsorted(steps, last + rng.random(len(rows)), side="right")
        last = cells % n_symbols
        drawn.append((rows, last))
        alive = last > 0
        rows, last = rows[alive], last[alive]
    return cut(drawn, n_words)


def cut(drawn, n_words):
    """Return the words, given pairs of rows and their next symbols."""
    text = np.zeros((n_words, len(drawn)), dtype=np.uint8)
    for column, (rows, symbols) in enumerate(drawn):
        text[rows, column] = CODES[symbols]
    # Every row ends with the boundary's line break; what was never drawn is zero.
    return text[text > 0].tobytes().decode("ascii").split("\n")[:-1]
