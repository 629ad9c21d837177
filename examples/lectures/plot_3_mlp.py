"""
A multi-layer perceptron, from the split to the vowels
======================================================

Lectures 2 and 3 of makemore: hold out words, find a learning rate, train a network on
windows of three characters, and plot its embedding of the alphabet. The claim: a
thousand batches with a rising learning rate are enough to find a good one. A tenth or
ten times of it train clearly worse.
"""

# %%
# Split the words into three parts: training words for `fit`, development words for
# choices, and test words for the final figure. The list contains a name twice if girls
# and boys have it. If equal words were split independently, some development words
# would also be training words, and models that overfit would look good. Therefore
# `train_dev_test_split` keeps equal words together by default.

from sklearn_makemore.datasets import load_names
from sklearn_makemore.model_selection import train_dev_test_split

names = load_names().data[::2]
for group_duplicates in False, True:
    train, dev, test = train_dev_test_split(
        names, group_duplicates=group_duplicates, random_state=0
    )
    known = set(train)
    share = sum(name in known for name in dev) / len(dev)
    print(f"{group_duplicates=}: {share:.1%} of the development words are known")

# %%
# The network maps each of the three characters to a point in the plane. A tanh layer
# and a linear layer map the coordinates of the points to the logits of the next
# character.

from sklearn_makemore import MLPCharLM

mlp = MLPCharLM(n_embd=2, n_hidden=100, max_epochs=2, random_state=0)

# %%
# How large should the steps be? Train while the learning rate rises from far too small
# to far too large, and watch the loss of each batch. The suggestion is the rate with
# the lowest loss, which is the largest rate that does no harm. It suits schedules that
# start and end below it, as the default "one-cycle" does. The estimator itself is not
# changed.

import matplotlib.pyplot as plt

from sklearn_makemore.inspection import LRRangeDisplay

search = LRRangeDisplay.from_estimator(mlp, train)
search.ax_.set_title("The loss of a thousand batches while the learning rate rises")
plt.show()

# %%
# Is it a good rate? Train with it, and with smaller and larger ones.

factors = [0.1, 0.3, 1, 3, 10]
nll = {}
for factor in factors:
    mlp.set_params(lr=factor * search.suggestion)
    nll[factor] = mlp.fit(train).nll(dev)
    print(f"{factor:>4} x suggestion = {mlp.lr:.4f}: dev NLL {nll[factor]:.3f}")

figure, ax = plt.subplots(layout="constrained")
ax.plot([factor * search.suggestion for factor in factors], nll.values(), "o-")
ax.axvline(search.suggestion, color="C1", linestyle="--", label="suggestion")
ax.set_xscale("log")
ax.set_xlabel("Learning rate")
ax.set_ylabel("Development NLL (nats per character)")
ax.set_title("Two epochs with the suggested rate and with others")
ax.legend()
plt.show()

assert nll[1] < min(nll[0.1], nll[10]) - 0.1
assert nll[1] < min(nll.values()) + 0.03

# %%
# Train longer with this rate. The development words were used to check it, so their NLL
# is slightly optimistic. The test words were used for nothing.

mlp.set_params(lr=search.suggestion, max_epochs=5).fit(train)
print(f"dev NLL {mlp.nll(dev):.3f}, test NLL {mlp.nll(test):.3f}")
print(mlp.sample(8, unique=True, exclude=names, random_state=0))

# %%
# The embedding of the characters. Nobody told the network what a vowel is, yet it
# places the vowels together and apart from the consonants. "." is the boundary of
# words.

from sklearn_makemore.inspection import EmbeddingDisplay

embedding = EmbeddingDisplay.from_estimator(mlp, groups={"vowels": "aeiou"})
embedding.ax_.set_title("Where the network puts the characters")
plt.show()

# sphinx_gallery_thumbnail_number = 3
