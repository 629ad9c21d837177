"""
Strings that are no names
=========================

Random strings and typing errors in a list: they are not spelled like the rest, and a
character model finds them unlikely. The claim: this needs no labels and no clean list,
and finds what a forest over counted characters does not.
"""

# %%
# A list of names, one in ten of them replaced: half by random letters, half by the
# letters of a name in another order.

import numpy as np

from sklearn_makemore.datasets import load_names

rng = np.random.RandomState(0)
names = list(dict.fromkeys(load_names().data[::4]))
letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
kinds = rng.choice(["name", "random", "shuffled"], len(names), p=[0.9, 0.05, 0.05])


def spoilt(name, kind):
    if kind == "random":
        return "".join(rng.choice(letters, len(name)))
    return "".join(rng.permutation(list(name))) if kind == "shuffled" else name


words = [spoilt(name, kind) for name, kind in zip(names, kinds, strict=True)]

# %%
# `fit_predict` scores every word by a model that has not seen it, in five folds, so
# that an odd word cannot hide because it was learnt. One in ten is flagged.

from sklearn_makemore import CharLMOutlierDetector

detector = CharLMOutlierDetector(contamination=0.1)
labels = detector.fit_predict(words)
found = {kind: np.mean(labels[kinds == kind] == -1) for kind in set(kinds.tolist())}
for kind in "random", "shuffled", "name":
    print(f"{kind:8} flagged: {found[kind]:.1%}")

# %%
# The score is the log-probability per character. That of the whole word, with
# `per="word"`, is lower for longer words. Characters that no training word has are
# unlikely too, and no error.

for word in "marilou", "mraliuo", "qzxwvk", "r2-d2":
    decision = detector.decision_function([word])[0]
    print(f"{word:8} {decision:+.2f} nats from the offset, {detector.offset_:.2f}")

# %%
# New words: names that are not in the list, against both kinds of odd strings. Beside
# it `IsolationForest` over counts of one to three characters. It is worse than chance:
# most counts of most words are 0, so that a string with none of the usual combinations
# looks more usual to it than a name.

import matplotlib.pyplot as plt
from sklearn.ensemble import IsolationForest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import RocCurveDisplay
from sklearn.pipeline import make_pipeline

new = sorted(set(load_names().data[2::4]) - set(names))
forest = make_pipeline(
    CountVectorizer(analyzer="char", ngram_range=(1, 3)),
    IsolationForest(random_state=0),
).fit(words)
figure, axes = plt.subplots(1, 2, figsize=(10, 4.4), layout="constrained")
areas = {}
for ax, kind in zip(axes, ("random", "shuffled"), strict=True):
    odd = [spoilt(name, kind) for name in new]
    is_name = [True] * len(new) + [False] * len(odd)
    for label, model in (
        ("per character", detector),
        ("per word", CharLMOutlierDetector(per="word").fit(words)),
        ("forest of counts", forest),
    ):
        display = RocCurveDisplay.from_predictions(
            is_name, model.score_samples([*new, *odd]), ax=ax, name=label
        )
        areas[kind, label] = float(display.roc_auc)
    ax.plot([0, 1], [0, 1], color="0.6", linestyle="--", zorder=0)
    ax.set_xlabel("share of odd strings taken for names")
    ax.set_ylabel("share of names taken for names")
    ax.set_title(f"New names against {kind} strings")
plt.show()
