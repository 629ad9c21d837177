"""
Likelihoods as features
=======================

A table has a column of names and a column of numbers: which rows are invented?
`CharLMFeatures` turns each name into numbers (how likely it is, and where it
surprises), which other estimators use next to the other columns. The claim: a model has
seen its training words, so their likelihoods are only comparable with those of new
words if each word is scored by a model that has not seen it.
"""

# %%
# The table contains names, and as many invented names, which are the shuffled letters
# of a name. People with invented names also log in slightly less often.

import numpy as np
import pandas as pd

from sklearn_makemore.datasets import load_names

rng = np.random.RandomState(0)
names = list(dict.fromkeys(load_names().data[::6]))
half = len(names) // 2
invented = ["".join(rng.permutation(list(name))) for name in names[half:]]
table = pd.DataFrame(
    {
        "name": [*names[:half], *invented],
        "logins": rng.poisson([6] * half + [4] * len(invented)),
        "is_invented": [False] * half + [True] * len(invented),
    }
)
table = table.sample(frac=1, random_state=0).reset_index(drop=True)
train, test = table[: len(table) // 2], table[len(table) // 2 :]

# %%
# `set_output` returns a data frame. The model learns from all names of the table,
# including the invented ones, and does not know which are which.

from sklearn_makemore import CharLMFeatures

features = CharLMFeatures().set_output(transform="pandas")
out_of_fold = features.fit_transform(train["name"])
print(pd.concat([train["name"], out_of_fold], axis=1).head().round(2).to_string())

# %%
# `fit_transform` scores each word with a model that was fitted without it, in five
# folds. `transform` scores with the model of all words. With that model, the training
# words look far more likely than new ones.

import matplotlib.pyplot as plt

shown = {
    "training names, by the model of all names": features.transform(train["name"]),
    "training names, out of fold": out_of_fold,
    "new names": features.transform(test["name"]),
}
figure, ax = plt.subplots(layout="constrained")
for label, frame in shown.items():
    ax.hist(
        frame["nll"],
        bins=np.linspace(0, 5, 50),
        histtype="step",
        density=True,
        label=f"{label}: {frame['nll'].mean():.2f}",
    )
ax.set_xlabel("NLL (nats per character)")
ax.set_ylabel("density")
ax.set_title("Out of fold, training names look like new ones")
ax.set_ylim(0, 3)
ax.legend(title="names and their mean NLL")
plt.show()

# %%
# In a `ColumnTransformer`, name the column of words as a string, not as a list. The
# logistic regression then trains on features that mean the same for new words. With
# the frozen model of all training words, it trains on likelihoods that new words do not
# have. By default, the pipeline's `y` adds the log odds of the classes, from one model
# per class. They are out of fold too.

from sklearn.compose import make_column_transformer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

numbers = (StandardScaler(), ["logins"])
frozen = FrozenEstimator(features.estimator_)
columns = {
    "numbers alone": [numbers],
    "frozen model": [numbers, (CharLMFeatures(frozen), "name")],
    "out of fold": [numbers, (CharLMFeatures(log_odds=False), "name")],
    "with log odds": [numbers, (CharLMFeatures(), "name")],
}
losses, areas = {}, {}
for label, transformers in columns.items():
    pipeline = make_pipeline(
        make_column_transformer(*transformers),
        StandardScaler(),
        LogisticRegression(),
    ).fit(train, train["is_invented"])
    proba = pipeline.predict_proba(test)[:, 1]
    losses[label] = log_loss(test["is_invented"], proba)
    areas[label] = roc_auc_score(test["is_invented"], proba)
    print(f"{label:14} log-loss {losses[label]:.3f}, AUC {areas[label]:.3f}")

figure, ax = plt.subplots(layout="constrained")
ax.bar(list(losses), list(losses.values()), color=["0.6", "C0", "C1", "C2"])
ax.set_xlabel("columns")
ax.set_ylabel("log-loss on new rows (nats)")
ax.set_title("Is the name invented?")
plt.show()
