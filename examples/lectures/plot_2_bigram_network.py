"""
The bigram as a network
=======================

Lecture 1 of makemore builds its bigram model twice: by counting pairs, and as a network
with one linear layer, trained by gradient descent. The claim: both are the same model.
Without regularisation, training arrives at the relative frequencies. Weight decay acts
on the network as smoothing acts on the counts: both reach the same NLL on held-out
names.
"""

# %%
# First without smoothing and without weight decay. The logits of the network are a row
# of its weight table, so it can represent every table of probabilities. The table with
# the smallest NLL is that of the relative frequencies, which counting gives directly.

from sklearn.model_selection import train_test_split

from sklearn_makemore import BigramCharLM, BigramCounter
from sklearn_makemore.datasets import load_names

names = list(dict.fromkeys(load_names().data))
train, validation = train_test_split(names, test_size=0.1, random_state=0)

counted = BigramCounter(smoothing=0).fit(train)
trained = BigramCharLM(weight_decay=0, lr=1, max_epochs=240).fit(train)
nll = {"counted": counted.nll(train), "trained": trained.nll(train)}
for how, value in nll.items():
    print(f"{how}: training NLL {value:.4f}")

# %%
# The probability of every pair, by counting and by training: for each character, take
# the prediction after that character as the prefix. Frequent pairs agree to 0.1 %. Only
# pairs that occur once or twice after a frequent character have not converged yet,
# because their gradients are the smallest.

import matplotlib.pyplot as plt
import numpy as np

symbols = counted.symbols_  # "" is the boundary: before the first character
by_counting = counted.predict_proba(symbols)  # (n_symbols, n_symbols)
by_training = trained.predict_proba(symbols)
counts = counted.counts_
seen = counts > 0

figure, ax = plt.subplots(figsize=(6.5, 5), layout="constrained")
points = ax.scatter(
    by_counting[seen], by_training[seen], c=counts[seen], s=14, norm="log"
)
ax.axline((1e-3, 1e-3), (1, 1), color="0.6", zorder=0)
ax.set_xscale("log")
ax.set_yscale("log")
ax.set_xlabel("probability by counting")
ax.set_ylabel("probability by gradient descent")
ax.set_title("The probabilities of all pairs of the training names")
figure.colorbar(points, ax=ax, label="occurrences of the pair (logarithmic)")
plt.show()

often = counts >= 100
ratios = by_training[often] / by_counting[often]
print(f"ratios of {often.sum()} pairs: {ratios.min():.4f} to {ratios.max():.4f}")

# %%
# Smoothing matters for small counts, so from here on there are only 300 names.
# `smoothing` is added to every count. `weight_decay` multiplies the mean of all squared
# weights, which is added to the loss. A large value of either leads to the uniform
# distribution, whose NLL is the logarithm of the number of symbols.

few = train[:300]
alphabet = "".join(symbols)
families = {
    "smoothing": (BigramCounter(alphabet=alphabet), np.logspace(-2, 3, 11)),
    "weight_decay": (
        BigramCharLM(alphabet=alphabet, lr=0.3),
        np.logspace(-3, 2, 11),
    ),
}
curves, best = {}, {}
for parameter, (model, amounts) in families.items():
    found = []
    for amount in amounts:
        model.set_params(**{parameter: amount}).fit(few)
        found.append([model.nll(few), model.nll(validation)])
    curves[parameter] = np.array(found)
    chosen = curves[parameter][:, 1].argmin()
    best[parameter] = amounts[chosen], curves[parameter][chosen, 1]
    print(
        f"{parameter}: best at {best[parameter][0]:.2g}, NLL {best[parameter][1]:.3f}"
    )

figure, axes = plt.subplots(1, 2, figsize=(11, 4.5), sharey=True, layout="constrained")
titles = "Counting with smoothing", "Gradient descent with weight decay"
for ax, parameter, title in zip(axes, families, titles, strict=True):
    amounts, (of_train, of_validation) = families[parameter][1], curves[parameter].T
    ax.plot(amounts, of_train, "o-", label="300 training names")
    ax.plot(amounts, of_validation, "s-", label="validation names")
    ax.plot(*best[parameter], "k*", markersize=14, zorder=3, label="best")
    ax.axhline(np.log(len(symbols)), color="0.6", linestyle="--", label="uniform")
    ax.set_xscale("log")
    ax.set_xlabel(f"{parameter} (logarithmic)")
    ax.set_ylabel("NLL (nats per character)")
    ax.set_title(title)
axes[0].legend(loc="upper left", bbox_to_anchor=(0, 0.92))
plt.show()

# %%
# At the end of training the gradient vanishes. Let N be the number of predictions, V
# the number of symbols, n the count of a pair and W its weight. Then the probabilities
# of a row are proportional to ``n - (2 * weight_decay * N / V**2) * W``. So weight
# decay also adds something to every count, but not the same to all: the smaller the
# weight, the more it adds. It moves counts from frequent pairs to rare ones and keeps
# the total of each row.

model = BigramCharLM(
    alphabet=alphabet,
    weight_decay=best["weight_decay"][0],
    lr=1,
    max_epochs=200,
).fit(few)
counts_of_few = BigramCounter(alphabet=alphabet).fit(few).counts_
n_predictions, totals = counts_of_few.sum(), counts_of_few.sum(axis=1, keepdims=True)
W = model.net_.module_.embedding.weight.numpy(force=True)

added = -2 * model.weight_decay * n_predictions / len(symbols) ** 2 * W
behaves_as = totals * model.predict_proba(symbols)
gap = np.abs(counts_of_few + added - behaves_as).max()
print(f"counts up to {counts_of_few.max()}; largest error of the formula {gap:.3f}")

figure, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
ax.plot(counts_of_few.ravel(), added.ravel(), ".", label="weight decay")
ax.axhline(best["smoothing"][0], color="C1", label="smoothing")
ax.axhline(0, color="0.6", linewidth=0.8)
ax.set_xscale("symlog", linthresh=1)
ax.set_xlim(left=-0.2)
ax.set_xlabel("count of the pair (logarithmic beyond 1)")
ax.set_ylabel("added to the count")
ax.set_title("Added to the counts of 300 names by the best value of each")
ax.legend()
plt.show()

assert counted.nll(train) <= trained.nll(train) < counted.nll(train) + 1e-3
assert abs(best["weight_decay"][1] - best["smoothing"][1]) < 0.01
assert gap < 0.05
