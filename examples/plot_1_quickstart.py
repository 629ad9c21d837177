"""
More names like these
=====================

This page shows the whole library: learn the given names of a country, compare four
models on names they have not seen, search for a better one, save it, and sample new
names. The claim: an n-gram model is almost as good as the best network of this size,
and fits in a small part of the time.
"""

# %%
# Each word is one sample. `load_names` comes with the package; any list, array or
# column of strings works. The list contains a name twice if girls and boys have it.
# Here each name is kept once, so that no validation name is in the training set.

from sklearn.model_selection import train_test_split

from sklearn_makemore.datasets import load_names

names = list(dict.fromkeys(load_names().data))
train, validation = train_test_split(names, test_size=0.1, random_state=0)
print(train[:5])

# %%
# Every model has the same methods. `score` is the mean log-probability per character:
# larger is better, as scikit-learn's searches assume. `nll` is the same number with the
# sign of the makemore lectures: smaller is better. Here the networks train for two
# epochs; the default is five.

from time import perf_counter

from sklearn_makemore import BigramCounter, MLPCharLM, NGramCounter, WaveNetCharLM

models = [
    BigramCounter(),
    NGramCounter(),
    MLPCharLM(max_epochs=2, random_state=0),
    WaveNetCharLM(max_epochs=2, random_state=0),
]
nll, seconds = {}, {}
for model in models:
    name = type(model).__name__
    start = perf_counter()
    model.fit(train)
    seconds[name] = perf_counter() - start
    nll[name] = model.nll(validation)
    print(f"{name:<14} nll={nll[name]:.3f}  score={model.score(validation):.3f}")

# %%
# The plot shows the NLL against the time to fit.

import matplotlib.pyplot as plt

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for name in nll:
    ax.plot(seconds[name], nll[name], "o", markersize=10)
    ax.annotate(
        f"{name}\n{nll[name]:.3f}",
        (seconds[name], nll[name]),
        xytext=(10, 0),
        textcoords="offset points",
        va="center",
    )
ax.set_xscale("log")
ax.set_xlim(min(seconds.values()) / 2, max(seconds.values()) * 20)
ax.margins(y=0.15)
ax.set_xlabel("time to fit (seconds, logarithmic scale)")
ax.set_ylabel("validation NLL (nats per character)")
ax.set_title("Given names of 2017: smaller is better on both axes")
plt.show()

assert nll["NGramCounter"] < min(nll.values()) + 0.05
assert seconds["NGramCounter"] < min(seconds["MLPCharLM"], seconds["WaveNetCharLM"]) / 5

# %%
# A search over the order of the n-grams. The best candidate has the largest score,
# which is the smallest NLL.

from sklearn.model_selection import GridSearchCV, KFold

search = GridSearchCV(
    NGramCounter(),
    {"order": [3, 4, 5, 6, 7]},
    cv=KFold(3, shuffle=True, random_state=0),
).fit(train)
model = search.best_estimator_
print(search.best_params_, f"nll={model.nll(validation):.3f}")

# %%
# New, distinct names that start with "kar":

print(model.sample(8, prefix="kar", unique=True, exclude=names, random_state=0))

# %%
# The distribution of the next character, and the log-probabilities of whole words in
# nats:

proba = model.predict_proba(["oliv"])[0]
likely = sorted(zip(proba, model.symbols_, strict=True), reverse=True)[:3]
print([(symbol or "(end)", round(float(p), 3)) for p, symbol in likely])
for word in ["olivia", "xqzw"]:
    print(word, model.score_samples([word]).round(1))

# %%
# A fitted model can be saved to a file, and gives the same samples after loading.
# Loading runs no code from the file. joblib works as well, but loading its files can
# run code.

import tempfile
from pathlib import Path

from sklearn_makemore import load, save

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "names.safetensors"
    save(model, path)
    again = load(path)
assert again.sample(3, random_state=0) == model.sample(3, random_state=0)
