"""
Counting pairs of characters
============================

The simplest model of names: how often does one character follow another? This is
lecture 1 of makemore. The claim: without smoothing, a single unseen pair makes a name
impossible. Adding one to the count of every pair makes it merely unlikely, and costs
the other names less than a thousandth of a nat per character.
"""

# %%
# `BigramCounter` counts the pairs. The boundary of a word is a symbol of its own, shown
# as a dot. The first row shows how names start, the first column how they end: four in
# ten with "n" or "a".

import matplotlib.pyplot as plt

from sklearn_makemore import BigramCounter
from sklearn_makemore.datasets import load_names
from sklearn_makemore.inspection import BigramDisplay

names = load_names().data
counted = BigramCounter(smoothing=0).fit(names)
display = BigramDisplay.from_estimator(counted)
display.ax_.set_title(f"Pairs of characters in {len(names)} given names of 2017")
plt.show()

# %%
# A row divided by its sum is the distribution of the next character. After "q":

proba = counted.predict_proba(["q"])[0]
likely = sorted(zip(proba, counted.symbols_, strict=True), reverse=True)[:3]
print([(symbol or "(end)", round(float(p), 3)) for p, symbol in likely])

# %%
# The probability of a name is the product of the probabilities of its pairs. The
# lecture's list contains no "jq", so "andrejq" is impossible there. Here one name
# contains "jq", and none contains "jx". A single zero makes the whole product zero, and
# the NLL infinite.

import math

print("with jq:", [name for name in names if "jq" in name])
print("with jx:", [name for name in names if "jx" in name])
for word in ["andrej", "andrejx"]:
    print(f"{word:<8} NLL without smoothing: {counted.nll([word]):.3f}")

assert counted.nll(["andrejx"]) == math.inf

# %%
# Smoothing adds a constant to the count of every pair. No name is impossible any more,
# and the NLL of the training names hardly changes.

smoothed = BigramCounter(smoothing=1).fit(names)
for word in ["andrej", "andrejx"]:
    print(f"{word:<8} NLL with smoothing 1: {smoothed.nll([word]):.3f}")
cost = smoothed.nll(names) - counted.nll(names)
print(f"NLL of all names: {counted.nll(names):.6f} -> {smoothed.nll(names):.6f}")

assert math.isfinite(smoothed.nll(["andrejx"]))
assert 0 < cost < 0.001

# %%
# The larger the constant, the more similar the probabilities of all characters become,
# and the NLL approaches the logarithm of their number. The best constant is the one
# with the lowest NLL on held-out names. It hardly matters here, because there are few
# pairs and many names. For models of longer contexts, smoothing is essential.

import numpy as np
from sklearn.model_selection import train_test_split

distinct = list(dict.fromkeys(names))
train, validation = train_test_split(distinct, test_size=0.1, random_state=0)
amounts = np.logspace(-3, 6, 28)
models = [BigramCounter(amount).fit(train) for amount in amounts]
train_nll, validation_nll = (
    np.array([model.nll(part) for model in models]) for part in (train, validation)
)
best = amounts[validation_nll.argmin()]

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
ax.plot(amounts, train_nll, color="0.75", linewidth=5, label="training names")
ax.plot(amounts, validation_nll, label="held-out names")
ax.axvline(best, color="0.5", linestyle="--", label=f"best: {best:.2g}")
n_symbols = len(counted.symbols_)
ax.axhline(math.log(n_symbols), color="0.8", zorder=0)
ax.annotate(f"log {n_symbols}", (amounts[0], math.log(n_symbols)), va="bottom")
ax.set_xscale("log")
ax.margins(y=0.1)
ax.set_xlabel("smoothing (counts added to every pair)")
ax.set_ylabel("NLL (nats per character)")
ax.set_title("Too much smoothing forgets the names")
ax.legend()
plt.show()

# %%
# New names from the smoothed counts. One character of context is little; the other
# models use more.

print(smoothed.sample(8, random_state=0))
