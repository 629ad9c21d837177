"""
One search over many models
===========================

Which model, and with which parameters? `GridSearchCV` compares n-gram models and
networks in one search, like any other estimators. The claim: it selects the model with
the lowest negative log-likelihood, because `score` has the sign that scikit-learn's
searches expect.
"""

# %%
# A twentieth of the names, without duplicates: otherwise a name could be in both the
# training fold and the test fold.

from sklearn_makemore.datasets import load_names

names = list(dict.fromkeys(load_names().data[::20]))

# %%
# The list is sorted: girls' names, then boys' names, each from the most frequent to the
# rarest. An integer `cv` takes folds in this order, and such folds differ in
# difficulty. `KFold(shuffle=True)` makes the folds alike, and its seed makes them the
# same for every candidate.

from sklearn.model_selection import KFold, cross_val_score

from sklearn_makemore import GRUCharLM, MLPCharLM, NGramCounter, WaveNetCharLM

folds = KFold(3, shuffle=True, random_state=0)
for cv in 3, folds:
    print(cv, cross_val_score(NGramCounter(), names, cv=cv).round(3))

# %%
# One grid for each family of models. The model itself is a parameter, in a pipeline
# with one step. Here the networks train for at most two epochs; the defaults are five,
# and three for the GRU. For longer searches, `n_jobs` of `GridSearchCV` uses more
# cores.

from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

quick = {"max_epochs": 2, "random_state": 0}
grids = [
    {"model": [NGramCounter()], "model__order": [2, 3, 4, 5, 6]},
    {"model": [MLPCharLM(**quick)], "model__n_hidden": [32, 128]},
    {"model": [WaveNetCharLM(**quick)], "model__n_hidden": [32, 64]},
    {"model": [GRUCharLM(n_hidden=32, **quick)], "model__max_epochs": [1, 2]},
]
pipeline = Pipeline([("model", NGramCounter())])
search = GridSearchCV(pipeline, grids, cv=folds)
search.fit(names)

# %%
# `score` is the mean log-probability per character, which is minus the negative
# log-likelihood (NLL) of the makemore lectures. The largest score is the lowest NLL. If
# `score` were the NLL itself, the search would return the worst model.

import numpy as np

fold_scores = np.array([search.cv_results_[f"split{k}_test_score"] for k in range(3)])
nll = -fold_scores.mean(axis=0)
labels = []
for candidate in search.cv_results_["params"]:
    (parameter,) = candidate.keys() - {"model"}
    name = type(candidate["model"]).__name__
    value = candidate[parameter]
    labels.append(f"{name}({parameter.removeprefix('model__')}={value})")

print("best:", labels[search.best_index_])
print(f"best_score_ = {search.best_score_:.4f}, lowest NLL = {nll.min():.4f}")
assert search.best_index_ == nll.argmin() and search.best_score_ == -nll.min()

# %%
# The same by hand for the best candidate: fit on two folds, and compute the NLL of the
# third.

from sklearn.base import clone

by_hand = []
for train, test in folds.split(names):
    model = clone(search.best_estimator_[-1]).fit([names[row] for row in train])
    by_hand.append(model.nll([names[row] for row in test]))
print(f"NLL by hand = {np.mean(by_hand):.4f}")

# %%
# All candidates, from the worst to the best: a small dot for each fold, and a large dot
# for their mean.

import matplotlib.pyplot as plt

order = nll.argsort()[::-1]
families = [label.split("(")[0] for label in labels]
colors = {family: f"C{k}" for k, family in enumerate(dict.fromkeys(families))}
figure, ax = plt.subplots(figsize=(8, 5), layout="constrained")
for place, candidate in enumerate(order):
    color = colors[families[candidate]]
    ax.plot(-fold_scores[:, candidate], [place] * 3, ".", color=color, alpha=0.5)
    ax.plot(nll[candidate], place, "o", color=color)
ax.axvline(nll.min(), color="0.6", linestyle="--", zorder=0)
ax.set_yticks(range(len(order)), [labels[candidate] for candidate in order])
ax.set_xlabel("NLL of the held-out fold (nats per character); smaller is better")
ax.set_ylabel("candidate")
ax.set_title(f"The search selects {labels[search.best_index_]}")
plt.show()

# %%
# The search has fitted the best candidate again on all names. It is the last step of
# the pipeline. The search itself has no method `sample`, so use that step.

best = search.best_estimator_[-1]
print(best.sample(8, unique=True, exclude=names, random_state=0))
