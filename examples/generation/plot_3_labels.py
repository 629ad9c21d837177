"""
Words with a label
==================

A girl's name or a boy's name? `ConditionalCharLM` samples words with the label that you
ask for. The claim: a label with few words is learned better from all words with their
labels than from its own words alone, and better than without labels.
"""

# %%
# All names with their sex, which is the label. A list of labels gets one word for each.

from sklearn_makemore import ConditionalCharLM, NGramCounter
from sklearn_makemore.datasets import load_names

names, sex = load_names(return_X_y=True)
model = ConditionalCharLM().fit(names, sex)
for label in model.classes_:
    new = model.sample(6, label=label, unique=True, exclude=names, random_state=0)
    print(label, new)
print(model.sample(label=["F", "M", "F"], prefix="mar", random_state=1))

# %%
# How does the label change the next letter? After "mar", "i" is most probable for a
# girl, and "c" or "k" for a boy. The plot shows the most probable characters at the
# start of a name and after three prefixes.

import matplotlib.pyplot as plt
import numpy as np

figure, axes = plt.subplots(2, 2, figsize=(9, 5.5), sharey=True, layout="constrained")
following = {}
for ax, prefix in zip(axes.flat, ["", "mar", "mari", "jo"], strict=True):
    proba = model.predict_proba([prefix, prefix], label=["F", "M"])
    following[prefix] = proba
    shown = np.argsort(-proba.max(axis=0))[:9]
    for shift, label, of_label in zip([-0.2, 0.2], ["F", "M"], proba, strict=True):
        ax.bar(np.arange(9) + shift, of_label[shown], width=0.4, label=label)
    ax.set_xticks(range(9), [model.symbols_[i] or "end" for i in shown])
    ax.set_xlabel("next character")
    ax.set_ylabel("probability")
    ax.set_title(f'After "{prefix}"' if prefix else "First letter")
axes[0, 0].legend()
plt.show()

# %%
# Now suppose that only a few boys' names are known. Half of the girls' names are in the
# training set. A name that girls and boys have occurs twice; both copies go to the same
# side of the split.

from sklearn.model_selection import GroupShuffleSplit

words = np.array(names)
split = GroupShuffleSplit(1, test_size=0.1, random_state=0)
train, test = next(split.split(words, groups=words))
girls = words[train][sex[train] == "F"][::2]
boys = np.random.RandomState(0).permutation(words[train][sex[train] == "M"])
unseen = words[test][sex[test] == "M"]

counter = NGramCounter(alphabet="abcdefghijklmnopqrstuvwxyz")
sizes = [30, 100, 300, 1000, 3000]
nll = {"with labels": [], "boys' names alone": [], "without labels": []}
for size in sizes:
    few = boys[:size]
    both, label = np.append(girls, few), ["F"] * len(girls) + ["M"] * size
    conditional = ConditionalCharLM(counter).fit(both, label)
    nll["with labels"].append(conditional.nll(unseen, "M"))
    nll["boys' names alone"].append(counter.fit(few).nll(unseen))
    nll["without labels"].append(counter.fit(both).nll(unseen))

# %%
# With few boys' names, labels gain little over a model without labels. With many, they
# gain little over a model of the boys' names alone. Between the two they gain most.

figure, ax = plt.subplots(figsize=(6.5, 4.2), layout="constrained")
for (kind, values), style in zip(nll.items(), ["o-", "s--", "^:"], strict=True):
    print(f"{kind:18}", np.round(values, 3))
    ax.semilogx(sizes, values, style, label=kind)
ax.set_xticks(sizes, [f"{size:,}" for size in sizes])
ax.minorticks_off()
ax.set_xlabel("boys' names in the training set")
ax.set_ylabel("NLL of other boys' names (nats per character)")
ax.set_title("Labels help most when a label has a few hundred words")
ax.legend()
plt.show()
