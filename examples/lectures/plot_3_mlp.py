"""
A multi-layer perceptron, from the split to the vowels
======================================================

Lectures 2 and 3 of makemore: hold words out, find a learning rate, train a network on
windows of three characters, and look at what it has made of the alphabet. The claim: a
thousand batches of a rising learning rate find one that is hard to better; a tenth or
ten times of it train clearly worse.
"""

# %%
# Three parts: the training words for `fit`, the development words to choose by, the
# test words for the one figure in the end. A name that girls and boys have is in the
# list twice. Were it split word by word, some of the development words would be known
# from training, and whatever learns words by heart would look good. So
# `train_dev_test_split` keeps equal words together unless it is told otherwise.

from sklearn_makemore.datasets import load_names
from sklearn_makemore.model_selection import train_dev_test_split

names = load_names().data
for group_duplicates in False, True:
    train, dev, test = train_dev_test_split(
        names, group_duplicates=group_duplicates, random_state=0
    )
    known = set(train)
    share = sum(name in known for name in dev) / len(dev)
    print(f"{group_duplicates=}: {share:.1%} of the development words are known")

# %%
# The network: each of the three characters becomes a point in the plane, their
# coordinates go through a layer of tanh to the logits of the next character.

from sklearn_makemore import MLPCharLM

mlp = MLPCharLM(n_embd=2, n_hidden=100, max_epochs=2, random_state=0)

# %%
# How large may the steps be? Train while the learning rate rises from far too small to
# far too large, and watch the loss of each batch. The suggestion is where it is least:
# the largest rate before it does harm, for a schedule that begins and ends below it, as
# the default "one-cycle" does. The network itself is not changed.

import matplotlib.pyplot as plt

from sklearn_makemore.inspection import LRRangeDisplay

search = LRRangeDisplay.from_estimator(mlp, train)
search.ax_.set_title("The loss of a thousand batches while the learning rate rises")
plt.show()

# %%
# Is it right? Train with it, and with smaller and larger ones.

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
ax.set_title("Two epochs with the suggested rate, and with others")
ax.legend()
plt.show()

assert nll[1] < min(nll[0.1], nll[10]) - 0.1
assert nll[1] < min(nll.values()) + 0.03

# %%
# With the rate found, train longer. The development words have chosen the rate; the
# test words have chosen nothing, and their figure is the honest one.

mlp.set_params(lr=search.suggestion, max_epochs=5).fit(train)
print(f"dev NLL {mlp.nll(dev):.3f}, test NLL {mlp.nll(test):.3f}")
print(mlp.sample(8, unique=True, exclude=names, random_state=0))

# %%
# The plane in which the network sees its characters. Nobody has told it what a vowel
# is, yet it keeps them together and apart from the consonants; "." is the boundary of
# words.

from sklearn_makemore.inspection import EmbeddingDisplay

embedding = EmbeddingDisplay.from_estimator(mlp, groups={"vowels": "aeiou"})
embedding.ax_.set_title("Where the network puts the characters")
plt.show()

# sphinx_gallery_thumbnail_number = 3
