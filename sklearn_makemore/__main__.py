"""``python -m sklearn_makemore``: compare the models on the bundled names."""

import sys
from time import perf_counter

from sklearn.model_selection import train_test_split

from . import BigramCounter, MLPCharLM, NGramCounter, WaveNetCharLM
from .datasets import load_names


def main():
    """Fit every model on names, print its validation NLL and new names of the best."""
    # Names of girls and of boys are there twice; once, or the split would leak.
    names = list(dict.fromkeys(load_names().data))
    train, validation = train_test_split(names, test_size=0.1, random_state=0)
    print(
        f"{len(train):,} names to learn from, {len(validation):,} to validate on.\n"
        "NLL: mean negative log-likelihood in nats per character, less is better.\n\n"
        f"{'model':<16}{'validation NLL':>16}{'seconds to fit':>16}"
    )
    nll = {}
    for model in (
        BigramCounter(),
        NGramCounter(),
        MLPCharLM(random_state=0),
        WaveNetCharLM(random_state=0),
    ):
        start = perf_counter()
        model.fit(train)
        seconds = perf_counter() - start
        nll[model] = model.nll(validation)
        print(f"{type(model).__name__:<16}{nll[model]:>16.4f}{seconds:>16.3f}")
        sys.stdout.flush()  # the next one takes a while
    best = min(nll, key=nll.get)
    new = best.sample(10, unique=True, exclude=names, random_state=0)
    print(f"\nNew names from {type(best).__name__}:\n  " + "\n  ".join(new))


if __name__ == "__main__":
    main()
