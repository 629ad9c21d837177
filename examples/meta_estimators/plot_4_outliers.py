"""
Random strings among names
==========================

Random strings and typing errors in a list are not spelled like the rest, so a character
model finds them unlikely. The claim: the detector needs neither labels nor a clean
list, and finds strings that an isolation forest on character counts does not find.
"""

# %%
# A list of names in which one in ten is replaced: half of these by random letters, half
# by the shuffled letters of a name.

import numpy as np

from sklearn_makemore.datasets import load_names

rng = np.random.RandomState(0)
names = list(dict.fromkeys(load_names().data[::4]))
letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
kinds = rng.choice(["name", "random", "shuffled"], len(names), p=[0.9, 0.05, 0.05])


def spoil(name, kind):
    if kind == "random":
        return "".join(rng.choice(letters, len(name)))
    return "".join(rng.permutation(list(name))) if kind == "shuffled" else name


words = [spoil(name, kind) for name, kind in zip(names, kinds, strict=True)]

# %%
# `fit_predict` scores every word with a model that has not seen it, in five folds, so
# an odd word does not look usual because it was in the training set. One word in ten is
# flagged.

from sklearn_makemore import CharLMOutlierDetector

detector = CharLMOutlierDetector(contamination=0.1)
labels = detector.fit_predict(words)
found = {kind: np.mean(labels[kinds == kind] == -1) for kind in set(kinds.tolist())}
for kind in "random", "shuffled", "name":
    print(f"{kind:8} flagged: {found[kind]:.1%}")

# %%
# The score is the distance of the log-probability from that of as many average
# characters. With `per="word"` it is the log-probability of the whole word, which is
# lower for longer words. Characters that no training word contains are unlikely, but
# raise no error.

for word in "marilou", "mraliuo", "qzxwvk", "r2-d2":
    decision = detector.decision_function([word])[0]
    print(f"{word:8} {decision:+.2f} from the offset, {detector.offset_:.2f}")

# %%
# New words: names that are not in the list, against both kinds of odd strings. For
# comparison, `IsolationForest` on counts of one to three characters. It is worse than
# chance: most counts of a word are 0, so a string without any usual combination looks
# more normal to it than a name.

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
    odd = [spoil(name, kind) for name in new]
    is_name = [True] * len(new) + [False] * len(odd)
    for label, model in (
        ("excess", detector),
        ("per word", CharLMOutlierDetector(per="word").fit(words)),
        ("forest of counts", forest),
    ):
        display = RocCurveDisplay.from_predictions(
            is_name, model.score_samples([*new, *odd]), ax=ax, name=label
        )
        areas[kind, label] = float(display.roc_auc)
    ax.plot([0, 1], [0, 1], color="0.6", linestyle="--", zorder=0)
    ax.set_xlabel("share of odd strings accepted as names")
    ax.set_ylabel("share of names accepted as names")
    ax.set_title(f"New names against {kind} strings")
plt.show()
